"""The metadata of a released notebook, read back from a student's copy.

It stands in the notebook's metadata (see `building`). A copy that lost them, because some editors drop what
they do not know, is compared with the notebook as it was given out, which it finds in the course by its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aicourse.errors import AicourseError, SubmissionError
from aicourse.html import one_line
from aicourse.notebook.checks import Check
from aicourse.tooling.grading.authoring.assignment import find_folder
from aicourse.tooling.grading.authoring.public import to_checks
from aicourse.tooling.grading.submissions.reading import ReadNotebook


@dataclass(frozen=True)
class ReleasedCell:
    """A cell as it was given out; `sha256` is its `building.fingerprint`."""

    id: str
    role: str
    question: str
    sha256: str

    @property
    def is_answer(self) -> bool:
        """True if the student fills it in."""
        return self.role in ("answer", "manual")


@dataclass(frozen=True)
class Release:
    """A homework as students got it: no solution, no hidden check."""

    assignment: str
    release: str
    files: tuple[str, ...]
    cells: tuple[ReleasedCell, ...]
    checks: tuple[Check, ...]
    embeddings: bool = False


def find_release(path: Path, notebook: ReadNotebook) -> Release:
    """The release that a student's notebook is a copy of.

    Raises:
        SubmissionError: neither its metadata nor its name says which, or that homework is not here.
    """
    if stated := notebook.metadata.get("aicourse"):
        return _release(stated, path.name)
    named = re.match(r"[A-Za-z]+\d+", path.name)
    try:
        folder = find_folder(named[0] if named else path.stem)
        original = json.loads((folder / f"{folder.name.partition('-')[0]}.ipynb").read_text(encoding="utf-8"))
    except (AicourseError, OSError, ValueError, KeyError):
        raise SubmissionError(
            f"{path.name} does not say which homework it is (its metadata are gone), and its name does not "
            "either. Give it the name it had, like hw01.ipynb, or copy your answers into a fresh notebook.",
            submission=path.name,
        ) from None
    return _release(original["metadata"]["aicourse"], path.name)


def _release(stated: Any, name: str) -> Release:
    try:
        assignment, *files = map(_file_name, (stated["assignment"], *stated["files"]))
        return Release(
            assignment=assignment,
            release=str(stated["release"]),
            files=tuple(files),
            cells=tuple(_cell(cell) for cell in stated["cells"]),
            checks=to_checks(stated["public"]),
            embeddings=stated.get("embeddings") is True,
        )
    except (KeyError, TypeError, ValueError, SyntaxError, AttributeError) as error:
        raise SubmissionError(
            f"The metadata of {name} are damaged ({type(error).__name__}: {error}). Copy your answers into a "
            "fresh notebook.",
            submission=name,
        ) from error


def _file_name(stated: Any) -> str:
    """A name of a file beside the notebook; no path, because it is read there and packed."""
    if not isinstance(stated, str) or Path(stated).name != stated or one_line(stated) != stated:
        raise ValueError(f"{stated!r} is no name of a file")
    return stated


def _cell(data: Mapping[str, Any]) -> ReleasedCell:
    return ReleasedCell(
        str(data["id"]), str(data["role"]), str(data.get("question", "")), str(data["sha256"])
    )

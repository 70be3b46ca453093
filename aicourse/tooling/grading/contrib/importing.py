"""Bring an assignment from nbgrader or otter-grader: its master becomes `master.ipynb` and `checks.py`.

    report = import_assignment(Path("ps1.ipynb"), "nbgrader", Path("homework/hw07-sorting"))
    print(report)          # what was made, and what a person must still do

Tests of both run in the student's own process, so each is rewritten as a call that is compared outside (see
`assertions`). What cannot be rewritten is listed with its source and put into `checks.py` as a comment;
its points are not kept. The result is read back as any assignment is before anything is written.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aicourse import paths
from aicourse.errors import AssignmentError
from aicourse.tooling.grading.authoring.assignment import load_assignment
from aicourse.tooling.grading.authoring.master import read_notebook
from aicourse.tooling.grading.contrib import nbgrader, otter
from aicourse.tooling.grading.contrib.draft import ImportDraft

Origin = Literal["nbgrader", "otter"]
_CONVERTERS = {"nbgrader": nbgrader.convert_notebook, "otter": otter.convert_notebook}
_HEAD = '''"""Checks imported from {origin} ({name}). Try them with: aicourse homework verify {folder}"""

from aicourse.notebook.checks import Check, Mistake, arguments, known
from aicourse.tooling.grading.authoring.checks_file import Planted

checks = [
{checks}]

# A wrong solution that students hand in, and what it must lose, for `aicourse homework verify`:
# planted = [Planted("q1", "name", loses=1, shows="a text of its feedback", source="def ...")]
'''


@dataclass(frozen=True)
class ImportReport:
    """The new assignment, and what is left to do."""

    folder: Path
    questions: tuple[str, ...]
    checks: int
    notes: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.folder}: {self.checks} checks, questions {', '.join(self.questions)}"]
        lines += [f"  ! {note}" for note in self.notes]
        end = "Read both files, then: aicourse homework verify "
        return "\n".join([*lines, f"{end}{self.folder}"])


def import_assignment(source: Path, origin: Origin, folder: Path) -> ImportReport:
    """Convert the master at `source` into an assignment in `folder`, which must be new.

    Raises:
        AssignmentError: it is no notebook, holds no question of that tool, or the folder holds an assignment.
    """
    if (folder / "master.ipynb").exists():
        raise AssignmentError(f"{folder} holds an assignment already. Name a new folder with --out.")
    notebook = read_notebook(source)
    draft = _CONVERTERS[origin](notebook)
    if not any("aicourse" in cell["metadata"] for cell in draft.cells):
        raise AssignmentError(
            f"{source.name} holds no question of {origin}. Is it the instructor's version, and --from right?"
        )
    files = {
        "master.ipynb": _master_text(draft, notebook, folder, source),
        "checks.py": _HEAD.format(
            origin=origin, name=source.name, folder=folder, checks=_listed(draft.checks, draft.comments)
        ),
    }
    questions = _proved(files)
    for name, text in files.items():
        paths.write_atomically(folder / name, text)
    return ImportReport(folder, questions, len(draft.checks), tuple(draft.notes))


def _master_text(draft: ImportDraft, notebook: Mapping[str, Any], folder: Path, source: Path) -> str:
    metadata = {
        "aicourse": {
            "assignment": re.sub(r"[^\w.-]+", "-", folder.name.partition("-")[0]) or "imported",
            "title": draft.title or source.stem,
        },
        "kernelspec": notebook.get("metadata", {}).get("kernelspec")
        or {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    data = {"cells": draft.cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _listed(checks: Sequence[str], comments: Sequence[str]) -> str:
    return "".join([*(f"    {check},\n" for check in checks), *comments])


def _proved(files: Mapping[str, str]) -> tuple[str, ...]:
    """The questions of the new assignment, read as any other is: what does not load is not written."""
    with tempfile.TemporaryDirectory(prefix="aicourse-import-") as name:
        for file, text in files.items():
            Path(name, file).write_text(text, encoding="utf-8")
        return tuple(question.id for question in load_assignment(Path(name)).questions)

"""Bring an assignment from nbgrader or otter-grader: its master becomes `master.ipynb` and `checks.py`.

    report = import_assignment(Path("ps1.ipynb"), "nbgrader", Path("homework/hw07-sorting"), execute)
    print(report)          # what was made, and what a person must still do

Tests of both run in the student's own process, so each is rewritten as a call that is compared outside (see
`assertions`). What cannot be rewritten is listed with its source and put into `checks.py` as a comment;
its points are not kept. Pictures and files beside the notebook come along. The result is read back as any
assignment is before anything is written.
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
from aicourse.tooling.grading.contrib.autotests import written_out
from aicourse.tooling.grading.contrib.draft import ImportDraft
from aicourse.tooling.grading.sandbox.execution import Executor

Origin = Literal["nbgrader", "otter"]
_CONVERTERS = {"nbgrader": nbgrader.convert_notebook, "otter": otter.convert_notebook}
_PICTURE = re.compile(r"""!\[[^\]]*\]\(\s*<?([^)\s>]+)|<img\b[^>]*?\bsrc\s*=\s*["']([^"']+)""", re.IGNORECASE)
_HEAD = '''"""Checks imported from {origin} ({name}). Try them with: aicourse homework verify {folder}"""

from aicourse.notebook.checks import Check, Mistake, arguments, known
from aicourse.tooling.grading.authoring.checks_file import Planted

checks = [
{checks}]
files = {files}

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


def import_assignment(source: Path, origin: Origin, folder: Path, execute: Executor) -> ImportReport:
    """Convert the master at `source` into an assignment in `folder`, which must be new.

    `execute` runs the master, if there are tests that its solution must be asked for (AUTOTEST).

    Raises:
        AssignmentError: it is no notebook, holds no question of that tool, or the folder holds an assignment.
    """
    if (folder / "master.ipynb").exists():
        raise AssignmentError(f"{folder} holds an assignment already. Name a new folder with --out.")
    notebook = read_notebook(source)
    draft = _CONVERTERS[origin](written_out(notebook, execute))
    if not any("aicourse" in cell["metadata"] for cell in draft.cells):
        raise AssignmentError(
            f"{source.name} holds no question of {origin}. Is it the instructor's version, and --from right?"
        )
    beside = _beside(draft, source.parent)
    head = {"origin": origin, "name": source.name, "folder": folder, "files": sorted(beside)}
    files = {
        **beside,
        "master.ipynb": _master_text(draft, notebook, folder, source).encode(),
        "checks.py": _HEAD.format(**head, checks=_listed(draft.checks, draft.comments)).encode(),
    }
    questions = _proved(files)
    for name, content in files.items():
        paths.write_atomically(folder / name, content)
    return ImportReport(folder, questions, len(draft.checks), tuple(draft.notes))


def _beside(draft: ImportDraft, folder: Path) -> dict[str, bytes]:
    """Files that the assignment names and pictures that its texts show, by name; links are put right."""
    found: dict[str, bytes] = {}
    for name in dict.fromkeys([*draft.files, *_pictures(draft.cells)]):
        path, plain = folder / name, Path(name).name
        inside = path.resolve().is_relative_to(folder.resolve()) and path.is_file()
        if not inside or plain in {*found, "master.ipynb", "checks.py"}:
            why = "is named like another file" if inside else "is not beside the notebook"
            draft.notes.append(f"{name} {why}: copy it into the new folder and name it in `files`.")
            continue
        found[plain] = path.read_bytes()
        if plain != name:
            draft.notes.append(f"{name} is {plain} now, without a folder: correct the code that reads it.")
            for cell in draft.cells:
                if cell["cell_type"] == "markdown":
                    cell["source"] = [line.replace(name, plain) for line in cell["source"]]
    return found


def _pictures(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Paths of pictures in Markdown cells; no addresses, and none that are inside of the notebook."""
    texts = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    named = (match[1] or match[2] for text in texts for match in _PICTURE.finditer(text))
    return [name for name in named if not re.match(r"[a-z][a-z0-9+.-]*:|/|#", name, re.IGNORECASE)]


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


def _proved(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The questions of the new assignment, read as any other is: what does not load is not written."""
    with tempfile.TemporaryDirectory(prefix="aicourse-import-") as name:
        for file, content in files.items():
            Path(name, file).write_bytes(content)
        return tuple(question.id for question in load_assignment(Path(name)).questions)

"""Bring an assignment from nbgrader or otter-grader: its master becomes `master.ipynb` and `checks.py`.

    report = import_assignment(Path("ps1.ipynb"), "nbgrader", Path("homework/hw07-sorting"))
    print(report)          # what was made, and what a person must still do

Tests of both run in the student's own process, so each is rewritten as a call that is compared outside (see
`importing_tests`). What cannot be rewritten is listed with its source and put into `checks.py` as a comment;
its points are not kept. The result is read back as any assignment is before anything is written.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aicourse import paths
from aicourse.errors import AssignmentError
from aicourse.tooling.grading.authoring.assignment import load_assignment
from aicourse.tooling.grading.authoring.master import read_notebook

RUBRIC = "graded by hand (imported: write out what earns the points)"
Origin = Literal["nbgrader", "otter"]
_HEAD = '''"""Checks imported from {origin} ({name}). Try them with: aicourse homework verify {folder}"""

from aicourse.tooling.grading.authoring.checks import Check, Mistake, Planted, arguments, known

checks = [
{checks}]

# A wrong solution that students hand in, and what it must lose, for `aicourse homework verify`:
# planted = [Planted("q1", "name", loses=1, shows="a text of its feedback", source="def ...")]
'''


@dataclass
class Draft:
    """An assignment while it is converted: cells of the new master, sources of checks, and what is left."""

    title: str = ""
    cells: list[dict[str, Any]] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, kind: str, cell_id: str, source: str, stated: Mapping[str, Any] | None = None) -> None:
        """One cell of the master; its id is made unique."""
        taken = {cell["id"] for cell in self.cells}
        base = re.sub(r"[^A-Za-z0-9_-]+", "-", cell_id).strip("-")[:50] or "cell"
        name, number = base, 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        code: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
        metadata = {"aicourse": dict(stated)} if stated else {}
        self.cells.append(
            {"cell_type": kind, **code, "id": name, "metadata": metadata, "source": source.splitlines(True)}
        )

    def left(self, question: str, sources: Sequence[str]) -> None:
        """Tests that a person must write anew."""
        for source in sources:
            first = source.splitlines()[0]
            self.notes.append(f"{question}: this test could not be converted: {first}")
            commented = "\n".join(f"    # {line}" for line in source.splitlines())
            self.comments.append(f"    # {question}, not converted:\n{commented}\n")


@dataclass(frozen=True)
class ImportReport:
    """What was made, and what is left to do."""

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
    from aicourse.tooling.grading.contrib import nbgrader, otter

    if (folder / "master.ipynb").exists():
        raise AssignmentError(f"{folder} holds an assignment already. Name a new folder with --out.")
    converters: dict[Origin, Callable[[Mapping[str, Any]], Draft]] = {
        "nbgrader": nbgrader.convert_notebook,
        "otter": otter.convert_notebook,
    }
    notebook = read_notebook(source)
    draft = converters[origin](notebook)
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


def _master_text(draft: Draft, notebook: Mapping[str, Any], folder: Path, source: Path) -> str:
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


def wrapped(source: str) -> str:
    """Code that is a solution as a whole, between our markers."""
    return f"### BEGIN SOLUTION\n{source.strip()}\n### END SOLUTION"


def question_id(name: str, taken: Sequence[str]) -> str:
    """A valid, new id from another tool's name: `cell-1a2b` stays, `1 b` becomes `q-1-b`."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-") or "q"
    plain = plain if plain[0].isalpha() else f"q-{plain}"
    number, found = 2, plain
    while found in taken:
        found, number = f"{plain}-{number}", number + 1
    return found

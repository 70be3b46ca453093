"""A student's notebook before it is handed in: what would go wrong when it is graded.

    report = examine(Path("hw01.ipynb"), execute)      # `aicourse homework check hw01.ipynb`
    print(report)

The notebook runs as it will when it is graded, from top to bottom in a fresh kernel, and its public checks
are judged as hidden ones will be. Those are not here, so a clean report promises no points.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aicourse.errors import SubmissionError
from aicourse.notebook_json import new_cell, new_notebook
from aicourse.tooling.grading.authoring.building import fingerprint
from aicourse.tooling.grading.judging.judging import Plan, PlannedCheck, judge
from aicourse.tooling.grading.judging.results import CheckOutcome
from aicourse.tooling.grading.sandbox.execution import Execution, Executor, Job, Limits
from aicourse.tooling.grading.sandbox.files import named_files
from aicourse.tooling.grading.submissions.reading import ReadCell, ReadNotebook, read_notebook
from aicourse.tooling.grading.submissions.release import Release, find_release

SLOW_SECONDS = Limits().notebook_seconds / 2
_MOST_FAILURES = 5
_ABSOLUTE = re.compile(
    r"""["'](?P<path>/(?:home|Users|root|mnt|content|kaggle|tmp|var|workspace)/[^"'\n]*|[A-Za-z]:[\\/][^"'\n]*)["']"""
)
_PICTURE = re.compile(r"!\[[^\]\n]*\]\(([^)\s]+)\)")
_INSTALLS = re.compile(r"^\s*[!%]\s*(?:pip|conda|mamba|uv)\b", re.MULTILINE)


@dataclass(frozen=True)
class StudentReport:
    """Findings: `problems` cost points, `warnings` may; `results` are those of the public checks."""

    assignment: str
    level: str
    seconds: float
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    results: tuple[CheckOutcome, ...]

    @property
    def passed(self) -> bool:
        """True if nothing is known that would cost points."""
        return not self.problems and all(result.passed for result in self.results)

    def __str__(self) -> str:
        where = "in your own kernel" if self.level in ("", "L0") else f"in a sandbox ({self.level})"
        lines = [f"{self.assignment} ran in {self.seconds:.1f} s, {where}"]
        lines += [f"  ✗ {problem}" for problem in self.problems]
        lines += [f"  ! {warning}" for warning in self.warnings]
        for result in self.results:
            told = f": {result.message}" if result.message else ""
            lines.append(f"  {'✓' if result.passed else '✗'} {result.question}, {result.name}{told}")
        advice = (
            f"Nothing is known that would cost points. Now: aicourse homework pack {self.assignment}.ipynb"
            if self.passed
            else "Correct what is marked ✗, or hand in as it is: what is right still counts."
        )
        return "\n".join([*lines, advice, "Hidden checks, with inputs you have not seen, decide later."])


def examine(path: Path, execute: Executor) -> StudentReport:
    """Run a student's notebook with its public checks, and look it over.

    Raises:
        SubmissionError: it cannot be read, or nothing says which homework it is.
    """
    notebook = read_student_notebook(path)
    release = find_release(path, notebook)
    planned = Plan(release.assignment, "", tuple(_planned(check) for check in release.checks))
    files = named_files(path.parent, release.files)
    vectors = str(path.parent / "vectors.jsonl") if release.embeddings else None
    execution = execute(Job(_runnable(notebook), planned.calls, files, vectors=vectors))
    return StudentReport(
        assignment=release.assignment,
        level=execution.level,
        seconds=execution.seconds,
        problems=(*_missing(path, notebook, release), *_run_problems(execution), *_absolute_paths(notebook)),
        warnings=(
            *notebook.notes,
            *_edits(notebook, release),
            *_left_out(path, notebook, release),
            *_habits(notebook, execution),
        ),
        results=judge(planned, execution.answers),
    )


def read_student_notebook(path: Path) -> ReadNotebook:
    """The notebook at `path`, whatever an editor made of it.

    Raises:
        SubmissionError: it is missing, or no notebook.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SubmissionError(
            f"{path} cannot be read ({error.strerror}). Check the name.", path=path
        ) from error
    return read_notebook(data, path.name)


def _planned(check: Any) -> PlannedCheck:
    return PlannedCheck(check, check.draw())


def _runnable(notebook: ReadNotebook) -> dict[str, Any]:
    """Its code cells in order, as nbformat 4."""
    code = [cell for cell in notebook.cells if cell.kind == "code"]
    return new_notebook(new_cell("code", cell.source, cell.id) | {"source": cell.source} for cell in code)


def _by_id(notebook: ReadNotebook) -> dict[str, ReadCell]:
    return {cell.stated_id: cell for cell in notebook.cells if cell.stated_id}


def _missing(path: Path, notebook: ReadNotebook, release: Release) -> Iterator[str]:
    """Answer cells and declared files that are not there."""
    present = _by_id(notebook)
    for cell in release.cells:
        if cell.is_answer and cell.id not in present:
            yield (
                f"The answer cell of {cell.question or cell.id} is gone (it had the id {cell.id}). Undo the "
                "deletion, or copy your answers into a fresh notebook."
            )
    for name in release.files:
        if not (path.parent / name).is_file():
            yield f"The file {name} that came with the homework is not beside the notebook. Put it there."


def _run_problems(execution: Execution) -> Iterator[str]:
    if execution.sentence:
        yield execution.sentence
    for failure in execution.failures[:_MOST_FAILURES]:
        if failure.error != "NotImplementedError":
            yield f"Cell {failure.cell_id} raises {failure.error}: {failure.message[:200]}"


def _absolute_paths(notebook: ReadNotebook) -> Iterator[str]:
    for number, cell in enumerate(notebook.cells, start=1):
        for match in _ABSOLUTE.finditer(cell.source) if cell.kind == "code" else ():
            yield (
                f"Cell {number} names {match['path'][:80]!r}, which exists on your machine only. Use a path "
                "relative to the notebook."
            )


def _edits(notebook: ReadNotebook, release: Release) -> Iterator[str]:
    """Given cells that are not as given, and answers that are."""
    present = _by_id(notebook)
    for cell in release.cells:
        found = present.get(cell.id)
        same = found is not None and fingerprint(found.source) == cell.sha256
        if cell.is_answer and same:
            yield f"{cell.question or cell.id} is not answered yet."
        elif not cell.is_answer and not same and found is not None:
            yield f"The given cell {cell.id} was changed; the original will run when it is graded."
        elif not cell.is_answer and found is None and cell.role in ("given", "parameters", "public"):
            yield f"The given cell {cell.id} is gone; the original will be put back when it is graded."


def _left_out(path: Path, notebook: ReadNotebook, release: Release) -> Iterator[str]:
    """Pictures in files beside the notebook, which `pack` does not take."""
    for number, cell in enumerate(notebook.cells, start=1):
        for name in map(unquote, _PICTURE.findall(cell.source) if cell.kind == "markdown" else ()):
            if name not in release.files and os.path.isfile(path.parent / name):
                yield f"Cell {number} shows {name!r}, a file that is not packed. Drag it into the cell."


def _habits(notebook: ReadNotebook, execution: Execution) -> Iterator[str]:
    """Things that work here and may not work there."""
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.kind == "code" and _INSTALLS.search(cell.source):
            yield f"Cell {number} installs packages: there is no network when it is graded."
    if execution.seconds > SLOW_SECONDS:
        limit = Limits().notebook_seconds
        yield f"It took {execution.seconds:.0f} s; when it is graded it may take {limit:.0f} s."

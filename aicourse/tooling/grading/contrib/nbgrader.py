"""nbgrader's masters: cells with `metadata.nbgrader` (grade_id, points, solution, grade, task).

| nbgrader cell | here |
|---|---|
| autograded answer (solution) | answer, with the points of the test cells after it; in a row, one question |
| autograder tests (grade, points) | checks; visible assertions public, HIDDEN TESTS hidden |
| manually graded answer (solution and grade) | manual, with a one-line rubric to be written out |
| manually graded task | its text given, a manual cell below, its mark scheme as rubric |
| read-only and others | given |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aicourse.notebook_json import text
from aicourse.tooling.grading.authoring.markers import has_solution, released
from aicourse.tooling.grading.contrib.assertions import Assertions, check_sources, convert
from aicourse.tooling.grading.contrib.draft import (
    RUBRIC,
    ImportDraft,
    manual,
    plain_points,
    question_id,
    wrapped,
)

_HIDDEN = re.compile(
    r"^\s*#+ BEGIN HIDDEN TESTS.*?^\s*#+ END HIDDEN TESTS[^\n]*\n?", re.MULTILINE | re.DOTALL
)
_SCHEME = re.compile(r"=== BEGIN MARK SCHEME ===\s*(.*?)\s*=== END MARK SCHEME ===", re.DOTALL)


@dataclass
class _Tests:
    """One test cell of a question."""

    name: str
    source: str
    points: float


@dataclass
class _Answer:
    """An autograded answer and the test cells after it; `cells` are the draft's, often one."""

    question: str
    cells: list[dict[str, Any]] = field(default_factory=list)
    tests: list[_Tests] = field(default_factory=list)


def convert_notebook(notebook: Mapping[str, Any]) -> ImportDraft:
    """A draft of the assignment; what could not be converted is in its notes."""
    draft, answers = ImportDraft(), list[_Answer]()
    for number, cell in enumerate(notebook["cells"], start=1):
        stated = cell.get("metadata", {}).get("nbgrader", {})
        name, source = str(stated.get("grade_id") or cell.get("id") or f"cell-{number}"), text(cell["source"])
        points = float(stated.get("points") or 0)
        question = question_id(name, [str(taken) for taken in map(_question_of, draft.cells)])
        if stated.get("task"):
            _task(draft, question, name, source, points)
        elif stated.get("solution") and stated.get("grade"):
            _manual(draft, cell["cell_type"], question, name, source, points)
        elif stated.get("solution"):
            if not answers or answers[-1].tests:
                answers.append(_Answer(question))
            answers[-1].cells.append(_answer(draft, answers[-1].question, name, source))
        elif stated.get("grade"):
            _test_cell(draft, answers, _Tests(name, source, points))
        else:
            draft.title = draft.title or _heading(cell["cell_type"], source)
            draft.add(cell["cell_type"], name, _without_hidden(source), attachments=cell.get("attachments"))
    for answer in answers:
        _finish(draft, answer)
    return draft


def _question_of(cell: Mapping[str, Any]) -> str | None:
    stated: Mapping[str, str] = cell["metadata"].get("aicourse", {})
    return stated.get("question")


def _heading(kind: str, source: str) -> str:
    found = re.search(r"^#\s+(.+?)\s*$", source, re.MULTILINE) if kind == "markdown" else None
    return found[1] if found else ""


def _without_hidden(source: str) -> str:
    return _HIDDEN.sub("", source).strip("\n")


def _answer(draft: ImportDraft, question: str, name: str, source: str) -> dict[str, Any]:
    marked = source if has_solution(source) else wrapped(source)
    return draft.add("code", name, marked, {"question": question, "role": "answer"})


def _manual(draft: ImportDraft, kind: str, question: str, name: str, source: str, points: float) -> None:
    if points <= 0:
        draft.notes.append(f"{question}: graded by hand for 0 points; it became a cell without points.")
        draft.add(kind, name, "*Your answer here.*" if kind == "markdown" else "# your code here")
        return
    draft.add_manual(kind, name, source, question, points)
    draft.notes.append(f"{question}: nbgrader has no rubric; write one where it says {RUBRIC[:14]!r}.")


def _task(draft: ImportDraft, question: str, name: str, source: str, points: float) -> None:
    """A task leaves it open in which cells students answer; here they answer in one."""
    draft.add("markdown", name, _SCHEME.sub("", source).strip())
    if points <= 0:
        draft.notes.append(f"{question}: a task for 0 points; its text became instructions.")
        return
    scheme = _SCHEME.search(source)
    rubric = " ".join(scheme[1].split()) if scheme else RUBRIC
    draft.add_manual("markdown", f"{name}-answer", "*Your answer here.*", question, points, rubric)
    draft.notes.append(f"{question}: a task; students answer it in one Markdown cell below.")


def _test_cell(draft: ImportDraft, answers: Sequence[_Answer], tests: _Tests) -> None:
    if not answers:
        draft.notes.append(f"{tests.name}: tests before any answer; they were left out.")
        return
    answer = answers[-1]
    if not answer.tests:
        draft.add("code", tests.name, "# public checks", {"question": answer.question, "role": "public"})
    answer.tests.append(tests)


def _finish(draft: ImportDraft, answer: _Answer) -> None:
    """Checks of one answer; its points are those of the tests that could be converted."""
    total, sources = 0.0, list[str]()
    for tests in answer.tests:
        visible, hidden = convert(_without_hidden(tests.source)), convert("\n".join(_hidden(tests.source)))
        draft.leave(answer.question, [*visible.left, *hidden.left])
        if visible.calls or hidden.calls:
            total += tests.points
            sources += _both(answer.question, visible, hidden, tests)
    if total > 0:
        draft.checks += sources
        answer.cells[0]["metadata"]["aicourse"]["points"] = plain_points(total)
        if lost := sum(tests.points for tests in answer.tests) - total:
            draft.notes.append(f"{answer.question}: {lost:g} points of tests that are left were dropped.")
    else:
        _unchecked(draft, answer)
    if total <= 0 or not any("public=True" in source for source in sources):
        _drop_public(draft, answer.question)


def _hidden(source: str) -> Iterator[str]:
    """The hidden tests, without their markers."""
    for match in _HIDDEN.finditer(source):
        lines = match[0].splitlines()[1:-1]
        indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        yield "\n".join(line[indent:] for line in lines)


def _both(question: str, visible: Assertions, hidden: Assertions, tests: _Tests) -> list[str]:
    """The visible half of a cell's points and the hidden half, as far as there are both."""
    share = tests.points if not hidden.calls else round(tests.points / 2, 2) if visible.calls else 0
    rest = round(tests.points - share, 2)
    shown = check_sources(question, visible, share, name=tests.name, public=True)
    return shown + check_sources(question, hidden, rest, name=f"{tests.name} (hidden)", public=False)


def _unchecked(draft: ImportDraft, answer: _Answer) -> None:
    """An answer without checks is graded by hand; without points it is released as its stub."""
    points = sum(tests.points for tests in answer.tests)
    if points > 0:
        for cell in answer.cells:
            cell["metadata"]["aicourse"] = {"question": answer.question, "role": "manual"}
        answer.cells[0]["metadata"]["aicourse"] = manual(answer.question, points)
        draft.notes.append(f"{answer.question}: no test of it could be converted; it is graded by hand now.")
        return
    for cell in answer.cells:
        stub = released(text(cell["source"]), answer.question)
        cell |= {"source": stub.splitlines(True), "metadata": {}}
    draft.notes.append(f"{answer.question}: no test with points grades it; its stub became an ordinary cell.")


def _drop_public(draft: ImportDraft, question: str) -> None:
    """A question without released examples needs no cell for them."""
    draft.cells = [
        cell
        for cell in draft.cells
        if cell["metadata"].get("aicourse", {}) != {"question": question, "role": "public"}
    ]

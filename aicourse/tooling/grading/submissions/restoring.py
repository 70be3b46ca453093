"""From a submission to the notebook that is run: given cells in their place, answers as handed in, and notes.

What a student must not lose by an accident of editing is mended, and each mending is said:

- a given code cell that is missing, changed or out of place: the original runs in its place, and a changed
  copy runs as well, where the student has it;
- an answer that stands twice: all copies run in order, so the last one counts, but a copy that is still the
  released stub does not run if another one was filled in;
- an answer retyped as text runs as code when it is Python; a text answer retyped as code does not run;
- cells that only run public checks do not run here: the grader has its own.

A cell that does not run stays as a raw cell, so that cells keep the numbers that the student sees.

Everything else runs in the order in which the student left it, as "Restart and run all" does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.authoring.master import MasterCell
from aicourse.tooling.grading.submissions.matching import (
    Pairing,
    as_code,
    is_python,
    normal,
    only_checks,
    pair,
)
from aicourse.tooling.grading.submissions.reading import ReadCell, ReadNotebook


@dataclass(frozen=True)
class Restored:
    """A notebook ready to run (nbformat 4, no outputs), and what each question's answer is.

    `answers` has the text per question as handed in; `cell_ids` which cells of `notebook` it stands in;
    `places` says for each cell of `notebook` which one it is for its author.
    """

    notebook: dict[str, Any]
    answers: dict[str, str]
    cell_ids: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]
    places: dict[str, str]


def restore(assignment: Assignment, read: ReadNotebook) -> Restored:
    """Match a submission with its assignment and make the notebook that is run."""
    pairing = pair(assignment.cells, read.cells)
    work = _Work(assignment, read.cells, pairing)
    cells = list(work.run_order())
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [_cell_json(cell) for cell in cells],
    }
    answers, cell_ids = work.answers()
    ids = {cell.id for cell in cells}
    kept = {question: tuple(name for name in names if name in ids) for question, names in cell_ids.items()}
    notes = tuple(dict.fromkeys([*work.general_notes(), *work.notes]))
    return Restored(notebook, answers, kept, notes, work.places(kept))


class _Work:
    """One submission while it is put in order; `notes` collects what was mended."""

    def __init__(self, assignment: Assignment, cells: Sequence[ReadCell], pairing: Pairing) -> None:
        self.assignment = assignment
        self.cells = cells
        self.pairing = pairing
        self.notes: list[str] = []
        self._given = [
            cell for cell in assignment.cells if cell.kind == "code" and cell.role in ("given", "parameters")
        ]
        self._idle = self._idle_stubs()

    def general_notes(self) -> Iterator[str]:
        """About the notebook as a whole, and about answers that are missing or stand twice."""
        asked = [question for question in self.assignment.questions if not self._positions(question.id)]
        if self.assignment.questions and len(asked) == len(self.assignment.questions):
            yield f"It has no answer cell of {self.assignment.name}: is it another assignment's notebook?"
            return
        for question in asked:
            yield f"The answer cell of {question.id} is missing."
        if not self.pairing.in_order:
            yield "Cells stand in another order than released; they ran in the order in which they stand."
        for cell in self.assignment.cells:
            copies = self.pairing.positions(cell)
            if cell.role in ("answer", "manual") and len(copies) > 1:
                yield f"The answer to {cell.question} stands in {len(copies)} cells; the last one counts."

    def run_order(self) -> Iterator[ReadCell]:
        """The cells to run: each given cell before the first cell that comes after it in the assignment."""
        waiting = list(self._given)
        for position, cell in enumerate(self.cells):
            expected = self.pairing.expected.get(position)
            if expected is not None:
                while waiting and waiting[0].number < expected.number:
                    yield self._original(waiting.pop(0))
            if expected in waiting:
                waiting.remove(expected)
                yield from self._given_cell(cell, expected)
            else:
                yield from self._own_cell(position, cell, expected)
        yield from (self._original(cell) for cell in waiting)

    def _original(self, cell: MasterCell) -> ReadCell:
        if not self.pairing.positions(cell):
            self.notes.append(f"The given cell {cell.id} is missing; the original was put back.")
        return ReadCell(_original_id(cell), cell.id, "code", cell.released, _tags(cell))

    def _given_cell(self, cell: ReadCell, expected: MasterCell) -> Iterator[ReadCell]:
        yield self._original(expected)
        if normal(cell.source) != normal(expected.released) and cell.kind == "code":
            self.notes.append(
                f"The given cell {expected.id} was changed; the original ran first, then the change."
            )
            yield cell

    def _own_cell(self, position: int, cell: ReadCell, expected: MasterCell | None) -> Iterator[ReadCell]:
        if position in self._idle or only_checks(cell):
            yield _not_run(cell)
            return
        if expected in self._given and normal(cell.source) == normal(expected.released):
            yield _not_run(cell)  # the original ran in its place
            return
        yield self._retyped(cell, expected) if expected is not None else cell

    def _retyped(self, cell: ReadCell, expected: MasterCell) -> ReadCell:
        """A cell whose type was changed, with its type back."""
        if expected.role not in ("answer", "manual") or cell.kind == expected.kind:
            return cell
        if expected.kind == "markdown":
            self.notes.append(
                f"The text answer to {expected.question} was a {cell.kind} cell; it was not run."
            )
            return ReadCell(cell.id, cell.stated_id, "markdown", cell.source)
        source = as_code(cell.source)
        if is_python(source):
            self.notes.append(
                f"The answer to {expected.question} was a {cell.kind} cell; it was run as code."
            )
            return ReadCell(cell.id, cell.stated_id, "code", source)
        self.notes.append(
            f"The answer to {expected.question} is a {cell.kind} cell and no Python; it was not run."
        )
        return cell

    def places(self, cell_ids: dict[str, tuple[str, ...]]) -> dict[str, str]:
        """How to call each cell that runs: by its number in the submission, and whose answer it is."""
        places = {cell.id: f"Cell {number}" for number, cell in enumerate(self.cells, start=1)}
        for cell in self._given:
            positions = self.pairing.positions(cell)
            places[_original_id(cell)] = (
                f"Cell {positions[0] + 1}" if positions else f"The given cell {cell.id}"
            )
        for question, ids in cell_ids.items():
            places |= {name: f"{places[name]}, the answer to {question}," for name in ids}
        return places

    def _idle_stubs(self) -> set[int]:
        """Copies of an answer that are still as released, beside one that was filled in."""
        idle: set[int] = set()
        for cell in self.assignment.cells:
            places = self.pairing.positions(cell)
            stubs = {place for place in places if normal(self.cells[place].source) == normal(cell.released)}
            if cell.role in ("answer", "manual") and len(stubs) < len(places):
                idle |= stubs
        return idle

    def _positions(self, question: str) -> list[int]:
        expected = self.assignment.answer_cells(question)
        return sorted(place for cell in expected for place in self.pairing.positions(cell))

    def answers(self) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
        """Per question the text of its answer ("" when it is as released) and the cells it stands in."""
        texts, ids = {}, {}
        for question in self.assignment.questions:
            places = [place for place in self._positions(question.id) if place not in self._idle]
            ids[question.id] = tuple(self.cells[place].id for place in places)
            untouched = all(
                normal(self.cells[place].source) == normal(self.pairing.expected[place].released)
                for place in places
            )
            texts[question.id] = (
                "" if untouched else "\n\n".join(self.cells[place].source for place in places)
            )
        return texts, ids


def _original_id(cell: MasterCell) -> str:
    return f"given-{cell.id}"[:64]


def _not_run(cell: ReadCell) -> ReadCell:
    return ReadCell(cell.id, cell.stated_id, "raw", cell.source)


def _tags(cell: MasterCell) -> tuple[str, ...]:
    tags = [str(tag) for tag in cell.metadata.get("tags", ()) if isinstance(tag, str)]
    return tuple(dict.fromkeys([*tags, *(["parameters"] if cell.role == "parameters" else [])]))


def _cell_json(cell: ReadCell) -> dict[str, Any]:
    is_given = cell.id.startswith("given-")
    shared = {
        "id": cell.id,
        "cell_type": cell.kind,
        "metadata": {"tags": list(cell.labels)} if is_given and cell.labels else {},
        "source": cell.source,
    }
    return {**shared, "outputs": [], "execution_count": None} if cell.kind == "code" else shared

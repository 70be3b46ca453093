"""From a submission to the notebook that is run: given cells in their place, answers as handed in, and notes.

First `pair` finds which cell of the submission answers which question:

1. ids and labels, as far as a tool kept them;
2. the released text, letter for letter but for white space;
3. for answers: the names that a cell defines (`def read_size`), also when it was retyped as text;
4. likeness: at least 0.6 of the runs of three characters in common (Ukkonen 1992), which takes linear time;
5. place: what stands alone between two cells that are known.

Points never hang on it: checks ask for names in the namespace that the whole notebook left behind. It
decides what a person grades by hand, what is shown beside a check, and which given cells must be put back.

Then `restore` repairs what a student must not lose by an accident of editing, and each repair is said:

- a given code cell that is missing, changed or out of place: the original runs in its place, and a changed
  copy runs as well, where the student has it;
- an answer that stands twice: all copies run in order, so the last one counts, but a copy that is still the
  released stub does not run if another one was filled in;
- an answer retyped as text runs as code when it is Python; a text answer retyped as code does not run;
- cells that only run public checks do not run here: the grader has its own.

A person who grades by hand sees more than answer cells: what a student added beside a question of theirs
belongs to its answer, and in the notebook that ran each cell says whose answer it is, and if it was changed
or added (metadata `aicourse`: `question`, `mark`).

A cell that does not run stays as a raw cell, so that cells keep the numbers that the student sees.

Everything else runs in the order in which the student left it, as "Restart and run all" does.
"""

from __future__ import annotations

import ast
import hashlib
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aicourse.notebook_json import new_cell
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.authoring.building import SUBMISSION_ID, submission_text
from aicourse.tooling.grading.authoring.master import MasterCell
from aicourse.tooling.grading.submissions.reading import ReadCell, ReadNotebook

# In CPython 3.11 trees that threads make at once share one depth counter: now and then a SystemError.
_PARSING = threading.Lock()
_LIKE = 0.6
_RUN = 3
_LONGEST = 20_000  # characters of a cell that is compared, or that is parsed to see what it does
_DEFINITION = re.compile(r"^(?:async\s+def|def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=[^=]", re.MULTILINE)
_FENCE = re.compile(r"\A\s*```(?:python|py)?[^\n]*\n(.*?)\n?```\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Pairing:
    """`expected[i]` is the assignment's cell for the submission's cell `i`; several may share one."""

    expected: Mapping[int, MasterCell]

    def positions(self, cell: MasterCell) -> list[int]:
        """Positions of a cell of the assignment in the submission; empty when it is missing."""
        return [position for position, found in sorted(self.expected.items()) if found is cell]

    @property
    def in_order(self) -> bool:
        """True if the cells stand in the order in which they were released."""
        numbers = [cell.number for _, cell in sorted(self.expected.items())]
        return numbers == sorted(numbers)


def pair(expected: Sequence[MasterCell], cells: Sequence[ReadCell]) -> Pairing:
    """Match the cells of a submission with those of the assignment."""
    released = [cell for cell in expected if cell.is_released]
    found: dict[int, MasterCell] = {}
    for step in (_by_id, _by_content, _by_names, _by_likeness, _by_place):
        found.update(step(released, cells, found))
    return Pairing(dict(sorted(found.items())))


Found = Mapping[int, MasterCell]
Pairs = Iterator[tuple[int, MasterCell]]


def _by_id(expected: Sequence[MasterCell], cells: Sequence[ReadCell], found: Found) -> Pairs:
    ids = {cell.id: cell for cell in expected}
    for position, cell in enumerate(cells):
        for name in (cell.stated_id, *cell.labels):
            if name in ids:
                yield position, ids[name]
                break


def _by_content(expected: Sequence[MasterCell], cells: Sequence[ReadCell], found: Found) -> Pairs:
    """Also a copy of a cell that is known already: then it stands twice."""
    texts: dict[str, list[MasterCell]] = {}
    for known in expected:
        if _normal(known.released):
            texts.setdefault(_normal(known.released), []).append(known)
    taken = {id(cell) for cell in found.values()}
    for position, cell in _unpaired(cells, found):
        same = texts.get(_normal(cell.source))
        if same:
            free = [candidate for candidate in same if id(candidate) not in taken]
            yield position, (free or same)[0]
            taken.add(id((free or same)[0]))


def _by_names(expected: Sequence[MasterCell], cells: Sequence[ReadCell], found: Found) -> Pairs:
    taken = {id(cell) for cell in found.values()}
    wanted: dict[str, MasterCell] = {}
    for known in expected:
        if known.kind == "code" and known.role in ("answer", "manual") and id(known) not in taken:
            for name in defined_names(known.released) | defined_names(known.solution):
                wanted.setdefault(name, known)
    for position, cell in _unpaired(cells, found):
        names = sorted(defined_names(_as_code(cell.source)) & wanted.keys())
        if names:
            yield position, wanted[names[0]]


def _by_likeness(expected: Sequence[MasterCell], cells: Sequence[ReadCell], found: Found) -> Pairs:
    taken = {id(cell) for cell in found.values()}
    open_cells = [cell for cell in expected if id(cell) not in taken and len(_normal(cell.released)) > 20]
    runs = [(candidate, _runs(candidate.released)) for candidate in open_cells]
    scored = []
    for position, cell in _unpaired(cells, found):
        mine = _runs(cell.source) if runs else Counter()
        for candidate, theirs in runs:
            if (likeness := _likeness(mine, theirs)) >= _LIKE:
                scored.append((likeness, -position, candidate))
    used: set[int] = set()
    for _, negative, candidate in sorted(scored, key=lambda item: item[:2], reverse=True):
        if -negative not in used and id(candidate) not in taken:
            used.add(-negative)
            taken.add(id(candidate))
            yield -negative, candidate


def _runs(source: str) -> Counter[str]:
    """Runs of a few characters in a cell, counted; none of one that is too long."""
    starts = range(len(source) - _RUN + 1) if len(source) <= _LONGEST else ()
    return Counter(source[start : start + _RUN] for start in starts)


def _likeness(mine: Counter[str], theirs: Counter[str]) -> float:
    """The share of runs that two cells have in common (Dice), 0 to 1."""
    total = mine.total() + theirs.total()
    if 2 * min(mine.total(), theirs.total()) < _LIKE * total:
        return 0.0
    return 2 * sum(min(count, mine[run]) for run, count in theirs.items()) / total


def _by_place(expected: Sequence[MasterCell], cells: Sequence[ReadCell], found: Found) -> Pairs:
    """A missing answer between two known cells is whatever else stands there."""
    first_place = {id(cell): position for position, cell in sorted(found.items(), reverse=True)}
    missing = [cell for cell in expected if id(cell) not in first_place and cell.role in ("answer", "manual")]
    for cell in missing:
        index = expected.index(cell)
        before = next((other for other in reversed(expected[:index]) if id(other) in first_place), None)
        after = next((other for other in expected[index + 1 :] if id(other) in first_place), None)
        rivals = [other for other in missing if other is not cell and _between(other, before, after)]
        start = first_place[id(before)] + 1 if before else 0
        stop = first_place[id(after)] if after else len(cells)
        if not rivals:
            yield from (
                (position, cell)
                for position, candidate in _unpaired(cells, found)
                if start <= position < stop and candidate.source.strip() and not _only_checks(candidate)
            )


def _between(cell: MasterCell, before: MasterCell | None, after: MasterCell | None) -> bool:
    return (before is None or cell.number > before.number) and (after is None or cell.number < after.number)


def _unpaired(cells: Sequence[ReadCell], found: Found) -> Iterator[tuple[int, ReadCell]]:
    return ((position, cell) for position, cell in enumerate(cells) if position not in found)


def _normal(source: str) -> str:
    """A source without white space that means nothing here: at line ends and around the text."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _as_code(source: str) -> str:
    """The source of a cell that was retyped as text: without the fence around it, if it has one."""
    match = _FENCE.match(source)
    return match[1] if match else source


def _statements(source: str) -> list[ast.stmt]:
    """Its statements; none when it does not parse, or is so long that its tree would take gigabytes."""
    if len(source) > _LONGEST:
        return []
    try:
        with _PARSING:
            return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _is_python(source: str) -> bool:
    """True if it says something to Python: not words that happen to parse."""
    return any(not isinstance(statement, ast.Expr) for statement in _statements(source))


def defined_names(source: str) -> set[str]:
    """The names that a cell's top level defines; also when it does not parse.

    >>> sorted(defined_names("LIMIT = 3\\ndef read(text):\\n    size = 1\\n    return (size"))
    ['LIMIT', 'read']
    """
    return {match[1] or match[2] for match in _DEFINITION.finditer(source)}


def _only_checks(cell: ReadCell) -> bool:
    """True if a cell does nothing but run public checks, as the build writes them."""
    body = _statements(cell.source) if cell.kind == "code" else []
    return any(_calls_check(item) for item in body) and all(
        isinstance(item, ast.Assert) or _calls_check(item) or _imports_check(item) for item in body
    )


def _calls_check(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "display":
        call = call.args[0] if call.args else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check"


def _imports_check(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "aicourse.homework"


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
        "cells": [_cell_json(cell, work.marks.get(cell.id, {})) for cell in cells],
    }
    answers, cell_ids = work.answers()
    ids = {cell.id for cell in cells}
    kept = {question: tuple(name for name in names if name in ids) for question, names in cell_ids.items()}
    notes = tuple(dict.fromkeys([*work.general_notes(), *work.notes]))
    return Restored(notebook, answers, kept, notes, work.places(kept))


class _Work:
    """One submission while it is put in order; `notes` collects what was repaired."""

    def __init__(self, assignment: Assignment, cells: Sequence[ReadCell], pairing: Pairing) -> None:
        self.assignment = assignment
        self.cells = cells
        self.pairing = pairing
        self.notes: list[str] = []
        self._given = [
            cell for cell in assignment.cells if cell.kind == "code" and cell.role in ("given", "parameters")
        ]
        self._idle = self._idle_stubs()
        self._added = dict(self._added_cells())
        self.marks = {cell.id: self._mark(position, cell) for position, cell in enumerate(cells)}

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
        if _normal(cell.source) != _normal(expected.released) and cell.kind == "code":
            self.notes.append(
                f"The given cell {expected.id} was changed; the original ran first, then the change."
            )
            yield cell

    def _own_cell(self, position: int, cell: ReadCell, expected: MasterCell | None) -> Iterator[ReadCell]:
        if position in self._idle or _only_checks(cell):
            yield _not_run(cell)
            return
        if expected in self._given and _normal(cell.source) == _normal(expected.released):
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
            return replace(cell, kind="markdown")
        source = _as_code(cell.source)
        if _is_python(source):
            self.notes.append(
                f"The answer to {expected.question} was a {cell.kind} cell; it was run as code."
            )
            return ReadCell(cell.id, cell.stated_id, "code", source)
        self.notes.append(
            f"The answer to {expected.question} is a {cell.kind} cell and no Python; it was not run."
        )
        return cell

    def places(self, cell_ids: dict[str, tuple[str, ...]]) -> dict[str, str]:
        """The name of each cell that runs: its number in the submission, and whose answer it is."""
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
            stubs = {place for place in places if _normal(self.cells[place].source) == _normal(cell.released)}
            if cell.role in ("answer", "manual") and len(stubs) < len(places):
                idle |= stubs
        return idle

    def _positions(self, question: str) -> list[int]:
        expected = self.assignment.answer_cells(question)
        return sorted(place for cell in expected for place in self.pairing.positions(cell))

    def _added_cells(self) -> Iterator[tuple[int, str]]:
        """Cells of the student's own, and the question graded by hand beside which each stands, if any."""
        manual = {question.id for question in self.assignment.questions if question.kind == "manual"}
        beside = ""
        for position, cell in enumerate(self.cells):
            expected = self.pairing.expected.get(position)
            if expected is not None:
                beside = expected.question if expected.question in manual else ""
            elif cell.source.strip() and cell.stated_id != SUBMISSION_ID and not _only_checks(cell):
                yield position, beside or ""

    def _mark(self, position: int, cell: ReadCell) -> dict[str, str]:
        """The question that a cell answers, and if it was added or is not as released."""
        expected = self.pairing.expected.get(position)
        if position in self._added:
            question, mark = self._added[position], "added"
        else:
            is_answer = expected is not None and expected.role in ("answer", "manual")
            question = expected.question or "" if expected is not None and is_answer else ""
            released = expected.released if expected is not None else submission_text(self.assignment)
            pasted = is_answer and cell.pictures
            mark = "" if _normal(cell.source) == _normal(released) and not pasted else "changed"
        stated = {"question": question, "mark": mark}
        return {name: value for name, value in stated.items() if value}

    def answers(self) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
        """Per question the text of its answer ("" when it is as released) and the cells it stands in."""
        texts, ids = {}, {}
        for question in self.assignment.questions:
            places = [place for place in self._positions(question.id) if place not in self._idle]
            added = [place for place, beside in self._added.items() if beside == question.id]
            ids[question.id] = tuple(self.cells[place].id for place in sorted([*places, *added]))
            filled = [place for place in places if self.marks[self.cells[place].id].get("mark")]
            shown = sorted([*(places if filled else ()), *added])
            texts[question.id] = "\n\n".join(_as_text(self.cells[place]) for place in shown)
        return texts, ids


def _as_text(cell: ReadCell) -> str:
    """The source of a cell, with a line for each picture, by which another one is another answer."""
    digests = ((one.name, hashlib.sha256(one.data.encode()).hexdigest()[:8]) for one in cell.pictures)
    return "\n".join([cell.source, *(f"[picture {name}, {digest}]" for name, digest in digests)])


def _original_id(cell: MasterCell) -> str:
    return f"given-{cell.id}"[:64]


def _not_run(cell: ReadCell) -> ReadCell:
    return ReadCell(cell.id, cell.stated_id, "raw", cell.source)


def _tags(cell: MasterCell) -> tuple[str, ...]:
    tags = [str(tag) for tag in cell.metadata.get("tags", ()) if isinstance(tag, str)]
    return tuple(dict.fromkeys([*tags, *(["parameters"] if cell.role == "parameters" else [])]))


def _cell_json(cell: ReadCell, mark: Mapping[str, str]) -> dict[str, Any]:
    is_given = cell.id.startswith("given-")
    metadata: dict[str, Any] = {"tags": list(cell.labels)} if is_given and cell.labels else {}
    metadata |= {"aicourse": dict(mark)} if mark else {}
    attached = {one.name: {one.kind: one.data} for one in cell.pictures}
    whole = new_cell(cell.kind, cell.source, cell.id, metadata) | {"source": cell.source}  # as it runs
    return whole | ({"attachments": attached} if attached and cell.kind == "markdown" else {})

"""The questions of a master notebook: ids, titles, points, and the rubrics of those graded by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from aicourse.errors import AssignmentError
from aicourse.tooling.grading.authoring.master import Master, MasterCell

_CRITERION = re.compile(r"\s*[-*]\s*(\d+(?:\.\d+)?)\s*(?:points?)?\s*:\s*(\S.*)")


@dataclass(frozen=True)
class Criterion:
    """One line of a rubric: what it asks for, and the most it gives."""

    text: str
    points: float


@dataclass(frozen=True)
class Question:
    """The unit of grading: by checks ("auto"), or by a person against a rubric ("manual")."""

    id: str
    title: str
    points: float
    kind: Literal["auto", "manual"]
    rubric: tuple[Criterion, ...] = ()


def read_questions(master: Master) -> tuple[Question, ...]:
    """The questions in the order of their first cell.

    Raises:
        AssignmentError: no question, none or too many points, no rubric or one that does not add up.
    """
    ids = dict.fromkeys(cell.question for cell in master.cells if cell.question)
    if not ids:
        raise AssignmentError(
            'master.ipynb has no question. Give a cell the metadata {"aicourse": {"question": "q1", '
            '"role": "answer", "points": 4}}.'
        )
    return tuple(_question(question_id, master) for question_id in ids)


def _question(question_id: str, master: Master) -> Question:
    cells = [cell for cell in master.cells if cell.question == question_id]
    answers = [cell for cell in cells if cell.role in ("answer", "manual")]
    if not answers:
        raise AssignmentError(
            f"{cells[0].place}: the question {question_id} has no answer cell. "
            'Give one the role "answer" or "manual".'
        )
    if len({cell.role for cell in answers}) > 1:
        raise AssignmentError(
            f"{answers[-1].place}: {question_id} is graded both by checks and by hand. Make it two questions."
        )
    points, title = _points(question_id, answers), _title(question_id, cells)
    if answers[0].role == "answer":
        return Question(question_id, title, points, "auto")
    return Question(question_id, title, points, "manual", _rubric(question_id, points, cells))


def _points(question_id: str, answers: list[MasterCell]) -> float:
    stating = [cell for cell in answers if "points" in cell.stated]
    if len(stating) != 1:
        raise AssignmentError(
            f"{answers[0].place}: the points of {question_id} must stand on exactly one of its answer cells, "
            f'not on {len(stating)}. For example "points": 4.'
        )
    points = stating[0].stated["points"]
    if isinstance(points, bool) or not isinstance(points, (int, float)) or not 0 < points < 1_000:
        raise AssignmentError(f"{stating[0].place}: {points!r} is no number of points. Use one above 0.")
    return points


def _title(question_id: str, cells: list[MasterCell]) -> str:
    """As stated, else the first heading of the question's text, else its id."""
    for cell in cells:
        if "title" in cell.stated:
            return str(cell.stated["title"])
    text = "\n".join(cell.source for cell in cells if cell.kind == "markdown" and cell.role == "given")
    heading = re.search(r"^#+\s+(.+?)\s*$", text, re.MULTILINE)
    return heading[1] if heading else question_id


def _rubric(question_id: str, points: float, cells: list[MasterCell]) -> tuple[Criterion, ...]:
    criteria = [criterion for cell in cells for criterion in _criteria(cell)]
    if not criteria:
        raise AssignmentError(
            f"{cells[0].place}: {question_id} is graded by hand and has no rubric. Add a raw cell with the "
            'role "rubric" and lines like "- 2: names a failure of the scorer".'
        )
    total = sum(criterion.points for criterion in criteria)
    if abs(total - points) > 1e-9:
        raise AssignmentError(
            f"{cells[0].place}: the rubric of {question_id} adds up to {total:g} points, the question has "
            f"{points:g}. Correct one of them."
        )
    return tuple(criteria)


def _criteria(cell: MasterCell) -> Iterator[Criterion]:
    if cell.role == "rubric":
        for number, line in enumerate(cell.source.splitlines(), start=1):
            if match := _CRITERION.fullmatch(line):
                yield Criterion(match[2].strip(), float(match[1]))
            elif re.match(r"\s*[-*]\s", line):
                raise AssignmentError(
                    f"{cell.place}, line {number}: {line.strip()!r} is no line of a rubric. "
                    'Write it like "- 2: names a failure of the scorer".'
                )
    for item in cell.stated.get("rubric", ()):
        try:
            yield Criterion(str(item["text"]), float(item["points"]))
        except (TypeError, KeyError, ValueError):
            raise AssignmentError(
                f'{cell.place}: {item!r} is no criterion. Write {{"text": "names a failure", "points": 2}}.'
            ) from None

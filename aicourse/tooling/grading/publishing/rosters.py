"""Rosters: a platform's own export, matched with the gradebook and filled in, byte for byte otherwise.

Columns are found by what stands in them, for their names come in the language of whoever exported:

- Canvas: student, ID, SIS User ID, SIS Login ID, …; rows without an ID are no students.
- Moodle's grading worksheet: first `Participant 101` (`Teilnehmer/in101`, …); the grade stands before the
  maximum, which is the same number in all rows and is followed by whether it can be changed.

A platform's number matches that platform's roster alone. A name matches when it is one row's and no other
student's; whatever is not that clear is not guessed, and `decided` says who it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aicourse.csv_text import CsvTable, safe_cell
from aicourse.errors import GradingError
from aicourse.tooling.grading.judging.results import plain_number
from aicourse.tooling.grading.publishing.gradebook import Gradebook, StudentRow
from aicourse.tooling.grading.submissions.people import read_table, same_name

_PARTICIPANT = re.compile(r"\D*(\d+)\s*\Z")
_GRADE = {
    "grade",
    "bewertung",
    "note",
    "calificación",
    "valutazione",
    "voto",
    "nota",
    "beoordeling",
    "cijfer",
}
_COMMENT = re.compile("feedback|comment|kommentar|coment|retro", re.IGNORECASE)
_SUFFIX = re.compile(r" \((?:\d+|no platform|moodle|canvas|blackboard|gradescope|\S+@\S+)\)(?: #\d+)?\Z")


@dataclass(frozen=True)
class RosterRow:
    """One student of a roster: the row's number, the platform's id, all names it may go by, and as shown."""

    index: int
    lms_id: str
    names: frozenset[str]
    shown: str


@dataclass(frozen=True)
class Roster:
    """A platform's export: its table, its students, and the columns of grade and comment, if it has them."""

    platform: Literal["canvas", "moodle"]
    table: CsvTable
    rows: tuple[RosterRow, ...]
    grade: int | None
    comment: int | None = None
    comma: bool = False


@dataclass(frozen=True)
class Matches:
    """Students' rows, by the student's name in the gradebook; `unclear` has the rows that it could be."""

    rows: Mapping[str, RosterRow]
    unclear: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]


def read_roster(path: Path, platform: Literal["canvas", "moodle"], book: Gradebook) -> Roster:
    """The roster at `path`.

    Raises:
        GradingError: it cannot be read, or is no export of `platform`.
    """
    table = read_table(path)
    head = table.rows[0] if table.rows else ()
    if platform == "canvas":
        if len(head) < 5 or head[1].strip() != "ID":
            raise GradingError(
                "The roster lacks Student and ID. Use the file that canvas exports.", path=path
            )
        return Roster("canvas", table, tuple(_canvas_rows(table)), _canvas_column(head, book))
    body = [row for row in table.rows[1:] if any(row)]
    grade = _moodle_grade(head, body)
    if grade is None or not body or not all(_PARTICIPANT.match(row[0]) for row in body):
        raise GradingError(
            "The roster lacks Identifier and Grade. Use the grading worksheet that moodle exports.", path=path
        )
    comments = [place for place, name in enumerate(head) if place > grade and _COMMENT.search(name)]
    comma = any("," in cell for row in body for cell in row[grade : grade + 2])
    return Roster(
        "moodle", table, tuple(_moodle_rows(table, grade)), grade, comments[0] if comments else None, comma
    )


def _canvas_rows(table: CsvTable) -> Iterable[RosterRow]:
    for index, row in enumerate(table.rows[1:], start=1):
        if len(row) > 1 and row[1].strip():
            yield _roster_row(index, row[1].strip(), row[1], (row[0], *row[2:4]))


def _moodle_rows(table: CsvTable, grade: int) -> Iterable[RosterRow]:
    for index, row in enumerate(table.rows[1:], start=1):
        if match := _PARTICIPANT.match(row[0]):
            yield _roster_row(index, match[1], row[0], row[1:grade])


def _roster_row(index: int, lms_id: str, identifier: str, cells: Iterable[str]) -> RosterRow:
    names = {form for cell in cells for form in _forms(cell)}
    names |= {name.partition("@")[0] for name in names if "@" in name}
    shown = ", ".join(dict.fromkeys([identifier.strip(), *(cell.strip() for cell in cells if cell.strip())]))
    return RosterRow(index, lms_id, frozenset(names), shown)


def _canvas_column(head: tuple[str, ...], book: Gradebook) -> int | None:
    """The column of the assignment; Canvas calls it `Homework 1 (12345)`."""
    names = [re.sub(r"\s*\(\d+\)\s*\Z", "", name).strip().casefold() for name in head]
    wanted = {book.assignment.casefold(), book.title.casefold()}
    return next((place for place, name in enumerate(names) if name in wanted), None)


def _moodle_grade(head: tuple[str, ...], body: list[tuple[str, ...]]) -> int | None:
    for place, name in enumerate(head):
        if name.strip().casefold() in _GRADE:
            return place
    for most in range(3, len(head) - 1):
        cells = [row[most] for row in body if len(row) > most + 1]
        grades = [row[most - 1] for row in body if len(row) > most + 1]
        changeable = {row[most + 1] for row in body if len(row) > most + 1}
        if (
            len(set(cells)) == 1
            and _is_number(cells[0])
            and all(not cell or _is_number(cell) for cell in grades)
            and len(changeable) <= 2
            and not any(map(_is_number, changeable))
        ):
            return most - 1
    return None


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\s*\d+([.,]\d+)?\s*", text))


def _forms(name: str) -> set[str]:
    """The ways to write a name: `Byron, Ada` is `Ada Byron`."""
    plain = same_name(name)
    last, comma, first = plain.partition(", ")
    return {plain, f"{first} {last}"} if comma else {plain} - {""}


def _keys(row: StudentRow) -> set[str]:
    return _forms(_SUFFIX.sub("", row.student)) | (_forms(row.lms_id) if "@" in row.lms_id else set())


def match(book: Gradebook, roster: Roster, decided: Mapping[str, str]) -> Matches:
    """Each student's row of the roster; `decided` has the identifier or e-mail address of those in doubt.

    Raises:
        GradingError: `decided` names no student, or not exactly one row.
    """
    could_be = {row.student: _candidates(row, roster, decided) for row in book.rows}
    if strangers := sorted(set(decided) - could_be.keys()):
        raise GradingError(f"--match names {strangers[0]!r}, who has no result. Correct the name.")
    claims: dict[int, list[str]] = {}
    for student, rows in could_be.items():
        for row in rows if len(rows) == 1 else ():
            claims.setdefault(row.index, []).append(student)
    numbers = {row.student for row in book.rows if row.student in decided or row.platform == roster.platform}
    found, unclear = {}, {}
    for student, rows in could_be.items():
        rivals = claims.get(rows[0].index, []) if len(rows) == 1 else []
        sure = [rival for rival in rivals if rival in numbers] or rivals
        if sure == [student]:
            found[student] = rows[0]
        elif rows:
            unclear[student] = tuple(row.shown for row in rows)
    return Matches(found, unclear, tuple(student for student, rows in could_be.items() if not rows))


def _candidates(row: StudentRow, roster: Roster, decided: Mapping[str, str]) -> list[RosterRow]:
    if row.student in decided:
        return [_decided(row.student, decided[row.student], roster)]
    if row.platform == roster.platform and row.lms_id:
        return [one for one in roster.rows if one.lms_id == row.lms_id]
    keys = _keys(row)
    return [one for one in roster.rows if keys & one.names]


def _decided(student: str, identifier: str, roster: Roster) -> RosterRow:
    wanted = same_name(identifier)
    rows = [one for one in roster.rows if wanted in (one.lms_id, same_name(one.shown.partition(",")[0]))]
    rows = rows or [one for one in roster.rows if wanted in one.names]
    if len(rows) != 1:
        raise GradingError(
            f"--match says that {student} is {identifier!r}; {len(rows)} rows of the roster are. Write the "
            "identifier in the roster's row."
        )
    return rows[0]


def filled(book: Gradebook, roster: Roster, cells: Iterable[tuple[RosterRow, str, str]]) -> bytes:
    """The roster's file with grades and comments in the students' rows, and nothing else changed.

    A Canvas export without a column of this assignment gets one, which is a new assignment there.
    """
    new: dict[tuple[int, int], str] = {}
    column = len(roster.table.rows[0]) if roster.grade is None else roster.grade
    if roster.grade is None:
        students = {row.index for row in roster.rows}
        points = next((at for at, row in enumerate(roster.table.rows) if at and row[0][:1].isspace()), 0)
        new |= {(index, column): "" for index, row in enumerate(roster.table.rows) if any(row)}
        new |= {(points, column): plain_number(book.points)} if points not in students else {}
        new[0, column] = safe_cell(book.assignment)
    for row, grade, comment in cells:
        if grade:  # what is not final takes no grade away
            new[row.index, column] = grade.replace(".", ",") if roster.comma else grade
        if roster.comment is not None:
            new[row.index, roster.comment] = comment
    return roster.table.with_cells(new)

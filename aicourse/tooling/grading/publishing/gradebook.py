"""The gradebook: results and hand grades as one table, CSV and SQLite; the same results give the same bytes.

Nothing in it is a time or depends on the order of grading. A question without points is empty, not 0, and
so is the total of a submission that has one: `earned` says what there is so far. Lateness is taken off the
total.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from aicourse.csv_text import to_csv
from aicourse.errors import GradingError
from aicourse.paths import write_atomically
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.results import CheckOutcome, SubmissionResult, plain_number
from aicourse.tooling.grading.publishing.hand_grading import read_hand_grades, with_hand_grades

_TABLES = """
CREATE TABLE questions (id TEXT PRIMARY KEY, title TEXT, kind TEXT, points REAL);
CREATE TABLE students (student TEXT PRIMARY KEY, platform TEXT, lms_id TEXT, submission TEXT, status TEXT,
  sentence TEXT, level TEXT, late_days INTEGER, late_percent REAL, earned REAL, total REAL);
CREATE TABLE points (student TEXT, question TEXT, earned REAL, PRIMARY KEY (student, question));
CREATE TABLE checks (student TEXT, question TEXT, name TEXT, points REAL, earned REAL, passed INTEGER,
  kind TEXT, message TEXT, hint TEXT);
CREATE TABLE comments (student TEXT, question TEXT, comment TEXT);
"""


@dataclass(frozen=True)
class QuestionColumn:
    """One question as the gradebook knows it."""

    id: str
    title: str
    kind: Literal["auto", "manual"]
    points: float


@dataclass(frozen=True)
class StudentRow:
    """One student; `total` is final, and None while a question is open or when it could not be graded."""

    result: SubmissionResult
    total: float | None
    comments: tuple[tuple[str, str], ...] = ()

    @property
    def student(self) -> str:
        """The student's name."""
        return self.result.student

    @property
    def platform(self) -> str:
        """The platform whose id is the student's."""
        return self.result.platform

    @property
    def lms_id(self) -> str:
        """The platform's id, "" when there is none."""
        return self.result.lms_id

    def points(self, question: str) -> float | None:
        """The points earned for a question, None while it is open."""
        return next((one.earned for one in self.result.questions if one.id == question), None)


@dataclass(frozen=True)
class Gradebook:
    """A class's results for one assignment, by student."""

    assignment: str
    title: str
    columns: tuple[QuestionColumn, ...]
    rows: tuple[StudentRow, ...]

    @property
    def points(self) -> float:
        """The points that could be earned."""
        return sum(column.points for column in self.columns)

    @property
    def open_rows(self) -> tuple[StudentRow, ...]:
        """Students without a final total."""
        return tuple(row for row in self.rows if row.total is None)


def read_gradebook(folder: GradesFolder) -> Gradebook:
    """The gradebook of a folder of results, with what was given by hand; each member of a group has a row.

    Raises:
        GradingError: there are no results, or they belong to several assignments.
    """
    results = list(folder.results())
    names = {result.assignment for result in results}
    if len(names) > 1:
        raise GradingError(
            f"{folder.root} holds results of {' and '.join(sorted(names))}. Give each its own folder."
        )
    grades = read_hand_grades(folder)
    comments: dict[str, list[tuple[str, str]]] = {}
    for (student, question), grade in sorted(grades.items()):
        if grade.comment:
            comments.setdefault(student, []).append((question, grade.comment))
    rows = [
        _row(one, tuple(comments.get(result.student, ())))
        for result in results
        for one in _of_members(with_hand_grades(result, grades))
    ]
    newest = max(results, key=lambda result: len(result.questions))
    columns = tuple(QuestionColumn(one.id, one.title, one.kind, one.points) for one in newest.questions)
    ordered = sorted(_distinct(rows), key=lambda row: row.student)
    return Gradebook(newest.assignment, newest.title, columns, tuple(ordered))


def _of_members(result: SubmissionResult) -> Iterable[SubmissionResult]:
    """A group's result once for each of its members."""
    if not result.members:
        return [result]
    return [result.model_copy(update={**vars(person), "members": ()}) for person in result.members]


def _distinct(rows: Iterable[StudentRow]) -> Iterable[StudentRow]:
    """Namesakes in groups get their ids; a student with two results has two rows, named after what came."""
    rows = list(rows)
    names = Counter(row.student for row in rows)
    people = Counter((row.student, row.lms_id) for row in rows)
    taken: set[str] = set()
    for row in rows:
        student = row.student
        if names[student] > 1:
            same = people[student, row.lms_id] > 1
            student = f"{student} ({row.result.submission if same else row.lms_id or 'no number'})"
        number = 1
        while (name := student if number == 1 else f"{student} #{number}") in taken:
            number += 1
        taken.add(name)
        yield replace(row, result=row.result.model_copy(update={"student": name}))


def _row(result: SubmissionResult, comments: tuple[tuple[str, str], ...]) -> StudentRow:
    total = None
    if result.earned is not None and not result.open_questions:
        left = 1 - result.late.percent / 100 if result.late else 1.0
        total = round(result.earned * left, 3)
    return StudentRow(result, total, comments)


def build(folder: GradesFolder) -> Gradebook:
    """Write gradebook.csv and gradebook.sqlite from what the folder holds; returns what they say."""
    book = read_gradebook(folder)
    write_atomically(folder.gradebook_csv, to_csv(_lines(book)))
    write_atomically(folder.gradebook_sqlite, _to_sqlite(book))
    return book


def _lines(book: Gradebook) -> Iterable[list[str]]:
    yield [
        *("student", "platform", "lms_id", "submission", "status", "sentence", "level"),
        *("late_days", "late_percent"),
        *(f"{one.id} (of {plain_number(one.points)})" for one in book.columns),
        "earned",
        "total",
        "out_of",
    ]
    for row in book.rows:
        result, late = row.result, row.result.late
        yield [
            *_who(result),
            *(str(late.days) if late else "0", plain_number(late.percent) if late else "0"),
            *(plain_number(row.points(one.id)) for one in book.columns),
            *(plain_number(result.earned), plain_number(row.total), plain_number(book.points)),
        ]


def _to_sqlite(book: Gradebook) -> bytes:
    """The bytes of a new database: made in one go, so that equal content is an equal file."""
    with tempfile.TemporaryDirectory(prefix="aicourse-gradebook-") as folder:
        path = Path(folder, "gradebook.sqlite")
        connection = sqlite3.connect(path)
        try:
            connection.executescript(_TABLES)
            _fill(connection, book)
            connection.commit()
        finally:
            connection.close()
        return path.read_bytes()


def _fill(connection: sqlite3.Connection, book: Gradebook) -> None:
    def insert(table: str, rows: Iterable[tuple[object, ...]]) -> None:
        for row in rows:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)

    insert("questions", ((one.id, one.title, one.kind, one.points) for one in book.columns))
    for row in book.rows:
        result, late = row.result, row.result.late
        lateness = (late.days, late.percent) if late else (0, 0.0)
        insert("students", [(*_who(result), *lateness, result.earned, row.total)])
        insert("points", ((result.student, one.id, one.earned) for one in result.questions))
        insert(
            "checks",
            ((result.student, one.id, *_facts(check)) for one in result.questions for check in one.checks),
        )
        insert("comments", ((result.student, *comment) for comment in row.comments))


def _who(result: SubmissionResult) -> tuple[str, ...]:
    return (
        *(result.student, result.platform, result.lms_id, result.submission),
        *(result.status, " ".join(result.sentence.split()), result.level),
    )


def _facts(check: CheckOutcome) -> tuple[object, ...]:
    return (
        *(check.name, check.points, check.earned, check.passed),
        *(check.kind, check.message, check.hint),
    )

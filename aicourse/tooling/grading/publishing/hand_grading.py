"""Points that a person gives: stored beside the results, and good only for the answer that was read.

`hand_grades.json` holds one entry per student and question, sorted, so that two graders' files can be
compared. An entry remembers the hash of the answer; when the student hands in another one, it is open again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from aicourse.errors import GradingError
from aicourse.paths import write_atomically
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.results import QuestionOutcome, Record, SubmissionResult, plain_number
from aicourse.tooling.grading.submissions.people import read_records

_LOCK = threading.Lock()


class HandGrade(Record):
    """One person's grade of one answer; `criteria` are the points per line of the rubric, if it was used."""

    student: str
    question: str
    points: float = Field(ge=0)
    comment: str = ""
    criteria: tuple[float, ...] = ()
    answer_sha256: str = ""


class _File(Record):
    grades: tuple[HandGrade, ...] = ()


HandGrades = Mapping[tuple[str, str], HandGrade]  # by student and question


def read_hand_grades(folder: GradesFolder) -> HandGrades:
    """The grades given by hand so far; empty when nobody began.

    Raises:
        GradingError: the file cannot be read.
    """
    try:
        content = folder.hand_grades.read_bytes()
        grades = _File.model_validate_json(content).grades
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        raise GradingError(
            f"{folder.hand_grades} cannot be read ({type(error).__name__}). Restore it from a "
            "backup, or delete it and grade by hand again.",
            path=folder.hand_grades,
        ) from None
    return {(grade.student, grade.question): grade for grade in grades}


def save_hand_grades(folder: GradesFolder, new: Iterable[HandGrade]) -> None:
    """Add or replace entries; the file is whole at every moment."""
    with _LOCK:
        grades = {**read_hand_grades(folder), **{(grade.student, grade.question): grade for grade in new}}
        ordered = tuple(grades[key] for key in sorted(grades))
        write_atomically(folder.hand_grades, _File(grades=ordered).model_dump_json(indent=1) + "\n")


def answer_hash(question: QuestionOutcome) -> str:
    """By which a hand grade knows its answer."""
    return hashlib.sha256(question.answer.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def with_hand_grades(result: SubmissionResult, grades: HandGrades) -> SubmissionResult:
    """`result` with the points given by hand; a question whose answer has changed since stays open."""
    if result.status == "failed":
        return result
    questions = tuple(
        _graded(question, grades.get((result.student, question.id))) for question in result.questions
    )
    return result.model_copy(update={"questions": questions})


def _graded(question: QuestionOutcome, grade: HandGrade | None) -> QuestionOutcome:
    if question.kind != "manual" or grade is None:
        return question
    if grade.answer_sha256 and grade.answer_sha256 != answer_hash(question):
        return question
    return question.model_copy(update={"earned": min(grade.points, question.points)})


def checked_grade(
    result: SubmissionResult, question_id: str, points: float, comment: str, criteria: tuple[float, ...] = ()
) -> HandGrade:
    """A grade for one of the answers in `result`.

    Raises:
        GradingError: no such question, not one for hands, or not a possible number of points.
    """
    question = next((one for one in result.questions if one.id == question_id), None)
    if question is None or question.kind != "manual":
        manual = ", ".join(one.id for one in result.questions if one.kind == "manual") or "none"
        raise GradingError(f"{question_id!r} is no question graded by hand. Those are: {manual}.")
    if not 0 <= points <= question.points:
        most = plain_number(question.points)
        raise GradingError(
            f"{result.student}, {question_id}: {points:g} points; it must be between 0 and {most}."
        )
    return HandGrade(
        student=result.student,
        question=question_id,
        points=points,
        comment=comment[:10_000],
        criteria=criteria,
        answer_sha256=answer_hash(question),
    )


def merge_csv(folder: GradesFolder, path: Path) -> int:
    """Take hand grades from a CSV with the columns student, question, points and, if wanted, comment.

    Returns how many were taken. All rows are right, or none is taken.

    Raises:
        GradingError: a column is missing, or a row is wrong; names it.
    """
    results = {result.student: result for result in folder.results()}
    records = read_records(path, "student", "question", "points", optional=("comment",))
    grades = [_from_row(cells, results, place) for place, cells in records if cells[2]]
    save_hand_grades(folder, grades)
    return len(grades)


def _from_row(cells: tuple[str, ...], results: Mapping[str, SubmissionResult], place: str) -> HandGrade:
    student, question, stated, comment = cells
    if student not in results:
        raise GradingError(f"{place}: there is no result of a student {student!r}. Correct the name.")
    try:
        points = float(stated.replace(",", "."))
    except ValueError:
        raise GradingError(f"{place}: {stated!r} is no number. Correct the points.") from None
    try:
        return checked_grade(results[student], question, points, comment)
    except GradingError as error:
        raise GradingError(f"{place}: {error.message}") from None

"""Progress: exercises solved, hints used, predictions that came true, and calibration.

Calibration asks whether someone who says "70 % sure" is right in 70 % of those cases. Only lessons are shown
in which something was done, so the output of a stored notebook does not change when a lesson is added or
when another one was only run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from aicourse.errors import AicourseError
from aicourse.html import join, table
from aicourse.llm import session
from aicourse.notebook import pieces
from aicourse.notebook.exercises.authoring import checks_path, load_checks
from aicourse.notebook.lesson import Header, next_lesson
from aicourse.notebook.predictions import SURENESS
from aicourse.notebook.store import ExerciseState, PredictionState, read_state

Row = tuple[str, ...]
Table = tuple[str, Row, list[Row]]
LESSON_HEADER = ("Lesson", "Solved", "Attempted", "Hints used", "Predictions right")
CALIBRATION_HEADER = ("You said", "Came true", "Share")
NOTHING_YET = "Nothing yet: solve an exercise and check it, or predict a result."


@dataclass(frozen=True)
class LessonProgress:
    """One lesson in numbers; `exercises` is None when its checks file cannot be read."""

    lesson: str
    exercises: int | None
    solved: int
    attempted: int
    hints: int
    predictions_known: int
    predictions_right: int

    def cells(self) -> Row:
        """As a table row."""
        total = "?" if self.exercises is None else str(self.exercises)
        right = f"{self.predictions_right} of {self.predictions_known}" if self.predictions_known else "-"
        return (self.lesson, f"{self.solved} of {total}", str(self.attempted), str(self.hints), right)


@dataclass(frozen=True)
class Calibration:
    """Of `count` predictions called `sureness` percent sure, `right` came true."""

    sureness: int
    count: int
    right: int

    def cells(self) -> Row:
        """As a table row."""
        share = f"{100 * self.right / self.count:.0f} %"
        return (f"{self.sureness} % sure", f"{self.right} of {self.count}", share)


@dataclass(frozen=True, repr=False)
class Progress:
    """The work done so far, and the lesson that follows the open one; draws itself."""

    lessons: tuple[LessonProgress, ...]
    calibration: tuple[Calibration, ...]
    following: Header | None = None

    def tables(self) -> list[Table]:
        """Caption, header and rows of each table."""
        lessons = ("Your progress", LESSON_HEADER, [lesson.cells() for lesson in self.lessons])
        rows = [row.cells() for row in self.calibration]
        calibration = ("Are you right as often as you are sure?", CALIBRATION_HEADER, rows)
        return [lessons, calibration] if rows else [lessons]

    def __repr__(self) -> str:
        if not self.lessons:
            return NOTHING_YET
        following = [f"Next: {self.following.name}"] if self.following else []
        return "\n\n".join([*(_text_table(*table) for table in self.tables()), *following])

    def _repr_html_(self) -> str:
        if not self.lessons:
            return pieces.card("Your progress", pieces.paragraph(NOTHING_YET), "neutral")
        tables = [table(*parts, pieces.CARD_TABLE) for parts in self.tables()]
        return join([*tables, *([_link(self.following)] if self.following else [])])


def progress() -> Progress:
    """The work of this user in the lessons begun so far."""
    state = read_state()
    worked_on = [name for name, done in state.exercises.items() if done.solved or done.attempts or done.hints]
    predicted = [name for name, made in state.predictions.items() if made.choice]
    begun = {name.partition(".")[0] for name in [*worked_on, *predicted]}
    current = session.current().lesson
    if current:
        begun.add(current)
    lessons = tuple(_lesson(lesson, state.exercises, state.predictions) for lesson in sorted(begun))
    following = next_lesson(current) if current else None
    return Progress(lessons, _calibration(list(state.predictions.values())), following)


def _link(lesson: Header) -> Markup:
    return pieces.paragraph(Markup('Next: <a href="{}">{}</a>').format(lesson.path.name, lesson.name))


def _lesson(
    lesson: str, exercises: Mapping[str, ExerciseState], predictions: Mapping[str, PredictionState]
) -> LessonProgress:
    done = [state for name, state in exercises.items() if name.startswith(f"{lesson}.")]
    made = [state for name, state in predictions.items() if name.startswith(f"{lesson}.") and state.choice]
    return LessonProgress(
        lesson=lesson,
        exercises=_count_exercises(lesson),
        solved=sum(state.solved for state in done),
        attempted=sum(state.attempts > 0 for state in done),
        hints=sum(state.hints for state in done),
        predictions_known=sum(state.is_right is not None for state in made),
        predictions_right=sum(state.is_right is True for state in made),
    )


def _count_exercises(lesson: str) -> int | None:
    try:
        return len(load_checks(checks_path(lesson)))
    except AicourseError:
        return None


def _calibration(predictions: Sequence[PredictionState]) -> tuple[Calibration, ...]:
    rows = []
    for percent in SURENESS:
        known = [state for state in predictions if state.sureness == percent and state.is_right is not None]
        if known:
            rows.append(Calibration(percent, len(known), sum(state.is_right is True for state in known)))
    return tuple(rows)


def _text_table(caption: str, header: Row, rows: list[Row]) -> str:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    cells = [map(str.ljust, row, widths) for row in [header, *rows]]
    return "\n".join([caption, *("  ".join(("", *row)).rstrip() for row in cells)])

"""Hints, as `hint("01.2")` gives them: the next one at each call, with the earlier ones above it."""

from __future__ import annotations

from dataclasses import dataclass

from aicourse.errors import AicourseError
from aicourse.notebook import pieces
from aicourse.notebook.exercises.authoring import find_exercise
from aicourse.notebook.store import ExerciseState, update_exercise


@dataclass(frozen=True, repr=False)
class Hint:
    """The hints seen so far, the newest last; `message` says what comes next."""

    exercise: str
    hints: tuple[str, ...]
    message: str

    def __repr__(self) -> str:
        numbered = [f"  {number}. {hint}" for number, hint in enumerate(self.hints, start=1)]
        return "\n".join([f"Hints for {self.exercise}", *numbered, f"  {self.message}"])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{pieces.prose(hint)}</li>" for hint in self.hints)
        body = f'<ol style="margin: 6px 0">{items}</ol>' if items else ""
        return pieces.card(
            f"Hints for {self.exercise}", body + pieces.paragraph(pieces.prose(self.message)), "neutral"
        )


def hint(exercise_id: str) -> Hint:
    """Show one more hint for an exercise; never raises."""
    try:
        exercise = find_exercise(exercise_id)
    except AicourseError as error:
        return Hint(str(exercise_id), (), error.message)
    available = len(exercise.hints)

    def change(state: ExerciseState) -> ExerciseState:
        return state.model_copy(update={"hints": min(state.hints + 1, available)})

    seen = update_exercise(exercise.id, change).hints
    left = available - seen
    if left:
        message = f'{left} more: run `hint("{exercise.id}")` again.'
    else:
        message = "That is all; the solution is in the collapsed cell below the exercise."
    return Hint(exercise.id, tuple(exercise.hints[:seen]), message)

"""The work of one course user: checks, hints, predictions; one JSON file in the state folder.

Two notebooks may write at once: every change reads, alters and replaces the file under a lock. A damaged
file is moved aside and said so, as is one from an edition of the lessons with other numbers. With
`AICOURSE_UNATTENDED=1` (`aicourse run`, `aicourse validate`) nothing is read or written: each lesson starts
empty, so that stored outputs never depend on whose machine made them.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import filelock
from pydantic import BaseModel, ConfigDict, ValidationError

from aicourse import paths
from aicourse.llm import session

EDITION = 2  # raised when lessons get other numbers: what was done in "03.1" must not count for another
LOCK_SECONDS = 10  # a change takes milliseconds; a lock held longer belongs to a process that hangs


class ExerciseState(BaseModel):
    """One exercise: checks of a written answer, hints seen, and whether it was ever solved."""

    model_config = ConfigDict(frozen=True)
    attempts: int = 0
    hints: int = 0
    solved: bool = False


class Option(BaseModel):
    """One option of a prediction; `low` and `high` bound it when it is a bucket of numbers."""

    model_config = ConfigDict(frozen=True)
    label: str
    low: float | None = None
    high: float | None = None


class PredictionState(BaseModel):
    """One question; `choice` and `happened` are labels of options, `sureness` is in percent.

    `actual` is None until `outcome()` was called; `happened` stays None when no option came true.
    """

    model_config = ConfigDict(frozen=True)
    question: str = ""
    options: tuple[Option, ...] = ()
    choice: str | None = None
    sureness: int | None = None
    actual: str | None = None
    happened: str | None = None

    @property
    def is_right(self) -> bool | None:
        """True if the choice came true; None when nothing was chosen or it has not happened yet."""
        if self.choice is None or self.actual is None:
            return None
        return self.choice == self.happened


class State(BaseModel):
    """Everything kept, by exercise id and prediction id."""

    model_config = ConfigDict(frozen=True)
    edition: int = 1  # of the lessons; the first one was not written down
    exercises: dict[str, ExerciseState] = {}
    predictions: dict[str, PredictionState] = {}

    def without(self, lesson: str | None) -> State:
        """The state as if a lesson, or all of them, had never been begun."""
        return State(
            edition=EDITION,
            exercises={name: kept for name, kept in self.exercises.items() if not _is_of(lesson, name)},
            predictions={name: kept for name, kept in self.predictions.items() if not _is_of(lesson, name)},
        )


def _is_of(lesson: str | None, name: str) -> bool:
    return lesson is None or name.startswith(f"{lesson}.")


Change = Callable[[State], State]


def read_state() -> State:
    """This user's state; empty when nothing was kept yet or the file cannot be read."""
    return update_state(lambda state: state)


def update_state(change: Change) -> State:
    """Replace the state by `change(state)` in one step, and return the new one.

    An unattended run, and one that cannot keep it (it is warned), has a state that ends with its session.
    """
    memory = session.current().keep(_Memory)
    if paths.unattended():
        return memory.update(change)
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{path}.lock", timeout=LOCK_SECONDS):
            before = _load(path)
            after = change(before)
            if after != before:
                paths.write_atomically(path, after.model_dump_json(indent=1) + "\n")
            return after
    except (OSError, filelock.Timeout) as error:
        reason = "another process holds it" if isinstance(error, filelock.Timeout) else error.strerror
        warnings.warn(
            f"Your progress is not kept: {path} cannot be written ({reason}). "
            "Set AICOURSE_STATE to a folder that you can write to.",
            stacklevel=2,
        )
        return memory.update(change)


def reset(lesson: str | None = None) -> Path | None:
    """Begin a lesson, or all of them, anew; returns where the progress so far is kept, None without any."""
    path = _path()
    if read_state().without(lesson) == read_state():
        return None
    aside = _unused(path, "reset")
    paths.write_atomically(aside, path.read_bytes())
    update_state(lambda state: state.without(lesson))
    return aside


def _path() -> Path:
    return paths.state_dir() / "progress.json"


@dataclass
class _Memory:
    """State of one session, kept nowhere else."""

    state: State = field(default_factory=lambda: State(edition=EDITION))

    def update(self, change: Change) -> State:
        self.state = change(self.state)
        return self.state


def _load(path: Path) -> State:
    try:
        state = State.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return State(edition=EDITION)
    except ValidationError:
        return _begin_anew(path, "damaged", "Your progress file was damaged")
    if state.edition != EDITION:
        why = "Your progress is from another edition of the lessons, in which exercises had other numbers"
        return _begin_anew(path, f"edition-{state.edition}", why)
    return state


def _begin_anew(path: Path, name: str, why: str) -> State:
    aside = _unused(path, name)
    os.replace(path, aside)
    warnings.warn(f"{why}: it is kept as {aside}, and a new one was begun.", stacklevel=2)
    return State(edition=EDITION)


def _unused(path: Path, name: str) -> Path:
    number = 1
    while (aside := path.with_suffix(f".{name}-{number}.json")).exists():
        number += 1
    return aside


def update_exercise(exercise_id: str, change: Callable[[ExerciseState], ExerciseState]) -> ExerciseState:
    """Change one exercise's state in one step, and return it."""

    def with_change(state: State) -> State:
        before = state.exercises.get(exercise_id, ExerciseState())
        return state.model_copy(update={"exercises": {**state.exercises, exercise_id: change(before)}})

    return update_state(with_change).exercises[exercise_id]


def read_prediction(prediction_id: str) -> PredictionState:
    """One prediction's state; empty when it was never asked."""
    return read_state().predictions.get(prediction_id, PredictionState())


def update_prediction(
    prediction_id: str, change: Callable[[PredictionState], PredictionState]
) -> PredictionState:
    """Change one prediction's state in one step, and return it."""

    def with_change(state: State) -> State:
        before = state.predictions.get(prediction_id, PredictionState())
        return state.model_copy(update={"predictions": {**state.predictions, prediction_id: change(before)}})

    return update_state(with_change).predictions[prediction_id]

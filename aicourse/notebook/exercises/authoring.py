"""Exercises of a lesson, and the files they are read from: `notebooks/checks/lesson_01.py` -> `Exercise`s.

`aicourse.notebook.checks` has a complete example. A checks file is plain Python; it is run again when it
changes on disk, so that a maintainer edits it beside an open notebook.
"""

from __future__ import annotations

import functools
import numbers
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aicourse import paths
from aicourse.errors import ExerciseError
from aicourse.notebook.checks.files import run_file
from aicourse.notebook.checks.language import SECONDS, Check, Mistake
from aicourse.suggestions import close_matches

_ID = re.compile(r"\d\d\.\d+")


@dataclass(frozen=True, kw_only=True, eq=False)
class Exercise:
    """One exercise of a lesson, and its checks, which share what is stated here once.

    - `reference`: a right answer; its type tells what an answer must be (a function, a class, or data).
    - `mistakes`: known wrong answers, recognised over all checks.
    - `expects`: the type of an answer that is data, where the reference's own would be too narrow.
    - `hints`: shown one more at each `hint("01.2")`.
    - `untouched`: what the exercise's cell begins with, data or a function that does something already: not
      started, not wrong.
    - `show_expected`: whether a failed input is shown with the expected result.
    - `seconds`: time limit for each call; None for answers that call a model.

    Text may put code between `backticks`.
    """

    id: str
    title: str
    reference: Any
    checks: Sequence[Check]
    mistakes: Sequence[Mistake] = ()
    hints: Sequence[str] = ()
    expects: type | tuple[type, ...] | None = None
    untouched: Any = None
    show_expected: bool = True
    seconds: float | None = SECONDS

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ExerciseError(f"Exercise id {self.id!r} is not of the form 01.2 (lesson, number).")
        if not self.checks:
            raise ExerciseError(f"Exercise {self.id} has no checks: give it at least one.")
        object.__setattr__(self, "checks", tuple(map(self._shared, self.checks)))

    def _shared(self, check: Check) -> Check:
        """A check with what all checks of the exercise have in common."""
        return replace(
            check,
            target=self.name,
            reference=self.reference if check.reference is None else check.reference,
            mistakes=self.mistakes,
            seconds=self.seconds if check.seconds == SECONDS else check.seconds,
            show_expected=self.show_expected if check.show_expected is None else check.show_expected,
        )

    @property
    def wants_function(self) -> bool:
        """True if an answer is called."""
        return self.expects is None and callable(self.reference)

    @property
    def accepted_types(self) -> tuple[type, ...]:
        """The types that an answer may have that is data."""
        if self.expects is not None:
            return self.expects if isinstance(self.expects, tuple) else (self.expects,)
        number = isinstance(self.reference, numbers.Number) and not isinstance(self.reference, bool)
        return (numbers.Number,) if number else (type(self.reference),)

    @property
    def lesson(self) -> str:
        """The number of the lesson it belongs to."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """The student's name for the function."""
        name = str(getattr(self.reference, "__name__", "answer")).removesuffix("_solution")
        return name if name.isidentifier() else "answer"


def find_exercise(exercise_id: str) -> Exercise:
    """The exercise with this id.

    Raises:
        ExerciseError: no such lesson or exercise, or its checks file is broken.
    """
    lesson = str(exercise_id).partition(".")[0]
    exercises = {exercise.id: exercise for exercise in load_checks(checks_path(lesson))}
    if exercise_id in exercises:
        return exercises[exercise_id]
    near = close_matches(str(exercise_id), exercises, most=1) or list(exercises)
    raise ExerciseError(
        f"There is no exercise {exercise_id!r} in lesson {lesson}; did you mean {' or '.join(near)}?",
        exercise=exercise_id,
    )


def checks_path(lesson: str) -> Path:
    """The checks file of a lesson.

    Raises:
        ExerciseError: the lesson has none.
    """
    folder = checks_dir()
    path = folder / f"lesson_{lesson}.py"
    # not path.is_file(): the id is what a student typed, and "../x" must not lead out of the folder
    if path in folder.glob("lesson_*.py"):
        return path
    known = ", ".join(sorted(file.stem.removeprefix("lesson_") for file in folder.glob("lesson_*.py")))
    raise ExerciseError(
        f"Lesson {lesson!r} has no exercises; lessons with exercises: {known or 'none'}. "
        'An id looks like "01.2": lesson, then number.',
        lesson=lesson,
    )


def checks_dir() -> Path:
    """The folder of checks files."""
    return paths.notebooks_dir() / "checks"


def load_checks(path: Path) -> tuple[Exercise, ...]:
    """The exercises of one checks file, in its order.

    Raises:
        ExerciseError: it does not run, or does not define `exercises` as a list of exercises of its lesson.
    """
    return _load(path, path.stat().st_mtime_ns, path.stat().st_size)


@functools.lru_cache(maxsize=64)
def _load(path: Path, mtime_ns: int, size: int) -> tuple[Exercise, ...]:
    try:
        found = run_file(path)
    except (Exception, SystemExit) as error:
        raise ExerciseError(
            f"The checks file {path.name} does not run ({type(error).__name__}: {error}). "
            "If you did not change it: git checkout notebooks/checks",
            path=path,
        ) from error
    return _validated(found.get("exercises"), path)


def _validated(exercises: Any, path: Path) -> tuple[Exercise, ...]:
    lesson = path.stem.removeprefix("lesson_")
    listed = exercises if isinstance(exercises, (list, tuple)) else ()
    ids = [item.id for item in listed if isinstance(item, Exercise) and item.lesson == lesson]
    if not ids or len(set(ids)) != len(listed):
        raise ExerciseError(
            f"{path.name} must define `exercises`, a list of Exercise with different ids of lesson {lesson}.",
            path=path,
        )
    return tuple(listed)

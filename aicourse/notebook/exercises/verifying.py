"""Proof of an exercise, `verify(exercise)`: the right answer passes, the stub does not, mistakes are known.

Run for every checks file by the course's tests and lint. An exercise that passes can still be too strict:
only students' answers tell that.
"""

from __future__ import annotations

from collections import Counter

from aicourse.notebook.checks.language import Mistake
from aicourse.notebook.exercises.authoring import Exercise
from aicourse.notebook.exercises.checking import examine, stub_that_raises, stub_that_returns_none
from aicourse.notebook.exercises.results import CheckResult

LEAST_INPUTS = 2


def verify(exercise: Exercise) -> list[str]:
    """Problems of an exercise, one sentence each; empty when all is well."""
    problems = _reference_problems(exercise) + _stub_problems(exercise)
    for number, mistake in enumerate(exercise.mistakes, start=1):
        problems += _mistake_problems(exercise, number, mistake)
    for check in exercise.checks:
        if 0 < len(check.draw()) < LEAST_INPUTS:
            problems.append(f"{check.name!r} has one input: an answer can pass by luck. Add another.")
    for text in _repeated([*exercise.hints, *{mistake.hint for mistake in exercise.mistakes}]):
        problems.append(f"Two hints say the same: {text!r}.")
    if not exercise.hints:
        problems.append("There is no hint.")
    return [f"Exercise {exercise.id}: {problem}" for problem in problems]


def _reference_problems(exercise: Exercise) -> list[str]:
    result = examine(exercise, exercise.reference)
    return [] if result else [f"the reference does not pass.\n{result!r}"]


def _stub_problems(exercise: Exercise) -> list[str]:
    if not exercise.wants_function:
        return []
    return [
        f"{stub.__name__} is {result.status}; it should be not started."
        for stub in (stub_that_raises, stub_that_returns_none)
        if (result := examine(exercise, stub)).status != "not started"
    ]


def _mistake_problems(exercise: Exercise, number: int, mistake: Mistake) -> list[str]:
    result: CheckResult = examine(exercise, mistake.wrong)
    if result:
        return [f"mistake {number} passes: no input tells it from the reference."]
    if result.hints == (mistake.hint,):
        return []
    others = [hint for hint in result.hints if hint != mistake.hint]
    if mistake.hint not in result.hints:
        return [f"mistake {number} is not recognised: it gets {others or 'no hint'}.\n{result!r}"]
    return [f"mistake {number} also gets another hint: {others}. Add an input that tells them apart."]


def _repeated(texts: list[str]) -> list[str]:
    return [text for text, count in Counter(texts).items() if count > 1]

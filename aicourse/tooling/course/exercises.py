"""Proof of a lesson's exercises, which `aicourse validate` runs in the kernel that the lesson ran in.

For each exercise of the checks file:

- the reference passes, and so does the folded solution, as the lesson itself defined it;
- the cell as the student gets it does not pass, and an answer that is not written counts as not started;
- each known mistake is recognised, by its own sentence and no other;
- each behaviour is failed by something: a known mistake, the student's cell, an answer that is empty or
  always the same. One that nothing fails tests nothing.

An exercise that passes can still be too strict: only students' answers tell that.
"""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aicourse.errors import ExerciseError
from aicourse.notebook.checks.calling import attempt
from aicourse.notebook.checks.judging import try_checks
from aicourse.notebook.checks.language import Check, Mistake
from aicourse.notebook.exercises.authoring import Exercise, load_checks
from aicourse.notebook.exercises.checking import examine, stub_that_raises, stub_that_returns_none
from aicourse.notebook_json import Notebook

LEAST_INPUTS = 2
CONSTANTS = 3  # answers that are always the same: this many, and None


@dataclass(frozen=True)
class Checked:
    """A call `check("01.2", read_size)` in a lesson: the exercise, and the answer as it is written there."""

    exercise: str
    answer: str

    @property
    def solution(self) -> str:
        """The name that the folded solution defines."""
        return f"{self.answer}_solution"


def check_calls(source: str) -> list[Checked]:
    """The calls of `check` in a cell; none when it is not Python alone.

    >>> check_calls('from aicourse import check\\n\\ncheck("01.2", read_size)')
    [Checked(exercise='01.2', answer='read_size')]
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    return [
        Checked(node.args[0].value, ast.unparse(node.args[1]))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "check" and len(node.args) == 2
        if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    ]


def checked_exercises(notebook: Notebook) -> list[Checked]:
    """All calls of `check` in a lesson's check cells, in order."""
    return [call for cell in notebook.tagged("check") for call in check_calls(cell.source)]


def lesson_problems(checks: str, calls: Sequence[tuple[str, str]], names: Mapping[str, Any]) -> list[str]:
    """The problems of all exercises in a checks file, after a lesson that left `names` behind.

    `calls` are its calls of `check`: exercise and answer.
    """
    try:
        exercises = load_checks(Path(checks))
    except (ExerciseError, OSError) as error:
        return [f"The checks cannot be read: {error}."]
    answers = {call.exercise: call for call in (Checked(*call) for call in calls)}
    found = []
    for exercise in exercises:
        if exercise.id in answers:
            found += _written_problems(exercise, answers[exercise.id], names)
        else:
            found.append(f"Exercise {exercise.id}: no check cell of the lesson asks for it.")
    return found


def _written_problems(exercise: Exercise, call: Checked, names: Mapping[str, Any]) -> list[str]:
    missing = [name for name in (call.answer, call.solution) if name not in names]
    if missing:
        return [f"Exercise {exercise.id}: the lesson defines no `{name}`." for name in missing]
    stub, solution = names[call.answer], names[call.solution]
    problems = verify(exercise, stub)
    if exercise.wants_function and examine(exercise, stub).status == "not yet":
        problems.append(
            f"Exercise {exercise.id}: Run all counts `{call.answer}`, as the cell comes, as an attempt: "
            "let `untouched` be the function that the cell defines."
        )
    if not (result := examine(exercise, solution)):
        problems.append(f"Exercise {exercise.id}: `{call.solution}` does not pass.\n{result!r}")
    return problems


def verify(exercise: Exercise, stub: Any = None) -> list[str]:
    """Problems of an exercise, one sentence each; `stub` is what the student's cell defines."""
    result = examine(exercise, exercise.reference)
    problems = [] if result else [f"the reference does not pass.\n{result!r}"]
    problems += _stub_problems(exercise, stub)
    for number, mistake in enumerate(exercise.mistakes, start=1):
        problems += _mistake_problems(exercise, number, mistake)
    for check in exercise.checks:
        if 0 < len(check.draw()) < LEAST_INPUTS:
            problems.append(f"{check.name!r} has one input: an answer can pass by luck. Add another.")
    problems += [
        f"nothing fails {check.name!r}: no mistake, not the student's cell, no answer that is empty or "
        "always the same. Add an input or a mistake that does, or take the check out."
        for check in _idle_checks(exercise, stub)
    ]
    hints = Counter([*exercise.hints, *{mistake.hint for mistake in exercise.mistakes}])
    problems += [f"Two hints say the same: {text!r}." for text, count in hints.items() if count > 1]
    if not exercise.hints:
        problems.append("There is no hint.")
    return [f"Exercise {exercise.id}: {problem}" for problem in problems]


def _stub_problems(exercise: Exercise, stub: Any) -> Iterator[str]:
    status = examine(exercise, stub).status
    if status == "solved":
        yield "the cell as the student gets it passes."
    elif status != "not started" and not exercise.wants_function:
        yield f"the cell as the student gets it is {status}: let `untouched` be what it holds."
    for unwritten in (stub_that_raises, stub_that_returns_none) if exercise.wants_function else ():
        if (result := examine(exercise, unwritten)).status != "not started":
            yield f"{unwritten.__name__} is {result.status}; it should be not started."


def _mistake_problems(exercise: Exercise, number: int, mistake: Mistake) -> list[str]:
    result = examine(exercise, mistake.wrong)
    if result:
        return [f"mistake {number} passes: no input tells it from the reference."]
    if result.hints == (mistake.hint,):
        return []
    others = [hint for hint in result.hints if hint != mistake.hint]
    if mistake.hint not in result.hints:
        return [f"mistake {number} is not recognised: it gets {others or 'no hint'}.\n{result!r}"]
    return [f"mistake {number} also gets another hint: {others}. Add an input that tells them apart."]


def _idle_checks(exercise: Exercise, stub: Any) -> list[Check]:
    idle = list(exercise.checks)
    for wrong in _wrong_answers(exercise, stub):
        trials = try_checks(idle, wrong) if idle else []
        failed = [trial.check for trial in trials if not trial.works and trial.outcome.kind != "skipped"]
        idle = [check for check in idle if check not in failed]
    return idle


def _wrong_answers(exercise: Exercise, stub: Any) -> Iterator[Any]:
    for wrong in [*(mistake.wrong for mistake in exercise.mistakes), stub, exercise.untouched]:
        if callable(wrong) if exercise.wants_function else wrong is not None:
            yield wrong
    if not exercise.wants_function:
        empty = attempt(exercise.accepted_types[0])
        yield from [empty.value] if empty.kind == "returned" else []
    elif not inspect.isclass(exercise.reference):
        yield from _constants(exercise)
        yield stub_that_returns_none


def _constants(exercise: Exercise) -> Iterator[Any]:
    """Answers that give whatever they are asked what the reference gives to one of the inputs."""
    seen: set[str] = set()
    for asked in (partial(check.expected, given) for check in exercise.checks for given in check.draw()):
        right = attempt(asked, seconds=exercise.seconds)
        if right.kind == "returned" and repr(right.value) not in seen and len(seen) < CONSTANTS:
            seen.add(repr(right.value))
            yield partial(_always, right.value)


def _always(value: Any, *positional: Any, **named: Any) -> Any:
    return value

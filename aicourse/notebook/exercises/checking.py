"""Checks of a lesson: `check("01.2", answer)` tells what works, what is missing, and on which input."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aicourse.errors import AicourseError
from aicourse.notebook.checks.calling import attempt, describe, describe_error
from aicourse.notebook.checks.comparing import equal
from aicourse.notebook.checks.judging import Trial, recognise, try_checks
from aicourse.notebook.exercises.authoring import Exercise, find_exercise
from aicourse.notebook.exercises.results import CheckFinding, CheckResult, finding_of
from aicourse.notebook.store import ExerciseState, update_exercise

_AS_IT_CAME = "This is the cell as it came: change it, then run this cell again."
UNREADABLE = "This answer cannot be shown: looking at it raises an error, or does not end."


def check(exercise_id: str, answer: Any) -> CheckResult:
    """Try `answer` on the exercise's behaviours and keep the result for `progress()`; never raises.

    The result displays itself as the last expression of a cell; `bool(result)` is whether all is well.
    """
    try:
        result = examine(find_exercise(exercise_id), answer)
        if result.status in ("solved", "not yet"):
            _record(result)
    except AicourseError as error:
        return CheckResult(str(exercise_id), "", "cannot check", message=error.message)
    except Exception as error:  # a defect of a check must not stop a lesson
        reason = (
            f"The check itself failed ({describe_error(error)}). Please report it; your answer may be right."
        )
        return CheckResult(str(exercise_id), "", "cannot check", message=reason)
    return result


def _record(result: CheckResult) -> None:
    """Count the check; solved once is solved for good."""

    def change(state: ExerciseState) -> ExerciseState:
        after = {"attempts": state.attempts + 1, "solved": state.solved or bool(result)}
        return state.model_copy(update=after)

    update_exercise(result.exercise, change)


def examine(exercise: Exercise, answer: Any) -> CheckResult:
    """The result of `check`, without finding the exercise and without keeping the result."""
    if answer is None or answer is Ellipsis or _is_untouched(exercise, answer):
        return _not_started(exercise)
    typed = attempt(lambda: _wrong_type(exercise, answer), seconds=exercise.seconds)
    if problem := typed.value if typed.kind == "returned" else UNREADABLE:
        return CheckResult(exercise.id, exercise.title, "not yet", message=problem)
    trials = try_checks(exercise.checks, answer)
    findings = tuple(
        finding_of(check.name, [trial for trial in trials if trial.check is check])
        for check in exercise.checks
    )
    if all(finding.works for finding in findings) and exercise.wants_function:
        findings += _second_run(try_checks(exercise.checks, answer))
    if all(finding.works for finding in findings):
        return CheckResult(exercise.id, exercise.title, "solved", findings)
    forgets = exercise.wants_function and _forgets_to_return(answer, trials)
    if exercise.wants_function and not forgets and _is_stub(exercise, trials):
        return _not_started(exercise)
    forgotten = f"`{exercise.name}` returns None whatever it is given: is a `return` missing?"
    # two forms of one mistake share their hint
    recognised = () if forgets else dict.fromkeys(known.hint for known in recognise(trials, attempt))
    hints = (forgotten,) if forgets else tuple(recognised)
    offers_hint = bool(exercise.hints and not hints)
    result = CheckResult(exercise.id, exercise.title, "not yet", findings, hints, offers_hint=offers_hint)
    as_it_came = _is_as_it_came(exercise, answer)
    return replace(result, status="not started", message=_AS_IT_CAME) if as_it_came else result


def stub_that_raises(*positional: Any, **named: Any) -> Any:
    """An answer that is not written yet, as the notebooks have it."""
    raise NotImplementedError


def stub_that_returns_none(*positional: Any, **named: Any) -> None:
    """The other way to write nothing."""


def _is_stub(exercise: Exercise, trials: Sequence[Trial]) -> bool:
    """True if an answer does everywhere what a stub does.

    A predicate that calls the answer itself hides what it returned; there, its sentence is compared.
    """
    hidden = [index for index, trial in enumerate(trials) if trial.given is None and not trial.gives_nothing]
    if any(trial.given is not None and not trial.gives_nothing for trial in trials):
        return False
    return not hidden or any(
        all(trials[index].evidence.note == done[index].evidence.note for index in hidden)
        for done in (try_checks(exercise.checks, stub) for stub in (stub_that_raises, stub_that_returns_none))
    )


def _forgets_to_return(answer: Any, trials: Sequence[Trial]) -> bool:
    """True if an answer that always gives None was written all the same: a stub uses no names."""
    code = getattr(answer, "__code__", None)
    called = [trial.outcome for trial in trials if trial.given and trial.outcome.kind != "skipped"]
    silent = all(outcome.kind == "returned" and outcome.value is None for outcome in called)
    return bool(code is not None and code.co_names and called and silent)


def _is_as_it_came(exercise: Exercise, answer: Any) -> bool:
    """True if a function is the code that the exercise's cell begins with, whatever its comments."""
    mine, shipped = _code_of(answer), _code_of(exercise.untouched)
    return mine is not None and mine == shipped


def _code_of(function: Any) -> str | None:
    """A function without its name, annotations and docstring; None for what has no `def` in a file."""
    try:
        written = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    if not isinstance(written, ast.FunctionDef):
        return None
    for node in ast.walk(written):
        if isinstance(node, ast.arg):
            node.annotation = None
    first, *others = written.body
    is_docstring = isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str)
    body = others if is_docstring else written.body
    return "\n".join(map(ast.dump, [written.args, *body]))


def _is_untouched(exercise: Exercise, answer: Any) -> bool:
    if exercise.untouched is None or callable(exercise.untouched):
        return False
    return attempt(lambda: equal(answer, exercise.untouched), seconds=exercise.seconds).value is True


def _not_started(exercise: Exercise) -> CheckResult:
    task = f"Write `{exercise.name}`" if exercise.wants_function else "Fill in the cell of the exercise"
    message = f"{task}, then run this cell again."
    return CheckResult(
        exercise.id, exercise.title, "not started", message=message, offers_hint=bool(exercise.hints)
    )


def _wrong_type(exercise: Exercise, answer: Any) -> str:
    """A sentence when the answer is not the kind of thing that was asked for, else nothing."""
    if not exercise.wants_function:
        return _wrong_data_type(exercise.accepted_types, answer)
    command = f'`check("{exercise.id}", {exercise.name})`'
    if inspect.isclass(exercise.reference) and not inspect.isclass(answer):
        return f"The answer is a class. Pass the class itself: {command}"
    if not callable(answer):
        return f"The answer is a function; this is {_kind(answer)}. Pass the function itself: {command}"
    return ""


def _wrong_data_type(wanted: tuple[type, ...], answer: Any) -> str:
    if isinstance(answer, wanted) and (bool in wanted or not isinstance(answer, bool)):
        return ""
    names = " or ".join(kind.__name__.lower() for kind in wanted)
    if inspect.isroutine(answer):
        return f"The answer is of type {names}, and this is a function: call it, and pass what it returns."
    return f"The answer is of type {names}; this is {_kind(answer)}."


def _kind(answer: Any) -> str:
    return f"of type {type(answer).__name__}: `{describe(answer)}`"


def _second_run(trials: Sequence[Trial]) -> tuple[CheckFinding, ...]:
    """A finding when what worked once fails when asked again."""
    failed = [trial for trial in trials if not trial.works]
    if not failed:
        return ()
    advice = "The first time it was right. Does it remember earlier calls, or depend on chance?"
    return (CheckFinding("gives the same result when asked again", "missing", failed[0].evidence, advice),)

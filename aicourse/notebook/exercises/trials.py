"""One call of an answer, judged: the only place that looks at what an answer did.

A trial is one call for one behaviour. Calls and comparisons both run through `calling.attempt`, on copies of
the inputs, because a result's `__eq__` and `__repr__` may be the student's code too.
"""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from aicourse.notebook.exercises.authoring import Arguments, Behaviour, Exercise
from aicourse.notebook.exercises.calling import Outcome, attempt, describe, describe_error, student_line
from aicourse.notebook.exercises.comparing import equal
from aicourse.notebook.exercises.results import Evidence


@dataclass(frozen=True)
class Trial:
    """One call of an answer for one behaviour; `outcome` is None when it was not run."""

    behaviour: Behaviour
    given: Arguments | None
    outcome: Outcome | None
    works: bool
    evidence: Evidence

    @property
    def gives_nothing(self) -> bool:
        """Whether the answer gave here what one that is not written yet gives."""
        outcome = self.outcome or Outcome("endless")
        nothing = outcome.kind == "returned" and (outcome.value is None or outcome.value is Ellipsis)
        return nothing or isinstance(outcome.error, NotImplementedError)


def run_trials(exercise: Exercise, answer: Any) -> list[Trial]:
    """Each behaviour's calls, in order; after a call that did not finish no more are made."""
    trials: list[Trial] = []
    for behaviour in exercise.behaviours:
        for given in behaviour.calls:
            if any(trial.outcome and trial.outcome.kind == "endless" for trial in trials):
                trials.append(Trial(behaviour, given, None, False, Evidence()))
            else:
                trials.append(_try(exercise, behaviour, given, answer))
    return trials


def _try(exercise: Exercise, behaviour: Behaviour, given: Arguments | None, answer: Any) -> Trial:
    namespace = _namespace(answer)
    if given is None:
        outcome = Outcome("returned", answer)
    else:
        call = copy.deepcopy(given)  # what an answer does to its input stays with it
        outcome = attempt(
            lambda: answer(*call.positional, **call.named), seconds=exercise.seconds, namespace=namespace
        )
    judged = attempt(
        lambda: _judge(exercise, behaviour, given, outcome), seconds=exercise.seconds, namespace=namespace
    )
    if judged.kind == "returned":
        return Trial(behaviour, given, outcome, *judged.value)
    reason = f"raised {describe_error(judged.error)}" if judged.error else "did not finish"
    return Trial(behaviour, given, judged, False, Evidence(note=f"Testing it {reason}."))


def _judge(
    exercise: Exercise, behaviour: Behaviour, given: Arguments | None, outcome: Outcome
) -> tuple[bool, Evidence]:
    """Whether the outcome is right, and what to show when it is not."""
    works, expected, note = _verdict(exercise, behaviour, given, outcome)
    if works:
        return True, Evidence()
    call = _call_text(exercise, given)
    shown = expected if exercise.show_expected else ""
    printed = describe(outcome.printed) if outcome.printed else ""
    if outcome.kind == "raised" and outcome.error is not None:
        got = describe_error(outcome.error)
        return False, Evidence(call, "raised", got, outcome.where, shown, note, printed)
    if outcome.kind == "endless":
        return False, Evidence(call, f"did not finish within {exercise.seconds:g} s", printed=printed)
    if given is None:
        told = note or behaviour.missing or exercise.wants_function
        return False, Evidence(note=note if told else f"Your answer: `{describe(outcome.value)}`")
    got = describe(outcome.value)
    got += f" (of type {type(outcome.value).__name__})" if got == expected else ""
    return False, Evidence(call, "returned", got, "", shown, note, printed)


def _verdict(
    exercise: Exercise, behaviour: Behaviour, given: Arguments | None, outcome: Outcome
) -> tuple[bool, str, str]:
    """(works, what was expected, what is wrong in the predicate's words)."""
    if behaviour.raises is not None:
        return isinstance(outcome.error, behaviour.raises), f"{behaviour.raises.__name__} raised", ""
    if behaviour.predicate is not None:
        if outcome.kind != "returned":
            return False, "", ""
        verdict = _ask(behaviour.predicate, outcome.value, given or Arguments(()))
        return (False, "", verdict) if isinstance(verdict, str) else (verdict, "", "")
    assert given is not None  # Behaviour has inputs or a predicate
    expected = _reference_result(exercise, given)
    return (
        outcome.kind == "returned" and bool(behaviour.same(outcome.value, expected)),
        describe(expected),
        "",
    )


def _reference_result(exercise: Exercise, given: Arguments) -> Any:
    call = copy.deepcopy(given)
    return exercise.reference(*call.positional, **call.named)


def _ask(predicate: Callable[..., bool | str], value: Any, given: Arguments) -> bool | str:
    """The predicate's verdict; its error is one too, because the value may lack what it looks at."""
    inputs = copy.deepcopy(given)
    try:
        verdict = predicate(value, *inputs.positional, **inputs.named)
    except NotImplementedError:
        raise  # a stub
    except Exception as error:
        line = student_line(error, _namespace(value))
        question = f" ({line})." if line else ". Is a part of it missing, or of another type?"
        return f"Testing it raised {describe_error(error)}{question}"
    return verdict if isinstance(verdict, str) else bool(verdict)


def _call_text(exercise: Exercise, given: Arguments | None) -> str:
    if given is None:
        return ""
    shown = [describe(value) for value in given.positional]
    shown += [f"{name}={describe(value)}" for name, value in given.named.items()]
    return f"{exercise.name}({', '.join(shown)})"


def _namespace(answer: Any) -> dict[str, Any] | None:
    """The globals of the file or notebook in which the answer was written."""
    if inspect.isfunction(answer):
        written: FunctionType = inspect.unwrap(answer)
        return written.__globals__
    module = sys.modules.get(str(getattr(answer, "__module__", "")))
    return vars(module) if module else None


def agree(exercise: Exercise, mine: Trial, wrong: Trial) -> bool:
    """Whether two answers failed in the same way in one trial."""
    if mine.works or mine.outcome is None or wrong.outcome is None:
        return False
    if mine.given is None:
        return mine.evidence == wrong.evidence
    if mine.outcome.kind != wrong.outcome.kind:
        return False
    if mine.outcome.error is not None and wrong.outcome.error is not None:
        return _same_error(mine.outcome.error, wrong.outcome.error)
    left, right = mine.outcome.value, wrong.outcome.value
    same = attempt(
        lambda: equal(left, right) or bool(mine.behaviour.same(left, right)),
        seconds=exercise.seconds,
        namespace=None,
    )
    return mine.outcome.kind == "endless" or same.value is True


def _same_error(mine: BaseException, wrong: BaseException) -> bool:
    """Errors of one type are one mistake, except those that any misspelt name raises."""
    misspelt = isinstance(mine, (NameError, AttributeError))
    return type(mine) is type(wrong) and (not misspelt or describe_error(mine) == describe_error(wrong))

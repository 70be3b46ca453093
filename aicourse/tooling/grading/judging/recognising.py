"""Which known mistake did a student make? Found by what the answers do, over all checks that list it.

On every input where the mistake's function goes wrong, the student's must do the same: give an equal
value, or raise the same error. One input alone could agree by luck, so all checks speak together.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aicourse.notebook.exercises.comparing import equal
from aicourse.tooling.grading.authoring.checks import Arguments, Check, Mistake
from aicourse.tooling.grading.sandbox.execution import Answer


@dataclass(frozen=True, eq=False)
class Trial:
    """One call of a student's answer for one check, judged; `given` is None when a value was looked at."""

    check: Check
    given: Arguments | None
    answer: Answer
    works: bool
    note: str = ""


@dataclass(frozen=True)
class _Wrong:
    """What a mistake's function did: a value, or the name of the error it raised."""

    value: Any = None
    error: str = ""


def recognise(trials: Sequence[Trial]) -> dict[int, str]:
    """The hint for each failed trial (by its `id`) that a known mistake explains.

    When all failures of one mistake are failures of another too, only the one that explains more is named.
    """
    found: list[tuple[str, frozenset[int]]] = []
    for question, mistake in _mistakes(trials):
        mine = [
            trial
            for trial in trials
            if trial.check.question == question and any(mistake is known for known in trial.check.mistakes)
        ]
        if explained := _explained(mistake, mine):
            found.append((mistake.hint, explained))
    largest = [(hint, mine) for hint, mine in found if not any(mine < other for _, other in found)]
    hints: dict[int, str] = {}
    for hint, explained in largest:
        for key in explained:
            hints[key] = f"{hints[key]} {hint}" if key in hints and hint not in hints[key] else hint
    return hints


def _mistakes(trials: Sequence[Trial]) -> list[tuple[str, Mistake]]:
    """Each question's mistakes once, by identity: functions of one shape are different mistakes."""
    known = {
        (trial.check.question, id(mistake)): (trial.check.question, mistake)
        for trial in trials
        for mistake in trial.check.mistakes
    }
    return list(known.values())


def _explained(mistake: Mistake, trials: Sequence[Trial]) -> frozenset[int]:
    """The failed trials that `mistake` explains; empty unless it agrees wherever it is wrong itself."""
    explained = set()
    for trial in trials:
        wrong = _outcome(mistake, trial)
        if wrong is None or _is_right(trial.check, trial.given, wrong):
            continue
        if trial.works or not _agrees(mistake, trial, wrong):
            return frozenset()
        explained.add(id(trial))
    return frozenset(explained)


def _outcome(mistake: Mistake, trial: Trial) -> _Wrong | None:
    """What the mistake gives where the student's answer was called; None when it says nothing about it."""
    if trial.given is None or not callable(mistake.wrong):
        return _Wrong(mistake.wrong) if trial.given is None else None
    call = copy.deepcopy(trial.given)
    try:
        return _Wrong(mistake.wrong(*call.positional, **call.named))
    except Exception as error:
        return _Wrong(error=type(error).__name__)


def _is_right(check: Check, given: Arguments | None, wrong: _Wrong) -> bool:
    if check.error_names:
        return wrong.error in check.error_names
    if wrong.error:
        return False
    call = copy.deepcopy(given) if given is not None else Arguments(())
    try:
        if check.predicate is not None:
            return check.predicate(wrong.value, *call.positional, **call.named) is True
        expected = check.reference
        if given is not None and callable(expected):
            expected = expected(*call.positional, **call.named)
        return bool(check.same(wrong.value, expected))
    except Exception:
        return False


def _agrees(mistake: Mistake, trial: Trial, wrong: _Wrong) -> bool:
    """Whether the student's answer did what the mistake does."""
    answer = trial.answer
    if mistake.recognise is not None and answer.kind == "returned":
        try:
            return bool(mistake.recognise(answer.value))
        except Exception:
            return False
    if wrong.error:
        return answer.kind == "raised" and answer.error == wrong.error
    if answer.kind != "returned":
        return False
    try:
        return equal(answer.value, wrong.value) or bool(trial.check.same(answer.value, wrong.value))
    except Exception:
        return False

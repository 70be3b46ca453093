"""The executor of notebooks: an answer is called here, beside the student's other cells.

Calls and comparisons both run through `calling.attempt`, on copies of the inputs, because a result's `__eq__`
and `__repr__` may be the student's code too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from aicourse.notebook.checks.calling import Outcome, attempt
from aicourse.notebook.checks.judging import Trial, namespace_of, try_answer
from aicourse.notebook.checks.language import Check


def try_checks(checks: Sequence[Check], answer: Any) -> list[Trial]:
    """Each check's calls, in order; after a call that did not finish no more are made."""
    run = partial(attempt, namespace=namespace_of(answer))
    trials: list[Trial] = []
    for check in checks:
        for given in check.draw() or (None,):
            if any(trial.outcome.kind == "endless" for trial in trials):
                trials.append(Trial(check, given, Outcome("skipped"), works=False))
            else:
                trials.append(try_answer(check, given, answer, run))
    return trials

"""Public checks of a homework, in the student's own notebook.

    from aicourse.homework import check, example

    check("q1", read_size, {"reads centimetres": [example("waist 80 cm").gives(80)]})

The cell is generated when the homework is built, and its examples are all there is: the hidden checks stay
with the instructor. `aicourse homework check my.ipynb` runs the same examples on the whole notebook. Each
example is a `Check` of one input, run and shown like those of lessons: it never raises, and it is no sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aicourse.notebook.checks.calling import describe
from aicourse.notebook.checks.comparing import Same, equal, ignoring_case, unordered
from aicourse.notebook.checks.judging import try_checks
from aicourse.notebook.checks.language import Arguments, Check
from aicourse.notebook.exercises.results import CheckResult, Status, finding_of

__all__ = ["COMPARISONS", "Example", "check", "equal", "example", "ignoring_case", "unordered"]

COMPARISONS: Mapping[str, Same] = {
    "equal": equal,
    "unordered": unordered,
    "ignoring_case": ignoring_case,
}
HIDDEN = "These are the public checks. Others, with inputs you have not seen, run when your work is graded."


@dataclass(frozen=True)
class Example:
    """A call, of which nothing is said yet; `gives` and `raises` make a check of it."""

    given: Arguments

    def gives(self, expected: Any, same: Same = equal) -> Check:
        """The call returns `expected`; `same` is `equal`, `unordered` or `ignoring_case`."""
        return Check("", [self.given], reference=lambda *positional, **named: expected, same=same)

    def raises(self, *names: str) -> Check:
        """The call raises an error of one of these classes: `example("").raises("ValueError")`."""
        return Check("", [self.given], raises=names)


def example(*positional: Any, **named: Any) -> Example:
    """A call with these arguments; say what it does with `.gives(…)` or `.raises(…)`."""
    return Example(Arguments(positional, named))


def check(
    question: str, answer: Callable[..., Any], behaviours: Mapping[str, Sequence[Check]]
) -> CheckResult:
    """Try `answer` on the examples of each behaviour; never raises.

    The result displays itself as the last expression of a cell, and is true when all behaviours work.
    """
    if not callable(answer):
        kind = "not written yet" if answer is Ellipsis else f"`{describe(answer)}`, which is no function"
        return CheckResult(question, "", "not started", message=f"The answer is {kind}.")
    target = str(getattr(answer, "__name__", "your function"))
    checks = [
        replace(one, name=behaviour, target=target, public=True)
        for behaviour, examples in behaviours.items()
        for one in examples
    ]
    trials = try_checks(checks, answer)
    if all("NotImplementedError" in trial.outcome.errors for trial in trials):
        return CheckResult(
            question, "", "not started", message=f"Write `{target}`, then run this cell again."
        )
    findings = tuple(
        finding_of(behaviour, [trial for trial in trials if trial.check.name == behaviour])
        for behaviour in behaviours
    )
    status: Status = "solved" if all(finding.works for finding in findings) else "not yet"
    return CheckResult(question, "public checks", status, findings, message=HIDDEN)

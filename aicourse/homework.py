"""Public checks of a homework, in the student's own notebook.

    from aicourse.homework import check, example

    check("q1", read_size, {"reads centimetres": [example("waist 80 cm").gives(80)]})

The cell is generated when the homework is built, and its examples are all there is: the hidden checks stay
with the instructor. `aicourse homework check my.ipynb` runs the same examples on the whole notebook. Like
the checks of lessons, this never raises, and it is no sandbox.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aicourse.notebook.exercises.calling import Outcome, attempt, describe, describe_error
from aicourse.notebook.exercises.comparing import Same, equal, ignoring_case, unordered
from aicourse.notebook.exercises.results import CheckResult, Evidence, Finding, Status

__all__ = ["COMPARISONS", "Example", "check", "equal", "example", "ignoring_case", "unordered"]

COMPARISONS: Mapping[str, Same] = {
    "equal": equal,
    "unordered": unordered,
    "ignoring_case": ignoring_case,
}
SECONDS = 5.0
HIDDEN = "These are the public checks. Others, with inputs you have not seen, run when your work is graded."


@dataclass(frozen=True)
class Example:
    """One call and what it must give, or the names of errors one of which it must raise."""

    positional: tuple[Any, ...]
    named: dict[str, Any] = field(default_factory=dict)
    expected: Any = None
    errors: tuple[str, ...] = ()
    same: Same = equal

    def gives(self, expected: Any, same: Same = equal) -> Example:
        """The call returns `expected`; `same` is `equal`, `unordered` or `ignoring_case`."""
        return replace(self, expected=expected, same=same)

    def raises(self, *names: str) -> Example:
        """The call raises an error of one of these classes: `example("").raises("ValueError")`."""
        return replace(self, errors=names)

    def judge(self, outcome: Outcome) -> bool:
        """Whether a call came out as it must."""
        if self.errors:
            kinds = type(outcome.error).__mro__ if outcome.error is not None else ()
            return any(kind.__name__ in self.errors for kind in kinds)
        return outcome.kind == "returned" and bool(self.same(outcome.value, self.expected))


def example(*positional: Any, **named: Any) -> Example:
    """A call with these arguments; say what it does with `.gives(…)` or `.raises(…)`."""
    return Example(positional, named)


def check(
    question: str, answer: Callable[..., Any], behaviours: Mapping[str, Sequence[Example]]
) -> CheckResult:
    """Try `answer` on the examples of each behaviour; never raises.

    The result displays itself as the last expression of a cell, and is true when all behaviours work.
    """
    if not callable(answer):
        kind = "not written yet" if answer is Ellipsis else f"`{describe(answer)}`, which is no function"
        return CheckResult(question, "", "not started", message=f"The answer is {kind}.")
    name = str(getattr(answer, "__name__", "your function"))
    findings, unwritten = [], []
    for behaviour, examples in behaviours.items():
        outcomes = [_call(answer, given) for given in examples]
        unwritten += [isinstance(outcome.error, NotImplementedError) for outcome in outcomes]
        findings.append(_finding(behaviour, name, list(zip(examples, outcomes, strict=True))))
    if all(unwritten):
        return CheckResult(question, "", "not started", message=f"Write `{name}`, then run this cell again.")
    status: Status = "solved" if all(finding.works for finding in findings) else "not yet"
    return CheckResult(question, "public checks", status, tuple(findings), message=HIDDEN)


def _call(answer: Callable[..., Any], given: Example) -> Outcome:
    call = copy.deepcopy(given)  # what an answer does to its input stays with it
    return attempt(
        lambda: answer(*call.positional, **call.named),
        seconds=SECONDS,
        namespace=getattr(answer, "__globals__", None),
    )


def _finding(behaviour: str, name: str, tried: Sequence[tuple[Example, Outcome]]) -> Finding:
    failed = [(given, outcome) for given, outcome in tried if not _judged(given, outcome)]
    if not failed:
        return Finding(behaviour, "works")
    return Finding(behaviour, "missing", _evidence(name, *failed[0]), others=len(failed) - 1)


def _judged(given: Example, outcome: Outcome) -> bool:
    # the comparison may call code of the student: a result's __len__, say
    return attempt(lambda: given.judge(outcome), seconds=SECONDS, namespace=None).value is True


def _evidence(name: str, given: Example, outcome: Outcome) -> Evidence:
    shown = [describe(value) for value in given.positional]
    shown += [f"{key}={describe(value)}" for key, value in given.named.items()]
    call, printed = f"{name}({', '.join(shown)})", describe(outcome.printed) if outcome.printed else ""
    expected = f"{' or '.join(given.errors)} raised" if given.errors else describe(given.expected)
    if outcome.kind == "endless":
        return Evidence(call, f"did not finish within {SECONDS:g} s", printed=printed)
    if outcome.error is not None:
        return Evidence(call, "raised", describe_error(outcome.error), outcome.where, expected, "", printed)
    return Evidence(call, "returned", describe(outcome.value), "", expected, "", printed)

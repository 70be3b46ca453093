"""The judge: whether an outcome is right, the evidence when it is not, and the known mistake behind it.

One judge for all executors. It is given a check, an input and an `Outcome`, and does not know whether the
call was made in this notebook or in a sandbox. `try_checks` is the executor of notebooks: calls and
comparisons both run through `attempt`, as a result's `__eq__` and `__repr__` may be the student's code too.
"""

from __future__ import annotations

import copy
import inspect
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from types import FunctionType
from typing import Any

from aicourse.notebook.checks.calling import Outcome, attempt, describe, describe_error, student_line
from aicourse.notebook.checks.comparing import equal
from aicourse.notebook.checks.language import Arguments, Check, Mistake

_SHORT, _CUT = 120, 10_000  # characters of a call and its result: few; more than any, as some are left out
_LONG_TEXT, _LONG_LIST = 80, 8  # characters and elements: what a reader compares at a glance
_WRONG_CALL = re.compile(r"\(\) (missing|takes|got an unexpected|got multiple)")
Style = Callable[[str], str]
Attempt = Callable[..., Outcome]
"""Calls code that may fail: `attempt` in a notebook, `call_trusted` for what authors wrote."""


@dataclass(frozen=True)
class Evidence:
    """One call that shows a missing behaviour; empty fields are not shown."""

    call: str = ""
    happened: str = ""
    got: str = ""
    where: str = ""
    expected: str = ""
    difference: str = ""
    note: str = ""
    printed: str = ""

    def lines(self, code: Style, prose: Style) -> list[str]:
        """Plain sentences; `code` and `prose` render their parts for text or HTML."""
        got = f" {code(self.got)}" if self.got else ""
        where = f" ({prose(self.where)})" if self.where else ""
        expected = f"; expected {code(self.expected)}" if self.expected else ""
        sentence = f"{code(self.call)} {self.happened}{got}{where}{expected}." if self.happened else ""
        printed = f"It printed {code(self.printed)}." if self.printed else ""
        return [line for line in (sentence, prose(self.difference), prose(self.note), printed) if line]


@dataclass(frozen=True, eq=False)
class Trial:
    """One outcome, judged; `given` is None when the answer itself was looked at."""

    check: Check
    given: Arguments | None
    outcome: Outcome
    works: bool
    evidence: Evidence = Evidence()
    is_unwritten: bool = False

    @property
    def gives_nothing(self) -> bool:
        """True if the answer gave here what one that is not written yet gives."""
        nothing = self.outcome.value is None or self.outcome.value is Ellipsis
        unwritten = self.is_unwritten or "NotImplementedError" in self.outcome.errors
        return unwritten or (self.outcome.kind == "returned" and nothing)


def clearest(trials: Sequence[Trial]) -> Trial | None:
    """The failed trial that speaks for its check: the first one, or the shortest if that is a long one."""
    failed = [trial for trial in trials if trial.outcome.kind != "skipped" and not trial.works]
    alike = [trial for trial in failed if trial.outcome.kind == failed[0].outcome.kind]
    first = alike[:1]
    return min(first if first and _length(first[0]) <= _SHORT else alike, key=_length, default=None)


def _length(trial: Trial) -> int:
    shown = trial.evidence.call + trial.evidence.expected
    return len(shown) + _CUT * ("…" in shown or "..." in shown)


@dataclass(frozen=True)
class _Verdict:
    """The answer to "is it right?", what was expected and where it differs, and the predicate's words."""

    works: bool
    expected: str = ""
    difference: str = ""
    note: str = ""
    is_unwritten: bool = False


def judge(check: Check, given: Arguments | None, outcome: Outcome) -> Trial:
    """An outcome for one input, judged; raises only what the check's own reference raises."""
    verdict = _verdict(check, given, outcome)
    evidence = Evidence() if verdict.works else _evidence(check, given, outcome, verdict)
    return Trial(check, given, outcome, verdict.works, evidence, verdict.is_unwritten)


def _verdict(check: Check, given: Arguments | None, outcome: Outcome) -> _Verdict:
    if check.error_names:
        works = not set(check.error_names).isdisjoint(outcome.errors)
        return _Verdict(works, f"{' or '.join(check.error_names)} raised")
    if check.predicate is not None:
        if outcome.kind != "returned":
            return _Verdict(False)
        inputs = copy.deepcopy(given) if given is not None else Arguments(())
        return _asked(check.predicate, outcome.value, inputs.positional, inputs.named)
    expected = check.expected(given)
    if outcome.kind != "returned":
        return _Verdict(False, describe(expected))
    verdict = _asked(check.same, outcome.value, (expected,), {})
    if verdict.works:
        return verdict
    return replace(verdict, expected=describe(expected), difference=first_difference(outcome.value, expected))


def _asked(
    question: Callable[..., bool | str], value: Any, others: tuple[Any, ...], named: dict[str, Any]
) -> _Verdict:
    """A predicate's verdict; its error is one too, because the value may lack what it looks at."""
    try:
        verdict = question(value, *others, **named)
    except NotImplementedError as error:  # the value is a function that is not written yet
        return _Verdict(False, note=f"Testing it raised {describe_error(error)}.", is_unwritten=True)
    except Exception as error:
        line = student_line(error, namespace_of(value))
        ending = f" ({line})." if line else ". Is a part of it missing, or of another type?"
        return _Verdict(False, note=f"Testing it raised {describe_error(error)}{ending}")
    return _Verdict(False, note=verdict) if isinstance(verdict, str) else _Verdict(bool(verdict))


def _evidence(check: Check, given: Arguments | None, outcome: Outcome, verdict: _Verdict) -> Evidence:
    call, expected = call_text(check.target, given), verdict.expected if check.shows_expected else ""
    printed = describe(outcome.printed) if outcome.printed else ""
    if outcome.kind == "raised":
        return Evidence(
            call, "raised", outcome.error, outcome.where, expected, note=verdict.note, printed=printed
        )
    if outcome.kind == "endless":
        return Evidence(call, f"did not finish within {check.seconds:g} s", printed=printed)
    got = describe(outcome.value)
    got += f" (of type {type(outcome.value).__name__})" if got == verdict.expected else ""
    difference = verdict.difference if check.shows_expected else ""
    happened = "returned" if given else ""
    return Evidence(call, happened, got, "", expected, difference, verdict.note, printed)


def first_difference(got: Any, expected: Any) -> str:
    """The place where two long lists or texts begin to differ, in one sentence; empty for short ones.

    >>> first_difference(list(range(20)), [*range(19), 0])
    'At position 19: `19` instead of `0`.'
    """
    if isinstance(got, str) and isinstance(expected, str) and len(expected) > _LONG_TEXT:
        place = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(got, expected, strict=False)))
        seen, wanted = (describe(text[max(0, place - 20) : place + 20]) for text in (got, expected))
        return f"From character {place} on they differ: `{seen}` instead of `{wanted}`."
    kinds = (list, tuple)
    if not (isinstance(got, kinds) and isinstance(expected, kinds)) or len(expected) <= _LONG_LIST:
        return ""
    pairs = enumerate(zip(got, expected, strict=False))
    places = [place for place, (mine, theirs) in pairs if not equal(mine, theirs)]
    if not places:
        return f"It has {len(got)} elements instead of {len(expected)}."
    more = f"; {len(places) - 1} more differ" if len(places) > 1 else ""
    first = places[0]
    return f"At position {first}: `{describe(got[first])}` instead of `{describe(expected[first])}`{more}."


def call_text(target: str, given: Arguments | None) -> str:
    """A call as one would write it: `read_size('a shelf', unit='cm')`."""
    if given is None:
        return target
    shown = [describe(value) for value in given.positional]
    shown += [f"{name}={describe(value)}" for name, value in given.named.items()]
    return f"{target}({', '.join(shown)})"


def namespace_of(answer: Any) -> dict[str, Any] | None:
    """The globals of the file or notebook in which an answer was written."""
    if inspect.isfunction(answer):
        written: FunctionType = inspect.unwrap(answer)
        return written.__globals__
    module = sys.modules.get(str(getattr(answer, "__module__", "")))
    return vars(module) if module else None


@dataclass(frozen=True, eq=False)
class Recognised:
    """A known mistake's hint, and the failed trials that it explains."""

    hint: str
    trials: frozenset[Trial]


def recognise(trials: Sequence[Trial], run: Attempt) -> list[Recognised]:
    """The known mistakes that explain failed trials, over all checks that list them.

    On every input where a mistake goes wrong, the answer must have done the same: one input alone could
    agree by luck. When all failures of one mistake are failures of another too, only the one that explains
    more is named.
    """
    mistakes = {
        (trial.check.question, id(mistake)): mistake for trial in trials for mistake in trial.check.mistakes
    }
    found = []
    for (question, _), mistake in mistakes.items():
        mine = [
            trial for trial in trials if trial.check.question == question and _lists(trial.check, mistake)
        ]
        if explained := _explained(mistake, mine, run):
            found.append(Recognised(mistake.hint, explained))
    return [one for one in found if not any(one.trials < other.trials for other in found)]


def _lists(check: Check, mistake: Mistake) -> bool:
    # by identity: functions of one shape are different mistakes
    return any(mistake is listed for listed in check.mistakes)


def _explained(mistake: Mistake, trials: Sequence[Trial], run: Attempt) -> frozenset[Trial]:
    """The failed trials that a mistake explains; empty unless the answer agrees wherever it is wrong."""
    explained = set()
    for trial in trials:
        if trial.given is not None and not callable(mistake.wrong):
            continue  # data says nothing about a call
        if trial.given is None and (mistake.recognise or not callable(mistake.wrong)):
            is_wrong, agrees = not trial.works, _is_same_data(mistake, trial, run)
        else:
            wrong = try_answer(trial.check, trial.given, mistake.wrong, run)
            is_wrong, agrees = not wrong.works, _agree(trial, wrong, run)
        if is_wrong and not agrees:
            return frozenset()
        if is_wrong:
            explained.add(trial)
    return frozenset(explained)


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


def try_answer(check: Check, given: Arguments | None, answer: Any, run: Attempt) -> Trial:
    """Call an answer with one input and judge what it does; both by `run`, on copies of the input."""
    if given is None:
        outcome = Outcome("returned", answer)
    else:
        call = copy.deepcopy(given)  # what an answer does to its input stays with it
        outcome = run(lambda: answer(*call.positional, **call.named), seconds=check.seconds)
    judged = run(lambda: judge(check, given, outcome), seconds=check.seconds)
    if isinstance(judged.value, Trial):
        return judged.value
    reason = f"raised {judged.error}" if judged.kind == "raised" else "did not finish"
    return Trial(check, given, judged, False, Evidence(note=f"Testing it {reason}."))


def _is_same_data(mistake: Mistake, trial: Trial, run: Attempt) -> bool:
    if trial.outcome.kind != "returned":
        return False
    value, same = trial.outcome.value, trial.check.same

    def compare() -> bool:
        if mistake.recognise is not None:
            return bool(mistake.recognise(value))
        return equal(value, mistake.wrong) or bool(same(value, mistake.wrong))

    return run(compare, seconds=trial.check.seconds).value is True


def _agree(trial: Trial, wrong: Trial, run: Attempt) -> bool:
    """True if an answer failed in the same way as a known mistake."""
    mine, theirs, same = trial.outcome, wrong.outcome, trial.check.same
    if trial.works:
        return False
    if trial.given is None:
        return callable(mine.value) and trial.evidence.note == wrong.evidence.note
    if mine.kind != theirs.kind:
        return False
    if mine.kind == "raised":
        return _same_error(mine, theirs)
    if mine.kind == "endless":
        return True
    compared = run(
        lambda: equal(mine.value, theirs.value) or bool(same(mine.value, theirs.value)),
        seconds=trial.check.seconds,
    )
    return compared.value is True


def _same_error(mine: Outcome, wrong: Outcome) -> bool:
    """Errors of one type are one mistake, except those of any misspelt name or wrong list of parameters."""
    slips = not {"NameError", "AttributeError"}.isdisjoint(wrong.errors) or _WRONG_CALL.search(mine.message)
    return mine.errors[0] == wrong.errors[0] and (not slips or mine.error == wrong.error)

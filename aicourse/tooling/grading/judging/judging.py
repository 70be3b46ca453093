"""Questions to one submission, and what its answers are worth. Pure: no code of a student runs here.

    asked = plan(assignment, "s-1042")      # the calls, with the inputs drawn for this student
    execution = execute(Job(notebook, asked.calls))
    results = judge(asked, execution.answers, ask)

Answers are plain data by then, and they are compared with the instructor's reference in this process. Of a
hidden check, the student reads our words alone: a name or a message that student code chose could carry the
input out. And an error, a yes or a no earns nothing where that is all an answer ever gets right: what always
raises is no validation.
"""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aicourse.errors import AicourseError, AssignmentError
from aicourse.notebook.checks import Arguments, Check, judging
from aicourse.notebook.checks.calling import Outcome, call_trusted, shorten
from aicourse.notebook.checks.judging import Recognised, Trial, recognise
from aicourse.notebook.checks.language import SECONDS
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.authoring.checks_file import (
    AnyCheck,
    LevelCheck,
    PromptCheck,
    ScoredCheck,
    reference_failed,
)
from aicourse.tooling.grading.judging.results import CheckKind, CheckOutcome
from aicourse.tooling.grading.sandbox.encoding import decoded
from aicourse.tooling.grading.sandbox.execution import Answer, StudentCall
from aicourse.tooling.grading.submissions.shown_text import plain_text

Ask = Callable[[dict[str, Any]], str]
"""A chat completion's body -> the reply's text; raises an AicourseError when nobody can be asked."""

_FAILURES = {
    "missing": "There is no `{target}` after the notebook has run. Was it renamed, or did its cell fail?",
    "endless": "`{target}` did not finish within {seconds:g} s.",
    "dead": "Calling `{target}` ended the notebook's process.",
}

_COMMON_ERRORS = (
    *("AttributeError", "IndexError", "KeyError", "LookupError", "NameError"),
    *("RecursionError", "TypeError", "ValidationError", "ValueError", "ZeroDivisionError"),
)
_EMPTY = (type(None), bool, int, float, str, list, tuple, dict, set, frozenset)
_UNPROVEN = (
    "`{target}` does this, but it gets nothing else right, so it may do the same on every input. "
    "It counts once another result is right too."
)


@dataclass(frozen=True, eq=False)
class PlannedCheck:
    """One check and its calls: `inputs` is empty when the value itself is looked at."""

    check: AnyCheck
    inputs: tuple[Arguments, ...]

    @property
    def calls(self) -> tuple[StudentCall, ...]:
        """The calls to make in the submission, in order."""
        target, seconds = self.check.target, self.check.seconds or SECONDS
        if not self.inputs:
            return (StudentCall(target, seconds=seconds),)
        if isinstance(self.check, ScoredCheck) and (dialogue := self.check.dialogue):
            return tuple(
                StudentCall(target, seconds=seconds, dialogue=dialogue(item)) for item in self.inputs
            )
        return tuple(
            StudentCall(target, item.positional, item.named, seconds) for item in copy.deepcopy(self.inputs)
        )


@dataclass(frozen=True)
class Plan:
    """All checks of an assignment for one student."""

    assignment: str
    student: str
    checks: tuple[PlannedCheck, ...]

    @property
    def calls(self) -> tuple[StudentCall, ...]:
        """All calls, check by check; answers come in the same order."""
        return tuple(call for planned in self.checks for call in planned.calls)


def plan(assignment: Assignment, student: str) -> Plan:
    """The checks with the inputs drawn for `student`: the same ones whenever and wherever they are drawn.

    Checks whose evidence is shown come first: code that has seen a hidden input could repeat it there.

    Raises:
        AssignmentError: a check's `inputs` function fails or gives nothing.
    """
    planned = [PlannedCheck(check, _draw(assignment, check, student)) for check in assignment.checks]
    planned.sort(key=lambda one: not (isinstance(one.check, Check) and one.check.shows_expected))
    return Plan(assignment.name, student, tuple(planned))


def _draw(assignment: Assignment, check: AnyCheck, student: str) -> tuple[Arguments, ...]:
    if isinstance(check, PromptCheck):
        return ()
    if isinstance(check, ScoredCheck):
        return check.draw()
    rng = random.Random("\n".join((assignment.name, assignment.seed, student, check.question, check.name)))
    try:
        inputs = check.draw(rng)
    except Exception as error:
        raise AssignmentError(
            f"{check.place}: drawing its inputs fails ({type(error).__name__}: {error}). Correct `inputs`."
        ) from error
    if check.inputs and not inputs:
        raise AssignmentError(f"{check.place} drew no inputs, so it would test nothing. Correct `inputs`.")
    return inputs


def judge(plan: Plan, answers: Sequence[Answer], ask: Ask | None = None) -> tuple[CheckOutcome, ...]:
    """One outcome per check, in the plan's order; `answers` are those to `plan.calls`.

    A prompt check without `ask`, or one that cannot be asked, is "pending". Nothing that an answer holds
    makes this raise.

    Raises:
        AssignmentError: a reference of `checks.py` cannot be run.
    """
    taken = map(decoded, answers)
    judged: list[tuple[Check, list[Trial]] | CheckOutcome] = []
    for planned in plan.checks:
        given = [next(taken, Answer("missing")) for _ in planned.calls]
        if isinstance(planned.check, PromptCheck):
            judged.append(_judge_prompt(planned.check, given[0], ask))
        elif isinstance(planned.check, ScoredCheck):
            judged.append(_judge_scored(planned.check, planned.inputs, given))
        else:
            judged.append((planned.check, _trials(planned.check, planned.inputs, given)))
    trials = [trial for one in judged if isinstance(one, tuple) for trial in one[1]]
    known, unproven = recognise(trials, call_trusted), _unproven(trials)
    return tuple(_outcome(*one, known, unproven) if isinstance(one, tuple) else one for one in judged)


def _trials(check: Check, inputs: Sequence[Arguments], answers: Sequence[Answer]) -> list[Trial]:
    """A sandbox's answers, judged by the judge that lessons have."""
    pairs = zip(inputs or (None,), answers, strict=True)
    return [_trial(check, given, answer) for given, answer in pairs]


def _trial(check: Check, given: Arguments | None, answer: Answer) -> Trial:
    errors = (answer.error,) if answer.kind == "raised" else ()
    outcome = Outcome(answer.kind, answer.value, errors, answer.message, printed=answer.printed)
    try:
        return judging.judge(check, given, outcome)
    except Exception as error:
        raise reference_failed(check, given, error) from error


def _unproven(trials: Sequence[Trial]) -> set[Trial]:
    """Right outcomes that prove nothing: only errors, or only one yes, no or nothing; the rest is wrong."""
    called = [trial for trial in trials if trial.given is not None]
    found: set[Trial] = set()
    for place in dict.fromkeys((trial.check.question, trial.check.target) for trial in called):
        mine = [trial for trial in called if (trial.check.question, trial.check.target) == place]
        right = [trial for trial in mine if trial.works]
        said = {_says_little(trial.outcome) for trial in right}
        if len(right) < len(mine) and len(said) == 1 and "" not in said:
            found.update(right)
    return found


def _says_little(outcome: Outcome) -> str:
    """The outcome in a word if a constant function could easily give it, else ""."""
    if outcome.kind == "raised":
        return "raised"
    is_empty = type(outcome.value) in _EMPTY and (outcome.value is True or not outcome.value)
    return repr(outcome.value) if is_empty else ""


def _outcome(
    check: Check, trials: Sequence[Trial], known: Sequence[Recognised], unproven: set[Trial]
) -> CheckOutcome:
    failed = judging.clearest(trials)
    hints = dict.fromkeys(one.hint for one in known if not one.trials.isdisjoint(trials))
    passed = failed is None and unproven.isdisjoint(trials)
    told = "" if passed else _UNPROVEN.format(target=check.target)
    kind: CheckKind = "passed" if passed else "failed"
    if failed is not None:
        kind = "failed" if failed.outcome.kind == "returned" else failed.outcome.kind
        told = _what_happened(failed)
    return CheckOutcome(
        question=check.question,
        name=check.name,
        points=check.points,
        earned=check.points if passed else 0,
        passed=passed,
        kind=kind,
        message=plain_text(f"{told} {check.message if failed else ''}".strip()),
        hint=plain_text(" ".join(hints)),
    )


def _what_happened(trial: Trial) -> str:
    """One sentence that gives away neither a hidden input nor what was expected, unless that is allowed."""
    check, outcome, seen = trial.check, trial.outcome, trial.evidence
    call = f"`{seen.call if check.shows_expected else check.target}`"
    if outcome.kind in _FAILURES:
        return _FAILURES[outcome.kind].format(target=check.target, seconds=check.seconds)
    if "NotImplementedError" in outcome.errors:
        return "It is not written yet."
    if not check.shows_expected:
        return _hidden(check.target, outcome.kind, outcome.errors[0] if outcome.errors else "")
    if outcome.kind == "unreadable":
        return f"What {call} gives is no plain data ({shorten(outcome.message, 120) or 'of another kind'})."
    if outcome.kind == "raised":
        text = f": {shorten(outcome.message, 200)}" if outcome.message else ""
        return f"{call} raised {shorten(outcome.errors[0], 60)}{text}."
    if seen.note:
        return shorten(seen.note, 300)
    if check.error_names:
        return f"{call} gave `{seen.got}`; it should raise {' or '.join(check.error_names)}."
    expected = f"; expected `{seen.expected}`." if seen.expected else "."
    return f"{call} gave `{seen.got}`{expected} {seen.difference}".rstrip()


def _hidden(target: str, kind: str, error: str) -> str:
    """One sentence of our own: student code, which has seen the input, chose the error and the type."""
    if kind == "unreadable":
        return f"What `{target}` gives is no plain data."
    if kind == "raised":
        return f"`{target}` raised {error if error in _COMMON_ERRORS else 'an error'}."
    return f"`{target}` does not do this yet."


def _judge_scored(check: ScoredCheck, inputs: Sequence[Arguments], answers: Sequence[Answer]) -> CheckOutcome:
    lost = next((answer for answer in answers if answer.kind != "returned"), None)
    if lost and all(answer.kind == lost.kind and answer.error == lost.error for answer in answers):
        unwritten = lost.error == "NotImplementedError"
        told = "It is not written yet." if unwritten else _without_answer(check, lost)
        return _level_outcome(check, lost.kind, told)
    pairs = zip(answers, inputs, strict=True)
    scores = [_score_of(check, answer, given) for answer, given in pairs]
    count = sum(answer.kind != "returned" for answer in answers)
    told = f"For {count} there was no answer. " if count else ""
    told += check.summary([answer.value for answer in answers if answer.kind == "returned"])
    return _level(check, sum(scores) / len(scores), len(scores), "inputs", told)


def _score_of(check: ScoredCheck, answer: Answer, given: Arguments) -> float:
    if answer.kind != "returned":
        return 0.0
    try:
        score = float(check.score(answer.value, copy.deepcopy(given)))
    except Exception:  # an answer of a shape that nobody has thought of
        return 0.0
    return score if check.worst <= score <= 1 else 0.0


def _without_answer(check: ScoredCheck, answer: Answer) -> str:
    """The reason why no call gave an answer."""
    if answer.kind in _FAILURES:
        return _FAILURES[answer.kind].format(target=check.target, seconds=check.seconds)
    told = _hidden(check.target, answer.kind, answer.error)
    return f"{told[:-1]} on all {len(check.inputs)} hidden inputs." if answer.kind == "raised" else told


def _judge_prompt(check: PromptCheck, answer: Answer, ask: Ask | None) -> CheckOutcome:
    kind, problem = _prompt_problem(check, answer)
    if problem:
        return _level_outcome(check, kind, problem)
    if ask is None:
        message = "could not be graded yet: no model was asked. Grade with a model."
        return _level_outcome(check, "pending", message)
    try:
        replies = [ask(check.request(answer.value, case)) for case in check.cases]
    except AicourseError as error:
        return _level_outcome(check, "pending", f"could not be graded yet: {error.message}")
    scores = [check.score(reply, case) for reply, case in zip(replies, check.cases, strict=True)]
    return _level(check, sum(scores) / len(scores), len(scores), "cases")


def _prompt_problem(check: PromptCheck, answer: Answer) -> tuple[CheckKind, str]:
    """A reason not to ask a prompt, "" when there is none."""
    prompt = answer.value
    if answer.kind in _FAILURES:
        return answer.kind, _FAILURES[answer.kind].format(target=check.target, seconds=check.seconds)
    if answer.kind != "returned":
        return "unreadable", f"`{check.target}` is no text."
    if not isinstance(prompt, str) or not prompt.strip():
        return "failed", f"`{check.target}` must be a text that is not empty. {check.message}".strip()
    if len(prompt) > check.most_characters:
        allowed = f"{check.most_characters:,} are allowed."
        return "failed", f"`{check.target}` has {len(prompt):,} characters; {allowed}"
    return "failed", check.problem(prompt)


def _level(check: LevelCheck, mean: float, count: int, cases: str, told: str = "") -> CheckOutcome:
    """The points of the level reached, and what the next one needs."""
    earned = check.points_for(mean)
    better = sorted(least for least, points in check.levels if points > earned)
    reached = math.floor(1000 * mean) / 1000  # 0.2398 is not told as 0.24, which would be the next level
    message = f"{told}{check.measure} {reached:.3f} on {count} hidden {cases}"
    message += f"; the next level needs {better[0]:.2f}. {check.message}" if better else "."
    return _level_outcome(check, "failed" if better else "passed", message.strip(), earned)


def _level_outcome(check: LevelCheck, kind: CheckKind, message: str, earned: float = 0) -> CheckOutcome:
    return CheckOutcome(
        question=check.question,
        name=check.name,
        points=check.points,
        earned=earned,
        passed=kind == "passed",
        kind=kind,
        message=plain_text(message),
    )

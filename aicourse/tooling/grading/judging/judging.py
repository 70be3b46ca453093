"""What to ask of one submission, and what its answers are worth. Pure: no code of a student runs here.

    asked = plan(assignment, "s-1042")      # the calls, with the inputs drawn for this student
    execution = execute(Job(notebook, asked.calls))
    results = judge(asked, execution.answers, ask)

Answers are plain data by then, and they are compared with the instructor's reference in this process.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aicourse.errors import AicourseError, AssignmentError
from aicourse.notebook.exercises.calling import describe, shorten
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.authoring.checks import Arguments, Check, CheckKind, CheckResult, PromptCheck
from aicourse.tooling.grading.judging.recognising import Trial, recognise
from aicourse.tooling.grading.sandbox.execution import Answer, Call

Ask = Callable[[dict[str, Any]], str]
"""A chat completion's body -> the reply's text; raises an AicourseError when nobody can be asked."""

_FAILURES = {
    "missing": "There is no `{target}` after the notebook has run. Was it renamed, or did its cell fail?",
    "endless": "`{target}` did not finish within {seconds:g} s.",
    "dead": "Calling `{target}` ended the notebook's process.",
}


@dataclass(frozen=True, eq=False)
class PlannedCheck:
    """One check and its calls: `inputs` is empty when the value itself is looked at."""

    check: Check | PromptCheck
    inputs: tuple[Arguments, ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        """What to ask of the submission, in order."""
        check = self.check
        if not self.inputs:
            return (Call(check.target, seconds=check.seconds),)
        return tuple(
            Call(check.target, item.positional, item.named, check.seconds)
            for item in copy.deepcopy(self.inputs)
        )


@dataclass(frozen=True)
class Plan:
    """All checks of an assignment for one student."""

    assignment: str
    student: str
    checks: tuple[PlannedCheck, ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls, check by check; answers come in the same order."""
        return tuple(call for planned in self.checks for call in planned.calls)


def plan(assignment: Assignment, student: str, *, public_only: bool = False) -> Plan:
    """The checks with the inputs drawn for `student`: the same ones whenever and wherever they are drawn.

    Raises:
        AssignmentError: a check's `inputs` function fails or gives nothing.
    """
    checks = (check for check in assignment.checks if check.public or not public_only)
    planned = tuple(PlannedCheck(check, _draw(assignment, check, student)) for check in checks)
    return Plan(assignment.name, student, planned)


def _draw(assignment: Assignment, check: Check | PromptCheck, student: str) -> tuple[Arguments, ...]:
    if isinstance(check, PromptCheck):
        return ()
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


def judge(plan: Plan, answers: Sequence[Answer], ask: Ask | None = None) -> tuple[CheckResult, ...]:
    """One result per check, in the plan's order; `answers` are those to `plan.calls`.

    A prompt check without `ask`, or one that cannot be asked, is "pending". Nothing that an answer holds
    makes this raise.

    Raises:
        AssignmentError: a reference or a known mistake of `checks.py` cannot be run.
    """
    taken = iter(answers)
    trials: dict[PlannedCheck, list[Trial]] = {}
    results: dict[PlannedCheck, CheckResult] = {}
    for planned in plan.checks:
        given = [next(taken, Answer("missing")) for _ in planned.calls]
        if isinstance(planned.check, PromptCheck):
            results[planned] = _judge_prompt(planned.check, given[0], ask)
        else:
            trials[planned] = list(_trials(planned.check, planned.inputs, given))
            results[planned] = _result(planned.check, trials[planned])
    hints = recognise([trial for mine in trials.values() for trial in mine])
    return tuple(_with_hint(results[planned], hints, trials.get(planned, ())) for planned in plan.checks)


def _with_hint(result: CheckResult, hints: dict[int, str], trials: Sequence[Trial]) -> CheckResult:
    found = dict.fromkeys(hints[id(trial)] for trial in trials if id(trial) in hints)
    hint = " ".join(found)
    return result if not hint else CheckResult(**{**vars(result), "hint": hint})


def _trials(check: Check, inputs: Sequence[Arguments], answers: Sequence[Answer]) -> Iterator[Trial]:
    for given, answer in zip(inputs or (None,), answers, strict=True):
        works, note = _verdict(check, given, answer)
        yield Trial(check, given, answer, works, note)


def _verdict(check: Check, given: Arguments | None, answer: Answer) -> tuple[bool, str]:
    """Whether the answer is right, and a predicate's words when it is not."""
    if check.error_names:
        return answer.kind == "raised" and answer.error in check.error_names, ""
    if answer.kind != "returned":
        return False, ""
    if check.predicate is not None:
        return _ask_predicate(check, given, answer.value)
    expected = check.expected(given)
    try:
        return bool(check.same(answer.value, expected)), ""
    except Exception:  # a comparison that did not reckon with this type of answer
        return False, f"It has a shape that cannot be compared: {describe(answer.value)}"


def _ask_predicate(check: Check, given: Arguments | None, value: Any) -> tuple[bool, str]:
    assert check.predicate is not None
    call = copy.deepcopy(given) if given is not None else Arguments(())
    try:
        verdict = check.predicate(value, *call.positional, **call.named)
    except Exception:  # the value may lack what the predicate looks at
        return False, f"It has a shape that cannot be judged: {describe(value)}"
    return (False, verdict) if isinstance(verdict, str) else (bool(verdict), "")


def _result(check: Check, trials: Sequence[Trial]) -> CheckResult:
    failed = next((trial for trial in trials if not trial.works), None)
    if failed is None:
        return CheckResult(
            check.question, check.name, check.points, check.points, True, "passed", public=check.public
        )
    kind: CheckKind = "failed" if failed.answer.kind == "returned" else failed.answer.kind
    message = " ".join(part for part in (_what_happened(check, failed), check.message) if part)
    return CheckResult(check.question, check.name, check.points, 0, False, kind, message, public=check.public)


def _what_happened(check: Check, trial: Trial) -> str:
    """One sentence that gives away neither a hidden input nor what was expected, unless that is allowed."""
    answer, shown = trial.answer, check.public or check.show_expected
    call = _call_text(check, trial.given) if shown else f"`{check.target}`"
    if answer.kind in _FAILURES:
        return _FAILURES[answer.kind].format(target=check.target, seconds=check.seconds)
    if answer.kind == "unreadable":
        return f"What {call} gives is no plain data ({shorten(answer.message, 120) or 'of another kind'})."
    if answer.kind == "raised":
        unwritten = "It is not written yet." if answer.error == "NotImplementedError" else ""
        # the message of an error may quote the input that caused it
        text = f": {shorten(answer.message, 200)}" if shown and answer.message else ""
        return unwritten or f"{call} raised {shorten(answer.error, 60)}{text}."
    if trial.note:
        return shorten(trial.note, 300) if shown else f"{call} does not do this yet."
    if not shown:
        return f"{call} does not do this yet."
    if check.error_names:
        return f"{call} gave `{describe(answer.value)}`; it should raise {' or '.join(check.error_names)}."
    expected = describe(check.expected(trial.given))
    return f"{call} gave `{describe(answer.value)}`; expected `{expected}`."


def _call_text(check: Check, given: Arguments | None) -> str:
    if given is None:
        return f"`{check.target}`"
    shown = [describe(value) for value in given.positional]
    shown += [f"{name}={describe(value)}" for name, value in given.named.items()]
    return f"`{check.target}({', '.join(shown)})`"


def _judge_prompt(check: PromptCheck, answer: Answer, ask: Ask | None) -> CheckResult:
    def result(kind: CheckKind, message: str, earned: float = 0) -> CheckResult:
        done = earned >= check.points
        return CheckResult(check.question, check.name, check.points, earned, done, kind, message)

    prompt = answer.value
    if answer.kind != "returned":
        if answer.kind in _FAILURES:
            return result(answer.kind, _FAILURES[answer.kind].format(target=check.target, seconds=5))
        return result("unreadable", f"`{check.target}` is no text.")
    if not isinstance(prompt, str) or not prompt.strip():
        return result("failed", f"`{check.target}` must be a text that is not empty. {check.message}".strip())
    if len(prompt) > check.most_characters:
        return result(
            "failed",
            f"`{check.target}` has {len(prompt):,} characters; {check.most_characters:,} are allowed.",
        )
    if problem := check.problem(prompt):
        return result("failed", problem)
    if ask is None:
        return result("pending", "could not be graded yet: no model was asked. Grade with a model.")
    try:
        replies = [ask(check.request(prompt, case)) for case in check.cases]
    except AicourseError as error:
        return result("pending", f"could not be graded yet: {error.message}")
    scores = [check.score(reply, case) for reply, case in zip(replies, check.cases, strict=True)]
    mean = sum(scores) / len(scores)
    return _level(check, mean)


def _level(check: PromptCheck, mean: float) -> CheckResult:
    """The points of the level reached, and what the next one needs."""
    earned = check.points_for(mean)
    better = sorted(least for least, points in check.levels if points > earned)
    message = f"{check.measure} {mean:.2f} on {len(check.cases)} hidden cases"
    message += f"; the next level needs {better[0]:.2f}. {check.message}" if better else "."
    done = not better
    return CheckResult(
        check.question,
        check.name,
        check.points,
        earned,
        done,
        "passed" if done else "failed",
        message.strip(),
    )

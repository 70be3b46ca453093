"""What answers are worth: plans that repeat, points, sentences that give nothing away, known mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny import TINY, copy_tiny, edit_checks

from aicourse.errors import AicourseError, AssignmentError
from aicourse.notebook.checks import Check, Mistake, arguments, unordered
from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.authoring.checks_file import PromptCase, PromptCheck, ScoredCheck
from aicourse.tooling.grading.judging.judging import Plan, PlannedCheck, judge, plan
from aicourse.tooling.grading.judging.results import CheckOutcome
from aicourse.tooling.grading.sandbox.execution import Answer, StudentCall


@pytest.fixture
def tiny() -> Assignment:
    return load_assignment(TINY)


def planned(*checks: Check | PromptCheck | ScoredCheck) -> Plan:
    return Plan("hw", "s1", tuple(PlannedCheck(check, _inputs(check)) for check in checks))


def _inputs(check: Check | PromptCheck | ScoredCheck) -> Any:
    return () if isinstance(check, PromptCheck) else check.draw()


def answers_of(asked: Plan, namespace: dict[str, Any]) -> list[Answer]:
    """What a submission with these names would answer."""
    return [_answer(call, namespace) for call in asked.calls]


def _answer(call: StudentCall, namespace: dict[str, Any]) -> Answer:
    value = namespace[call.target]
    if call.arguments is None:
        return Answer("returned", value)
    try:
        return Answer("returned", value(*call.arguments, **call.named))
    except Exception as error:
        return Answer("raised", error=type(error).__name__, message=str(error))


def test_a_student_gets_the_same_inputs_again_and_another_student_others(tiny: Assignment) -> None:
    assert plan(tiny, "s1").calls == plan(tiny, "s1").calls == plan(load_assignment(TINY), "s1").calls
    assert plan(tiny, "s1").calls != plan(tiny, "s2").calls


def test_another_seed_draws_other_inputs(tiny: Assignment, tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)
    edit_checks(folder, 'seed = "tests"', 'seed = "next year"')
    assert plan(tiny, "s1").calls != plan(load_assignment(folder), "s1").calls


@pytest.mark.parametrize(("inputs", "problem"), [("1 / 0", "ZeroDivisionError"), ("[]", "drew no inputs")])
def test_inputs_that_cannot_be_drawn_are_the_authors_mistake(
    inputs: str, problem: str, tmp_path: Path
) -> None:
    folder = copy_tiny(tmp_path)
    edit_checks(folder, 'inputs=[arguments("a 5 m cable", unit="m")]', f"inputs=lambda rng: {inputs}")
    with pytest.raises(AssignmentError, match=problem):
        plan(load_assignment(folder), "s1")


def test_right_answers_earn_all_points(tiny: Assignment) -> None:
    read_size = tiny.checks[0].reference  # type: ignore[union-attr]
    asked = plan(tiny, "s1")
    results = judge(asked, answers_of(asked, {"read_size": read_size, "COLOURS": ["white", "blue"]}))
    assert [(result.earned, result.passed, result.message) for result in results] == [
        (1, True, ""),
        (2, True, ""),
        (1, True, ""),
        (2, True, ""),
    ]


def test_a_known_mistake_is_named_and_a_hidden_input_is_not(tiny: Assignment) -> None:
    first_number = tiny.checks[0].mistakes[0].wrong  # type: ignore[union-attr]
    asked = plan(tiny, "s1")
    drawn = asked.calls[2].arguments
    assert drawn is not None
    failed = judge(asked, answers_of(asked, {"read_size": first_number, "COLOURS": ["blue"]}))[1]
    assert failed == CheckOutcome(
        question="q1",
        name="takes no other number for a size",
        points=2,
        earned=0,
        passed=False,
        kind="failed",
        message="`read_size` does not do this yet. A number without a unit is no size.",
        hint="You take the first number. Which one has a unit?",
    )
    assert drawn[0] not in repr(failed)


def square(x: float) -> float:
    return x * x


def double(x: float) -> float:
    return 2 * x


def check(**fields: Any) -> Check:
    given: dict[str, Any] = {"question": "q1", "name": "squares", "target": "square", "points": 3}
    return Check(**{**given, "inputs": [3, 4], "reference": square, **fields})


def verdict(asked: Check | PromptCheck | ScoredCheck, *answers: Answer, **options: Any) -> CheckOutcome:
    return judge(planned(asked), answers, **options)[0]


def gives(*values: Any) -> list[Answer]:
    return [Answer("returned", value) for value in values]


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (Answer("missing"), "missing", "There is no `square` after the notebook has run"),
        (Answer("endless"), "endless", "`square` did not finish within 5 s."),
        (Answer("dead"), "dead", "Calling `square` ended the notebook's process."),
        (Answer("unreadable", message="It is a Box."), "unreadable", "`square` gives is no plain data."),
        (Answer("raised", error="ValueError", message="SECRET"), "raised", "`square` raised ValueError."),
        (Answer("raised", error="NotImplementedError"), "raised", "It is not written yet."),
        (Answer("returned", 10), "failed", "`square` does not do this yet."),
    ],
)
def test_each_kind_of_answer_has_its_sentence(answer: Answer, kind: str, message: str) -> None:
    result = verdict(check(), Answer("returned", 9), answer)
    assert (result.kind, result.earned) == (kind, 0)
    assert message in result.message
    assert "SECRET" not in result.message


@pytest.mark.parametrize(
    "answer",
    [
        Answer("raised", error="SECRET", message="SECRET"),
        Answer("raised", error="ValueError", message="SECRET"),
        Answer("unreadable", message="It is an object of type SECRET, not plain data."),
        Answer("unreadable", message="SECRET"),
        Answer("dead", message="SECRET", printed="SECRET"),
        Answer("returned", "SECRET", printed="SECRET"),
    ],
)
def test_nothing_that_student_code_chose_is_told_of_a_hidden_check(answer: Answer) -> None:
    """It has seen the hidden input, and could carry it out."""
    for asked in (check(), scored_check(target="square", inputs=[3, 4])):
        assert "SECRET" not in repr(verdict(asked, answer, answer))


def test_shown_checks_are_asked_before_any_hidden_input_is_seen(tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)
    edit_checks(folder, 'target="COLOURS",', 'target="COLOURS", show_expected=True,')
    targets = [call.target for call in plan(load_assignment(folder), "s1").calls]
    assert targets == ["read_size", "read_size", "COLOURS", *["read_size"] * 4]


def refuses(**fields: Any) -> Check:
    raising = {"reference": None, "raises": "ValueError", "inputs": [-1, -2]}
    return check(**{"name": "refuses", **raising, **fields})


@pytest.mark.parametrize(
    ("given", "earned"),
    [
        ([Answer("raised", error="ValueError")] * 4, [0, 0]),
        ([*gives(1, 16), *[Answer("raised", error="ValueError")] * 2], [0, 3]),
        ([*gives(1, 2), *[Answer("raised", error="ValueError")] * 2], [0, 0]),
        ([*gives(9, 16), *[Answer("raised", error="ValueError")] * 2], [3, 3]),
    ],
    ids=["always raises", "one right result", "noise instead of a result", "right"],
)
def test_an_error_counts_once_a_result_is_right_too(given: list[Answer], earned: list[float]) -> None:
    outcomes = judge(planned(check(), refuses()), given)
    assert [one.earned for one in outcomes] == earned
    told = "It counts once another result is right too."
    assert (told in outcomes[1].message) == (earned[1] == 0)


@pytest.mark.parametrize("constant", [None, True, False, 0, "", [], {}])
def test_one_empty_answer_to_everything_earns_nothing(constant: Any) -> None:
    finds, misses = (
        check(name=name, inputs=[given], reference=lambda x: x if x == "something" else constant)
        for name, given in (("finds", "something"), ("misses", "nothing"))
    )
    outcomes = judge(planned(finds, misses), gives(constant, constant))
    assert [one.earned for one in outcomes] == [0, 0]
    assert [one.earned for one in judge(planned(finds, misses), gives("something", constant))] == [3, 3]


def test_where_only_errors_are_asked_for_they_count() -> None:
    assert verdict(refuses(), *[Answer("raised", error="ValueError")] * 2).earned == 3


def test_a_public_check_shows_call_value_and_expectation() -> None:
    result = verdict(check(public=True), *gives(9, 15))
    assert result.message == "`square(4)` gave `15`; expected `16`."
    raised = verdict(check(show_expected=True), Answer("raised", error="ValueError", message="no"))
    assert raised.message == "`square(3)` raised ValueError: no."


def test_answers_that_are_missing_altogether_do_not_stop_it() -> None:
    assert verdict(check()).kind == "missing"


def test_a_value_is_compared_without_a_call() -> None:
    colours = check(target="COLOURS", inputs=(), reference=["red", "blue"], same=unordered)
    assert verdict(colours, *gives(["blue", "red"])).passed
    assert not verdict(colours, *gives(["blue"])).passed


@pytest.mark.parametrize(("error", "earned"), [("ValueError", 3), ("KeyError", 3), ("TypeError", 0)])
def test_raises_accepts_the_errors_it_names(error: str, earned: float) -> None:
    asked = check(inputs=[-1], reference=None, raises=("ValueError", "KeyError"))
    assert verdict(asked, Answer("raised", error=error)).earned == earned
    assert verdict(asked, *gives(1)).earned == 0


@pytest.mark.parametrize(
    ("verdict_of", "passed", "message"),
    [
        (lambda value, x: value == x * x, True, ""),
        (lambda value, x: value > 100, False, "`square` does not do this yet."),
        (lambda value, x: f"{value} is not it", False, "`square` does not do this yet."),
        (lambda value, x: value.no_such_name, False, "`square` does not do this yet."),
    ],
)
def test_a_predicate_decides(verdict_of: Callable[..., Any], passed: bool, message: str) -> None:
    result = verdict(check(reference=None, predicate=verdict_of), *gives(9, 16))
    assert (result.passed, result.message) == (passed, message)


def test_a_predicate_may_explain_itself_where_inputs_are_shown() -> None:
    asked = check(reference=None, predicate=lambda value, x: "too small", show_expected=True)
    assert verdict(asked, *gives(9, 16)).message == "too small"


@pytest.mark.parametrize(
    "hostile",
    [float("nan"), {"a": [1] * 50}, "x" * 100_000, [[[]]], None, 10**400, pytest.param(10**5000, id="huge")],
)
def test_no_answer_stops_the_judge(hostile: Any) -> None:
    def strict(answer: Any, expected: Any) -> bool:
        return bool(answer + 1 == expected + 1)

    assert verdict(check(same=strict), *gives(hostile, hostile)).earned == 0


def test_a_broken_reference_is_the_authors_mistake() -> None:
    with pytest.raises(AssignmentError, match=r"the check 'squares' of q1: its reference fails on"):
        verdict(check(reference=lambda x: 1 / 0), *gives(9, 16))


def test_a_reference_may_spoil_its_input() -> None:
    asked = check(inputs=[[3, 1, 2]], reference=lambda values: values.sort() or values[::-1])
    assert verdict(asked, *gives([3, 2, 1])).passed
    assert planned(asked).calls[0].arguments == ([3, 1, 2],)


def hints(answer: Callable[..., Any], *checks: Check) -> list[str]:
    asked = planned(*checks)
    return [result.hint for result in judge(asked, answers_of(asked, {"square": answer}))]


def test_a_mistake_must_agree_wherever_it_is_wrong() -> None:
    mistake = Mistake(double, "You double it.")
    two, three = check(inputs=[2], mistakes=[mistake]), check(name="b", inputs=[3], mistakes=[mistake])
    assert hints(double, two, three) == ["", "You double it."]
    assert hints(lambda x: 6 if x == 3 else 1, two, three) == ["", "You double it."]
    assert hints(lambda x: 7, two, three) == ["", ""]
    assert hints(square, two, three) == ["", ""]


def test_a_mistake_that_raises_is_recognised_by_its_error() -> None:
    def crashes(x: Any) -> float:
        return float(x[0])

    asked = check(mistakes=[Mistake(crashes, "A number has no parts.")])
    assert hints(crashes, asked) == ["A number has no parts."]
    assert hints(lambda x: x.no_such_name, asked) == [""]


def test_the_mistake_that_explains_more_is_named_alone() -> None:
    part = Mistake(lambda x: -9 if x == 3 else x * x, "The sign of 3 is wrong.")
    whole = Mistake(lambda x: -x * x, "All signs are wrong.")
    assert hints(lambda x: -x * x, check(mistakes=[part, whole])) == ["All signs are wrong."]


CASES = [PromptCase(str(number), {"listing": f"listing {number}"}, number) for number in range(4)]


def prompt_check(**fields: Any) -> PromptCheck:
    given: dict[str, Any] = {
        "question": "q5",
        "name": "F1",
        "target": "PROMPT",
        "cases": CASES,
        "request": lambda prompt, case: {"model": "m", "content": prompt + case.variables["listing"]},
        "score": lambda reply, case: float(reply == "right"),
        "levels": [(0.25, 1), (0.5, 2), (0.75, 4)],
        "problem": lambda prompt: "" if "{" in prompt else "It has no place for the listing.",
    }
    return PromptCheck(**{**given, **fields})


def replies(right: int) -> Callable[[dict[str, Any]], str]:
    asked: list[str] = []

    def ask(body: dict[str, Any]) -> str:
        asked.append(body["content"])
        return "right" if len(asked) <= right else "wrong"

    return ask


@pytest.mark.parametrize(("right", "earned", "kind"), [(0, 0, "failed"), (1, 1, "failed"), (4, 4, "passed")])
def test_a_prompt_earns_the_level_it_reaches(right: int, earned: float, kind: str) -> None:
    result = verdict(prompt_check(), *gives("{x}"), ask=replies(right))
    assert (result.earned, result.points, result.kind) == (earned, 4, kind)
    assert f"mean score {right / 4:.3f} on 4 hidden cases" in result.message
    assert "listing" not in result.message


def test_a_prompt_below_the_last_level_is_told_the_next() -> None:
    assert "the next level needs 0.75" in verdict(prompt_check(), *gives("{x}"), ask=replies(2)).message


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (Answer("missing"), "missing", "There is no `PROMPT`"),
        (Answer("unreadable"), "unreadable", "`PROMPT` is no text"),
        (Answer("returned", 7), "failed", "must be a text"),
        (Answer("returned", "  "), "failed", "must be a text"),
        (Answer("returned", "{" * 5_000), "failed", "has 5,000 characters; 4,000 are allowed"),
        (Answer("returned", "Hello"), "failed", "It has no place for the listing."),
    ],
)
def test_a_prompt_that_cannot_be_asked_is_not_asked(answer: Answer, kind: str, message: str) -> None:
    def never(body: dict[str, Any]) -> str:
        raise AssertionError("the model was asked")

    result = verdict(prompt_check(), answer, ask=never)
    assert (result.kind, result.earned) == (kind, 0)
    assert message in result.message


def test_without_a_model_a_prompt_stays_open_and_is_no_zero() -> None:
    def nobody(body: dict[str, Any]) -> str:
        raise AicourseError("no model here. Fetch it with: aicourse model pull m")

    for ask in (None, nobody):
        result = verdict(prompt_check(), *gives("{x}"), ask=ask)
        assert (result.kind, result.passed) == ("pending", False)
        assert result.message.startswith("could not be graded yet: ")
    assert "aicourse model pull m" in result.message


def scored_check(**fields: Any) -> ScoredCheck:
    """Doubling of 1 to 4: half of the answers right earns 2 points, all earn 5."""
    given: dict[str, Any] = {
        "question": "q6",
        "name": "doubles",
        "target": "double",
        "inputs": [1, 2, arguments(3), 4],
        "score": lambda answer, given: answer == 2 * given.positional[0],
        "levels": [(0.5, 2), (1.0, 5)],
        "message": "Think of 3.",
    }
    return ScoredCheck(**{**given, **fields})


@pytest.mark.parametrize(
    ("answers", "earned", "message"),
    [
        (gives(2, 4, 6, 8), 5, "mean score 1.000 on 4 hidden inputs."),
        (gives(2, 4, 6, 0), 2, "0.750 on 4 hidden inputs; the next level needs 1.00. Think of 3."),
        ([*gives(2, 4), Answer("raised", error="KeyError"), Answer("endless")], 2, "For 2 there was no"),
        (gives(2, None, [], "x"), 0, "mean score 0.250"),
        ([Answer("raised", error="NotImplementedError")] * 4, 0, "It is not written yet."),
        ([Answer("raised", error="KeyError")] * 4, 0, "`double` raised KeyError on all 4 hidden inputs."),
        ([Answer("raised", error="Answer_is_payout")] * 4, 0, "raised an error on all 4 hidden inputs."),
        ([Answer("missing")] * 4, 0, "There is no `double`"),
        ([Answer("endless")] * 4, 0, "`double` did not finish within 5 s."),
        ([Answer("unreadable")] * 4, 0, "is no plain data"),
    ],
)  # fmt: skip
def test_answers_are_scored_one_by_one(answers: list[Answer], earned: float, message: str) -> None:
    result = verdict(scored_check(), *answers)
    assert (result.earned, result.points, result.passed) == (earned, 5, earned == 5)
    assert message in result.message


@pytest.mark.parametrize(
    "score", [lambda answer, given: 1 / 0, lambda answer, given: float("nan"), lambda answer, given: 7.0]
)
def test_a_score_that_is_none_counts_as_0(score: Callable[..., float]) -> None:
    assert verdict(scored_check(score=score), *gives(2, 4, 6, 8)).earned == 0


@pytest.mark.parametrize(
    ("fields", "problem"), [({"inputs": []}, "needs inputs"), ({"levels": []}, "needs levels")]
)
def test_a_scored_check_without_inputs_or_levels_is_the_authors_mistake(
    fields: dict[str, Any], problem: str
) -> None:
    with pytest.raises(AssignmentError, match=problem):
        scored_check(**fields)


def test_a_score_may_be_below_0_where_the_check_says_so_and_a_summary_is_told() -> None:
    fields: dict[str, Any] = {
        "score": lambda answer, given: answer,
        "worst": -1,
        "summary": lambda answers: f"{answers.count(-1)} did damage. ",
    }
    result = verdict(scored_check(**fields), *gives(1, 1, 1, -1))
    assert (result.earned, result.message[:44]) == (2, "1 did damage. mean score 0.500 on 4 hidden i")
    too_low = verdict(scored_check(**fields), *gives(1, 1, -7, -1))
    assert too_low.message.startswith("1 did damage. mean score 0.250")


def test_a_dialogue_takes_the_place_of_the_inputs() -> None:
    check = scored_check(dialogue=lambda given: ("dialogue", given.positional), seconds=2.0)
    calls = planned(check).calls
    assert [(call.arguments, call.seconds) for call in calls] == [(None, 2.0)] * 4
    assert [call.dialogue for call in calls] == [("dialogue", (number,)) for number in (1, 2, 3, 4)]

"""The gate: what it lets through, what it holds back, how often it errs, and how it says so."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from aicourse.errors import EvaluationError
from aicourse.evals import rescore, runner
from aicourse.evals.cases import Case
from aicourse.evals.comparison import compare_values
from aicourse.evals.gating import GateResult, Rule, gate, judge_overall, judge_slice
from aicourse.evals.rules import refuse_unreachable
from aicourse.evals.runs import Run, load_run
from aicourse.evals.scores import Context

SLICES = {0: ("short",), 1: ("long",), 2: ("irony",)}


def run_of(passed: list[bool], name: str = "v2", broken_scorer: bool = False) -> Run:
    """300 cases in three slices, or as many as there are values."""

    def good(context: Context) -> bool:
        return bool(1 / 0 if broken_scorer and context.id == "7" else context.output)

    cases = [Case(id=str(number), input="", tags=SLICES[number % 3]) for number in range(len(passed))]
    return runner.run(lambda case: passed[int(case.id)], cases, [good], name=name, progress=False)


BASE = [number % 5 != 0 for number in range(300)]
PRODUCTION = run_of(BASE, "v1")
NAMED = {"short": 0.10, "long": 0.10, "irony": 0.10}
RULE = Rule("good", tolerance=0.05, slices=NAMED)


def judged(passed: list[bool], rule: Rule = RULE, strict: bool = False) -> GateResult:
    return gate(PRODUCTION, run_of(passed), [rule], strict=strict)


def with_changes(fixed: int, broken: int) -> list[bool]:
    """The base with some failing cases fixed and some passing ones broken, spread over all slices."""
    values = list(BASE)
    for number in [number for number, value in enumerate(BASE) if not value][:fixed]:
        values[number] = True
    for number in [number for number, value in enumerate(BASE) if value][:broken]:
        values[number] = False
    return values


def test_the_harmless_change_passes() -> None:
    result = judged(with_changes(fixed=4, broken=4))
    assert (result.passed, result.exit_code) == (True, 0)
    assert [line.verdict for line in result.overall] == ["pass"]
    assert result.headline == "PASS: v2 may replace v1."


def test_the_regression_is_held_back() -> None:
    result = judged(with_changes(fixed=4, broken=40))
    assert (result.passed, result.exit_code) == (False, 1)
    assert result.overall[0].verdict == "fail"
    assert "good, all cases: worse by 0.120" in result.headline


def test_too_few_cases_are_undecided_and_say_how_many_would_do() -> None:
    few = [True] * 64 + [False] * 16
    other = [False, *few[1:79], True]
    result = gate(run_of(few, "v1"), run_of(other), [Rule("good", tolerance=0.05)])
    (line,) = result.rulings
    assert (line.verdict, result.passed) == ("undecided", False)
    assert line.reason == "80 cases cannot rule out a loss of more than 0.05; about 81 would settle it"


def test_a_slice_that_broke_is_held_back_though_the_whole_got_better() -> None:
    values = [value and number % 3 != 2 for number, value in enumerate(BASE)]
    values = [value or number % 3 != 2 for number, value in enumerate(values)]
    result = judged(values, Rule("good", tolerance=0.5, slices=NAMED))
    assert result.overall[0].verdict == "pass"
    assert {line.change.slice: line.verdict for line in result.slices} == {
        "irony": "fail", "long": "pass", "short": "pass",
    }  # fmt: skip
    assert not result.passed
    assert judged(values, Rule("good", tolerance=0.5)).slices == ()
    exploratory = judged(values, Rule("good", tolerance=0.5, slice_tolerance=0.1))
    assert exploratory.passed
    assert [line.verdict for line in exploratory.slices] == ["fail", "pass", "pass"]
    assert "3 slices exploratory, which decide nothing: 2 pass, 1 fail." in exploratory.remark
    assert not judged(values, Rule("good", tolerance=0.5, slices={"irony": 0.2})).passed
    assert judged(values, Rule("good", tolerance=0.5, slices={"irony": 0.9})).passed


def test_a_named_slice_without_a_shown_loss_holds_nothing_back_unless_strict() -> None:
    values = with_changes(fixed=6, broken=6)
    rule = Rule("good", tolerance=0.06, slices={"short": 0.01})
    assert [line.verdict for line in judged(values, rule).slices] == ["no loss shown"]
    assert judged(values, rule).passed
    assert not judged(values, rule, strict=True).passed


def test_runs_that_cannot_be_judged_do_not_pass() -> None:
    failing_scorer = gate(PRODUCTION, run_of(BASE, broken_scorer=True), [RULE])
    assert not failing_scorer.passed
    assert "The scorer of good failed 1 times in v2" in failing_scorer.problems[0]
    unfinished = gate(PRODUCTION, run_of(BASE[:-3]), [RULE])
    assert not unfinished.passed
    assert unfinished.problems == ("3 cases are in only one of the runs: finish both on the same set.",)
    misspelt = judged(BASE, Rule("good", slices={"ironic": 0.1}))
    assert not misspelt.passed
    assert "names slices with one case or none: ironic" in misspelt.problems[0]


def test_what_a_run_says_of_itself_stands_beside_the_verdict(tmp_path: Path) -> None:
    cases = [Case(id=str(number), input="") for number in range(40)]
    good = lambda context: bool(context.output)  # noqa: E731
    good.__name__ = "good"
    path = tmp_path / "v2.jsonl"
    runner.run(lambda case: case.id != "3", cases, [good], name="v2", path=path, progress=False)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    result = gate(run_of([True] * 39, "v1"), load_run(path), [Rule("good", tolerance=0.5)])
    unfinished = "v2: unfinished, 39 of 40 records: the same command goes on."
    assert result.notes == (unfinished,)
    for shown in (repr(result), result.to_text(), result.to_markdown(), result._repr_html_()):
        assert unfinished in shown


def test_a_result_in_plain_text_is_the_table() -> None:
    result = judged(with_changes(fixed=4, broken=4))
    assert repr(result) == result.to_text()


def tagged(passed: list[bool], tags: list[tuple[str, ...]], name: str = "v2") -> Run:
    cases = [Case(id=str(number), input="", tags=tags[number]) for number in range(len(passed))]
    good = lambda context: bool(context.output)  # noqa: E731
    good.__name__ = "good"
    return runner.run(lambda case: passed[int(case.id)], cases, [good], name=name, progress=False)


@pytest.mark.parametrize("unrelated", [0, 30, 300])
def test_a_named_slice_that_breaks_fails_however_many_other_tags_there_are(unrelated: int) -> None:
    """10 cases go from 100 % to 0 %."""
    others = [tuple(f"tag{(number * 7 + step) % unrelated}" for step in range(3 * (unrelated > 0)))
              for number in range(200)] if unrelated else [()] * 200  # fmt: skip
    tags = [("mine", *other) if number < 10 else other for number, other in enumerate(others)]
    before, after = tagged([True] * 200, tags, "v1"), tagged([False] * 10 + [True] * 190, tags)
    rule = Rule("good", tolerance=0.2, slice_tolerance=0.1, slices={"mine": 0.1})
    result = gate(before, after, [rule], smallest_slice=2)
    assert (result.overall[0].verdict, result.passed) == ("pass", False)
    assert result.headline.startswith(
        "FAIL: v2 may not replace v1. good, mine: worse by 1.000: 10 cases worse"
    )
    assert gate(before, after, [Rule("good", tolerance=0.2, slice_tolerance=0.1)], smallest_slice=2).passed


def test_a_named_slice_without_power_is_cannot_tell_and_fails_unless_allowed() -> None:
    tags = [("tiny",) if number < 5 else () for number in range(200)]
    before, after = tagged([True] * 200, tags, "v1"), tagged([False] * 5 + [True] * 195, tags)
    held = gate(before, after, [Rule("good", tolerance=0.1, slices={"tiny": 0.1})])
    assert (held.slices[0].verdict, held.passed) == ("cannot tell", False)
    assert "good, tiny: 5 cases could not show any loss" in held.headline
    allowed = gate(before, after, [Rule("good", 0.1, slices={"tiny": 0.1}, allow_cannot_tell=True)])
    assert allowed.headline == "PASS: v2 may replace v1. Cannot tell: tiny (good)."
    explored = gate(before, after, [Rule("good", 0.1, slice_tolerance=0.1)])
    assert explored.headline == "PASS: v2 may replace v1. Cannot tell: 1 slice (exploratory)."


def test_a_tolerance_out_of_reach_is_refused_with_what_it_needs() -> None:
    before, after = run_of([True] * 60, "v1"), run_of([True] * 59 + [False])
    message = (
        r"60 cases cannot rule out that good loses 0\.05.*takes 72.*at least 0\.06, or the mode \"no loss"
    )
    with pytest.raises(EvaluationError, match=message):
        gate(before, after, [Rule("good", tolerance=0.05)])
    with pytest.raises(EvaluationError, match="no number of cases can"):
        refuse_unreachable([Rule("good", tolerance=0)], 10_000)
    refuse_unreachable([Rule("good", tolerance=0.06), Rule("good", tolerance=1.5)], 60)
    assert gate(before, before, [Rule("good", tolerance=0.05)]).overall[0].verdict == "identical"


def test_identical_is_said_of_outputs_and_not_of_scores() -> None:
    """Every score is the same, one output is not; and a task that failed the same way is no output."""
    same_scores = runner.run(
        lambda case: "other" if case.id == "0" else BASE[int(case.id)],
        [Case(id=str(number), input="", tags=SLICES[number % 3]) for number in range(300)],
        [good_text], name="v2", progress=False,
    )  # fmt: skip
    reference = rescore(PRODUCTION, [good_text])
    assert (
        gate(reference, rescore(PRODUCTION, [good_text]), [Rule("good_text")]).overall[0].verdict
        == "identical"
    )
    assert gate(reference, same_scores, [Rule("good_text")]).overall[0].verdict == "pass"


def good_text(context: Context) -> bool:
    return True


def test_no_loss_shown_is_named_so_and_stops_what_is_shown() -> None:
    rule = Rule("good", tolerance=0.02, mode="no loss shown")
    small = gate(run_of([True] * 40, "v1"), run_of([True] * 38 + [False] * 2), [rule])
    assert small.overall[0].verdict == "no loss shown"
    assert small.headline == "PASS: v2 may replace v1: no loss shown, which is no proof."
    assert not gate(run_of([True] * 40, "v1"), run_of([True] * 30 + [False] * 10), [rule]).passed


def test_a_score_without_bounds_cannot_be_proven() -> None:
    dollars = lambda context: 5.0 + context.output  # noqa: E731
    dollars.__name__ = "dollars"
    before, after = rescore(PRODUCTION, [dollars]), rescore(run_of(with_changes(1, 0)), [dollars])
    result = gate(before, after, [Rule("dollars")])
    assert "dollars is not between 0 and 1, so no loss of it can be ruled out" in result.problems[0]
    assert gate(before, after, [Rule("dollars", mode="no loss shown")]).passed


# how often it errs


def drawn(cases: int, fixed: float, broken: float, times: int) -> list[tuple[np.ndarray, np.ndarray]]:  # type: ignore[type-arg]
    generator = np.random.default_rng(20261123)
    before = (generator.random((times, cases)) < 0.7).astype(float)
    chance = generator.random((times, cases))
    # a passing case breaks with broken / 0.7, so that a share `broken` of all cases does
    after = np.where(before == 1, chance >= broken / 0.7, chance < fixed / 0.3).astype(float)
    return list(zip(before, after, strict=True))


def test_a_candidate_that_changes_nothing_passes_with_enough_cases() -> None:
    rule = Rule("good", tolerance=0.05)
    pairs = drawn(400, fixed=0.03, broken=0.03, times=100)
    passed = [judge_overall(rule, compare_values("all", *pair), 0.95).verdict == "pass" for pair in pairs]
    assert np.mean(passed) > 0.9


def test_a_slice_that_changes_nothing_fails_as_seldom_as_stated() -> None:
    pairs = drawn(40, fixed=0.15, broken=0.15, times=3_000)
    rule = Rule("good")
    rulings = [judge_slice(rule, compare_values("s", *pair), 0.0, 0.95, 1) for pair in pairs]
    failed = [ruling.verdict == "fail" for ruling in rulings]
    assert 0.002 < np.mean(failed) <= 0.025 + 0.009


# how it says so


def test_markdown_has_the_outcome_what_decides_and_every_line() -> None:
    result = judged(with_changes(4, 40), Rule("good", tolerance=0.04, slices=dict.fromkeys(NAMED, 0.12)))
    text = result.to_markdown()
    assert text.startswith("**FAIL: v2 may not replace v1. good, all cases: worse by 0.120")
    first, _, folded = text.partition("<details>")
    assert first.count("\n| good |") == len(result.deciding) < 4
    assert folded.count("\n| good |") == len(result.rulings) == 4


def test_a_terminal_shows_what_decides_or_everything() -> None:
    result = judged(with_changes(4, 40), Rule("good", tolerance=0.04, slices=dict.fromkeys(NAMED, 0.12)))
    assert result.to_text().count("\ngood ") == len(result.deciding)
    assert result.to_text(everything=True).count("\ngood ") == 4
    assert result.to_text().endswith(f"{result.remark}\n{result.headline}")
    assert result.remark.startswith("3 slices named: ")


def test_junit_counts_what_ci_systems_count() -> None:
    result = judged(with_changes(4, 40), Rule("good", tolerance=0.04, slice_tolerance=0.01))
    suite = ElementTree.fromstring(result.to_junit())
    verdicts = [line.verdict for line in result.rulings]
    assert suite.tag == "testsuite"
    assert suite.get("tests") == str(len(suite.findall("testcase"))) == "4"
    assert verdicts == ["fail"] * 4
    assert suite.get("failures") == str(len(suite.findall("testcase/failure"))) == "1"  # slices explore only
    assert suite.get("skipped") == str(len(suite.findall("testcase/skipped"))) == "3"
    first = suite.find("testcase")
    assert first is not None
    assert (first.get("classname"), first.get("name")) == ("good", "all cases")


def test_junit_reports_problems_and_survives_odd_names() -> None:
    result = gate(PRODUCTION, run_of(BASE, 'v2 <&"\x00'), [Rule("good", slices={"x\x1b": 0.1})])
    suite = ElementTree.fromstring(result.to_junit())
    assert suite.get("name") == 'gate v2 <&"?'
    assert suite.get("failures") == "1"


def test_a_result_shows_itself() -> None:
    assert "PASS: v2 may replace v1: every output is identical." in judged(BASE)._repr_html_()
    assert str(judged(BASE)) == judged(BASE).to_markdown()

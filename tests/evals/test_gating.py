"""The gate: what it lets through, what it holds back, how often it errs, and how it says so."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from aicourse.evals import runner
from aicourse.evals.cases import Case
from aicourse.evals.comparison import compare_values
from aicourse.evals.gating import GateResult, Rule, gate, judge_overall, judge_slice
from aicourse.evals.runs import Run
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
RULE = Rule("good", tolerance=0.04, slice_tolerance=0.10)


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
    few = [True] * 24 + [False] * 6
    other = [False, *few[1:29], True]
    result = gate(run_of(few, "v1"), run_of(other), [Rule("good", tolerance=0.04)])
    (line,) = result.rulings
    assert (line.verdict, result.passed) == ("undecided", False)
    assert line.reason.startswith("30 cases cannot rule out a loss of more than 0.04; about ")


def test_a_slice_that_broke_is_held_back_though_the_whole_got_better() -> None:
    values = [value and number % 3 != 2 for number, value in enumerate(BASE)]
    values = [value or number % 3 != 2 for number, value in enumerate(values)]
    result = judged(values, Rule("good", tolerance=0.5, slice_tolerance=0.1))
    assert result.overall[0].verdict == "pass"
    assert {line.change.slice: line.verdict for line in result.slices} == {
        "irony": "fail", "long": "pass", "short": "pass",
    }  # fmt: skip
    assert not result.passed
    assert judged(values, Rule("good", tolerance=0.5)).slices == ()
    assert not judged(values, Rule("good", tolerance=0.5, slices={"irony": 0.2})).passed
    assert judged(values, Rule("good", tolerance=0.5, slices={"irony": 0.9})).passed


def test_an_undecided_slice_holds_nothing_back_unless_strict() -> None:
    values = with_changes(fixed=6, broken=6)
    rule = Rule("good", tolerance=0.04, slice_tolerance=0.01)
    assert "undecided" in {line.verdict for line in judged(values, rule).slices}
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
    assert "names slices with too few or no cases: ironic" in misspelt.problems[0]


# how often it errs


def drawn(cases: int, fixed: float, broken: float, times: int) -> list[tuple[np.ndarray, np.ndarray]]:  # type: ignore[type-arg]
    generator = np.random.default_rng(20261123)
    before = (generator.random((times, cases)) < 0.7).astype(float)
    chance = generator.random((times, cases))
    # a passing case breaks with broken / 0.7, so that a share `broken` of all cases does
    after = np.where(before == 1, chance >= broken / 0.7, chance < fixed / 0.3).astype(float)
    return list(zip(before, after, strict=True))


@pytest.mark.parametrize("cases", [60, 120, 400])
def test_a_candidate_worse_by_the_tolerance_passes_as_seldom_as_stated(cases: int) -> None:
    rule = Rule("good", tolerance=0.05)
    pairs = drawn(cases, fixed=0.05, broken=0.10, times=3_000)
    passed = [judge_overall(rule, compare_values("all", *pair), 0.95).verdict == "pass" for pair in pairs]
    assert np.mean(passed) <= 0.025 + 0.009  # three standard errors of the simulation


def test_a_candidate_that_changes_nothing_passes_with_enough_cases() -> None:
    rule = Rule("good", tolerance=0.05)
    pairs = drawn(400, fixed=0.04, broken=0.04, times=500)
    passed = [judge_overall(rule, compare_values("all", *pair), 0.95).verdict == "pass" for pair in pairs]
    assert np.mean(passed) > 0.9


def test_a_slice_that_changes_nothing_fails_as_seldom_as_stated() -> None:
    pairs = drawn(40, fixed=0.15, broken=0.15, times=3_000)
    failed = [judge_slice("good", compare_values("s", *pair), 0.0, 0.95).verdict == "fail" for pair in pairs]
    assert 0.002 < np.mean(failed) <= 0.025 + 0.009


# how it says so


def test_markdown_has_the_outcome_what_decides_and_every_line() -> None:
    result = judged(with_changes(4, 40), Rule("good", tolerance=0.04, slice_tolerance=0.12))
    text = result.to_markdown()
    assert text.startswith("**FAIL: v2 may not replace v1. good, all cases: worse by 0.120")
    first, _, folded = text.partition("<details>")
    assert first.count("\n| good |") == len(result.deciding) < 4
    assert folded.count("\n| good |") == len(result.rulings) == 4


def test_a_terminal_shows_what_decides_or_everything() -> None:
    result = judged(with_changes(4, 40), Rule("good", tolerance=0.04, slice_tolerance=0.12))
    assert result.to_text().count("\ngood ") == len(result.deciding)
    assert result.to_text(everything=True).count("\ngood ") == 4
    assert result.to_text().endswith(f"{result.remark}\n{result.headline}")
    assert result.remark.startswith("3 slices looked at: ")


def test_junit_counts_what_ci_systems_count() -> None:
    result = judged(with_changes(4, 40), Rule("good", tolerance=0.04, slice_tolerance=0.2))
    suite = ElementTree.fromstring(result.to_junit())
    verdicts = [line.verdict for line in result.rulings]
    assert suite.tag == "testsuite"
    assert suite.get("tests") == str(len(suite.findall("testcase"))) == "4"
    assert suite.get("failures") == str(len(suite.findall("testcase/failure"))) == str(verdicts.count("fail"))
    assert suite.get("skipped") == str(verdicts.count("undecided"))
    assert verdicts.count("fail") >= 1
    first = suite.find("testcase")
    assert first is not None
    assert (first.get("classname"), first.get("name")) == ("good", "all cases")


def test_junit_reports_problems_and_survives_odd_names() -> None:
    result = gate(PRODUCTION, run_of(BASE, 'v2 <&"\x00'), [Rule("good", slices={"x\x1b": 0.1})])
    suite = ElementTree.fromstring(result.to_junit())
    assert suite.get("name") == 'gate v2 <&"?'
    assert suite.get("failures") == "1"


def test_a_result_shows_itself() -> None:
    assert "PASS: v2 may replace v1." in judged(BASE)._repr_html_()
    assert str(judged(BASE)) == judged(BASE).to_markdown()

"""Comparisons of two runs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from aicourse.errors import EvaluationError
from aicourse.evals import runner, statistics
from aicourse.evals.cases import Case
from aicourse.evals.comparison import ALL_CASES, compare, compare_values
from aicourse.evals.runs import Run
from aicourse.evals.scores import Context, Value

Tags = Mapping[str, tuple[str, ...]]


def score(context: Context) -> Value:
    return context.output  # type: ignore[no-any-return]


def run_of(values: Mapping[str, float], name: str = "run", tags: Tags | None = None) -> Run:
    cases = [Case(id=id, input="", tags=(tags or {}).get(id, ())) for id in values]
    return runner.run(lambda case: values[case.id], cases, [score], name=name, progress=False)


def numbered(values: list[bool] | list[float]) -> dict[str, float]:
    return {str(number): value for number, value in enumerate(values)}


BEFORE = [True] * 60 + [False] * 40
AFTER = [True] * 56 + [False] * 4 + [True] * 14 + [False] * 26


def test_assertions_are_compared_case_by_case() -> None:
    comparison = compare(run_of(numbered(BEFORE), "v1"), run_of(numbered(AFTER), "v2"), "score")
    change = comparison.overall
    assert (change.cases, change.better, change.worse) == (100, 14, 4)
    assert (change.before, change.after, change.effect.estimate) == (0.6, 0.7, pytest.approx(0.1))
    assert change.p_value == change.adjusted_p == statistics.sign_test(14, 4)
    assert change.effect == statistics.paired_proportions(14, 4, 100)
    assert set(comparison.differences.values()) == {-1.0, 1.0}
    assert list(comparison.differences)[:4] == ["56", "57", "58", "59"]  # what broke comes first


def test_the_order_of_the_cases_does_not_matter() -> None:
    swapped = dict(reversed(numbered(AFTER).items()))
    one = compare(run_of(numbered(BEFORE)), run_of(numbered(AFTER)), "score")
    other = compare(run_of(numbered(BEFORE)), run_of(swapped), "score")
    assert one.overall == other.overall


def test_numbers_are_compared_by_the_bootstrap() -> None:
    generator = np.random.default_rng(3)
    before = generator.random(80).round(3)
    after = np.clip(before + generator.normal(0.05, 0.1, 80), 0, 1).round(3)
    change = compare(
        run_of(numbered(before.tolist())), run_of(numbered(after.tolist())), "score", seed=5
    ).overall
    expected = statistics.paired_bootstrap(before, after, seed=5)
    assert change.effect.low == pytest.approx(expected.low, abs=0.003)  # drawn in another order
    assert change.detectable == pytest.approx(2.8 * (after - before).std(ddof=1) / 80**0.5, rel=0.01)


def test_slices_are_adjusted_for_each_other() -> None:
    tags = {str(number): ("short",) if number < 50 else ("long", "odd") for number in range(100)}
    tags["0"] = ("short", "rare")
    comparison = compare(run_of(numbered(BEFORE), tags=tags), run_of(numbered(AFTER), tags=tags), "score")
    assert [change.slice for change in comparison.slices] == ["long", "odd", "short"]
    assert comparison.too_small == ("rare",)
    long, odd, short = comparison.slices
    assert (long.cases, long.better, long.worse, short.better) == (50, 14, 4, 0)
    assert [long.adjusted_p, odd.adjusted_p, short.adjusted_p] == statistics.holm(
        [long.p_value, odd.p_value, short.p_value]
    )
    assert long.adjusted_p == pytest.approx(3 * long.p_value)


def test_only_the_slices_asked_for_are_compared() -> None:
    tags = {str(number): ("short",) if number < 50 else ("long", "odd") for number in range(100)}
    runs = run_of(numbered(BEFORE), tags=tags), run_of(numbered(AFTER), tags=tags)
    comparison = compare(*runs, "score", slices=["odd", "none"])
    (odd,) = comparison.slices
    assert (odd.slice, odd.adjusted_p, comparison.too_small) == ("odd", odd.p_value, ())
    assert comparison.overall == compare(*runs, "score").overall


def test_no_change_is_shown_as_no_change() -> None:
    change = compare_values(ALL_CASES, np.array(BEFORE, float), np.array(BEFORE, float))
    assert (change.p_value, change.effect.estimate, change.detectable) == (1.0, 0.0, None)
    assert change.row()[-2:] == ("1.000", "-")
    assert compare_values(ALL_CASES, np.zeros(20), np.ones(20)).row()[-2:] == ("< 0.001", "-")
    assert change.effect.low < 0 < change.effect.high


def test_cases_in_only_one_run_are_named() -> None:
    comparison = compare(run_of(numbered(BEFORE)), run_of(numbered(BEFORE[:-2])), "score")
    assert comparison.unpaired == ("98", "99")
    assert "2 cases in only one run left out" in comparison.caption


def test_the_order_in_which_cases_finished_does_not_matter() -> None:
    before, after = numbered(BEFORE), numbered(AFTER)
    backwards = compare(
        run_of(dict(reversed(before.items())), "v1"), run_of(dict(reversed(after.items())), "v2"), "score"
    )
    forwards = compare(run_of(before, "v1"), run_of(after, "v2"), "score")
    assert backwards == forwards
    assert list(backwards.differences) == list(forwards.differences)


def test_what_cannot_be_compared() -> None:
    before = run_of(numbered(BEFORE), "v1")
    with pytest.raises(EvaluationError, match="share 0 cases"):
        compare(before, run_of({"x": 1}), "score")
    with pytest.raises(EvaluationError, match="no number or assertion 'f1'"):
        compare(before, before, "f1")
    other = [Case(id=id, input="another text") for id in numbered(BEFORE)]
    changed = runner.run(lambda case: 1, other, [score], progress=False)
    with pytest.raises(
        EvaluationError, match=r"100 cases were changed between the runs \(0, 1, 10, 11, 12\)"
    ):
        compare(before, changed, "score")


def test_a_comparison_shows_itself() -> None:
    tags = {str(number): ("a|b",) for number in range(10)}
    comparison = compare(run_of(numbered(BEFORE), "v1", tags), run_of(numbered(AFTER), "<v2>", tags), "score")
    assert "&lt;v2&gt; against v1" in comparison._repr_html_()
    lines = str(comparison).splitlines()
    assert lines[2].startswith("| slice | cases | before | after | change |")
    assert lines[4].startswith("| all cases | 100 | 0.600 | 0.700 | +0.100 (95 % interval +0.0")
    assert lines[5].startswith("| a\\|b | 10 |")
    frame = comparison.to_frame()
    assert frame.loc[ALL_CASES, ["better", "worse"]].tolist() == [14, 4]

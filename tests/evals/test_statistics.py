"""The statistics against enumeration, published examples, other implementations and simulation."""

from __future__ import annotations

import math
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_confint

from aicourse.evals import statistics
from aicourse.evals.comparison import compare_values
from aicourse.evals.statistics import Interval

GENERATOR = np.random.default_rng(20261123)


# against exact enumeration, published values and other implementations


@given(st.integers(0, 200), st.integers(0, 200))
def test_the_sign_test_counts_every_outcome_as_unlikely_as_this_one(wins: int, losses: int) -> None:
    total, fewer = wins + losses, min(wins, losses)
    outcomes = sum(math.comb(total, k) for k in range(total + 1) if min(k, total - k) <= fewer)
    assert statistics.sign_test(wins, losses) == pytest.approx(outcomes / 2**total)


def test_the_sign_test_of_many_cases() -> None:
    tail = sum(math.comb(5_000, k) for k in range(2_441))
    assert statistics.sign_test(2_560, 2_440) == pytest.approx(2 * tail / 2**5_000, rel=1e-9)


def test_the_sign_test_as_published() -> None:
    """Conover 1999, example 3.4.1: 8 of 9 customers who see a difference like B better; p = 0.0391."""
    assert statistics.sign_test(8, 1) == pytest.approx(0.0391, abs=5e-5)


@pytest.mark.parametrize("p_values", [[0.03], [0.04, 0.01, 0.03], [0.2, 0.2, 0.001, 0.9, 0.012], [1.0, 0.0]])
def test_holm_is_the_closure_of_bonferroni(p_values: list[float]) -> None:
    """Marcus, Peritz & Gabriel 1976: a claim holds when every set of claims with it is rejected."""
    claims = range(len(p_values))
    sets = [set(s) for size in claims for s in combinations(claims, size + 1)]
    expected = [
        max(min(1.0, len(s) * min(p_values[i] for i in s)) for s in sets if claim in s) for claim in claims
    ]
    assert statistics.holm(p_values) == pytest.approx(expected)


def test_holm_of_nothing() -> None:
    assert statistics.holm([]) == []


@pytest.mark.parametrize(("passed", "cases"), [(0, 12), (7, 10), (90, 120), (120, 120)])
def test_a_proportion_has_wilsons_interval(passed: int, cases: int) -> None:
    interval = statistics.proportion(passed, cases)
    expected = proportion_confint(passed, cases, method="wilson")
    assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("cases", range(1, 40))
def test_wilsons_interval_holds_its_estimate(cases: int) -> None:
    """With none of 3 rounding left a lower end above 0, of which no error bar can be drawn."""
    for passed in (0, cases):
        interval = statistics.proportion(passed, cases)
        assert interval.low <= interval.estimate <= interval.high


def test_a_bounded_mean_by_hand() -> None:
    """Nine of 0.5, one case added: centre 0.5, variance 0.025; t of 9 degrees is 2.262 in any table."""
    interval = statistics.bounded_mean([0.5] * 9)
    reach = 2.262157 * np.sqrt(0.025 / 10)
    assert (interval.low, interval.high) == pytest.approx((0.5 - reach, 0.5 + reach), abs=1e-6)


def test_the_bootstrap_agrees_with_scipys() -> None:
    before, after = GENERATOR.random(400), GENERATOR.random(400) + 0.05
    ours = statistics.paired_bootstrap(before, after)
    theirs = stats.bootstrap(
        (after - before,), np.mean, method="percentile", n_resamples=10_000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours.estimate == pytest.approx((after - before).mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.002)


def test_few_and_many_distinct_values_draw_from_the_same_distribution() -> None:
    few = GENERATOR.integers(0, 2, 300).astype(float)
    many = few + np.linspace(0, 1e-6, 300)
    one, other = statistics.bootstrap_mean(few), statistics.bootstrap_mean(many)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.004)


def test_the_interval_of_paired_proportions_by_hand() -> None:
    # 7 fixed, 3 broken of 98: (7-3)/100, standard deviation sqrt(11 - 16/100)/100
    interval = statistics.paired_proportions(7, 3, 98)
    reach = 1.959964 * np.sqrt(10.84) / 100
    assert (interval.low, interval.high) == pytest.approx((0.04 - reach, 0.04 + reach), abs=1e-6)
    assert interval.estimate == pytest.approx(4 / 98)


def test_the_minimum_detectable_effect_is_statsmodels() -> None:
    expected = NormalIndPower().solve_power(nobs1=120, alpha=0.05, power=0.8, ratio=0)
    effect = statistics.minimum_detectable_effect(120, deviation=0.4)
    assert effect / 0.4 == pytest.approx(expected, rel=1e-4)
    assert statistics.cases_needed(effect, 0.4) == pytest.approx(120, abs=1)


# by simulation


def coverage(intervals: list[Interval], truth: float) -> float:
    return float(np.mean([interval.low <= truth <= interval.high for interval in intervals]))


@pytest.mark.parametrize(("cases", "fixed", "broken"), [(40, 0.2, 0.1), (60, 0.15, 0.05), (120, 0.1, 0.1)])
def test_bootstrap_intervals_cover_what_they_say(cases: int, fixed: float, broken: float) -> None:
    """Pass or fail, before and after: 95 ± 1.5 % of the intervals hold the true change."""
    shares = [fixed, broken, 1 - fixed - broken]
    drawn = np.random.default_rng(7).multinomial(cases, shares, size=20_000)
    outcomes, times = np.unique(drawn, axis=0, return_counts=True)  # the order of the cases does not matter
    nothing = np.zeros(cases)
    holds = []
    for seed, counts in enumerate(outcomes):
        after = np.repeat([1.0, -1.0, 0.0], counts)
        interval = statistics.paired_bootstrap(nothing, after, resamples=2_000, seed=seed)
        holds.append(interval.low <= fixed - broken <= interval.high)
    assert np.average(holds, weights=times) == pytest.approx(0.95, abs=0.015)


def test_bootstrap_intervals_of_a_skewed_score_cover_what_they_say() -> None:
    """F1 as it comes: mostly 0, 0.5, 0.67 or 1."""
    scores, shares = [0.0, 0.5, 2 / 3, 1.0], [0.15, 0.1, 0.15, 0.6]
    drawn = np.random.default_rng(8).choice(scores, p=shares, size=(1_500, 60))
    intervals = [statistics.bootstrap_mean(row, resamples=1_000, seed=seed) for seed, row in enumerate(drawn)]
    assert coverage(intervals, float(np.dot(scores, shares))) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(("cases", "fixed", "broken"), [(20, 0.1, 0.1), (60, 0.08, 0.03), (120, 0.02, 0.02)])
def test_intervals_of_paired_proportions_cover_at_least_what_they_say(
    cases: int, fixed: float, broken: float
) -> None:
    """Where few cases change, it errs on the careful side; nowhere is it more than 1.5 points short."""
    counts = np.random.default_rng(9).multinomial(cases, [fixed, broken, 1 - fixed - broken], size=20_000)
    intervals = [statistics.paired_proportions(int(up), int(down), cases) for up, down, _ in counts]
    assert 0.935 <= coverage(intervals, fixed - broken) <= 0.995


FEW_CHANGE = {-0.33: 0.04, 0.0: 0.90, 0.33: 0.06}
MIXED = {-1.0: 0.02, -0.33: 0.04, 0.0: 0.82, 0.33: 0.06, 0.5: 0.03, 1.0: 0.03}


@pytest.mark.parametrize(
    ("cases", "changes"),
    [(60, FEW_CHANGE), (120, FEW_CHANGE), (120, MIXED)],
    ids=["60 few", "120 few", "mixed"],
)
def test_intervals_of_a_changed_score_cover_what_they_say(cases: int, changes: dict[float, float]) -> None:
    """F1 before and after, when few cases change: 95 ± 1.5 % of the intervals hold the true change."""
    values, shares = np.array(list(changes)), list(changes.values())
    drawn = np.random.default_rng(11).choice(values, p=shares, size=(1_500, cases))
    nothing = np.zeros(cases)
    intervals = [
        statistics.paired_bootstrap(nothing, row, resamples=1_000, seed=seed)
        for seed, row in enumerate(drawn)
    ]
    assert coverage(intervals, float(np.dot(values, shares))) == pytest.approx(0.95, abs=0.015)


F1 = {0.0: 0.15, 0.5: 0.10, 2 / 3: 0.15, 1.0: 0.60}
NEAR_ONE = {0.0: 0.05, 2 / 3: 0.10, 1.0: 0.85}


@pytest.mark.parametrize(
    ("cases", "scores", "most"),
    [
        (60, F1, 0.965),
        (120, F1, 0.965),
        (120, NEAR_ONE, 0.965),
        (8, F1, 1),
        (8, NEAR_ONE, 1),
        (25, NEAR_ONE, 1),
    ],
    ids=str,
)
def test_intervals_of_a_mean_score_cover_what_they_say(
    cases: int, scores: dict[float, float], most: float
) -> None:
    """One slice of a run: 95 ± 1.5 %; small slices and scores near 1 on the careful side, never below."""
    values, shares = np.array(list(scores)), list(scores.values())
    drawn = np.random.default_rng(12).choice(values, p=shares, size=(8_000, cases))
    held = coverage([statistics.bounded_mean(row) for row in drawn], float(np.dot(values, shares)))
    assert 0.935 <= held <= most


@pytest.mark.parametrize("cases", [20, 60, 120])
def test_wilsons_interval_covers_what_it_says_on_average(cases: int) -> None:
    """For one rate it jumps as the counts do (Brown, Cai & DasGupta 2001); on average it keeps its word."""
    intervals = [statistics.proportion(passed, cases) for passed in range(cases + 1)]
    rates = np.linspace(0.02, 0.98, 193)
    weights = stats.binom.pmf(np.arange(cases + 1)[:, None], cases, rates)
    held = [[each.low <= rate <= each.high for rate in rates] for each in intervals]
    assert (weights * held).sum(axis=0).mean() == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(("cases", "deviation"), [(60, 0.3), (200, 0.15)])
def test_a_true_change_is_found_as_often_as_the_detectable_effect_says(cases: int, deviation: float) -> None:
    """The smallest detectable effect at 80 % power, by simulation of normally distributed differences."""
    effect = statistics.minimum_detectable_effect(cases, deviation, power=0.8)
    drawn = np.random.default_rng(13).normal(effect, deviation, size=(20_000, cases))
    p_values = stats.ttest_1samp(drawn, 0, axis=1).pvalue
    assert np.mean(p_values < 0.05) == pytest.approx(0.8, abs=0.02)


def test_the_sign_test_errs_as_seldom_as_stated() -> None:
    """Numbers that change by chance: at most 5 % of p-values are below 0.05, and not next to none."""
    better = np.random.default_rng(14).binomial(40, 0.5, size=4_000)
    errs = np.mean([statistics.sign_test(int(wins), 40 - int(wins)) < 0.05 for wins in better])
    assert 0.02 < errs <= 0.05 + 0.011


def test_holm_keeps_the_error_of_several_slices_together() -> None:
    """12 slices without any true change: at most 5 % of comparisons show one."""
    better = np.random.default_rng(15).binomial(30, 0.5, size=(3_000, 12))
    p_values = {wins: statistics.sign_test(wins, 30 - wins) for wins in range(31)}
    errs = np.mean([min(statistics.holm([p_values[int(wins)] for wins in row])) < 0.05 for row in better])
    assert 0 < errs <= 0.05 + 0.012


# properties and edges


def test_the_interval_that_suits_the_values() -> None:
    assert statistics.mean_score([0, 1, 1]) == statistics.proportion(2, 3)
    assert statistics.mean_score([0.5, 1, 1]) == statistics.bounded_mean([0.5, 1, 1])
    assert statistics.mean_score([3.0, 5, 9]) == statistics.bootstrap_mean([3.0, 5, 9])
    assert np.isnan(statistics.mean_score([3.0]).low)
    assert statistics.mean_score([1.0] * 9).low < 0.8  # nine of nine is not certainty


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_bounded_mean_stays_inside_its_bounds_and_holds_its_estimate(values: list[float]) -> None:
    interval = statistics.bounded_mean(values)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1 + 1e-12


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=2, max_size=30))
def test_an_interval_holds_its_estimate_and_mirrors_when_runs_are_swapped(after: list[float]) -> None:
    before = after[::-1]
    interval = statistics.paired_bootstrap(before, after, resamples=500)
    mirrored = statistics.paired_bootstrap(after, before, resamples=500)
    assert interval.low <= interval.estimate <= interval.high
    assert mirrored.estimate == pytest.approx(-interval.estimate)


def test_no_change_at_all_is_not_certainty() -> None:
    few, many = (statistics.paired_bootstrap([1.0] * size, [1.0] * size) for size in (10, 1_000))
    assert few.low < -0.1
    assert -0.01 < many.low < 0


def test_the_interval_of_very_many_cases_continues_that_of_many() -> None:
    many, more = (statistics.bootstrap_mean(np.tile([0.0, 0.2, 1.0], size)) for size in (6_600, 6_700))
    assert (many.high - many.low) == pytest.approx(more.high - more.low, rel=0.03)
    assert more.low < more.estimate < more.high


THIRDS = [(number * 7 % 10) / 3 - 1 for number in range(40)]
MANY_VALUES = [math.sqrt(number) for number in range(90)]


def test_intervals_are_the_same_on_every_python_and_numpy() -> None:
    """Literal figures: what is stored in the lessons depends on no version."""
    few, many = statistics.bootstrap_mean(THIRDS), statistics.bootstrap_mean(MANY_VALUES, seed=3)
    assert (few.low, few.high) == (0.191666666667, 0.816666666667)
    assert (many.low, many.high) == (5.791674712037, 6.743726748239)
    paired = statistics.paired_bootstrap(THIRDS, THIRDS[1:] + THIRDS[:1])
    assert (paired.low, paired.high) == (-0.463630351627, 0.487784840211)


def test_the_dust_of_rounding_is_no_difference() -> None:
    """A sum of floats differs in the last digit between Python 3.11 and 3.12."""
    whole = [0.3, 0.6, 0.2, 0.9] * 10
    dust = [0.1 + 0.2, 0.2 + 0.4, 0.2, 0.9] * 10
    assert whole != dust
    assert statistics.paired_bootstrap(whole, dust) == statistics.paired_bootstrap(whole, whole)
    shifted = THIRDS[1:] + THIRDS[:1]
    dusty = [value + 4e-16 * (place % 3) for place, value in enumerate(THIRDS)]
    assert statistics.paired_bootstrap(dusty, shifted) == statistics.paired_bootstrap(THIRDS, shifted)
    assert compare_values("all", np.array(whole), np.array(dust)).better == 0


def test_the_same_seed_gives_the_same_interval() -> None:
    values = GENERATOR.random(50)
    assert statistics.bootstrap_mean(values, seed=3) == statistics.bootstrap_mean(values, seed=3)
    assert statistics.bootstrap_mean(values, seed=3) != statistics.bootstrap_mean(values, seed=4)


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="2 and 1 cases"):
        statistics.paired_bootstrap([1, 2], [1])
    with pytest.raises(ValueError, match="at least 2 cases"):
        statistics.bootstrap_mean([1.0])


# the rate behind a judge's


def test_a_corrected_rate_as_published() -> None:
    """Rogan & Gladen's estimate with Lang & Reiczigel's interval, from their own program."""
    found = statistics.corrected_rate(4060, 11284, (178, 179), (358, 359))
    assert (found.estimate, found.low, found.high) == pytest.approx((0.3600, 0.3487, 0.3721), abs=5e-5)


@given(st.integers(1, 40), st.integers(0, 40), st.integers(1, 30), st.integers(1, 30))
def test_a_perfect_judge_needs_no_correction_but_a_wider_interval(
    cases: int, passed: int, passes: int, fails: int
) -> None:
    passed = min(passed, cases)
    found = statistics.corrected_rate(passed, cases, (passes, passes), (fails, fails))
    assert found.estimate == pytest.approx(passed / cases)
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert found.high - found.low > 0


@given(st.data())
def test_no_outcome_makes_a_rate_certain(data: st.DataObject) -> None:
    """Also those that contradict each other: 22 of 22 passed by a judge that passes 11 of 20 good ones."""
    cases, *labelled = (data.draw(st.integers(1, 60)) for _ in range(3))
    passed = data.draw(st.integers(0, cases))
    true_passes, true_fails = ((data.draw(st.integers(0, items)), items) for items in labelled)
    try:
        found = statistics.corrected_rate(passed, cases, true_passes, true_fails)
    except ValueError:
        return  # refused as no better than chance
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert found.high - found.low > 0.001


@pytest.mark.parametrize(
    ("counts", "low"), [((22, 22, (1, 1), (20, 20)), 0.7), ((22, 22, (11, 20), (20, 20)), 0.8)]
)
def test_a_rate_beyond_1_has_an_interval_below_it(counts: tuple[Any, ...], low: float) -> None:
    found = statistics.corrected_rate(*counts)
    assert (found.estimate, found.high) == (1.0, 1.0)
    assert found.low < low


@given(st.data())
def test_turning_pass_and_fail_round_turns_the_rate_round(data: st.DataObject) -> None:
    passed, failed = data.draw(st.integers(0, 60)), data.draw(st.integers(1, 60))
    passes, fails = (data.draw(st.tuples(st.integers(11, 20), st.just(20))) for _ in "ab")
    one = statistics.corrected_rate(passed, passed + failed, passes, fails)
    other = statistics.corrected_rate(failed, passed + failed, fails, passes)
    assert (other.estimate, other.low, other.high) == pytest.approx(
        (1 - one.estimate, 1 - one.high, 1 - one.low)
    )


@pytest.mark.parametrize("passed", [0, 50])
def test_all_or_nothing_is_no_certainty(passed: int) -> None:
    found = statistics.corrected_rate(passed, 50, (20, 20), (20, 20))
    assert found.estimate == passed / 50
    assert 0.05 < found.high - found.low < 0.2


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((5, 10, (10, 20), (10, 20)), "TPR 0.50 and TNR 0.50 are no better than chance"),
        ((5, 10, (4, 20), (10, 20)), "TPR 0.20 and TNR 0.50 are no better than chance"),
        ((22, 22, (1, 1), (1, 20)), "1 of 1 and 1 of 20 right may be chance: label more"),
        ((0, 0, (19, 20), (19, 20)), "there are no 0 of 0"),
        ((5, 10, (0, 0), (19, 20)), "there are no 0 of 0"),
        ((11, 10, (19, 20), (19, 20)), "there are no 11 of 10"),
        ((-1, 10, (19, 20), (19, 20)), "there are no -1 of 10"),
    ],
)
def test_what_cannot_be_corrected_is_refused(counts: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        statistics.corrected_rate(*counts)


JUDGES = list(product((0.75, 0.85, 0.9, 0.95, 0.99), repeat=2))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cases", "items"), [(50, 20), (50, 40), (50, 60), (200, 20), (200, 40), (1_000, 20)]
)
def test_a_corrected_rate_is_held_over_every_outcome(cases: int, items: int) -> None:
    """Exact: the interval of every outcome that is possible, weighed by how likely the outcome is."""
    outcomes = list(product(range(cases + 1), range(items + 1), range(items + 1)))
    refused = statistics.Interval(math.nan, math.nan, math.nan)
    found = [
        statistics.corrected_rate(passed, cases, (a, items), (b, items)) if a + b > items else refused
        for passed, a, b in outcomes
    ]
    shape = cases + 1, items + 1, items + 1
    low, high = (np.array([getattr(one, end) for one in found]).reshape(shape) for end in ("low", "high"))
    for rate, (tpr, tnr) in product((0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95), JUDGES):
        of_cases = stats.binom.pmf(range(cases + 1), cases, rate * tpr + (1 - rate) * (1 - tnr))
        of_tpr, of_tnr = (stats.binom.pmf(range(items + 1), items, one) for one in (tpr, tnr))
        weights = np.einsum("i,j,k", of_cases, of_tpr, of_tnr)
        held = weights[(low <= rate) & (rate <= high)].sum() / weights[~np.isnan(low)].sum()
        assert held >= 0.94, (rate, tpr, tnr)


def drawn(
    cases: int, items: int, rate: float, tpr: float, tnr: float, times: int
) -> list[tuple[int, int, tuple[int, int], tuple[int, int]]]:
    """The counts of so many experiments, of those in which the judge is better than chance."""
    passed = GENERATOR.binomial(cases, rate * tpr + (1 - rate) * (1 - tnr), times)
    passes, fails = GENERATOR.binomial(items, tpr, times), GENERATOR.binomial(items, tnr, times)
    counts = zip(passed.tolist(), passes.tolist(), fails.tolist(), strict=True)
    return [(a, cases, (b, items), (c, items)) for a, b, c in counts if b + c > items]


def labelled_items_drawn_again(counts: tuple[int, int, tuple[int, int], tuple[int, int]]) -> tuple[Any, Any]:
    """The wrong way, as a published helper has it: the judged cases are taken to be all there are."""
    passed, cases, (a, items), (b, _) = counts
    tpr, tnr = (GENERATOR.binomial(items, one / items, 500) / items for one in (a, b))
    better = tpr + tnr > 1
    rates = (passed / cases + tnr[better] - 1) / (tpr[better] + tnr[better] - 1)
    low, high = np.quantile(np.clip(rates, 0, 1), [0.025, 0.975])
    return low, high


@pytest.mark.parametrize(
    ("setting", "at_most"), [((50, 40, 0.3, 0.9, 0.9), 0.75), ((200, 60, 0.7, 0.9, 0.85), 0.87)]
)
def test_drawing_the_labelled_items_alone_again_holds_it_too_seldom(
    setting: tuple[Any, ...], at_most: float
) -> None:
    experiments = drawn(*setting, 400)
    ends = [labelled_items_drawn_again(counts) for counts in experiments]
    assert sum(low <= setting[2] <= high for low, high in ends) / len(ends) < at_most
    ours = [statistics.corrected_rate(*counts) for counts in experiments]
    assert sum(one.low <= setting[2] <= one.high for one in ours) / len(ours) > 0.91

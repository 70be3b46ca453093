"""Effects with intervals: against gbstats, tea-tasting, scipy and statsmodels, and by simulation."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from aicourse.errors import ExperimentError
from aicourse.evals.statistics import Interval
from aicourse.experiments import Arm, Effect, Guardrail, Metric, aa_rates, difference
from aicourse.experiments.effects import arms, contributions, totals

RATIO = Metric(name="seconds per listing", numerator="seconds", denominator="listings")


def from_sums(people: int, total: float, squares: float) -> Arm:
    return Arm(people, total / people, (squares - total**2 / people) / (people - 1))


def sellers(people: int = 600, seed: int = 12) -> pd.DataFrame:
    """Sellers with several listings each, some slow and some quick; v7 saves a tenth of the time."""
    stream = np.random.RandomState(seed)
    habit = stream.gamma(4, 5, people)
    listings = 1 + stream.poisson(2, people)
    new = stream.randint(0, 2, people)
    return pd.DataFrame(
        {
            "person": [f"s{number}" for number in range(people)],
            "variant": np.where(new == 1, "v7", "control"),
            "listings": listings,
            "seconds": stream.poisson(habit * listings * (1 - 0.1 * new)),
            "seconds before": stream.poisson(habit),
            "published": stream.binomial(1, 0.5 + 0.1 * new),
        }
    )


# independent implementations


def test_the_intervals_of_gbstats() -> None:
    """TwoSidedTTest of gbstats 0.8 on the sums of its documentation."""
    control = from_sums(3407, 1396.87, 52377.9767)
    new = from_sums(3461, 2422.7, 134698.29)
    absolute, relative = difference(control, new), difference(control, new, relative=True)
    assert (absolute.estimate, absolute.low, absolute.high) == pytest.approx((0.29, 0.0453779, 0.5346221))
    assert (relative.estimate, relative.low, relative.high) == pytest.approx(
        (0.7073171, -0.0352601, 1.4498942), abs=1e-7
    )
    for p, relatively in ((0.0201584, False), (0.06191, True)):  # at its p-value it just touches zero
        assert difference(control, new, relative=relatively, significance=p).low == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("metric", "means", "ends", "p"),
    [
        (Metric(name="seconds"), (59.6283784, 51.2039474), (-14.9974321, -1.8514299), 0.0121045531),
        (RATIO, (20.0568182, 18.2699531), (-3.5518849, -0.0218454), 0.0472404795),
        (
            Metric(name="seconds", covariate="seconds before"),
            (60.7644924, 50.0977311),
            (-15.5154715, -5.8180511),
            1.84396824e-05,
        ),
        (
            RATIO.model_copy(update={"covariate": "seconds before"}),
            (20.4359069, 17.9008403),
            (-3.5228157, -1.5473175),
            6.20178866e-07,
        ),
        (Metric(name="published"), (0.4932432, 0.5953947), (0.0225607, 0.1817423), 0.0119735805),
    ],
)
def test_the_intervals_of_tea_tasting(
    metric: Metric, means: tuple[float, float], ends: tuple[float, float], p: float
) -> None:
    """Mean and RatioOfMeans of tea-tasting 2.0 on the same sellers, with and without covariate (CUPED)."""
    found = arms(metric, sellers())
    control, new = found["control"], found["v7"]
    interval = difference(control, new)
    assert (control.mean, new.mean) == pytest.approx(means, abs=1e-7)
    assert (interval.low, interval.high) == pytest.approx(ends, abs=1e-7)
    at_its_p_value = difference(control, new, significance=p)
    assert min(abs(at_its_p_value.low), abs(at_its_p_value.high)) == pytest.approx(0, abs=1e-6)


def test_the_intervals_of_scipy() -> None:
    data = sellers()
    found = arms(Metric(name="seconds"), data)
    parts = [data["seconds"][data["variant"] == name] for name in ("v7", "control")]
    test = stats.ttest_ind(*parts, equal_var=False)
    for level in (0.95, 0.99):
        interval = difference(found["control"], found["v7"], significance=1 - level)
        assert (interval.low, interval.high) == pytest.approx(tuple(test.confidence_interval(level)))
        assert interval.confidence == pytest.approx(level)


def test_the_variance_of_a_ratio_is_that_of_the_delta_method() -> None:
    """Deng et al. 2018, equation 2: from means, variances and covariance of the two sums."""
    data = sellers()
    values = contributions(data["seconds"].to_numpy(), data["listings"].to_numpy())
    (var_y, cov), (_, var_x) = np.cov(data["seconds"], data["listings"])
    y, x = data["seconds"].mean(), data["listings"].mean()
    assert values.mean() == pytest.approx(y / x)
    assert values.var(ddof=1) == pytest.approx((var_y - 2 * y / x * cov + (y / x) ** 2 * var_x) / x**2)


def test_where_nobody_differs_the_interval_is_not_empty() -> None:
    none = Arm.of(np.zeros(50))
    interval = difference(none, Arm.of(np.zeros(60)))
    low, high = confint_proportions_2indep(0, 60, 0, 50, method="agresti-caffo")
    assert interval.estimate == 0
    assert interval.high - interval.low == pytest.approx(high - low, rel=0.05)
    assert difference(Arm.of(np.ones(50)), none).estimate == -1
    assert Arm.of(np.full(50, 3.0)).variance == 0


def test_a_control_of_zero_has_no_relative_difference() -> None:
    interval = difference(Arm(50, 0.0, 0.1), Arm(50, 0.2, 0.1), relative=True)
    assert math.isnan(interval.estimate)
    assert math.isnan(interval.low)


def test_no_variance_is_no_crash() -> None:
    same = Arm(50, 3.0, 0.0)
    assert difference(same, same) == Interval(0, 0, 0, 0.95)


# outcomes


def test_rows_of_a_person_are_added_up_and_covariates_are_not(make: Any) -> None:
    metric = {"name": "seconds", "covariate": "before"}
    rows = pd.DataFrame({"person": list("aba"), "seconds": [1, 2, 3], "before": [5, 6, 5], "published": 1})
    experiment = make(primary=metric, guardrails=[{"name": "published", "tolerance": 0}])
    assert totals(experiment, rows).to_dict("index") == {
        "a": {"seconds": 4, "published": 2, "before": 5},
        "b": {"seconds": 2, "published": 1, "before": 6},
    }


def test_a_ratio_over_nothing() -> None:
    with pytest.raises(ExperimentError, match="denominator of a ratio adds up to 0"):
        arms(RATIO, sellers().assign(listings=0))


# CUPED


def test_a_covariate_takes_off_the_variance_that_it_explains() -> None:
    stream = np.random.RandomState(4)
    before = stream.normal(size=20_000)
    data = pd.DataFrame(
        {
            "variant": stream.choice(["control", "v7"], 20_000),
            "before": before,
            "seconds": 0.8 * before + 0.6 * stream.normal(size=20_000),
        }
    )
    plain, adjusted = (arms(Metric(name="seconds", covariate=column), data) for column in (None, "before"))
    for variant in ("control", "v7"):
        share = adjusted[variant].variance / plain[variant].variance
        assert share == pytest.approx(1 - 0.8**2, abs=0.015)


def test_a_covariate_that_is_the_same_for_all_changes_nothing() -> None:
    data = sellers().assign(before=7)
    assert arms(Metric(name="seconds", covariate="before"), data) == arms(Metric(name="seconds"), data)


def test_who_has_no_covariate_is_not_taken_for_0() -> None:
    data = sellers()
    data.loc[3, "seconds before"] = np.nan
    with pytest.raises(ExperimentError, match="1 people have no covariate 'seconds before'"):
        arms(Metric(name="seconds", covariate="seconds before"), data)


# effects in words


def effect(low: float, high: float, metric: Metric, *, loss_shown: bool = False) -> Effect:
    arm, interval = Arm(10, 1, 1), Interval((low + high) / 2, low, high)
    return Effect(metric, "v7", arm, arm, interval, interval, loss_shown)


@pytest.mark.parametrize(
    ("ends", "better", "verdict"),
    [
        ((0.1, 0.3), "higher", "better"),
        ((-0.3, -0.1), "higher", "worse"),
        ((-0.1, 0.1), "higher", "no difference shown"),
        ((0.1, 0.3), "lower", "worse"),
        ((-0.3, -0.1), "lower", "better"),
        ((0.0, 0.3), "higher", "no difference shown"),
    ],
)
def test_which_way_is_better(ends: tuple[float, float], better: Any, verdict: str) -> None:
    assert effect(*ends, Metric(name="m", better=better)).verdict == verdict


@pytest.mark.parametrize(
    ("ends", "better", "state"),
    [
        ((-0.4, 1), "higher", "ruled out"),
        ((-0.5, 1), "higher", "not ruled out"),
        ((-1, 0.4), "lower", "ruled out"),
        ((-1, 0.6), "lower", "not ruled out"),
    ],
)
def test_a_guardrail_must_rule_out_more_than_its_tolerance(
    ends: tuple[float, float], better: Any, state: str
) -> None:
    guardrail = Guardrail(name="m", better=better, tolerance=0.5)
    one = effect(*ends, guardrail)
    assert (one.verdict, one.is_safe) == (f"a loss over 0.5 is {state}", state == "ruled out")
    assert replace(one, loss_shown=True).verdict == "a loss over 0.5 is shown"


# A/A


def test_an_a_a_check_of_sound_metrics(make: Any) -> None:
    rates = aa_rates(make(), sellers(400), rounds=300)
    assert list(rates) == ["published", "seconds per listing"]
    assert all(rate.low <= 0.05 <= rate.high for rate in rates.values())


def test_an_a_a_check_finds_a_metric_of_which_one_person_has_most(make: Any) -> None:
    data = sellers(400)
    data["seconds"] = np.where(data.index == 7, 1e6, data["seconds"])
    (rate,) = aa_rates(make(primary={"name": "seconds"}, guardrails=[]), data, rounds=300).values()
    assert rate.high < 0.05


def test_few_people_are_not_checked(make: Any) -> None:
    with pytest.raises(ExperimentError, match="19 people are too few"):
        aa_rates(make(), sellers(19))


@pytest.mark.slow
def test_a_a_false_positives_of_the_delta_method_and_of_counting_listings() -> None:
    """Listings of one seller are alike (correlation 0.27), so that counting each errs in 13.6 %.

    That is the tail beyond 1.96 / sqrt(design effect), and the effect 1 + (E[n^2] / E[n] - 1) x 0.27 = 1.73.
    """
    stream, found = np.random.RandomState(8), []
    for _ in range(4_000):
        listings = 1 + stream.poisson(2, 300)
        habit = stream.gamma(53, 20 / 53, 300)
        seller = np.repeat(np.arange(300), listings)
        rows = pd.DataFrame({"person": seller, "seconds": stream.poisson(habit[seller]), "listings": 1})
        half = stream.permutation(300) % 2
        sums = rows.groupby("person").sum().assign(variant=half)
        counted = arms(Metric(name="seconds"), rows.assign(variant=half[seller]))
        by_seller = arms(RATIO, sums)
        intervals = [difference(*one.values()) for one in (by_seller, counted)]
        found.append([one.low > 0 or one.high < 0 for one in intervals])
    delta, naive = np.mean(found, axis=0)
    assert delta == pytest.approx(0.05, abs=0.01)
    assert naive == pytest.approx(0.136, abs=0.015)


@pytest.mark.slow
@pytest.mark.parametrize(
    "metric", [Metric(name="seconds"), RATIO, Metric(name="seconds", covariate="before")]
)
@pytest.mark.parametrize("relative", [False, True])
def test_intervals_hold_the_truth_in_95_percent(metric: Metric, relative: bool) -> None:
    stream, inside = np.random.RandomState(6), 0
    for _ in range(3_000):
        habit = stream.gamma(4, 5, 600)
        listings = 1 + stream.poisson(2, 600)
        variant = stream.permutation(600) % 2
        seconds = stream.poisson(habit * listings) * (1 + 0.1 * variant)
        data = pd.DataFrame({"variant": variant, "listings": listings, "seconds": seconds, "before": habit})
        found = arms(metric, data)
        truth = 0.1 if relative else 0.1 * 20 * (1 if metric is RATIO else 3)
        interval = difference(found["0"], found["1"], relative=relative)
        inside += interval.low <= truth <= interval.high
    assert inside / 3_000 == pytest.approx(0.95, abs=0.015)

"""Power and sample size: closed formulas, other functions of statsmodels, and simulated experiments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.power import NormalIndPower, tt_ind_solve_power
from statsmodels.stats.proportion import proportion_effectsize, samplesize_proportions_2indep_onetail

from aicourse.errors import ExperimentError
from aicourse.experiments import plan

Z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)


@pytest.mark.parametrize(("power", "weights"), [(0.8, (1, 1)), (0.5, (9, 1)), (0.99, (1, 3))])
def test_it_is_what_statsmodels_solves(make: Any, power: float, weights: tuple[float, float]) -> None:
    experiment = make(variants=dict(zip(("control", "v7"), weights, strict=True)), ramp=[0.1], share=0.1)
    found = plan(experiment, traffic=100, baseline=0.5, effects=[0.1], power=power).iloc[0]
    size, ratio = proportion_effectsize(0.55, 0.5), weights[1] / weights[0]
    solved = NormalIndPower().solve_power(size, alpha=0.05, power=power, ratio=ratio)
    assert found["in control"] == math.ceil(solved)


def test_an_effect_that_a_handful_of_people_show(make: Any) -> None:
    found = plan(make(), traffic=100, baseline=1, deviation=0.1, effects=[1, 1e-9])
    assert found["in control"].iloc[0] == 1
    assert found["in control"].iloc[1] == pytest.approx(2 * (Z * 1e8) ** 2)


@pytest.mark.parametrize(("rate", "effect"), [(0.05, 0.0025), (0.10, 0.01), (0.62, 0.05), (0.5, -0.1)])
def test_rates_need_the_people_of_another_formula(make: Any, rate: float, effect: float) -> None:
    other = samplesize_proportions_2indep_onetail(
        effect, rate, 0.8, ratio=1, alpha=0.05, alternative="two-sided"
    )
    found = plan(make(), traffic=100, baseline=rate, effects=[effect / rate]).iloc[0]
    assert found["in control"] == pytest.approx(other, rel=0.01)
    assert found["people"] == 2 * found["in control"]


def test_a_small_change_of_a_rate_needs_about_16_variances_over_its_square(make: Any) -> None:
    """The thumb rule of Kohavi, Tang & Xu 2020, chapter 15."""
    found = plan(make(), traffic=100, baseline=0.05, effects=[0.05]).iloc[0]
    assert found["in control"] == pytest.approx(16 * 0.05 * 0.95 / 0.0025**2, rel=0.03)


@pytest.mark.parametrize("weights", [(1, 1), (9, 1), (1, 3)])
def test_means_need_the_people_of_the_closed_formula(make: Any, weights: tuple[float, float]) -> None:
    experiment = make(variants=dict(zip(("control", "v7"), weights, strict=True)), ramp=[0.1], share=0.1)
    found = plan(experiment, traffic=100, baseline=40, deviation=30, effects=[0.05]).iloc[0]
    ratio = weights[1] / weights[0]
    assert found["in control"] == pytest.approx((Z * 30 / 2) ** 2 * (1 + 1 / ratio), abs=1)
    assert found["people"] == pytest.approx(found["in control"] * (1 + ratio), abs=1)
    other = tt_ind_solve_power(2 / 30, alpha=0.05, power=0.8, ratio=ratio)
    assert found["in control"] == pytest.approx(other, rel=0.005)


def test_simulated_experiments_find_a_rate_as_often_as_planned(make: Any) -> None:
    people = plan(make(), traffic=100, baseline=0.10, effects=[0.5]).iloc[0]["in control"]
    stream = np.random.RandomState(3)
    before, after = (stream.binomial(people, rate, 20_000) / people for rate in (0.10, 0.15))
    errors = np.sqrt(before * (1 - before) / people + after * (1 - after) / people)
    assert np.mean(np.abs(after - before) > 1.96 * errors) == pytest.approx(0.80, abs=0.01)


@pytest.mark.parametrize(
    ("baseline", "effect"), [(0.0, 0.1), (1.0, -0.1), (0.9, 0.2), (0.1, -1), (40, 0.05), (np.nan, 0.1)]
)
def test_what_is_no_rate_needs_a_deviation(make: Any, baseline: float, effect: float) -> None:
    with pytest.raises(ExperimentError, match="not both rates between 0 and 1"):
        plan(make(), traffic=100, baseline=baseline, effects=[effect])


@pytest.mark.parametrize(
    ("baseline", "deviation", "effect"),
    [(0.5, None, 0), (40, 0, 0.1), (40, -3, 0.1), (0, 3, 0.1), (40, np.nan, 0.1), (np.inf, 3, 0.1)],
)
def test_what_nobody_can_find(make: Any, baseline: float, deviation: float | None, effect: float) -> None:
    with pytest.raises(ExperimentError, match="No number of people shows"):
        plan(make(), traffic=100, baseline=baseline, deviation=deviation, effects=[effect])


def test_past_outcomes_in_which_nobody_differs(make: Any) -> None:
    past = pd.DataFrame({"person": ["a", "b"], "published": 3, "seconds": 1, "listings": 1})
    with pytest.raises(ExperimentError, match="No number of people shows"):
        plan(make(), traffic=100, past=past)


# the table


def test_the_plan_counts_people_and_days(make: Any) -> None:
    table = plan(make(), traffic=100, baseline=0.5, effects=[0.10]).iloc[0]
    size = 2 * (math.asin(math.sqrt(0.55)) - math.asin(math.sqrt(0.5)))  # Cohen's h
    control = math.ceil(2 * (Z / size) ** 2)
    assert (table["effect"], table["difference"]) == ("+10.0%", 0.05)
    assert (table["in control"], table["people"]) == (control, 2 * control)
    assert table["days"] == math.ceil(2 * control / 100)  # at the last step everybody takes part


def test_a_ramp_that_ends_early_takes_more_days(make: Any) -> None:
    table = plan(make(ramp=[0.05, 0.10], share=0.05), traffic=100, baseline=0.5, effects=[0.10]).iloc[0]
    assert table["days"] == math.ceil(table["people"] / 20)  # 10 % get the new variant, 10 % the control's


def test_unequal_weights_and_more_variants_take_more_people(make: Any) -> None:
    even = plan(make(), traffic=100, baseline=0.5, effects=[0.10]).iloc[0]
    uneven = make(variants={"control": 4, "v7": 1}, ramp=[0.1], share=0.1)
    table = plan(uneven, traffic=100, baseline=0.5, effects=[0.10]).iloc[0]
    assert table["people"] == pytest.approx(even["people"] / 4 / (0.8 * 0.2), rel=0.01)
    three = plan(make(variants={"control": 1, "v7": 1, "v8": 1}), traffic=100, baseline=0.5, effects=[0.10])
    stricter = (stats.norm.ppf(1 - 0.0125) + stats.norm.ppf(0.8)) / Z
    assert three.iloc[0]["people"] == pytest.approx(even["people"] * 1.5 * stricter**2, rel=0.01)


def test_always_valid_intervals_take_nearly_twice_as_many(make: Any) -> None:
    once, always = (
        plan(make(stopping=kind), traffic=100, baseline=40, deviation=30, effects=[0.05]).iloc[0]["people"]
        for kind in ("fixed", "always valid")
    )
    assert always / once == pytest.approx(((3.035 + 0.8416) / Z) ** 2, rel=0.002)


def test_the_plan_of_a_ratio_takes_its_variance_from_past_outcomes(make: Any) -> None:
    """The numbers of RatioOfMeans.solve_power in tea-tasting 2.0, on the sellers of test_effects."""
    stream = np.random.RandomState(12)
    habit, listings = stream.gamma(4, 5, 600), 1 + stream.poisson(2, 600)
    saved = 1 - 0.1 * stream.randint(0, 2, 600)
    past = pd.DataFrame({"person": np.arange(600), "listings": listings})
    past["seconds"] = stream.poisson(habit * listings * saved)
    metric = {"name": "seconds per listing", "numerator": "seconds", "denominator": "listings"}
    found = plan(make(primary=metric, guardrails=[]), traffic=100, past=past, effects=[0.05, 0.10])
    assert found["difference"].tolist() == pytest.approx([0.9588915, 1.9177829], abs=1e-7)
    assert found["people"].tolist() == pytest.approx([4219, 1055], abs=1)


def test_effects_that_a_rate_cannot_have_are_left_out(make: Any) -> None:
    assert plan(make(), traffic=100, baseline=0.62)["effect"].tolist() == [
        "+1.0%",
        "+2.0%",
        "+5.0%",
        "+10.0%",
        "+20.0%",
    ]
    assert plan(make(), traffic=100, baseline=0.95)["effect"].tolist() == ["+1.0%", "+2.0%", "+5.0%"]


def test_a_plan_needs_a_baseline(make: Any) -> None:
    with pytest.raises(ExperimentError, match="Give a baseline, or past outcomes"):
        plan(make(), traffic=100)


def test_a_mean_without_deviation_is_no_empty_table(make: Any) -> None:
    with pytest.raises(ExperimentError, match="For a mean or a ratio give its standard deviation"):
        plan(make(), traffic=100, baseline=1.84)

"""Estimates from weighted samples: against textbook formulas, every possible sample, and simulation."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from aicourse.errors import FeedbackError
from aicourse.evals.statistics import Interval
from aicourse.monitoring.estimates import hajek, horvitz_thompson
from aicourse.monitoring.samplers import (
    sample_corrected,
    sample_random,
    sample_stratified,
    sample_uncertain,
)


def reach(found: Interval) -> float:
    return (found.high - found.low) / 2


def test_a_simple_sample_has_the_textbook_error() -> None:
    values = np.array([3.0, 5.0, 8.0, 4.0, 10.0])
    found = horvitz_thompson(values, [5 / 20] * 5, 20)
    assert found.estimate == pytest.approx(values.mean())
    error = math.sqrt((1 - 5 / 20) * values.var(ddof=1) / 5)  # Cochran 1977, eq. 2.20
    assert reach(found) == pytest.approx(1.959964 * error)


def test_a_stratified_sample_has_the_textbook_error() -> None:
    first, second = np.array([1.0, 0, 1, 1, 0, 1]), np.array([0.0, 0, 1, 0])
    sizes = {"a": 30, "b": 70}
    values = np.concatenate([first, second])
    probabilities = [6 / 30] * 6 + [4 / 70] * 4
    found = horvitz_thompson(values, probabilities, 100, ["a"] * 6 + ["b"] * 4)
    assert found.estimate == pytest.approx(0.3 * first.mean() + 0.7 * second.mean())
    variance = sum(  # Cochran 1977, eq. 5.12
        (size / 100) ** 2 * (1 - len(part) / size) * part.var(ddof=1) / len(part)
        for part, size in zip((first, second), sizes.values(), strict=True)
    )
    assert reach(found) == pytest.approx(1.959964 * math.sqrt(variance))
    as_rate = hajek(values, probabilities, ["a"] * 6 + ["b"] * 4)
    assert as_rate.estimate == pytest.approx(found.estimate)
    rate = found.estimate
    cases = rate * (1 - rate) / variance
    low, high = proportion_confint(rate * cases, cases, method="wilson")
    assert (as_rate.low, as_rate.high) == pytest.approx((low, high))


def test_over_every_possible_sample_the_mean_is_the_truth() -> None:
    population = np.array([1.0, 4, 9, 2, 7])
    found = [horvitz_thompson(population[list(drawn)], [3 / 5] * 3, 5) for drawn in combinations(range(5), 3)]
    assert np.mean([one.estimate for one in found]) == pytest.approx(population.mean())
    variances = [(reach(one) / 1.959964) ** 2 for one in found]
    assert np.mean(variances) == pytest.approx(np.var([one.estimate for one in found]))


def test_equal_probabilities_give_wilsons_interval() -> None:
    found = hajek([1] * 12 + [0] * 88, [1e-9] * 100)
    low, high = proportion_confint(12 * 0.99, 99, method="wilson")  # s² has n - 1
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6)


def test_what_was_seen_whole_is_certain_and_what_is_always_right_is_not() -> None:
    assert hajek([1, 0, 0], [1, 1, 1]) == Interval(1 / 3, 1 / 3, 1 / 3)
    found = hajek([0] * 20, [0.1] * 20)
    low, high = proportion_confint(0, 20, method="wilson")
    assert (found.estimate, found.low, found.high) == pytest.approx((0, low, high), abs=1e-12)


def test_one_alone_in_its_stratum_is_compared_with_all() -> None:
    alone = hajek([1, 1, 0, 0, 1], [0.1] * 5, ["a", "a", "b", "b", "c"])
    assert 0 < alone.low < 0.6 < alone.high < 1


@pytest.mark.parametrize(
    ("values", "probabilities", "told"),
    [
        ([1], [0.5], "2 values or more"),
        ([1, None], [0.5, 0.5], "none missing"),
        ([1, 0], [0.5, 0.0], "above 0"),
        ([1, 0], [0.5, 60], "at most 1"),
        ([1, 5], [0.5, 0.5], "between 0 and 1"),
    ],
)
def test_what_no_rate_is_made_of(values: list[float], probabilities: list[float], told: str) -> None:
    with pytest.raises(FeedbackError, match=told):
        hajek(values, probabilities)


def population(size: int = 1_000) -> pd.DataFrame:
    """Traces of which 18 % are wrong; sellers find half of it, and the model's gaps are a hint."""
    stream = np.random.RandomState(7)
    category = stream.choice(["shoes", "clothing", "furniture"], size, p=[0.5, 0.4, 0.1])
    rate = np.select([category == "shoes", category == "clothing"], [0.08, 0.22], 0.5)
    wrong = stream.random_sample(size) < rate
    corrected = wrong & (stream.random_sample(size) < 0.5) | (stream.random_sample(size) < 0.02)
    gaps = stream.poisson(np.where(wrong, 1.5, 0.5))
    return pd.DataFrame(
        {"category": category, "wrong": wrong, "corrected": corrected, "empty_fields": gaps},
        index=[f"t{place}" for place in range(size)],
    )


def drawn(name: str, traces: pd.DataFrame, seed: int) -> pd.DataFrame:
    if name == "random":
        return sample_random(traces, 150, seed=seed)
    if name == "stratified":
        return sample_stratified(traces, 150, "category", seed=seed)
    if name == "corrected":
        return sample_corrected(traces, 150, seed=seed)
    return sample_uncertain(traces, 150, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random", "stratified", "corrected", "uncertain"])
def test_estimates_are_unbiased_and_their_intervals_keep_their_word(name: str) -> None:
    traces, rounds = population(), 1_000
    truth = traces["wrong"].mean()
    naive, unbiased, covered = [], [], []
    for seed in range(rounds):
        sample = drawn(name, traces, seed)
        strata = sample.get("stratum")
        naive.append(sample["wrong"].mean())
        unbiased.append(
            horvitz_thompson(sample["wrong"], sample["probability"], len(traces), strata).estimate
        )
        found = hajek(sample["wrong"], sample["probability"], strata)
        covered.append(found.low <= truth <= found.high)
    error = np.std(unbiased) / math.sqrt(rounds)
    assert abs(np.mean(unbiased) - truth) <= 3.5 * error
    assert np.mean(covered) == pytest.approx(0.95, abs=0.0207)  # 3 standard errors
    if name != "random":
        assert np.mean(naive) > truth + 0.05  # what the sample alone would say

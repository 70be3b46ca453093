"""Drift: the index against its formula, its limit against simulation, tests against scipy's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from aicourse.errors import MonitoringError
from aicourse.monitoring.drift import (
    USUAL_LIMIT,
    compare_mix,
    false_alarms,
    psi,
    psi_limit,
    same_distribution,
    same_mix,
)


def test_the_index_is_both_relative_entropies_added() -> None:
    before, after = [30, 50, 20], [45, 35, 20]
    p, q = np.array(before) + 0.5, np.array(after) + 0.5  # scipy makes them shares
    assert psi(before, after) == pytest.approx(stats.entropy(p, q) + stats.entropy(q, p))
    assert psi([10, 20], [10, 20]) == 0
    assert psi([before, before], [after, before]).tolist() == [psi(before, after), 0]


def test_an_empty_sample_is_told() -> None:
    with pytest.raises(MonitoringError, match="A sample is empty"):
        compare_mix({"shoes": 0}, {"shoes": 10})


def test_a_category_that_one_sample_lacks() -> None:
    lacking = psi([100, 0], [90, 10])
    assert math.isfinite(lacking)
    assert lacking > psi([100, 5], [90, 10])


def test_categories_are_matched_by_name() -> None:
    drift = compare_mix({"shoes": 300, "books": 100}, {"books": 300, "shoes": 100, "none": 0})
    assert drift.psi == pytest.approx(psi([300, 100], [100, 300]))
    assert drift.limit == pytest.approx((1 / 400 + 1 / 400) * stats.chi2.ppf(0.99, 1))
    assert drift.has_drifted
    assert str(drift) == "PSI 1.093, limit 0.033 for 400 and 400: drift"


@pytest.mark.parametrize(("size", "expected"), [(200, 0.33), (100, 0.80)])
def test_the_fixed_limit_alarms_without_drift(size: int, expected: float) -> None:
    assert false_alarms(size, USUAL_LIMIT) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("size", "significance"), [(200, 0.05), (1_000, 0.05), (5_000, 0.01)])
def test_the_limit_from_the_sample_sizes_keeps_its_promise(size: int, significance: float) -> None:
    limit = psi_limit(size, size, 10, significance=significance)
    assert false_alarms(size, limit) == pytest.approx(significance, rel=0.3)


def test_a_mix_that_did_drift_is_found() -> None:
    stream = np.random.RandomState(1)
    usual, other = [0.1] * 10, [0.05] * 5 + [0.15] * 5
    found = [
        psi(stream.multinomial(400, usual).tolist(), stream.multinomial(400, other).tolist())
        > psi_limit(400, 400, 10)
        for _ in range(200)
    ]
    assert np.mean(found) > 0.95


def test_the_two_sample_tests_err_as_often_as_they_say() -> None:
    stream = np.random.RandomState(2)
    mixes = [same_mix(*stream.multinomial(300, [0.25] * 4, size=2).tolist()) for _ in range(1_000)]
    numbers = [same_distribution(*stream.lognormal(size=(2, 200)).tolist()) for _ in range(1_000)]
    assert np.mean(np.array(mixes) < 0.05) == pytest.approx(0.05, abs=0.02)
    assert np.mean(np.array(numbers) < 0.05) == pytest.approx(0.05, abs=0.02)
    assert same_mix([50, 50], [80, 20]) < 1e-4
    assert same_distribution(stream.normal(size=200), stream.normal(1, size=200)) < 1e-4

"""Looking more than once: published numbers, an exact mixture, and simulated experiments."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

from aicourse.experiments import always_valid, difference, group_sequential, peeking
from aicourse.experiments.effects import Arm
from aicourse.experiments.sequential import crossing_probability

# peeking


@pytest.mark.parametrize(
    ("looks", "expected"), [(1, 0.050), (2, 0.083), (5, 0.142), (10, 0.193), (20, 0.248)]
)
def test_peeking_errs_as_armitage_mcpherson_and_rowe_computed(looks: int, expected: float) -> None:
    """Their paper of 1969, at 5 %; by integration and by simulation."""
    assert crossing_probability([1.959964] * looks) == pytest.approx(expected, abs=5e-4)
    assert peeking(looks, experiments=100_000) == pytest.approx(expected, abs=0.003)


# group-sequential


@pytest.mark.parametrize(
    ("looks", "pocock", "obrien_fleming"),  # Jennison & Turnbull 2000, tables 2.1 and 2.3
    [(1, 1.960, 1.960), (2, 2.178, 1.977), (5, 2.413, 2.040), (10, 2.555, 2.087), (20, 2.672, 2.126)],
)
def test_published_boundaries(looks: int, pocock: float, obrien_fleming: float) -> None:
    assert group_sequential(looks, "pocock") == pytest.approx([pocock] * looks, abs=6e-4)
    expected = [obrien_fleming * math.sqrt(looks / look) for look in range(1, looks + 1)]
    assert group_sequential(looks) == pytest.approx(expected, rel=3e-4)


@pytest.mark.parametrize("kind", ["pocock", "obrien-fleming"])
def test_boundaries_err_in_five_percent_of_simulated_experiments(kind: str) -> None:
    critical = group_sequential(5, kind)  # type: ignore[arg-type]
    assert peeking(5, critical, experiments=100_000) == pytest.approx(0.05, abs=0.0025)


def test_another_error_rate() -> None:
    assert crossing_probability(group_sequential(4, "pocock", significance=0.01)) == pytest.approx(0.01)


# always valid


def test_the_interval_of_gbstats() -> None:
    """SequentialTwoSidedTTest of gbstats 0.8, tuning parameter 5,000; relative and absolute."""
    control, new = (Arm(n, k / n, k / n * (1 - k / n)) for n, k in ((3000, 1396), (3461, 2422)))
    critical = always_valid(6461, 5000)
    relative = difference(control, new, relative=True, critical=critical)
    assert (relative.low, relative.high) == pytest.approx((0.4009785, 0.6067482), abs=1e-7)
    absolute = difference(control, new, critical=critical)
    assert (absolute.low, absolute.high) == pytest.approx((0.1980488, 0.2708800), abs=1e-7)


def test_it_is_narrowest_near_the_planned_number() -> None:
    people = [2**power for power in range(7, 22)]
    widths = [always_valid(n, 2**14) for n in people]
    assert abs(people.index(2**14) - int(np.argmin(widths))) <= 1
    assert always_valid(4_000, 4_000) == pytest.approx(always_valid(1_000_000, 1_000_000))


def test_how_much_wider_it_is_than_for_one_look() -> None:
    wider = [always_valid(people, 5_000) / 1.96 for people in range(500, 10_001, 100)]
    assert (min(wider), max(wider)) == pytest.approx((1.55, 1.97), abs=0.005)


def test_few_people_say_nothing() -> None:
    assert always_valid(99, 1_000) == math.inf
    assert always_valid(100, 1_000) < 10


def test_one_sided_is_narrower_and_no_narrower_than_the_exact_mixture() -> None:
    """Robbins' half-normal mixture of exp(x S - x x n / 2) is a martingale; it may reach 1 / error rate."""
    for people in (100, 1_000, 5_000, 200_000):
        one_sided = always_valid(people, 5_000, one_sided=True)
        assert one_sided < always_valid(people, 5_000)
        rho2 = (-2 * math.log(0.1) + math.log(1 - 2 * math.log(0.1))) / 5_000
        spread = people * rho2 + 1
        place = one_sided * math.sqrt(people * rho2 / spread)
        mixture = 2 / math.sqrt(spread) * math.exp(place**2 / 2) * special.ndtr(place)
        assert 1 / 0.05 <= mixture <= 1.15 / 0.05


def _ever_beyond(one_sided: bool, experiments: int = 2_000) -> tuple[float, float]:
    """How often a look at each of 100 to 10,000 people finds something in nothing: always valid, and 1.96."""
    people = np.arange(1, 10_001)
    looks = people[99:]
    limit = np.array([always_valid(int(n), 5_000, one_sided=one_sided) for n in looks])
    stream = np.random.RandomState(7)
    beyond = np.zeros(2)
    for _ in range(experiments):
        values = stream.exponential(size=people.size) - 1  # skewed
        sums = values.cumsum()
        variances = ((values**2).cumsum() / people - (sums / people) ** 2)[99:]
        statistics = sums[99:] / np.sqrt(looks * variances)
        statistics = statistics if one_sided else np.abs(statistics)
        beyond += (statistics > limit).any(), (statistics > 1.96).any()
    valid, naive = beyond / experiments
    return float(valid), float(naive)


@pytest.mark.parametrize(("threshold", "expected"), [(0.01, 0.058), (0.001, 0.007)])
def test_a_sample_ratio_that_is_looked_at_daily_for_a_fortnight(threshold: float, expected: float) -> None:
    looked = crossing_probability([stats.norm.isf(threshold / 2)] * 14)
    assert looked == pytest.approx(expected, abs=0.003)


@pytest.mark.slow
def test_continuous_looks_err_in_half_of_experiments_and_always_valid_ones_hardly_ever() -> None:
    valid, naive = _ever_beyond(one_sided=False)
    assert naive > 0.4
    assert 0 < valid <= 0.05


@pytest.mark.slow
def test_continuous_looks_at_one_side() -> None:
    valid, naive = _ever_beyond(one_sided=True)
    assert naive > 0.15
    assert 0 < valid <= 0.05

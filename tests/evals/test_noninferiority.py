"""The gate's test of non-inferiority against enumeration, the beta distribution and simulation."""

from __future__ import annotations

import math
from itertools import product

import gate_rates
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from aicourse.evals import noninferiority
from aicourse.evals.noninferiority import can_rule_out, largest_loss, loss_p_value


def outcome(gains: int, losses: int, cases: int) -> list[float]:
    return [1.0] * gains + [-1.0] * losses + [0.0] * (cases - gains - losses)


@pytest.mark.parametrize(
    ("cases", "losses", "tolerance"), [(36, 0, 0.1), (183, 0, 0.02), (100, 7, 0.12), (1000, 30, 0.045)]
)
def test_losses_alone_are_clopper_and_pearsons_test(cases: int, losses: int, tolerance: float) -> None:
    exact = stats.binom.cdf(losses, cases, tolerance)
    assert loss_p_value(outcome(0, losses, cases), tolerance) == pytest.approx(exact, abs=1e-8)


@pytest.mark.parametrize(("gains", "losses", "cases"), [(3, 2, 60), (12, 15, 120), (1, 0, 40)])
def test_gains_and_losses_by_another_integral(gains: int, losses: int, cases: int) -> None:
    """The weights of gains, losses and the rest are Dirichlet: a beta share of changes, a beta part gains."""
    changed = stats.beta(gains + losses + 1, cases - gains - losses)
    part = stats.beta(gains, losses + 1)
    exact, _ = integrate.quad(lambda s: changed.pdf(s) * part.cdf((1 - 0.1 / s) / 2), 0.1, 1)
    assert loss_p_value(outcome(gains, losses, cases), 0.1) == pytest.approx(exact, abs=1e-6)


def test_any_scores_by_drawing_the_weights() -> None:
    generator = np.random.default_rng(20261126)
    changes = generator.uniform(-0.5, 0.6, 30)
    weights = generator.dirichlet(np.ones(31), size=100_000)
    share = float((weights @ np.append(changes, -1) <= -0.05).mean())
    assert loss_p_value(changes, 0.05) == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize(("cases", "tolerance"), [(20, 0.1), (25, 0.2), (38, 0.05)])
def test_the_rates_in_the_table_are_those_of_the_gate(cases: int, tolerance: float) -> None:
    """Every outcome from scratch, with multinomial coefficients and the package's verdicts."""
    most = gate_rates.frontier(cases, tolerance)
    passing = [
        (gains, losses)
        for gains, losses in product(range(cases + 1), repeat=2)
        if gains + losses <= cases and can_rule_out(outcome(gains, losses, cases), tolerance)
    ]
    assert passing == [(gains, losses) for gains in range(cases + 1) for losses in range(most[gains] + 1)]
    for gain in (0.0, 0.1, 0.4):
        loss, same = gain + tolerance, 1 - 2 * gain - tolerance
        rate = sum(
            math.comb(cases, up)
            * math.comb(cases - up, down)
            * gain**up
            * loss**down
            * same ** (cases - up - down)
            for up, down in passing
        )
        assert gate_rates.pass_rate(most, gain, loss) == pytest.approx(rate, abs=1e-9)
        assert rate <= 0.025


@pytest.mark.parametrize("tolerance", gate_rates.TOLERANCES)
def test_pass_or_fail_scores_err_at_most_as_often_as_said(tolerance: float) -> None:
    """Also where the normal approximation let 14 % through: 0.02 and 96 cases, 0.03 and 64, 0.05 and 38."""
    for cases in (36, 38, 64, 72, 96, 127, 183):
        rate, _ = gate_rates.false_pass_rate(gate_rates.frontier(cases, tolerance), tolerance)
        assert rate <= 0.025


@pytest.mark.slow
@pytest.mark.parametrize("tolerance", gate_rates.TOLERANCES)
def test_pass_or_fail_scores_err_at_most_as_often_as_said_for_every_number_of_cases(tolerance: float) -> None:
    rates = [gate_rates.false_pass_rate(most, tolerance)[0] for _, most in gate_rates.frontiers(tolerance)]
    assert len(rates) == 981
    assert max(rates) <= 0.025


@pytest.mark.parametrize("scores", gate_rates.SCORES.values(), ids=gate_rates.SCORES)
@pytest.mark.parametrize(
    ("cases", "times"),
    [
        (40, 150),
        pytest.param(40, 20_000, marks=pytest.mark.slow),
        pytest.param(120, 20_000, marks=pytest.mark.slow),
    ],
)
def test_scores_between_0_and_1_err_at_most_as_often_as_said(
    scores: dict[float, float], cases: int, times: int
) -> None:
    allowed = 0.025 + 3 * math.sqrt(0.025 * 0.975 / times)
    assert gate_rates.simulated_rate(scores, 0.1, cases, times) <= allowed


@pytest.mark.parametrize("tolerance", [0.01, 0.02, 0.05, 0.06, 0.1])
def test_the_cases_that_it_needs_are_the_fewest(tolerance: float) -> None:
    needed = noninferiority.cases_needed(tolerance)
    assert needed is not None
    assert can_rule_out([0.0] * needed, tolerance)
    assert not can_rule_out([0.0] * (needed - 1), tolerance)
    assert noninferiority.smallest_tolerance(needed) == tolerance
    assert noninferiority.cases_needed(0.0) is None


@given(st.lists(st.sampled_from([-1.0, -1 / 6, 0.0, 1 / 3, 1.0]), min_size=2, max_size=40))
def test_the_largest_loss_is_where_the_verdict_turns(changes: list[float]) -> None:
    largest = largest_loss(changes)
    assert largest >= -float(np.mean(changes)) - 1e-6
    if 0.001 < largest < 0.999:
        assert can_rule_out(changes, largest + 1e-5)
        assert not can_rule_out(changes, largest - 1e-5)


def test_many_distinct_scores_are_judged_on_the_careful_side() -> None:
    changes = np.random.default_rng(5).normal(0, 0.1, 400).clip(-1, 1)
    coarse = np.floor(changes * 500) / 500
    assert loss_p_value(changes, 0.02) == pytest.approx(loss_p_value(coarse, 0.02))
    assert loss_p_value(changes, 0.02) >= loss_p_value(np.round(changes, 2) + 1e-3, 0.02)

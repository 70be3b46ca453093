"""Control charts: run lengths against published figures and a Markov chain, alarms against series by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from aicourse.monitoring.charts import Chart, Cusum, Ewma, Threshold, run_length, scores

SERIES = 2_000


def close_to(length: float) -> object:
    """Three standard errors of a mean of geometric-like run lengths."""
    return pytest.approx(length, abs=3 * length / math.sqrt(SERIES) + 0.05)


@pytest.mark.parametrize(
    ("chart", "normal", "shifted"),
    [
        (Cusum(slack=0.5, limit=4), 168, 8.4),
        (Cusum(slack=0.5, limit=5), 465, 10.4),
        (Ewma(weight=0.1, limit=2.814), 500, 10.3),
    ],
)
def test_run_lengths_are_the_published_ones(chart: Cusum | Ewma, normal: float, shifted: float) -> None:
    assert run_length(chart, series=SERIES) == close_to(normal)
    assert run_length(chart, 1.0, series=SERIES) == close_to(shifted)


def test_the_run_length_of_a_threshold_is_one_over_its_tail() -> None:
    assert run_length(Threshold(limit=2.0), series=SERIES) == close_to(1 / stats.norm.sf(2))


def markov_run_length(chart: Ewma, shift: float, states: int = 401) -> float:
    """The run length of an EWMA by Brook and Evans' chain over a grid between its limits."""
    reach = chart.limit * math.sqrt(chart.weight / (2 - chart.weight))
    width = 2 * reach / states
    middles = -reach + width * (np.arange(states) + 0.5)
    ends = (middles[None, :] - (1 - chart.weight) * middles[:, None]) / chart.weight - shift
    half = width / 2 / chart.weight
    moves = stats.norm.cdf(ends + half) - stats.norm.cdf(ends - half)
    lengths = np.linalg.solve(np.eye(states) - moves, np.ones(states))
    return float(lengths[states // 2])


@pytest.mark.parametrize("chart", [Ewma(weight=0.1, limit=2.814), Ewma(weight=0.3, limit=2.5)])
@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0])
def test_an_ewma_runs_as_long_as_its_markov_chain(chart: Ewma, shift: float) -> None:
    assert run_length(chart, shift, series=SERIES) == close_to(markov_run_length(chart, shift))


def test_a_cusum_finds_a_small_shift_before_a_threshold_of_the_same_patience() -> None:
    threshold = Threshold(limit=stats.norm.isf(1 / 465))
    assert run_length(Cusum(limit=5), 1.0) < run_length(threshold, 1.0) / 2


def test_a_fall_is_found_like_a_rise() -> None:
    falling = [-1.5] * 8
    for chart in (Cusum(limit=4), Ewma(weight=0.2, limit=2.0)):
        assert scores(chart, falling) == scores(chart, [1.5] * 8)
    assert max(scores(Threshold(limit=1), falling)) < 0  # one side alone


@pytest.mark.parametrize("chart", [Cusum(limit=5), Ewma(weight=0.2, limit=4)])
def test_what_is_over_stops_alarming_and_what_stays_does_not(chart: Cusum | Ewma) -> None:
    assert scores(chart, [20.0, 0.0])[1] < 0.5
    assert min(scores(chart, [20.0, 8.0, 8.0, 8.0])) >= 1


def test_a_chart_is_data() -> None:
    adapter: TypeAdapter[Chart] = TypeAdapter(Chart)
    assert adapter.validate_python({"kind": "cusum", "limit": 8}) == Cusum(limit=8)
    for wrong in ({"kind": "cusum", "limit": 0}, {"kind": "ewma", "weight": 2}, {"kind": "shewhart"}):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)

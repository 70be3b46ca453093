"""Plots of effects: intervals where the numbers are, tolerances marked, a title that states the finding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import pytest

from aicourse.evals.plots import BLUE, VERMILION
from aicourse.experiments import Analysis, Arm, plot_effects
from aicourse.experiments.analysis import Decision, effect_of


@pytest.fixture(autouse=True)
def no_windows() -> Iterator[None]:
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture
def analysis(make: Any) -> Analysis:
    experiment = make()
    better = effect_of(experiment, experiment.primary, "v7", Arm(500, 0.5, 0.25), Arm(500, 0.6, 0.24))
    slower = effect_of(experiment, experiment.guardrails[0], "v7", Arm(500, 20, 100), Arm(500, 23, 100))
    return Analysis(experiment, 1_000, (), (better, slower), Decision("do not ship", "Too slow.", 0.5))


def test_each_metric_has_its_interval_in_percent(analysis: Analysis) -> None:
    axes = plot_effects(analysis)
    for container, effect in zip(axes.containers, analysis.effects, strict=True):
        (whisker,) = container.lines[2][0].get_segments()
        assert whisker[:, 0] == pytest.approx([100 * effect.relative.low, 100 * effect.relative.high])
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "published, v7",
        "seconds per listing, v7",
    ]
    assert [one.lines[0].get_color() for one in axes.containers] == [BLUE, VERMILION]


def test_the_tolerance_of_a_guardrail_is_marked(analysis: Analysis) -> None:
    marks = [line for line in plot_effects(analysis).lines if line.get_markersize() == 18]
    assert [list(mark.get_xdata()) for mark in marks] == [[10.0]]  # 2 of 20 seconds, and less is better


def test_the_title_is_the_decision_or_what_you_say(analysis: Analysis) -> None:
    assert plot_effects(analysis).get_title("left") == "do not ship: Too slow."
    assert plot_effects(analysis, title="Faster").get_title("left") == "Faster"


def test_it_draws_where_it_is_told(analysis: Analysis) -> None:
    _, axes = plt.subplots()
    assert plot_effects(analysis, axes=axes) is axes


def test_a_control_of_zero_is_drawn_without_tolerance(make: Any) -> None:
    """Nobody failed today: there is no relative difference, and no place for the tolerance."""
    experiment = make()
    none = effect_of(experiment, experiment.guardrails[0], "v7", Arm(500, 0, 0.01), Arm(500, 0.1, 0.1))
    axes = plot_effects(Analysis(experiment, 1_000, (), (none,), Decision("go on", "Few.", 0.5)))
    axes.figure.canvas.draw()
    assert [line for line in axes.lines if line.get_markersize() == 18] == []


def test_an_interval_without_end_is_drawn(make: Any) -> None:
    experiment = make(stopping="always valid", guardrails=[])
    endless = effect_of(experiment, experiment.primary, "v7", Arm(40, 0.5, 0.25), Arm(40, 0.6, 0.24))
    axes = plot_effects(Analysis(experiment, 80, (), (endless,), Decision("go on", "Few people.", 0.5)))
    axes.figure.canvas.draw()
    assert axes.containers[0].lines[0].get_xdata() == pytest.approx([20])

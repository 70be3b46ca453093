"""Power: how many people it takes to find an effect, before anybody has met a variant.

A rate by Cohen's h (1988), whose variance is the same for every rate; a mean or a ratio by the effect over
the standard deviation of what one person adds (`effects.Arm.deviation`). The arithmetic is that of
statsmodels' `NormalIndPower`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from scipy import stats
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from aicourse.errors import ExperimentError
from aicourse.experiments.effects import arms, totals
from aicourse.experiments.experiment import Experiment
from aicourse.experiments.exposures import Source
from aicourse.experiments.sequential import always_valid

EFFECTS = (0.01, 0.02, 0.05, 0.10, 0.20)


def effect_size(baseline: float, effect: float, deviation: float | None = None) -> float:
    """An effect without units: over the `deviation`; without one the baseline is a rate, and it is Cohen's h.

    Raises:
        ExperimentError: a rate, or what it becomes, is not between 0 and 1.
    """
    if deviation is not None:
        return effect / deviation
    if not (0 < baseline < 1 and 0 < baseline + effect < 1):
        told = f"{baseline:g} and {baseline + effect:g} are not both rates between 0 and 1"
        raise ExperimentError(f"{told}. For a mean or a ratio give its standard deviation, too.")
    return float(proportion_effectsize(baseline + effect, baseline))


def people_needed(
    size: float, *, weights: tuple[float, float] = (1, 1), power: float = 0.8, significance: float = 0.05
) -> tuple[int, int]:
    """The people, control and new variant, who find an effect of this `effect_size` with probability `power`.

    >>> people_needed(effect_size(0.10, 0.01))
    (14745, 14745)
    """
    ratio = weights[1] / weights[0]
    control = NormalIndPower().solve_power(abs(size), alpha=significance, power=power, ratio=ratio)
    return math.ceil(control), math.ceil(control * ratio)


def power_of(people: tuple[int, int], size: float, *, significance: float = 0.05) -> float:
    """The probability that so many people, control and new variant, find an effect of this `effect_size`."""
    return float(NormalIndPower().power(abs(size), people[0], significance, ratio=people[1] / people[0]))


def plan(
    experiment: Experiment,
    *,
    traffic: float,
    baseline: float | None = None,
    deviation: float | None = None,
    past: Source | None = None,
    effects: Sequence[float] = (),
    power: float = 0.8,
) -> pd.DataFrame:
    """The people and days that it takes to find each relative effect, at the last step of the ramp.

    `traffic` is new people a day. Baseline and deviation of the primary metric come from `past` outcomes if
    they are given. Always-valid intervals are wider and take more people. Plan whole weeks: weekdays differ.
    """
    if past is not None:
        before = arms(experiment.primary, totals(experiment, past).assign(variant="all"))["all"]
        baseline, deviation = before.mean, before.deviation
    if baseline is None:
        raise ExperimentError(
            "The primary metric's value today is missing. Give a baseline, or past outcomes."
        )
    level = experiment.significance
    if experiment.stopping == "always valid":
        level = 2 * float(stats.norm.sf(always_valid(10_000, 10_000, significance=level)))  # of any plan
    control, *others = experiment.weights.values()
    running = experiment.model_copy(update={"share": experiment.ramp[-1]})
    rows = []
    for one in effects or [one for one in EFFECTS if deviation is not None or baseline * (1 + one) < 1]:
        size = effect_size(baseline, one * baseline, deviation)
        needed, _ = people_needed(size, weights=(control, min(others)), power=power, significance=level)
        people = math.ceil(needed / control)
        days = math.ceil(people / (traffic * running.coverage))
        rows += [(f"{one:+.1%}", one * baseline, needed, people, days)]
    return pd.DataFrame(rows, columns=["effect", "difference", "in control", "people", "days"])

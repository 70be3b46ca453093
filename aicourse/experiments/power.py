"""Power: how many people it takes to find an effect, before anybody has met a variant.

A rate by Cohen's h (1988), whose variance is the same for every rate; a mean or a ratio by the effect over
the standard deviation of what one person adds. The normal formula stands here, because the solver of
statsmodels, which gives the same, finds no answer for effects that a handful of people show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_effectsize

from aicourse.errors import ExperimentError
from aicourse.experiments.effects import arms, totals
from aicourse.experiments.experiment import Experiment
from aicourse.experiments.log_check import Source
from aicourse.experiments.sequential import always_valid

_EFFECTS = (0.01, 0.02, 0.05, 0.10, 0.20)


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
    they are given; a baseline without deviation is a rate. Always-valid intervals are wider and take more
    people. Plan whole weeks: weekdays differ.

    Raises:
        ExperimentError: there is no baseline, or an effect that nobody could find or have.
    """
    if past is not None:
        before = arms(experiment.primary, totals(experiment, past).assign(variant="all"))["all"]
        baseline, deviation = before.mean, math.sqrt(before.variance)
    if baseline is None:
        raise ExperimentError(
            "The primary metric's value today is missing. Give a baseline, or past outcomes."
        )
    level = experiment.significance
    if experiment.stopping == "always valid":
        level = 2 * float(stats.norm.sf(always_valid(10_000, 10_000, significance=level)))  # of any plan
    reach = stats.norm.isf(level / 2) + stats.norm.ppf(power)
    control, *others = experiment.weights.values()
    takes_part = experiment.model_copy(update={"share": experiment.ramp[-1]}).coverage
    possible = [one for one in _EFFECTS if deviation is not None or baseline * (1 + one) < 1]
    rows = []
    for one in effects or possible or _EFFECTS:
        size = _effect_size(baseline, one * baseline, deviation)
        needed = math.ceil((reach / size) ** 2 * (1 + control / min(others)))
        people = math.ceil(needed / control)
        days = math.ceil(people / (traffic * takes_part))
        rows += [(f"{one:+.1%}", one * baseline, needed, people, days)]
    return pd.DataFrame(rows, columns=["effect", "difference", "in control", "people", "days"])


def _effect_size(baseline: float, effect: float, deviation: float | None) -> float:
    """An effect without units: over the deviation; of a rate, Cohen's h."""
    if deviation is None and not (0 < baseline < 1 and 0 < baseline + effect < 1):
        told = f"{baseline:g} and {baseline + effect:g} are not both rates between 0 and 1"
        raise ExperimentError(f"{told}. For a mean or a ratio give its standard deviation, too.")
    if not effect or not math.isfinite(effect) or (deviation is not None and not 0 < deviation < math.inf):
        told = f"an effect of {effect:g} with a standard deviation of {deviation}"
        raise ExperimentError(f"No number of people shows {told}. Give others.")
    return float(effect / deviation if deviation else proportion_effectsize(baseline + effect, baseline))

"""Effects: a metric in two variants, and the difference with its interval.

What one person adds to a metric has a mean and a variance, and a comparison needs no more. For a mean it is
the person's own number. For a ratio of sums (seconds per listing, where a seller has several listings) it is

    ratio + (numerator - ratio x denominator) / mean denominator     # the delta method; Deng et al. 2018

because people were dealt to variants, not listings: those of one seller are alike, and whoever counts each as
independent calls too many differences real. CUPED (Deng et al. 2013) takes off what a covariate from before
the start says about a person: the effect is the same, the variance smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from aicourse.errors import ExperimentError
from aicourse.evals.statistics import Interval, Values, proportion
from aicourse.experiments.experiment import Experiment, Guardrail, Metric
from aicourse.experiments.log_check import Source, read_table

_LEAST_AA_PEOPLE, _AA_PEOPLE = 20, 20_000  # more than these tell an A/A check nothing new


@dataclass(frozen=True)
class Arm:
    """A metric in one variant: its people, its mean, and the variance of what one person adds."""

    people: int
    mean: float
    variance: float

    @classmethod
    def of(cls, values: Values) -> Arm:
        """The arm of what each person adds; where all are 0 or 1, one more of each is in the variance."""
        variance = float(values.var(ddof=1)) if values.size > 1 else math.nan
        if not variance and values[0] in (0, 1):
            variance = (values.size + 1) / (values.size + 2) ** 2  # Agresti & Caffo 2000
        return cls(values.size, float(values.mean()), variance)


def totals(experiment: Experiment, outcomes: Source) -> pd.DataFrame:
    """The metrics' columns by `person`: rows of one person are added up; of covariates the first counts.

    Raises:
        ExperimentError: a column is missing, or holds more than numbers.
    """
    table = read_table(outcomes)
    summed = list(dict.fromkeys(column for metric in experiment.metrics for column in metric.columns))
    before = list(dict.fromkeys(metric.covariate for metric in experiment.metrics if metric.covariate))
    for column in (*summed, *before):
        if column not in table:
            raise ExperimentError(f"The outcomes have no column {column!r}. Add it, or correct the metric.")
        if not pd.api.types.is_numeric_dtype(table[column]) or np.isinf(table[column]).any():
            raise ExperimentError(f"The outcomes' column {column!r} holds more than numbers. Correct it.")
    numbers = table.set_index("person")[[*summed, *before]].astype(float)
    if not numbers.index.is_unique:
        persons = numbers.groupby(level=0, sort=False)
        numbers = persons.agg(dict.fromkeys(summed, "sum") | dict.fromkeys(before, "first"))
    return numbers.fillna(dict.fromkeys(summed, 0.0))


def contributions(numerator: Values, denominator: Values | None = None) -> Values:
    """A number for each person, the mean of which is the metric: a mean, or a ratio of sums.

    >>> contributions(np.array([10.0, 30.0]), np.array([1.0, 3.0]))
    array([10., 10.])
    """
    if denominator is None:
        return numerator
    mean = float(denominator.mean())
    if not mean:
        raise ExperimentError("The denominator of a ratio adds up to 0 in a variant. Check the outcomes.")
    ratio = float(numerator.mean()) / mean
    return np.asarray(ratio + (numerator - ratio * denominator) / mean)


def arms(metric: Metric, outcomes: pd.DataFrame) -> dict[str, Arm]:
    """The metric in each variant of a table of people with a column `variant` and the metric's own."""
    sums = [outcomes[column].to_numpy(dtype=float) for column in metric.columns]
    before, slope = np.zeros(len(outcomes)), 0.0
    if metric.covariate:
        before = outcomes[metric.covariate].to_numpy(dtype=float)
        if missing := int(np.isnan(before).sum()):  # 0 instead would bias: a row may be the variant's doing
            told = f"{missing:,} people have no covariate {metric.covariate!r}."
            raise ExperimentError(f"{told} Give everybody a row of outcomes, with 0 for none before.")
        before = before - before.mean()
        variance, shared = np.cov(before, contributions(*sums))[0]
        slope = shared / variance if variance else 0.0  # one for all variants: of its own it makes no effect
    return {
        str(variant): Arm.of(contributions(*(column[rows] for column in sums)) - slope * before[rows])
        for variant, rows in outcomes.groupby("variant").indices.items()
    }


def _estimate(control: Arm, new: Arm, relative: bool) -> tuple[float, float, float]:
    """The difference, its standard error, and Welch's degrees of freedom."""
    own, others = new.variance / new.people, control.variance / control.people
    spread = own**2 / (new.people - 1) + others**2 / (control.people - 1)
    degrees = (own + others) ** 2 / spread if spread else math.inf
    if not relative:
        return new.mean - control.mean, math.sqrt(own + others), degrees
    if not control.mean:
        return math.nan, math.nan, degrees
    ratio = new.mean / control.mean  # the delta method once more: a ratio of two independent means
    return ratio - 1, math.sqrt(own + ratio**2 * others) / abs(control.mean), degrees


def difference(
    control: Arm,
    new: Arm,
    *,
    relative: bool = False,
    critical: float | None = None,
    significance: float = 0.05,
) -> Interval:
    """The metric of the new variant less the control's; as a share of the control's if `relative`.

    The interval reaches `critical` standard errors to both sides. If not given that is Welch's t, which holds
    for one look alone; `sequential` has values for more.
    """
    estimate, error, degrees = _estimate(control, new, relative)
    if critical is None:
        critical = float(stats.t.ppf(1 - significance / 2, degrees))
    return Interval(estimate, estimate - critical * error, estimate + critical * error, 1 - significance)


@dataclass(frozen=True)
class Effect:
    """A metric of a new variant against the control.

    `loss_shown` is true where a guardrail's sequential test shows a loss beyond the tolerance.
    """

    metric: Metric
    variant: str
    control: Arm
    new: Arm
    difference: Interval
    relative: Interval
    loss_shown: bool = False

    @property
    def gain(self) -> Interval:
        """The difference, positive where it is for the better."""
        one = self.difference
        if self.metric.better == "higher":
            return one
        return Interval(-one.estimate, -one.high, -one.low, one.confidence)

    @property
    def is_safe(self) -> bool:
        """True if it is no guardrail, or a loss beyond its tolerance is ruled out."""
        return not isinstance(self.metric, Guardrail) or self.gain.low > -self.metric.tolerance

    @property
    def verdict(self) -> str:
        """The words for it: better or worse; of a guardrail, if a loss beyond its tolerance is ruled out."""
        if isinstance(self.metric, Guardrail):
            state = "shown" if self.loss_shown else "ruled out" if self.is_safe else "not ruled out"
            return f"a loss over {self.metric.tolerance:g} is {state}"
        return "better" if self.gain.low > 0 else "worse" if self.gain.high < 0 else "no difference shown"


def aa_rates(experiment: Experiment, outcomes: Source, *, rounds: int = 1_000) -> dict[str, Interval]:
    """A/A check: how often each metric's test at 5 % calls random halves of the same people different.

    If the interval (99.9 %) leaves 0.05 out, the test is wrong for this metric: a few people have most of it,
    so that its mean is far from normal.
    """
    people, stream = totals(experiment, outcomes), np.random.RandomState(0)
    if len(people) < _LEAST_AA_PEOPLE:
        raise ExperimentError(f"{len(people)} people are too few for an A/A check. Take {_LEAST_AA_PEOPLE}.")
    people = people.sample(min(len(people), _AA_PEOPLE), random_state=stream)
    rates = {}
    for metric in experiment.metrics:
        halves = (people.assign(variant=stream.permutation(len(people)) % 2) for _ in range(rounds))
        found = [difference(*arms(metric, half).values()) for half in halves]
        errors = sum(one.low > 0 or one.high < 0 for one in found)
        rates[metric.name] = proportion(errors, rounds, confidence=0.999)
    return rates

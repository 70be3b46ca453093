"""Control charts: has a rate left what is normal, period after period.

A chart reads one number per period and keeps a statistic of it; its `score` is 1 where the limit is.
Deviations are in standard errors from the normal level, but for `Threshold`, which reads the metric itself.
The longer a chart waits for a false alarm, the later it finds a shift: `run_length` shows both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Values = np.ndarray[Any, np.dtype[np.float64]]  # one row for each side of normal, one column for each series
_LONGEST = 20_000  # periods; a simulated series that has not alarmed by then counts as this long


class RulePart(BaseModel):
    """Data of a rule: it does not change, and what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Threshold(RulePart):
    """The value against a limit; values above it alarm. It forgets everything."""

    kind: Literal["threshold"] = "threshold"
    limit: Positive

    def step(self, before: Values, sides: Values) -> Values:
        """The statistic after one more period: the value."""
        return sides[:1]

    def score(self, statistic: Values) -> Values:
        """The value in units of its limit."""
        return np.asarray(statistic.max(axis=0) / self.limit)


class Ewma(RulePart):
    """The exponentially weighted moving average, in its own standard errors (Roberts 1959)."""

    kind: Literal["ewma"] = "ewma"
    weight: Annotated[float, Field(gt=0, le=1)] = 0.1
    limit: Positive = 2.814

    def step(self, before: Values, sides: Values) -> Values:
        """The average after one more deviation, and its opposite."""
        return before + self.weight * (sides - before)

    def score(self, statistic: Values) -> Values:
        """The average in units of its limit; it does not know that it began at zero."""
        return np.asarray(statistic.max(axis=0) / (self.limit * math.sqrt(self.weight / (2 - self.weight))))


class Cusum(RulePart):
    """Two sums, of what is above `slack` and of what is below it: small shifts that stay (Page 1954)."""

    kind: Literal["cusum"] = "cusum"
    slack: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5
    limit: Positive = 5.0

    def step(self, before: Values, sides: Values) -> Values:
        """Both sums after one more deviation; neither falls below zero."""
        return np.maximum(0, before + sides - self.slack)

    def score(self, statistic: Values) -> Values:
        """The larger sum in units of its limit."""
        return np.asarray(statistic.max(axis=0) / self.limit)


Chart = Threshold | Ewma | Cusum


def scores(chart: Chart, values: Sequence[float]) -> list[float]:
    """The score after each value; after an alarm the chart starts again, halfway to its limit.

    Halfway (Lucas & Crosier 1982), so that a shift that stays keeps alarming, and one that is over does not.

    >>> [round(score, 2) for score in scores(Cusum(limit=5), [0.5, 3.0, 4.0, 0.0])]
    [0.0, 0.5, 1.2, 0.4]
    """
    statistic, found = np.zeros(2), []
    for value in values:
        statistic = chart.step(statistic, np.array([value, -value]))
        found.append(float(chart.score(statistic)))
        if found[-1] >= 1:
            statistic = statistic / (2 * found[-1])
    return found


def run_length(chart: Chart, shift: float = 0.0, *, series: int = 2_000, seed: int = 0) -> float:
    """The average number of periods to the first alarm, of normal deviations that are `shift` off; simulated.

    >>> round(run_length(Cusum(limit=4), 1.0))
    8
    """
    stream = np.random.RandomState(seed)
    statistic, total = np.zeros((2, series)), 0
    for _ in range(_LONGEST):
        running = statistic.shape[1]
        if running == 0:
            break
        total += running
        deviations = stream.normal(shift, 1, size=running)
        statistic = chart.step(statistic, np.stack([deviations, -deviations]))
        statistic = statistic[:, chart.score(statistic) < 1]
    return total / series

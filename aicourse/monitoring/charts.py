"""Control charts: has a rate left what is normal, period after period.

A chart reads one number per period and keeps a statistic of it; its `score` is 1 where the limit is.
Deviations are in standard errors from the normal level, but for `Threshold`, which reads the metric itself.

- `Threshold` forgets everything: the value now against a limit.
- `Ewma` remembers a little: a mean in which each value counts less than the one after it (Roberts 1959).
- `Cusum` adds up what exceeds a slack, upwards and downwards (Page 1954): small shifts that stay.

The longer a chart waits for a false alarm, the later it finds a shift: `run_length` shows both.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Statistic = Any  # an array: one row for each side that the chart watches, one column for each series
Values = np.ndarray[Any, np.dtype[np.float64]]
_LONGEST = 20_000  # periods; a simulated series that has not alarmed by then counts as this long


class Threshold(BaseModel):
    """The value against a limit; values above it alarm."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["threshold"] = "threshold"
    limit: Positive

    def step(self, before: Statistic, value: Values | float) -> Statistic:
        """The statistic after one more period, which is the value."""
        return np.stack([np.asarray(value, dtype=float)])

    def score(self, statistic: Statistic) -> Values:
        """The statistic in units of its limit."""
        return np.asarray(statistic[0] / self.limit)


class Ewma(BaseModel):
    """The exponentially weighted moving average; `limit` in its own standard errors, on both sides."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["ewma"] = "ewma"
    weight: Annotated[float, Field(gt=0, le=1)] = 0.1
    limit: Positive = 2.814

    def step(self, before: Statistic, value: Values | float) -> Statistic:
        """The average after one more deviation."""
        return before + self.weight * (value - before)

    def score(self, statistic: Statistic) -> Values:
        """The average in units of its limit; it does not know that it began at zero."""
        return np.asarray(np.abs(statistic[0]) / (self.limit * math.sqrt(self.weight / (2 - self.weight))))


class Cusum(BaseModel):
    """Two cumulative sums, of what is above `slack` and of what is below it; `limit` is for each."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["cusum"] = "cusum"
    slack: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5
    limit: Positive = 5.0

    def step(self, before: Statistic, value: Values | float) -> Statistic:
        """Both sums after one more deviation; neither falls below zero."""
        sides = np.stack([np.asarray(value, dtype=float), -np.asarray(value, dtype=float)])
        return np.maximum(0, before + sides - self.slack)

    def score(self, statistic: Statistic) -> Values:
        """The larger sum in units of its limit."""
        return np.asarray(np.max(statistic, axis=0) / self.limit)


Chart = Annotated[Threshold | Ewma | Cusum, Field(discriminator="kind")]


def start(chart: Threshold | Ewma | Cusum, series: tuple[int, ...] = ()) -> Statistic:
    """The statistic before the first period."""
    return np.zeros((2 if chart.kind == "cusum" else 1, *series))


def scores(chart: Threshold | Ewma | Cusum, values: Values | list[float]) -> list[float]:
    """The score after each value; after an alarm the chart starts again, halfway to its limit.

    Halfway (Lucas & Crosier 1982), so that a shift that stays keeps alarming, and one that is over does not.

    >>> [round(score, 2) for score in scores(Cusum(limit=5), [0.5, 3.0, 4.0, 0.0])]
    [0.0, 0.5, 1.2, 0.4]
    """
    statistic, found = start(chart), []
    for value in values:
        statistic = chart.step(statistic, value)
        found.append(float(chart.score(statistic)))
        if found[-1] >= 1:
            statistic = statistic / (2 * found[-1])
    return found


def run_length(
    chart: Threshold | Ewma | Cusum, shift: float = 0.0, *, series: int = 2_000, seed: int = 0
) -> float:
    """The average number of periods to the first alarm, of normal deviations that are `shift` off; simulated.

    >>> round(run_length(Cusum(limit=4), 1.0))
    8
    """
    stream = np.random.RandomState(seed)
    statistic, total = start(chart, (series,)), 0
    for _ in range(_LONGEST):
        running = statistic.shape[1]
        if running == 0:
            break
        total += running
        statistic = chart.step(statistic, stream.normal(shift, 1, size=running))
        statistic = statistic[:, chart.score(statistic) < 1]
    return total / series

"""Estimates for all traces from a sample with unequal, known inclusion probabilities.

Each value stands for 1 / probability traces: Horvitz & Thompson 1952 (exactly unbiased), and its ratio form
by Hájek 1971 (steadier; a rate stays between 0 and 1). Variance: Deville 1999, for samples of a fixed size,
within strata where they are known. Not handled: traces that were drawn and not judged; if those are the hard
ones, every estimate is too good.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from aicourse.errors import FeedbackError
from aicourse.evals.statistics import Interval, proportion

Numbers = npt.NDArray[np.float64]
Column: TypeAlias = "Sequence[Any] | pd.Series[Any]"


def hajek(
    values: Column, probabilities: Column, strata: Column | None = None, *, confidence: float = 0.95
) -> Interval:
    """The rate (mean of values between 0 and 1) in all traces.

    >>> print(hajek([1, 1, 0, 0], [0.5, 0.5, 0.1, 0.1]))      # 2 + 2 of 2 + 2 + 10 + 10
    +0.167 (95 % interval +0.038 to +0.505)
    """
    known, chances = _checked(values, probabilities)
    if (known < 0).any() or (known > 1).any():
        raise FeedbackError("A rate is of values between 0 and 1. Use horvitz_thompson for others.")
    weights = 1 / chances
    rate = float(weights @ known / weights.sum())
    if (chances == 1).all():
        return Interval(rate, rate, rate, confidence)
    variance = _variance((known - rate) * weights, chances, strata) / weights.sum() ** 2
    return rate_interval(rate, variance, weights.sum() ** 2 / (weights @ weights), confidence)


def horvitz_thompson(
    values: Column,
    probabilities: Column,
    population: int,
    strata: Column | None = None,
    *,
    confidence: float = 0.95,
) -> Interval:
    """The mean of any values in a `population` of so many traces; it may leave the range of the values."""
    known, chances = _checked(values, probabilities)
    expanded = known / chances
    reach = float(special.ndtri((1 + confidence) / 2)) * math.sqrt(_variance(expanded, chances, strata))
    mean, reach = float(expanded.sum()) / population, reach / population
    return Interval(mean, mean - reach, mean + reach, confidence)


def rate_interval(rate: float, variance: float, cases: float, confidence: float) -> Interval:
    """Wilson's interval, of as many cases as give this variance; of `cases` where all values are equal."""
    worth = rate * (1 - rate) / variance if variance > 1e-15 else cases
    return proportion(rate * worth, float(worth), confidence=confidence)


def _checked(values: Column, probabilities: Column) -> tuple[Numbers, Numbers]:
    known, chances = np.asarray(values, dtype=float), np.asarray(probabilities, dtype=float)
    if known.shape != chances.shape or known.size < 2 or np.isnan(known).any():
        raise FeedbackError("Give 2 values or more, none missing, and each one's probability.")
    if not ((chances > 0) & (chances <= 1)).all():
        raise FeedbackError("An inclusion probability is above 0 and at most 1. Take the sampler's column.")
    return known, chances


def _variance(expanded: Numbers, probabilities: Numbers, strata: Column | None) -> float:
    """The variance of the sum of expanded values; one alone in its stratum is compared with all."""
    left, total = 1 - probabilities, 0.0
    groups = pd.Series(strata if strata is not None else np.zeros(len(expanded)))
    places = pd.factorize(groups, use_na_sentinel=False)[0]
    for place in np.unique(places):
        inside = places == place
        size, around = inside.sum(), inside if inside.sum() > 1 else np.full(len(expanded), True)
        if left[inside].sum() > 0:
            centre = np.average(expanded[around], weights=left[around])
            squares = (left * (expanded - centre) ** 2)[inside].sum()
            total += squares * (size / (size - 1) if size > 1 else 1.0)
    return float(total)

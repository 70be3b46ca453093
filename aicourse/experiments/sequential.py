"""Looking more than once: how often peeking errs, and the critical values that make up for it.

An interval is estimate ± critical value x standard error. 1.96 is for one look; who looks again and again,
and stops when zero is outside, is wrong far more often than in 5 % of experiments (`peeking`). Two cures:

- `always_valid`: a confidence sequence, true at all times at once, however often one looks and for whatever
  reason one stops. Waudby-Smith et al. 2021 (arXiv:2103.06476; eq. 9 of version 7), an asymptotic form of the
  normal mixture of Robbins 1970 and Howard et al. 2021; one-sided by Robbins' half-normal one.
- `group_sequential`: a known number of looks at equal distances. Pocock 1977: the same value at each look;
  O'Brien & Fleming 1979: strict first, almost 1.96 at the end. Errors by integration (Armitage et al. 1969).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import optimize

LEAST_PEOPLE = 100  # a sum of fewer is not yet normal enough
_NODES = 128
_USUAL_PLAN = 5_000


def always_valid(
    people: int, planned: int | None = None, *, significance: float = 0.05, one_sided: bool = False
) -> float:
    """The critical value after so many people, both variants together, at one of any number of looks.

    It is lowest, compared with one look, about when the `planned` people (5,000 if None) are there; infinite
    below 100 (`analyse` asks for 100 in each variant). `one_sided` is for a bound on one side alone.

    >>> [round(always_valid(people, 5_000), 2) for people in (100, 5_000, 100_000)]
    [6.69, 3.04, 3.34]
    """
    if people < LEAST_PEOPLE:
        return math.inf
    tail = 2 * significance if one_sided else significance
    rho2 = (-2 * math.log(tail) + math.log(1 - 2 * math.log(tail))) / (planned or _USUAL_PLAN)
    spread = people * rho2 + 1
    crossing = math.sqrt(spread) / tail
    return math.sqrt(2 * spread / (people * rho2) * math.log(crossing + 1 if one_sided else crossing))


def group_sequential(
    looks: int,
    kind: Literal["obrien-fleming", "pocock"] = "obrien-fleming",
    *,
    significance: float = 0.05,
) -> list[float]:
    """The critical value at each of so many looks, at equal distances, that err in 5 % together.

    >>> [round(value, 2) for value in group_sequential(5, "pocock")]
    [2.41, 2.41, 2.41, 2.41, 2.41]
    """
    shape = [1.0 if kind == "pocock" else math.sqrt(looks / look) for look in range(1, looks + 1)]

    def excess(scale: float) -> float:
        return crossing_probability([scale * value for value in shape]) - significance

    scale = optimize.brentq(excess, 1.0, 10.0, xtol=1e-10)
    return [scale * value for value in shape]


def crossing_probability(critical: Sequence[float]) -> float:
    """The probability that nothing is there and a test statistic goes beyond its critical value at some look.

    >>> round(crossing_probability([1.96] * 5), 3)
    0.142
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    reach = critical[0]
    places = reach * nodes  # of the sum so far, at looks where it may go on
    inside = reach * weights * _normal(places)
    for look, value in enumerate(critical[1:], start=2):
        reach = value * math.sqrt(look)
        after = reach * nodes
        inside = reach * weights * (_normal(after[:, None] - places) @ inside)
        places = after
    return 1 - float(inside.sum())


def _normal(values: np.ndarray) -> np.ndarray:
    return np.exp(-(values**2) / 2) / math.sqrt(2 * math.pi)


def peeking(looks: int, critical: float | Sequence[float] = 1.96, *, experiments: int = 20_000) -> float:
    """The share of simulated experiments without any effect that look significant at one look or more.

    >>> round(peeking(1), 2), round(peeking(10), 2)
    (0.05, 0.19)
    """
    steps = np.random.RandomState(0).normal(size=(experiments, looks))
    statistics = steps.cumsum(axis=1) / np.sqrt(np.arange(1, looks + 1))
    return float((np.abs(statistics) > critical).any(axis=1).mean())

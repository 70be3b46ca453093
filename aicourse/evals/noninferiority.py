"""The test of non-inferiority: a loss of more than the tolerance ruled out, and the cases that this takes.

    can_rule_out([0.0] * 71, 0.05), can_rule_out([0.0] * 72, 0.05)      # False, True

One worst case, a loss of 1, is added to the changes; then the cases get random weights again and again (all
weights equally likely, a Bayesian bootstrap). The p-value is the share of weightings in which the mean loses
the tolerance or more. Sources: Gaffke 2005; Learned-Miller & Thomas 2019 (arXiv:1905.06208), who conjecture
that for changes between -1 and 1 it errs at most as often as it says. That is not proven in general;
docs/gate.md has the exact rates for right and wrong (n = 20 to 1000) and simulated ones for other scores.

No weight is drawn: random weights are exponentials, and the distribution of their sum is an integral
(Gil-Pelaez 1951). Cases are taken to be independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from aicourse.evals.statistics import Values

ERROR = 0.025
"""The most often that a candidate passes which is really worse by the tolerance."""

_COARSE = 300  # more distinct changes than these are rounded down to 1/500: to the careful side


def cases_needed(tolerance: float) -> int | None:
    """The fewest cases that rule out a loss of `tolerance`, if none of them changes; None: no number does.

    >>> [cases_needed(tolerance) for tolerance in (0.02, 0.05, 0.10)]
    [183, 72, 36]
    """
    return math.ceil(math.log(ERROR) / math.log1p(-tolerance)) if 0 < tolerance < 1 else None


def smallest_tolerance(cases: int) -> float:
    """The smallest tolerance, in hundredths, that so many cases can rule out.

    >>> smallest_tolerance(60)
    0.06
    """
    return math.ceil(100 * (1 - math.exp(math.log(ERROR) / cases))) / 100


def loss_p_value(differences: Sequence[float] | Values, tolerance: float) -> float:
    """The p-value of "the true change is a loss of `tolerance` or more", for changes between -1 and 1.

    >>> round(loss_p_value([0.0] * 36, 0.10), 6) == round(0.9 ** 36, 6)
    True
    """
    values, counts = np.unique(np.append(differences, -1.0), return_counts=True)
    if values.size > _COARSE:
        values, counts = np.unique(np.floor(500 * np.append(differences, -1.0)) / 500, return_counts=True)
    shifted = values + tolerance
    shifted /= math.sqrt(float((counts * shifted**2).sum()))
    step = 0.3 / math.sqrt(counts.sum())
    logs = np.arange(-14.0, 15.0, step)
    points = np.exp(logs)
    angle, size = np.zeros(points.size), np.zeros(points.size)
    for value, count in zip(shifted, counts, strict=True):
        angle += count * np.arctan(value * points)
        size += count * np.log1p((value * points) ** 2)
    waves = np.sin(angle) * np.exp(-size / 2)
    integral = step * (float(waves.sum()) - waves[0] / 2) + waves[0]  # below the first point it is a line
    return float(np.clip(0.5 - integral / math.pi, 0.0, 1.0))


def can_rule_out(differences: Sequence[float] | Values, tolerance: float) -> bool:
    """True if these changes show that less than `tolerance` is lost."""
    return tolerance > 0 and (tolerance >= 1 or loss_p_value(differences, tolerance) <= ERROR)


def largest_loss(differences: Sequence[float] | Values) -> float:
    """The largest loss that is not ruled out, to six digits; negative where even a smaller gain is."""
    low, high = -float(np.mean(differences)), 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (low, middle) if loss_p_value(differences, middle) <= ERROR else (middle, high)
    return round(high, 6)

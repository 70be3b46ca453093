"""Drift: has the mix of what comes in changed, and more than two samples of one mix differ anyway.

The population stability index compares the shares of categories in two samples: the sum of
(q - p) · ln(q / p). The usual advice, "more than 0.1 is drift", does not ask how large the samples are.
Without any drift the index of two samples of n and m is about (1/n + 1/m) times a chi-square variable of
B - 1 degrees, B being the number of categories (Yurdakul 2018, "Statistical properties of the population
stability index"). The limit here is a quantile of that. Not handled: samples so small that most categories
are empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from aicourse.errors import MonitoringError

USUAL_LIMIT = 0.1  # of textbooks and tools, whatever the sample sizes
_EMPTY = 0.5  # added to every count, so that a category which one sample lacks has a logarithm


@dataclass(frozen=True)
class Drift:
    """Two samples compared; `limit` is what samples of one mix pass only as often as was asked for."""

    psi: float
    limit: float
    sizes: tuple[int, int]

    @property
    def has_drifted(self) -> bool:
        """True if the index is beyond its limit."""
        return self.psi > self.limit

    def __str__(self) -> str:
        verdict = "drift" if self.has_drifted else "no drift shown"
        before, after = self.sizes
        return f"PSI {self.psi:.3f}, limit {self.limit:.3f} for {before:,} and {after:,}: {verdict}"


def compare_mix(before: Mapping[str, int], after: Mapping[str, int], *, significance: float = 0.01) -> Drift:
    """Compare the counts of categories in two samples.

    >>> print(compare_mix({"shoes": 120, "books": 80}, {"shoes": 100, "books": 100}))
    PSI 0.040, limit 0.066 for 200 and 200: no drift shown

    Raises:
        MonitoringError: one of the samples is empty.
    """
    names = [name for name in {**before, **after} if before.get(name, 0) + after.get(name, 0) > 0]
    first, second = ([sample.get(name, 0) for name in names] for sample in (before, after))
    sizes = sum(first), sum(second)
    if 0 in sizes:
        raise MonitoringError("A sample is empty, so there is no mix to compare. Take a longer period.")
    return Drift(float(psi(first, second)), psi_limit(*sizes, len(names), significance=significance), sizes)


def psi(before: Any, after: Any) -> Any:
    """The population stability index of the counts of two samples, category by category (the last axis).

    >>> round(float(psi([50, 50], [60, 40])), 3)
    0.04
    """
    p, q = (np.asarray(sample, dtype=float) + _EMPTY for sample in (before, after))
    p, q = p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True)
    return ((q - p) * np.log(q / p)).sum(axis=-1)


def psi_limit(before: int, after: int, categories: int, *, significance: float = 0.01) -> float:
    """The index that two samples of these sizes pass with probability `significance` if nothing drifts.

    >>> round(psi_limit(200, 200, 10), 3)
    0.217
    """
    degrees = max(categories - 1, 1)
    return float((1 / before + 1 / after) * stats.chi2.isf(significance, degrees))


def same_mix(before: Sequence[int], after: Sequence[int]) -> float:
    """The p-value of the chi-square test that both samples are of one mix; no category is empty in both."""
    return float(stats.chi2_contingency([before, after], correction=False).pvalue)


def same_distribution(before: Sequence[float], after: Sequence[float]) -> float:
    """The p-value of the two-sample Kolmogorov-Smirnov test, for numbers such as seconds or lengths."""
    return float(stats.ks_2samp(before, after).pvalue)


def false_alarms(
    size: int, limit: float = USUAL_LIMIT, *, categories: int = 10, samples: int = 20_000, seed: int = 0
) -> float:
    """The share of pairs of samples of one mix, equal shares, whose index passes the limit; simulated.

    >>> round(false_alarms(200), 2), round(false_alarms(200, psi_limit(200, 200, 10)), 2)
    (0.33, 0.01)
    """
    stream = np.random.RandomState(seed)
    before, after = stream.multinomial(size, [1 / categories] * categories, size=(2, samples))
    return float((psi(before, after) > limit).mean())

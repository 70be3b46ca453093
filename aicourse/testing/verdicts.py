"""Decisions about many runs of a test, or many cases: an interval decides, not one run's luck.

    17 of 20, 95 % interval 64–95 %, at least 80 %: allowed

A rate fails `at_least` when its whole interval lies below. Then chance is no excuse; the estimate alone would
fail every second run of a model whose true rate is exactly `at_least`, and nobody reads a test that fails by
chance. The price: a small drop in few runs passes. With `prove` it is the other way round, as in a gate: it
passes only when the whole interval lies above. docs/testing.md has both error rates for usual sizes.

Rates have Wilson's interval, scores between 0 and 1 a t interval with one case added, others the bootstrap's
(`evals/statistics.py`). Runs or cases that depend on each other make each of them too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aicourse.evals.statistics import Interval, mean_score, proportion


@dataclass(frozen=True)
class GroupVerdict:
    """The decision on a rate or a mean score.

    >>> print(GroupVerdict.of_rate(17, 20, at_least=0.8))
    17 of 20, 95 % interval 64–95 %, at least 80 %: allowed
    >>> print(GroupVerdict.of_rate(17, 20, at_least=0.8, prove=True))
    17 of 20, 95 % interval 64–95 %, at least 80 %: not proved
    """

    estimate: str
    interval: Interval
    at_least: float
    prove: bool
    is_rate: bool

    @classmethod
    def of_rate(cls, passed: int, runs: int, *, at_least: float, prove: bool = False) -> GroupVerdict:
        """The verdict on runs that passed or failed."""
        return cls(f"{passed} of {runs}", proportion(passed, runs), at_least, prove, is_rate=True)

    @classmethod
    def of_scores(cls, scores: Sequence[float], *, at_least: float, prove: bool = False) -> GroupVerdict:
        """The verdict on the mean of scores; of 0 and 1 alone it is a rate."""
        if set(scores) <= {0, 1}:
            return cls.of_rate(int(sum(scores)), len(scores), at_least=at_least, prove=prove)
        interval = mean_score(scores)
        estimate = f"mean {interval.estimate:.3f} of {len(scores)}"
        return cls(estimate, interval, at_least, prove, is_rate=False)

    @property
    def passed(self) -> bool:
        """True if the interval allows `at_least`, or with `prove` if it shows it."""
        return (self.interval.low if self.prove else self.interval.high) >= self.at_least

    def __str__(self) -> str:
        low, high = self.interval.low, self.interval.high
        if self.is_rate:
            reach, wanted = f"{100 * low:.0f}–{100 * high:.0f} %", f"{100 * self.at_least:g} %"
        else:
            reach, wanted = f"{low:.3f}–{high:.3f}", f"{self.at_least:g}"
        words = ("proved", "not proved") if self.prove else ("allowed", "the whole interval is below")
        return f"{self.estimate}, 95 % interval {reach}, at least {wanted}: {words[not self.passed]}"


def runs_needed(at_least: float, *, prove: bool = False) -> int:
    """The fewest runs that can decide: with fewer even nothing but failures (or successes) would not.

    >>> runs_needed(0.8), runs_needed(0.8, prove=True)
    (1, 16)

    Raises:
        ValueError: no number of runs can.
    """
    if not 0 < at_least <= 1:
        raise ValueError(f"at_least is a rate above 0 and up to 1, not {at_least:g}.")
    if prove and at_least == 1:
        raise ValueError("No number of runs proves a rate of 1.")
    all_failed = proportion(0, 1).high  # Wilson's bounds at the ends are z²/(n + z²) and n/(n + z²)
    squared = all_failed / (1 - all_failed)
    odds = at_least / (1 - at_least) if prove else (1 - at_least) / at_least
    return math.floor(squared * odds) + 1

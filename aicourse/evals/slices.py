"""One score of one run, slice by slice, each mean with its interval.

    score_by_slice(run, "brand.exact").to_frame()

Slices are the cases' tags; a case may be in several. The intervals are not adjusted for looking at many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aicourse.evals.comparison import ALL_CASES
from aicourse.evals.runs import Run
from aicourse.evals.statistics import Interval, mean_score
from aicourse.html import NOTEBOOK, table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SliceMean:
    """A slice: how many cases, and their mean with its interval (nan when nothing can be said)."""

    slice: str
    cases: int
    mean: Interval


@dataclass(frozen=True)
class SliceMeans:
    """A score over all cases, then over each slice, lowest mean first."""

    run: str
    score: str
    means: tuple[SliceMean, ...]

    def __iter__(self) -> Iterator[SliceMean]:
        return iter(self.means)

    def to_frame(self) -> pd.DataFrame:
        """One row per slice: cases, mean, low and high end of the 95 % interval."""
        import pandas as pd  # 0.3 s to import, and most readers only look at the table

        rows = [(one.slice, one.cases, one.mean.estimate, one.mean.low, one.mean.high) for one in self.means]
        return pd.DataFrame(rows, columns=["slice", "cases", "mean", "low", "high"]).set_index("slice")

    def rows(self) -> list[tuple[str, str, str]]:
        """The cells of the table."""
        return [(one.slice, str(one.cases), in_words(one.mean)) for one in self.means]

    def _repr_html_(self) -> str:
        return table(
            f"{self.score} of {self.run}", ("slice", "cases", "mean (95 % interval)"), self.rows(), NOTEBOOK
        )


def in_words(mean: Interval) -> str:
    """A mean that has no sign, unlike a change.

    >>> in_words(Interval(0.9, 0.81, 0.95))
    '0.900 (0.810 to 0.950)'
    """
    known = mean.low == mean.low
    return f"{mean.estimate:.3f}" + (f" ({mean.low:.3f} to {mean.high:.3f})" if known else "")


def score_by_slice(run: Run, score: str, *, smallest: int = 1) -> SliceMeans:
    """The mean of an assertion or number over all cases and over each slice of at least `smallest` cases.

    Raises:
        EvaluationError: the run has no such score, or it is a label.
    """
    values = run.values(score)
    members: dict[str, list[float]] = {}
    for id, (_, tags) in run.identities().items():
        if id in values:
            for name in dict.fromkeys(tags):
                members.setdefault(name, []).append(values[id])
    slices = [
        SliceMean(name, len(found), mean_score(found))
        for name, found in members.items()
        if len(found) >= smallest
    ]
    slices.sort(key=lambda one: (one.mean.estimate, one.slice))
    overall = SliceMean(ALL_CASES, len(values), mean_score(list(values.values())))
    return SliceMeans(run.info.name, score, (overall, *slices))

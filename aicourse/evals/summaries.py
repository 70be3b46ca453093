"""The totals of a run, from one pass over its records: 16 bytes per score are kept, not the records.

A case whose task failed counts as False or 0 in every score: a prompt must not look better because it broke
on the hard cases. A score whose scorer failed has no value and is counted as an error.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from aicourse.errors import EvaluationError
from aicourse.evals.records import CaseRecord
from aicourse.evals.scores import Kind, Score
from aicourse.evals.statistics import Interval, Values, mean_score


@dataclass(frozen=True)
class ScoreSummary:
    """One score over a run: the mean with its interval, or for labels how often each was given.

    `cases` is how many cases count, `errors` how many times the scorer failed.
    """

    name: str
    kind: Kind
    cases: int
    mean: Interval | None
    labels: Mapping[str, int]
    errors: int

    @property
    def text(self) -> str:
        """The result in words."""
        if self.mean is None:
            return ", ".join(f"{label}: {count}" for label, count in self.labels.items()) or "no value"
        if math.isnan(self.mean.low):
            return f"{self.mean.estimate:.3f}"
        return f"{self.mean.estimate:.3f} ({self.mean.low:.3f} to {self.mean.high:.3f})"


@dataclass(frozen=True)
class RunSummary:
    """Totals of a run. `seconds` are the latencies of all records, in the order they finished.

    `first_failure` says which case failed first, and why; "" when none did.
    """

    records: int
    failed: int
    scores: tuple[ScoreSummary, ...]
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None
    seconds: Values
    first_failure: str = ""

    def score(self, name: str) -> ScoreSummary:
        """One score's summary.

        Raises:
            EvaluationError: the run has no such score; the message names those it has.
        """
        for summary in self.scores:
            if summary.name == name:
                return summary
        known = ", ".join(summary.name for summary in self.scores) or "none"
        raise EvaluationError(f"This run has no score {name!r}. It has: {known}.", score=name)

    @property
    def median_seconds(self) -> float | None:
        """The median latency of a case."""
        return float(np.median(self.seconds)) if self.seconds.size else None


class _Column:
    """The values of one score while the records pass by."""

    def __init__(self) -> None:
        self.kind: Kind = "error"
        self.indices = array("q")
        self.values = array("d")
        self.labels: Counter[str] = Counter()
        self.errors = 0

    def add(self, index: int, score: Score) -> None:
        if score.value is None:
            self.errors += 1
            return
        self.kind = score.kind
        if isinstance(score.value, str):
            self.labels[score.value] += 1
        else:
            self.indices.append(index)
            self.values.append(score.value)

    def summary(self, name: str, failed: array[int]) -> ScoreSummary:
        """The mean over cases of the mean over repeats; failed ones count 0."""
        indices = np.concatenate(
            [np.asarray(self.indices, dtype=np.int64), np.asarray(failed, dtype=np.int64)]
        )
        counts = np.bincount(indices)
        sums = np.bincount(
            np.asarray(self.indices, dtype=np.int64), np.asarray(self.values), minlength=counts.size
        )
        means = sums[counts > 0] / counts[counts > 0]
        numeric = self.kind in ("assertion", "number")
        cases = means.size if numeric else self.labels.total()
        labels = dict(self.labels.most_common())
        return ScoreSummary(
            name, self.kind, cases, mean_score(means) if numeric and means.size else None, labels, self.errors
        )


def summarise(records: Iterator[CaseRecord]) -> RunSummary:
    """The totals of the records."""
    columns: dict[str, _Column] = {}
    failed, seconds = array("q"), array("d")
    prompt = completion = 0
    cost: Decimal | None = Decimal(0)
    first_failure = ""
    for record in records:
        if record.error is not None:
            failed.append(record.index)
            first_failure = first_failure or f"{record.id}: {record.error}"
        for score in record.scores:
            columns.setdefault(score.name, _Column()).add(record.index, score)
        seconds.append(record.seconds)
        prompt, completion = prompt + record.prompt_tokens, completion + record.completion_tokens
        cost = None if cost is None or record.cost is None else cost + record.cost
    scores = tuple(column.summary(name, failed) for name, column in columns.items())
    totals = len(seconds), len(failed), scores, prompt, completion, cost, np.asarray(seconds)
    return RunSummary(*totals, first_failure)

"""The records of a run to look at: an index made once, and filters that pick places in it.

    index = RecordIndex.of(run, before)
    index.matching(Filter(slice="short", below=1.0))        ->  [3, 17, 40]

All records are kept in memory (10,000 of them take about 30 MB); for larger runs write a report.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from aicourse.errors import EvaluationError
from aicourse.evals.runs import CaseRecord, Run
from aicourse.evals.statistics import mean
from aicourse.notebook.widgets.fields import answer

Change = Literal["better", "worse", "changed"]
MEAN = "mean of all scores"


@dataclass(frozen=True)
class Filter:
    """The conditions for what is shown; each that is set must hold.

    `score` names the assertion (1 or 0) or number that `below` and `change` speak of, `MEAN` all of them
    together. `change` is against the run before: a better or worse score, or another answer ("changed").
    `search` is looked for in texts, outputs, reasons and errors, whatever its case.
    """

    slice: str | None = None
    score: str = MEAN
    below: float | None = None
    failed: bool = False
    change: Change | None = None
    search: str = ""


@dataclass(frozen=True)
class RecordIndex:
    """The records of a run in the order of its cases, and the same cases in the run before."""

    name: str
    before_name: str | None
    records: tuple[CaseRecord, ...]
    before: Mapping[tuple[str, int], CaseRecord]

    @classmethod
    def of(cls, run: Run, before: Run | None = None) -> RecordIndex:
        """Read both runs once."""
        records = sorted(run.records(), key=lambda record: (record.index, record.repeat))
        twins = () if before is None else before.records()
        earlier = {(record.id, record.repeat): record for record in twins}
        return cls(run.info.name, before.info.name if before else None, tuple(records), earlier)

    @cached_property
    def slices(self) -> Mapping[str, int]:
        """The number of records in each slice, slices in alphabetical order."""
        return dict(sorted(Counter(tag for record in self.records for tag in record.tags).items()))

    @cached_property
    def scores(self) -> tuple[str, ...]:
        """The assertions and numbers that records have, in the scorers' order."""
        names = {
            score.name: None
            for record in self.records
            for score in record.scores
            if isinstance(score.value, bool | int | float)
        }
        return tuple(names)

    def twin(self, place: int) -> CaseRecord | None:
        """The same case in the run before."""
        record = self.records[place]
        return self.before.get((record.id, record.repeat))

    def difference(self, place: int, score: str = MEAN) -> float | None:
        """The rise of the score since the run before; None when one of them lacks it."""
        twin = self.twin(place)
        old, new = None if twin is None else value_of(twin, score), value_of(self.records[place], score)
        return None if old is None or new is None else round(new - old, 12)  # 0.1 + 0.2 is 0.3

    def check(self, chosen: Filter) -> None:
        """Refuse a filter that names what this run does not have.

        Raises:
            EvaluationError: an unknown slice, score or change, or a change without a run before.
        """
        if chosen.slice is not None and chosen.slice not in self.slices:
            raise _unknown("slice", chosen.slice, self.slices)
        if chosen.score != MEAN and chosen.score not in self.scores:
            raise _unknown("score", chosen.score, self.scores)
        if chosen.change is not None and chosen.change not in get_args(Change):
            raise _unknown("change", chosen.change, get_args(Change))
        if chosen.change is not None and self.before_name is None:
            raise EvaluationError(
                f"Nothing to compare with: {chosen.change!r} needs a run before. Pass it as before=."
            )

    def matching(self, chosen: Filter) -> tuple[int, ...]:
        """The places of the records that fit, in the order of the cases."""
        words = chosen.search.casefold().strip()
        return tuple(
            place
            for place, record in enumerate(self.records)
            if (chosen.slice is None or chosen.slice in record.tags)
            and (not chosen.failed or record.error is not None)
            and (chosen.below is None or _is_below(value_of(record, chosen.score), chosen.below))
            and (chosen.change is None or self._has_changed(place, chosen.score, chosen.change))
            and (not words or words in self._texts[place])
        )

    def counts(self, places: Sequence[int], score: str = MEAN) -> str:
        """The chosen records in one sentence: how many, how many failed, their mean, what became of them."""
        chosen = [self.records[place] for place in places]
        values = [value for record in chosen if (value := value_of(record, score)) is not None]
        failed = sum(record.error is not None for record in chosen)
        parts = [f"{len(places):,} of {len(self.records):,} records"]
        parts += [f"{failed:,} failed"] if failed else []
        parts += [f"{score} {mean(values):.3f}"] if values else []
        if self.before_name is not None:
            changes = [change for place in places if (change := self.difference(place, score)) is not None]
            better, worse = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
            parts.append(f"against {self.before_name}: {better:,} better, {worse:,} worse")
        return " · ".join(parts)

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        return tuple(map(_searchable, self.records))

    def _has_changed(self, place: int, score: str, change: Change) -> bool:
        if change == "changed":
            twin, record = self.twin(place), self.records[place]
            return twin is not None and _outcome(twin) != _outcome(record)
        difference = self.difference(place, score)
        return difference is not None and (difference > 0 if change == "better" else difference < 0)


def value_of(record: CaseRecord, score: str = MEAN) -> float | None:
    """A score as a number: 1 or 0 for an assertion, 0 for a case whose task failed, None without a value."""
    if record.error is not None:
        return 0.0
    values = [
        float(one.value)
        for one in record.scores
        if score in (MEAN, one.name) and isinstance(one.value, bool | int | float)
    ]
    return mean(values) if values else None


def _is_below(value: float | None, limit: float) -> bool:
    return value is not None and value < limit


def moved(place: int, steps: int, count: int) -> int:
    """A place some steps on, never past an end."""
    return max(0, min(place + steps, count - 1))


def _outcome(record: CaseRecord) -> tuple[Any, str | None]:
    return answer(record.output), record.error


def _searchable(record: CaseRecord) -> str:
    parts = [record.id, record.error or "", *(score.reason for score in record.scores)]
    parts += map(_plain, (record.input, record.expected, record.output))
    return "\n".join(parts).casefold()


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _unknown(kind: str, name: str, known: Sequence[str] | Mapping[str, int]) -> EvaluationError:
    choices = ", ".join(known) or "none"
    return EvaluationError(f"This run has no {kind} {name!r}. It has: {choices}.", name=name)

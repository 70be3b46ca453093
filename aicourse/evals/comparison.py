"""Comparison of two runs, case by case: if the second is better, by how much, where, and if we could tell.

    comparison = compare(before, after, "brand.exact")
    comparison.overall.effect      # +0.050 (95 % interval +0.003 to +0.097)

Only cases that both runs have are compared, each with itself. Assertions: interval of Agresti & Min, exact
McNemar test. Numbers: paired bootstrap, sign test (is a changed case as likely to be better as worse?).
Slices are the cases' tags; their p-values are adjusted for looking at several (Holm), their intervals are
not. Positive changes are improvements: for a score where less is better, return its negative.
Looking at many prompts and keeping the best one is not corrected for: confirm it on cases not used yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from aicourse.errors import EvaluationError
from aicourse.evals import statistics
from aicourse.evals.runs import Run
from aicourse.evals.statistics import Interval, Values
from aicourse.evals.views import markdown_table
from aicourse.html import NOTEBOOK, table, visible

if TYPE_CHECKING:
    import pandas as pd

ALL_CASES = "all cases"
_HEADER = ("slice", "cases", "before", "after", "change", "better", "worse", "p", "would find")


@dataclass(frozen=True)
class Change:
    """One slice, before and after.

    `better` and `worse` count cases. `p_value` is exact and two-sided; `adjusted_p` takes into account how
    many slices were looked at. `deviation` is that of the differences, `detectable` the smallest true change
    that this many such cases find in four of five comparisons (None when no case differs).
    """

    slice: str
    cases: int
    before: float
    after: float
    effect: Interval
    better: int
    worse: int
    p_value: float
    adjusted_p: float
    deviation: float
    is_bounded: bool  # both scores lie between 0 and 1 in every case
    differences: tuple[float, ...] = field(repr=False)

    @property
    def detectable(self) -> float | None:
        """The minimum detectable effect at 80 % power and 5 % significance."""
        return statistics.minimum_detectable_effect(self.cases, self.deviation) if self.deviation else None

    def row(self) -> tuple[str, ...]:
        """The cells of the tables."""
        detectable = "-" if self.detectable is None else f"{self.detectable:.3f}"
        return (
            self.slice,
            str(self.cases),
            f"{self.before:.3f}",
            f"{self.after:.3f}",
            str(self.effect),
            str(self.better),
            str(self.worse),
            "< 0.001" if self.adjusted_p < 0.001 else f"{self.adjusted_p:.3f}",
            detectable,
        )


@dataclass(frozen=True)
class Comparison:
    """A score of two runs on the cases they share.

    `differences` are `after - before` by case id, largest loss first, without the cases that stayed the same.
    `unpaired` are ids that only one run has, `too_small` slices with fewer cases than asked for.
    """

    score: str
    before: str
    after: str
    overall: Change
    slices: tuple[Change, ...]
    differences: dict[str, float]
    unpaired: tuple[str, ...]
    too_small: tuple[str, ...]

    @property
    def caption(self) -> str:
        """The names of what is compared, and what is left out."""
        remarks = [f"{len(self.unpaired)} cases in only one run left out"] if self.unpaired else []
        remarks += [f"too few cases in: {', '.join(self.too_small)}"] if self.too_small else []
        remark = "".join(f"; {remark}" for remark in remarks)
        return visible(f"{self.score}: {self.after} against {self.before}{remark}")

    def to_frame(self) -> pd.DataFrame:
        """One row per slice, all cases first."""
        import pandas as pd  # 0.3 s to import, and most readers only look at the table

        counted = ("slice", "cases", "before", "after", "better", "worse")
        names = (*counted, "p_value", "adjusted_p", "detectable")
        rows = [
            {name: getattr(change, name) for name in names}
            | {"change": change.effect.estimate, "low": change.effect.low, "high": change.effect.high}
            for change in (self.overall, *self.slices)
        ]
        return pd.DataFrame(rows).set_index("slice")

    def to_markdown(self) -> str:
        """The table for a terminal or a pull request."""
        return f"{self.caption}\n\n{markdown_table(_HEADER, self._rows())}\n"

    def _rows(self) -> Iterable[Sequence[str]]:
        return (change.row() for change in (self.overall, *self.slices))

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        return table(self.caption, _HEADER, self._rows(), NOTEBOOK)


def compare(
    before: Run,
    after: Run,
    score: str,
    *,
    confidence: float = 0.95,
    smallest_slice: int = 5,
    slices: Collection[str] | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare one assertion or number of two runs; slices below `smallest_slice` cases are named only.

    `slices` are those to look at (None: all).

    Raises:
        EvaluationError: a run has no such score, fewer than 2 cases are in both, or a case was changed
            between the runs.
    """
    one, other = before.values(score), after.values(score)
    shared = sorted(one.keys() & other.keys())  # the order in which cases finished must not matter
    if len(shared) < 2:
        names = f"{before.info.name!r} and {after.info.name!r}"
        raise EvaluationError(
            f"Runs {names} share {len(shared)} cases. Run both on the same set.", shared=shared
        )
    tags = _tags(before, after, shared)
    pairs = np.array([(one[id], other[id]) for id in shared])

    def change(name: str, chosen: Values) -> Change:
        return compare_values(name, chosen[:, 0], chosen[:, 1], confidence=confidence, seed=seed)

    members = {name: places for name, places in _members(tags).items() if slices is None or name in slices}
    large = [name for name, places in members.items() if len(places) >= max(2, smallest_slice)]
    by_slice = [change(name, pairs[members[name]]) for name in large]
    adjusted = statistics.holm([slice.p_value for slice in by_slice])
    changes = statistics.paired_differences(pairs[:, 0], pairs[:, 1]).tolist()
    differences = dict(zip(shared, changes, strict=True))
    return Comparison(
        score=score,
        before=before.info.name,
        after=after.info.name,
        overall=change(ALL_CASES, pairs),
        slices=tuple(replace(slice, adjusted_p=p) for slice, p in zip(by_slice, adjusted, strict=True)),
        differences={
            id: value for id, value in sorted(differences.items(), key=lambda item: item[1]) if value
        },
        unpaired=tuple(sorted(one.keys() ^ other.keys())),
        too_small=tuple(name for name in members if name not in large),
    )


def _tags(before: Run, after: Run, shared: list[str]) -> list[tuple[str, ...]]:
    """The slices of the shared cases, as the second run has them."""
    one, other = before.identities(), after.identities()
    if changed := [id for id in shared if one[id][0] != other[id][0]]:
        raise EvaluationError(
            f"{len(changed)} cases were changed between the runs ({', '.join(changed[:5])}). "
            "Run the first one again on the new set.",
            changed=changed,
        )
    return [other[id][1] for id in shared]


def _members(tags: list[tuple[str, ...]]) -> dict[str, list[int]]:
    """The places of each slice's cases, slices in alphabetical order."""
    members: dict[str, list[int]] = {}
    for place, names in enumerate(tags):
        for name in dict.fromkeys(names):
            members.setdefault(name, []).append(place)
    return dict(sorted(members.items()))


def compare_values(
    name: str, before: Values, after: Values, *, confidence: float = 0.95, seed: int = 0
) -> Change:
    """The change of one slice; values come case by case, in the same order."""
    differences = statistics.paired_differences(before, after)
    better, worse = int((differences > 0).sum()), int((differences < 0).sum())
    p_value = statistics.sign_test(better, worse)
    values = np.array([before, after])
    if np.isin(values, (0.0, 1.0)).all():
        effect = statistics.paired_proportions(better, worse, before.size, confidence=confidence)
    else:
        effect = statistics.paired_bootstrap(before, after, confidence=confidence, seed=seed)
    return Change(
        slice=name,
        cases=before.size,
        before=statistics.mean(before),
        after=statistics.mean(after),
        effect=effect,
        better=better,
        worse=worse,
        p_value=p_value,
        adjusted_p=p_value,
        deviation=float(differences.std(ddof=1)),
        is_bounded=bool(((values >= 0) & (values <= 1)).all()),
        differences=tuple(differences.tolist()),
    )

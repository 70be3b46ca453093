"""Two runs compared in a terminal: each score over all cases, then the cases that changed most.

    print(of_runs(before, after, ["brand.exact", "colours.f1"]))

The verdict is the interval's: `better` or `worse` when it holds no zero, else `cannot tell`. Each interval is
one of its own: of twenty scores that did not change, one looks as if it had. Slices are shown on request.
"""

from __future__ import annotations

from collections.abc import Sequence

from aicourse.evals.comparison import Change, Comparison, compare
from aicourse.evals.runs import Run
from aicourse.evals.views import text_table
from aicourse.html import visible

_HEADER = ("score", "before", "after", "change", "better", "worse", "verdict")
_SLICE_HEADER = ("slice", "cases", *_HEADER[1:])
_PARTS = 3  # at most so many scores are named beside a case


def of_runs(
    before: Run,
    after: Run,
    scores: Sequence[str],
    *,
    listed: int = 5,
    slices: bool = False,
    smallest: int = 5,
) -> str:
    """The comparison of some scores as text; at most `listed` better and worse cases.

    Raises:
        EvaluationError: the runs cannot be compared (see `compare`).
    """
    comparisons = [compare(before, after, score, smallest_slice=smallest) for score in scores]
    rows = [(one.score, *_cells(one.overall)) for one in comparisons]
    lines = [*_head(before, after, comparisons[0]), text_table(_HEADER, rows), *_changed(comparisons, listed)]
    for one in comparisons if slices else ():
        small = f"; too few cases in: {', '.join(one.too_small)}" if one.too_small else ""
        parts = [(part.slice, str(part.cases), *_cells(part)) for part in one.slices]
        lines += ["", f"{one.score} by slice{small}", *([text_table(_SLICE_HEADER, parts)] if parts else [])]
    return visible("\n".join(lines))


def _head(before: Run, after: Run, comparison: Comparison) -> list[str]:
    unpaired = f"; {len(comparison.unpaired)} in only one run left out" if comparison.unpaired else ""
    lines = [f"{after.info.name} against {before.info.name}: {comparison.overall.cases} cases{unpaired}"]
    lines += [f"{run.info.name}: {run.remark}" for run in (before, after) if run.remark]
    return [" ".join(line.split()) for line in lines]


def _cells(change: Change) -> tuple[str, ...]:
    numbers = (f"{change.before:.3f}", f"{change.after:.3f}", str(change.effect))
    return (*numbers, str(change.better), str(change.worse), verdict(change))


def verdict(change: Change) -> str:
    """A change in a word or two."""
    if not change.better + change.worse:
        return "the same"
    if change.effect.low > 0:
        return "better"
    return "worse" if change.effect.high < 0 else "cannot tell"


def _changed(comparisons: Sequence[Comparison], listed: int) -> list[str]:
    """The cases with the largest losses and gains; each score counts as a share of its largest change."""
    parts: dict[str, dict[str, float]] = {}
    totals: dict[str, float] = {}
    for one in comparisons:
        largest = max(map(abs, one.differences.values()), default=1.0)
        for id, value in one.differences.items():
            parts.setdefault(id, {})[one.score] = value
            totals[id] = totals.get(id, 0.0) + value / largest
    order = sorted(totals, key=lambda id: (totals[id], id))
    worse = [id for id in order if totals[id] < 0][:listed]
    better = [id for id in reversed(order) if totals[id] > 0][:listed]
    rows = [
        (word, id, _words(parts[id])) for word, ids in (("worse", worse), ("better", better)) for id in ids
    ]
    if not rows:
        return []
    return ["", text_table(("changed most", "case", f"of {len(totals)} that changed"), rows)]


def _words(changes: dict[str, float]) -> str:
    names = sorted(changes, key=lambda name: -abs(changes[name]))
    more = f", and {len(names) - _PARTS} more" if len(names) > _PARTS else ""
    return ", ".join(f"{name} {changes[name]:+.2f}" for name in names[:_PARTS]) + more

"""Look at the cases of a run: by slice, by score, by what changed since the run before, by words in them.

explore(run, before=production, photos=load_photos("test"), change="worse")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aicourse.evals.runs import Run
from aicourse.notebook.widgets import html
from aicourse.notebook.widgets.browsing import MEAN, Change, Filter, RecordIndex
from aicourse.notebook.widgets.case_view import CaseView
from aicourse.notebook.widgets.live import mimebundle
from aicourse.notebook.widgets.photos import photo_of

if TYPE_CHECKING:
    from aicourse.notebook.widgets.photos import Photos

_LISTED = 12  # rows of the table where nobody can press a button
_UNFOLDED = 3  # cases in full there; the first one with its photo
_CHARACTERS = 1_500  # of each text there


def explore(
    run: Run,
    before: Run | None = None,
    photos: Photos | None = None,
    *,
    slice: str | None = None,
    score: str = MEAN,
    below: float | None = None,
    failed: bool = False,
    change: Change | None = None,
    search: str = "",
) -> Explorer:
    """Show the cases of `run` one by one, beside what the run `before` made of them.

    The keywords set the filter to begin with (see `Filter`); `photos` is what `load_photos` returns, or a
    mapping of case ids to files. Keeps all records in memory.

    Raises:
        EvaluationError: the filter names a slice or score that the run does not have.
    """
    index = RecordIndex.of(run, before)
    chosen = Filter(slice, score, below, failed, change, search)
    index.check(chosen)
    return Explorer(index, chosen, photos)


@dataclass(frozen=True, repr=False)
class Explorer:
    """Some records of a run; displays itself, with controls where somebody can use them."""

    index: RecordIndex
    chosen: Filter
    photos: Photos | None = None

    @property
    def places(self) -> tuple[int, ...]:
        """Where the records that fit the filter are in the index."""
        return self.index.matching(self.chosen)

    @property
    def ids(self) -> tuple[str, ...]:
        """The cases that fit the filter."""
        return tuple(self.index.records[place].id for place in self.places)

    def case(self, place: int, *, with_photo: bool = True) -> CaseView:
        """One record, ready to be shown."""
        record, twin = self.index.records[place], self.index.twin(place)
        photo = photo_of(record.id, self.photos) if with_photo else None
        return CaseView(record, twin, self.index.before_name, photo)

    @property
    def caption(self) -> str:
        """What is shown, and of what."""
        counts = self.index.counts(self.places, self.chosen.score)
        conditions = describe(self.chosen)
        return f"Run {self.index.name}: {counts}" + (f" ({conditions})" if conditions else "")

    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """The header and the first records; changes only beside a run before."""
        has_before = self.index.before_name is not None
        change = ("change",) if has_before else ()
        rows = []
        for place in self.places[:_LISTED]:
            view = self.case(place, with_photo=False)
            value = self.index.value(place, self.chosen.score)
            number = "-" if value is None else f"{value:.3f}"
            moved = (_change(self.index.difference(place, self.chosen.score)),) if has_before else ()
            rows.append((view.record.id, ", ".join(view.record.tags), number, *moved, view.wrong))
        return ("case", "slices", self.chosen.score, *change, "what is wrong"), rows

    @property
    def _left_out(self) -> str:
        more = len(self.places) - _LISTED
        remark = "more are not listed here; in a live notebook you page through all."
        return f"{more:,} {remark}" if more > 0 else ""

    def __repr__(self) -> str:
        _, rows = self._table()
        lines = [self.caption, *("  ".join(("", *row)) for row in rows), self._left_out]
        return "\n".join(line for line in lines if line)

    def _repr_html_(self) -> str:
        header, rows = self._table()
        cells = [[html.text(cell, _CHARACTERS) for cell in row] for row in rows]
        table = html.table("Cases", header, cells) if rows else html.line("No case fits. Loosen the filter.")
        cases = [
            html.folded(f"Case {view.title}", view.to_html(_CHARACTERS))
            for number, place in enumerate(self.places[:_UNFOLDED])
            for view in [self.case(place, with_photo=number == 0)]
        ]
        left_out = html.line(self._left_out) if self._left_out else ""
        return html.view("explorer", html.heading(self.caption), table, left_out, *cases)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return mimebundle(self, self._controls)

    def _controls(self) -> Any:
        from aicourse.notebook.widgets.explorer_live import ExplorerControls  # loads ipywidgets, 0.2 s

        return ExplorerControls(self).view


def _change(difference: float | None) -> str:
    if difference is None:
        return "-"
    return f"{difference:+.3f}" if difference else "same"


def describe(chosen: Filter) -> str:
    """The conditions of a filter in words."""
    parts = [f"slice {chosen.slice}"] if chosen.slice is not None else []
    parts += [f"{chosen.score} below {chosen.below:g}"] if chosen.below is not None else []
    parts += ["task failed"] if chosen.failed else []
    if chosen.change is not None:
        parts.append("another answer" if chosen.change == "changed" else chosen.change)
    parts += [f"with {chosen.search!r}"] if chosen.search.strip() else []
    return ", ".join(parts)

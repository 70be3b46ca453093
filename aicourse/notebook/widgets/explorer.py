"""Look at the cases of a run: by slice, by score, by what changed since the run before, by words in them.

explore(run, before=production, photos=load_photos("test"), change="worse")
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aicourse.evals.runs import Run
from aicourse.notebook import pieces
from aicourse.notebook.live import Keep, LiveView, load_ipywidgets
from aicourse.notebook.widgets.browsing import MEAN, Change, Filter, RecordIndex, moved, value_of
from aicourse.notebook.widgets.case_view import CaseView, photo_of

if TYPE_CHECKING:
    from aicourse.notebook.widgets.case_view import Photos

_LISTED = 12  # rows of the table where nobody can press a button
_UNFOLDED = 3  # cases in full there; the first one with its photo
_CHARACTERS = 1_500  # of each text there
_EMPTY = "No case fits. Loosen the filter."
_ALL, _BELOW, _FAILED = "all", "score below", "task failed"
_CHANGES = (("any", ""), ("better", "better"), ("worse", "worse"), ("another answer", "changed"))
_AUTO = {"width": "auto"}


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
class Explorer(LiveView):
    """Some records of a run; displays itself, with controls where somebody can use them."""

    index: RecordIndex
    chosen: Filter
    photos: Photos | None = None

    @property
    def places(self) -> tuple[int, ...]:
        """The places in the index of the records that fit the filter."""
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
        """The records shown and those they are from, in one sentence."""
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
            value = value_of(view.record, self.chosen.score)
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
        cells = [[pieces.text(cell, _CHARACTERS) for cell in row] for row in rows]
        table = pieces.table("Cases", header, cells) if rows else pieces.line(_EMPTY)
        cases = [
            pieces.folded(f"Case {view.title}", view.to_html(_CHARACTERS))
            for number, place in enumerate(self.places[:_UNFOLDED])
            for view in [self.case(place, with_photo=number == 0)]
        ]
        left_out = pieces.line(self._left_out) if self._left_out else ""
        return pieces.view("explorer", pieces.heading(self.caption), table, left_out, *cases)

    def _controls(self, keep: Keep) -> Any:
        return ExplorerControls(self, keep).view


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


class ExplorerControls:
    """An explorer with its filter and place kept in widgets; `view` is what is displayed."""

    def __init__(self, explorer: Explorer, keep: Keep) -> None:
        widgets = load_ipywidgets()
        self.explorer, self._keep = explorer, keep
        self._places = explorer.places
        self._make_filters()
        self.back = widgets.Button(description="◀ Previous", layout=_AUTO)
        self.forth = widgets.Button(description="Next ▶", layout=_AUTO)
        self.position = widgets.HTML(layout={"min_width": "6em"})
        self.status = widgets.HTML()
        self.case = widgets.HTML(layout={"margin": "4px 0"})
        self.back.on_click(lambda _: self._move(-1))
        self.forth.on_click(lambda _: self._move(1))
        for control in self._filters:
            control.observe(lambda _: self._refilter(), names="value")
        wrap = {"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        filters = widgets.HBox(self._filters, layout=wrap)
        steps = widgets.HBox([self.back, self.position, self.forth], layout={"grid_gap": "8px"})
        self.view = widgets.VBox([filters, self.status, steps, self.case])
        self._begin()

    def _make_filters(self) -> None:
        widgets = load_ipywidgets()
        explorer, chosen = self.explorer, self.explorer.chosen
        index = explorer.index
        slices = [(f"{name} ({count:,})", name) for name, count in index.slices.items()]
        self.slice = _dropdown("Slice", [("all", ""), *slices], chosen.slice or "")
        shown = _FAILED if chosen.failed else _ALL if chosen.below is None else _BELOW
        self.show = _dropdown("Show", [_ALL, _BELOW, _FAILED], shown)
        self.score = _dropdown("Score", [MEAN, *index.scores], chosen.score)
        limit = 1.0 if chosen.below is None else chosen.below
        self.below = widgets.FloatText(value=limit, step=0.1, description="Below", layout={"width": "11em"})
        self.change = _dropdown("Change", _CHANGES, chosen.change or "")
        self.search = widgets.Text(
            value=chosen.search,
            description="Search",
            placeholder="words, then Enter",
            continuous_update=False,
            layout={"width": "20em"},
        )
        controls = [self.slice, self.show, self.below, self.score, self.change, self.search]
        self._filters = [one for one in controls if one is not self.change or index.before_name is not None]

    def _refilter(self) -> None:
        chosen = replace(
            self.explorer.chosen,
            slice=self.slice.value or None,  # a list with the value None would look empty
            score=self.score.value,
            below=self.below.value if self.show.value == _BELOW else None,
            failed=self.show.value == _FAILED,
            change=self.change.value or None,
            search=self.search.value,
        )
        self.explorer = replace(self.explorer, chosen=chosen)
        self._places = self.explorer.places
        self._begin()

    def _begin(self) -> None:
        """Count what fits, once for each filter, and show its first case."""
        self._number = 0
        self.below.disabled = self.show.value != _BELOW
        self.status.value = pieces.text(self.explorer.index.counts(self._places, self.explorer.chosen.score))
        self._keep(self.explorer._repr_html_())
        self._draw()

    def _move(self, steps: int) -> None:
        self._number = moved(self._number, steps, len(self._places))
        self._draw()

    def _draw(self) -> None:
        number, places = self._number, self._places
        where = f"{number + 1} of {len(places):,}" if places else "no case"
        self.position.value = f"<strong>{where}</strong>"
        # an end is said in the position: a disabled button would drop the keyboard's focus
        self.case.value = self.explorer.case(places[number]).shown() if places else pieces.line(_EMPTY)


def _dropdown(name: str, options: Any, value: Any) -> Any:
    layout = {"width": "20em"}
    return load_ipywidgets().Dropdown(description=name, options=options, value=value, layout=layout)

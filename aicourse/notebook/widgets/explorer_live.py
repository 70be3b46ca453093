"""The controls of the explorer: filters above, one case below, previous and next between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import ipywidgets

from aicourse.notebook.widgets import html
from aicourse.notebook.widgets.browsing import MEAN
from aicourse.notebook.widgets.explorer import Explorer

widgets: Any = ipywidgets  # its classes have no annotations
_ALL, _BELOW, _FAILED = "all", "score below", "task failed"
_CHANGES = (("any", ""), ("better", "better"), ("worse", "worse"), ("another answer", "changed"))
_AUTO = {"width": "auto"}


@dataclass(frozen=True)
class Place:
    """Where the reader is among the records that fit."""

    number: int
    of: int

    def moved(self, steps: int) -> Place:
        """Some steps on, never past an end."""
        return replace(self, number=max(0, min(self.number + steps, self.of - 1)))

    def __str__(self) -> str:
        return f"{self.number + 1} of {self.of:,}" if self.of else "no case"


class ExplorerControls:
    """An explorer with its filter and place kept in widgets; `view` is what is displayed."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
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
        self._place = Place(0, len(self._places))
        self.below.disabled = self.show.value != _BELOW
        self.status.value = html.text(self.explorer.index.counts(self._places, self.explorer.chosen.score))
        self._draw()

    def _move(self, steps: int) -> None:
        self._place = self._place.moved(steps)
        self._draw()

    def _draw(self) -> None:
        explorer, place = self.explorer, self._place
        self.position.value = f"<strong>{place}</strong>"
        # an end is said in the position: a disabled button would drop the keyboard's focus
        empty = html.line("No case fits. Loosen the filter.")
        self.case.value = explorer.case(self._places[place.number]).shown() if place.of else empty


def _dropdown(name: str, options: Any, value: Any) -> Any:
    return widgets.Dropdown(description=name, options=options, value=value, layout={"width": "20em"})

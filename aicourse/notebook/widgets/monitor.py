"""The dashboard of production in a notebook: choose periods and slices, see the figures anew."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from aicourse.monitoring.figures import Dashboard, dashboard
from aicourse.monitoring.metrics import Group, Period
from aicourse.notebook import pieces
from aicourse.notebook.live import Keep, LiveView, load_ipywidgets

_SLICES = ("prompt_version", "client", "category", "model", "variant")


def show_dashboard(
    connection: sqlite3.Connection, *, every: Period = "day", by: Group | None = None
) -> DashboardView:
    """Show what the product does: figures, states of the rules, corrections; choose periods and slices."""
    return DashboardView(connection, every, by, dashboard(connection, every=every, by=by))


@dataclass(frozen=True, repr=False)
class DashboardView(LiveView):
    """The dashboard as it was read; displays itself, with controls that read it anew."""

    connection: sqlite3.Connection
    every: Period
    by: Group | None
    shown: Dashboard

    def __repr__(self) -> str:
        return repr(self.shown)

    def _repr_html_(self) -> str:
        return pieces.view("dashboard", self.shown.html())

    def _controls(self, keep: Keep) -> Any:
        widgets = load_ipywidgets()
        every = widgets.ToggleButtons(options=["day", "hour"], value=self.every, description="every")
        names = [self.by] if self.by and self.by not in _SLICES else []
        slices = [("all together", None), *((name.replace("_", " "), name) for name in (*_SLICES, *names))]
        by = widgets.Dropdown(options=slices, value=self.by, description="by")
        drawn = widgets.HTML(self._repr_html_())

        def redraw(_: Any) -> None:
            drawn.value = show_dashboard(self.connection, every=every.value, by=by.value)._repr_html_()
            keep(drawn.value)

        for control in (every, by):
            control.observe(redraw, names="value")
        return widgets.VBox([widgets.HBox([every, by], layout={"flex_flow": "row wrap"}), drawn])

"""The dashboard of production in a notebook: choose periods and slices, see the figures anew."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from aicourse.monitoring.figures import Dashboard, dashboard
from aicourse.notebook import pieces
from aicourse.notebook.live import Keep, LiveView, load_ipywidgets

if TYPE_CHECKING:
    from aicourse.monitoring.metrics import Group

_SLICES = ("prompt_version", "client", "category", "model", "variant")


def show_dashboard(
    connection: sqlite3.Connection, *, every: Literal["hour", "day"] = "day", by: Group | None = None
) -> DashboardView:
    """Show what the product does: figures, states of the rules, corrections; choose periods and slices."""
    return DashboardView(connection, every, by)


@dataclass(frozen=True, repr=False)
class DashboardView(LiveView):
    """The dashboard with what was chosen; displays itself, with controls where somebody can use them."""

    connection: sqlite3.Connection
    every: Literal["hour", "day"] = "day"
    by: Group | None = None

    @property
    def shown(self) -> Dashboard:
        """The figures, read anew."""
        return dashboard(self.connection, every=self.every, by=self.by)

    def __repr__(self) -> str:
        return repr(self.shown)

    def _repr_html_(self) -> str:
        return pieces.view("dashboard", self.shown.html())

    def _controls(self, keep: Keep) -> Any:
        widgets = load_ipywidgets()
        every = widgets.ToggleButtons(options=["day", "hour"], value=self.every, description="every")
        slices = [("all together", None), *((name.replace("_", " "), name) for name in _SLICES)]
        by = widgets.Dropdown(options=slices, value=self.by, description="by")
        drawn = widgets.HTML()

        def redraw(_: Any = None) -> None:
            drawn.value = replace(self, every=every.value, by=by.value)._repr_html_()
            keep(drawn.value)

        for control in (every, by):
            control.observe(redraw, names="value")
        redraw()
        return widgets.VBox([widgets.HBox([every, by], layout={"flex_flow": "row wrap"}), drawn])

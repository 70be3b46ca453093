"""An IPython extension that looks at every figure a lesson draws: its axes' labels, its title, its content.

Kernels of lessons load it (`EXTENSION`). It writes what is drawn into each PNG (see `drawn`); `validation`
asks for `faults()` after the last cell. It looks where matplotlib renders, so plots made by pandas or by a
helper count too. Nothing is required of axes that are switched off or show no ticks, and a title or label of
the whole figure (`suptitle`, `supxlabel`, `supylabel`) counts for its axes. What labels say is not judged.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal

from aicourse.tooling.course.drawn import png_info

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EXTENSION = f"--ext={__name__}"


def load_ipython_extension(shell: Any) -> None:
    """Watch the figures of this kernel, the first too: one cell may import matplotlib, draw and show."""
    watcher = Watcher(shell)
    shell.user_ns_hidden["_aicourse_figures"] = watcher
    shell.push({"_aicourse_figures": watcher}, interactive=False)
    watcher.attach()


class Watcher:
    """Remembers each fault, and the cell that showed it first."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._faults: dict[str, int] = {}

    def faults(self) -> list[tuple[int, str]]:
        """The faults of the figures so far, with the kernel's count of the cell that showed each first."""
        return [(count, fault) for fault, count in self._faults.items()]

    def attach(self) -> None:
        """Stand between figures and their rendering."""
        from matplotlib.backend_bases import FigureCanvasBase

        canvas: Any = FigureCanvasBase
        render = canvas.print_figure

        @functools.wraps(render)
        def print_figure(drawn: Any, *arguments: Any, **options: Any) -> Any:
            for fault in figure_faults(drawn.figure):
                self._faults.setdefault(fault, len(self._shell.user_ns["In"]) - 1)
            if options.get("format") == "png":
                options["pil_kwargs"] = {"pnginfo": png_info(drawn.figure), **options.get("pil_kwargs", {})}
            return render(drawn, *arguments, **options)

        canvas.print_figure = print_figure


def figure_faults(figure: Figure) -> list[str]:
    """The things that readers miss in `figure`: titles and labels of axes that have something on them."""
    faults = []
    shown = [axes for axes in figure.axes if axes.axison and axes.get_visible()]
    plots = [axes for axes in shown if not hasattr(axes, "_colorbar")]
    titles = [axes.get_title(place) for axes in plots for place in _PLACES]
    if plots and not any([figure.get_suptitle(), *titles]):
        faults.append("a figure without a title that states the finding")
    for axes in shown:
        name = axes.get_title() or figure.get_suptitle() or "untitled"
        for direction in _unlabelled(axes, figure):
            faults.append(f"no label on the {direction} axis of the figure {name!r}")
    return faults


_PLACES: tuple[Literal["left", "center", "right"], ...] = ("left", "center", "right")


def _unlabelled(axes: Axes, figure: Figure) -> list[str]:
    missing = []
    if hasattr(axes, "_colorbar"):
        return [] if axes.get_xlabel() or axes.get_ylabel() else ["colour"]
    if axes.get_xlabel() == "" and not figure.get_supxlabel() and _has_ticks(axes.xaxis):
        missing.append("x")
    if axes.get_ylabel() == "" and not figure.get_supylabel() and _has_ticks(axes.yaxis):
        missing.append("y")
    return missing


def _has_ticks(axis: Any) -> bool:
    """True if the axis shows any number or word (the inner ones of shared axes do not)."""
    return any(tick.get_visible() and tick.get_text() for tick in axis.get_ticklabels())

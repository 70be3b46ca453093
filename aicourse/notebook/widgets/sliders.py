"""A figure, table or text to move: `sliders(draw, n=(10, 300, 10), scheme=["one", "two"])`."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aicourse.notebook import pieces
from aicourse.notebook.live import Keep, LiveView, load_display, load_ipywidgets

Draw = Callable[..., Any]
Range = tuple[float, ...] | list[Any]
_MOVE = "Run this cell in JupyterLab to move the sliders."


def sliders(draw: Draw, *, button: str | None = None, **ranges: Range) -> Sliders:
    """Show what `draw` makes of values that can be moved.

    A range is `(low, high, step)`, which starts in the middle, `(low, high, step, start)`, or a list of
    values, which starts with the first. `draw` gets the values by keyword, and with a `button` also
    `press=0`, 1, 2, …; it returns or shows a figure, a table or a text. Where nobody can move anything
    (papermill, the site), this is what it makes of the start values.

    Raises:
        ValueError: a range of another form.
    """
    for name, values in ranges.items():
        if len(values) not in (3, 4) if isinstance(values, tuple) else not values:
            raise ValueError(
                f"{name}={values!r} is no range: write (low, high, step), (low, high, step, start) or a list."
            )
    return Sliders(draw, ranges, button)


@dataclass(frozen=True, repr=False)
class Sliders(LiveView):
    """A drawing and the ranges of its values; displays itself, with sliders where somebody can move them."""

    draw: Draw
    ranges: Mapping[str, Range]
    button: str | None = None

    @property
    def start(self) -> dict[str, Any]:
        """The values to begin with."""
        values = {name: _start(values) for name, values in self.ranges.items()}
        return values if self.button is None else {**values, "press": 0}

    def __repr__(self) -> str:
        return f"{_told(self.start)}. {_MOVE}"

    def _repr_html_(self) -> str:
        return pieces.line(repr(self))

    def _ipython_display_(self) -> None:
        try:
            super()._ipython_display_()
        except NotImplementedError:
            load_display()({"text/plain": repr(self), "text/html": self._repr_html_()}, raw=True)
            _show(self.draw, self.start)

    def _controls(self, keep: Keep) -> Any:
        widgets = load_ipywidgets()
        controls = {name: _control(name, values) for name, values in self.ranges.items()}
        drawn = widgets.HTML()
        drawn.add_class("jp-RenderedHTMLCommon")  # tables look as in an output
        presses = 0

        def redraw(_: Any = None) -> None:
            values = {name: _rounded(control.value) for name, control in controls.items()}
            drawn.value = _html(self.draw, values if self.button is None else {**values, "press": presses})
            keep(f"{pieces.line(f'{_told(values)}.')}{drawn.value}")

        def press(_: Any) -> None:
            nonlocal presses
            presses += 1
            redraw()

        for control in controls.values():
            control.observe(redraw, names="value")
        buttons = [] if self.button is None else [widgets.Button(description=self.button)]
        for one in buttons:
            one.on_click(press)
        redraw()
        row = widgets.HBox([*controls.values(), *buttons], layout={"flex_flow": "row wrap"})
        return widgets.VBox([row, drawn])


def _start(values: Range) -> Any:
    """The first of a list, the stated start of a range, else its middle.

    >>> _start((10, 300, 10)), _start((0.0, 1.0, 0.05)), _start(["one", "two"])
    (150, 0.5, 'one')
    """
    if isinstance(values, list):
        return values[0]
    low, high, step, *start = values
    return start[0] if start else round(low + round((high - low) / step) // 2 * step, 10)


def _told(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items() if name != "press")


def _rounded(value: Any) -> Any:
    """A value without the 1e-17 that steps of a browser's slider leave."""
    return round(value, 10) if isinstance(value, float) else value


def _control(name: str, values: Range) -> Any:
    widgets = load_ipywidgets()
    look = {"description": name, "style": {"description_width": "initial"}}
    if isinstance(values, list):
        return widgets.Dropdown(options=values, value=values[0], **look)
    low, high, step = values[:3]
    is_real = any(isinstance(value, float) for value in values)
    kind = widgets.FloatSlider if is_real else widgets.IntSlider
    return kind(min=low, max=high, step=step, value=_start(values), **look)


def _show(draw: Draw, values: Mapping[str, Any]) -> None:
    """Draw once, show everything that came of it, and close its figures, which would be shown again."""
    display, open_before = load_display(), _figures()
    result = draw(**values)
    figure = getattr(result, "figure", result)  # axes and lines know theirs
    is_figure = hasattr(figure, "savefig")
    made = [one for one in _figures() if one not in open_before] + [figure] * is_figure
    for one in dict.fromkeys(made):
        display(one)
        sys.modules["matplotlib.pyplot"].close(one)
    if isinstance(result, str):
        print(result)
    elif result is not None and not is_figure:
        display(result)


def _figures() -> list[Any]:
    """The open figures, of which most notebooks have none."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    return [] if pyplot is None else [pyplot.figure(number) for number in pyplot.get_fignums()]


def _html(draw: Draw, values: Mapping[str, Any]) -> str:
    """The HTML of all that `_show` shows; an error as one sentence."""
    from IPython.utils.capture import capture_output

    with capture_output(stderr=False) as captured:
        try:
            _show(draw, values)
        except Exception as error:  # what a slider raises is seen by nobody
            return pieces.line(f"✗ {type(error).__name__}: {error}")
    said = [pieces.raw(captured.stdout)] if captured.stdout else []
    return "".join([*said, *_pieces(captured.outputs, f"The figure for {_told(values)}")])


def _pieces(outputs: Any, alternative: str) -> Iterator[str]:
    """The outputs as HTML; JupyterLab shows none of a widget's own."""
    for output in outputs:
        data = output.data
        if "text/html" in data:
            yield data["text/html"]
        elif "image/png" in data:
            png = data["image/png"]
            encoded = png if isinstance(png, str) else base64.b64encode(png).decode()
            yield pieces.picture(f"data:image/png;base64,{encoded.strip()}", alternative, "none")
        else:
            yield pieces.raw(data.get("text/plain", ""))

"""The live view of a prediction: ipywidgets buttons that keep each click at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from aicourse.notebook.exercises import html
from aicourse.notebook.exercises.predictions import SURENESS, Prediction, choose

widgets: Any = ipywidgets  # its classes have no annotations


def prediction_buttons(prediction: Prediction) -> Any:
    """The question, its options, how sure, and a line that says what is kept."""
    state = prediction.state
    known = state.actual is not None
    options = widgets.ToggleButtons(
        options=[option.label for option in state.options],
        value=state.choice,
        disabled=known,
        style={"button_width": "auto"},
    )
    sure = widgets.ToggleButtons(
        options=[(f"{percent} %", percent) for percent in SURENESS],
        value=state.sureness,
        disabled=known,
        style={"button_width": "5em"},
        tooltips=[f"Right {percent} times out of 100" for percent in SURENESS],
    )
    status = widgets.HTML(_small(prediction.status))

    def keep(name: str) -> Callable[[Any], None]:
        def on_change(change: Any) -> None:
            kept = choose(prediction.id, **{name: change["new"]})
            options.value, sure.value = kept.choice, kept.sureness
            options.disabled = sure.disabled = kept.actual is not None
            status.value = _small(Prediction(prediction.id, kept).status)

        return on_change

    options.observe(keep("choice"), names="value")
    sure.observe(keep("sureness"), names="value")
    heading = widgets.HTML(f"<strong>{html.prose(f'Predict {prediction.id}: {state.question}')}</strong>")
    how_sure = widgets.HBox([widgets.HTML("How sure are you?"), sure], layout={"margin": "6px 0 0 0"})
    return widgets.VBox([heading, options, how_sure, status])


def _small(sentence: str) -> str:
    return f"<em>{html.prose(sentence)}</em>"

"""Predictions: `predict` before a surprising result, `outcome` after it.

In a live notebook the options are buttons; everywhere else (papermill, the site, a terminal) the question and
its options are shown and the run goes on. A choice may be changed until its outcome was seen by somebody who
could have chosen: "Run all" in a live notebook hides the outcome of a prediction that is not made yet behind
a button, and a run by a tool decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicourse.notebook import pieces
from aicourse.notebook.live import Keep, LiveView, can_be_pressed, load_ipywidgets
from aicourse.notebook.store import Option, PredictionState, read_prediction, update_prediction

Bucket = str | int | float | range | tuple[float | None, float | None]
SURENESS = (50, 70, 90)  # percent; three steps are as many as people can tell apart
_VERDICTS: dict[bool | None, tuple[str, pieces.Tone]] = {
    True: ("✓ As you predicted", "good"),
    False: ("✗ Not what you predicted", "bad"),
    None: ("○ No prediction was made", "neutral"),
}


def predict(
    prediction_id: str, question: str, options: Sequence[Bucket] | Mapping[str, Bucket]
) -> Prediction:
    """Ask for a prediction; never waits for the answer.

    `options` are texts, numbers or buckets of numbers: `range(0, 3)` is 0, 1 or 2; `(0.5, 0.8)` is from 0.5
    up to, not including, 0.8 (the last bucket includes its end); None leaves a side open. A mapping names
    them: `{"nearly all": (18, 21), …}`.
    """
    asked = tuple(_options(options))

    def change(state: PredictionState) -> PredictionState:
        if (state.question, state.options) == (question, asked):
            return state
        return PredictionState(question=question, options=asked)  # the question has changed: ask again

    return Prediction(prediction_id, update_prediction(prediction_id, change))


def outcome(prediction_id: str, actual: float | str) -> PredictionOutcome:
    """Show what was predicted beside what happened; once that was seen, the prediction stands."""
    text = f"{actual:.4g}" if isinstance(actual, float) else str(actual)

    def change(state: PredictionState) -> PredictionState:
        happened = _option_of(actual, text, state.options)
        return state.model_copy(update={"actual": text, "happened": happened})

    def reveal() -> PredictionOutcome:
        return PredictionOutcome(prediction_id, update_prediction(prediction_id, change))

    before = read_prediction(prediction_id)
    if not can_be_pressed():  # nobody has seen it: nothing is kept
        return PredictionOutcome(prediction_id, change(before))
    if before.options and before.choice is None and before.actual is None:
        return HiddenOutcome(prediction_id, before, reveal)
    return reveal()


def choose(prediction_id: str, *, choice: str | None = None, sureness: int | None = None) -> PredictionState:
    """Keep a choice, unless its outcome was seen; what a click on a button does."""

    def change(state: PredictionState) -> PredictionState:
        if state.actual is not None:
            return state
        return state.model_copy(
            update={"choice": choice or state.choice, "sureness": sureness or state.sureness}
        )

    return update_prediction(prediction_id, change)


@dataclass(frozen=True, repr=False)
class Prediction(LiveView):
    """A question; displays itself, as buttons where they work."""

    id: str
    state: PredictionState

    @property
    def status(self) -> str:
        """One sentence: what is chosen, and whether it can still be changed."""
        state = self.state
        sure = f", {state.sureness} % sure" if state.sureness else ""
        chosen = f"Your prediction: {state.choice}{sure}" if state.choice else "No prediction was made"
        if state.actual is not None:
            return f"{chosen}. The result is known: {state.actual}."
        if state.choice is None:
            return "Choose before you run on."
        return f"{chosen}. You may change it until the result is shown."

    def __repr__(self) -> str:
        options = [f"  {_bullet(self.state, option)} {option.label}" for option in self.state.options]
        return "\n".join([f"Predict {self.id}: {self.state.question}", *options, f"  {self.status}"])

    def _repr_html_(self) -> str:
        options = "".join(
            f"<li>{_bullet(self.state, option)} {pieces.prose(option.label)}</li>"
            for option in self.state.options
        )
        body = f'<ul style="{pieces.LIST}">{options}</ul>{pieces.paragraph(pieces.prose(self.status))}'
        return pieces.card(f"Predict {self.id}: {self.state.question}", body, "neutral")

    def _controls(self, keep: Keep) -> Any:
        return prediction_buttons(self, keep)


@dataclass(frozen=True, repr=False)
class PredictionOutcome:
    """The result, beside what was predicted."""

    id: str
    state: PredictionState

    @property
    def verdict(self) -> str:
        """The heading, in words."""
        return _VERDICTS[self.state.is_right][0]

    @property
    def heading(self) -> str:
        """The verdict and what it is about."""
        return f"{self.verdict}: {self.id} {self.state.question}".rstrip()

    @property
    def details(self) -> str:
        """The prediction and the result, in one line."""
        state = self.state
        happened = state.actual or ""
        if state.happened not in (None, state.actual):
            happened += f" ({state.happened})"
        elif state.happened is None and state.options:
            happened += " (none of the options)"
        if state.choice is None:
            return f"It happened: {happened}."
        sure = f", {state.sureness} % sure" if state.sureness else ""
        return f"You predicted: {state.choice}{sure}. It happened: {happened}."

    def __repr__(self) -> str:
        return f"{self.heading}\n  {self.details}"

    def _repr_html_(self) -> str:
        details = pieces.paragraph(pieces.prose(self.details))
        return pieces.card(self.heading, details, _VERDICTS[self.state.is_right][1])


@dataclass(frozen=True, repr=False)
class HiddenOutcome(PredictionOutcome, LiveView):
    """A result that is not shown before somebody has predicted it, or asks for it."""

    reveal: Callable[[], PredictionOutcome]

    @property
    def heading(self) -> str:
        """The reason why nothing is to be seen."""
        return f"○ You have not predicted {self.id} yet: choose above or here, then show the result"

    @property
    def details(self) -> str:
        """The question."""
        return self.state.question

    def _controls(self, keep: Keep) -> Any:
        widgets = load_ipywidgets()
        buttons = prediction_buttons(Prediction(self.id, self.state), lambda _: None)
        show = widgets.Button(description="Show the result", button_style="primary")
        box = widgets.VBox([widgets.HTML(pieces.prose(self.heading)), buttons, show])

        def on_click(_: Any) -> None:
            shown = self.reveal()._repr_html_()
            box.children = [widgets.HTML(shown)]
            keep(shown)

        show.on_click(on_click)
        return box


def prediction_buttons(prediction: Prediction, keep: Keep) -> Any:
    """The question, its options, how sure, and a line that says what is kept; each click is kept at once."""
    widgets = load_ipywidgets()
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

    def keeper(name: str) -> Callable[[Any], None]:
        def on_change(change: Any) -> None:
            kept = choose(prediction.id, **{name: change["new"]})
            options.value, sure.value = kept.choice, kept.sureness
            options.disabled = sure.disabled = kept.actual is not None
            now = Prediction(prediction.id, kept)
            status.value = _small(now.status)
            keep(now._repr_html_())

        return on_change

    options.observe(keeper("choice"), names="value")
    sure.observe(keeper("sureness"), names="value")
    heading = widgets.HTML(f"<strong>{pieces.prose(f'Predict {prediction.id}: {state.question}')}</strong>")
    how_sure = widgets.HBox([widgets.HTML("How sure are you?"), sure], layout={"margin": "6px 0 0 0"})
    return widgets.VBox([heading, options, how_sure, status])


def _small(sentence: str) -> str:
    return f"<em>{pieces.prose(sentence)}</em>"


def _bullet(state: PredictionState, option: Option) -> str:
    return "● (chosen)" if option.label == state.choice else "○"


def _options(options: Sequence[Bucket] | Mapping[str, Bucket]) -> list[Option]:
    named = options if isinstance(options, Mapping) else {_label(bucket): bucket for bucket in options}
    return [_option(label, bucket) for label, bucket in named.items()]


def _option(label: str, bucket: Bucket) -> Option:
    match bucket:
        case range():
            return Option(label=label, low=bucket.start, high=bucket.stop)
        case (low, high):
            return Option(label=label, low=low, high=high)
    return Option(label=label)


def _label(bucket: Bucket) -> str:
    match bucket:
        case range():
            return str(bucket[0]) if len(bucket) == 1 else f"{bucket[0]} to {bucket[-1]}"
        case (None, high):
            return f"less than {high:g}"
        case (low, None):
            return f"{low:g} or more"
        case (low, high):
            return f"{low:g} to {high:g}"
    return str(bucket)


def _option_of(actual: float | str, text: str, options: Sequence[Option]) -> str | None:
    """The label of the option that came true, None when none did."""
    for option in options:
        if option.label.casefold() == text.casefold():
            return option.label
    if isinstance(actual, str):
        return None
    buckets = [option for option in options if option.low is not None or option.high is not None]
    inside = [option for option in buckets if _contains(option, actual)]
    at_the_end = [option for option in buckets if option.high == actual]
    return next((option.label for option in [*inside, *at_the_end]), None)


def _contains(option: Option, number: float) -> bool:
    above = option.low is None or number >= option.low
    return above and (option.high is None or number < option.high)

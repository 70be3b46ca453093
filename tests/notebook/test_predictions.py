"""Predictions and their outcomes, as text, HTML and buttons."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from aicourse.notebook import outcome, predict, predictions
from aicourse.notebook.predictions import (
    HiddenOutcome,
    Prediction,
    PredictionOutcome,
    choose,
    prediction_buttons,
)

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether somebody can press a button: a live notebook at first."""
    there = [True]
    monkeypatch.setattr(predictions, "can_be_pressed", lambda: there[0])
    return there


def seen(prediction_id: str, actual: Any) -> PredictionOutcome:
    """An outcome, and the button pressed that shows it."""
    shown = outcome(prediction_id, actual)
    return shown.reveal() if isinstance(shown, HiddenOutcome) else shown


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        (["yes", "no"], ["yes", "no"]),
        ([1, 2.5], ["1", "2.5"]),
        ([range(0, 1), range(1, 3), (3, None)], ["0", "1 to 2", "3 or more"]),
        ([(None, 0.5), (0.5, 1.0)], ["less than 0.5", "0.5 to 1"]),
        ({"few": range(0, 3), "many": (3, 21)}, ["few", "many"]),
    ],
)
def test_options_have_labels(options: Any, labels: list[str]) -> None:
    assert [option.label for option in predict("01.a", "?", options).state.options] == labels


@pytest.mark.parametrize(
    ("options", "actual", "happened"),
    [
        ([range(0, 3), range(3, 9), (9, None)], 0, "0 to 2"),
        ([range(0, 3), range(3, 9), (9, None)], 3, "3 to 8"),
        ([range(0, 3), range(3, 9), (9, None)], 9, "9 or more"),
        ([range(0, 3), range(3, 9), (9, None)], -1, None),
        ([(0.0, 0.5), (0.5, 1.0)], 0.5, "0.5 to 1"),
        ([(0.0, 0.5), (0.5, 1.0)], 1.0, "0.5 to 1"),
        ([(0.0, 0.5), (0.5, 1.0)], np.float64(0.25), "0 to 0.5"),
        ([(None, 10), (10, None)], 9.99, "less than 10"),
        ({"few": range(0, 3), "many": (3, 21)}, 20, "many"),
        (["yes", "no"], "Yes", "yes"),
        (["yes", "no"], "perhaps", None),
        ([1, 2, 3], 2, "2"),
    ],
)
def test_what_happened_falls_into_an_option(options: Any, actual: Any, happened: str | None) -> None:
    predict("01.a", "?", options)
    assert seen("01.a", actual).state.happened == happened


def test_a_choice_is_kept_changed_and_fixed_by_its_outcome() -> None:
    def ask() -> Prediction:
        return predict("01.a", "How many?", [range(0, 3), range(3, 9), (9, None)])

    assert "○ 3 to 8" in repr(ask())
    choose("01.a", choice="0 to 2")
    choose("01.a", choice="3 to 8")
    choose("01.a", sureness=70)
    assert "● (chosen) 3 to 8" in repr(ask())
    assert "3 to 8, 70 % sure. You may change it" in repr(ask())
    shown = outcome("01.a", 12)
    assert repr(shown) == (
        "✗ Not what you predicted: 01.a How many?\n"
        "  You predicted: 3 to 8, 70 % sure. It happened: 12 (9 or more)."
    )
    choose("01.a", choice="9 or more", sureness=90)
    assert "Your prediction: 3 to 8, 70 % sure. The result is known: 12." in repr(ask())
    assert outcome("01.a", 4).verdict == "✓ As you predicted"


def test_a_changed_question_is_asked_again() -> None:
    predict("01.a", "How many?", ["1", "2"])
    choose("01.a", choice="1")
    assert predict("01.a", "How many really?", ["1", "2"]).state.choice is None


def test_an_outcome_without_prediction_says_so() -> None:
    predict("01.a", "How many?", [range(0, 3), (3, None)])
    assert repr(seen("01.a", 2)) == "○ No prediction was made: 01.a How many?\n  It happened: 2 (0 to 2)."
    assert repr(outcome("01.z", 1 / 3)) == "○ No prediction was made: 01.z\n  It happened: 0.3333."


def test_questions_and_options_are_escaped() -> None:
    asked = predict("01.a", "<script>?", ["<b>yes", "`no`"])
    choose("01.a", choice="<b>yes")
    for page in (asked._repr_html_(), outcome("01.a", "<i>")._repr_html_()):
        assert not re.search(r"<(script|b|i)>", page)


def test_a_click_is_kept_at_once_and_refused_once_the_result_is_known() -> None:
    view = prediction_buttons(predict("01.a", "How many?", ["1", "2"]), str)
    _, options, how_sure, status = view.children
    options.value = "2"
    how_sure.children[1].value = 90
    again = predict("01.a", "How many?", ["1", "2"])
    assert (again.state.choice, again.state.sureness) == ("2", 90)
    assert "2, 90 % sure. You may change it" in status.value
    assert prediction_buttons(again, str).children[1].value == "2"
    outcome("01.a", "1")
    options.value = "1"  # a click in the old view
    assert options.value == "2"
    assert options.disabled
    assert "The result is known: 1." in status.value
    assert predict("01.a", "How many?", ["1", "2"]).state.choice == "2"


def test_run_all_leaves_a_prediction_open_and_hides_its_outcome() -> None:
    predict("01.a", "How many?", ["1", "2"])
    hidden = outcome("01.a", "2")
    assert "You have not predicted 01.a yet: choose above or here" in repr(hidden)
    assert "It happened" not in repr(hidden) + hidden._repr_html_()
    choose("01.a", choice="1")
    assert "You may change it" in predict("01.a", "How many?", ["1", "2"]).status
    assert outcome("01.a", "2").verdict == "✗ Not what you predicted"  # seen by who had predicted
    choose("01.a", choice="2")
    assert predict("01.a", "How many?", ["1", "2"]).state.choice == "1"


def test_an_outcome_appears_where_it_was_hidden_and_is_kept() -> None:
    predict("01.a", "How many?", ["1", "2"])
    kept: list[str] = []
    hidden = outcome("01.a", "2")
    assert isinstance(hidden, HiddenOutcome)
    box = hidden._controls(kept.append)
    _, buttons, show = box.children
    buttons.children[1].value = "2"
    assert kept == []
    show.click()
    (card,) = box.children
    assert "✓ As you predicted: 01.a How many?" in card.value
    assert kept == [card.value]
    assert outcome("01.a", "2").verdict == "✓ As you predicted"


def test_who_asks_for_the_result_without_a_prediction_has_made_none() -> None:
    predict("01.a", "How many?", ["1", "2"])
    assert seen("01.a", "2").verdict == "○ No prediction was made"
    choose("01.a", choice="2")
    assert outcome("01.a", "2").verdict == "○ No prediction was made"


def test_a_run_by_a_tool_shows_the_outcome_and_decides_nothing(somebody: list[bool]) -> None:
    somebody[0] = False
    predict("01.a", "How many?", ["1", "2"])
    choose("01.a", choice="1")
    assert outcome("01.a", "2").verdict == "✗ Not what you predicted"
    choose("01.a", choice="2")
    assert outcome("01.a", "2").verdict == "✓ As you predicted"

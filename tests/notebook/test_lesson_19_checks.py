"""Lesson 19: what is misspelt is told apart from what is wrong, and one message from all."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aicourse.notebook.exercises import check

RIGHT = {
    "D02": "repeats the customer",
    "D10": "denies what a tool does",
    "D11": "claims an act that nobody did",
    "D13": "invents a fact",
}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"D02": "repeats"}, "none of the four causes"),
        ({"D02": ["repeats the customer"]}, "none of the four causes"),
        ({"D02": "invents a fact"}, "Put the reply of D02 beside the customer's words"),
    ],
)
def test_a_cause_that_is_not_right(changed: dict[str, str], sentence: str) -> None:
    result = check("19.2", RIGHT | changed)
    assert not result
    assert sentence in repr(result)


def test_a_misspelt_key() -> None:
    result = check("19.2", {name.replace("D02", "D2"): cause for name, cause in RIGHT.items()})
    assert "`D02` has no cause yet" in repr(result)


def test_a_veto_that_forgets_an_earlier_message() -> None:
    def unknown_order(call: Any, steps: Any) -> str:
        known = [one.text for one in steps if one.kind == "customer" or one.status == "done"][-1:]
        given = call.arguments.get("order_id") if isinstance(call.arguments, dict) else None
        return "Error: no." if given and str(given) not in re.findall(r"\d+", " ".join(known)) else ""

    assert not check("19.4", unknown_order)


def test_a_window_that_keeps_the_first_message_alone_of_the_system() -> None:
    def window(messages: list[dict[str, str]], turns: int) -> list[dict[str, str]]:
        rest = [one for one in messages if one["role"] != "system"]
        starts = [place for place, one in enumerate(rest) if one["role"] == "user"]
        return messages[:1] + rest[starts[-turns:][0] if starts else 0 :]

    assert not check("19.5", window)

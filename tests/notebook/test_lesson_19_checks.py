"""Lesson 19: a key or a cause that was misspelt is told apart from a wrong one."""

from __future__ import annotations

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

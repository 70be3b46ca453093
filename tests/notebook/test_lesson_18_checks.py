"""Lesson 18: what most students write first gets the sentence that fits."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aicourse.notebook.exercises import check


def at_once(shop: dict[str, int], days: int) -> str:
    shop["paused"] = days
    return f"Paused for {days} days."


def other_error(shop: dict[str, int], days: int) -> Iterator[str]:
    if not 1 <= days <= 30:
        raise ValueError("1 to 30 days")
    yield f"Pause the listing for {days} days?"
    shop["paused"] = days
    return f"Paused for {days} days."


@pytest.mark.parametrize(
    ("answer", "sentence"), [(at_once, "with a `yield` waits there"), (other_error, "raise ToolRefused")]
)
def test_a_write_that_does_not_wait_or_refuse(answer: Callable[..., Any], sentence: str) -> None:
    result = check("18.4", answer)
    assert not result
    assert sentence in repr(result)
    assert "is not an iterator" not in repr(result)


def test_a_write_that_is_not_written() -> None:
    assert "Not started" in repr(check("18.4", lambda shop, days: None))


def schema_in_capitals(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    properties = {name: {"type": one.annotation.__name__.upper()} for name, one in parameters.items()}
    form = {"type": "object", "properties": properties, "required": list(properties)}
    body = {"name": function.__name__, "description": inspect.getdoc(function), "parameters": form}
    return {"type": "function", "function": body}


def test_a_schema_is_shown_down_to_its_types() -> None:
    result = repr(check("18.2", schema_in_capitals))
    assert "{...}" not in result
    assert "'parcel': {'type': 'INT'}" in result
    assert "'parcel': {'type': 'integer'}" in result

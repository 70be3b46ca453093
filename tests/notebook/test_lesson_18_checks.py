"""Lesson 18: what most students write first gets the sentence that fits."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aicourse.errors import ToolRefused
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


def schema_to_the_full_stop(function: Callable[..., Any]) -> dict[str, Any]:
    types = {str: "string", int: "integer", float: "number", bool: "boolean"}
    parameters = inspect.signature(function).parameters.values()
    form = {
        "type": "object",
        "properties": {one.name: {"type": types[one.annotation]} for one in parameters},
        "required": [one.name for one in parameters if one.default is one.empty],
    }
    described = (function.__doc__ or "").split(".")[0] + "."
    body = {"name": function.__name__, "description": described, "parameters": form}
    return {"type": "function", "function": body}


def test_a_first_line_of_two_sentences() -> None:
    result = check("18.2", schema_to_the_full_stop)
    assert not result
    assert "cut the line at its first full stop" in repr(result)


def respond(
    *, caught: Any = Exception, read: Callable[[str], Any] = json.loads, nothing: bool = False
) -> Callable[..., str]:
    def answered(name: str, arguments: str, functions: dict[str, Callable[..., Any]]) -> str:
        if name not in functions:
            return f"Error: use {sorted(functions)}"
        try:
            given = dict(read(arguments).items())
        except Exception as error:
            return f"Error: {error}"
        try:
            result = functions[name](**given)
        except caught as error:
            return f"Error: {error}"
        return "Error: nothing" if nothing and not result else f"{result}"

    return answered


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (respond(caught=TypeError), "A function has errors of its own"),
        (respond(caught=(TypeError, ValueError)), "A function has errors of its own"),
        (respond(read=eval), "`eval` even runs what a model wrote"),
        (respond(nothing=True), "0 is a result, too"),
    ],
)
def test_a_call_that_is_answered_for_most_inputs(answer: Any, sentence: str) -> None:
    result = check("18.1", answer)
    assert not result
    assert sentence in repr(result)


def test_one_try_around_all_three_steps() -> None:
    def answered(name: str, arguments: str, functions: dict[str, Callable[..., Any]]) -> str:
        try:
            return str(functions[name](**json.loads(arguments)))
        except Exception as error:
            return f"Error: {error!r}; there are {list(functions)}"

    assert check("18.1", answered)


def is_like(one: Any, wanted: Any) -> bool:
    return bool(one["name"] == wanted["name"] and wanted["arguments"].items() <= one["arguments"].items())


def same_calls(made: list[Any], wanted: list[Any], fits: Callable[[Any, Any], bool] = is_like) -> bool:
    """Some way to give each wanted call one that was made."""
    if not wanted:
        return not made
    return any(
        fits(one, wanted[0]) and same_calls(made[:place] + made[place + 1 :], wanted[1:], fits)
        for place, one in enumerate(made)
    )


def fits_by_order(one: Any, wanted: Any) -> bool:
    same = one["arguments"].get("order_id") == wanted["arguments"].get("order_id")
    return bool(same and one["name"] == wanted["name"])


def fits_by_any(one: Any, wanted: Any) -> bool:
    same = [one["arguments"].get(name) == value for name, value in wanted["arguments"].items()]
    return one["name"] == wanted["name"] and (not same or any(same))


def empties(made: list[Any], wanted: list[Any]) -> bool:
    for call in wanted:
        found = [one for one in made if is_like(one, call)]
        if not found:
            return False
        made.remove(found[0])
    return not made


def test_calls_that_are_matched_in_any_way() -> None:
    assert check("18.3", same_calls)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda made, wanted: same_calls(made, wanted, fits_by_order), "You compare the order alone"),
        (lambda made, wanted: same_calls(made, wanted, fits_by_any), "One equal argument is enough"),
        (lambda made, wanted: bool(made) and same_calls(made, wanted), "No call was wanted and none"),
        (empties, "empties the caller's list"),
    ],
)
def test_calls_that_are_compared_in_part(answer: Any, sentence: str) -> None:
    result = check("18.3", answer)
    assert not result
    assert sentence in repr(result)


def pause(*, said: str = "Paused.", days_set: int | None = None, early: bool = False) -> Callable[..., Any]:
    def pause_listing(shop: dict[str, int], days: int) -> Iterator[str]:
        if days not in range(1, 31):
            if early:
                shop["paused"] = days
            raise ToolRefused("Possible are 1 to 30 days.")
        yield f"May the listing rest for {days} days?"
        shop["paused"] = days_set or days
        return said

    return pause_listing


def test_a_write_in_other_words() -> None:
    assert check("18.4", pause())


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (pause(said=" "), "must return a text"),
        (pause(days_set=14), "wanted: 3 days"),
        (pause(early=True), "look at the rules first"),
    ],
)
def test_a_write_that_is_right_for_most_days(answer: Any, sentence: str) -> None:
    result = check("18.4", answer)
    assert not result
    assert sentence in repr(result)

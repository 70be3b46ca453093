"""JSON from strangers: what is refused, what survives, and what anything becomes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from aicourse.json_text import MOST_LEVELS, dumps, flaw_of, loads, plain


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting property name enclosed in double quotes, column 2"),
        ('{"a": {"b": 1, "b": 1}}', "the key 'b' occurs twice"),
        ("NaN", "nan is no number in JSON"),
        ("[1e400]", "inf is no number in JSON"),
        ('{"a": -Infinity}', "-inf is no number in JSON"),
        (str(nested(MOST_LEVELS + 1)), "nested more than 100 levels deep"),
        ("[" * 100_000, "nested more than 100 levels deep"),
        ("9" * 5_000, "Exceeds the limit"),
    ],
    ids=["cut", "twice", "nan", "1e400", "inf", "deep", "open", "digits"],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        loads(text)


def test_as_deep_as_allowed_is_read_and_written() -> None:
    assert loads(dumps(nested(MOST_LEVELS))) == nested(MOST_LEVELS)


any_text = st.text(st.characters(exclude_categories=()), max_size=6)  # with lone surrogates


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(any_text, st.lists(any_text, max_size=3), max_size=3))
def test_no_text_is_lost(value: dict[str, list[str]]) -> None:
    line = dumps(value)
    assert b"\n" not in line
    joined = json.loads(json.dumps(value))  # two halves side by side are one character, as JSON has it
    assert loads(line) == joined


class Model(BaseModel):
    """A reply with a set, which JSON does not have."""

    size: float
    words: set[str]


class Broken:
    """An object of a stranger whose own text fails."""

    def __repr__(self) -> str:
        raise RuntimeError


def itself() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: "\ud83d", "\ud83d"),
        (lambda: {"\ud83d": 1}, {"\ud83d": 1}),
        (lambda: float("nan"), "nan"),
        (lambda: Model(size=float("inf"), words={"a"}), {"size": "inf", "words": ["a"]}),
        (lambda: np.array([1, np.nan]), [1.0, "nan"]),
        (lambda: np.int64(3), 3),
        (lambda: 10**30, 10**30),
        (lambda: {"n": 10**5000}, {"n": hex(10**5000)}),
        (lambda: b"\xff", "b'\\xff'"),
        (lambda: {(1, 2): None}, {"1,2": None}),
        (lambda: Broken(), "<Broken that cannot be shown>"),
        (lambda: [Broken()], "<list that cannot be shown>"),
        (itself, "[[...]]"),
    ],
    ids=[
        *(
            "half character",
            "half key",
            "nan",
            "model",
            "array",
            "numpy integer",
            "large",
            "huge",
            "bytes",
            "pair",
        ),
        *("broken", "broken within", "circle"),
    ],
)
def test_anything_becomes_data(make: Callable[[], Any], expected: Any) -> None:
    made = plain(make())
    assert made == expected
    assert flaw_of(made) == ""
    assert loads(dumps(made)) == made


def test_what_is_nested_too_deep_becomes_text() -> None:
    assert plain(nested(150)).startswith("[[[")
    assert plain(nested(100_000)) == "<list that cannot be shown>"

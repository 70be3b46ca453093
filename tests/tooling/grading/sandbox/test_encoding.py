from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import math
from collections import Counter, OrderedDict, defaultdict
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from aicourse.tooling.grading.sandbox.encoding import (
    DEEPEST,
    MOST_ALIKE,
    MOST_PARTS,
    NotPlainData,
    decode,
    encode,
)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda children: (
        st.lists(children, max_size=4)
        | st.tuples(children, children)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers()), children, max_size=4)
        | st.frozensets(st.integers(), max_size=3)
    ),
    max_leaves=20,
)


def through(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value))))


def same_types(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return all(
            same_types(*pair)
            for items in zip(left.items(), right.items(), strict=True)
            for pair in zip(*items, strict=True)
        )
    if isinstance(left, (list, tuple)):
        return all(map(same_types, left, right))
    return True


@given(plain)
def test_plain_data_comes_back_as_it_was(value: Any) -> None:
    back = through(value)
    assert back == value
    assert same_types(back, value)


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1 + 2j, range(1, 9, 2), {1, 2}, -0.0])
def test_what_json_has_no_word_for(value: Any) -> None:
    assert repr(through(value)) == repr(value)


def test_nan_is_not_lost() -> None:
    assert math.isnan(through([math.nan])[0])


class Colour(enum.StrEnum):
    RED = "red"


class Listing(BaseModel):
    colour: Colour
    price: float


@dataclasses.dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Colour.RED, "red"),
        (Listing(colour=Colour.RED, price=2.5), {"colour": "red", "price": 2.5}),
        ([Point(1)], [{"x": 1}]),
        (Decimal("1.50"), "1.50"),
        (datetime.date(2026, 11, 24), "2026-11-24"),
        (Counter(["red", "red"]), {"red": 2}),
        (defaultdict(list, red=[1]), {"red": [1]}),
        (OrderedDict(red=2, blue=1), {"red": 2, "blue": 1}),
    ],
)
def test_records_and_kinds_of_dicts_become_plain(value: Any, expected: Any) -> None:
    back = through(value)
    assert back == expected
    assert same_types(back, expected)


class Liar(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


class Agreeable:
    def __eq__(self, other: object) -> bool:
        return True


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Liar(3), "a Liar, a class derived from int"),
        ([Agreeable()], "an object of type Agreeable"),
        (lambda: 1, "function"),
        (type("Sneaky", (list,), {})(), "derived from list"),
        (type("Sly", (Counter,), {})(), "derived from dict"),
    ],
)
def test_objects_that_answer_for_themselves_are_refused(value: Any, message: str) -> None:
    with pytest.raises(NotPlainData, match=message):
        encode(value)


def test_what_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(NotPlainData, match=f"more than {DEEPEST} levels"):
        encode(loop)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.array([1.5, np.nan, np.inf]),
        np.array(["a", "bc"]),
        np.array([True, False]),
        np.array([1 + 2j]),
        np.array([1, None, "x"], dtype=object),
        np.zeros((0, 3), dtype="float32"),
    ],
)
def test_arrays(array: np.ndarray[Any, Any]) -> None:
    back = through(array)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_numpy_scalars() -> None:
    back = through(np.float32(0.5))
    assert isinstance(back, np.float32)
    assert back == 0.5


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([1, 2], index=["a", "b"], name="n"),
        pd.Series(["x", None], name="text"),
        pd.Series([1, None], dtype="Int64"),
        pd.Series(["a", "b", "a"], dtype="category"),
        pd.Series(pd.to_datetime(["2026-01-01", None])).astype("datetime64[ns]"),
        pd.Series([], dtype="float64"),
    ],
)
def test_series(series: pd.Series[Any]) -> None:
    pd.testing.assert_series_equal(through(series), series, check_index_type=False)


def test_frames_keep_columns_types_and_index() -> None:
    frame = pd.DataFrame({"n": [1, 2], "x": [0.5, np.nan], "t": ["a", "b"]}, index=pd.Index(["r", "s"]))
    pd.testing.assert_frame_equal(through(frame), frame)
    grouped = frame.assign(g=[1, 1]).groupby(["g", "t"]).sum(numeric_only=True)
    pd.testing.assert_frame_equal(through(grouped), grouped, check_names=False)


def test_a_frame_with_two_columns_of_one_name() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    pd.testing.assert_frame_equal(through(frame), frame)


@pytest.mark.parametrize(
    "forged",
    [
        {"!": "array", "dtype": "<i8", "shape": [1 << 40], "of": [1]},
        {"!": "array", "dtype": "<U100000000", "shape": [9], "of": ["a"] * 9},
        {"!": "array", "dtype": "V8", "shape": [1], "of": [1]},
        {"!": "array", "dtype": "os.system", "shape": [], "of": []},
        {"!": "array"},
        {"!": "frame", "of": 3, "names": [], "index": []},
        {"!": "range", "of": [1, 2, 0]},
        {"!": "range", "of": [1]},
        {"!": "set", "of": [[1]]},
        {"!": "dict", "of": [[{"!": "dict", "of": []}, 1]]},
        {"!": "bytes", "of": "§"},
        {"!": "float", "of": "1; import os"},
        {"!": "eval", "of": ["1"]},
        {"!": ["tuple"], "of": []},
        {"plain": "object"},
        "\ud800",
    ],
)
def test_forged_data_is_refused_and_nothing_else_raised(forged: Any) -> None:
    with pytest.raises(NotPlainData):
        decode(forged)


def test_depth_and_number_of_parts_are_limited() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    with pytest.raises(NotPlainData, match="too deep"):
        decode(deep)
    with pytest.raises(NotPlainData, match="too deep, or has more than"):
        decode([0] * (MOST_PARTS + 1))


def wide(count: int) -> list[dict[str, Any]]:
    return [{"!": "array", "dtype": "<U5000000", "shape": [1], "of": ["x"]}] * count


def test_arrays_have_a_budget_together_however_wide_they_say_they_are() -> None:
    assert decode(wide(1))[0].tolist() == ["x"]
    with pytest.raises(NotPlainData, match="too large"):
        decode(wide(2))


ALIKE = [(2**61 - 1) * factor for factor in range(1, 10 * MOST_ALIKE)]
COLUMN = {"dtype": "<i8", "shape": [len(ALIKE)], "of": list(range(len(ALIKE)))}


@pytest.mark.parametrize(
    "forged",
    [
        {"!": "set", "of": ALIKE},
        {"!": "frozenset", "of": [{"!": "tuple", "of": [one]} for one in ALIKE]},
        {"!": "dict", "of": [[float(one) if one < 2**53 else one, 0] for one in ALIKE]},
        {"!": "series", "of": COLUMN, "index": ALIKE, "name": None},
        {
            "!": "series",
            "of": {**COLUMN, "dtype": "category", "of": ALIKE},
            "index": COLUMN["of"],
            "name": None,
        },
    ],
    ids=["set", "frozenset", "dict", "index", "category"],
)
def test_keys_of_one_hash_are_refused_before_a_table_is_built(forged: Any) -> None:
    with pytest.raises(NotPlainData, match="one hash"):
        decode(forged)


def test_many_equal_or_different_keys_are_no_attack() -> None:
    assert len(through(set(range(5_000)))) == 5_000
    series = pd.Series(["a"] * 1_000, dtype="category", index=["x"] * 1_000)
    pd.testing.assert_series_equal(through(series), series)

"""When results count as equal: by structure and type, on values that lie about themselves too."""

from __future__ import annotations

import copy
import dataclasses
import json
from decimal import Decimal
from enum import Enum
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from aicourse.notebook.checks import close_to, equal, ignoring_case, unordered


class AlwaysEqual:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Colour(str, Enum):  # noqa: UP042  (what students write)
    RED = "red"


@dataclasses.dataclass
class Mine:
    size: float


@dataclasses.dataclass
class Theirs:
    size: float


@pytest.mark.parametrize(
    ("answer", "expected", "same"),
    [
        (0.1 + 0.2, 0.3, True),
        (0.3001, 0.3, False),
        (3, 3.0, True),
        (np.int64(3), 3, True),
        (np.float32(0.5), 0.5, True),
        (np.True_, True, True),
        (1, True, False),
        (True, 1, False),
        (0, False, False),
        (None, False, False),
        (False, None, False),
        (float("nan"), float("nan"), True),
        pytest.param(10**400, 10**400, True, id="huge twice"),
        pytest.param(10**400, 0.5, False, id="huge"),
        (Decimal("0.1"), Decimal("0.1"), True),
        (1 + 2j, 1 + 2j, True),
        ("red", "red", True),
        ("Red", "red", False),
        (Colour.RED, "red", True),
        ("red", Colour.RED, True),
        (b"red", b"red", True),
        (b"red", "red", False),
        ([1, [2.0]], [1, [2]], True),
        ((1, 2), [1, 2], False),
        ([1, 2, 3], [1, 2], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({1, 2}, frozenset({1, 2}), True),
        ([1, 2], {1, 2}, False),
        (Mine(1.0), Theirs(1.0), True),
        (Mine(1.0), Theirs(2.0), False),
        (Mine, Mine, True),
        (Mine, Theirs, False),
        (AlwaysEqual(), 1, False),
        (AlwaysEqual(), "red", False),
        (AlwaysEqual(), [1], False),
        (AlwaysEqual(), None, False),
        (AlwaysEqual(), object(), False),
        (pd.DataFrame({"a": [1, None]}), pd.DataFrame({"a": [1, None]}), True),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"b": [1, 2]}), False),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]}), False),
        (pd.DataFrame({"a": [1.0 + 1e-12]}), pd.DataFrame({"a": [1]}), True),
        (pd.Series([1, 2], index=[1, 0]), pd.Series([1, 2]), False),
        (pd.Series(["x", None]), pd.Series(["x", None]), True),
        (pd.Index([1, 2]), pd.Index([1, 2]), True),
        (pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-01"), True),
        ([1, 2], pd.Series([1, 2]), False),
        (np.array([1.0, 2.0]), np.array([1, 2]), True),
        (np.array([1.0]), np.array([1, 2]), False),
        ([1, 2], np.array([1, 2]), False),
    ],
)
def test_equal(answer: Any, expected: Any, same: bool) -> None:
    assert equal(answer, expected) is same


PLAIN = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(PLAIN, PLAIN)
def test_equal_agrees_with_json_on_plain_data(left: Any, right: Any) -> None:
    assert equal(copy.deepcopy(left), left)
    assert equal(left, right) == (json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True))


@given(st.lists(st.integers(0, 3), max_size=5), st.lists(st.integers(0, 3), max_size=5))
def test_unordered_agrees_with_sorting(left: list[int], right: list[int]) -> None:
    assert unordered(left, right) == (sorted(left) == sorted(right))


def test_the_other_rules() -> None:
    assert close_to(0.01)(0.812, 0.81)
    assert not close_to(0.01)(0.83, 0.81)
    assert not close_to(0.01)("0.81", 0.81)
    assert ignoring_case(" RED ", "red")
    assert not ignoring_case("blue", "red")
    assert ignoring_case(None, None)
    assert not unordered("ab", ["a", "b"])

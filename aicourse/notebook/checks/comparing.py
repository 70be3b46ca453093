"""Comparison of a result with the expected one: by structure and type, never by the result's own `==`.

A result is foreign: its class may define `__eq__` to say yes to everything, or to raise. So the
*expected* value decides how to compare: numbers within rounding, containers element by element, tables
cell by cell. A model or dataclass written by the student is compared field by field with the
reference's, because two classes of the same shape from two files are never equal to Python.

An author who wants another rule passes `close_to(…)`, `unordered`, `ignoring_case` or any function of two
arguments as a check's `same`.
"""

from __future__ import annotations

import cmath
import dataclasses
import math
import numbers
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

Same = Callable[[Any, Any], bool]


def equal(answer: Any, expected: Any) -> bool:
    """True if `answer` is what was expected; numbers to a relative 1e-9, NaN equals NaN.

    >>> equal([0.1 + 0.2, "red"], [0.3, "red"]), equal(1, True), equal((1,), [1])
    (True, False, False)
    """
    for kinds, compare in _RULES:
        if isinstance(expected, kinds):
            return compare(answer, expected)
    compare = _FOREIGN_RULES.get(type(expected).__module__.partition(".")[0], _equal_objects)
    return compare(answer, expected)


def close_to(absolute: float) -> Same:
    """Numbers may differ by `absolute`.

    >>> close_to(0.01)(0.812, 0.81)
    True
    """

    def same(answer: Any, expected: Any) -> bool:
        return _is_number(answer) and math.isclose(answer, expected, rel_tol=0, abs_tol=absolute)

    return same


def unordered(answer: Any, expected: Any) -> bool:
    """The same elements equally often, in any order; lists, tuples and sets are alike.

    >>> unordered(["wool", "silk"], {"silk", "wool"})
    True
    """
    if not isinstance(answer, (list, tuple, set, frozenset)) or len(answer) != len(expected):
        return False
    left = list(expected)
    for item in answer:
        position = next((index for index, other in enumerate(left) if equal(item, other)), None)
        if position is None:
            return False
        del left[position]
    return True


def ignoring_case(answer: Any, expected: Any) -> bool:
    """The same text, whatever its case and the white space around it; other values as `equal`.

    >>> ignoring_case(" Navy Blue", "navy blue")
    True
    """
    if isinstance(answer, str) and isinstance(expected, str):
        return answer.strip().casefold() == expected.strip().casefold()
    return equal(answer, expected)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Number) and not isinstance(value, bool)


def _equal_truth(answer: Any, expected: Any) -> bool:
    # numpy's boolean is not Python's, and is called "bool" or "bool_" depending on its version
    return type(answer).__name__ in {"bool", "bool_"} and bool(answer) is expected


def _equal_numbers(answer: Any, expected: Any) -> bool:
    if not _is_number(answer):
        return False
    if isinstance(expected, complex) or isinstance(answer, complex):
        return cmath.isclose(answer, expected)
    if isinstance(answer, numbers.Integral) and isinstance(expected, numbers.Integral):
        return int(answer) == int(expected)
    try:
        left, right = float(answer), float(expected)
    except OverflowError:
        return False  # an integer beyond every float is close to none
    return (math.isnan(left) and math.isnan(right)) or math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)


def _equal_text(answer: Any, expected: Any) -> bool:
    if isinstance(expected, Enum):
        return equal(answer.value if isinstance(answer, Enum) else answer, expected.value)
    return isinstance(answer, str) and str.__eq__(answer, expected)


def _equal_sequences(answer: Any, expected: Any) -> bool:
    kind = list if isinstance(expected, list) else tuple
    return (
        isinstance(answer, kind)
        and len(answer) == len(expected)
        and all(equal(mine, theirs) for mine, theirs in zip(answer, expected, strict=True))
    )


def _equal_sets(answer: Any, expected: Any) -> bool:
    return isinstance(answer, (set, frozenset)) and unordered(answer, expected)


def _equal_mappings(answer: Any, expected: Any) -> bool:
    return (
        isinstance(answer, Mapping)
        and len(answer) == len(expected)
        and all(key in answer and equal(answer[key], value) for key, value in expected.items())
    )


def _equal_objects(answer: Any, expected: Any) -> bool:
    mine, theirs = _fields(answer), _fields(expected)
    if mine is not None and theirs is not None:
        return equal(mine, theirs)
    return type(answer) is type(expected) and bool(expected == answer)


def _fields(value: Any) -> dict[str, Any] | None:
    """The named fields of a dataclass or pydantic model; None for anything else."""
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    names = getattr(type(value), "model_fields", None)
    return {name: getattr(value, name) for name in names} if isinstance(names, dict) else None


def _equal_tables(answer: Any, expected: Any) -> bool:
    import pandas as pd  # only when a reference returned a pandas object, so it is loaded already

    if not isinstance(expected, (pd.DataFrame, pd.Series, pd.Index)):
        return _equal_objects(answer, expected)
    if not isinstance(answer, type(expected)) or answer.shape != expected.shape:
        return False
    return equal(_plain(answer), _plain(expected))


def _plain(table: Any) -> list[Any]:
    """Columns, index and values as plain lists: missing values of every dtype become None."""
    values = table.astype(object).where(table.notna(), None)
    return [
        list(getattr(table, "columns", ())),
        list(getattr(table, "index", ())),
        values.to_numpy().tolist(),
    ]


def _equal_arrays(answer: Any, expected: Any) -> bool:
    if not hasattr(expected, "shape"):
        return _equal_objects(answer, expected)
    if expected.shape == ():
        return equal(answer, expected.item())
    if getattr(answer, "shape", None) != expected.shape:
        return False
    return equal(answer.tolist(), expected.tolist())


_RULES: list[tuple[Any, Same]] = [
    (bool, _equal_truth),
    (numbers.Number, _equal_numbers),
    ((str, Enum), _equal_text),
    ((list, tuple), _equal_sequences),
    ((set, frozenset), _equal_sets),
    (Mapping, _equal_mappings),
]
_FOREIGN_RULES: dict[str, Same] = {"pandas": _equal_tables, "numpy": _equal_arrays}

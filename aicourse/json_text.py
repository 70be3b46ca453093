"""JSON as strangers write it: read strictly, written without loss, made out of anything.

    loads('{"id": "1", "id": "2"}')       ValueError: the key 'id' occurs twice
    dumps("half an emoji: \\ud83d")        b'"half an emoji: \\\\ud83d"', which reads back as it was
    plain({"size": nan, "photo": object})  {"size": "nan", "photo": "<class 'object'>"}

Python's own reader keeps the last of two equal keys and takes NaN, 1e400 and any depth; others do not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python

MOST_LEVELS = 100  # pydantic's reader stops at 200
_MOST_BITS = 14_000  # of a whole number: Python reads and writes at most 4,300 digits


def loads(text: str | bytes) -> Any:
    """The value that a JSON text stands for.

    Raises:
        ValueError: it is not JSON, an object has a key twice, or it holds what `flaw_of` finds.
    """
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg}, column {error.colno}") from None
    if flaw := flaw_of(value):
        raise ValueError(flaw)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice")
    return found


def dumps(value: Any) -> bytes:
    """JSON on one line, in UTF-8; half a character (a lone surrogate) as `\\ud83d`, odd objects as text."""
    return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace")


_TOO_DEEP = f"nested more than {MOST_LEVELS} levels deep"


def flaw_of(value: Any) -> str:
    """The flaw that keeps a value from being JSON for everybody; "" when there is none.

    >>> flaw_of({"price": [float("inf")]}), flaw_of({"price": [1.5]})
    ('inf is no number in JSON', '')
    """
    left = [(value, 0)]
    while left:
        one, level = left.pop()
        if isinstance(one, float) and not math.isfinite(one):
            return f"{one} is no number in JSON"
        if isinstance(one, int) and one.bit_length() > _MOST_BITS:
            return "a whole number of more than 4,000 digits"
        if isinstance(one, Mapping | list | tuple):
            if level == MOST_LEVELS:
                return _TOO_DEEP
            inside = one.values() if isinstance(one, Mapping) else one
            left += [(part, level + 1) for part in inside if not isinstance(part, str)]
    return ""


def plain(value: Any) -> Any:
    """JSON data for any value: models and arrays unpacked; what JSON has no form for becomes text."""
    if type(value) is str:
        return value
    try:
        try:
            data = to_jsonable_python(value, fallback=_unpack)
        except Exception:  # bytes that are no text, or a key with half a character
            return _spelled(value)
        return _spelled(data) if flaw_of(data) else data
    except Exception:  # it holds itself, or its own methods fail: anything may be given
        return shown(value)


def _unpack(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)  # numpy, or anything


def _spelled(value: Any) -> Any:
    """The value with nan, infinity and endless numbers as text.

    Raises:
        ValueError: it is still not JSON.
    """

    def spelled(one: Any) -> Any:
        if isinstance(one, dict):
            return {name: spelled(part) for name, part in one.items()}
        if isinstance(one, list):
            return [spelled(part) for part in one]
        odd = isinstance(one, int | float) and flaw_of(one)
        return one if not odd else hex(one) if isinstance(one, int) else str(one)

    return loads(dumps(spelled(value)))


def shown(value: Any) -> str:
    """Any value as Python writes it, even if that fails: it is endless, or written by a stranger."""
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__} that cannot be shown>"

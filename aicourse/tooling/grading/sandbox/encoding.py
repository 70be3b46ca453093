"""Values as JSON and back: what a student's function may take and give.

`encode` runs in the student's kernel (and in the grader for arguments), `decode` only in the grader:

    (1, "a")         ->  {"!": "tuple", "of": [1, "a"]}
    {2: {"x"}}       ->  {"!": "dict", "of": [[2, {"!": "set", "of": ["x"]}]]}
    float("nan")     ->  {"!": "float", "of": "nan"}
    np.arange(2)     ->  {"!": "array", "dtype": "int64", "shape": [2], "of": [0, 1]}

Only exact types of Python itself pass, so `decode` gives objects whose comparison nobody has redefined. A
Counter, defaultdict or OrderedDict becomes a dict, pydantic models and dataclasses dicts of their fields,
members of an Enum their value, dates and Decimals their text. An int, str or list of a class of the student's
own is refused: which of its two values would count?
"""

from __future__ import annotations

import base64
import collections
import dataclasses
import datetime
import decimal
import enum
import json
import math
import sys
from typing import Any

from aicourse.tooling.grading.sandbox.execution import Answer, Encoded

DEEPEST = 50
MOST_PARTS = 200_000
MOST_BYTES = 32 << 20
MOST_ALIKE = 100  # different keys with one hash
_PLAIN = (type(None), bool, int, str)
_DICTS = (dict, collections.Counter, collections.defaultdict, collections.OrderedDict)
_MARK = "!"
_FROZEN_TYPES = {"tuple": tuple, "set": set, "frozenset": frozenset}
_NUMERIC_KINDS = "biufc"
_TEXT_KINDS = "UMm"


class NotPlainData(ValueError):
    """A value that cannot be handed over; the message is a sentence for the student."""


def encode(value: Any, depth: int = 0) -> Any:
    """`value` as JSON data.

    Raises:
        NotPlainData: a type that is not listed above, or nested too deeply.
    """
    if depth > DEEPEST:
        raise NotPlainData(f"It is nested more than {DEEPEST} levels deep, or contains itself.")
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else {_MARK: "float", "of": repr(value)}
    if kind is list:
        return [encode(item, depth + 1) for item in value]
    if kind in (tuple, set, frozenset):
        return {_MARK: kind.__name__, "of": [encode(item, depth + 1) for item in value]}
    if kind in _DICTS:
        pairs = [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in value.items()]
        return {_MARK: "dict", "of": pairs}
    return _encode_other(value, depth)


def _encode_other(value: Any, depth: int) -> Any:
    if isinstance(value, enum.Enum):
        return encode(value.value, depth + 1)
    if type(value) is complex:
        return {_MARK: "complex", "of": [repr(value.real), repr(value.imag)]}
    if type(value) in (bytes, bytearray):
        return {_MARK: "bytes", "of": base64.b64encode(value).decode()}
    if type(value) is range:
        return {_MARK: "range", "of": [value.start, value.stop, value.step]}
    if isinstance(value, (decimal.Decimal, datetime.date, datetime.time)):
        return str(value)
    if (fields := _fields(value)) is not None:
        return encode(fields, depth + 1)
    if type(value).__module__.partition(".")[0] in ("numpy", "pandas"):
        return _encode_table(value, depth)
    raise NotPlainData(f"It is {_named(type(value))}, not plain data.")


def _fields(value: Any) -> dict[str, Any] | None:
    """The fields of a pydantic model or a dataclass; None for anything else."""
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(value, pydantic.BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _named(kind: type) -> str:
    base = next(
        (base.__name__ for base in kind.__mro__[1:] if base in (int, str, float, list, dict, tuple)), ""
    )
    name = str(kind.__name__)[:60]
    return f"a {name}, a class derived from {base}" if base else f"an object of type {name}"


class Decoder:
    """Builds values from untrusted JSON data; one for each answer, because it counts parts and bytes."""

    def __init__(self) -> None:
        self._left = MOST_PARTS
        self._bytes = MOST_BYTES

    def charge(self, size: int) -> None:
        """Count bytes that the answer did not send: an array's, whose type may be as wide as it says."""
        self._bytes -= size
        if self._bytes < 0:
            raise NotPlainData("Its arrays are too large.")

    def decode(self, data: Any, depth: int = 0) -> Any:
        """The value that `data` stands for.

        Raises:
            NotPlainData: it stands for none, or is too deep or has too many parts.
        """
        self._left -= 1
        if depth > 2 * DEEPEST or self._left < 0:
            raise NotPlainData(f"It is too deep, or has more than {MOST_PARTS} parts.")
        if isinstance(data, str):
            return _text(data)
        if isinstance(data, list):
            return [self.decode(item, depth + 1) for item in data]
        if isinstance(data, dict):
            return self._marked(data, depth)
        return data  # None, bool, int or float, as the JSON parser made them

    def _marked(self, data: dict[str, Any], depth: int) -> Any:
        kind, content = data.get(_MARK), data.get("of")
        try:
            if kind in ("array", "scalar", "series", "frame"):
                return _decode_table(data, self, depth)
            if kind == "float":
                return float(str(content))
            if kind == "complex":
                return complex(*(float(str(part)) for part in _parts(content, 2)))
            if kind == "bytes":
                return base64.b64decode(str(content), validate=True)
            if kind == "range":
                return range(*(int(part) for part in _parts(content, 3)))
            return self._container(kind, content, depth)
        except NotPlainData:
            raise
        except Exception as error:  # whatever a forged answer makes a constructor raise
            raise NotPlainData("The answer could not be read.") from error

    def _container(self, kind: Any, content: Any, depth: int) -> Any:
        if not isinstance(content, list):
            raise NotPlainData("The answer could not be read.")
        if kind == "dict":
            pairs = [_parts(pair, 2) for pair in content]
            keys = _unlike([self.decode(key, depth + 1) for key, _ in pairs])
            return dict(zip(keys, [self.decode(item, depth + 1) for _, item in pairs], strict=True))
        if kind in _FROZEN_TYPES:
            items = [self.decode(item, depth + 1) for item in content]
            return _FROZEN_TYPES[kind](items if kind == "tuple" else _unlike(items))
        raise NotPlainData("The answer could not be read.")


def decode(data: Any) -> Any:
    """The value that `encode` turned into `data`; never anything but the types listed above."""
    return Decoder().decode(data)


def decoded(answer: Answer) -> Answer:
    """The answer with its value decoded; unreadable if there is no such value."""
    if not isinstance(answer.value, Encoded):
        return answer
    try:
        return dataclasses.replace(answer, value=decode(json.loads(answer.value.json)))
    except (NotPlainData, MemoryError) as error:
        told = str(error) or "It needs too much memory."
        return dataclasses.replace(answer, kind="unreadable", value=None, message=told)


def _unlike(items: list[Any]) -> Any:
    """The items, unless many share a hash: a table of n such items takes n * n steps to build."""
    different = {repr(item): item for item in items}  # the hashes of texts cannot be foreseen
    if max(collections.Counter(map(hash, different.values())).values(), default=0) > MOST_ALIKE:
        raise NotPlainData(f"More than {MOST_ALIKE} of its keys have one hash.")
    return items


def _parts(content: Any, count: int) -> list[Any]:
    if not isinstance(content, list) or len(content) != count:
        raise NotPlainData("The answer could not be read.")
    return content


def _text(data: str) -> str:
    try:
        data.encode()
    except UnicodeEncodeError as error:
        raise NotPlainData("It holds text that is not valid Unicode.") from error
    return data


# numpy and pandas, which are imported when they are met


def _encode_table(value: Any, depth: int) -> Any:
    """A numpy array or scalar, a Series, an Index or a DataFrame; nothing else of those libraries."""
    import numpy as np
    import pandas as pd

    if getattr(value, "size", 1) > MOST_PARTS:
        raise NotPlainData(f"It has more than {MOST_PARTS} elements.")
    if isinstance(value, np.generic):
        return {_MARK: "scalar", **_array(np.asarray(value), depth)}
    if type(value) is np.ndarray:
        return {_MARK: "array", **_array(value, depth)}
    if type(value) is pd.Series:
        index, name = encode(value.index.tolist(), depth + 1), encode(value.name, depth + 1)
        return {_MARK: "series", "of": _column(value, depth), "index": index, "name": name}
    if type(value) is pd.DataFrame:
        names = encode(value.columns.tolist(), depth + 1)
        columns = [_column(value.iloc[:, place], depth) for place in range(value.shape[1])]
        return {
            _MARK: "frame",
            "of": columns,
            "names": names,
            "index": encode(value.index.tolist(), depth + 1),
        }
    if isinstance(value, pd.Index):
        return encode(value.tolist(), depth + 1)
    if isinstance(value, (pd.Timestamp, pd.Timedelta)) or value is pd.NaT:
        return str(value)
    if value is pd.NA:
        return None
    raise NotPlainData(f"It is an object of type {type(value).__name__}, not plain data.")


def _array(value: Any, depth: int) -> dict[str, Any]:
    """Type, shape and flat elements of an array."""
    kind = value.dtype.kind
    if kind in "Mm":
        elements = value.astype(str).ravel().tolist()
    elif kind in _NUMERIC_KINDS + "UO":
        elements = encode(value.ravel().tolist(), depth + 1)
    else:
        raise NotPlainData(f"It is an array of {value.dtype}, not of numbers or text.")
    return {"dtype": value.dtype.str if kind != "O" else "O", "shape": list(value.shape), "of": elements}


def _column(series: Any, depth: int) -> dict[str, Any]:
    """Type and elements of a column; types of pandas' own (category, string) are named in words."""
    import numpy as np

    if isinstance(series.dtype, np.dtype):
        return _array(series.to_numpy(), depth)
    elements = [
        None if missing else item for item, missing in zip(series.tolist(), series.isna(), strict=True)
    ]
    return {"dtype": str(series.dtype), "shape": [len(series)], "of": encode(elements, depth + 1)}


def _decode_table(data: dict[str, Any], decoder: Decoder, depth: int) -> Any:
    """The object that `_encode_table` turned into `data`; errors of a forged answer are the caller's."""
    import pandas as pd

    kind = data[_MARK]
    if kind == "array":
        return _decode_array(data, decoder, depth)
    if kind == "scalar":
        return _decode_array(data, decoder, depth)[()]
    index = decoder.decode(data["index"], depth + 1)
    if kind == "series":
        name = decoder.decode(data["name"], depth + 1)
        return pd.Series(_decode_column(data["of"], decoder, depth), index=_index(index), name=name)
    names = decoder.decode(data["names"], depth + 1)
    columns = [_decode_column(column, decoder, depth) for column in data["of"]]
    frame = pd.DataFrame(dict(enumerate(columns)), index=range(len(index)))
    frame.columns, frame.index = _index(names), _index(index)
    return frame


def _index(values: list[Any]) -> Any:
    import pandas as pd

    are_pairs = bool(values) and all(isinstance(value, tuple) for value in values)
    return pd.Index(_unlike(values), tupleize_cols=are_pairs)


def _decode_array(data: dict[str, Any], decoder: Decoder, depth: int) -> Any:
    import numpy as np

    dtype, elements = np.dtype(str(data["dtype"])), decoder.decode(data["of"], depth + 1)
    if dtype.kind not in _NUMERIC_KINDS + _TEXT_KINDS + "O" or not isinstance(elements, list):
        raise NotPlainData("The answer could not be read.")
    decoder.charge(dtype.itemsize * max(1, len(elements)))
    array = np.empty(len(elements), dtype=dtype)
    array[:] = elements
    return array.reshape([int(length) for length in data["shape"]])


def _decode_column(data: dict[str, Any], decoder: Decoder, depth: int) -> Any:
    import pandas as pd

    name = str(data["dtype"])
    if name.startswith(("<", ">", "|", "=", "O")):
        return _decode_array(data, decoder, depth)
    elements: Any = decoder.decode(data["of"], depth + 1)
    if name in ("category", "string", "str", "boolean", "Int64", "Int32", "Float64"):
        return pd.array(_unlike(elements), dtype=name)
    return pd.Series(elements, dtype="object").to_numpy()

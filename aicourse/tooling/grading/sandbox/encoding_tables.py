"""numpy and pandas objects as JSON data and back: the half of `encoding` that needs those libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aicourse.tooling.grading.sandbox.encoding import MOST_PARTS, NotPlainData, encode

if TYPE_CHECKING:
    from aicourse.tooling.grading.sandbox.encoding import Decoder

_NUMERIC_KINDS = "biufc"
_TEXT_KINDS = "UMm"
_MARK = "!"


def encode_table(value: Any, depth: int) -> Any:
    """A numpy array or scalar, a Series, an Index or a DataFrame as JSON data.

    Raises:
        NotPlainData: anything else of those libraries, or more than 200,000 elements.
    """
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


def decode_table(data: dict[str, Any], decoder: Decoder, depth: int) -> Any:
    """The object that `encode_table` turned into `data`; errors of a forged answer are the caller's."""
    import pandas as pd

    kind = data["!"]
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

    return pd.Index(values, tupleize_cols=all(isinstance(value, tuple) for value in values) and bool(values))


def _decode_array(data: dict[str, Any], decoder: Decoder, depth: int) -> Any:
    import numpy as np

    dtype, elements = np.dtype(str(data["dtype"])), decoder.decode(data["of"], depth + 1)
    if dtype.kind not in _NUMERIC_KINDS + _TEXT_KINDS + "O" or not isinstance(elements, list):
        raise NotPlainData("The answer could not be read.")
    if dtype.kind in "U" and dtype.itemsize * max(1, len(elements)) > 64 << 20:
        raise NotPlainData("Its texts are too long.")  # a forged width would cost memory, not bytes sent
    array = np.empty(len(elements), dtype=dtype)
    array[:] = elements
    return array.reshape([int(length) for length in data["shape"]])


def _decode_column(data: dict[str, Any], decoder: Decoder, depth: int) -> Any:
    import pandas as pd

    name = str(data["dtype"])
    if name.startswith(("<", ">", "|", "=", "O")):
        return _decode_array(data, decoder, depth)
    elements = decoder.decode(data["of"], depth + 1)
    if name in ("category", "string", "str", "boolean", "Int64", "Int32", "Float64"):
        return pd.array(elements, dtype=name)
    return pd.Series(elements, dtype="object").to_numpy()

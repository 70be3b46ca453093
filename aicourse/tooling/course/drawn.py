"""The things drawn in a figure, in words: what `validate` compares instead of pixels.

    axes
      x axis 'day' linear from -0.1 to 2.1
      title 'Prices rise'
      line 'coats' #1f77b4ff: x 0 1 2; y 30 32 35

Data, colours, labels, texts and limits, rounded to six digits, but no layout: fonts and new versions of
matplotlib move pixels, and these lines stay. They travel inside the PNG, so no picture passes for another.
Not described: markers, line styles and widths, arrows' shapes, ticks that matplotlib chose.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from numbers import Real
from typing import TYPE_CHECKING, Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import FigureBase

KEY = "aicourse-drawn"
DIGITS = 6
LONGEST = 2_000  # numbers that are written out; of more, what a change of any of them would change


def description(figure: FigureBase) -> str:
    """The lines that say what `figure` shows."""
    return "\n".join(line for child in _parts(figure) for line in _lines(child))


def png_info(figure: FigureBase) -> PngInfo:
    """The description, compressed, as Pillow stores it in a PNG."""
    info = PngInfo()
    info.add_itxt(KEY, description(figure), zip=True)
    return info


def picture_text(data: str) -> str:
    """The description inside a picture of an output (base64); of one without, its size in bytes and hash."""
    content = base64.b64decode(data)
    with Image.open(io.BytesIO(content)) as picture:
        drawn: str | None = picture.info.get(KEY)
    return drawn or f"a picture of {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"


def _parts(whole: Any) -> list[Artist]:
    return [part for part in whole.get_children() if part.get_visible() and part is not whole.patch]


def _lines(part: Artist) -> Iterator[str]:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.collections import Collection
    from matplotlib.figure import SubFigure
    from matplotlib.image import _ImageBase
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D
    from matplotlib.patches import FancyArrowPatch, Patch
    from matplotlib.spines import Spine
    from matplotlib.table import Table
    from matplotlib.text import Annotation, Text

    match part:
        case Axes() | SubFigure():
            yield type(part).__name__.lower()
            yield from (f"  {line}" for child in _parts(part) for line in _lines(child))
        case Axis():
            yield _axis(part)
        case Annotation() if part.get_text():
            yield f"note {part.get_text()!r} at {' '.join(map(_coordinate, part.xy))}"
        case Text() if part.get_text():
            yield f"text {part.get_text()!r}{_place(part)}"
        case Legend():
            texts = [part.get_title(), *part.get_texts()]
            yield f"legend {' | '.join(text.get_text() for text in texts if text.get_text())}"
        case Table():
            cells = sorted(part.get_celld().items())
            yield f"table {' | '.join(cell.get_text().get_text() for _, cell in cells)}"
        case Line2D():
            x, y = part.get_xydata().T  # type: ignore[union-attr]  # an array, whatever it was made from
            yield f"line{_label(part)} {_colours(part.get_color())}: x {_numbers(x)}; y {_numbers(y)}"
        case Spine() | Text():
            return
        case FancyArrowPatch():
            yield f"arrow{_label(part)}"
        case Patch():
            corners = part.get_patch_transform().transform(part.get_path().vertices)
            yield f"patch{_label(part)} {_colours(part.get_facecolor())}: {_numbers(corners)}"
        case Collection():
            yield from _collection(part)
        case _ImageBase():
            yield f"image{_label(part)}: {_numbers(part.get_array())}"
        case _:
            yield f"{type(part).__name__}{_label(part)}"


def _axis(axis: Any) -> str:
    from matplotlib.category import StrCategoryLocator
    from matplotlib.ticker import FixedLocator

    low, high = axis.get_view_interval()
    line = f"{axis.axis_name} axis {axis.get_label_text()!r} {axis.get_scale()}"
    line += f" from {_numbers([low])} to {_numbers([high])}"
    if isinstance(axis.get_major_locator(), FixedLocator | StrCategoryLocator):
        places, labels = _numbers(axis.get_majorticklocs()), axis.get_ticklabels()
        line += f", ticks at {places}: {' | '.join(label.get_text() for label in labels)}"
    return line


def _collection(part: Any) -> Iterator[str]:
    from matplotlib.collections import PathCollection

    of_markers = isinstance(part, PathCollection)
    colours = _colours(part.get_facecolor(), part.get_edgecolor())
    yield f"{'points' if of_markers else 'paths'}{_label(part)} {colours}: at {_numbers(part.get_offsets())}"
    if part.get_array() is not None:
        yield f"  values {_numbers(part.get_array())}"
    if of_markers:
        yield f"  sizes {_numbers(part.get_sizes())}"
    else:
        yield from (f"  path {_numbers(path.vertices)}" for path in part.get_paths())


def _label(part: Artist) -> str:
    label = str(part.get_label())
    return f" {label!r}" if label and not label.startswith("_") else ""  # matplotlib's own begin with _


def _place(text: Any) -> str:
    """The position of a text that its author placed; titles matplotlib places itself."""
    return f" at {_numbers(text.get_unitless_position())}" if text.axes and text in text.axes.texts else ""


def _coordinate(value: Any) -> str:
    return _numbers([value]) if isinstance(value, Real) else str(value)  # a category, a date


def _colours(*colours: Any) -> str:
    from matplotlib.colors import to_hex, to_rgba_array

    found = [to_hex(rgba, keep_alpha=True) for colour in colours for rgba in to_rgba_array(colour)]
    return " ".join(dict.fromkeys(found)) or "no colour"


def _numbers(values: Any) -> str:
    """`values`, rounded in proportion to the largest: noise around zero is zero."""
    import numpy as np

    flat: np.ndarray[Any, Any] = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan).ravel()
    if len(flat) > LONGEST:
        ranks = np.arange(1, len(flat) + 1) / len(flat)
        sums = _numbers([np.nansum(flat), np.nansum(flat * ranks), np.nansum(flat**2)])
        return f"{len(flat):,} numbers, of sum, weighted sum and sum of squares {sums}"
    largest = np.max(np.abs(flat), initial=0, where=np.isfinite(flat))
    decimals = DIGITS - 1 - int(np.floor(np.log10(largest))) if largest else 0
    return " ".join(f"{value + 0.0:.{DIGITS}g}" for value in np.round(flat, decimals))

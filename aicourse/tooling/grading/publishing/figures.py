"""Two figures as SVG text: no image file, no script, readable in print and by a screen reader.

They carry their numbers as text; colour says nothing that is not written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 220, 44, 40, 18


def histogram(values: Sequence[float], most: float, title: str) -> str:
    """How many students have how many points: bins of a whole number of points, from 0 to `most`."""
    step = max(1, math.ceil(most / 20)) if most >= 5 else most / 10 or 1
    bins = max(1, math.ceil(most / step - 1e-9))
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, max(0, math.floor(value / step + 1e-9)))] += 1
    top = max([*counts, 1])
    width = (_WIDTH - _LEFT - 8) / bins
    height = _HEIGHT - _BOTTOM - _TOP
    parts = [_axis_y(top, height)]
    for index, count in enumerate(counts):
        x, bar = _LEFT + index * width, height * count / top
        low, high = index * step, min((index + 1) * step, most)
        if count:
            parts.append(
                f"<g><title>{count} with {low:g} to {high:g}</title><rect class='bar' x='{x + 1:.1f}' "
                f"y='{_TOP + height - bar:.1f}' width='{width - 2:.1f}' height='{bar:.1f}'/></g>"
            )
            parts.append(_text(x + width / 2, _TOP + height - bar - 4, str(count), "middle"))
    for index in range(0, bins + 1, max(1, bins // 10)):
        parts.append(
            _text(_LEFT + index * width, _HEIGHT - _BOTTOM + 15, f"{min(index * step, most):g}", "middle")
        )
    parts.append(_text((_LEFT + _WIDTH) / 2, _HEIGHT - 6, "points", "middle"))
    parts.append(_text(0, 11, "students", "start"))
    summary = f"{title}: " + ", ".join(
        f"{count} with {index * step:g} to {min((index + 1) * step, most):g}"
        for index, count in enumerate(counts)
        if count
    )
    return _svg(_WIDTH, _HEIGHT, summary, "".join(parts))


def _axis_y(top: int, height: float) -> str:
    base = _TOP + height
    ticks = sorted({0, top, *(round(top * part / 4) for part in range(1, 4))})
    lines = "".join(
        f"<line class='grid' x1='{_LEFT}' x2='{_WIDTH - 8}' y1='{base - height * tick / top:.1f}' "
        f"y2='{base - height * tick / top:.1f}'/>"
        + _text(_LEFT - 6, base - height * tick / top + 4, str(tick), "end")
        for tick in ticks
    )
    return f"{lines}<line class='axis' x1='{_LEFT}' x2='{_WIDTH - 8}' y1='{base}' y2='{base}'/>"


def small_histogram(counts: Sequence[int], label: str) -> str:
    """A question's shares in ten bins, to stand in a table."""
    width, height, top = 110, 30, max([*counts, 1])
    step = width / len(counts)
    bars = "".join(
        f"<rect class='bar' x='{index * step + 0.5:.1f}' y='{height - height * count / top:.1f}' "
        f"width='{step - 1:.1f}' height='{height * count / top:.1f}'/>"
        for index, count in enumerate(counts)
        if count
    )
    axis = f"<line class='axis' x1='0' x2='{width}' y1='{height}' y2='{height}'/>"
    return _svg(width, height + 1, label, bars + axis, fixed=True)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'>{escape(text)}</text>"


def _svg(width: int, height: int, label: str, content: str, *, fixed: bool = False) -> str:
    size = f" width='{width}' height='{height}'" if fixed else f" width='{width}'"
    return (
        f"<svg viewBox='0 0 {width} {height}'{size} role='img' aria-label=\"{escape(label)}\">{content}</svg>"
    )

"""Dot-and-whisker plots as inline SVG: for a report that loads nothing and follows the reader's dark mode.

Text and lines have the colour of the page's text; the whole says in words what it shows (title and desc).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from aicourse.evals.statistics import Interval
from aicourse.html import escape

_ROW, _LEFT, _WIDE, _RIGHT, _TOP, _BOTTOM = 26, 210, 420, 190, 8, 44
_LETTER = 7.2  # px, wide enough for an average letter of 13 px text
_TICKS = 5


@dataclass(frozen=True)
class Mark:
    """One row of a plot: its name, and the estimate with its interval (a nan end draws no whisker)."""

    name: str
    value: Interval
    remark: str


def dot_and_whisker(
    title: str, axis: str, marks: Sequence[Mark], *, limits: tuple[float, float], zero: bool = False
) -> Markup:
    """An SVG with one row per mark; `limits` are the axis's ends, `zero` draws the line of no change."""
    low, high = limits
    height = _TOP + _ROW * len(marks) + _BOTTOM
    width = _LEFT + _WIDE + _RIGHT
    bottom = height - _BOTTOM
    described = "; ".join(f"{mark.name}: {mark.remark}" for mark in marks)

    def place(value: float) -> float:
        inside = min(max(value, low), high)
        return _LEFT + _WIDE * (inside - low) / (high - low)

    ticks = [low + (high - low) * step / (_TICKS - 1) for step in range(_TICKS)]
    parts = [_tick(place(tick), bottom, tick) for tick in ticks]
    if zero:
        parts.append(
            f"<line class='zero' x1='{place(0):.1f}' y1='{_TOP}' x2='{place(0):.1f}' y2='{bottom}'/>"
        )
    parts += [_row(mark, place, _TOP + _ROW * (number + 0.5)) for number, mark in enumerate(marks)]
    parts.append(f"<text class='axis' x='{_LEFT + _WIDE / 2}' y='{height - 6}'>{escape(axis)}</text>")
    return Markup(
        f"<svg class='plot' role='img' viewBox='0 0 {width} {height}' width='{width}'>"
        f"<title>{escape(title)}</title><desc>{escape(described)}</desc>{''.join(parts)}</svg>"
    )


def _tick(x: float, bottom: float, value: float) -> str:
    return (
        f"<line class='grid' x1='{x:.1f}' y1='{_TOP}' x2='{x:.1f}' y2='{bottom}'/>"
        f"<text class='tick' x='{x:.1f}' y='{bottom + 16}'>{value:.3g}</text>"
    )


def _row(mark: Mark, at: Callable[[float], float], y: float) -> str:
    value, parts = mark.value, []
    if value.low == value.low:
        parts.append(
            f"<line class='whisker' x1='{at(value.low):.1f}' y1='{y}' x2='{at(value.high):.1f}' y2='{y}'/>"
        )
    parts.append(f"<circle class='dot' cx='{at(value.estimate):.1f}' cy='{y}' r='4.5'/>")
    parts.append(
        f"<text class='name' x='{_LEFT - 12}' y='{y + 4}'>{escape(_short(mark.name, _LEFT - 16))}</text>"
    )
    remark = escape(_short(mark.remark, _RIGHT))
    parts.append(f"<text class='remark' x='{_LEFT + _WIDE + 12}' y='{y + 4}'>{remark}</text>")
    return "".join(parts)


def _short(text: str, pixels: float) -> str:
    letters = int(pixels / _LETTER)
    return text if len(text) <= letters else text[: letters - 1] + "…"

"""Parts of things as outlines, in units where a thing fits into -1..1 (x to the right, y down)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from photo_renderer.noise import Field

Points = str | Sequence[tuple[float, float]]  # as a string in the way of SVG: "0,-.5 .3,.4"


@dataclass(frozen=True)
class Part:
    """One filled outline. Colour and material are an index into what the scene asks for, or a fixed name.

    `swell` is how far from its edge a part curves away, in units: 0.02 a board, 0.3 a pot.
    `pattern` lays further colours of the thing over it; see `painting`.
    """

    outline: Field
    colour: int | str = 0
    material: int | str = 0
    swell: float = 0.06
    pattern: str | None = None
    turn: bool = False  # grain runs across instead of along


Shapes = dict[str, Callable[[], list[Part]]]


def polygon(points: Points, colour: int | str = 0, material: int | str = 0, swell: float = 0.03) -> Part:
    """Straight edges and sharp corners."""
    return Part(_points(points), colour, material, swell)


def curve(points: Points, colour: int | str = 0, material: int | str = 0, swell: float = 0.06) -> Part:
    """A closed Catmull-Rom curve through the points; a point given twice is a corner."""
    return Part(_spline(_points(points), closed=True), colour, material, swell)


def mirrored(right: Points, colour: int | str = 0, material: int | str = 0, swell: float = 0.06) -> Part:
    """A symmetric closed curve from its right half, listed from the top down."""
    half = _points(right)
    whole = np.concatenate([half, half[::-1] * (-1, 1)])
    return Part(_spline(whole, closed=True), colour, material, swell)


def ellipse(
    x: float,
    y: float,
    rx: float,
    ry: float,
    colour: int | str = 0,
    material: int | str = 0,
    swell: float = 0.1,
) -> Part:
    """An ellipse around (x, y)."""
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    outline = np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)
    return Part(outline, colour, material, swell)


def box(
    left: float,
    top: float,
    right: float,
    bottom: float,
    colour: int | str = 0,
    material: int | str = 0,
    swell: float = 0.02,
    corner: float = 0.02,
) -> Part:
    """A rectangle with rounded corners."""
    quarter = np.linspace(0, np.pi / 2, 8)
    arc = np.stack([np.cos(quarter), np.sin(quarter)], axis=1) * corner
    turns = [arc, arc[:, ::-1] * (-1, 1), arc * (-1, -1), arc[:, ::-1] * (1, -1)]
    inner = [
        (right - corner, bottom - corner), (left + corner, bottom - corner),
        (left + corner, top + corner), (right - corner, top + corner),
    ]  # fmt: skip
    outline = np.concatenate([arc + centre for arc, centre in zip(turns, inner, strict=True)])
    return Part(outline, colour, material, swell)


def tube(
    points: Points, width: float, colour: int | str = 0, material: int | str = 0, *, smooth: bool = True
) -> Part:
    """A line of this width: handles, legs, straps, cables, seams."""
    path = _points(points)
    path = _spline(path, closed=False) if smooth and len(path) > 2 else path
    along = np.gradient(path, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across *= width / 2 / np.maximum(np.hypot(*across.T), 1e-9)[:, None]
    return Part(np.concatenate([path + across, (path - across)[::-1]]), colour, material, swell=width / 2)


def styled(part: Part, *, pattern: str | None = None, turn: bool = False) -> Part:
    """The same part with a pattern, or with its grain turned."""
    return replace(part, pattern=pattern, turn=turn)


def moved(parts: Sequence[Part], x: float, y: float, scale: float = 1.0) -> list[Part]:
    """The parts, scaled about the origin and then shifted."""
    return [replace(p, outline=p.outline * scale + (x, y), swell=p.swell * scale) for p in parts]


def flipped(parts: Sequence[Part]) -> list[Part]:
    """The parts seen in a mirror."""
    return [replace(part, outline=part.outline * (-1, 1)) for part in parts]


def _points(points: Points) -> Field:
    if isinstance(points, str):
        return np.array([point.split(",") for point in points.split()], dtype=float)
    return np.array(points, dtype=float)


def _spline(points: Field, *, closed: bool, steps: int = 10) -> Field:
    """A Catmull-Rom curve through the points; at a point given twice it stops and turns."""
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    if not closed:
        before[0], after[-1] = points[0], points[-1]
    is_corner = (before == points).all(axis=1) | (after == points).all(axis=1)
    tangents = np.where(is_corner[:, None], 0, (after - before) / 2)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for k in range(len(points) if closed else len(points) - 1):
        following = (k + 1) % len(points)
        start, end = points[k], points[following]
        if (start == end).all():
            continue
        pieces.append(
            (2 * t**3 - 3 * t**2 + 1) * start + (t**3 - 2 * t**2 + t) * tangents[k]
            + (3 * t**2 - 2 * t**3) * end + (t**3 - t**2) * tangents[following]
        )  # fmt: skip
    return np.concatenate([*pieces, points[:0] if closed else points[-1:]])

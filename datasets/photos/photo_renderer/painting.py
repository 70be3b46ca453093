"""Put parts of things on a picture: mask, material, light, shadow.

A picture is an array of height x width x 3, 0..255 floats. Light falls from the upper left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from photo_renderer.colours import SHADES, rgb
from photo_renderer.materials import RECIPES, Surface
from photo_renderer.noise import Field, blur, value_noise
from photo_renderer.outlines import Part

LIGHT = np.array([-0.42, -0.55, 0.72]) / np.linalg.norm([-0.42, -0.55, 0.72])
HALFWAY = np.add(LIGHT, [0, 0, 1]) / np.linalg.norm(np.add(LIGHT, [0, 0, 1]))
OVERSAMPLING = 3


@dataclass(frozen=True)
class Placement:
    """Where a thing stands: its centre and the length of its unit in pixels, turned by an angle (radians)."""

    x: float
    y: float
    unit: float
    angle: float = 0.0

    def to_pixels(self, points: Field) -> Field:
        """Pixel coordinates of points given in units."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turned = points @ np.array([[cos, sin], [-sin, cos]])
        return np.asarray(turned * self.unit + (self.x, self.y))


@dataclass(frozen=True)
class Coat:
    """The shades and materials that a scene asks for; parts refer to them by index."""

    shades: tuple[str, ...]
    materials: tuple[str, ...]

    def colour(self, key: int | str) -> Field:
        """The RGB colour of a part; an index beyond the last shade takes the last."""
        shade = key if isinstance(key, str) else self.shades[min(key, len(self.shades) - 1)]
        return np.array(rgb(shade), dtype=float)

    def material(self, key: int | str) -> str:
        """The recipe's name."""
        return key if isinstance(key, str) else self.materials[min(key, len(self.materials) - 1)]


def paint(picture: Field, parts: Sequence[Part], coat: Coat, place: Placement, seed: int) -> None:
    """Draw the parts in their order, changing the picture."""
    for number, part in enumerate(parts):
        pixels = place.to_pixels(part.outline)
        window = _window(pixels, picture.shape, margin=int(part.swell * place.unit) + 4)
        if window is None:
            continue
        mask = _mask(pixels, window)
        _fill(picture[window], mask, part, coat, place, window, seed + 31 * number)


def silhouette(shape: tuple[int, ...], parts: Sequence[Part], place: Placement) -> Field:
    """1 where any part covers the picture, 0 elsewhere."""
    canvas = Image.new("L", (shape[1], shape[0]), 0)
    draw = ImageDraw.Draw(canvas)
    for part in parts:
        draw.polygon([tuple(point) for point in place.to_pixels(part.outline)], fill=255)
    return np.asarray(canvas, dtype=float) / 255


def cast_lying(picture: Field, covered: Field, depth: float) -> None:
    """The shadow of a thing lying flat: a dark seam under the edge and a soft one to the lower right."""
    near = blur(np.roll(covered, (3, 2), (0, 1)), 3)
    far = blur(np.roll(covered, (int(depth), int(depth * 0.7)), (0, 1)), depth)
    picture *= (1 - 0.4 * near)[..., None] * (1 - 0.28 * far)[..., None]


def cast_standing(picture: Field, covered: Field, slant: float) -> None:
    """The shadow of a thing that stands: its outline laid down on the floor, away from the light."""
    rows = np.nonzero(covered.max(axis=1) > 0)[0]
    if not len(rows):
        return
    base = float(rows[-1])
    image = Image.fromarray((covered * 255).astype(np.uint8))
    flat = 0.16
    # output (x, y) takes input (x - slant * d, base - d / flat), d = base + 4 - y
    coefficients = (
        1,
        slant / flat * 0.5,
        -slant / flat * 0.5 * (base + 4),
        0,
        1 / flat,
        base - (base + 4) / flat,
    )
    laid = np.asarray(image.transform(image.size, Image.Transform.AFFINE, coefficients), dtype=float) / 255
    foot = blur(np.roll(covered, 5, 0) * (np.arange(len(covered)) > base - 14)[:, None], 5)
    wall = blur(np.roll(covered, (6, 16), (0, 1)), 12)
    for field, strength in ((blur(laid, 5), 0.42), (foot, 0.5), (wall, 0.16)):
        picture *= (1 - strength * np.clip(field, 0, 1))[..., None]


def _window(pixels: Field, shape: tuple[int, ...], margin: int) -> tuple[slice, slice] | None:
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - margin, 0)
    high = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + margin, (shape[1], shape[0]))
    if (high - low).min() < 2:
        return None
    return slice(low[1], high[1]), slice(low[0], high[0])


def _mask(pixels: Field, window: tuple[slice, slice]) -> Field:
    height, width = (part.stop - part.start for part in window)
    canvas = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING), 0)
    corner = np.array([window[1].start, window[0].start])
    points = [tuple(point) for point in (pixels - corner) * OVERSAMPLING]
    ImageDraw.Draw(canvas).polygon(points, fill=255)
    return np.asarray(canvas.resize((width, height), Image.Resampling.BOX), dtype=float) / 255


def _fill(
    patch: Field,
    mask: Field,
    part: Part,
    coat: Coat,
    place: Placement,
    window: tuple[slice, slice],
    seed: int,
) -> None:
    rows, columns = np.mgrid[window].astype(float)
    cos, sin = np.cos(place.angle), np.sin(place.angle)
    u = (columns - place.x) * cos + (rows - place.y) * sin
    v = (rows - place.y) * cos - (columns - place.x) * sin
    along = (v, u) if part.turn else (u, v)
    surface = RECIPES[coat.material(part.material)](along[0] + 900, along[1] + 900, seed)
    colour = _patterned(part, coat, u / place.unit, v / place.unit, seed)
    lit, cover = _light(mask, surface, part.swell * place.unit, colour)
    alpha = (mask * cover)[..., None]
    patch[:] = patch * (1 - alpha) + lit * alpha


def _light(mask: Field, surface: Surface, swell: float, colour: Field) -> tuple[Field, Field]:
    """The lit colour of each pixel, and how much it hides what is behind it."""
    body = blur(mask, max(swell * 0.6, 1.0)) * max(swell, 1.0) * 1.3
    slope_y, slope_x = np.gradient(body + surface.relief)
    length = np.sqrt(slope_x**2 + slope_y**2 + 1)
    normal = np.stack([-slope_x, -slope_y, np.ones_like(slope_x)], axis=-1) / length[..., None]
    diffuse = np.clip(normal @ LIGHT, 0, None) / LIGHT[2]
    steep = 1 - normal[..., 2]
    if surface.metal:
        bands = 0.5 + 0.5 * np.sin(3.2 * normal[..., 1] - 2.6 * normal[..., 0] + 0.4)
        shade = 0.66 + 0.28 * diffuse + 0.45 * (bands - 0.5)
    else:
        shade = 0.42 + 0.58 * diffuse + surface.rim * steep
    sharp = np.clip(normal @ HALFWAY, 0, 1)
    glint = surface.gloss * (150 * sharp**60 * (steep > 0.02) + 40 * sharp**14 * np.minimum(1, steep * 12))
    lit = colour * (surface.tint * shade)[..., None] + glint[..., None]
    cover = surface.opacity + (1 - surface.opacity) * np.clip(steep * 2.4 + glint / 170, 0, 0.85)
    return np.clip(lit, 0, 255), np.asarray(cover)


def _patterned(part: Part, coat: Coat, u: Field, v: Field, seed: int) -> Field:
    """The colour at each point: the part's own, or the thing's further colours laid over it."""
    base = np.broadcast_to(coat.colour(part.colour), (*u.shape, 3))
    if part.pattern is None:
        return base
    count = len(coat.shades)
    if part.pattern == "patchwork":
        return _patchwork(u, v, seed)
    if part.pattern == "hoops":
        which = np.floor(v * 6.5 + 20).astype(int) % count
        return np.asarray(np.stack([coat.colour(k) for k in range(count)])[which])
    if part.pattern == "flecks":
        return np.where((value_noise(u * 60, v * 60, seed) > 0.76)[..., None], coat.colour(1), base)
    if part.pattern == "lines":
        return np.where(((u * 13) % 1 < 0.3)[..., None], coat.colour(count - 1), base)
    if part.pattern == "sprigs":
        return np.where(_sprigs(u, v, seed)[..., None], coat.colour(1), base)
    raise ValueError(f"No pattern {part.pattern!r}: use patchwork, hoops, flecks, lines or sprigs.")


def _patchwork(u: Field, v: Field, seed: int) -> Field:
    names = [name for name in SHADES if name not in ("clear", "mixed", "gold", "silver")]
    palette = np.array([rgb(name) for name in names], dtype=float)
    cell = np.floor(u * 4.5 + 50).astype(int) * 7919 + np.floor(v * 4.5 + 50).astype(int) * 104729
    colour = palette[(cell * 2654435761 % 2**32 + seed) % len(palette)]
    seam = np.minimum(np.abs((u * 4.5 + 50.5) % 1 - 0.5), np.abs((v * 4.5 + 50.5) % 1 - 0.5))
    return np.asarray(colour * np.clip(0.7 + seam * 8, 0.7, 1)[..., None])


def _sprigs(u: Field, v: Field, seed: int) -> Field:
    """Small flowers on a loose grid."""
    size = 0.21
    row = np.floor(v / size)
    shifted = u / size + 0.5 * (row % 2)
    du = shifted % 1 - 0.5 + 0.3 * (value_noise(np.floor(shifted), row, seed) - 0.5)
    dv = (v / size) % 1 - 0.5
    angle = np.arctan2(dv, du)
    return np.asarray(np.hypot(du, dv) < 0.2 + 0.13 * np.cos(5 * angle))

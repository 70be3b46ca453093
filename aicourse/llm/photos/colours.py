"""Name the colours of pixels with the words of the marketplace: CIE Lab, hue ranges, shade and light apart.

    [[25, 51, 38]] of green cloth and its shadow  ->  {"green": 1.0}

CIE Lab (https://en.wikipedia.org/wiki/CIELAB_color_space) puts lightness on one axis and hue on the others.
In it, less light on the same paint scales `L + 16`, `a` and `b` alike (by a cube root), so `a / (L + 16)` and
`b / (L + 16)` stay the same: that is how a fold is told from a second colour. The ranges of the words were
set by eye on the dataset's dev photos.
Not handled: gold and copper (they are yellow, brown or orange here), transparent things, light that is more
than a little tinted. Silver is a guess: a light neutral grey is called so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

SHADES = 10  # clusters of the thing's pixels, before those of one paint are joined
LIGHTNESS_WEIGHT = 0.6  # in distances: light varies more than paint
SAME_PAINT = 0.12  # distance of (a, b) / (L + 16)
DARKEST_CHROMATIC, DARKEST_NEUTRAL = 0.6, 0.78  # of the brighter one's L + 16
_RGB_TO_XYZ = np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
_WHITE = np.array([0.9505, 1.0, 1.089])  # D65


@dataclass(frozen=True)
class ColourShare:
    """A colour's name and its share of what was measured, 0..1."""

    name: str
    share: float


def lab(rgb: Floats) -> Floats:
    """CIE Lab (D65) of sRGB values 0..1, shape (…, 3).

    >>> lab(np.array([1.0, 0.0, 0.0])).round().tolist()
    [53.0, 80.0, 67.0]
    """
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = np.einsum("...i,ij->...j", linear, _RGB_TO_XYZ) / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def colour_shares(pixels: Floats) -> tuple[ColourShare, ...]:
    """The named colours of Lab pixels, shape (n, 3), largest share first; shadows count to their paint."""
    shares: dict[str, float] = {}
    for share, colour in _paints(pixels):
        name = colour_name(*colour)
        shares[name] = shares.get(name, 0.0) + share
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return tuple(ColourShare(name, share) for name, share in ordered)


def clusters(points: Floats, count: int, rounds: int = 10) -> Ints:
    """k-means: the number of each point's cluster. The start is seeded, so it is the same every time."""
    random = np.random.default_rng(0)
    centres = points.mean(axis=0, keepdims=True)
    distances = ((points - centres[0]) ** 2).sum(axis=1)
    while len(centres) < count and distances.any():  # k-means++
        centre = points[random.choice(len(points), p=distances / distances.sum())]
        centres = np.vstack([centres, centre])
        distances = np.minimum(distances, ((points - centre) ** 2).sum(axis=1))
    for _ in range(rounds):
        labels = _nearest(points, centres)
        sizes = np.bincount(labels, minlength=len(centres))[:, None]
        sums = np.stack([np.bincount(labels, axis, len(centres)) for axis in points.T], axis=1)
        centres = np.where(sizes > 0, sums / np.maximum(sizes, 1), centres)
    return _nearest(points, centres)


def _nearest(points: Floats, centres: Floats) -> Ints:
    # einsum, not @: small sums do not pay for BLAS's threads, whose order of adding varies between machines
    products = np.einsum("ij,kj->ik", points, centres)
    return np.asarray(((centres**2).sum(axis=1) - 2 * products).argmin(axis=1))


def _paints(pixels: Floats) -> Iterator[tuple[float, Floats]]:
    """Share and mean Lab of each paint: clusters that differ only in how much light they get are joined."""
    labels = clusters(pixels * [LIGHTNESS_WEIGHT, 1, 1], SHADES)
    sizes = np.bincount(labels)
    means = np.stack([np.bincount(labels, axis) for axis in pixels.T], axis=1) / np.maximum(sizes, 1)[:, None]
    paints: list[list[int]] = []
    for shade in np.argsort(-sizes, kind="stable"):
        if sizes[shade]:
            paint = next((paint for paint in paints if _is_same(means[paint[0]], means[shade])), None)
            if paint is None:
                paints.append([int(shade)])
            else:
                paint.append(int(shade))
    for paint in paints:
        weights = sizes[paint]
        yield float(weights.sum() / len(pixels)), np.average(means[paint], axis=0, weights=weights)


def _is_same(one: Floats, other: Floats) -> bool:
    light = np.array([one[0], other[0]]) + 16
    hues = np.stack([one[1:], other[1:]]) / light[:, None]
    is_neutral = np.hypot(*hues[0]) < 0.1
    least = DARKEST_NEUTRAL if is_neutral else DARKEST_CHROMATIC
    return bool(np.hypot(*(hues[0] - hues[1])) < SAME_PAINT and light.min() / light.max() > least)


def colour_name(lightness: float, a: float, b: float) -> str:
    """The word for a Lab colour.

    >>> colour_name(40, 45, -45), colour_name(95, 0, 2), colour_name(35, 18, 25)
    ('purple', 'white', 'brown')
    """
    chroma, hue = float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a)) % 360)
    if _is_neutral(lightness, chroma, hue):
        steps = ((24, "black"), (64, "grey"), (78, "silver"))
        return next((name for limit, name in steps if lightness < limit), "white")
    if lightness < 13 and chroma < 35:
        return "black"
    if hue >= 335 or hue < 66:
        return _reddish(lightness, chroma, hue)
    if hue < 116:
        return _yellowish(lightness, chroma, hue)
    return next(name for limit, name in _COOL if hue < limit)


_COOL = ((175, "green"), (235, "turquoise"), (308, "blue"), (335, "purple"))


def _is_neutral(lightness: float, chroma: float, hue: float) -> bool:
    """Grey to the eye: shade is bluish, and very light or very dark tints are hardly seen."""
    if 190 < hue < 300 or lightness > 78:
        return chroma < 10
    return chroma < (7 if lightness > 30 else 9)


def _reddish(lightness: float, chroma: float, hue: float) -> str:
    if hue >= 335 or hue < 20:
        if hue >= 335 and lightness < 32:
            return "purple" if hue < 352 else "red"
        return "pink" if lightness > 57 or (hue >= 335 and lightness > 35) else "red"
    if hue < 42:
        if lightness > 62 and chroma < 42:
            return "pink"
        if lightness < 58 and chroma > 35:
            return "red"
        return "orange" if lightness >= 52 else "brown"
    if lightness < 49:
        return "brown"
    return "orange" if chroma >= 38 else "beige" if lightness > 62 else "brown"


def _yellowish(lightness: float, chroma: float, hue: float) -> str:
    if hue >= 108:
        return "yellow" if chroma > 45 and lightness > 62 else "green"
    if lightness < 45 and hue < 88:
        return "brown"
    if chroma < 43 and lightness > 60:
        return "beige" if hue < 102 or chroma < 20 else "green"
    if lightness < 48 or chroma < 25:
        return "green" if hue >= 88 else "brown"
    if hue < 74:
        return "orange" if chroma > 55 else "brown"
    return "yellow"

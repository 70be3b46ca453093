"""What materials look like close up: tint, relief, gloss, as fields over a patch of the picture.

Each recipe takes coordinates in pixels along and across the thing, and a seed. Periods suit 480 x 640 pixels:
a knit stitch is about six pixels, coarser than life, because finer ones would vanish in the JPEG.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from photo_renderer.noise import Field, fractal_noise, value_noise


@dataclass(frozen=True)
class Surface:
    """tint multiplies the colour; relief is a height in pixels; gloss, metal and opacity are 0..1."""

    tint: Field
    relief: Field
    gloss: float = 0.05
    metal: float = 0.0
    opacity: float = 1.0
    rim: float = 0.0


Recipe = Callable[[Field, Field, int], Surface]


def _folds(u: Field, v: Field, seed: int, height: float) -> Field:
    """Soft creases: ridges of warped noise, longer along v, as cloth hangs or lies."""
    bent = u / 46 + 1.2 * value_noise(u / 70, v / 70, seed + 11)
    ridges = np.exp(-((4.4 * fractal_noise(bent, v / 130, seed + 12, 2) - 2.2) ** 2))
    return np.asarray(height * (0.8 * ridges + 0.6 * fractal_noise(u / 35, v / 50, seed + 13, 2)))


def _grain(u: Field, v: Field, seed: int, strength: float) -> Field:
    return np.asarray(1 + strength * (value_noise(u / 1.3, v / 1.3, seed) - 0.5))


def _knit(u: Field, v: Field, seed: int) -> Surface:
    column = np.abs((u / 7) % 1 - 0.5) * 2
    stitches = np.sin(2 * np.pi * (v / 6 + column * 0.8))
    relief = 0.55 * stitches + 0.9 * (1 - column) + _folds(u, v, seed, 7)
    return Surface(_grain(u, v, seed, 0.16) * (0.96 + 0.05 * stitches), relief, gloss=0.0)


def _woven(thread: float, fold: float, gloss: float = 0.03, slub: float = 0.06) -> Recipe:
    def recipe(u: Field, v: Field, seed: int) -> Surface:
        weave = np.sin(2 * np.pi * u / thread) * np.sin(2 * np.pi * v / thread)
        streaks = value_noise(u / 1.5, v / 30, seed) + value_noise(u / 30, v / 1.5, seed + 1) - 1
        return Surface(1 + slub * streaks + 0.03 * weave, 0.2 * weave + _folds(u, v, seed, fold), gloss)

    return recipe


def _denim(u: Field, v: Field, seed: int) -> Surface:
    twill = np.sin(2 * np.pi * (u + 1.6 * v) / 4.5)
    faded = fractal_noise(u / 60, v / 90, seed + 5, 2)
    flecks = value_noise(u / 1.2, v / 5, seed) - 0.5
    tint = 1 + 0.07 * twill + 0.22 * flecks + 0.5 * (faded - 0.5)
    return Surface(tint, 0.3 * twill + _folds(u, v, seed, 7), gloss=0.02)


def _velvet(u: Field, v: Field, seed: int) -> Surface:
    pile = fractal_noise(u / 40, v / 55, seed, 3)
    return Surface(
        0.7 + 0.6 * pile + 0.06 * _grain(u, v, seed, 1) - 0.03, _folds(u, v, seed, 6), 0.0, rim=0.5
    )


def _silk(u: Field, v: Field, seed: int) -> Surface:
    return Surface(1 + 0 * u, _folds(u, v, seed, 14), gloss=0.42)


def _technical(fold: float, gloss: float) -> Recipe:
    def recipe(u: Field, v: Field, seed: int) -> Surface:
        crinkle = 1.3 * fractal_noise(u / 9, v / 9, seed + 2, 2)
        return Surface(_grain(u, v, seed, 0.05), _folds(u, v, seed, fold) + crinkle, gloss)

    return recipe


def _fleece(u: Field, v: Field, seed: int) -> Surface:
    nubs = fractal_noise(u / 3.2, v / 3.2, seed, 2)
    return Surface(0.9 + 0.22 * nubs, 1.6 * nubs + _folds(u, v, seed, 6), gloss=0.0, rim=0.15)


def _leather(pebble: float, gloss: float, fold: float = 4) -> Recipe:
    def recipe(u: Field, v: Field, seed: int) -> Surface:
        grain = np.abs(value_noise(u / 3, v / 3, seed) - value_noise(u / 3, v / 3, seed + 7))
        worn = fractal_noise(u / 45, v / 45, seed + 4, 3)
        return Surface(0.82 + 0.36 * worn, pebble * grain + _folds(u, v, seed, fold), gloss)

    return recipe


def _suede(u: Field, v: Field, seed: int) -> Surface:
    nap = fractal_noise(u / 14, v / 22, seed, 4)
    return Surface(0.72 + 0.55 * nap, _folds(u, v, seed, 3), gloss=0.0, rim=0.2)


def _fur(u: Field, v: Field, seed: int) -> Surface:
    lean = u + 6 * value_noise(u / 22, v / 22, seed)
    hairs = fractal_noise(lean / 1.8, v / 13, seed + 1, 2)
    return Surface(0.62 + 0.75 * hairs, 3 * hairs + _folds(u, v, seed, 5), gloss=0.0, rim=0.3)


def _wood(u: Field, v: Field, seed: int) -> Surface:
    bend = 2.2 * fractal_noise(u / 60, v / 240, seed, 2)
    rings = np.sin(2 * np.pi * (u / 13 + bend * 2.2)) * value_noise(u / 40, v / 200, seed + 2)
    pores = value_noise(u / 1.2, v / 24, seed + 3)
    return Surface(0.95 + 0.13 * rings + 0.2 * (pores - 0.5), 0.2 * pores, gloss=0.12)


def _rattan(u: Field, v: Field, seed: int) -> Surface:
    over = np.sin(np.pi * u / 7) * np.sin(np.pi * v / 5)
    return Surface(0.86 + 0.2 * np.sign(over) * np.abs(over) ** 0.5, 2 * np.abs(over), gloss=0.08)


def _speckled(sizes: tuple[float, float], strength: float, gloss: float) -> Recipe:
    def recipe(u: Field, v: Field, seed: int) -> Surface:
        fine = value_noise(u / sizes[0], v / sizes[0], seed)
        coarse = value_noise(u / sizes[1], v / sizes[1], seed + 1)
        specks = np.where(fine > 0.72, 0.8, np.where(fine < 0.22, -0.9, 0)) + (coarse - 0.5)
        return Surface(1 + strength * specks, 0.5 * fine, gloss)

    return recipe


def _metal(u: Field, v: Field, seed: int) -> Surface:
    brushed = value_noise(u / 40, v / 1.1, seed)
    return Surface(0.92 + 0.14 * brushed, 0.1 * brushed, gloss=0.75, metal=1.0)


def _smooth(gloss: float, uneven: float = 0.06, opacity: float = 1.0) -> Recipe:
    def recipe(u: Field, v: Field, seed: int) -> Surface:
        return Surface(
            1 + uneven * (fractal_noise(u / 40, v / 40, seed) - 0.5), 0 * u, gloss, opacity=opacity
        )

    return recipe


RECIPES: dict[str, Recipe] = {
    "wool": _knit,
    "cashmere": _knit,
    "fleece": _fleece,
    "tweed": _speckled((1.6, 5), 0.18, 0.0),
    "pile": _speckled((2.2, 9), 0.12, 0.0),
    "cotton": _woven(3, 8),
    "canvas": _woven(4, 4, slub=0.12),
    "linen": _woven(3.6, 10, slub=0.2),
    "viscose": _woven(3, 8, 0.06),
    "denim": _denim,
    "velvet": _velvet,
    "silk": _silk,
    "polyester": _technical(8, 0.1),
    "nylon": _technical(8, 0.2),
    "elastane": _technical(6, 0.1),
    "leather": _leather(1.6, 0.26),
    "faux_leather": _leather(0.8, 0.38, 3),
    "suede": _suede,
    "faux_fur": _fur,
    "mohair": _fur,
    "felt": _speckled((1.5, 4), 0.1, 0.0),
    "rubber": _smooth(0.3),
    "plastic": _smooth(0.45),
    "paint": _smooth(0.2),
    "wood": _wood,
    "rattan": _rattan,
    "cork": _speckled((3, 7), 0.22, 0.0),
    "paper": _smooth(0.04, 0.1),
    "print": _smooth(0.2, 0.02),
    "metal": _metal,
    "enamel": _smooth(0.6),
    "glass": _smooth(0.9, 0.0, 0.22),
    "ceramic": _smooth(0.7, 0.04),
    "clay": _speckled((1.8, 8), 0.09, 0.03),
    "stone": _speckled((2, 6), 0.24, 0.08),
    "foam": _smooth(0.02, 0.1),
    "skin": _smooth(0.1),
    "screen": _smooth(0.8, 0.2),
    "worsted": _woven(3, 5, 0.03),
    "cloth": _woven(3, 7),
    "shell": _technical(7, 0.16),
    "tinted_glass": _smooth(0.9, 0.0, 0.6),
}

# Recipes that show a material of the listings' vocabulary under another name.
SHOWS = {
    "fleece": "polyester",
    "tweed": "wool",
    "mohair": "wool",
    "enamel": "metal",
    "clay": "ceramic",
    "worsted": "wool",
    "pile": "wool",
    "tinted_glass": "glass",
}
# Recipes that show nothing a person could name from the picture.
UNNAMEABLE = {"paint", "print", "skin", "screen", "cloth", "shell"}


def vocabulary_material(recipe: str) -> str | None:
    """The listings' word, or None when the look names no material: `fleece -> polyester`."""
    return None if recipe in UNNAMEABLE else SHOWS.get(recipe, recipe)

"""Things for kitchen, table and shelf: front views, standing, unless said otherwise."""

from __future__ import annotations

import numpy as np
from photo_renderer.outlines import Part, box, curve, ellipse, mirrored, moved, polygon, styled, tube


def teapot() -> list[Part]:
    """A round teapot; the second colour makes the flowers."""
    handle = tube([(0.5, -0.25), (0.92, -0.3), (0.95, 0.25), (0.55, 0.42)], 0.11)
    spout = curve([(-0.5, 0.35), (-0.8, 0.1), (-1.0, -0.35), (-0.86, -0.38), (-0.66, -0.1), (-0.5, 0.0)], swell=0.1)
    body = styled(mirrored([(0, -0.45), (0.3, -0.43), (0.62, -0.05), (0.62, 0.3), (0.4, 0.62), (0, 0.66)], swell=0.36), pattern="sprigs")
    lid = [mirrored([(0, -0.6), (0.2, -0.56), (0.34, -0.42), (0, -0.38)], swell=0.14), ellipse(0, -0.66, 0.08, 0.08)]
    return [handle, spout, body, *lid, box(-0.32, 0.6, 0.32, 0.7, swell=0.05)]


def casserole() -> list[Part]:
    """A lidded cast-iron pot with two ears."""
    ears = [curve([(s * 0.7, -0.08), (s * 0.98, -0.12), (s * 0.98, 0.06), (s * 0.7, 0.1)], swell=0.06) for s in (-1, 1)]
    body = curve([(-0.8, -0.2), (-0.8, -0.2), (0.8, -0.2), (0.8, -0.2), (0.78, 0.4), (0.6, 0.56), (0, 0.6), (-0.6, 0.56), (-0.78, 0.4)], swell=0.3)
    lid = curve([(-0.84, -0.2), (-0.6, -0.42), (0, -0.52), (0.6, -0.42), (0.84, -0.2), (0, -0.1)], swell=0.16)
    return [*ears, body, lid, ellipse(0, -0.6, 0.13, 0.07, "black", "plastic"), box(-0.05, -0.58, 0.05, -0.48, "black", "plastic")]


def pan(radius: float = 0.6) -> list[Part]:
    """A frying pan from above, its outside seen as a rim."""
    handle = tube([(radius * 0.8, -radius * 0.6), (radius * 1.25, -radius * 1.0), (radius * 1.7, -radius * 1.35)], 0.16, "black", "plastic")
    return [handle, ellipse(0, 0.04, radius, radius * 0.96, swell=0.16), ellipse(0, -0.03, radius * 0.8, radius * 0.74, "charcoal", "enamel", 0.08), ellipse(0, 0, radius * 0.6, radius * 0.54, "charcoal", "stone", 0.02)]


def three_pans() -> list[Part]:
    """Three pans of different sizes, lying upside down so that their outside shows."""
    pans: list[Part] = []
    for x, y, r in ((-0.3, -0.45, 0.62), (0.5, 0.15, 0.5), (-0.35, 0.6, 0.42)):
        handle = tube([(x - r * 0.7, y + r * 0.5), (x - r * 1.3, y + r * 0.85)], 0.13, "black", "plastic", smooth=False)
        pans += [handle, ellipse(x, y, r, r * 0.92, swell=0.15), ellipse(x, y, r * 0.74, r * 0.66, 0, swell=0.04), ellipse(x, y, r * 0.2, r * 0.18, "steel", "metal", 0.02)]
    return pans


def moka() -> list[Part]:
    """An eight-sided coffee pot."""
    lower = [polygon([(-0.52 + x, 0.85), (-0.52 + x + w, 0.85), (-0.34 + x * 0.66 + w * 0.66, 0.1), (-0.34 + x * 0.66, 0.1)], swell=0.05) for x, w in ((0, 0.3), (0.3, 0.42), (0.72, 0.32))]
    upper = [polygon([(-0.34 + x * 0.66, 0.0), (-0.34 + (x + w) * 0.66, 0.0), (-0.46 + (x + w) * 0.92, -0.62), (-0.46 + x * 0.92, -0.62)], swell=0.05) for x, w in ((0, 0.3), (0.3, 0.42), (0.72, 0.32))]
    handle = tube([(0.4, -0.52), (0.82, -0.6), (0.86, -0.1), (0.78, 0.1)], 0.13, "black", "plastic")
    spout = polygon([(-0.46, -0.62), (-0.72, -0.66), (-0.4, -0.25)], swell=0.05)
    return [handle, spout, *lower, box(-0.38, -0.02, 0.38, 0.12, swell=0.04), *upper, polygon([(-0.48, -0.62), (0.52, -0.62), (0.1, -0.84), (-0.06, -0.84)], swell=0.06), ellipse(0.02, -0.9, 0.07, 0.07, "black", "plastic")]


def cezve() -> list[Part]:
    """A copper coffee pot with a long brass handle."""
    body = mirrored([(0, -0.4), (0.34, -0.42), (0.36, -0.36), (0.28, -0.1), (0.5, 0.4), (0.44, 0.6), (0, 0.64)], swell=0.26)
    handle = tube([(0.3, -0.25), (0.7, -0.5), (1.15, -0.85)], 0.09, "brass", "metal")
    dents = [ellipse(x, y, 0.06, 0.05, swell=0.05) for x, y in ((-0.2, 0.1), (0.0, 0.2), (0.2, 0.1), (-0.25, 0.34), (-0.05, 0.42), (0.18, 0.36))]
    return [handle, body, *dents, ellipse(0, -0.4, 0.33, 0.07, "charcoal", "metal", 0.02)]


def mortar() -> list[Part]:
    """A stone mortar with its pestle."""
    body = mirrored([(0, -0.25), (0.8, -0.28), (0.82, -0.2), (0.7, 0.35), (0.42, 0.56), (0.46, 0.7), (0, 0.72)], swell=0.3)
    return [body, ellipse(0, -0.26, 0.78, 0.16, swell=0.08), ellipse(0, -0.23, 0.6, 0.1, "charcoal", "stone", 0.05), tube([(0.1, -0.2), (0.4, -0.6), (0.62, -0.95)], 0.2)]


def toaster() -> list[Part]:
    """A two-slot toaster."""
    body = curve([(-0.85, 0.6), (-0.85, 0.6), (-0.88, -0.1), (-0.7, -0.5), (0, -0.56), (0.7, -0.5), (0.88, -0.1), (0.85, 0.6), (0.85, 0.6)], swell=0.26)
    slots = [box(-0.55, -0.48 + d, 0.55, -0.42 + d, "black", "skin") for d in (0.0, 0.13)]
    knobs = [ellipse(x, 0.36, 0.1, 0.1, "black", "plastic") for x in (-0.4, 0.4)]
    return [box(-0.8, 0.58, 0.8, 0.7, "black", "plastic"), body, *slots, *knobs, box(-0.06, 0.0, 0.06, 0.12, "black", "plastic")]


def stand_mixer() -> list[Part]:
    """A stand mixer with a steel bowl."""
    base = curve([(-0.8, 0.85), (-0.8, 0.7), (-0.3, 0.6), (0.3, 0.62), (0.86, 0.72), (0.86, 0.88), (0.86, 0.88), (-0.8, 0.88), (-0.8, 0.88)], swell=0.1)
    column = curve([(0.3, 0.7), (0.36, 0.0), (0.3, -0.3), (0.3, -0.3), (0.8, -0.3), (0.8, -0.3), (0.76, 0.2), (0.84, 0.75)], swell=0.16)
    head = curve([(-0.75, -0.4), (-0.6, -0.72), (0, -0.82), (0.7, -0.76), (0.92, -0.5), (0.8, -0.24), (0.2, -0.14), (-0.6, -0.16)], swell=0.26)
    bowl = curve([(-0.72, 0.02), (-0.72, 0.02), (0.22, 0.02), (0.22, 0.02), (0.1, 0.5), (-0.1, 0.64), (-0.4, 0.64), (-0.6, 0.5)], "steel", "metal", 0.2)
    return [base, column, tube([(-0.28, -0.2), (-0.28, 0.1)], 0.1, "steel", "metal", smooth=False), bowl, head, tube([(-0.6, -0.4), (0.8, -0.46)], 0.05, "steel", "metal"), ellipse(-0.74, -0.44, 0.09, 0.12, "steel", "metal")]


def espresso_machine() -> list[Part]:
    """A small espresso machine."""
    body = [box(-0.75, -0.75, 0.75, 0.8, swell=0.05, corner=0.06), box(-0.62, -0.2, 0.62, 0.6, "charcoal", "metal", 0.05), box(-0.8, 0.62, 0.8, 0.86, swell=0.05)]
    group = [box(-0.25, -0.26, 0.25, -0.06, swell=0.05), tube([(0.0, -0.02), (0.0, 0.3)], 0.12, "black", "plastic", smooth=False), box(-0.2, -0.08, 0.2, 0.02, "steel", "metal")]
    dials = [ellipse(x, -0.5, 0.08, 0.08, "steel", "metal", 0.06) for x in (-0.5, -0.25, 0.0, 0.25)]
    wand = tube([(0.6, -0.5), (0.7, 0.0), (0.78, 0.5)], 0.05, "steel", "metal")
    return [*body, *group, *dials, wand, *(tube([(x, 0.66), (x, 0.8)], 0.03, "charcoal", "skin", smooth=False) for x in np.linspace(-0.7, 0.7, 15))]


def pressure_cooker() -> list[Part]:
    """A pressure cooker with its long handle."""
    handle = tube([(0.6, -0.26), (1.3, -0.3)], 0.16, "black", "plastic", smooth=False)
    body = curve([(-0.72, -0.2), (-0.72, -0.2), (0.72, -0.2), (0.72, -0.2), (0.74, 0.6), (0.66, 0.7), (-0.66, 0.7), (-0.74, 0.6)], swell=0.3)
    lid = curve([(-0.76, -0.18), (-0.6, -0.38), (0, -0.46), (0.6, -0.38), (0.76, -0.18), (0, -0.12)], swell=0.12)
    return [handle, body, lid, ellipse(0.0, -0.5, 0.09, 0.1, "black", "plastic"), tube([(-0.7, 0.0), (-0.9, 0.02), (-0.9, 0.14), (-0.72, 0.16)], 0.07, "black", "plastic")]


def fondue() -> list[Part]:
    """A fondue pot on its burner with two forks leaning out."""
    forks = [tube([(x, 0.0), (x + d, -0.95)], 0.035, "steel", "metal", smooth=False) for x, d in ((-0.2, -0.3), (0.3, 0.35), (0.1, 0.1))]
    ends = [tube([(x + d * 0.75, -0.72), (x + d, -0.97)], 0.07, shade, "plastic", smooth=False) for (x, d), shade in zip(((-0.2, -0.3), (0.3, 0.35), (0.1, 0.1)), ("blue", "green", "yellow"), strict=True)]
    stand = [tube([(s * 0.5, 0.2), (s * 0.6, 0.9)], 0.05, "black", "metal", smooth=False) for s in (-1, 1)]
    body = curve([(-0.72, -0.22), (-0.72, -0.22), (0.72, -0.22), (0.72, -0.22), (0.62, 0.3), (0, 0.42), (-0.62, 0.3)], swell=0.26)
    return [*forks, *ends, *stand, box(-0.2, 0.66, 0.2, 0.84, "steel", "metal", 0.06), box(-0.65, 0.84, 0.65, 0.92, "black", "metal"), tube([(0.6, -0.02), (1.15, -0.12)], 0.14, 0), body, ellipse(0, -0.22, 0.7, 0.12, "charcoal", "enamel", 0.03)]


def plates() -> list[Part]:
    """Plates and bowls from above; the second colour draws the line round the edge."""
    dishes: list[Part] = []
    for x, y, r in ((-0.4, -0.5, 0.52), (0.5, -0.25, 0.5), (-0.45, 0.5, 0.42), (0.42, 0.62, 0.42)):
        dishes += [ellipse(x, y, r, r * 0.9, swell=0.05), ellipse(x, y, r * 0.94, r * 0.84, 1, swell=0.01), ellipse(x, y, r * 0.89, r * 0.79, 0, swell=0.03), ellipse(x, y, r * 0.62, r * 0.54, 0, swell=0.05)]
    return dishes


def kitchen_lot() -> list[Part]:
    """Pots and a pan of the second colour, a colander of the first, plates of the third."""
    stack = [p for k in range(4) for p in (ellipse(-0.5, 0.62 - 0.06 * k, 0.42, 0.16, 2, "ceramic", 0.05),)]
    pots = [part for x, y, s in ((-0.42, -0.35, 0.5), (0.52, -0.5, 0.42)) for part in moved(_pot(1), x, y, s)]
    colander = curve([(0.05, 0.2), (0.05, 0.2), (0.95, 0.2), (0.95, 0.2), (0.8, 0.66), (0.5, 0.76), (0.2, 0.66)], 0, "plastic", 0.16)
    holes = [ellipse(0.25 + 0.12 * c, 0.34 + 0.12 * r, 0.025, 0.025, "burgundy", "skin", 0.01) for r in range(3) for c in range(5)]
    return [*pots, *stack, colander, *holes]


def _pot(colour: int) -> list[Part]:
    return [box(-0.8, -0.4, 0.8, 0.7, colour, "metal", 0.3, 0.1), ellipse(0, -0.4, 0.8, 0.16, "charcoal", "metal", 0.04), tube([(0.78, -0.2), (1.3, -0.25)], 0.14, "black", "plastic", smooth=False)]


def vase(kind: int = 0) -> list[Part]:
    """A vase: 0 bellied, 1 cylinder, 2 bottle."""
    profile = {
        0: [(0, -0.8), (0.26, -0.8), (0.18, -0.5), (0.5, 0.1), (0.42, 0.6), (0.26, 0.8), (0, 0.82)],
        1: [(0, -0.7), (0.34, -0.7), (0.32, 0.0), (0.34, 0.78), (0.3, 0.82), (0, 0.84)],
        2: [(0, -0.95), (0.12, -0.95), (0.12, -0.3), (0.36, 0.1), (0.4, 0.7), (0.34, 0.84), (0, 0.86)],
    }[kind]
    width = profile[1][0]
    return [mirrored(profile, swell=0.2), ellipse(0, profile[0][1], width, 0.06, swell=0.02)]


def candlesticks() -> list[Part]:
    """A pair of turned candlesticks with candles."""
    stick = mirrored([(0, -0.3), (0.16, -0.3), (0.08, -0.2), (0.06, 0.0), (0.13, 0.12), (0.06, 0.24), (0.1, 0.5), (0.12, 0.62), (0.3, 0.78), (0.32, 0.86), (0, 0.9)], swell=0.1)
    candle = box(-0.065, -1.05, 0.065, -0.28, "cream", "skin", 0.06)
    one = [candle, stick]
    return [*moved(one, -0.38, -0.08, 0.95), *moved(one, 0.36, 0.05)]


def desk_lamp() -> list[Part]:
    """An articulated desk lamp."""
    arms = [tube([(-0.1, 0.7), (-0.5, 0.0)], 0.06, 0, smooth=False), tube([(-0.5, 0.0), (0.35, -0.65)], 0.06, 0, smooth=False), tube([(-0.02, 0.66), (-0.42, 0.0)], 0.02, "charcoal", "metal", smooth=False)]
    head = curve([(0.2, -0.8), (0.42, -0.78), (0.75, -0.5), (0.95, -0.15), (0.95, -0.15), (0.3, -0.4), (0.3, -0.4)], swell=0.16)
    return [*arms, ellipse(-0.1, 0.78, 0.52, 0.12, swell=0.06), ellipse(-0.5, 0, 0.07, 0.07), head, ellipse(0.64, -0.24, 0.14, 0.08, "yellow", "screen", 0.05)]


def lampshade() -> list[Part]:
    """A paper shade with swallows."""
    birds = [tube([(x - 0.14, y - 0.06), (x - 0.06, y), (x, y + 0.04), (x + 0.07, y - 0.02), (x + 0.15, y - 0.1)], 0.04, "black", "skin") for x, y in ((-0.3, -0.1), (0.25, -0.25), (0.1, 0.25), (-0.45, 0.4), (0.5, 0.3))]
    return [polygon([(-0.42, -0.6), (0.42, -0.6), (0.85, 0.65), (-0.85, 0.65)], swell=0.3), *birds, tube([(-0.42, -0.6), (0, -0.55), (0.42, -0.6)], 0.03, "steel", "metal"), tube([(-0.85, 0.65), (0, 0.74), (0.85, 0.65)], 0.03, 0)]


def quilt() -> list[Part]:
    """A folded patchwork quilt."""
    under = [styled(box(-0.92 + 0.02 * k, 0.3 + 0.1 * k, 0.94 - 0.02 * k, 0.62 + 0.1 * k, swell=0.08, corner=0.08), pattern="patchwork") for k in (2, 1)]
    return [*under, styled(curve([(-0.95, -0.75), (-0.9, -0.8), (0.9, -0.78), (0.95, -0.72), (0.96, 0.5), (0.9, 0.6), (-0.9, 0.62), (-0.97, 0.5)], swell=0.08), pattern="patchwork")]


def cushions() -> list[Part]:
    """Two cushions."""
    one = curve([(-0.6, -0.6), (-0.55, -0.6), (0, -0.52), (0.6, -0.62), (0.62, -0.55), (0.54, 0), (0.62, 0.58), (0.55, 0.62), (0, 0.54), (-0.58, 0.62), (-0.62, 0.56), (-0.54, 0)], swell=0.3)
    return [*moved([one], -0.25, -0.32, 1.0), *moved([one], 0.28, 0.38, 1.02)]


def clock() -> list[Part]:
    """A round station clock on a bracket."""
    marks = [tube([(0.56 * np.sin(a), -0.56 * np.cos(a)), (0.66 * np.sin(a), -0.66 * np.cos(a))], 0.045, "black", "skin", smooth=False) for a in np.arange(12) * np.pi / 6]
    hands = [tube([(0, 0), (0.25, -0.28)], 0.06, "black", "skin", smooth=False), tube([(0, 0), (-0.12, 0.52)], 0.045, "black", "skin", smooth=False)]
    return [box(-0.1, -1.15, 0.1, -0.7, swell=0.06), ellipse(0, 0, 0.86, 0.86, swell=0.14), ellipse(0, 0, 0.73, 0.73, "white", "paint", 0.02), *marks, *hands, polygon([(-0.5, -0.2), (-0.1, -0.62), (0.1, -0.66), (-0.6, 0.1)], "clear", "glass", 0.01)]


def book() -> list[Part]:
    """A closed book lying down; the second colour makes the band on its cover."""
    pages = box(-0.6, -0.84, 0.68, 0.92, "cream", "paper", 0.02)
    return [pages, box(-0.64, -0.9, 0.62, 0.86, swell=0.02), box(-0.64, -0.9, -0.54, 0.86, 0, swell=0.04), box(-0.44, -0.6, 0.5, -0.1, 1, "print", 0.005), *(tube([(-0.3, y), (0.3, y)], 0.04, 0, "skin", smooth=False) for y in (-0.45, -0.3)), ellipse(0.03, 0.36, 0.22, 0.22, 1, "print", 0.01)]


def tray() -> list[Part]:
    """A shallow tray seen from the side."""
    return [ellipse(0, 0, 1.0, 0.2, swell=0.05), ellipse(0, -0.02, 0.88, 0.14, 0, swell=0.03)]


HOUSEHOLD = {
    "teapot": teapot, "casserole": casserole, "pan": pan, "three_pans": three_pans, "moka": moka, "cezve": cezve, "mortar": mortar,
    "toaster": toaster, "stand_mixer": stand_mixer, "espresso_machine": espresso_machine, "pressure_cooker": pressure_cooker, "fondue": fondue,
    "plates": plates, "kitchen_lot": kitchen_lot, "vase": vase, "tall_vase": lambda: vase(1), "bottle_vase": lambda: vase(2), "candlesticks": candlesticks,
    "desk_lamp": desk_lamp, "lampshade": lampshade, "quilt": quilt, "cushions": cushions, "clock": clock, "book": book, "tray": tray,
}  # fmt: skip

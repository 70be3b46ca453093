"""Toys, sports gear, electronics, tools, things for babies."""

from __future__ import annotations

import numpy as np
from photo_renderer.outlines import Part, box, curve, ellipse, flipped, mirrored, moved, polygon, styled, tube


def puzzle_box(scene: str = "castle") -> list[Part]:
    """A cardboard box with a printed picture, a few pieces beside it."""
    sides = [polygon([(-0.9, 0.55), (0.9, 0.55), (0.86, 0.72), (-0.86, 0.72)], "navy", "paper", 0.01), box(-0.9, -0.7, 0.9, 0.56, "navy", "paper"), box(-0.84, -0.64, 0.84, 0.5, "lightblue", "print", 0.005)]
    hills = [curve([(-0.84, 0.5), (-0.84, 0.1), (-0.3, -0.1), (0.2, 0.1), (0.84, -0.05), (0.84, 0.5), (0.84, 0.5)], "orange" if scene == "castle" else "green", "print", 0.005)]
    if scene == "castle":
        hills += [box(-0.2, -0.25, 0.3, 0.2, "white", "print", 0.005), *(polygon([(x - 0.06, -0.2), (x + 0.06, -0.2), (x, -0.55)], "grey", "print", 0.005) for x in (-0.2, 0.05, 0.3)), box(-0.25, -0.25, -0.14, 0.2, "cream", "print", 0.005)]
    else:
        hills += [box(-0.5, -0.15, -0.05, 0.2, "red", "print", 0.005), polygon([(-0.56, -0.15), (0.0, -0.15), (-0.28, -0.42)], "brown", "print", 0.005), ellipse(0.35, 0.2, 0.16, 0.1, "white", "print", 0.005), ellipse(0.5, 0.12, 0.07, 0.06, "pink", "print", 0.005)]
    pieces = [part for x, y in ((-0.6, 0.95), (0.2, 1.0), (0.6, 0.9)) for part in (box(x - 0.09, y - 0.08, x + 0.09, y + 0.08, "lightblue", "paper"), ellipse(x + 0.1, y, 0.04, 0.04, "lightblue", "paper", 0.02))]
    return [*sides, *hills, polygon([(-0.84, -0.64), (-0.4, -0.64), (-0.84, -0.4)], "yellow", "print", 0.005), *pieces]


def bear() -> list[Part]:
    """A sitting teddy bear."""
    ears = [ellipse(s * 0.34, -0.82, 0.17, 0.17, swell=0.1) for s in (-1, 1)]
    legs = [ellipse(s * 0.5, 0.72, 0.27, 0.3, swell=0.2) for s in (-1, 1)]
    pads = [ellipse(s * 0.52, 0.76, 0.15, 0.18, "camel", "felt", 0.04) for s in (-1, 1)]
    arms = [curve([(s * 0.3, -0.2), (s * 0.5, -0.18), (s * 0.75, 0.2), (s * 0.72, 0.38), (s * 0.55, 0.36), (s * 0.32, 0.1)], swell=0.14) for s in (-1, 1)]
    face = [ellipse(0, -0.42, 0.17, 0.14, "camel", "felt", 0.1), ellipse(0, -0.48, 0.06, 0.04, "black", "plastic"), tube([(0, -0.45), (0, -0.38), (0.07, -0.35)], 0.016, "black", "skin"), *(ellipse(s * 0.16, -0.62, 0.04, 0.04, "black", "plastic") for s in (-1, 1))]
    return [*ears, mirrored([(0, -0.25), (0.3, -0.22), (0.48, 0.3), (0.4, 0.75), (0, 0.85)], swell=0.3), *arms, *legs, *pads, ellipse(0, -0.56, 0.42, 0.38, swell=0.26), *face, ellipse(-0.4, -0.82, 0.03, 0.03, "brass", "metal")]


def chess() -> list[Part]:
    """A board from above with pieces; felt of the second colour under two that lie."""
    board = [box(-0.95, -0.95, 0.95, 0.95, "walnut", "wood", 0.03)]
    squares = [box(-0.8 + 0.2 * c, -0.8 + 0.2 * r, -0.6 + 0.2 * c, -0.6 + 0.2 * r, "pine" if (r + c) % 2 == 0 else "chocolate", "wood", 0.003, 0.001) for r in range(8) for c in range(8)]
    men = [p for c, r, shade in ((0, 0, "walnut"), (2, 0, "walnut"), (4, 1, "walnut"), (7, 0, "walnut"), (3, 2, "walnut"), (1, 6, "pine"), (3, 7, "pine"), (4, 7, "pine"), (6, 5, "pine"), (5, 4, "pine")) for p in (ellipse(-0.7 + 0.2 * c, -0.7 + 0.2 * r, 0.085, 0.085, shade, "wood", 0.06), ellipse(-0.7 + 0.2 * c, -0.74 + 0.2 * r, 0.05, 0.05, shade, "wood", 0.05))]
    lying = [p for x, y in ((0.35, 1.12), (-0.3, 1.1)) for p in (tube([(x, y), (x + 0.22, y - 0.03)], 0.12, "walnut", "wood", smooth=False), ellipse(x, y, 0.06, 0.1, 1, "felt", 0.02))]
    return [*board, *squares, *men, *lying]


def train_set() -> list[Part]:
    """An oval of wooden track with an engine and two wagons."""
    angle = np.linspace(0, 2 * np.pi, 40)
    ring = [(0.82 * np.cos(a), 0.78 * np.sin(a)) for a in angle]
    track = [tube(ring, 0.24, "pine", "wood"), tube([(x * 0.94, y * 0.94) for x, y in ring], 0.035, "walnut", "skin"), tube([(x * 1.06, y * 1.06) for x, y in ring], 0.035, "walnut", "skin")]
    cars = [box(x - 0.15, 0.62, x + 0.15, 0.92, "oak", "wood", 0.08, 0.05) for x in (-0.36, 0.0, 0.36)]
    tops = [box(x - 0.1, 0.66, x + 0.1, 0.86, shade, "paint", 0.06, 0.05) for x, shade in ((-0.36, "red"), (0.0, "blue"), (0.36, "green"))]
    bridge = [tube([(-0.6, -0.7), (-0.2, -0.95), (0.3, -0.95), (0.6, -0.68)], 0.28, "teak", "wood")]
    return [*track, *bridge, *cars, *tops, box(-0.2, -0.2, 0.2, 0.15, "pine", "wood", 0.1, 0.06)]


def pirate_ship() -> list[Part]:
    """A toy ship: hull of the first colour, sails of the second."""
    masts = [tube([(x, -0.95), (x, 0.3)], 0.05, "chocolate", "plastic", smooth=False) for x in (-0.35, 0.3)]
    sails = [curve([(x - 0.3, y), (x - 0.3, y), (x + 0.3, y), (x + 0.3, y), (x + 0.36, y + 0.3), (x + 0.3, y + 0.4), (x - 0.3, y + 0.4), (x - 0.24, y + 0.2)], 1, "plastic", 0.1) for x in (-0.35, 0.3) for y in (-0.9, -0.42)]
    hull = curve([(-1.0, -0.05), (-1.0, -0.05), (-0.5, 0.16), (0.5, 0.16), (0.98, -0.2), (0.98, -0.2), (0.8, 0.6), (0.6, 0.74), (-0.6, 0.74), (-0.85, 0.5)], swell=0.16)
    lines = [tube([(-0.85, 0.3 + d), (0, 0.38 + d), (0.85, 0.24 + d)], 0.016, "black", "skin") for d in (0, 0.14)]
    skull = [ellipse(-0.35, -0.25, 0.08, 0.08, "black", "skin", 0.02), box(-0.4, -0.2, -0.3, -0.12, "black", "skin"), tube([(-0.48, -0.36), (-0.22, -0.1)], 0.03, "black", "skin", smooth=False)]
    guns = [ellipse(x, 0.46, 0.05, 0.05, "black", "skin", 0.03) for x in (-0.5, -0.15, 0.2, 0.55)]
    return [*masts, *sails, *skull, hull, *lines, *guns]


def rope() -> list[Part]:
    """A coiled climbing rope tied in the middle."""
    strands = [tube([(x - 0.02, -0.9), (x - 0.14 * np.sign(x), -0.3), (x * 0.5, 0.0), (x + 0.1 * np.sign(x), 0.5), (x, 0.9)], 0.1) for x in np.linspace(-0.5, 0.5, 11)]
    ends = [tube([(x, s * 0.86), (0, s * 1.04), (-x, s * 0.86)], 0.1) for x in (0.5, 0.38, 0.26, 0.14) for s in (-1, 1)]
    return [*ends, *strands, *(tube([(-0.34, y), (0, y + 0.04), (0.34, y)], 0.1) for y in (-0.14, -0.05, 0.04, 0.13)), tube([(0.3, 0.1), (0.7, 0.4), (0.5, 0.95), (0.9, 1.05)], 0.1)]


def tent() -> list[Part]:
    """A small tent, door open; the inner tent has the second colour."""
    shell = curve([(-1.0, 0.6), (-1.0, 0.6), (-0.6, -0.2), (-0.1, -0.7), (0.35, -0.6), (0.8, 0.0), (1.02, 0.6), (1.02, 0.6)], swell=0.2)
    door = curve([(-0.62, 0.6), (-0.62, 0.6), (-0.4, -0.05), (-0.15, -0.36), (0.05, 0.1), (0.2, 0.6), (0.2, 0.6)], 1, swell=0.05)
    gap = curve([(-0.3, 0.6), (-0.3, 0.6), (-0.22, 0.0), (-0.13, -0.22), (-0.06, 0.2), (0.0, 0.6), (0.0, 0.6)], "charcoal", "nylon", 0.03)
    guys = [tube([(x, y), (x2, 0.68)], 0.014, "white", "nylon", smooth=False) for x, y, x2 in ((-0.6, -0.2, -1.15), (0.8, 0.0, 1.18))]
    poles = [tube([(-0.9, 0.6), (-0.5, -0.3), (0.35, -0.62)], 0.02, "charcoal", "plastic"), tube([(-0.15, -0.66), (0.3, -0.2), (0.5, 0.6)], 0.02, "charcoal", "plastic")]
    return [*guys, shell, door, gap, *poles]


def sleeping_bag() -> list[Part]:
    """A mummy sleeping bag."""
    body = mirrored([(0, -0.95), (0.22, -0.92), (0.4, -0.66), (0.5, -0.35), (0.42, 0.4), (0.3, 0.95), (0.2, 1.05), (0, 1.06)], swell=0.2)
    return [body, mirrored([(0, -0.85), (0.16, -0.8), (0.22, -0.62), (0.1, -0.5), (0, -0.48)], "charcoal", "nylon", 0.08), tube([(-0.16, -0.5), (-0.3, 0.0), (-0.24, 0.7)], 0.03, "black", "nylon")]


def mat_roll() -> list[Part]:
    """A mat half rolled up; the underside has the second material."""
    flat = styled(polygon([(-0.62, -0.3), (0.62, -0.3), (0.68, 1.0), (-0.68, 1.0)], swell=0.02), turn=True)
    rolled = [box(-0.66, -0.72, 0.66, -0.26, "charcoal", 1, 0.22, 0.06), ellipse(0.64, -0.49, 0.09, 0.22, 0, swell=0.02), ellipse(0.64, -0.49, 0.05, 0.13, "charcoal", "rubber", 0.02), ellipse(0.64, -0.49, 0.025, 0.06, 0, swell=0.01)]
    return [flat, *rolled]


def trekking_poles() -> list[Part]:
    """A pair of trekking poles lying crossed; grips in the second material."""
    pole = [
        tube([(0, -0.6), (0, 1.05)], 0.05, "steel", 0, smooth=False), tube([(0, 0.2), (0, 0.3)], 0.09, "black", "plastic", smooth=False),
        ellipse(0, 0.92, 0.14, 0.06, "black", "plastic"), tube([(0.02, -1.0), (-0.02, -0.8), (0, -0.5)], 0.14, "cork", 1),
        tube([(0.03, -0.92), (0.3, -0.8), (0.24, -0.45), (0.02, -0.6)], 0.05, "black", "nylon"),
    ]  # fmt: skip
    other = [Part(p.outline @ np.array([[0.87, 0.5], [-0.5, 0.87]]), p.colour, p.material, p.swell) for p in pole]
    return [*moved(pole, -0.25, 0), *moved(other, 0.1, 0)]


def helmet() -> list[Part]:
    """A bicycle helmet from the side."""
    straps = [tube([(-0.4, 0.2), (-0.1, 0.75), (0.35, 0.2)], 0.05, "black", "nylon"), box(-0.16, 0.7, -0.02, 0.82, "black", "plastic")]
    shell = curve([(-0.9, 0.2), (-0.85, -0.2), (-0.5, -0.55), (0, -0.66), (0.5, -0.5), (0.85, -0.1), (0.92, 0.24), (0.5, 0.26), (0, 0.3), (-0.5, 0.32)], swell=0.3)
    vents = [curve([(x - 0.24, y + 0.1), (x, y - 0.06), (x + 0.26, y - 0.02), (x + 0.05, y + 0.1)], "black", "foam", 0.03) for x, y in ((-0.4, -0.1), (0.1, -0.28), (0.45, 0.0), (-0.1, 0.08))]
    return [*straps, shell, *vents, curve([(0.6, 0.16), (1.02, 0.28), (1.0, 0.36), (0.6, 0.3)], "black", "plastic")]


def bicycle() -> list[Part]:
    """A child's bicycle from the side."""
    wheels = [p for x in (-0.6, 0.62) for p in _wheel(x, 0.45, 0.4)]
    tubes = [[(-0.6, 0.45), (-0.12, 0.42)], [(-0.12, 0.42), (-0.28, -0.2)], [(-0.6, 0.45), (-0.24, -0.1)], [(-0.25, -0.1), (0.42, -0.22)], [(-0.12, 0.42), (0.42, -0.16)], [(0.38, -0.4), (0.62, 0.45)]]
    frame = [tube(points, 0.075, 0, smooth=False) for points in tubes]
    saddle = [curve([(-0.5, -0.3), (-0.2, -0.34), (-0.04, -0.26), (-0.2, -0.22), (-0.46, -0.2)], "black", "faux_leather"), tube([(-0.28, -0.15), (-0.29, -0.28)], 0.04, "steel", "metal", smooth=False)]
    bars = [tube([(0.38, -0.4), (0.36, -0.52), (0.2, -0.6)], 0.05, "steel", "metal"), tube([(0.28, -0.58), (0.14, -0.58)], 0.07, "black", "rubber", smooth=False)]
    return [*wheels, *frame, *saddle, *bars, ellipse(-0.12, 0.42, 0.13, 0.13, "charcoal", "metal"), tube([(-0.12, 0.42), (-0.02, 0.6)], 0.04, "steel", "metal", smooth=False), box(-0.1, 0.58, 0.08, 0.64, "black", "plastic")]


def _wheel(x: float, y: float, radius: float) -> list[Part]:
    angle = np.linspace(0, 2 * np.pi, 40)
    ring = list(zip(x + radius * np.cos(angle), y + radius * np.sin(angle), strict=True))
    inner = list(zip(x + radius * 0.9 * np.cos(angle), y + radius * 0.9 * np.sin(angle), strict=True))
    spokes = [tube([(x, y), (x + radius * np.cos(a), y + radius * np.sin(a))], 0.012, "steel", "skin", smooth=False) for a in np.arange(14) * np.pi / 7]
    return [*spokes, tube(inner, 0.03, "steel", "metal"), tube(ring, 0.075, "black", "rubber"), ellipse(x, y, 0.05, 0.05, "steel", "metal")]


def goal() -> list[Part]:
    """A small football goal with a net."""
    net = [tube([(x, -0.55), (x * 0.95, 0.6)], 0.012, "white", "nylon", smooth=False) for x in np.linspace(-0.9, 0.9, 19)]
    net += [tube([(-0.92, y), (0.92, y)], 0.012, "white", "nylon", smooth=False) for y in np.linspace(-0.5, 0.55, 12)]
    frame = tube([(-0.98, 0.66), (-0.98, -0.6), (0.98, -0.6), (0.98, 0.66)], 0.11, 0, smooth=False)
    joints = [box(x - 0.09, -0.68, x + 0.09, -0.5, "charcoal", "plastic") for x in (-0.98, 0.98)]
    return [*net, tube([(-0.8, 0.58), (0.8, 0.58)], 0.06, 0, smooth=False), frame, *joints]


def shin_pads() -> list[Part]:
    """A pair of shin pads with straps."""
    shell = mirrored([(0, -0.75), (0.26, -0.7), (0.34, -0.2), (0.26, 0.5), (0.14, 0.72), (0, 0.74)], swell=0.2)
    pad = [tube([(-0.44, -0.3), (0.44, -0.34)], 0.13, "black", "elastane", smooth=False), tube([(-0.38, 0.3), (0.38, 0.26)], 0.13, "black", "elastane", smooth=False), shell, *(tube([(x, -0.5), (x, 0.4)], 0.05, 0, smooth=False) for x in (-0.12, 0, 0.12)), box(-0.1, -0.66, 0.1, -0.56, "black", "print")]
    return [*moved(pad, -0.45, 0.05), *moved(pad, 0.45, -0.05)]


def spade() -> list[Part]:
    """A digging spade, standing."""
    return [tube([(0, -0.75), (0, 0.4)], 0.09, "grey", 0, smooth=False), tube([(-0.22, -0.95), (0.22, -0.95)], 0.12, 0, "plastic", smooth=False), tube([(-0.2, -0.95), (-0.05, -0.7), (0.05, -0.7), (0.2, -0.95)], 0.08, 0, "plastic"), curve([(-0.3, 0.3), (-0.3, 0.3), (0.3, 0.3), (0.3, 0.3), (0.28, 0.8), (0, 1.1), (-0.28, 0.8)], "steel", 0, 0.1), tube([(0, 0.2), (0, 0.62)], 0.1, "grey", 0, smooth=False)]


def secateurs() -> list[Part]:
    """Secateurs lying open."""
    blade = curve([(0.0, 0.0), (-0.1, -0.3), (-0.02, -0.72), (0.1, -0.9), (0.16, -0.5), (0.14, -0.1)], "steel", "metal", 0.06)
    hook = curve([(0.05, 0.05), (-0.2, -0.1), (-0.4, -0.4), (-0.42, -0.7), (-0.3, -0.5), (-0.12, -0.25), (0.1, -0.1)], "charcoal", "metal", 0.06)
    arms = [tube([(-0.02, 0.05), (-0.18, 0.4), (-0.24, 0.7), (-0.16, 0.98)], 0.17), tube([(0.06, 0.05), (0.26, 0.4), (0.34, 0.7), (0.28, 0.98)], 0.17)]
    return [hook, blade, *arms, tube([(-0.1, 0.24), (0.06, 0.3), (0.18, 0.24)], 0.06, "steel", "metal"), ellipse(0.02, 0.0, 0.1, 0.1, "steel", "metal", 0.05)]


def wheelbarrow() -> list[Part]:
    """A builder's wheelbarrow from the side."""
    handles = [tube([(-1.05, -0.15), (-0.2, 0.3), (0.72, 0.5)], 0.07, "charcoal", "metal"), tube([(-1.08, -0.18), (-0.85, -0.04)], 0.1, "black", "rubber", smooth=False)]
    leg = tube([(-0.45, 0.2), (-0.4, 0.8), (-0.15, 0.8), (-0.1, 0.35)], 0.06, "charcoal", "metal", smooth=False)
    tray = curve([(-0.75, -0.4), (-0.75, -0.4), (0.78, -0.5), (0.78, -0.5), (0.45, 0.2), (0.3, 0.3), (-0.35, 0.26), (-0.5, 0.15)], swell=0.16)
    return [*handles, leg, *_wheel(0.72, 0.55, 0.26), tray, tube([(-0.77, -0.4), (0.8, -0.5)], 0.07, 0, smooth=False)]


def pots(can: bool = False) -> list[Part]:
    """Flower pots of several sizes; with a watering can of the second colour."""
    lot: list[Part] = []
    spots = ((-0.6, 0.15, 0.5), (0.48, 0.08, 0.55), (-0.02, 0.48, 0.42), (-0.72, 0.75, 0.3), (0.7, 0.7, 0.32))
    for x, y, s in spots[: 3 if can else 5]:
        body = polygon([(-0.62, -0.5), (0.62, -0.5), (0.44, 0.7), (-0.44, 0.7)], swell=0.28)
        lot += moved([body, box(-0.7, -0.72, 0.7, -0.44, swell=0.16, corner=0.04), ellipse(0, -0.7, 0.64, 0.12, "chocolate", "clay", 0.04)], x, y, s)
    if can:
        lot += [tube([(-0.25, 0.55), (-0.6, 0.8), (-0.95, 0.45)], 0.08, 1, "plastic"), ellipse(-0.97, 0.42, 0.12, 0.08, 1, "plastic"), tube([(0.0, 0.4), (0.3, 0.24), (0.5, 0.6), (0.35, 0.9)], 0.07, 1, "plastic"), box(-0.3, 0.44, 0.34, 1.0, 1, "plastic", 0.16, 0.08)]
        lot += [tube([(0.55, 0.55), (0.6, 0.8)], 0.09, "oak", "wood", smooth=False), curve([(0.54, 0.8), (0.68, 0.78), (0.72, 1.0), (0.64, 1.12), (0.56, 1.0)], "steel", "metal")]
    return lot


def mower() -> list[Part]:
    """A push reel mower."""
    handle = [tube([(0.1, 0.45), (-0.75, -0.95)], 0.06, "charcoal", "metal", smooth=False), tube([(0.45, 0.4), (-0.45, -0.98)], 0.06, "charcoal", "metal", smooth=False), tube([(-0.85, -0.92), (-0.38, -1.0)], 0.1, 0, "plastic", smooth=False)]
    reel = [tube([(0.0, 0.35 + d), (0.4, 0.55 + d), (0.7, 0.35 + d)], 0.05, "steel", "metal") for d in (0, 0.12, 0.24)]
    return [*handle, *_wheel(0.7, 0.5, 0.28), *reel, *_wheel(-0.02, 0.55, 0.32), box(-0.1, 0.26, 0.8, 0.38, 0, "plastic", 0.04), ellipse(-0.02, 0.55, 0.16, 0.16, 0, "plastic", 0.04)]


def carrier() -> list[Part]:
    """A soft baby carrier laid out."""
    straps = [curve([(0.2, -0.6), (0.4, -1.0), (0.7, -0.9), (0.8, -0.2), (0.66, 0.3), (0.56, 0.1), (0.6, -0.5), (0.42, -0.66)], swell=0.1)]
    belt = curve([(-1.05, 0.5), (-0.5, 0.42), (0, 0.4), (0.5, 0.42), (1.05, 0.5), (1.05, 0.74), (0.4, 0.86), (-0.4, 0.86), (-1.05, 0.74)], swell=0.1)
    body = mirrored([(0, -0.75), (0.34, -0.72), (0.36, -0.2), (0.5, 0.3), (0.46, 0.6), (0, 0.62)], swell=0.1)
    buckles = [box(s * 0.98 - 0.09, 0.52, s * 0.98 + 0.09, 0.72, "black", "plastic") for s in (-1, 1)]
    return [*straps, *flipped(straps), belt, body, box(-0.3, -0.4, 0.3, 0.1, swell=0.04), *buckles, box(-0.12, -0.12, 0.12, 0.0, "black", "print")]


def pram() -> list[Part]:
    """A pram from the side: fabric of the first colour, frame of the second material."""
    frame = [tube([(-0.55, 0.62), (0.1, 0.2), (0.9, -0.75)], 0.06, "steel", 1, smooth=False), tube([(0.6, 0.62), (-0.1, 0.1)], 0.06, "steel", 1, smooth=False), tube([(0.8, -0.62), (0.98, -0.86)], 0.1, "black", "leather", smooth=False)]
    cot = curve([(-0.75, -0.15), (-0.75, -0.15), (0.5, -0.15), (0.5, -0.15), (0.46, 0.2), (0.3, 0.32), (-0.5, 0.3), (-0.72, 0.1)], swell=0.16)
    hood = curve([(-0.78, -0.15), (-0.8, -0.6), (-0.5, -0.9), (-0.1, -0.8), (0.02, -0.15), (0.02, -0.15)], swell=0.2)
    ribs = [tube([(-0.3, -0.15), (-0.55, -0.86)], 0.014, "charcoal", "skin", smooth=False), tube([(-0.3, -0.15), (-0.15, -0.82)], 0.014, "charcoal", "skin", smooth=False)]
    return [*frame, *_wheel(-0.55, 0.66, 0.3), *_wheel(0.6, 0.72, 0.22), cot, hood, *ribs]


GEAR = {
    "farm_puzzle": lambda: puzzle_box("farm"), "castle_puzzle": puzzle_box, "bear": bear, "chess": chess, "train_set": train_set, "pirate_ship": pirate_ship,
    "rope": rope, "tent": tent, "sleeping_bag": sleeping_bag, "mat_roll": mat_roll, "trekking_poles": trekking_poles, "helmet": helmet, "bicycle": bicycle,
    "goal": goal, "shin_pads": shin_pads, "spade": spade, "secateurs": secateurs, "wheelbarrow": wheelbarrow, "pots": pots, "pots_and_can": lambda: pots(can=True),
    "mower": mower, "carrier": carrier, "pram": pram,
}  # fmt: skip

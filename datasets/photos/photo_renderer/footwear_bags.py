"""Shoes from the side (always as a pair), bags, belts, scarves."""

from __future__ import annotations

import numpy as np
from photo_renderer.outlines import Part, Points, box, curve, ellipse, flipped, moved, polygon, styled, tube


def _pair(shoe: list[Part], dx: float = 0.16, dy: float = 0.42) -> list[Part]:
    return [*moved(shoe, dx, -dy, 0.86), *moved(shoe, -dx, dy, 0.95)]


def _sole(points: Points, colour: int | str = "black", material: int | str = "rubber") -> Part:
    return tube(points, 0.1, colour, material)


def _laces(points: Points, colour: str) -> list[Part]:
    laces = []
    for x, y in points:
        laces += [tube([(x - 0.09, y - 0.03), (x + 0.07, y + 0.05)], 0.028, colour, "cotton", smooth=False)]
        laces += [ellipse(x + 0.08, y + 0.06, 0.018, 0.018, "steel", "metal", 0.01)]
    return laces


def boots(shaft: float = 0.55, laces: str | None = "charcoal", sole: int | str = "black", chunky: bool = False) -> list[Part]:
    """Ankle or walking boots; without laces they have a stretch panel."""
    upper = curve(
        [(-0.8, 0.3), (-0.78, -0.1), (-0.72, -shaft), (-0.72, -shaft), (-0.3, -shaft - 0.03), (-0.3, -shaft - 0.03), (-0.18, -0.1), (0.2, 0.02), (0.68, 0.1), (0.84, 0.3), (0.8, 0.36), (0.0, 0.38), (-0.7, 0.38)],
        swell=0.14,
    )
    toe = tube([(0.42, 0.05), (0.5, 0.18), (0.5, 0.34)], 0.014, "charcoal", "skin")
    parts = [upper, toe, _sole([(-0.8, 0.4), (0, 0.42), (0.82, 0.38)], sole)]
    if chunky:
        parts.append(polygon([(-0.82, 0.4), (-0.4, 0.42), (-0.44, 0.56), (-0.8, 0.56)], sole, "rubber"))
        parts.append(box(-0.1, 0.4, 0.8, 0.5, sole, "rubber"))
    if laces:
        eyes = [(-0.27 + 0.04 * k * k * 0.4, -shaft + 0.08 + 0.14 * k) for k in range(int(shaft / 0.14) + 1)]
        parts += _laces([*eyes, (0.0, 0.0), (0.13, 0.04)], laces)
    else:
        parts.append(polygon([(-0.6, -shaft), (-0.42, -shaft), (-0.45, 0.1), (-0.55, 0.1)], "charcoal", "cotton", 0.02))
    return _pair(parts)


def wellies() -> list[Part]:
    """Tall rubber boots."""
    boot = [
        curve([(-0.6, 0.7), (-0.56, 0.2), (-0.58, -0.85), (-0.58, -0.85), (-0.06, -0.85), (-0.06, -0.85), (-0.04, 0.1), (0.2, 0.4), (0.56, 0.5), (0.66, 0.7), (0.1, 0.76)], swell=0.16),
        tube([(-0.58, -0.8), (-0.06, -0.8)], 0.07, 0, smooth=False), _sole([(-0.6, 0.76), (0, 0.78), (0.66, 0.74)], "charcoal"),
        box(-0.12, -0.6, -0.02, -0.5, "white", "plastic"),
    ]  # fmt: skip
    return [*moved(boot, 0.42, -0.12, 0.9), *moved(boot, -0.3, 0.1)]


def low_shoes(laces: str | None = "white", sole: int | str = "white", studs: bool = False, stripe: int | str | None = 1) -> list[Part]:
    """Trainers, football boots, climbing shoes, school shoes."""
    upper = curve(
        [(-0.86, 0.2), (-0.84, -0.14), (-0.74, -0.34), (-0.5, -0.2), (-0.3, -0.34), (-0.16, -0.36), (0.1, -0.1), (0.5, 0.0), (0.84, 0.12), (0.9, 0.26), (0.4, 0.32), (-0.6, 0.3)],
        swell=0.13,
    )
    mouth = curve([(-0.72, -0.3), (-0.5, -0.18), (-0.3, -0.32), (-0.46, -0.26)], "charcoal", "cotton", 0.02)
    parts = [upper, mouth, _sole([(-0.86, 0.32), (0, 0.34), (0.9, 0.28)], sole)]
    if stripe is not None:
        parts += [tube([(-0.36 + d, 0.26), (-0.2 + d, 0.02), (-0.02 + d, -0.1)], 0.05, stripe) for d in (-0.12, 0.04, 0.2)]
    if studs:
        parts += [polygon([(x - 0.05, 0.36), (x + 0.05, 0.36), (x + 0.03, 0.5), (x - 0.03, 0.5)], sole, "plastic") for x in (-0.7, -0.5, 0.15, 0.38, 0.6)]
    if laces:
        parts += _laces([(-0.14, -0.26), (-0.03, -0.19), (0.08, -0.12), (0.19, -0.07)], laces)
    else:
        parts += [tube([(-0.2, -0.32 + d), (0.05, -0.02 + d)], 0.11, 0) for d in (0.06, 0.2)]
    return _pair(parts)


def heels(height: float = 0.6, strap: bool = False) -> list[Part]:
    """Court shoes with a heel of this height."""
    lift = 0.4 - height
    upper = curve([(-0.7, lift + 0.1), (-0.72, lift - 0.22), (-0.6, lift - 0.24), (-0.4, lift + 0.06), (0.1, 0.24), (0.4, 0.2), (0.8, 0.34), (0.9, 0.42), (0.4, 0.44), (-0.1, 0.3), (-0.5, lift + 0.2)], swell=0.09)
    heel = polygon([(-0.71, lift + 0.04), (-0.5, lift + 0.16), (-0.6, 0.46), (-0.68, 0.46)], 0, 0, 0.04)
    parts = [heel, upper, tube([(-0.5, lift + 0.2), (-0.1, 0.34), (0.4, 0.45), (0.88, 0.44)], 0.03, "charcoal", "leather")]
    if strap:
        parts.append(tube([(-0.5, lift - 0.06), (-0.3, lift - 0.12), (-0.1, 0.2)], 0.05))
    return _pair(parts)


def sandals() -> list[Part]:
    """Two-strap sandals from above."""
    foot = curve([(-0.26, 0.85), (-0.3, 0.5), (-0.24, 0.1), (-0.34, -0.4), (-0.26, -0.82), (0.04, -0.95), (0.26, -0.7), (0.28, -0.3), (0.2, 0.2), (0.24, 0.6), (0.14, 0.88)], "camel", "cork", 0.08)
    straps = [tube([(-0.38, y), (-0.1, y - 0.08), (0.3, y + 0.06)], 0.22) for y in (-0.5, -0.12)]
    buckles = [box(0.1, y - 0.07, 0.24, y + 0.07, "steel", "metal") for y in (-0.48, -0.1)]
    sandal = [foot, *straps, *buckles]
    return [*moved(flipped(sandal), -0.42, -0.04), *moved(sandal, 0.42, 0.04)]


def clogs() -> list[Part]:
    """Closed clogs from above."""
    foot = curve([(-0.28, 0.85), (-0.32, 0.4), (-0.36, -0.4), (-0.2, -0.85), (0.1, -0.92), (0.34, -0.5), (0.26, 0.3), (0.26, 0.8), (0, 0.92)], "camel", "cork", 0.06)
    upper = curve([(-0.42, 0.0), (-0.44, -0.5), (-0.22, -0.95), (0.12, -1.0), (0.4, -0.55), (0.34, 0.02), (0.34, 0.02), (0.0, -0.14), (-0.42, 0.0)], swell=0.14)
    strap = tube([(-0.42, -0.2), (-0.05, -0.32), (0.36, -0.18)], 0.1)
    clog = [foot, upper, strap, box(0.16, -0.32, 0.3, -0.18, "brass", "metal")]
    return [*moved(flipped(clog), -0.44, 0), *moved(clog, 0.44, 0.05)]


def handbag(handles: bool = True, flap: bool = False, chain: bool = False) -> list[Part]:
    """A bag from the front: two handles, a flap with locks, or a chain."""
    body = curve([(-0.75, -0.3), (-0.75, -0.3), (0.75, -0.3), (0.75, -0.3), (0.84, 0.3), (0.82, 0.74), (0.82, 0.74), (0, 0.78), (-0.82, 0.74), (-0.82, 0.74), (-0.84, 0.3)], swell=0.16)
    parts: list[Part] = []
    if chain:
        parts += [ellipse(0.74 * np.cos(a), -0.3 - 0.62 * np.sin(a), 0.045, 0.045, "gold", "metal", 0.03) for a in np.linspace(0, np.pi, 22)]
    if handles:
        parts += [tube([(-0.42, -0.2), (-0.38, -0.7), (0, -0.92), (0.38, -0.7), (0.42, -0.2)], 0.07)]
    parts.append(body)
    if handles:
        parts += [tube([(-0.42, 0.0), (-0.36, -0.5), (0, -0.66), (0.36, -0.5), (0.42, 0.0)], 0.07)]
        parts += [tube([(-0.72, -0.26), (0.72, -0.26)], 0.02, "brass", "metal", smooth=False)]
    if flap:
        cover = curve([(-0.78, -0.34), (-0.78, -0.34), (0.78, -0.34), (0.78, -0.34), (0.76, 0.16), (0, 0.26), (-0.76, 0.16)], swell=0.1)
        parts.append(cover)
    return parts


def quilted_bag() -> list[Part]:
    """A quilted shoulder bag on a chain."""
    seams = [tube([(x, -0.3), (x + 0.9 * d, 0.24)], 0.014, "charcoal", "skin", smooth=False) for d in (-1, 1) for x in (-0.6, -0.3, 0, 0.3, 0.6) if abs(x + 0.9 * d) < 1.0]
    return [*handbag(handles=False, flap=True, chain=True), *seams, ellipse(0, 0.22, 0.08, 0.07, "gold", "metal")]


def briefcase() -> list[Part]:
    """An old leather case with a flap, a handle and two locks."""
    straps = [box(x - 0.06, -0.3, x + 0.06, 0.34, swell=0.02) for x in (-0.45, 0.45)]
    locks = [box(x - 0.08, 0.16, x + 0.08, 0.32, "brass", "metal") for x in (-0.45, 0.45)]
    return [tube([(-0.25, -0.3), (-0.2, -0.5), (0.2, -0.5), (0.25, -0.3)], 0.09), *handbag(handles=False, flap=True), *straps, *locks]


def messenger() -> list[Part]:
    """A tarpaulin bag; the second colour makes a band on the flap."""
    strap = tube([(-0.8, -0.1), (-0.7, -0.8), (0.2, -1.0), (0.8, -0.6), (0.8, -0.1)], 0.12, "charcoal", "nylon")
    band = polygon([(-0.7, -0.34), (-0.1, -0.34), (0.3, 0.2), (-0.4, 0.22)], 1, swell=0.01)
    stripe = polygon([(0.35, -0.34), (0.62, -0.34), (0.74, 0.12), (0.6, 0.16)], 1, swell=0.01)
    return [strap, *handbag(handles=False, flap=True), band, stripe]


def backpack(roll: bool = False) -> list[Part]:
    """A small square backpack, or a roll-top one."""
    handles = [tube([(x, -0.7), (0, -1.0), (-x, -0.7)], 0.06) for x in (0.12, 0.2)]
    body = box(-0.6, -0.78, 0.6, 0.85, swell=0.14, corner=0.2)
    if roll:
        rolled = [box(-0.62, -0.95, 0.62, -0.72, swell=0.1, corner=0.1), tube([(0, -0.95), (0, 0.3)], 0.06, "black", "nylon", smooth=False)]
        return [body, *rolled, box(-0.09, -0.5, 0.09, -0.36, "black", "plastic"), tube([(-0.58, 0.35), (0.58, 0.35)], 0.03, "black", "nylon", smooth=False), box(-0.18, 0.5, 0.18, 0.66, "white", "print")]
    pocket = box(-0.46, 0.12, 0.46, 0.74, swell=0.08, corner=0.08)
    zip_line = tube([(-0.58, 0.0), (-0.56, -0.6), (-0.3, -0.72), (0.3, -0.72), (0.56, -0.6), (0.58, 0.0)], 0.025, "charcoal", "nylon")
    badge = ellipse(0, -0.3, 0.13, 0.13, "rust", "leather", 0.02)
    return [*handles, body, zip_line, pocket, tube([(-0.4, 0.2), (0.4, 0.2)], 0.02, "charcoal", "nylon", smooth=False), badge, ellipse(0, -0.3, 0.07, 0.07, "white", "print", 0.01)]


def suitcase() -> list[Part]:
    """A ribbed cabin case with a dent in one corner."""
    handle = [tube([(-0.3, -0.75), (-0.3, -1.08), (0.3, -1.08), (0.3, -0.75)], 0.05, "charcoal", "plastic", smooth=False)]
    body = curve([(-0.62, -0.85), (-0.5, -0.88), (0.5, -0.88), (0.62, -0.8), (0.62, 0.7), (0.5, 0.6), (0.44, 0.84), (0.4, 0.88), (-0.5, 0.88), (-0.62, 0.8)], swell=0.05)
    ribs = [tube([(x, -0.84), (x, 0.84 if x < 0.4 else 0.55)], 0.045, 0, smooth=False) for x in (-0.52, -0.41, -0.3, -0.19, -0.08, 0.03, 0.14, 0.25, 0.36, 0.47)]
    wheels = [ellipse(x, 0.95, 0.08, 0.08, "black", "rubber") for x in (-0.45, 0.4)]
    return [*handle, *wheels, body, *ribs, box(-0.12, -0.06, 0.12, 0.06, "charcoal", "plastic"), box(0.56, -0.3, 0.68, 0.1, "charcoal", "plastic")]


def wallet() -> list[Part]:
    """A card holder with two cards looking out."""
    cards = [box(-0.4 + d, -0.72 + d, 0.42 + d, 0.2, shade, "plastic", corner=0.05) for d, shade in ((0.05, "lightblue"), (0.0, "steel"))]
    body = box(-0.5, -0.55, 0.5, 0.75, swell=0.07, corner=0.08)
    return [*cards, body, box(0.1, -0.1, 0.56, 0.24, swell=0.04, corner=0.06), ellipse(0.22, 0.07, 0.05, 0.05, "steel", "metal")]


def belt() -> list[Part]:
    """A rolled belt with its end lying out."""
    angle = np.linspace(0, 4.4 * np.pi, 60)
    radius = 0.62 - 0.022 * angle
    spiral = list(zip(radius * np.cos(angle) - 0.1, 0.8 * radius * np.sin(angle) - 0.15, strict=True))
    tail = [(0.5, -0.15), (0.55, 0.3), (0.2, 0.75), (-0.5, 0.85)]
    buckle = [box(-0.76, 0.66, -0.46, 1.0, 1, "metal", 0.03), box(-0.69, 0.74, -0.54, 0.92, "charcoal", "skin"), tube([(-0.75, 0.83), (-0.5, 0.85)], 0.04, 1, "metal")]
    return [tube(spiral[::-1], 0.1), tube(tail, 0.15), *buckle, *(ellipse(x, y, 0.02, 0.02, "black", "skin", 0.01) for x, y in ((-0.2, 0.84), (-0.05, 0.82)))]


def square_scarf(fringe: bool = False) -> list[Part]:
    """A square of cloth, a corner turned over; the second colour makes sprigs."""
    cloth = curve([(-0.84, -0.8), (-0.84, -0.8), (0.0, -0.84), (0.82, -0.78), (0.82, -0.78), (0.86, 0.0), (0.8, 0.84), (0.8, 0.84), (0, 0.8), (-0.8, 0.85), (-0.8, 0.85), (-0.85, 0)], swell=0.03)
    turned = polygon([(0.28, -0.81), (0.82, -0.78), (0.84, -0.25), (0.4, -0.3)], 0, swell=0.05)
    if not fringe:
        return [styled(cloth, pattern="sprigs"), turned]
    threads = [tube([(x, 0.8), (x + 0.05 * np.sin(9 * x), 1.02)], 0.018, 0) for x in np.linspace(-0.8, 0.8, 34)]
    threads += [tube([(s * 0.82, y), (s * 1.02, y + 0.05 * np.sin(9 * y))], 0.018, 0) for s in (-1, 1) for y in np.linspace(-0.75, 0.8, 34)]
    return [*threads, cloth]


def scarves_and_beret() -> list[Part]:
    """A plain scarf, a striped one (bars of the second and third colour) and a beret in the third."""
    plain = curve([(-0.95, -0.9), (-0.95, -0.9), (-0.5, -0.95), (-0.5, -0.95), (-0.4, 0.0), (-0.45, 0.9), (-0.45, 0.9), (-0.9, 0.95), (-0.9, 0.95), (-0.85, 0)], 0)
    stripes = [box(-0.25, -0.95 + 0.2 * k, 0.2, -0.75 + 0.2 * k, 1 + k % 2, swell=0.02) for k in range(9)]
    beret = [ellipse(0.62, 0.1, 0.42, 0.36, 2, "felt", 0.2), tube([(0.62, -0.22), (0.66, -0.34)], 0.05, 2, "felt")]
    return [plain, *stripes, *beret]


def sleeve_case() -> list[Part]:
    """A laptop sleeve with a flap."""
    return [box(-0.9, -0.6, 0.9, 0.66, swell=0.04, corner=0.06), polygon([(-0.88, -0.6), (0.88, -0.6), (0.5, -0.1), (-0.5, -0.1)], swell=0.04), ellipse(0, -0.2, 0.04, 0.04, "steel", "metal")]


FOOTWEAR_BAGS = {
    "walking_boots": lambda: boots(0.5, "rust", chunky=True), "lace_boots": lambda: boots(0.62, "charcoal"), "og_boots": lambda: boots(0.62, "grey", "camel"),
    "chelsea_boots": lambda: boots(0.5, None), "wellies": wellies, "trainers": low_shoes, "climbing_shoes": lambda: low_shoes("black", 1, stripe=1),
    "football_boots": lambda: low_shoes("black", "black", studs=True, stripe="white"), "mint_boots": lambda: low_shoes("white", "white", studs=True, stripe=None),
    "school_shoes": lambda: low_shoes(None, "black", stripe=None), "road_shoes": lambda: low_shoes(None, "black", stripe=None), "skate_shoes": lambda: low_shoes("white", "white", stripe=None),
    "stilettos": lambda: heels(0.75), "character_shoes": lambda: heels(0.5, strap=True), "sandals": sandals, "clogs": clogs,
    "tote": handbag, "quilted_bag": quilted_bag, "briefcase": briefcase, "messenger": messenger, "backpack": backpack, "roll_pack": lambda: backpack(roll=True),
    "suitcase": suitcase, "wallet": wallet, "belt": belt, "square_scarf": square_scarf, "shawl": lambda: square_scarf(fringe=True),
    "scarves_beret": scarves_and_beret, "laptop_sleeve": sleeve_case,
}  # fmt: skip

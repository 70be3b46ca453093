"""Furniture and furnishings, standing: front views with a hint of depth."""

from __future__ import annotations

import numpy as np
from photo_renderer.outlines import Part, box, curve, ellipse, flipped, mirrored, moved, polygon, styled, tube


def bookcase() -> list[Part]:
    """A tall open bookcase with a few books left in it."""
    inside: list[Part] = []
    for y in (-1.05 + 0.42 * k for k in range(5)):
        inside += [box(-0.39, y, 0.39, y + 0.37, 0, "paint", 0.004)]
        inside += [box(-0.39, y, 0.39, y + 0.05, "grey", "paint", 0.03), box(-0.39, y, -0.33, y + 0.37, "grey", "paint", 0.03)]
    spines = ("red", "navy", "cream", "olive", "charcoal", "mustard", "petrol")
    books = [box(-0.3 + 0.07 * k, -0.48 + 0.03 * (k * k % 3), -0.235 + 0.07 * k, -0.26, shade, "print", 0.02) for k, shade in enumerate(spines)]
    shelves = [box(-0.42, -0.69 + 0.42 * k, 0.42, -0.63 + 0.42 * k, swell=0.015) for k in range(5)]
    return [box(-0.45, -1.1, 0.45, 1.1), *inside, *books, *shelves, box(-0.45, 1.02, 0.45, 1.1)]


def wardrobe() -> list[Part]:
    """Two doors with panels, a cornice, feet."""
    door = [box(-0.68, -0.92, -0.01, 0.9, swell=0.03), box(-0.58, -0.8, -0.12, 0.0, swell=0.05), box(-0.58, 0.12, -0.12, 0.78, swell=0.05), ellipse(-0.06, 0.05, 0.02, 0.05, "brass", "metal")]
    feet = [box(x - 0.08, 0.95, x + 0.08, 1.08) for x in (-0.6, 0.6)]
    return [*feet, box(-0.72, -0.98, 0.72, 0.98), *door, *flipped(door), styled(box(-0.8, -1.1, 0.8, -0.96, swell=0.05), turn=True)]


def sideboard() -> list[Part]:
    """A long low cabinet on thin legs with sliding doors and drawers."""
    legs = [polygon([(x - 0.05, 0.3), (x + 0.05, 0.3), (x + 0.03, 0.7), (x - 0.03, 0.7)]) for x in (-0.85, 0.85)]
    doors = [styled(box(x, -0.24, x + 0.6, 0.28, swell=0.02), turn=True) for x in (-0.97, -0.33)]
    drawers = [styled(box(0.32, -0.24 + 0.18 * k, 0.97, -0.08 + 0.18 * k, swell=0.03), turn=True) for k in range(3)]
    grips = [ellipse(x, 0.02, 0.03, 0.09, "chocolate", "skin", 0.02) for x in (-0.44, -0.25)]
    knobs = [ellipse(0.64, -0.16 + 0.18 * k, 0.03, 0.02, "chocolate", "skin") for k in range(3)]
    top = polygon([(-1.0, -0.34), (1.0, -0.34), (1.02, -0.28), (-1.02, -0.28)])
    lid = polygon([(-0.92, -0.46), (0.92, -0.46), (1.0, -0.33), (-1.0, -0.33)], swell=0.01)
    return [*legs, styled(box(-1.0, -0.3, 1.0, 0.34), turn=True), *doors, *drawers, *grips, *knobs, styled(lid, turn=True), styled(top, turn=True)]


def plan_chest() -> list[Part]:
    """Six flat drawers with label holders."""
    parts = [polygon([(-0.85, -0.72), (0.85, -0.72), (0.95, -0.55), (-0.95, -0.55)], swell=0.01), box(-0.95, -0.55, 0.95, 0.7)]
    for k in range(6):
        y = -0.5 + 0.19 * k
        parts += [box(-0.9, y, 0.9, y + 0.17, swell=0.025), box(-0.12, y + 0.04, 0.12, y + 0.11, "white", "print")]
        parts += [tube([(x - 0.08, y + 0.1), (x + 0.08, y + 0.1)], 0.03, "steel", "metal", smooth=False) for x in (-0.55, 0.55)]
    return parts


def dresser() -> list[Part]:
    """Plate rack above three drawers."""
    rack = [box(-0.68, -1.1, 0.68, 0.1), box(-0.6, -0.98, 0.6, 0.06, "chocolate", "wood", 0.06)]
    shelves = [styled(box(-0.62, y, 0.62, y + 0.06), turn=True) for y in (-0.7, -0.36)]
    plates = [p for y in (-0.82, -0.48, -0.12) for x in (-0.4, -0.1, 0.25) for p in (ellipse(x, y, 0.11, 0.11, "white", "ceramic", 0.03), ellipse(x, y, 0.06, 0.06, "lightblue", "ceramic", 0.02))]
    drawers = [p for x in (-0.72, -0.24, 0.24) for p in (styled(box(x, 0.2, x + 0.46, 0.45, swell=0.03), turn=True), ellipse(x + 0.23, 0.33, 0.03, 0.03, "brass", "metal"))]
    doors = [p for x in (-0.72, 0.02) for p in (box(x, 0.5, x + 0.7, 1.0, swell=0.03), box(x + 0.1, 0.58, x + 0.6, 0.92, swell=0.05))]
    return [*rack, *shelves, *plates, box(-0.78, 0.1, 0.78, 1.06), *drawers, *doors, styled(box(-0.82, 0.06, 0.82, 0.15, swell=0.03), turn=True)]


def table(drawer: bool = False, legs: int | str = 1) -> list[Part]:
    """A table or desk seen a little from above; legs in the second material."""
    back = [tube([(x, -0.2), (x * 1.03, 0.45)], 0.05, legs, legs, smooth=False) for x in (-0.72, 0.72)]
    front = [tube([(x, -0.05), (x * 1.02, 0.8)], 0.07, legs, legs, smooth=False) for x in (-0.92, 0.92)]
    top = styled(polygon([(-0.78, -0.4), (0.78, -0.4), (1.04, -0.06), (-1.04, -0.06)], swell=0.015), turn=True)
    edge = styled(box(-1.04, -0.07, 1.04, 0.01), turn=True)
    extra = [box(-0.32, 0.02, 0.32, 0.2, 0), ellipse(0, 0.11, 0.04, 0.03, "steel", "metal")] if drawer else []
    return [*back, *front, *extra, top, edge]


def side_table() -> list[Part]:
    """A round table that has lost a leg and leans."""
    legs = [tube([(-0.3, -0.35), (-0.55, 0.75)], 0.07, 0, smooth=False), tube([(0.2, -0.35), (0.35, 0.8)], 0.07, 0, smooth=False)]
    return [*legs, styled(ellipse(0, -0.44, 0.72, 0.2, swell=0.03), turn=True), styled(tube([(-0.7, -0.4), (-0.3, -0.26), (0.3, -0.26), (0.7, -0.4)], 0.06), turn=True)]


def bench() -> list[Part]:
    """A plain bench."""
    legs = [tube([(x, -0.1), (x * 1.06, 0.55)], 0.08, 0, smooth=False) for x in (-0.8, -0.6, 0.6, 0.8)]
    slats = [styled(polygon([(-0.98 - 0.02 * k, -0.32 + 0.08 * k), (0.98 + 0.02 * k, -0.32 + 0.08 * k), (1.0 + 0.02 * k, -0.25 + 0.08 * k), (-1.0 - 0.02 * k, -0.25 + 0.08 * k)], swell=0.02), turn=True) for k in range(4)]
    return [*legs, *slats]


def chair(cane: bool = False) -> list[Part]:
    """A wooden chair with a bentwood back; the second material makes a cane seat."""
    legs = [tube([(x, 0.1), (x * 1.15, 0.95)], 0.07, 0, smooth=False) for x in (-0.38, 0.38)]
    behind = [tube([(x, 0.0), (x, 0.8)], 0.06, 0, smooth=False) for x in (-0.28, 0.28)]
    back = tube([(-0.38, 0.05), (-0.36, -0.6), (-0.2, -1.0), (0.2, -1.0), (0.36, -0.6), (0.38, 0.05)], 0.07)
    inner = tube([(-0.2, 0.0), (-0.2, -0.5), (0, -0.78), (0.2, -0.5), (0.2, 0.0)], 0.05)
    rail = tube([(-0.4, 0.5), (0.4, 0.5)], 0.045, 0, smooth=False)
    seat = ellipse(0, 0.08, 0.47, 0.17, 0, swell=0.04)
    if not cane:
        return [*behind, back, *(tube([(x, 0.05), (x, -0.9)], 0.045, 0, smooth=False) for x in (-0.22, -0.07, 0.07, 0.22)), *legs, rail, seat]
    hole = curve([(-0.3, 0.08), (-0.2, 0.03), (-0.08, 0.06), (-0.1, 0.14), (-0.24, 0.15)], "chocolate", "skin", 0.01)
    return [*behind, back, inner, *legs, rail, seat, ellipse(0, 0.07, 0.38, 0.12, "bamboo", "rattan", 0.02), hole]


def four_chairs() -> list[Part]:
    """Four of the same chair, two behind."""
    one = chair()
    return [part for x, y, s in ((-0.45, -0.18, 0.6), (0.5, -0.2, 0.6), (-0.75, 0.2, 0.7), (0.2, 0.22, 0.72)) for part in moved(one, x, y, s)]


def office_chair() -> list[Part]:
    """A swivel chair on castors."""
    star = [tube([(0, 0.6), (x, y)], 0.07, "charcoal", "plastic", smooth=False) for x, y in ((-0.55, 0.85), (-0.2, 0.98), (0.3, 0.97), (0.58, 0.82))]
    castors = [ellipse(x, y + 0.05, 0.06, 0.06, "black", "plastic") for x, y in ((-0.55, 0.85), (-0.2, 0.98), (0.3, 0.97), (0.58, 0.82))]
    arms = [tube([(0.46, 0.2), (0.62, 0.1), (0.6, -0.15), (0.45, -0.17)], 0.07, "charcoal", "plastic")]
    back = mirrored([(0, -1.05), (0.32, -1.0), (0.4, -0.5), (0.34, -0.05), (0, 0.0)], swell=0.14)
    seat = curve([(-0.5, 0.1), (0, 0.04), (0.5, 0.1), (0.54, 0.26), (0, 0.32), (-0.54, 0.26)], swell=0.12)
    return [*star, *castors, tube([(0, 0.25), (0, 0.62)], 0.1, "steel", "metal", smooth=False), tube([(0, -0.1), (0, 0.2)], 0.12, "charcoal", "plastic", smooth=False), back, *arms, *flipped(arms), seat]


def armchair(width: float = 0.0) -> list[Part]:
    """An upholstered armchair; a width makes it a sofa. Legs in the second material."""
    w = width
    legs = [polygon([(s * (0.62 + w), 0.6), (s * (0.72 + w), 0.6), (s * (0.7 + w), 0.85), (s * (0.66 + w), 0.85)], "oak", "wood") for s in (-1, 1)]
    back = mirrored([(0, -0.85), (0.4 + w, -0.85), (0.62 + w, -0.7), (0.62 + w, 0.1), (0, 0.1)], swell=0.16)
    cushions = [mirrored([(0, 0.02), (0.55, 0.02), (0.56, 0.16), (0.55, 0.3), (0, 0.32)], swell=0.1)]
    if w:
        half = box(0.01, 0.02, 0.55 + w, 0.3, swell=0.1, corner=0.08)
        upper = box(0.01, -0.75, 0.55 + w, 0.0, swell=0.12, corner=0.12)
        cushions = [upper, *flipped([upper]), half, *flipped([half])]
    arm = curve([(0.55 + w, -0.2), (0.72 + w, -0.3), (0.88 + w, -0.2), (0.86 + w, 0.62), (0.86 + w, 0.62), (0.56 + w, 0.62), (0.56 + w, 0.62)], swell=0.12)
    front = box(-0.56 - w, 0.3, 0.56 + w, 0.62, swell=0.05, corner=0.04)
    return [*legs, back, front, *cushions, arm, *flipped([arm])]


def rocking_armchair() -> list[Part]:
    """A moulded shell on wooden runners."""
    runners = [tube([(-0.75, 0.78), (0, 0.95), (0.75, 0.78)], 0.06, "oak", "wood"), tube([(-0.55, 0.7), (0.1, 0.84), (0.8, 0.66)], 0.05, "oak", "wood")]
    rods = [tube([(x, 0.2), (y, 0.86)], 0.025, "steel", "metal", smooth=False) for x, y in ((-0.2, -0.45), (-0.2, 0.1), (0.25, 0.0), (0.25, 0.5))]
    shell = curve([(-0.45, -0.75), (0.0, -0.88), (0.45, -0.75), (0.52, -0.3), (0.78, -0.2), (0.7, 0.05), (0.5, 0.28), (0, 0.34), (-0.5, 0.28), (-0.7, 0.05), (-0.78, -0.2), (-0.52, -0.3)], swell=0.24)
    seat = curve([(-0.4, 0.0), (0, -0.1), (0.4, 0.0), (0.36, 0.2), (0, 0.26), (-0.36, 0.2)], swell=0.14)
    return [*runners, *rods, shell, seat]


def bed(high: bool = False) -> list[Part]:
    """A double bed with headboard, or a child's high bed with a ladder."""
    if high:
        posts = [tube([(x, -0.6), (x, 0.95)], 0.08, 0, smooth=False) for x in (-0.9, 0.9)]
        rails = [styled(box(-0.92, y, 0.92, y + 0.1), turn=True) for y in (-0.5, -0.28, -0.05)]
        ladder = [tube([(x, -0.5), (x + 0.12, 0.95)], 0.06, 0, smooth=False) for x in (0.2, 0.52)]
        return [*posts, box(-0.88, -0.36, 0.88, -0.08, "white", "cotton", 0.06), *rails, *ladder, *(styled(tube([(0.24 + 0.08 * y, y), (0.58 + 0.08 * y, y)], 0.06, 0, smooth=False), turn=True) for y in (-0.1, 0.2, 0.5, 0.8))]
    head = styled(box(-0.85, -0.75, 0.85, 0.1), turn=True)
    mattress = polygon([(-0.74, -0.1), (0.74, -0.1), (0.95, 0.45), (-0.95, 0.45)], "lightblue", "cotton", 0.08)
    pillows = [box(x, -0.3, x + 0.6, 0.0, "grey", "cotton", 0.12, 0.1) for x in (-0.7, 0.1)]
    rail = [polygon([(s * 0.76, -0.1), (s * 0.86, -0.1), (s * 1.04, 0.7), (s * 0.95, 0.7)]) for s in (-1, 1)]
    return [head, mattress, *pillows, *rail, styled(box(-1.04, 0.4, 1.04, 0.75, swell=0.03), turn=True)]


def clothes_rail() -> list[Part]:
    """Two A-frames and a bar with a few hangers."""
    frames = [tube([(s * x, -0.95), (s * (x + d), 0.95)], 0.08, 0, smooth=False) for s in (-1, 1) for x, d in ((0.66, 0.12), (0.74, -0.14))]
    bars = [styled(tube([(-0.75, y), (0.75, y)], 0.07, 0, smooth=False), turn=True) for y in (-0.9, 0.62)]
    hangers = [tube([(x, -0.88), (x + 0.02, -0.74), (x - 0.2, -0.6), (x + 0.22, -0.6), (x + 0.02, -0.74)], 0.03, "white", "plastic", smooth=False) for x in (-0.3, 0.1, 0.35)]
    return [*frames, *bars, *hangers]


def trolley() -> list[Part]:
    """A kitchen trolley: three levels, wheels, a towel bar."""
    posts = [tube([(x, -0.8), (x, 0.82)], 0.08, 0, smooth=False) for x in (-0.7, 0.7)]
    shelves = [p for y in (-0.8, 0.0, 0.66) for p in (styled(polygon([(-0.62, y - 0.12), (0.62, y - 0.12), (0.76, y), (-0.76, y)], swell=0.02), turn=True), styled(box(-0.76, y, 0.76, y + 0.08), turn=True))]
    wheels = [ellipse(x, 0.9, 0.08, 0.08, "black", "rubber") for x in (-0.7, 0.7)]
    return [*wheels, *posts, *shelves, tube([(0.74, -0.7), (0.95, -0.65), (0.95, -0.5), (0.74, -0.45)], 0.04, 0)]


def mirror() -> list[Part]:
    """A wall mirror in a carved frame, a piece of it missing at the right."""
    frame = box(-0.68, -0.85, 0.68, 0.9, swell=0.1, corner=0.1)
    ribbon = [curve([(0.0, -0.8), (0.3, -1.1), (0.5, -0.95), (0.25, -0.82)], swell=0.06), curve([(0.0, -0.8), (-0.3, -1.1), (-0.5, -0.95), (-0.25, -0.82)], swell=0.06), ellipse(0, -0.88, 0.12, 0.1)]
    beads = [ellipse(s * 0.61, y, 0.04, 0.04, swell=0.04) for s in (-1, 1) for y in np.linspace(-0.7, 0.75, 16) if s < 0 or not 0.1 < y < 0.3]
    glass = [box(-0.52, -0.7, 0.52, 0.75, "steel", "screen", 0.01), polygon([(-0.5, 0.1), (0.1, -0.68), (0.35, -0.68), (-0.5, 0.45)], "white", "screen", 0.005)]
    return [frame, *ribbon, *beads, *glass]


def curtains() -> list[Part]:
    """A pair of curtains on a rail."""
    panels: list[Part] = []
    for side in (-1, 1):
        panels.append(box(min(side * 0.12, side * 0.9), -0.95, max(side * 0.12, side * 0.9), 1.05, swell=0.03))
        panels += [tube([(side * x, -0.95), (side * (x + 0.02), 0.0), (side * (x - 0.01), 1.06)], 0.12) for x in np.linspace(0.18, 0.86, 8)]
    return [tube([(-1.05, -1.0), (1.05, -1.0)], 0.05, "steel", "metal", smooth=False), *panels]


def rug(pattern: str | None = None, wide: bool = True, stain: bool = False) -> list[Part]:
    """A rug with a fringe, lying on the floor."""
    x, top = (0.98, 0.56) if wide else (0.55, 1.1)
    body = styled(polygon([(-x, -top), (x, -top), (x + 0.04, top), (-x - 0.04, top)], swell=0.02), pattern=pattern)
    fringe = [tube([(t, s * top), (t + 0.01, s * (top + 0.08))], 0.015, "cream", "cotton", smooth=False) for s in (-1, 1) for t in np.linspace(-x, x, 40)]
    spot = [curve([(0.5, 0.2), (0.7, 0.15), (0.8, 0.32), (0.62, 0.42), (0.48, 0.34)], "camel", "pile", 0.01)] if stain else []
    return [*fringe, body, *spot]


FURNITURE = {
    "bookcase": bookcase, "wardrobe": wardrobe, "sideboard": sideboard, "plan_chest": plan_chest, "dresser": dresser,
    "table": lambda: table(drawer=True), "desk": table, "side_table": side_table, "bench": bench, "cane_chair": lambda: chair(cane=True),
    "four_chairs": four_chairs, "office_chair": office_chair, "armchair": armchair, "sofa": lambda: moved(armchair(0.4), 0, 0, 0.8),
    "rocking_armchair": rocking_armchair, "bed": bed, "high_bed": lambda: bed(high=True), "clothes_rail": clothes_rail, "trolley": trolley,
    "mirror": mirror, "curtains": curtains, "rug": rug, "runner": lambda: rug("hoops", wide=False), "stained_rug": lambda: rug(stain=True),
}  # fmt: skip

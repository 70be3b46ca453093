"""Furniture to keep things in, and what hangs on walls or lies on floors."""

from __future__ import annotations

import numpy as np

from photo_renderer.outlines import (
    Part,
    Shapes,
    box,
    curve,
    ellipse,
    moved,
    polygon,
    styled,
    tube,
)


def bookcase() -> list[Part]:
    """A tall open bookcase with a few books left in it."""
    inside: list[Part] = []
    for y in (-1.05 + 0.42 * k for k in range(5)):
        inside += [box(-0.39, y, 0.39, y + 0.37, 0, "paint", 0.004)]
        inside += [
            box(-0.39, y, 0.39, y + 0.05, "grey", "paint", 0.03),
            box(-0.39, y, -0.33, y + 0.37, "grey", "paint", 0.03),
        ]
    spines = ("red", "navy", "cream", "olive", "charcoal", "mustard", "petrol")
    books = [
        box(-0.3 + 0.07 * k, -0.48 + 0.03 * (k * k % 3), -0.235 + 0.07 * k, -0.26, shade, "print", 0.02)
        for k, shade in enumerate(spines)
    ]
    shelves = [box(-0.42, -0.69 + 0.42 * k, 0.42, -0.63 + 0.42 * k, swell=0.015) for k in range(5)]
    return [box(-0.45, -1.1, 0.45, 1.1), *inside, *books, *shelves, box(-0.45, 1.02, 0.45, 1.1)]


def sideboard() -> list[Part]:
    """A long low cabinet on thin legs with sliding doors and drawers."""
    legs = [
        polygon([(x - 0.05, 0.3), (x + 0.05, 0.3), (x + 0.03, 0.7), (x - 0.03, 0.7)]) for x in (-0.85, 0.85)
    ]
    doors = [styled(box(x, -0.24, x + 0.6, 0.28, swell=0.02), turn=True) for x in (-0.97, -0.33)]
    drawers = [
        styled(box(0.32, -0.24 + 0.18 * k, 0.97, -0.08 + 0.18 * k, swell=0.03), turn=True) for k in range(3)
    ]
    grips = [ellipse(x, 0.02, 0.03, 0.09, "chocolate", "skin", 0.02) for x in (-0.44, -0.25)]
    knobs = [ellipse(0.64, -0.16 + 0.18 * k, 0.03, 0.02, "chocolate", "skin") for k in range(3)]
    top = polygon("-1,-.34 1,-.34 1.02,-.28 -1.02,-.28")
    lid = polygon("-.92,-.46 .92,-.46 1,-.33 -1,-.33", swell=0.01)
    return [
        *legs,
        styled(box(-1.0, -0.3, 1.0, 0.34), turn=True),
        *doors,
        *drawers,
        *grips,
        *knobs,
        styled(lid, turn=True),
        styled(top, turn=True),
    ]


def plan_chest() -> list[Part]:
    """Six flat drawers with label holders."""
    parts = [polygon("-.85,-.72 .85,-.72 .95,-.55 -.95,-.55", swell=0.01), box(-0.95, -0.55, 0.95, 0.7)]
    for k in range(6):
        y = -0.5 + 0.19 * k
        parts += [
            box(-0.9, y, 0.9, y + 0.17, swell=0.025),
            box(-0.12, y + 0.04, 0.12, y + 0.11, "white", "print"),
        ]
        parts += [
            tube([(x - 0.08, y + 0.1), (x + 0.08, y + 0.1)], 0.03, "steel", "metal", smooth=False)
            for x in (-0.55, 0.55)
        ]
    return parts


def dresser() -> list[Part]:
    """Plate rack above three drawers."""
    rack = [box(-0.68, -1.1, 0.68, 0.1), box(-0.6, -0.98, 0.6, 0.06, "chocolate", "wood", 0.06)]
    shelves = [styled(box(-0.62, y, 0.62, y + 0.06), turn=True) for y in (-0.7, -0.36)]
    plates = [
        p
        for y in (-0.82, -0.48, -0.12)
        for x in (-0.4, -0.1, 0.25)
        for p in (
            ellipse(x, y, 0.11, 0.11, "white", "ceramic", 0.03),
            ellipse(x, y, 0.06, 0.06, "lightblue", "ceramic", 0.02),
        )
    ]
    drawers = [
        p
        for x in (-0.72, -0.24, 0.24)
        for p in (
            styled(box(x, 0.2, x + 0.46, 0.45, swell=0.03), turn=True),
            ellipse(x + 0.23, 0.33, 0.03, 0.03, "brass", "metal"),
        )
    ]
    doors = [
        p
        for x in (-0.72, 0.02)
        for p in (box(x, 0.5, x + 0.7, 1.0, swell=0.03), box(x + 0.1, 0.58, x + 0.6, 0.92, swell=0.05))
    ]
    return [
        *rack,
        *shelves,
        *plates,
        box(-0.78, 0.1, 0.78, 1.06),
        *drawers,
        *doors,
        styled(box(-0.82, 0.06, 0.82, 0.15, swell=0.03), turn=True),
    ]


def mirror() -> list[Part]:
    """A wall mirror in a carved frame, a piece of it missing at the right."""
    frame = box(-0.68, -0.85, 0.68, 0.9, swell=0.1, corner=0.1)
    ribbon = [
        curve("0,-.8 .3,-1.1 .5,-.95 .25,-.82", swell=0.06),
        curve("0,-.8 -.3,-1.1 -.5,-.95 -.25,-.82", swell=0.06),
        ellipse(0, -0.88, 0.12, 0.1),
    ]
    beads = [
        ellipse(s * 0.61, y, 0.04, 0.04, swell=0.04)
        for s in (-1, 1)
        for y in np.linspace(-0.7, 0.75, 16)
        if s < 0 or not 0.1 < y < 0.3
    ]
    glass = [
        box(-0.52, -0.7, 0.52, 0.75, "steel", "screen", 0.01),
        polygon("-.5,.1 .1,-.68 .35,-.68 -.5,.45", "white", "screen", 0.005),
    ]
    return [frame, *ribbon, *beads, *glass]


def clock() -> list[Part]:
    """A round station clock on a bracket."""
    marks = [
        tube(
            [(0.56 * np.sin(a), -0.56 * np.cos(a)), (0.66 * np.sin(a), -0.66 * np.cos(a))],
            0.045,
            "black",
            "skin",
            smooth=False,
        )
        for a in np.arange(12) * np.pi / 6
    ]
    hands = [
        tube("0,0 .25,-.28", 0.06, "black", "skin", smooth=False),
        tube("0,0 -.12,.52", 0.045, "black", "skin", smooth=False),
    ]
    return [
        box(-0.1, -1.15, 0.1, -0.7, swell=0.06),
        ellipse(0, 0, 0.86, 0.86, swell=0.14),
        ellipse(0, 0, 0.73, 0.73, "white", "paint", 0.02),
        *marks,
        *hands,
        polygon("-.5,-.2 -.1,-.62 .1,-.66 -.6,.1", "clear", "glass", 0.01),
    ]


def lampshade() -> list[Part]:
    """A paper shade with swallows."""
    birds = [
        tube(
            [(x - 0.14, y - 0.06), (x - 0.06, y), (x, y + 0.04), (x + 0.07, y - 0.02), (x + 0.15, y - 0.1)],
            0.04,
            "black",
            "skin",
        )
        for x, y in ((-0.3, -0.1), (0.25, -0.25), (0.1, 0.25), (-0.45, 0.4), (0.5, 0.3))
    ]
    return [
        polygon("-.42,-.6 .42,-.6 .85,.65 -.85,.65", swell=0.3),
        *birds,
        tube("-.42,-.6 0,-.55 .42,-.6", 0.03, "steel", "metal"),
        tube("-.85,.65 0,.74 .85,.65", 0.03, 0),
    ]


def curtains() -> list[Part]:
    """A pair of curtains on a rail in front of a window."""
    window = [
        box(-0.7, -0.85, 0.7, 0.7, "white", "paint", 0.03),
        box(-0.62, -0.77, 0.62, 0.62, "lightblue", "screen", 0.02),
        box(-0.04, -0.8, 0.04, 0.66, "white", "paint"),
    ]
    panels: list[Part] = []
    for side in (-1, 1):
        panels.append(
            box(min(side * 0.12, side * 0.9), -0.95, max(side * 0.12, side * 0.9), 1.05, swell=0.03)
        )
        panels += [
            tube([(side * x, -0.95), (side * (x + 0.02), 0.0), (side * (x - 0.01), 1.06)], 0.12)
            for x in np.linspace(0.18, 0.86, 8)
        ]
    return [*window, tube("-1.05,-1 1.05,-1", 0.05, "steel", "metal", smooth=False), *panels]


def rug(pattern: str | None = None, wide: bool = True) -> list[Part]:
    """A rug with a fringe, lying on the floor."""
    x, edge = (0.98, 0.56) if wide else (0.55, 1.1)
    body = polygon([(-x, -edge), (x, -edge), (x + 0.04, edge), (-x - 0.04, edge)], swell=0.02)
    threads = [(t, s) for s in (-1, 1) for t in np.linspace(-x, x, 40)]
    fringe = [
        tube([(t, s * edge), (t + 0.01, s * (edge + 0.08))], 0.015, "cream", "cotton", smooth=False)
        for t, s in threads
    ]
    return [*fringe, styled(body, pattern=pattern)]


def quilt() -> list[Part]:
    """A folded patchwork quilt."""
    under = [
        styled(
            box(-0.92 + 0.02 * k, 0.3 + 0.1 * k, 0.94 - 0.02 * k, 0.62 + 0.1 * k, swell=0.08, corner=0.08),
            pattern="patchwork",
        )
        for k in (2, 1)
    ]
    return [
        *under,
        styled(
            curve("-.95,-.75 -.9,-.8 .9,-.78 .95,-.72 .96,.5 .9,.6 -.9,.62 -.97,.5", swell=0.08),
            pattern="patchwork",
        ),
    ]


def cushions() -> list[Part]:
    """Two cushions."""
    one = curve(
        "-.6,-.6 -.55,-.6 0,-.52 .6,-.62 .62,-.55 .54,0 .62,.58 .55,.62 0,.54 -.58,.62 -.62,.56 -.54,0",
        swell=0.3,
    )
    return [*moved([one], -0.25, -0.32, 1.0), *moved([one], 0.28, 0.38, 1.02)]


CABINETS: Shapes = {
    "bookcase": bookcase, "sideboard": sideboard, "plan_chest": plan_chest, "dresser": dresser,
    "mirror": mirror, "clock": clock, "lampshade": lampshade, "curtains": curtains, "rug": rug,
    "runner": lambda: rug("hoops", wide=False), "quilt": quilt, "cushions": cushions,
}  # fmt: skip

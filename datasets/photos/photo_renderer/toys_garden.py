"""Toys, and tools for the garden."""

from __future__ import annotations

import numpy as np

from photo_renderer.outlines import (
    Part,
    Shapes,
    box,
    curve,
    ellipse,
    mirrored,
    moved,
    polygon,
    tube,
)


def puzzle_box(scene: str = "castle") -> list[Part]:
    """A cardboard box with a printed picture, a few pieces beside it."""
    sides = [
        polygon("-.9,.55 .9,.55 .86,.72 -.86,.72", "navy", "paper", 0.01),
        box(-0.9, -0.7, 0.9, 0.56, "navy", "paper"),
        box(-0.84, -0.64, 0.84, 0.5, "lightblue", "print", 0.005),
    ]
    hills = [
        curve(
            "-.84,.5 -.84,.1 -.3,-.1 .2,.1 .84,-.05 .84,.5 .84,.5",
            "orange" if scene == "castle" else "green",
            "print",
            0.005,
        )
    ]
    if scene == "castle":
        hills += [
            box(-0.2, -0.25, 0.3, 0.2, "white", "print", 0.005),
            *(
                polygon([(x - 0.06, -0.2), (x + 0.06, -0.2), (x, -0.55)], "grey", "print", 0.005)
                for x in (-0.2, 0.05, 0.3)
            ),
            box(-0.25, -0.25, -0.14, 0.2, "cream", "print", 0.005),
        ]
    else:
        hills += [
            box(-0.5, -0.15, -0.05, 0.2, "red", "print", 0.005),
            polygon("-.56,-.15 0,-.15 -.28,-.42", "brown", "print", 0.005),
            ellipse(0.35, 0.2, 0.16, 0.1, "white", "print", 0.005),
            ellipse(0.5, 0.12, 0.07, 0.06, "pink", "print", 0.005),
        ]
    pieces = [
        part
        for x, y in ((-0.6, 0.95), (0.2, 1.0), (0.6, 0.9))
        for part in (
            box(x - 0.09, y - 0.08, x + 0.09, y + 0.08, "lightblue", "paper"),
            ellipse(x + 0.1, y, 0.04, 0.04, "lightblue", "paper", 0.02),
        )
    ]
    return [*sides, *hills, polygon("-.84,-.64 -.4,-.64 -.84,-.4", "yellow", "print", 0.005), *pieces]


def bear() -> list[Part]:
    """A sitting teddy bear."""
    ears = [ellipse(s * 0.34, -0.82, 0.17, 0.17, swell=0.1) for s in (-1, 1)]
    legs = [ellipse(s * 0.5, 0.72, 0.27, 0.3, swell=0.2) for s in (-1, 1)]
    pads = [ellipse(s * 0.52, 0.76, 0.15, 0.18, "camel", "felt", 0.04) for s in (-1, 1)]
    arms = [
        curve(
            [
                (s * 0.3, -0.2),
                (s * 0.5, -0.18),
                (s * 0.75, 0.2),
                (s * 0.72, 0.38),
                (s * 0.55, 0.36),
                (s * 0.32, 0.1),
            ],
            swell=0.14,
        )
        for s in (-1, 1)
    ]
    face = [
        ellipse(0, -0.42, 0.17, 0.14, "camel", "felt", 0.1),
        ellipse(0, -0.48, 0.06, 0.04, "black", "plastic"),
        tube("0,-.45 0,-.38 .07,-.35", 0.016, "black", "skin"),
        *(ellipse(s * 0.16, -0.62, 0.04, 0.04, "black", "plastic") for s in (-1, 1)),
    ]
    return [
        *ears,
        mirrored("0,-.25 .3,-.22 .48,.3 .4,.75 0,.85", swell=0.3),
        *arms,
        *legs,
        *pads,
        ellipse(0, -0.56, 0.42, 0.38, swell=0.26),
        *face,
        ellipse(-0.4, -0.82, 0.03, 0.03, "brass", "metal"),
    ]


def chess() -> list[Part]:
    """A board from above with pieces; felt of the second colour under two that lie."""
    board = [box(-0.95, -0.95, 0.95, 0.95, "walnut", "wood", 0.03)]
    squares = [
        box(
            -0.8 + 0.2 * c,
            -0.8 + 0.2 * r,
            -0.6 + 0.2 * c,
            -0.6 + 0.2 * r,
            "pine" if (r + c) % 2 == 0 else "chocolate",
            "wood",
            0.003,
            0.001,
        )
        for r in range(8)
        for c in range(8)
    ]
    men = [
        p
        for c, r, shade in (
            (0, 0, "walnut"),
            (2, 0, "walnut"),
            (4, 1, "walnut"),
            (7, 0, "walnut"),
            (3, 2, "walnut"),
            (1, 6, "pine"),
            (3, 7, "pine"),
            (4, 7, "pine"),
            (6, 5, "pine"),
            (5, 4, "pine"),
        )
        for p in (
            ellipse(-0.7 + 0.2 * c, -0.7 + 0.2 * r, 0.085, 0.085, shade, "wood", 0.06),
            ellipse(-0.7 + 0.2 * c, -0.74 + 0.2 * r, 0.05, 0.05, shade, "wood", 0.05),
        )
    ]
    lying = [
        p
        for x, y in ((0.35, 1.12), (-0.3, 1.1))
        for p in (
            tube([(x, y), (x + 0.22, y - 0.03)], 0.12, "walnut", "wood", smooth=False),
            ellipse(x, y, 0.06, 0.1, 1, "felt", 0.02),
        )
    ]
    return [*board, *squares, *men, *lying]


def train_set() -> list[Part]:
    """An oval of wooden track with an engine and two wagons."""
    angle = np.linspace(0, 2 * np.pi, 40)
    ring = [(0.82 * np.cos(a), 0.78 * np.sin(a)) for a in angle]
    track = [
        tube(ring, 0.24, "pine", "wood"),
        tube([(x * 0.94, y * 0.94) for x, y in ring], 0.035, "walnut", "skin"),
        tube([(x * 1.06, y * 1.06) for x, y in ring], 0.035, "walnut", "skin"),
    ]
    cars = [box(x - 0.15, 0.62, x + 0.15, 0.92, "oak", "wood", 0.08, 0.05) for x in (-0.36, 0.0, 0.36)]
    tops = [
        box(x - 0.1, 0.66, x + 0.1, 0.86, shade, "paint", 0.06, 0.05)
        for x, shade in ((-0.36, "red"), (0.0, "blue"), (0.36, "green"))
    ]
    bridge = [tube("-.6,-.7 -.2,-.95 .3,-.95 .6,-.68", 0.28, "teak", "wood")]
    return [*track, *bridge, *cars, *tops, box(-0.2, -0.2, 0.2, 0.15, "pine", "wood", 0.1, 0.06)]


def pirate_ship() -> list[Part]:
    """A toy ship: hull of the first colour, sails of the second."""
    masts = [tube([(x, -0.95), (x, 0.3)], 0.05, "chocolate", "plastic", smooth=False) for x in (-0.35, 0.3)]
    sails = [
        curve(
            [
                (x - 0.3, y),
                (x - 0.3, y),
                (x + 0.3, y),
                (x + 0.3, y),
                (x + 0.36, y + 0.3),
                (x + 0.3, y + 0.4),
                (x - 0.3, y + 0.4),
                (x - 0.24, y + 0.2),
            ],
            1,
            "plastic",
            0.1,
        )
        for x in (-0.35, 0.3)
        for y in (-0.9, -0.42)
    ]
    hull = curve("-1,-.05 -1,-.05 -.5,.16 .5,.16 .98,-.2 .98,-.2 .8,.6 .6,.74 -.6,.74 -.85,.5", swell=0.16)
    lines = [
        tube([(-0.85, 0.3 + d), (0, 0.38 + d), (0.85, 0.24 + d)], 0.016, "black", "skin") for d in (0, 0.14)
    ]
    skull = [
        ellipse(-0.35, -0.25, 0.08, 0.08, "black", "skin", 0.02),
        box(-0.4, -0.2, -0.3, -0.12, "black", "skin"),
        tube("-.48,-.36 -.22,-.1", 0.03, "black", "skin", smooth=False),
    ]
    guns = [ellipse(x, 0.46, 0.05, 0.05, "black", "skin", 0.03) for x in (-0.5, -0.15, 0.2, 0.55)]
    return [*masts, *sails, *skull, hull, *lines, *guns]


def spade() -> list[Part]:
    """A digging spade, standing."""
    return [
        tube("0,-.75 0,.4", 0.09, "grey", 0, smooth=False),
        tube("-.22,-.95 .22,-.95", 0.12, 0, "plastic", smooth=False),
        tube("-.2,-.95 -.05,-.7 .05,-.7 .2,-.95", 0.08, 0, "plastic"),
        curve("-.3,.3 -.3,.3 .3,.3 .3,.3 .28,.8 0,1.1 -.28,.8", "steel", 0, 0.1),
        tube("0,.2 0,.62", 0.1, "grey", 0, smooth=False),
    ]


def secateurs() -> list[Part]:
    """Secateurs lying open."""
    blade = curve("0,0 -.1,-.3 -.02,-.72 .1,-.9 .16,-.5 .14,-.1", "steel", "metal", 0.06)
    hook = curve(".05,.05 -.2,-.1 -.4,-.4 -.42,-.7 -.3,-.5 -.12,-.25 .1,-.1", "charcoal", "metal", 0.06)
    arms = [tube("-.02,.05 -.18,.4 -.24,.7 -.16,.98", 0.17), tube(".06,.05 .26,.4 .34,.7 .28,.98", 0.17)]
    return [
        hook,
        blade,
        *arms,
        tube("-.1,.24 .06,.3 .18,.24", 0.06, "steel", "metal"),
        ellipse(0.02, 0.0, 0.1, 0.1, "steel", "metal", 0.05),
    ]


def pots() -> list[Part]:
    """Three flower pots, a watering can of the second colour, a trowel."""
    pot = [
        polygon("-.62,-.5 .62,-.5 .44,.7 -.44,.7", swell=0.28),
        box(-0.7, -0.72, 0.7, -0.44, swell=0.16, corner=0.04),
        ellipse(0, -0.7, 0.64, 0.12, "chocolate", "clay", 0.04),
    ]
    spots = ((-0.6, 0.15, 0.5), (0.48, 0.08, 0.55), (-0.02, 0.48, 0.42))
    can = [
        tube("-.25,.55 -.6,.8 -.95,.45", 0.08, 1, "plastic"),
        ellipse(-0.97, 0.42, 0.12, 0.08, 1, "plastic"),
        tube("0,.4 .3,.24 .5,.6 .35,.9", 0.07, 1, "plastic"),
        box(-0.3, 0.44, 0.34, 1.0, 1, "plastic", 0.16, 0.08),
    ]
    handle = tube(".55,.55 .6,.8", 0.09, "oak", "wood", smooth=False)
    trowel = [handle, curve(".54,.8 .68,.78 .72,1 .64,1.12 .56,1", "steel", "metal")]
    return [*(part for x, y, scale in spots for part in moved(pot, x, y, scale)), *can, *trowel]


TOYS_GARDEN: Shapes = {
    "castle_puzzle": puzzle_box, "farm_puzzle": lambda: puzzle_box("farm"), "bear": bear, "chess": chess,
    "train_set": train_set, "pirate_ship": pirate_ship, "spade": spade, "secateurs": secateurs,
    "pots_and_can": pots,
}  # fmt: skip

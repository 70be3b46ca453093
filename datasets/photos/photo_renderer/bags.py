"""Bags, cases, scarves: front views, or lying."""

from __future__ import annotations

import numpy as np

from photo_renderer.outlines import (
    Part,
    Shapes,
    box,
    curve,
    ellipse,
    polygon,
    styled,
    tube,
)


def handbag(handles: bool = True, flap: bool = False, chain: bool = False) -> list[Part]:
    """A bag from the front: two handles, a flap, or a chain."""
    arc = np.linspace(0, np.pi, 22)
    links = [
        ellipse(0.74 * np.cos(a), -0.3 - 0.62 * np.sin(a), 0.045, 0.045, "gold", "metal", 0.03) for a in arc
    ]
    body = curve(
        "-.75,-.3 -.75,-.3 .75,-.3 .75,-.3 .84,.3 .82,.74 .82,.74 0,.78 -.82,.74 -.82,.74 -.84,.3", swell=0.16
    )
    parts = [*(links if chain else []), body]
    if handles:
        parts.insert(0, tube("-.42,-.2 -.38,-.7 0,-.92 .38,-.7 .42,-.2", 0.07))
        parts.append(tube("-.42,0 -.36,-.5 0,-.66 .36,-.5 .42,0", 0.07))
        parts.append(tube("-.72,-.26 .72,-.26", 0.02, "brass", "metal", smooth=False))
    if flap:
        parts.append(curve("-.78,-.34 -.78,-.34 .78,-.34 .78,-.34 .76,.16 0,.26 -.76,.16", swell=0.1))
    return parts


def quilted_bag() -> list[Part]:
    """A quilted shoulder bag on a chain."""
    seams = [
        tube([(x, -0.3), (x + 0.9 * d, 0.24)], 0.014, "charcoal", "skin", smooth=False)
        for d in (-1, 1)
        for x in (-0.6, -0.3, 0, 0.3, 0.6)
        if abs(x + 0.9 * d) < 1.0
    ]
    return [
        *handbag(handles=False, flap=True, chain=True),
        *seams,
        ellipse(0, 0.22, 0.08, 0.07, "gold", "metal"),
    ]


def messenger() -> list[Part]:
    """A tarpaulin bag; the second colour makes a band on the flap."""
    strap = tube("-.8,-.1 -.7,-.8 .2,-1 .8,-.6 .8,-.1", 0.12, "charcoal", "nylon")
    band = polygon("-.7,-.34 -.1,-.34 .3,.2 -.4,.22", 1, swell=0.01)
    stripe = polygon(".35,-.34 .62,-.34 .74,.12 .6,.16", 1, swell=0.01)
    return [strap, *handbag(handles=False, flap=True), band, stripe]


def backpack() -> list[Part]:
    """A small square backpack with a round badge."""
    handles = [tube([(x, -0.7), (0, -1.0), (-x, -0.7)], 0.06) for x in (0.12, 0.2)]
    zip_line = tube("-.58,0 -.56,-.6 -.3,-.72 .3,-.72 .56,-.6 .58,0", 0.025, "charcoal", "nylon")
    return [
        *handles,
        box(-0.6, -0.78, 0.6, 0.85, swell=0.14, corner=0.2),
        zip_line,
        box(-0.46, 0.12, 0.46, 0.74, swell=0.08, corner=0.08),
        tube("-.4,.2 .4,.2", 0.02, "charcoal", "nylon", smooth=False),
        ellipse(0, -0.3, 0.13, 0.13, "rust", "leather", 0.02),
        ellipse(0, -0.3, 0.07, 0.07, "white", "print", 0.01),
    ]


def roll_pack() -> list[Part]:
    """A waterproof roll-top backpack."""
    return [
        box(-0.6, -0.78, 0.6, 0.85, swell=0.14, corner=0.2),
        box(-0.62, -0.95, 0.62, -0.72, swell=0.1, corner=0.1),
        tube("0,-.95 0,.3", 0.06, "black", "nylon", smooth=False),
        box(-0.09, -0.5, 0.09, -0.36, "black", "plastic"),
        tube("-.58,.35 .58,.35", 0.03, "black", "nylon", smooth=False),
        box(-0.18, 0.5, 0.18, 0.66, "white", "print"),
    ]


def suitcase() -> list[Part]:
    """A ribbed cabin case with a dent in one corner."""
    handle = [tube("-.3,-.75 -.3,-1.08 .3,-1.08 .3,-.75", 0.05, "charcoal", "plastic", smooth=False)]
    body = curve("-.62,-.85 -.5,-.88 .5,-.88 .62,-.8 .62,.7 .5,.6 .44,.84 .4,.88 -.5,.88 -.62,.8", swell=0.05)
    ribs = [
        tube([(x, -0.84), (x, 0.84 if x < 0.4 else 0.55)], 0.045, 0, smooth=False)
        for x in (-0.52, -0.41, -0.3, -0.19, -0.08, 0.03, 0.14, 0.25, 0.36, 0.47)
    ]
    wheels = [ellipse(x, 0.95, 0.08, 0.08, "black", "rubber") for x in (-0.45, 0.4)]
    return [
        *handle,
        *wheels,
        body,
        *ribs,
        box(-0.12, -0.06, 0.12, 0.06, "charcoal", "plastic"),
        box(0.56, -0.3, 0.68, 0.1, "charcoal", "plastic"),
    ]


def wallet() -> list[Part]:
    """A card holder with two cards looking out."""
    cards = [
        box(-0.4 + d, -0.72 + d, 0.42 + d, 0.2, shade, "plastic", corner=0.05)
        for d, shade in ((0.05, "lightblue"), (0.0, "steel"))
    ]
    body = box(-0.5, -0.55, 0.5, 0.75, swell=0.07, corner=0.08)
    return [
        *cards,
        body,
        box(0.1, -0.1, 0.56, 0.24, swell=0.04, corner=0.06),
        ellipse(0.22, 0.07, 0.05, 0.05, "steel", "metal"),
    ]


def square_scarf() -> list[Part]:
    """A square of silk, a corner turned over; the second colour makes sprigs."""
    cloth = curve(
        "-.84,-.8 -.84,-.8 0,-.84 .82,-.78 .82,-.78 .86,0 .8,.84 .8,.84 0,.8 -.8,.85 -.8,.85 -.85,0",
        swell=0.03,
    )
    return [styled(cloth, pattern="sprigs"), polygon(".28,-.81 .82,-.78 .84,-.25 .4,-.3", 0, swell=0.05)]


def scarves_and_beret() -> list[Part]:
    """A plain scarf, a striped one (bars of the second and third colour) and a beret in the third."""
    plain = curve("-.95,-.9 -.95,-.9 -.5,-.95 -.5,-.95 -.4,0 -.45,.9 -.45,.9 -.9,.95 -.9,.95 -.85,0", 0)
    stripes = [box(-0.25, -0.95 + 0.2 * k, 0.2, -0.75 + 0.2 * k, 1 + k % 2, swell=0.02) for k in range(9)]
    beret = [ellipse(0.62, 0.1, 0.42, 0.36, 2, "felt", 0.2), tube(".62,-.22 .66,-.34", 0.05, 2, "felt")]
    return [plain, *stripes, *beret]


def sleeve_case() -> list[Part]:
    """A laptop sleeve with a flap."""
    return [
        box(-0.9, -0.6, 0.9, 0.66, swell=0.04, corner=0.06),
        polygon("-.88,-.6 .88,-.6 .5,-.1 -.5,-.1", swell=0.04),
        ellipse(0, -0.2, 0.04, 0.04, "steel", "metal"),
    ]


BAGS: Shapes = {
    "tote": handbag, "quilted_bag": quilted_bag, "messenger": messenger, "backpack": backpack,
    "roll_pack": roll_pack, "suitcase": suitcase, "wallet": wallet, "square_scarf": square_scarf,
    "scarves_beret": scarves_and_beret, "laptop_sleeve": sleeve_case,
}  # fmt: skip

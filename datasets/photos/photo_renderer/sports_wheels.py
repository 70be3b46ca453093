"""Sports gear, and things that roll."""

from __future__ import annotations

import numpy as np

from photo_renderer.outlines import (
    Part,
    Shapes,
    box,
    curve,
    ellipse,
    flipped,
    mirrored,
    moved,
    polygon,
    styled,
    tube,
)


def rope() -> list[Part]:
    """A coiled climbing rope tied in the middle."""
    strands = [
        tube(
            [
                (x - 0.02, -0.9),
                (x - 0.14 * np.sign(x), -0.3),
                (x * 0.5, 0.0),
                (x + 0.1 * np.sign(x), 0.5),
                (x, 0.9),
            ],
            0.1,
        )
        for x in np.linspace(-0.5, 0.5, 11)
    ]
    ends = [
        tube([(x, s * 0.86), (0, s * 1.04), (-x, s * 0.86)], 0.1)
        for x in (0.5, 0.38, 0.26, 0.14)
        for s in (-1, 1)
    ]
    return [
        *ends,
        *strands,
        *(tube([(-0.34, y), (0, y + 0.04), (0.34, y)], 0.1) for y in (-0.14, -0.05, 0.04, 0.13)),
        tube(".3,.1 .7,.4 .5,.95 .9,1.05", 0.1),
    ]


def tent() -> list[Part]:
    """A small tent, door open; the inner tent has the second colour."""
    shell = curve("-1,.6 -1,.6 -.6,-.2 -.1,-.7 .35,-.6 .8,0 1.02,.6 1.02,.6", swell=0.2)
    door = curve("-.62,.6 -.62,.6 -.4,-.05 -.15,-.36 .05,.1 .2,.6 .2,.6", 1, swell=0.05)
    gap = curve("-.3,.6 -.3,.6 -.22,0 -.13,-.22 -.06,.2 0,.6 0,.6", "charcoal", "nylon", 0.03)
    guys = [
        tube([(x, y), (x2, 0.68)], 0.014, "white", "nylon", smooth=False)
        for x, y, x2 in ((-0.6, -0.2, -1.15), (0.8, 0.0, 1.18))
    ]
    poles = [
        tube("-.9,.6 -.5,-.3 .35,-.62", 0.02, "charcoal", "plastic"),
        tube("-.15,-.66 .3,-.2 .5,.6", 0.02, "charcoal", "plastic"),
    ]
    return [*guys, shell, door, gap, *poles]


def mat_roll() -> list[Part]:
    """A mat half rolled up; the underside has the second material."""
    flat = styled(polygon("-.62,-.3 .62,-.3 .68,1 -.68,1", swell=0.02), turn=True)
    rolled = [
        box(-0.66, -0.72, 0.66, -0.26, "charcoal", 1, 0.22, 0.06),
        ellipse(0.64, -0.49, 0.09, 0.22, 0, swell=0.02),
        ellipse(0.64, -0.49, 0.05, 0.13, "charcoal", "rubber", 0.02),
        ellipse(0.64, -0.49, 0.025, 0.06, 0, swell=0.01),
    ]
    return [flat, *rolled]


def trekking_poles() -> list[Part]:
    """A pair of trekking poles lying crossed; grips in the second material."""
    pole = [
        tube("0,-.6 0,1.05", 0.05, "steel", 0, smooth=False),
        tube("0,.2 0,.3", 0.09, "black", "plastic", smooth=False),
        ellipse(0, 0.92, 0.14, 0.06, "black", "plastic"),
        tube(".02,-1 -.02,-.8 0,-.5", 0.14, "cork", 1),
        tube(".03,-.92 .3,-.8 .24,-.45 .02,-.6", 0.05, "black", "nylon"),
    ]
    other = [
        Part(p.outline @ np.array([[0.87, 0.5], [-0.5, 0.87]]), p.colour, p.material, p.swell) for p in pole
    ]
    return [*moved(pole, -0.25, 0), *moved(other, 0.1, 0)]


def helmet() -> list[Part]:
    """A bicycle helmet from the side."""
    straps = [
        tube("-.4,.2 -.1,.75 .35,.2", 0.05, "black", "nylon"),
        box(-0.16, 0.7, -0.02, 0.82, "black", "plastic"),
    ]
    shell = curve("-.9,.2 -.85,-.2 -.5,-.55 0,-.66 .5,-.5 .85,-.1 .92,.24 .5,.26 0,.3 -.5,.32", swell=0.3)
    vents = [
        curve(
            [(x - 0.24, y + 0.1), (x, y - 0.06), (x + 0.26, y - 0.02), (x + 0.05, y + 0.1)],
            "black",
            "foam",
            0.03,
        )
        for x, y in ((-0.4, -0.1), (0.1, -0.28), (0.45, 0.0), (-0.1, 0.08))
    ]
    return [*straps, shell, *vents, curve(".6,.16 1.02,.28 1,.36 .6,.3", "black", "plastic")]


def goal() -> list[Part]:
    """A small football goal with a net."""
    net = [
        tube([(x, -0.55), (x * 0.95, 0.6)], 0.012, "white", "nylon", smooth=False)
        for x in np.linspace(-0.9, 0.9, 19)
    ]
    net += [
        tube([(-0.92, y), (0.92, y)], 0.012, "white", "nylon", smooth=False)
        for y in np.linspace(-0.5, 0.55, 12)
    ]
    frame = tube("-.98,.66 -.98,-.6 .98,-.6 .98,.66", 0.11, 0, smooth=False)
    joints = [box(x - 0.09, -0.68, x + 0.09, -0.5, "charcoal", "plastic") for x in (-0.98, 0.98)]
    return [*net, tube("-.8,.58 .8,.58", 0.06, 0, smooth=False), frame, *joints]


def shin_pads() -> list[Part]:
    """A pair of shin pads with straps."""
    shell = mirrored("0,-.75 .26,-.7 .34,-.2 .26,.5 .14,.72 0,.74", swell=0.2)
    pad = [
        tube("-.44,-.3 .44,-.34", 0.13, "black", "elastane", smooth=False),
        tube("-.38,.3 .38,.26", 0.13, "black", "elastane", smooth=False),
        shell,
        *(tube([(x, -0.5), (x, 0.4)], 0.05, 0, smooth=False) for x in (-0.12, 0, 0.12)),
        box(-0.1, -0.66, 0.1, -0.56, "black", "print"),
    ]
    return [*moved(pad, -0.45, 0.05), *moved(pad, 0.45, -0.05)]


def carrier() -> list[Part]:
    """A soft baby carrier laid out."""
    straps = [curve(".2,-.6 .4,-1 .7,-.9 .8,-.2 .66,.3 .56,.1 .6,-.5 .42,-.66", swell=0.1)]
    belt = curve("-1.05,.5 -.5,.42 0,.4 .5,.42 1.05,.5 1.05,.74 .4,.86 -.4,.86 -1.05,.74", swell=0.1)
    body = mirrored("0,-.75 .34,-.72 .36,-.2 .5,.3 .46,.6 0,.62", swell=0.1)
    buckles = [box(s * 0.98 - 0.09, 0.52, s * 0.98 + 0.09, 0.72, "black", "plastic") for s in (-1, 1)]
    return [
        *straps,
        *flipped(straps),
        belt,
        body,
        box(-0.3, -0.4, 0.3, 0.1, swell=0.04),
        *buckles,
        box(-0.12, -0.12, 0.12, 0.0, "black", "print"),
    ]


def _wheel(x: float, y: float, radius: float) -> list[Part]:
    angle = np.linspace(0, 2 * np.pi, 40)
    ring = list(zip(x + radius * np.cos(angle), y + radius * np.sin(angle), strict=True))
    inner = list(zip(x + radius * 0.9 * np.cos(angle), y + radius * 0.9 * np.sin(angle), strict=True))
    spokes = [
        tube([(x, y), (x + radius * np.cos(a), y + radius * np.sin(a))], 0.012, "steel", "skin", smooth=False)
        for a in np.arange(14) * np.pi / 7
    ]
    return [
        *spokes,
        tube(inner, 0.03, "steel", "metal"),
        tube(ring, 0.075, "black", "rubber"),
        ellipse(x, y, 0.05, 0.05, "steel", "metal"),
    ]


def bicycle() -> list[Part]:
    """A child's bicycle from the side."""
    wheels = [p for x in (-0.6, 0.62) for p in _wheel(x, 0.45, 0.4)]
    tubes = [
        "-.6,.45 -.12,.42",
        "-.12,.42 -.28,-.2",
        "-.6,.45 -.24,-.1",
        "-.25,-.1 .42,-.22",
        "-.12,.42 .42,-.16",
        ".38,-.4 .62,.45",
    ]
    frame = [tube(points, 0.075, 0, smooth=False) for points in tubes]
    saddle = [
        curve("-.5,-.3 -.2,-.34 -.04,-.26 -.2,-.22 -.46,-.2", "black", "faux_leather"),
        tube("-.28,-.15 -.29,-.28", 0.04, "steel", "metal", smooth=False),
    ]
    bars = [
        tube(".38,-.4 .36,-.52 .2,-.6", 0.05, "steel", "metal"),
        tube(".28,-.58 .14,-.58", 0.07, "black", "rubber", smooth=False),
    ]
    return [
        *wheels,
        *frame,
        *saddle,
        *bars,
        ellipse(-0.12, 0.42, 0.13, 0.13, "charcoal", "metal"),
        tube("-.12,.42 -.02,.6", 0.04, "steel", "metal", smooth=False),
        box(-0.1, 0.58, 0.08, 0.64, "black", "plastic"),
    ]


def wheelbarrow() -> list[Part]:
    """A builder's wheelbarrow from the side."""
    handles = [
        tube("-1.05,-.15 -.2,.3 .72,.5", 0.07, "charcoal", "metal"),
        tube("-1.08,-.18 -.85,-.04", 0.1, "black", "rubber", smooth=False),
    ]
    leg = tube("-.45,.2 -.4,.8 -.15,.8 -.1,.35", 0.06, "charcoal", "metal", smooth=False)
    tray = curve("-.75,-.4 -.75,-.4 .78,-.5 .78,-.5 .45,.2 .3,.3 -.35,.26 -.5,.15", swell=0.16)
    return [*handles, leg, *_wheel(0.72, 0.55, 0.26), tray, tube("-.77,-.4 .8,-.5", 0.07, 0, smooth=False)]


def pram() -> list[Part]:
    """A pram from the side: fabric of the first colour, frame of the second material."""
    frame = [
        tube("-.55,.62 .1,.2 .9,-.75", 0.06, "steel", 1, smooth=False),
        tube(".6,.62 -.1,.1", 0.06, "steel", 1, smooth=False),
        tube(".8,-.62 .98,-.86", 0.1, "black", "leather", smooth=False),
    ]
    cot = curve("-.75,-.15 -.75,-.15 .5,-.15 .5,-.15 .46,.2 .3,.32 -.5,.3 -.72,.1", swell=0.16)
    hood = curve("-.78,-.15 -.8,-.6 -.5,-.9 -.1,-.8 .02,-.15 .02,-.15", swell=0.2)
    ribs = [
        tube("-.3,-.15 -.55,-.86", 0.014, "charcoal", "skin", smooth=False),
        tube("-.3,-.15 -.15,-.82", 0.014, "charcoal", "skin", smooth=False),
    ]
    return [*frame, *_wheel(-0.55, 0.66, 0.3), *_wheel(0.6, 0.72, 0.22), cot, hood, *ribs]


SPORTS_WHEELS: Shapes = {
    "rope": rope, "tent": tent, "mat_roll": mat_roll, "trekking_poles": trekking_poles, "helmet": helmet,
    "goal": goal, "shin_pads": shin_pads, "carrier": carrier, "bicycle": bicycle,
    "wheelbarrow": wheelbarrow, "pram": pram,
}  # fmt: skip

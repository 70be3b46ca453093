"""Things for kitchen, table and shelf: front views, standing, unless said otherwise."""

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
    styled,
    tube,
)


def teapot() -> list[Part]:
    """A round teapot; the second colour makes the flowers."""
    handle = tube(".5,-.25 .92,-.3 .95,.25 .55,.42", 0.11)
    spout = curve("-.5,.35 -.8,.1 -1,-.35 -.86,-.38 -.66,-.1 -.5,0", swell=0.1)
    body = styled(mirrored("0,-.45 .3,-.43 .62,-.05 .62,.3 .4,.62 0,.66", swell=0.36), pattern="sprigs")
    lid = [mirrored("0,-.6 .2,-.56 .34,-.42 0,-.38", swell=0.14), ellipse(0, -0.66, 0.08, 0.08)]
    return [handle, spout, body, *lid, box(-0.32, 0.6, 0.32, 0.7, swell=0.05)]


def casserole() -> list[Part]:
    """A lidded cast-iron pot with two ears."""
    ears = [
        curve([(s * 0.7, -0.08), (s * 0.98, -0.12), (s * 0.98, 0.06), (s * 0.7, 0.1)], swell=0.06)
        for s in (-1, 1)
    ]
    body = curve("-.8,-.2 -.8,-.2 .8,-.2 .8,-.2 .78,.4 .6,.56 0,.6 -.6,.56 -.78,.4", swell=0.3)
    lid = curve("-.84,-.2 -.6,-.42 0,-.52 .6,-.42 .84,-.2 0,-.1", swell=0.16)
    return [
        *ears,
        body,
        lid,
        ellipse(0, -0.6, 0.13, 0.07, "black", "plastic"),
        box(-0.05, -0.58, 0.05, -0.48, "black", "plastic"),
    ]


def three_pans() -> list[Part]:
    """Three pans of different sizes, lying upside down so that their outside shows."""
    pans: list[Part] = []
    for x, y, r in ((-0.3, -0.45, 0.62), (0.5, 0.15, 0.5), (-0.35, 0.6, 0.42)):
        handle = tube(
            [(x - r * 0.7, y + r * 0.5), (x - r * 1.3, y + r * 0.85)], 0.13, "black", "plastic", smooth=False
        )
        pans += [
            handle,
            ellipse(x, y, r, r * 0.92, swell=0.15),
            ellipse(x, y, r * 0.74, r * 0.66, 0, swell=0.04),
            ellipse(x, y, r * 0.2, r * 0.18, "steel", "metal", 0.02),
        ]
    return pans


def moka() -> list[Part]:
    """An eight-sided coffee pot."""
    lower = [
        polygon(
            [
                (-0.52 + x, 0.85),
                (-0.52 + x + w, 0.85),
                (-0.34 + x * 0.66 + w * 0.66, 0.1),
                (-0.34 + x * 0.66, 0.1),
            ],
            swell=0.05,
        )
        for x, w in ((0, 0.3), (0.3, 0.42), (0.72, 0.32))
    ]
    upper = [
        polygon(
            [
                (-0.34 + x * 0.66, 0.0),
                (-0.34 + (x + w) * 0.66, 0.0),
                (-0.46 + (x + w) * 0.92, -0.62),
                (-0.46 + x * 0.92, -0.62),
            ],
            swell=0.05,
        )
        for x, w in ((0, 0.3), (0.3, 0.42), (0.72, 0.32))
    ]
    handle = tube(".4,-.52 .82,-.6 .86,-.1 .78,.1", 0.13, "black", "plastic")
    spout = polygon("-.46,-.62 -.72,-.66 -.4,-.25", swell=0.05)
    return [
        handle,
        spout,
        *lower,
        box(-0.38, -0.02, 0.38, 0.12, swell=0.04),
        *upper,
        polygon("-.48,-.62 .52,-.62 .1,-.84 -.06,-.84", swell=0.06),
        ellipse(0.02, -0.9, 0.07, 0.07, "black", "plastic"),
    ]


def cezve() -> list[Part]:
    """A copper coffee pot with a long brass handle."""
    body = mirrored("0,-.4 .34,-.42 .36,-.36 .28,-.1 .5,.4 .44,.6 0,.64", swell=0.26)
    handle = tube(".3,-.25 .7,-.5 1.15,-.85", 0.09, "brass", "metal")
    dents = [
        ellipse(x, y, 0.06, 0.05, swell=0.05)
        for x, y in ((-0.2, 0.1), (0.0, 0.2), (0.2, 0.1), (-0.25, 0.34), (-0.05, 0.42), (0.18, 0.36))
    ]
    return [handle, body, *dents, ellipse(0, -0.4, 0.33, 0.07, "charcoal", "metal", 0.02)]


def mortar() -> list[Part]:
    """A stone mortar with its pestle."""
    body = mirrored("0,-.25 .8,-.28 .82,-.2 .7,.35 .42,.56 .46,.7 0,.72", swell=0.3)
    return [
        body,
        ellipse(0, -0.26, 0.78, 0.16, swell=0.08),
        ellipse(0, -0.23, 0.6, 0.1, "charcoal", "stone", 0.05),
        tube(".1,-.2 .4,-.6 .62,-.95", 0.2),
    ]


def stand_mixer() -> list[Part]:
    """A stand mixer with a steel bowl."""
    base = curve("-.8,.85 -.8,.7 -.3,.6 .3,.62 .86,.72 .86,.88 .86,.88 -.8,.88 -.8,.88", swell=0.1)
    column = curve(".3,.7 .36,0 .3,-.3 .3,-.3 .8,-.3 .8,-.3 .76,.2 .84,.75", swell=0.16)
    head = curve("-.75,-.4 -.6,-.72 0,-.82 .7,-.76 .92,-.5 .8,-.24 .2,-.14 -.6,-.16", swell=0.26)
    bowl = curve("-.72,.02 -.72,.02 .22,.02 .22,.02 .1,.5 -.1,.64 -.4,.64 -.6,.5", "steel", "metal", 0.2)
    return [
        base,
        column,
        tube("-.28,-.2 -.28,.1", 0.1, "steel", "metal", smooth=False),
        bowl,
        head,
        tube("-.6,-.4 .8,-.46", 0.05, "steel", "metal"),
        ellipse(-0.74, -0.44, 0.09, 0.12, "steel", "metal"),
    ]


def espresso_machine() -> list[Part]:
    """A small espresso machine."""
    body = [
        box(-0.75, -0.75, 0.75, 0.8, swell=0.05, corner=0.06),
        box(-0.62, -0.2, 0.62, 0.6, "charcoal", "metal", 0.05),
        box(-0.8, 0.62, 0.8, 0.86, swell=0.05),
    ]
    group = [
        box(-0.25, -0.26, 0.25, -0.06, swell=0.05),
        tube("0,-.02 0,.3", 0.12, "black", "plastic", smooth=False),
        box(-0.2, -0.08, 0.2, 0.02, "steel", "metal"),
    ]
    dials = [ellipse(x, -0.5, 0.08, 0.08, "steel", "metal", 0.06) for x in (-0.5, -0.25, 0.0, 0.25)]
    wand = tube(".6,-.5 .7,0 .78,.5", 0.05, "steel", "metal")
    return [
        *body,
        *group,
        *dials,
        wand,
        *(
            tube([(x, 0.66), (x, 0.8)], 0.03, "charcoal", "skin", smooth=False)
            for x in np.linspace(-0.7, 0.7, 15)
        ),
    ]


def fondue() -> list[Part]:
    """A fondue pot on its burner with two forks leaning out."""
    forks = [
        tube([(x, 0.0), (x + d, -0.95)], 0.035, "steel", "metal", smooth=False)
        for x, d in ((-0.2, -0.3), (0.3, 0.35), (0.1, 0.1))
    ]
    ends = [
        tube([(x + d * 0.75, -0.72), (x + d, -0.97)], 0.07, shade, "plastic", smooth=False)
        for (x, d), shade in zip(
            ((-0.2, -0.3), (0.3, 0.35), (0.1, 0.1)), ("blue", "green", "yellow"), strict=True
        )
    ]
    stand = [tube([(s * 0.5, 0.2), (s * 0.6, 0.9)], 0.05, "black", "metal", smooth=False) for s in (-1, 1)]
    body = curve("-.72,-.22 -.72,-.22 .72,-.22 .72,-.22 .62,.3 0,.42 -.62,.3", swell=0.26)
    return [
        *forks,
        *ends,
        *stand,
        box(-0.2, 0.66, 0.2, 0.84, "steel", "metal", 0.06),
        box(-0.65, 0.84, 0.65, 0.92, "black", "metal"),
        tube(".6,-.02 1.15,-.12", 0.14, 0),
        body,
        ellipse(0, -0.22, 0.7, 0.12, "charcoal", "enamel", 0.03),
    ]


def plates() -> list[Part]:
    """Plates and bowls from above; the second colour draws the line round the edge."""
    dishes: list[Part] = []
    for x, y, r in ((-0.4, -0.5, 0.52), (0.5, -0.25, 0.5), (-0.45, 0.5, 0.42), (0.42, 0.62, 0.42)):
        dishes += [
            ellipse(x, y, r, r * 0.9, swell=0.05),
            ellipse(x, y, r * 0.94, r * 0.84, 1, swell=0.01),
            ellipse(x, y, r * 0.89, r * 0.79, 0, swell=0.03),
            ellipse(x, y, r * 0.62, r * 0.54, 0, swell=0.05),
        ]
    return dishes


def kitchen_lot() -> list[Part]:
    """Pots and a pan of the second colour, a colander of the first, plates of the third."""
    stack = [p for k in range(4) for p in (ellipse(-0.5, 0.62 - 0.06 * k, 0.42, 0.16, 2, "ceramic", 0.05),)]
    pots = [part for x, y, s in ((-0.42, -0.35, 0.5), (0.52, -0.5, 0.42)) for part in moved(_pot(1), x, y, s)]
    colander = curve(".05,.2 .05,.2 .95,.2 .95,.2 .8,.66 .5,.76 .2,.66", 0, "plastic", 0.16)
    holes = [
        ellipse(0.25 + 0.12 * c, 0.34 + 0.12 * r, 0.025, 0.025, "burgundy", "skin", 0.01)
        for r in range(3)
        for c in range(5)
    ]
    return [*pots, *stack, colander, *holes]


def _pot(colour: int) -> list[Part]:
    return [
        box(-0.8, -0.4, 0.8, 0.7, colour, "metal", 0.3, 0.1),
        ellipse(0, -0.4, 0.8, 0.16, "charcoal", "metal", 0.04),
        tube(".78,-.2 1.3,-.25", 0.14, "black", "plastic", smooth=False),
    ]


def vase(kind: int = 0) -> list[Part]:
    """A vase: 0 bellied, 1 cylinder, 2 bottle."""
    profile, lip, top = (
        ("0,-.8 .26,-.8 .18,-.5 .5,.1 .42,.6 .26,.8 0,.82", 0.26, -0.8),
        ("0,-.7 .34,-.7 .32,0 .34,.78 .3,.82 0,.84", 0.34, -0.7),
        ("0,-.95 .12,-.95 .12,-.3 .36,.1 .4,.7 .34,.84 0,.86", 0.12, -0.95),
    )[kind]
    return [mirrored(profile, swell=0.2), ellipse(0, top, lip, 0.06, swell=0.02)]


def candlesticks() -> list[Part]:
    """A pair of turned candlesticks with candles."""
    stick = mirrored(
        "0,-.3 .16,-.3 .08,-.2 .06,0 .13,.12 .06,.24 .1,.5 .12,.62 .3,.78 .32,.86 0,.9", swell=0.1
    )
    candle = box(-0.065, -1.05, 0.065, -0.28, "cream", "skin", 0.06)
    one = [candle, stick]
    return [*moved(one, -0.38, -0.08, 0.95), *moved(one, 0.36, 0.05)]


def desk_lamp() -> list[Part]:
    """An articulated desk lamp."""
    arms = [
        tube("-.1,.7 -.5,0", 0.06, 0, smooth=False),
        tube("-.5,0 .35,-.65", 0.06, 0, smooth=False),
        tube("-.02,.66 -.42,0", 0.02, "charcoal", "metal", smooth=False),
    ]
    head = curve(".2,-.8 .42,-.78 .75,-.5 .95,-.15 .95,-.15 .3,-.4 .3,-.4", swell=0.16)
    return [
        *arms,
        ellipse(-0.1, 0.78, 0.52, 0.12, swell=0.06),
        ellipse(-0.5, 0, 0.07, 0.07),
        head,
        ellipse(0.64, -0.24, 0.14, 0.08, "yellow", "screen", 0.05),
    ]


def book() -> list[Part]:
    """A closed book lying down; the second colour makes the band on its cover."""
    pages = box(-0.6, -0.84, 0.68, 0.92, "cream", "paper", 0.02)
    return [
        pages,
        box(-0.64, -0.9, 0.62, 0.86, swell=0.02),
        box(-0.64, -0.9, -0.54, 0.86, 0, swell=0.04),
        box(-0.44, -0.6, 0.5, -0.1, 1, "print", 0.005),
        *(tube([(-0.3, y), (0.3, y)], 0.04, 0, "skin", smooth=False) for y in (-0.45, -0.3)),
        ellipse(0.03, 0.36, 0.22, 0.22, 1, "print", 0.01),
    ]


def tray() -> list[Part]:
    """A shallow tray seen from the side."""
    return [ellipse(0, 0, 1.0, 0.2, swell=0.05), ellipse(0, -0.02, 0.88, 0.14, 0, swell=0.03)]


HOUSEHOLD: Shapes = {
    "teapot": teapot, "casserole": casserole, "three_pans": three_pans, "moka": moka, "cezve": cezve,
    "mortar": mortar, "stand_mixer": stand_mixer, "espresso_machine": espresso_machine, "fondue": fondue,
    "plates": plates, "kitchen_lot": kitchen_lot, "vase": vase, "tall_vase": lambda: vase(1),
    "bottle_vase": lambda: vase(2), "candlesticks": candlesticks, "desk_lamp": desk_lamp, "book": book,
    "tray": tray,
}  # fmt: skip

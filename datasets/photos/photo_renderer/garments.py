"""Clothes, laid flat: front views."""

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


def top(
    length: float = 0.78,
    sleeve: str = "long",
    neck: str = "round",
    closing: str | None = None,
    hood: bool = False,
    pattern: str | None = None,
    collar: int | str = 0,
) -> list[Part]:
    """Anything worn on the upper body: jumper, shirt, jacket, coat, according to the arguments."""
    arm = _sleeve(sleeve)
    waist = 0.47 + 0.06 * length
    body = mirrored(
        [
            (0.0, -0.7),
            (0.2, -0.74),
            (0.44, -0.66),
            (0.5, -0.4),
            (waist, 0.1),
            (waist + 0.02, length),
            (waist + 0.02, length),
        ]
    )
    parts = [styled(part, pattern=pattern) for part in (*arm, *flipped(arm))]
    if hood:
        parts.append(mirrored("0,-1.08 .24,-1 .3,-.74 .12,-.62", swell=0.1))
        parts.append(mirrored("0,-.95 .13,-.9 .15,-.72 0,-.66", "black", swell=0.08))
    parts.append(styled(body, pattern=pattern))
    return parts + _neck(neck, collar) + _closing(closing, length, neck) + _hem(length, waist, closing)


def _sleeve(kind: str) -> list[Part]:
    if kind == "none":
        return []
    if kind == "short":
        return [curve(".34,-.68 .46,-.66 .82,-.3 .82,-.3 .6,-.12 .6,-.12 .4,-.35")]
    sleeve = curve(".34,-.68 .48,-.64 .74,-.1 .92,.5 .92,.5 .72,.56 .72,.56 .52,0 .4,-.3")
    return [sleeve, polygon(".93,.43 .95,.53 .72,.59 .7,.49", swell=0.02)]


def _neck(kind: str, collar: int | str) -> list[Part]:
    if kind == "v":
        return [polygon("-.17,-.74 .17,-.74 0,-.34", "charcoal", "cotton", 0.01)]
    if kind == "high":
        return [box(-0.17, -0.92, 0.17, -0.66, collar, swell=0.05, corner=0.05)]
    inside = ellipse(0, -0.71, 0.17, 0.07, "charcoal", "cotton", 0.02)
    if kind == "collar":
        wing = polygon("0,-.6 .16,-.78 .24,-.7 .17,-.5", collar, swell=0.02)
        return [inside, wing, *flipped([wing])]
    if kind == "lapels":
        wing = polygon(".02,-.1 .13,-.76 .2,-.76 .27,-.5 .2,-.42 .26,-.4", collar, swell=0.03)
        return [polygon("-.15,-.72 .15,-.72 0,-.2", "charcoal", "cotton", 0.01), wing, *flipped([wing])]
    rib = tube("-.19,-.73 -.1,-.64 0,-.62 .1,-.64 .19,-.73", 0.06, collar)
    return [inside, rib]


def _closing(kind: str | None, length: float, neck: str) -> list[Part]:
    start = {"lapels": -0.12, "v": -0.3, "high": -0.88}.get(neck, -0.6)
    middle = tube([(0, start), (0, length - 0.02)], 0.012, "charcoal", "skin", smooth=False)
    if kind == "zip":
        pull = box(-0.02, start + 0.02, 0.02, start + 0.1, "silver", "metal")
        return [tube([(0, start), (0, length - 0.02)], 0.035, "charcoal", "metal", smooth=False), pull]
    if kind == "buttons":
        heights = [start + 0.1 + k * (length - start - 0.2) / 5 for k in range(6)]
        return [middle, *(ellipse(0.03, y, 0.022, 0.022, "brown", "plastic", 0.02) for y in heights)]
    return []


def _hem(length: float, waist: float, closing: str | None) -> list[Part]:
    edge = tube([(-waist, length - 0.07), (waist, length - 0.07)], 0.008, "charcoal", "skin", smooth=False)
    if closing is None:
        return [edge]
    pocket = tube([(0.17, length - 0.36), (0.36, length - 0.3)], 0.012, "charcoal", "skin", smooth=False)
    return [edge, pocket, *flipped([pocket])]


def shirt() -> list[Part]:
    """A shirt with a collar and buttons."""
    return [*top(neck="collar", closing="buttons"), box(0.14, -0.36, 0.36, -0.1, 0, swell=0.01)]


def shirts() -> list[Part]:
    """Three shirts side by side, half over each other; the third has stripes."""
    folded = []
    for number, x in enumerate((-0.5, 0.0, 0.5)):
        base = box(
            x - 0.36, -0.62 + 0.1 * number, x + 0.36, 0.66 + 0.1 * number, number % 2, swell=0.05, corner=0.06
        )
        wing = polygon("0,-.44 .16,-.62 .24,-.54 .14,-.36", 1 if number == 1 else 0, swell=0.02)
        folded += [styled(base, pattern="lines" if number == 2 else None)]
        folded += moved([wing, *flipped([wing])], x, 0.1 * number)
        folded += [ellipse(x, y + 0.1 * number, 0.02, 0.02, "grey", "plastic") for y in (-0.2, 0.05, 0.3)]
    return folded


def blouse() -> list[Part]:
    """A blouse; the second colour embroiders the neckline and the cuffs."""
    edges = [tube([(s * 0.18, -0.72), (s * 0.01, -0.32)], 0.05, 1, smooth=False) for s in (-1, 1)]
    cuffs = [tube([(s * 0.7, 0.45), (s * 0.92, 0.4)], 0.07, 1, smooth=False) for s in (-1, 1)]
    dots = [
        ellipse(s * x, y, 0.03, 0.03, 1, swell=0.02)
        for s in (-1, 1)
        for x, y in ((0.24, -0.55), (0.18, -0.4), (0.1, -0.25), (0.76, 0.25))
    ]
    return [*top(0.62, neck="v"), *edges, *cuffs, *dots]


def trousers(top_edge: float = -0.95, seams: bool = True) -> list[Part]:
    """Trousers or jeans, legs slightly apart."""
    leg = [
        (0.0, top_edge),
        (0.36, top_edge),
        (0.36, top_edge),
        (0.46, top_edge + 0.5),
        (0.46, 0.4),
        (0.45, 1.0),
        (0.45, 1.0),
        (0.16, 1.0),
        (0.16, 1.0),
        (0.1, 0.4),
        (0.0, top_edge + 0.58),
    ]
    parts = [mirrored(leg, swell=0.07), box(-0.37, top_edge, 0.37, top_edge + 0.11, swell=0.02)]
    if seams:
        pocket = tube(
            [(0.2, top_edge + 0.12), (0.27, top_edge + 0.24), (0.4, top_edge + 0.28)], 0.012, "camel", "skin"
        )
        fly = tube([(0, top_edge + 0.1), (0, top_edge + 0.5)], 0.014, "camel", "skin", smooth=False)
        button = ellipse(0, top_edge + 0.055, 0.03, 0.03, "brass", "metal", 0.02)
        parts += [pocket, *flipped([pocket]), fly, button]
    return parts


def torn_jeans() -> list[Part]:
    """Jeans with a hole in the left knee."""
    hole = curve(".2,.16 .32,.12 .42,.17 .36,.25 .26,.26", "beige", "skin", 0.02)
    threads = [
        tube([(0.22, y), (0.4, y + 0.02)], 0.01, "white", "cotton", smooth=False) for y in (0.17, 0.2, 0.23)
    ]
    return [*trousers(), hole, *threads]


def dungarees() -> list[Part]:
    """Trousers with a bib and braces."""
    brace = tube(".2,-.5 .26,-.8 .12,-1.1", 0.09)
    buckle = box(0.15, -0.62, 0.26, -0.52, "brass", "metal")
    bib = box(-0.28, -0.62, 0.28, -0.1, swell=0.04)
    legs = trousers(-0.25)
    pocket = box(-0.15, -0.48, 0.15, -0.2, swell=0.015)
    return [brace, *flipped([brace]), bib, *legs, pocket, buckle, *flipped([buckle])]


def skirt() -> list[Part]:
    """A pleated skirt."""
    body = mirrored("0,-.7 .34,-.7 .34,-.7 .55,0 .78,.8 .78,.8 .4,.86 0,.87")
    pleats = [
        tube([(x * 0.42, -0.58), (x, 0.84)], 0.014, "charcoal", "skin", smooth=False)
        for x in (-0.6, -0.45, -0.3, -0.15, 0, 0.15, 0.3, 0.45, 0.6)
    ]
    ridges = [
        tube([(x * 0.42, -0.58), (x, 0.84)], 0.1, 0, smooth=False)
        for x in (-0.66, -0.52, -0.37, -0.22, -0.07, 0.08, 0.23, 0.38, 0.53, 0.68)
    ]
    return [body, *ridges, *pleats, box(-0.35, -0.74, 0.35, -0.6)]


def dress(sleeve: str = "short", apron: bool = False) -> list[Part]:
    """A wrap dress; with an apron of the second colour it is a dirndl."""
    shape = "0,-.62 .2,-.74 .4,-.66 .34,-.3 .27,-.1 .42,.3 .62,1 .62,1 .3,1.05 0,1.06"
    arms = moved(_sleeve(sleeve), -0.05, 0)
    parts = [*arms, *flipped(arms), mirrored(shape, swell=0.08), *_neck("v", 0)]
    belt = tube("-.28,-.1 0,-.07 .28,-.1", 0.05, 1)
    if apron:
        front = mirrored("0,-.1 .2,-.1 .32,.4 .4,.92 .4,.92 0,.96", 1)
        heights = (-0.5, -0.4, -0.3, -0.2)
        lacing = [
            tube([(-0.07, y), (0.07, y + 0.07)], 0.014, "silver", "metal", smooth=False) for y in heights
        ]
        return [*parts, front, belt, *lacing]
    return [*parts, tube(".14,-.7 0,-.35 -.2,-.1", 0.02, "charcoal", "skin"), belt]


def snowsuit() -> list[Part]:
    """A child's one-piece suit with a hood; the second colour makes stars."""
    suit = top(length=0.25, closing="zip", hood=True)
    legs = mirrored("0,.1 .5,.1 .53,.5 .5,1 .5,1 .12,1 .12,1 .08,.5 0,.36", swell=0.1)
    stars = [
        ellipse(x, y, 0.035, 0.035, 1, "paint", 0.01)
        for x, y in (
            (-0.3, -0.4),
            (0.28, -0.2),
            (-0.22, 0.05),
            (0.32, 0.5),
            (-0.34, 0.4),
            (-0.28, 0.78),
            (0.3, 0.85),
            (0.22, -0.5),
            (0.7, 0.2),
            (-0.72, 0.25),
            (-0.6, -0.1),
        )
    ]
    return [legs, *suit, *stars]


def lion_suit() -> list[Part]:
    """A fur costume with a mane round the hood and a tail."""
    tail = [tube(".4,.6 .75,.75 .8,1 .6,1.15", 0.08), ellipse(0.58, 1.16, 0.12, 0.09, "brown", 0, 0.08)]
    mane = [
        ellipse(0.36 * np.cos(a), -0.82 + 0.28 * np.sin(a), 0.13, 0.13, "brown", 0, 0.1)
        for a in np.linspace(0.3, 2 * np.pi, 15)
    ]
    ears = [ellipse(s * 0.2, -1.06, 0.08, 0.08, 0, 0, 0.06) for s in (-1, 1)]
    suit = top(length=0.25, closing="zip", hood=True)
    return [*tail, *snowsuit()[:1], *suit[:4], *mane, *suit[4:], *ears]


def biker_jacket() -> list[Part]:
    """A short leather jacket with slanting zips."""
    lines = [".1,-.4 -.05,.6", "-.4,.1 -.2,.3", ".2,.3 .4,.1", "-.36,-.2 -.16,-.26"]
    zips = [tube(line, 0.03, "silver", "metal", smooth=False) for line in lines]
    return [
        *top(0.6, neck="lapels"),
        *zips,
        box(-0.5, 0.5, 0.5, 0.6, swell=0.03),
        box(-0.1, 0.51, 0.02, 0.59, "silver", "metal"),
    ]


def socks() -> list[Part]:
    """A pair of socks; heels in the second colour."""
    sock = curve("-.2,-.8 -.2,-.8 .12,-.8 .12,-.8 .14,.1 .3,.4 .62,.62 .6,.85 .2,.86 -.16,.55 -.22,.2")
    heel = curve("-.21,.25 .02,.3 .12,.5 0,.72 -.14,.58", 1, swell=0.04)
    cuff = [tube([(-0.2, y), (0.12, y)], 0.03, 0) for y in (-0.74, -0.66, -0.58)]
    pair = [sock, heel, *cuff]
    return [*moved(pair, -0.42, -0.05), *moved(pair, 0.34, 0.08)]


def outfit() -> list[Part]:
    """Jacket and trousers of a suit side by side."""
    return [
        *moved(trousers(seams=False), 0.5, 0.05, 0.85),
        *moved(top(neck="lapels", closing="buttons"), -0.36, 0, 0.72),
    ]


def jerseys(count: int = 5) -> list[Part]:
    """Several jerseys fanned out, each in the next colour."""
    fan = []
    for number in range(count):
        jersey = top(length=0.6, sleeve="short", neck="high", closing="zip", collar=number)
        own = [Part(p.outline, number if p.colour == 0 else p.colour, p.material, p.swell) for p in jersey]
        fan += moved(own, -0.5 + 0.5 * (number % 3) + 0.2 * (number // 3), -0.45 + 0.8 * (number // 3), 0.58)
    return fan


def costumes() -> list[Part]:
    """Two striped shirts, the second smaller."""
    striped = top(length=0.7, pattern="hoops")
    return [*moved(striped, -0.4, -0.12, 0.68), *moved(striped, 0.52, 0.2, 0.52)]


GARMENTS: Shapes = {
    "jumper": top, "cardigan": lambda: top(neck="v", closing="buttons"),
    "fleece": lambda: top(neck="high", closing="zip"),
    "raincoat": lambda: top(0.95, closing="zip", hood=True),
    "short_jacket": lambda: top(0.5, neck="collar", closing="buttons"),
    "tweed_jacket": lambda: top(0.82, neck="lapels", closing="buttons", pattern="flecks"),
    "coat": lambda: top(1.1, neck="lapels", closing="buttons"), "blouse": blouse,
    "football_shirt": lambda: top(0.72, sleeve="short", pattern="hoops"), "biker_jacket": biker_jacket,
    "lion_suit": lion_suit, "shirt": shirt, "shirts": shirts, "trousers": lambda: trousers(seams=False),
    "jeans": trousers, "torn_jeans": torn_jeans, "dungarees": dungarees, "skirt": skirt,
    "wrap_dress": dress, "long_dress": lambda: dress(sleeve="long"), "dirndl": lambda: dress(apron=True),
    "snowsuit": snowsuit, "socks": socks, "suit": outfit, "jerseys": jerseys, "costumes": costumes,
}  # fmt: skip

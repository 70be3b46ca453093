"""Shoes, always as a pair: from the side, sandals and clogs from above."""

from __future__ import annotations

from collections.abc import Sequence

from photo_renderer.outlines import (
    Part,
    Shapes,
    box,
    curve,
    ellipse,
    flipped,
    moved,
    polygon,
    tube,
)


def _pair(shoe: list[Part], dx: float = 0.16, dy: float = 0.42) -> list[Part]:
    return [*moved(shoe, dx, -dy, 0.86), *moved(shoe, -dx, dy, 0.95)]


def _sole(points: str, colour: int | str = "black", material: int | str = "rubber") -> Part:
    return tube(points, 0.1, colour, material)


def _laces(points: Sequence[tuple[float, float]], colour: str) -> list[Part]:
    laces = []
    for x, y in points:
        laces += [tube([(x - 0.09, y - 0.03), (x + 0.07, y + 0.05)], 0.028, colour, "cotton", smooth=False)]
        laces += [ellipse(x + 0.08, y + 0.06, 0.018, 0.018, "steel", "metal", 0.01)]
    return laces


def boots(shaft: float, laces: str | None, sole: int | str = "black", chunky: bool = False) -> list[Part]:
    """Ankle or walking boots; without laces they have a stretch panel."""
    upper = curve(
        [
            (-0.8, 0.3),
            (-0.78, -0.1),
            (-0.72, -shaft),
            (-0.72, -shaft),
            (-0.3, -shaft - 0.03),
            (-0.3, -shaft - 0.03),
            (-0.18, -0.1),
            (0.2, 0.02),
            (0.68, 0.1),
            (0.84, 0.3),
            (0.8, 0.36),
            (0.0, 0.38),
            (-0.7, 0.38),
        ],
        swell=0.14,
    )
    toe = tube(".42,.05 .5,.18 .5,.34", 0.014, "charcoal", "skin")
    parts = [upper, toe, _sole("-.8,.4 0,.42 .82,.38", sole)]
    if chunky:
        parts.append(polygon("-.82,.4 -.4,.42 -.44,.56 -.8,.56", sole, "rubber"))
        parts.append(box(-0.1, 0.4, 0.8, 0.5, sole, "rubber"))
    if laces:
        eyes = [(-0.27 + 0.04 * k * k * 0.4, -shaft + 0.08 + 0.14 * k) for k in range(int(shaft / 0.14) + 1)]
        parts += _laces([*eyes, (0.0, 0.0), (0.13, 0.04)], laces)
    else:
        parts.append(
            polygon([(-0.6, -shaft), (-0.42, -shaft), (-0.45, 0.1), (-0.55, 0.1)], "charcoal", "cotton", 0.02)
        )
    return _pair(parts)


def wellies() -> list[Part]:
    """Tall rubber boots."""
    boot = [
        curve(
            "-.6,.7 -.56,.2 -.58,-.85 -.58,-.85 -.06,-.85 -.06,-.85 -.04,.1 .2,.4 .56,.5 .66,.7 .1,.76",
            swell=0.16,
        ),
        tube("-.58,-.8 -.06,-.8", 0.07, 0, smooth=False),
        _sole("-.6,.76 0,.78 .66,.74", "charcoal"),
        box(-0.12, -0.6, -0.02, -0.5, "white", "plastic"),
    ]
    return [*moved(boot, 0.42, -0.12, 0.9), *moved(boot, -0.3, 0.1)]


def low_shoes(
    laces: str | None, sole: int | str, studs: bool = False, stripe: int | str | None = 1
) -> list[Part]:
    """Trainers, football boots, climbing shoes, school shoes."""
    upper = curve(
        "-.86,.2 -.84,-.14 -.74,-.34 -.5,-.2 -.3,-.34 -.16,-.36 .1,-.1 .5,0 .84,.12 .9,.26 .4,.32 -.6,.3",
        swell=0.13,
    )
    mouth = curve("-.72,-.3 -.5,-.18 -.3,-.32 -.46,-.26", "charcoal", "cotton", 0.02)
    parts = [upper, mouth, _sole("-.86,.32 0,.34 .9,.28", sole)]
    if stripe is not None:
        parts += [
            tube([(-0.36 + d, 0.26), (-0.2 + d, 0.02), (-0.02 + d, -0.1)], 0.05, stripe)
            for d in (-0.12, 0.04, 0.2)
        ]
    if studs:
        parts += [
            polygon([(x - 0.05, 0.36), (x + 0.05, 0.36), (x + 0.03, 0.5), (x - 0.03, 0.5)], sole, "plastic")
            for x in (-0.7, -0.5, 0.15, 0.38, 0.6)
        ]
    if laces:
        parts += _laces(((-0.14, -0.26), (-0.03, -0.19), (0.08, -0.12), (0.19, -0.07)), laces)
    else:
        parts += [tube([(-0.2, -0.32 + d), (0.05, -0.02 + d)], 0.11, 0) for d in (0.06, 0.2)]
    return _pair(parts)


def heels() -> list[Part]:
    """Court shoes with a high heel."""
    upper = curve(
        "-.7,-.25 -.72,-.57 -.6,-.59 -.4,-.29 .1,.24 .4,.2 .8,.34 .9,.42 .4,.44 -.1,.3 -.5,-.15", swell=0.09
    )
    heel = polygon("-.71,-.31 -.5,-.19 -.6,.46 -.68,.46", 0, 0, 0.04)
    return _pair([heel, upper, tube("-.5,-.15 -.1,.34 .4,.45 .88,.44", 0.03, "charcoal", "leather")])


def sandals() -> list[Part]:
    """Two-strap sandals from above."""
    foot = curve(
        "-.26,.85 -.3,.5 -.24,.1 -.34,-.4 -.26,-.82 .04,-.95 .26,-.7 .28,-.3 .2,.2 .24,.6 .14,.88",
        "camel",
        "cork",
        0.08,
    )
    straps = [tube([(-0.38, y), (-0.1, y - 0.08), (0.3, y + 0.06)], 0.22) for y in (-0.5, -0.12)]
    buckles = [box(0.1, y - 0.07, 0.24, y + 0.07, "steel", "metal") for y in (-0.48, -0.1)]
    sandal = [foot, *straps, *buckles]
    return [*moved(flipped(sandal), -0.42, -0.04), *moved(sandal, 0.42, 0.04)]


def clogs() -> list[Part]:
    """Closed clogs from above."""
    foot = curve(
        "-.28,.85 -.32,.4 -.36,-.4 -.2,-.85 .1,-.92 .34,-.5 .26,.3 .26,.8 0,.92", "camel", "cork", 0.06
    )
    upper = curve("-.42,0 -.44,-.5 -.22,-.95 .12,-1 .4,-.55 .34,.02 .34,.02 0,-.14 -.42,0", swell=0.14)
    strap = tube("-.42,-.2 -.05,-.32 .36,-.18", 0.1)
    clog = [foot, upper, strap, box(0.16, -0.32, 0.3, -0.18, "brass", "metal")]
    return [*moved(flipped(clog), -0.44, 0), *moved(clog, 0.44, 0.05)]


FOOTWEAR: Shapes = {
    "walking_boots": lambda: boots(0.5, "rust", chunky=True),
    "og_boots": lambda: boots(0.62, "grey", "camel"), "chelsea_boots": lambda: boots(0.5, None),
    "wellies": wellies, "climbing_shoes": lambda: low_shoes("black", 1),
    "football_boots": lambda: low_shoes("black", "black", studs=True, stripe="white"),
    "school_shoes": lambda: low_shoes(None, "black", stripe=None), "stilettos": heels, "sandals": sandals,
    "clogs": clogs,
}  # fmt: skip

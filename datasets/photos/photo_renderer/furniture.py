"""Things to sit, lie and work on: front views with a hint of depth."""

from __future__ import annotations

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


def table(drawer: bool = False, legs: int | str = 1) -> list[Part]:
    """A table or desk seen a little from above; legs in the second material."""
    back = [tube([(x, -0.2), (x * 1.03, 0.45)], 0.05, legs, legs, smooth=False) for x in (-0.72, 0.72)]
    front = [tube([(x, -0.05), (x * 1.02, 0.8)], 0.07, legs, legs, smooth=False) for x in (-0.92, 0.92)]
    top = styled(polygon("-.78,-.4 .78,-.4 1.04,-.06 -1.04,-.06", swell=0.015), turn=True)
    edge = styled(box(-1.04, -0.07, 1.04, 0.01), turn=True)
    extra = [box(-0.32, 0.02, 0.32, 0.2, 0), ellipse(0, 0.11, 0.04, 0.03, "steel", "metal")] if drawer else []
    return [*back, *front, *extra, top, edge]


def chair() -> list[Part]:
    """A wooden chair with a hooped back and rods in it."""
    legs = [tube([(x, 0.1), (x * 1.15, 0.95)], 0.07, 0, smooth=False) for x in (-0.38, 0.38)]
    behind = [tube([(x, 0.0), (x, 0.8)], 0.06, 0, smooth=False) for x in (-0.28, 0.28)]
    back = tube("-.38,.05 -.36,-.6 -.2,-1 .2,-1 .36,-.6 .38,.05", 0.07)
    rods = [tube([(x, 0.05), (x, -0.9)], 0.045, 0, smooth=False) for x in (-0.22, -0.07, 0.07, 0.22)]
    rail = tube("-.4,.5 .4,.5", 0.045, 0, smooth=False)
    return [*behind, back, *rods, *legs, rail, ellipse(0, 0.08, 0.47, 0.17, 0, swell=0.04)]


def cane_chair() -> list[Part]:
    """A bentwood chair; its cane seat, of the second material, has a hole."""
    legs = [tube([(x, 0.1), (x * 1.15, 0.95)], 0.07, 0, smooth=False) for x in (-0.38, 0.38)]
    behind = [tube([(x, 0.0), (x, 0.8)], 0.06, 0, smooth=False) for x in (-0.28, 0.28)]
    back = tube("-.38,.05 -.36,-.6 -.2,-1 .2,-1 .36,-.6 .38,.05", 0.07)
    inner = tube("-.2,0 -.2,-.5 0,-.78 .2,-.5 .2,0", 0.05)
    seat = [
        ellipse(0, 0.08, 0.47, 0.17, 0, swell=0.04),
        ellipse(0, 0.07, 0.38, 0.12, "bamboo", 1, 0.02),
        curve("-.3,.08 -.2,.03 -.08,.06 -.1,.14 -.24,.15", "chocolate", "skin", 0.01),
    ]
    return [*behind, back, inner, *legs, tube("-.4,.5 .4,.5", 0.045, 0, smooth=False), *seat]


def four_chairs() -> list[Part]:
    """Four of the same chair, two behind."""
    one = chair()
    return [
        part
        for x, y, s in ((-0.45, -0.18, 0.6), (0.5, -0.2, 0.6), (-0.75, 0.2, 0.7), (0.2, 0.22, 0.72))
        for part in moved(one, x, y, s)
    ]


def office_chair() -> list[Part]:
    """A swivel chair on castors."""
    star = [
        tube([(0, 0.6), (x, y)], 0.07, "charcoal", "plastic", smooth=False)
        for x, y in ((-0.55, 0.85), (-0.2, 0.98), (0.3, 0.97), (0.58, 0.82))
    ]
    castors = [
        ellipse(x, y + 0.05, 0.06, 0.06, "black", "plastic")
        for x, y in ((-0.55, 0.85), (-0.2, 0.98), (0.3, 0.97), (0.58, 0.82))
    ]
    arms = [tube(".46,.2 .62,.1 .6,-.15 .45,-.17", 0.07, "charcoal", "plastic")]
    back = mirrored("0,-1.05 .32,-1 .4,-.5 .34,-.05 0,0", swell=0.14)
    seat = curve("-.5,.1 0,.04 .5,.1 .54,.26 0,.32 -.54,.26", swell=0.12)
    return [
        *star,
        *castors,
        tube("0,.25 0,.62", 0.1, "steel", "metal", smooth=False),
        tube("0,-.1 0,.2", 0.12, "charcoal", "plastic", smooth=False),
        back,
        *arms,
        *flipped(arms),
        seat,
    ]


def armchair(width: float = 0.0) -> list[Part]:
    """An upholstered armchair; a width makes it a sofa. Legs in the second material."""
    w = width
    legs = [
        polygon(
            [(s * (0.62 + w), 0.6), (s * (0.72 + w), 0.6), (s * (0.7 + w), 0.85), (s * (0.66 + w), 0.85)],
            "oak",
            "wood",
        )
        for s in (-1, 1)
    ]
    back = mirrored([(0, -0.85), (0.4 + w, -0.85), (0.62 + w, -0.7), (0.62 + w, 0.1), (0, 0.1)], swell=0.16)
    cushions = [mirrored("0,.02 .55,.02 .56,.16 .55,.3 0,.32", swell=0.1)]
    if w:
        half = box(0.01, 0.02, 0.55 + w, 0.3, swell=0.1, corner=0.08)
        upper = box(0.01, -0.75, 0.55 + w, 0.0, swell=0.12, corner=0.12)
        cushions = [upper, *flipped([upper]), half, *flipped([half])]
    arm = curve(
        [
            (0.55 + w, -0.2),
            (0.72 + w, -0.3),
            (0.88 + w, -0.2),
            (0.86 + w, 0.62),
            (0.86 + w, 0.62),
            (0.56 + w, 0.62),
            (0.56 + w, 0.62),
        ],
        swell=0.12,
    )
    front = box(-0.56 - w, 0.3, 0.56 + w, 0.62, swell=0.05, corner=0.04)
    return [*legs, back, front, *cushions, arm, *flipped([arm])]


def rocking_armchair() -> list[Part]:
    """A moulded shell on wooden runners."""
    runners = [
        tube("-.75,.78 0,.95 .75,.78", 0.06, "oak", "wood"),
        tube("-.55,.7 .1,.84 .8,.66", 0.05, "oak", "wood"),
    ]
    rods = [
        tube([(x, 0.2), (y, 0.86)], 0.025, "steel", "metal", smooth=False)
        for x, y in ((-0.2, -0.45), (-0.2, 0.1), (0.25, 0.0), (0.25, 0.5))
    ]
    shell = curve(
        "-.45,-.75 0,-.88 .45,-.75 .52,-.3 .78,-.2 .7,.05 .5,.28 0,.34 -.5,.28 -.7,.05 -.78,-.2 -.52,-.3",
        swell=0.24,
    )
    seat = curve("-.4,0 0,-.1 .4,0 .36,.2 0,.26 -.36,.2", swell=0.14)
    return [*runners, *rods, shell, seat]


def high_bed() -> list[Part]:
    """A child's half-high bed with a ladder."""
    posts = [tube([(x, -0.6), (x, 0.95)], 0.08, 0, smooth=False) for x in (-0.9, 0.9)]
    rails = [styled(box(-0.92, y, 0.92, y + 0.1), turn=True) for y in (-0.5, -0.28, -0.05)]
    ladder = [tube([(x, -0.5), (x + 0.12, 0.95)], 0.06, 0, smooth=False) for x in (0.2, 0.52)]
    rungs = [
        tube([(0.24 + 0.08 * y, y), (0.58 + 0.08 * y, y)], 0.06, 0, smooth=False)
        for y in (-0.1, 0.2, 0.5, 0.8)
    ]
    mattress = box(-0.88, -0.36, 0.88, -0.08, "white", "cotton", 0.06)
    return [*posts, mattress, *rails, *ladder, *(styled(rung, turn=True) for rung in rungs)]


def clothes_rail() -> list[Part]:
    """Two A-frames and a bar with a few hangers."""
    frames = [
        tube([(s * x, -0.95), (s * (x + d), 0.95)], 0.08, 0, smooth=False)
        for s in (-1, 1)
        for x, d in ((0.66, 0.12), (0.74, -0.14))
    ]
    bars = [styled(tube([(-0.75, y), (0.75, y)], 0.07, 0, smooth=False), turn=True) for y in (-0.9, 0.62)]
    hangers = [
        tube(
            [(x, -0.88), (x + 0.02, -0.74), (x - 0.2, -0.6), (x + 0.22, -0.6), (x + 0.02, -0.74)],
            0.03,
            "white",
            "plastic",
            smooth=False,
        )
        for x in (-0.3, 0.1, 0.35)
    ]
    return [*frames, *bars, *hangers]


def trolley() -> list[Part]:
    """A kitchen trolley: three levels, wheels, a towel bar."""
    posts = [tube([(x, -0.8), (x, 0.82)], 0.08, 0, smooth=False) for x in (-0.7, 0.7)]
    shelves = [
        p
        for y in (-0.8, 0.0, 0.66)
        for p in (
            styled(
                polygon([(-0.62, y - 0.12), (0.62, y - 0.12), (0.76, y), (-0.76, y)], swell=0.02), turn=True
            ),
            styled(box(-0.76, y, 0.76, y + 0.08), turn=True),
        )
    ]
    wheels = [ellipse(x, 0.9, 0.08, 0.08, "black", "rubber") for x in (-0.7, 0.7)]
    return [*wheels, *posts, *shelves, tube(".74,-.7 .95,-.65 .95,-.5 .74,-.45", 0.04, 0)]


FURNITURE: Shapes = {
    "table": lambda: table(drawer=True), "desk": table, "cane_chair": cane_chair,
    "four_chairs": four_chairs, "office_chair": office_chair, "armchair": armchair,
    "sofa": lambda: moved(armchair(0.4), 0, 0, 0.8), "rocking_armchair": rocking_armchair,
    "high_bed": high_bed, "clothes_rail": clothes_rail, "trolley": trolley,
}  # fmt: skip

"""Electronics: things with screens, keys, cushions and cables."""

from __future__ import annotations

import numpy as np

from photo_renderer.outlines import (
    Part,
    Shapes,
    box,
    curve,
    ellipse,
    mirrored,
    polygon,
    tube,
)


def sewing_machine() -> list[Part]:
    """An old sewing machine from the front."""
    base = box(-0.95, 0.42, 0.95, 0.7, swell=0.06, corner=0.04)
    arm = curve(
        "-.85,-.5 -.8,-.62 .5,-.62 .85,-.5 .9,.44 .9,.44 .45,.44 .45,.44 .4,-.1 .2,-.2 -.5,-.2 "
        "-.56,.1 -.84,.1",
        swell=0.14,
    )
    needle = [
        tube("-.7,.08 -.7,.38", 0.03, "steel", "metal", smooth=False),
        box(-0.78, 0.34, -0.6, 0.42, "steel", "metal"),
    ]
    wheel = [ellipse(0.96, -0.3, 0.1, 0.24, "charcoal", "plastic")]
    dials = [
        ellipse(0.68, -0.3, 0.1, 0.1, "black", "plastic"),
        ellipse(0.68, 0.05, 0.1, 0.1, "black", "plastic"),
        box(-0.4, -0.48, 0.2, -0.34, "charcoal", "print", 0.01),
    ]
    return [
        *wheel,
        base,
        arm,
        *needle,
        *dials,
        tube(".3,-.62 .3,-.85", 0.03, "steel", "metal", smooth=False),
        box(0.22, -0.92, 0.38, -0.66, "red", "cotton", 0.06),
    ]


def turntable() -> list[Part]:
    """A record player from above: plinth of the first material, platter of the second."""
    arm = [
        ellipse(0.68, -0.45, 0.16, 0.16, "steel", "metal"),
        tube(".68,-.5 .72,.1 .5,.45", 0.05, "steel", "metal"),
        box(0.42, 0.4, 0.54, 0.56, "black", "plastic"),
        ellipse(0.68, -0.62, 0.09, 0.09, "charcoal", "metal"),
    ]
    disc = [
        ellipse(-0.2, 0, 0.68, 0.68, "steel", 1, 0.05),
        ellipse(-0.2, 0, 0.6, 0.6, "black", "rubber", 0.02),
        *(ellipse(-0.2, 0, r, r, "charcoal", "rubber", 0.008) for r in (0.54, 0.46, 0.38)),
        ellipse(-0.2, 0, 0.16, 0.16, "steel", 1, 0.01),
        ellipse(-0.2, 0, 0.03, 0.03, "steel", "metal"),
    ]
    return [
        box(-1.0, -0.8, 1.0, 0.82, 0, 0, 0.04, 0.03),
        box(-0.92, -0.72, 0.92, 0.74, "silver", "metal", 0.01),
        *disc,
        *arm,
        ellipse(0.76, 0.6, 0.07, 0.07, "steel", "metal"),
    ]


def speaker() -> list[Part]:
    """A cylindrical bluetooth speaker lying on its side."""
    body = box(-0.9, -0.38, 0.9, 0.38, 0, 0, 0.34, 0.16)
    badge = [
        box(-0.16, -0.16, 0.16, 0.16, "orange", "print", 0.01),
        tube("-.06,-.08 -.06,.08 .02,.08 .06,.02 0,-.08", 0.03, "white", "skin"),
    ]
    caps = [ellipse(s * 0.88, 0, 0.1, 0.34, "charcoal", "rubber", 0.06) for s in (-1, 1)]
    return [*caps, body, *badge, tube(".9,-.3 1.1,-.2 1.05,0", 0.05, "charcoal", "nylon")]


def phone() -> list[Part]:
    """A phone, screen up, dark."""
    glare = polygon("-.4,.2 .1,-.8 .3,-.8 -.4,.6", "charcoal", "screen", 0.005)
    return [
        box(-0.48, -0.95, 0.48, 0.95, 0, "plastic", 0.06, 0.12),
        box(-0.43, -0.89, 0.43, 0.89, "black", "screen", 0.01, 0.09),
        glare,
        ellipse(0, -0.82, 0.03, 0.03, "charcoal", "screen", 0.01),
        box(0.47, -0.4, 0.51, -0.1, "charcoal", "metal"),
    ]


def e_reader() -> list[Part]:
    """An e-reader showing a page."""
    lines = [
        tube([(-0.42, y), (0.42 if n % 5 else 0.1, y)], 0.022, "grey", "skin", smooth=False)
        for n, y in enumerate(np.linspace(-0.68, 0.55, 19), start=1)
    ]
    return [
        box(-0.62, -0.92, 0.62, 0.92, 0, 0, 0.05, 0.08),
        box(-0.52, -0.8, 0.52, 0.68, "cream", "print", 0.01),
        *lines,
    ]


def headphones() -> list[Part]:
    """Over-ear headphones."""
    band = tube("-.66,.2 -.7,-.4 -.4,-.86 0,-.95 .4,-.86 .7,-.4 .66,.2", 0.14)
    cups = [
        p
        for s in (-1, 1)
        for p in (
            curve(
                [
                    (s * 0.5, -0.05),
                    (s * 0.72, -0.08),
                    (s * 0.84, 0.3),
                    (s * 0.72, 0.72),
                    (s * 0.5, 0.68),
                    (s * 0.42, 0.3),
                ],
                swell=0.16,
            ),
            curve(
                [
                    (s * 0.36, 0.0),
                    (s * 0.5, -0.02),
                    (s * 0.54, 0.3),
                    (s * 0.48, 0.64),
                    (s * 0.36, 0.62),
                    (s * 0.3, 0.3),
                ],
                "charcoal",
                "faux_leather",
                0.1,
            ),
        )
    ]
    return [band, *cups]


def keyboard() -> list[Part]:
    """A flat keyboard."""
    keys = [
        box(
            -1.0 + 0.138 * c + 0.02,
            -0.3 + 0.14 * r,
            -1.0 + 0.138 * c + 0.135,
            -0.3 + 0.14 * r + 0.115,
            "charcoal",
            "plastic",
            0.025,
            0.02,
        )
        for r in range(4)
        for c in range(14)
    ]
    bottom = [box(-0.5, 0.27, 0.4, 0.39, "charcoal", "plastic", 0.025)] + [
        box(x, 0.27, x + 0.16, 0.39, "charcoal", "plastic", 0.025) for x in (-0.98, -0.8, 0.45, 0.64, 0.8)
    ]
    return [box(-1.06, -0.42, 1.04, 0.46, 0, "plastic", 0.03, 0.05), *keys, *bottom]


def monitor() -> list[Part]:
    """A monitor on its stand, switched off."""
    glare = polygon("-.9,-.7 -.3,-.7 -.9,.1", "charcoal", "screen", 0.005)
    return [
        polygon("-.4,.82 .4,.82 .5,.94 -.5,.94", 0, swell=0.03),
        box(-0.09, 0.3, 0.09, 0.86, 0),
        box(-1.0, -0.8, 1.0, 0.4, 0, "plastic", 0.03),
        box(-0.95, -0.75, 0.95, 0.32, "black", "screen", 0.008),
        glare,
        ellipse(0, 0.36, 0.03, 0.02, "grey", "print"),
    ]


def earbuds() -> list[Part]:
    """A charging case, open, with two earbuds lying in front."""
    case = [
        mirrored("0,-.75 .44,-.7 .52,-.4 .5,-.22 0,-.2", swell=0.14),
        box(-0.52, -0.24, 0.52, 0.36, 0, 0, 0.18, 0.2),
        *(ellipse(x, -0.2, 0.14, 0.06, "grey", "skin", 0.04) for x in (-0.22, 0.22)),
        ellipse(0, 0.1, 0.03, 0.03, "green", "screen"),
    ]
    buds = [
        p
        for s in (-1, 1)
        for p in (
            tube([(s * 0.35, 0.66), (s * 0.5, 1.0)], 0.11, 0, smooth=False),
            ellipse(s * 0.32, 0.6, 0.15, 0.12),
            ellipse(s * 0.26, 0.58, 0.05, 0.06, "charcoal", "skin"),
        )
    ]
    return [*case, *buds]


ELECTRONICS: Shapes = {
    "sewing_machine": sewing_machine, "turntable": turntable, "speaker": speaker, "phone": phone,
    "e_reader": e_reader, "headphones": headphones, "keyboard": keyboard, "monitor": monitor,
    "earbuds": earbuds,
}  # fmt: skip

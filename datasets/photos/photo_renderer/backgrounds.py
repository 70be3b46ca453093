"""Where sellers put things: beds, floors, tables, lawns, rooms; with clutter at the edge of the picture.

A background is either seen from above (the thing lies on it) or from the front (the thing stands on it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from photo_renderer.materials import RECIPES
from photo_renderer.noise import Field, blur, fractal_noise, value_noise
from photo_renderer.outlines import Part, box, curve, ellipse, mirrored, tube
from photo_renderer.painting import Coat, Placement, cast_lying, paint, silhouette

Texture = Callable[[Field, Field, int], Field]
HORIZON = 0.6  # of the picture's height: where wall and floor meet


@dataclass(frozen=True)
class Background:
    """A floor, and a wall when the thing stands before one."""

    floor: Texture
    wall: tuple[int, int, int] | None = None
    wall_tiles: bool = False


def _planks(colour: tuple[int, int, int], width: float, spread: float = 0.16) -> Texture:
    def texture(u: Field, v: Field, seed: int) -> Field:
        plank = np.floor(u / width)
        start = value_noise(plank * 7.3, plank * 0, seed) * 400
        board = plank * 37 + np.floor((v + start * 3) / (width * 6)) * 11
        wood = RECIPES["wood"](u % width + board * 53, v, seed)
        tint = wood.tint * (1 + spread * (value_noise(board * 3.7, board * 0, seed + 1) - 0.5) * 2)
        gap = np.minimum(u % width, (v + start * 3) % (width * 6)) < max(1.0, width / 40)
        return np.asarray(np.array(colour) * (tint * np.where(gap, 0.5, 1))[..., None])

    return texture


def _lit(colour: tuple[int, int, int], tint: Field, relief: Field) -> Field:
    slope_y, slope_x = np.gradient(relief)
    return np.asarray(
        np.array(colour) * (tint * np.clip(1 - 0.25 * slope_x - 0.3 * slope_y, 0.6, 1.2))[..., None]
    )


def _sheet(colour: tuple[int, int, int], second: tuple[int, int, int] | None = None) -> Texture:
    def texture(u: Field, v: Field, seed: int) -> Field:
        cloth = RECIPES["cotton"](u / 1.7, v / 1.7, seed)
        lit = _lit(colour, cloth.tint, cloth.relief * 1.3)
        if second is None:
            return lit
        stripe = ((u / 44) % 1 < 0.3)[..., None]
        return np.asarray(np.where(stripe, lit * np.array(second) / np.array(colour), lit))

    return texture


def _carpet(colour: tuple[int, int, int]) -> Texture:
    def texture(u: Field, v: Field, seed: int) -> Field:
        tufts = fractal_noise(u / 3, v / 3, seed, 2)
        worn = fractal_noise(u / 120, v / 120, seed + 5, 2)
        return _lit(colour, 0.75 + 0.3 * tufts + 0.24 * worn, 1.2 * tufts)

    return texture


def _lawn(u: Field, v: Field, seed: int) -> Field:
    blades = fractal_noise((u + 4 * value_noise(u / 9, v / 9, seed)) / 2.2, v / 9, seed, 2)
    patches = fractal_noise(u / 70, v / 70, seed + 4, 3)[..., None]
    green, straw = np.array([92, 132, 52]), np.array([158, 152, 84])
    mix = np.clip(patches * 1.6 - 0.5, 0, 0.7)
    return np.asarray((green * (1 - mix) + straw * mix) * (0.45 + 0.95 * blades)[..., None])


def _tiles(colour: tuple[int, int, int], size: float) -> Texture:
    def texture(u: Field, v: Field, seed: int) -> Field:
        tile = np.floor(u / size) * 17 + np.floor(v / size) * 31
        joint = np.minimum(u % size, v % size) < max(1.5, size / 28)
        tint = (
            0.95 + 0.08 * value_noise(tile * 1.7, tile * 0, seed) + 0.05 * fractal_noise(u / 30, v / 30, seed)
        )
        return np.asarray(np.array(colour) * np.where(joint, 0.72, tint)[..., None])

    return texture


OAK, DARK, GREY_OAK = (186, 144, 98), (112, 80, 58), (164, 152, 138)
BACKGROUNDS: dict[str, Background] = {
    "sheet_white": Background(_sheet((226, 224, 218))),
    "sheet_blue": Background(_sheet((142, 164, 194))),
    "sheet_stripe": Background(_sheet((224, 220, 210), (150, 168, 186))),
    "sheet_grey": Background(_sheet((158, 160, 164))),
    "boards_oak": Background(_planks(OAK, 86)),
    "boards_dark": Background(_planks(DARK, 74)),
    "boards_grey": Background(_planks(GREY_OAK, 96)),
    "carpet_grey": Background(_carpet((146, 144, 142))),
    "carpet_beige": Background(_carpet((200, 184, 158))),
    "carpet_blue": Background(_carpet((98, 112, 138))),
    "lawn": Background(_lawn),
    "desk_oak": Background(_planks((196, 154, 106), 300, 0.06)),
    "desk_white": Background(_sheet((222, 221, 217))),
    "tiles": Background(_tiles((196, 190, 180), 110)),
    "room_white": Background(_planks(OAK, 90), (222, 219, 212)),
    "room_cream": Background(_planks(DARK, 80), (224, 210, 182)),
    "room_blue": Background(_planks(GREY_OAK, 90), (164, 182, 196)),
    "room_grey": Background(_carpet((172, 160, 144)), (178, 178, 176)),
    "room_sage": Background(_planks(OAK, 100), (176, 186, 166)),
    "room_dark": Background(_planks(OAK, 90), (120, 124, 132)),
    "garden": Background(_lawn, (118, 134, 92)),
    "yard": Background(_tiles((158, 154, 148), 120), (176, 128, 104), True),
    "counter": Background(_planks((190, 148, 100), 300, 0.05), (228, 228, 222), True),
    "counter_dark": Background(_planks((96, 84, 78), 300, 0.05), (206, 212, 204), True),
    "table": Background(_planks((180, 132, 86), 120, 0.1), (206, 202, 194)),
    "table_blue": Background(_planks((204, 164, 116), 120, 0.1), (128, 146, 166)),
}


def draw_background(name: str, shape: tuple[int, int], random: np.random.RandomState) -> Field:
    """The empty place, height x width x 3."""
    place, seed = BACKGROUNDS[name], int(random.randint(2**31))
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(float)
    if place.wall is None:
        angle = random.uniform(-0.5, 0.5) + random.choice([0, np.pi / 2])
        size = random.uniform(0.85, 1.25)
        u = (columns * np.cos(angle) + rows * np.sin(angle)) / size + 2000
        v = (rows * np.cos(angle) - columns * np.sin(angle)) / size + 2000
        return place.floor(u, v, seed)
    horizon = shape[0] * HORIZON
    depth = 190 / np.maximum(rows - horizon + 60, 20)
    floor = place.floor((columns - shape[1] / 2) * depth + 2000, depth * 420 + 2000, seed)
    wall = _wall(place, name, columns, rows, seed)
    picture = np.where((rows < horizon)[..., None], wall, floor)
    if name.startswith("room"):
        skirting = (rows > horizon - 26) & (rows < horizon)
        picture[skirting] = (
            np.array([232, 231, 226]) * np.where(rows[skirting] > horizon - 22, 1, 0.82)[:, None]
        )
        _add_socket(picture, horizon, random)
    crease = np.exp(-np.abs(rows - horizon) / 14)
    return np.asarray(picture * (1 - 0.22 * crease)[..., None])


def _add_socket(picture: Field, horizon: float, random: np.random.RandomState) -> None:
    """Two power sockets low on the wall."""
    plates = [box(x - 0.5, -0.5, x + 0.5, 0.5, swell=0.06, corner=0.1) for x in (0, 1.0)]
    holes = [ellipse(x, 0, 0.34, 0.34, "grey", "plastic", 0.06) for x in (0, 1.0)]
    place = Placement(random.choice([0.07, 0.86]) * picture.shape[1], horizon - 58, 24)
    paint(picture, [*plates, *holes], Coat(("white",), ("plastic",)), place, 1)


def _wall(place: Background, name: str, columns: Field, rows: Field, seed: int) -> Field:
    assert place.wall is not None
    if name == "garden":
        leaves = np.abs(
            fractal_noise(columns / 7, rows / 7, seed, 2) - fractal_noise(columns / 6, rows / 6, seed + 9, 2)
        )
        bushes = fractal_noise(columns / 60, rows / 80, seed + 5, 2)
        return np.asarray(np.array(place.wall) * blur(0.3 + 0.7 * bushes + 1.4 * leaves, 1.5)[..., None])
    if place.wall_tiles:
        bricks = columns + 30 * (np.floor(rows / 34) % 2)
        return _tiles(place.wall, 68)(bricks, rows * 2, seed)
    plaster = (
        0.94
        + 0.08 * fractal_noise(columns / 90, rows / 90, seed, 3)
        + 0.03 * value_noise(columns / 2, rows / 2, seed)
    )
    return np.asarray(np.array(place.wall) * plaster[..., None])


def _mug() -> tuple[list[Part], Coat]:
    parts = [
        tube(".6,.1 1.1,.2 1,.6 .5,.5", 0.16),
        ellipse(0, 0, 0.75, 0.75, swell=0.16),
        ellipse(0, 0, 0.6, 0.6, "chocolate", "screen", 0.05),
    ]
    return parts, Coat(("white",), ("ceramic",))


def _cable() -> tuple[list[Part], Coat]:
    return [tube("-3.2,-1.6 -1.6,.7 -.4,-.5 .6,1 1.9,.1 3,1.4", 0.14)], Coat(("charcoal",), ("rubber",))


def _tail() -> tuple[list[Part], Coat]:
    curl = curve("-1.2,1.2 -.6,.4 .2,.1 .9,-.3 1,-.75 1.3,-.7 1.25,-.1 .5,.55 -.2,.85 -.9,1.5", swell=0.16)
    return [curl], Coat(("rust",), ("mohair",))


def _plant() -> tuple[list[Part], Coat]:
    leaf = mirrored("0,-1.3 .2,-.9 .24,-.5 .06,0", swell=0.1)
    leaves = []
    for angle in np.linspace(0, 2 * np.pi, 9, endpoint=False):
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        leaves.append(Part(leaf.outline @ turn, swell=leaf.swell))
    return leaves, Coat(("green",), ("leather",))


def _magazine() -> tuple[list[Part], Coat]:
    return [
        box(-0.8, -1.1, 0.8, 1.1, swell=0.02),
        box(-0.7, -1.0, 0.7, -0.7, "charcoal", "print"),
        box(-0.6, -0.5, 0.6, 0.8, "grey", "print"),
    ], Coat(("cream",), ("print",))


CLUTTER = {"mug": _mug, "cable": _cable, "cat": _tail, "plant": _plant, "magazine": _magazine}


def add_clutter(picture: Field, kind: str, random: np.random.RandomState) -> None:
    """Something that is not for sale, half out of the picture in one of its corners."""
    height, width = picture.shape[:2]
    x, y = random.choice([0.03, 0.97]) * width, random.choice([0.06, 0.95]) * height
    parts, coat = CLUTTER[kind]()
    place = Placement(
        x, y, random.uniform(46, 60) * (1.5 if kind == "cat" else 1), random.uniform(0, 2 * np.pi)
    )
    cast_lying(picture, silhouette(picture.shape, parts, place), 7)
    paint(picture, parts, coat, place, int(random.randint(2**31)))

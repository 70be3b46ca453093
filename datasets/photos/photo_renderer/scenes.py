"""A scene: which things of which colours and materials lie or stand where, as `scenes.csv` says it.

    L003,teapot white+blue ceramic,table,mug,,,
    -> a teapot of white and blue ceramic on a table, a mug at the edge; no label, no contradiction

Not handled: how the photo is taken; see `camera`.
"""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from photo_renderer.backgrounds import BACKGROUNDS, add_clutter, draw_background
from photo_renderer.bags import BAGS
from photo_renderer.cabinets import CABINETS
from photo_renderer.camera import Shot, choose_shot, develop, expose
from photo_renderer.colours import BARE, vocabulary_colour
from photo_renderer.electronics import ELECTRONICS
from photo_renderer.footwear import FOOTWEAR
from photo_renderer.furniture import FURNITURE
from photo_renderer.garments import GARMENTS
from photo_renderer.household import HOUSEHOLD
from photo_renderer.labels import stick_label
from photo_renderer.materials import vocabulary_material
from photo_renderer.noise import Field
from photo_renderer.outlines import Shapes
from photo_renderer.painting import Coat, Placement, cast_lying, cast_standing, paint, silhouette
from photo_renderer.sports_wheels import SPORTS_WHEELS
from photo_renderer.toys_garden import TOYS_GARDEN

HEIGHT, WIDTH = 640, 480
SHAPES: Shapes = {
    **GARMENTS, **FOOTWEAR, **BAGS, **FURNITURE, **CABINETS, **HOUSEHOLD, **TOYS_GARDEN, **SPORTS_WHEELS,
    **ELECTRONICS,
}  # fmt: skip
HANGING = {"curtains": 0.5, "mirror": 0.42, "clock": 0.4, "lampshade": 0.42}  # height of the centre
UNREADABLE = "(blurred)"


@dataclass(frozen=True)
class Thing:
    """Something in the picture: a shape of `SHAPES` in its coat."""

    shape: str
    coat: Coat

    @classmethod
    def parse(cls, text: str) -> Thing:
        """`teapot white+blue ceramic` -> Thing."""
        shape, shades, materials = text.split()
        return cls(shape, Coat(tuple(shades.split("+")), tuple(materials.split("+"))))

    @property
    def colours(self) -> set[str]:
        """Vocabulary colours; bare wood or metal counts only when nothing on the thing is dyed or painted."""
        dyed = [shade for shade in self.coat.shades if shade not in BARE]
        return {vocabulary_colour(shade) for shade in dyed or self.coat.shades}


@dataclass(frozen=True)
class Scene:
    """One row of `scenes.csv`."""

    listing: str
    things: tuple[Thing, ...]
    background: str
    clutter: str
    label: tuple[str, ...]
    is_label_readable: bool
    not_for_sale: tuple[Thing, ...]
    contradicts: tuple[str, ...]

    @property
    def colours(self) -> list[str]:
        """Vocabulary colours of what is for sale."""
        bare = all(shade in BARE for thing in self.things for shade in thing.coat.shades)
        dyed = [thing for thing in self.things if bare or not set(thing.coat.shades) <= set(BARE)]
        return sorted(set().union(*(thing.colours for thing in dyed)))

    @property
    def materials(self) -> list[str]:
        """Vocabulary materials that can be named from the picture, or read on the label."""
        recipes = {recipe for thing in self.things for recipe in thing.coat.materials}
        return sorted({material for recipe in recipes if (material := vocabulary_material(recipe))})

    @property
    def size_tag(self) -> str | None:
        """The size printed on the label, whether or not it can be read."""
        return self.label[0] if self.label else None


def read_scenes(path: Path) -> list[Scene]:
    """The scenes of `scenes.csv`, in its order."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_scene(row) for row in csv.DictReader(file)]


def _scene(row: dict[str, str]) -> Scene:
    label = row["label"].removesuffix(UNREADABLE).strip()
    return Scene(
        listing=row["listing"],
        things=tuple(Thing.parse(text) for text in row["things"].split("&")),
        background=row["background"],
        clutter=row["clutter"],
        label=tuple(label.split("|")) if label else (),
        is_label_readable=bool(label) and not row["label"].endswith(UNREADABLE),
        not_for_sale=tuple(Thing.parse(text) for text in row["not_for_sale"].split("&") if text),
        contradicts=tuple(row["contradicts"].split()),
    )


def take_photo(scene: Scene) -> tuple[bytes, Shot]:
    """The JPEG of a scene, and the faults it was taken with. The listing's id is the seed."""
    random = np.random.RandomState(zlib.crc32(scene.listing.encode()))
    picture = draw_background(scene.background, (HEIGHT, WIDTH), random)
    standing = BACKGROUNDS[scene.background].wall is not None
    if scene.clutter and not standing:
        add_clutter(picture, scene.clutter, random)
    for thing, place in _arranged(scene, standing, random):
        _put(picture, thing, place, standing, random)
    if scene.clutter and standing:
        add_clutter(picture, scene.clutter, random)
    if scene.label:
        where = (random.uniform(0.3, 0.7) * WIDTH, random.uniform(0.62, 0.8) * HEIGHT)
        seed = int(random.randint(2**31))
        stick_label(
            picture,
            list(scene.label),
            where,
            random.uniform(-14, 14),
            sharp=scene.is_label_readable,
            seed=seed,
        )
    shot = choose_shot(random, sharp=scene.is_label_readable)
    if scene.is_label_readable:
        shot = replace(shot, glare=0.0)
    return develop(expose(picture, shot, random), shot.orientation), shot


def _put(
    picture: Field, thing: Thing, place: Placement, standing: bool, random: np.random.RandomState
) -> None:
    parts = SHAPES[thing.shape]()
    covered = silhouette(picture.shape, parts, place)
    if standing and thing.shape not in HANGING:
        cast_standing(picture, covered, random.uniform(0.4, 1.1))
    else:
        cast_lying(picture, covered, random.uniform(8, 15))
    paint(picture, parts, thing.coat, place, int(random.randint(2**31)))


def _arranged(scene: Scene, standing: bool, random: np.random.RandomState) -> list[tuple[Thing, Placement]]:
    """Where each thing goes; what is not for sale lies at the upper left, half covered."""
    others = [(thing, _place(thing, 0.2, 0.2, 0.5, standing, random)) for thing in scene.not_for_sale]
    count = len(scene.things)
    if count == 1:
        return [*others, (scene.things[0], _place(scene.things[0], 0.5, 0.5, 1.0, standing, random))]
    spots = {
        2: ((0.3, 0.42), (0.7, 0.6)),
        3: ((0.22, 0.45), (0.52, 0.5), (0.8, 0.56)),
        4: ((0.2, 0.44), (0.5, 0.42), (0.78, 0.46), (0.45, 0.62)),
    }
    share = 0.62 if count < 4 else 0.52
    return others + [
        (thing, _place(thing, x, y, share, standing, random))
        for thing, (x, y) in zip(scene.things, spots[count], strict=True)
    ]


def _place(
    thing: Thing, x: float, y: float, share: float, standing: bool, random: np.random.RandomState
) -> Placement:
    outline = np.concatenate([part.outline for part in SHAPES[thing.shape]()])
    low, high = outline.min(axis=0), outline.max(axis=0)
    unit = (
        min(0.9 * WIDTH / (high - low)[0], 0.78 * HEIGHT / (high - low)[1])
        * share
        * random.uniform(0.86, 1.0)
    )
    middle = (low + high) / 2 * unit
    across = x * WIDTH - middle[0] + random.uniform(-0.03, 0.03) * WIDTH
    if not standing:
        return Placement(
            across,
            y * HEIGHT - middle[1] + random.uniform(-0.03, 0.03) * HEIGHT,
            unit,
            random.uniform(-0.3, 0.3),
        )
    angle = random.uniform(-0.03, 0.03)
    if thing.shape in HANGING:
        return Placement(across, HANGING[thing.shape] * HEIGHT - middle[1], unit, angle)
    base = (0.80 + 0.16 * (y - 0.5) + random.uniform(-0.02, 0.04)) * HEIGHT
    return Placement(across, base - high[1] * unit, unit, angle)

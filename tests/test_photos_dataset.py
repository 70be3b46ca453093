"""The photos: do they show what their records say, and can the generator draw them again?

The colours are checked by measures that share nothing with the generator: hue, saturation and lightness
ranges of the colour words, and the shades that people named in the xkcd colour survey (in matplotlib).
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import XKCD_COLORS, to_rgb
from PIL import Image, ImageOps

from aicourse.datasets import COLOURS, MATERIALS, load_listings, load_photos
from aicourse.errors import DatasetError
from aicourse.paths import datasets_dir

FOLDER = datasets_dir() / "photos"
DATASHEET = (FOLDER / "README.md").read_text(encoding="utf-8")
CHROMATIC = {
    "black",
    "grey",
    "brown",
    "red",
    "pink",
    "orange",
    "yellow",
    "green",
    "blue",
    "turquoise",
    "purple",
}
MEANT = {
    "blue": "navy indigo",
    "turquoise": "teal cyan aqua",
    "grey": "gray charcoal slate",
    "red": "maroon burgundy crimson",
    "purple": "lavender violet lilac plum eggplant",
    "green": "olive mint khaki",
    "pink": "magenta rose",
    "orange": "salmon rust coral terracotta copper peach",
    "yellow": "mustard ochre",
    "brown": "chocolate sienna umber",
    "beige": "tan cream sand",
}
SYNONYMS = {shade: colour for colour, shades in MEANT.items() for shade in shades.split()}
REDRAWN = ("L003", "L056", "L120")  # standing, lying, with a label


@pytest.fixture(scope="module")
def photos() -> pd.DataFrame:
    return load_photos()


@pytest.fixture(scope="module")
def listings() -> pd.DataFrame:
    return load_listings()


def upright(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def share_of(colour: str, image: Image.Image) -> float:
    """The share of the middle of the picture that this word may name; ranges are wide, light is bad."""
    width, height = image.size
    middle = image.crop((width // 10, height // 10, width * 9 // 10, height * 19 // 20)).resize((96, 136))
    hue, saturation, value = np.moveaxis(np.asarray(middle.convert("HSV"), dtype=int), -1, 0)
    degrees = hue * 360 // 255
    pale, dark = saturation < 60, value < 90
    ranges = {
        "black": value < 75,
        "white": pale & (value > 165),
        "grey": pale & (value > 50) & (value < 205),
        "silver": pale & (value > 90),
        "transparent": saturation < 90,
        "beige": (degrees > 20) & (degrees < 62) & (saturation > 20) & (saturation < 150) & (value > 120),
        "brown": (degrees < 42) & (saturation > 50) & (value < 215),
        "red": ((degrees < 14) | (degrees > 335)) & (saturation > 110),
        "pink": ((degrees > 300) | (degrees < 18)) & (saturation > 45) & (value > 110),
        "orange": (degrees > 5) & (degrees < 42) & (saturation > 110) & (value > 90),
        "yellow": (degrees > 34) & (degrees < 72) & (saturation > 110) & (value > 110),
        "gold": (degrees > 28) & (degrees < 60) & (saturation > 70),
        "green": (degrees > 62) & (degrees < 178) & (saturation > 25),
        "turquoise": (degrees > 160) & (degrees < 205) & (saturation > 80),
        "blue": (degrees > 195) & (degrees < 262) & (saturation > 35),
        "purple": (degrees > 255) & (degrees < 345) & (saturation > 25),
        "multicolour": saturation > 60,
    }
    named = ranges[colour] & ~dark if colour in ("turquoise", "orange", "yellow", "gold") else ranges[colour]
    return float(named.mean())


def survey() -> tuple[list[str], np.ndarray]:
    """Shades of the xkcd colour survey whose name ends in a word of the vocabulary, in CIE Lab."""
    ends = {name: name.removeprefix("xkcd:").replace("/", " ").split()[-1] for name in XKCD_COLORS}
    named = {name: SYNONYMS.get(end, end) for name, end in ends.items() if SYNONYMS.get(end, end) in COLOURS}
    return list(named.values()), lab(np.array([to_rgb(XKCD_COLORS[name]) for name in named]))


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE Lab (D65) of sRGB values in 0..1."""
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    to_xyz = np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    xyz = linear @ to_xyz / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def test_sizes_splits_and_links(photos: pd.DataFrame, listings: pd.DataFrame) -> None:
    assert photos["split"].value_counts().to_dict() == {"test": 80, "dev": 40}
    assert photos.index.is_unique
    assert (listings.loc[photos.index, "split"] == photos["split"]).all()
    assert all(path.is_file() for path in photos["path"])
    assert {path.name for path in (FOLDER / "images").iterdir()} == {path.name for path in photos["path"]}


def test_all_photos_together_stay_small(photos: pd.DataFrame) -> None:
    assert sum(path.stat().st_size for path in photos["path"]) <= 6_000_000


def test_every_photo_is_an_upright_phone_picture(photos: pd.DataFrame) -> None:
    turned = 0
    for name, row in photos.iterrows():
        with Image.open(row["path"]) as image:
            orientation = image.getexif().get(0x0112, 1)
        assert upright(row["path"]).size == (480, 640), name
        assert (orientation != 1) == ("rotated" in row["conditions"]), name
        turned += orientation != 1
    assert turned >= 20


def test_records_use_the_vocabularies(photos: pd.DataFrame) -> None:
    for name, row in photos.iterrows():
        assert row["colours"], name
        for column, vocabulary in (("colours", COLOURS), ("materials", MATERIALS)):
            assert set(row[column]) <= set(vocabulary), (name, row[column])
            assert row[column] == sorted(set(row[column])), (name, row[column])


def test_a_photo_agrees_with_its_text_unless_it_is_said_to_contradict_it(
    photos: pd.DataFrame, listings: pd.DataFrame
) -> None:
    """Colours: all that the text states, and no others. Materials: none that the text does not state."""
    for name, row in photos.iterrows():
        stated = listings.loc[name]
        if stated["colours"]:
            agrees = row["colours"] == stated["colours"]
            assert agrees == ("colours" not in row["contradicts"]), (name, row["colours"], stated["colours"])
        if stated["materials"]:
            agrees = set(row["materials"]) <= set(stated["materials"])
            assert agrees == ("materials" not in row["contradicts"]), (
                name,
                row["materials"],
                stated["materials"],
            )


def test_twelve_photos_contradict_their_text_four_of_them_in_dev(photos: pd.DataFrame) -> None:
    liars = photos[photos["contradicts"].map(bool)]
    assert liars["split"].value_counts().to_dict() == {"test": 8, "dev": 4}
    assert Counter(field for fields in liars["contradicts"] for field in fields) == {
        "colours": 10,
        "materials": 2,
    }


def test_photo_gold_adds_to_the_text_and_overrules_nothing(
    photos: pd.DataFrame, listings: pd.DataFrame
) -> None:
    for name, row in photos.iterrows():
        stated, both = listings.loc[name], row["photo_gold"]
        seen_size = row["size_tag"] if row["size_tag_readable"] else None
        for field, seen in (
            ("colours", row["colours"]),
            ("materials", row["materials"]),
            ("size", seen_size),
        ):
            assert both[field] == (stated[field] or seen), (name, field)


def test_some_labels_add_a_size_or_a_material_that_the_text_lacks(
    photos: pd.DataFrame, listings: pd.DataFrame
) -> None:
    readable = photos[photos["size_tag_readable"]]
    stated = listings.loc[readable.index]
    assert len(readable) >= 20
    assert (photos["size_tag"].notna() & ~photos["size_tag_readable"]).sum() >= 4
    assert stated["size"].isna().sum() >= 4
    assert (stated["materials"].map(len) == 0).sum() >= 4


def test_what_lies_around_is_not_for_sale(photos: pd.DataFrame, listings: pd.DataFrame) -> None:
    """The grey rope and the white blouse that the texts explain away."""
    assert photos.loc["L006", "not_for_sale"] == ["grey"]
    assert "grey rope in the photo" in listings.loc["L006", "text"]
    assert photos.loc["L139", "not_for_sale"] == ["white"]


def test_each_shown_colour_covers_a_part_of_the_picture(photos: pd.DataFrame) -> None:
    """At least 0.9 % (the felt under two chessmen); 9 % where it is alone, but for thin things."""
    small, single = [], []
    for name, row in photos.iterrows():
        shares = {colour: share_of(colour, upright(row["path"])) for colour in row["colours"]}
        small += [(name, colour, share) for colour, share in shares.items() if share < 0.009]
        if len(shares) == 1:
            single += list(shares.values())
    assert small == []
    assert np.mean(np.array(single) >= 0.09) >= 0.93


@pytest.mark.slow
def test_people_would_name_the_shown_colour(photos: pd.DataFrame) -> None:
    """Nearest of the 700 shades that the xkcd survey's participants called by a colour of the vocabulary.

    Only for things of one chromatic colour: the survey has hardly any white, silver or gold.
    """
    words, shades = survey()
    ranks = []
    for _, row in photos.iterrows():
        if len(row["colours"]) > 1 or row["colours"][0] not in CHROMATIC:
            continue
        image = upright(row["path"]).crop((96, 128, 384, 544)).resize((48, 70), Image.Resampling.BOX)
        pixels = lab(np.asarray(image, dtype=float).reshape(-1, 3) / 255)
        nearest = ((pixels[:, None] - shades[None]) ** 2).sum(axis=-1).argmin(axis=1)
        common = [word for word, _ in Counter(words[index] for index in nearest).most_common(3)]
        ranks.append(row["colours"][0] in common)
    assert len(ranks) >= 50
    assert np.mean(ranks) >= 0.9


def test_a_contradicting_photo_does_not_show_the_stated_colour_on_the_thing(
    photos: pd.DataFrame, listings: pd.DataFrame
) -> None:
    """The middle of the picture, where the thing is, is nearer to the shown colour than to the stated one."""
    liars = photos[photos["contradicts"].map(lambda fields: "colours" in fields)]
    for name, row in liars.iterrows():
        image = upright(row["path"])
        width, height = image.size
        centre = image.crop((width // 4, height // 4, width * 3 // 4, height * 3 // 4))
        shown = max(share_of(colour, centre) for colour in row["colours"])
        stated = max(share_of(colour, centre) for colour in listings.loc[name, "colours"])
        assert shown > stated, (name, shown, stated)


def test_hashes_of_all_files_stand_in_the_list_and_the_hash_of_the_list_in_the_datasheet() -> None:
    sums = FOLDER / "SHA256SUMS"
    lines = sums.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 121
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name
    assert hashlib.sha256(sums.read_bytes()).hexdigest() in DATASHEET


@pytest.mark.parametrize("name", REDRAWN)
def test_the_generator_draws_the_same_photo_again(name: str, photos, monkeypatch, tmp_path: Path) -> None:
    """Perceptually: other versions of numpy, Pillow or libjpeg may round a pixel differently."""
    monkeypatch.syspath_prepend(str(FOLDER))
    generate, scenes = (importlib.import_module(name) for name in ("generate", "photo_renderer.scenes"))
    scene = next(scene for scene in scenes.read_scenes(FOLDER / "scenes.csv") if scene.listing == name)
    generate.write_photos([scene], tmp_path)
    record = json.loads((tmp_path / "photos.jsonl").read_text(encoding="utf-8"))
    kept = (FOLDER / "photos.jsonl").read_text(encoding="utf-8").splitlines()
    assert record in [json.loads(line) for line in kept]
    new = np.asarray(upright(tmp_path / record["photo"]), dtype=float)
    old = np.asarray(upright(FOLDER / record["photo"]), dtype=float)
    assert np.abs(new - old).mean() < 2


def test_the_generator_refuses_a_part_of_the_dataset_in_its_place(monkeypatch, capsys) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    generate = importlib.import_module("generate")
    monkeypatch.setattr("sys.argv", ["generate.py", "L003"])
    with pytest.raises(SystemExit):
        generate.main()
    assert "add --to FOLDER" in capsys.readouterr().err


def test_splits_are_loaded_alone_and_the_hidden_one_is_refused() -> None:
    assert set(load_photos("dev")["split"]) == {"dev"}
    with pytest.raises(DatasetError, match="hidden"):
        load_photos("grader")


def test_a_broken_record_is_named(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "datasets" / "photos").mkdir(parents=True)
    first = (FOLDER / "photos.jsonl").read_text(encoding="utf-8").splitlines()[0]
    broken = f'{first}\n{{"photo": "images/L999.jpg"}}\n'
    (tmp_path / "datasets" / "photos" / "photos.jsonl").write_text(broken, encoding="utf-8")
    monkeypatch.setattr("aicourse.datasets.datasets_dir", lambda: tmp_path / "datasets")
    with pytest.raises(DatasetError, match="line 2: missing listing"):
        load_photos()

"""Load the course's datasets as DataFrames: 240 marketplace listings, labelled.

Each dataset is a folder under `datasets/` with a datasheet (`README.md`), the labelling guide and
JSON Lines that any tool can read; this module adds only the checks and the column types. The
vocabularies below are the ones of `datasets/listings/ANNOTATION.md`.

Not handled: photos (they come with lesson 02's data).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from aicourse.errors import DatasetError
from aicourse.paths import datasets_dir

CATEGORIES = (
    "clothing", "shoes", "bags_accessories", "furniture", "home_decor", "kitchen", "toys_games",
    "sports_outdoors", "electronics", "books_media", "tools_garden", "baby",
)  # fmt: skip
COLOURS = (
    "black", "white", "grey", "beige", "brown", "red", "pink", "orange", "yellow", "green", "blue",
    "turquoise", "purple", "gold", "silver", "multicolour", "transparent",
)  # fmt: skip
MATERIALS = (
    "cotton", "wool", "cashmere", "linen", "silk", "denim", "leather", "suede", "faux_leather", "faux_fur",
    "polyester", "nylon", "acrylic", "viscose", "elastane", "velvet", "down", "felt", "rubber", "plastic",
    "wood", "bamboo", "rattan", "cork", "paper", "metal", "glass", "ceramic", "stone", "foam",
)  # fmt: skip
CONDITIONS = ("new", "like_new", "good", "fair", "for_parts")
ATTRIBUTES = ("category", "colours", "materials", "size", "condition", "brand")
SPLITS = ("dev", "test")


def load_listings(split: str | None = None) -> pd.DataFrame:
    """The listings of one split, or of both, with their gold attributes.

    Returns:
        One row per listing, indexed by `id` ("L001"): `title`, `description`, `text` (both, as the
        model sees them), `price_eur` (float, NaN when the seller forgot it), `language`, `tags` (list),
        `split`, and the gold attributes `category`, `colours` (list), `materials` (list), `size`,
        `condition`, `brand` (None = not stated). dev has 60 rows, test 120.

    Raises:
        DatasetError: an unknown split, the hidden one, or a broken file.

    >>> load_listings("dev").loc["L001", ["category", "colours"]].tolist()  # doctest: +SKIP
    ['furniture', ['brown']]
    """
    if split == "grader":
        raise DatasetError(
            "The grader split is hidden: it grades homework. Use load_listings('dev') or ('test')."
        )
    if split is not None and split not in SPLITS:
        raise DatasetError(
            f"No split {split!r}. Use one of {', '.join(SPLITS)}, or none for all.", split=split
        )
    folder = datasets_dir() / "listings"
    names = [split] if split else list(SPLITS)
    return pd.concat([read_listings(folder / f"{name}.jsonl").assign(split=name) for name in names])


def read_listings(path: Path) -> pd.DataFrame:
    """The listings of one JSON Lines file, in the columns of `load_listings` but for `split`.

    Raises:
        DatasetError: the file is missing, or a line is not a listing; names the file and line.
    """
    frame = pd.DataFrame([_listing_row(record) for record in _read_lines(path)]).set_index("id")
    if frame.index.has_duplicates:
        repeated = sorted(set(frame.index[frame.index.duplicated()]))
        raise DatasetError(f"{path}: ids that occur twice: {', '.join(repeated)}. Give each listing its own.")
    return _with_none(frame.astype({"price_eur": "float"}))


def load_second_annotator(*, guide: bool = True) -> pd.DataFrame:
    """Labels of annotators who did not see the gold labels: with the labelling guide, or without any.

    Returns:
        60 rows indexed by listing `id`, with the six attribute columns of `load_listings`.
    """
    labels = "labels" if guide else "labels_without_guide"
    records = _read_lines(datasets_dir() / "listings" / "second_annotator.jsonl")
    rows = [{"id": record["id"], **_attributes(record[labels])} for record in records]
    return _with_none(pd.DataFrame(rows).set_index("id"))


def _with_none(frame: pd.DataFrame) -> pd.DataFrame:
    """ "Not stated" as None: pandas turns it into NaN, which is true, and so would count as stated."""
    optional = {name: frame[name].astype(object) for name in ("size", "condition", "brand")}
    return frame.assign(**{name: column.where(column.notna(), None) for name, column in optional.items()})


def _listing_row(record: dict[str, Any]) -> dict[str, Any]:
    attributes = _attributes(record.pop("gold"))
    return record | {"text": f"{record['title']}\n{record['description']}"} | attributes


def _attributes(labels: dict[str, Any]) -> dict[str, Any]:
    return {name: labels[name] for name in ATTRIBUTES}


def _read_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file, one per line, that have what a listing or its labels need."""
    if not path.is_file():
        raise DatasetError(
            f"No file {path.name} in {path.parent}. Restore it with: git checkout -- datasets", path=path
        )
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
            labels = record.get("gold", record.get("labels"))
            missing = [name for name in ATTRIBUTES if name not in labels]
        except (ValueError, AttributeError, TypeError) as error:
            raise DatasetError(
                f"{path}, line {number}: not a listing ({error}). Correct the line.", path=path, line=number
            ) from error
        if missing or "id" not in record:
            raise DatasetError(
                f"{path}, line {number}: missing {', '.join(missing or ['id'])}. Add it (null: not stated).",
                path=path,
                line=number,
            )
        records.append(record)
    return records

"""Draw the photos of `scenes.csv` and write them with their records.

python datasets/photos/generate.py                     all: images/, photos.jsonl, SHA256SUMS
python datasets/photos/generate.py L003 --to /tmp/try  one, elsewhere: look at a change before making it
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from photo_renderer.camera import Shot
from photo_renderer.scenes import Scene, read_scenes, take_photo

FOLDER = Path(__file__).parent
LISTINGS = FOLDER.parent / "listings"


def main() -> None:
    """Read the command line, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("listings", nargs="*", help="draw only these, e.g. L003 (needs --to)")
    parser.add_argument("--to", type=Path, help="folder for a trial; the dataset stays as it is")
    arguments = parser.parse_args()
    if arguments.listings and arguments.to is None:
        parser.error("a part of the photos goes elsewhere: add --to FOLDER")
    folder = arguments.to or FOLDER
    scenes = [
        s
        for s in read_scenes(FOLDER / "scenes.csv")
        if s.listing in arguments.listings or not arguments.listings
    ]
    write_photos(scenes, folder)


def write_photos(scenes: list[Scene], folder: Path) -> None:
    """The photos, `photos.jsonl` and `SHA256SUMS` of these scenes in a folder."""
    gold = read_gold()
    (folder / "images").mkdir(parents=True, exist_ok=True)
    lines, sums = [], []
    for scene in scenes:
        jpeg, shot = take_photo(scene)
        name = f"images/{scene.listing}.jpg"
        (folder / name).write_bytes(jpeg)
        lines.append(json.dumps(describe(scene, shot, gold[scene.listing]), ensure_ascii=False))
        sums.append(f"{hashlib.sha256(jpeg).hexdigest()}  {name}")
    records = "".join(f"{line}\n" for line in lines).encode()
    (folder / "photos.jsonl").write_bytes(records)
    sums.append(f"{hashlib.sha256(records).hexdigest()}  photos.jsonl")
    (folder / "SHA256SUMS").write_bytes("".join(f"{line}\n" for line in sums).encode())


def read_gold() -> dict[str, dict[str, Any]]:
    """Split and gold labels by listing, from plain JSON: the generator needs only numpy and Pillow."""
    gold = {}
    for split in ("dev", "test"):
        for line in (LISTINGS / f"{split}.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            gold[record["id"]] = record["gold"] | {"split": split}
    return gold


def describe(scene: Scene, shot: Shot, gold: dict[str, Any]) -> dict[str, Any]:
    """The record of a photo: what it shows, and the labels of text and photo together.

    `photo_gold` keeps what the text states and takes from the photo only what the text leaves out.
    """
    shown = {"colours": scene.colours, "materials": scene.materials, "size_tag": scene.size_tag}
    readable = scene.size_tag if scene.is_label_readable else None
    return {
        "photo": f"images/{scene.listing}.jpg",
        "listing": scene.listing,
        "split": gold["split"],
        "shown": shown,
        "photo_gold": {
            "colours": gold["colours"] or scene.colours,
            "materials": gold["materials"] or scene.materials,
            "size": gold["size"] or readable,
        },
        "not_for_sale": sorted({colour for thing in scene.not_for_sale for colour in thing.colours}),
        "contradicts": list(scene.contradicts),
        "size_tag_readable": scene.is_label_readable,
        "conditions": shot.conditions,
    }


if __name__ == "__main__":
    main()

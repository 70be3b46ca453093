"""How right the colours are that a blind model is told of a photo, what that costs, and what a bomb takes.

The gold is `datasets/photos` (test split): colours of what is for sale. Naive is the same naming without
telling the thing from its background, with the threshold that suits it best on dev. Memory is the highest
that a fresh process reached above what it had after describing one photo.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from aicourse.datasets import load_photos
from aicourse.llm.photos.colours import lab
from aicourse.llm.photos.description import LEAST_SHARE, MEASURED_SIDE, describe_photo, named_colours
from aicourse.llm.photos.files import read_photo

THRESHOLDS = (0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3)
MOST_MILLISECONDS, MOST_MEGABYTES, MOST_RATIO = 100.0, 400.0, 0.75
MEMORY_OF = """
import resource, sys
from aicourse.errors import PhotoError
from aicourse.llm.photos.description import describe_photo
content = sys.stdin.buffer.read()
describe_photo(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    describe_photo(content)
except PhotoError:
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@dataclass(frozen=True)
class Scores:
    """Micro-averaged over photos; `main` is the share of photos whose first colour is one of the gold's."""

    precision: float
    recall: float
    f1: float
    main: float


def score(named: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> Scores:
    """Names against gold, photo by photo."""
    right = sum(len(set(names) & set(shown)) for names, shown in zip(named, gold, strict=True))
    precision, recall = right / sum(map(len, named)), right / sum(map(len, gold))
    main = sum(names[0] in shown for names, shown in zip(named, gold, strict=True)) / len(gold)
    return Scores(precision, recall, 2 * precision * recall / (precision + recall), main)


def scores(split: str, naming: Callable[[Path], list[str]]) -> Scores:
    """How right `naming` is on the photos of a split."""
    photos = load_photos(split)
    return score([naming(path) for path in photos["path"]], list(photos["colours"]))


def separated(path: Path) -> list[str]:
    """As the server does it."""
    return [colour.name for colour in describe_photo(path).colours]


def naive(least_share: float) -> Callable[[Path], list[str]]:
    """The colours of the whole picture."""

    def naming(path: Path) -> list[str]:
        picture = lab(np.asarray(read_photo(path).image(MEASURED_SIDE), dtype=float) / 255)
        return [colour.name for colour in named_colours(picture.reshape(-1, 3), least_share)]

    return naming


def measure() -> list[dict[str, Any]]:
    """The figures of one run: name, value, unit, target, ok."""
    suits_naive = max(THRESHOLDS, key=lambda share: scores("dev", naive(share)).f1)
    started = process_time()
    ours = scores("test", separated)
    milliseconds = (process_time() - started) * 1_000 / 80
    plain = scores("test", naive(suits_naive))
    return [
        *_rows(f"thing apart from background, from {LEAST_SHARE:.0%}", ours),
        *_rows(f"whole picture, from {suits_naive:.0%}", plain),
        _row("F1 of the whole picture to the thing alone", plain.f1 / ours.f1, "", MOST_RATIO),
        _row("describing a photo of 480 x 640", milliseconds, "CPU ms", MOST_MILLISECONDS),
        _row(
            "memory for a bomb of 900 million pixels",
            _megabytes(black_png(30_000, transparent=False)),
            "MB",
            5.0,
        ),
        _row(
            "memory for the largest picture let in",
            _megabytes(black_png(7_071, transparent=True)),
            "MB",
            MOST_MEGABYTES,
        ),
    ]


def _rows(name: str, found: Scores) -> list[dict[str, Any]]:
    figures = {
        "precision": found.precision,
        "recall": found.recall,
        "F1": found.f1,
        "main colour": found.main,
    }
    return [_row(f"{figure}, {name}", value, "", None) for figure, value in figures.items()]


def _row(name: str, value: float, unit: str, target: float | None) -> dict[str, Any]:
    ok = None if target is None else value <= target
    return {"name": name, "value": round(value, 3), "unit": unit, "target": target, "ok": ok}


def _megabytes(content: bytes) -> float:
    """The highest memory above the start's, in a process of its own (kilobytes on Linux, bytes on macOS)."""
    photo = str(load_photos("dev")["path"].iloc[0])
    command = [sys.executable, "-c", MEMORY_OF, photo]
    ran = subprocess.run(command, input=content, capture_output=True, check=True)
    return float(ran.stdout) / (1024 * 1024 if sys.platform == "darwin" else 1024)


def black_png(side: int, *, transparent: bool) -> bytes:
    """A square PNG of zeros, made row by row: it takes kilobytes here and gigabytes when it is decoded."""
    row, packer = bytes(1 + side * (4 if transparent else 1)), zlib.compressobj(9)
    packed = b"".join([packer.compress(row) for _ in range(side)] + [packer.flush()])
    header = struct.pack(">IIBBBBB", side, side, 8, 6 if transparent else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


if __name__ == "__main__":
    for row in measure():
        print(f"{row['value']:9.3f} {row['unit']}  {row['name']}  (target {row['target']})")

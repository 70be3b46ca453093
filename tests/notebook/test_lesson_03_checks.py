"""The checks of lesson 03 judge answers that students may give as their author would."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image, ImageOps

from aicourse.notebook.exercises import load_checks
from aicourse.notebook.exercises.checking import examine

CHECKS = load_checks(Path(__file__).parents[2] / "notebooks" / "checks" / "lesson_03.py")
EXERCISES = {exercise.id: exercise for exercise in CHECKS}
PAINTS = {
    "black": (20, 20, 20), "white": (245, 245, 245), "grey": (128, 128, 128),
    "silver": (192, 192, 192), "beige": (220, 200, 170), "brown": (110, 70, 40),
    "red": (190, 30, 40), "pink": (235, 150, 180), "orange": (230, 120, 40),
    "yellow": (240, 210, 60), "green": (50, 120, 60), "turquoise": (60, 180, 180),
    "blue": (40, 80, 170), "purple": (110, 60, 140),
}  # fmt: skip
ALIKE = [
    {"white", "beige", "grey", "silver", "transparent"},
    {"grey", "silver", "black"},
    {"beige", "brown", "gold", "orange", "yellow"},
    {"red", "orange", "pink", "brown"},
    {"purple", "pink", "blue"},
    {"blue", "turquoise", "green", "black"},
]


def _nearest(pixel: Any) -> str:
    return min(
        PAINTS, key=lambda name: sum((int(a) - b) ** 2 for a, b in zip(pixel, PAINTS[name], strict=True))
    )


def _counts(pixels: Any) -> Counter[str]:
    return Counter(_nearest(pixel) for row in pixels for pixel in row)


def _by_loops(pixels: Any, least: float = 0.2) -> list[str]:
    counts = _counts(pixels)
    large = [name for name, count in counts.most_common() if count / counts.total() >= least]
    return large if large else [counts.most_common(1)[0][0]]


def _by_numpy(pixels: Any, least: float = 0.2) -> Any:
    points = np.array(list(PAINTS.values()), dtype=int)
    flat = pixels.reshape(-1, 3).astype(int)
    at = np.linalg.norm(flat[:, None] - points[None], axis=2).argmin(axis=1)
    share = np.bincount(at, minlength=len(points)) / len(flat)
    order = [int(i) for i in np.argsort(-share, kind="stable")]
    kept = [i for i in order if share[i] >= least] or order[:1]
    return [list(PAINTS)[i] for i in kept]


def _by_pandas(pixels: Any, least: float = 0.2) -> Any:
    frame = pd.DataFrame(pixels.reshape(-1, 3).astype(float))
    off = pd.DataFrame({name: ((frame - list(point)) ** 2).sum(axis=1) for name, point in PAINTS.items()})
    shares = off.idxmin(axis=1).value_counts() / len(frame)
    return shares[shares.ge(least)].index.tolist() or [shares.idxmax()]


def _by_percent(pixels: Any, least: float = 0.2) -> list[str]:
    counts = _counts(pixels)
    names = sorted(counts, key=counts.__getitem__, reverse=True)
    return [n for n in names if counts[n] >= least * counts.total() - 1e-9] or names[:1]


def _popping(pixels: Any, least: float = 0.2) -> list[str]:
    names = [_nearest(pixel) for pixel in pixels.reshape(-1, 3).tolist()]
    total = len(names)
    result: list[str] = []
    while names:
        top = max(names, key=names.count)
        if names.count(top) / total < least and result:
            break
        result.append(top)
        if names.count(top) / total < least:
            break
        names = [name for name in names if name != top]
    return result


def _disagree_by_loops(stated: list[str], shown: list[str]) -> bool:
    if len(stated) == 0 or len(shown) == 0:
        return False
    for one in stated:
        for other in shown:
            if "multicolour" in (one, other) or one == other:
                return False
            for group in ALIKE:
                if one in group and other in group:
                    return False
    return True


def _disagree_by_sets(stated: list[str], shown: list[str]) -> bool:
    if not (stated and shown) or "multicolour" in {*stated, *shown}:
        return False
    reach = set(shown).union(*(group for group in ALIKE if group & set(shown)))
    return reach.isdisjoint(stated)


def _disagree_by_product(stated: list[str], shown: list[str]) -> bool:
    pairs = list(itertools.product(stated, shown))
    fits = [a == b or "multicolour" in (a, b) or any({a, b} <= g for g in ALIKE) for a, b in pairs]
    return bool(pairs) and not any(fits)


def _disagree_recursive(stated: list[str], shown: list[str]) -> bool:
    if not stated or not shown or "multicolour" in stated + shown:
        return False
    first, *rest = stated
    alone = not any(first == other or any(first in g and other in g for g in ALIKE) for other in shown)
    return alone and (not rest or _disagree_recursive(rest, shown))


def _disagree_as_numpy(stated: list[str], shown: list[str]) -> Any:
    if not stated or not shown or "multicolour" in stated + shown:
        return False
    table = [[a == b or any({a, b}.issubset(g) for g in ALIKE) for a in stated] for b in shown]
    return not np.array(table).any()


def _tokens_by_divmod(width: int, height: int, side: int, per_patch: float = 1) -> int:
    columns, left = divmod(width, side)
    rows, below = divmod(height, side)
    return math.ceil((columns + bool(left)) * (rows + bool(below)) * per_patch)


def _tokens_negative(width: int, height: int, side: int, per_patch: float = 1) -> int:
    return -int(-(-width // side) * -(-height // side) * -per_patch // 1)


def _tokens_by_range(width: int, height: int, side: int, per_patch: float = 1) -> int:
    patches = sum(1 for _ in range(0, width, side) for _ in range(0, height, side))
    return math.ceil(patches * per_patch)


def _tokens_by_numpy(width: int, height: int, side: int, per_patch: float = 1) -> Any:
    return int(np.ceil(np.prod(np.ceil(np.array([width, height]) / side)) * per_patch))


def _tokens_plus_side(width: int, height: int, side: int, per_patch: float = 1) -> int:
    tokens = ((width + side - 1) // side) * ((height + side - 1) // side) * per_patch
    return int(tokens) if tokens == int(tokens) else int(tokens) + 1


def _opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def _saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _as_png(content: bytes) -> bytes:
    return _saved(Image.fromarray(np.array(ImageOps.exif_transpose(_opened(content)))), "PNG")


def _pasted(content: bytes) -> bytes:
    upright = ImageOps.exif_transpose(_opened(content))
    blank = Image.new("RGB", upright.size)
    blank.paste(upright)
    return _saved(blank, quality=95)


def _info_cleared(content: bytes) -> bytes:
    image = ImageOps.exif_transpose(_opened(content)).convert("RGB")
    image.info.clear()
    return _saved(image, quality=90)


def _turned_by_hand(content: bytes) -> bytes:
    image = _opened(content)
    pixels = np.asarray(image)
    turns = {3: 2, 6: 3, 8: 1}.get(image.getexif().get(274, 1), 0)
    return _saved(Image.fromarray(np.ascontiguousarray(np.rot90(pixels, turns))), quality=90)


def _empty_exif(content: bytes) -> bytes:
    return _saved(ImageOps.exif_transpose(_opened(content)), quality=92, exif=b"", comment=b"")


def _pixels(content: bytes) -> Image.Image:
    return Image.fromarray(np.asarray(ImageOps.exif_transpose(_opened(content))))


RIGHT: dict[str, list[Any]] = {
    "03.1": [_by_loops, _by_numpy, _by_pandas, _by_percent, _popping],
    "03.2": [
        _disagree_by_loops, _disagree_by_sets, _disagree_by_product, _disagree_recursive, _disagree_as_numpy,
    ],
    "03.3": [_tokens_by_divmod, _tokens_negative, _tokens_by_range, _tokens_by_numpy, _tokens_plus_side],
    "03.4": [_as_png, _pasted, _info_cleared, _turned_by_hand, _empty_exif],
}  # fmt: skip


def _no_fallback(pixels: Any, least: float = 0.2) -> list[str]:
    counts = _counts(pixels)
    return [name for name, count in counts.most_common() if count >= least * counts.total()]


def _is_silent(stated: list[str], shown: list[str]) -> bool:
    return not stated or not shown or "multicolour" in stated + shown


def _strict(stated: list[str], shown: list[str]) -> bool:
    return not _is_silent(stated, shown) and not set(stated) & set(shown)


def _empty_too(stated: list[str], shown: list[str]) -> bool:
    return not stated or not shown or _disagree_by_sets(stated, shown)


def _first_ones(stated: list[str], shown: list[str]) -> bool:
    return not _is_silent(stated, shown) and _disagree_by_sets(stated[:1], shown[:1])


def _agree(stated: list[str], shown: list[str]) -> bool:
    return not _is_silent(stated, shown) and not _disagree_by_sets(stated, shown)


def _floors(width: int, height: int, side: int, per_patch: float = 1) -> int:
    return math.ceil((width // side) * (height // side) * per_patch)


def _areas(width: int, height: int, side: int, per_patch: float = 1) -> int:
    return math.ceil(width / side * height / side * per_patch)


def _on_its_side(content: bytes) -> bytes:
    return _saved(Image.fromarray(np.asarray(_opened(content))))


def _with_comment(content: bytes) -> bytes:
    return _saved(ImageOps.exif_transpose(_opened(content)), quality=95)


def _turned_the_other_way(content: bytes) -> bytes:
    held = _opened(content).getexif().get(ExifTags.Base.Orientation, 1)
    return _saved(
        Image.fromarray(np.asarray(_opened(content).rotate({3: 180, 6: 90}.get(held, 0), expand=True)))
    )


def _sums_of_differences(pixels: Any, least: float = 0.2) -> list[str]:
    points = np.array(list(PAINTS.values()), dtype=float)
    at = np.abs(pixels.reshape(-1, 1, 3) - points).sum(axis=2).argmin(axis=1)
    shares = pd.Series(np.array(list(PAINTS))[at]).value_counts(normalize=True)
    return list(shares[shares >= least].index) or [shares.index[0]]


WRONG: dict[str, list[tuple[Any, str]]] = {
    "03.1": [
        (lambda pixels, least=0.2: list(_counts(pixels)), "keep those with a share"),
        (_no_fallback, "no name at all"),
        (lambda pixels, least=0.2: _by_loops(pixels, least)[::-1], "the largest share comes first"),
        (lambda pixels, least=0.2: _by_loops(pixels, 0.2), "`least` is a parameter"),
        (lambda pixels, least=0.2: _by_loops(pixels, least)[:1], "Only the largest comes back"),
        (_sums_of_differences, "returned ['brown']; expected ['green']"),
    ],
    "03.2": [
        (lambda stated, shown: sorted(stated) != sorted(shown), "any difference counts"),
        (_strict, "stand in one set"),
        (_empty_too, "nothing to contradict"),
        (_first_ones, "Compare each with each"),
        (_agree, "It is asked the other way"),
    ],
    "03.3": [
        (lambda width, height, side, per_patch=1: width / side * (height / side), "no number of patches"),
        (_areas, "before you multiply"),
        (_floors, "drops the patch at the edge"),
        (lambda width, height, side, per_patch=1: _tokens_by_range(width, height, side), "is not used"),
        (lambda *size, per_patch=1: math.floor(_tokens_by_range(*size[:3]) * (size[3:] or [per_patch])[0]),
         "The last rounding goes up"),
    ],
    "03.4": [
        (lambda content: bytes(content), "the file as it came"),
        (_on_its_side, "`ImageOps.exif_transpose(image)` first"),
        (_with_comment, "keeps a JPEG's comment"),
        (_turned_the_other_way, "stands on its head"),
        (lambda content: _saved(ImageOps.mirror(_pixels(content))), "or is mirrored"),
        (lambda content: _saved(_pixels(content).resize((20, 20))), "has become smaller"),
        (lambda content: _saved(_pixels(content).convert("L")), "is grey"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("exercise", "answer"), [(name, answer) for name, answers in RIGHT.items() for answer in answers]
)
def test_an_answer_in_another_style_is_right(exercise: str, answer: Any) -> None:
    result = examine(EXERCISES[exercise], answer)
    assert result.status == "solved", repr(result)


@pytest.mark.parametrize(
    ("exercise", "answer", "hint"),
    [(name, answer, hint) for name, answers in WRONG.items() for answer, hint in answers],
)
def test_a_wrong_answer_gets_its_hint(exercise: str, answer: Any, hint: str) -> None:
    assert hint in repr(examine(EXERCISES[exercise], answer))

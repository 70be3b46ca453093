"""Known names that are near to one that was mistyped (Ratcliff and Obershelp's likeness, as in difflib)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


def close_matches(word: str, known: Iterable[str], *, most: int = 3, likeness: float = 0.6) -> list[str]:
    """The names in `known` that are most like `word`, the nearest first; small and capital letters are alike.

    >>> close_matches("Temprature", ["temperature", "top_p", "seed"])
    ['temperature']
    """
    by_lower = {name.lower(): name for name in known}
    return [by_lower[near] for near in difflib.get_close_matches(word.lower(), by_lower, most, likeness)]


def did_you_mean(word: str, known: Iterable[str], *, most: int = 3) -> str:
    """The question to put behind "no such name", a blank before it; empty when no known name is near.

    >>> did_you_mean("extrct", ["extract", "describe"])
    ' Did you mean extract?'
    """
    near = close_matches(word, known, most=most)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def similar_file(path: Path) -> str:
    """The question to put behind "no such file", a blank before it; empty when nothing there is near."""
    if not path.parent.is_dir():
        return ""
    known = {one.stem: one for one in sorted(path.parent.iterdir()) if one.is_file()}
    near = close_matches(path.stem, known, most=1)
    return f" Did you mean {known[near[0]]}?" if near else ""

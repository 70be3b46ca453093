"""For tests of notebooks: a small exercise to vary, an answer with two mistakes, a stub."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from aicourse.notebook.checks import Check
from aicourse.notebook.exercises import Exercise


def text_of(html: str) -> str:
    """What a screen reader gets from `html`."""
    collected: list[str] = []
    parser = HTMLParser()
    parser.handle_data = collected.append  # type: ignore[method-assign]
    parser.feed(str(html))  # not `Markup`, whose parts escape each other
    return " ".join(" ".join(collected).split())


def double(number: int) -> int:
    return 2 * number


def doubling(**changes: Any) -> Exercise:
    """A small exercise to vary."""
    settings: dict[str, Any] = {
        "id": "02.1",
        "title": "Double",
        "reference": double,
        "checks": [Check("doubles", [1, 2, 5])],
        "hints": ["Multiply."],
        "seconds": 0.2,
    }
    return Exercise(**{**settings, **changes})


def find_size(text: str, unit: str = "cm") -> int | None:
    """A student's answer with two mistakes."""
    match = re.search(r"(\d+)", text)
    return int(match.group(1))  # type: ignore[union-attr]


def stub_raises(*inputs: Any, **named: Any) -> Any:
    raise NotImplementedError("write me")

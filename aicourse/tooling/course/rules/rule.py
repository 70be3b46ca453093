"""What a rule of the notebook lint is: a name, a sentence, and a function that yields problems.

The rules themselves are in `rules_content`, `rules_structure` and `rules_references`. They read what is
stored and run nothing; whether figures are labelled and whether a lesson runs twice is `validation`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aicourse.tooling.course.notebooks import Cell, Lesson, Notebook, text


@dataclass(frozen=True)
class Subject:
    """The lesson under inspection."""

    lesson: Lesson
    notebook: Notebook


@dataclass(frozen=True)
class Problem:
    """One breach: where (None is the whole notebook), a sentence, and what to do."""

    cell: Cell | None
    message: str
    fix: str


@dataclass(frozen=True)
class Rule:
    """A rule; its name is what a lesson's `relax` metadata and a finding call it."""

    name: str
    demand: str
    problems: Callable[[Subject], Iterator[Problem]]


def output_texts(cell: Cell) -> Iterator[str]:
    """Every text in a cell's outputs, in all its forms; pictures are left out."""
    for output in cell.outputs:
        yield text(output.get("text", ""))
        for kind, content in output.get("data", {}).items():
            if kind.startswith("text/") or kind == "image/svg+xml":
                yield text(content)


def has_picture(cell: Cell) -> bool:
    """Does the cell show an image."""
    return any(kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {}))

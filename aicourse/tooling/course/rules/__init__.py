"""The rules of the notebook lint: a rule is a name, a sentence, and a function that yields breaches.

They stand in files by what they look at: `content` (what is stored), `structure` (the parts of a lesson),
`rhythm` (its size, text and code), `prose` (the figures in it), `references` (what a lesson points to)
and `code` (names, and settings of models, in cells).
They run nothing; whether figures are labelled and whether a lesson runs twice is `validation`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aicourse.notebook_json import Cell, Notebook, text
from aicourse.tooling.course.notebooks import Lesson


@dataclass(frozen=True)
class Subject:
    """The lesson under inspection."""

    lesson: Lesson
    notebook: Notebook


@dataclass(frozen=True)
class Breach:
    """One breach of one rule: where (None is the whole notebook), a sentence, and what to do.

    `lesson` and `rule` are filled in by `linting`, so that a rule need not name itself.
    """

    cell: Cell | None
    message: str
    fix: str
    lesson: str = ""
    rule: str = ""

    def __str__(self) -> str:
        where = f" {self.cell.place}" if self.cell else ""
        return f"{self.lesson}{where}: {self.message} {self.fix} [{self.rule}]"


@dataclass(frozen=True)
class LintRule:
    """A rule; its name is what a lesson's `relax` metadata and a breach call it."""

    name: str
    demand: str
    breaches: Callable[[Subject], Iterator[Breach]]


def output_texts(cell: Cell) -> Iterator[str]:
    """Every text in a cell's outputs, in all its forms; pictures are left out."""
    for output in cell.outputs:
        yield text(output.get("text", ""))
        for kind, content in output.get("data", {}).items():
            if kind.startswith("text/") or kind == "image/svg+xml":
                yield text(content)


def has_picture(cell: Cell) -> bool:
    """True if the cell shows an image."""
    return any(kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {}))

"""The record of one lesson's run: its executed notebook, its error, and what it asked of models.

The latter comes from the journal that the lesson's session wrote (`aicourse.llm.session`), one line of JSON
per event: a call that was made, or the place of a recording that was asked for. A kernel that was killed may
leave a last line without its end; it is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from pydantic import TypeAdapter

from aicourse.llm.calls import Call, Usage
from aicourse.llm.recordings import Place
from aicourse.notebook_json import Cell
from aicourse.tooling.course.notebooks import Lesson


@dataclass(frozen=True)
class CellError:
    """The place and reason of a failure; `cell` is None when no cell of the lesson was running."""

    cell: Cell | None
    line: int | None
    name: str
    message: str

    def __str__(self) -> str:
        where = self.cell.place if self.cell else "before the first cell"
        line = f", line {self.line}" if self.line else ""
        return f"{where}{line}: {self.name}: {self.message}"


def with_places(message: str, ran: Sequence[Cell]) -> str:
    """A traceback without colours, and with the places of cells instead of the kernel's counts."""

    def place(found: re.Match[str]) -> str:
        count = int(found[1])
        return ran[count - 1].place if 0 < count <= len(ran) else found[0]

    return re.sub(r"Cell In\[(\d+)\]", place, without_colours(message))


def without_colours(message: str) -> str:
    """A terminal's text without the codes for its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", message)


@dataclass(frozen=True)
class Journal:
    """The calls of one run, and every place (key, position) in the recordings that it asked for."""

    usage: Usage = field(default_factory=lambda: Usage(()))
    places: frozenset[Place] = frozenset()


def read_journal(path: Path) -> Journal:
    """The journal at `path`; an empty one when no model was asked."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    entries = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    calls = TypeAdapter(tuple[Call, ...])
    return Journal(
        Usage(calls.validate_python([entry["call"] for entry in entries if "call" in entry])),
        frozenset((entry["place"][0], entry["place"][1]) for entry in entries if "place" in entry),
    )


@dataclass(frozen=True)
class LessonRun:
    """One lesson's run; `path` is the executed notebook, None when the lesson could not be read."""

    lesson: Lesson
    path: Path | None
    seconds: float
    cells: int
    journal: Journal = field(default_factory=Journal)
    error: CellError | None = None

    @property
    def calls(self) -> int:
        """Exchanges with models, faults made on purpose included."""
        return len(self.journal.usage.calls)

    @property
    def recorded(self) -> int:
        """Replies that came from the recordings."""
        return self.journal.usage.count("recorded")

    @property
    def live(self) -> int:
        """Replies that a model made just now."""
        return self.journal.usage.count("live")

    @property
    def cost(self) -> Decimal:
        """USD paid now; a recorded reply is free."""
        return self.journal.usage.spent

    @property
    def result(self) -> str:
        """ "passed", or "failed"."""
        return "failed" if self.error else "passed"

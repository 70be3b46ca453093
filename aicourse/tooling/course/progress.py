"""A lesson on its way: its progress bar, and the cell it is in.

Without a terminal there is no bar, but one line per lesson when it has ended.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from aicourse.tooling.course.notebooks import Lesson


class LessonBar:
    """Counts the cells of one lesson on stderr; several may be on the screen at once."""

    def __init__(self, lesson: Lesson, total: int) -> None:
        self._label = f"{lesson.number} {lesson.title}"
        self._started = time.monotonic()
        self._bar = tqdm(total=total, desc=self._label, unit="cell", disable=None)

    def update(self) -> None:
        """One more cell."""
        self._bar.update()

    def end(self, verdict: str, detail: str = "") -> float:
        """Show the verdict, print the detail in full, and return the seconds since the beginning."""
        seconds = time.monotonic() - self._started
        if self._bar.disable:
            print(f"{self._label}: {verdict} ({seconds:.1f} s)", file=sys.stderr, flush=True)
        self._bar.set_postfix_str(verdict)
        self._bar.close()
        if detail:
            tqdm.write(f"{self._label}: {detail}", file=sys.stderr)
        return seconds


@dataclass
class CellProgress:
    """Follows a run cell by cell: moves its bar, and remembers where it is."""

    bar: LessonBar
    cells: int = 0
    cell_id: str = ""
    cell_index: int = 0

    def cell_starts(self, cell: Any, cell_index: int) -> None:
        """nbclient calls this before each code cell."""
        self.cells += 1
        self.cell_id = cell.get("id", "")
        self.cell_index = cell_index

    def cell_ends(self, cell: Any, cell_index: int) -> None:
        """nbclient calls this after each code cell, whether it failed or not."""
        self.bar.update()

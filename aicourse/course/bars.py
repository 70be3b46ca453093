"""A progress bar per lesson; without a terminal, one line per lesson when it has ended."""

from __future__ import annotations

import sys
import time

from tqdm import tqdm

from aicourse.course.notebooks import Lesson


class LessonBar:
    """Counts the cells of one lesson on stderr; several may be on the screen at once."""

    def __init__(self, lesson: Lesson, total: int) -> None:
        self._label = f"{lesson.number} {lesson.title}"
        self._started = time.monotonic()
        self._bar = tqdm(total=total, desc=self._label, unit="cell", disable=None)

    def update(self) -> None:
        """One more cell."""
        self._bar.update()

    def end(self, outcome: str) -> float:
        """Show the first line of `outcome`, and return the seconds since the beginning."""
        seconds = time.monotonic() - self._started
        first_line = outcome.partition("\n")[0]
        if self._bar.disable:
            print(f"{self._label}: {first_line} ({seconds:.1f} s)", file=sys.stderr, flush=True)
        self._bar.set_postfix_str(first_line)
        self._bar.close()
        return seconds

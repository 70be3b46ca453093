"""Rules about the rhythm of text and code, and how the curriculum's figures are counted.

- An exercise counts as one code cell: its check and its folded solution belong to it.
- Empty cells do not count. Code lines are lines that are not blank.
- Words are what a reader sees: tags, code blocks, addresses and heading marks are left out. Headers,
  recaps and exercise texts are longer by nature, hence the median.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator

from aicourse.notebook_json import Cell
from aicourse.tooling.course.rules import Breach, LintRule, Subject

RATIO = (1.0, 1.7)
CODE_LINES = 6
CODE_CELLS_IN_A_ROW = 3
WORDS = (15, 40)
_UNREAD = re.compile(r"```.*?```|<[^>]+>|\]\([^)]*\)|^#+\s", re.DOTALL | re.MULTILINE)


def _counted(cells: tuple[Cell, ...]) -> list[Cell]:
    return [cell for cell in cells if cell.source.strip() and not cell.tags & {"check", "solution"}]


def _ratio(subject: Subject) -> Iterator[Breach]:
    cells = _counted(subject.notebook.cells)
    code = sum(cell.is_code for cell in cells)
    ratio = sum(cell.is_markdown for cell in cells) / max(code, 1)
    if not RATIO[0] <= ratio <= RATIO[1]:
        yield Breach(
            None,
            f"{ratio:.2f} Markdown cells per code cell.",
            f"Keep it between {RATIO[0]} and {RATIO[1]}: say before, or read after, what a cell shows.",
        )


def _code_length(subject: Subject) -> Iterator[Breach]:
    lines = [
        sum(bool(line.strip()) for line in cell.source.splitlines())
        for cell in _counted(subject.notebook.code_cells)
    ]
    if lines and statistics.median(lines) > CODE_LINES:
        yield Breach(
            None,
            f"The median code cell has {statistics.median(lines):g} lines.",
            f"At most {CODE_LINES}: split cells, or move plumbing into the package.",
        )


def _code_in_a_row(subject: Subject) -> Iterator[Breach]:
    row = 0
    for cell in _counted(subject.notebook.cells):
        row = row + 1 if cell.is_code else 0
        if row == CODE_CELLS_IN_A_ROW + 1:
            yield Breach(
                cell,
                f"More than {CODE_CELLS_IN_A_ROW} code cells in a row.",
                "Put a sentence between them that says what to look at.",
            )


def _prose_length(subject: Subject) -> Iterator[Breach]:
    words = [
        len(_UNREAD.sub(" ", cell.source).split())
        for cell in _counted(subject.notebook.cells)
        if cell.is_markdown
    ]
    if words and not WORDS[0] <= statistics.median(words) <= WORDS[1]:
        yield Breach(
            None,
            f"The median text cell has {statistics.median(words):g} words.",
            f"Between {WORDS[0]} and {WORDS[1]}: one thought a cell.",
        )


RULES = (
    LintRule("rhythm-ratio", f"{RATIO[0]} to {RATIO[1]} Markdown cells per code cell.", _ratio),
    LintRule("rhythm-code", f"Median code cell of at most {CODE_LINES} lines.", _code_length),
    LintRule("rhythm-row", f"At most {CODE_CELLS_IN_A_ROW} code cells in a row.", _code_in_a_row),
    LintRule("rhythm-prose", f"Median text cell of {WORDS[0]} to {WORDS[1]} words.", _prose_length),
)

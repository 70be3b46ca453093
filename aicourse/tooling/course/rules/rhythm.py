"""Rules about a lesson's size and rhythm, and how the curriculum's figures are counted.

- A student *does* something in a cell tagged `prediction`, `exercise` or `touch` (slider, button, explorer,
  choice). A check and its folded solution belong to their exercise; every other cell is passive. A passive
  run goes from one thing to do to the next, and the lesson's beginning and end bound one too.
- Minutes are an estimate: 1 per passive cell, 10 per exercise, 3 per prediction or touch, rounded to 5.
- An exercise counts as one code cell: its check and its folded solution belong to it.
- Empty cells do not count. Code lines are lines that are not blank.
- Words are what a reader sees: tags, code blocks, addresses and heading marks are left out. Headers,
  recaps and exercise texts are longer by nature, hence the median.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aicourse.notebook_json import Cell, Notebook
from aicourse.tooling.course.rules import Breach, LintRule, Subject

CELLS = 62
PASSIVE = 12
MINUTES = {"exercise": 10, "prediction": 3, "touch": 3}  # a cell with one of these tags is something to do
RATIO = (1.0, 1.7)
CODE_LINES = 6
CODE_CELLS_IN_A_ROW = 3
WORDS = (15, 40)
_UNREAD = re.compile(r"```.*?```|<[^>]+>|\]\([^)]*\)|^#+\s", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Pace:
    """The size of a lesson: its cells and words, the estimate of minutes, and what there is to do."""

    cells: int
    words: int
    minutes: int
    exercises: int
    other_actions: int
    passive_runs: tuple[tuple[Cell, ...], ...]

    @property
    def longest(self) -> tuple[Cell, ...]:
        """The longest passive run."""
        return max(self.passive_runs, key=len, default=())

    @property
    def header(self) -> str:
        """The words about time in the lesson's first cell."""
        return f"About {self.minutes} minutes (an estimate)"


def pace(notebook: Notebook) -> Pace:
    """The size and rhythm of a lesson."""
    counted = _counted(notebook.cells)
    actions = [action for cell in counted if (action := _action(cell))]
    passive = len(counted) - len(actions)
    minutes = passive + sum(MINUTES[action] for action in actions)
    exercises = actions.count("exercise")
    return Pace(
        cells=len(notebook.cells),
        words=sum(_words(cell) for cell in notebook.cells if cell.is_markdown),
        minutes=5 * ((minutes + 2) // 5),
        exercises=exercises,
        other_actions=len(actions) - exercises,
        passive_runs=tuple(_passive_runs(counted)),
    )


def _action(cell: Cell) -> str | None:
    return next((tag for tag in MINUTES if tag in cell.tags), None)


def _passive_runs(cells: Iterable[Cell]) -> Iterator[tuple[Cell, ...]]:
    run: list[Cell] = []
    for cell in cells:
        if _action(cell):
            yield tuple(run)
            run = []
        else:
            run.append(cell)
    yield tuple(run)


def _words(cell: Cell) -> int:
    return len(_UNREAD.sub(" ", cell.source).split())


def _counted(cells: tuple[Cell, ...]) -> list[Cell]:
    return [cell for cell in cells if cell.source.strip() and not cell.tags & {"check", "solution"}]


def _size(subject: Subject) -> Iterator[Breach]:
    if (cells := len(subject.notebook.cells)) > CELLS:
        yield Breach(
            None, f"The lesson has {cells} cells.", f"At most {CELLS}: fold what is not needed, or drop it."
        )


def _passive(subject: Subject) -> Iterator[Breach]:
    for run in pace(subject.notebook).passive_runs:
        if len(run) > PASSIVE:
            yield Breach(
                run[0],
                f"From here on the student only reads, for {len(run)} cells.",
                f"At most {PASSIVE}: let them predict, solve or touch something, and tag that cell.",
            )


def _minutes(subject: Subject) -> Iterator[Breach]:
    wanted = pace(subject.notebook)
    header = subject.notebook.cells[0] if subject.notebook.cells else None
    stated = subject.notebook.metadata.get("aicourse", {}).get("minutes")
    if header is None or wanted.header not in header.source or stated not in (None, wanted.minutes):
        yield Breach(
            header,
            f"The header and the metadata do not both say {wanted.minutes} minutes.",
            f"Write: {wanted.header}; and in the metadata: minutes {wanted.minutes}.",
        )


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
    words = [_words(cell) for cell in _counted(subject.notebook.cells) if cell.is_markdown]
    if words and not WORDS[0] <= statistics.median(words) <= WORDS[1]:
        yield Breach(
            None,
            f"The median text cell has {statistics.median(words):g} words.",
            f"Between {WORDS[0]} and {WORDS[1]}: one thought a cell.",
        )


RULES = (
    LintRule("rhythm-size", f"At most {CELLS} cells.", _size),
    LintRule("rhythm-passive", f"At most {PASSIVE} cells in which the student only reads.", _passive),
    LintRule("minutes", "The header says the estimate of minutes that its cells add up to.", _minutes),
    LintRule("rhythm-ratio", f"{RATIO[0]} to {RATIO[1]} Markdown cells per code cell.", _ratio),
    LintRule("rhythm-code", f"Median code cell of at most {CODE_LINES} lines.", _code_length),
    LintRule("rhythm-row", f"At most {CODE_CELLS_IN_A_ROW} code cells in a row.", _code_in_a_row),
    LintRule("rhythm-prose", f"Median text cell of {WORDS[0]} to {WORDS[1]} words.", _prose_length),
)

"""Small tables as Markdown for CI summaries and as text for terminals (as HTML: `aicourse.html.table`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aicourse.html import visible

Row = Sequence[str]


def markdown_table(header: Row, rows: Iterable[Row]) -> str:
    """A pipe table; pipes and line breaks inside cells cannot break it.

    >>> print(markdown_table(["score", "change"], [["f1", "+0.02"]]))
    | score | change |
    |---|---|
    | f1 | +0.02 |
    """
    lines = [_line(header), "|" + "---|" * len(header), *map(_line, rows)]
    return "\n".join(lines)


def text_table(header: Row, rows: Iterable[Row]) -> str:
    """Columns in line, two spaces apart; for terminals and log files.

    >>> print(text_table(["score", "change"], [["f1", "+0.02"]]))
    score  change
    f1     +0.02
    """
    lines = [[visible(" ".join(cell.split())) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _line(row: Row) -> str:
    cells = (visible(" ".join(cell.split())).replace("|", "\\|") for cell in row)
    return f"| {' | '.join(cells)} |"

"""The same small table as HTML for notebooks, as Markdown for CI summaries, and as text for terminals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

Row = Sequence[str]


def html_table(caption: str, header: Row, rows: Iterable[Row]) -> str:
    """A captioned table whose first column names the row; all text is escaped."""
    cell = "style='text-align:left'"
    head = "".join(f"<th scope='col' {cell}>{escape(name)}</th>" for name in header)
    body = "".join(
        f"<tr><th scope='row' {cell}>{escape(row[0])}</th>"
        + "".join(f"<td {cell}>{escape(value)}</td>" for value in row[1:])
        + "</tr>"
        for row in rows
    )
    title = f"<caption {cell}>{escape(caption)}</caption>"
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


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
    lines = [[" ".join(cell.split()) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _line(row: Row) -> str:
    cells = (" ".join(cell.split()).replace("|", "\\|") for cell in row)
    return f"| {' | '.join(cells)} |"

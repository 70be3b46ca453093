"""CSV that a spreadsheet shows and does not compute, and the way back.

    to_csv([["name", "text"], ["Ada", "=1+1"]])      a cell '=1+1, which is a text
    read_csv(data)                                   [["name", "text"], ["Ada", "=1+1"]]

Spreadsheets take a cell that begins with one of `= + - @`, a tab or a line's end for a formula, also when a
stranger wrote it (OWASP: CSV injection). Such a text gets a `'` before it, numbers do not; a text that has
one already gets another, so that nothing is lost.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")  # the wide ones count in Japanese and Chinese editions


def to_csv(lines: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 CSV with a byte-order mark, for Excel; no text becomes a formula."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([safe_cell(cell) for cell in line] for line in lines)
    return text.getvalue().encode("utf-8-sig", "replace")


def read_csv(data: bytes, delimiter: str = ",") -> list[list[str]]:
    """The lines that `to_csv` was given; some editions of Excel save them with semicolons."""
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter)
    return [
        [cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell for cell in line] for line in reader
    ]


def safe_cell(text: str) -> str:
    """A text that a spreadsheet shows and does not compute.

    >>> safe_cell("=1+1"), safe_cell("-2.5"), safe_cell("'t Hooft")
    ("'=1+1", '-2.5', "'t Hooft")
    """
    if not _FORMULA.match(text):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text

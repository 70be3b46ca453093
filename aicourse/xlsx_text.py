"""XLSX in which every cell is a text, so that a spreadsheet computes nothing and changes nothing.

    to_xlsx([["name", "text"], ["Ada", "=1+1"]])

In CSV a text that looks like a formula, a date or a number becomes one (`csv_text` marks it); a cell of XLSX
has a type. Not handled: numbers, styles, several sheets.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

LONGEST = 32_767  # characters that a cell can hold


def to_xlsx(lines: Iterable[Sequence[str]]) -> bytes:
    """A workbook with one sheet of texts; what a cell cannot hold of a text is left out."""
    from xlsxwriter import Workbook  # used by one download

    content = io.BytesIO()
    with Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, line in enumerate(lines):
            for column, cell in enumerate(line):
                sheet.write_string(row, column, cell[:LONGEST])
    return content.getvalue()

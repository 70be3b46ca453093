"""CSV that a spreadsheet shows and does not compute, and the way back.

    to_csv([["name", "text"], ["Ada", "=1+1"]])      a cell '=1+1, which is a text
    read_csv(data)                                   [["name", "text"], ["Ada", "=1+1"]]
    table = CsvTable.read(data)                      any program's CSV, to be filled in and given back
    table.with_cells({(1, 2): "9.5"})

Spreadsheets take a cell that begins with one of `= + - @`, a tab or a line's end for a formula, also when a
stranger wrote it (OWASP: CSV injection). Such a text gets a `'` before it, numbers do not; a text that has
one already gets another, so that nothing is lost.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class CsvTable:
    """A CSV as some program wrote it: what is not set stays byte for byte, and no text is guarded.

    Comma, semicolon or tab; UTF-8, UTF-16 (with its mark) or cp1252, the encoding of Western Windows.
    """

    rows: tuple[tuple[str, ...], ...]
    delimiter: str
    encoding: str
    text: str
    spans: tuple[tuple[tuple[int, int], ...], ...]

    @classmethod
    def read(cls, data: bytes) -> CsvTable:
        """The table in `data`.

        Raises:
            UnicodeDecodeError: it is no text in any of these encodings.
        """
        encoding = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(data[:2], "utf-8")
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            encoding = "cp1252"
            text = data.decode(encoding)
        start = int(text.startswith("\ufeff"))
        head = re.sub(r'"[^"]*"', "", text[start:].lstrip().partition("\n")[0])
        delimiter = max(",;\t", key=head.count)
        spans = tuple(map(tuple, _spans(text, start, delimiter)))
        rows = tuple(tuple(_unquoted(text[begin:end]) for begin, end in row) for row in spans)
        return cls(rows, delimiter, encoding, text, spans)

    def with_cells(self, cells: Mapping[tuple[int, int], str]) -> bytes:
        """The file with new texts in the cells at (row, column); rows that are too short grow."""
        by_row: dict[int, dict[int, str]] = {}
        for (row, column), cell in cells.items():
            by_row.setdefault(row, {})[column] = cell
        text, done = "", 0
        for row in sorted(by_row):
            spans, new = self.spans[row], by_row[row]
            raw = [self.text[begin:end] for begin, end in spans]
            raw += [""] * (max(new) + 1 - len(raw))
            for column, cell in new.items():
                raw[column] = self._quoted(cell)
            text += self.text[done : spans[0][0]] + self.delimiter.join(raw)
            done = spans[-1][1]
        return (text + self.text[done:]).encode(self.encoding, "replace")

    def _quoted(self, cell: str) -> str:
        quoted = cell.replace('"', '""')
        return f'"{quoted}"' if quoted != cell or re.search(f"[{self.delimiter}\r\n]", cell) else cell


def _spans(text: str, position: int, delimiter: str) -> Iterable[list[tuple[int, int]]]:
    """Begin and end of each row's cells, quotes included."""
    pattern = re.compile(rf'"[^"]*(?:""[^"]*)*(?:"|\Z)[^{delimiter}\r\n]*|[^{delimiter}\r\n]*')
    row: list[tuple[int, int]] = []
    while position < len(text) or row:
        span = pattern.match(text, position).span()  # type: ignore[union-attr]  # it also matches nothing
        row.append(span)
        position = span[1] + 1
        if text[span[1] : position] != delimiter:
            yield row
            row, position = [], position + text.startswith("\r\n", span[1])


def _unquoted(raw: str) -> str:
    if not raw.startswith('"'):
        return raw
    inside, _, after = raw[1:].replace('""', "\0").partition('"')
    return (inside + after).replace("\0", '"')

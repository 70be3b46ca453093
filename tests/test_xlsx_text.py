from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

from aicourse.xlsx_text import LONGEST, to_xlsx

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
TEXTS = [
    '=HYPERLINK("http://x";"me")',
    "+1",
    "-2.5",
    "@x",
    "'=1",
    "007",
    "2026-11-02",
    "http://x",
    " a\nb ",
    "<&>",
]


def parts(data: bytes) -> tuple[list[str], ElementTree.Element]:
    """The texts of a workbook, and its sheet, as ECMA-376 has them."""
    with zipfile.ZipFile(io.BytesIO(data)) as files:
        names = ElementTree.fromstring(files.read("xl/sharedStrings.xml"))
        sheet = ElementTree.fromstring(files.read("xl/worksheets/sheet1.xml"))
    texts = ["".join(one.itertext()) for one in names]
    return [texts[int(cell.findtext(f"{MAIN}v") or "")] for cell in sheet.iter(f"{MAIN}c")], sheet


def test_text_stays_text() -> None:
    texts, sheet = parts(to_xlsx([TEXTS]))
    assert texts == TEXTS
    assert {cell.get("t") for cell in sheet.iter(f"{MAIN}c")} == {"s"}  # a string, not a formula or a number
    assert not [*sheet.iter(f"{MAIN}f"), *sheet.iter(f"{MAIN}hyperlink")]


def test_a_text_too_long_for_a_cell_is_cut() -> None:
    texts, _ = parts(to_xlsx([["a" * (LONGEST + 1), "b"]]))
    assert texts == ["a" * LONGEST, "b"]

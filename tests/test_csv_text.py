from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aicourse.csv_text import read_csv, safe_cell, to_csv

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@x", "'@x"),
        ("+1-1", "'+1-1"),
        ("\n=1", "'\n=1"),
        ("＝1+1", "'＝1+1"),
        ("'=1", "''=1"),
        ("-3.5", "-3.5"),
        ("'s-Gravenhage", "'s-Gravenhage"),
        ("Ada", "Ada"),
    ],
)
def test_no_text_becomes_a_formula(text: str, shown: str) -> None:
    assert safe_cell(text) == shown


@given(st.lists(st.lists(CELLS, min_size=1), min_size=1))
@example([["'=1+1", "=1+1", "''@x", "-1", "a\r\nb"]])
def test_what_is_written_is_read_back(lines: list[list[str]]) -> None:
    assert read_csv(to_csv(lines)) == lines


@given(CELLS)
def test_a_spreadsheet_finds_no_formula(cell: str) -> None:
    ((shown,),) = csv.reader(io.StringIO(to_csv([[cell, ""]]).decode("utf-8-sig"), newline="")) and [
        next(csv.reader(io.StringIO(to_csv([[cell, ""]]).decode("utf-8-sig"), newline="")))[:1]
    ]
    assert shown == cell or shown == f"'{cell}"
    if shown and shown[0] in "=+-@\t\r\n":
        float(shown)  # a number

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aicourse.csv_text import CsvTable, read_csv, safe_cell, to_csv

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


@given(
    rows=st.lists(
        st.lists(st.text(alphabet='ab,;\t"\r\n é', max_size=6), min_size=2, max_size=4), min_size=1
    ),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
def test_any_programs_table_is_read_and_given_back(
    rows: list[list[str]], delimiter: str, encoding: str
) -> None:
    head = ["one", "two", "three", "four"]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows([head, *rows])
    data = text.getvalue().encode(encoding)
    table = CsvTable.read(data)
    assert [list(row) for row in table.rows] == [head, *rows]
    assert table.with_cells({}) == data
    again = CsvTable.read(table.with_cells({(len(rows), 5): 'x"; y', (0, 1): "TWO"}))
    assert again.rows[0] == ("one", "TWO", "three", "four")
    assert again.rows[-1][5] == 'x"; y'
    assert list(again.rows[-1][: len(rows[-1])]) == rows[-1]


def test_what_is_not_set_stays_byte_for_byte() -> None:
    data = '\ufeff"Name";Grade\n"-anna";\r\n=b;"2"\n\nlast;3'.encode("utf-16-le")
    table = CsvTable.read(data)
    assert table.with_cells({(1, 1): "9,5"}).decode("utf-16-le") == (
        '\ufeff"Name";Grade\n"-anna";9,5\r\n=b;"2"\n\nlast;3'
    )

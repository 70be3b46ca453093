"""Notebooks in every state in which they arrive."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import RIGHT_Q1, cell, notebook, submission, to_bytes

from aicourse.errors import SubmissionError
from aicourse.html import one_line
from aicourse.tooling.grading.submissions.reading import ReadNotebook, read_notebook

DATA = submission()
SOURCES = [one["source"] for one in DATA["cells"]]


def sources(read: ReadNotebook) -> list[str]:
    return [one.source for one in read.cells]


def test_a_clean_notebook_has_no_notes() -> None:
    read = read_notebook(to_bytes(DATA))
    assert sources(read) == SOURCES
    assert read.notes == ()
    assert [one.id for one in read.cells] == [one["id"] for one in DATA["cells"]]


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"\xef\xbb\xbf" + to_bytes(DATA), "byte-order mark"),
        (json.dumps(DATA).encode("utf-16"), "byte-order mark"),
        (
            json.dumps({**DATA, "metadata": {"author": "Zoë"}}, ensure_ascii=False).encode("cp1252"),
            "Windows-1252",
        ),
        (json.dumps(DATA, indent=1).replace("\n", "\r\n").encode(), ""),
    ],
)
def test_encodings(data: bytes, note: str) -> None:
    read = read_notebook(data)
    assert sources(read) == SOURCES
    assert note in " ".join(read.notes)
    assert bool(read.notes) == bool(note)


def test_windows_line_ends_in_cells() -> None:
    changed = submission(q1=RIGHT_Q1.replace("\n", "\r\n"))
    read = read_notebook(to_bytes(changed))
    assert sources(read) == SOURCES
    assert read.notes == ("Its lines end as on Windows; they were read as usual.",)


def test_format_3_is_converted() -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 2, "source": ["Sizes"]},
                    {"cell_type": "code", "input": ["a = 1\n", "b = 2"], "language": "python", "outputs": []},
                    {"cell_type": "markdown", "source": "text"},
                ]
            }
        ],
    }
    read = read_notebook(to_bytes(old))
    assert [(one.kind, one.source) for one in read.cells] == [
        ("markdown", "## Sizes"),
        ("code", "a = 1\nb = 2"),
        ("markdown", "text"),
    ]
    assert "old notebook format" in read.notes[0]


def test_it_agrees_with_nbformat_on_format_3() -> None:
    nbformat = pytest.importorskip("nbformat")
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {"cell_type": "heading", "level": 1, "metadata": {}, "source": "Sizes"},
                    {
                        "cell_type": "code",
                        "collapsed": False,
                        "input": "a = 1",
                        "language": "python",
                        "metadata": {},
                        "outputs": [],
                    },
                ],
            }
        ],
    }
    converted = nbformat.reads(json.dumps(old), as_version=4)
    assert sources(read_notebook(to_bytes(old))) == [one["source"] for one in converted["cells"]]


def test_missing_and_double_ids_become_unique() -> None:
    data = notebook(
        cell("code", "same", "a = 1"), cell("code", "same", "b = 2"), cell("code", "not valid!", "c = 3")
    )
    del data["cells"][1]["outputs"]
    read = read_notebook(to_bytes(data))
    assert [one.id for one in read.cells] == ["same", "cell-2", "cell-3"]
    assert [one.stated_id for one in read.cells] == ["same", "same", "not valid!"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b'{"cells": [', "is cut off"),
        (b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> main\n", "merge conflict"),
        (b"<!DOCTYPE html><html></html>", "is a web page"),
        (b"print('hello')", "is no notebook"),
        (b"[1, 2]", "JSON but no notebook"),
        (b"{}", "has no cells"),
        (to_bytes(notebook(cell("code", "a", " \n"))), "no cell with anything in it"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"cells": ' + b"9" * 5_000 + b"}", "is no notebook"),
        (to_bytes(notebook(cell("code", "a", "1"), kernelspec={"language": "R"})), "written for R"),
        (to_bytes(notebook(cell("code", "a", "1"), language_info={"name": "julia"})), "written for julia"),
        (to_bytes({"cells": [{"cell_type": "code", "source": "1"}] * 6_000}), "more than 5,000 cells"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, sentence: str) -> None:
    with pytest.raises(SubmissionError, match=sentence):
        read_notebook(data, "hw01.ipynb")


def test_what_metadata_say_forges_no_line_and_reaches_no_terminal() -> None:
    spec = {"language": "R\x1b[2J\nada: graded.\u202e"}
    with pytest.raises(SubmissionError, match="written for R") as refused:
        read_notebook(to_bytes(notebook(cell("code", "a", "1"), kernelspec=spec)))
    assert one_line(refused.value.message) == refused.value.message


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(SubmissionError, match="without outputs"):
        read_notebook(bytes((32 << 20) + 1))


@pytest.mark.parametrize(
    "odd", [None, 7, "text", [], {"cell_type": 3, "source": {"a": 1}, "metadata": 5, "id": 4}]
)
def test_odd_entries_do_not_stop_it(odd: Any) -> None:
    data = {**DATA, "cells": [odd, *DATA["cells"]]}
    assert sources(read_notebook(to_bytes(data)))[-len(SOURCES) :] == SOURCES

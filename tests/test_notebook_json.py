"""Reading and building notebooks, against nbformat."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from aicourse.notebook_json import new_cell, new_notebook, notebook_text, parse_notebook, text

FOLDER = Path(__file__).parent / "notebooks"
BROKEN = {"not-json", "unreadable", "cell-id"}  # nbformat would give the duplicate cell id another name
READABLE = [path for path in sorted(FOLDER.glob("*/*.ipynb")) if path.stem not in BROKEN]


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.stem)
def test_cells_are_read_as_nbformat_reads_them(path: Path) -> None:
    ours, theirs = parse_notebook(path.read_bytes()), nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    assert [(cell.id, cell.kind, cell.source) for cell in ours.cells] == [
        (cell.get("id", ""), cell.cell_type, cell.source) for cell in theirs.cells
    ]
    assert [cell.tags for cell in ours.cells] == [
        frozenset(cell.metadata.get("tags", ())) for cell in theirs.cells
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "Expecting value"),
        ("[]", "no list of cells"),
        ('{"nbformat": 4}', "no list of cells"),
        ('{"nbformat": 3, "cells": []}', "nbformat 3, not 4"),
        ('{"nbformat": 4, "cells": [], "metadata": []}', "metadata are no object"),
        ('{"nbformat": 4, "cells": [{}]}', "cell 1 is no cell .*cell_type"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}', "cell 1 is no cell"),
        ('{"nbformat": 4, "cells": ["x"]}', "cell 1 is no cell"),
    ],
)
def test_what_is_not_a_notebook(content: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_notebook(content)


def test_code_cells_and_tags() -> None:
    cells = [
        new_cell("code", " \n", "empty"),
        new_cell("markdown", "Text", "text"),
        new_cell("code", "x = 1", "own", {"tags": ["parameters"]}),
    ]
    notebook = parse_notebook(json.dumps(new_notebook(cells)))
    assert [cell.id for cell in notebook.code_cells] == ["own"]
    assert [cell.number for cell in notebook.tagged("parameters")] == [3]
    assert [cell.is_markdown for cell in notebook.cells] == [False, True, False]


def test_what_is_built_is_a_notebook_and_written_as_jupyter_writes_it() -> None:
    source = "a = 'é'\n\nprint(a)\n"
    built = new_notebook(
        [new_cell("code", source, "a"), new_cell("raw", "raw", "b"), new_cell("markdown", "", "c")]
    )
    node = nbformat.reads(notebook_text(built), as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(node)
    assert node.cells[0].source == source
    assert json.loads(nbformat.writes(node)) == built  # type: ignore[no-untyped-call]
    assert nbformat.writes(node) + "\n" == notebook_text(built)  # type: ignore[no-untyped-call]


def test_metadata_are_taken_and_the_kernel_may_be_another() -> None:
    kernel = {"display_name": "R", "language": "R", "name": "ir"}
    metadata = new_notebook([], {"kernelspec": kernel, "aicourse": {"lesson": "00"}})["metadata"]
    assert metadata["kernelspec"] == kernel
    assert metadata["aicourse"] == {"lesson": "00"}


def test_text_is_one_string_or_lines() -> None:
    assert text("a\nb") == text(["a\n", "b"]) == "a\nb"

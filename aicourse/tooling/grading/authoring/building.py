"""From the master notebook to what students get, byte for byte the same each time.

    homework/hw01-extraction/master.ipynb  ->  homework/hw01-extraction/hw01.ipynb

Solutions become stubs, rubrics in raw cells and all outputs go, public checks are written out as examples,
ids stay. The notebook's metadata name the assignment, list the cells with their hashes and hold the public
examples, so that a student's copy can be checked and a submission be matched without any other file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aicourse import paths
from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.authoring.master import MasterCell
from aicourse.tooling.grading.authoring.public import PublicExample, public_examples, to_data

SUBMISSION_ID = "submission"
_SUBMISSION = """## Hand in

Restart the kernel and run all cells once more; then, in a terminal beside this notebook:

    aicourse homework check {name}.ipynb
    aicourse homework pack {name}.ipynb

The first tells you what would go wrong, the second makes `{name}.zip`. Upload that file.
You may hand in again until the deadline; the last one counts."""


def build(name_or_folder: str | Path) -> Path:
    """Write an assignment's student notebook beside its master; returns where it is.

    Raises:
        AssignmentError: the assignment is not as it must be.
    """
    assignment = load_assignment(name_or_folder)
    paths.write_atomically(assignment.student_notebook, to_text(student_notebook(assignment)))
    return assignment.student_notebook


def student_notebook(assignment: Assignment) -> dict[str, Any]:
    """The notebook that students get, as plain data."""
    examples = public_examples(assignment.checks)
    cells = [_cell(cell, cell.released) for cell in assignment.cells if cell.is_released]
    if not any(cell["id"] == SUBMISSION_ID for cell in cells):
        cells.append(_submission_cell(assignment))
    return _notebook(assignment, cells, _release(assignment, cells, examples))


def solution_notebook(assignment: Assignment) -> dict[str, Any]:
    """The reference's notebook: what a student who answers everything right would hand in."""
    return answered_notebook(assignment, {cell.id: cell.solution for cell in assignment.cells})


def answered_notebook(assignment: Assignment, sources: Mapping[str, str]) -> dict[str, Any]:
    """The student notebook with other sources in some cells, by their ids."""
    notebook = student_notebook(assignment)
    answers = {cell.id for cell in assignment.cells if cell.role in ("answer", "manual")}
    for cell in notebook["cells"]:
        if cell["id"] in answers and cell["id"] in sources:
            cell["source"] = _lines(sources[cell["id"]])
    return notebook


def to_text(notebook: Mapping[str, Any]) -> str:
    """A notebook as Jupyter writes it: one blank of indentation, letters as they are, a line end."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def fingerprint(source: str) -> str:
    """By which a given cell is known not to have changed: blank ends of lines do not count."""
    plain = "\n".join(line.rstrip() for line in source.strip().splitlines())
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def _cell(cell: MasterCell, source: str) -> dict[str, Any]:
    metadata = {name: value for name, value in cell.metadata.items() if name not in ("trusted", "execution")}
    is_answer = cell.role in ("answer", "manual")
    if not is_answer:
        metadata |= {"deletable": False, "editable": False}
    if cell.question or cell.role != "given":
        stated = {"question": cell.question, "role": cell.role, "points": cell.stated.get("points")}
        metadata["aicourse"] = {name: value for name, value in stated.items() if value is not None}
    return _plain_cell(cell.kind, cell.id, metadata, source)


def _plain_cell(kind: str, cell_id: str, metadata: dict[str, Any], source: str) -> dict[str, Any]:
    """Keys in the order in which Jupyter writes them."""
    code = {"execution_count": None} if kind == "code" else {}
    outputs: dict[str, Any] = {"outputs": []} if kind == "code" else {}
    return {
        "cell_type": kind,
        **code,
        "id": cell_id,
        "metadata": metadata,
        **outputs,
        "source": _lines(source),
    }


def _lines(source: str) -> list[str]:
    return source.rstrip("\n").splitlines(keepends=True)


def _submission_cell(assignment: Assignment) -> dict[str, Any]:
    metadata = {"deletable": False, "editable": False}
    return _plain_cell("markdown", SUBMISSION_ID, metadata, _SUBMISSION.format(name=assignment.name))


def _release(
    assignment: Assignment, cells: list[dict[str, Any]], examples: tuple[PublicExample, ...]
) -> dict[str, Any]:
    """The metadata by which the notebook is known; `release` changes with anything that students get."""
    listed = [
        {
            "id": cell["id"],
            **_stated(cell),
            "sha256": fingerprint("".join(cell["source"])),
        }
        for cell in cells
    ]
    public: dict[str, Any] = {
        "assignment": assignment.name,
        "title": assignment.title,
        "files": list(assignment.files),
        "cells": listed,
        "public": to_data(examples),
    }
    digest = hashlib.sha256(json.dumps(public, sort_keys=True).encode()).hexdigest()
    return {"release": digest[:16], **public}


def _stated(cell: dict[str, Any]) -> dict[str, str]:
    stated = cell["metadata"].get("aicourse", {})
    question = {"question": stated["question"]} if "question" in stated else {}
    return {"role": stated.get("role", "given"), **question}


def _notebook(assignment: Assignment, cells: list[dict[str, Any]], release: dict[str, Any]) -> dict[str, Any]:
    kernel = dict(assignment.metadata).get("kernelspec") or {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    return {
        "cells": cells,
        "metadata": {"aicourse": release, "kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }

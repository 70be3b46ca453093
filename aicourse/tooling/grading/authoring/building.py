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
from aicourse.notebook_json import KERNEL, new_cell, new_notebook, notebook_text
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
    paths.write_atomically(assignment.student_notebook, notebook_text(student_notebook(assignment)))
    return assignment.student_notebook


def build_solution(name_or_folder: str | Path) -> Path:
    """Write an assignment's notebook with solutions to build/homework; returns where it is.

    Raises:
        AssignmentError: the assignment is not as it must be.
    """
    assignment = load_assignment(name_or_folder)
    target = paths.build_dir() / "homework" / f"{assignment.name}-solution.ipynb"
    paths.write_atomically(target, notebook_text(solution_notebook(assignment)))
    return target


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
            cell["source"] = sources[cell["id"]].rstrip("\n").splitlines(keepends=True)
    return notebook


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
    pictures = {"attachments": dict(cell.attachments)} if cell.attachments and not is_answer else {}
    return new_cell(cell.kind, source.rstrip("\n"), cell.id, metadata) | pictures


def submission_text(assignment: Assignment) -> str:
    """The source of the last cell: how to hand in."""
    return _SUBMISSION.format(name=assignment.name)


def _submission_cell(assignment: Assignment) -> dict[str, Any]:
    metadata = {"deletable": False, "editable": False}
    return new_cell("markdown", submission_text(assignment), SUBMISSION_ID, metadata)


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
        **({"embeddings": True} if assignment.embeddings else {}),
    }
    digest = hashlib.sha256(json.dumps(public, sort_keys=True).encode()).hexdigest()
    return {"release": digest[:16], **public}


def _stated(cell: dict[str, Any]) -> dict[str, str]:
    stated = cell["metadata"].get("aicourse", {})
    question = {"question": stated["question"]} if "question" in stated else {}
    return {"role": stated.get("role", "given"), **question}


def _notebook(assignment: Assignment, cells: list[dict[str, Any]], release: dict[str, Any]) -> dict[str, Any]:
    kernel = dict(assignment.metadata).get("kernelspec") or {**KERNEL, "display_name": "Python 3 (ipykernel)"}
    metadata = {"aicourse": release, "kernelspec": kernel, "language_info": {"name": "python"}}
    return {**new_notebook(cells), "metadata": metadata}

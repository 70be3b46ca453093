"""The tiny assignment in `tests/notebooks/homework`, copied so that a test may spoil it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fakes import run_in_process

from aicourse.tooling.grading.sandbox.execution import Execution, Job

TINY = Path(__file__).parents[2] / "notebooks" / "homework" / "hw90-tiny"


def copy_tiny(folder: Path) -> Path:
    """A copy of the assignment's folder."""
    compiled = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(TINY, folder / "hw90-tiny", ignore=compiled))


def edit_master(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Let `change` work on the master notebook."""
    path = folder / "master.ipynb"
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def cell_of(data: dict[str, Any], cell_id: str) -> dict[str, Any]:
    """One cell of a notebook."""
    return next(cell for cell in data["cells"] if cell["id"] == cell_id)


def source_of(data: dict[str, Any], cell_id: str) -> str:
    """The source of one cell."""
    return "".join(cell_of(data, cell_id)["source"])


def edit_checks(folder: Path, old: str, new: str) -> None:
    """Replace a piece of `checks.py`."""
    path = folder / "checks.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def execute(job: Job) -> Execution:
    """The fake executor, for notebooks whose sources are lists of lines."""
    cells = [{**cell, "source": _alone("".join(cell["source"]))} for cell in job.notebook["cells"]]
    return run_in_process(replace(job, notebook={**job.notebook, "cells": cells}))


def _alone(source: str) -> str:
    """The cell's code, so that it does not inherit what `fakes` imports from __future__."""
    return f"exec(compile({source!r}, '<cell>', 'exec', dont_inherit=True), globals())"

"""Store a run's outputs in the source notebook: how a maintainer refreshes what readers see.

Only outputs and execution counts move; everything else in the source stays as it was written. Left
behind: papermill's and widgets' metadata, execution times, widget views without their kernel. The
result is the same bytes for the same outputs (sorted keys, one-space indent, final newline).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat

from aicourse.paths import write_atomically
from aicourse.tooling.course.notebooks import WIDGET_VIEW


def store_outputs(source: Path, executed: Path) -> None:
    """Replace the outputs in `source` by those of the same cells in `executed`."""
    ran = {cell["id"]: cell for cell in json.loads(executed.read_text(encoding="utf-8"))["cells"]}
    notebook = json.loads(source.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [_without_widget(output) for output in ran[cell["id"]]["outputs"]]
            cell["execution_count"] = ran[cell["id"]]["execution_count"]
            cell["metadata"].pop("execution", None)
    notebook["metadata"].pop("widgets", None)
    notebook["metadata"].pop("papermill", None)
    node = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    write_atomically(source, nbformat.writes(node) + "\n")  # type: ignore[no-untyped-call]


def _without_widget(output: dict[str, Any]) -> dict[str, Any]:
    """`output` in the form that readers without a kernel see."""
    data = output.get("data", {})
    return {**output, "data": {kind: data[kind] for kind in data if kind != WIDGET_VIEW}} if data else output

"""Parameters in a notebook as papermill injects them: after the cell tagged `parameters`, or first of all."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from aicourse.errors import SubmissionError
from aicourse.notebook_json import new_cell

INJECTED = "injected-parameters"


def with_parameters(notebook: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `notebook` in which a cell sets `parameters` (JSON types and tuples).

    Raises:
        SubmissionError: a parameter's name is no Python name.
    """
    notebook = copy.deepcopy(notebook)
    if not parameters:
        return notebook
    for name in parameters:
        if not name.isidentifier():
            raise SubmissionError(
                f"{name!r} is no name for a parameter. Use letters, digits and _.", name=name
            )
    cells = [cell for cell in notebook["cells"] if INJECTED not in tags(cell)]
    lines = [f"{name} = {value!r}" for name, value in parameters.items()]
    source = "\n".join(["# Parameters", *lines, ""])
    injected = new_cell("code", source, INJECTED, {"tags": [INJECTED]}) | {"source": source}
    places = [index for index, cell in enumerate(cells) if "parameters" in tags(cell)]
    cells.insert(places[0] + 1 if places else 0, injected)
    notebook["cells"] = cells
    return notebook


def tags(cell: Mapping[str, Any]) -> list[str]:
    """A cell's tags, whatever a student's notebook holds there."""
    metadata = cell.get("metadata")
    found = metadata.get("tags") if isinstance(metadata, Mapping) else None
    return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []

"""Notebooks as plain JSON: read into cells, and built from cells.

nbformat is not used, because importing it takes longer than reading every lesson (about 2 s against 10 ms);
the format is https://nbformat.readthedocs.io, version 4.5. Nothing is validated beyond what is read here, and
nothing repaired: hostile or broken submissions have a reader of their own (`tooling.grading.submissions`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


@dataclass(frozen=True)
class Cell:
    """One cell; `number` counts from 1 over all cells, as a reader counts them."""

    number: int
    id: str
    kind: str
    source: str
    tags: frozenset[str]
    execution_count: int | None
    outputs: tuple[Json, ...]
    metadata: Json

    @property
    def place(self) -> str:
        """Number and id, by which messages name it and its author finds it."""
        return f"cell {self.number} ({self.id})"

    @property
    def is_code(self) -> bool:
        """True if a kernel runs it."""
        return self.kind == "code"

    @property
    def is_markdown(self) -> bool:
        """True if it is text to read."""
        return self.kind == "markdown"


@dataclass(frozen=True)
class Notebook:
    """A notebook of format 4."""

    cells: tuple[Cell, ...]
    metadata: Json

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """Cells that a kernel runs: the ones that are not empty."""
        return tuple(cell for cell in self.cells if cell.is_code and cell.source.strip())

    def tagged(self, tag: str) -> tuple[Cell, ...]:
        """Cells that carry `tag`, in order."""
        return tuple(cell for cell in self.cells if tag in cell.tags)


def parse_notebook(content: str | bytes) -> Notebook:
    """The notebook in a file's content.

    Raises:
        ValueError: it is no JSON, no notebook of format 4, or a cell is none; says which.
    """
    data = json.loads(content)
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        raise ValueError("it has no list of cells")
    if data.get("nbformat") != 4:
        raise ValueError(f"nbformat {data.get('nbformat')}, not 4")
    metadata = data.get("metadata", {})
    if not isinstance(metadata, dict):
        raise ValueError("its metadata are no object")
    return Notebook(
        tuple(_cell(number, cell) for number, cell in enumerate(data["cells"], start=1)), metadata
    )


def _cell(number: int, data: Any) -> Cell:
    try:
        metadata = data.get("metadata", {})
        return Cell(
            number=number,
            id=str(data.get("id", "")),
            kind=str(data["cell_type"]),
            source=text(data["source"]),
            tags=frozenset(metadata.get("tags", ())),
            execution_count=data.get("execution_count"),
            outputs=tuple(data.get("outputs", ())),
            metadata=metadata,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"cell {number} is no cell ({type(error).__name__}: {error})") from None


def text(lines: str | Sequence[str]) -> str:
    """A multi-line field of the format, which may be one string or a list of lines."""
    return lines if isinstance(lines, str) else "".join(lines)


def new_cell(kind: str, source: str, cell_id: str, metadata: Json | None = None) -> dict[str, Any]:
    """A cell that has not run, keys in the order in which Jupyter writes them.

    >>> new_cell("markdown", "# Title", "title")
    {'cell_type': 'markdown', 'id': 'title', 'metadata': {}, 'source': ['# Title']}
    """
    count: dict[str, Any] = {"execution_count": None} if kind == "code" else {}
    outputs: dict[str, Any] = {"outputs": []} if kind == "code" else {}
    return {
        "cell_type": kind,
        **count,
        "id": cell_id,
        "metadata": dict(metadata or {}),
        **outputs,
        "source": source.splitlines(keepends=True),
    }


def new_notebook(cells: Iterable[Json], metadata: Json | None = None) -> dict[str, Any]:
    """A notebook of these cells; Python's, unless `metadata` says otherwise.

    >>> new_notebook([new_cell("code", "1 + 1", "sum")])["metadata"]["kernelspec"]["name"]
    'python3'
    """
    stated = {"kernelspec": KERNEL, "language_info": {"name": "python"}, **(metadata or {})}
    return {"cells": list(cells), "metadata": stated, "nbformat": 4, "nbformat_minor": 5}


def notebook_text(notebook: Json) -> str:
    """A notebook as Jupyter writes it: one blank of indentation, letters as they are, a line end."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"

"""The notebook of one student, as plain data for the page on which a person grades.

Each cell says whose answer it is a part of, and if it was added or changed (`restoring` noted that while it
was graded). Text is text: no formula is set, no HTML is run. Pictures are PNG, JPEG and GIF alone, from texts
and from outputs; the page shows them as data. All of it is cut to a size that a browser can hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aicourse.notebook_json import text
from aicourse.tooling.grading.submissions.shown_text import plain_text, printed

_FILE_BYTES = 64 << 20
_CELL_CHARACTERS = 20_000
_CHARACTERS = 2_000_000
_PICTURE_CHARACTERS = 16_000_000
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_KINDS = ("image/png", "image/jpeg", "image/gif")


def shown_notebook(path: Path) -> dict[str, Any]:
    """The cells of the notebook at `path`, and a sentence if not all of it can be shown."""
    try:
        if path.stat().st_size > _FILE_BYTES:
            return {"cells": [], "problem": "This notebook is too large to be shown here."}
        notebook = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {
            "cells": [],
            "problem": "The notebook that ran is not in the folder. Grade again with --again.",
        }
    cells: list[dict[str, Any]] = []
    characters, pictures = _CHARACTERS, _PICTURE_CHARACTERS
    for number, cell in enumerate(notebook["cells"], start=1):
        shown = _cell(number, cell, pictures)
        pictures -= sum(len(picture["data"]) for picture in shown["pictures"])
        characters -= len(shown["source"]) + len(shown["output"])
        if characters < 0:
            return {"cells": cells, "problem": f"The notebook is cut before cell {number}."}
        cells.append(shown)
    return {"cells": cells, "problem": ""}


def _cell(number: int, cell: Mapping[str, Any], most: int) -> dict[str, Any]:
    stated = cell["metadata"].get("aicourse", {})
    return {
        "number": number,
        "kind": cell["cell_type"],
        "question": stated.get("question", ""),
        "mark": stated.get("mark", ""),
        "source": plain_text(text(cell["source"]), _CELL_CHARACTERS),
        "output": printed({"cells": [cell]}, (cell["id"],)),
        "pictures": list(_pictures(cell, most)),
    }


def _pictures(cell: Mapping[str, Any], most: int) -> Iterator[dict[str, str]]:
    forms = [*cell.get("attachments", {}).values(), *(one.get("data") for one in cell.get("outputs", ()))]
    for form in forms:
        for kind in _KINDS if isinstance(form, dict) else ():
            data = form.get(kind)
            data = "".join(map(str, data)) if isinstance(data, list) else data
            if isinstance(data, str) and len(data) <= most and _BASE64.fullmatch(data):
                most -= len(data)
                yield {"kind": kind, "data": data}

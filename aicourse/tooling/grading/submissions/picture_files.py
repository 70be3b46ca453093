"""Pictures handed in as files of their own, put into the notebook that whoever grades by hand sees.

A PNG, JPEG or GIF is attached to each text that names it (`![sketch](sketch.png)`); those that no text names
stand in a cell at the end. An answer that names one says which it was: another picture is another answer.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from aicourse.html import one_line
from aicourse.notebook_json import new_cell, text
from aicourse.tooling.grading.submissions.reading import Picture

_KINDS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}
_MOST = 20
_MOST_BYTES = 6 << 20  # of all that are shown


def picture_files(files: Iterable[tuple[str, bytes]]) -> tuple[Picture, ...]:
    """The pictures among `files`; `data` is "" of those that are too many or too large to be shown."""
    found: list[Picture] = []
    left = _MOST_BYTES
    for name, data in files:
        for start, kind in _KINDS.items():
            if data.startswith(start):
                is_shown = len(found) < _MOST and len(data) <= left
                left -= len(data) if is_shown else 0
                found.append(Picture(name, kind, base64.b64encode(data).decode() if is_shown else ""))
    return tuple(found)


def with_digests(answer: str, pictures: Iterable[Picture]) -> str:
    """The answer with a line for each picture that it names, by which another one is another answer."""
    digests = (
        (one.name, hashlib.sha256(one.data.encode()).hexdigest()[:8])
        for one in pictures
        if _is_named(one, answer)
    )
    return "\n".join([answer, *(f"[picture {one_line(name)}, {digest}]" for name, digest in digests)])


def with_pictures(notebook: dict[str, Any], pictures: Sequence[Picture]) -> dict[str, Any]:
    """The notebook with the pictures in it; as it was where there are none."""
    cells = [_with_attached(cell, pictures) for cell in notebook["cells"]]
    attached = {name for cell in cells for name in cell.get("attachments", ())}
    rest = [one for one in pictures if one.name not in attached]
    return {**notebook, "cells": [*cells, *([_last_cell(rest)] if rest else [])]}


def _with_attached(cell: dict[str, Any], pictures: Sequence[Picture]) -> dict[str, Any]:
    if cell["cell_type"] != "markdown":
        return cell
    named = {one.name: {one.kind: one.data} for one in pictures if _is_named(one, text(cell["source"]))}
    return {**cell, "attachments": {**named, **cell.get("attachments", {})}} if named else cell


def _last_cell(pictures: Sequence[Picture]) -> dict[str, Any]:
    lines = _told(pictures)
    cell = new_cell("markdown", "\n".join(lines), "picture-files", {"aicourse": {"mark": "added"}})
    return cell | {"attachments": {one.name: {one.kind: one.data} for one in pictures if one.data}}


def _told(pictures: Sequence[Picture]) -> Iterator[str]:
    shown = [one_line(one.name) for one in pictures if one.data]
    others = [one_line(one.name) for one in pictures if not one.data]
    if shown:
        yield f"Pictures handed in as files, which no text names: {', '.join(shown)}"
    if others:
        yield f"Too many or too large to be shown, so look into the submission: {', '.join(others)}"


def _is_named(picture: Picture, source: str) -> bool:
    """True if a text names the file of a picture that is shown, as it is or as in an address."""
    forms = {picture.name, quote(picture.name)} if picture.data else ()
    return any(form in source and re.search(rf"(?<![\w-]){re.escape(form)}", source) for form in forms)

"""Printed text of a notebook, safe to show: no terminal escapes, no control characters.

Only text is kept (streams, text/plain, an error's name and message); HTML, JavaScript and pictures that a
student's code displayed are never copied anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

OUTPUT_CHARACTERS = 2_000
# CSI, OSC (ended by BEL or ST), other strings and escapes: ECMA-48
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[@-Z\\^_]?)"
)
# control characters, and marks that hide text or turn its direction (Trojan Source, CVE-2021-42574)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def plain_text(text: str, limit: int = OUTPUT_CHARACTERS) -> str:
    r"""`text` without what a terminal, a browser or an editor could act on, cut to `limit` characters.

    >>> plain_text("\x1b[31mred\x1b[0m\x07")
    'red'
    """
    most = 4 * limit  # escapes may be longer than what they surround
    shown = text[:most].replace("\r\n", "\n").replace("\r", "\n")
    shown = _CONTROLS.sub("", _ESCAPES.sub("", shown))
    return shown if len(shown) <= limit and len(text) <= most else f"{shown[:limit]}\n… (cut)"


def printed(notebook: Mapping[str, Any], cell_ids: tuple[str, ...]) -> str:
    """The text that these cells of an executed notebook gave."""
    cells = (cell for cell in notebook.get("cells", ()) if cell.get("id") in cell_ids)
    text = ""
    for piece in (piece for cell in cells for output in cell.get("outputs", ()) for piece in _texts(output)):
        text += piece
        if len(text) > 4 * OUTPUT_CHARACTERS:
            break
    return plain_text(text).strip()


def _texts(output: Mapping[str, Any]) -> Iterator[str]:
    kind = output.get("output_type")
    if kind == "stream":
        yield _joined(output.get("text"))
    elif kind == "error":
        yield f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}\n"
    elif isinstance(data := output.get("data"), Mapping):
        yield _joined(data.get("text/plain")) + "\n"


def _joined(text: Any) -> str:
    if isinstance(text, list):
        return "".join(line for line in text if isinstance(line, str))
    return text if isinstance(text, str) else ""

"""Outputs of a cell, from untrusted frames to what nbformat allows, and no more than a cell may show."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

MOST_OUTPUTS = 1_000
_OVERHEAD = 300  # bytes of memory that an output takes beside its texts
_MOST_LINES, _MOST_KINDS = 1_000, 50  # of a traceback, of a MIME bundle
_MOST_PARTS = 100_000  # of JSON content, which takes a hundred bytes where it sends two
_CONTROLS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_STREAMS = ("stdout", "stderr")


def plain(text: Any, longest: int = 500) -> str:
    """One short piece of text without colours, cursor movements or other control characters.

    >>> plain("\\x1b[31mred\\x1b[0m\\x07 alert")
    'red alert'
    """
    text = text if isinstance(text, str) else ""
    shown = _CONTROLS.sub("", text.encode(errors="replace").decode()[: 4 * longest]).strip()
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


class CellOutputs:
    """Collects one cell's outputs as the frames come: at most `most` bytes, then it is `cut`."""

    def __init__(self, most: int) -> None:
        self.outputs: list[dict[str, Any]] = []
        self.most, self.size, self.cut = most, 0, False
        self._displayed: dict[str, dict[str, Any]] = {}
        self._clear_next = False

    def take(self, frame: dict[str, Any]) -> None:
        """Add what a frame shows; a frame that shows nothing sensible is ignored."""
        if "clear" in frame:
            self._clear_next = True
            if not frame["clear"]:
                self._clear()
            return
        raw = frame.get("output")
        if not isinstance(raw, dict):
            return
        output = _checked(raw)
        if output is None:
            return
        if self._clear_next:
            self._clear()
        size = _OVERHEAD + len(json.dumps(output))
        if self.size + size > self.most:
            self.cut = True
            return
        self.size += size
        if raw.get("output_type") == "update_display_data":
            self._update(raw, output)
        elif len(self.outputs) < MOST_OUTPUTS and not self._joined(output):
            self.outputs.append(output)
            if isinstance(identity := raw.get("display_id"), str):
                self._displayed[identity] = output

    def fail(self, error: str, message: str) -> None:
        """Say in the notebook itself why this cell ended."""
        traceback = [f"{error}: {message}"]
        self.outputs.append(
            {"output_type": "error", "ename": error, "evalue": message, "traceback": traceback}
        )

    @property
    def printed(self) -> str:
        """All text of the streams."""
        return "".join(output["text"] for output in self.outputs if output["output_type"] == "stream")

    def _clear(self) -> None:
        self._clear_next, self.size = False, 0
        self.outputs.clear()
        self._displayed.clear()

    def _update(self, raw: dict[str, Any], output: dict[str, Any]) -> None:
        shown = self._displayed.get(str(raw.get("display_id")))
        if shown is not None:
            shown.update(data=output["data"], metadata=output["metadata"])

    def _joined(self, output: dict[str, Any]) -> bool:
        """Append text to the stream before it, as Jupyter does."""
        last = self.outputs[-1] if self.outputs else {}
        if output["output_type"] != "stream" or last.get("name") != output["name"]:
            return False
        last["text"] += output["text"]
        return True


def _checked(raw: dict[str, Any]) -> dict[str, Any] | None:
    """The output with exactly the fields that nbformat has for its kind; None for a kind it does not know."""
    kind = raw.get("output_type")
    if kind == "stream":
        name = raw.get("name") if raw.get("name") in _STREAMS else "stdout"
        return {"output_type": "stream", "name": name, "text": _text(raw.get("text"))}
    if kind == "error":
        lines = raw.get("traceback")
        return {
            "output_type": "error",
            "ename": plain(raw.get("ename"), 100),
            "evalue": plain(raw.get("evalue"), 2_000),
            "traceback": [_text(line) for line in lines[:_MOST_LINES]] if isinstance(lines, list) else [],
        }
    if kind not in ("display_data", "execute_result", "update_display_data"):
        return None
    output: dict[str, Any] = {"output_type": "display_data", "data": _bundle(raw.get("data")), "metadata": {}}
    if kind == "execute_result":
        count = raw.get("execution_count")
        output.update(output_type=kind, execution_count=count if type(count) is int else None)
    return output


def _bundle(data: Any) -> dict[str, Any]:
    """A MIME bundle: text by type, JSON types as they are; without widgets, which no page could show."""
    if not isinstance(data, dict):
        return {}
    return {
        _text(kind): _text(content) if not str(kind).endswith("json") else _clean(content)
        for kind, content in islice(data.items(), _MOST_KINDS)
        if not str(kind).startswith("application/vnd.jupyter.widget")
    }


def _clean(content: Any) -> Any:
    """JSON content; None when some text in it is not valid Unicode, or when it has too many parts."""
    try:
        stored = json.dumps(content, ensure_ascii=False)
        stored.encode()
    except (UnicodeEncodeError, RecursionError):
        return None
    return content if sum(map(stored.count, ",[{")) <= _MOST_PARTS else None


def _text(content: Any) -> str:
    """Text with valid Unicode; a list of lines, which nbformat allows too, is joined."""
    if isinstance(content, list):
        content = "".join(part for part in content if isinstance(part, str))
    return content.encode(errors="replace").decode() if isinstance(content, str) else ""

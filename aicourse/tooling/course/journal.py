"""What a lesson asked of models, from the journal that its session wrote (`aicourse.llm.session`).

One line of JSON per event: a call that was made, or the place of a recording that was asked for. A
kernel that was killed may leave a last line without its end; it is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from aicourse.llm.calls import Call, Usage
from aicourse.llm.recordings import Place


@dataclass(frozen=True)
class Journal:
    """The calls of one run, and every place (key, position) in the recordings that it asked for."""

    usage: Usage = field(default_factory=lambda: Usage(()))
    places: frozenset[Place] = frozenset()


def read_journal(path: Path) -> Journal:
    """The journal at `path`; an empty one when no model was asked."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    entries = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    calls = TypeAdapter(tuple[Call, ...])
    return Journal(
        Usage(calls.validate_python([entry["call"] for entry in entries if "call" in entry])),
        frozenset((entry["place"][0], entry["place"][1]) for entry in entries if "place" in entry),
    )

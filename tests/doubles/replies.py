"""Replies of the doubles: what is recorded for the same question, else the smallest that fits.

The same question is the same messages and schema, whatever model and sampling; the recordings are of the
course's own model. The smallest reply to a schema has the first word of each enum, and empty texts and lists.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aicourse.llm import recordings
from aicourse.llm.catalog import DEFAULT_MODEL
from aicourse.llm.recording_key import key_of

FOLDER = Path(__file__).parents[2] / "notebooks" / "recordings"
SMALLEST_TEXT = "Colours: blue\nMaterials: not stated"
_KEPT = ("id", "object", "created", "choices", "usage")


@functools.cache
def _recorded() -> tuple[dict[str, list[recordings.Recording]], set[str]]:
    """All recordings by key, and the names that recorded schemas have."""
    by_key: dict[str, list[recordings.Recording]] = {}
    names = {"listing_attributes"}
    for path in sorted(FOLDER.rglob("*.jsonl")):
        for recording in recordings.RecordingFile(path).recordings().values():
            by_key.setdefault(recording.key, []).append(recording)
            form = recording.request["body"].get("response_format") or {}
            names |= {form["json_schema"]["name"]} if "json_schema" in form else set()
    return by_key, names


def find(path: str, question: dict[str, Any], position: int = 0) -> recordings.Recording | None:
    """The recorded reply to `question`, the body of a request without its model."""
    for asked in _wordings(question):
        if found := _recorded()[0].get(key_of({"path": path, "body": {"model": DEFAULT_MODEL, **asked}})):
            return found[position % len(found)]
    return None


def _wordings(question: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The question as it is, and as the course's own model is asked it."""
    plain = {name: value for name, value in question.items() if name not in ("temperature", "seed")}
    yield question
    yield plain
    if "schema" in plain:
        schema = plain.pop("schema")
        forms = [
            {"type": "json_schema", "json_schema": {"name": name, "schema": schema, "strict": True}}
            for name in sorted(_recorded()[1])
        ]
        for form in [*forms, {"type": "json_object"}]:
            yield plain | {"response_format": form}


def completion(model: str, question: dict[str, Any], position: int = 0) -> dict[str, Any]:
    """A whole chat completion."""
    found = find("POST chat/completions", question, position)
    if found is not None and isinstance(found.body, dict) and found.status == 200:
        return {name: found.body[name] for name in _KEPT if name in found.body} | {"model": model}
    form = question.get("response_format") or {}
    schema = question.get("schema") or form.get("json_schema", {}).get("schema")
    text = SMALLEST_TEXT
    if schema or form.get("type") == "json_object":
        text = json.dumps(smallest(schema or {"type": "object"}, schema or {}))
    usage = {"prompt_tokens": 40, "completion_tokens": 12, "total_tokens": 52}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = {"id": "chatcmpl-double", "object": "chat.completion", "created": 1_790_000_000}
    return {**body, "model": model, "choices": [choice], "usage": usage}


def smallest(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """The smallest value that a schema allows."""
    if "$ref" in schema:
        return smallest(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    for name in ("enum", "anyOf"):
        if name in schema:
            return schema[name][0] if name == "enum" else smallest(schema[name][-1], root)
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "object":
        return {name: smallest(part, root) for name, part in schema.get("properties", {}).items()}
    empty = {"array": [], "string": "", "number": 0, "integer": 0, "boolean": False}
    return empty.get(schema.get("type", ""))


def as_stream(whole: dict[str, Any], *, with_usage: bool) -> bytes:
    """A chat completion as server-sent events, a word at a time."""
    choice = whole["choices"][0]
    words = (choice["message"].get("content") or "").split(" ")
    deltas = [{"content": word if at == 0 else f" {word}"} for at, word in enumerate(words)]
    head = {"id": whole["id"], "object": "chat.completion.chunk", "created": whole["created"]}
    parts = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in ({"role": "assistant", "content": ""}, *deltas)
    ]
    parts.append({"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    counts = [{"choices": [], "usage": whole["usage"]}] if with_usage else []
    events = [
        json.dumps({**head, "model": whole["model"], **part}) for part in itertools.chain(parts, counts)
    ]
    return "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode()

"""The key of a recording: a request, without what cannot change the reply.

    POST https://api.example/v1/chat/completions      {"path": "POST chat/completions",
    authorization: …                             ->    "body": {"messages": […], "model": …}}
    {"model": …, "messages": […], "user": "ana"}

Left out: host, headers, spacing, order of keys, the fields that only label a request (`LABELS`), and a
temperature that the model takes by itself. `max_tokens` is `max_completion_tokens` under its older name.
The order of a schema's properties is kept: a model writes them in that order, so the reason before the
verdict is another question than the verdict before the reason.
Ids of tool calls are numbered in order of appearance, because a client may invent them. Numbers follow
RFC 8785 (`0.0` is `0`). Media in base64 are replaced by their SHA-256, so that a recording stays readable.
A body that is not JSON (an upload) is represented by its hash.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from aicourse.llm import catalog
from aicourse.llm.formats import endpoint

if TYPE_CHECKING:
    import httpx2

CanonicalRequest = dict[str, Any]

LABELS = frozenset({"user", "metadata", "safety_identifier", "store", "prompt_cache_key"})
SUMMARY_LENGTH = 60
_CALL_IDS = {"tool_call_id", "tool_use_id", "call_id"}
_CALL_TYPES = {"function", "function_call", "tool_use"}
_LONGEST_INLINE = 200  # characters of a data URL that are still readable
_EXACT = 2**53  # integers up to here are exact as floats


def canonical_request(request: httpx2.Request) -> CanonicalRequest:
    """The question that `request` (already read) asks, as plain data."""
    try:
        body = json.loads(request.content) if request.content else {}
    except ValueError:
        body = None
    if not isinstance(body, dict):
        body = {"sha256": hashlib.sha256(request.content).hexdigest()}
    names: dict[str, str] = {}
    fields = {
        name: _normalise(value, names if name in {"messages", "input"} else None)
        for name, value in body.items()
        if name not in LABELS
    }
    path = endpoint(request.url.path)
    if path == "chat/completions" and "max_completion_tokens" not in fields and "max_tokens" in fields:
        fields["max_completion_tokens"] = fields.pop("max_tokens")
    if fields.get("temperature") == catalog.default_temperature(str(fields.get("model", ""))):
        fields.pop("temperature", None)
    query = f"?{request.url.query.decode()}" if request.url.query else ""
    return {"path": f"{request.method} {path}{query}", "body": fields}


def key_of(asked: CanonicalRequest) -> str:
    """SHA-256 of the canonical JSON: keys in order, no spaces, characters as they are."""
    text = json.dumps(in_order(asked), separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def in_order(asked: CanonicalRequest) -> CanonicalRequest:
    """The same question with its keys sorted, and the properties of schemas as they stand."""
    ordered: CanonicalRequest = _normalise(asked, None)
    return ordered


def summary(asked: CanonicalRequest) -> str:
    """The start of what the user said last.

    >>> summary({"path": "POST embeddings", "body": {"input": ["red coat", "blue hat"]}})
    'red coat'
    """
    body = asked["body"]
    said = body.get("messages") or body.get("input") or body.get("prompt") or asked["path"]
    if isinstance(said, list):
        users = [item for item in said if isinstance(item, dict) and item.get("role") == "user"]
        chosen = users[-1] if users else said[0]
        said = _text(chosen.get("content")) if isinstance(chosen, dict) else chosen
    text = " ".join(str(said).split())
    return text if len(text) <= SUMMARY_LENGTH else text[: SUMMARY_LENGTH - 1] + "…"


def _text(content: Any) -> str:
    if not isinstance(content, list):
        return str(content)
    return " ".join(part["text"] if "text" in part else f"[{part.get('type')}]" for part in content)


def _normalise(value: Any, call_names: dict[str, str] | None, called: str = "") -> Any:
    """`value` in order, with exact numbers, hashed media and, given `call_names`, numbered call ids."""
    if isinstance(value, dict):
        names = value if called == "properties" else sorted(value)
        return {name: _field(value, name, call_names) for name in names}
    if isinstance(value, list):
        return [_normalise(item, call_names) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, str) and value.startswith("data:") and len(value) > _LONGEST_INLINE:
        return f"{value.partition(',')[0]},sha256={_digest(value)}"
    return value


def _field(owner: dict[str, Any], name: str, call_names: dict[str, str] | None) -> Any:
    value = owner[name]
    if not isinstance(value, str):
        return _normalise(value, call_names, called=name)
    is_call_id = name in _CALL_IDS or (name == "id" and owner.get("type") in _CALL_TYPES)
    if call_names is not None and is_call_id:
        return call_names.setdefault(value, f"call_{len(call_names) + 1}")
    if name == "data" and ("media_type" in owner or "format" in owner):
        return f"sha256={_digest(value)}"
    return _normalise(value, call_names)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

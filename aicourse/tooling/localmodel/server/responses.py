"""OpenAI's Responses API on top of chat completions: https://platform.openai.com/docs/api-reference/responses

llama.cpp has a route of this name, but it ignores the schema in `text.format`; here it is enforced like
`response_format`. Text in, text out, whole or streamed; nothing is stored, so `previous_response_id` is
refused.
Pictures have become text before (see `pictures`). Not handled: tools, files, reasoning items.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from aicourse.tooling.localmodel.server.http_errors import bad_request
from aicourse.tooling.localmodel.server.requests import TEMPERATURE, about_photos, object_in, text_of

_SHARED = ("model", "temperature", "top_p", "stream", "seed")
_TEXT_PARTS = ("input_text", "output_text", "text")


def to_chat(request: dict[str, Any]) -> dict[str, Any]:
    """The chat completion request that a Responses request stands for.

    Raises:
        HttpError: 400, it refers to something stored, or a part is not text.
    """
    if request.get("previous_response_id") or request.get("conversation"):
        raise bad_request(
            "previous_response_id", "This server stores nothing: send the whole conversation as input."
        )
    if request.get("tools"):
        raise bad_request("tools", "Here this server takes no tools; /v1/chat/completions does.")
    system = [{"role": "system", "content": request["instructions"]}] if request.get("instructions") else []
    chat = {name: request[name] for name in _SHARED if request.get(name) is not None}
    chat["messages"] = [*system, *_messages(request.get("input"))]
    if request.get("max_output_tokens") is not None:
        chat["max_tokens"] = request["max_output_tokens"]
    if wanted := object_in(object_in(request, "text"), "format"):
        kind = wanted.get("type")
        chat["response_format"] = wanted if kind != "json_schema" else {"type": kind, "json_schema": wanted}
    return chat


def _messages(given: Any) -> list[dict[str, Any]]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not isinstance(given, list):
        raise bad_request("input", "'input' must be text or a list of messages.")
    return [_message(item, f"input[{position}]") for position, item in enumerate(given)]


def _message(item: Any, where: str) -> dict[str, Any]:
    if not isinstance(item, dict) or item.get("type", "message") != "message" or "role" not in item:
        raise bad_request(where, f"{where} is not a message: this server takes messages only.")
    return {"role": item["role"], "content": text_of(item.get("content"), f"{where}.content", _TEXT_PARTS)}


def from_chat(completion: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """The response that a chat completion stands for."""
    choice = completion["choices"][0]
    text = choice["message"]["content"] or ""
    return _response(completion, request, text, choice["finish_reason"], completion["usage"])


async def stream_from_chat(
    chunks: AsyncIterator[dict[str, Any]], request: dict[str, Any]
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The named events that a stream of chat completion chunks stands for."""
    text, finish_reason, last = "", None, None
    async for chunk in chunks:
        if last is None:
            opened = _response(chunk, request, None, None, None)
            item = {
                "id": f"msg_{chunk['id']}",
                "type": "message",
                "role": "assistant",
                "status": "in_progress",
                "content": [],
            }
            place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
            yield "response.created", {"response": opened}
            yield "response.output_item.added", {"output_index": 0, "item": item}
            yield "response.content_part.added", place | {"part": _part("")}
        last = {**(last or {}), **chunk}
        for choice in chunk["choices"]:
            finish_reason = choice.get("finish_reason") or finish_reason
            if piece := choice["delta"].get("content"):
                text += piece
                yield "response.output_text.delta", place | {"delta": piece, "logprobs": []}
    if last is None:
        return
    done = _response(last, request, text, finish_reason, last.get("usage"))
    yield "response.output_text.done", place | {"text": text, "logprobs": []}
    yield "response.content_part.done", place | {"part": _part(text)}
    yield "response.output_item.done", {"output_index": 0, "item": done["output"][0]}
    yield f"response.{done['status']}", {"response": done}


def _response(
    payload: dict[str, Any],
    request: dict[str, Any],
    text: str | None,
    finish_reason: str | None,
    usage: dict[str, Any] | None,
) -> dict[str, Any]:
    cut = finish_reason == "length"
    status = "in_progress" if text is None else "incomplete" if cut else "completed"
    message = {
        "id": f"msg_{payload['id']}",
        "type": "message",
        "role": "assistant",
        "status": "incomplete" if cut else "completed",
        "content": [_part(text or "")],
    }
    return {
        "id": f"resp_{payload['id']}",
        "object": "response",
        "created_at": payload["created"],
        "model": payload["model"],
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": request.get("instructions"),
        "metadata": request.get("metadata") or {},
        "output": [] if text is None else [message],
        "parallel_tool_calls": False,
        "temperature": TEMPERATURE if request.get("temperature") is None else request["temperature"],
        "text": request.get("text") or {"format": {"type": "text"}},
        "tool_choice": "none",
        "tools": [],
        "top_p": request.get("top_p"),
        "usage": _usage(usage),
        **about_photos(payload),
    }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(usage: dict[str, Any] | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": usage["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage["prompt_tokens"] + usage["completion_tokens"],
    }

"""OpenAI's Responses API on top of chat completions: https://platform.openai.com/docs/api-reference/responses

llama.cpp has a route of this name, but it ignores the schema in `text.format`; here it is enforced like
`response_format`. Text and function calls, whole or streamed; nothing is stored, so `previous_response_id` is
refused. What tools mean is in `toolcalls`; here they are renamed only:

    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}  ->  the assistant's tool call
    {"type": "function_call_output", "call_id": "c", "output": "3 found"}      ->  a message of role tool

Pictures have become text before (see `pictures`). Not handled: OpenAI's own tools, files, reasoning items.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from aicourse.tooling.localmodel.server.content import RESPONSES_PARTS, text_of
from aicourse.tooling.localmodel.server.http_errors import bad_request
from aicourse.tooling.localmodel.server.requests import TEMPERATURE, about_photos, object_in

Events = Iterator[tuple[str, dict[str, Any]]]
_SHARED = ("model", "temperature", "top_p", "stream", "seed")


def to_chat(request: dict[str, Any]) -> dict[str, Any]:
    """The chat completion request that a Responses request stands for.

    Raises:
        HttpError: 400, it refers to something stored, or a part is not text.
    """
    if request.get("previous_response_id") or request.get("conversation"):
        raise bad_request(
            "previous_response_id", "This server stores nothing: send the whole conversation as input."
        )
    system = [{"role": "system", "content": request["instructions"]}] if request.get("instructions") else []
    chat = {name: request[name] for name in _SHARED if request.get(name) is not None}
    chat["messages"] = [*system, *_messages(request.get("input"))]
    if request.get("max_output_tokens") is not None:
        chat["max_tokens"] = request["max_output_tokens"]
    chat |= _tools(request)
    if wanted := object_in(object_in(request, "text"), "format"):
        kind = wanted.get("type")
        schema = {"type": kind, "json_schema": wanted, "place": "text.format.schema"}
        chat["response_format"] = schema if kind == "json_schema" else wanted
    return chat


def _tools(request: dict[str, Any]) -> dict[str, Any]:
    """The fields `tools` and `tool_choice` as chat completions have them; `toolcalls` checks them."""
    tools, choice = request.get("tools"), request.get("tool_choice")
    if isinstance(tools, list):
        tools = [_function(tool) for tool in tools]
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        allowed = choice.get("tools")
        functions = [_function(tool) for tool in allowed] if isinstance(allowed, list) else allowed
        choice = {"type": "allowed_tools", "allowed_tools": {"mode": choice.get("mode"), "tools": functions}}
    return {"tools": tools, "tool_choice": _function(choice)}


def _function(flat: Any) -> Any:
    """A function, or the choice of one, with its fields in an object of their own."""
    if not isinstance(flat, dict) or flat.get("type") != "function":
        return flat
    return {"type": "function", "function": {name: value for name, value in flat.items() if name != "type"}}


def _messages(given: Any) -> list[dict[str, Any]]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not isinstance(given, list):
        raise bad_request("input", "'input' must be text or a list of messages.")
    messages: list[dict[str, Any]] = []
    for position, item in enumerate(given):
        message = _message(item, f"input[{position}]")
        if message.get("tool_calls") and messages and messages[-1]["role"] == "assistant":
            calls = [*messages[-1].get("tool_calls", []), *message["tool_calls"]]
            messages[-1] = messages[-1] | {"tool_calls": calls}
        else:
            messages.append(message)
    return messages


def _message(item: Any, where: str) -> dict[str, Any]:
    kind = item.get("type", "message") if isinstance(item, dict) else None
    if kind == "function_call":
        if not isinstance(item.get("name"), str):
            raise bad_request(where, f"{where} must name the function that was called.")
        return {"role": "assistant", "content": None, "tool_calls": [{"function": item}]}
    if kind == "function_call_output":
        return {"role": "tool", "content": text_of(item.get("output"), f"{where}.output", RESPONSES_PARTS)}
    if kind != "message" or "role" not in item:
        message = f"{where} is neither a message nor a function's call or output: {kind!r:.40}."
        raise bad_request(where, message)
    return {
        "role": item["role"],
        "content": text_of(item.get("content"), f"{where}.content", RESPONSES_PARTS),
    }


def from_chat(completion: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """The response that a chat completion stands for."""
    choice = completion["choices"][0]
    message, usage = choice["message"], completion["usage"]
    output = _output(completion, message["content"] or "", message.get("tool_calls") or [])
    return _response(completion, request, output, choice["finish_reason"], usage)


async def stream_from_chat(
    chunks: AsyncIterator[dict[str, Any]], request: dict[str, Any]
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The named events that a stream of chat chunks stands for; a call comes whole in one chunk."""
    text, finish_reason, last = "", None, None
    calls: list[dict[str, Any]] = []
    async for chunk in chunks:
        if last is None:
            item = _message_item(chunk, "", "in_progress")
            yield "response.created", {"response": _response(chunk, request, None, None, None)}
        last = {**(last or {}), **chunk}
        for choice in chunk["choices"]:
            finish_reason = choice.get("finish_reason") or finish_reason
            calls += choice["delta"].get("tool_calls") or []
            if piece := choice["delta"].get("content"):
                if not text:
                    for event in _opening(item):
                        yield event
                text += piece
                yield "response.output_text.delta", _place(item) | {"delta": piece, "logprobs": []}
    if last is None:
        return
    output = _output(last, text, calls)
    done = _response(last, request, output, finish_reason, last.get("usage"))
    for index, item in enumerate(done["output"]):
        events = _call_events(item, index) if item["type"] == "function_call" else _closing(item, bool(text))
        for event in events:
            yield event
    yield f"response.{done['status']}", {"response": done}


def _opening(item: dict[str, Any]) -> Events:
    yield "response.output_item.added", {"output_index": 0, "item": item | {"content": []}}
    yield "response.content_part.added", _place(item) | {"part": _part("")}


def _closing(item: dict[str, Any], opened: bool) -> Events:
    if not opened:
        yield from _opening(item | {"status": "in_progress"})
    place, part = _place(item), item["content"][0]
    yield "response.output_text.done", place | {"text": part["text"], "logprobs": []}
    yield "response.content_part.done", place | {"part": part}
    yield "response.output_item.done", {"output_index": 0, "item": item}


def _call_events(item: dict[str, Any], index: int) -> Events:
    place, arguments = {"item_id": item["id"], "output_index": index}, item["arguments"]
    opened = item | {"arguments": "", "status": "in_progress"}
    yield "response.output_item.added", {"output_index": index, "item": opened}
    yield "response.function_call_arguments.delta", place | {"delta": arguments}
    yield "response.function_call_arguments.done", place | {"name": item["name"], "arguments": arguments}
    yield "response.output_item.done", {"output_index": index, "item": item}


def _output(payload: dict[str, Any], text: str, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of an answer: what it says, if it says something or calls nothing, then what it calls."""
    items = [_message_item(payload, text, "completed")] if text or not calls else []
    return items + [
        {
            "id": f"fc_{call['id']}",
            "type": "function_call",
            "status": "completed",
            "call_id": call["id"],
            "name": call["function"]["name"],
            "arguments": call["function"]["arguments"],
        }
        for call in calls
    ]


def _message_item(payload: dict[str, Any], text: str, status: str) -> dict[str, Any]:
    return {
        "id": f"msg_{payload['id']}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [_part(text)],
    }


def _response(
    payload: dict[str, Any],
    request: dict[str, Any],
    output: list[dict[str, Any]] | None,
    finish_reason: str | None,
    usage: dict[str, Any] | None,
) -> dict[str, Any]:
    cut = finish_reason == "length"
    ended = "incomplete" if cut else "completed"
    return {
        "id": f"resp_{payload['id']}",
        "object": "response",
        "created_at": payload["created"],
        "model": payload["model"],
        "status": "in_progress" if output is None else ended,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": request.get("instructions"),
        "metadata": request.get("metadata") or {},
        "output": [item | {"status": ended} for item in output or []],
        "parallel_tool_calls": False,
        "temperature": TEMPERATURE if request.get("temperature") is None else request["temperature"],
        "text": request.get("text") or {"format": {"type": "text"}},
        "tool_choice": request.get("tool_choice") or "auto",
        "tools": request.get("tools") or [],
        "top_p": request.get("top_p"),
        "usage": _usage(usage),
        **about_photos(payload),
    }


def _place(item: dict[str, Any]) -> dict[str, Any]:
    return {"item_id": item["id"], "output_index": 0, "content_index": 0}


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

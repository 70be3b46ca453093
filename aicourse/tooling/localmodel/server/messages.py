"""Anthropic's Messages API on top of chat completions: https://docs.anthropic.com/en/api/messages

Text, tools and `output_config.format`, whole or streamed, and `count_tokens`. What tools mean is in
`toolcalls`; here they are renamed only:

    {"type": "tool_use", "id": "c", "name": "f", "input": {}}                ->  a tool call of the assistant
    {"type": "tool_result", "tool_use_id": "c", "content": "3 found"}        ->  a message of role tool

Pictures have become text before (see `pictures`). Not handled: Anthropic's own tools, thinking, citations;
which stop sequence ended a message (`stop_reason` is `end_turn` then).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from aicourse.tooling.localmodel.server.content import MESSAGES_PARTS, text_of
from aicourse.tooling.localmodel.server.http_errors import bad_request
from aicourse.tooling.localmodel.server.requests import about_photos, object_in

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
_SHARED = ("model", "temperature", "top_p", "top_k", "stream")
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def to_chat(request: dict[str, Any]) -> dict[str, Any]:
    """The chat completion request that a Messages request stands for.

    Raises:
        HttpError: 400, a part is missing or is neither text nor a tool's call or result.
    """
    if request.get("max_tokens") is None:
        raise bad_request("max_tokens", "max_tokens: field required")
    given = request.get("messages")
    if not isinstance(given, list):
        raise bad_request("messages", "messages: must be a list")
    system = text_of(request.get("system") or "", "system", MESSAGES_PARTS)
    messages = [{"role": "system", "content": system}] if system else []
    for position, message in enumerate(given):
        messages += _chat_messages(message, f"messages[{position}]")
    chat = {name: request[name] for name in _SHARED if name in request}
    chat |= {"messages": messages, "max_tokens": request["max_tokens"]} | _tools(request)
    if request.get("stop_sequences"):
        chat["stop"] = request["stop_sequences"]
    if wanted := object_in(object_in(request, "output_config"), "format"):
        place = "output_config.format.schema"
        chat["response_format"] = {"type": wanted.get("type"), "json_schema": wanted, "place": place}
    return chat


def _tools(request: dict[str, Any]) -> dict[str, Any]:
    """The fields `tools` and `tool_choice` as chat completions have them; `toolcalls` checks them."""
    tools, choice = request.get("tools"), object_in(request, "tool_choice")
    if isinstance(tools, list):
        tools = [_function(tool) for tool in tools]
    kind = choice.get("type")
    if kind == "tool":
        return {"tools": tools, "tool_choice": _function(choice | {"type": "custom"})}
    wanted = _CHOICES.get(kind, choice) if isinstance(kind, str) else choice
    return {"tools": tools, "tool_choice": wanted or None}


def _function(tool: Any) -> Any:
    if not isinstance(tool, dict) or tool.get("type") not in (None, "custom"):
        return tool
    described = {name: tool[name] for name in ("name", "description", "strict") if name in tool}
    return {"type": "function", "function": described | {"parameters": tool.get("input_schema")}}


def _chat_messages(message: Any, where: str) -> list[dict[str, Any]]:
    """A message as chat completions have it: a tool's result is one of its own, before what the user says."""
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("user", "assistant") or "content" not in message:
        raise bad_request(where, f"{where} must be an object with content and a role: user, assistant.")
    content, special = message["content"], "tool_use" if role == "assistant" else "tool_result"
    tools: list[dict[str, Any]] = []
    if isinstance(content, list):
        tools = [part for part in content if isinstance(part, dict) and part.get("type") == special]
        content = [part for part in content if not isinstance(part, dict) or part.get("type") != special]
    said = {"role": role, "content": text_of(content, f"{where}.content", MESSAGES_PARTS)}
    if role == "assistant":
        return [said | {"tool_calls": [_call(part, f"{where}.content") for part in tools]}]
    results = [{"role": "tool", "content": _result(part, f"{where}.content")} for part in tools]
    return [*results, said] if content or not results else results


def _call(part: dict[str, Any], where: str) -> dict[str, Any]:
    if not isinstance(part.get("name"), str):
        raise bad_request(where, f"{where} has a tool_use without a name.")
    return {"function": {"name": part["name"], "arguments": part.get("input")}}


def _result(part: dict[str, Any], where: str) -> str:
    text = text_of(part.get("content") or "", where, MESSAGES_PARTS)
    return f"Error: {text}" if part.get("is_error") else text


def from_chat(completion: dict[str, Any]) -> dict[str, Any]:
    """The message that a chat completion stands for."""
    choice, usage = completion["choices"][0], completion["usage"]
    text, calls = choice["message"]["content"] or "", choice["message"].get("tool_calls") or []
    content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text or not calls else []
    return _message(completion, usage["prompt_tokens"]) | {
        "content": content + [_tool_use(call) for call in calls],
        "stop_reason": STOP_REASONS.get(choice["finish_reason"], "end_turn"),
        "usage": {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]},
    }


async def stream_from_chat(
    chunks: AsyncIterator[dict[str, Any]],
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The named events that a stream of chat chunks stands for; a call comes whole in one chunk."""
    stop_reason, usage, begun = "end_turn", {"prompt_tokens": 0, "completion_tokens": 0}, False
    calls: list[dict[str, Any]] = []
    block, opened = {"index": 0, "content_block": {"type": "text", "text": ""}}, False
    async for chunk in chunks:
        usage = chunk.get("usage") or usage
        if not begun:
            begun = True
            yield "message_start", {"message": _message(chunk, 0)}
        for choice in chunk["choices"]:
            calls += choice["delta"].get("tool_calls") or []
            if text := choice["delta"].get("content"):
                if not opened:
                    opened = True
                    yield "content_block_start", block
                yield "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}}
            if choice.get("finish_reason"):
                stop_reason = STOP_REASONS.get(choice["finish_reason"], "end_turn")
    if not opened and not calls:
        yield "content_block_start", block
    if opened or not calls:
        yield "content_block_stop", {"index": 0}
    for index, call in enumerate(calls, start=int(opened)):
        part = {"type": "input_json_delta", "partial_json": call["function"]["arguments"]}
        yield "content_block_start", {"index": index, "content_block": _tool_use(call) | {"input": {}}}
        yield "content_block_delta", {"index": index, "delta": part}
        yield "content_block_stop", {"index": index}
    counted = {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
    yield "message_delta", {"delta": {"stop_reason": stop_reason, "stop_sequence": None}, "usage": counted}
    yield "message_stop", {}


def _tool_use(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    arguments = json.loads(function["arguments"])
    return {"type": "tool_use", "id": call["id"], "name": function["name"], "input": arguments}


def _message(payload: dict[str, Any], prompt_tokens: int) -> dict[str, Any]:
    return {
        "id": f"msg_{payload['id']}",
        "type": "message",
        "role": "assistant",
        "model": payload["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": prompt_tokens, "output_tokens": 0},
        **about_photos(payload),
    }

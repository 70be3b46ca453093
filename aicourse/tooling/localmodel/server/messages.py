"""Anthropic's Messages API on top of chat completions: https://docs.anthropic.com/en/api/messages

Text in, text out, whole or streamed; pictures have become text before (see `pictures`). Not handled: tools,
thinking, citations; which stop sequence ended a message (`stop_reason` is `end_turn` then).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from aicourse.tooling.localmodel.server.http_errors import bad_request
from aicourse.tooling.localmodel.server.requests import about_photos

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens"}
_SHARED = ("model", "temperature", "top_p", "top_k", "stream")


def to_chat(request: dict[str, Any]) -> dict[str, Any]:
    """The chat completion request that a Messages request stands for.

    Raises:
        HttpError: 400, a part is missing or not text.
    """
    if request.get("max_tokens") is None:
        raise bad_request("max_tokens", "max_tokens: field required")
    messages = request.get("messages")
    if not isinstance(messages, list):
        raise bad_request("messages", "messages: must be a list")
    if request.get("tools"):
        raise bad_request("tools", "Here this server takes no tools; /v1/chat/completions does.")
    system = [{"role": "system", "content": request["system"]}] if request.get("system") else []
    chat = {name: request[name] for name in _SHARED if name in request}
    chat |= {"messages": [*system, *messages], "max_tokens": request["max_tokens"]}
    if request.get("stop_sequences"):
        chat["stop"] = request["stop_sequences"]
    return chat


def from_chat(completion: dict[str, Any]) -> dict[str, Any]:
    """The message that a chat completion stands for."""
    choice, usage = completion["choices"][0], completion["usage"]
    text = choice["message"]["content"] or ""
    return _message(completion, usage["prompt_tokens"]) | {
        "content": [{"type": "text", "text": text}],
        "stop_reason": STOP_REASONS.get(choice["finish_reason"], "end_turn"),
        "usage": {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]},
    }


async def stream_from_chat(
    chunks: AsyncIterator[dict[str, Any]],
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The named events that a stream of chat completion chunks stands for."""
    stop_reason, usage, begun = "end_turn", {"prompt_tokens": 0, "completion_tokens": 0}, False
    async for chunk in chunks:
        usage = chunk.get("usage") or usage
        if not begun:
            begun = True
            yield "message_start", {"message": _message(chunk, 0)}
            yield "content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}
        for choice in chunk["choices"]:
            if text := choice["delta"].get("content"):
                yield "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}}
            if choice.get("finish_reason"):
                stop_reason = STOP_REASONS.get(choice["finish_reason"], "end_turn")
    yield "content_block_stop", {"index": 0}
    counted = {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
    yield "message_delta", {"delta": {"stop_reason": stop_reason, "stop_sequence": None}, "usage": counted}
    yield "message_stop", {}


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

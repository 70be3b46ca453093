"""The forms of a reply in three APIs: where its text, its token counts and its end stand.

| endpoint           | text                        | tokens                  | a stream's last event    |
|--------------------|-----------------------------|-------------------------|--------------------------|
| `chat/completions` | `choices[].message.content` | `usage.prompt_tokens` … | `[DONE]`                 |
| `responses`        | `output[].content[].text`   | `usage.input_tokens` …  | `response.completed` …   |
| `messages`         | `content[].text`            | `usage.input_tokens` …  | `message_stop`           |

Sources: platform.openai.com/docs/api-reference, docs.anthropic.com/en/api/messages. It reads plain
JSON, not the clients' classes, because it works below them. Audio and image replies are not handled.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

EVENT_STREAM = "text/event-stream"
_ENDS = {"message_stop", "response.completed", "response.incomplete", "response.failed", "error"}
_TEXTS = {"content", "text", "thinking", "partial_json", "arguments", "refusal", "reasoning_content"}
_MOST_TOKENS = 10**9
_BEFORE_ENDPOINT = re.compile(r"^.*?/v\d+\w*/(openai/)?")


def endpoint(path: str) -> str:
    """The part of a URL path that every provider shares.

    >>> endpoint("/v1beta/openai/chat/completions"), endpoint("/v1/messages")
    ('chat/completions', 'messages')
    """
    return _BEFORE_ENDPOINT.sub("", path, count=1).strip("/")


def model_in(content: bytes) -> str:
    """The model that a request's body names; empty when it names none.

    >>> model_in(b'{"model": "gpt-x", "messages": []}')
    'gpt-x'
    """
    try:
        body = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return ""
    return str(body.get("model", "")) if isinstance(body, dict) else ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens that a reply says it used; None where it does not say. `cached` is a part of `prompt`."""

    prompt: int | None
    completion: int | None
    cached: int = 0


def event_data(text: str) -> list[str]:
    r"""The data of each server-sent event.

    >>> event_data('event: ping\ndata: {"a": 1}\n\ndata: [DONE]\n\n')
    ['{"a": 1}', '[DONE]']
    """
    # not splitlines(), which also splits at U+2028 and others that stand in texts as they are
    return [line[5:].strip() for line in re.split("\r\n|\n|\r", text) if line.startswith("data:")]


def payloads(text: str, content_type: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a reply: one, or one per event of a stream; what is not JSON is left out."""
    for part in event_data(text) if content_type.startswith(EVENT_STREAM) else [text]:
        try:
            value = json.loads(part)
        except (ValueError, RecursionError):
            continue  # [DONE], an error page, a stream that broke off, ten thousand brackets
        if isinstance(value, dict):
            yield value


def tokens(text: str, content_type: str) -> Tokens:
    """The token counts that a whole reply states; in a stream the last count wins.

    >>> tokens('{"usage": {"prompt_tokens": 7, "completion_tokens": 2}}', "application/json")
    Tokens(prompt=7, completion=2, cached=0)
    """
    prompt = completion = None
    cached = 0
    for payload in payloads(text, content_type):
        for stated in _usages(payload):
            now = _prompt_tokens(stated)
            prompt = prompt if now is None else now
            now = _count(stated.get("completion_tokens", stated.get("output_tokens")))
            completion = completion if now is None else now
            cached = max(cached, _cached_tokens(stated))
    completion = 0 if completion is None and prompt is not None else completion
    return Tokens(prompt, completion, min(cached, prompt or 0))


def _usages(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """`usage` where each API puts it; llama.cpp's `timings` for streams that carry nothing else."""
    timings = payload.get("timings")
    if isinstance(timings, dict) and "prompt_n" in timings:
        prompt = (_count(timings["prompt_n"]) or 0) + (_count(timings.get("cache_n")) or 0)
        yield {"prompt_tokens": prompt, "completion_tokens": timings.get("predicted_n")}
    for holder in (payload.get("message"), payload.get("response"), payload):
        if isinstance(holder, dict) and isinstance(holder.get("usage"), dict):
            yield holder["usage"]


def _prompt_tokens(stated: dict[str, Any]) -> int | None:
    if "prompt_tokens" in stated:
        return _count(stated["prompt_tokens"])
    new = _count(stated.get("input_tokens"))
    cached = ("cache_creation_input_tokens", "cache_read_input_tokens")  # Anthropic counts these apart
    return None if new is None else new + sum(_count(stated.get(name)) or 0 for name in cached)


def _cached_tokens(stated: dict[str, Any]) -> int:
    """Tokens of the prompt that were read from the provider's cache, which most sell for less."""
    details = stated.get("prompt_tokens_details", stated.get("input_tokens_details"))
    inner = details.get("cached_tokens") if isinstance(details, dict) else None
    return _count(inner) or _count(stated.get("cache_read_input_tokens")) or 0


def _count(stated: object) -> int | None:
    """A number of tokens as a stranger states it; None for what is none."""
    number = isinstance(stated, int) and not isinstance(stated, bool) and 0 <= stated < _MOST_TOKENS
    return cast(int, stated) if number else None


def pieces(text: str, content_type: str) -> Iterator[str]:
    """The pieces of text, reasoning and tool calls in a stream, however far it has come."""
    for payload in payloads(text, content_type):
        for holder in (payload.get("choices"), payload.get("delta")):
            yield from [holder] if isinstance(holder, str) else _said(holder)


def _said(holder: object) -> Iterator[str]:
    inside = (
        holder.items() if isinstance(holder, dict) else enumerate(holder if isinstance(holder, list) else ())
    )
    for name, part in inside:
        if not isinstance(part, str):
            yield from _said(part)
        elif part and name in _TEXTS:
            yield part


def is_whole(text: str, content_type: str) -> bool:
    """True if a stream has reached its last event; clients stop reading there, before the connection ends.

    >>> is_whole('data: {"choices": []}\\n\\n', "text/event-stream")
    False
    """
    last = event_data(text)[-1:] if content_type.startswith(EVENT_STREAM) else []
    return last == ["[DONE]"] or any(
        payload.get("type") in _ENDS for data in last for payload in payloads(data, "application/json")
    )


def change_text(payload: dict[str, Any], change: Callable[[str], str]) -> None:
    """Apply `change`, in place, to each text and each tool call's arguments of a whole reply."""
    messages = [choice.get("message") for choice in payload.get("choices", [])]
    outputs = payload.get("output", [])
    parts = [*payload.get("content", []), *(part for item in outputs for part in item.get("content") or [])]
    calls = [call.get("function") for message in messages for call in message.get("tool_calls") or []]
    for holder, name in [
        *((message, "content") for message in messages),
        *((part, "text") for part in parts),
        *((call, "arguments") for call in [*calls, *outputs]),
    ]:
        if holder and isinstance(holder.get(name), str):
            holder[name] = change(holder[name])


def mark_as_cut_off(payload: dict[str, Any]) -> None:
    """Say, in place, that a whole reply ended at the token limit."""
    for choice in payload.get("choices", []):
        choice["finish_reason"] = "length"
    if "stop_reason" in payload:
        payload["stop_reason"] = "max_tokens"
    if "output" in payload:
        payload |= {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}


def events(text: str) -> list[str]:
    """The events of a stream, each with the blank line that ends it."""
    return [f"{event}\n\n" for event in text.replace("\r\n", "\n").split("\n\n") if event.strip()]


def first_half(text: str) -> str:
    """The first half of a stream's events."""
    whole = events(text)
    return "".join(whole[: len(whole) // 2])


def change_streamed_text(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` to the text of a whole stream, all of which then comes with the first piece.

    Knows `chat/completions` and `messages`; in `responses` the text is repeated in other events, which stay.
    """
    pieces = [_delta(json.loads(data)) for data in event_data(text) if data != "[DONE]"]
    said = "".join(delta[name] for delta, name in filter(None, pieces))
    new_pieces = itertools.chain([change(said)], itertools.repeat(""))
    changed = []
    for event in events(text):
        data = next(iter(event_data(event)), "[DONE]")
        payload = {} if data == "[DONE]" else json.loads(data)
        if found := _delta(payload):
            delta, name = found
            delta[name] = next(new_pieces)
            event = event.replace(data, json.dumps(payload, ensure_ascii=False))
        changed.append(event)
    return "".join(changed)


def _delta(payload: dict[str, Any]) -> tuple[dict[str, Any], str] | None:
    """The place of a piece of text in an event: the object and the name of its field."""
    deltas = [choice.get("delta") for choice in payload.get("choices", [])]
    for holder, name in [*((delta, "content") for delta in deltas), (payload.get("delta"), "text")]:
        if isinstance(holder, dict) and isinstance(holder.get(name), str):
            return holder, name
    return None

"""A model that says what a test tells it to, and remembers what it was asked.

    model = ScriptedModel()
    model.enqueue('{"colours": ["red"]}', Fault(status=429), httpx2.ReadTimeout("slow"))
    client = model.client()                       # a real openai.OpenAI
    ...
    assert "Answer in JSON" in model.history[0].text

Speaks `chat/completions`, whole and streamed, with tool calls. It does not count tokens as a model would:
a word is a token. After the idea of llm's own fake model (https://github.com/simonw/llm).
"""

from __future__ import annotations

import itertools
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import openai
from pydantic import BaseModel

from aicourse.errors import AicourseError
from aicourse.llm.catalog import Provider
from aicourse.llm.faults import Fault, error_response
from aicourse.llm.formats import endpoint
from aicourse.llm.session import Session
from aicourse.llm.stack import MeasuredAsyncClient, MeasuredClient, Stack
from aicourse.llm.transport import network

SCRIPTED = "scripted"  # the provider that its calls are counted under
BASE_URL = "http://scripted.aicourse.invalid/v1"


@dataclass(frozen=True)
class ToolCall:
    """A reply that calls a tool instead of saying something; arguments as a text may be no JSON at all."""

    name: str
    arguments: dict[str, Any] | str


@dataclass(frozen=True)
class Sent:
    """One request as the model received it."""

    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation."""
        return list(self.body.get("messages", []))

    @property
    def text(self) -> str:
        """The texts of all messages, one after the other."""
        return "\n".join(str(message.get("content", "")) for message in self.messages)


Answer = str | BaseModel | ToolCall | tuple[ToolCall, ...] | Fault | Exception  # a tuple: calls in parallel
Reply = Answer | Callable[[Sent], Answer]


class ScriptedModel:
    """Replies in the order they were enqueued.

    `history` is what was sent so far, `faults` what spoils the calls of its clients (beside a `Fault` with a
    status in the queue, which takes the place of a reply), `session` where they are counted.

    A reply is a text, a pydantic object (sent as JSON), a `ToolCall` or a tuple of them, a `Fault` with a
    status, an exception to raise, or a function of what was sent. It is not safe to share between threads,
    because then their order is not known.

    >>> model = ScriptedModel("blue")
    >>> client = model.client()
    >>> reply = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Colour?"}])
    >>> reply.choices[0].message.content, model.history[0].text
    ('blue', 'Colour?')
    """

    def __init__(self, *replies: Reply) -> None:
        self.history: list[Sent] = []
        self.faults: list[Fault] = []
        self.session: Session | None = None  # no model is asked, so a notebook's badge has nothing to say
        self._replies = deque(replies)
        self._numbers = itertools.count(1)  # of tool calls: some clients want each to have its own

    def enqueue(self, *replies: Reply) -> None:
        """Add replies to the end of the queue."""
        self._replies.extend(replies)

    def drain(self) -> list[Reply]:
        """Take the replies that nobody has asked for off the queue."""
        left = list(self._replies)
        self._replies.clear()
        return left

    def client(self, *, faults: Sequence[Fault] | None = None, max_retries: int = 0) -> openai.OpenAI:
        """A client of this model; by default without retries, so that the history is what you sent."""
        http_client = MeasuredClient(self._stack(faults), httpx2.MockTransport(self._handle))
        return openai.OpenAI(
            base_url=BASE_URL, api_key="none", max_retries=max_retries, http_client=http_client
        )

    def async_client(
        self, *, faults: Sequence[Fault] | None = None, max_retries: int = 0
    ) -> openai.AsyncOpenAI:
        """The same for `await`."""
        http_client = MeasuredAsyncClient(self._stack(faults), httpx2.MockTransport(self._handle))
        return openai.AsyncOpenAI(
            base_url=BASE_URL, api_key="none", max_retries=max_retries, http_client=http_client
        )

    def _stack(self, faults: Sequence[Fault] | None) -> Stack:
        provider = Provider(name=SCRIPTED, base_url=BASE_URL, key_required=False)
        spoiling = self.faults if faults is None else faults
        return Stack(network, provider, openai, faults=spoiling, session=lambda: self.session)

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        if endpoint(request.url.path) != "chat/completions":
            raise AicourseError(f"ScriptedModel speaks chat/completions only, not {request.url.path}.")
        sent = Sent(json.loads(request.content), dict(request.headers))
        self.history.append(sent)
        if not self._replies:
            raise AicourseError(
                f"ScriptedModel has no reply left for call {len(self.history)} ({sent.text[-60:]!r}). "
                "Give it one more with enqueue()."
            )
        reply = self._replies.popleft()
        answer = reply(sent) if callable(reply) else reply
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Fault):
            return error_response(answer, request)
        completion = _completion(answer, sent, self._numbers)
        if not sent.body.get("stream"):
            return httpx2.Response(200, json=completion)
        content = "".join(_stream(completion)).encode()
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=content)


def _completion(
    answer: str | BaseModel | ToolCall | tuple[ToolCall, ...], sent: Sent, numbers: Iterator[int]
) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if isinstance(answer, ToolCall | tuple):
        calls = (answer,) if isinstance(answer, ToolCall) else answer
        message["tool_calls"] = [_called(call, next(numbers)) for call in calls]
    else:
        message["content"] = answer if isinstance(answer, str) else answer.model_dump_json()
    reason = "tool_calls" if "tool_calls" in message else "stop"
    prompt, completion = len(sent.text.split()), len(str(message["content"] or "").split())
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": sent.body.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        },
    }


def _called(call: ToolCall, number: int) -> dict[str, Any]:
    arguments = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
    function = {"name": call.name, "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _stream(completion: dict[str, Any]) -> Iterator[str]:
    """The same reply as server-sent events, a word at a time; the last one carries the usage."""
    choice = completion["choices"][0]
    text = choice["message"]["content"] or ""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word} for word in _words(text)]
    calls = choice["message"].get("tool_calls", [])
    deltas += [{"tool_calls": [{"index": index, **call}]} for index, call in enumerate(calls)]
    reasons = [None] * len(deltas) + [choice["finish_reason"]]
    for delta, reason in zip([*deltas, {}], reasons, strict=True):
        yield _event(
            {**completion, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], "usage": None}
        )
    yield _event({**completion, "choices": []})
    yield "data: [DONE]\n\n"


def _words(text: str) -> list[str]:
    """The words with the space before them, so that joining them gives the text."""
    head, *rest = text.split(" ")
    return [head, *(f" {word}" for word in rest)]


def _event(payload: dict[str, Any]) -> str:
    return f"data: {json.dumps({**payload, 'object': 'chat.completion.chunk'})}\n\n"

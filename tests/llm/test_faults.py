from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from pydantic import BaseModel, ValidationError

from aicourse import Fault, usage
from aicourse.errors import AicourseError
from aicourse.llm.catalog import Provider
from aicourse.llm.stack import MeasuredClient, Stack
from aicourse.llm.transport import network
from aicourse.testing import ScriptedModel, ToolCall

ANSWER = '{"colours": ["red", "blue"]}'
QUESTION: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Which colours?"}]}


class Colours(BaseModel):
    colours: list[str]


def client(*faults: Fault, replies: int = 4, **options: Any) -> openai.OpenAI:
    return ScriptedModel(*[ANSWER] * replies).client(faults=faults, **options)


def outcome(asked: openai.OpenAI) -> str:
    try:
        return str(asked.chat.completions.create(**QUESTION).choices[0].message.content)
    except openai.OpenAIError as error:
        return type(error).__name__


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (400, openai.BadRequestError, None),
        (401, openai.AuthenticationError, None),
        (429, openai.RateLimitError, "rate_limit_exceeded"),
        (500, openai.InternalServerError, None),
        (503, openai.InternalServerError, None),
    ],
)
def test_a_status_is_the_clients_own_error_for_it(
    status: int, error: type[openai.APIStatusError], code: str | None
) -> None:
    with pytest.raises(error) as caught:
        client(Fault(status=status)).chat.completions.create(**QUESTION)
    assert caught.value.status_code == status
    assert caught.value.code == code


def test_retry_after_is_sent_and_obeyed(time_in: Callable[..., None]) -> None:
    waits: list[float] = []
    time_in(openai._base_client, sleep=waits.append)
    asked = client(Fault(status=429, retry_after=0.25), max_retries=1)
    assert outcome(asked) == ANSWER
    assert waits == [0.25]


def test_a_timeout_is_the_clients_timeout_at_once() -> None:
    asked = client(Fault(kind="timeout"))
    with pytest.raises(openai.APITimeoutError):
        asked.chat.completions.create(**QUESTION)
    (call,) = usage(asked).calls
    assert (call.source, call.status) == ("fault", None)
    assert "timed out" in str(call.error)


def test_a_cut_off_reply_ends_halfway_and_says_length() -> None:
    reply = client(Fault(kind="cut_off")).chat.completions.create(**QUESTION)
    assert reply.choices[0].finish_reason == "length"
    assert reply.choices[0].message.content == ANSWER[: len(ANSWER) // 2]
    with pytest.raises(openai.LengthFinishReasonError):
        client(Fault(kind="cut_off")).chat.completions.parse(**QUESTION, response_format=Colours)


def test_a_malformed_reply_cannot_be_parsed_although_it_claims_to_be_whole() -> None:
    reply = client(Fault(kind="malformed")).chat.completions.create(**QUESTION)
    content = str(reply.choices[0].message.content)
    assert reply.choices[0].finish_reason == "stop"
    with pytest.raises(json.JSONDecodeError):
        json.loads(content[content.index("{") :])
    with pytest.raises(ValidationError):
        client(Fault(kind="malformed")).chat.completions.parse(**QUESTION, response_format=Colours)


def test_an_empty_reply_has_no_text() -> None:
    reply = client(Fault(kind="empty")).chat.completions.create(**QUESTION)
    assert reply.choices[0].message.content == ""


def test_arguments_of_tool_calls_are_spoiled_too() -> None:
    model = ScriptedModel(ToolCall("search", {"query": "red coat"}))
    reply = model.client(faults=[Fault(kind="cut_off")]).chat.completions.create(**QUESTION)
    (call,) = reply.choices[0].message.tool_calls or []
    with pytest.raises(json.JSONDecodeError):
        json.loads(call.function.arguments)  # type: ignore[union-attr]


def streamed(asked: openai.OpenAI) -> tuple[str, list[str | None]]:
    chunks = [chunk for chunk in asked.chat.completions.create(**QUESTION, stream=True) if chunk.choices]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    return text, [chunk.choices[0].finish_reason for chunk in chunks]


def test_streams_are_cut_emptied_and_spoiled() -> None:
    asked = client(Fault(kind="cut_off"), Fault(kind="empty"), Fault(kind="malformed"))
    text, reasons = streamed(asked)
    assert text == '{"colours": ["red",'
    assert set(reasons) == {None}
    text, reasons = streamed(asked)
    assert (text, reasons[-1]) == ("", "stop")
    text, reasons = streamed(asked)
    assert (text, reasons[-1]) == ("Sure! Here is the JSON you asked for:\n" + ANSWER[:-1], "stop")
    assert streamed(asked) == (ANSWER, [None, None, None, None, "stop"])


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ([Fault(status=429)], "!...."),
        ([Fault(status=429, times=3)], "!!!.."),
        ([Fault(status=429, after=2)], "..!.."),
        ([Fault(status=429, after=1, times=2)], ".!!.."),
        ([Fault(status=429), Fault(status=500, after=2)], "!..?."),
        ([Fault(status=500, times=None, after=3)], "...??"),
        ([Fault(status=500, times=0), Fault(status=429)], "!...."),
    ],
)
def test_faults_come_one_after_the_other_at_the_calls_they_name(
    faults: Sequence[Fault], expected: str
) -> None:
    asked = client(*faults, replies=5)
    signs = {ANSWER: ".", "RateLimitError": "!", "InternalServerError": "?"}
    assert "".join(signs[outcome(asked)] for _ in range(5)) == expected


def test_the_fault_of_an_anthropic_client_has_anthropics_form() -> None:
    provider = Provider("anthropic", "http://model.invalid", key_required=False)
    faults = [Fault(status=529), Fault(status=429, retry_after=3)]
    http_client = MeasuredClient(Stack(network, provider, anthropic, faults=faults))
    asked = anthropic.Anthropic(
        base_url="http://model.invalid", api_key="none", max_retries=0, http_client=http_client
    )
    with pytest.raises(anthropic.InternalServerError) as overloaded:
        asked.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": "?"}])
    assert overloaded.value.type == "overloaded_error"
    with pytest.raises(anthropic.RateLimitError) as limited:
        asked.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": "?"}])
    assert limited.value.response.headers["retry-after"] == "3"


def anthropic_reply(request: httpx2.Request) -> httpx2.Response:
    content = [{"type": "text", "text": "red and blue"}]
    body = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": content}
    usage = {"input_tokens": 1, "output_tokens": 3}
    return httpx2.Response(200, json={**body, "stop_reason": "end_turn", "usage": usage})


def test_a_cut_off_anthropic_reply_says_max_tokens() -> None:
    provider = Provider("anthropic", "http://model.invalid", key_required=False)
    layers = Stack(network, provider, anthropic, faults=[Fault(kind="cut_off")])
    http_client = MeasuredClient(layers, httpx2.MockTransport(anthropic_reply))
    asked = anthropic.Anthropic(base_url="http://model.invalid", api_key="none", http_client=http_client)
    reply = asked.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": "?"}])
    assert reply.stop_reason == "max_tokens"
    assert reply.content[0].text == "red an"  # type: ignore[union-attr]


def test_a_cut_off_response_is_incomplete() -> None:
    parts = [{"type": "output_text", "text": "red and blue", "annotations": []}]
    output = [{"type": "message", "id": "1", "role": "assistant", "status": "completed", "content": parts}]
    body = {
        "id": "r",
        "object": "response",
        "created_at": 0,
        "model": "m",
        "status": "completed",
        "output": output,
    }
    provider = Provider("openai", "http://model.invalid/v1", key_required=False)
    layers = Stack(network, provider, openai, faults=[Fault(kind="cut_off")])
    http_client = MeasuredClient(
        layers, httpx2.MockTransport(lambda request: httpx2.Response(200, json=body))
    )
    asked = openai.OpenAI(base_url="http://model.invalid/v1", api_key="none", http_client=http_client)
    reply = asked.responses.create(model="m", input="?")
    assert (reply.output_text, reply.status) == ("red an", "incomplete")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either status="),
        ({"status": 429, "kind": "timeout"}, "either status="),
        ({"kind": "slow"}, "timeout, cut_off, malformed, empty"),
        ({"status": 200}, "400 to 599"),
    ],
)
def test_a_fault_that_makes_no_sense_says_why(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AicourseError, match=message):
        Fault(**options)

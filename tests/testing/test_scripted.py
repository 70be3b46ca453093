from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel

from aicourse import Fault
from aicourse.errors import AicourseError
from aicourse.testing import ScriptedModel, ToolCall

QUESTION: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Which colours?"}]}


class Colours(BaseModel):
    colours: list[str]


def test_replies_come_in_the_order_they_were_enqueued_and_requests_are_kept() -> None:
    model = ScriptedModel("one")
    model.enqueue("two", lambda sent: sent.text.upper())
    client = model.client()
    replies = [client.chat.completions.create(**QUESTION, temperature=0) for _ in range(3)]
    assert [reply.choices[0].message.content for reply in replies] == ["one", "two", "WHICH COLOURS?"]
    assert [sent.body["temperature"] for sent in model.history] == [0, 0, 0]
    assert model.history[0].messages == QUESTION["messages"]


def test_a_pydantic_object_is_parsed_back() -> None:
    client = ScriptedModel(Colours(colours=["red"])).client()
    reply = client.chat.completions.parse(**QUESTION, response_format=Colours)
    assert reply.choices[0].message.parsed == Colours(colours=["red"])


def test_a_tool_call_arrives_as_one_whole_and_streamed() -> None:
    call = ToolCall("search", {"query": "red coat"})
    client = ScriptedModel(call, call).client()
    reply = client.chat.completions.create(**QUESTION).choices[0]
    (whole,) = reply.message.tool_calls or []
    assert reply.finish_reason == "tool_calls"
    with client.chat.completions.stream(**QUESTION) as stream:
        final = stream.get_final_completion().choices[0]
    (streamed,) = final.message.tool_calls or []
    for found in (whole, streamed):
        assert found.type == "function"
        assert (found.function.name, found.function.arguments) == ("search", '{"query": "red coat"}')


def test_a_stream_has_a_chunk_for_each_word_and_ends_with_the_usage() -> None:
    chunks = list(ScriptedModel("red  and blue").client().chat.completions.create(**QUESTION, stream=True))
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert texts == ["", "red", " ", " and", " blue", None]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 3


def test_an_exception_is_raised_as_the_transport_would() -> None:
    client = ScriptedModel(httpx2.ReadTimeout("slow"), Fault(status=500), ValueError("broken")).client()
    for expected in (openai.APITimeoutError, openai.InternalServerError, ValueError):
        with pytest.raises(expected):
            client.chat.completions.create(**QUESTION)


def test_the_async_client_is_the_same_model() -> None:
    model = ScriptedModel("one")
    reply = asyncio.run(model.async_client().chat.completions.create(**QUESTION))
    assert reply.choices[0].message.content == "one"
    assert len(model.history) == 1


def test_an_empty_queue_says_which_call_found_it_so() -> None:
    client = ScriptedModel("one").client()
    client.chat.completions.create(**QUESTION)
    with pytest.raises(AicourseError, match=r"no reply left for call 2 \('Which colours\?'\).*enqueue"):
        client.chat.completions.create(**QUESTION)


def test_other_endpoints_are_refused_by_name() -> None:
    with pytest.raises(AicourseError, match="chat/completions only, not /v1/embeddings"):
        ScriptedModel("one").client().embeddings.create(model="m", input="x")

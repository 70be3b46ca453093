"""The openai client: chat completions, Responses, and the older text completions."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel

openai = pytest.importorskip("openai")

QUESTION = "Name three colours of a jacket."
WEATHER: dict[str, Any] = {
    "name": "weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
ASK_WEATHER = {"role": "user", "content": "What is the weather in Rome?"}


class Jacket(BaseModel):
    colour: Literal["blue", "red"]
    price: int


@pytest.fixture
def client(endpoint: Any) -> Any:
    with openai.OpenAI(base_url=endpoint.v1, api_key=endpoint.token, max_retries=0) as client:
        yield client


class TestChat:
    def ask(self, client: Any, endpoint: Any, *messages: Any, **fields: Any) -> Any:
        asked = list(messages) or [{"role": "user", "content": QUESTION}]
        fields = {"max_completion_tokens": 8} | fields
        return client.chat.completions.create(model=endpoint.model, messages=asked, **fields)

    def test_chat(self, client: Any, endpoint: Any) -> None:
        reply = self.ask(client, endpoint)
        assert reply.choices[0].message.content
        assert reply.usage.completion_tokens > 0

    def test_stream(self, client: Any, endpoint: Any) -> None:
        chunks = list(self.ask(client, endpoint, stream=True, stream_options={"include_usage": True}))
        pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert sum(map(bool, pieces)) > 1
        assert chunks[-1].usage.total_tokens > 0

    def test_structured_output(self, client: Any, endpoint: Any) -> None:
        messages: Any = [{"role": "user", "content": "Blue jacket, 20 euros"}]
        reply = client.chat.completions.parse(model=endpoint.model, messages=messages, response_format=Jacket)
        assert isinstance(reply.choices[0].message.parsed, Jacket)

    def test_tools(self, client: Any, endpoint: Any) -> None:
        tools = [{"type": "function", "function": WEATHER}]
        fields = {"tools": tools, "tool_choice": "required", "max_completion_tokens": 40}
        choice = self.ask(client, endpoint, ASK_WEATHER, **fields).choices[0]
        (call,) = choice.message.tool_calls
        assert (choice.finish_reason, call.function.name) == ("tool_calls", "weather")
        assert json.loads(call.function.arguments).keys() == {"city"}

    def test_tool_round_trip(self, client: Any, endpoint: Any) -> None:
        fields = {"tools": [{"type": "function", "function": WEATHER}], "max_completion_tokens": 40}
        message = self.ask(client, endpoint, ASK_WEATHER, tool_choice="required", **fields).choices[0].message
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "Sunny"}
        reply = self.ask(client, endpoint, ASK_WEATHER, message, result, tool_choice="none", **fields)
        assert reply.choices[0].message.content

    def test_built_in_tools(self, not_offered: Any) -> None:
        not_offered("functions only")

    def test_multi_turn(self, client: Any, endpoint: Any) -> None:
        history = [
            {"role": "developer", "content": [{"type": "text", "text": "Be brief"}]},
            {"role": "user", "content": "My name is Ada.", "name": "ada"},
            {"role": "assistant", "content": "Hello Ada", "refusal": None},
            {"role": "user", "content": [{"type": "text", "text": "What is my name?"}]},
        ]
        assert self.ask(client, endpoint, *history).choices[0].message.content

    def test_images(self, client: Any, endpoint: Any) -> None:
        part = {"type": "image_url", "image_url": {"url": endpoint.photo}}
        content = [{"type": "text", "text": "Which colour? One word."}, part]
        reply = self.ask(client, endpoint, {"role": "user", "content": content})
        assert reply.choices[0].message.content
        assert "blue" in reply.aicourse["photos"][0]["described_as"]

    def test_embeddings(self, client: Any, endpoint: Any) -> None:
        reply = client.embeddings.create(model=endpoint.embeddings, input=["a jacket", "a shoe"])
        assert [len(entry.embedding) for entry in reply.data] == [384, 384]

    def test_async(self, endpoint: Any) -> None:
        async def ask() -> Any:
            async with openai.AsyncOpenAI(base_url=endpoint.v1, api_key=endpoint.token) as client:
                return await self.ask(client, endpoint)

        assert asyncio.run(ask()).choices[0].message.content

    def test_errors(self, client: Any, endpoint: Any) -> None:
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="gone", messages=[ASK_WEATHER])
        with pytest.raises(openai.BadRequestError) as caught:
            self.ask(client, endpoint, n=2)
        assert caught.value.param == "n"
        with pytest.raises(openai.AuthenticationError):
            client.with_options(api_key="wrong").models.list()


class TestResponses:
    def ask(self, client: Any, endpoint: Any, asked: Any = QUESTION, **fields: Any) -> Any:
        fields = {"max_output_tokens": 8} | fields
        return client.responses.create(model=endpoint.model, input=asked, **fields)

    def test_chat(self, client: Any, endpoint: Any) -> None:
        reply = self.ask(client, endpoint, instructions="Be brief")
        assert reply.output_text
        assert reply.usage.output_tokens > 0

    def test_stream(self, client: Any, endpoint: Any) -> None:
        with client.responses.stream(model=endpoint.model, input=QUESTION, max_output_tokens=100) as stream:
            deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
            assert "".join(deltas) == stream.get_final_response().output_text != ""

    def test_structured_output(self, client: Any, endpoint: Any) -> None:
        fields: Any = {"model": endpoint.model, "input": "Blue jacket, 20 euros"}
        reply = client.responses.parse(text_format=Jacket, **fields)
        assert isinstance(reply.output_parsed, Jacket)

    def test_tools(self, client: Any, endpoint: Any) -> None:
        fields = {"tools": [{"type": "function", **WEATHER}], "tool_choice": "required"}
        (call,) = self.ask(client, endpoint, [ASK_WEATHER], max_output_tokens=40, **fields).output
        assert (call.type, call.name) == ("function_call", "weather")
        assert json.loads(call.arguments).keys() == {"city"}

    def test_tool_round_trip(self, client: Any, endpoint: Any) -> None:
        fields = {"tools": [{"type": "function", **WEATHER}], "max_output_tokens": 40}
        first = self.ask(client, endpoint, [ASK_WEATHER], tool_choice="required", **fields)
        result = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": "Sunny"}
        asked = [ASK_WEATHER, *first.output, result]
        assert self.ask(client, endpoint, asked, tool_choice="none", **fields).output_text

    def test_built_in_tools(self, client: Any, endpoint: Any, refused_by_name: Any) -> None:
        with refused_by_name(openai.BadRequestError, r"tools\[0\]"):
            self.ask(client, endpoint, tools=[{"type": "web_search"}])

    def test_multi_turn(self, client: Any, endpoint: Any) -> None:
        history = [{"role": "user", "content": "My name is Ada."}]
        history += self.ask(client, endpoint, history).output
        assert self.ask(client, endpoint, [*history, {"role": "user", "content": "My name?"}]).output_text

    def test_images(self, client: Any, endpoint: Any) -> None:
        parts = [
            {"type": "input_text", "text": "Which colour? One word."},
            {"type": "input_image", "image_url": endpoint.photo, "detail": "auto"},
        ]
        reply = self.ask(client, endpoint, [{"role": "user", "content": parts}])
        assert "blue" in reply.aicourse["photos"][0]["described_as"]

    def test_embeddings(self, not_offered: Any) -> None:
        not_offered("an API of its own, in the row above")

    def test_async(self, endpoint: Any) -> None:
        async def ask() -> Any:
            async with openai.AsyncOpenAI(base_url=endpoint.v1, api_key=endpoint.token) as client:
                return await self.ask(client, endpoint)

        assert asyncio.run(ask()).output_text

    def test_errors(self, client: Any, endpoint: Any) -> None:
        with pytest.raises(openai.NotFoundError):
            client.responses.create(model="gone", input="x")
        with pytest.raises(openai.BadRequestError, match="stores nothing"):
            self.ask(client, endpoint, previous_response_id="resp_1")

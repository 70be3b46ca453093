"""The anthropic client: the Messages API."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from pydantic import BaseModel

anthropic = pytest.importorskip("anthropic")

QUESTION = {"role": "user", "content": "Name three colours of a jacket."}
ASK_WEATHER = {"role": "user", "content": "What is the weather in Rome?"}
WEATHER: Any = {
    "name": "weather",
    "description": "The weather in a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
    },
}


class Jacket(BaseModel):
    colour: Literal["blue", "red"]
    price: int


@pytest.fixture
def client(endpoint: Any) -> Any:
    with anthropic.Anthropic(base_url=endpoint.url, api_key=endpoint.token, max_retries=0) as client:
        yield client


class TestMessages:
    def ask(self, client: Any, endpoint: Any, *messages: Any, **fields: Any) -> Any:
        fields = {"max_tokens": 8, "messages": list(messages) or [QUESTION]} | fields
        return client.messages.create(model=endpoint.model, **fields)

    def test_chat(self, client: Any, endpoint: Any) -> None:
        reply = self.ask(client, endpoint, system="Be brief")
        assert reply.content[0].text
        assert reply.usage.output_tokens > 0

    def test_stream(self, client: Any, endpoint: Any) -> None:
        with client.messages.stream(model=endpoint.model, max_tokens=8, messages=[QUESTION]) as stream:
            text = "".join(stream.text_stream)
            assert text == stream.get_final_message().content[0].text != ""

    def test_structured_output(self, client: Any, endpoint: Any) -> None:
        reply = client.messages.parse(
            model=endpoint.model,
            max_tokens=50,
            messages=[{"role": "user", "content": "Blue jacket, 20 euros"}],
            output_format=Jacket,
        )
        assert isinstance(reply.parsed_output, Jacket)

    def test_tools(self, client: Any, endpoint: Any) -> None:
        fields = {"tools": [WEATHER], "tool_choice": {"type": "any"}, "max_tokens": 40}
        reply = self.ask(client, endpoint, ASK_WEATHER, **fields)
        (use,) = reply.content
        assert (reply.stop_reason, use.name, use.input.keys()) == ("tool_use", "weather", {"city"})
        fields |= {"tool_choice": {"type": "tool", "name": "weather"}, "messages": [ASK_WEATHER]}
        with client.messages.stream(model=endpoint.model, **fields) as stream:
            kinds = {event.type for event in stream}
            assert stream.get_final_message().content[0].input == use.input
        assert "input_json" in kinds

    def test_tool_round_trip(self, client: Any, endpoint: Any) -> None:
        fields = {"tools": [WEATHER], "max_tokens": 40}
        first = self.ask(client, endpoint, ASK_WEATHER, tool_choice={"type": "any"}, **fields)
        result = {"type": "tool_result", "tool_use_id": first.content[0].id, "content": "Sunny"}
        history = [ASK_WEATHER, {"role": "assistant", "content": first.content}]
        history += [{"role": "user", "content": [result]}]
        reply = self.ask(client, endpoint, *history, tool_choice={"type": "none"}, **fields)
        assert reply.content[0].text

    def test_built_in_tools(self, client: Any, endpoint: Any, refused_by_name: Any) -> None:
        with refused_by_name(anthropic.BadRequestError, r"tools\[0\]"):
            self.ask(client, endpoint, tools=[{"type": "web_search_20250305", "name": "web_search"}])

    def test_multi_turn(self, client: Any, endpoint: Any) -> None:
        history = [
            {"role": "user", "content": "My name is Ada."},
            {"role": "assistant", "content": "Hello Ada"},
            {"role": "user", "content": [{"type": "text", "text": "What is my name?"}]},
        ]
        assert self.ask(client, endpoint, *history).content[0].text
        counted = client.messages.count_tokens(model=endpoint.model, messages=history)
        shorter = client.messages.count_tokens(model=endpoint.model, messages=history[:1])
        assert counted.input_tokens > shorter.input_tokens > 0

    def test_images(self, client: Any, endpoint: Any) -> None:
        source = {"type": "base64", "media_type": "image/png", "data": endpoint.picture}
        content = [{"type": "image", "source": source}, {"type": "text", "text": "Which colour? One word."}]
        reply = self.ask(client, endpoint, {"role": "user", "content": content})
        assert "blue" in reply.aicourse["photos"][0]["described_as"]

    def test_embeddings(self, not_offered: Any) -> None:
        not_offered("Anthropic has no embeddings")

    def test_async(self, endpoint: Any) -> None:
        async def ask() -> Any:
            async with anthropic.AsyncAnthropic(base_url=endpoint.url, api_key=endpoint.token) as client:
                return await self.ask(client, endpoint)

        assert asyncio.run(ask()).content[0].text

    def test_errors(self, client: Any, endpoint: Any) -> None:
        with pytest.raises(anthropic.NotFoundError):
            client.messages.create(model="gone", max_tokens=5, messages=[QUESTION])
        with pytest.raises(anthropic.AuthenticationError):
            self.ask(client.with_options(api_key="wrong"), endpoint)

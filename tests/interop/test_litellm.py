"""litellm, as the openai provider (chat completions, Responses) and as the anthropic one (Messages)."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel

litellm = pytest.importorskip("litellm")

QUESTION = {"role": "user", "content": "Name three colours of a jacket."}
ASK_WEATHER = {"role": "user", "content": "What is the weather in Rome?"}
WEATHER: dict[str, Any] = {
    "name": "weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
    },
}


class Jacket(BaseModel):
    colour: Literal["blue", "red"]
    price: int


class Provider:
    PREFIX = ""

    def base(self, endpoint: Any) -> str:
        raise NotImplementedError

    def fields(self, endpoint: Any, messages: Any, fields: Any) -> dict[str, Any]:
        return {
            "model": f"{self.PREFIX}/{endpoint.model}",
            "api_base": self.base(endpoint),
            "api_key": endpoint.token,
            "messages": list(messages) or [QUESTION],
            "max_tokens": 8,
            "num_retries": 0,
        } | fields

    def ask(self, endpoint: Any, *messages: Any, **fields: Any) -> Any:
        return litellm.completion(**self.fields(endpoint, messages, fields))

    def test_chat(self, endpoint: Any) -> None:
        reply = self.ask(endpoint)
        assert reply.choices[0].message.content
        assert reply.usage.total_tokens > 0

    def test_stream(self, endpoint: Any) -> None:
        pieces = [chunk.choices[0].delta.content or "" for chunk in self.ask(endpoint, stream=True)]
        assert "".join(pieces)

    def test_structured_output(self, endpoint: Any) -> None:
        message = {"role": "user", "content": "Blue jacket, 20 euros"}
        reply = self.ask(endpoint, message, response_format=Jacket, max_tokens=50)
        Jacket.model_validate_json(reply.choices[0].message.content)

    def test_tools(self, endpoint: Any) -> None:
        tools = [{"type": "function", "function": WEATHER}]
        choice = self.ask(endpoint, ASK_WEATHER, tools=tools, tool_choice="required", max_tokens=40).choices[
            0
        ]
        (call,) = choice.message.tool_calls
        assert (choice.finish_reason, call.function.name) == ("tool_calls", "weather")
        assert json.loads(call.function.arguments).keys() == {"city"}

    def test_tool_round_trip(self, endpoint: Any) -> None:
        fields = {"tools": [{"type": "function", "function": WEATHER}], "max_tokens": 40}
        message = self.ask(endpoint, ASK_WEATHER, tool_choice="required", **fields).choices[0].message
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "Sunny"}
        reply = self.ask(endpoint, ASK_WEATHER, message, result, tool_choice="none", **fields)
        assert reply.choices[0].message.content

    def test_built_in_tools(self, not_offered: Any) -> None:
        not_offered("functions only")

    def test_multi_turn(self, endpoint: Any) -> None:
        history = [
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": "My name is Ada."},
            {"role": "assistant", "content": "Hello Ada"},
            {"role": "user", "content": "What is my name?"},
        ]
        assert self.ask(endpoint, *history).choices[0].message.content

    def test_images(self, endpoint: Any) -> None:
        parts = [
            {"type": "text", "text": "Which colour? One word."},
            {"type": "image_url", "image_url": {"url": endpoint.photo}},
        ]
        assert self.ask(endpoint, {"role": "user", "content": parts}).choices[0].message.content

    def test_embeddings(self, not_offered: Any) -> None:
        not_offered("Anthropic has no embeddings")

    def test_async(self, endpoint: Any) -> None:
        reply = asyncio.run(litellm.acompletion(**self.fields(endpoint, (), {})))
        assert reply.choices[0].message.content

    def test_errors(self, endpoint: Any) -> None:
        with pytest.raises(litellm.NotFoundError):
            self.ask(endpoint, model=f"{self.PREFIX}/gone")
        with pytest.raises(litellm.AuthenticationError):
            self.ask(endpoint, api_key="wrong")


class TestOpenAI(Provider):
    PREFIX = "openai"

    def base(self, endpoint: Any) -> str:
        return str(endpoint.v1)

    def test_embeddings(self, endpoint: Any) -> None:
        reply = litellm.embedding(
            model=f"openai/{endpoint.embeddings}",
            input=["a jacket"],
            api_base=endpoint.v1,
            api_key=endpoint.token,
        )
        assert len(reply.data[0]["embedding"]) == 384


class TestAnthropic(Provider):
    PREFIX = "anthropic"

    def base(self, endpoint: Any) -> str:
        return str(endpoint.url)

    def test_built_in_tools(self, endpoint: Any, refused_by_name: Any) -> None:
        with refused_by_name(litellm.BadRequestError, r"tools\[0\]"):
            self.ask(endpoint, tools=[{"type": "web_search_20250305", "name": "web_search"}])

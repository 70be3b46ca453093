"""pydantic-ai over each API that it speaks."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from pydantic import BaseModel

pydantic_ai = pytest.importorskip("pydantic_ai")
Agent = pydantic_ai.Agent

QUESTION = "Name three colours of a jacket."


class Jacket(BaseModel):
    colour: Literal["blue", "red"]
    price: int


class Agents:
    def model(self, endpoint: Any, name: str | None = None) -> Any:
        raise NotImplementedError

    def agent(self, endpoint: Any, **options: Any) -> Any:
        options = {"model_settings": {"max_tokens": 8}} | options
        return Agent(self.model(endpoint), instructions="Be brief", **options)

    def test_chat(self, endpoint: Any) -> None:
        result = self.agent(endpoint).run_sync(QUESTION)
        assert result.output
        assert result.usage.output_tokens > 0

    def test_stream(self, endpoint: Any) -> None:
        async def ask() -> list[str]:
            async with self.agent(endpoint).run_stream(QUESTION) as result:
                return [piece async for piece in result.stream_text(delta=True, debounce_by=None)]

        assert "".join(asyncio.run(ask()))

    def test_structured_output(self, endpoint: Any) -> None:
        agent = self.agent(
            endpoint, output_type=pydantic_ai.NativeOutput(Jacket), model_settings={"max_tokens": 50}
        )
        assert isinstance(agent.run_sync("Blue jacket, 20 euros").output, Jacket)

    def test_tools(self, endpoint: Any) -> None:
        agent = self.agent(endpoint, output_type=Jacket, model_settings={"max_tokens": 60})
        assert isinstance(agent.run_sync("Blue jacket, 20 euros").output, Jacket)

    def test_tool_round_trip(self, endpoint: Any) -> None:
        agent = self.agent(endpoint, model_settings={"max_tokens": 40})
        cities: list[str] = []

        async def once(context: Any, definition: Any) -> Any:
            return None if cities else definition

        @agent.tool_plain(prepare=once)
        def weather(city: str) -> str:
            """The weather in a city."""
            cities.append(city)
            return "Sunny"

        assert agent.run_sync("What is the weather in Rome?").output
        assert len(cities) == 1

    def test_built_in_tools(self, endpoint: Any, refused_by_name: Any) -> None:
        from pydantic_ai.capabilities import NativeTool
        from pydantic_ai.native_tools import WebSearchTool

        agent = self.agent(endpoint, capabilities=[NativeTool(WebSearchTool())])
        with refused_by_name(pydantic_ai.exceptions.ModelHTTPError, r"tools\[0\]"):
            agent.run_sync("x")

    def test_multi_turn(self, endpoint: Any) -> None:
        agent = self.agent(endpoint)
        first = agent.run_sync("My name is Ada.")
        second = agent.run_sync("What is my name?", message_history=first.all_messages())
        assert second.output
        assert len(second.all_messages()) == 4

    def test_images(self, endpoint: Any) -> None:
        import base64

        picture = pydantic_ai.BinaryContent(base64.b64decode(endpoint.picture), media_type="image/png")
        assert self.agent(endpoint).run_sync(["Which colour? One word.", picture]).output

    def test_embeddings(self, not_offered: Any) -> None:
        not_offered("a class of its own, in the row of chat completions")

    def test_async(self, endpoint: Any) -> None:
        assert asyncio.run(self.agent(endpoint).run(QUESTION)).output

    def test_errors(self, endpoint: Any) -> None:
        with pytest.raises(pydantic_ai.exceptions.ModelHTTPError) as caught:
            Agent(self.model(endpoint, "gone")).run_sync("x")
        assert caught.value.status_code == 404


class TestChat(Agents):
    def model(self, endpoint: Any, name: str | None = None) -> Any:
        from pydantic_ai.models.openai import OpenAIChatModel

        return OpenAIChatModel(name or endpoint.model, provider=provider(endpoint))

    def test_built_in_tools(self, not_offered: Any) -> None:
        not_offered("functions only")

    def test_embeddings(self, endpoint: Any) -> None:
        from pydantic_ai import Embedder
        from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel

        embedder = Embedder(OpenAIEmbeddingModel(endpoint.embeddings, provider=provider(endpoint)))
        assert len(embedder.embed_documents_sync(["a jacket"]).embeddings[0]) == 384


class TestResponses(Agents):
    def model(self, endpoint: Any, name: str | None = None) -> Any:
        from pydantic_ai.models.openai import OpenAIResponsesModel

        return OpenAIResponsesModel(name or endpoint.model, provider=provider(endpoint))


class TestMessages(Agents):
    def model(self, endpoint: Any, name: str | None = None) -> Any:
        from anthropic import AsyncAnthropic
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        client = AsyncAnthropic(base_url=endpoint.url, api_key=endpoint.token, max_retries=0)
        return AnthropicModel(name or endpoint.model, provider=AnthropicProvider(anthropic_client=client))

    def test_structured_output(self, not_offered: Any) -> None:
        not_offered("by Messages only for names of Claude models; its tool output, in the next column, works")


def provider(endpoint: Any) -> Any:
    from pydantic_ai.providers.openai import OpenAIProvider

    return OpenAIProvider(base_url=endpoint.v1, api_key=endpoint.token)

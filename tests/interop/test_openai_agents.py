"""openai-agents: over Responses, its default, and over chat completions."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from pydantic import BaseModel

# By a submodule: `agents` alone is also found as the folder beside this one, where `tests` is on the path
pytest.importorskip("agents.run", reason="openai-agents is not in the lock")
agents = pytest.importorskip("agents")
openai = pytest.importorskip("openai")

QUESTION = "Name three colours of a jacket."


class Jacket(BaseModel):
    colour: Literal["blue", "red"]
    price: int


class Agents:
    def model(self, name: str, client: Any) -> Any:
        raise NotImplementedError

    def run(self, endpoint: Any, asked: Any = QUESTION, tokens: int = 100, **options: Any) -> Any:
        return asyncio.run(self.arun(endpoint, asked, tokens, **options))

    async def arun(self, endpoint: Any, asked: Any, tokens: int = 100, **options: Any) -> Any:
        async with openai.AsyncOpenAI(base_url=endpoint.v1, api_key=endpoint.token, max_retries=0) as client:
            return await agents.Runner.run(self.agent(endpoint, client, tokens, **options), asked)

    def agent(self, endpoint: Any, client: Any, tokens: int, **options: Any) -> Any:
        options = {"model": self.model(endpoint.model, client), "name": "Tailor"} | options
        settings = agents.ModelSettings(max_tokens=tokens, tool_choice=options.pop("tool_choice", None))
        return agents.Agent(instructions="Be brief", model_settings=settings, **options)

    def test_chat(self, endpoint: Any) -> None:
        assert self.run(endpoint).final_output

    def test_stream(self, endpoint: Any) -> None:
        async def ask() -> str:
            async with openai.AsyncOpenAI(base_url=endpoint.v1, api_key=endpoint.token) as client:
                result = agents.Runner.run_streamed(self.agent(endpoint, client, 100), QUESTION)
                events = [event async for event in result.stream_events()]
            raw = [event.data for event in events if event.type == "raw_response_event"]
            pieces = [event.delta for event in raw if event.type == "response.output_text.delta"]
            assert result.final_output == "".join(pieces)
            return "".join(pieces)

        assert asyncio.run(ask())

    def test_structured_output(self, endpoint: Any) -> None:
        result = self.run(endpoint, "Blue jacket, 20 euros", 50, output_type=Jacket)
        assert isinstance(result.final_output, Jacket)

    def test_tools(self, endpoint: Any) -> None:
        cities: list[str] = []
        options = {"tool_choice": "required", "tool_use_behavior": "stop_on_first_tool"}
        result = self.run(
            endpoint, "What is the weather in Rome?", 40, tools=[weather_into(cities)], **options
        )
        assert (len(cities), result.final_output) == (1, "Sunny")

    def test_tool_round_trip(self, endpoint: Any) -> None:
        cities: list[str] = []
        result = self.run(
            endpoint, "What is the weather in Rome?", 40, tools=[weather_into(cities)], tool_choice="required"
        )
        assert len(cities) == 1
        assert result.final_output

    def test_built_in_tools(self, not_offered: Any) -> None:
        not_offered("functions only")

    def test_multi_turn(self, endpoint: Any) -> None:
        history = self.run(endpoint, "My name is Ada.").to_input_list()
        assert self.run(endpoint, [*history, {"role": "user", "content": "What is my name?"}]).final_output

    def test_images(self, endpoint: Any) -> None:
        parts = [
            {"type": "input_text", "text": "Which colour? One word."},
            {"type": "input_image", "image_url": endpoint.photo, "detail": "auto"},
        ]
        assert self.run(endpoint, [{"role": "user", "content": parts}]).final_output

    def test_embeddings(self, not_offered: Any) -> None:
        not_offered("agents only")

    def test_async(self, endpoint: Any) -> None:
        assert asyncio.run(self.arun(endpoint, QUESTION)).final_output

    def test_errors(self, endpoint: Any) -> None:
        async def ask() -> None:
            async with openai.AsyncOpenAI(base_url=endpoint.v1, api_key=endpoint.token) as client:
                agent = self.agent(endpoint, client, 8, model=self.model("gone", client))
                await agents.Runner.run(agent, "x")

        with pytest.raises(openai.NotFoundError):
            asyncio.run(ask())


class TestResponses(Agents):
    def model(self, name: str, client: Any) -> Any:
        return agents.OpenAIResponsesModel(name, openai_client=client)

    def test_built_in_tools(self, endpoint: Any, refused_by_name: Any) -> None:
        with refused_by_name(openai.BadRequestError, r"tools\[0\]"):
            self.run(endpoint, tools=[agents.WebSearchTool()])


class TestChat(Agents):
    def model(self, name: str, client: Any) -> Any:
        return agents.OpenAIChatCompletionsModel(name, openai_client=client)


def weather_into(cities: list[str]) -> Any:
    """A tool that is there until it was called once: a model this small would call it again and again."""

    @agents.function_tool(is_enabled=lambda context, agent: not cities)
    def weather(city: str) -> str:
        """The weather in a city."""
        cities.append(city)
        return "Sunny"

    return weather

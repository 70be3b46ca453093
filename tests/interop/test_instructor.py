"""instructor: a schema as a tool, as a JSON schema, and as a tool of Anthropic."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from pydantic import BaseModel, field_validator

instructor = pytest.importorskip("instructor")
openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

LISTING = {"role": "user", "content": "Blue jacket, 20 euros"}


class Jacket(BaseModel):
    colour: Literal["blue", "red"]
    price: int


class Once(BaseModel):
    """An answer that is refused the first time."""

    colour: Literal["blue", "red"]
    refused: int = 0

    @field_validator("colour")
    @classmethod
    def not_at_first(cls, value: str) -> str:
        tries.append(value)
        if len(tries) == 1:
            raise ValueError("Look again")
        return value


tries: list[str] = []


class Mode:
    def client(self, endpoint: Any, asynchronous: bool = False) -> Any:
        raise NotImplementedError

    def ask(self, endpoint: Any, *messages: Any, **fields: Any) -> Any:
        fields = {"response_model": Jacket, "max_tokens": 60, "max_retries": 1} | fields
        fields = {"model": endpoint.model, "messages": list(messages) or [LISTING]} | fields
        return self.client(endpoint).chat.completions.create(**fields)

    def test_chat(self, not_offered: Any) -> None:
        not_offered("structured output only")

    def test_stream(self, endpoint: Any) -> None:
        fields: Any = {"model": endpoint.model, "messages": [LISTING], "max_tokens": 60}
        partial = list(self.client(endpoint).chat.completions.create_partial(response_model=Jacket, **fields))
        assert partial[-1].colour in ("blue", "red")

    def test_structured_output(self, endpoint: Any) -> None:
        assert isinstance(self.ask(endpoint), Jacket)

    def test_tools(self, not_offered: Any) -> None:
        not_offered("a tool is its way to structured output")

    def test_tool_round_trip(self, endpoint: Any) -> None:
        """What failed goes back as the result of the call, and is asked again."""
        tries.clear()
        assert isinstance(self.ask(endpoint, response_model=Once, max_retries=2), Once)
        assert len(tries) == 2

    def test_built_in_tools(self, not_offered: Any) -> None:
        not_offered("structured output only")

    def test_multi_turn(self, endpoint: Any) -> None:
        history = [
            {"role": "user", "content": "I have a blue jacket."},
            {"role": "assistant", "content": "For how much?"},
            {"role": "user", "content": "20 euros"},
        ]
        assert isinstance(self.ask(endpoint, *history), Jacket)

    def test_images(self, endpoint: Any) -> None:
        picture = instructor.Image.from_base64(endpoint.photo)
        message = {"role": "user", "content": ["A jacket for 20 euros", picture]}
        assert isinstance(self.ask(endpoint, message), Jacket)

    def test_embeddings(self, not_offered: Any) -> None:
        not_offered("structured output only")

    def test_async(self, endpoint: Any) -> None:
        fields: Any = {"model": endpoint.model, "messages": [LISTING], "max_tokens": 60}
        client = self.client(endpoint, asynchronous=True)
        asking = client.chat.completions.create(response_model=Jacket, **fields)
        assert isinstance(asyncio.run(asking), Jacket)

    def test_errors(self, endpoint: Any) -> None:
        from instructor.core.exceptions import InstructorRetryException

        with pytest.raises(InstructorRetryException, match="gone"):
            self.ask(endpoint, model="gone")


class TestTools(Mode):
    MODE = instructor.Mode.TOOLS

    def client(self, endpoint: Any, asynchronous: bool = False) -> Any:
        kind = openai.AsyncOpenAI if asynchronous else openai.OpenAI
        return instructor.from_openai(
            kind(base_url=endpoint.v1, api_key=endpoint.token, max_retries=0), mode=self.MODE
        )


class TestJsonSchema(TestTools):
    MODE = instructor.Mode.JSON_SCHEMA


class TestAnthropicTools(Mode):
    def client(self, endpoint: Any, asynchronous: bool = False) -> Any:
        kind = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
        client = kind(base_url=endpoint.url, api_key=endpoint.token, max_retries=0)
        return instructor.from_anthropic(client, mode=instructor.Mode.ANTHROPIC_TOOLS)

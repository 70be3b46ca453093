"""langchain-openai: ChatOpenAI over chat completions and over Responses, OpenAIEmbeddings."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from pydantic import BaseModel

langchain_openai = pytest.importorskip("langchain_openai")
openai = pytest.importorskip("openai")

QUESTION = "Name three colours of a jacket."


class Jacket(BaseModel):
    colour: Literal["blue", "red"]
    price: int


@pytest.fixture(scope="module")
def loop() -> Any:
    """One event loop for all: the library keeps its connections from one chat to the next."""
    with asyncio.Runner() as runner:
        yield runner


def weather(city: str) -> str:
    """The weather in a city."""
    return "Sunny"


class Chats:
    RESPONSES = False

    def chat(self, endpoint: Any, **options: Any) -> Any:
        options = {"model": endpoint.model, "max_tokens": 8} | options
        return langchain_openai.ChatOpenAI(
            base_url=endpoint.v1,
            api_key=endpoint.token,
            use_responses_api=self.RESPONSES,
            max_retries=0,
            **options,
        )

    def test_chat(self, endpoint: Any) -> None:
        reply = self.chat(endpoint).invoke([("system", "Be brief"), ("user", QUESTION)])
        assert reply.text
        assert reply.usage_metadata["output_tokens"] > 0

    def test_stream(self, endpoint: Any) -> None:
        pieces = [chunk.text for chunk in self.chat(endpoint).stream(QUESTION)]
        assert sum(map(bool, pieces)) > 1

    def test_structured_output(self, endpoint: Any) -> None:
        asking = self.chat(endpoint, max_tokens=60).with_structured_output(Jacket)
        assert isinstance(asking.invoke("Blue jacket, 20 euros"), Jacket)

    def test_tools(self, endpoint: Any) -> None:
        asking = self.chat(endpoint, max_tokens=40).bind_tools([weather], tool_choice="required")
        (call,) = asking.invoke("What is the weather in Rome?").tool_calls
        assert (call["name"], call["args"].keys()) == ("weather", {"city"})

    def test_tool_round_trip(self, endpoint: Any) -> None:
        from langchain_core.messages import HumanMessage, ToolMessage

        chat, asked = self.chat(endpoint, max_tokens=40), HumanMessage("What is the weather in Rome?")
        reply = chat.bind_tools([weather], tool_choice="required").invoke([asked])
        result = ToolMessage("Sunny", tool_call_id=reply.tool_calls[0]["id"])
        assert chat.bind_tools([weather], tool_choice="none").invoke([asked, reply, result]).text

    def test_built_in_tools(self, endpoint: Any, refused_by_name: Any) -> None:
        with refused_by_name(openai.BadRequestError, r"tools\[0\]"):
            self.chat(endpoint).bind_tools([{"type": "web_search"}]).invoke("x")

    def test_multi_turn(self, endpoint: Any) -> None:
        chat = self.chat(endpoint)
        first = chat.invoke("My name is Ada.")
        assert chat.invoke([("user", "My name is Ada."), first, ("user", "What is my name?")]).text

    def test_images(self, endpoint: Any) -> None:
        parts = [
            {"type": "text", "text": "Which colour? One word."},
            {"type": "image_url", "image_url": {"url": endpoint.photo}},
        ]
        assert self.chat(endpoint).invoke([{"role": "user", "content": parts}]).text

    def test_embeddings(self, not_offered: Any) -> None:
        not_offered("a class of its own, in the row of chat completions")

    def test_async(self, endpoint: Any, loop: asyncio.Runner) -> None:
        assert loop.run(self.chat(endpoint).ainvoke(QUESTION)).text

    def test_errors(self, endpoint: Any) -> None:
        with pytest.raises(openai.NotFoundError):
            self.chat(endpoint, model="gone").invoke("x")


class TestChat(Chats):
    def test_built_in_tools(self, not_offered: Any) -> None:
        not_offered("functions only")

    def test_embeddings(self, endpoint: Any, record_property: Any) -> None:
        options = {"model": endpoint.embeddings, "base_url": endpoint.v1, "api_key": endpoint.token}
        plain = langchain_openai.OpenAIEmbeddings(check_embedding_ctx_length=False, **options)
        assert len(plain.embed_query("a jacket")) == 384
        record_property("note", "with check_embedding_ctx_length=False: its default sends token numbers")


class TestResponses(Chats):
    RESPONSES = True

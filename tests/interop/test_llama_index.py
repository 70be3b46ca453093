"""LlamaIndex: OpenAILike and OpenAILikeEmbedding."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from pydantic import BaseModel

pytest.importorskip("llama_index.llms.openai_like")
openai = pytest.importorskip("openai")

QUESTION = "Name three colours of a jacket."


class Jacket(BaseModel):
    """A jacket for sale."""

    colour: Literal["blue", "red"]
    price: int


def weather(city: str) -> str:
    """The weather in a city."""
    return "Sunny"


class TestOpenAILike:
    def llm(self, endpoint: Any, **options: Any) -> Any:
        from llama_index.llms.openai_like import OpenAILike

        options = {"model": endpoint.model, "max_tokens": 8} | options
        fixed = {"api_base": endpoint.v1, "api_key": endpoint.token, "max_retries": 0}
        return OpenAILike(is_chat_model=True, is_function_calling_model=True, **fixed, **options)

    def messages(self, *said: tuple[str, Any]) -> Any:
        from llama_index.core.llms import ChatMessage

        return [ChatMessage(role=role, content=content) for role, content in said]

    def test_chat(self, endpoint: Any) -> None:
        said = self.messages(("system", "Be brief"), ("user", QUESTION))
        assert self.llm(endpoint).chat(said).message.content
        assert self.llm(endpoint).complete(QUESTION).text

    def test_stream(self, endpoint: Any) -> None:
        pieces = [part.delta for part in self.llm(endpoint).stream_chat(self.messages(("user", QUESTION)))]
        assert sum(map(bool, pieces)) > 1

    def test_structured_output(self, endpoint: Any) -> None:
        asking = self.llm(endpoint, max_tokens=60).as_structured_llm(Jacket)
        assert isinstance(asking.complete("Blue jacket, 20 euros").raw, Jacket)

    def test_tools(self, endpoint: Any) -> None:
        from llama_index.core.tools import FunctionTool

        llm, tool = self.llm(endpoint, max_tokens=40), FunctionTool.from_defaults(weather)
        reply = llm.chat_with_tools([tool], "What is the weather in Rome?", tool_required=True)
        (call,) = llm.get_tool_calls_from_response(reply)
        assert (call.tool_name, call.tool_kwargs.keys()) == ("weather", {"city"})

    def test_tool_round_trip(self, endpoint: Any) -> None:
        from llama_index.core.llms import ChatMessage
        from llama_index.core.tools import FunctionTool

        llm, tool = self.llm(endpoint, max_tokens=40), FunctionTool.from_defaults(weather)
        asked = self.messages(("user", "What is the weather in Rome?"))
        reply = llm.chat_with_tools([tool], chat_history=asked, tool_required=True)
        (call,) = llm.get_tool_calls_from_response(reply)
        result = ChatMessage(
            role="tool", content="Sunny", additional_kwargs={"tool_call_id": call.tool_id, "name": "weather"}
        )
        assert llm.chat([*asked, reply.message, result]).message.content

    def test_built_in_tools(self, not_offered: Any) -> None:
        not_offered("functions only")

    def test_multi_turn(self, endpoint: Any) -> None:
        said = [("user", "My name is Ada."), ("assistant", "Hello Ada"), ("user", "What is my name?")]
        assert self.llm(endpoint).chat(self.messages(*said)).message.content

    def test_images(self, endpoint: Any) -> None:
        import base64

        from llama_index.core.llms import ImageBlock, TextBlock

        blocks = [
            TextBlock(text="Which colour? One word."),
            ImageBlock(image=base64.b64decode(endpoint.picture), image_mimetype="image/png"),
        ]
        assert self.llm(endpoint).chat(self.messages(("user", blocks))).message.content

    def test_embeddings(self, endpoint: Any) -> None:
        from llama_index.embeddings.openai_like import OpenAILikeEmbedding

        options = {"api_base": endpoint.v1, "api_key": endpoint.token}
        embed = OpenAILikeEmbedding(model_name=endpoint.embeddings, **options)
        assert len(embed.get_text_embedding("a jacket")) == 384

    def test_async(self, endpoint: Any) -> None:
        reply = asyncio.run(self.llm(endpoint).achat(self.messages(("user", QUESTION))))
        assert reply.message.content

    def test_errors(self, endpoint: Any) -> None:
        with pytest.raises(openai.NotFoundError):
            self.llm(endpoint, model="gone").chat(self.messages(("user", "x")))


class TestCompletions(TestOpenAILike):
    def llm(self, endpoint: Any, **options: Any) -> Any:
        from llama_index.llms.openai_like import OpenAILike

        options = {"model": endpoint.model, "max_tokens": 8} | options
        fixed = {"api_base": endpoint.v1, "api_key": endpoint.token, "max_retries": 0}
        return OpenAILike(is_chat_model=False, **fixed, **options)

    def test_tools(self, not_offered: Any) -> None:
        not_offered("text only")

    def test_tool_round_trip(self, not_offered: Any) -> None:
        not_offered("text only")

    def test_images(self, not_offered: Any) -> None:
        not_offered("text only")

    def test_structured_output(self, not_offered: Any) -> None:
        not_offered("a prompt that the model may or may not follow")

    def test_embeddings(self, not_offered: Any) -> None:
        not_offered("a class of its own, in the row above")

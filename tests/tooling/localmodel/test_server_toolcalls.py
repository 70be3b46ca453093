"""Tools through a scripted model: what it is asked, what clients get, and what pydantic-ai makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import openai
import pytest
from httpx2 import ASGITransport, AsyncClient
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from aicourse.tooling.localmodel.server.app import create_app
from aicourse.tooling.localmodel.server.requests import chat_request
from aicourse.tooling.localmodel.server.toolcalls import Toolbox, toolbox

MODEL = "qwen2.5-coder-0.5b"
SEARCH: Any = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Find listings",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
        "strict": True,
    },
}
PRICE: Any = {"type": "function", "function": {"name": "price"}}
ASKED: list[Any] = [{"role": "user", "content": "A blue jacket?"}]
CALL = {"name": "search", "arguments": {"query": "blue jacket"}}


class Speaker:
    """A backend that says what it was given, and keeps what it was asked."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.history: list[dict[str, Any]] = []

    def names(self) -> list[str]:
        return [MODEL]

    def sha256(self, model: str) -> str:
        return "hash"

    def chat(self, model: str, request: dict[str, Any], emit: Callable[[dict[str, Any]], bool]) -> None:
        self.history.append(request)
        assert "stream" not in request
        message = {"role": "assistant", "content": self.texts.pop(0)}
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        frame = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
        emit(frame | {"choices": [choice], "usage": usage})

    def embed(self, model: str, texts: list[str]) -> tuple[list[list[float]], int]:
        raise NotImplementedError


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def client_of(speaker: Speaker) -> openai.AsyncOpenAI:
    transport = ASGITransport(app=create_app(speaker, "t"))
    http_client = AsyncClient(transport=transport)
    return openai.AsyncOpenAI(
        base_url="http://localhost/v1", api_key="t", http_client=http_client, max_retries=0
    )


def sent(**fields: Any) -> dict[str, Any]:
    return chat_request({"model": MODEL, "messages": ASKED, "tools": [SEARCH, PRICE]} | fields)


def schema_of(request: dict[str, Any]) -> Any:
    return request["response_format"]["json_schema"]["schema"]


def fits(schema: Any, value: Any) -> bool:
    return jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("choice", "may_search", "may_price", "may_reply"),
    [
        (None, True, True, True),
        ("auto", True, True, True),
        ("required", True, True, False),
        ({"type": "function", "function": {"name": "price"}}, False, True, False),
    ],
)
def test_the_grammar_allows_what_the_choice_allows(
    choice: Any, may_search: bool, may_price: bool, may_reply: bool
) -> None:
    schema = schema_of(sent(tool_choice=choice))
    assert fits(schema, CALL) == may_search
    assert fits(schema, {"name": "price", "arguments": {}}) == may_price
    assert fits(schema, {"reply": "Yes"}) == may_reply
    for wrong in ({"name": "search", "arguments": {}}, {"name": "sell", "arguments": {}}, {}, {"reply": 5}):
        assert not fits(schema, wrong)


def test_none_is_a_plain_request() -> None:
    assert sent(tool_choice="none") == sent(tools=[])


def test_strings_in_calls_and_replies_are_bounded() -> None:
    search, _, reply = schema_of(sent())["anyOf"]
    assert search["properties"]["arguments"]["properties"]["query"]["maxLength"] == 400
    assert reply["properties"]["reply"]["maxLength"] == 400


def test_definitions_of_two_tools_do_not_mix() -> None:
    def tool(name: str, kind: str) -> Any:
        parameters = {
            "type": "object", "properties": {"item": {"$ref": "#/$defs/Item"}}, "required": ["item"],
            "$defs": {"Item": {"type": kind}, "Unused": {"$ref": "#/$defs/Item"}},
        }  # fmt: skip
        return {"type": "function", "function": {"name": name, "parameters": parameters}}

    schema = schema_of(sent(tools=[tool("a", "integer"), tool("b", "boolean")]))
    assert fits(schema, {"name": "a", "arguments": {"item": 5}})
    assert fits(schema, {"name": "b", "arguments": {"item": True}})
    assert not fits(schema, {"name": "b", "arguments": {"item": 5}})


def test_the_reply_keeps_to_a_response_format() -> None:
    wanted = {"type": "json_schema", "json_schema": {"schema": {"type": "integer"}}}
    schema = schema_of(sent(response_format=wanted))
    assert fits(schema, {"reply": 5})
    assert not fits(schema, {"reply": "five"})


def test_tools_are_described_after_the_system_message() -> None:
    own = {"role": "system", "content": "Be {brief}."}
    for messages, start in (([own, *ASKED], "Be {brief}."), (ASKED, "You are a helpful assistant.")):
        system, user = sent(messages=messages)["messages"]
        assert user == ASKED[0]
        assert system["content"].startswith(f"{start}\n\n# Tools")
        assert '"description": "Find listings"' in system["content"]
        assert '{"reply": <your answer>}' in system["content"]
    assert "reply" not in sent(tool_choice="required")["messages"][0]["content"]


def test_earlier_calls_and_results_are_written_as_qwen_writes_them() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "search", "arguments": '{"query": "x"}'}}
    history = [
        *ASKED,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "3 found"},
    ]
    for tools in ([SEARCH], []):
        messages = sent(messages=history, tools=tools)["messages"][-2:]
        assert messages == [
            {"role": "assistant", "content": '{"name": "search", "arguments": {"query": "x"}}'},
            {"role": "user", "content": "<tool_response>\n3 found\n</tool_response>"},
        ]


@pytest.mark.anyio
async def test_a_call_comes_back_as_a_tool_call() -> None:
    speaker = Speaker(json.dumps(CALL))
    async with client_of(speaker) as client:
        reply = await client.chat.completions.create(model=MODEL, messages=ASKED, tools=[SEARCH])
    choice = reply.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    call = (choice.message.tool_calls or [])[0]
    assert call.type == "function"
    assert call.id.startswith("call_")
    assert (call.function.name, json.loads(call.function.arguments)) == ("search", CALL["arguments"])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("said", "content"),
    [
        ('{"reply": "No."}', "No."),
        ('{"reply": {"a": 1}}', '{"a": 1}'),
        ('{"reply": "cut of', '{"reply": "cut of'),
        ("5", "5"),
        ("{}", "{}"),
    ],
)
async def test_a_reply_comes_back_as_text(said: str, content: str) -> None:
    async with client_of(Speaker(said)) as client:
        reply = await client.chat.completions.create(model=MODEL, messages=ASKED, tools=[SEARCH])
    assert reply.choices[0].message.content == content
    assert reply.choices[0].message.tool_calls is None


@pytest.mark.anyio
async def test_a_stream_carries_calls_and_usage() -> None:
    async with (
        client_of(Speaker(json.dumps(CALL))) as client,
        client.chat.completions.stream(
            model=MODEL, messages=ASKED, tools=[SEARCH], stream_options={"include_usage": True}
        ) as stream,
    ):
        final = await stream.get_final_completion()
    call = (final.choices[0].message.tool_calls or [])[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("search", CALL["arguments"])
    assert final.choices[0].finish_reason == "tool_calls"
    assert final.usage is not None
    assert final.usage.total_tokens == 10


class Offer(BaseModel):
    title: str
    euros: int


@pytest.mark.anyio
async def test_pydantic_ai_calls_a_tool_and_returns_a_typed_output() -> None:
    offer = {"name": "final_result", "arguments": {"title": "Blue jacket", "euros": 20}}
    speaker = Speaker(json.dumps(CALL), json.dumps(offer))
    model = OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client_of(speaker)))
    agent = Agent(model, output_type=Offer)
    queries: list[str] = []

    @agent.tool_plain
    def search(query: str) -> str:
        """Find listings."""
        queries.append(query)
        return "Blue jacket, 20 euros"

    result = await agent.run("A blue jacket?")
    assert result.output == Offer(title="Blue jacket", euros=20)
    assert queries == ["blue jacket"]
    assert speaker.history[1]["messages"][-1]["content"].startswith("<tool_response>\nBlue jacket")


def test_no_tools_is_no_toolbox() -> None:
    assert toolbox({}) is None
    assert isinstance(toolbox({"tools": [PRICE]}), Toolbox)

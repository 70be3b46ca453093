"""Tools through a scripted model: what it is asked, what clients get, and what pydantic-ai makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from gbnf import Grammar
from httpx2 import ASGITransport, AsyncClient
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from aicourse.tooling.localmodel.server.app import create_app
from aicourse.tooling.localmodel.server.http_errors import HttpError
from aicourse.tooling.localmodel.server.messages import to_chat as messages_to_chat
from aicourse.tooling.localmodel.server.requests import chat_request
from aicourse.tooling.localmodel.server.responses import to_chat as responses_to_chat
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
        frame = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        for delta, reason in (({"content": self.texts.pop(0)}, None), ({}, "stop")):
            emit(frame | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
        emit(frame | {"choices": [], "usage": usage})

    def count_tokens(self, model: str, messages: list[dict[str, Any]]) -> int:
        self.history.append({"messages": messages})
        return 42

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


def claude_of(speaker: Speaker) -> anthropic.AsyncAnthropic:
    http_client = AsyncClient(transport=ASGITransport(app=create_app(speaker, "t")))
    return anthropic.AsyncAnthropic(
        base_url="http://localhost", api_key="t", http_client=http_client, max_retries=0
    )


def sent(**fields: Any) -> dict[str, Any]:
    return chat_request({"model": MODEL, "messages": ASKED, "tools": [SEARCH, PRICE]} | fields)


def only(mode: str, *names: str) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def allowed(**fields: Any) -> Grammar:
    return Grammar.read(sent(**fields)["grammar"])


@pytest.mark.parametrize(
    ("choice", "may_search", "may_price", "may_reply"),
    [
        (None, True, True, True),
        ("auto", True, True, True),
        ("required", True, True, False),
        ({"type": "function", "function": {"name": "price"}}, False, True, False),
        (only("auto", "price"), False, True, True),
        (only("required", "search", "price"), True, True, False),
    ],
)  # fmt: skip
def test_the_grammar_allows_what_the_choice_allows(
    choice: Any, may_search: bool, may_price: bool, may_reply: bool
) -> None:
    grammar = allowed(tool_choice=choice)
    assert grammar.allows(CALL) == may_search
    assert grammar.allows({"name": "price", "arguments": {}}) == may_price
    assert grammar.allows({"reply": "Yes"}) == may_reply
    for wrong in ({"name": "search", "arguments": {}}, {"name": "sell", "arguments": {}}, {}, {"reply": 5}):
        assert not grammar.allows(wrong)


def test_none_is_a_plain_request() -> None:
    assert sent(tool_choice="none") == sent(tools=[])


def test_strings_in_calls_and_replies_are_bounded() -> None:
    grammar = allowed()
    for length in (400, 401):
        assert grammar.allows({"name": "search", "arguments": {"query": "x" * length}}) == (length == 400)
    for length in (1_900, 1_901):
        assert grammar.allows({"reply": "x" * length}) == (length == 1_900)


def test_definitions_of_two_tools_do_not_mix() -> None:
    def tool(name: str, kind: str) -> Any:
        parameters = {
            "type": "object", "properties": {"item": {"$ref": "#/$defs/Item"}}, "required": ["item"],
            "$defs": {"Item": {"type": kind}, "Unused": {"$ref": "#/$defs/Item"}},
        }  # fmt: skip
        return {"type": "function", "function": {"name": name, "parameters": parameters}}

    grammar = allowed(tools=[tool("a", "integer"), tool("b", "boolean")])
    assert grammar.allows({"name": "a", "arguments": {"item": 5}})
    assert grammar.allows({"name": "b", "arguments": {"item": True}})
    assert not grammar.allows({"name": "b", "arguments": {"item": 5}})


def test_the_reply_keeps_to_a_response_format() -> None:
    wanted = {"type": "json_schema", "json_schema": {"schema": {"type": "integer"}}}
    grammar = allowed(response_format=wanted)
    assert grammar.allows({"reply": 5})
    assert not grammar.allows({"reply": "five"})


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


def said(message: dict[str, Any]) -> list[str]:
    """What the model reads of one message after a question."""
    return [entry["content"] for entry in sent(messages=[*ASKED, message], tools=[])["messages"][1:]]


CALLED = '{"name": "search", "arguments": {"query": "x"}}'
FUNCTION = {"name": "search", "arguments": '{"query": "x"}'}


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ({"content": "I look.", "tool_calls": [{"function": FUNCTION}]}, f"I look.\n{CALLED}"),
        ({"content": [{"type": "text", "text": "I look."}], "tool_calls": [{"function": FUNCTION}]},
         f"I look.\n{CALLED}"),
        ({"content": "", "tool_calls": [{"function": FUNCTION}] * 2}, f"{CALLED}\n{CALLED}"),
        ({"content": None, "function_call": FUNCTION}, CALLED),
        ({"tool_calls": [{"function": {"name": "f", "arguments": ""}}]}, '{"name": "f", "arguments": {}}'),
        ({"tool_calls": [{"function": {"name": "f", "arguments": None}}]}, '{"name": "f", "arguments": {}}'),
        ({"tool_calls": [{"function": {"name": "f"}}]}, '{"name": "f", "arguments": {}}'),
        ({"tool_calls": [{"function": {"name": "f", "arguments": '{"a": '}}]},
         '{"name": "f", "arguments": "{\\"a\\": "}'),
        ({"content": "Hi", "tool_calls": None}, "Hi"),
        ({"content": "Hi", "tool_calls": []}, "Hi"),
        ({"content": None, "refusal": "No."}, "No."),
        ({"content": [{"type": "refusal", "refusal": "No."}], "name": "helper"}, "No."),
        ({}, ""),
    ],
)  # fmt: skip
def test_all_that_an_assistant_said_reaches_the_model(message: dict[str, Any], read: str) -> None:
    assert said({"role": "assistant"} | message) == [read]


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("3 found", "3 found"),
        ([{"type": "text", "text": "3"}, {"type": "text", "text": "found"}], "3\nfound"),
        ({"found": 3}, '{"found": 3}'),
        (None, "null"),
    ],
)
def test_a_result_may_be_parts_or_json(content: Any, read: str) -> None:
    message = {"role": "tool", "tool_call_id": "1", "name": "search", "content": content}
    assert said(message) == [f"<tool_response>\n{read}\n</tool_response>"]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "assistant", "tool_calls": [{"function": {}}]}, "messages[1].tool_calls[0]"),
        ({"role": "assistant", "tool_calls": [{"custom": {"name": "f"}}]}, "messages[1].tool_calls[0]"),
        ({"role": "assistant", "tool_calls": 5}, "messages[1]"),
        ({"role": "assistant", "content": 5, "tool_calls": [{"function": FUNCTION}]}, "messages[1].content"),
        ({"role": "tool", "content": [{"type": "image_url"}]}, "messages[1].content"),
        ({"role": "user", "content": [{"type": "input_audio"}]}, "messages[1].content"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_to_the_model_is_refused_by_place(message: dict[str, Any], param: str) -> None:
    with pytest.raises(HttpError) as caught:
        said(message)
    assert (caught.value.status, caught.value.param) == (400, param)


# --------------------------------------------------------------------------- the same tools in other dialects

FLAT: Any = {"type": "function", **SEARCH["function"]}
CLAUDES: Any = {
    "name": "search", "description": "Find listings", "input_schema": SEARCH["function"]["parameters"]
}  # fmt: skip
ONE: Any = {"type": "function", "function": {"name": "search"}}


@pytest.mark.parametrize(
    ("openais", "claudes", "chats"),
    [
        (None, None, None),
        ("auto", {"type": "auto"}, "auto"),
        ("none", {"type": "none"}, "none"),
        ("required", {"type": "any", "disable_parallel_tool_use": True}, "required"),
        ({"type": "function", "name": "search"}, {"type": "tool", "name": "search"}, ONE),
    ],
)
def test_a_choice_of_tools_means_the_same_in_every_dialect(openais: Any, claudes: Any, chats: Any) -> None:
    expected = sent(tools=[SEARCH], tool_choice=chats)
    response = responses_to_chat({"input": ASKED, "tools": [FLAT], "tool_choice": openais})
    message = messages_to_chat(
        {"max_tokens": 2_048, "messages": ASKED, "tools": [CLAUDES], "tool_choice": claudes}
    )
    assert chat_request(response) == expected
    assert chat_request(message) == expected


def test_a_conversation_with_tools_reads_the_same_in_every_dialect() -> None:
    """Two calls beside a text, their results, and a question after them."""
    calls = [{"id": name, "type": "function", "function": FUNCTION} for name in ("a", "b")]
    expected = sent(
        messages=[
            *ASKED,
            {"role": "assistant", "content": "I look.", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "a", "content": "3 found"},
            {"role": "tool", "tool_call_id": "b", "content": "none"},
            {"role": "user", "content": "Which?"},
        ],
        tools=[SEARCH],
    )
    parts = [{"type": "input_text", "text": "none"}]
    flat = [{"type": "function_call", "id": f"fc_{name}", "call_id": name, **FUNCTION} for name in ("a", "b")]
    assert expected == chat_request(
        responses_to_chat(
            {
                "input": [
                    *ASKED,
                    {"role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
                    *flat,
                    {"type": "function_call_output", "call_id": "a", "output": "3 found"},
                    {"type": "function_call_output", "call_id": "b", "output": parts},
                    {"type": "message", "role": "user", "content": "Which?"},
                ],
                "tools": [FLAT],
            }
        )
    )  # fmt: skip
    uses = [
        {"type": "tool_use", "id": name, "name": "search", "input": {"query": "x"}} for name in ("a", "b")
    ]
    results = [
        {"type": "tool_result", "tool_use_id": "a", "content": "3 found"},
        {"type": "tool_result", "tool_use_id": "b", "content": [{"type": "text", "text": "none"}]},
    ]
    assert expected == chat_request(
        messages_to_chat(
            {
                "max_tokens": 2_048,
                "messages": [
                    *ASKED,
                    {"role": "assistant", "content": [{"type": "text", "text": "I look."}, *uses]},
                    {"role": "user", "content": [*results, {"type": "text", "text": "Which?"}]},
                ],
                "tools": [CLAUDES],
            }
        )
    )


def test_a_failed_tool_says_so_to_the_model() -> None:
    parts = [
        {"type": "tool_result", "tool_use_id": "a", "content": "no such shop", "is_error": True},
        {"type": "tool_result", "tool_use_id": "b"},
    ]
    chat = messages_to_chat({"max_tokens": 1, "messages": [{"role": "user", "content": parts}]})
    assert [message["content"] for message in chat["messages"]] == ["Error: no such shop", ""]


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"tools": [FLAT], "tool_choice": {"type": "function", "name": "sell"}}, "tool_choice"),
        ({"tools": [FLAT], "tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"tools": "search"}, "tools"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ({"input": [{"type": "function_call", "call_id": "a"}]}, "input[0]"),
        ({"input": [{"type": "function_call_output", "call_id": "a"}]}, "input[0].output"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content"),
    ],
)  # fmt: skip
def test_what_responses_cannot_do_is_refused_by_name(request_: dict[str, Any], param: str) -> None:
    with pytest.raises(HttpError) as caught:
        chat_request(responses_to_chat({"input": "x"} | request_))
    assert (caught.value.status, caught.value.param) == (400, param)


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0]"),
        ({"tools": [CLAUDES], "tool_choice": {"type": "tool", "name": "sell"}}, "tool_choice"),
        ({"tools": [CLAUDES], "tool_choice": {"type": "some"}}, "tool_choice"),
        ({"tools": [CLAUDES], "tool_choice": "any"}, "tool_choice"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": "user"}]}, "messages[0]"),
        ({"messages": [{"role": "assistant", "content": [{"type": "thinking"}]}]}, "messages[0].content"),
        ({"messages": [{"role": "assistant", "content": [{"type": "tool_use"}]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result", "content": 5}]}]},
         "messages[0].content"),
    ],
)  # fmt: skip
def test_what_messages_cannot_do_is_refused_by_name(request_: dict[str, Any], param: str) -> None:
    with pytest.raises(HttpError) as caught:
        chat_request(messages_to_chat({"max_tokens": 5, "messages": ASKED} | request_))
    assert (caught.value.status, caught.value.param) == (400, param)


@pytest.mark.anyio
@pytest.mark.parametrize("stream", [False, True])
async def test_responses_calls_a_tool_and_hears_its_result(stream: bool) -> None:
    speaker = Speaker(json.dumps(CALL), '{"reply": "Yes, one."}')
    asked: list[Any] = [*ASKED]
    async with client_of(speaker) as client:

        async def answer() -> Any:
            fields: Any = {"model": MODEL, "input": asked, "tools": [FLAT]}
            if not stream:
                return await client.responses.create(**fields)
            async with client.responses.stream(**fields) as events:
                kinds.extend([event.type async for event in events])
                return await events.get_final_response()

        kinds: list[str] = []
        first = await answer()
        (call,) = first.output
        assert (call.type, call.name, json.loads(call.arguments)) == (
            "function_call",
            "search",
            CALL["arguments"],
        )
        assert call.call_id.startswith("call_")
        assert (first.status, first.output_text) == ("completed", "")
        assert first.tools[0].name == "search"
        asked += [
            call.to_dict(),
            {"type": "function_call_output", "call_id": call.call_id, "output": "1 found"},
        ]
        assert (await answer()).output_text == "Yes, one."
    assert [message["content"] for message in speaker.history[1]["messages"][2:]] == [
        '{"name": "search", "arguments": {"query": "blue jacket"}}',
        "<tool_response>\n1 found\n</tool_response>",
    ]
    if stream:
        assert kinds[:6] == [
            "response.created", "response.output_item.added", "response.function_call_arguments.delta",
            "response.function_call_arguments.done", "response.output_item.done", "response.completed",
        ]  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize("stream", [False, True])
async def test_messages_uses_a_tool_and_hears_its_result(stream: bool) -> None:
    speaker = Speaker(json.dumps(CALL), '{"reply": "Yes, one."}')
    asked: list[Any] = [*ASKED]
    async with claude_of(speaker) as claude:

        async def answer() -> Any:
            fields: Any = {"model": MODEL, "max_tokens": 50, "messages": asked, "tools": [CLAUDES]}
            if not stream:
                return await claude.messages.create(**fields)
            async with claude.messages.stream(**fields) as events:
                kinds.extend([event.type async for event in events])
                return await events.get_final_message()

        kinds: list[str] = []
        first = await answer()
        (use,) = first.content
        assert (use.type, use.name, use.input) == ("tool_use", "search", CALL["arguments"])
        assert first.stop_reason == "tool_use"
        result = {"type": "tool_result", "tool_use_id": use.id, "content": "1 found"}
        asked += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        second = await answer()
        assert (second.content[0].text, second.stop_reason) == ("Yes, one.", "end_turn")
        assert second.usage.output_tokens == 3
    assert [message["content"] for message in speaker.history[1]["messages"][2:]] == [
        '{"name": "search", "arguments": {"query": "blue jacket"}}',
        "<tool_response>\n1 found\n</tool_response>",
    ]
    if stream:
        assert "input_json" in kinds


@pytest.mark.anyio
async def test_a_stream_with_tools_that_only_talks_is_a_message() -> None:
    speaker = Speaker('{"reply": ""}')
    async with (
        client_of(speaker) as client,
        client.responses.stream(model=MODEL, input="x", tools=[FLAT]) as events,
    ):
        final = await events.get_final_response()
    assert [item.type for item in final.output] == ["message"]


@pytest.mark.anyio
async def test_tokens_are_counted_of_what_the_model_would_read() -> None:
    speaker = Speaker()
    async with client_of(speaker) as client, claude_of(speaker) as claude:
        counted = await claude.messages.count_tokens(
            model=MODEL, messages=ASKED, system="Brief", tools=[CLAUDES]
        )
        same = await client.responses.input_tokens.count(
            model=MODEL, input="A blue jacket?", instructions="Brief", tools=[FLAT]
        )
    assert (counted.input_tokens, same.input_tokens) == (42, 42)
    system, user = speaker.history[0]["messages"]
    assert system["content"].startswith("Brief\n\n# Tools")
    assert user == ASKED[0]
    assert speaker.history[1] == speaker.history[0]


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

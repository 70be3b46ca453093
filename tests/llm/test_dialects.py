"""What is sent to a model instead of what was asked, and what is refused before it is sent."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from aicourse import usage
from aicourse.errors import SettingRefused
from aicourse.llm import catalog
from aicourse.llm.catalog import Provider
from aicourse.llm.client import choose_provider
from aicourse.llm.stack import MeasuredClient, Stack
from aicourse.llm.transport import network
from aicourse.prompts.prompt import Prompt
from aicourse.prompts.template import Section

MESSAGES: Any = [{"role": "user", "content": "Which colours?"}]
SCHEMA = {"type": "object", "properties": {"colours": {"type": "array"}}}
FORM: Any = {"type": "json_schema", "json_schema": {"name": "colours", "schema": SCHEMA, "strict": True}}
TOOL: Any = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


class Wire:
    """A provider that takes anything, and remembers it."""

    def __init__(self, provider: str, message: dict[str, Any] | None = None, reason: str = "stop") -> None:
        self.sent: list[httpx2.Request] = []
        self._message = {"role": "assistant", "content": "red"} | (message or {})
        self._reason = reason
        stack = Stack(network, Provider(provider, "http://model.invalid/v1", key_required=False), openai)
        self._http = MeasuredClient(stack, httpx2.MockTransport(self._answer))
        self.client = openai.OpenAI(
            base_url="http://model.invalid/v1", api_key="none", max_retries=0, http_client=self._http
        )
        self.native = anthropic.Anthropic(
            base_url="http://model.invalid", api_key="none", max_retries=0, http_client=self._http
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        choice = {"index": 0, "message": self._message, "finish_reason": self._reason}
        return httpx2.Response(200, json={"id": "c", "object": "chat.completion", "choices": [choice]})

    def ask(self, model: str, **settings: Any) -> Any:
        return self.client.chat.completions.create(model=model, messages=MESSAGES, **settings)

    @property
    def body(self) -> dict[str, Any]:
        """What was sent last, without model and messages."""
        body = json.loads(self.sent[-1].content)
        return {name: body[name] for name in body if name not in ("model", "messages")}

    @property
    def notes(self) -> tuple[str, ...]:
        return usage(self.client).calls[-1].notes


# ---- what has an equal


@pytest.mark.parametrize(
    ("provider", "model", "asked", "sent", "notes"),
    [
        (
            *("openai", "gpt-6-luna", {"max_tokens": 9, "temperature": 0, "seed": 7}),
            {"max_completion_tokens": 9, "temperature": 0, "seed": 7, "reasoning_effort": "none"},
            ("max_tokens → max_completion_tokens", "reasoning_effort='none' sent"),
        ),
        (*("openai", "gpt-6-luna", {"reasoning_effort": "low"}), {"reasoning_effort": "low"}, ()),
        (
            *("openai", "a-model-of-tomorrow", {}),
            {"reasoning_effort": "none"},
            ("reasoning_effort='none' sent",),
        ),
        (*("openai", "gpt-4o-mini", {"max_tokens": 9}), {"max_tokens": 9}, ()),
        (
            *("anthropic", "claude-haiku-5-5", {"max_completion_tokens": 9, "temperature": 1, "n": 1}),
            {"max_completion_tokens": 9, "temperature": 1, "n": 1, "thinking": {"type": "disabled"}},
            ("thinking={'type': 'disabled'} sent",),
        ),
        (
            *("mistral", "mistral-small-2603", {"max_completion_tokens": 9, "seed": 7}),
            {"max_tokens": 9, "random_seed": 7},
            ("max_completion_tokens → max_tokens", "seed → random_seed"),
        ),
        (
            *("ollama", "qwen2.5-coder:0.5b", {"max_completion_tokens": 9}),
            {"max_tokens": 9},
            ("max_completion_tokens → max_tokens",),
        ),
        (*("embedded", "qwen2.5-coder-0.5b", {"max_tokens": 9, "seed": 7}), {"max_tokens": 9, "seed": 7}, ()),
        (*("http://127.0.0.1:8000/v1", "gpt-6-luna", {"max_tokens": 9}), {"max_tokens": 9}, ()),
    ],
)  # fmt: skip
def test_what_has_an_equal_is_translated_and_noted(
    provider: str, model: str, asked: dict[str, Any], sent: dict[str, Any], notes: tuple[str, ...]
) -> None:
    wire = Wire(provider)
    wire.ask(model, **asked)
    assert (wire.body, wire.notes) == (sent, notes)


def test_responses_and_messages_have_dialects_too() -> None:
    wire = Wire("openai")
    wire.client.responses.create(model="gpt-6-luna", input="?", temperature=0)
    assert wire.body == {"input": "?", "temperature": 0, "reasoning": {"effort": "none"}}
    native = Wire("anthropic")
    native.native.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=MESSAGES)
    assert native.body == {"max_tokens": 9, "thinking": {"type": "disabled"}}
    native.native.messages.create(model="claude-sonnet-5-5", max_tokens=9, messages=MESSAGES)
    assert native.body["thinking"] == {"type": "between_tools"}


def test_the_usage_table_counts_what_was_translated() -> None:
    wire = Wire("openai")
    for _ in range(2):
        wire.ask("gpt-6-luna", max_tokens=9)
    rows = usage(wire.client).rows()
    assert ("translated", "max_tokens → max_completion_tokens (2 calls)") in rows
    assert ("translated", "reasoning_effort='none' sent (2 calls)") in rows


def test_both_names_of_a_limit_are_left_to_the_provider_to_refuse() -> None:
    wire = Wire("openai")
    wire.ask("gpt-6-luna", max_tokens=9, max_completion_tokens=10)
    assert (wire.body["max_tokens"], wire.body["max_completion_tokens"]) == (9, 10)


# ---- what has none


WITHOUT_REASONING = "only with reasoning_effort='none': leave it out of the call"
NATIVE = "or use connect_anthropic"
STRICT: Any = {"type": "function", "function": {"name": "look_up", "parameters": {}, "strict": True}}


@pytest.mark.parametrize(
    ("provider", "model", "asked", "told"),
    [
        ("openai", "gpt-6-luna", {"reasoning_effort": "low", "temperature": 0.5}, WITHOUT_REASONING),
        ("openai", "gpt-6-luna", {"reasoning_effort": "low", "tools": [TOOL]}, WITHOUT_REASONING),
        ("openai", "gpt-6-astra", {"temperature": 0}, "temperature only as 1: leave it out .*gpt-6-luna"),
        ("openai", "gpt-6-astra", {"tools": [TOOL]}, "tools not at all: .*gpt-6-luna"),
        ("anthropic", "claude-haiku-5-5", {"temperature": 0}, "temperature only as 1"),
        ("anthropic", "claude-haiku-5-5", {"seed": 7}, f"seed not at all: leave it out .*{NATIVE}"),
        ("anthropic", "claude-haiku-5-5", {"n": 2}, "n only as 1"),
        ("anthropic", "claude-haiku-5-5", {"tools": [STRICT]}, "strict not at all"),
        ("anthropic", "claude-haiku-5-5", {"response_format": FORM, "stream": True}, "only without stream"),
        ("anthropic", "claude-haiku-5-5", {"response_format": FORM, "tools": [TOOL]}, "only without tools"),
        ("anthropic", "claude-sonnet-5-5", {"response_format": FORM}, "response_format not at all"),
        ("ollama", "qwen2.5-coder:0.5b", {"logit_bias": {"1": 5}}, "logit_bias not at all"),
    ],
)
def test_what_has_no_equal_is_an_error_with_the_way_out(
    provider: str, model: str, asked: dict[str, Any], told: str
) -> None:
    wire = Wire(provider)
    with pytest.raises(SettingRefused, match=f"^{model} .*{told}.*[.]$") as caught:
        wire.ask(model, **asked)
    assert caught.value.model == model
    assert wire.sent == []


def test_a_refused_setting_is_an_error_of_the_native_client_too() -> None:
    wire = Wire("anthropic")
    stack = Stack(network, catalog.provider("anthropic"), anthropic)
    client = anthropic.Anthropic(api_key="none", http_client=MeasuredClient(stack))
    with pytest.raises(SettingRefused) as caught:
        client.messages.create(
            model="claude-haiku-5-5", max_tokens=9, messages=MESSAGES, extra_body={"top_k": 5}
        )
    assert isinstance(caught.value, anthropic.AnthropicError)
    assert wire.sent == []


def test_a_setting_that_says_nothing_passes() -> None:
    wire = Wire("anthropic")
    wire.ask("claude-haiku-5-5", temperature=None, response_format={"type": "text"}, tools=[TOOL])
    assert wire.body["tools"] == [TOOL]


# ---- a form that is asked for as a tool


def test_a_form_becomes_a_tool_and_its_arguments_the_text() -> None:
    call = {
        "id": "t",
        "type": "function",
        "function": {"name": "give_answer", "arguments": '{"colours": []}'},
    }
    wire = Wire("anthropic", {"content": None, "tool_calls": [call]}, "tool_calls")
    reply = wire.ask("claude-haiku-5-5", response_format=FORM)
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ('{"colours": []}', "stop")
    assert reply.choices[0].message.tool_calls is None
    assert wire.body["tool_choice"] == {"type": "function", "function": {"name": "give_answer"}}
    assert [tool["function"]["parameters"] for tool in wire.body["tools"]] == [SCHEMA]
    assert "response_format" not in wire.body
    assert "response_format → a tool, its schema not enforced" in wire.notes


def test_a_form_that_was_cut_off_still_says_so() -> None:
    call = {"id": "t", "type": "function", "function": {"name": "give_answer", "arguments": '{"col'}}
    wire = Wire("anthropic", {"content": None, "tool_calls": [call]}, "length")
    reply = wire.ask("claude-haiku-5-5", response_format={"type": "json_object"})
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ('{"col', "length")


# ---- hints of a prompt


def test_a_hint_that_a_model_refuses_is_left_out_with_a_note() -> None:
    prompt = Prompt("colours", 1, None, "First.", (), (Section("user", "?"),), (("temperature", 0),))
    wire = Wire("anthropic")
    wire.ask("claude-haiku-5-5", extra_headers=prompt.headers, **prompt.hints)
    assert "temperature" not in wire.body
    assert "temperature=0, a hint, left out" in wire.notes
    with pytest.raises(SettingRefused):
        wire.ask("claude-haiku-5-5", extra_headers=prompt.headers, temperature=0.5)


def test_no_provider_sees_the_hints() -> None:
    prompt = Prompt("colours", 1, None, "First.", (), (Section("user", "?"),), (("stop", ("é\n",)),))
    for provider in ("openai", "embedded"):
        wire = Wire(provider)
        wire.ask("gpt-6-luna", extra_headers=prompt.headers, **prompt.hints)
        assert not [name for name in wire.sent[0].headers if name.startswith("x-aicourse")]


# ---- the data


def test_each_dialect_is_of_a_provider_or_a_model_of_one() -> None:
    entries = catalog._read()["dialects"]
    for name, endpoints in entries.items():
        assert name in catalog.providers() or any(name.startswith(each) for each in ("gpt-", "claude-"))
        for endpoint in endpoints:
            assert catalog.dialect("openai", name, endpoint) is not None


def test_what_a_model_takes_is_known_before_asking() -> None:
    assert catalog.takes("gpt-6-luna", temperature=1, seed=7)
    assert catalog.takes("claude-haiku-5-5", temperature=1)
    assert not catalog.takes("claude-haiku-5-5", temperature=1, seed=7)
    assert catalog.takes("qwen2.5-coder-0.5b", temperature=0, seed=7)


def test_a_gateway_stands_in_for_a_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/openai/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9/anthropic")
    assert choose_provider("openai", None).base_url == "http://127.0.0.1:9/openai/v1/"
    assert choose_provider(None, "claude-haiku-5-5").base_url == "http://127.0.0.1:9/anthropic/v1/"
    assert choose_provider("gemini", None) == catalog.provider("gemini")

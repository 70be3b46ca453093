"""Each rule of the doubles bites, in the form that the real clients read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import anthropic
import openai
import pytest
from pydantic import BaseModel, ConfigDict, Field

from doubles.server import MADE_UP_KEYS, Doubles

MESSAGES: Any = [{"role": "user", "content": "Which colours? Answer as JSON."}]
TOOL: Any = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
NATIVE_TOOL: Any = {"name": "look_up", "input_schema": {"type": "object", "properties": {}}}
FORCED: Any = {"type": "function", "function": {"name": "look_up"}}
LOOSE: Any = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED: Any = LOOSE | {"additionalProperties": False}


def form(schema: Any) -> Any:
    return {"type": "json_schema", "json_schema": {"name": "form", "schema": schema, "strict": True}}


@pytest.fixture
def doubles() -> Iterator[Doubles]:
    with Doubles() as running:
        yield running


def chat(doubles: Doubles, api: str, asked: str, key: str | None = None, **settings: Any) -> Any:
    key = key or MADE_UP_KEYS[f"{api.upper()}_API_KEY"]
    client = openai.OpenAI(base_url=f"{doubles.url}/{api}/v1", api_key=key, max_retries=0)
    return client.chat.completions.create(**{"model": asked, "messages": MESSAGES} | settings)


def respond(doubles: Doubles, **settings: Any) -> Any:
    key = MADE_UP_KEYS["OPENAI_API_KEY"]
    client = openai.OpenAI(base_url=f"{doubles.url}/openai/v1", api_key=key, max_retries=0)
    return client.responses.create(**{"model": "gpt-6-luna", "input": "Which colours?"} | settings)


_NOT_IN_THE_CLIENT = ("temperature", "top_p", "top_k", "invented")  # anthropic 2.12 has lost the first three


def message(
    doubles: Doubles, model: str = "claude-haiku-5-5", key: str | None = None, **settings: Any
) -> Any:
    key = key or MADE_UP_KEYS["ANTHROPIC_API_KEY"]
    client = anthropic.Anthropic(base_url=f"{doubles.url}/anthropic", api_key=key, max_retries=0)
    asked = {"model": model, "messages": MESSAGES, "max_tokens": 50} | settings
    extra = {name: asked.pop(name) for name in _NOT_IN_THE_CLIENT if name in asked}
    return client.messages.create(**asked, extra_body=extra)


# ---- OpenAI, chat completions


@pytest.mark.parametrize(
    ("settings", "param", "told"),
    [
        ({"max_tokens": 9}, "max_tokens", "Use 'max_completion_tokens' instead."),
        ({"temperature": 0}, "temperature", "does not support 0 with this model. Only the default (1)"),
        ({"top_p": 0.5, "reasoning_effort": "low"}, "top_p", "Only the default (1) value is supported."),
        ({"logprobs": True}, "logprobs", "'logprobs' is not supported with this model."),
        ({"tools": [TOOL]}, "reasoning_effort", "use /v1/responses or set reasoning_effort to 'none'."),
        ({"reasoning_effort": "minimal"}, "reasoning_effort", "Supported values are: 'none', 'low',"),
        ({"model": "gpt-6-astra", "reasoning_effort": "none"}, "reasoning_effort", "are: 'low', 'medium'"),
        ({"extra_body": {"thinking": {}}}, None, "Unrecognized request argument supplied: thinking"),
        ({"model": "gpt-4o-mini", "reasoning_effort": "low"}, None, "Unrecognized request argument"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "only allowed when 'stream'"),
        ({"messages": []}, "messages", "Missing required parameter: 'messages'."),
        ({"response_format": form(LOOSE)}, "response_format", "In context=(), 'additionalProperties' is"),
        ({"response_format": form(CLOSED)}, "response_format", "Missing 'a'."),
        ({"response_format": form({"type": "array"})}, "response_format", "'type: \"object\"'"),
        (
            {"response_format": form(CLOSED | {"required": ["a"], "not": {}})},
            *("response_format", "'not' is not permitted."),
        ),
        (
            {"response_format": {"type": "json_object"}, "messages": [{"role": "user", "content": "?"}]},
            *("response_format", "must contain the word 'json'"),
        ),
    ],
)
def test_openai_s_chat_refuses(
    doubles: Doubles, settings: dict[str, Any], param: str | None, told: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        chat(doubles, "openai", "gpt-6-luna", **settings)
    assert told in caught.value.message
    assert caught.value.param == param
    assert len(doubles.refused) == 1


def test_openai_s_chat_takes_all_of_that_with_effort_none(doubles: Doubles) -> None:
    settings = {"temperature": 0, "top_p": 0.5, "logprobs": True, "tools": [TOOL], "seed": 7}
    chat(doubles, "openai", "gpt-6-luna", reasoning_effort="none", max_completion_tokens=9, **settings)
    chat(doubles, "openai", "gpt-6-luna", temperature=1)
    chat(doubles, "openai", "gpt-4o-mini", temperature=0, max_tokens=9, tools=[TOOL])
    assert doubles.refused == []


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_a_wrong_key_and_an_unknown_model_are_refused(doubles: Doubles, api: str) -> None:
    with pytest.raises(openai.AuthenticationError):
        chat(doubles, api, "gpt-6-luna", key="wrong")
    with pytest.raises(openai.NotFoundError):
        chat(doubles, api, "gpt-1")


# ---- OpenAI, Responses


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"temperature": 0}, "'temperature' is not supported with this model."),
        ({"top_logprobs": 2}, "'top_logprobs' is not supported with this model."),
        ({"reasoning": {"effort": "minimal"}}, "'reasoning.effort' does not support 'minimal'"),
        ({"extra_body": {"seed": 7}}, "Unknown parameter: 'seed'."),
        ({"extra_body": {"max_completion_tokens": 7}}, "Unknown parameter: 'max_completion_tokens'."),
        ({"input": ""}, "Missing required parameter: 'input'."),
        (
            {"text": {"format": {"type": "json_schema", "name": "form", "strict": True, "schema": LOOSE}}},
            "'additionalProperties' is required to be supplied and to be false.",
        ),
    ],
)
def test_openai_s_responses_refuses(doubles: Doubles, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        respond(doubles, **settings)
    assert told in caught.value.message


def test_openai_s_responses_takes_tools_with_reasoning(doubles: Doubles) -> None:
    tool: Any = {"type": "function", "name": "look_up", "parameters": {"type": "object"}, "strict": False}
    assert respond(doubles, tools=[tool]).output_text
    assert respond(doubles, temperature=0, reasoning={"effort": "none"}).output_text


# ---- Anthropic, Messages


@pytest.mark.parametrize(
    ("model", "settings", "told"),
    [
        ("claude-haiku-5-5", {"temperature": 0.0}, "`temperature` is deprecated for this model."),
        ("claude-haiku-5-5", {"top_p": 1.0}, "`top_p` is deprecated for this model."),
        ("claude-haiku-5-5", {"top_k": 5}, "`top_k` is deprecated for this model."),
        ("claude-haiku-5-5", {"temperature": 1.0, "top_p": 0.99}, "Please use only one."),
        (
            "claude-haiku-5-5",
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            "thinking.type.enabled",
        ),
        ("claude-haiku-5-5", {"thinking": {"type": "between_tools"}}, "thinking.type.between_tools"),
        ("claude-haiku-5-5", {"invented": 1}, "invented: Extra inputs are not permitted"),
        ("claude-haiku-5-5", {"messages": [{"role": "system", "content": "?"}]}, "Unexpected role"),
        ("claude-haiku-5-5", {"messages": [*MESSAGES, {"role": "assistant", "content": "{"}]}, "prefill"),
        ("claude-sonnet-5-5", {"thinking": {"type": "disabled"}}, '{"type": "between_tools"} instead of'),
        (
            *("claude-sonnet-5-5", {"tools": [NATIVE_TOOL], "tool_choice": {"type": "any"}}),
            "forced tool use is not supported",
        ),
        (
            *("claude-haiku-5-5", {"thinking": {"type": "disabled"}, "output_config": {"effort": "max"}}),
            "needs thinking",
        ),
    ],
)
def test_anthropic_s_messages_refuses(
    doubles: Doubles, model: str, settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        message(doubles, model, **settings)
    assert told in str(caught.value)


def test_anthropic_s_messages_thinks_unless_told_not_to(doubles: Doubles) -> None:
    assert message(doubles).content[0].type == "thinking"
    assert message(doubles, thinking={"type": "disabled"}).content[0].type == "text"
    used = message(doubles, tools=[NATIVE_TOOL], tool_choice={"type": "any"})
    assert (used.content[0].type, used.stop_reason) == ("tool_use", "tool_use")


def test_anthropic_s_messages_wants_its_key(doubles: Doubles) -> None:
    with pytest.raises(anthropic.AuthenticationError):
        message(doubles, key="wrong")


# ---- Anthropic, the OpenAI-compatible layer


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"temperature": 0}, "`temperature` is deprecated for this model."),
        ({"n": 2}, "n: must be exactly 1"),
        ({"extra_body": {"invented": 1}}, "invented: Extra inputs are not permitted"),
    ],
)
def test_anthropic_s_compatible_layer_refuses(doubles: Doubles, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        chat(doubles, "anthropic", "claude-haiku-5-5", **settings)
    assert told in caught.value.message


def test_anthropic_s_compatible_layer_ignores_what_it_does_not_do(doubles: Doubles) -> None:
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}
    settings = {"response_format": form(LOOSE), "seed": 7, "tools": [strict], "user": "ana"}
    assert chat(doubles, "anthropic", "claude-haiku-5-5", **settings).choices[0].message.content
    names = {line.rpartition(" ")[2] for line in doubles.ignored}
    assert (names, doubles.refused) == ({"response_format", "seed", "strict"}, [])


# ---- replies


class Jacket(BaseModel):
    model_config = ConfigDict(extra="forbid")
    condition: Literal["new", "good"]
    colours: list[str] = Field(max_length=5)
    size: str | None


def test_an_unknown_question_gets_the_smallest_reply_that_fits(doubles: Doubles) -> None:
    reply = chat(doubles, "openai", "gpt-6-luna", response_format=form(Jacket.model_json_schema()))
    assert Jacket.model_validate_json(reply.choices[0].message.content).condition == "new"
    forced = {"tools": [TOOL], "tool_choice": FORCED, "extra_body": {"thinking": {"type": "disabled"}}}
    used = chat(doubles, "anthropic", "claude-haiku-5-5", **forced).choices[0]
    assert (used.message.tool_calls[0].function.arguments, used.finish_reason) == ("{}", "tool_calls")


def test_a_known_question_gets_the_recorded_reply_whoever_is_asked(doubles: Doubles) -> None:
    listing = "Blue denim jacket, Levi's, size M. Worn a handful of times, tiny scratch on the metal button."
    known: Any = [{"role": "user", "content": f"What is for sale here?\n\n{listing}"}]
    whole = chat(doubles, "openai", "gpt-6-luna", messages=known)
    assert "denim" in whole.choices[0].message.content.lower()
    assert (whole.model, whole.usage.completion_tokens > 10) == ("gpt-6-luna", True)
    stream = chat(
        doubles, "openai", "gpt-6-luna", messages=known, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage

"""Doubles of OpenAI's chat completions and Responses, as strict as its current models.

Each rule has the page it comes from; all were read on 2026-11-25 and 26. Where OpenAI documents a rule
without its words, the words are those that users quote in public threads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from doubles.refusals import Asked, Refusal

# https://developers.openai.com/api/docs/guides/latest-model ("Reasoning effort"), …/models/gpt-4o-mini
EFFORTS = {
    "gpt-6-luna": ("none", "low", "medium", "high", "xhigh", "max"),
    "gpt-6-astra": ("low", "medium", "high", "xhigh", "max"),
    "gpt-6.1-sol": ("low", "medium", "high", "xhigh", "max"),
    "gpt-4o-mini": (),
}
DEFAULT_EFFORT = "medium"  # of all GPT-6 models; none of them defaults to "none"

# https://developers.openai.com/api/reference/resources/chat/subresources/completions/methods/create
CHAT = {
    *("model", "messages", "audio", "frequency_penalty", "function_call", "functions", "logit_bias"),
    *("logprobs", "max_completion_tokens", "max_tokens", "metadata", "modalities", "n", "moderation"),
    *("parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options"),
    *("prompt_cache_retention", "reasoning_effort", "response_format", "safety_identifier", "seed"),
    *("service_tier", "stop", "store", "stream", "stream_options", "temperature", "tool_choice", "tools"),
    *("top_logprobs", "top_p", "user", "verbosity", "web_search_options"),
}
# https://developers.openai.com/api/reference/resources/responses/methods/create
RESPONSES = {
    *("model", "input", "background", "context_management", "conversation", "include", "instructions"),
    *("max_output_tokens", "max_tool_calls", "metadata", "moderation", "parallel_tool_calls"),
    *("previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
    *("reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature"),
    *("text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user"),
}
# https://developers.openai.com/api/docs/guides/structured-outputs ("Supported schemas")
NO_KEYWORDS = ("allOf", "not", "oneOf", "dependentRequired", "dependentSchemas", "if", "then", "else")


def refuse(message: str, param: str | None = None, code: str | None = None, status: int = 400) -> Refusal:
    """An error in OpenAI's form."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Refusal(status, {"error": error})


def check_chat(asked: Asked) -> None:
    """Refuse what chat completions refuses."""
    _check_key(asked)
    if unknown := asked.unknown(CHAT):
        plural = "s" if len(unknown) > 1 else ""
        raise refuse(f"Unrecognized request argument{plural} supplied: {', '.join(unknown)}")
    _check_required(asked, "model", "messages")
    model = _check_model(asked)
    reasons = bool(EFFORTS[model])
    # "Unsupported parameter …": quoted in https://github.com/decolua/9router/issues/846 (GPT-5 and later)
    if reasons and asked.has("max_tokens"):
        raise refuse(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            *("max_tokens", "unsupported_parameter"),
        )
    effort = _check_effort(asked.body.get("reasoning_effort"), model, "reasoning_effort")
    if effort != "none" and reasons:
        _check_sampling(asked, ("temperature", "top_p", "logprobs", "top_logprobs"))
        # guides/latest-model, "Tool calling"; quoted in https://github.com/ItzCrazyKns/Vane/issues/1173
        if asked.body.get("tools"):
            raise refuse(
                f"Function tools with reasoning_effort are not supported for {model} in "
                "/v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to "
                "'none'.",
                "reasoning_effort",
            )
    _check_stream(asked)
    form = asked.body.get("response_format") or {}
    check_form(form, form.get("json_schema") or {}, json.dumps(asked.body["messages"]), "response_format")


def check_responses(asked: Asked) -> None:
    """Refuse what Responses refuses."""
    _check_key(asked)
    if unknown := asked.unknown(RESPONSES):
        raise refuse(f"Unknown parameter: '{unknown[0]}'.", unknown[0], "unknown_parameter")
    _check_required(asked, "model", "input")
    model = _check_model(asked)
    effort = _check_effort((asked.body.get("reasoning") or {}).get("effort"), model, "reasoning.effort")
    if effort != "none" and EFFORTS[model]:  # tools go with reasoning here
        for name in ("temperature", "top_p", "top_logprobs"):
            if asked.has(name) and not (name != "top_logprobs" and asked.body[name] == 1):
                raise refuse(f"Unsupported parameter: '{name}' is not supported with this model.", name)
    form = (asked.body.get("text") or {}).get("format") or {}
    check_form(form, form, json.dumps(asked.body["input"]), "text.format")


def _check_key(asked: Asked) -> None:
    # https://developers.openai.com/api/docs/guides/error-codes
    key = asked.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not key:
        raise refuse(
            "You didn't provide an API key. You need to provide your API key in an Authorization header "
            "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            status=401,
        )
    if not key.startswith("sk-"):
        shown = f"{key[:4]}{'*' * 8}{key[-4:]}"
        raise refuse(f"Incorrect API key provided: {shown}.", None, "invalid_api_key", 401)


def _check_required(asked: Asked, *names: str) -> None:
    for name in names:
        if not asked.body.get(name):
            code = "missing_required_parameter"
            raise refuse(f"Missing required parameter: '{name}'.", name, code)


def _check_model(asked: Asked) -> str:
    model = str(asked.body["model"])
    if model not in EFFORTS:
        text = f"The model `{model}` does not exist or you do not have access to it."
        raise refuse(text, None, "model_not_found", 404)
    return model


def _check_effort(effort: str | None, model: str, name: str) -> str:
    if effort is not None and not EFFORTS[model]:
        raise refuse(f"Unrecognized request argument supplied: {name}")
    if effort is not None and effort not in EFFORTS[model]:
        *others, last = (f"'{one}'" for one in EFFORTS[model])
        raise refuse(
            f"Unsupported value: '{name}' does not support '{effort}' with this model. Supported values "
            f"are: {', '.join(others)}, and {last}.",
            *(name, "unsupported_value"),
        )
    return effort or DEFAULT_EFFORT


def _check_sampling(asked: Asked, names: tuple[str, ...]) -> None:
    # guides/latest-model, "Unsupported parameters": "When reasoning effort is not `none`, remove …". Words
    # about a value: https://github.com/ItzCrazyKns/Vane/issues/1173 and many since o1
    for name in names:
        value = asked.body.get(name)
        if name in ("temperature", "top_p") and value not in (None, 1):
            raise refuse(
                f"Unsupported value: '{name}' does not support {value} with this model. Only the default "
                "(1) value is supported.",
                *(name, "unsupported_value"),
            )
        if name in ("logprobs", "top_logprobs") and value:
            text = f"Unsupported parameter: '{name}' is not supported with this model."
            raise refuse(text, name, "unsupported_parameter")


def _check_stream(asked: Asked) -> None:
    if asked.has("stream_options") and not asked.body.get("stream"):
        text = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise refuse(text, "stream_options")


def check_form(form: dict[str, Any], named: dict[str, Any], said: str, param: str) -> None:
    """Refuse a format that cannot be had: guides/structured-outputs, "JSON mode", "Supported schemas"."""
    if form.get("type") == "json_object" and "json" not in said.lower():
        raise refuse(
            f"'messages' must contain the word 'json' in some form, to use '{param}' of type 'json_object'.",
            param,
        )
    if form.get("type") == "json_schema" and named.get("strict"):
        for context, fault in faults(named.get("schema") or {}):
            raise refuse(
                f"Invalid schema for response_format '{named.get('name')}': In context={context}, {fault}",
                *(param, "invalid_json_schema" if param == "text.format" else None),
            )


def faults(schema: dict[str, Any], context: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """The faults that a strict schema has, with the place of each."""
    for keyword in NO_KEYWORDS:
        if keyword in schema:
            yield context, f"'{keyword}' is not permitted."
    if "$ref" in schema and len(schema) > 1:
        yield context, f"$ref cannot have keywords {sorted(set(schema) - {'$ref'})}."
    if not context and schema.get("type") != "object":
        yield context, "schema must be a JSON Schema of 'type: \"object\"'."
    properties = schema.get("properties", {})
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            yield context, "'additionalProperties' is required to be supplied and to be false."
        if missing := [name for name in properties if name not in schema.get("required", [])]:
            yield (
                context,
                "'required' is required to be supplied and to be an array including every key in "
                f"properties. Missing '{missing[0]}'.",
            )
    parts = [(("properties", name), part) for name, part in properties.items()]
    parts += [(("$defs", name), part) for name, part in schema.get("$defs", {}).items()]
    parts += [(("anyOf", str(at)), part) for at, part in enumerate(schema.get("anyOf", []))]
    parts += [(("items",), schema["items"])] if "items" in schema else []
    for steps, part in parts:
        yield from faults(part, (*context, *steps))

"""What a chat request may ask for, and what it is given unasked: a length limit and bounded schemas.

A grammar lets a small model write only what fits the schema, and white space or a string without an end
fits many schemas: unbounded text runs on to the token limit. So strings and arrays without a bound get one;
a bound that the caller set is never changed.

Fields are those of https://platform.openai.com/docs/api-reference/chat. Not handled: tools, images, audio, `n` above 1.
"""

from __future__ import annotations

import json
from typing import Any

from aicourse.llm.server.problems import Problem

MAX_STRING = 400  # characters; a listing's longest attribute is far below
MAX_ITEMS = 24
MAX_TOKENS = 2_048  # when the caller names no limit: about 50 s of the 0.5B model on two cores
_PASSED_ON = (
    "messages", "temperature", "top_p", "top_k", "min_p", "seed", "stop", "logprobs", "top_logprobs", "stream",
    "stream_options", "frequency_penalty", "presence_penalty", "repeat_penalty", "logit_bias", "response_format",
)  # fmt: skip


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object of a request's body.

    Raises:
        Problem: 400, it is something else.
    """
    try:
        request = json.loads(body)
    except ValueError as error:
        raise Problem(400, f"The body is not JSON: {error}.", code="invalid_json") from None
    if not isinstance(request, dict):
        raise Problem(400, "The body must be a JSON object.", code="invalid_json")
    return request


def model_of(request: dict[str, Any]) -> str:
    """The name of the model that the request is for.

    Raises:
        Problem: 400, it names none.
    """
    name = request.get("model")
    if not isinstance(name, str) or not name:
        raise Problem(400, "The request names no model.", param="model")
    return name


def chat_request(request: dict[str, Any]) -> dict[str, Any]:
    """A chat completion request as llama.cpp takes it.

    Raises:
        Problem: 400, it asks for something that this server cannot do.
    """
    _refuse_unsupported(request)
    passed = {name: request[name] for name in _PASSED_ON if request.get(name) is not None}
    passed["max_tokens"] = _token_limit(request)
    if "response_format" in passed:
        passed["response_format"] = _response_format(passed["response_format"])
    if passed.get("stream"):
        # llama.cpp counts tokens in the last chunk only when asked; usage and cost need them always
        passed["stream_options"] = {"include_usage": True}
    return passed


def _refuse_unsupported(request: dict[str, Any]) -> None:
    if request.get("n") not in (None, 1):
        raise Problem(400, "This server gives one choice per request: set n=1 and ask again.", param="n")
    if request.get("tools") or request.get("functions"):
        raise Problem(
            400, "This server does not take tools. Ask for JSON with response_format instead.", param="tools"
        )
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Problem(400, "'messages' must be a list with at least one message.", param="messages")
    for position, message in enumerate(messages):
        _refuse_bad_message(message, f"messages[{position}]")


def _refuse_bad_message(message: Any, where: str) -> None:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise Problem(400, f"{where} must be an object with a role and content.", param=where)
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    if any(not isinstance(part, dict) or part.get("type") != "text" for part in parts):
        raise Problem(
            400, f"{where}.content has a part that is not text: this model reads text only.", param=where
        )
    if not isinstance(content, (str, list)):
        raise Problem(400, f"{where}.content must be text.", param=where)


def _token_limit(request: dict[str, Any]) -> int:
    limit = request.get("max_completion_tokens", request.get("max_tokens"))
    if limit is None:
        return MAX_TOKENS
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise Problem(400, "max_tokens must be a whole number above 0.", param="max_tokens")
    return limit


def _response_format(wanted: Any) -> dict[str, Any]:
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind in ("text", "json_object"):
        return {"type": kind}
    schema = (wanted.get("json_schema") or {}).get("schema") if kind == "json_schema" else None
    if not isinstance(schema, dict):
        raise Problem(
            400,
            "response_format must be text, json_object, or json_schema with a schema.",
            param="response_format",
        )
    return {"type": "json_schema", "json_schema": {"schema": bounded(schema)}}


def bounded(schema: Any) -> Any:
    """The same JSON schema with a bound on every string and array that has none.

    >>> bounded({"type": "array", "items": {"type": "string"}})
    {'type': 'array', 'items': {'type': 'string', 'maxLength': 400}, 'maxItems': 24}
    """
    if isinstance(schema, list):
        return [bounded(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {
        key: value if key in ("enum", "const", "default", "examples") else bounded(value)
        for key, value in schema.items()
    }
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "string" in kinds and not result.keys() & {"maxLength", "enum", "const", "pattern", "format"}:
        result["maxLength"] = max(MAX_STRING, _least(result.get("minLength")))
    if "array" in kinds and "maxItems" not in result:
        result["maxItems"] = max(MAX_ITEMS, _least(result.get("minItems")))
    return result


def _least(value: Any) -> int:
    return value if isinstance(value, int) else 0

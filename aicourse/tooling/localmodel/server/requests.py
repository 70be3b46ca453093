"""Checks of a request, and what it is given unasked: temperature 0, a length limit, bounded schemas.

llama.cpp trusts its caller: an odd number can end the process. So only fields that are named here are passed
on, each checked first; `fields` has refused all others.

Fields are those of https://platform.openai.com/docs/api-reference/chat. Pictures have
become text before (see `pictures`). Not handled: audio, `n` above 1.
"""

from __future__ import annotations

import json
from typing import Any, TypeGuard

from aicourse.tooling.localmodel.server.content import text_of
from aicourse.tooling.localmodel.server.fence import fenced
from aicourse.tooling.localmodel.server.fields import Fields
from aicourse.tooling.localmodel.server.http_errors import HttpError, bad_request
from aicourse.tooling.localmodel.server.schemas import MOST, Schemas
from aicourse.tooling.localmodel.server.toolcalls import toolbox, written_out

MAX_TOKENS = 2_048  # when the caller names no limit: about 50 s of the 0.5B model on two cores
TEMPERATURE = 0  # when the caller names none: the same question gets the same answer
MAX_COMPLETION_TOKENS = 16  # the same for a text that goes on: OpenAI's default
MOST_TOKENS = 1_000_000  # more than any context here; llama.cpp keeps it in 32 bits
DEFAULT_SYSTEM = "You are a helpful assistant."  # before a description of tools
FREE_REPLY = {"type": "string", "maxLength": MOST}  # beside tools, where a grammar must hold it
MAX_DEPTH = 64  # objects and lists in each other; llama.cpp and we walk them recursively
MAX_STOPS, MAX_STOP_CHARACTERS = 16, 200
_SEEDS = 2**32 - 1  # llama.cpp keeps 32 bits, and takes the highest number for "choose one"
_RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "top_k": (0, 1_000_000),
    "top_logprobs": (0, 20),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "repeat_penalty": (0.5, 2),
}
_WHOLE = {"top_k", "top_logprobs"}
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object of a request's body.

    Raises:
        HttpError: 400, it is something else, nested too deep, or has half a character (a lone surrogate).
    """
    try:
        request = json.loads(body, parse_constant=_refuse_constant)
        if b"\\ud" in body.lower():
            json.dumps(request, ensure_ascii=False).encode()
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise HttpError(400, f"The body is not JSON: {error}.", code="invalid_json") from None
    if not isinstance(request, dict):
        raise HttpError(400, "The body must be a JSON object.", code="invalid_json")
    if _is_deeper(request, MAX_DEPTH):
        raise _too_deep()
    return request


def read_request(body: bytes, fields: Fields) -> dict[str, Any]:
    """The JSON object of a request's body, which has no fields but those that its route takes.

    Raises:
        HttpError: 400, as `read_json`, or a field that is not taken.
    """
    request = read_json(body)
    fields.check(request)
    return request


def model_of(request: dict[str, Any]) -> str:
    """The name of the model that the request is for.

    Raises:
        HttpError: 400, it names none.
    """
    name = request.get("model")
    if not isinstance(name, str) or not name:
        raise bad_request("model", "The request names no model.")
    return name


def object_in(request: dict[str, Any], name: str) -> dict[str, Any]:
    """The field `name` if it is there, else an empty object.

    Raises:
        HttpError: 400, it is there and no object.
    """
    value = request.get(name)
    if value is not None and not isinstance(value, dict):
        raise bad_request(name, f"{name} must be an object.")
    return value or {}


def chat_request(request: dict[str, Any]) -> dict[str, Any]:
    """A chat completion request as llama.cpp takes it.

    Raises:
        HttpError: 400, it asks for something that this server cannot do.
    """
    return {"messages": _messages(request)} | _sampling(request) | _logprobs(request) | _grammar(request)


def completion_request(request: dict[str, Any]) -> dict[str, Any]:
    """A request of the older Completions API, a text that goes on, as llama.cpp takes it.

    Raises:
        HttpError: 400, it asks for something that this server cannot do.
    """
    prompt = request.get("prompt")
    prompt = prompt[0] if isinstance(prompt, list) and len(prompt) == 1 else prompt
    if not isinstance(prompt, str) or not prompt:
        raise bad_request("prompt", "'prompt' must be one text, not empty; token numbers are not taken.")
    if request.get("max_tokens") is None:
        request = request | {"max_tokens": MAX_COMPLETION_TOKENS}
    return {"prompt": prompt} | _sampling(request)


def about_photos(payload: dict[str, Any]) -> dict[str, Any]:
    """The field of a completion or chunk that says what the model was told of photos, if there is one."""
    return {name: value for name, value in payload.items() if name == "aicourse"}


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


def _too_deep() -> HttpError:
    return HttpError(400, f"The body is nested more than {MAX_DEPTH} levels deep.", code="invalid_json")


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inside)


def _sampling(request: dict[str, Any]) -> dict[str, Any]:
    """Fields of both kinds of request: length, chance and end of an answer."""
    sampling: dict[str, Any] = {"max_tokens": _token_limit(request), "temperature": TEMPERATURE}
    sampling |= {name: _number(request, name) for name in _RANGES if request.get(name) is not None}
    sampling |= _seed(request) | _stop(request) | _logit_bias(request)
    return sampling


def _messages(request: dict[str, Any]) -> list[dict[str, str]]:
    given = written_out(request.get("messages"))
    if not isinstance(given, list) or not given:
        raise bad_request("messages", "'messages' must be a list with at least one message.")
    messages = [_message(message, f"messages[{position}]") for position, message in enumerate(given)]
    if tools := toolbox(request):
        system = messages.pop(0)["content"] if messages[0]["role"] == "system" else DEFAULT_SYSTEM
        messages.insert(0, {"role": "system", "content": tools.prompt(system)})
    return messages


def _message(message: Any, where: str) -> dict[str, str]:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str) or role not in _ROLES:
        known = ", ".join(_ROLES)
        raise bad_request(where, f"{where} must be an object with content and a role: {known}.")
    content = message.get("content")
    if content is None and role == "assistant":
        content = message.get("refusal") or ""
    return {"role": _ROLES[role], "content": text_of(content, f"{where}.content")}


def _token_limit(request: dict[str, Any]) -> int:
    name = "max_completion_tokens" if request.get("max_completion_tokens") is not None else "max_tokens"
    limit = request.get(name)
    if limit is None:
        return MAX_TOKENS
    if not _is_whole(limit) or limit < 1:
        raise bad_request(name, f"{name} must be a whole number above 0.")
    return min(limit, MOST_TOKENS)


def _number(request: dict[str, Any], name: str) -> float:
    low, high = _RANGES[name]
    value = request[name]
    fits = _is_whole(value) if name in _WHOLE else _is_number(value)
    if not fits or not low <= value <= high:
        kind = "whole number" if name in _WHOLE else "number"
        raise bad_request(name, f"{name} must be a {kind} from {low:,} to {high:,}.")
    number: float = value
    return number


def _seed(request: dict[str, Any]) -> dict[str, int]:
    seed = request.get("seed")
    if seed is None:
        return {}
    if not _is_whole(seed):
        raise bad_request("seed", "seed must be a whole number.")
    return {"seed": seed % _SEEDS}


def _stop(request: dict[str, Any]) -> dict[str, list[str]]:
    given = request.get("stop")
    stops = [given] if isinstance(given, str) else given or []
    if not isinstance(stops, list) or len(stops) > MAX_STOPS or not all(_is_stop(stop) for stop in stops):
        raise bad_request(
            "stop", f"stop must be at most {MAX_STOPS} texts of 1 to {MAX_STOP_CHARACTERS} characters."
        )
    return {"stop": stops} if stops else {}


def _is_stop(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= MAX_STOP_CHARACTERS


def _logprobs(request: dict[str, Any]) -> dict[str, bool]:
    wanted = request.get("logprobs")
    if wanted is not None and not isinstance(wanted, bool):
        raise bad_request("logprobs", "logprobs must be true or false.")
    if request.get("top_logprobs") is not None and not wanted:
        raise bad_request("top_logprobs", "top_logprobs needs logprobs=true.")
    return {"logprobs": True} if wanted else {}


def _logit_bias(request: dict[str, Any]) -> dict[str, dict[str, float]]:
    biases = object_in(request, "logit_bias")
    for token, bias in biases.items():
        is_token = token.isascii() and token.isdigit() and len(token) < 8
        if not is_token or not _is_number(bias) or not -100 <= bias <= 100:
            raise bad_request("logit_bias", "logit_bias must give token numbers a bias from -100 to 100.")
    return {"logit_bias": biases} if biases else {}


def _grammar(request: dict[str, Any]) -> dict[str, str]:
    """The grammar of the whole answer, tool calls included; nothing where any text will do."""
    schema, where = _reply_schema(request.get("response_format"))
    tools, schemas = toolbox(request), Schemas()
    if tools is None and schema is None:
        return {}
    reply = schemas.rule(FREE_REPLY if schema is None else schema, where)
    answer = tools.rule(schemas, reply) if tools else reply
    return {"grammar": schemas.text(fenced(schemas.grammar, answer))}


def _reply_schema(wanted: Any) -> tuple[dict[str, Any] | None, str]:
    """The schema of a reply, where one is wanted, and the field that has it."""
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if wanted is None or kind == "text":
        return None, "reply"
    if kind == "json_object":  # llama.cpp accepts this type and does not enforce it
        return {"type": "object"}, "response_format"
    schema = object_in(wanted, "json_schema").get("schema") if kind == "json_schema" else None
    if not isinstance(schema, dict):
        raise bad_request(
            "response_format", "response_format must be text, json_object, or json_schema with a schema."
        )
    return schema, wanted.get("place") or "response_format.json_schema.schema"


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> TypeGuard[float]:
    return _is_whole(value) or isinstance(value, float)

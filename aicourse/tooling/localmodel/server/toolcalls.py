"""Tools for a model that does not keep to them unaided: a prompt it was trained on, and a grammar.

The tools are described in the system message in the words of Qwen's own chat template, and a grammar lets the
model write only `{"name": …, "arguments": …}` of one of them or, where it may choose, `{"reply": …}`. That
comes back as `tool_calls` or as text. Earlier calls and their results are written as Qwen writes them.

Source: https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct/blob/main/tokenizer_config.json
Not handled: more than one call in an answer, and a stream in pieces (it comes when the answer is complete).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aicourse.tooling.localmodel.server.content import text_of
from aicourse.tooling.localmodel.server.http_errors import bad_request
from aicourse.tooling.localmodel.server.schemas import Schemas

MAX_TOOLS = 64
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NO_PARAMETERS = {"type": "object", "properties": {}, "additionalProperties": False}
_PROMPT = """{system}

# Tools

You may call one function to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{tools}
</tools>

{manner}"""
_CALL = 'To call a function, return a json object: {"name": <function-name>, "arguments": <args-json-object>}'
_REPLY = '\nTo answer without a function, return: {"reply": <your answer>}'


@dataclass(frozen=True)
class Toolbox:
    """The functions that an answer may call; `may_reply` when it may also call none."""

    functions: tuple[dict[str, Any], ...]
    may_reply: bool

    def prompt(self, system: str) -> str:
        """The system message that describes the functions."""
        described = [json.dumps({"type": "function", "function": function}) for function in self.functions]
        manner = _CALL + (_REPLY if self.may_reply else "")
        return _PROMPT.format(system=system, tools="\n".join(described), manner=manner)

    def rule(self, schemas: Schemas, reply: str) -> str:
        """The rule of an answer; `reply` is the rule of what it says if it calls nothing."""
        grammar, options = schemas.grammar, []
        for function in self.functions:
            name, parameters = function["name"], function.get("parameters") or _NO_PARAMETERS
            arguments = schemas.rule(parameters, f"tools.{name}.parameters")
            options.append(grammar.of_object({"name": grammar.constant(name), "arguments": arguments}, {}))
        if self.may_reply:
            options.append(grammar.of_object({"reply": reply}, {}))
        return " | ".join(options)


def toolbox(request: dict[str, Any]) -> Toolbox | None:
    """The functions that the request offers to call; None when there are none.

    Raises:
        HttpError: 400, a tool or the choice of one is not as OpenAI describes it.
    """
    tools, choice = request.get("tools") or [], request.get("tool_choice")
    if not isinstance(tools, list) or len(tools) > MAX_TOOLS:
        raise bad_request("tools", f"tools must be a list of at most {MAX_TOOLS}.")
    functions = tuple(_function(tool, f"tools[{position}]") for position, tool in enumerate(tools))
    if choice in (None, "auto", "none", "required"):
        if choice == "required" and not functions:
            raise bad_request("tool_choice", "tool_choice is required, and there are no tools.")
        return Toolbox(functions, choice != "required") if functions and choice != "none" else None
    mode, names = _named(choice)
    if not names or mode not in ("auto", "required") or names - {function["name"] for function in functions}:
        why = "tool_choice must be none, auto, required, one of the tools, or allowed_tools of them."
        raise bad_request("tool_choice", why)
    return Toolbox(tuple(one for one in functions if one["name"] in names), mode == "auto")


def _named(choice: Any) -> tuple[Any, set[Any]]:
    """The mode and the functions of a choice that names some: one, or OpenAI's `allowed_tools`."""
    if not isinstance(choice, dict):
        return None, set()
    if choice.get("type") != "allowed_tools":
        return "required", {_name_in(choice)} - {None}
    allowed = choice.get("allowed_tools")
    if not isinstance(allowed, dict) or not isinstance(allowed.get("tools"), list):
        return None, set()
    return allowed.get("mode"), set(map(_name_in, allowed["tools"]))


def _name_in(tool: Any) -> str | None:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def written_out(messages: Any) -> Any:
    """The messages with calls and their results as text, in Qwen's form; what is no list stays as it is."""
    if not isinstance(messages, list):
        return messages
    return [
        _written_out(message, f"messages[{position}]") if isinstance(message, dict) else message
        for position, message in enumerate(messages)
    ]


def with_call(completion: dict[str, Any]) -> dict[str, Any]:
    """The completion with a call instead of its text, or the reply in its text; as it is when cut off."""
    choice = completion["choices"][0]
    try:
        said = json.loads(choice["message"]["content"])
    except ValueError:
        return completion
    if not isinstance(said, dict) or not said.keys() & {"reply", "name"}:
        return completion
    if "reply" in said:
        said_so = {"role": "assistant", "content": _as_text(said["reply"])}
        return completion | {"choices": [choice | {"message": said_so}]}
    function = {"name": said["name"], "arguments": json.dumps(said.get("arguments", {}))}
    call = {"id": f"call_{secrets.token_hex(8)}", "type": "function", "function": function}
    message: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [call]}
    return completion | {"choices": [choice | {"message": message, "finish_reason": "tool_calls"}]}


async def as_chunks(completion: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """A whole completion as the chunks of a stream: what it says, how it ended, what it used."""
    frame = completion | {"object": "chat.completion.chunk"}
    usage = frame.pop("usage", None)
    choice = completion["choices"][0]
    delta = dict(choice["message"])
    if calls := delta.get("tool_calls"):
        delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls)]
    for part, reason in ((delta, None), ({}, choice["finish_reason"])):
        yield frame | {"choices": [{"index": 0, "delta": part, "finish_reason": reason}]}
    yield frame | {"choices": [], "usage": usage}


def _function(tool: Any, where: str) -> dict[str, Any]:
    function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or not _NAME.fullmatch(name):
        raise bad_request(where, f"{where} must be a function with a name.")
    if not isinstance(function.get("parameters") or {}, dict):
        raise bad_request(where, f"{where}: parameters must be a JSON schema.")
    return {key: function[key] for key in ("name", "description", "parameters") if function.get(key)}


def _written_out(message: dict[str, Any], where: str) -> dict[str, Any]:
    content = message.get("content")
    if message.get("role") in ("tool", "function"):
        text = text_of(content, f"{where}.content") if isinstance(content, list) else _as_text(content)
        return {"role": "user", "content": f"<tool_response>\n{text}\n</tool_response>"}
    calls = message.get("tool_calls") or []
    if message.get("function_call"):  # the old form of one call
        calls = [{"function": message["function_call"]}]
    if message.get("role") != "assistant" or not calls:
        return message
    if not isinstance(calls, list):
        raise bad_request(where, f"{where}.tool_calls must be a list.")
    said = text_of(content or message.get("refusal") or "", f"{where}.content")
    written = [_written_call(call, f"{where}.tool_calls[{index}]") for index, call in enumerate(calls)]
    return {"role": "assistant", "content": "\n".join([said, *written] if said else written)}


def _written_call(call: Any, where: str) -> str:
    """A call as Qwen writes it; arguments that are no JSON, as another model may have sent, stay a text."""
    function = call.get("function") if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str):
        raise bad_request(where, f"{where} must be the call of a function, with its name.")
    arguments = function.get("arguments") or "{}"
    if isinstance(arguments, str):
        with suppress(ValueError, RecursionError):
            arguments = json.loads(arguments)
    return json.dumps({"name": name, "arguments": arguments})


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

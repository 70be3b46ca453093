"""Doubles of Anthropic's Messages and of its OpenAI-compatible layer, as strict as the Claude 5.5 models.

Each rule has the page it comes from; all were read on 2026-11-25 and 26.
"""

from __future__ import annotations

from typing import Any

from doubles.refusals import Asked, Refusal

# https://platform.claude.com/docs/en/models/haiku-5-5/migration-guide, …/sonnet-5-5/migration-guide: what
# `thinking.type` may be, and whether a tool can be forced
THINKING = {
    "claude-haiku-5-5": ("adaptive", "disabled"),
    "claude-sonnet-5-5": ("adaptive", "between_tools"),
}
FORCES_TOOLS = {"claude-haiku-5-5"}
# https://platform.claude.com/docs/en/api/messages/create
MESSAGES = {
    *("model", "messages", "max_tokens", "cache_control", "container", "context_management", "inference_geo"),
    *("mcp_servers", "metadata", "output_config", "service_tier", "stop_sequences", "stream", "system"),
    *("temperature", "thinking", "tool_choice", "tools", "top_k", "top_p"),
}
# https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk ("Request fields")
TAKEN = {
    *("model", "messages", "max_tokens", "max_completion_tokens", "stream", "stream_options", "top_p"),
    *("parallel_tool_calls", "stop", "temperature", "n", "tools", "tool_choice", "functions", "thinking"),
}
IGNORED = {
    *("logprobs", "metadata", "response_format", "prediction", "presence_penalty", "frequency_penalty"),
    *("seed", "service_tier", "audio", "logit_bias", "store", "user", "modalities", "top_logprobs"),
    "reasoning_effort",
}
LABELS = {"metadata", "store", "user"}  # they change no reply, so nothing is lost with them


def refuse(message: str, kind: str = "invalid_request_error", status: int = 400) -> Refusal:
    """An error in Anthropic's form: https://platform.claude.com/docs/en/api/errors."""
    return Refusal(status, {"type": "error", "error": {"type": kind, "message": message}})


def check_messages(asked: Asked) -> None:
    """Refuse what Messages refuses."""
    _check_key(asked)
    if "anthropic-version" not in asked.headers:
        raise refuse("anthropic-version: header is required")
    if unknown := asked.unknown(MESSAGES):
        raise refuse(f"{unknown[0]}: Extra inputs are not permitted")
    for name in ("model", "max_tokens", "messages"):
        if name not in asked.body:
            raise refuse(f"{name}: Field required")
    if any(message.get("role") == "system" for message in asked.body["messages"]):
        raise refuse(
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, '
            'not "system" as an input message role.'
        )
    _check_model_rules(asked, forced=(asked.body.get("tool_choice") or {}).get("type") in ("any", "tool"))


def check_compatible(asked: Asked) -> None:
    """Refuse what the OpenAI-compatible layer refuses, and note what it ignores; errors in OpenAI's form."""
    try:
        _check_key(asked)
        if unknown := asked.unknown(TAKEN | IGNORED):
            raise refuse(f"{unknown[0]}: Extra inputs are not permitted")
        for name in ("model", "messages"):
            if name not in asked.body:
                raise refuse(f"{name}: Field required")
        if asked.body.get("n") not in (None, 1):
            raise refuse("n: must be exactly 1")
        choice = asked.body.get("tool_choice")
        _check_model_rules(asked, forced=choice == "required" or isinstance(choice, dict))
    except Refusal as refusal:
        error = refusal.body["error"]
        body = {"code": error["type"], "message": error["message"], "type": error["type"], "param": None}
        raise Refusal(refusal.status, {"error": body}) from None
    asked.ignored += [name for name in asked.body if name in IGNORED - LABELS and asked.has(name)]
    functions = [tool.get("function", {}) for tool in asked.body.get("tools") or []]
    asked.ignored += ["strict"] if any(function.get("strict") for function in functions) else []


def _check_key(asked: Asked) -> None:
    """The key comes in either header: as curl examples or as anthropic 2.12 and openai send it."""
    bearer = asked.headers.get("authorization", "").removeprefix("Bearer ").strip()
    key = asked.headers.get("x-api-key", "") or bearer
    if not key:
        raise refuse("x-api-key header is required", "authentication_error", 401)
    if not key.startswith("sk-ant-"):
        raise refuse("invalid x-api-key", "authentication_error", 401)


def _check_model_rules(asked: Asked, *, forced: bool) -> None:
    body, model = asked.body, str(asked.body["model"])
    if model not in THINKING:
        raise refuse(f"model: {model}", "not_found_error", 404)
    # migration guide, "Remove sampling parameters"; the words: https://github.com/The-PR-Agent/pr-agent/issues/2456
    for name, allowed in {"temperature": 1, "top_p": 0.99, "top_k": None}.items():
        if asked.has(name) and body[name] != allowed:
            raise refuse(f"`{name}` is deprecated for this model.")
    if asked.has("temperature") and asked.has("top_p"):
        both = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
        raise refuse(both)
    _check_thinking(body, model)
    if forced and model not in FORCES_TOOLS:  # sonnet-5-5/migration-guide, "Forced tool use"
        raise refuse("tool_choice: forced tool use is not supported for this model.")
    # migration guide, "Replace assistant prefill"
    if body["messages"] and body["messages"][-1].get("role") == "assistant":
        raise refuse(
            "This model does not support assistant message prefill. The conversation must end with a user "
            "message."
        )


def _check_thinking(body: dict[str, Any], model: str) -> None:
    kind = (body.get("thinking") or {}).get("type")
    if kind == "disabled" and "between_tools" in THINKING[model]:  # sonnet-5-5/migration-guide, word for word
        raise refuse(
            'To turn thinking off on this model, send "thinking": {"type": "between_tools"} instead of '
            '{"type": "disabled"}. The model does not think before responding. The short updates it writes '
            "between tool calls come back as thinking blocks."
        )
    if kind is not None and kind not in THINKING[model]:
        raise refuse(f'"thinking.type.{kind}" is not supported for this model.')
    effort = (body.get("output_config") or {}).get("effort")
    if kind in ("disabled", "between_tools") and effort in ("xhigh", "max"):
        raise refuse(f"output_config.effort: {effort} needs thinking on this model.")


def thinks(body: dict[str, Any]) -> bool:
    """True if the reply begins with thinking, as it does unless the request says otherwise."""
    return (body.get("thinking") or {}).get("type") in (None, "adaptive")

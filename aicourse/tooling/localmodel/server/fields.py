"""The fields of a request on each route: read, harmless, or refused by name; none is ignored silently.

*Read* fields are looked at by the route and what it calls. *Labels* (who asks, caching, billing) cannot
change an answer. *Only* fields are taken with the values that ask for nothing. Everything else, also a
misspelt name, is a 400 `unsupported_parameter`. A field that is null counts as left out.

Sources, read 2026-11-26: the request types of openai 3.54 and anthropic 2.12, generated from their APIs'
specifications (`openai.types…CreateParams`, `anthropic.types.MessageCreateParams`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aicourse.suggestions import did_you_mean
from aicourse.tooling.localmodel.server.http_errors import HttpError

EMBEDDING_DIMENSIONS = 384  # of MiniLM; it was not trained so that shorter vectors keep their meaning


@dataclass(frozen=True)
class Fields:
    """The fields that one route, or one object in its requests, takes."""

    read: frozenset[str]
    labels: frozenset[str] = frozenset()
    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    inside: Mapping[str, Fields] = field(default_factory=dict)

    def check(self, request: dict[str, Any], where: str = "") -> None:
        """Refuse what is not taken.

        Raises:
            HttpError: 400, it names the field.
        """
        for name, value in request.items():
            place = f"{where}{name}"
            if value is None or name in self.labels:
                continue
            if name in self.only:
                # 1 == True in Python, and neither stands for the other in JSON
                if not any(value == fine and type(value) is type(fine) for fine in self.only[name]):
                    fine = " or ".join(map(repr, self.only[name]))
                    advice = f"leave it out, or set it to {fine}" if fine else "leave it out"
                    raise _unsupported(place, f"does not do what {place} asks for: {advice}.")
            elif name not in self.read:
                known = self.read | self.labels | self.only.keys()
                raise _unsupported(place, f"has no parameter {place}.{did_you_mean(name, known)}")
            if name in self.inside and isinstance(value, dict):
                self.inside[name].check(value, f"{place}.")


def _unsupported(place: str, why: str) -> HttpError:
    message = f"The embedded model's server {why}"
    return HttpError(400, message, code="unsupported_parameter", param=place)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SAMPLING = _names("temperature top_p min_p top_k repeat_penalty frequency_penalty presence_penalty seed")
_LABELS = _names(
    "user metadata safety_identifier prompt_cache_key prompt_cache_retention prompt_cache_options"
)
_STREAM_OPTIONS = Fields(_names("include_usage"), _names("include_obfuscation"))
_SCHEMA = _names("type name description schema strict")
_OPENAI = {"service_tier": ("auto", "default"), "store": (False,)}  # nothing is stored here
CHAT = Fields(
    _SAMPLING
    | _names(
        "model messages stream stream_options max_completion_tokens max_tokens stop logprobs top_logprobs"
    )
    | _names("logit_bias response_format tools tool_choice"),
    _LABELS | {"parallel_tool_calls"},  # a call at a time is fine with both of its values
    {
        **_OPENAI,
        "n": (1,),
        "functions": ([],),
        "function_call": ("auto", "none"),
        "modalities": (["text"],),
        "reasoning_effort": ("none",),
        "verbosity": ("medium",),
        "audio": (),
        "moderation": (),
        "prediction": (),
        "web_search_options": (),
    },
    {
        "stream_options": _STREAM_OPTIONS,
        "response_format": Fields(_names("type json_schema"), inside={"json_schema": Fields(_SCHEMA)}),
    },
)
COMPLETIONS = Fields(
    _SAMPLING | _names("model prompt stream stream_options max_tokens stop logit_bias"),
    _LABELS,
    {"n": (1,), "best_of": (1,), "echo": (False,), "suffix": ("",), "logprobs": ()},
    {"stream_options": _STREAM_OPTIONS},
)
RESPONSES = Fields(
    _names(
        "model input instructions stream stream_options max_output_tokens temperature top_p seed text tools"
    )
    | _names("tool_choice previous_response_id conversation"),
    _LABELS | {"parallel_tool_calls", "max_tool_calls"},  # never more than one call
    {
        **_OPENAI,
        "background": (False,),
        "truncation": ("disabled",),
        "top_logprobs": (0,),
        "include": ([], ["reasoning.encrypted_content"]),  # there is no reasoning to include
        "reasoning": ({}, {"effort": "none"}),
        "prompt": (),
        "moderation": (),
        "context_management": ([],),
    },
    {
        "stream_options": Fields(frozenset(), _names("include_obfuscation")),
        "text": Fields(_names("format"), only={"verbosity": ("medium",)}, inside={"format": Fields(_SCHEMA)}),
    },
)
MESSAGES = Fields(
    _names("model messages max_tokens system temperature top_p top_k stream stop_sequences tools tool_choice")
    | {"output_config"},
    _names("metadata cache_control"),
    {
        "service_tier": ("auto", "standard_only"),
        "thinking": ({"type": "disabled"},),
        "container": (),
        "mcp_servers": ([],),
        "speed": ("standard",),
    },
    {"output_config": Fields(_names("format"), inside={"format": Fields(_names("type schema"))})},
)
EMBEDDINGS = Fields(
    _names("model input encoding_format"),
    _names("user"),
    {"dimensions": (EMBEDDING_DIMENSIONS,), "encoding_format": ("float", "base64")},
)

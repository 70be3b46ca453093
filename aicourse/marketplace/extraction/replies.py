"""A model's reply as attributes, or a sentence that says why it is none.

Bare prompts bring JSON within prose and code fences, so the outermost braces are looked for. Not handled:
two JSON objects in one reply (they are refused as not JSON).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from aicourse.marketplace.extraction.attributes import Attributes, Schema

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

SHOWN = 3  # validation errors in a message; a small model does not read more


@dataclass(frozen=True)
class Reading:
    """The content of one reply: attributes, or the problem; `final` when asking again would not help."""

    text: str
    finish_reason: str
    attributes: Attributes | None = None
    problem: str | None = None
    final: bool = False


def read(completion: ChatCompletion, schema: Schema) -> Reading:
    """The first choice of a completion, read as `schema`.

    Refused (the provider's refusal or its content filter) and cut off at the token limit are final: the same
    question would end the same way.
    """
    if not completion.choices:
        return Reading("", "error", problem="the reply has no choices")
    choice = completion.choices[0]
    text, reason = choice.message.content or "", str(choice.finish_reason)
    refusal = getattr(choice.message, "refusal", None)
    if refusal or reason == "content_filter":
        said = f": {refusal}" if refusal else ""
        return Reading(text, reason, problem=f"the model refused to answer{said}", final=True)
    if reason == "length":
        used = completion.usage.completion_tokens if completion.usage else None
        after = f" after {used} tokens" if used else ""
        return Reading(
            text, reason, problem=f"the reply was cut off{after} (max_completion_tokens)", final=True
        )
    try:
        return Reading(text, reason, schema.model_validate_json(_object_in(text)))
    except ValidationError as error:
        return Reading(text, reason, problem=_told(error))


def _object_in(text: str) -> str:
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def _told(error: ValidationError) -> str:
    """The problem, in words that a model can use to repair it."""
    problems = error.errors(include_url=False, include_context=False)
    if problems[0]["type"] == "json_invalid":
        return "the reply is not a JSON object"
    told = [f"{_where(problem)}: {problem['msg'].lower()}" for problem in problems[:SHOWN]]
    more = len(problems) - SHOWN
    return "; ".join([*told, f"and {more} more"] if more > 0 else told)


def _where(problem: Any) -> str:
    return ".".join(map(str, problem["loc"])) or "the reply"

"""`extract()`: one listing in, validated attributes out, with everything that happened on the way.

    prompt = prompts.load("extract_listing@production")
    extraction = extract(text, prompt, connect(), model="qwen2.5-coder-0.5b")
    extraction.attributes.colours, extraction.warnings

What goes wrong in a reply is an outcome with plain words (`problem`), not an exception; what goes wrong with
the call (no key, no connection, no recording) is raised. A listing is data: it fills its place in the prompt
and cannot open a message of its own. That a model may still *believe* an instruction in it is measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aicourse.llm.formats import Tokens
from aicourse.marketplace.extraction import grounding
from aicourse.marketplace.extraction.attributes import Attributes, Schema, response_format
from aicourse.marketplace.extraction.photo_conflicts import conflicts, photo_colours
from aicourse.marketplace.extraction.recipes import Grounding, Recipe, recipe_of
from aicourse.marketplace.extraction.replies import Reading, read
from aicourse.prompts import Prompt
from aicourse.prompts.template import harmless

if TYPE_CHECKING:
    import openai

COMPLAINT = "That cannot be used: {problem}. Answer again, with the corrected JSON object only."
MAX_TOKENS = 300  # where the prompt has no hint; a reply that never ends must end


@dataclass(frozen=True)
class Extraction:
    """One listing's attributes, or the problem, and what happened on the way.

    `attributes` is None when no reply could be used; `problem` then says why. `reply` is the one that was
    used, or the last one, as it came; `usage` counts the tokens of all attempts. `dropped` are values that
    were taken out because the listing has no word for them; `warnings` say what a person should look at.
    """

    attributes: Attributes | None
    reply: str
    finish_reason: str
    problem: str | None
    usage: Tokens
    attempts: int
    warnings: tuple[str, ...]
    dropped: tuple[grounding.UngroundedValue, ...]
    prompt: str
    prompt_hash: str
    model: str

    def __str__(self) -> str:
        head = self.problem or str(self.attributes)
        return "\n".join([head, *(f"warning: {warning}" for warning in self.warnings)])


def extract(
    listing: str,
    prompt: Prompt,
    client: openai.OpenAI,
    *,
    model: str,
    photo: Path | str | bytes | None = None,
    recipe: Recipe | None = None,
    retries: int = 1,
) -> Extraction:
    """Ask `model` for the attributes of a listing, and check what comes back.

    Temperature and token limit are the prompt's hints; `recipe` (the schema to enforce, and what happens to
    values that are not in the listing) is the version's own unless given.
    A reply that is no usable JSON is answered with what is wrong with it, up to `retries` times; a refusal,
    or a reply that was cut off, is not.

    Raises:
        PromptError: the prompt has other parameters than `listing`.
        PhotoError: the photo is no picture.
        AicourseError: the call itself failed (key, connection, budget, recording).
    """
    recipe = recipe or recipe_of(prompt)
    mode = recipe.grounding
    shown = photo_colours(photo) if photo is not None else ()
    evidence = " ".join([listing, *shown])
    only = grounding.named_in(evidence) if mode == "offer" else None
    settings = _settings(prompt, response_format(recipe.schema, only))
    asked = _Conversation(client, prompt, model, recipe.schema, settings, _messages(prompt, listing, photo))
    reading = asked.next()
    while asked.attempts <= retries and (complaint := _complaint(reading, evidence, mode)):
        again = asked.complain(reading, complaint)
        reading = again if again.attributes or not reading.attributes else reading
    attributes = reading.attributes
    findings = grounding.ungrounded(attributes, evidence) if attributes and mode != "off" else ()
    takes_out = mode in ("drop", "retry", "offer")
    if attributes and takes_out:
        attributes = grounding.drop(attributes, findings)
    disagreeing = conflicts(attributes, listing, shown) if attributes else ()
    return Extraction(
        attributes=attributes,
        reply=reading.text,
        finish_reason=reading.finish_reason,
        problem=reading.problem,
        usage=asked.usage,
        attempts=asked.attempts,
        warnings=(*map(str, findings), *disagreeing),
        dropped=findings if takes_out else (),
        prompt=prompt.ref,
        prompt_hash=prompt.hash,
        model=model,
    )


@dataclass
class _Conversation:
    """The messages to a model about one listing, and what they took."""

    client: openai.OpenAI
    prompt: Prompt
    model: str
    schema: Schema
    settings: dict[str, Any]
    messages: list[dict[str, Any]]
    counts: list[Tokens] = field(default_factory=list)

    def next(self) -> Reading:
        """The reply to the messages so far."""
        completion = self.client.chat.completions.create(
            model=self.model,
            messages=self.messages,  # type: ignore[arg-type]  # plain dicts, as the prompt renders them
            extra_headers=self.prompt.headers,
            **self.settings,
        )
        used = completion.usage
        self.counts.append(Tokens(used.prompt_tokens, used.completion_tokens) if used else Tokens(None, None))
        return read(completion, self.schema)

    def complain(self, reading: Reading, complaint: str) -> Reading:
        """The reply to `complaint`, which is about the one before."""
        self.messages = [
            *self.messages,
            {"role": "assistant", "content": reading.text or "(nothing)"},
            {"role": "user", "content": COMPLAINT.format(problem=complaint)},
        ]
        return self.next()

    @property
    def attempts(self) -> int:
        """The number of times the model was asked."""
        return len(self.counts)

    @property
    def usage(self) -> Tokens:
        """All attempts together; None when a reply does not say."""
        return Tokens(
            _total([count.prompt for count in self.counts]),
            _total([count.completion for count in self.counts]),
        )


def _total(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _settings(prompt: Prompt, form: dict[str, Any] | None) -> dict[str, Any]:
    settings = {"max_completion_tokens": MAX_TOKENS} | prompt.hints
    return settings if form is None else settings | {"response_format": form}


def _messages(prompt: Prompt, listing: str, photo: Path | str | bytes | None) -> list[dict[str, Any]]:
    """The prompt with the listing in its place, and the photo behind it."""
    messages: list[dict[str, Any]] = [dict(message) for message in prompt.render(listing=harmless(listing))]
    if photo is not None:
        from aicourse.llm.photos.description import (
            photo_part,  # numpy and Pillow: only where there is a photo
        )

        text = {"type": "text", "text": messages[-1]["content"]}
        messages[-1] = {"role": "user", "content": [text, photo_part(photo)]}
    return messages


def _complaint(reading: Reading, evidence: str, mode: Grounding) -> str | None:
    """A complaint that lets the model repair its reply; None when there is none, or it would not help."""
    if reading.attributes is None:
        return None if reading.final else reading.problem
    if mode != "retry":
        return None
    return "; ".join(map(str, grounding.ungrounded(reading.attributes, evidence))) or None

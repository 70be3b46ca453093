"""Answers from documents: retrieve, ask whether the passages state the answer, answer, check the quotation.

    assistant = Assistant(index, connect(), "qwen2.5-coder-1.5b", gate=prompts.load("gate_help@1"))
    answer = assistant.ask("How long can I use a gift card?")
    answer.text, answer.citation, answer.abstained

The gate is a call of one token, P(yes), apart from the answer: a model that has begun to quote goes on to
answer. What it quotes must stand in the one passage that it names, and it can name only what it was shown.
Each step is a span; the prompts are versioned files. Documents come from strangers: they are material between
tags, and their control tokens are taken apart. That they can talk the model into something is not prevented.
Not handled: conversations, and answers from several passages with a citation each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, ValidationError
from rapidfuzz import fuzz

from aicourse import prompts
from aicourse.errors import RetrievalError
from aicourse.llm.one_token import ONE_TOKEN, probability
from aicourse.monitoring.spans import note, span
from aicourse.prompts import Prompt
from aicourse.prompts.template import harmless
from aicourse.rag.chunking import Chunk
from aicourse.rag.index import Hit, Retriever, Where

if TYPE_CHECKING:
    import openai

Why = Literal["", "nothing found", "gate", "model", "quotation", "no answer"]
_ANSWERS = ("yes", "no")
_NUMBER = re.compile(r"\d+")
_LIKE = 90.0  # per cent of a quotation's characters that must stand in the passage, one after the other


class _Reply(BaseModel):
    """The form of a reply; `source` counts the passages from 1."""

    source: int = Field(ge=1)
    quote: str = Field(max_length=200)
    answerable: bool
    answer: str = Field(max_length=300)


@dataclass(frozen=True, slots=True)
class Citation:
    """A quotation from a chunk that was shown; `start` and `end` are characters of the chunk's text."""

    chunk: Chunk
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class GroundedAnswer:
    """An answer with its citation, or none with the reason; `answerable` is the gate's P(yes)."""

    question: str
    text: str
    citation: Citation | None
    hits: tuple[Hit, ...]
    answerable: float | None = None
    why_not: Why = ""

    @property
    def abstained(self) -> bool:
        """True if there is no answer."""
        return bool(self.why_not)


@dataclass(frozen=True)
class Assistant:
    """Answers questions from what a retriever finds; without `gate` the model alone decides if it can."""

    retriever: Retriever
    client: openai.OpenAI
    model: str
    answering: Prompt = field(default_factory=partial(prompts.load, "answer_help"))
    gate: Prompt | None = None
    threshold: float = 0.5
    k: int = 3
    where: Where | None = None

    def ask(self, question: str) -> GroundedAnswer:
        """Answer one question, or abstain.

        Raises:
            RetrievalError: the gate's model gives no probabilities.
        """
        with span("help_answer", operation="invoke_workflow") as current:
            answer = self._ask(question)
            note(current, valid=not answer.abstained)
            return answer

    def _ask(self, question: str) -> GroundedAnswer:
        with span("retrieve", operation="retrieval"):
            hits = tuple(self.retriever.search(question, self.k, self.where))
        if not hits:
            return GroundedAnswer(question, "", None, hits, why_not="nothing found")
        answerable = self.answerable(question, hits) if self.gate else None
        if answerable is not None and answerable < self.threshold:
            return GroundedAnswer(question, "", None, hits, answerable, "gate")
        reply = self._reply(question, hits)
        if reply is None:
            return GroundedAnswer(question, "", None, hits, answerable, "no answer")
        if not reply.answerable or not reply.answer.strip():
            return GroundedAnswer(question, "", None, hits, answerable, "model")
        citation = cite(hits[reply.source - 1].chunk, reply.quote)
        if citation is None:
            return GroundedAnswer(question, "", None, hits, answerable, "quotation")
        return GroundedAnswer(question, reply.answer.strip(), citation, hits, answerable)

    def answerable(self, question: str, hits: Sequence[Hit]) -> float:
        """The gate's P(yes): the probability that the passages state the answer."""
        assert self.gate is not None
        with span("gate"):
            reply = self._call(self.gate, question, hits, **ONE_TOKEN)
        try:
            return probability(reply.choices[0], _ANSWERS)
        except (LookupError, ValueError) as error:
            raise RetrievalError(
                f"{self.model} cannot be asked for one word: {error}. Use another model, or no gate."
            ) from error

    def _reply(self, question: str, hits: Sequence[Hit]) -> _Reply | None:
        """The model's reply; None if it is cut off, refused or breaks the form."""
        reply = self._call(self.answering, question, hits, response_format=_form(len(hits)))
        try:
            found = _Reply.model_validate_json(reply.choices[0].message.content or "")
        except ValidationError:
            return None
        return found if found.source <= len(hits) else None

    def _call(self, prompt: Prompt, question: str, hits: Sequence[Hit], **settings: Any) -> Any:
        return self.client.chat.completions.create(
            model=self.model,
            messages=prompt.render(passages=shown(hits), question=harmless(question)),  # type: ignore[arg-type]
            extra_headers=prompt.headers,
            **(prompt.hints | settings),
        )


def shown(hits: Sequence[Hit]) -> str:
    """The passages as a model reads them, numbered from 1, without control tokens."""
    return harmless("\n".join(f"[{number}] {hit.chunk.situated}" for number, hit in enumerate(hits, start=1)))


def cite(chunk: Chunk, quote: str) -> Citation | None:
    """The place of a quotation in a chunk's text, or None; small slips are allowed, but not in a number.

    >>> text = "We keep 8 % of the item price."
    >>> cite(Chunk("fees#0", "fees", text, 0, len(text)), "8 % of the  item price").start
    8
    """
    wanted = " ".join(quote.split())
    if not wanted:
        return None
    place = fuzz.partial_ratio_alignment(wanted.casefold(), chunk.text.casefold(), score_cutoff=_LIKE)
    if place is None or len(wanted) > len(chunk.text):
        return None
    found = chunk.text[place.dest_start : place.dest_end]
    if _NUMBER.findall(wanted) != _NUMBER.findall(found):  # 400 is like 40 for every measure of likeness
        return None
    return Citation(chunk, quote, place.dest_start, place.dest_end)


def _form(sources: int) -> dict[str, Any]:
    fields = {
        "source": {"type": "integer", "enum": list(range(1, sources + 1))},
        "quote": {"type": "string", "maxLength": 200},
        "answerable": {"type": "boolean"},
        "answer": {"type": "string", "maxLength": 300},
    }
    schema = {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}

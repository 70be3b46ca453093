"""Answers from documents: retrieve, quote and answer, check the quotation, ask whether it states the answer.

    assistant = Assistant(index, connect(), "qwen2.5-coder-1.5b", gate=prompts.load("gate_help"))
    answer = assistant.ask("How long can I use a gift card?")
    answer.text, answer.citation, answer.abstained
    assistant.ask("How long can I use a gift card?", tell=print)      # each step when it is done

What the model quotes must stand in the one passage that it names, and it can name only what it was shown.
The gate is a call of one token, P(yes), apart from the answer: a model that has begun to quote goes on to
answer. A gate that takes the `quotation` is asked about it alone, which a small model judges better than
whole passages (lesson 16); one that takes `passages` is asked before anything is written. The reply quotes
before it answers, so both checks come before the first word of the answer is told. A reply that breaks off
later is no answer, whatever was told of it by then.
Each step is a span; the prompts are versioned files. Documents come from strangers: they are material between
tags, and their control tokens are taken apart. That they can talk the model into something is not prevented.
Not handled: conversations, and answers from several passages with a citation each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json
from rapidfuzz import fuzz

from aicourse import prompts
from aicourse.errors import RetrievalError, SettingRefused
from aicourse.llm.one_token import ONE_TOKEN, probability
from aicourse.monitoring.spans import note, span
from aicourse.prompts import Prompt
from aicourse.prompts.template import harmless
from aicourse.rag.chunking import Chunk
from aicourse.rag.index import Hit, Retriever, Where

if TYPE_CHECKING:
    import openai

PASSAGES = 2  # as lesson 16 measures it on dev, with `answer_help@2` and `gate_help@2`:
THRESHOLD = 0.78  # from here on at most one answer in four is wrong
Why = Literal["", "nothing found", "gate", "model", "quotation", "no answer"]
REASONS = {
    "nothing found": "no passage has anything to do with it",
    "gate": "the nearest passages probably do not state it",
    "model": "the model found nothing to quote",
    "quotation": "what the model quoted does not stand in the passage",
    "no answer": "the model's reply was cut off or has another form",
}
_ANSWERS = ("yes", "no")
_NUMBER = re.compile(r"\d+")
_LIKE = 90.0  # per cent of a quotation's characters that must stand in the passage, one after the other


class _Reply(BaseModel):
    """The form of a reply; `source` counts the passages from 1."""

    source: int = Field(ge=1)
    quote: str = Field(max_length=200)
    answer: str = Field(max_length=300)


@dataclass(frozen=True, slots=True)
class Citation:
    """A quotation from a chunk that was shown; `start` and `end` are characters of the chunk's text."""

    chunk: Chunk
    quote: str
    start: int
    end: int

    @property
    def placed(self) -> str:
        """The quotation below its title and headings, without control tokens: what a gate is asked about."""
        return harmless(replace(self.chunk, text=self.quote, context="").situated)


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


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The passages that were found; told first."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Gated:
    """The gate's P(yes), and if the model may answer."""

    answerable: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Said:
    """The next words of an answer whose citation was told."""

    text: str


Event = Retrieved | Gated | Citation | Said
Tell = Callable[[Event], object]


@dataclass(frozen=True)
class Assistant:
    """Answers questions from what a retriever finds; without `gate` the model alone decides if it can."""

    retriever: Retriever
    client: openai.OpenAI
    model: str
    answering: Prompt = field(default_factory=partial(prompts.load, "answer_help"))
    gate: Prompt | None = None
    threshold: float = THRESHOLD
    k: int = PASSAGES
    where: Where | None = None

    def ask(self, question: str, tell: Tell | None = None) -> GroundedAnswer:
        """Answer one question, or abstain.

        With `tell` the reply is streamed, and each step is told in the same thread as soon as it is done; an
        exception that `tell` raises ends the work.

        Raises:
            RetrievalError: the gate's model gives no probabilities.
        """
        with span("help_answer", operation="invoke_workflow") as current:
            answer = self._ask(question, tell)
            note(current, valid=not answer.abstained, why_not=answer.why_not or None)
            return answer

    def _ask(self, question: str, tell: Tell | None) -> GroundedAnswer:
        told = tell or (lambda event: None)
        with span("retrieve", operation="retrieval"):
            hits = tuple(self.retriever.search(question, self.k, self.where))
        told(Retrieved(hits))
        if not hits:
            return GroundedAnswer(question, "", None, hits, why_not="nothing found")
        answerable = None

        def opens(**material: str) -> bool:
            nonlocal answerable
            answerable = self.answerable(question, **material)
            told(Gated(answerable, answerable >= self.threshold))
            return answerable >= self.threshold

        asked_of = self.gate.parameters if self.gate else ()
        if "passages" in asked_of and not opens(passages=shown(hits)):
            return GroundedAnswer(question, "", None, hits, answerable, "gate")
        about_quotation = "quotation" in asked_of
        pieces = self._pieces(question, hits, streamed=bool(tell))
        text, citation, why_not = heard(
            pieces, hits, told, lambda cited: not about_quotation or opens(quotation=cited.placed)
        )
        return GroundedAnswer(question, text, citation, hits, answerable, why_not)

    def answerable(self, question: str, **material: str) -> float:
        """The gate's P(yes) of `passages` or of a `quotation`: the probability that they state the answer.

        Raises:
            RetrievalError: the model gives no probabilities.
        """
        assert self.gate is not None
        with span("gate"):
            return says_yes(self.client, self.model, self.gate, question, material)

    def _pieces(self, question: str, hits: Sequence[Hit], *, streamed: bool) -> Iterator[str]:
        """The model's reply as it comes: whole, or in pieces where the model streams a form."""
        form: dict[str, Any] = {"response_format": _form(len(hits))}
        material = {"passages": shown(hits)}
        if streamed:
            usage = {"stream": True, "stream_options": {"include_usage": True}}
            try:
                stream = _asked(self.client, self.model, self.answering, question, material, **form, **usage)
            except SettingRefused:
                pass  # a form as a tool's arguments comes whole: ask for that
            else:
                with stream:
                    yield from (one.choices[0].delta.content or "" for one in stream if one.choices)
                return
        reply = _asked(self.client, self.model, self.answering, question, material, **form)
        yield reply.choices[0].message.content or ""


def says_yes(
    client: openai.OpenAI, model: str, prompt: Prompt, question: str, material: Mapping[str, str]
) -> float:
    """The probability that a model says yes to a prompt about a question and what answers it, both harmless.

    Raises:
        RetrievalError: the model gives no probabilities, or would rather say something else.
    """
    reply = _asked(client, model, prompt, question, material, **ONE_TOKEN)
    try:
        return probability(reply.choices[0], _ANSWERS)
    except (LookupError, ValueError) as error:
        raise RetrievalError(
            f"{model} cannot be asked for one word: {error}. Use another model, or no {prompt.name}."
        ) from error


def _asked(
    client: openai.OpenAI,
    model: str,
    prompt: Prompt,
    question: str,
    material: Mapping[str, str],
    **settings: Any,
) -> Any:
    return client.chat.completions.create(
        model=model,
        messages=prompt.render(question=harmless(question), **material),  # type: ignore[arg-type]
        extra_headers=prompt.headers,
        **(prompt.hints | settings),
    )


def shown(hits: Sequence[Hit]) -> str:
    """The passages as a model reads them, numbered from 1, without control tokens."""
    return harmless("\n".join(f"[{number}] {hit.chunk.situated}" for number, hit in enumerate(hits, start=1)))


def heard(
    pieces: Iterable[str], hits: Sequence[Hit], tell: Tell, opens: Callable[[Citation], bool]
) -> tuple[str, Citation | None, Why]:
    """The answer, its citation, and why there is none, of a reply that is read while it comes.

    Nothing is told of an answer whose citation is not found or does not open the gate, and no more is read.
    """
    written, said = "", ""
    citation: Citation | None = None
    for piece in pieces:
        written += piece
        begun = _begun(written)
        if begun and citation is None:
            citation, why_not = _checked(begun, hits)
            if citation is None or not opens(citation):
                return "", None, why_not or "gate"
            tell(citation)
        if begun and (new := begun.answer.lstrip()[len(said) :]):
            said += new
            tell(Said(new))
    try:
        reply = _Reply.model_validate_json(written)
    except ValidationError:
        return "", None, "no answer"
    final, why_not = _checked(reply, hits)
    if final is None or not reply.answer.strip():
        return "", None, why_not or "model"
    if citation not in (None, final) or not reply.answer.lstrip().startswith(said):
        return "", None, "no answer"  # a field came twice, and not the same
    if citation is None and not opens(final):
        return "", None, "gate"
    return reply.answer.strip(), final, ""


def _begun(written: str) -> _Reply | None:
    """A reply whose answer has begun after everything that is checked; other orders are waited for."""
    try:
        found = from_json(written, allow_partial="trailing-strings")
        return _Reply.model_validate(found) if [*found] == [*_Reply.model_fields] else None
    except (ValueError, TypeError):
        return None


def _checked(reply: _Reply, hits: Sequence[Hit]) -> tuple[Citation | None, Why]:
    if reply.source > len(hits):
        return None, "no answer"
    if not reply.quote.strip():
        return None, "model"
    citation = cite(hits[reply.source - 1].chunk, reply.quote)
    return citation, "" if citation else "quotation"


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
        "answer": {"type": "string", "maxLength": 300},
    }
    schema = {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}

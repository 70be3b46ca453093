"""The layer that notes each call: what came back, from where, how long it took and what it cost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from time import perf_counter
from typing import Any

import httpx2

from aicourse.errors import AicourseError
from aicourse.llm import catalog
from aicourse.llm.calls import PROMPT_HEADER, Call, Ledger, Source, Usage
from aicourse.llm.formats import Tokens, endpoint, model_in, pieces
from aicourse.llm.keys import masked
from aicourse.llm.recording_key import canonical_request
from aicourse.llm.session import Session
from aicourse.llm.span_notes import OpenSpan
from aicourse.llm.transport import Exchange, Layer, Transcript, observe

CHARACTERS_PER_TOKEN = 4  # of English text
_PROMPT_NOTE = re.compile(r"[a-z][a-z0-9_]*@v[1-9][0-9]{0,5} [0-9a-f]{12}")


def price(model: str, used: Tokens) -> Decimal | None:
    """The cost of a call in USD; None when the catalogue has no price or the reply states no tokens."""
    known = catalog.models().get(model)
    if known is None:
        return None
    if known.input_price == known.output_price == 0:
        return Decimal(0)
    if used.prompt is None or used.completion is None:
        return None
    return catalog.cost(known, used.prompt, used.completion, used.cached)


def take_prompt(request: httpx2.Request) -> str | None:
    """The prompt's name, version and hash, taken off the request; None when it names none well.

    `prompts.Prompt.headers` puts them there. No provider sees the header and no recording depends on it.
    """
    note = request.headers.pop(PROMPT_HEADER, "")
    return note if _PROMPT_NOTE.fullmatch(note) else None


class MeterLayer:
    """Keeps the calls of one client and tells the session of each; the badge is drawn from that.

    An open span of tracing gets what its instrumentation cannot know (`span_notes`).

    It stands above recordings and faults, so it sees what the caller sees. A request that our own
    checks refuse before it is sent (no budget, no recording) is not a call. A stream counts from its
    beginning, as far as it has come: a reader who stops does not always close it.
    """

    def __init__(self, inner: Layer, provider: str, session: Callable[[], Session | None]) -> None:
        self._inner = inner
        self._provider = provider
        self._session = session
        self._ledger = Ledger()

    @property
    def usage(self) -> Usage:
        """The calls so far."""
        return self._ledger.usage

    def __call__(self, request: httpx2.Request) -> Exchange:
        """One request; the prompt named on it is noted and goes no further."""
        prompt, session, started, span = take_prompt(request), self._session(), perf_counter(), OpenSpan.now()
        path = endpoint(request.url.path)
        names: dict[str, Any] = {"model": model_in(request.content), "path": path, "prompt": prompt}
        call = partial(Call, provider=self._provider, **names)
        try:
            response = yield from self._inner(request)
        except AicourseError:
            raise
        except BaseException as error:
            self._add(session, span, call(**_unanswered(error, perf_counter() - started)))
            raise
        transcript = Transcript(response)
        if transcript.streamed:
            for ledger in [self._ledger, *([session.ledger] if session else [])]:
                ledger.open(transcript, lambda: call(**_answered(request, transcript)))
        return observe(
            response,
            lambda _: self._add(session, span, call(**_answered(request, transcript)), transcript),
            transcript,
        )

    def _add(
        self, session: Session | None, span: OpenSpan, call: Call, stream: Transcript | None = None
    ) -> None:
        self._ledger.add(call, stream)
        span.note(call)
        if session is not None:
            session.report(call, stream)


def _answered(request: httpx2.Request, transcript: Transcript) -> dict[str, Any]:
    origin = transcript.origin
    cut_short = transcript.streamed and transcript.status < 400 and not transcript.whole
    used = _estimated(request, transcript) if cut_short else transcript.tokens
    free = transcript.status >= 400 or (origin.injected and origin.source == "recorded")
    return {
        "source": "fault" if origin.injected else origin.source,
        "status": transcript.status,
        "prompt_tokens": used.prompt,
        "completion_tokens": used.completion,
        "cost": Decimal(0) if free else price(model_in(request.content), used),
        "seconds": transcript.seconds,
        "first_token_seconds": transcript.first_token_seconds,
        "at": origin.at,
        "notes": origin.notes,
        "error": _fault_of(transcript),
        "estimated": cut_short,
    }


def _estimated(request: httpx2.Request, transcript: Transcript) -> Tokens:
    """The tokens of a stream that was not read to its end: those it has stated, else by length.

    A token has about four characters, and each piece of a stream at least one token; what a model thinks
    without showing it is not counted.
    """
    asked = json.dumps(canonical_request(request)["body"], ensure_ascii=False)
    said = list(pieces(transcript.text, transcript.content_type))
    stated = transcript.tokens.prompt
    return Tokens(
        len(asked) // CHARACTERS_PER_TOKEN + 1 if stated is None else stated,
        max(len(said), sum(map(len, said)) // CHARACTERS_PER_TOKEN),
    )


def _unanswered(error: BaseException, seconds: float) -> dict[str, Any]:
    source: Source = "fault" if getattr(error, "injected", False) else "live"
    nothing = dict.fromkeys(("status", "prompt_tokens", "completion_tokens", "first_token_seconds"))
    told = {"source": source, "cost": Decimal(0), "seconds": seconds, "at": datetime.now(UTC)}
    return {**nothing, **told, "error": _named(error)}


def _fault_of(transcript: Transcript) -> str | None:
    if transcript.error is not None:
        return _named(transcript.error)
    if transcript.status >= 400:
        return f"HTTP {transcript.status}"
    return None if transcript.whole else "stopped before the end"


def _named(error: BaseException) -> str:
    text = masked(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

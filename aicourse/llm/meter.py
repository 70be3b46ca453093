"""The layer that notes each call: what came back, from where, how long it took and what it cost."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any

import httpx2

from aicourse.errors import AicourseError
from aicourse.llm import catalog
from aicourse.llm.calls import PROMPT_HEADER, Call, Source, Usage
from aicourse.llm.formats import Tokens, endpoint, model_in
from aicourse.llm.keys import masked
from aicourse.llm.transport import Exchange, Layer, Transcript, observe

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
    return catalog.cost(known, used.prompt, used.completion)


def take_prompt(request: httpx2.Request) -> str | None:
    """The prompt's name, version and hash, taken off the request; None when it names none well.

    `prompts.Prompt.headers` puts them there. No provider sees the header and no recording depends on it.
    """
    note = request.headers.pop(PROMPT_HEADER, "")
    return note if _PROMPT_NOTE.fullmatch(note) else None


class MeterLayer:
    """Keeps the calls of one client and tells `report` of each.

    It stands above recordings and faults, so it sees what the caller sees. A request that our own
    checks refuse before it is sent (no budget, no recording) is not a call.
    """

    def __init__(self, inner: Layer, provider: str, report: Callable[[Call], None]) -> None:
        self._inner = inner
        self._provider = provider
        self._report = report
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    @property
    def usage(self) -> Usage:
        """The calls so far."""
        return Usage(tuple(self._calls))

    def __call__(self, request: httpx2.Request) -> Exchange:
        """One request; the prompt named on it is noted and goes no further."""
        prompt = take_prompt(request)
        started = perf_counter()
        try:
            response = yield from self._inner(request)
        except AicourseError:
            raise
        except BaseException as error:
            self._note(request, prompt, **_unanswered(error, perf_counter() - started))
            raise
        return observe(
            response, lambda transcript: self._note(request, prompt, **_answered(request, transcript))
        )

    def _note(self, request: httpx2.Request, prompt: str | None, **outcome: Any) -> None:
        model, path = model_in(request.content), endpoint(request.url.path)
        call = Call(provider=self._provider, model=model, path=path, prompt=prompt, **outcome)
        with self._lock:
            self._calls.append(call)
        self._report(call)


def _answered(request: httpx2.Request, transcript: Transcript) -> dict[str, Any]:
    origin, used = transcript.origin, transcript.tokens
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
        "error": _fault_of(transcript),
    }


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

"""The layer that notes each call: what came back, from where, how long it took and what it cost."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter

import httpx2

from aicourse.errors import AicourseError
from aicourse.llm import catalog
from aicourse.llm.formats import Tokens, endpoint, model_in
from aicourse.llm.keys import mask_keys
from aicourse.llm.prompt_header import take_prompt
from aicourse.llm.session import current
from aicourse.llm.transcript import Transcript, observe
from aicourse.llm.transport import Flow, Layer
from aicourse.llm.usage import Call, Source, Usage


def price(model: str, used: Tokens) -> Decimal | None:
    """What a call cost in USD; None when the catalogue has no price or the reply states no tokens."""
    known = _known(model)
    if known is None:
        return None
    if known.input_price == known.output_price == 0:
        return Decimal(0)
    if used.prompt is None or used.completion is None:
        return None
    return catalog.cost(known, used.prompt, used.completion)


@functools.cache
def _known(model: str) -> catalog.Model | None:
    """The catalogue's entry; looking it up anew would take as long as the rest of a replay."""
    return catalog.models().get(model)


def report_to_session(call: Call) -> None:
    """Tell the notebook's badge."""
    current().report(call)


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

    def __call__(self, request: httpx2.Request) -> Flow:
        """One request; the prompt named on it is noted and goes no further."""
        prompt = take_prompt(request)
        started = perf_counter()
        try:
            response = yield from self._inner(request)
        except AicourseError:
            raise
        except BaseException as error:
            self._note(self._unanswered(request, prompt, error, perf_counter() - started))
            raise
        return observe(response, lambda transcript: self._note(self._answered(request, prompt, transcript)))

    def _note(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)
        self._report(call)

    def _answered(self, request: httpx2.Request, prompt: str | None, transcript: Transcript) -> Call:
        origin, used, model = transcript.origin, transcript.tokens, model_in(request.content)
        failed = transcript.status >= 400
        cost = (
            Decimal(0) if failed or (origin.injected and origin.source == "recorded") else price(model, used)
        )
        return Call(
            provider=self._provider,
            model=model,
            source="fault" if origin.injected else origin.source,
            path=endpoint(request.url.path),
            status=transcript.status,
            prompt_tokens=used.prompt,
            completion_tokens=used.completion,
            cost=cost,
            seconds=transcript.seconds,
            first_token_seconds=transcript.first_token_seconds,
            at=origin.at,
            error=_fault_of(transcript),
            prompt=prompt,
        )

    def _unanswered(
        self, request: httpx2.Request, prompt: str | None, error: BaseException, seconds: float
    ) -> Call:
        source: Source = "fault" if getattr(error, "injected", False) else "live"
        return Call(
            provider=self._provider,
            model=model_in(request.content),
            source=source,
            path=endpoint(request.url.path),
            status=None,
            prompt_tokens=None,
            completion_tokens=None,
            cost=Decimal(0),
            seconds=seconds,
            first_token_seconds=None,
            at=datetime.now(UTC),
            error=_named(error),
            prompt=prompt,
        )


def _fault_of(transcript: Transcript) -> str | None:
    if transcript.error is not None:
        return _named(transcript.error)
    if transcript.status >= 400:
        return f"HTTP {transcript.status}"
    return None if transcript.whole else "stopped before the end"


def _named(error: BaseException) -> str:
    text = mask_keys(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

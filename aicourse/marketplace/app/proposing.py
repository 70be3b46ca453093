"""Proposals: the model fills in the form in the background, within a time limit and a budget.

    proposer = Proposer(store, connect, model="qwen2.5-coder-0.5b", prompt="extract_listing@production")
    proposer.begin(listing_id, "Navy coat\nWool, size M", photo)      # returns at once

The seller never depends on it. A model that is down, slow, over budget or of no use leaves a note of why, and
the form stays empty. The deadline is stored with the proposal, so it also ends one whose process was killed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from openai import APITimeoutError, OpenAI, OpenAIError
from opentelemetry.trace import Span, format_trace_id

from aicourse import prompts
from aicourse.errors import AicourseError, BudgetExceeded
from aicourse.marketplace.app.store import Problem, Store
from aicourse.marketplace.extraction.extracting import Extraction, extract
from aicourse.monitoring.spans import note, span

CLIENT = "web 1"  # this app, as the client of a proposal
WORKERS = 2  # the embedded model answers one at a time; a hosted one is not waited for by many here
_log = logging.getLogger(__name__)


@dataclass
class Proposer:
    """Asks `model` with `prompt` for the attributes of drafts, `limit_seconds` for each.

    `connect` makes the client when the first draft comes; its budget is all that is spent on proposals.
    """

    store: Store
    connect: Callable[[], OpenAI]
    model: str
    prompt: str
    limit_seconds: float
    pool: Executor = field(default_factory=lambda: ThreadPoolExecutor(WORKERS, "proposal"))
    _client: OpenAI | None = None

    def begin(self, listing_id: str, text: str, photo: bytes | None) -> None:
        """Let the model work on a draft."""
        self.store.begin_proposal(listing_id, self.limit_seconds)
        ends = time.monotonic() + self.limit_seconds
        self.pool.submit(self._propose, listing_id, text, photo, ends)

    def close(self) -> None:
        """Take no more drafts; those that wait fail by their deadline."""
        self.pool.shutdown(wait=False, cancel_futures=True)

    def _propose(self, listing_id: str, text: str, photo: bytes | None, ends: float) -> None:
        """One draft in a thread of its own: nothing that is raised here has anybody above it."""
        trace_id = None
        try:
            with span("propose", client=CLIENT, model=self.model) as current:
                trace_id = _trace_id(current)
                extraction = self._extract(text, photo, ends)
                _note_outcome(current, extraction)
        except Exception as error:
            if not isinstance(error, AicourseError | OpenAIError | TimeoutError):
                _log.exception("A defect left %s without a proposal.", listing_id)
            self.store.fail_proposal(
                listing_id, _problem(error), f"{type(error).__name__}: {error}", trace_id
            )
            return
        if extraction.attributes is None:
            self.store.fail_proposal(listing_id, "no use", extraction.problem or "", trace_id)
        else:
            self.store.end_proposal(
                listing_id, extraction.attributes.model_dump(), unsure(extraction), trace_id
            )

    def _extract(self, text: str, photo: bytes | None, ends: float) -> Extraction:
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("other drafts took all the time")
        if self._client is None:
            self._client = self.connect()
        client = self._client.with_options(timeout=left, max_retries=0)
        return extract(text, prompts.load(self.prompt), client, model=self.model, photo=photo)


def unsure(extraction: Extraction) -> dict[str, str]:
    """A sentence for each field that the seller should look at."""
    found = {}
    for warning in extraction.warnings:
        name, _, why = warning.partition(": ")
        found[name] = why[:1].upper() + why[1:]
    return found


def _note_outcome(current: Span, extraction: Extraction) -> None:
    """The facts by which monitoring groups proposals."""
    name, _, version = extraction.prompt.partition("@")
    note(
        current,
        prompt=name,
        prompt_version=version or None,
        prompt_hash=extraction.prompt_hash,
        valid=int(extraction.attributes is not None),
    )
    if extraction.attributes:
        values = extraction.attributes.model_dump()
        empty = sum(value in (None, []) for value in values.values())
        note(current, category=values["category"], empty_fields=empty)


def _trace_id(current: Span) -> str | None:
    """The id under which a span is stored; None where nobody traces."""
    context = current.get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else None


def _problem(error: Exception) -> Problem:
    if isinstance(error, BudgetExceeded):
        return "over budget"
    return "slow" if isinstance(error, TimeoutError | APITimeoutError) else "down"

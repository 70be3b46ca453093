"""Work of a model in the background: places for those who wait, one client and its budget, what was told.

`proposing.Proposer`, `asking.Helper` and `chatting.SupportChat` are kinds of it: a piece of work takes a
place, is done in the pool, and gives the place back. What a model or its provider does wrong is a failure,
and becomes a problem that people are told; all else is a defect.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from openai import APITimeoutError, OpenAI, OpenAIError
from opentelemetry.trace import Span, format_trace_id

from aicourse.errors import AicourseError, BudgetExceeded
from aicourse.marketplace.app.store import Problem, Store
from aicourse.monitoring.tracing import traced_into

WORKERS = 2  # the embedded model answers one at a time; a hosted one is not waited for by many here
MOST_WAITING = 20  # pieces of work of everybody
MOST_OF_ONE = 5  # of one person
FAILURES = (AicourseError, OpenAIError, TimeoutError)


@dataclass
class Background:
    """Work of `model`, whose client `connect` makes when the first piece is done: all have its budget."""

    store: Store
    connect: Callable[[], OpenAI]
    model: str
    pool: Executor = field(default_factory=lambda: ThreadPoolExecutor(WORKERS), kw_only=True)
    _told: dict[str, tuple[str, list[Any]]] = field(default_factory=dict, init=False)  # by id: whose, what
    _places: threading.Lock = field(default_factory=threading.Lock, init=False)  # while one is taken or left
    _client: OpenAI | None = field(default=None, init=False)
    _connecting: threading.Lock = field(default_factory=threading.Lock, init=False)

    def progress(self, work_id: str) -> list[Any] | None:
        """The pieces told so far; None when nobody works on it any more."""
        return self._told.get(work_id, ("", None))[1]

    def close(self) -> None:
        """Take no more work; what waits fails by its deadline."""
        self.pool.shutdown(wait=False, cancel_futures=True)

    def _has_place(self, person: str, work_id: str = "") -> bool:
        """True if a person may begin one more; `work_id` has its place already."""
        others = [one for key, (one, _) in self._told.items() if key != work_id]
        return len(others) < MOST_WAITING and others.count(person) < MOST_OF_ONE

    def _connected(self) -> OpenAI:
        with self._connecting:  # two clients would have two budgets
            self._client = self._client or self.connect()
        return self._client


def trace_id_of(current: Span) -> str | None:
    """The id under which a span is stored; None where nobody traces."""
    return format_trace_id(current.get_span_context().trace_id) if traced_into() else None


def problem_of(error: Exception) -> Problem:
    """The kind of problem that a failure is for those who wait."""
    if isinstance(error, BudgetExceeded):
        return "over budget"
    return "slow" if isinstance(error, TimeoutError | APITimeoutError) else "down"

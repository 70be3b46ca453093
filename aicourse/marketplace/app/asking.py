"""Answers to questions in the background, within a time limit and a budget, told step by step as they come.

    helper = Helper(store, center, connect, model="qwen2.5-coder-1.5b")
    question_id = helper.begin(person_id, "How long is a gift card valid?")     # returns at once
    helper.progress(question_id)                                  # what may be shown so far

Whoever watches may go away and come back: what was told is kept while the model works, and the end is in the
store. A model that is down, slow or over budget leaves a note of why; the articles can be read all the same.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openai import OpenAI, OpenAIError
from opentelemetry.trace import format_trace_id

from aicourse import prompts
from aicourse.errors import AicourseError
from aicourse.marketplace.app.help_center import CURRENT, HelpCenter
from aicourse.marketplace.app.proposing import problem_of
from aicourse.marketplace.app.questions import add_question, asked_lately, end_question, fail_question
from aicourse.marketplace.app.store import Store
from aicourse.monitoring.spans import span
from aicourse.monitoring.tracing import traced_into

if TYPE_CHECKING:
    from aicourse.rag.answering import Assistant, Event

WORKERS = 2
MOST_WAITING = 20  # questions of everybody
MOST_A_MINUTE = 10  # of one person
HELP_SECONDS = 60.0
_FAILURES = (AicourseError, OpenAIError, TimeoutError)
_log = logging.getLogger(__name__)


@dataclass
class Helper:
    """Asks `model` about the articles of `center`, `limit_seconds` for each question.

    The model must give `logprobs`, for the gate. `connect` makes the client when the first question comes;
    all answers together have its budget. The versions of the prompts are those in production.
    """

    store: Store
    center: HelpCenter
    connect: Callable[[], OpenAI]
    model: str
    limit_seconds: float = HELP_SECONDS
    pool: Executor = field(default_factory=lambda: ThreadPoolExecutor(WORKERS, "answer"))
    _told: dict[str, list[str]] = field(default_factory=dict)
    _client: OpenAI | None = None
    _connecting: threading.Lock = field(default_factory=threading.Lock)
    _places: threading.Lock = field(default_factory=threading.Lock)  # held while one is taken

    def begin(self, person_id: str, question: str) -> str | None:
        """Let the model work on a question; its id, or None where too many wait."""
        ends = time.monotonic() + self.limit_seconds
        with self._places:
            if len(self._told) >= MOST_WAITING or asked_lately(self.store, person_id) >= MOST_A_MINUTE:
                return None
            question_id = add_question(self.store, person_id, question, self.limit_seconds)
            self._told[question_id] = []
        self.pool.submit(self._work, question_id, question, ends)
        return question_id

    def progress(self, question_id: str) -> list[str] | None:
        """The words of an answer so far, its citation checked; None when nobody works on it any more."""
        return self._told.get(question_id)

    def close(self) -> None:
        """Take no more questions; those that wait fail by their deadline."""
        self.pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, question_id: str, question: str, ends: float) -> None:
        """One question in a thread of its own: nothing that is raised here has anybody above it."""
        from aicourse.rag.answering import Said  # with numpy: the shop starts without

        told, trace_id = self._told[question_id], None

        def tell(event: Event) -> None:
            if time.monotonic() > ends:
                raise TimeoutError("the answer took too long")
            if isinstance(event, Said):
                told.append(event.text)

        try:
            with span("help") as current:
                if traced_into():
                    trace_id = format_trace_id(current.get_span_context().trace_id)
                answer = self._assistant(ends - time.monotonic()).ask(question, tell)
            end_question(self.store, question_id, answer, trace_id)
        except _FAILURES as error:
            _log.warning("No answer to %s: %s", question_id, error)
            fail_question(self.store, question_id, problem_of(error), trace_id)
        except Exception:
            _log.exception("A defect in the answer to %s.", question_id)
            fail_question(self.store, question_id, "down", trace_id)
        finally:
            del self._told[question_id]

    def _assistant(self, seconds: float) -> Assistant:
        from aicourse.rag.answering import Assistant

        if seconds <= 0:
            raise TimeoutError("other questions took all the time")
        with self._connecting:  # two clients would have two budgets
            self._client = self._client or self.connect()
        return Assistant(
            self.center,
            self._client.with_options(timeout=seconds, max_retries=0),
            self.model,
            gate=prompts.load("gate_help"),
            where=CURRENT,
        )

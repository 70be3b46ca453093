"""Answers to questions in the background, within a time limit and a budget, told step by step as they come.

    helper = Helper(store, connect, "qwen2.5-coder-1.5b", center)
    question_id = helper.begin(person_id, "How long is a gift card valid?")     # returns at once
    helper.progress(question_id)                                  # what may be shown so far

Whoever watches may go away and come back: what was told is kept while the model works, and the end is in the
store. A model that is down, slow or over budget leaves a note of why; the articles can be read all the same.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aicourse import prompts
from aicourse.marketplace.app.background import FAILURES, Background, problem_of, trace_id_of
from aicourse.marketplace.app.help_center import CURRENT, HelpCenter
from aicourse.marketplace.app.questions import add_question, asked_lately, end_question, fail_question
from aicourse.monitoring.spans import span

if TYPE_CHECKING:
    from aicourse.rag.answering import Assistant, Event

MOST_A_MINUTE = 10  # questions of one person
HELP_SECONDS = 60.0
_log = logging.getLogger(__name__)


@dataclass
class Helper(Background):
    """Asks `model` about the articles of `center`, `limit_seconds` for each question.

    The model must give `logprobs`, for the gate. The versions of the prompts are those in production. Told
    are the words of an answer, its citation checked.
    """

    center: HelpCenter
    limit_seconds: float = HELP_SECONDS

    def begin(self, person_id: str, question: str) -> str | None:
        """Let the model work on a question; its id, or None where too many wait."""
        ends = time.monotonic() + self.limit_seconds
        with self._places:
            if not self._has_place(person_id) or asked_lately(self.store, person_id) >= MOST_A_MINUTE:
                return None
            question_id = add_question(self.store, person_id, question, self.limit_seconds)
            self._told[question_id] = person_id, []
        self.pool.submit(self._work, question_id, question, ends)
        return question_id

    def _work(self, question_id: str, question: str, ends: float) -> None:
        """One question in a thread of its own: nothing that is raised here has anybody above it."""
        from aicourse.rag.answering import Said  # with numpy: the shop starts without

        (_, told), trace_id = self._told[question_id], None

        def tell(event: Event) -> None:
            if time.monotonic() > ends:
                raise TimeoutError("the answer took too long")
            if isinstance(event, Said):
                told.append(event.text)

        try:
            with span("help") as current:
                trace_id = trace_id_of(current)
                answer = self._assistant(ends - time.monotonic()).ask(question, tell)
            end_question(self.store, question_id, answer, trace_id)
        except FAILURES as error:
            _log.warning("No answer to %s: %s", question_id, error)
            fail_question(self.store, question_id, problem_of(error), trace_id)
        except Exception:
            _log.exception("A defect in the answer to %s.", question_id)
            fail_question(self.store, question_id, "down", trace_id)
        finally:
            with self._places:
                del self._told[question_id]

    def _assistant(self, seconds: float) -> Assistant:
        from aicourse.rag.answering import Assistant

        if seconds <= 0:
            raise TimeoutError("other questions took all the time")
        return Assistant(
            self.center,
            self._connected().with_options(timeout=seconds, max_retries=0),
            self.model,
            gate=prompts.load("gate_help"),
            where=CURRENT,
        )

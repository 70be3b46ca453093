"""The support assistant at work: turns in the background, confirmations by button, all of it kept.

    chat = SupportChat(store, connect, model="qwen2.5-coder-1.5b")
    chat.say(conversation_id, "mia", "My parcel was lost.", visitor=cookie_id)    # returns at once
    chat.progress(conversation_id)                                 # the steps so far
    chat.answer(conversation_id, "mia", token, yes=True)           # the button of a question

The orders are the course's snapshot, put into the product's file when the first customer comes, and their
day is the snapshot's; the time in which a question can be confirmed is real. Who the customer is comes from
the signed cookie. A token is in the button's form and in the database, and in nothing that a model reads.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from openai import OpenAI

from aicourse.llm.keys import masked
from aicourse.marketplace.app.background import FAILURES, Background, problem_of, trace_id_of
from aicourse.marketplace.app.conversations import (
    SupportConversation,
    begin_turn,
    end_turn,
    find_conversation,
)
from aicourse.marketplace.app.store import Problem
from aicourse.monitoring.spans import span

if TYPE_CHECKING:
    from aicourse.agents.loop import Conversation
    from aicourse.agents.trajectory import Step
    from aicourse.agents.writes import Confirmation

CHAT_SECONDS = 120.0  # of a turn
CHAT_TOKENS = 150_000  # of a conversation
PRESS_SECONDS = 10.0  # that the answer to a question may take
PATIENCE = 0.05  # seconds between two looks at a conversation that another press has taken
EXPIRED = "That question has expired, so nothing was changed. Ask for it once more."
Begun = Literal["begun", "busy", "full"]
_log = logging.getLogger(__name__)


@dataclass
class SupportChat(Background):
    """Lets `model` work at the support desk, `limit_seconds` a turn; told are a turn's steps.

    A place is the visitor's, whichever customers they choose.
    """

    limit_seconds: float = CHAT_SECONDS
    _filling: threading.Lock = field(default_factory=threading.Lock, init=False)

    def customers(self) -> dict[str, str]:
        """The names of those who have bought something, by id."""
        query = "SELECT customer_id, name FROM customers WHERE customer_id IN (SELECT buyer FROM orders)"
        with self._shop() as connection:
            return {row["customer_id"]: row["name"] for row in connection.execute(f"{query} ORDER BY name")}

    def say(self, conversation_id: str, customer: str, text: str, *, visitor: str) -> Begun:
        """Let the model work on a customer's message; a message that is sent twice is said once."""
        said, ends = masked(text), time.monotonic() + self.limit_seconds
        told: list[Step] = []
        with self._places:
            if not self._has_place(visitor, conversation_id):
                return "full"
            ticket = begin_turn(self.store, conversation_id, customer, said, self.limit_seconds)
            found = find_conversation(self.store, conversation_id)
            if ticket is None or found is None:
                return "begun" if found and found.said == said else "busy"
            self._told[conversation_id] = visitor, told
        self.pool.submit(self._work, found, ticket, ends, told)
        return "begun"

    def answer(self, conversation_id: str, customer: str, token: str, *, yes: bool) -> str:
        """The customer's answer to a question; why it changed nothing, or "" if it is done, now or before."""
        ends = time.monotonic() + PRESS_SECONDS
        while (ticket := begin_turn(self.store, conversation_id, customer, None, PRESS_SECONDS)) is None:
            if conversation_id in self._told or time.monotonic() > ends:
                return "Our assistant is still at work on your last message. Wait for it, then press again."
            time.sleep(PATIENCE)  # the first of two presses
        found, trajectory = find_conversation(self.store, conversation_id), None
        try:
            if found is None or found.trajectory is None:
                return EXPIRED
            with self._opened(found) as conversation:
                if any(one.token == token for one in conversation.waiting):
                    conversation.answer(token, yes=yes)
                    trajectory = conversation.trajectory
                    return ""
                again = conversation.tools.confirm(token) if yes else conversation.tools.decline(token)
                return "" if again.status == "done" else EXPIRED
        finally:
            end_turn(self.store, conversation_id, ticket, trajectory, waits=found.said if found else "")

    def questions(self, found: SupportConversation) -> tuple[list[Confirmation], list[str]]:
        """The questions that wait for a button, else what came of the last ones, where it is not said."""
        if found.trajectory is None or not found.trajectory.turns:
            return [], []
        asked = [step.text for step in found.trajectory.steps if step.status == "asks"]
        last = [step.text for step in found.trajectory.turns[-1] if step.status == "asks"]
        with self._opened(found) as conversation, self._shop() as connection:
            waiting = [one for one in conversation.waiting if any(one.question in text for text in asked)]
            if not last or waiting:
                return waiting, []
            rows = connection.execute(
                "SELECT question, state, result FROM confirmations WHERE customer = ? ORDER BY rowid DESC",
                (found.customer_id,),
            ).fetchall()
        newest = [next((row for row in rows if row["question"] in text), None) for text in last]
        return [], [row["result"] if row and row["state"] == "done" else EXPIRED for row in newest]

    def _work(self, found: SupportConversation, ticket: int, ends: float, told: list[Step]) -> None:
        """One turn in a thread of its own: nothing that is raised here has anybody above it."""
        problem: Problem | None = None
        trajectory, trace_id = None, None
        try:
            with span("support") as current:
                trace_id = trace_id_of(current)
                with self._opened(found, self._connected(), ends, told.append) as conversation:
                    try:
                        conversation.say(found.said)
                    finally:
                        trajectory = conversation.trajectory
        except FAILURES as error:
            _log.warning("No reply in %s: %s", found.conversation_id, error)
            problem = problem_of(error)
        except Exception:
            _log.exception("A defect in the reply in %s.", found.conversation_id)
            problem = "down"
        finally:
            with self._places:
                end_turn(self.store, found.conversation_id, ticket, trajectory, trace_id, problem)
                del self._told[found.conversation_id]

    @contextmanager
    def _shop(self) -> Iterator[sqlite3.Connection]:
        from aicourse.marketplace.support.snapshot import course_shop  # with numpy: the shop starts without

        with self._filling:  # the first one does
            connection = course_shop(self.store.path)
        with closing(connection):
            yield connection

    @contextmanager
    def _opened(
        self,
        found: SupportConversation,
        client: OpenAI | None = None,
        ends: float = 0,
        tell: Callable[[Step], object] = lambda step: None,
    ) -> Iterator[Conversation]:
        """A conversation as it was left; only with a client can something be said in it."""
        from aicourse.agents import Tools, Writes
        from aicourse.marketplace.support.assistant import support_agent
        from aicourse.marketplace.support.desk import TABLES
        from aicourse.marketplace.support.snapshot import course_desk

        nobody: Any = None
        agent = support_agent(client or nobody, self.model, temperature=0)
        limits = replace(agent.limits, tokens=CHAT_TOKENS, seconds=ends - time.monotonic())
        with self._shop() as connection:
            desk = course_desk(connection, found.customer_id, found.conversation_id)
            tools = Tools.of(desk, Writes(connection, found.customer_id, watched=TABLES))
            begun = replace(agent, limits=limits)
            yield begun.start(tools, found.customer_id, tell=tell, earlier=found.trajectory)

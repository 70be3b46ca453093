"""Conversations with the support assistant in the product's SQLite file: one turn at a time, none lost.

    ticket = begin_turn(store, conversation_id, "mia", "Where is my table?", seconds=120)   # None: busy
    end_turn(store, conversation_id, ticket, trajectory)

A turn begins by taking the conversation, and ends by storing the trajectory and giving it back, in one
transaction each. One that was killed gives it back by its time limit; what was said is kept for it.
"""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass

from aicourse.agents.loop import HAND_OVER, HANDED_OVER
from aicourse.agents.trajectory import Trajectory
from aicourse.marketplace.app.store import Problem, Store
from aicourse.monitoring.feedback import record_thumb

_FOUND = """
    SELECT conversations.*, thumb FROM conversations
    LEFT JOIN feedback ON feedback.trace_id = coalesce(traces ->> '$[#-1]', conversation_id)
        AND feedback.seller_id = customer_id AND kind = 'explicit'"""


@dataclass(frozen=True, slots=True)
class SupportConversation:
    """A conversation after its last turn; `said` is the message of a turn that has not ended."""

    conversation_id: str
    customer_id: str
    trajectory: Trajectory | None
    said: str
    is_busy: bool
    problem: Problem | None
    handed_over: str | None
    traces: tuple[str, ...]
    changed_ns: int
    thumb: int | None

    @property
    def trace_id(self) -> str:
        """The trace that a thumb is about; the conversation's own id where nobody traces."""
        return self.traces[-1] if self.traces else self.conversation_id


def begin_turn(
    store: Store, conversation_id: str, customer: str, said: str | None, seconds: float
) -> int | None:
    """Take a conversation for a turn, a new one as well; None if it is taken, or is somebody else's.

    Without `said` it is the turn of a button, and a message that waits goes on waiting.
    """
    now = time.time_ns()
    ticket = now + int(seconds * 1e9)
    with store.changing() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO conversations (conversation_id, customer_id, began_ns, changed_ns) "
            "VALUES (?, ?, ?, ?)",
            (conversation_id, customer, now, now),
        )
        taken = connection.execute(
            "UPDATE conversations SET busy_until_ns = ?, said = coalesce(?, said) "
            "WHERE conversation_id = ? AND customer_id = ? AND busy_until_ns <= ?",
            (ticket, said, conversation_id, customer, now),
        )
    return ticket if taken.rowcount else None


def end_turn(
    store: Store,
    conversation_id: str,
    ticket: int,
    trajectory: Trajectory | None = None,
    trace_id: str | None = None,
    problem: Problem | None = None,
    waits: str = "",
) -> None:
    """Store a turn and give the conversation back; without a trajectory, what was said still waits.

    With one, the message that `waits` is another one, which nobody has answered.
    """
    kept = trajectory.to_json() if trajectory else None
    why = handed_over(trajectory) if trajectory else None
    with store.changing() as connection:
        connection.execute(
            "UPDATE conversations SET busy_until_ns = 0, problem = ?, changed_ns = ?, "
            "said = CASE WHEN ? IS NULL THEN said ELSE ? END, "
            "trajectory = coalesce(?, trajectory), handed_over = coalesce(?, handed_over), "
            "traces = CASE WHEN ? IS NULL THEN traces ELSE json_insert(traces, '$[#]', ?) END "
            "WHERE conversation_id = ? AND busy_until_ns = ?",
            (problem, time.time_ns(), kept, waits, kept, why, trace_id, trace_id, conversation_id, ticket),
        )


def handed_over(trajectory: Trajectory) -> str | None:
    """The reason why a colleague goes on; None while the assistant does."""
    for call in trajectory.calls:
        if (call.tool, call.status) == (HAND_OVER, "done"):
            given = call.arguments
            return "asked by the model" if isinstance(given, str) else str(given.get("reason", "no reason"))
    return (trajectory.stopped or "no reply") if HANDED_OVER in trajectory.replies[-1:] else None


def find_conversation(store: Store, conversation_id: str) -> SupportConversation | None:
    """A conversation, whoever had it."""
    with store.reading() as connection:
        row = connection.execute(f"{_FOUND} WHERE conversation_id = ?", (conversation_id,)).fetchone()
    return _conversation(row) if row else None


def list_conversations(
    store: Store, most: int, *, customer: str | None = None, handed_over: bool = False
) -> list[SupportConversation]:
    """Everybody's conversations, or one customer's, or those that were handed over, the newest first."""
    where = "WHERE (?1 IS NULL OR customer_id = ?1) AND (?2 = 0 OR handed_over IS NOT NULL)"
    query = f"{_FOUND} {where} ORDER BY changed_ns DESC LIMIT ?3"
    with store.reading() as connection:
        return [_conversation(row) for row in connection.execute(query, (customer, handed_over, most))]


def judge_reply(store: Store, found: SupportConversation, thumb: int, reason: str, words: str) -> None:
    """Keep the customer's thumb on the last turn, with the reason and words of their own."""
    with store.changing() as connection:
        record_thumb(
            connection, found.trace_id, thumb=thumb, reason=reason, text=words, seller_id=found.customer_id
        )


def _conversation(row: sqlite3.Row) -> SupportConversation:
    return SupportConversation(
        conversation_id=row["conversation_id"],
        customer_id=row["customer_id"],
        trajectory=Trajectory.from_json(row["trajectory"]) if row["trajectory"] else None,
        said=row["said"],
        is_busy=row["busy_until_ns"] > time.time_ns(),
        problem=row["problem"],
        handed_over=row["handed_over"],
        traces=tuple(json.loads(row["traces"])),
        changed_ns=row["changed_ns"],
        thumb=row["thumb"],
    )

"""Writes: what changes something waits for the customer's yes, and is done once or not at all.

    confirmation = writes.ask("refund_order", {"order_id": 1006}, lambda: refund_order(1006))
    confirmation.question                      # "Refund 45.00 €?", by the tool, from the database
    writes.perform(confirmation.token, …)      # what the button does; twice, it is done once

A confirmation is a row of the database that it is about. Its token is random and goes to the customer's
button alone: no message holds it, so no model can make one up or pass one on. It is good for one tool with
one set of arguments and one customer, and for some minutes. When it is used, the tool checks its rules and
makes its question again: if that has changed, nothing is done. The effect and the note that it was done are
one transaction, so a process that is killed has done both or neither; a second press gets the first result.

`RowChange` is evidence apart from what a tool says: triggers of the connection note each row that changes.
Not handled: tools that commit by themselves, effects outside the database (give those the token as their
idempotency key), columns that hold bytes.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic_core import to_jsonable_python

from aicourse.errors import AgentError, ToolRefused

OPEN_FOR = timedelta(minutes=15)  # a question to the customer
Write = Generator[str, None, str]  # the question to the customer, then the result
Run = Callable[[str, dict[str, Any]], Write]
_TABLE = """
    CREATE TABLE IF NOT EXISTS confirmations (
        token TEXT PRIMARY KEY, customer TEXT NOT NULL, tool TEXT NOT NULL, arguments TEXT NOT NULL,
        question TEXT NOT NULL, expires_at TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'declined')), result TEXT
    )"""
_CHANGES = """
    CREATE TEMP TABLE IF NOT EXISTS row_changes (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, operation TEXT NOT NULL, before TEXT, after TEXT
    )"""


@dataclass(frozen=True)
class Confirmation:
    """A question to the customer; `token` belongs to the button, and to nothing that a model reads."""

    token: str
    tool: str
    arguments: Mapping[str, Any]
    question: str


@dataclass(frozen=True)
class RowChange:
    """A row that was changed, with its columns; `before` of an insert and `after` of a delete are empty."""

    table: str
    operation: Literal["insert", "update", "delete"]
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def __str__(self) -> str:
        rows = {
            key: value for key, value in self.after.items() if self.before.get(key) != value
        } or self.before
        return f"{self.operation} {self.table}: " + ", ".join(f"{key}={value}" for key, value in rows.items())


class Writes:
    """The writes of one customer's session; `watched` are the tables whose changes are noted."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        customer: str,
        *,
        watched: tuple[str, ...] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.connection, self.customer = connection, customer
        self._now = now
        connection.execute(_TABLE)
        connection.execute(_CHANGES)
        (self._seen,) = connection.execute("SELECT coalesce(max(id), 0) FROM temp.row_changes").fetchone()
        for table in watched:
            _watch(connection, table)

    def ask(self, tool: str, arguments: dict[str, Any], run: Callable[[], Write]) -> Confirmation:
        """The question of a write, which is not done: what it did on the way there is undone.

        The same write again is the same confirmation, as long as it waits.

        Raises:
            ToolRefused: the tool's own rules.
        """
        with self._transaction():
            question = _question(run())
            self.connection.rollback()
        kept = json.dumps(to_jsonable_python(arguments), sort_keys=True)
        waiting = [one for one in self.waiting() if (one.tool, one.question) == (tool, question)]
        for one in waiting:
            if json.dumps(one.arguments, sort_keys=True) == kept:
                return one
        asked = Confirmation(secrets.token_urlsafe(24), tool, json.loads(kept), question)
        expires = (self._now() + OPEN_FOR).isoformat()
        row = (asked.token, self.customer, tool, kept, question, expires)
        with self._transaction():
            self.connection.execute(
                "INSERT INTO confirmations (token, customer, tool, arguments, question, expires_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
        return asked

    def waiting(self) -> list[Confirmation]:
        """The questions that the customer has not answered, in the order in which they were asked."""
        rows = self.connection.execute(
            "SELECT token, tool, arguments, question FROM confirmations "
            "WHERE customer = ? AND state = 'waiting' AND expires_at > ? ORDER BY rowid",
            (self.customer, self._now().isoformat()),
        )
        return [Confirmation(row[0], row[1], json.loads(row[2]), row[3]) for row in rows]

    def perform(self, token: str, run: Run) -> str:
        """The result of the write that the token stands for, which is done now; `run` makes the tool begin.

        A token that was used gives the first result again.

        Raises:
            ToolRefused: no such question to this customer, it is too late, it was declined, or the facts have
                changed since.
        """
        with self._transaction():
            tool, arguments, question, expires, state, result = self._row(token)
            if state == "done":
                return str(result)
            if state == "declined" or expires <= self._now().isoformat():
                raise ToolRefused("That question is no longer open. Ask for it once more.")
            write = run(tool, json.loads(arguments))
            if _question(write) != question:
                raise ToolRefused("The facts have changed since you were asked. Ask for it once more.")
            result = _finished(write)
            if not self.connection.in_transaction:
                raise AgentError(f"{tool} commits by itself. Leave that out: its effect may be done twice.")
            done = "UPDATE confirmations SET state = 'done', result = ? WHERE token = ?"
            self.connection.execute(done, (result, token))
        return result

    def decline(self, token: str) -> bool:
        """Note the customer's no; False if nothing waits for it, as a write that was done stays done."""
        with self._transaction():
            noted = self.connection.execute(
                "UPDATE confirmations SET state = 'declined' "
                "WHERE token = ? AND customer = ? AND state = 'waiting'",
                (token, self.customer),
            )
            return noted.rowcount > 0

    def new_changes(self) -> tuple[RowChange, ...]:
        """The rows of watched tables that this connection changed since the last time it was asked."""
        rows = self.connection.execute(
            "SELECT * FROM temp.row_changes WHERE id > ? ORDER BY id", (self._seen,)
        ).fetchall()
        self._seen = rows[-1][0] if rows else self._seen
        return tuple(RowChange(row[1], row[2], json.loads(row[3]), json.loads(row[4])) for row in rows)

    def _row(self, token: str) -> tuple[Any, ...]:
        row = self.connection.execute(
            "SELECT tool, arguments, question, expires_at, state, result FROM confirmations "
            "WHERE token = ? AND customer = ?",
            (token, self.customer),
        ).fetchone()
        if row is None:
            raise ToolRefused("There is no such question to you. Ask for it once more.")
        return tuple(row)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Nobody else writes meanwhile; an exception undoes all."""
        with self.connection:
            self.connection.execute("BEGIN IMMEDIATE")
            yield


def _question(write: Write) -> str:
    try:
        return next(write)
    except StopIteration:
        raise AgentError("A tool that writes ended without asking. Let it yield its question.") from None


def _finished(write: Write) -> str:
    try:
        next(write)
    except StopIteration as end:
        return str(end.value)
    raise AgentError("A tool that writes asked twice. Let it yield one question.")


def _watch(connection: sqlite3.Connection, table: str) -> None:
    """Triggers of this connection alone that note each changed row of a table."""
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    if not columns:
        raise AgentError(f"There is no table {table!r} to watch. Name one of the database.", table=table)

    def row(version: str) -> str:
        return "json_object(" + ", ".join(f"'{column}', {version}.\"{column}\"" for column in columns) + ")"

    for operation, before, after in (
        ("insert", "'{}'", row("new")),
        ("update", row("old"), row("new")),
        ("delete", row("old"), "'{}'"),
    ):
        connection.execute(
            f'CREATE TEMP TRIGGER IF NOT EXISTS "note_{operation}_{table}" '
            f'AFTER {operation} ON main."{table}" '
            f"BEGIN INSERT INTO row_changes (name, operation, before, after) "
            f"VALUES ('{table}', '{operation}', {before}, {after}); END"
        )

"""Writes: once or not at all, by the right customer, after a yes that no model can give."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aicourse.agents.tools import ToolResult, Tools, tool
from aicourse.agents.writes import Write, Writes
from aicourse.errors import AgentError, ToolRefused

SCHEMA = "CREATE TABLE IF NOT EXISTS payments (number INTEGER PRIMARY KEY, cents INTEGER NOT NULL)"


class Cash:
    """A till; `limit` is a rule that may change between question and answer."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection, self.limit, self.price = connection, 100, 50

    @tool(writes=True)
    def pay(self, number: int, cents: int = 50) -> Write:
        """Pay out."""
        if cents > self.limit:
            raise ToolRefused("Too much. Take less.")
        self.connection.execute("INSERT INTO payments VALUES (?, 0)", (1_000 + number,))  # before the yes
        self.connection.execute("DELETE FROM payments WHERE number = ?", (1_000 + number,))
        yield f"Pay {cents} for {number} at {self.price}?"
        self.connection.execute("INSERT INTO payments VALUES (?, ?)", (number, cents))
        return f"Paid {cents}."


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def connection(tmp_path: Path) -> sqlite3.Connection:
    made = sqlite3.connect(tmp_path / "till.sqlite")
    made.execute(SCHEMA)
    return made


def payments(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    return connection.execute("SELECT * FROM payments").fetchall()


def session(connection: sqlite3.Connection, customer: str = "mia", **options: Any) -> tuple[Cash, Tools]:
    cash = Cash(connection)
    return cash, Tools.of(cash, Writes(connection, customer, watched=("payments",), **options))


def token_of(result: ToolResult) -> str:
    assert result.confirmation is not None
    return result.confirmation.token


def test_a_write_waits_is_done_once_and_its_rows_are_noted(connection: sqlite3.Connection) -> None:
    _, tools = session(connection)
    asked = tools.call("pay", {"number": 7})
    assert (asked.status, payments(connection), asked.changes) == ("asks", [], ())
    assert token_of(asked) not in asked.text
    done = tools.confirm(token_of(asked))
    assert (done.status, done.text, payments(connection)) == ("done", "Paid 50.", [(7, 50)])
    assert [str(change) for change in done.changes][-1] == "insert payments: number=7, cents=50"
    again = tools.confirm(token_of(asked))
    assert (again.status, again.text, again.changes, payments(connection)) == (
        "done",
        "Paid 50.",
        (),
        [(7, 50)],
    )


def test_the_same_write_is_one_question_and_another_one_is_its_own(connection: sqlite3.Connection) -> None:
    _, tools = session(connection)
    first, same = tools.call("pay", '{"number": 7}'), tools.call("pay", {"number": "7", "cents": 50})
    other = tools.call("pay", {"number": 8})
    assert token_of(first) == token_of(same) != token_of(other)
    assert tools.writes is not None
    assert [one.arguments["number"] for one in tools.writes.waiting()] == [7, 8]


def test_a_token_is_good_for_its_customer_alone(connection: sqlite3.Connection) -> None:
    _, tools = session(connection)
    _, others = session(connection, "tom")
    token = token_of(tools.call("pay", {"number": 7}))
    for forged in (token, token[:-1], "", "yes", "1"):
        assert others.confirm(forged).status == "refused"
    assert payments(connection) == []
    assert others.writes is not None
    others.writes.decline(token)
    assert tools.confirm(token).status == "done"


def test_a_question_runs_out_and_can_be_declined(connection: sqlite3.Connection) -> None:
    clock = Clock()
    _, tools = session(connection, now=clock)
    assert tools.writes is not None
    late, declined = (token_of(tools.call("pay", {"number": number})) for number in (7, 8))
    tools.writes.decline(declined)
    assert tools.confirm(declined).status == "refused"
    clock.now += timedelta(minutes=15)
    assert tools.confirm(late).status == "refused"
    assert tools.writes.waiting() == []
    assert payments(connection) == []
    assert token_of(tools.call("pay", {"number": 7})) != late


def test_the_rules_and_the_question_are_looked_at_again(connection: sqlite3.Connection) -> None:
    cash, tools = session(connection)
    token = token_of(tools.call("pay", {"number": 7}))
    cash.limit = 10
    assert tools.confirm(token).text == "Too much. Take less."
    cash.limit, cash.price = 100, 60
    assert "have changed since" in tools.confirm(token).text
    assert payments(connection) == []
    cash.price = 50
    assert tools.confirm(token).status == "done"


def test_an_effect_that_fails_leaves_nothing_and_the_question_open(connection: sqlite3.Connection) -> None:
    _, tools = session(connection)
    token = token_of(tools.call("pay", {"number": 7}))
    connection.execute("INSERT INTO payments VALUES (7, 1)")  # in the way
    connection.commit()
    assert tools.confirm(token).status == "failed"
    connection.execute("DELETE FROM payments")
    connection.commit()
    assert tools.confirm(token).text == "Paid 50."
    assert payments(connection) == [(7, 50)]


def test_a_tool_that_commits_by_itself_or_asks_twice_is_found_out(connection: sqlite3.Connection) -> None:
    @tool(writes=True)
    def commits() -> Write:
        """Pay at once."""
        yield "Pay?"
        connection.commit()
        return "paid"

    @tool(writes=True)
    def asks_twice() -> Write:
        """Pay slowly."""
        yield "Pay?"
        yield "Really?"
        return "paid"

    writes = Writes(connection, "mia")
    for one in (commits, asks_twice):
        asked = writes.ask(one.name, {}, one.function)
        with pytest.raises(AgentError, match=r"commits by itself|asked twice"):
            writes.perform(asked.token, lambda name, arguments, one=one: one.function(**arguments))  # type: ignore[misc]


def test_two_sessions_press_at_once_and_it_is_done_once(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    _, tools = session(connection)
    token = token_of(tools.call("pay", {"number": 7}))
    script = textwrap.dedent(
        f"""
        import sqlite3, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_writes import session
        connection = sqlite3.connect({str(tmp_path / "till.sqlite")!r}, timeout=30)
        print(session(connection)[1].confirm({token!r}).text)
        """
    )
    presses = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [press.communicate()[0].strip() for press in presses] == ["Paid 50."] * 3
    assert payments(connection) == [(7, 50)]


KILLED = """
import os, signal, sqlite3, sys
sys.path.insert(0, {folder!r})
import test_writes
connection = sqlite3.connect({path!r})
cash, tools = test_writes.session(connection)
def kill(statement):
    if {before!r} in statement:
        os.kill(os.getpid(), signal.SIGKILL)
connection.set_trace_callback(kill)
tools.confirm({token!r})
if {before!r} == "after":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize(
    ("before", "done"),
    [("INSERT INTO payments VALUES (7", 0), ("UPDATE confirmations", 0), ("COMMIT", 0), ("after", 1)],
)
def test_killed_in_the_middle_a_write_is_done_once_or_not_at_all(
    connection: sqlite3.Connection, tmp_path: Path, before: str, done: int
) -> None:
    _, tools = session(connection)
    token = token_of(tools.call("pay", {"number": 7}))
    script = KILLED.format(
        folder=str(Path(__file__).parent), path=str(tmp_path / "till.sqlite"), before=before, token=token
    )
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(payments(connection)) == done
    assert tools.confirm(token).text == "Paid 50."  # taken up again: by another process, after a crash
    assert payments(connection) == [(7, 50)]


def test_only_tables_that_are_there_can_be_watched(connection: sqlite3.Connection) -> None:
    with pytest.raises(AgentError, match="no table 'refunds' to watch"):
        Writes(connection, "mia", watched=("refunds",))


def test_updates_and_deletes_are_noted_with_both_versions(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO payments VALUES (1, 5)")
    writes = Writes(connection, "mia", watched=("payments",))
    connection.execute("UPDATE payments SET cents = 6")
    connection.execute("DELETE FROM payments")
    changed, deleted = writes.new_changes()
    assert (changed.operation, changed.before["cents"], changed.after["cents"]) == ("update", 5, 6)
    assert (deleted.operation, deleted.before, deleted.after) == ("delete", {"number": 1, "cents": 6}, {})
    assert str(changed) == "update payments: cents=6"
    assert writes.new_changes() == ()
    connection.rollback()

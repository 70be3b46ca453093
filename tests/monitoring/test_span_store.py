from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, TraceFlags

from aicourse.marketplace.app import admin
from aicourse.monitoring import SpanStore, span_store
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database

DAY = 86_400 * 10**9
NOW = time.time_ns()


def made(
    number: int, *, started: int | None = None, parent: int | None = None, **attributes: Any
) -> ReadableSpan:
    """Span `number`, which began that many milliseconds from now."""
    context = SpanContext(number // 10 + 1, number + 1, False, TraceFlags(1))
    above = SpanContext(number // 10 + 1, parent + 1, False, TraceFlags(1)) if parent is not None else None
    begun = NOW + number * 10**6 if started is None else started
    return ReadableSpan(
        f"span {number}", context, above, attributes=attributes, start_time=begun, end_time=begun + 25 * 10**7
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SpanStore]:
    opened = SpanStore(tmp_path / "product.sqlite")
    yield opened
    opened.shutdown()


def stored(store: SpanStore) -> list[sqlite3.Row]:
    """What is in the file, the newest first."""
    return store._connection.execute("SELECT * FROM spans ORDER BY started_ns DESC, span_id DESC").fetchall()


def names(store: SpanStore) -> list[str]:
    return [row["name"] for row in stored(store)]


def dropped(store: SpanStore) -> dict[str, int]:
    return dict(store._connection.execute("SELECT reason, spans FROM dropped").fetchall())


def test_a_span_comes_back_as_it_was(store: SpanStore) -> None:
    facts = {
        "gen_ai.usage.input_tokens": 5,
        "aicourse.cost_usd": 0.25,
        "aicourse.valid": False,
        "other": ["a"],
    }
    store.export([made(7, parent=3, **facts)])
    (row,) = stored(store)
    assert tuple(row)[:4] == (f"{8:016x}", f"{1:032x}", f"{4:016x}", "span 7")
    assert (row["started_ns"], row["seconds"], row["status"]) == (NOW + 7 * 10**6, 0.25, "ok")
    assert (row["input_tokens"], row["cost_usd"], row["valid"], row["model"]) == (5, 0.25, 0, None)
    assert (json.loads(row["attributes"]), row["events"]) == (facts, "[]")


def test_a_span_that_is_sent_twice_is_there_once(store: SpanStore) -> None:
    store.export([made(1), made(1)])
    store.export([made(1)])
    assert len(stored(store)) == 1


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (span_store._OLDEST, "COVERING INDEX spans_by_time"),
        (span_store._DELETE.format("spans", "started_ns"), "COVERING INDEX spans_by_time"),
        (span_store._DELETE.format("scores", "scored_ns"), "COVERING INDEX scores_by_time"),
        (admin._TRACES, "spans_of_roots"),
        (admin._TRACES, "spans_by_trace"),
        (admin._FEEDBACK, "feedback_time"),
        (
            "SELECT * FROM spans WHERE prompt = 'a' AND prompt_version = 'v1' AND started_ns > 9",
            "spans_by_prompt",
        ),
        ("SELECT * FROM spans WHERE trace_id = 'a' ORDER BY started_ns", "spans_by_trace"),
    ],
)
def test_questions_to_a_million_spans_use_an_index(store: SpanStore, query: str, index: str) -> None:
    values = {"before": "", "end": 1, "rows": 1} if ":rows" in query else (1,) * query.count("?")
    found = store._connection.execute(f"EXPLAIN QUERY PLAN {query}", values)
    plan = " ".join(row["detail"] for row in found)
    assert index in plan
    assert not re.search(r"SCAN (spans|scores|feedback)( |$)(?!USING)", plan)


def test_a_locked_file_costs_a_batch_and_the_count_is_written_later(store: SpanStore, tmp_path: Path) -> None:
    store._connection.execute("PRAGMA busy_timeout = 10")
    other = database(tmp_path / "product.sqlite", "monitoring", MIGRATIONS)
    other.execute("BEGIN IMMEDIATE")
    assert store.export([made(1), made(2)]) is SpanExportResult.FAILURE
    assert stored(store) == []  # readers go on
    other.rollback()
    assert dropped(store) == {}
    assert store.export([made(3)]) is SpanExportResult.SUCCESS
    store.count_dropped("queue full")
    store.export([])
    assert dropped(store) == {"OperationalError while writing": 2, "queue full": 1}
    store.export([made(4)])
    assert dropped(store) == {"OperationalError while writing": 2, "queue full": 1}  # counted once


def test_a_full_disk_costs_a_batch_whole(store: SpanStore) -> None:
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 10}")
    assert store.export([made(1)]) is SpanExportResult.SUCCESS
    assert (
        store.export([made(number, text="x" * 20_000) for number in range(2, 6)]) is SpanExportResult.FAILURE
    )
    assert names(store) == ["span 1"]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 1_000}")
    store.export([made(6)])
    assert (names(store), dropped(store)) == (
        ["span 6", "span 1"],
        {"OperationalError while writing": 4},
    )


def test_old_spans_and_those_beyond_the_count_go(tmp_path: Path) -> None:
    path = tmp_path / "product.sqlite"
    store = SpanStore(path)
    event = Event(
        "gen_ai.evaluation.result",
        {"gen_ai.evaluation.name": "fits", "aicourse.evaluation.source": "rule"},
        NOW - 8 * DAY,
    )
    old = made(1, started=NOW - 8 * DAY)
    old._events = [event]
    store.export([old, made(2, started=NOW - 6 * DAY), *(made(number) for number in range(3, 13))])
    assert store._connection.execute("SELECT count(*) FROM scores").fetchone()[0] == 1
    store.shutdown()
    store = SpanStore(path, days=7)
    store.export([made(20)])
    assert names(store)[-1] == "span 2"
    assert len(stored(store)) == 12
    assert store._connection.execute("SELECT count(*) FROM scores").fetchone()[0] == 0
    store.shutdown()
    store = SpanStore(path, spans=5)
    store.export([])
    assert names(store) == [f"span {number}" for number in (20, 12, 11, 10, 9)]
    store.shutdown()


def test_a_data_set_stays_however_old_it_is(store: SpanStore) -> None:
    store.export([made(1, started=NOW - 90 * DAY), made(2, started=NOW - 80 * DAY), made(3)])
    assert names(store) == ["span 3"]
    with store._connection as connection:
        connection.execute("INSERT INTO data_sets VALUES ('fortnight', ?)", (NOW - 80 * DAY,))
    store.export([made(1, started=NOW - 90 * DAY), made(2, started=NOW - 80 * DAY)])
    store.export([made(4, started=NOW - 70 * DAY)])
    assert names(store) == ["span 3", "span 2", "span 1"]


def test_much_that_is_old_goes_in_steps(store: SpanStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.export([made(number) for number in range(30)])
    monkeypatch.setattr(span_store, "_AT_A_TIME", 10)
    store._days, kept = -1, []
    for _ in range(4):
        store.export([])
        kept.append(len(stored(store)))
    assert kept == [20, 10, 0, 0]


def test_old_spans_that_cannot_be_deleted_now_cost_no_new_ones(
    store: SpanStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(span_store, "_DELETE", "DELETE FROM missing_{0} WHERE {1} < ? LIMIT ?")
    assert store.export([made(1)]) is SpanExportResult.SUCCESS
    assert (names(store), dropped(store)) == (["span 1"], {})


@pytest.mark.parametrize("value", [["a", "b"], {"a": 1}])
def test_a_fact_of_a_strange_type_costs_no_batch(store: SpanStore, value: Any) -> None:
    store.export([made(1, **{"gen_ai.prompt.name": value}), made(2)])
    second, first = stored(store)
    assert (second["name"], first["prompt"]) == ("span 2", None)
    assert json.loads(first["attributes"]) == {"gen_ai.prompt.name": value}


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from test_span_store import SpanStore, made
store = SpanStore(sys.argv[1])
store.export([made(number) for number in range(100)])
writer, given = store._connection, 0
def kill(*_):
    global given
    given += 1
    if given == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return 0
writer.set_progress_handler(kill, 500)
store.export([made(number, text="x" * 20_000) for number in range(100, 600)])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("moment", [3, 12])
def test_a_process_killed_in_a_batch_leaves_the_batches_before(tmp_path: Path, moment: int) -> None:
    path = tmp_path / "product.sqlite"
    command = [sys.executable, "-c", KILLED, str(path), str(Path(__file__).parent), str(moment)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM spans").fetchone()[0] == 100
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()

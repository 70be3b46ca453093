from __future__ import annotations

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

from aicourse.monitoring import SpanStore
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


def names(records: list[Any]) -> list[str]:
    return [record.name for record in records]


def test_a_span_comes_back_as_it_was(store: SpanStore) -> None:
    facts = {
        "gen_ai.usage.input_tokens": 5,
        "aicourse.cost_usd": 0.25,
        "aicourse.valid": False,
        "other": ["a"],
    }
    store.export([made(7, parent=3, **facts)])
    (record,) = store.page()
    assert (record.span_id, record.trace_id, record.parent_id) == (f"{8:016x}", f"{1:032x}", f"{4:016x}")
    assert (record.started_ns, record.seconds, record.status) == (NOW + 7 * 10**6, 0.25, "ok")
    assert (record.input_tokens, record.cost_usd, record.valid, record.model) == (5, 0.25, 0, None)
    assert record.attributes == facts


def test_a_span_that_is_sent_twice_is_there_once(store: SpanStore) -> None:
    store.export([made(1), made(1)])
    store.export([made(1)])
    assert len(store.page()) == 1


def test_pages_go_back_in_time_without_gaps_or_repeats(store: SpanStore) -> None:
    same_moment = [made(number, started=NOW) for number in range(7)]
    store.export([*same_moment, *(made(number, parent=0) for number in range(10, 20))])
    seen, page = [], store.page(limit=4)
    while page:
        seen += page
        store.export([made(1_000 + len(seen))])  # newer ones do not move the pages
        page = store.page(limit=4, before=page[-1])
    assert names(seen) == [f"span {number}" for number in [*range(19, 9, -1), *range(6, -1, -1)]]
    roots = [name for name in names(store.page(roots=True)) if int(name.split()[1]) < 1_000]
    assert roots == [f"span {number}" for number in range(6, -1, -1)]


def test_a_trace_is_in_order_and_whole(store: SpanStore) -> None:
    store.export([made(number) for number in (13, 11, 12, 25)])
    assert names(store.trace(f"{2:032x}")) == ["span 11", "span 12", "span 13"]
    assert store.trace("f" * 32) == []


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT * FROM spans ORDER BY started_ns DESC, span_id DESC LIMIT 50", "spans_by_time"),
        (
            "SELECT * FROM spans WHERE (started_ns, span_id) < (9, 'a') AND parent_id IS NULL"
            " ORDER BY started_ns DESC, span_id DESC LIMIT 50",
            "spans_of_roots",
        ),
        (
            "SELECT * FROM spans WHERE prompt = 'a' AND prompt_version = 'v1' AND started_ns > 9",
            "spans_by_prompt",
        ),
        ("SELECT * FROM spans WHERE trace_id = 'a' ORDER BY started_ns", "spans_by_trace"),
    ],
)
def test_questions_use_an_index_and_sort_nothing(store: SpanStore, query: str, index: str) -> None:
    plan = " ".join(row["detail"] for row in store._reader.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_a_locked_file_costs_a_batch_and_the_count_is_written_later(store: SpanStore, tmp_path: Path) -> None:
    store._writer.execute("PRAGMA busy_timeout = 10")
    other = database(tmp_path / "product.sqlite", "monitoring", MIGRATIONS)
    other.execute("BEGIN IMMEDIATE")
    assert store.export([made(1), made(2)]) is SpanExportResult.FAILURE
    assert store.page() == []  # readers go on
    other.rollback()
    assert store.dropped() == {}
    assert store.export([made(3)]) is SpanExportResult.SUCCESS
    store.count_dropped("queue full")
    store.export([])
    assert store.dropped() == {"OperationalError while writing": 2, "queue full": 1}
    store.export([made(4)])
    assert store.dropped() == {"OperationalError while writing": 2, "queue full": 1}  # counted once


def test_a_full_disk_costs_a_batch_whole(store: SpanStore) -> None:
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages + 10}")
    assert store.export([made(1)]) is SpanExportResult.SUCCESS
    assert (
        store.export([made(number, text="x" * 20_000) for number in range(2, 6)]) is SpanExportResult.FAILURE
    )
    assert names(store.page()) == ["span 1"]
    store._writer.execute(f"PRAGMA max_page_count = {pages + 1_000}")
    store.export([made(6)])
    assert (names(store.page()), store.dropped()) == (
        ["span 6", "span 1"],
        {"OperationalError while writing": 4},
    )


def test_old_spans_and_those_beyond_the_count_go(tmp_path: Path) -> None:
    path = tmp_path / "product.sqlite"
    store = SpanStore(path, days=7)
    event = Event(
        "gen_ai.evaluation.result",
        {"gen_ai.evaluation.name": "fits", "aicourse.evaluation.source": "rule"},
        NOW - 8 * DAY,
    )
    old = made(1, started=NOW - 8 * DAY)
    old._events = [event]
    store._since_cleaning = 0
    store.export([old, made(2, started=NOW - 6 * DAY), *(made(number) for number in range(3, 13))])
    assert store._reader.execute("SELECT count(*) FROM scores").fetchone()[0] == 1
    store.shutdown()
    store = SpanStore(path, days=7)  # cleaned with the first batch
    store.export([made(20)])
    assert names(store.page())[-1] == "span 2"
    assert len(store.page()) == 12
    assert store._reader.execute("SELECT count(*) FROM scores").fetchone()[0] == 0
    store.shutdown()
    store = SpanStore(path, spans=5)
    store.export([])
    assert names(store.page()) == [f"span {number}" for number in (20, 12, 11, 10, 9)]
    store.shutdown()


@pytest.mark.parametrize("value", [["a", "b"], {"a": 1}])
def test_a_fact_of_a_strange_type_costs_no_batch(store: SpanStore, value: Any) -> None:
    store.export([made(1, **{"gen_ai.prompt.name": value}), made(2)])
    second, first = store.page()
    assert (second.name, first.prompt, first.attributes) == ("span 2", None, {"gen_ai.prompt.name": value})


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from test_span_store import SpanStore, made
store = SpanStore(sys.argv[1])
store.export([made(number) for number in range(100)])
writer, given = store._writer, 0
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

"""Metrics: each against a few requests whose answer can be counted by hand."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aicourse.errors import MonitoringError, StoreError
from aicourse.monitoring.metrics import (
    ALWAYS,
    Window,
    add_up,
    open_metrics,
    read_corrections,
    read_metrics,
    read_mix,
    read_scores,
    read_series,
)
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database

Write = Callable[..., str]


def test_rates_by_day(store: sqlite3.Connection, write: Write) -> None:
    write("2026-10-05 09:10", thumb=1)
    write("2026-10-05 23:59", valid=0, empty_fields=None, thumb=-1)
    write("2026-10-05 12:00", status="error", valid=None, empty_fields=None, calls=())
    write("2026-10-06 00:00", empty_fields=4)
    table = read_metrics(store)
    assert table.index.tolist() == ["2026-10-05", "2026-10-06"]
    first = table.loc["2026-10-05"]
    assert first["requests"] == 3
    assert first["failed"] == pytest.approx(1 / 3)
    assert first["invalid"] == 0.5  # of those that were answered
    assert first["empty_fields"] == 2
    assert first["disliked"] == 0.5
    assert table.loc["2026-10-06", "empty_fields"] == 4
    assert np.isnan(table.loc["2026-10-06", "disliked"])


def test_tokens_are_counted_once_and_by_price(store: sqlite3.Connection, write: Write) -> None:
    """A span above the call repeats its tokens, as some frameworks do; a request may take two calls."""
    repeated = {"input_tokens": 1_000, "cached_tokens": 800, "output_tokens": 50, "cost_usd": 0.5}
    write("2026-10-05 09:00", **repeated)
    write("2026-10-05 10:00", calls=((1_000, 800, 50, 0.1), (1_200, None, 60, 0.3)))
    row = read_metrics(store).loc["2026-10-05"]
    assert (row["uncached_tokens"], row["cached_tokens"], row["output_tokens"]) == (1_600, 1_600, 160)
    assert row["cost_usd"] == pytest.approx(0.0002 + 0.4)
    assert row["cost_per_request"] == pytest.approx(row["cost_usd"] / 2)


def test_a_call_is_counted_wherever_it_lies(store: sqlite3.Connection, write: Write) -> None:
    """A framework's own span lies above the call; or it tells of the call twice, one within the other."""
    trace = write("2026-10-05 09:00", calls=())
    add = """INSERT INTO spans (span_id, trace_id, parent_id, name, started_ns, seconds, status, operation,
        input_tokens, output_tokens, cost_usd, attributes, events)
        VALUES (?, ?, ?, 'x', 0, 1, 'ok', ?, 900, 50, 0.1, '{}', '[]')"""
    store.execute(add, ("chain", trace, trace[16:], "invoke_agent"))
    store.execute(add, ("outer", trace, "chain", "chat"))
    store.execute(add, ("inner", trace, "outer", "chat"))
    row = read_metrics(store).loc["2026-10-05"]
    assert (row["uncached_tokens"], row["output_tokens"], row["cost_usd"]) == (900, 50, 0.1)


def test_percentiles_are_those_of_numpy_over_answers(store: sqlite3.Connection, write: Write) -> None:
    seconds = [0.2, 0.4, 0.9, 1.7, 5.0, 0.3, 1.1]
    for number, value in enumerate(seconds):
        write(f"2026-10-05 09:0{number}", seconds=value, client="ios 1")
    write("2026-10-05 09:30", seconds=60.0, client="ios 1", status="error")
    write("2026-10-05 09:30", seconds=60.0, client="web 2")
    write("2026-10-05 09:30", seconds=60.0, client="web 3", status="error")
    table = read_metrics(store, ["hour", "client"]).loc["2026-10-05 09:00"]
    assert table.loc["ios 1", "p50_seconds"] == pytest.approx(np.quantile(seconds, 0.5))
    assert table.loc["ios 1", "p95_seconds"] == pytest.approx(np.quantile(seconds, 0.95))
    assert np.isnan(table.loc["web 3", "p95_seconds"])
    assert read_series(store, "seconds", "day", None, ALWAYS)["mean"].item() == pytest.approx(
        (sum(seconds) + 60) / 8
    )


def test_groups(store: sqlite3.Connection, write: Write) -> None:
    write("2026-10-05 09:00", client="ios 1", category="shoes")
    write("2026-10-05 09:00", client="ios 1", category=None)
    write("2026-10-05 09:00", client="web 2", category="shoes", prompt_version="6")
    assert read_metrics(store, "client")["requests"].to_dict() == {"ios 1": 2, "web 2": 1}
    assert read_metrics(store, "prompt_version")["requests"].to_dict() == {"4": 2, "6": 1}  # the call's, else
    assert read_metrics(store, "category")["requests"].tolist() == [1, 2]
    mix = read_mix(store, "category", "day", ALWAYS)
    assert mix[["value", "requests"]].to_numpy().tolist() == [["shoes", 2]]
    with pytest.raises(MonitoringError, match="cannot be grouped by 'name; DROP'"):
        read_metrics(store, "name; DROP")  # type: ignore[arg-type]
    with pytest.raises(MonitoringError, match="cannot be grouped by ''"):
        read_metrics(store, [])
    both = read_metrics(store, ["day", "category", "day"])
    assert both.index.names == ["day", "category"]
    assert both["p50_seconds"].tolist() == [1, 1]


def test_a_window(store: sqlite3.Connection, write: Write) -> None:
    for day in (5, 6, 7):
        write(f"2026-10-0{day} 00:00", changes={"size": ("M", "L")})
    window = (1_791_244_800 * 10**9, 1_791_331_200 * 10**9)  # the whole of the 6th
    assert read_metrics(store, "day", window).index.tolist() == ["2026-10-06"]
    assert read_corrections(store, None, window)["published"].tolist() == [1]


def test_corrections(store: sqlite3.Connection, write: Write) -> None:
    write(
        "2026-10-05 09:00",
        client="a",
        changes={"size": ("M", "L"), "colours": (["red", "blue"], ["blue", "red"])},
    )
    write("2026-10-05 09:00", client="b", changes={"size": ("M", "M"), "colours": ([], ["red"])})
    lone = write("2026-10-05 09:00", client="b")
    with store:  # published without a proposal: nothing to correct
        store.execute(
            "INSERT INTO feedback (trace_id, kind, field, published, given_ns) "
            "VALUES (?, 'implicit', 'size', '1', 0)",
            (lone,),
        )
    table = read_corrections(store)
    assert table["published"].to_dict() == {"colours": 2, "size": 2}
    assert table["corrected"].to_dict() == {"colours": 0.5, "size": 0.5}
    assert read_corrections(store, "client").loc[("b", "size"), "corrected"] == 0
    assert read_metrics(store, "client")["corrected"].to_dict() == {"a": 0.5, "b": 0.5}


def test_scores_by_source(store: sqlite3.Connection, write: Write) -> None:
    traces = [write("2026-10-05 09:00", client=client) for client in ("a", "a", "b")]
    for trace, source, value in zip(
        [*traces, traces[0]], ["rule", "rule", "rule", "judge"], [1, 0, None, 0.5], strict=True
    ):
        store.execute(
            "INSERT INTO scores (trace_id, span_id, name, value, source, scored_ns) "
            "VALUES (?, 's', 'short', ?, ?, 0)",
            (trace, value, source),
        )
    table = read_scores(store)
    assert table.loc[("rule", "short")].tolist() == [2, 0.5, 1]
    assert table.loc[("judge", "short"), "mean"] == 0.5
    assert read_scores(store, "client").loc[("a", "rule", "short"), "scored"] == 2


def test_a_series_has_the_moments_of_its_requests(store: sqlite3.Connection, write: Write) -> None:
    for empty in (1, 2, 6, None):
        write("2026-10-05 09:00", empty_fields=empty)
    row = read_series(store, "empty_fields", "hour", None, ALWAYS).iloc[0]
    assert (row["requests"], row["mean"]) == (3, 3)
    assert row["mean_square"] - row["mean"] ** 2 == pytest.approx(np.var([1, 2, 6]))


HOUR_NS = 3_600 * 10**9
BEGIN_NS = pd.Timestamp("2026-10-05 08:00").value
PARTS = (BEGIN_NS + HOUR_NS * 3 // 2, BEGIN_NS + HOUR_NS * 9 // 4)  # half of one hour, a quarter of the next
WITHIN = (BEGIN_NS + HOUR_NS // 4, BEGIN_NS + HOUR_NS * 3 // 4)
CHANGES = {
    "nothing": "SELECT 1",
    "a call that came late": """INSERT INTO spans (span_id, trace_id, name, started_ns, seconds, status,
        operation, input_tokens, cost_usd, attributes, events)
        SELECT 'late', trace_id, 'chat', 0, 1, 'ok', 'chat', 5, 0.7, '{}', '[]' FROM spans LIMIT 1""",
    "a request that is gone": "DELETE FROM spans WHERE rowid = 1",
    "a call that is gone": "DELETE FROM spans WHERE rowid = 2",
    "feedback": """INSERT INTO feedback (trace_id, kind, field, proposed, published, given_ns)
        SELECT trace_id, 'implicit', 'brand', '1', '2', 0 FROM spans WHERE rowid = 1""",
    "another mind": "UPDATE feedback SET published = proposed WHERE kind = 'implicit'",
    "feedback of another trace": """UPDATE feedback SET trace_id = (SELECT max(trace_id) FROM spans
        WHERE trace_id NOT IN (SELECT trace_id FROM feedback WHERE kind = 'implicit'))
        WHERE id = (SELECT min(id) FROM feedback WHERE kind = 'implicit')""",
    "feedback that is gone": "DELETE FROM feedback",
    "a score": """INSERT INTO scores (trace_id, span_id, name, value, source, scored_ns)
        SELECT trace_id, span_id, 'long', 0.5, 'rule', 0 FROM spans WHERE rowid = 1""",
    "a score that is gone": "DELETE FROM scores WHERE value IS NULL",
}


def plain(store: sqlite3.Connection, view: str, window: Window) -> pd.DataFrame:
    """The rows of a view that begin in a window, nothing added up."""
    frame = pd.read_sql_query(
        f"SELECT * FROM {view} WHERE started_ns >= ? AND started_ns < ?", store, params=window
    )
    return frame.assign(hour=pd.to_datetime(frame["hour_ns"]).dt.strftime("%Y-%m-%d %H:00"))


def plain_metrics(store: sqlite3.Connection, by: list[str], window: Window) -> pd.DataFrame:
    grouped = plain(store, "requests", window).infer_objects().groupby(by, dropna=False)
    means = {name: (name, "mean") for name in ("failed", "invalid", "empty_fields", "corrected", "disliked")}
    sums = ("uncached_tokens", "cached_tokens", "output_tokens", "cost_usd")
    return grouped.agg(
        requests=("failed", "size"),
        **means,
        p50_seconds=("seconds", "median"),
        p95_seconds=("seconds", lambda values: values.quantile(0.95)),
        **{name: (name, lambda values: values.sum(min_count=1)) for name in sums},
        cost_per_request=("cost_usd", "mean"),
    )


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_added_up_by_hour_is_what_the_views_say(
    store: sqlite3.Connection, write: Write, change: str
) -> None:
    stream = np.random.RandomState(7)
    for number, (hour, client) in enumerate(itertools.product([8, 8, 9, 9, 9, 10, 10], ["a", "b", None])):
        trace = write(
            f"2026-10-05 {hour:02}:{stream.randint(60):02}",
            client=client,
            seconds=stream.lognormal(),
            status="ok" if number % 5 else "error",
            valid=int(number % 3 > 0),
            empty_fields=int(stream.randint(4)),
            category=["shoes", "books"][number % 2],
            thumb=number % 3 - 1,
            changes={"size": ("M", "ML"[number % 2])} if number % 4 < 3 else {},
        )
        store.execute(
            "INSERT INTO scores (trace_id, span_id, name, value, source, scored_ns) "
            "VALUES (?, '', 's', ?, 'rule', 0)",
            (trace, [0.25, 1, None][number % 3]),
        )
    store.commit()
    add_up(store)
    store.execute(CHANGES[change])
    for window, by in itertools.product(
        [ALWAYS, PARTS, WITHIN], [["hour"], ["client"], ["hour", "category"]]
    ):
        found, expected = read_metrics(store, by, window), plain_metrics(store, by, window)
        pd.testing.assert_frame_equal(
            found.astype(float).sort_index(), expected.astype(float).sort_index(), atol=1e-6
        )
    for window in (ALWAYS, PARTS, WITHIN):
        edits = plain(store, "corrections", window).groupby("field")["is_corrected"].agg(["size", "mean"])
        assert read_corrections(store, None, window).to_numpy().tolist() == edits.to_numpy().tolist()
        scored = plain(store, "scored", window).groupby(["source", "name"])["value"].agg(["count", "mean"])
        table = read_scores(store, None, window)[["scored", "mean"]]
        assert table.to_numpy().tolist() == scored.to_numpy().tolist()
    assert store.in_transaction == (change != "nothing")  # what is open stays open


def test_figures_that_cannot_be_added_up_are_told(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "market.db"
    database(path, "monitoring", MIGRATIONS).close()
    one, other = open_metrics(path), open_metrics(path)
    one.execute("PRAGMA busy_timeout = 0")
    other.execute("INSERT INTO stale_hours VALUES (0)")
    other.commit()
    other.execute("INSERT INTO stale_hours VALUES (1)")  # holds the file
    with pytest.raises(MonitoringError, match=r"cannot be brought up to date \(database is locked\)"):
        read_metrics(one)


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"No database .*market\.db\. Check the path"):
        open_metrics(tmp_path / "market.db")
    assert list(tmp_path.iterdir()) == []

"""Metrics: each against a few requests whose answer can be counted by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aicourse.errors import MonitoringError
from aicourse.monitoring.metrics import (
    ALWAYS,
    open_metrics,
    read_corrections,
    read_metrics,
    read_mix,
    read_scores,
    read_series,
)

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


def test_percentiles_are_those_of_numpy(store: sqlite3.Connection, write: Write) -> None:
    seconds = [0.2, 0.4, 0.9, 1.7, 5.0, 0.3, 1.1]
    for number, value in enumerate(seconds):
        write(f"2026-10-05 09:0{number}", seconds=value, client="ios 1")
    write("2026-10-05 09:30", seconds=60.0, client="web 2")
    row = read_metrics(store, ["hour", "client"]).loc[("2026-10-05 09:00", "ios 1")]
    assert row["p50_seconds"] == pytest.approx(np.quantile(seconds, 0.5))
    assert row["p95_seconds"] == pytest.approx(np.quantile(seconds, 0.95))


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


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MonitoringError, match=r"No database .*market\.db\. Check the path"):
        open_metrics(tmp_path / "market.db")
    assert list(tmp_path.iterdir()) == []

"""What the dashboard costs over 1,000,000 spans of a fortnight: half of them requests, half their calls.

The file is made by SQL, once per run, with four apps, ten categories, two prompt versions and two variants.
Every fourth proposal was published, six fields each. The first opening adds everything up by hour; the ones
after it only hours in which something changed. CPU time, because a machine is rarely idle.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import process_time
from typing import Any

from aicourse.monitoring.figures import dashboard
from aicourse.monitoring.metrics import open_metrics
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database

SPANS = 1_000_000
FORTNIGHT_NS = 14 * 86_400 * 10**9
START_NS = 20_728 * 86_400 * 10**9
TARGET_SECONDS = 2.0
MAKE_SPANS = """
    WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last - 1),
    made AS (SELECT i, i % 2 = 1 AS call, i / 2 AS request, i / 2 * 7919 % 9973 AS chance,
                    :start + i / 2 * (:fortnight / :spans * 2) AS at FROM n)
    INSERT INTO spans (span_id, trace_id, parent_id, name, started_ns, seconds, status, operation, model,
        prompt, prompt_version, input_tokens, cached_tokens, output_tokens, cost_usd, client, category,
        experiment, variant, valid, empty_fields, attributes, events)
    SELECT printf('%016x', i), printf('%032x', request), iif(call, printf('%016x', i - 1), NULL),
        iif(call, 'chat', 'propose'), at, 0.3 + chance / 2000.0, iif(chance % 50, 'ok', 'error'),
        iif(call, 'chat', NULL), 'm', 'extract_listing', iif(request * 2 < :spans / 2, 'v4', 'v6'),
        iif(call, 800, NULL), iif(call, 700 * (chance % 3 > 0), NULL), iif(call, 40, NULL),
        iif(call, 0.0001, NULL), 'ios ' || (chance % 4), 'kind ' || (chance % 10), 'autumn',
        iif(chance % 7 < 3, 'a', 'b'), chance % 40 > 0, chance % 4, '{}', '[]'
    FROM made"""
MAKE_FEEDBACK = """
    WITH fields(field) AS (
        VALUES ('category'), ('colours'), ('materials'), ('size'), ('condition'), ('brand'))
    INSERT INTO feedback (trace_id, kind, field, proposed, published, given_ns)
    SELECT trace_id, 'implicit', field, '"a"', iif(started_ns % 7, '"a"', '"b"'), started_ns
    FROM spans, fields WHERE name = 'propose' AND started_ns >= :start AND spans.rowid % 8 = 1"""


def measure() -> list[dict[str, Any]]:
    """The figures of one run: name, value, unit, target, ok."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.sqlite"
        with closing(database(path, "monitoring", MIGRATIONS)) as connection:
            _make(connection, 0, SPANS)
        with closing(open_metrics(path)) as connection:
            first = _seconds(lambda: dashboard(connection).html())
            again = _seconds(lambda: dashboard(connection).html())
            _make(connection, SPANS, SPANS + 2_000)
            later = _seconds(lambda: dashboard(connection).html())
            sliced = _seconds(lambda: dashboard(connection, every="hour", by="client").html())
            (requests,) = (one.lines["requests"].sum() for one in dashboard(connection).figures[:1])
        assert 0 <= SPANS // 2 + 1_000 - requests < SPANS // 20  # the first day may have left the window
    return [
        _row(f"a dashboard over {SPANS:,} spans", again, TARGET_SECONDS),
        _row("the same after 2,000 more", later, TARGET_SECONDS),
        _row("the same by hour and client", sliced, TARGET_SECONDS),
        _row("the very first one, which adds all hours up", first),
    ]


def _make(connection: sqlite3.Connection, first: int, last: int) -> None:
    values = {"first": first, "last": last, "spans": SPANS, "start": START_NS, "fortnight": FORTNIGHT_NS}
    begin = START_NS + first // 2 * (FORTNIGHT_NS // SPANS * 2)
    with connection:
        connection.execute(MAKE_SPANS, values)
        connection.execute(MAKE_FEEDBACK, {"start": begin})


def _seconds(function: Callable[[], object]) -> float:
    started = process_time()
    function()
    return process_time() - started


def _row(name: str, value: float, target: float | None = None) -> dict[str, Any]:
    ok = None if target is None else value <= target
    return {"name": name, "value": round(value, 3), "unit": "CPU s", "target": target, "ok": ok}


if __name__ == "__main__":
    for row in measure():
        print(f"{row['value']:9.3f} {row['unit']}  {row['name']}  (target {row['target']})")

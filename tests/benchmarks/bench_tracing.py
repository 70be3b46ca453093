"""The cost of tracing: one span, redacted, into SQLite, and questions to a file with a million spans.

The cost of a span is CPU time of the whole process, so the thread that writes counts and a busy machine does
not. The million is made once per run by SQL, in a temporary folder; each question is a page's.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from aicourse.marketplace.app import admin
from aicourse.monitoring import note, span, start_tracing
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database

SPANS = 2_000
STORED = 1_000_000
NOW = 18 * 10**17
TARGET_MILLISECONDS = 0.3
TARGET_SECONDS = 2.0
LISTING = (
    "Navy wool jacket, size M, bought in 2019 for 120.00, a small mark on the left sleeve, else as new. "
)
MESSAGES = json.dumps([{"role": "user", "parts": [{"type": "text", "content": LISTING * 3}]}])
MAKE = """
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :spans - 1),
    made AS (SELECT i, i % 2 = 1 AS call, printf('%016x', i) AS id, printf('%016x', i - 1) AS above FROM n)
    INSERT INTO spans (span_id, trace_id, parent_id, name, started_ns, seconds, status, operation, model,
                       prompt, prompt_version, input_tokens, output_tokens, cost_usd, attributes, events)
    SELECT id, printf('%032x', i / 2), iif(call, above, NULL), iif(call, 'chat', 'propose'),
           :now - (:spans - i) * 1000000, (i * 7919 % 1000) / 300.0, 'ok', iif(call, 'chat', NULL),
           'qwen2.5-coder-0.5b', iif(call, 'extract_listing', NULL), 'v' || (1 + i / (:spans / 6)),
           300 + i % 90, 40, 0.0001, :attributes, '[]'
    FROM made"""


def measure() -> list[dict[str, Any]]:
    """The figures of one run: name, value, unit, target, ok."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_one_span(Path(folder)), *_questions(Path(folder))]


def _one_span(folder: Path) -> list[dict[str, Any]]:
    untraced = _cpu_milliseconds()
    with start_tracing(folder / "small.sqlite") as tracing:
        _cpu_milliseconds(100)  # imports, the first page of the file
        started = process_time()
        _cpu_milliseconds()
        tracing.flush()
        traced = (process_time() - started) * 1_000 / SPANS
    name = "a span with a listing into SQLite, redacted"
    return [
        _row(name, traced, "CPU ms", TARGET_MILLISECONDS),
        _row("the same, not traced", untraced, "CPU ms"),
    ]


def _cpu_milliseconds(spans: int = SPANS) -> float:
    started = process_time()
    for _ in range(spans):
        with span("propose", client="ios 4.2", experiment="form", variant="short") as current:
            current.set_attribute("gen_ai.input.messages", MESSAGES)
            note(current, category="clothing", valid=True, empty_fields=2)
    return (process_time() - started) * 1_000 / spans


def _questions(folder: Path) -> list[dict[str, Any]]:
    path = folder / "large.sqlite"
    _fill(path)
    started = perf_counter()
    with closing(database(path, "monitoring", MIGRATIONS)) as connection:
        place = {"before": "", "end": admin.END, "rows": admin.ROWS}
        first = connection.execute(admin._TRACES, place).fetchall()
        place["before"] = first[-1]["span_id"]
        second = connection.execute(admin._TRACES, place).fetchall()
        of_trace = "SELECT * FROM spans WHERE trace_id = ?"
        assert len(connection.execute(of_trace, (second[0]["trace_id"],)).fetchall()) == 2
        by_version = """
            SELECT count(*), avg(seconds), sum(cost_usd) FROM spans
            WHERE prompt = 'extract_listing' AND prompt_version = 'v6' AND started_ns > ?"""
        counted = connection.execute(by_version, (NOW - STORED // 20 * 1_000_000,)).fetchone()
    seconds = perf_counter() - started
    assert counted[0] > STORED // 50
    return [
        _row(
            f"opening {STORED:,} spans: two pages, a trace, a version's last hours",
            seconds,
            "s",
            TARGET_SECONDS,
        )
    ]


def _fill(path: Path) -> None:
    attributes = json.dumps({"gen_ai.input.messages": LISTING})
    with closing(database(path, "monitoring", MIGRATIONS)) as connection, connection:
        connection.execute(MAKE, {"spans": STORED, "now": NOW, "attributes": attributes})


def _row(name: str, value: float, unit: str, target: float | None = None) -> dict[str, Any]:
    ok = None if target is None else value <= target
    return {"name": name, "value": round(value, 3), "unit": unit, "target": target, "ok": ok}


if __name__ == "__main__":
    for row in measure():
        print(f"{row['value']:9.3f} {row['unit']}  {row['name']}  (target {row['target']})")

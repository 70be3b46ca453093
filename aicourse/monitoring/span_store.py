"""The SQLite store of spans: an OpenTelemetry exporter that writes them; they are read with SQL, by pandas.

Writing never stops the product: what cannot be written (disk full, file locked for too long) is dropped and
counted, and the count is written as soon as something can be. Each batch takes a few thousand spans with it
that are older than `days`, or beyond the newest `spans`; what the file names in `data_sets` stays.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

from aicourse.monitoring.spans import ATTRIBUTES, EVALUATION, SCORE_SOURCE, SCORED_SPAN
from aicourse.sqlite import database

MIGRATIONS = Path(__file__).parent / "migrations"
_BETWEEN_COUNTS = 10_000  # spans written until the newest `spans` are counted again
_AT_A_TIME = 5_000  # deleted after a batch, so that no writer waits long
_DAY_NS = 86_400 * 10**9
COLUMNS = (
    *("span_id", "trace_id", "parent_id", "name", "started_ns", "seconds", "status", "error_type"),
    *(*ATTRIBUTES, "attributes", "events"),
)
INSERT_SPAN = f"INSERT OR IGNORE INTO spans ({', '.join(COLUMNS)}) VALUES (:{', :'.join(COLUMNS)})"
_INSERT_SCORE = """
    INSERT OR IGNORE INTO scores (trace_id, span_id, name, value, label, explanation, source, scored_ns)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_COUNT = """
    INSERT INTO dropped (reason, spans) VALUES (?, ?)
    ON CONFLICT (reason) DO UPDATE SET spans = spans + excluded.spans"""
_DELETE = """
    DELETE FROM {0} WHERE rowid IN (SELECT rowid FROM {0}
        WHERE {1} > (SELECT coalesce(max(until_ns), 0) FROM data_sets) AND {1} < ? ORDER BY {1} LIMIT ?)"""
_OLDEST = "SELECT started_ns FROM spans ORDER BY started_ns DESC LIMIT 1 OFFSET ?"


class SpanStore(SpanExporter):
    """The spans in the SQLite file at `path`, kept for `days`, and about `spans` of them at most.

    Raises:
        StoreError: the file cannot be opened.
    """

    def __init__(self, path: Path | str, *, days: float = 30, spans: int = 2_000_000) -> None:
        self._days, self._spans = days, spans
        self._connection = database(path, "monitoring", MIGRATIONS)
        self._connection.execute(
            "PRAGMA synchronous = NORMAL"
        )  # a power cut may cost the last spans, no more
        self._using, self._counting = threading.Lock(), threading.Lock()
        self._dropped: Counter[str] = Counter()
        self._oldest_ns, self._uncounted = 0, _BETWEEN_COUNTS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write a batch whole, or drop and count it."""
        try:
            rows = [dict(zip(COLUMNS, _row(span), strict=True)) for span in spans]
            scores = [score for span in spans for score in _scores(span)]
            with self._using:
                self._write(rows, scores)
                with suppress(sqlite3.OperationalError):  # busy or full: the next batch takes more
                    self._delete_old(len(rows))
        except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
            self.count_dropped(f"{type(error).__name__} while writing", len(spans))
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def _write(self, rows: list[dict[str, Any]], scores: list[tuple[Any, ...]]) -> None:
        with self._counting:
            counted = Counter(self._dropped)
        with self._connection:
            self._connection.executemany(INSERT_SPAN, rows)
            self._connection.executemany(_INSERT_SCORE, scores)
            self._connection.executemany(_COUNT, counted.items())
        with self._counting:
            self._dropped -= counted

    def _delete_old(self, written: int) -> None:
        self._uncounted += written
        if self._uncounted >= _BETWEEN_COUNTS:
            beyond = self._connection.execute(_OLDEST, (self._spans - 1,)).fetchone()
            self._oldest_ns, self._uncounted = beyond[0] if beyond else 0, 0
        limit = max(self._oldest_ns, time.time_ns() - int(self._days * _DAY_NS))
        with self._connection:
            self._connection.execute(_DELETE.format("spans", "started_ns"), (limit, _AT_A_TIME))
            self._connection.execute(_DELETE.format("scores", "scored_ns"), (limit, _AT_A_TIME))

    def count_dropped(self, reason: str, spans: int = 1) -> None:
        """Note spans that are lost; the table `dropped` has them after the next batch."""
        with self._counting:
            self._dropped[reason] += spans

    def shutdown(self) -> None:
        """Write what is counted, and close the file."""
        self.export([])
        with self._using:
            self._connection.close()


def _row(span: ReadableSpan) -> tuple[Any, ...]:
    """The columns of an ended span."""
    assert span.context
    assert span.start_time is not None
    assert span.end_time is not None
    attributes = dict(span.attributes or {})
    events = [
        {"name": event.name, "at_ns": event.timestamp, "attributes": dict(event.attributes or {})}
        for event in span.events
    ]
    raised = [(event.attributes or {}).get("exception.type") for event in span.events]
    error_type = attributes.get("error.type", next(filter(None, reversed(raised)), None))
    return (
        format_span_id(span.context.span_id),
        format_trace_id(span.context.trace_id),
        format_span_id(span.parent.span_id) if span.parent else None,
        span.name,
        span.start_time,
        (span.end_time - span.start_time) / 1e9,
        "error" if span.status.status_code is StatusCode.ERROR else "ok",
        _plain(error_type),
        *(_plain(attributes.get(name)) for name in ATTRIBUTES.values()),
        _json(attributes),
        _json(events),
    )


def _scores(span: ReadableSpan) -> list[tuple[Any, ...]]:
    """The rows of the table `scores` that the span's events tell of."""
    assert span.context
    trace_id, span_id = format_trace_id(span.context.trace_id), format_span_id(span.context.span_id)
    parts = ("name", "score.value", "score.label", "explanation")
    rows = []
    for event in span.events:
        if event.name == EVALUATION:
            told = event.attributes or {}
            facts = (_plain(told.get(f"gen_ai.evaluation.{part}")) for part in parts)
            of, source = _plain(told.get(SCORED_SPAN, span_id)), _plain(told.get(SCORE_SOURCE))
            rows.append((trace_id, of, *facts, source, event.timestamp))
    return rows


def _plain(value: object) -> Any:
    """A value that has a place in one column; None for a list."""
    return value if isinstance(value, str | int | float) else None


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

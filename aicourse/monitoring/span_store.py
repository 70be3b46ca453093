"""The SQLite store of spans: an OpenTelemetry exporter that writes them, and the questions that pages ask.

Writing never stops the product: what cannot be written (disk full, file locked for too long) is dropped and
counted, and the count is written as soon as something can be. Spans older than `days`, and the oldest beyond
`spans`, are deleted a few thousand at a time. Everything larger than a page is a question in SQL for pandas.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

from aicourse.monitoring.spans import ATTRIBUTES, EVALUATION, SCORE_SOURCE, SCORED_SPAN
from aicourse.sqlite import database

MIGRATIONS = Path(__file__).parent / "migrations"
BETWEEN_CLEANINGS = 10_000  # spans written
_AT_A_TIME = 5_000  # deleted in one transaction, so that no writer waits long
_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True)
class SpanRecord:
    """One span as it is stored: Unix nanoseconds, US dollars, None where nothing is known."""

    span_id: str
    trace_id: str
    parent_id: str | None
    name: str
    started_ns: int
    seconds: float
    status: str
    error_type: str | None
    operation: str | None
    model: str | None
    prompt: str | None
    prompt_version: str | None
    prompt_hash: str | None
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    client: str | None
    category: str | None
    experiment: str | None
    variant: str | None
    valid: int | None
    empty_fields: int | None
    attributes: dict[str, Any]
    events: list[dict[str, Any]]


COLUMNS = [field.name for field in fields(SpanRecord)]
INSERT_SPAN = f"INSERT OR IGNORE INTO spans ({', '.join(COLUMNS)}) VALUES (:{', :'.join(COLUMNS)})"
_INSERT_SCORE = """
    INSERT OR IGNORE INTO scores (trace_id, span_id, name, value, label, source, explanation, scored_ns)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_COUNT = """
    INSERT INTO dropped (reason, spans) VALUES (?, ?)
    ON CONFLICT (reason) DO UPDATE SET spans = spans + excluded.spans"""


class SpanStore(SpanExporter):
    """The spans in the SQLite file at `path`, kept for `days`, and `spans` of them at most.

    Raises:
        StoreError: the file cannot be opened.
    """

    def __init__(self, path: Path | str, *, days: float = 30, spans: int = 2_000_000) -> None:
        self._days, self._spans = days, spans
        self._writer = database(path, "monitoring", MIGRATIONS)
        self._writer.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last spans, no more
        self._reader = database(path, "monitoring", MIGRATIONS)
        self._writing, self._reading, self._counting = threading.Lock(), threading.Lock(), threading.Lock()
        self._dropped: Counter[str] = Counter()
        self._since_cleaning = BETWEEN_CLEANINGS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write a batch whole, or drop and count it."""
        try:
            records = [to_record(span) for span in spans]
            rows = [
                asdict(record) | {"attributes": _json(record.attributes), "events": _json(record.events)}
                for record in records
            ]
            scores = [score for record in records for score in _scores(record)]
            with self._writing:
                self._write(rows, scores)
        except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
            self.count_dropped(f"{type(error).__name__} while writing", len(spans))
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def _write(self, rows: list[dict[str, Any]], scores: list[tuple[Any, ...]]) -> None:
        with self._counting:
            counted = Counter(self._dropped)
        with self._writer:
            self._writer.executemany(INSERT_SPAN, rows)
            self._writer.executemany(_INSERT_SCORE, scores)
            self._writer.executemany(_COUNT, counted.items())
        with self._counting:
            self._dropped -= counted
        self._since_cleaning += len(rows)
        if self._since_cleaning >= BETWEEN_CLEANINGS:
            self._since_cleaning = 0
            with suppress(sqlite3.OperationalError):  # busy or full: the next cleaning takes more
                self._clean()

    def count_dropped(self, reason: str, spans: int = 1) -> None:
        """Note spans that are lost; the table `dropped` has them after the next batch."""
        with self._counting:
            self._dropped[reason] += spans

    def _clean(self) -> None:
        """Delete what is too old or too much."""
        limit = time.time_ns() - int(self._days * _DAY_NS)
        beyond = "SELECT started_ns FROM spans ORDER BY started_ns DESC LIMIT 1 OFFSET ?"
        if row := self._writer.execute(beyond, (self._spans - 1,)).fetchone():
            limit = max(limit, row["started_ns"])
        for table, key, moment in (("spans", "span_id", "started_ns"), ("scores", "id", "scored_ns")):
            old = f"SELECT {key} FROM {table} WHERE {moment} < ? ORDER BY {moment} LIMIT {_AT_A_TIME}"
            deleted = _AT_A_TIME
            while deleted == _AT_A_TIME:
                with self._writer:
                    query = f"DELETE FROM {table} WHERE {key} IN ({old})"
                    deleted = self._writer.execute(query, (limit,)).rowcount

    def page(
        self, *, before: SpanRecord | None = None, limit: int = 50, roots: bool = False
    ) -> list[SpanRecord]:
        """The newest spans, or those before the last one of the page before; of `roots` alone on request."""
        moment = (before.started_ns, before.span_id) if before else (2**63 - 1, "")
        where = "(started_ns, span_id) < (?, ?)" + (" AND parent_id IS NULL" if roots else "")
        order = "ORDER BY started_ns DESC, span_id DESC LIMIT ?"
        return self._read(f"SELECT * FROM spans WHERE {where} {order}", (*moment, limit))

    def trace(self, trace_id: str) -> list[SpanRecord]:
        """All spans of one trace, in the order in which they began; empty when there is none."""
        return self._read("SELECT * FROM spans WHERE trace_id = ? ORDER BY started_ns, span_id", (trace_id,))

    def dropped(self) -> dict[str, int]:
        """The spans that were lost, by reason, as far as that could be written."""
        with self._reading:
            rows = self._reader.execute("SELECT reason, spans FROM dropped").fetchall()
        return {row["reason"]: row["spans"] for row in rows}

    def _read(self, query: str, parameters: tuple[Any, ...]) -> list[SpanRecord]:
        with self._reading:
            rows = self._reader.execute(query, parameters).fetchall()
        return [
            SpanRecord(**dict(row) | {name: json.loads(row[name]) for name in ("attributes", "events")})
            for row in rows
        ]

    def shutdown(self) -> None:
        """Write what is counted, and close the file."""
        self.export([])
        with self._writing, self._reading:
            self._writer.close()
            self._reader.close()


def to_record(span: ReadableSpan) -> SpanRecord:
    """The record of an ended span."""
    assert span.context
    assert span.start_time is not None
    assert span.end_time is not None
    attributes = dict(span.attributes or {})
    events: list[dict[str, Any]] = [
        {"name": event.name, "at_ns": event.timestamp, "attributes": dict(event.attributes or {})}
        for event in span.events
    ]
    raised = [event["attributes"].get("exception.type") for event in events if event["name"] == "exception"]
    columns = {column: _plain(attributes.get(name)) for column, name in ATTRIBUTES.items()}
    return SpanRecord(
        span_id=format_span_id(span.context.span_id),
        trace_id=format_trace_id(span.context.trace_id),
        parent_id=format_span_id(span.parent.span_id) if span.parent else None,
        name=span.name,
        started_ns=span.start_time,
        seconds=(span.end_time - span.start_time) / 1e9,
        status="error" if span.status.status_code is StatusCode.ERROR else "ok",
        error_type=_plain(attributes.get("error.type", raised[-1] if raised else None)),
        **columns,
        attributes=attributes,
        events=events,
    )


def _scores(record: SpanRecord) -> list[tuple[Any, ...]]:
    """The rows of the table `scores` that the span's events tell of."""
    rows = []
    for event in record.events:
        if event["name"] == EVALUATION:
            told = event["attributes"]
            names = ("name", "score.value", "score.label")
            facts = [_plain(told.get(f"gen_ai.evaluation.{name}")) for name in names]
            scored = told.get(SCORED_SPAN, record.span_id)
            reason = _plain(told.get("gen_ai.evaluation.explanation"))
            rows.append((record.trace_id, scored, *facts, told.get(SCORE_SOURCE), reason, event["at_ns"]))
    return rows


def _plain(value: object) -> Any:
    """A value that has a place in one column; None for a list."""
    return value if isinstance(value, str | int | float) else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

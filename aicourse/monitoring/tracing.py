"""`start_tracing()`: OpenTelemetry set up once for this process, with the spans of model calls and your own.

    tracing = start_tracing("product.sqlite")
    tracing = start_tracing("product.sqlite", exporters=[OTLPSpanExporter()])  # elsewhere too

    span() ─┐                        ┌─ queue ─ Redaction ─ SpanStore
            ├─ the one provider ─────┤
    openai ─┘                        └─ queue ─ Redaction ─ any other exporter

The calls of openai's clients are spans by the official instrumentation. A queue is bounded, and its own
thread empties it: whatever an exporter suffers, a request never waits; spans that find the queue full are
counted. Replayed replies keep their recorded latency, and so do the spans around them. Not handled: replays
side by side in one span, sampling, and OpenTelemetry's metrics and logs.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON, Sampler, SamplingResult

from aicourse.llm.span_notes import SAVED_SECONDS
from aicourse.monitoring.redaction import Redaction
from aicourse.monitoring.span_store import SpanStore

QUEUE = 4_096  # spans that may wait for an exporter
_BATCH = 512
_DELAY_MILLISECONDS = 500
_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


class Tracing:
    """Tracing that has started: its `store`, and the way to end it. It may stand in a `with`."""

    def __init__(self, store: SpanStore, queues: Sequence[SpanProcessor]) -> None:
        self.store = store
        self._queues = queues

    def flush(self) -> None:
        """Wait until what has ended is written."""
        for queue in self._queues:
            queue.force_flush()

    def stop(self) -> None:
        """Write what waits, close the store, and leave the clients as they were."""
        pipeline = _pipeline()
        if pipeline.queues is self._queues:
            pipeline.queues = ()
            OpenAIInstrumentor().uninstrument()
        for queue in self._queues:
            queue.shutdown()

    def __enter__(self) -> Tracing:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def start_tracing(
    path: Path | str,
    *,
    content: bool = True,
    exporters: Sequence[SpanExporter] = (),
    secrets: Collection[str] = (),
    days: float = 30,
    spans: int = 2_000_000,
) -> Tracing:
    """Trace this process into the SQLite file at `path`; what was traced before stops.

    `content` keeps messages and replies, redacted; without it spans have figures alone. `secrets` are values
    that must never be stored, besides the configured keys. `days` and `spans` limit what is kept.

    Raises:
        StoreError: the file cannot be opened.
    """
    pipeline = _pipeline()
    store = SpanStore(path, days=days, spans=spans)
    if pipeline.queues:
        Tracing(store, pipeline.queues).stop()
    os.environ[_CAPTURE] = "span_only" if content else "no_content"  # read at each call
    pipeline.queues = [
        _Queue(exporter, secrets, store.count_dropped)
        for exporter in (*exporters, store)  # the store last: it counts for all
    ]
    pipeline.path = Path(path).resolve()
    OpenAIInstrumentor().instrument(tracer_provider=trace.get_tracer_provider())
    return Tracing(store, pipeline.queues)


def traced_into() -> Path | None:
    """The file that this process is traced into now; None where nobody traces."""
    return _pipeline().path if _pipeline().queues else None


class _Queue(BatchSpanProcessor):
    """Ended spans that wait for their exporter; what comes when it is full is counted, not kept."""

    def __init__(
        self, exporter: SpanExporter, secrets: Collection[str], dropped: Callable[[str, int], None]
    ) -> None:
        self._room, self._dropped = threading.Semaphore(QUEUE), dropped
        super().__init__(
            Redaction(exporter, secrets=secrets, dropped=dropped, taken=self._room.release),
            max_queue_size=QUEUE,
            max_export_batch_size=_BATCH,
            schedule_delay_millis=_DELAY_MILLISECONDS,
        )

    def on_end(self, span: ReadableSpan) -> None:
        if self._room.acquire(blocking=False):
            super().on_end(span)
        else:
            self._dropped("queue full", 1)


class _Pipeline(SpanProcessor, Sampler):
    """The way of spans to the queues, which may change; the provider, set once in a process, may not."""

    def __init__(self) -> None:
        self.queues: Sequence[SpanProcessor] = ()
        self.path: Path | None = None
        self._open: weakref.WeakValueDictionary[int, Span] = weakref.WeakValueDictionary()

    def should_sample(self, *given: Any, **named: Any) -> SamplingResult:
        """Without queues a span is nothing: no cost, and nobody takes its id for that of a stored trace."""
        return (DEFAULT_ON if self.queues else ALWAYS_OFF).should_sample(*given, **named)

    def get_description(self) -> str:
        return "while tracing"

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if span.context:
            self._open[span.context.span_id] = span

    def on_end(self, span: ReadableSpan) -> None:
        around = self._open.get(span.parent.span_id) if span.parent else None
        saved = _saved(span)
        if saved and around is not None and around.is_recording():  # what is around was shorter too
            around.set_attribute(SAVED_SECONDS, _saved(around) + saved)
        for queue in self.queues:
            queue.on_end(span)

    def shutdown(self) -> None:
        for queue in self.queues:
            queue.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        flushed = [queue.force_flush(timeout_millis) for queue in self.queues]
        return all(flushed)


def _saved(span: ReadableSpan) -> float:
    saved = (span.attributes or {}).get(SAVED_SECONDS, 0.0)
    return saved if isinstance(saved, float) else 0.0


@functools.cache
def _pipeline() -> _Pipeline:
    """The pipeline of this process, behind its one provider."""
    pipeline, provider = _Pipeline(), trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider(pipeline, Resource.create({"service.name": "aicourse"}))
        trace.set_tracer_provider(provider)
    provider.add_span_processor(pipeline)
    return pipeline

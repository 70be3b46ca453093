"""What leaves: looked for in the bytes of the SQLite file and its log, and of real OTLP requests."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from aicourse.monitoring import Redaction, span, start_tracing
from aicourse.testing import ScriptedModel

KEY = "zk-q8f3/Lw2+9vT7pXn4Rb6"
TOKEN = "admin-token-7413-lemon"  # pragma: allowlist secret
PASSWORD = "hunter2secret"
SECRETS = (
    *("ann.hidden@example.org", "ann.hidden%40example.org", "06 39 98 12 34", "NL91 ABNA 0417 1643 00"),
    *(
        "4111 1111 1111 1111",
        "4111111111111111",
        "14 Rosebank Lane",
        "Gartenstraße 19",
        r"Gartenstra\u00dfe 19",
    ),
    *(KEY, TOKEN, PASSWORD, "tracestate-secret", "query-secret"),
)
TEXT = f"ann.hidden@example.org, 06 39 98 12 34\nNL91 ABNA 0417 1643 00 {KEY} 14 Rosebank Lane"


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def leaky_spans(provider: TracerProvider) -> None:
    """Spans with a secret in every place that a span has."""
    tracer = provider.get_tracer("test")
    state = TraceState([("vendor", "tracestate-secret")])
    outside = SpanContext(1, 2, True, TraceFlags(1), state)
    attributes: dict[str, Any] = {
        "text": TEXT,
        "ann.hidden@example.org": "a name",
        "plain": "Gartenstraße 19",
        "number": 4111111111111111,
        "list": ["fine", "4111 1111 1111 1111"],
        "url.query": "q=query-secret",
        "url.full": f"https://ann:{PASSWORD}@shop.example/users/ann.hidden%40example.org?q=query-secret#x=1",
        "referrer": "see https://shop.example/a?token=query-secret now",
        "http.request.header.authorization": [f"Basic {PASSWORD}"],
        "json": f'[{{"content": "Gartenstra\\u00dfe 19\\n{TOKEN}"}}]',
        "cut": '[{"content": "Gartenstra\\u00dfe 19\\n06 39 98 12 34',
        "nested": '{"reply": "{\\"note\\": \\"Gartenstra\\\\u00dfe 19\\"}"}',
    }
    context = set_span_in_context(NonRecordingSpan(outside))
    links = [Link(outside, {"link": TEXT})]
    with tracer.start_as_current_span(
        "GET /?q=query-secret", context, attributes=attributes, links=links
    ) as one:
        one.add_event(f"mail to {TEXT}", {"told": TEXT})
        one.record_exception(ValueError(TEXT))
        one.set_status(Status(StatusCode.ERROR, f"failed for {TEXT}"))


def provider_to(exporter: Any) -> TracerProvider:
    provider = TracerProvider(resource=Resource.create({"host": TEXT, "service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


class Collector(BaseHTTPRequestHandler):
    """A collector on this machine that keeps what it is sent."""

    received: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        type(self).received.append(gzip.decompress(body) if self.headers.get("content-encoding") else body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    handler = type("Handler", (Collector,), {"received": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", handler.received
    server.shutdown()
    server.server_close()


def leaked(content: bytes) -> list[str]:
    return [secret for secret in SECRETS if secret.encode() in content]


def test_the_unredacted_span_has_every_secret() -> None:  # else the tests below could not fail
    memory = InMemorySpanExporter()
    leaky_spans(provider_to(memory))
    (one,) = memory.get_finished_spans()
    assert one.parent
    everything = f"{one.to_json()} {one.parent.trace_state.to_header()} {one.name}"
    for event in one.events:
        everything += f"{event.name} {dict(event.attributes or {})}"
    everything += str(dict(one.attributes or {}))
    assert leaked(everything.encode()) == list(SECRETS)


def fail_in_a_span() -> None:
    with span("propose", category=TEXT):
        ScriptedModel(TEXT).client().chat.completions.create(
            model="gpt-6-luna", messages=[{"role": "user", "content": f"Gartenstraße 19 {TEXT} {TOKEN}"}]
        )
        raise ValueError(TEXT)


def test_no_secret_is_in_the_bytes_of_the_file_or_its_log(tmp_path: Path) -> None:
    path = tmp_path / "product.sqlite"
    with start_tracing(path, secrets=[TOKEN]) as tracing:
        leaky_spans(provider_to(Redaction(tracing.store, secrets=[TOKEN])))
        with pytest.raises(ValueError, match="ann"):
            fail_in_a_span()
        tracing.flush()
        log = path.with_name(path.name + "-wal").read_bytes()
        assert b"Gartenstra" not in log + path.read_bytes()
        assert leaked(log + path.read_bytes()) == []
        assert b"[address]" in log
        assert tracing.store._connection.execute("SELECT count(*) FROM spans").fetchone()[0] == 3
    assert leaked(path.read_bytes()) == []
    assert path.read_bytes().count(b"[email]") > 5


def test_no_secret_is_in_what_a_collector_receives(
    collector: tuple[str, list[bytes]], tmp_path: Path
) -> None:
    url, received = collector
    leaky_spans(provider_to(Redaction(OTLPSpanExporter(url), secrets=[TOKEN])))
    with (
        start_tracing(tmp_path / "product.sqlite", exporters=[OTLPSpanExporter(url)], secrets=[TOKEN]),
        span("propose", category=TEXT, client="ios 4.2", experiment="autumn", variant="v5"),
    ):
        pass
    assert [leaked(body) for body in received] == [[]] * len(received)
    requests = [ExportTraceServiceRequest.FromString(body) for body in received]
    spans = {
        one.name: one
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for one in scope.spans
    }
    assert set(spans) == {"GET /?[query]", "propose"}
    facts = {item.key: item.value.string_value for item in spans["propose"].attributes}
    assert facts["aicourse.client"] == "ios 4.2"
    assert (facts["feature_flag.key"], facts["feature_flag.result.variant"]) == ("autumn", "v5")
    get = spans["GET /?[query]"]
    facts = {item.key: item.value.string_value for item in get.attributes}
    assert facts["[email]"] == "a name"
    assert facts["number"] == "[card]"
    assert facts["url.full"] == "https://[login]@shop.example/users/[email]?[query]"
    assert facts["referrer"] == "see https://shop.example/a?[query] now"
    assert facts["json"] == '[{"content": "[address]\\n****"}]'
    assert facts["nested"] == '{"reply": "{\\"note\\": \\"[address]\\"}"}'
    assert (get.trace_id.hex(), get.parent_span_id.hex(), get.trace_state) == (f"{1:032x}", f"{2:016x}", "")


class Strange:
    """A value that no attribute may have."""


def test_what_cannot_be_redacted_is_not_exported_and_counted() -> None:
    memory = InMemorySpanExporter()
    leaky_spans(provider_to(memory))
    (fine,) = memory.get_finished_spans()
    strange = ReadableSpan("x", fine.context, attributes={"a": Strange()}, start_time=1, end_time=2)  # type: ignore[dict-item]
    open_still = ReadableSpan("x", fine.context, start_time=1)
    dropped: list[tuple[str, int]] = []
    memory.clear()
    redaction = Redaction(memory, dropped=lambda reason, spans: dropped.append((reason, spans)))
    assert redaction.export([strange, fine, open_still]) is SpanExportResult.SUCCESS
    assert len(memory.get_finished_spans()) == 1
    assert dropped == [("cannot be redacted", 1)] * 2


def test_nothing_leaves_when_the_keys_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable() -> None:
        raise PermissionError(".env")

    monkeypatch.setattr("aicourse.llm.keys.configured_keys", unreadable)
    memory = InMemorySpanExporter()
    leaky_spans(provider_to(Redaction(memory)))
    assert memory.get_finished_spans() == ()


def test_other_values_stay_as_they_are() -> None:
    memory = InMemorySpanExporter()
    provider = provider_to(Redaction(memory))
    facts: dict[str, Any] = {
        **{"yes": True, "count": 7, "large": 1_000_000, "share": 0.5, "words": ["a", "b"]},
        **{"text": "[SALE] a navy coat, size 38 = M", "json": '{"size": "38", "price": 12.5, "brand": null}'},
    }
    with provider.get_tracer("test").start_as_current_span("propose", attributes=facts):
        pass
    (one,) = memory.get_finished_spans()
    assert dict(one.attributes or {}) == facts


def redacted(value: Any, **settings: Any) -> Any:
    memory = InMemorySpanExporter()
    provider = provider_to(Redaction(memory, **settings))
    with provider.get_tracer("test").start_as_current_span("propose", attributes={"a": value}):
        pass
    return (memory.get_finished_spans()[0].attributes or {})["a"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"see data:image/png;base64,{'iVBORw0K' * 99}==, blue", "see data:image/png;base64,[base64], blue"),
        (f'{{"type": "blob", "content": "{"/9j-" * 99}"}}', '{"type": "blob", "content": "[base64]"}'),
        ("[" * 5_000 + "ann.hidden@example.org", "[" * 5_000 + "[email]"),  # too deep to be opened
        (float("nan"), "nan"),
        ([float("inf"), 0.5], ["inf", 0.5]),
    ],
)
def test_files_depths_and_what_json_has_no_word_for(value: Any, expected: Any) -> None:
    assert redacted(value) == expected


@pytest.mark.parametrize("before", range(18_000, 18_050, 12))
def test_no_half_of_anything_private_stands_where_a_text_is_cut(before: int) -> None:
    text = "ab " * (before // 3) + f"{KEY} ann.hidden@example.org 4111 1111 1111 1111 " * 30
    kept = redacted(text)
    *whole, last = kept[before:].split()
    assert set(whole) == {"****", "[email]", "[card]"}
    assert any(one.startswith(last) for one in whole)


def test_half_a_character_is_replaced() -> None:
    memory = InMemorySpanExporter()
    with provider_to(Redaction(memory)).get_tracer("test").start_as_current_span("a\ud800b"):
        pass
    assert memory.get_finished_spans()[0].name == "a?b"

"""`Redaction`: the one way out for spans, around every exporter, which takes out what nobody should keep.

Redacted are names and values of attributes (of spans, events, links and the resource), names of spans and
events, status descriptions, and queries of URLs; a JSON text is opened and redacted inside. Taken out are
private data (`private_data`), keys by value and by form (`llm.keys`), `secrets` of your own, and photos and
other files in base64. It fails closed: a span that cannot be redacted is not exported, and counted.

A replay came faster than the model did; a span leaves with the length that it had when the model answered.
"""

from __future__ import annotations

import functools
import json
import logging
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, Status

from aicourse.llm.keys import MASK, masker
from aicourse.llm.span_notes import SAVED_SECONDS
from aicourse.monitoring.private_data import without_private

LONGEST = 20_000  # characters of a text
_SHORT = 100
_MARGIN = 500  # at the end of a cut text, where half a piece of private data may stand
_LARGEST_INTEGER = 2**63 - 1
_URL_ATTRIBUTES = ("url.query", "url.full", "http.url", "http.target")
_SECRET_ATTRIBUTE = re.compile(r"(?i)authorization|cookie|password|passwd|secret|api[-_.]?key")
_BASE64 = re.compile(r"(?<![\w+/-])[A-Za-z0-9+/_-]{256,}={0,2}")
_LOGIN = re.compile(r"(?<=://)[^\s/@]{1,200}@")
_QUERY = re.compile(r"(?<=\S)([?#])[\w.%~\[\]-]{1,100}=[^\s\"'<>]*")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[nrt])")
_log = logging.getLogger(__name__)


class Redaction(SpanExporter):
    """Passes redacted copies of spans to `exporter`.

    `taken` is told how many spans came, `dropped` of those that could not be redacted.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        *,
        secrets: Collection[str] = (),
        dropped: Callable[[str, int], object] = lambda reason, spans: None,
        taken: Callable[[int], object] = lambda spans: None,
    ) -> None:
        self._exporter, self._secrets = exporter, frozenset(secrets)
        self._dropped, self._taken = dropped, taken

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export what can be redacted."""
        self._taken(len(spans))
        clean, redactor = [], None
        for span in spans:
            try:
                redactor = redactor or _Redactor(masker(self._secrets))
                clean.append(redactor.span(span))
            except Exception as error:  # whatever it is, the span stays here
                _log.warning("A span is not exported: it cannot be redacted (%s).", type(error).__name__)
                self._dropped("cannot be redacted", 1)
        return self._exporter.export(clean)

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()


class _Redactor:
    """Redacted copies of the spans of one batch; `mask` takes keys out of a text."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        self._mask = mask
        self._resources: dict[int, Resource] = {}
        self._known: dict[str, str] = {}  # names and short values, most of which many spans share

    def span(self, span: ReadableSpan) -> ReadableSpan:
        """The copy that may leave."""
        assert span.context
        assert span.end_time is not None
        saved = (span.attributes or {}).get(SAVED_SECONDS, 0.0)
        assert isinstance(saved, float | int)
        return ReadableSpan(
            name=self.text(span.name),
            context=_plain_context(span.context),
            parent=_plain_context(span.parent) if span.parent else None,
            resource=self._resource(span.resource),
            attributes=self._attributes(span.attributes),
            events=[
                Event(self.text(event.name), self._attributes(event.attributes), event.timestamp)
                for event in span.events
            ],
            links=[
                Link(_plain_context(link.context), self._attributes(link.attributes)) for link in span.links
            ],
            kind=span.kind,
            status=Status(span.status.status_code, self.text(span.status.description or "") or None),
            start_time=span.start_time,
            end_time=span.end_time + max(0, int(saved * 1e9)),
            instrumentation_scope=span.instrumentation_scope,
        )

    def _resource(self, resource: Resource) -> Resource:
        if id(resource) not in self._resources:  # one for all spans of a process
            self._resources[id(resource)] = Resource(self._attributes(resource.attributes))
        return self._resources[id(resource)]

    def _attributes(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        return {self.text(name): self._attribute(name, value) for name, value in (attributes or {}).items()}

    def _attribute(self, name: str, value: Any) -> Any:
        if _is_secret(name):
            return MASK
        if name in _URL_ATTRIBUTES:
            before = "" if name == "url.query" else re.split("[?#]", str(value), maxsplit=1)[0]
            value = value if before == value else f"{before}?[query]"
        return self.value(value)

    def value(self, value: Any) -> Any:
        """A value of any type that an attribute may have.

        Raises:
            TypeError: another type.
        """
        match value:
            case str():
                return self.text(value)
            case None | bool():
                return value
            case float():
                return value if math.isfinite(value) else str(value)  # JSON knows no infinity
            case int():
                text = self.text(str(value))
                return value if text == str(value) and abs(value) <= _LARGEST_INTEGER else text
            case list() | tuple():
                return [self.value(one) for one in value]
            case bytes():
                return "[bytes]"
            case Mapping():
                return self._attributes({str(name): one for name, one in value.items()})
        raise TypeError(f"an attribute cannot be {type(value).__name__}")

    def text(self, text: str) -> str:
        """A text, or a JSON text that is redacted inside."""
        if len(text) > _SHORT:
            return self._redacted(text)
        if text not in self._known:
            self._known[text] = self._redacted(text)
        return self._known[text]

    def _redacted(self, text: str) -> str:
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode()  # half a character can be neither stored nor sent
        if len(text) >= 256:
            text = _BASE64.sub("[base64]", text)
        if text[:1] in ("{", "["):
            try:
                return json.dumps(self.value(json.loads(text)), ensure_ascii=False)[:LONGEST]
            except (ValueError, RecursionError):  # cut off, or only looks like JSON
                text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else " ", text)
                text = text.encode("utf-8", "replace").decode()
        text = self._mask(text)
        if "=" in text or "@" in text:
            text = _QUERY.sub(r"\1[query]", _LOGIN.sub("[login]@", text))
        return without_private(text) if len(text) <= LONGEST else without_private(text[:LONGEST])[:-_MARGIN]


@functools.lru_cache(maxsize=1_000)
def _is_secret(name: str) -> bool:
    return bool(_SECRET_ATTRIBUTE.search(name))


def _plain_context(context: SpanContext) -> SpanContext:
    """The ids alone: a trace state comes from outside, with whatever somebody put in."""
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)

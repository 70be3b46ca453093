"""`span()`: a stretch of work with a name, a beginning, an end and facts; and scores that are given to one.

    with span("propose", client="ios 4.2") as current:
        extraction = extract(...)                       # the model's call becomes a child
        note(current, category="coat", valid=True)

Facts that monitoring asks about have a column of their own in the store and these names in OpenTelemetry
(https://github.com/open-telemetry/semantic-conventions-genai; no convention knows those of `aicourse.`).
Without `start_tracing` all this costs next to nothing and goes nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags

Source = Literal["user", "annotator", "judge", "rule"]

ATTRIBUTES = {
    "operation": "gen_ai.operation.name",
    "model": "gen_ai.request.model",
    "prompt": "gen_ai.prompt.name",
    "prompt_version": "gen_ai.prompt.version",
    "prompt_hash": "gen_ai.prompt.hash",
    "input_tokens": "gen_ai.usage.input_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cost_usd": "aicourse.cost_usd",
    "client": "aicourse.client",
    "category": "aicourse.category",
    "experiment": "feature_flag.key",
    "variant": "feature_flag.result.variant",
    "valid": "aicourse.valid",
    "empty_fields": "aicourse.empty_fields",
}
EVALUATION = "gen_ai.evaluation.result"
SCORED_SPAN = "aicourse.evaluation.span_id"
SCORE_SOURCE = "aicourse.evaluation.source"


@contextmanager
def span(name: str, **facts: Any) -> Iterator[Span]:
    """A span around the body, child of the one that is open; an exception marks it as failed and goes on."""
    with trace.get_tracer("aicourse").start_as_current_span(name, attributes=_attributes(facts)) as current:
        yield current


def note(current: Span, **facts: Any) -> None:
    """Add facts to an open span, by the names of the columns or new ones; None says nothing."""
    current.set_attributes(_attributes(facts))


def record_score(
    name: str,
    *,
    source: Source,
    value: float | None = None,
    label: str | None = None,
    explanation: str | None = None,
    of: tuple[str, str] | None = None,
) -> None:
    """Give a score to the open span, or to the span `of` (trace id, span id) that has ended long ago.

    Raises:
        ValueError: an unknown source.
    """
    if source not in get_args(Source):
        raise ValueError(f"source must be one of {', '.join(get_args(Source))}, not {source!r}")
    facts = {"name": name, "score.value": value, "score.label": label, "explanation": explanation}
    told = {f"gen_ai.evaluation.{part}": fact for part, fact in facts.items() if fact is not None}
    told[SCORE_SOURCE] = source
    if of is None:
        trace.get_current_span().add_event(EVALUATION, told)
        return
    trace_id, told[SCORED_SPAN] = of
    scored = SpanContext(int(trace_id, 16), int(of[1], 16), True, TraceFlags(TraceFlags.SAMPLED))
    context = trace.set_span_in_context(NonRecordingSpan(scored))
    with trace.get_tracer("aicourse").start_as_current_span(f"evaluate {name}", context) as judging:
        judging.add_event(EVALUATION, told)


def _attributes(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        ATTRIBUTES.get(name, f"aicourse.{name}"): fact for name, fact in facts.items() if fact is not None
    }

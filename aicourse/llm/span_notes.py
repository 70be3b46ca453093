"""The notes of a call on the span that is open around it: what an instrumentation of the client cannot know.

That is the prompt's name, version and hash, what the reply cost when it was made, where it came from, and by
how much a replay was faster than the model. OpenTelemetry is looked for, never loaded: without
`monitoring.start_tracing` there is no span, and its import takes longer than a replayed call.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from aicourse.llm.calls import Call

PROMPT_NAME, PROMPT_VERSION, PROMPT_HASH = (f"gen_ai.prompt.{part}" for part in ("name", "version", "hash"))
COST_USD = "aicourse.cost_usd"
SOURCE = "aicourse.source"
SAVED_SECONDS = "aicourse.saved_seconds"  # the recorded latency less what the replay took


@dataclass(frozen=True)
class OpenSpan:
    """The span that was open when a call began; `span` is None when nobody traces."""

    span: Any
    started: float

    @classmethod
    def now(cls) -> OpenSpan:
        """The span that is open in this thread or task."""
        trace = sys.modules.get("opentelemetry.trace")
        return cls(trace.get_current_span() if trace else None, perf_counter())

    def note(self, call: Call) -> None:
        """Add what is known of the finished call."""
        if self.span is None or not self.span.is_recording():
            return
        notes: dict[str, Any] = {SOURCE: call.source}
        if call.prompt is not None:  # "extract_listing@v3 9f2c1a5b7d10"
            reference, _, notes[PROMPT_HASH] = call.prompt.partition(" ")
            notes[PROMPT_NAME], _, notes[PROMPT_VERSION] = reference.partition("@")
        if call.cost is not None:
            notes[COST_USD] = float(call.cost)
        if call.source == "recorded":
            notes[SAVED_SECONDS] = call.seconds - (perf_counter() - self.started)
        self.span.set_attributes(notes)

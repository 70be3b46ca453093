"""The feature in use: each message is a traced request, and what volunteers say of it is kept.

    with start_tracing("build/product.sqlite"):
        answered = answer(connect(), "My rear brake squeals.", client_version="web 1.0")
    correct(open_metrics("build/product.sqlite"), answered, desk="bicycles", by="volunteer 3")

`aicourse monitor report build/product.sqlite report.html` draws it, and `aicourse monitor check` with
the rules of `alerts.yaml` says if somebody should look.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import openai
from aicourse.monitoring import note, record_published, record_thumb, span
from opentelemetry.trace import format_trace_id

from repair_desk.feature import PROMPT, sort_message


@dataclass(frozen=True)
class Answered:
    """A message's desk, and the trace by which feedback finds it."""

    desk: str
    trace_id: str


def answer(client: Any, message: str, *, client_version: str) -> Answered:
    """The desk for a visitor's message; a person when the provider fails, which counts as invalid.

    A span named `propose` is a request to the figures of the course's monitoring.
    """
    with span("propose", client=client_version) as current:
        try:
            desk, valid = sort_message(client, message), True
        except openai.APIError:
            desk, valid = "person", False
        note(current, category=desk, valid=valid, prompt_version=f"v{PROMPT.version}")
        return Answered(desk, format_trace_id(current.get_span_context().trace_id))


def thumb(store: sqlite3.Connection, answered: Answered, up: bool, *, by: str, text: str = "") -> None:
    """Keep a volunteer's thumb, and their words."""
    with store:
        record_thumb(store, answered.trace_id, seller_id=by, thumb=1 if up else -1, text=text)


def correct(store: sqlite3.Connection, answered: Answered, desk: str, *, by: str) -> None:
    """Keep the desk that a volunteer moved the message to; the same desk means that they left it."""
    with store:
        record_published(
            store,
            answered.trace_id,
            listing_id=answered.trace_id,
            seller_id=by,
            proposed={"desk": answered.desk},
            published={"desk": desk},
        )

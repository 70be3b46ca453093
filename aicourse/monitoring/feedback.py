"""Feedback: thumbs that sellers give to a proposal, and what they change in it before they publish.

    with connection:    # one transaction with the listing
        record_published(connection, trace_id, listing_id="7", seller_id="s1", proposed=…, published=…)

Explicit feedback is asked for and rare; implicit feedback comes with every published listing. An edit says
"better than proposed", not "right", and an unchanged field may never have been looked at: annotators say
what is true (`record_annotation`). Whoever changes their mind replaces what they said before. Keys are
masked in what people write. Not handled: taking other personal data out of it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

from aicourse import json_text
from aicourse.csv_text import to_csv
from aicourse.errors import FeedbackError
from aicourse.html import visible
from aicourse.llm.keys import masked
from aicourse.paths import write_atomically

Verdict = Literal["right", "wrong", "unsure"]
LONGEST_TEXT = 2_000
_THUMB = """
    INSERT INTO feedback (trace_id, listing_id, seller_id, kind, thumb, reason, text, given_ns)
    VALUES (?, ?, ?, 'explicit', ?, ?, ?, ?)
    ON CONFLICT (trace_id, seller_id) WHERE kind = 'explicit' DO UPDATE SET
        thumb = excluded.thumb, reason = excluded.reason, text = excluded.text,
        given_ns = excluded.given_ns"""
_FIELD = """
    INSERT INTO feedback (trace_id, listing_id, seller_id, kind, field, proposed, published, given_ns)
    VALUES (?, ?, ?, 'implicit', ?, ?, ?, ?)
    ON CONFLICT (trace_id, field) WHERE kind = 'implicit' DO UPDATE SET
        published = excluded.published, given_ns = excluded.given_ns"""
_ANNOTATION = """
    INSERT INTO annotations
        (trace_id, annotator, field, verdict, gold, note, probability, sampler, annotated_ns)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (trace_id, annotator, field, sampler) DO UPDATE SET
        verdict = excluded.verdict, gold = excluded.gold, note = excluded.note,
        probability = excluded.probability, annotated_ns = excluded.annotated_ns"""


def record_thumb(
    connection: sqlite3.Connection,
    trace_id: str,
    *,
    seller_id: str,
    thumb: int,
    reason: str = "",
    text: str = "",
    listing_id: str | None = None,
    given_ns: int | None = None,
) -> None:
    """Keep a thumb, 1 or -1, with its reason (a word of your form) and the seller's own words.

    Raises:
        FeedbackError: another number.
    """
    if thumb not in (1, -1):
        raise FeedbackError(f"A thumb is 1 (up) or -1 (down), not {thumb!r}. Send one of them.", thumb=thumb)
    values = (
        trace_id,
        listing_id,
        seller_id,
        thumb,
        _words(reason),
        _words(text),
        given_ns or time.time_ns(),
    )
    with _transaction(connection):
        connection.execute(_THUMB, values)


def record_published(
    connection: sqlite3.Connection,
    trace_id: str | None,
    *,
    listing_id: str,
    seller_id: str,
    proposed: Mapping[str, Any] | None,
    published: Mapping[str, Any],
    given_ns: int | None = None,
) -> list[str]:
    """Keep each field of a published listing beside its proposal; returns the fields that were changed.

    Without a proposal (the model was down) the fields are kept all the same, and none counts as changed.
    """
    at = given_ns or time.time_ns()
    kept = {name: as_kept(value) for name, value in published.items()}
    before = {name: None if proposed is None else as_kept(proposed.get(name)) for name in kept}
    rows = [(trace_id, listing_id, seller_id, name, before[name], value, at) for name, value in kept.items()]
    with _transaction(connection):
        connection.executemany(_FIELD, rows)
    return [name for name, value in kept.items() if before[name] not in (None, value)]


def record_annotation(
    connection: sqlite3.Connection,
    trace_id: str,
    *,
    annotator: str,
    field: str,
    verdict: Verdict,
    gold: Any = None,
    note: str = "",
    probability: float = 1.0,
    sampler: str = "chosen",
) -> None:
    """Keep an annotator's verdict on a proposed value, and the right value (`gold`) unless they are unsure.

    `probability` is that of the trace to be in the sample which `sampler` drew.
    """
    right = None if verdict == "unsure" else as_kept(gold)
    values = (trace_id, annotator, field, verdict, right, _words(note), probability, sampler, time.time_ns())
    with _transaction(connection):
        connection.execute(_ANNOTATION, values)


def as_kept(value: Any) -> str:
    """A value as JSON in one form, so that equal texts mean: accepted. Order and blanks make no correction.

    >>> as_kept(["red", "blue", "red"]), as_kept(" Zara "), as_kept(" ")
    ('["blue", "red"]', '"Zara"', 'null')
    """
    if isinstance(value, str):
        value = value.strip() or None
    elif isinstance(value, list | tuple):
        value = sorted(set(value))
    return json_text.dumps(value).decode()


def export_feedback(connection: sqlite3.Connection, path: Path) -> Path:
    """Write all feedback as CSV that a spreadsheet shows and does not compute (`csv_text` reads it back)."""
    found = connection.execute("SELECT * FROM feedback ORDER BY id")
    names = [column[0] for column in found.description]
    rows = [["" if value is None else str(value) for value in row] for row in found]
    write_atomically(path, to_csv([names, *rows]))
    return path


def _words(text: str) -> str | None:
    """A person's own words, as far as they are kept."""
    return visible(masked(text.strip()))[:LONGEST_TEXT] or None


def _transaction(connection: sqlite3.Connection) -> AbstractContextManager[object]:
    """A transaction of its own, or the caller's when one is open."""
    return nullcontext() if connection.in_transaction else connection

"""Feedback: thumbs that sellers give to a proposal, and what they change in it before they publish.

    with connection:    # one transaction with the listing
        record_published(connection, trace_id, listing_id="7", seller_id="s1", proposed=…, published=…)

Explicit feedback is asked for and rare; implicit feedback comes with every published listing. An edit says
"better than proposed", not "right", and an unchanged field may never have been looked at: annotators say
what is true. Whoever changes their mind replaces what they said before. Keys are masked in what people
write. Not handled: taking other personal data out of it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Literal

from aicourse import json_text
from aicourse.csv_text import to_csv
from aicourse.errors import FeedbackError
from aicourse.html import visible
from aicourse.llm.keys import masked
from aicourse.xlsx_text import to_xlsx

Verdict = Literal["right", "wrong", "unsure"]
LONGEST_TEXT = 2_000


def record_thumb(
    connection: sqlite3.Connection,
    trace_id: str,
    *,
    seller_id: str,
    thumb: int,
    reason: str = "",
    text: str = "",
    listing_id: str | None = None,
) -> None:
    """Keep a thumb, 1 or -1, with its reason (a word of your form) and the seller's own words.

    Raises:
        FeedbackError: another number.
    """
    if thumb not in (1, -1):
        raise FeedbackError(f"A thumb is 1 (up) or -1 (down), not {thumb!r}. Send one of them.", thumb=thumb)
    row: dict[str, Any] = {"trace_id": trace_id, "listing_id": listing_id, "kind": "explicit"}
    row |= {"seller_id": seller_id, "given_ns": time.time_ns()}
    row |= {"thumb": thumb, "reason": _words(reason), "text": _words(text)}
    _put(connection, "feedback", "(trace_id, seller_id) WHERE kind = 'explicit'", [row])


def record_published(
    connection: sqlite3.Connection,
    trace_id: str | None,
    *,
    listing_id: str,
    seller_id: str,
    proposed: Mapping[str, Any] | None,
    published: Mapping[str, Any],
) -> list[str]:
    """Keep each field of a published listing beside its proposal; returns the fields that were changed.

    Without a proposal (the model was down) the fields are kept all the same, and none counts as changed.
    """
    kept = {name: as_kept(value) for name, value in published.items()}
    before = {name: None if proposed is None else as_kept(proposed.get(name)) for name in kept}
    row: dict[str, Any] = {"trace_id": trace_id, "listing_id": listing_id, "kind": "implicit"}
    row |= {"seller_id": seller_id, "given_ns": time.time_ns()}
    fields = [
        row | {"field": name, "proposed": before[name], "published": value} for name, value in kept.items()
    ]
    _put(connection, "feedback", "(trace_id, field) WHERE kind = 'implicit'", fields)
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
    """Keep an annotator's verdict on a proposed value; `gold` is the right value where it is wrong.

    `probability` is that of the trace to be in the sample which `sampler` drew.

    Raises:
        FeedbackError: nothing was proposed there, or it is called wrong and given as the right value.
    """
    query = "SELECT proposed FROM proposed_fields WHERE trace_id = ? AND field = ?"
    found = connection.execute(query, (trace_id, field)).fetchone()
    if found is None:
        raise FeedbackError(f"Trace {trace_id!r} has no published proposal of {field!r}. Check both names.")
    right = found[0] if verdict == "right" else as_kept(gold) if verdict == "wrong" else None
    if verdict == "wrong" and right == found[0]:
        raise FeedbackError("That is what was proposed: call it right, or give the right value.")
    row: dict[str, Any] = {"trace_id": trace_id, "annotator": annotator, "field": field, "sampler": sampler}
    row |= {"verdict": verdict, "gold": right, "note": _words(note), "probability": probability}
    row |= {"annotated_ns": time.time_ns()}
    _put(connection, "annotations", "(trace_id, annotator, field, sampler)", [row])


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


def export_feedback(connection: sqlite3.Connection, form: Literal["csv", "xlsx"]) -> bytes:
    """All feedback as a file that a spreadsheet shows and does not compute (`csv_text` reads CSV back)."""
    found = connection.execute("SELECT * FROM feedback ORDER BY id")
    names = [column[0] for column in found.description]
    rows = [["" if value is None else str(value) for value in row] for row in found]
    return (to_csv if form == "csv" else to_xlsx)([names, *rows])


def _words(text: str) -> str | None:
    """A person's own words, as far as they are kept."""
    return visible(masked(text.strip()))[:LONGEST_TEXT] or None


def _put(connection: sqlite3.Connection, table: str, unique: str, rows: list[dict[str, Any]]) -> None:
    """Add rows or replace those they agree with, in a transaction: the caller's when one is open."""
    names = list(rows[0]) if rows else []
    query = (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES (:{', :'.join(names)}) ON CONFLICT {unique} "
        f"DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)}"
    )
    with nullcontext() if connection.in_transaction else connection:
        connection.executemany(query, rows)

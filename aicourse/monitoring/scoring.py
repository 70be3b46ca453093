"""Scores of live requests by rules and judges, in the table `scores` that users and annotators share.

    def short(request): return request["empty_fields"] <= 2
    score_requests(connection, "few empty fields", short, share=0.1)

The share is drawn by a hash of the trace: each request has the same chance, whatever it is about, so the mean
over those scored (`read_scores`) says the same of all. All scorers meet the same requests.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from aicourse.llm.keys import masked

Scorer = Callable[[Mapping[str, Any]], float | None]
_BROKEN = "scores.value IS NULL AND scores.label IS NULL"
_UNSCORED = f"""
    SELECT * FROM spans WHERE name = 'propose' AND NOT EXISTS (SELECT 1 FROM scores
        WHERE scores.trace_id = spans.trace_id AND scores.name = ? AND scores.source = ?
            AND NOT ({_BROKEN}))"""
_FORGET = f"DELETE FROM scores WHERE trace_id = ? AND name = ? AND source = ? AND {_BROKEN}"
_INSERT = """
    INSERT INTO scores (trace_id, span_id, name, value, source, explanation, scored_ns)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""


def score_requests(
    connection: sqlite3.Connection,
    name: str,
    scorer: Scorer,
    *,
    share: float = 0.1,
    source: Literal["rule", "judge"] = "rule",
) -> int:
    """Score those of a share of the requests that have no such score yet; returns how many got a row.

    The scorer is called with a request's span, `attributes` and `events` as data, and answers with a number,
    or None for a request that it is not about. One that breaks leaves a row without a value that says why,
    and is asked again the next time.
    """
    scored = 0
    for span in connection.execute(_UNSCORED, (name, source)).fetchall():
        if _chance(span["trace_id"]) >= share:
            continue
        request = dict(span) | {key: json.loads(span[key]) for key in ("attributes", "events")}
        value, reason = _scored(scorer, request)
        has_row = value is not None or reason is not None
        row = (span["trace_id"], span["span_id"], name, value, source, reason, time.time_ns())
        with connection:  # at once: what a judge has said was paid for
            connection.execute(_FORGET, (span["trace_id"], name, source))
            if has_row:
                connection.execute(_INSERT, row)
        scored += has_row
    return scored


def _scored(scorer: Scorer, request: Mapping[str, Any]) -> tuple[float | None, str | None]:
    try:
        value = scorer(request)
        return (None if value is None else float(value)), None
    except Exception as error:
        return None, masked(f"{type(error).__name__}: {error}")


def _chance(trace_id: str) -> float:
    """A number from 0 to 1, always the same for one trace."""
    return int.from_bytes(hashlib.sha256(trace_id.encode()).digest()[:8], "big") / 2**64

"""Tracing that has started; monitoring databases, with published listings or requests written by hand."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aicourse.monitoring
from aicourse.monitoring import Tracing, start_tracing
from aicourse.monitoring.feedback import as_kept, record_annotation, record_published
from aicourse.sqlite import database

MIGRATIONS = Path(aicourse.monitoring.__file__).parent / "migrations"
PROPOSED = {
    "category": "shoes",
    "colours": ["red", "white"],
    "materials": [],
    "size": "UK 7",
    "condition": "good",
    "brand": None,
}


Write = Callable[..., str]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(database(tmp_path / "shop.sqlite", "monitoring", MIGRATIONS)) as opened:
        yield opened


@pytest.fixture
def proposed() -> dict[str, Any]:
    """What the model proposes each time."""
    return PROPOSED


@pytest.fixture
def publish(connection: sqlite3.Connection) -> Callable[..., list[str]]:
    """Publish the proposal of a trace `t<number>` with some fields changed."""

    def published(number: int, seller: str = "s1", listing: str | None = None, **changed: Any) -> list[str]:
        return record_published(
            connection,
            f"t{number}",
            listing_id=listing or f"l{number}",
            seller_id=seller,
            proposed=PROPOSED,
            published=PROPOSED | changed,
        )

    return published


@pytest.fixture
def judge(connection: sqlite3.Connection) -> Callable[..., None]:
    """Judge all fields of a trace right, but for the gold that is given."""

    def judged(number: int, annotator: str = "A", **gold: Any) -> None:
        for field, proposed in PROPOSED.items():
            record_annotation(
                connection,
                f"t{number}",
                annotator=annotator,
                field=field,
                verdict="wrong" if field in gold else "right",
                gold=gold.get(field, proposed),
                probability=0.5,
                sampler="random",
            )

    return judged


@pytest.fixture
def tracing(tmp_path: Path) -> Iterator[Tracing]:
    with start_tracing(tmp_path / "product.sqlite") as started:
        yield started


@pytest.fixture
def store() -> sqlite3.Connection:
    return database(":memory:", "monitoring", MIGRATIONS)


@pytest.fixture
def write(store: sqlite3.Connection) -> Write:
    """Write one request at a time such as "2026-10-05 09:30": its span, and one below it for each call."""
    numbers = itertools.count()

    def request(
        at: str,
        *,
        calls: tuple[tuple[int, int | None, int, float], ...] = ((1_000, 800, 50, 0.0002),),
        changes: dict[str, tuple[Any, Any]] | None = None,
        thumb: int = 0,
        **facts: Any,
    ) -> str:
        trace, started = f"{next(numbers):032x}", pd.Timestamp(at).value
        usual = {
            "seconds": 1.0,
            "status": "ok",
            "valid": 1,
            "empty_fields": 2,
            "attributes": "{}",
            "events": "[]",
        }
        row = (
            usual
            | {"span_id": trace[16:], "trace_id": trace, "name": "propose", "started_ns": started}
            | facts
        )
        rows = [row]
        for place, (tokens, cached, output, cost) in enumerate(calls):
            rows.append(
                {
                    "span_id": f"{trace[18:]}c{place}", "trace_id": trace, "parent_id": row["span_id"],
                    "name": "chat m", "started_ns": started, "seconds": 0.9, "status": "ok",
                    "operation": "chat", "model": "m", "prompt_version": "4", "input_tokens": tokens,
                    "cached_tokens": cached, "output_tokens": output, "cost_usd": cost,
                    "attributes": "{}", "events": "[]",
                }
            )  # fmt: skip
        with store:
            for one in rows:
                marks = ", ".join("?" * len(one))
                store.execute(f"INSERT INTO spans ({', '.join(one)}) VALUES ({marks})", list(one.values()))
            for field, values in (changes or {}).items():
                store.execute(
                    "INSERT INTO feedback (trace_id, kind, field, proposed, published, given_ns) "
                    "VALUES (?, 'implicit', ?, ?, ?, ?)",
                    (trace, field, *map(as_kept, values), started),
                )
            if thumb:
                store.execute(
                    "INSERT INTO feedback (trace_id, kind, thumb, given_ns) VALUES (?, 'explicit', ?, ?)",
                    (trace, thumb, started),
                )
        return trace

    return request

"""Tracing that has started; a monitoring database with a few published listings."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import aicourse.monitoring
from aicourse.monitoring import Tracing, start_tracing
from aicourse.monitoring.feedback import record_annotation, record_published
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
            given_ns=number,
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

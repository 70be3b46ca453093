"""The shop that scenarios begin with: the course's snapshot, a scenario's rows, its articles and its clock.

desk = scenario_desk(scenario)          # in memory, the same each time: rows, order, ids and clock
"""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from aicourse.agents.scenarios import NOW, AddedArticle, Scenario
from aicourse.datasets import help_articles
from aicourse.errors import AgentError, DatasetError
from aicourse.marketplace.support.desk import TABLES, Desk, open_shop
from aicourse.paths import datasets_dir
from aicourse.rag.chunking import Chunk, by_heading
from aicourse.rag.documents import Document, from_articles
from aicourse.rag.index import BM25Index
from aicourse.suggestions import did_you_mean

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def scenario_desk(scenario: Scenario) -> Desk:
    """The desk for a scenario's customer, with the shop as it is before.

    Raises:
        DatasetError: a row that the shop has no place for.
    """
    connection, now = course_shop(), datetime.fromisoformat(scenario.now)
    fill(connection, scenario.start)
    index = help_centre(scenario.articles)
    return Desk(connection, scenario.customer, index, scenario.id, now=lambda: now)


def course_desk(connection: sqlite3.Connection, customer: str, conversation: str = "1") -> Desk:
    """The desk for a customer of a shop with the course's snapshot, on the snapshot's day.

    Raises:
        AgentError: the shop has no such customer.
    """
    known = [row[0] for row in connection.execute("SELECT customer_id FROM customers ORDER BY 1")]
    if customer not in known:
        told = f"{did_you_mean(customer, known)} Use one of: {', '.join(known)}."
        raise AgentError(f"The shop has no customer {customer!r}.{told}", customer=customer)
    now = datetime.fromisoformat(NOW)
    return Desk(connection, customer, help_centre(), conversation, lambda: now)


def course_shop(path: Path | str = ":memory:") -> sqlite3.Connection:
    """The course's snapshot, in memory or in a file; one that has customers stays as it is."""
    connection = open_shop(path)
    if connection.execute("SELECT 1 FROM customers LIMIT 1").fetchone() is None:
        fill(connection, _snapshot())
    return connection


def fill(connection: sqlite3.Connection, rows: Rows) -> None:
    """Add rows by table, all or none; one with the key of a row that is there replaces it.

    Raises:
        DatasetError: no such table or column, or a row that breaks a rule of the table.
    """
    with connection:
        for table in sorted(rows, key=lambda name: TABLES.index(name) if name in TABLES else -1):
            if table not in TABLES:
                raise DatasetError(f"The shop has no table {table!r}. Use: {', '.join(TABLES)}.", table=table)
            for row in rows[table]:
                _put(connection, table, row)


def _put(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    columns = ", ".join(f'"{name}"' for name in row)
    places = ", ".join("?" * len(row))
    try:
        connection.execute(
            f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({places})", tuple(row.values())
        )
    except sqlite3.Error as error:
        raise DatasetError(
            f"A row of {table} does not fit: {error} ({dict(row)}). Correct it.", table=table
        ) from None


def help_centre(more: Iterable[AddedArticle] = ()) -> BM25Index:
    """Keyword search in the help centre's articles, and in some more."""
    added = tuple(more)
    if not added:
        return _plain_help_centre()
    index = BM25Index()
    index.update(
        [*_chunks(), *_cut(Document(one.slug, one.title, one.text, metadata=_CURRENT) for one in added)]
    )
    return index


_CURRENT = {"status": "current"}


@functools.cache
def _plain_help_centre() -> BM25Index:
    index = BM25Index()
    index.update(_chunks())
    return index


@functools.cache
def _chunks() -> tuple[Chunk, ...]:
    return tuple(_cut(from_articles(help_articles())))


def _cut(documents: Iterable[Document]) -> list[Chunk]:
    return [chunk for document in documents for chunk in by_heading(document)]


@functools.cache
def _snapshot() -> Rows:
    path = datasets_dir() / "support" / "shop.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"{path} cannot be read: {error}. Restore it with: git checkout -- datasets", path=path
        ) from None

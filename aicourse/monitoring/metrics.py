"""Metrics of production: SQL views over spans and feedback (`metrics.sql`), read as tables.

    connection = open_metrics("marketplace.db")
    read_metrics(connection, by="day")                # or by=["day", "client"], "prompt_version", …
    read_corrections(connection, by="client")         # how often sellers change each field

A *request* is one proposal that a seller asked for. Days and hours are UTC. Everything is added up by SQLite
but percentiles, for which the seconds alone are read. Not handled: requests that left no span.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from aicourse.errors import MonitoringError
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database
from aicourse.suggestions import similar_file

if TYPE_CHECKING:
    import pandas as pd

Group = Literal["hour", "day", "prompt_version", "model", "client", "category", "experiment", "variant"]
Measure = Literal["failed", "invalid", "empty_fields", "corrected", "disliked", "seconds", "cost_usd"]
EVER = 2**63 - 1
_DAY_NS = 24 * 3600 * 10**9
_VIEWS = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_RATES = """count(*) AS requests, avg(failed) AS failed, avg(invalid) AS invalid,
    avg(empty_fields) AS empty_fields, avg(corrected) AS corrected, avg(disliked) AS disliked"""
_SUMS = """sum(uncached_tokens) AS uncached_tokens, sum(cached_tokens) AS cached_tokens,
    sum(output_tokens) AS output_tokens, sum(cost_usd) AS cost_usd, avg(cost_usd) AS cost_per_request"""


def open_metrics(path: Path | str) -> sqlite3.Connection:
    """A connection to the product's database, which must be there.

    Raises:
        MonitoringError: no such file.
        StoreError: no database of this version.
    """
    if not Path(path).is_file():
        raise MonitoringError(f"No database {path}.{similar_file(Path(path))} Check the path.", path=path)
    return database(path, "monitoring", MIGRATIONS)


def read_metrics(
    connection: sqlite3.Connection,
    by: Group | Sequence[Group] = "day",
    *,
    since_ns: int = 0,
    until_ns: int = EVER,
) -> pd.DataFrame:
    """Rates, percentiles, tokens and cost of the requests of each group.

    Returns:
        One row per group, in order: `requests`; means per request `failed`, `invalid`, `empty_fields`,
        `corrected` (the share of its fields that the seller changed), `disliked` (of the thumbs);
        `p50_seconds`, `p95_seconds`; sums of `uncached_tokens`, `cached_tokens`, `output_tokens`, `cost_usd`;
        `cost_per_request`. NaN where nothing was measured.

    Raises:
        MonitoringError: a group that requests do not have.
    """
    names = _known([by] if isinstance(by, str) else by)
    keys = ", ".join(names)
    window = (since_ns, until_ns)
    where = "FROM requests WHERE started_ns >= ? AND started_ns < ?"
    table = _read(connection, f"SELECT {keys}, {_RATES}, {_SUMS} {where} GROUP BY {keys}", window)
    seconds = _read(connection, f"SELECT {keys}, seconds {where}", window).astype({"seconds": float})
    grouped = seconds.groupby(names, dropna=False)["seconds"]
    table = table.set_index(names)
    for place, share in enumerate((0.50, 0.95)):
        table.insert(6 + place, f"p{100 * share:.0f}_seconds", grouped.quantile(share))
    return table


def read_corrections(
    connection: sqlite3.Connection, by: Group | None = None, *, since_ns: int = 0, until_ns: int = EVER
) -> pd.DataFrame:
    """The share of proposed values that sellers changed before they published, field by field.

    Returns:
        One row per field, or per group and field: `published` values, and the share `corrected`.
    """
    names = [*(_known([by]) if by else []), "field"]
    keys = ", ".join(names)
    query = f"""SELECT {keys}, count(*) AS published, avg(is_corrected) AS corrected FROM corrections
        WHERE started_ns >= ? AND started_ns < ? GROUP BY {keys}"""
    return _read(connection, query, (since_ns, until_ns)).set_index(names)


def read_series(
    connection: sqlite3.Connection,
    measure: Measure,
    every: Literal["hour", "day"],
    by: Group | None = None,
    *,
    since_ns: int = 0,
    until_ns: int = EVER,
) -> pd.DataFrame:
    """A measure per period and slice: `period`, `slice`, `requests` that have it, `mean`, `mean_square`."""
    part = _known([by])[0] if by else "''"
    query = f"""SELECT {every} AS period, {part} AS slice, count({measure}) AS requests,
        avg({measure}) AS mean, avg({measure} * {measure}) AS mean_square
        FROM requests WHERE started_ns >= ? AND started_ns < ? GROUP BY 1, 2"""
    return _dated(_read(connection, query, (since_ns, until_ns)))


def read_mix(
    connection: sqlite3.Connection,
    group: Group,
    every: Literal["hour", "day"],
    *,
    since_ns: int = 0,
    until_ns: int = EVER,
) -> pd.DataFrame:
    """The requests per period and value of `group`: `period`, `value`, `requests`."""
    query = f"""SELECT {every} AS period, {_known([group])[0]} AS value, count(*) AS requests
        FROM requests WHERE {group} IS NOT NULL AND started_ns >= ? AND started_ns < ? GROUP BY 1, 2"""
    return _dated(_read(connection, query, (since_ns, until_ns)))


def window_ns(connection: sqlite3.Connection, days: int, until: pd.Timestamp | None) -> tuple[int, int]:
    """Beginning and end of the last so many days (UTC), up to `until`, or to the last span if it is None."""
    end = until.value if until is not None else _last_ns(connection) + 1
    return max(0, (-(-end // _DAY_NS) - days) * _DAY_NS), end


def _last_ns(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(started_ns), 0) FROM spans").fetchone()[0])


def _known(names: Sequence[str]) -> list[str]:
    """The names, if they are columns of the view; they become a part of the SQL."""
    for name in names:
        if name not in get_args(Group):
            choices = ", ".join(get_args(Group))
            raise MonitoringError(
                f"Requests cannot be grouped by {name!r}. Choose from: {choices}.", name=name
            )
    return list(names)


def _read(connection: sqlite3.Connection, query: str, values: tuple[int, ...] = ()) -> pd.DataFrame:
    import pandas as pd

    for view in _VIEWS.split(";\n"):
        connection.execute(view)
    return pd.read_sql_query(query, connection, params=values)


def _dated(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return table.assign(period=pd.to_datetime(table["period"]))

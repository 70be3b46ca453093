"""Metrics of production: SQL views over spans, feedback and scores (`metrics.sql`), read as tables.

    connection = open_metrics("marketplace.db")
    read_metrics(connection, by="day")                # or by=["day", "client"], "prompt_version", …
    read_corrections(connection, by="client")         # how often sellers change each field
    read_scores(connection, by="prompt_version")      # what rules, judges, annotators and users say

A *request* is one proposal that a seller asked for. Days and hours are UTC; a window is its beginning and end
in Unix nanoseconds. Everything is added up by SQLite but percentiles, for which the seconds alone are read.
Not handled: requests that left no span.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
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
Period = Literal["hour", "day"]
Window = tuple[int, int]
ALWAYS: Window = (0, 2**63 - 1)
NOT_KNOWN = "not known"  # the slice of requests without a value
_DAY_NS = 24 * 3600 * 10**9
_VIEWS = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_RATES = """count(*) AS requests, avg(failed) AS failed, avg(invalid) AS invalid,
    avg(empty_fields) AS empty_fields, avg(corrected) AS corrected, avg(disliked) AS disliked"""
_SUMS = """sum(uncached_tokens) AS uncached_tokens, sum(cached_tokens) AS cached_tokens,
    sum(output_tokens) AS output_tokens, sum(cost_usd) AS cost_usd, avg(cost_usd) AS cost_per_request"""
_PERCENTILES = {"p50_seconds": 0.50, "p95_seconds": 0.95}


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
    connection: sqlite3.Connection, by: Group | Sequence[Group] = "day", window: Window = ALWAYS
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
    names = _known(by)
    keys = ", ".join(names)
    table = _read(connection, f"SELECT {keys}, {_RATES}, {_SUMS} FROM requests", window, keys)
    seconds = _read(connection, f"SELECT {keys}, seconds FROM requests", window).astype({"seconds": float})
    grouped = seconds.groupby(names, dropna=False)["seconds"]
    table = table.set_index(names)
    for place, (name, share) in enumerate(_PERCENTILES.items(), start=6):
        table.insert(place, name, grouped.quantile(share))
    return table


def read_corrections(
    connection: sqlite3.Connection, by: Group | None = None, window: Window = ALWAYS
) -> pd.DataFrame:
    """The share of proposed values that sellers changed before they published, field by field.

    Returns:
        One row per field, or per group and field: `published` values, and the share `corrected`.
    """
    names = [*(_known(by) if by else []), "field"]
    keys = ", ".join(names)
    query = f"SELECT {keys}, count(*) AS published, avg(is_corrected) AS corrected FROM corrections"
    return _read(connection, query, window, keys).set_index(names)


def read_scores(
    connection: sqlite3.Connection, by: Group | None = None, window: Window = ALWAYS
) -> pd.DataFrame:
    """The mean of each score of requests.

    Returns:
        One row per source and name, or per group, source and name: the number `scored` with a value, their
        `mean`, and the number without one.
    """
    names = [*(_known(by) if by else []), "source", "name"]
    keys = ", ".join(names)
    query = f"""SELECT {keys}, count(value) AS scored, avg(value) AS mean,
        count(*) - count(value) AS without FROM scored"""
    return _read(connection, query, window, keys).set_index(names)


def read_series(
    connection: sqlite3.Connection, measure: Measure, every: Period, by: Group | None, window: Window
) -> pd.DataFrame:
    """A measure per `period` and `slice`: `requests` that have it, their `mean` and `mean_square`."""
    part = f"coalesce({_known(by)[0]}, '{NOT_KNOWN}')" if by else "''"
    query = f"""SELECT {every} AS period, {part} AS slice, count({measure}) AS requests,
        avg({measure}) AS mean, avg({measure} * {measure}) AS mean_square FROM requests"""
    return _read(connection, query, window, "1, 2").astype({"period": "datetime64[ns]"})


def read_mix(connection: sqlite3.Connection, group: Group, every: Period, window: Window) -> pd.DataFrame:
    """The `requests` per `period` and `value` of a group."""
    query = f"SELECT {every} AS period, {_known(group)[0]} AS value, count({group}) AS requests FROM requests"
    return _read(connection, query, window, "1, 2").dropna().astype({"period": "datetime64[ns]"})


def window_ns(connection: sqlite3.Connection, days: int, until: datetime | None) -> Window:
    """The window of the last so many days (UTC), up to `until`, or to the last span if it is None."""
    if until is None:
        end = connection.execute("SELECT coalesce(max(started_ns), 0) + 1 FROM spans").fetchone()[0]
    else:
        end = utc(until).value
    return max(0, (-(-end // _DAY_NS) - days) * _DAY_NS), end


def utc(at: datetime) -> pd.Timestamp:
    """A time as periods have it: in UTC, without a zone. One that has no zone is taken to be in UTC."""
    import pandas as pd

    moment = pd.Timestamp(at)
    return moment if moment.tz is None else moment.tz_convert(None)


def _known(by: str | Sequence[str]) -> list[str]:
    """The names, if they are columns of the view; they become a part of the SQL."""
    names, choices = [by] if isinstance(by, str) else list(dict.fromkeys(by)), get_args(Group)
    for name in names or [""]:
        if name not in choices:
            told = f"Requests cannot be grouped by {name!r}. Choose from: {', '.join(choices)}."
            raise MonitoringError(told, name=name)
    return names


def _read(connection: sqlite3.Connection, query: str, window: Window, keys: str = "") -> pd.DataFrame:
    """The rows of a query over requests that began in the window, grouped by keys if there are some."""
    import pandas as pd

    for view in _VIEWS.split(";\n"):
        connection.execute(view)
    grouped = f" GROUP BY {keys}" if keys else ""
    query = f"{query} WHERE started_ns >= ? AND started_ns < ?{grouped}"
    return pd.read_sql_query(query, connection, params=window)

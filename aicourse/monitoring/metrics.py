"""Metrics of production: SQL views over spans, feedback and scores (`metrics.sql`), read as tables.

    connection = open_metrics("shop.sqlite3")
    read_metrics(connection, by="day")                # or by=["day", "client"], "prompt_version", …
    read_corrections(connection, by="client")         # how often sellers change each field
    read_scores(connection, by="prompt_version")      # what rules, judges, annotators and users say

A *request* is one proposal that a seller asked for. Its seconds are those of an answer: a failure, which may
be quick or slow, is counted as one and changes no percentile. Days and hours are UTC; a window is its
beginning and end in Unix nanoseconds. The views are added up once, by hour and slice
(`migrations/003_hours.sql`), and again only for hours in which something changed, so that figures of a
million spans are there at once. Not handled: requests that left no span.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from aicourse.errors import MonitoringError
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database

if TYPE_CHECKING:
    import pandas as pd

Group = Literal["hour", "day", "prompt_version", "model", "client", "category", "experiment", "variant"]
Measure = Literal["failed", "invalid", "empty_fields", "corrected", "disliked", "seconds", "cost_usd"]
Period = Literal["hour", "day"]
Window = tuple[int, int]
ALWAYS: Window = (0, 2**63 - 1)
NOT_KNOWN = "not known"  # the slice of requests without a value
_HOUR_NS = 3600 * 10**9
_DAY_NS = 24 * _HOUR_NS
_VIEWS = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_MEASURES: tuple[Measure, ...] = get_args(Measure)
_SLICE = "hour_ns, prompt_version, model, client, category, experiment, variant"
_SUMS = ", ".join(f"count({name}), sum({name}), sum({name} * {name})" for name in _MEASURES)
_ADDED_UP = {  # table of `003_hours.sql`: its rows, of requests that began in a window
    "hourly_requests": f"""SELECT {_SLICE}, count(*), {_SUMS},
        sum(uncached_tokens), sum(cached_tokens), sum(output_tokens),
        json_group_array(round(seconds, 6)) FILTER (WHERE seconds IS NOT NULL)
        FROM requests WHERE started_ns >= ? AND started_ns < ? GROUP BY {_SLICE}""",
    "hourly_corrections": f"""SELECT {_SLICE}, field, count(*), sum(is_corrected)
        FROM corrections WHERE started_ns >= ? AND started_ns < ? GROUP BY {_SLICE}, field""",
    "hourly_scores": f"""SELECT {_SLICE}, source, name, count(value), sum(value), count(*) - count(value)
        FROM scored WHERE started_ns >= ? AND started_ns < ? GROUP BY {_SLICE}, source, name""",
}
_PERIODS = """strftime('%Y-%m-%d %H:00', hour_ns / 1000000000, 'unixepoch') AS hour,
    date(hour_ns / 1000000000, 'unixepoch') AS day"""
_PERCENTILES = {"p50_seconds": 0.50, "p95_seconds": 0.95}


def open_metrics(path: Path | str) -> sqlite3.Connection:
    """A connection to the product's database, which must be there.

    Raises:
        StoreError: no such file, or no database of this version.
    """
    return database(path, "monitoring", MIGRATIONS, new=False)


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
    rates = ("failed", "invalid", "empty_fields", "corrected", "disliked")
    query = f"""SELECT {keys}, sum(requests) AS requests, {", ".join(map(_mean, rates))},
        sum(uncached_tokens) AS uncached_tokens, sum(cached_tokens) AS cached_tokens,
        sum(output_tokens) AS output_tokens, sum(cost_usd_sum) AS cost_usd,
        total(cost_usd_sum) / sum(cost_usd_n) AS cost_per_request"""
    table = _read(connection, "hourly_requests", query, window, keys).set_index(names)
    lists = _read(connection, "hourly_requests", f"SELECT {keys}, all_seconds AS seconds", window)
    seconds = lists.assign(seconds=lists["seconds"].map(json.loads)).explode("seconds")
    grouped = seconds.astype({"seconds": float}).groupby(names, dropna=False)["seconds"]
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
    query = f"""SELECT {keys}, sum(published) AS published,
        total(corrected) / sum(published) AS corrected"""
    return _read(connection, "hourly_corrections", query, window, keys).set_index(names)


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
    query = f"""SELECT {keys}, sum(scored) AS scored, total(total) / sum(scored) AS mean,
        sum(missing) AS without"""
    return _read(connection, "hourly_scores", query, window, keys).set_index(names)


def read_series(
    connection: sqlite3.Connection, measure: Measure, every: Period, by: Group | None, window: Window
) -> pd.DataFrame:
    """A measure per `period` and `slice`: `requests` that have it, their `mean` and `mean_square`."""
    part = f"coalesce({_known(by)[0]}, '{NOT_KNOWN}')" if by else "''"
    query = f"""SELECT {every} AS period, {part} AS slice, sum({measure}_n) AS requests,
        total({measure}_sum) / sum({measure}_n) AS mean,
        total({measure}_squares) / sum({measure}_n) AS mean_square"""
    table = _read(connection, "hourly_requests", query, window, "1, 2")
    return table.astype({"period": "datetime64[ns]"})


def read_mix(connection: sqlite3.Connection, group: Group, every: Period, window: Window) -> pd.DataFrame:
    """The `requests` per `period` and `value` of a group."""
    query = f"SELECT {every} AS period, {_known(group)[0]} AS value, sum(requests) AS requests"
    table = _read(connection, "hourly_requests", query, window, "1, 2")
    return table.dropna().astype({"period": "datetime64[ns]"})


def window_ns(connection: sqlite3.Connection, days: int, until: datetime | None) -> Window:
    """The window of the last so many days (UTC), up to `until`, or to the last span if it is None."""
    if until is None:
        end = connection.execute("SELECT coalesce(max(started_ns), 0) + 1 FROM spans").fetchone()[0]
    else:
        end = utc(until).value
    return max(0, (-(-end // _DAY_NS) - days) * _DAY_NS), end


def short(value: float) -> str:
    """A number with four digits that count, never with an exponent.

    >>> short(0.00004739), short(1953.2), short(0.5)
    ('0.00004739', '1,953', '0.5')
    """
    rounded = float(f"{value:.4g}")
    digits = 3 - math.floor(math.log10(abs(rounded))) if rounded else 0
    text = f"{rounded:,.{max(digits, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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


def _mean(measure: str) -> str:
    return f"total({measure}_sum) / sum({measure}_n) AS {measure}"


def _read(
    connection: sqlite3.Connection, table: str, query: str, window: Window, keys: str = ""
) -> pd.DataFrame:
    """The rows of a query over an hourly table, in the window, grouped by keys if there are some.

    Whole hours are there; the parts of hours at both ends are added up for this question alone.
    """
    import pandas as pd

    begin, end = window
    first = min(-(-begin // _HOUR_NS) * _HOUR_NS, end)
    last = max(end // _HOUR_NS * _HOUR_NS, first)
    add_up(connection, (first, last))
    part, grouped = f"SELECT * FROM ({_ADDED_UP[table]})", f" GROUP BY {keys}" if keys else ""
    query = f"""WITH parts AS (SELECT * FROM {table} WHERE hour_ns >= ? AND hour_ns < ?
        UNION ALL {part} UNION ALL {part}) {query} FROM (SELECT *, {_PERIODS} FROM parts){grouped}"""
    return pd.read_sql_query(query, connection, params=(first, last, begin, first, last, end))


def add_up(connection: sqlite3.Connection, window: Window = ALWAYS) -> None:
    """Bring the hourly tables up to date, each stale hour by itself, so that no writer waits long.

    Raises:
        MonitoringError: the file cannot be written.
    """
    for view in _VIEWS.split(";\n"):
        connection.execute(view)
    query = "SELECT hour_ns FROM stale_hours WHERE hour_ns >= ? AND hour_ns < ?"
    try:
        for (hour,) in connection.execute(query, window).fetchall():
            with nullcontext() if connection.in_transaction else connection:
                connection.execute("DELETE FROM stale_hours WHERE hour_ns = ?", (hour,))
                for table, rows in _ADDED_UP.items():
                    connection.execute(f"DELETE FROM {table} WHERE hour_ns = ?", (hour,))
                    connection.execute(f"INSERT INTO {table} {rows}", (hour, hour + _HOUR_NS))
    except sqlite3.OperationalError as error:
        told = (
            f"The figures cannot be brought up to date ({error}). Free the disk or the file, and try again."
        )
        raise MonitoringError(told) from error

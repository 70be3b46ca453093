"""The dashboard: figures of what the product does, drawn once for the notebook, the admin page and a report.

    dashboard(connection)                     # draws itself in a notebook
    dashboard(connection, by="client").html() # for a page
    write_report(connection, "build/monitor.html")

SQLite adds up; only the window's periods are read. The drawings are inline SVG: no script, the colour of the
page's text, and each line differs from the others by its dashes, too. Texts come from apps and are escaped.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup

from aicourse.html import escape, join, page, table, wide
from aicourse.monitoring import alerts
from aicourse.monitoring.metrics import Group, open_metrics, read_corrections, read_metrics, window_ns
from aicourse.paths import write_atomically

if TYPE_CHECKING:
    import pandas as pd

_FIGURES = (
    ("Requests", "requests", ("requests",)),
    ("Failed and invalid", "share of requests", ("failed", "invalid")),
    ("Empty fields", "fields per proposal", ("empty_fields",)),
    ("Corrected by sellers", "share of proposed fields", ("corrected",)),
    ("Latency", "seconds", ("p95_seconds", "p50_seconds")),
    ("Cost per request", "US dollars", ("cost_per_request",)),
    ("Tokens", "tokens", ("uncached_tokens", "cached_tokens", "output_tokens")),
)
_MOST_LINES = 6
_DASHES = ("", "6 3", "2 3", "10 3 2 3", "1 5", "12 6")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 170, 64, 150, 10, 24


@dataclass(frozen=True)
class Line:
    """One line of a figure: a value for each period, NaN where there is none."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class TimeFigure:
    """Measures over time."""

    title: str
    unit: str
    periods: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, repr=False)
class Dashboard:
    """Figures, the states of the rules and the last notifications; draws itself as text and as HTML."""

    title: str
    figures: tuple[TimeFigure, ...]
    states: tuple[alerts.Status, ...]
    notifications: tuple[alerts.Notification, ...]
    per_week: float
    corrections: pd.DataFrame

    def __repr__(self) -> str:
        return "\n".join([self.title, *map(str, self.states)])

    def _repr_html_(self) -> str:
        return str(self.html())

    def html(self) -> Markup:
        """The whole as HTML that needs no style of its own."""
        states = [(status.state, status.rule.name, str(status)) for status in self.states]
        told = [(f"{one.at:%Y-%m-%d %H:%M}", str(one)) for one in self.notifications]
        fields = [
            ("" if row.Index is None else str(row.Index), f"{row.published:,}", f"{row.corrected:.1%}")
            for row in self.corrections.itertuples()
        ]
        caption = f"Notifications, {self.per_week:.1f} a week"
        parts = [
            Markup("<h2>{}</h2>").format(self.title),
            wide(table("States", ("state", "rule", "in words"), states), "States"),
            wide(table(caption, ("known at, UTC", "message"), told), "Notifications"),
            *(Markup("<h3>{}</h3>").format(one.title) + draw(one) for one in self.figures),
            wide(table("Corrections", ("field", "published", "corrected"), fields), "Corrections"),
        ]
        return join(parts)


def dashboard(
    connection: sqlite3.Connection,
    *,
    every: Literal["hour", "day"] = "day",
    by: Group | None = None,
    days: int = 14,
    until: pd.Timestamp | None = None,
    rules: alerts.AlertRules | None = None,
) -> Dashboard:
    """The figures of the last `days` up to `until` (UTC; the last span if not given).

    `by` draws one line for each of the largest slices, of each figure's first measure. `rules` are the
    course's own if not given.
    """
    since_ns, until_ns = window_ns(connection, days, until)
    window = {"since_ns": since_ns, "until_ns": until_ns}
    frame = read_metrics(connection, [every, by] if by else every, **window)
    statuses = alerts.evaluate(rules or alerts.read_rules(), connection, until=until)
    return Dashboard(
        title=f"The last {days} days, by {every}" + (f" and {by.replace('_', ' ')}" if by else ""),
        figures=tuple(_figure(frame, *parts) for parts in _FIGURES),
        states=tuple(alerts.latest(statuses)),
        notifications=tuple(alerts.notifications(statuses)[-20:][::-1]),
        per_week=alerts.notifications_per_week(statuses),
        corrections=read_corrections(connection, **window),
    )


def write_report(
    database: Path | str,
    path: Path | str,
    *,
    rules: Path | str | None = None,
    at: datetime | None = None,
    every: Literal["hour", "day"] = "day",
    by: Group | None = None,
    days: int = 14,
) -> Path:
    """Write the dashboard at a time in UTC, now if none is given, as one HTML file that loads nothing.

    Raises:
        MonitoringError: no such database, rules, or group.
    """
    chosen = alerts.read_rules(rules or alerts.RULES)
    with closing(open_metrics(database)) as connection:
        until = alerts.utc(at)
        shown = dashboard(connection, every=every, by=by, days=days, until=until, rules=chosen)
    write_atomically(Path(path), page("Monitoring", Markup("<h1>Monitoring</h1>") + shown.html()))
    return Path(path)


def _figure(frame: pd.DataFrame, title: str, unit: str, columns: Sequence[str]) -> TimeFigure:
    """One figure of the metrics: a line for each column, or for each slice of the first column."""
    if frame.index.nlevels == 1:
        lines = [Line(name.replace("_", " "), tuple(frame[name].astype(float))) for name in columns]
        return TimeFigure(title, unit, tuple(map(str, frame.index)), tuple(lines))
    largest = frame["requests"].groupby(level=1).sum().nlargest(_MOST_LINES).index
    wanted = frame[columns[0]].astype(float).unstack()[list(largest)]
    lines = [Line(str(name), tuple(wanted[name])) for name in largest]
    name = columns[0].replace("_", " ")
    return TimeFigure(f"{title}: {name}", unit, tuple(map(str, wanted.index)), tuple(lines))


def draw(figure: TimeFigure) -> Markup:
    """A figure as inline SVG, with its last values in words for those who do not see it."""
    known = [value for line in figure.lines for value in line.values if not math.isnan(value)]
    top = max(known, default=0) or 1
    last = "; ".join(f"{line.name} {_told(line.values)}" for line in figure.lines)
    height, bottom = _TOP + _HEIGHT + _BOTTOM, _TOP + _HEIGHT
    parts = [_level(top * share, bottom - _HEIGHT * share) for share in (0, 0.5, 1)]
    count = len(figure.periods)
    for place in sorted({0, count // 2, count - 1} & set(range(count))):
        x = _across(place, count)
        parts.append(
            f"<text x='{x:.0f}' y='{height - 6}' text-anchor='middle'>{escape(figure.periods[place])}</text>"
        )
    for number, line in enumerate(figure.lines):
        parts.append(_path(line, top, _DASHES[number % len(_DASHES)]))
    for y, line in _labels(figure.lines, top):
        parts.append(f"<text x='{_WIDTH - _RIGHT + 8}' y='{y:.1f}'>{escape(line.name[:22])}</text>")
    return Markup(
        f"<svg role='img' viewBox='0 0 {_WIDTH} {height}' width='{_WIDTH}' font-size='12' "
        "fill='currentColor' font-family='system-ui, sans-serif'>"
        f"<title>{escape(figure.title)}, {escape(figure.unit)}</title>"
        f"<desc>Last values: {escape(last)}</desc>{''.join(parts)}</svg>"
    )


def _told(values: Sequence[float]) -> str:
    known = [value for value in values if not math.isnan(value)]
    return f"{known[-1]:.4g}" if known else "none"


def _across(place: int, count: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (place + 0.5) / max(count, 1)


def _level(value: float, y: float) -> str:
    right = _WIDTH - _RIGHT
    return (
        f"<line x1='{_LEFT}' x2='{right}' y1='{y:.1f}' y2='{y:.1f}' stroke='currentColor' "
        "stroke-opacity='.2'/>"
        f"<text x='{_LEFT - 8}' y='{y + 4:.1f}' text-anchor='end'>{value:.3g}</text>"
    )


def _path(line: Line, top: float, dashes: str) -> str:
    """A line that is broken where there is no value; a period between two gaps is a dot."""
    parts, is_down = [], False
    for place, value in enumerate(line.values):
        if math.isnan(value):
            is_down = False
            continue
        point = f"{_across(place, len(line.values)):.1f},{_TOP + _HEIGHT * (1 - value / top):.1f}"
        parts.append(f"L{point}" if is_down else f"M{point}h.01")
        is_down = True
    return (
        f"<path d='{''.join(parts)}' fill='none' stroke='currentColor' stroke-width='2' "
        f"stroke-linecap='round' stroke-dasharray='{dashes}'/>"
    )


def _labels(lines: Sequence[Line], top: float) -> list[tuple[float, Line]]:
    """The heights of the lines' names, near their ends and never on each other."""
    ends = [next((value for value in reversed(line.values) if not math.isnan(value)), 0.0) for line in lines]
    placed: list[tuple[float, Line]] = []
    for end, line in sorted(zip(ends, lines, strict=True), key=lambda one: -one[0]):
        y = _TOP + _HEIGHT * (1 - end / top) + 4
        placed.append((max(y, placed[-1][0] + 14) if placed else y, line))
    return placed

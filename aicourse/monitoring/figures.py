"""The dashboard: figures of what the product does, drawn once for the notebook, the admin page and a report.

    dashboard(connection)                     # draws itself in a notebook
    dashboard(connection, by="client").html() # for a page
    write_report("shop.sqlite3", "build/monitor.html")

SQLite adds up; only the window's periods are read. The drawings are inline SVG (`templates/figure.svg`): no
script, readable on light and dark pages, and each line differs from the others by its dashes, too.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from aicourse.html import Row, join, page, render, table, visible, wide
from aicourse.monitoring import alerts, metrics
from aicourse.monitoring.metrics import NOT_KNOWN, Group, Period, short
from aicourse.paths import write_atomically

if TYPE_CHECKING:
    import pandas as pd

_FIGURES = (
    ("Requests", "number", ["requests"]),
    ("Failed and invalid", "share of requests", ["failed", "invalid"]),
    ("Empty fields", "fields per proposal", ["empty_fields"]),
    ("Corrected by sellers", "share of proposed fields", ["corrected"]),
    ("Latency", "seconds", ["p95_seconds", "p50_seconds"]),
    ("Cost per request", "US dollars", ["cost_per_request"]),
    ("Tokens", "tokens", ["uncached_tokens", "cached_tokens", "output_tokens"]),
)
_MOST_LINES = 6
_DASHES = ("", "6 3", "2 3", "10 3 2 3", "1 5", "12 6")
_COLOURS = ("#2f86c8", "#d55e00", "#00916a", "#b8689a", "#8a7a00", "#7f7f7f")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 170, 64, 150, 10, 24


@dataclass(frozen=True)
class TimeFigure:
    """Measures over time: a row for each period, a column for each line, NaN where there is no value."""

    title: str
    unit: str
    lines: pd.DataFrame


@dataclass(frozen=True, repr=False)
class Dashboard:
    """Figures, the states of the rules and the last notifications; draws itself as text and as HTML."""

    title: str
    figures: tuple[TimeFigure, ...]
    states: tuple[alerts.Status, ...]
    notifications: tuple[alerts.Status, ...]
    per_week: float
    corrections: pd.DataFrame
    scores: pd.DataFrame

    def __repr__(self) -> str:
        return "\n".join([self.title, *map(str, self.states)])

    def _repr_html_(self) -> str:
        return str(self.html())

    def html(self) -> Markup:
        """The whole as HTML that needs no style of its own."""
        states: list[Row] = [(one.state, one.name, one.when, one.told) for one in self.states]
        told: list[Row] = [
            (f"{one.end:%Y-%m-%d %H:%M}", one.state, one.name, one.told) for one in self.notifications
        ]
        fields: list[Any] = list(self.corrections.itertuples())
        scores: list[Any] = [row for row in self.scores.itertuples() if row.scored]
        shown = [
            _table("States", ("state", "rule", "period", "in words"), states),
            _table(
                f"Notifications, {self.per_week:.1f} a week",
                ("known at, UTC", "state", "rule", "in words"),
                told,
            ),
            _table(
                "Corrections",
                ("field", "published", "corrected"),
                [(row.Index, f"{row.published:,}", f"{row.corrected:.1%}") for row in fields],
            ),
            _table(
                "Scores",
                ("score", "source", "requests", "mean"),
                [(*row.Index[::-1], f"{row.scored:,}", f"{row.mean:.4g}") for row in scores],
            ),
        ]
        drawn = [Markup("<h3>{}, {}</h3>").format(one.title, one.unit) + draw(one) for one in self.figures]
        return join([Markup("<h2>{}</h2>").format(self.title), *shown[:2], *drawn, *shown[2:]])


def _table(caption: str, header: Row, rows: list[Row]) -> Markup:
    return wide(table(caption, header, rows), caption)


def dashboard(
    connection: sqlite3.Connection,
    *,
    every: Period = "day",
    by: Group | None = None,
    until: datetime | None = None,
    rules: alerts.AlertRules | None = None,
) -> Dashboard:
    """The figures of the rules' days up to `until` (UTC; the last span if not given).

    `by` draws one line for each of the largest slices, of each figure's first measure. `rules` are the
    course's own if not given.
    """
    rules = rules or alerts.read_rules()
    window = metrics.window_ns(connection, rules.days, until)
    end = metrics.utc(datetime.fromtimestamp((window[1] - 1) // 10**9, UTC))
    frame = metrics.read_metrics(connection, [every, by] if by else every, window)
    statuses = alerts.evaluate(rules, connection, until=until)
    parts = f"by {every}" + (f" and {by.replace('_', ' ')}" if by else "")
    return Dashboard(
        title=f"The last {rules.days} days, up to {end:%Y-%m-%d %H:%M} UTC, {parts}",
        figures=tuple(_figure(frame, _periods(frame, every, end), *told) for told in _FIGURES),
        states=tuple(alerts.latest(statuses)),
        notifications=tuple(alerts.notifications(statuses)[-20:][::-1]),
        per_week=alerts.notifications_per_week(statuses),
        corrections=metrics.read_corrections(connection, None, window),
        scores=metrics.read_scores(connection, None, window),
    )


def write_report(
    database: Path | str,
    path: Path | str,
    *,
    rules: Path | str | None = None,
    at: datetime | None = None,
    every: Period = "day",
    by: Group | None = None,
) -> Path:
    """Write the dashboard at a time in UTC, now if none is given, as one HTML file that loads nothing.

    Raises:
        MonitoringError: no such rules, or group.
        StoreError: no such database.
    """
    chosen, until = alerts.read_rules(rules or alerts.RULES), at or datetime.now(UTC)
    with closing(metrics.open_metrics(database)) as connection:
        shown = dashboard(connection, every=every, by=by, until=until, rules=chosen)
    write_atomically(Path(path), page("Monitoring", Markup("<h1>Monitoring</h1>") + shown.html()))
    return Path(path)


def _periods(frame: pd.DataFrame, every: Period, end: pd.Timestamp) -> list[str]:
    """All periods from the first request on, those in which nothing came as well."""
    import pandas as pd

    if frame.empty:
        return []
    first = pd.Timestamp(frame.index.get_level_values(every).min())
    periods = pd.date_range(first, end, freq=pd.Timedelta(1, every))
    return list(periods.strftime("%Y-%m-%d %H:00" if every == "hour" else "%Y-%m-%d"))


def _figure(frame: pd.DataFrame, periods: list[str], title: str, unit: str, columns: list[str]) -> TimeFigure:
    """One figure of the metrics: a line for each column, or for each slice of the first column."""
    if frame.index.nlevels == 1:
        lines = frame[columns].rename(columns=lambda name: name.replace("_", " "))
    else:
        by = frame.index.names[1]
        title = f"{columns[0]} by {by}".replace("_", " ").capitalize()
        sliced = frame.reset_index(by).fillna({by: NOT_KNOWN}).set_index(by, append=True)
        requests = sliced["requests"].astype(int)  # without rows it is of objects
        largest = requests.groupby(level=1).sum().nlargest(_MOST_LINES).index
        lines = sliced[columns[0]].unstack()[list(largest)]
    lines = lines.reindex(periods).astype(float)
    return TimeFigure(title, unit, lines.fillna(0) if columns == ["requests"] else lines)


def draw(figure: TimeFigure) -> Markup:
    """A figure as inline SVG, with its last values in words for those who do not see it."""
    lines, periods = figure.lines, list(figure.lines.index)
    top = max((value for value in lines.to_numpy().ravel().tolist() if value > 0), default=1.0)
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(periods), 1)
    across = [round(_LEFT + step * (place + 0.5), 1) for place in range(len(periods))]
    ticks = {0: "start", len(periods) // 2: "middle", len(periods) - 1: "end"} if periods else {}
    last = {str(name): [math.nan, *lines[name].dropna()][-1] for name in lines}
    told = (f"{name} {'none' if math.isnan(value) else short(value)}" for name, value in last.items())
    return render(
        "monitoring/templates/figure.svg",
        title=visible(figure.title),
        unit=figure.unit,
        last=visible("; ".join(told)),
        width=_WIDTH,
        height=_TOP + _HEIGHT + _BOTTOM,
        left=_LEFT,
        right=_WIDTH - _RIGHT,
        levels=[(_y(top * share, top), short(top * share)) for share in (0, 0.5, 1)],
        dates=[(across[place], periods[place], anchor) for place, anchor in ticks.items()],
        paths=[
            (_path(across, lines[name].tolist(), top), y, visible(str(name))[:18], dash, colour)
            for name, y, dash, colour in zip(lines, _heights(last, top), _DASHES, _COLOURS, strict=False)
        ],
    )


def _y(value: float, top: float) -> float:
    return round(_TOP + _HEIGHT * (1 - value / top), 1)


def _path(across: Sequence[float], values: Sequence[float], top: float) -> str:
    """A line that is broken where there is no value; a period between two gaps is a short stroke."""
    parts, is_down = [], False
    for x, value, following in zip(across, values, [*values[1:], math.nan], strict=False):
        if not math.isnan(value):
            y, is_lone = _y(value, top), math.isnan(following) and not is_down
            parts.append(f"M{x - 4:.1f},{y}h8" if is_lone else f"{'L' if is_down else 'M'}{x:.1f},{y}")
        is_down = not math.isnan(value)
    return "".join(parts)


def _heights(last: Mapping[str, float], top: float) -> list[float]:
    """The heights of the lines' names, in order: near their ends, not on each other, none below the axis."""
    ends = {name: _y(0 if math.isnan(end) else end, top) for name, end in last.items()}
    heights, lowest = dict(ends), _TOP + _HEIGHT + 14.0
    for place, (name, y) in reversed(list(enumerate(sorted(ends.items(), key=lambda end: end[1])))):
        lowest = heights[name] = max(min(y, lowest - 14), _TOP + 14 * place)
    return list(heights.values())

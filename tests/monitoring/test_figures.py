"""The dashboard: one set of figures as text, HTML and a page; nothing that an app sends becomes markup."""

from __future__ import annotations

import itertools
import sqlite3
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from aicourse.errors import MonitoringError
from aicourse.monitoring.figures import Line, TimeFigure, dashboard, draw, write_report
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database

Write = Callable[..., str]
NAN = float("nan")


def test_figures_are_the_metrics(store: sqlite3.Connection, write: Write) -> None:
    write("2026-10-05 09:00", changes={"size": ("M", "L")})
    write("2026-10-06 09:00", status="error", valid=None, calls=())
    shown = dashboard(store)
    figures = {figure.title: figure for figure in shown.figures}
    assert figures["Requests"].periods == ("2026-10-05", "2026-10-06")
    assert figures["Failed and invalid"].lines[0] == Line("failed", (0.0, 1.0))
    assert [line.name for line in figures["Tokens"].lines] == [
        "uncached tokens",
        "cached tokens",
        "output tokens",
    ]
    assert figures["Tokens"].lines[0].values[0] == 200
    assert "<td>100.0%</td>" in shown.html()


def test_slices_are_the_largest_six(store: sqlite3.Connection, write: Write) -> None:
    for number in range(8):
        for _ in range(number + 1):
            write("2026-10-05 09:00", client=f"v{number}", seconds=float(number))
    latency = next(one for one in dashboard(store, by="client").figures if one.title.startswith("Latency"))
    assert latency.title == "Latency: p95 seconds"
    assert [line.name for line in latency.lines] == ["v7", "v6", "v5", "v4", "v3", "v2"]
    assert latency.lines[0].values == (7.0,)


def test_the_window_is_whole_days(store: sqlite3.Connection, write: Write) -> None:
    for day in range(1, 10):
        write(f"2026-10-0{day} 00:00")
    assert dashboard(store, days=3).figures[0].periods == ("2026-10-07", "2026-10-08", "2026-10-09")
    until = dashboard(store, days=2, until=pd.Timestamp("2026-10-05"))
    assert until.figures[0].periods == ("2026-10-03", "2026-10-04")


def test_a_client_named_like_markup(store: sqlite3.Connection, write: Write) -> None:
    write("2026-10-05 09:00", client="<script>alert(1)</script>'\"")
    html = dashboard(store, by="client").html()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_an_empty_database_has_a_dashboard(store: sqlite3.Connection) -> None:
    shown = dashboard(store)
    assert shown.figures[0].periods == ()
    assert "<svg" in shown.html()


def test_a_drawing_is_svg_with_its_last_values_in_words() -> None:
    lines = (Line("a & b", (1.0, NAN, 3.0, 4.0)), Line("none", (NAN,) * 4))
    drawn = ElementTree.fromstring(draw(TimeFigure("Cost", "dollars", ("1", "2", "3", "4"), lines)))
    title, told = drawn[0].text, drawn[1].text
    assert (title, told) == ("Cost, dollars", "Last values: a & b 4; none none")
    path = next(one.get("d") for one in drawn if one.tag == "path")
    assert path is not None
    assert path.count("M") == 2  # broken where there is no value
    assert path.endswith(",10.0")  # the largest value is at the top


def test_names_of_lines_never_lie_on_each_other() -> None:
    lines = tuple(Line(f"line {number}", (1.0,)) for number in range(5))
    drawn = ElementTree.fromstring(draw(TimeFigure("Same", "", ("1",), lines)))
    heights = [float(one.get("y", "")) for one in drawn if one.tag == "text" and "line" in (one.text or "")]
    assert min(after - before for before, after in itertools.pairwise(heights)) >= 14


def test_a_report_is_one_page_that_loads_nothing(tmp_path: Path) -> None:
    database(tmp_path / "market.db", "monitoring", MIGRATIONS).close()
    page = write_report(tmp_path / "market.db", tmp_path / "out" / "monitor.html", at=datetime(2026, 10, 19))
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")
    assert "The last 14 days, by day" in text
    with pytest.raises(MonitoringError, match="cannot be grouped"):
        write_report(tmp_path / "market.db", page, by="seller")  # type: ignore[arg-type]

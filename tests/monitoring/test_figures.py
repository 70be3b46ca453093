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
from aicourse.monitoring.alerts import read_rules
from aicourse.monitoring.figures import TimeFigure, dashboard, draw, write_report
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database

Write = Callable[..., str]
NAN = float("nan")


def test_figures_are_the_metrics(store: sqlite3.Connection, write: Write) -> None:
    write("2026-10-05 09:00", changes={"size": ("M", "L")})
    write("2026-10-06 09:00", status="error", valid=None, calls=())
    shown = dashboard(store)
    figures = {figure.title: figure for figure in shown.figures}
    assert list(figures["Requests"].lines.index) == ["2026-10-05", "2026-10-06"]
    assert figures["Failed and invalid"].lines["failed"].tolist() == [0, 1]
    assert list(figures["Tokens"].lines) == ["uncached tokens", "cached tokens", "output tokens"]
    assert figures["Tokens"].lines.iloc[0, 0] == 200
    assert "<td>100.0%</td>" in shown.html()


def test_slices_are_the_largest_six(store: sqlite3.Connection, write: Write) -> None:
    for number in range(8):
        for _ in range(number + 1):
            write("2026-10-05 09:00", client=f"v{number}", seconds=float(number))
    latency = next(one for one in dashboard(store, by="client").figures if one.unit == "seconds")
    assert latency.title == "P95 seconds by client"
    assert list(latency.lines) == ["v7", "v6", "v5", "v4", "v3", "v2"]
    assert latency.lines["v7"].tolist() == [7]


def test_requests_without_a_value_are_a_slice(store: sqlite3.Connection, write: Write) -> None:
    write("2026-10-05 09:00", category="shoes")
    write("2026-10-05 09:00", category=None)
    write("2026-10-06 09:00", category=None)
    lines = dashboard(store, by="category").figures[0].lines
    assert lines.to_dict("list") == {"not known": [1, 1], "shoes": [1, 0]}


def test_a_time_in_which_nothing_came_is_a_gap(store: sqlite3.Connection, write: Write) -> None:
    write("2026-10-05 09:00")
    write("2026-10-07 09:00")
    shown = dashboard(store, until=datetime(2026, 10, 8, 12))
    requests, latency = shown.figures[0].lines, shown.figures[4].lines
    assert list(requests.index) == ["2026-10-05", "2026-10-06", "2026-10-07", "2026-10-08"]
    assert requests["requests"].tolist() == [1, 0, 1, 0]
    assert latency["p50 seconds"].isna().tolist() == [False, True, False, True]
    assert "up to 2026-10-08 11:59 UTC" in shown.title
    assert len(dashboard(store, every="hour").figures[0].lines) == 49


def test_scores_are_shown(store: sqlite3.Connection, write: Write) -> None:
    trace = write("2026-10-05 09:00")
    store.execute(
        "INSERT INTO scores (trace_id, span_id, name, value, source, scored_ns) "
        "VALUES (?, 's', 'short & sweet', 0.5, 'rule', 0)",
        (trace,),
    )
    assert "short &amp; sweet</th><td>rule</td><td>1</td><td>0.5" in dashboard(store).html()


def test_the_window_is_whole_days(store: sqlite3.Connection, write: Write) -> None:
    for day in range(1, 10):
        write(f"2026-10-0{day} 00:00")
    rules = read_rules().model_copy(update={"days": 3})
    periods = dashboard(store, rules=rules).figures[0].lines.index
    assert list(periods) == ["2026-10-07", "2026-10-08", "2026-10-09"]
    until = dashboard(store, rules=rules, until=datetime(2026, 10, 5))
    assert list(until.figures[0].lines.index) == ["2026-10-02", "2026-10-03", "2026-10-04"]


def test_a_client_named_like_markup(store: sqlite3.Connection, write: Write) -> None:
    write("2026-10-05 09:00", client="<script>alert(1)</script>'\"")
    html = dashboard(store, by="client").html()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_an_empty_database_has_a_dashboard(store: sqlite3.Connection) -> None:
    shown = dashboard(store)
    assert shown.figures[0].lines.empty
    assert "<svg" in shown.html()
    assert dashboard(store, by="client").figures[0].lines.empty


def drawn(lines: dict[str, list[float]]) -> list[ElementTree.Element]:
    """The elements of a drawing."""
    figure = TimeFigure("Cost", "dollars", pd.DataFrame(lines, index=[f"day {n}" for n in range(4)]))
    svg = ElementTree.fromstring(draw(figure))
    assert [one.text for one in svg if one.text in ("day 0", "day 2", "day 3")] == ["day 0", "day 2", "day 3"]
    return list(svg)


def test_a_drawing_is_svg_with_its_last_values_in_words() -> None:
    title, told, *rest = drawn({"a & b": [1, NAN, 3, 4], "none": [NAN] * 4})
    assert (title.text, told.text) == ("Cost, dollars", "Last values: a & b 4; none none")
    path = next(one.get("d") for one in rest if one.tag == "path")
    assert path is not None
    assert path.startswith("M123.2,137.5h8M")  # a lone value is a stroke
    line, sample = path.rsplit("M", 1)
    assert line.count("M") == 2  # broken where there is no value
    assert line.endswith(",10.0")  # the largest value is at the top
    assert sample == "576,10.0h18"  # beside the name


def test_names_of_lines_never_lie_on_each_other() -> None:
    found = drawn({f"line {number}": [1.0] * 4 for number in range(5)})
    heights = [float(one.get("y", "")) for one in found if one.tag == "text" and "line" in (one.text or "")]
    assert len(heights) == 5
    assert min(after - before for before, after in itertools.pairwise(sorted(heights))) >= 14


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_names_of_lines_stay_within_the_drawing(value: float) -> None:
    found = drawn({"top": [1.0] * 4} | {f"line {number}": [value] * 4 for number in range(5)})
    heights = [float(one.get("y", "")) for one in found if one.tag == "text" and "line" in (one.text or "")]
    assert 10 <= min(heights) < max(heights) <= 185  # the axis is at 180


def test_a_report_is_one_page_that_loads_nothing(tmp_path: Path) -> None:
    database(tmp_path / "market.db", "monitoring", MIGRATIONS).close()
    page = write_report(tmp_path / "market.db", tmp_path / "out" / "monitor.html", at=datetime(2026, 10, 19))
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")
    assert "The last 14 days, up to 2026-10-18 23:59 UTC, by day" in text
    with pytest.raises(MonitoringError, match="cannot be grouped"):
        write_report(tmp_path / "market.db", page, by="seller")  # type: ignore[arg-type]

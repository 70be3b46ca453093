"""`aicourse monitor`: a sentence for each rule, an exit code, a page; a mistake is one sentence."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from aicourse.errors import MonitoringError, StoreError
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database
from aicourse.tooling import cli

SPAN = """INSERT INTO spans (span_id, trace_id, name, started_ns, seconds, status, attributes, events)
    VALUES (?, ?, 'propose', ?, 1.0, ?, '{}', '[]')"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a database: four good days, then two hours, the second one of failures."""
    monkeypatch.chdir(tmp_path)
    connection = database("market.db", "monitoring", MIGRATIONS)
    hours = [*pd.date_range("2026-10-05", "2026-10-09 00:00", freq="h"), pd.Timestamp("2026-10-09 01:00")]
    with connection:
        for number, at in enumerate(hours * 20):
            status = "error" if at == hours[-1] else "ok"
            connection.execute(SPAN, (f"s{number}", f"t{number}", at.value, status))
    connection.close()
    return tmp_path


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli.app, ["monitor", *arguments])
    assert result.exit_code == code, result.output + str(result.exception)
    return result.output


def test_a_sentence_for_each_rule(folder: Path) -> None:
    output = invoke("check", "market.db", "--at", "2026-10-09T01:00:00")
    assert (
        "OK: The provider fails, 2026-10-09 00:00: failed 0, normally 0; 0% of the limit, 20 requests."
        in output
    )
    assert "NO_DATA: A request costs more or less" in output  # nobody noted the cost


def test_an_alert_is_an_exit_code(folder: Path) -> None:
    assert "ALERT: The provider fails" in invoke("check", "market.db", "--at", "2026-10-09T02:00:00", code=1)


@pytest.mark.parametrize(
    ("at", "rules"),
    [("2026-10-12", 3), ("2026-11-30", 0), ("2026-10-06", 0)],  # hours later, months later, too early
)
def test_a_monitor_that_sees_nothing_does_not_look_healthy(folder: Path, at: str, rules: int) -> None:
    *states, last = invoke("check", "market.db", "--at", at, code=3).splitlines()
    assert len(states) == rules
    assert all(state.startswith("NO_DATA: ") or "nobody uses it any more" in state for state in states)
    assert last.startswith("No rule can judge anything")


def test_a_report(folder: Path) -> None:
    output = invoke("report", "market.db", "out/monitor.html", "--by", "client", "--at", "2026-10-09")
    assert output == "out/monitor.html\n"
    assert (
        "The last 14 days, up to 2026-10-08 23:59 UTC, by day and client"
        in (folder / "out" / "monitor.html").read_text()
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "markt.db"), "No database markt.db. Did you mean market.db?"),
        (("check", "market.db", "--rules", "none.yaml"), "No file none.yaml"),
        (("report", "market.db", "page.html", "--by", "sellers"), "cannot be grouped by 'sellers'"),
    ],
)
def test_mistakes(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    error = CliRunner().invoke(cli.app, ["monitor", *arguments]).exception
    assert isinstance(error, (MonitoringError, StoreError))
    assert said in error.message
    assert not (folder / "page.html").exists()

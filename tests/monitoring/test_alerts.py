"""Alerts: states, notifications and episodes of series that are made by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aicourse.errors import MonitoringError
from aicourse.monitoring.alerts import (
    RULES,
    AlertRules,
    AlertState,
    episodes,
    evaluate,
    latest,
    notifications,
    notifications_per_week,
    read_rules,
)

Write = Callable[..., str]
THRESHOLD = {
    "name": "fails",
    "measure": "failed",
    "every": "hour",
    "least": 2,
    "chart": {"kind": "threshold", "limit": 0.6},
}


def rules(*changes: dict[str, Any]) -> AlertRules:
    return AlertRules.model_validate(
        {"days": 14, "baseline_days": 1, "rules": [THRESHOLD | change for change in changes]}
    )


def hours(write: Write, failed: list[int], requests: int = 10) -> None:
    """A quiet day, then so many failures in each hour of the next one; None: no request."""
    write("2026-10-05 09:00")
    for hour, count in enumerate(failed):
        for number in range(requests if count >= 0 else 0):
            write(f"2026-10-06 {hour:02}:30", status="error" if number < count else "ok")


def states(
    connection: sqlite3.Connection, *changes: dict[str, Any], until: str | None = None
) -> list[AlertState]:
    end = None if until is None else pd.Timestamp(until)
    return [status.state for status in evaluate(rules(*(changes or ({},))), connection, until=end)]


def test_the_four_states_and_no_flapping(store: sqlite3.Connection, write: Write) -> None:
    hours(write, [0, 4, 6, 5, -1, 5, 3, 5])
    assert states(store) == ["OK", "WARNING", "ALERT", "ALERT", "NO_DATA", "ALERT", "OK", "WARNING"]


def test_people_are_told_of_transitions_alone(store: sqlite3.Connection, write: Write) -> None:
    hours(write, [0, 6, 9, -1, 7, 0, 4, 0])
    statuses = evaluate(rules({}), store)
    told = notifications(statuses)
    assert [one.end.hour for one in told] == [2, 6]  # known when the hour is over
    assert str(told[0]) == (
        "ALERT: fails, 2026-10-06 01:00: failed 0.6, normally 0; 100% of the limit, 10 requests."
    )
    assert str(told[1]).startswith("OK: fails, 2026-10-06 05:00")
    assert notifications_per_week(statuses) == pytest.approx(2 / (8 / 24 / 7))
    assert notifications_per_week([]) == 0


def test_hours_in_which_nothing_came(store: sqlite3.Connection, write: Write) -> None:
    hours(write, [0, 0])
    assert states(store) == ["OK", "OK"]
    assert states(store, until="2026-10-06 04:10") == ["OK", "OK", "NO_DATA", "NO_DATA"]
    assert states(store, until="2026-10-06 01:59") == ["OK"]  # the second hour is not over
    assert states(store, until="2026-10-05 12:00") == []


def test_only_the_last_days_are_looked_at(store: sqlite3.Connection, write: Write) -> None:
    write("2026-08-01 09:00", status="error")  # else it would be the baseline
    hours(write, [0, 4])
    assert states(store) == ["OK", "WARNING"]


def test_an_empty_database(store: sqlite3.Connection) -> None:
    assert evaluate(read_rules(), store) == []


def test_deviations_are_in_standard_errors(store: sqlite3.Connection, write: Write) -> None:
    for number in range(100):
        write("2026-10-05 09:00", empty_fields=1 + 2 * (number % 2))  # mean 2, standard deviation 1
    for _ in range(25):
        write("2026-10-06 09:00", empty_fields=3)
    change = {"measure": "empty_fields", "every": "day", "chart": {"kind": "cusum", "slack": 0.5, "limit": 8}}
    status = evaluate(rules(change), store)[0]
    assert (status.value, status.normal) == (3, 2)
    assert status.score == pytest.approx((1 / (1 / 25 + 1 / 100) ** 0.5 - 0.5) / 8)


def test_a_measure_that_never_varied_before(store: sqlite3.Connection, write: Write) -> None:
    hours(write, [0, 1])
    change = {"chart": {"kind": "ewma", "weight": 0.2, "limit": 4}}
    assert states(store, change) == ["OK", "ALERT"]


def test_slices_are_judged_apart_and_go_when_their_client_goes(
    store: sqlite3.Connection, write: Write
) -> None:
    for day in (5, 6, 7):
        for number in range(20):
            write(f"2026-10-0{day} 09:00", client="old" if day < 7 else "other", empty_fields=number % 3)
            write(f"2026-10-0{day} 09:00", client="new", empty_fields=4 if day == 7 else number % 3)
    change = {
        "measure": "empty_fields",
        "every": "day",
        "by": "client",
        "chart": {"kind": "cusum", "limit": 5},
    }
    statuses = evaluate(rules(change), store)
    found = {(status.slice, status.period.day): status.state for status in statuses}
    assert found == {
        ("new", 6): "OK",
        ("old", 6): "OK",
        ("new", 7): "ALERT",
        ("other", 7): "OK",
        ("old", 7): "OK",
    }
    said = {status.slice: str(status) for status in latest(statuses)}
    assert said["new"].startswith("ALERT: fails (client new), 2026-10-07: empty fields 4, normally ")
    assert said["old"] == "OK: fails (client old), 2026-10-07: nobody uses it any more."


def test_a_slice_is_compared_with_its_own_past(store: sqlite3.Connection, write: Write) -> None:
    for day in (5, 6):
        for number in range(40):
            write(f"2026-10-0{day} 09:00", category="books", empty_fields=4 + number % 2)
            write(f"2026-10-0{day} 09:00", category="shoes", empty_fields=number % 2)
    change = {"measure": "empty_fields", "every": "day", "by": "category", "chart": {"kind": "cusum"}}
    statuses = evaluate(rules(change), store)
    assert [(one.slice, one.state, one.normal) for one in statuses] == [
        ("books", "OK", 4.5),
        ("shoes", "OK", 0.5),
    ]


def test_deviations_of_small_numbers_are_as_large(store: sqlite3.Connection, write: Write) -> None:
    for number in range(100):
        write("2026-10-05 09:00", calls=((900, None, 50, 1e-7 * (1 + number % 2)),))
    for _ in range(25):
        write("2026-10-06 09:00", calls=((900, None, 50, 2e-7),))
    change = {"measure": "cost_usd", "every": "day", "chart": {"kind": "cusum", "slack": 0, "limit": 1}}
    (status,) = evaluate(rules(change), store)
    assert status.score == pytest.approx(1 / (1 / 25 + 1 / 100) ** 0.5)  # one standard deviation


def test_nothing_to_compare_with(store: sqlite3.Connection, write: Write) -> None:
    write("2026-10-05 09:00", empty_fields=None)
    for _ in range(3):
        write("2026-10-06 09:00")
    (status,) = evaluate(rules({"measure": "empty_fields", "every": "day", "chart": {"kind": "ewma"}}), store)
    assert str(status).endswith("no empty_fields in the first days to compare 3 requests with.")


def test_times_of_other_zones(store: sqlite3.Connection, write: Write) -> None:
    hours(write, [0, 0, 0])
    there = pd.Timestamp("2026-10-06 04:10", tz="Europe/Berlin")  # 02:10 UTC
    assert len(evaluate(rules({}), store, until=there)) == 2


def test_a_mix_that_drifts(store: sqlite3.Connection, write: Write) -> None:
    for day, books in ((5, 50), (6, 48), (7, 90)):
        for number in range(100):
            write(f"2026-10-0{day} 09:00", category="books" if number < books else "shoes", calls=())
    change = {"measure": "category", "every": "day", "chart": {"kind": "psi", "significance": 0.001}}
    assert states(store, change) == ["OK", "ALERT"]


def test_an_episode_joins_the_rules_that_alert_together(store: sqlite3.Connection, write: Write) -> None:
    hours(write, [0, 8, 0, 0, 8, 8])
    daily = {"name": "all day", "every": "day", "chart": {"kind": "threshold", "limit": 0.9}}
    found = episodes(evaluate(rules({}, daily), store))
    assert [(one.start.hour, one.end.hour, one.rules) for one in found] == [
        (1, 2, ("fails",)),
        (4, 6, ("fails",)),
    ]
    daily["chart"] = {"kind": "threshold", "limit": 0.3}
    (whole,) = episodes(evaluate(rules({}, daily), store))
    assert whole.rules == ("all day", "fails")
    assert whole.end - whole.start == pd.Timedelta(1, "day")


def test_an_hour_without_data_does_not_end_an_episode(store: sqlite3.Connection, write: Write) -> None:
    hours(write, [0, 8, -1, 8, 0, 0, 8])
    found = episodes(evaluate(rules({}), store))
    assert [(one.start.hour, one.end.hour) for one in found] == [(1, 4), (6, 7)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [", "cannot be read"),
        ("days: 14\nbaseline_days: 4\nrules: []", "rules"),
        ("days: 14\nbaseline_days: 4", "rules: Field required"),
        (RULES.read_text().replace("measure: failed", "measure: failures"), "rules.0.measure"),
        (RULES.read_text().replace("kind: psi, significance: 0.0002", "kind: ewma"), "cannot watch category"),
        (RULES.read_text().replace("least: 40", "lest: 40"), "rules.2.lest"),
        (RULES.read_text().replace("Other things are sold", "The provider fails"), "two rules have one name"),
        (RULES.read_text().replace("baseline_days: 4", "baseline_days: 14"), "is left to watch"),
        ("[" * 1_000, "cannot be read"),
    ],
)
def test_rules_that_are_none(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(MonitoringError) as caught:
        read_rules(path)
    assert said in caught.value.message
    assert str(path) in caught.value.message


def test_rules_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(MonitoringError, match="No file"):
        read_rules(tmp_path / "rules.yaml")

"""The course's rules of alerts on simulated fortnights: each incident once, the festival never, quiet else.

The fast tests take the first seed, the slow ones 200; no seed is chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pandas as pd
import pytest

from aicourse.marketplace.traffic import INCIDENTS, Incident, parameters
from aicourse.monitoring.alerts import (
    Episode,
    episodes,
    evaluate,
    notifications_per_week,
    read_rules,
)

RULES = read_rules()
WATCHED_DAYS = 10
RULE_OF = {
    "outage": "The provider fails",
    "costly_prompt": "A request costs more or less",
    "truncating_client": "An app version leaves fields empty",
    "new_kind": "Other things are sold",
}


def day_of(incident: Incident) -> pd.Timestamp:
    start: pd.Timestamp = pd.Timestamp(parameters()["start"]) + pd.Timedelta(incident.start // 24, "day")
    return start


def on(day: pd.Timestamp, found: list[Episode]) -> list[Episode]:
    """The episodes that begin on a day."""
    return [episode for episode in found if episode.start.normalize() == day]


def count(fortnight: Callable[..., tuple], students: int) -> tuple[Counter[str], int]:
    """In how many fortnights each incident is found, the festival let pass; and episodes on other days."""
    right: Counter[str] = Counter()
    elsewhere = 0
    for student in range(students):
        connection, incidents = fortnight(f"student {student}")
        found = episodes(evaluate(RULES, connection))
        for incident in incidents:
            there = on(day_of(incident), found)
            if incident.name == "festival":
                right["festival"] += there == []
            else:
                right[incident.name] += len(there) == 1 and RULE_OF[incident.name] in there[0].rules
        days = {day_of(incident) for incident in incidents}
        elsewhere += sum(episode.start.normalize() not in days for episode in found)
        connection.close()
    return right, elsewhere


def false_alerts_per_four_weeks(fortnight: Callable[..., tuple], students: int) -> float:
    false = 0
    for student in range(students):
        connection, _ = fortnight(f"quiet {student}", ())
        false += len(episodes(evaluate(RULES, connection)))
        connection.close()
    return false / students * 28 / WATCHED_DAYS


def test_a_fortnight(fortnight: Callable[..., tuple]) -> None:
    right, elsewhere = count(fortnight, 1)
    assert (min(right[name] for name in INCIDENTS), elsewhere) == (1, 0), right


def test_a_quiet_fortnight(fortnight: Callable[..., tuple]) -> None:
    connection, _ = fortnight("quiet 0", ())
    assert episodes(evaluate(RULES, connection)) == []


@pytest.mark.slow
def test_people_are_told_less_than_twice_an_incident(fortnight: Callable[..., tuple]) -> None:
    connection, _ = fortnight("student 0")
    statuses = evaluate(RULES, connection)
    assert 4 <= notifications_per_week(statuses) * WATCHED_DAYS / 7 <= 16


@pytest.mark.slow
def test_two_hundred_fortnights(fortnight: Callable[..., tuple]) -> None:
    right, _ = count(fortnight, 200)
    assert min(right[name] for name in INCIDENTS) >= 190, right
    assert false_alerts_per_four_weeks(fortnight, 200) <= 1

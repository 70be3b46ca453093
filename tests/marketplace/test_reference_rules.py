"""The course's rules of alerts on simulated fortnights: each incident once, the festival never, quiet else.

The fast tests take the first seed, the slow ones 200; no seed is chosen.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

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


def judge(fortnight: Callable[..., tuple], student: int) -> Counter[str]:
    """Which incidents of a fortnight are found, the festival let pass; and its episodes `elsewhere`."""
    connection, incidents = fortnight(f"student {student}")
    found = episodes(evaluate(RULES, connection))
    connection.close()
    right: Counter[str] = Counter()
    for incident in incidents:
        there = on(day_of(incident), found)
        if incident.name == "festival":
            right["festival"] += there == []
        else:
            right[incident.name] += len(there) == 1 and RULE_OF[incident.name] in there[0].rules
    days = {day_of(incident) for incident in incidents}
    right["elsewhere"] = sum(episode.start.normalize() not in days for episode in found)
    return right


def false_alerts(fortnight: Callable[..., tuple], student: int) -> int:
    connection, _ = fortnight(f"quiet {student}", ())
    false = len(episodes(evaluate(RULES, connection)))
    connection.close()
    return false


_inherited: list[Callable[[int], Any]] = []


def _call_inherited(student: int) -> Any:
    return _inherited[-1](student)


def of_each(function: Callable[[int], Any], students: int) -> list[Any]:
    """`function` of each student, on all cores; forks inherit it, and what it holds cannot be pickled."""
    _inherited.append(function)
    with multiprocessing.get_context("fork").Pool() as pool:
        return pool.map(_call_inherited, range(students), chunksize=1)


def test_a_fortnight(fortnight: Callable[..., tuple]) -> None:
    right = judge(fortnight, 0)
    assert (min(right[name] for name in INCIDENTS), right["elsewhere"]) == (1, 0), right


def test_a_quiet_fortnight(fortnight: Callable[..., tuple]) -> None:
    assert false_alerts(fortnight, 0) == 0


@pytest.mark.slow
def test_people_are_told_less_than_twice_an_incident(fortnight: Callable[..., tuple]) -> None:
    connection, _ = fortnight("student 0")
    statuses = evaluate(RULES, connection)
    assert 4 <= notifications_per_week(statuses) * WATCHED_DAYS / 7 <= 16


@pytest.mark.slow
def test_two_hundred_fortnights(fortnight: Callable[..., tuple]) -> None:
    right = sum(of_each(partial(judge, fortnight), 200), Counter())
    assert min(right[name] for name in INCIDENTS) >= 190, right
    four_weeks = 200 * WATCHED_DAYS / 28
    assert sum(of_each(partial(false_alerts, fortnight), 200)) / four_weeks <= 1

"""The late policy: days begun after the grace."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from aicourse.errors import GradingError
from aicourse.tooling.grading.judging.late import LatePolicy, late_policy

DEADLINE = datetime(2026, 12, 1, 23, 59, tzinfo=UTC)
POLICY = LatePolicy(DEADLINE, 30, timedelta(minutes=15))


@pytest.mark.parametrize(
    ("minutes", "days", "percent"),
    [(-5, 0, 0), (0, 0, 0), (15, 0, 0), (16, 1, 30), (15 + 1440, 1, 30), (16 + 1440, 2, 60), (9_000, 7, 100)],
)
def test_days_begun(minutes: int, days: int, percent: float) -> None:
    late = POLICY.lateness(DEADLINE + timedelta(minutes=minutes))
    assert ((late.days, late.percent) if late else (0, 0)) == (days, percent)


def test_from_the_command_line() -> None:
    assert late_policy("2026-12-02T00:59+01:00", 30, 15) == POLICY
    local = late_policy("2026-12-01 23:59", 0, 0).deadline
    assert local.astimezone(UTC) == datetime(2026, 12, 1, 23, 59).astimezone(UTC)


@pytest.mark.parametrize(
    ("deadline", "percent", "grace"), [("soon", 0, 0), ("2026-12-01", 101, 0), ("2026-12-01", 0, -1)]
)
def test_what_makes_no_sense(deadline: str, percent: float, grace: float) -> None:
    with pytest.raises(GradingError):
        late_policy(deadline, percent, grace)


@pytest.mark.parametrize(
    ("deadline", "submitted", "days"),
    [
        ("2026-10-24T20:00 Europe/Berlin", "2026-10-25T18:30+00:00", 1),  # 19:30 CET, 24.5 h after
        ("2026-10-24T20:00 Europe/Berlin", "2026-10-25T19:30+00:00", 2),
        ("2026-10-24T20:00+02:00", "2026-10-25T18:30+00:00", 2),  # an offset knows no change of clocks
        ("2027-03-27T20:00 Europe/Berlin", "2027-03-28T18:30+00:00", 2),  # 20:30 CEST, 23.5 h after
        ("2027-03-27T20:00 Europe/Berlin", "2027-03-28T17:30+00:00", 1),
        ("2027-03-27T20:00 Europe/Berlin", "2027-03-29T18:01+00:00", 3),
    ],
)
def test_a_day_ends_at_the_same_hour_also_when_clocks_change(
    deadline: str, submitted: str, days: int
) -> None:
    late = late_policy(deadline, 10, 0).lateness(datetime.fromisoformat(submitted))
    assert late is not None
    assert late.days == days


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs POSIX time zones")
def test_local_days_follow_this_machines_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        late = late_policy("2026-10-24T20:00", 10, 0).lateness(datetime(2026, 10, 25, 18, 30, tzinfo=UTC))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert late is not None
    assert late.days == 1

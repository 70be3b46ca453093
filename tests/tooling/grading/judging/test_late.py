"""The late policy: days begun after the grace."""

from __future__ import annotations

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
    assert local == datetime(2026, 12, 1, 23, 59).astimezone(UTC)


@pytest.mark.parametrize(
    ("deadline", "percent", "grace"), [("soon", 0, 0), ("2026-12-01", 101, 0), ("2026-12-01", 0, -1)]
)
def test_what_makes_no_sense(deadline: str, percent: float, grace: float) -> None:
    with pytest.raises(GradingError):
        late_policy(deadline, percent, grace)

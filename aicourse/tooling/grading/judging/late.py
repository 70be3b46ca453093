"""The late policy: a deadline, a grace, and per cent of the earned points for each day begun after it.

A submission without a known time is not late, and its result says so. Times that come from files are as good
as the copy they came from; the exchange folder of nbgrader and the platforms' zips state them better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aicourse.errors import GradingError
from aicourse.tooling.grading.judging.results import Lateness, SubmissionResult

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class LatePolicy:
    """`percent` of the earned points is taken off per day begun after `deadline + grace`."""

    deadline: datetime
    percent: float = 0.0
    grace: timedelta = timedelta()

    def lateness(self, submitted: datetime) -> Lateness | None:
        """None when it came in time.

        >>> policy = LatePolicy(datetime(2026, 12, 1, tzinfo=UTC), 10, timedelta(minutes=15))
        >>> policy.lateness(datetime(2026, 12, 2, 0, 16, tzinfo=UTC))
        Lateness(days=2, percent=20.0)
        """
        over = submitted - self.deadline - self.grace
        if over <= timedelta():
            return None
        days = math.ceil(over / _DAY)
        return Lateness(days=days, percent=min(100.0, days * self.percent))


def late_policy(deadline: str, percent: float, grace_minutes: float) -> LatePolicy:
    """From what stands on the command line; a deadline without an offset is in this machine's time zone.

    Raises:
        GradingError: the deadline is no time, or a number is out of range.
    """
    try:
        moment = datetime.fromisoformat(deadline.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GradingError(
            f"{deadline!r} is no time. Write the deadline like 2026-12-01T23:59 or 2026-12-01T23:59+01:00."
        ) from None
    if not 0 <= percent <= 100 or grace_minutes < 0:
        raise GradingError(
            "The per cent per day must lie between 0 and 100, and the grace cannot be negative."
        )
    return LatePolicy(moment, percent, timedelta(minutes=grace_minutes))


def with_lateness(result: SubmissionResult, policy: LatePolicy | None) -> SubmissionResult:
    """`result` under `policy`; without a policy nothing is late."""
    late = None
    if policy and result.submitted:
        late = policy.lateness(datetime.fromisoformat(result.submitted))
    return result.model_copy(update={"late": late})

"""The late policy: a deadline, a grace, and per cent of the earned points for each day begun after it.

A submission without a known time is not late, and its result says so. A time that the platform states counts;
the date of a file says when it was copied, so it is shown (`evidence`) and costs nothing unless the
instructor, who has seen it, says that it is to count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from aicourse.errors import GradingError
from aicourse.tooling.grading.judging.results import Lateness, SubmissionResult
from aicourse.tooling.grading.submissions.collecting import Found
from aicourse.tooling.grading.submissions.layouts import zoned_time
from aicourse.tooling.grading.submissions.people import directory, named

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class LatePolicy:
    """`percent` of the earned points is taken off per day begun after `deadline + grace`.

    A deadline without a time zone is this machine's local time, and a day ends at the same hour of the next
    one, also when clocks change. `extensions` are deadlines of their own, by student or group.
    """

    deadline: datetime
    percent: float = 0.0
    grace: timedelta = timedelta()
    trust_file_times: bool = False
    extensions: Mapping[str, datetime] = field(default_factory=dict)

    def lateness(self, submitted: datetime, student: str = "") -> Lateness | None:
        """None when it came in time.

        >>> policy = LatePolicy(datetime(2026, 12, 1, tzinfo=UTC), 10, timedelta(minutes=15))
        >>> policy.lateness(datetime(2026, 12, 2, 0, 16, tzinfo=UTC))
        Lateness(days=2, percent=20.0)
        """
        deadline = self.extensions.get(student, self.deadline)
        over = submitted - deadline.astimezone(UTC) - self.grace
        if over <= timedelta():
            return None
        days = max(1, over // _DAY)
        while submitted > (deadline + days * _DAY).astimezone(UTC) + self.grace:
            days += 1
        return Lateness(days=days, percent=min(100.0, days * self.percent))


def late_policy(
    deadline: str,
    percent: float,
    grace_minutes: float,
    *,
    trust_file_times: bool = False,
    extensions: Mapping[str, str] | None = None,
) -> LatePolicy:
    """From what stands on the command line; a deadline without an offset is in this machine's time zone.

    Raises:
        GradingError: a deadline is no time, or a number is out of range.
    """
    if not 0 <= percent <= 100 or grace_minutes < 0:
        raise GradingError(
            "The per cent per day must lie between 0 and 100, and the grace cannot be negative."
        )
    own = {student: _moment(text) for student, text in (extensions or {}).items()}
    return LatePolicy(_moment(deadline), percent, timedelta(minutes=grace_minutes), trust_file_times, own)


def _moment(deadline: str) -> datetime:
    """A deadline in its own time zone; without one, local time."""
    try:
        moment = zoned_time(deadline) or datetime.fromisoformat(deadline.strip())
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise GradingError(
            f"{deadline!r} is no time. Write the deadline like 2026-12-01T23:59 or 2026-12-01T23:59+01:00."
        ) from None
    return moment


def for_class(policy: LatePolicy, found: Sequence[Found]) -> tuple[LatePolicy, tuple[str, ...]]:
    """`policy` with its extensions by submission, and the names of extensions that nobody who handed in has.

    A group has the latest of its members'.

    Raises:
        GradingError: a name could be two people's.
    """
    own: dict[str, datetime] = {}
    unused, listed = [], directory(found)
    for name, deadline in policy.extensions.items():
        one = named(listed, name)
        if one is None:
            unused.append(name)
        else:
            known = own.get(one.student, deadline)
            own[one.student] = max(known, deadline, key=lambda moment: moment.astimezone(UTC))
    return replace(policy, extensions=own), tuple(unused)


def with_lateness(result: SubmissionResult, policy: LatePolicy | None) -> SubmissionResult:
    """`result` under `policy`; without a policy nothing is late, nor by the date of a file alone."""
    late = None
    if policy and result.submitted and (result.submitted_surely or policy.trust_file_times):
        late = policy.lateness(datetime.fromisoformat(result.submitted), result.student)
    return result.model_copy(update={"late": late})


def evidence(policy: LatePolicy, results: Iterable[SubmissionResult]) -> str:
    """The times that come from files, for the instructor to judge; empty when there are none."""
    weak = [one for one in results if one.submitted and not one.submitted_surely]
    if not weak:
        return ""
    times = sorted(one.submitted for one in weak)
    late = Counter(
        lateness.days
        for one in weak
        if (lateness := policy.lateness(datetime.fromisoformat(one.submitted), one.student))
    )
    days = ", ".join(
        f"{count} by {day} {'day' if day == 1 else 'days'}" for day, count in sorted(late.items())
    )
    first, middle, last = (
        time[:16].replace("T", " ") for time in (times[0], times[len(times) // 2], times[-1])
    )
    counted = (
        "They count, as --trust-file-times says."
        if policy.trust_file_times
        else "They cost no points. Plausible? Then grade again with --trust-file-times."
    )
    return (
        f"Of {len(weak)}, only file dates are known, those of a copy: from {first} over {middle} (median) to "
        f"{last} UTC; {sum(late.values())} late{f' ({days})' if days else ''}. {counted}"
    )

"""Results of grading: a plain record of one submission, one JSON file each, from which all else is built.

A result holds what the student may see (messages and hints are safe by `checks`' contract) and the answers
as handed in. It holds no hidden input and no expected value that the check does not allow to be shown.
Points of a hand-graded question, or of a submission that could not be graded, are None: never a silent 0.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from aicourse.notebook.checks.calling import OutcomeKind
from aicourse.tooling.grading.submissions.layouts import Person

Status = Literal["graded", "warning", "failed"]
STATUS_WORDS: dict[Status, str] = {
    "graded": "graded",
    "warning": "graded with a warning",
    "failed": "could not be graded",
}


class Record(BaseModel):
    """Frozen, and strict about its fields: a file of another version is an error, not a guess."""

    model_config = ConfigDict(frozen=True, extra="forbid")


CheckKind = OutcomeKind | Literal["passed", "failed", "pending", ""]


class CheckOutcome(Record):
    """One check's result; `message` and `hint` may be shown to the student whose answer it was.

    `kind` is "pending" when it could not be judged yet: not a zero, but a question that is still open.
    `question` is not in the file, where a check stands below its question.
    """

    question: str = Field(default="", exclude=True, repr=False)
    name: str
    points: float
    earned: float
    passed: bool
    kind: CheckKind = ""
    message: str = ""
    hint: str = ""


class QuestionOutcome(Record):
    """One question: `earned` is None until it is graded by hand, or when the submission could not be graded.

    `answer` is what the student wrote, `output` what it printed; both as plain text, cut to a limit.
    """

    id: str
    title: str
    kind: Literal["auto", "manual"]
    points: float
    earned: float | None = None
    checks: tuple[CheckOutcome, ...] = ()
    answer: str = ""
    output: str = ""


class Lateness(Record):
    """Its lateness: whole days begun after the grace, and the per cent of the points that costs."""

    days: int
    percent: float


class SubmissionResult(Record):
    """One submission's result; `sentence` says in plain words how it ended, `notes` what else was noticed.

    `level` is the protection it ran under. `submitted` is an ISO time in UTC, "" when unknown, `submitted_by`
    where it was read, and `submitted_surely` True if the platform itself says it there. `members` are those
    of the group that handed it in. `executed` is the notebook with its outputs (JSON), a file of its own.
    """

    student: str
    submission: str
    assignment: str
    title: str
    status: Status
    sentence: str
    platform: str = ""
    lms_id: str = ""
    lms_prefix: str = ""
    members: tuple[Person, ...] = ()
    notes: tuple[str, ...] = ()
    checks_hash: str = ""
    submission_sha256: str = ""
    notebook_sha256: str = ""
    level: str = ""
    seconds: float = 0.0
    peak_memory: int = 0
    submitted: str = ""
    submitted_by: str = ""
    submitted_surely: bool = False
    late: Lateness | None = None
    questions: tuple[QuestionOutcome, ...] = ()
    executed: str = Field(default="", exclude=True, repr=False)

    @property
    def points(self) -> float:
        """Points that could be earned."""
        return sum(question.points for question in self.questions)

    @property
    def earned(self) -> float | None:
        """Points earned so far, before a deduction for lateness; None when it could not be graded."""
        if self.status == "failed":
            return None
        return sum(question.earned or 0.0 for question in self.questions)

    @property
    def open_questions(self) -> tuple[str, ...]:
        """Ids of questions without points yet."""
        return tuple(question.id for question in self.questions if question.earned is None)

    def key(self) -> tuple[str, str, str]:
        """Two results with one key come from the same bytes, the same checks and the same protection."""
        return self.submission_sha256, self.checks_hash, self.level

    def to_json(self) -> str:
        """The file's content."""
        return self.model_dump_json(indent=1) + "\n"


def plain_number(value: float | None) -> str:
    """Points as people write them.

    >>> plain_number(3.0), plain_number(2.5), plain_number(None), plain_number(1 / 3)
    ('3', '2.5', '', '0.333')
    """
    if value is None:
        return ""
    return f"{round(value, 3):g}" if abs(value) < 1e5 else f"{value:.0f}"

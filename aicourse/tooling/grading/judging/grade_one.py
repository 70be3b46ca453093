"""One submission, graded: read, match, run, judge. Data in, data out; nothing is written.

    result = grade_one(assignment, submission, sandbox.execute)

The executor decides where the student's code runs (this machine's sandbox, a worker of a cluster, a fake in
tests). The reference solutions and the comparison stay here.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from aicourse.html import one_line
from aicourse.tooling.grading.authoring.assignment import Assignment, Question
from aicourse.tooling.grading.judging.apart import Work, work_here
from aicourse.tooling.grading.judging.judging import Ask
from aicourse.tooling.grading.judging.results import CheckOutcome, QuestionOutcome, SubmissionResult
from aicourse.tooling.grading.sandbox.execution import Execution, Executor, Job
from aicourse.tooling.grading.submissions.collecting import Found, Submission
from aicourse.tooling.grading.submissions.picture_files import picture_files, with_digests, with_pictures
from aicourse.tooling.grading.submissions.reading import Picture
from aicourse.tooling.grading.submissions.restoring import Restored
from aicourse.tooling.grading.submissions.shown_text import plain_text, printed

ANSWER_CHARACTERS = 20_000
_SHOWN_FAILURES = 3


def grade_one(
    assignment: Assignment,
    submission: Submission,
    execute: Executor,
    ask: Ask | None = None,
    work: Work | None = None,
) -> SubmissionResult:
    """Grade one submission; `ask` asks the model with prompts that students wrote.

    `work` is where hostile text is read and judged (`apart.work_apart`), by default in this process.

    Raises:
        AicourseError: it could not be read, run or judged (`failed_result` makes a result of that).
    """
    given = [(name, (assignment.folder / name).read_bytes()) for name in assignment.files]
    files = dict([*submission.files, *given])  # the assignment's win over the student's
    steps = work(submission, ask) if work else work_here(assignment, submission, ask)
    with contextlib.closing(steps):
        prepared = next(steps)
        restored = prepared.restored
        job = Job(restored.notebook, prepared.calls, files, limits=assignment.limits, encoded=True)
        execution = execute(replace(job, vectors=assignment.vectors))
        notes = [_sentence(note) for note in (*submission.notes, *prepared.notes, *restored.notes)]
        if execution.ending == "not_started":
            reason = execution.sentence or "The notebook could not be started."
            result = failed_result(assignment, submission, reason)
            return result.model_copy(update={"notes": tuple(notes), "level": execution.level})
        checks = steps.send(execution.answers)
    pictures = picture_files((name, data) for name, data in submission.files if name not in assignment.files)
    questions = tuple(
        _question(question, checks, restored, execution, pictures) for question in assignment.questions
    )
    problems = [*_problems(execution, restored.places), *notes, *_pending(questions)]
    return SubmissionResult(
        **_identity(assignment, submission),
        status="warning" if problems else "graded",
        sentence=problems[0] if problems else "Every cell ran.",
        notes=tuple(problems[1:]),
        notebook_sha256=hashlib.sha256(submission.data).hexdigest(),
        level=execution.level,
        seconds=round(execution.seconds, 3),
        peak_memory=execution.peak_memory,
        questions=questions,
        executed=json.dumps(with_pictures(execution.notebook, pictures), indent=1) + "\n",
    )


def failed_result(assignment: Assignment, submission: Submission | Found, sentence: str) -> SubmissionResult:
    """The result of a submission that could not be graded: no points, not 0 points."""
    questions = (
        QuestionOutcome(id=question.id, title=question.title, kind=question.kind, points=question.points)
        for question in assignment.questions
    )
    return SubmissionResult(
        **_identity(assignment, submission),
        status="failed",
        sentence=_sentence(sentence),
        questions=tuple(questions),
    )


def merged(stored: SubmissionResult, new: SubmissionResult, questions: frozenset[str]) -> SubmissionResult:
    """`new`, with all but `questions` as they were in `stored`: what `--regrade` keeps."""
    before = {question.id: question for question in stored.questions}
    mixed = (
        question if question.id in questions else before.get(question.id, question)
        for question in new.questions
    )
    return new.model_copy(update={"questions": tuple(mixed)})


def _identity(assignment: Assignment, submission: Submission | Found) -> dict[str, Any]:
    """The fields that a result has however it ended."""
    owner = submission.owner
    known = {
        "student": submission.student,
        "submission": one_line(submission.name[:300]),
        "assignment": assignment.name,
        "title": assignment.title,
        "checks_hash": assignment.checks_hash,
        "platform": owner.platform,
        "lms_id": owner.lms_id,
        "lms_prefix": owner.lms_prefix,
        "members": owner.members,
    }
    if isinstance(submission, Found):
        return known
    submitted = submission.submitted.astimezone(UTC).isoformat() if submission.submitted else ""
    return {
        **known,
        "submission_sha256": submission.sha256,
        "submitted": submitted,
        "submitted_by": submission.submitted_by if submitted else "",
        "submitted_surely": bool(submitted and submission.submitted_surely),
    }


def _question(
    question: Question,
    checks: Sequence[CheckOutcome],
    restored: Restored,
    execution: Execution,
    pictures: Sequence[Picture],
) -> QuestionOutcome:
    mine = [check for check in checks if check.question == question.id]
    is_open = question.kind == "manual" or any(check.kind == "pending" for check in mine)
    return QuestionOutcome(
        id=question.id,
        title=question.title,
        kind=question.kind,
        points=question.points,
        earned=None if is_open else sum(check.earned for check in mine),
        checks=tuple(mine),
        answer=plain_text(with_digests(restored.answers.get(question.id, ""), pictures), ANSWER_CHARACTERS),
        output=printed(execution.notebook, restored.cell_ids.get(question.id, ())),
    )


def _problems(execution: Execution, places: dict[str, str]) -> Iterator[str]:
    """Problems of the run, in sentences."""
    if execution.sentence:
        yield _sentence(execution.sentence)
    elif execution.ending != "finished":
        yield f"The notebook did not run to its end ({execution.ending.replace('_', ' ')})."
    # what stopped the run stands in its sentence already
    failures = [one for one in execution.failures if not one.message or one.message not in execution.sentence]
    for failure in failures[:_SHOWN_FAILURES]:
        place = places.get(failure.cell_id, "A cell")
        text = _sentence(f"{place} raised {failure.error}: {failure.message}", 200)
        yield text.rstrip(": \n")
    if len(failures) > _SHOWN_FAILURES:
        yield f"{len(failures) - _SHOWN_FAILURES} more cells failed."


def _sentence(text: str, limit: int = 400) -> str:
    """A sentence on one line, whatever a student's code has put into it."""
    return " ".join(plain_text(text, limit).split())


def _pending(questions: Sequence[QuestionOutcome]) -> Iterator[str]:
    for question in questions:
        for check in question.checks:
            if check.kind == "pending":
                yield f"{question.id}, {check.name}: {check.message}"

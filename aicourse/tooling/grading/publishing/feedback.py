"""Feedback for a student: one HTML file that needs nothing, runs nothing, and says nothing of anybody else.

It is made from the student's own result alone: what passed, what failed and the hint, what the student wrote
and printed. Hidden inputs and expected values are not in a result unless the check allows them (`judging`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from markupsafe import Markup

from aicourse.errors import GradingError
from aicourse.html import escape, page, prose
from aicourse.paths import write_atomically
from aicourse.tooling.grading.judging.folder import GradesFolder, file_stem
from aicourse.tooling.grading.judging.packing import zipped
from aicourse.tooling.grading.judging.results import CheckOutcome, QuestionOutcome, plain_number
from aicourse.tooling.grading.publishing.gradebook import Gradebook, StudentRow, read_gradebook

Platform = Literal["canvas", "moodle", "plain"]
_FILE_NAME = "feedback.html"


@dataclass(frozen=True)
class FeedbackZip:
    """Feedback packed for a platform; it has no place for that of those `left_out`."""

    path: Path
    left_out: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = f"Left out, for the platform has no place for it: {', '.join(self.left_out)}."
        return f"{self.path}\n{names}" if self.left_out else str(self.path)


def write_feedback(folder: GradesFolder) -> list[Path]:
    """Write feedback/<student>.html for everybody; returns the paths."""
    book = read_gradebook(folder)
    written = []
    for row in book.rows:
        path = folder.feedback_dir / f"{file_stem(row.student)}.html"
        write_atomically(path, render_feedback(book, row))
        written.append(path)
    return written


def write_feedback_zip(folder: GradesFolder, platform: Platform) -> FeedbackZip:
    """Pack everybody's feedback as a platform takes it back.

    - canvas: names that begin like the files that were downloaded (user's and attachment's id); a text that
      was typed in has no attachment, so its student is left out.
    - moodle: `Full Name_1234567_assignfeedback_file/feedback.html`; the plug-in "Feedback files" must be on.
    - plain: one file per student.

    Raises:
        GradingError: no submission came from that platform.
    """
    book = read_gradebook(folder)
    rows = [row for row in book.rows if platform in ("plain", row.platform if row.result.lms_prefix else "")]
    if not rows:
        raise GradingError(
            f"{len(book.rows)} are not from {platform} ({book.rows[0].student}, …), so it "
            "cannot tell whose feedback it is. Use --zip plain, or grade the platform's own download."
        )
    pages = {_name_for(row, platform): render_feedback(book, row).encode() for row in rows}
    path = folder.root / f"feedback-{platform}.zip"
    write_atomically(path, zipped(pages))
    return FeedbackZip(path, tuple(row.student for row in book.rows if row not in rows))


def _name_for(row: StudentRow, platform: Platform) -> str:
    prefix = row.result.lms_prefix
    if platform == "canvas":
        return f"{prefix}_{_FILE_NAME}"
    if platform == "moodle":
        return f"{prefix}_assignfeedback_file/{_FILE_NAME}"
    return f"{file_stem(row.student)}.html"


def render_feedback(book: Gradebook, row: StudentRow) -> str:
    """One student's page."""
    result = row.result
    who = f"{escape(result.student)}, {escape(result.submission)}"
    head = f"<h1>{escape(book.title)}</h1><p class='quiet'>{who}</p>"
    comments = dict(row.comments)
    questions = "".join(_question(question, comments.get(question.id, "")) for question in result.questions)
    body = head + _summary(book, row) + (questions if result.status != "failed" else "")
    return page(f"{book.title}: feedback", Markup(body))


def _summary(book: Gradebook, row: StudentRow) -> str:
    result, most = row.result, plain_number(book.points)
    if result.status == "failed":
        return (
            "<div class='card bad'><b>Your submission could not be graded.</b>"
            f"<p>{prose(result.sentence)}</p>"
            "<p>This is not a grade of 0. Please talk to your instructor.</p></div>"
        )
    lines = []
    if row.total is None:
        lines.append(
            f"<b>{plain_number(result.earned)} of {most} points so far.</b> Some answers have no points yet."
        )
    else:
        lines.append(f"<b>{plain_number(row.total)} of {most} points.</b>")
    if result.submitted and (result.submitted_surely or result.late):
        came = f"{result.submitted[:16].replace('T', ' ')} UTC ({result.submitted_by})"
        lines.append(f"<span class='quiet'>Handed in {escape(came)}.</span>")
    if result.late:
        lines.append(
            f"It came {result.late.days} {'day' if result.late.days == 1 else 'days'} late, which takes off "
            f"{plain_number(result.late.percent)} % of what was earned."
        )
    if result.status == "warning":
        noticed = "".join(f"<li>{prose(note)}</li>" for note in (result.sentence, *result.notes))
        lines.append(f"This was noticed:<ul>{noticed}</ul>")
    return f"<div class='card'>{''.join(f'<div>{line}</div>' for line in lines)}</div>"


def _question(question: QuestionOutcome, comment: str) -> str:
    earned = "open" if question.earned is None else plain_number(question.earned)
    points = f"<span class='points'>{earned} of {plain_number(question.points)}</span>"
    parts = [f"<h2>{points}{escape(question.id)}: {escape(question.title)}</h2>"]
    if question.checks:
        parts.append(f"<ul class='plain'>{''.join(_check(check) for check in question.checks)}</ul>")
    elif question.earned is None:
        parts.append("<p>This answer is graded by hand, and has no points yet.</p>")
    if comment and question.earned is not None:
        parts.append(f"<p><b>Comment:</b> {_prose_lines(comment)}</p>")
    parts += list(_own_words(question))
    return "".join(parts)


def _check(check: CheckOutcome) -> str:
    mark, kind = ("✓ passed", "good") if check.passed else ("✗ not yet", "bad")
    if check.kind == "pending":
        mark, kind = "○ open", ""
    points = f"{plain_number(check.earned)} of {plain_number(check.points)}" if check.points else "no points"
    said = "".join(f"<div>{prose(text)}</div>" for text in (check.message,) if text)
    said += f"<div><b>Hint:</b> {prose(check.hint)}</div>" if check.hint else ""
    name = f"{prose(check.name)} <span class='quiet'>({points})</span>"
    return f"<li class='{kind}'><b>{mark}</b> {name}{said}</li>"


def _own_words(question: QuestionOutcome) -> Iterator[str]:
    if question.answer:
        yield f"<details><summary>Your answer</summary><pre>{escape(question.answer)}</pre></details>"
    else:
        yield "<p class='quiet'>Your answer cell is as it was handed out.</p>"
    if question.output:
        yield f"<details><summary>What it printed</summary><pre>{escape(question.output)}</pre></details>"


def _prose_lines(text: str) -> str:
    return "<br>".join(map(prose, text.splitlines()))

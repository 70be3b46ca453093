"""The class report: one HTML file for the instructor, with what needs attention first.

It names students and quotes hints, so it is not for students. It loads nothing and runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from aicourse.paths import write_atomically
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.results import STATUS_WORDS, plain_number
from aicourse.tooling.grading.publishing.figures import histogram, small_histogram
from aicourse.tooling.grading.publishing.gradebook import Gradebook, Row, read_gradebook
from aicourse.tooling.grading.publishing.item_statistics import (
    ClassStatistics,
    QuestionStatistics,
    class_statistics,
)
from aicourse.tooling.grading.publishing.pages import facts, page, prose, table


def write_report(folder: GradesFolder) -> Path:
    """Write report.html from what the folder holds; returns its path."""
    write_atomically(folder.report, render_report(read_gradebook(folder)))
    return folder.report


def render_report(book: Gradebook) -> str:
    """The report's HTML."""
    figures = class_statistics(book)
    body = "".join(
        [
            f"<h1>{escape(book.title)}</h1><p class='quiet'>{escape(book.assignment)}, class report</p>",
            _summary(book, figures),
            _attention(book),
            _totals(book, figures),
            _questions(figures),
            _checks(figures),
            _students(book),
        ]
    )
    return page(f"{book.title}: class report", body)


def _summary(book: Gradebook, figures: ClassStatistics) -> str:
    counts = [
        (words, sum(row.result.status == status for row in book.rows))
        for status, words in STATUS_WORDS.items()
    ]
    most = _counted_points(figures)
    return facts(
        [
            ("submissions", str(len(book.rows))),
            *((words, str(count)) for words, count in counts),
            (f"mean, of {plain_number(most)}", _figure(figures.mean, 1)),
            ("median", _figure(figures.median, 1)),
            ("Cronbach's alpha", _figure(figures.alpha, 2)),
            (
                "levels of protection",
                ", ".join(sorted({row.result.level for row in book.rows if row.result.level})),
            ),
        ]
    )


def _counted_points(figures: ClassStatistics) -> float:
    return sum(one.column.points for one in figures.questions if one.students)


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _attention(book: Gradebook) -> str:
    """What an instructor has to do something about."""
    failed = [row for row in book.rows if row.result.status == "failed"]
    warned = [row for row in book.rows if row.result.status == "warning"]
    late = [row for row in book.rows if row.result.late]
    open_count: dict[str, int] = {}
    for row in book.rows:
        for question in row.result.open_questions if row.result.status != "failed" else ():
            open_count[question] = open_count.get(question, 0) + 1
    items = [_row_item("bad", row, "could not be graded") for row in failed]
    if open_count:
        waiting = ", ".join(f"{question} ({count})" for question, count in open_count.items())
        items.append(
            f"<li><b>Still open:</b> {escape(waiting)}. Totals are empty until these have points.</li>"
        )
    if late:
        names = ", ".join(f"{row.student} ({row.result.late.days} d)" for row in late if row.result.late)
        items.append(f"<li><b>Late:</b> {escape(names)}</li>")
    shown = f"<ul class='plain'>{''.join(items)}</ul>" if items else ""
    if warned:
        rows = "".join(_row_item("", row, "") for row in warned)
        heading = f"<summary>{len(warned)} graded with a warning</summary>"
        shown += f"<details>{heading}<ul class='plain'>{rows}</ul></details>"
    return f"<h2>Needs a look</h2>{shown or '<p>Nothing.</p>'}"


def _row_item(kind: str, row: Row, what: str) -> str:
    notes = "".join(f"<br><span class='quiet'>{prose(note)}</span>" for note in row.result.notes[:5])
    words = f" {what}:" if what else ":"
    return f"<li class='{kind}'><b>{escape(row.student)}</b>{words} {prose(row.result.sentence)}{notes}</li>"


def _totals(book: Gradebook, figures: ClassStatistics) -> str:
    if not figures.totals:
        return ""
    most = _counted_points(figures)
    text = f"{figures.complete} submissions with points for every question that has been graded"
    if most < book.points:
        text += f"; of {plain_number(book.points)} points, {plain_number(most)} have been graded so far"
    return f"<h2>Points</h2>{histogram(figures.totals, most, 'Points')}<p class='quiet'>{escape(text)}.</p>"


def _questions(figures: ClassStatistics) -> str:
    head = ("Question", "Points", "Mean share", "Spread", "Discrimination", "Shares, 0 to 100 %", "")
    heads = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    rows = "".join(_question_row(one) for one in figures.questions)
    return (
        "<h2>Questions</h2><p class='quiet'>Discrimination is the correlation with the points of all other "
        "questions; a dash where nothing can be said yet.</p>"
        f"<div class='wide'><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _question_row(one: QuestionStatistics) -> str:
    column = one.column
    share = "–" if one.difficulty is None else f"{100 * one.difficulty:.0f} %"
    spread = "–" if one.deviation is None else f"{100 * one.deviation:.0f} %"
    label = f"{column.id}: " + ", ".join(
        f"{count} with {10 * index} to {10 * index + 10} %"
        for index, count in enumerate(one.histogram)
        if count
    )
    graph = small_histogram(one.histogram, label) if one.students else "–"
    remark = one.remark or (f"{one.open} open" if one.open else "")
    return (
        f"<tr><th scope='row'>{escape(column.id)}<br><span class='quiet'>{escape(column.title)}</span></th>"
        f"<td class='number'>{plain_number(column.points)}</td><td class='number'>{share}</td>"
        f"<td class='number'>{spread}</td><td class='number'>{_figure(one.discrimination, 2)}</td>"
        f"<td>{graph}</td><td>{escape(remark)}</td></tr>"
    )


def _checks(figures: ClassStatistics) -> str:
    def rows() -> Iterable[tuple[str, ...]]:
        for check in figures.checks:
            share = f"{check.passed} of {check.students}"
            hint = f"{check.hinted}×: {check.common_hint}" if check.common_hint else ""
            yield f"{check.question}: {check.name}", share, hint

    if not figures.checks:
        return ""
    return "<h2>Checks</h2>" + table("", ("Check", "Passed", "Said most often to the others"), rows())


def _students(book: Gradebook) -> str:
    def rows() -> Iterable[tuple[str, ...]]:
        for row in book.rows:
            late = (
                f"{row.result.late.days} d, −{plain_number(row.result.late.percent)} %"
                if row.result.late
                else ""
            )
            points = [plain_number(row.points(column.id)) or "–" for column in book.columns]
            total = plain_number(row.total) or f"({plain_number(row.result.earned) or '–'})"
            yield row.student, STATUS_WORDS[row.result.status], *points, late, total

    head = ["Student", "Status", *(column.id for column in book.columns), "Late", "Total"]
    numbers = range(2, 2 + len(book.columns) + 2)
    shown = table("In brackets: what there is so far", head, rows(), numbers)
    return f"<h2>Students</h2><details><summary>{len(book.rows)} students</summary>{shown}</details>"

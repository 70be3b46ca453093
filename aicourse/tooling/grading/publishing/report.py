"""The class report: one HTML file for the instructor, with what needs attention first.

It names students and quotes hints, so it is not for students. It loads nothing and runs nothing: its two
figures are SVG text, readable in print and by a screen reader. They carry their numbers as text; colour
says nothing that is not written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from markupsafe import Markup

from aicourse.html import NUMBER, Row, TableCell, escape, page, prose, table, wide
from aicourse.paths import write_atomically
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.results import STATUS_WORDS, plain_number
from aicourse.tooling.grading.publishing.gradebook import Gradebook, StudentRow, read_gradebook
from aicourse.tooling.grading.publishing.item_statistics import (
    ClassStatistics,
    QuestionStatistics,
    class_statistics,
)
from aicourse.tooling.grading.sandbox.levels import isolation

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 220, 44, 40, 18


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
    return page(f"{book.title}: class report", Markup(body))


def _summary(book: Gradebook, figures: ClassStatistics) -> str:
    counts = [
        (words, sum(row.result.status == status for row in book.rows))
        for status, words in STATUS_WORDS.items()
    ]
    most = _counted_points(figures)
    facts = [
        ("submissions", str(len(book.rows))),
        *((words, str(count)) for words, count in counts),
        (f"mean, of {plain_number(most)}", _figure(figures.mean, 1)),
        ("median", _figure(figures.median, 1)),
        ("Cronbach's alpha", _figure(figures.alpha, 2)),
    ]
    items = "".join(f"<li><b>{escape(value)}</b>{escape(name)}</li>" for name, value in facts)
    under = escape(isolation(row.result.level for row in book.rows))
    return f"<ul class='facts'>{items}</ul><p class='quiet'>{under}</p>"


def _counted_points(figures: ClassStatistics) -> float:
    return sum(one.column.points for one in figures.questions if one.students)


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _attention(book: Gradebook) -> str:
    """The list of what an instructor has to do something about."""
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
    by_file = sum(bool(row.result.submitted) and not row.result.submitted_surely for row in book.rows)
    if by_file:
        items.append(f"<li><b>Times:</b> of {by_file}, only file dates are known.</li>")
    shown = f"<ul class='plain'>{''.join(items)}</ul>" if items else ""
    if warned:
        rows = "".join(_row_item("", row, "") for row in warned)
        heading = f"<summary>{len(warned)} graded with a warning</summary>"
        shown += f"<details>{heading}<ul class='plain'>{rows}</ul></details>"
    return f"<h2>Needs a look</h2>{shown or '<p>Nothing.</p>'}"


def _row_item(kind: str, row: StudentRow, what: str) -> str:
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
    shown = table("", head, map(_question_row, figures.questions))
    return (
        "<h2>Questions</h2><p class='quiet'>Discrimination is the correlation with the points of all other "
        "questions; a dash where nothing can be said yet.</p>"
        f"{wide(shown, 'Questions')}"
    )


def _question_row(one: QuestionStatistics) -> Row:
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
    name = Markup("{}<br><span class='quiet'>{}</span>").format(column.id, column.title)
    points = plain_number(column.points)
    numbers = (TableCell(text, NUMBER) for text in (points, share, spread, _figure(one.discrimination, 2)))
    return (name, *numbers, graph, remark)


def _checks(figures: ClassStatistics) -> str:
    def rows() -> Iterable[Row]:
        for check in figures.checks:
            share = f"{check.passed} of {check.students}"
            hint = f"{check.hinted}×: {check.common_hint}" if check.common_hint else ""
            yield f"{check.question}: {check.name}", share, prose(hint)

    if not figures.checks:
        return ""
    shown = table("", ("Check", "Passed", "Said most often to the others"), rows())
    return f"<h2>Checks</h2>{wide(shown, 'Checks')}"


def _students(book: Gradebook) -> str:
    def rows() -> Iterable[Row]:
        for row in book.rows:
            late = (
                f"{row.result.late.days} d, −{plain_number(row.result.late.percent)} %"
                if row.result.late
                else ""
            )
            points = [plain_number(row.points(column.id)) or "–" for column in book.columns]
            total = plain_number(row.total) or f"({plain_number(row.result.earned) or '–'})"
            numbers = (TableCell(text, NUMBER) for text in (*points, late, total))
            yield row.student, STATUS_WORDS[row.result.status], *numbers

    names = (*(column.id for column in book.columns), "Late", "Total")
    head: Row = ("Student", "Status", *(TableCell(name, NUMBER) for name in names))
    shown = table("In brackets: what there is so far", head, rows())
    summary = f"<summary>{len(book.rows)} students</summary>"
    return f"<h2>Students</h2><details>{summary}{wide(shown, 'Students')}</details>"


def histogram(values: Sequence[float], most: float, title: str) -> str:
    """The students in bins by points: bins of a whole number of points, from 0 to `most`."""
    step = max(1, math.ceil(most / 20)) if most >= 5 else most / 10 or 1
    bins = max(1, math.ceil(most / step - 1e-9))
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, max(0, math.floor(value / step + 1e-9)))] += 1
    top = max([*counts, 1])
    width = (_WIDTH - _LEFT - 8) / bins
    height = _HEIGHT - _BOTTOM - _TOP
    parts = [_axis_y(top, height)]
    for index, count in enumerate(counts):
        x, bar = _LEFT + index * width, height * count / top
        low, high = index * step, min((index + 1) * step, most)
        if count:
            parts.append(
                f"<g><title>{count} with {low:g} to {high:g}</title><rect class='bar' x='{x + 1:.1f}' "
                f"y='{_TOP + height - bar:.1f}' width='{width - 2:.1f}' height='{bar:.1f}'/></g>"
            )
            parts.append(_text(x + width / 2, _TOP + height - bar - 4, str(count), "middle"))
    for index in range(0, bins + 1, max(1, bins // 10)):
        parts.append(
            _text(_LEFT + index * width, _HEIGHT - _BOTTOM + 15, f"{min(index * step, most):g}", "middle")
        )
    parts.append(_text((_LEFT + _WIDTH) / 2, _HEIGHT - 6, "points", "middle"))
    parts.append(_text(0, 11, "students", "start"))
    summary = f"{title}: " + ", ".join(
        f"{count} with {index * step:g} to {min((index + 1) * step, most):g}"
        for index, count in enumerate(counts)
        if count
    )
    return _svg(_WIDTH, _HEIGHT, summary, "".join(parts))


def _axis_y(top: int, height: float) -> str:
    base = _TOP + height
    ticks = sorted({0, top, *(round(top * part / 4) for part in range(1, 4))})
    lines = "".join(
        f"<line class='grid' x1='{_LEFT}' x2='{_WIDTH - 8}' y1='{base - height * tick / top:.1f}' "
        f"y2='{base - height * tick / top:.1f}'/>"
        + _text(_LEFT - 6, base - height * tick / top + 4, str(tick), "end")
        for tick in ticks
    )
    return f"{lines}<line class='axis' x1='{_LEFT}' x2='{_WIDTH - 8}' y1='{base}' y2='{base}'/>"


def small_histogram(counts: Sequence[int], label: str) -> Markup:
    """A question's shares in ten bins, to stand in a table."""
    width, height, top = 110, 30, max([*counts, 1])
    step = width / len(counts)
    bars = "".join(
        f"<rect class='bar' x='{index * step + 0.5:.1f}' y='{height - height * count / top:.1f}' "
        f"width='{step - 1:.1f}' height='{height * count / top:.1f}'/>"
        for index, count in enumerate(counts)
        if count
    )
    axis = f"<line class='axis' x1='0' x2='{width}' y1='{height}' y2='{height}'/>"
    return _svg(width, height + 1, label, bars + axis, fixed=True)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'>{escape(text)}</text>"


def _svg(width: int, height: int, label: str, content: str, *, fixed: bool = False) -> Markup:
    size = f" width='{width}' height='{height}'" if fixed else f" width='{width}'"
    opening = f"<svg viewBox='0 0 {width} {height}'{size} role='img' aria-label=\"{escape(label)}\">"
    return Markup(f"{opening}{content}</svg>")

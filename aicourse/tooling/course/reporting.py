"""The report of a run: `build/course/index.html`, and each executed lesson as a page.

Every page stands alone: styles and script are inside, nothing is fetched, so the folder can be mailed or
put on any web server. Pages are made by nbconvert's `basic` template, which is the cells without a frame;
formulas are shown as they are written, because MathJax would be a request.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import nbformat
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

from aicourse.html import NUMBER, Row, TableCell, asset, page, render, sort_button, table, wide
from aicourse.llm.calls import dollars
from aicourse.paths import write_atomically
from aicourse.tooling.course.durations import slow_lessons
from aicourse.tooling.course.lesson_run import LessonRun

_TEMPLATES = "tooling/course/templates"
_SCROLLS = re.compile(r'<div (?=class="output_(?:html|markdown) |style="overflow-x: auto")')  # by keys, too
_LESSON_LINK = re.compile(r'(href="\d\d-[\w-]+)\.ipynb(["#])')
_TEXTS = ("Lesson", "Result")
_NUMBERS = ("Time (s)", "Cells", "Calls", "Recorded", "Live", "Cost (USD)")


def write_report(runs: Sequence[LessonRun], folder: Path) -> Path:
    """Write `index.html` and a page per lesson into `folder`; the path of `index.html`."""
    exporter = HTMLExporter(template_name="basic")  # type: ignore[no-untyped-call]
    for run in runs:
        if run.path:
            write_atomically(folder / f"{run.path.stem}.html", lesson_page(run, run.path, exporter))
    index = folder / "index.html"
    write_atomically(index, index_page(runs))
    return index


def lesson_page(run: LessonRun, notebook: Path, exporter: HTMLExporter) -> str:
    """One executed notebook as a page."""
    node = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    for cell in node.cells:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
        for output in cell.get("outputs", ()) if alt else ():
            output.setdefault("metadata", {})["image/png"] = {"alt": alt}  # where nbconvert looks for it
    body, _ = exporter.from_notebook_node(node)
    top = Markup("<p><a href='index.html'>All lessons</a> · <a href='{}'>this run as a notebook</a></p>")
    body = _SCROLLS.sub('<div tabindex="0" ', body)
    content = top.format(notebook.name) + Markup(_LESSON_LINK.sub(r"\1.html\2", body))
    style = asset(f"{_TEMPLATES}/lesson.css") + Markup(
        HtmlFormatter(style="xcode").get_style_defs(".highlight")
    )
    title = f"{run.lesson.number} · {run.lesson.title}"
    return page(title, content, style=style, inline_styles=True)


def index_page(runs: Sequence[LessonRun]) -> str:
    """The table of lessons."""
    failed = sum(run.error is not None for run in runs)
    lessons = "1 lesson" if len(runs) == 1 else f"{len(runs)} lessons"
    totals = [
        f"cells: {sum(run.cells for run in runs)}",
        f"calls: {sum(run.recorded for run in runs)} recorded, {sum(run.live for run in runs)} live",
        f"time, lesson after lesson: {sum(run.seconds for run in runs):.1f} s",
        f"spent: {dollars(sum((run.cost for run in runs), Decimal(0)))}",
    ]
    summary = f"{lessons}, {f'{failed} failed' if failed else 'all passed'}"
    date = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    header: Row = (
        *map(sort_button, _TEXTS),
        *(TableCell(sort_button(name), NUMBER) for name in _NUMBERS),
        sort_button("Notebook"),
    )
    content = render(
        f"{_TEMPLATES}/report.html",
        summary=summary,
        totals=" · ".join(totals),
        warnings=tuple(slow_lessons(runs).values()),
        lessons=wide(table(f"{date} · a column's heading sorts by it", header, map(_row, runs)), "Lessons"),
    )
    style = asset(f"{_TEMPLATES}/report.css")
    return page(f"{summary} · aicourse", content, style=style, script=asset("templates/sort.js"))


def _row(run: LessonRun) -> Row:
    lesson = run.lesson
    name: str = f"{lesson.number} {lesson.title}"
    if run.path:
        name = Markup("<a href='{}.html'>{}</a>").format(run.path.stem, name)
    shown = Markup("{}<span class='question'>{}</span>{}").format(name, lesson.question, _error(run))
    notebook = Markup("<a href='{0}' title='{0}'>.ipynb</a>").format(run.path.name) if run.path else ""
    counts = (run.cells, run.calls, run.recorded, run.live)
    return (
        TableCell(shown, {"data-key": lesson.number}),
        TableCell(run.result, {"class": run.result}),
        _number(f"{run.seconds:.1f}", f"{run.seconds:.2f}"),
        *(_number(f"{count:,}", str(count)) for count in counts),
        _number(dollars(run.cost).removeprefix("$"), f"{run.cost:f}"),
        TableCell(notebook, {"data-key": run.path.name if run.path else ""}),
    )


def _number(shown: str, key: str) -> TableCell:
    return TableCell(shown, {**NUMBER, "data-key": key})


def _error(run: LessonRun) -> Markup:
    if not run.error:
        return Markup()
    first, _, rest = str(run.error).partition("\n")
    folded = Markup("<details><summary>{}</summary><pre>{}</pre></details>")
    return folded.format(first, rest) if rest else Markup("<p>{}</p>").format(first)

"""The report of a run: `build/course/index.html`, and each executed lesson as a page.

Every page stands alone: styles and script are inside, nothing is fetched, so the folder can be mailed or
put on any web server. Pages are made by nbconvert's `basic` template, which is the cells without a frame;
formulas are shown as they are written, because MathJax would be a request.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from string import Template

import nbformat
from nbconvert.exporters import HTMLExporter
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

from aicourse.llm.calls import dollars
from aicourse.paths import write_atomically
from aicourse.tooling.course.lesson_run import LessonRun

_TEMPLATES = Path(__file__).parent / "templates"
_LESSON_LINK = re.compile(r'(href="\d\d-[\w-]+)\.ipynb(["#])')
_HEADINGS = {
    "Lesson": "",
    "Result": "",
    "Time (s)": "number",
    "Cells": "number",
    "Calls": "number",
    "Recorded": "number",
    "Live": "number",
    "Cost (USD)": "number",
    "Notebook": "",
}


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
    return _fill(
        "lesson.html",
        title=html.escape(f"{run.lesson.number} · {run.lesson.title}"),
        highlighting=HtmlFormatter().get_style_defs(".highlight"),
        notebook=html.escape(notebook.name),
        body=_LESSON_LINK.sub(r"\1.html\2", body),
    )


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
    return _fill(
        "report.html",
        summary=f"{lessons}, {f'{failed} failed' if failed else 'all passed'}",
        totals=" · ".join(totals),
        date=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        headings="".join(
            f'<th scope="col" class="{kind}"><button type="button">{name}</button></th>'
            for name, kind in _HEADINGS.items()
        ),
        rows="\n".join(_row(run) for run in runs),
    )


def _row(run: LessonRun) -> str:
    lesson = run.lesson
    name = html.escape(f"{lesson.number} {lesson.title}")
    title = f'<a href="{html.escape(run.path.stem)}.html">{name}</a>' if run.path else name
    notebook = html.escape(run.path.name) if run.path else ""
    cells = [
        (lesson.number, f'{title}<span class="question">{html.escape(lesson.question)}</span>{_error(run)}'),
        (run.result, f'<span class="{run.result}">{run.result}</span>'),
        (f"{run.seconds:.2f}", f"{run.seconds:.1f}"),
        *((str(count), f"{count:,}") for count in (run.cells, run.calls, run.recorded, run.live)),
        (f"{run.cost:f}", dollars(run.cost).removeprefix("$")),
        (notebook, f'<a href="{notebook}" title="{notebook}">.ipynb</a>' if notebook else ""),
    ]
    tagged = zip(_HEADINGS.values(), cells, strict=True)
    return "<tr>" + "".join(_cell(kind, key, shown) for kind, (key, shown) in tagged) + "</tr>"


def _cell(kind: str, key: str, shown: str) -> str:
    return f'<td class="{kind}" data-key="{html.escape(key)}">{shown}</td>'


def _error(run: LessonRun) -> str:
    if not run.error:
        return ""
    first, _, rest = html.escape(str(run.error)).partition("\n")
    return f"<details><summary>{first}</summary><pre>{rest}</pre></details>" if rest else f"<p>{first}</p>"


def _fill(name: str, **values: str) -> str:
    page = Template((_TEMPLATES / name).read_text(encoding="utf-8"))
    return page.substitute(style=(_TEMPLATES / "style.css").read_text(encoding="utf-8"), **values)

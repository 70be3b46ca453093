"""A run, or two, as one HTML file that needs nothing else: totals, comparison, and a table of cases to sort.

    report.write_report(candidate, "build/report.html", before=production)

Of a large run the table shows the cases that went worst (failed, then lowest scores, or with `before` the
largest losses), so that the file opens whatever the size of the run; the records are read as a stream.
Texts come from models and strangers: everything is escaped, and nothing is loaded from anywhere.
It draws no plots; `Run.to_frame()` and `Comparison.to_frame()` are there for those.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from aicourse.evals.compare import Comparison, compare_runs
from aicourse.evals.records import CaseRecord
from aicourse.evals.runs import Run
from aicourse.evals.scores import Score
from aicourse.paths import write_atomically

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; padding: 0 1em; max-width: 90em }
table { border-collapse: collapse; margin: 1em 0 }
caption { text-align: left; font-weight: 600 }
th, td { border-bottom: 1px solid #8886; padding: .3em .8em .3em 0; text-align: left; vertical-align: top }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; max-width: 34em }
td.bad { font-weight: 600 }
th button { all: unset; cursor: pointer; font-weight: 600 }
th button:focus-visible { outline: 2px solid }
th[aria-sort=ascending] button::after { content: " \\2191" }
th[aria-sort=descending] button::after { content: " \\2193" }
"""
_SORT = """
const buttons = document.querySelectorAll("#cases thead button");
buttons.forEach((button, column) => button.addEventListener("click", () => {
  const heading = button.parentElement, body = document.querySelector("#cases tbody");
  const order = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  document.querySelectorAll("#cases th").forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", order === 1 ? "ascending" : "descending");
  const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent;
  body.append(...[...body.rows].sort((a, b) =>
    order * key(a).localeCompare(key(b), undefined, { numeric: true })));
}));
"""

Outputs = Mapping[tuple[str, int], Any]  # by case id and repeat


def write_report(run: Run, path: Path | str, *, before: Run | None = None, limit: int = 1_000) -> Path:
    """Write the report of `run`, compared with `before` when given; the table shows at most `limit` records.

    Raises:
        EvaluationError: the runs cannot be compared (see `compare_runs`).
    """
    comparisons = _comparisons(before, run) if before else []
    worst = heapq.nsmallest(limit, run.records(), key=lambda record: _rank(record, comparisons))
    outputs = None if before is None else _outputs(before, worst)
    title = escape(f"{run.info.name} against {before.info.name}" if before else run.info.name)
    facts = "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in run.info.facts.items())
    shown = f"{len(worst):,} of {run.summary.records:,} records, worst first"
    tables = "".join(comparison._repr_html_() for comparison in comparisons)
    content = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>"
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1><ul>{facts}</ul>{run._repr_html_()}{tables}"
        f"{_case_table(shown, worst, outputs, [summary.name for summary in run.summary.scores])}"
        f"</main><script>{_SORT}</script></body></html>\n"
    )
    write_atomically(Path(path), content)
    return Path(path)


def _outputs(before: Run, shown: list[CaseRecord]) -> Outputs:
    """What the run before made of the cases that are shown."""
    wanted = {(record.id, record.repeat) for record in shown}
    records = (record for record in before.records() if (record.id, record.repeat) in wanted)
    return {(record.id, record.repeat): record.output for record in records}


def _comparisons(before: Run, after: Run) -> list[Comparison]:
    """One comparison for each number or assertion that both runs have."""
    known = {summary.name for summary in before.summary.scores if summary.mean is not None}
    names = [summary.name for summary in after.summary.scores if summary.mean is not None]
    return [compare_runs(before, after, name) for name in names if name in known]


def _rank(record: CaseRecord, comparisons: list[Comparison]) -> tuple[float, float, int]:
    """What comes first: the largest loss against the run before, then failures and low scores."""
    change = sum(comparison.differences.get(record.id, 0.0) for comparison in comparisons)
    values = [float(score.value) for score in record.scores if isinstance(score.value, bool | int | float)]
    return change, -1.0 if record.error else sum(values), record.index


def _case_table(caption: str, records: list[CaseRecord], outputs: Outputs | None, names: list[str]) -> str:
    before = [] if outputs is None else ["output before"]
    columns = ["id", "slices", "input", "expected", *before, "output", *names]
    head = "".join(f"<th scope='col'><button type='button'>{escape(name)}</button></th>" for name in columns)
    rows = "".join(_case_row(record, outputs, names) for record in records)
    title = f"<caption>{caption}</caption>"
    return f"<table id='cases'>{title}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _case_row(record: CaseRecord, outputs: Outputs | None, names: list[str]) -> str:
    scores = {score.name: score for score in record.scores}
    failed = record.error is not None
    cells = [f"<td>{escape(', '.join(record.tags))}</td>", _data(record.input), _data(record.expected)]
    cells += [] if outputs is None else [_data(outputs.get((record.id, record.repeat)))]
    cells += [f"<td class='bad'>failed: {escape(str(record.error))}</td>" if failed else _data(record.output)]
    cells += [_score(scores.get(name)) for name in names]
    return f"<tr><th scope='row'>{escape(record.id)}</th>{''.join(cells)}</tr>"


def _data(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"<td><pre>{escape(text)}</pre></td>"


def _score(score: Score | None) -> str:
    """A score, its reason below it; sorted by its value (a failed case before all others)."""
    if score is None:
        return "<td data-key=''>-</td>"
    value = "scorer failed" if score.value is None else str(score.value)
    shown = f"{score.value:.3f}" if isinstance(score.value, float) else value
    reason = score.error or score.reason
    below = f"<br><small>{escape(reason)}</small>" if reason else ""
    return f"<td data-key='{escape(value)}'>{escape(shown)}{below}</td>"

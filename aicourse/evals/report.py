"""A run, or two, as one HTML file that needs nothing else: totals, plots, changes, cases to sort and filter.

    report.write_report(candidate, "build/report.html", before=production)

Of a large run the table shows the cases that went worst (failed, then lowest scores, or with `before` the
largest losses), so that the file opens whatever the size of the run; the records are read as a stream.
Texts come from models and strangers: everything is escaped, and nothing is loaded from anywhere.
Plots for notebooks are in `plots`; here they are inline SVG (`drawing`).
"""

from __future__ import annotations

import heapq
from html import escape
from pathlib import Path

from aicourse.evals.compare import Comparison, compare_runs
from aicourse.evals.drawing import Mark, dot_and_whisker
from aicourse.evals.records import CaseRecord
from aicourse.evals.report_cases import Outputs, case_table
from aicourse.evals.rules import main_scores
from aicourse.evals.runs import Run
from aicourse.evals.slices import SliceMeans, in_words, score_by_slice
from aicourse.paths import write_atomically

_SMALLEST_SLICE = 5
_STYLE = """
:root { color-scheme: light dark; --dot: light-dark(#0072B2, #56B4E9); --bad: light-dark(#A33B00, #F0A070) }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; padding: 0 1.5em; max-width: 100em }
h1 { line-height: 1.2 } h2 { margin-top: 2em }
ul.facts { display: flex; flex-wrap: wrap; gap: .2em 1.6em; padding: 0; list-style: none }
table { border-collapse: collapse; margin: 1em 0 }
caption { text-align: left; font-weight: 600; padding-bottom: .4em }
th, td { border-bottom: 1px solid #8886; padding: .35em .9em .35em 0; text-align: left; vertical-align: top }
.wide { overflow-x: auto }
#cases td { min-width: 7em } #cases thead th { position: sticky; top: 0; background: Canvas }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font: inherit }
pre { min-width: 16em; max-width: 34em }
td div { white-space: nowrap; max-width: 22em; overflow: hidden; text-overflow: ellipsis }
small { opacity: .75 } .bad { color: var(--bad); font-weight: 600 }
th button { all: unset; cursor: pointer; font-weight: 600 }
th button:focus-visible { outline: 2px solid }
th[aria-sort=ascending] button::after { content: " \\2191" }
th[aria-sort=descending] button::after { content: " \\2193" }
form { display: flex; flex-wrap: wrap; gap: .6em 1.6em; align-items: center; margin-top: 1em }
input[type=search] { min-width: 16em }
svg.plot { max-width: 100%; height: auto; font: 13px system-ui, sans-serif }
svg text { fill: currentColor } svg .name { text-anchor: end } svg .tick, svg .axis { text-anchor: middle }
svg .grid { stroke: currentColor; opacity: .15 }
svg .zero { stroke: currentColor; stroke-width: 1.5; opacity: .6 }
svg .whisker { stroke: var(--dot); stroke-width: 2 } svg .dot { fill: var(--dot) }
svg .remark { opacity: .75 }
summary { cursor: pointer }
"""
_SCRIPT = """
const body = document.querySelector("#cases tbody"), rows = [...body.rows];
const get = (id) => document.getElementById(id), buttons = document.querySelectorAll("#cases thead button");
buttons.forEach((button, column) => button.addEventListener("click", () => {
  const heading = button.parentElement;
  const order = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  document.querySelectorAll("#cases th").forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", order === 1 ? "ascending" : "descending");
  const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent;
  const keyed = rows.map((row) => [key(row), row]);
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  body.append(...keyed.sort((a, b) => order * compare(a[0], b[0])).map((pair) => pair[1]));
}));
const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
function filter() {
  const words = get("words").value.toLowerCase().split(" ").filter(Boolean), slice = get("slice").value;
  let shown = 0;
  for (const row of rows) {
    const fits = words.every((word) => texts.get(row).includes(word))
      && (!slice || JSON.parse(row.dataset.slices).includes(slice))
      && (!get("wrong").checked || row.dataset.wrong === "True")
      && (!get("changed")?.checked || row.dataset.changed === "True");
    row.hidden = !fits;
    shown += fits;
  }
  get("shown").textContent = `${shown} of ${rows.length} shown`;
}
get("filter").addEventListener("input", filter);
get("filter").addEventListener("submit", (event) => event.preventDefault());
filter();
"""


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
    names = [summary.name for summary in run.summary.scores]
    content = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<meta name='viewport' content='width=device-width'><title>{title}</title>"
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1><ul class='facts'>{facts}</ul>"
        f"{run._repr_html_()}{_changes(comparisons) if before else _slices(run)}"
        f"<h2>Cases</h2>{case_table(shown, worst, outputs, names)}"
        f"</main><script>{_SCRIPT}</script></body></html>\n"
    )
    write_atomically(Path(path), content)
    return Path(path)


def _slices(run: Run) -> str:
    """A plot for each main score: its mean in every slice; the first one is open."""
    plots = [_slice_plot(score_by_slice(run, name, smallest=_SMALLEST_SLICE)) for name in _main_scores(run)]
    return _folded("Scores per slice", plots)


def _main_scores(run: Run) -> list[str]:
    return main_scores(run) if any(summary.mean for summary in run.summary.scores) else []


def _slice_plot(means: SliceMeans) -> tuple[str, str]:
    marks = [Mark(f"{one.slice} ({one.cases})", one.mean, in_words(one.mean)) for one in means]
    ends = [end for one in means for end in (one.mean.estimate, one.mean.low, one.mean.high) if end == end]
    limits = (0.0, 1.0) if min(ends) >= 0 and max(ends) <= 1 else _around(min(ends), max(ends))
    axis = f"mean of {means.score}, with 95 % interval"
    return means.score, dot_and_whisker(f"{means.score} per slice", axis, marks, limits=limits)


def _changes(comparisons: list[Comparison]) -> str:
    """For each score that both runs have, what changed in every slice: a plot and its table."""
    return _folded("Changes", [_change_plot(comparison) for comparison in comparisons])


def _change_plot(comparison: Comparison) -> tuple[str, str]:
    changes = (comparison.overall, *comparison.slices)
    marks = [
        Mark(f"{one.slice} ({one.cases})", one.effect, f"{one.better} better, {one.worse} worse")
        for one in changes
    ]
    reach = max(max(abs(one.effect.low), abs(one.effect.high)) for one in changes)
    axis = f"change of {comparison.score}, with 95 % interval"
    title = f"Change of {comparison.score} per slice"
    plot = dot_and_whisker(title, axis, marks, limits=_around(-reach, reach), zero=True)
    return f"{comparison.score}: {comparison.overall.effect}", plot + comparison._repr_html_()


def _around(low: float, high: float) -> tuple[float, float]:
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def _folded(heading: str, parts: list[tuple[str, str]]) -> str:
    folds = "".join(
        f"<details{'' if number else ' open'}><summary>{escape(name)}</summary>{content}</details>"
        for number, (name, content) in enumerate(parts)
    )
    return f"<h2>{heading}</h2>{folds}" if parts else ""


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

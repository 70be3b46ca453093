"""A run, or two, as one HTML file that needs nothing else: totals, plots, changes, cases to sort and filter.

    report.write_report(candidate, "build/report.html", before=production)

Of a large run the table shows the cases that went worst (failed, then lowest scores, or with `before` the
largest losses), so that the file opens whatever the size of the run; the records are read as a stream.
Texts come from models and strangers: everything is escaped, and nothing is loaded from anywhere.
Plots for notebooks are in `plots`; here they are inline SVG (`drawing`).
"""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from aicourse.evals.comparison import Comparison, compare
from aicourse.evals.drawing import Mark, dot_and_whisker
from aicourse.evals.rules import main_scores
from aicourse.evals.runs import CaseRecord, Run
from aicourse.evals.scores import Score
from aicourse.evals.slices import SliceMeans, in_words, score_by_slice
from aicourse.html import PLAIN, Row, TableCell, asset, join, page, render, sort_button, table, wide
from aicourse.paths import write_atomically

_SMALLEST_SLICE = 5
_LONG = 160  # letters; a longer value is folded, when others stand beside it

Outputs = Mapping[tuple[str, int], Any]  # what the run before made of a case, by id and repeat
Plots = list[tuple[str, Markup]]  # with their names


def write_report(run: Run, path: Path | str, *, before: Run | None = None, limit: int = 1_000) -> Path:
    """Write the report of `run`, compared with `before` when given; the table shows at most `limit` records.

    Raises:
        EvaluationError: the runs cannot be compared (see `compare`).
    """
    comparisons = _comparisons(before, run) if before else []
    worst = heapq.nsmallest(limit, run.records(), key=lambda record: _rank(record, comparisons))
    outputs = None if before is None else _outputs(before, worst)
    title = f"{run.info.name} against {before.info.name}" if before else run.info.name
    content = render(
        "evals/templates/report.html",
        title=title,
        facts=run.info.facts.items(),
        totals=wide(table(f"Run {run.info.name}", ("", "result", ""), run.rows()), "Totals"),
        plots=[("Changes", _changes(comparisons)) if before else ("Scores per slice", _slices(run))],
        slices=sorted({tag for record in worst for tag in record.tags}),
        is_compared=before is not None,
        cases=wide(_case_table(run, worst, outputs), "Cases"),
    )
    style = asset("evals/templates/report.css")
    script = asset("templates/sort.js") + asset("evals/templates/filter.js")
    write_atomically(Path(path), page(title, content, style=style, script=script))
    return Path(path)


def _slices(run: Run) -> Plots:
    """A plot for each main score: its mean in every slice."""
    return [_slice_plot(score_by_slice(run, name, smallest=_SMALLEST_SLICE)) for name in _main_scores(run)]


def _main_scores(run: Run) -> list[str]:
    return main_scores(run) if any(summary.mean for summary in run.summary.scores) else []


def _slice_plot(means: SliceMeans) -> tuple[str, Markup]:
    marks = [Mark(f"{one.slice} ({one.cases})", one.mean, in_words(one.mean)) for one in means]
    ends = [end for one in means for end in (one.mean.estimate, one.mean.low, one.mean.high) if end == end]
    limits = (0.0, 1.0) if min(ends) >= 0 and max(ends) <= 1 else _around(min(ends), max(ends))
    axis = f"mean of {means.score}, with 95 % interval"
    return means.score, dot_and_whisker(f"{means.score} per slice", axis, marks, limits=limits)


def _changes(comparisons: list[Comparison]) -> Plots:
    """A plot and its table for each score that both runs have: the change in every slice."""
    return [_change_plot(comparison) for comparison in comparisons]


def _change_plot(comparison: Comparison) -> tuple[str, Markup]:
    changes = (comparison.overall, *comparison.slices)
    marks = [
        Mark(f"{one.slice} ({one.cases})", one.effect, f"{one.better} better, {one.worse} worse")
        for one in changes
    ]
    reach = max(max(abs(one.effect.low), abs(one.effect.high)) for one in changes)
    axis = f"change of {comparison.score}, with 95 % interval"
    title = f"Change of {comparison.score} per slice"
    plot = dot_and_whisker(title, axis, marks, limits=_around(-reach, reach), zero=True)
    return f"{comparison.score}: {comparison.overall.effect}", plot + wide(
        Markup(comparison._repr_html_()), title
    )


def _around(low: float, high: float) -> tuple[float, float]:
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def _outputs(before: Run, shown: list[CaseRecord]) -> Outputs:
    """The outputs of the run before, for the cases that are shown."""
    wanted = {(record.id, record.repeat) for record in shown}
    records = (record for record in before.records() if (record.id, record.repeat) in wanted)
    return {(record.id, record.repeat): record.output for record in records}


def _comparisons(before: Run, after: Run) -> list[Comparison]:
    """One comparison for each number or assertion that both runs have."""
    known = {summary.name for summary in before.summary.scores if summary.mean is not None}
    names = [summary.name for summary in after.summary.scores if summary.mean is not None]
    return [compare(before, after, name) for name in names if name in known]


def _rank(record: CaseRecord, comparisons: list[Comparison]) -> tuple[float, float, int]:
    """The order of the cases: the largest loss against the run before, then failures and low scores."""
    change = math.fsum(comparison.differences.get(record.id, 0.0) for comparison in comparisons)
    values = [float(score.value) for score in record.scores if isinstance(score.value, bool | int | float)]
    return change, -1.0 if record.error else math.fsum(values), record.index


def _case_table(run: Run, records: Sequence[CaseRecord], before: Outputs | None) -> Markup:
    """The cases: what went in, was expected and came out, field by field, with every score.

    Fields of an output that differ from what is expected are marked by a sign as well as by weight, because
    colour alone says nothing to some readers. With a run before, a column says which fields changed, and how.
    """
    names = [summary.name for summary in run.summary.scores]
    compared = [] if before is None else ["changed"]
    columns = ["id", "slices", "input", "expected", "output", *compared, *names]
    caption = f"{len(records):,} of {run.summary.records:,} records, worst first"
    rows = (_row(record, before, names) for record in records)
    return table(caption, [*map(sort_button, columns)], rows, replace(PLAIN, table="id='cases'"))


def _row(record: CaseRecord, before: Outputs | None, names: list[str]) -> Row:
    changes: list[str] = []
    changed: list[Markup] = []
    if before is not None:
        changes = changed_fields(before.get((record.id, record.repeat)), record.output)
        changed = [join(Markup("<div>{}</div>").format(line) for line in changes)]
    facts = {"slices": json.dumps(record.tags), "wrong": _is_wrong(record), "changed": bool(changes)}
    failed = TableCell(f"failed: {record.error}", {"class": "bad"})
    scores = {score.name: score for score in record.scores}
    return (
        TableCell(record.id, {f"data-{name}": str(value) for name, value in facts.items()}),
        ", ".join(record.tags),
        _data(record.input),
        _data(record.expected),
        _output(record.output, record.expected) if record.error is None else failed,
        *changed,
        *(_score(scores.get(name)) for name in names),
    )


def _is_wrong(record: CaseRecord) -> bool:
    values = [score.value for score in record.scores if isinstance(score.value, bool | float)]
    return record.error is not None or any(float(value) < 1 for value in values)


def changed_fields(before: Any, after: Any) -> list[str]:
    """The difference of two outputs, one line per field; a whole output when it has no fields.

    >>> changed_fields({"brand": None, "size": "M"}, {"brand": "IKEA", "size": "M"})
    ['brand: null → "IKEA"']
    """
    if before == after:
        return []
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return [f"{_text(before)} → {_text(after)}"]
    names = dict.fromkeys([*before, *after])
    return [
        f"{name}: {_text(before.get(name))} → {_text(after.get(name))}"
        for name in names
        if before.get(name) != after.get(name) and not _is_long(before.get(name), after.get(name))
    ] or ["only long fields, such as the reply"]


def _is_long(*values: Any) -> bool:
    return any(isinstance(value, str) and len(value) > _LONG for value in values)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _data(value: Any) -> Markup:
    if isinstance(value, Mapping):
        return join(_field(name, part, "") for name, part in value.items())
    return Markup("<pre>{}</pre>").format(value if isinstance(value, str) else _text(value))


def _output(value: Any, expected: Any) -> Markup:
    """An output; each of its fields that is not as expected has a mark (a set's order does not matter)."""
    if not isinstance(value, Mapping):
        return _data(value)
    known = expected if isinstance(expected, Mapping) else {}
    marks = {name: "≠ " for name in known if not _same(value.get(name), known[name])}
    fields = {name: value.get(name) for name in dict.fromkeys([*known, *value])}
    return join(_field(name, part, marks.get(name, "")) for name, part in fields.items())


def _same(value: Any, expected: Any) -> bool:
    if isinstance(value, list) and isinstance(expected, list):
        return sorted(map(_text, value)) == sorted(map(_text, expected))
    return bool(value == expected)


def _field(name: str, value: Any, mark: str) -> Markup:
    if _is_long(value):
        return Markup("<details><summary>{}</summary><pre>{}</pre></details>").format(name, value)
    shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
    style = Markup(" class='bad'") if mark else ""
    text = "not stated" if shown is None else str(shown)
    return Markup("<div{}><small>{}{}</small> {}</div>").format(style, mark, name, text)


def _score(score: Score | None) -> TableCell:
    """A score, its reason below it; sorted by its value (a failed case before all others)."""
    if score is None:
        return TableCell("-", {"data-key": ""})
    value = "scorer failed" if score.value is None else str(score.value)
    shown = f"{score.value:.3f}" if isinstance(score.value, float) else value
    reason = score.error or score.reason
    below = Markup("<br><small>{}</small>").format(reason) if reason else ""
    bad = {"class": "bad"} if score.value is False or score.value is None else {}
    return TableCell(Markup("{}{}").format(shown, below), {**bad, "data-key": value})

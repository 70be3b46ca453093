"""The report's table of cases: what went in, was expected and came out, field by field, with every score.

Fields of an output that differ from what is expected are marked by a sign as well as by weight, because
colour alone says nothing to some readers. With a run before, a column says which fields changed, and how.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from aicourse.evals.records import CaseRecord
from aicourse.evals.scores import Score

Outputs = Mapping[tuple[str, int], Any]  # what the run before made of a case, by id and repeat

_LONG = 160  # letters; a longer value is folded, when others stand beside it


def case_table(caption: str, records: Sequence[CaseRecord], before: Outputs | None, names: list[str]) -> str:
    """The table with its controls; `names` are the scores, `before` outputs to compare with."""
    compared = [] if before is None else ["changed"]
    columns = ["id", "slices", "input", "expected", "output", *compared, *names]
    head = "".join(f"<th scope='col'><button type='button'>{escape(name)}</button></th>" for name in columns)
    rows = "".join(_row(record, before, names) for record in records)
    return (
        f"{_controls(records, before is not None)}<div class='wide'><table id='cases'>"
        f"<caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _controls(records: Iterable[CaseRecord], compared: bool) -> str:
    slices = sorted({tag for record in records for tag in record.tags})
    options = "".join(f"<option>{escape(name)}</option>" for name in slices)
    changed = "<label><input type='checkbox' id='changed'> only changed</label>" if compared else ""
    return (
        "<form id='filter' role='search' aria-label='Filter cases'>"
        "<label>Find <input type='search' id='words' placeholder='words in any cell'></label>"
        f"<label>Slice <select id='slice'><option value=''>all</option>{options}</select></label>"
        "<label><input type='checkbox' id='wrong'> only wrong</label>"
        f"{changed}<output id='shown' aria-live='polite'></output></form>"
    )


def _row(record: CaseRecord, before: Outputs | None, names: list[str]) -> str:
    scores = {score.name: score for score in record.scores}
    cells = [f"<td>{escape(', '.join(record.tags))}</td>", _data(record.input), _data(record.expected)]
    if record.error is None:
        cells.append(_output(record.output, record.expected))
    else:
        cells.append(f"<td class='bad'>failed: {escape(record.error)}</td>")
    changes: list[str] = []
    if before is not None:
        changes = changed_fields(before.get((record.id, record.repeat)), record.output)
        cells.append("<td>" + "".join(f"<div>{escape(line)}</div>" for line in changes) + "</td>")
    cells += [_score(scores.get(name)) for name in names]
    facts = {"slices": json.dumps(record.tags), "wrong": _is_wrong(record), "changed": bool(changes)}
    data = "".join(f" data-{name}='{escape(str(value))}'" for name, value in facts.items())
    return f"<tr{data}><th scope='row'>{escape(record.id)}</th>{''.join(cells)}</tr>"


def _is_wrong(record: CaseRecord) -> bool:
    values = [score.value for score in record.scores if isinstance(score.value, bool | float)]
    return record.error is not None or any(float(value) < 1 for value in values)


def changed_fields(before: Any, after: Any) -> list[str]:
    """What differs between two outputs, one line per field; a whole output when it has no fields.

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


def _data(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"<td>{''.join(_field(name, part, '') for name, part in value.items())}</td>"
    text = value if isinstance(value, str) else _text(value)
    return f"<td><pre>{escape(text)}</pre></td>"


def _output(value: Any, expected: Any) -> str:
    """An output; each of its fields that is not as expected has a mark (a set's order does not matter)."""
    if not isinstance(value, Mapping):
        return _data(value)
    known = expected if isinstance(expected, Mapping) else {}
    marks = {name: "≠ " for name in known if not _same(value.get(name), known[name])}
    fields = {name: value.get(name) for name in dict.fromkeys([*known, *value])}
    return (
        "<td>" + "".join(_field(name, part, marks.get(name, "")) for name, part in fields.items()) + "</td>"
    )


def _same(value: Any, expected: Any) -> bool:
    if isinstance(value, list) and isinstance(expected, list):
        return sorted(map(_text, value)) == sorted(map(_text, expected))
    return bool(value == expected)


def _field(name: str, value: Any, mark: str) -> str:
    if _is_long(value):
        return f"<details><summary>{escape(name)}</summary><pre>{escape(value)}</pre></details>"
    shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
    text = "not stated" if shown is None else str(shown)
    style = " class='bad'" if mark else ""
    return f"<div{style}><small>{mark}{escape(name)}</small> {escape(text)}</div>"


def _score(score: Score | None) -> str:
    """A score, its reason below it; sorted by its value (a failed case before all others)."""
    if score is None:
        return "<td data-key=''>-</td>"
    value = "scorer failed" if score.value is None else str(score.value)
    shown = f"{score.value:.3f}" if isinstance(score.value, float) else value
    reason = score.error or score.reason
    below = f"<br><small>{escape(reason)}</small>" if reason else ""
    bad = " class='bad'" if score.value is False or score.value is None else ""
    return f"<td{bad} data-key='{escape(value)}'>{escape(shown)}{below}</td>"

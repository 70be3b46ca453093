"""Expected against got, field by field, as a reader judges it: same, missing, invented, different.

    {"brand": "IKEA", "size": None}  against  {"brand": null, "size": "M"}   ->   brand missing, size invented

This is for looking at cases. What counts is what the scorers say; they stand beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aicourse.evals.runs import CaseRecord
from aicourse.evals.scorers import normalise

Verdict = Literal[
    "same",
    "same but for order",
    "same but for spelling",
    "differs",
    "missing",
    "invented",
    "no output",
    "not checked",
]
MARKS: Mapping[Verdict, str] = {
    "same": "✓",
    "same but for order": "✓",
    "same but for spelling": "≈",
    "not checked": "○",
}  # all others: ✗
WHOLE = "output"  # the name of the only row when outputs have no fields
REPLY, WARNINGS = "reply", "warnings"  # what `evals.listings` keeps beside the six fields of a listing


@dataclass(frozen=True)
class FieldRow:
    """One field of one case; `before` is what the earlier run got, None as well when there is none."""

    name: str
    expected: Any
    got: Any
    before: Any
    verdict: Verdict

    @property
    def is_wrong(self) -> bool:
        """True if a reader should look."""
        return self.verdict not in MARKS

    @property
    def marked(self) -> str:
        """The verdict with a sign that differs in shape, not only in colour."""
        return f"{MARKS.get(self.verdict, '✗')} {self.verdict}"


def compare_fields(record: CaseRecord, before: CaseRecord | None = None) -> tuple[FieldRow, ...]:
    """The fields of a record: the expected ones in their order, then those that only the output has."""
    expected = record.expected if isinstance(record.expected, Mapping) else None
    got = fields_of(record.output, expected)
    earlier = fields_of(before.output, expected) if before else None
    if expected is None and got is None:
        verdict = _verdict(record, record.expected is not None, record.expected, record.output)
        previous = before.output if before else None
        return (FieldRow(WHOLE, record.expected, record.output, previous, verdict),)
    if expected is not None and got is None and record.output is not None:  # text where fields were asked for
        got = {}
    wanted, found, previous = expected or {}, got or {}, earlier or {}
    names = dict.fromkeys([*wanted, *answer(found)])
    return tuple(
        FieldRow(
            str(name),
            wanted.get(name),
            found.get(name),
            previous.get(name),
            _verdict(record, name in wanted, wanted.get(name), found.get(name)),
        )
        for name in names
    )


def fields_of(output: Any, expected: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The fields in an output: its own, those of the JSON it is, or of the part that has the expected names.

    >>> fields_of({"attributes": {"brand": "IKEA"}, "attempts": 1}, {"brand": None})
    {'brand': 'IKEA'}
    """
    if isinstance(output, str):
        try:
            output = json.loads(output)
        except ValueError:
            return None
    if not isinstance(output, Mapping):
        return None
    if expected and not expected.keys() & output.keys():
        parts = (part for part in output.values() if isinstance(part, Mapping))
        return next((part for part in parts if expected.keys() & part.keys()), output)
    return output


def answer(output: Any) -> Any:
    """An output without the model's own words and the warnings, which stand beside the answer.

    >>> answer({"brand": "IKEA", "reply": "Sure!", "warnings": []})
    {'brand': 'IKEA'}
    """
    if not isinstance(output, Mapping):
        return output
    return {name: value for name, value in output.items() if name not in (REPLY, WARNINGS)}


def shown(value: Any) -> str:
    """A value as words.

    >>> shown(None), shown([]), shown(["blue", "white"]), shown({"a": 1})
    ('not stated', 'none', 'blue, white', '{"a": 1}')
    """
    if value is None:
        return "not stated"
    if isinstance(value, str):
        return value or "empty"
    if isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(map(str, value)) or "none"
    return json.dumps(value, ensure_ascii=False, default=str)


def _verdict(record: CaseRecord, is_expected: bool, expected: Any, got: Any) -> Verdict:
    if not is_expected:
        return "not checked"
    if record.error is not None:
        return "no output"
    if expected == got or (_is_nothing(expected) and _is_nothing(got)):
        return "same"
    if _is_nothing(expected):
        return "invented"
    if _is_nothing(got):
        return "missing"
    if isinstance(expected, list) and isinstance(got, list) and _sorted(expected) == _sorted(got):
        return "same but for order"
    if isinstance(got, str) and normalise(expected) == normalise(got):
        return "same but for spelling"
    return "differs"


def _is_nothing(value: Any) -> bool:
    return value is None or value == "" or value == []


def _sorted(values: list[Any]) -> list[str]:
    return sorted(map(repr, values))

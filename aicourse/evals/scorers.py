"""Ready-made scorers: each function below makes one, for the whole output or for one field of it.

    scorers = [exact("category"), set_match("colours"), close_to("price", relative=0.1), valid_json()]

Fields are looked up in mappings, in pydantic models and in text that is a JSON object. An output without
the field counts as "not stated" (None), as the labelling guide has it; an expected value without the field
is a mistake in the case, so the scorer fails and says so. None of them asks a model (`judge` does).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from pydantic import BaseModel

from aicourse.evals.scores import Context, Score, Scored, Scorer, Value, reasoned
from aicourse.json_text import plain, shown


@dataclass(frozen=True)
class NamedScorer:
    """A scorer that knows the name of its scores, and what an output without any fields gets."""

    name: str
    score: Scorer
    field: str | None
    worst: Mapping[str, Value]

    def __call__(self, context: Context) -> Scored:
        """The score of one output; one that holds no fields is wrong, even where nothing was expected."""
        if self.field and _object(context.output) is None:
            reason = f"the output holds no fields: {shorten(_text(context.output), 60)!r}"
            return {name: reasoned(value, reason) for name, value in self.worst.items()}
        return self.score(context)


def named(field: str | None, rule: str, score: Scorer, worst: Value = False) -> NamedScorer:
    """A scorer of one field, or of the whole output, by a rule; `worst` is for an output without fields."""
    name = f"{field}.{rule}" if field else rule
    return NamedScorer(name, score, field, {name: worst})


def _object(value: Any) -> Mapping[str, Any] | None:
    """The fields of `value` by name; None when it holds nothing by name."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):  # no JSON, or nested a thousand times
            return None
    return value if isinstance(value, Mapping) else None


def _output(context: Context, field: str | None) -> Any:
    if field is None:
        return context.output
    return (_object(context.output) or {}).get(field)


def _expected(context: Context, field: str | None) -> Any:
    if field is None:
        return context.expected
    known = _object(context.expected)
    if known is None or field not in known:
        raise KeyError(f"the expected value of case {context.id!r} has no field {field!r}")
    return known[field]


def both(context: Context, field: str | None) -> tuple[Any, Any]:
    """The output and the expected value, or one field of each.

    Raises:
        KeyError: the expected value has no such field.
    """
    return _output(context, field), _expected(context, field)


def _match(got: Any, expected: Any, same: bool) -> Score:
    return reasoned(same, "" if same else f"got {shown(got)}, expected {shown(expected)}")


def exact(field: str | None = None) -> NamedScorer:
    """Assertion: the output is the expected value, to the letter.

    >>> exact("brand")(Context(output={"brand": "ikea"}, expected={"brand": "IKEA"}))
    Score(name='', value=False, reason="got 'ikea', expected 'IKEA'", error=None)
    """

    def score(context: Context) -> Score:
        got, expected = both(context, field)
        return _match(got, expected, got == expected)

    return named(field, "exact", score)


def normalise(value: Any) -> Any:
    """Text without differences of case, accents, punctuation and spacing; anything else as it is.

    >>> normalise("  Levi's® Straße "), normalise("Crème")
    ('levis strasse', 'creme')
    """
    if not isinstance(value, str):
        return value
    decomposed = unicodedata.normalize("NFKD", value.casefold())
    kept = "".join(letter for letter in decomposed if letter.isalnum() or letter.isspace())
    return " ".join(kept.split())


def normalised(field: str | None = None) -> NamedScorer:
    """Assertion: the same text but for case, accents, punctuation and spacing."""

    def score(context: Context) -> Score:
        got, expected = both(context, field)
        return _match(got, expected, normalise(got) == normalise(expected))

    return named(field, "normalised", score)


def set_match(field: str | None = None) -> NamedScorer:
    """Three numbers: precision, recall and F1 of a collection, whatever its order.

    Nothing expected and nothing given is 1 (there was nothing to find, and nothing was invented).

    >>> scores = set_match()(Context(output=["red", "blue"], expected=["red"]))
    >>> [score.value for score in scores.values()], scores["f1"].reason
    ([0.5, 1.0, 0.6666666666666666], 'invented: blue')
    """
    prefix = f"{field}." if field else ""

    def score(context: Context) -> dict[str, Score]:
        got, expected = map(_as_set, both(context, field))
        found = len(got & expected)
        precision = found / len(got) if got else float(not expected)
        recall = found / len(expected) if expected else float(not got)
        f1 = 2 * precision * recall / (precision + recall) if found or not (got or expected) else 0.0
        reason = _set_reason(got, expected)
        values = {"precision": precision, "recall": recall, "f1": f1}
        return {f"{prefix}{name}": reasoned(value, reason) for name, value in values.items()}

    worst: dict[str, Value] = {f"{prefix}{name}": 0.0 for name in ("precision", "recall", "f1")}
    return NamedScorer(f"{prefix}set", score, field, worst)


def _as_set(value: Any) -> frozenset[Any]:
    if value is None:
        return frozenset()
    if isinstance(value, str) or not isinstance(value, Iterable):
        return frozenset([value])
    return frozenset(map(_hashable, value))


def _hashable(item: Any) -> Any:
    """An item of a set; models write lists and objects where a word was asked for."""
    try:
        hash(item)
    except TypeError:
        return _text(item)
    return item


def _set_reason(got: frozenset[Any], expected: frozenset[Any]) -> str:
    parts = {"missed": expected - got, "invented": got - expected}
    return "; ".join(
        f"{word}: {', '.join(sorted(map(str, items)))}" for word, items in parts.items() if items
    )


def close_to(field: str | None = None, *, absolute: float = 0.0, relative: float = 0.0) -> NamedScorer:
    """Assertion: a number within `absolute`, or within the share `relative`, of the expected one."""

    def score(context: Context) -> Score:
        got, expected = both(context, field)
        try:
            distance = abs(float(got) - float(expected))
        except (TypeError, ValueError, OverflowError):
            return _match(got, expected, got is None and expected is None)
        return _match(got, expected, distance <= max(absolute, relative * abs(float(expected))))

    return named(field, "close", score)


def matches(pattern: str, field: str | None = None, *, flags: re.RegexFlag = re.NOFLAG) -> NamedScorer:
    """Assertion: the regular expression is found in the output's text."""
    compiled = re.compile(pattern, flags)

    def score(context: Context) -> Score:
        found = compiled.search(_text(_output(context, field))) is not None
        return reasoned(found, "" if found else f"{pattern!r} is not found")

    return named(field, "matches", score)


def valid_json(schema: type[BaseModel] | None = None) -> NamedScorer:
    """Assertion: the output is a JSON text, and fits `schema` when one is given."""

    def score(context: Context) -> Score:
        text = context.output if isinstance(context.output, str) else _text(context.output)
        try:
            json.loads(text) if schema is None else schema.model_validate_json(text)
        except (ValueError, RecursionError) as error:
            return reasoned(False, " ".join(str(error).split()))
        return reasoned(True, "")

    return named(None, "valid_json", score)


def contains(text: str | None = None, field: str | None = None) -> NamedScorer:
    """Assertion: `text` (else the expected value) stands in the output, whatever its case and spacing."""

    def score(context: Context) -> Score:
        wanted = _expected(context, field) if text is None else text
        found = _plain(wanted) in _plain(_output(context, field))
        return reasoned(found, "" if found else f"{wanted!r} does not occur")

    return named(field, "contains", score)


def cites(source: str | None = None, field: str = "quotes") -> NamedScorer:
    """Assertion: each quotation in the output's `field` stands word for word in its source.

    The source is the case's input, or that field of it. No quotation at all is a failure.

    >>> context = Context(input="Oak table, one scratch.", output={"quotes": ["one  scratch", "like new"]})
    >>> cites()(context).reason
    "not in the source: 'like new'"
    """

    def score(context: Context) -> Score:
        text = _plain((_object(context.input) or {}).get(source) if source else context.input)
        quotes = _output(context, field)
        quotes = [quotes] if isinstance(quotes, str) else list(quotes or [])
        if not quotes:
            return reasoned(False, "nothing is cited")
        missing = [repr(quote) for quote in quotes if not _plain(quote) or _plain(quote) not in text]
        return reasoned(not missing, f"not in the source: {', '.join(missing)}" if missing else "")

    return named(None, "cites", score)


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(plain(value), ensure_ascii=False)


def _plain(value: Any) -> str:
    return " ".join(_text(value).casefold().split())

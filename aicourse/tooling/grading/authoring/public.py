"""Public checks as data that may be released: one call, and what it gives or raises, all as Python literals.

    Check(public=True, target="read_size", inputs=["waist 80 cm"], …)
    ->  PublicExample("q1", "reads centimetres", call="read_size('waist 80 cm')", gives="80")

What a check expects is computed from the reference when the homework is built; the reference itself, like
hidden checks, known mistakes and seeds, stays behind.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pprint import pformat
from textwrap import indent
from typing import Any

from aicourse.errors import AssignmentError
from aicourse.homework import COMPARISONS
from aicourse.notebook.checks import Arguments, Check, known
from aicourse.tooling.grading.authoring.checks_file import AnyCheck, reference_failed

_WIDTH = 76


@dataclass(frozen=True)
class PublicExample:
    """One example; `gives` is a Python literal, "" when `raises` names errors (joined by blanks)."""

    question: str
    behaviour: str
    call: str
    gives: str = ""
    raises: str = ""
    same: str = "equal"

    @property
    def target(self) -> str:
        """The function it calls."""
        return self.call.partition("(")[0]


def public_examples(checks: Sequence[AnyCheck]) -> tuple[PublicExample, ...]:
    """The examples of all public checks, in order.

    Raises:
        AssignmentError: a public check cannot be written down as examples.
    """
    return tuple(
        example
        for check in checks
        if check.public and isinstance(check, Check)
        for example in _examples(check)
    )


def _examples(check: Check) -> Iterator[PublicExample]:
    if check.predicate is not None or not check.inputs or callable(check.inputs):
        raise AssignmentError(
            f"{check.place} is public, and released checks are examples: calls of a function with fixed "
            "inputs, and a reference or raises. Make it hidden, or write it so."
        )
    names = [name for name, comparison in COMPARISONS.items() if comparison is check.same]
    if not names:
        raise AssignmentError(
            f"{check.place} is public, and its comparison cannot be released. Use {', '.join(COMPARISONS)}."
        )
    for given in check.draw():
        shown = [_literal(check, value) for value in given.positional]
        shown += [f"{name}={_literal(check, value)}" for name, value in given.named.items()]
        call = f"{check.target}({', '.join(shown)})"
        if check.error_names:
            yield PublicExample(check.question, check.name, call, raises=" ".join(check.error_names))
        else:
            gives = _literal(check, _expected(check, given))
            yield PublicExample(check.question, check.name, call, gives, same=names[0])


def _expected(check: Check, given: Arguments) -> Any:
    try:
        return check.expected(given)
    except Exception as error:
        raise reference_failed(check, given, error) from error


def _literal(check: Check, value: Any) -> str:
    text = repr(value)
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise AssignmentError(
            f"{check.place} is public, and {text[:80]} cannot be written as plain Python. "
            "Use numbers, texts, lists, tuples and dictionaries."
        ) from None
    return text


def check_cell(examples: Sequence[PublicExample]) -> str:
    """The source of the cell that runs one question's examples in the notebook."""
    names = sorted({"check", "example", *(item.same for item in examples if item.same != "equal")})
    calls = [_check_call(target, list(mine)) for target, mine in groupby(examples, lambda item: item.target)]
    # only the last expression of a cell is shown by itself
    calls[:-1] = [f"display({call})" for call in calls[:-1]]
    head = f"# Public checks of {examples[0].question}. Hidden ones follow when your work is graded."
    return "\n".join([head, f"from aicourse.homework import {', '.join(names)}", "", *calls])


def _check_call(target: str, examples: Sequence[PublicExample]) -> str:
    lines = ["check(", f'    "{examples[0].question}",', f"    {target},", "    {"]
    for behaviour, mine in groupby(examples, lambda item: item.behaviour):
        lines.append(f"        {behaviour!r}: [")
        lines += [indent(_example_call(item) + ",", " " * 12) for item in mine]
        lines.append("        ],")
    return "\n".join([*lines, "    },", ")"])


def _example_call(item: PublicExample) -> str:
    """`example(2).gives(4)`, on several lines where it is long."""
    given = _parse_call(item.call)
    arguments = [(_pretty(value), "") for value in given.positional]
    arguments += [(_pretty(value), f"{name}=") for name, value in given.named.items()]
    call = _call("example", [name + text for text, name in arguments])
    if item.raises:
        return f"{call}.{_call('raises', [repr(name) for name in item.raises.split()])}"
    expected = [_pretty(ast.literal_eval(item.gives)), *([item.same] if item.same != "equal" else [])]
    short = f"{call}.gives({', '.join(expected)})"
    return short if _fits(short) else f"{call}.{_call('gives', expected)}"


def _pretty(value: Any) -> str:
    return pformat(value, width=_WIDTH, sort_dicts=False)


def _call(name: str, arguments: Sequence[str]) -> str:
    short = f"{name}({', '.join(arguments)})"
    if _fits(short):
        return short
    return f"{name}(\n" + "".join(indent(f"{text},\n", "    ") for text in arguments) + ")"


def _fits(code: str) -> bool:
    return "\n" not in code and len(code) <= _WIDTH


def to_data(examples: Sequence[PublicExample]) -> list[dict[str, str]]:
    """For a notebook's metadata: plain data, without empty fields."""
    return [{name: text for name, text in asdict(item).items() if text} for item in examples]


def to_checks(data: Any) -> tuple[Check, ...]:
    """The checks that a released notebook's metadata hold; public ones, without points.

    Raises:
        ValueError: they have been damaged.
    """
    examples = [PublicExample(**item) for item in data]
    return tuple(
        _to_check(list(mine))
        for _, mine in groupby(examples, lambda item: (item.question, item.behaviour, item.target))
    )


def _to_check(examples: Sequence[PublicExample]) -> Check:
    first = examples[0]
    inputs = [_parse_call(item.call) for item in examples]
    expected = [ast.literal_eval(item.gives) if item.gives else None for item in examples]
    reference = known(*zip(inputs, expected, strict=True))
    return Check(
        question=first.question,
        name=first.behaviour,
        target=first.target,
        points=0,
        inputs=inputs,
        reference=None if first.raises else reference,
        raises=tuple(first.raises.split()),
        same=COMPARISONS[first.same],
        public=True,
    )


def _parse_call(call: str) -> Arguments:
    node = ast.parse(call, mode="eval").body
    if not isinstance(node, ast.Call):
        raise ValueError(f"{call!r} is no call")
    named = {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
    return Arguments(tuple(ast.literal_eval(value) for value in node.args), named)

"""nbgrader's AUTOTEST lines, written out: each expression with the value that it has for the solution.

    ### AUTOTEST squares(2); squares(3)     ->  assert squares(2) == [1, 4]
                                                assert squares(3) == [1, 4, 9]
    ### HASHED AUTOTEST squares(9)          ->  the same, between the markers of hidden tests

The instructor's notebook runs once, as it stands, and each value is taken in the place of its line. What has
no value, or one that is no literal, stays as `AUTOTEST(…)`, which is then listed as not converted.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aicourse.notebook_json import new_cell, text
from aicourse.tooling.grading.sandbox.execution import Answer, Executor, Job, StudentCall

_LINE = re.compile(r"^([ \t]*)#+\s*(HASHED\s+)?AUTOTEST\s+(.*)$", re.MULTILINE)
_NOTING = """
import copy
_autotest_values = {}
def _autotest(number, ask):
    try:
        _autotest_values[number] = copy.deepcopy(ask())
    except Exception:
        pass
def _autotest_value(number):
    return _autotest_values[number]
"""


def written_out(notebook: Mapping[str, Any], execute: Executor) -> Mapping[str, Any]:
    """The notebook with its AUTOTEST lines as assertions; it runs only if it has such lines."""
    sources = [text(cell["source"]) for cell in notebook["cells"]]
    asked = [expression for source in sources for expression in _expressions(source)]
    if not asked:
        return notebook
    numbers = iter(range(len(asked)))
    noting = [_with_noting(source, numbers) for source in sources]
    cells = [
        new_cell(cell["cell_type"], source, f"c{number}")
        for number, (cell, source) in enumerate(zip(notebook["cells"], noting, strict=True))
    ]
    job = {**notebook, "cells": [new_cell("code", _NOTING, "autotest"), *cells]}
    calls = [StudentCall("_autotest_value", (number,)) for number in range(len(asked))]
    answers = iter(execute(Job(job, calls)).answers)
    return {
        **notebook,
        "cells": [
            {**cell, "source": _LINE.sub(lambda line: _assertions(line, answers), source)}
            for cell, source in zip(notebook["cells"], sources, strict=True)
        ],
    }


def _expressions(source: str) -> Iterator[str]:
    for line in _LINE.finditer(source):
        yield from _split(line)


def _split(line: re.Match[str]) -> list[str]:
    """The expressions of one line, which semicolons part."""
    return [part.strip() for part in line[3].split(";") if part.strip()]


def _with_noting(source: str, numbers: Iterator[int]) -> str:
    def noting(line: re.Match[str]) -> str:
        notes = (f"_autotest({next(numbers)}, lambda: ({one}))" for one in _split(line))
        return "\n".join(line[1] + note for note in notes)

    return _LINE.sub(noting, source)


def _assertions(line: re.Match[str], answers: Iterator[Answer]) -> str:
    lines = [line[1] + _assertion(one, next(answers), line[1]) for one in _split(line)]
    if line[2] and not line[1]:
        lines = ["### BEGIN HIDDEN TESTS", *lines, "### END HIDDEN TESTS"]
    return "\n".join(lines)


def _assertion(expression: str, answer: Answer, indent: str) -> str:
    """One assertion; inside a loop or a function an expression has many values, so it stays as it is."""
    value = repr(answer.value)
    try:
        if indent or answer.kind != "returned" or ast.literal_eval(value) != answer.value:
            raise ValueError(value)
    except (ValueError, SyntaxError):
        return f"AUTOTEST({expression})"
    return f"assert ({expression}) == {value}"

"""Solution markers: one master cell -> what students get, and what the reference is.

    def double(x):                              def double(x):
        ### BEGIN SOLUTION                          # your code here
        return 2 * x                  ->            raise NotImplementedError
        ### END SOLUTION

Supported, in code cells:

- `### BEGIN SOLUTION` … `### END SOLUTION` (nbgrader) and `# BEGIN SOLUTION` … `# END SOLUTION` (otter):
  replaced by `# your code here` and, inside a function, `raise NotImplementedError`, else `...`
- `# BEGIN SOLUTION NO PROMPT` … `# END SOLUTION`: removed, nothing in its place
- `size = 80  # SOLUTION` becomes `size = ...`; any other line with that ending becomes `...`
- `# SOLUTION NO PROMPT` and `# SEED` at the end of a line: the line is removed
- `\"\"\" # BEGIN PROMPT` … `\"\"\" # END PROMPT`: for students, not for the reference

In Markdown cells the first form becomes *Your answer here.*; a cell without markers is replaced whole.
Not supported: nesting, and markers behind other text on their line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from aicourse.errors import AssignmentError

CODE_STUB = "# your code here"
TEXT_STUB = "*Your answer here.*"

_Kind = Literal["plain", "begin", "end", "prompt", "end prompt", "line", "dropped"]
_PATTERNS: tuple[tuple[_Kind, re.Pattern[str]], ...] = (
    ("begin", re.compile(r"(?P<indent>\s*)#{1,3}\s*BEGIN SOLUTION(?P<silent> NO PROMPT)?\s*")),
    ("end", re.compile(r"(?P<indent>\s*)#{1,3}\s*END SOLUTION\s*")),
    ("prompt", re.compile(r"(?P<indent>\s*)\"\"\"\s*#\s*BEGIN PROMPT\s*")),
    ("end prompt", re.compile(r"(?P<indent>\s*)\"\"\"\s*;?\s*#\s*END PROMPT\s*")),
    ("dropped", re.compile(r"(?P<indent>\s*)\S.*#\s*(SOLUTION NO PROMPT|SEED)\s*")),
    ("line", re.compile(r"(?P<indent>\s*)\S.*#\s*SOLUTION\s*")),
)
_ASSIGNMENT = re.compile(r"(\s*[A-Za-z_][\w.\[\]'\", :]*?=)(?!=)")
_SUFFIX = re.compile(r"\s*#\s*(SOLUTION( NO PROMPT)?|SEED)\s*$")
_HIDDEN_TESTS = re.compile(r"#+\s*(BEGIN|END) HIDDEN TESTS")


@dataclass(frozen=True)
class _Line:
    number: int
    text: str
    kind: _Kind
    indent: str
    silent: bool


def has_solution(source: str) -> bool:
    """True if any marker of a solution stands in a cell's source."""
    return any(line.kind in ("begin", "line", "dropped") for line in _lines(source))


def hidden_test_line(source: str) -> int | None:
    """The first line (from 1) with nbgrader's marker of hidden tests; None when there is none."""
    found = (number for number, text in enumerate(source.splitlines(), 1) if _HIDDEN_TESTS.search(text))
    return next(found, None)


def released(source: str, place: str, *, is_code: bool = True) -> str:
    """The part of a cell that students get; `place` names the cell in errors.

    Raises:
        AssignmentError: a marker without its partner, or one inside another.

    >>> print(released("def double(x):\\n    # BEGIN SOLUTION\\n    return 2 * x\\n    # END SOLUTION", "q1"))
    def double(x):
        # your code here
        raise NotImplementedError
    """
    kept: list[str] = []
    for line, region in _regions(source, place):
        if line.kind == "begin" and not line.silent:
            kept += _stub(line.indent) if is_code else [TEXT_STUB]
        elif line.kind == "line":
            kept.append(_line_stub(line))
        elif line.kind == "plain" and region != "begin":
            kept.append(line.text)
    text = "\n".join(kept)
    return text if is_code or has_solution(source) else TEXT_STUB


def solved(source: str, place: str) -> str:
    """The same cell as the reference has it: markers gone, text that is for students only gone.

    >>> solved("size = 80  # SOLUTION", "q1")
    'size = 80'
    """
    kept = []
    for line, region in _regions(source, place):
        if line.kind in ("line", "dropped"):
            kept.append(_SUFFIX.sub("", line.text))
        elif line.kind == "plain" and region != "prompt":
            kept.append(line.text)
    return "\n".join(kept)


def _stub(indent: str) -> list[str]:
    return [indent + CODE_STUB, indent + ("raise NotImplementedError" if indent else "...")]


def _line_stub(line: _Line) -> str:
    assignment = _ASSIGNMENT.match(line.text)
    return f"{assignment[1]} ..." if assignment else f"{line.indent}..."


def _lines(source: str) -> Iterator[_Line]:
    for number, text in enumerate(source.split("\n"), start=1):
        yield _line(number, text)


def _line(number: int, text: str) -> _Line:
    for kind, pattern in _PATTERNS:
        if match := pattern.fullmatch(text):
            groups = match.groupdict()
            return _Line(number, text, kind, groups["indent"], bool(groups.get("silent")))
    return _Line(number, text, "plain", "", False)


def _regions(source: str, place: str) -> Iterator[tuple[_Line, _Kind | None]]:
    """Each line and the region it stands in: "begin" of a solution, "prompt", or None."""
    opened: _Line | None = None
    partner: dict[_Kind, _Kind] = {"end": "begin", "end prompt": "prompt"}
    for line in _lines(source):
        if line.kind in partner:
            if opened is None or opened.kind != partner[line.kind]:
                raise AssignmentError(
                    f"{place}, line {line.number}: {line.text.strip()!r} ends what nothing began. "
                    "Put the BEGIN line above it, or delete this one.",
                    line=line.number,
                )
            opened = None
        elif line.kind in ("begin", "prompt"):
            if opened is not None:
                raise AssignmentError(
                    f"{place}, line {line.number}: {line.text.strip()!r} stands inside the part that line "
                    f"{opened.number} began. Put an END line between them.",
                    line=line.number,
                )
            opened = line
        yield line, opened.kind if opened else None
    if opened is not None:
        raise AssignmentError(
            f"{place}, line {opened.number}: {opened.text.strip()!r} has no END line. Put one below it.",
            line=opened.number,
        )

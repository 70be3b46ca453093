"""otter-grader's assignments (`otter assign`, format v1 and later): raw cells open and close blocks.

| otter | here |
|---|---|
| `# ASSIGNMENT CONFIG` | its name becomes the title, its files are named in the report |
| `# BEGIN QUESTION` (name, points, manual) | a question |
| `# BEGIN SOLUTION` … code | answer: marked lines as they are (the same markers), else the whole cell |
| `# BEGIN PROMPT` … cells | the stub in front of the solution |
| `# BEGIN TESTS` … code | checks; public, or hidden with `# HIDDEN` or `hidden: true` in a TEST CONFIG |
| manual: true | manual, with a one-line rubric to be written out |

A block may also be opened by a Markdown cell with a fence ```` ```otter ````. Test functions are read as
their bodies.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aicourse.errors import AssignmentError
from aicourse.notebook_json import text
from aicourse.tooling.grading.authoring.markers import has_solution
from aicourse.tooling.grading.contrib.assertions import (
    Assertions,
    check_sources,
    convert,
    shared,
    with_output,
)
from aicourse.tooling.grading.contrib.draft import (
    RUBRIC,
    ImportDraft,
    manual_source,
    plain_points,
    question_id,
    wrapped,
)

_BLOCK = re.compile(r"#\s*(BEGIN|END)\s+(QUESTION|SOLUTION|PROMPT|TESTS)\b[^\n]*\n?(.*)", re.DOTALL)
_CONFIG = re.compile(r"#\s*ASSIGNMENT CONFIG\s*\n(.*)", re.DOTALL)
_TEST_CONFIG = re.compile(
    r'"""\s*#\s*BEGIN TEST CONFIG\s*\n(.*?)"""\s*#\s*END TEST CONFIG[^\n]*\n?', re.DOTALL
)
_FENCED = re.compile(r"\s*```+\s*otter\s*\n(.*?)\n\s*```+\s*", re.DOTALL)
_IGNORED = re.compile(r"^.*#\s*IGNORE\s*$\n?", re.MULTILINE)
_HIDDEN = re.compile(r"^\s*#\s*HIDDEN\s*$\n?", re.MULTILINE | re.IGNORECASE)


@dataclass
class _Test:
    """One test cell; `points` is None when its question shares its points evenly."""

    assertions: Assertions
    hidden: bool
    points: float | None


@dataclass
class _Question:
    """A question while its block is read."""

    id: str
    points: Any
    manual: bool
    cells: list[tuple[str, str, str]] = field(
        default_factory=list
    )  # kind, id, source of what students answer
    prompts: list[str] = field(default_factory=list)
    tests: list[_Test] = field(default_factory=list)


def convert_notebook(notebook: Mapping[str, Any]) -> ImportDraft:
    """A draft of the assignment; what could not be converted is in its notes.

    Raises:
        AssignmentError: a block that is not closed, or no YAML where it must be.
    """
    draft = ImportDraft()
    reader = _Reader(draft)
    for number, cell in enumerate(notebook["cells"], start=1):
        reader.read(number, cell)
    if reader.question is not None:
        raise AssignmentError(
            f"The question {reader.question.id} has no raw cell `# END QUESTION`. Add one at its end."
        )
    return draft


class _Reader:
    """Walks through the cells and remembers in which block it is."""

    def __init__(self, draft: ImportDraft) -> None:
        self.draft = draft
        self.question: _Question | None = None
        self.block = ""
        self.known: list[str] = []

    def read(self, number: int, cell: Mapping[str, Any]) -> None:
        """The next cell."""
        source, kind = text(cell["source"]), str(cell["cell_type"])
        name = str(cell.get("id") or f"cell-{number}")
        if kind == "markdown" and (fenced := _FENCED.fullmatch(source)):
            kind, source = "raw", fenced[1]
        if kind == "raw" and (config := _CONFIG.match(source.strip())):
            self._config(_yaml(config[1], number))
        elif kind == "raw" and (block := _BLOCK.match(source.strip())):
            self._edge(block[1], block[2], block[3], number)
        elif self.question is None or self.block not in ("SOLUTION", "PROMPT", "TESTS"):
            stated = {"question": self.question.id} if self.question else None
            self.draft.add(kind, name, source, stated, cell.get("attachments"))
        elif self.block == "TESTS":
            self.question.tests.append(_test(cell, source, number))
        elif self.block == "PROMPT":
            self.question.prompts.append(source)
        else:
            self.question.cells.append((kind, name, source))

    def _config(self, stated: Mapping[str, Any]) -> None:
        self.draft.title = str(stated.get("name") or "")
        self.draft.files += [str(name) for name in stated.get("files") or ()]

    def _edge(self, edge: str, block: str, content: str, number: int) -> None:
        if block != "QUESTION":
            self.block = block if edge == "BEGIN" else ""
            return
        if edge == "BEGIN":
            stated = _yaml(content, number)
            name = question_id(str(stated.get("name") or f"q{len(self.known) + 1}"), self.known)
            self.known.append(name)
            self.question = _Question(name, stated.get("points"), bool(stated.get("manual")))
        elif self.question is not None:
            _finish(self.draft, self.question)
            self.question, self.block = None, ""


def _yaml(content: str, number: int) -> dict[str, Any]:
    import yaml

    try:
        stated = yaml.safe_load(content) or {}
        return dict(stated)
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise AssignmentError(
            f"Cell {number} holds no YAML ({' '.join(str(error).split())[:200]}). Correct it there."
        ) from error


def _test(cell: Mapping[str, Any], source: str, number: int) -> _Test:
    config = _TEST_CONFIG.search(source)
    stated = _yaml(config[1], number) if config else {}
    hidden = bool(stated.get("hidden")) or bool(_HIDDEN.search(source))
    code = _IGNORED.sub("", _HIDDEN.sub("", _TEST_CONFIG.sub("", source))).strip()
    points = stated.get("points")
    return _Test(
        convert(_unwrapped(with_output(*_expected(code, cell.get("outputs", ()))))),
        hidden,
        float(points) if isinstance(points, (int, float)) else None,
    )


def _expected(code: str, outputs: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Test code and what it must show; an error that it must show becomes a part of the code."""
    if len(outputs) != 1:
        return code, ""
    if error := outputs[0].get("ename"):
        body = code.replace("\n", "\n    ")
        return f"with raises({error}):\n    {body}", ""
    return code, text(outputs[0].get("data", {}).get("text/plain", outputs[0].get("text", "")))


def _unwrapped(code: str) -> str:
    """Test functions as their bodies: `def test_size(read_size)` names in its parameters what it tests."""
    try:
        statements = ast.parse(code).body
    except SyntaxError:
        return code
    bodies = (
        one.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test") else [one]
        for one in statements
    )
    return "\n".join(ast.unparse(statement) for body in bodies for statement in body)


def _finish(draft: ImportDraft, question: _Question) -> None:
    for test in question.tests:
        draft.leave(question.id, test.assertions.left)
    tests = [test for test in question.tests if test.assertions.calls]
    points = _points(question, tests)
    if tests and (lost := sum(_points(question, question.tests)) - sum(points)) > 0:
        draft.notes.append(f"{question.id}: {lost:g} points of tests that are left were dropped.")
    if question.manual or not tests:
        if not question.manual:
            draft.notes.append(f"{question.id}: no test of it could be converted; it is graded by hand now.")
        _manual(draft, question, sum(points) or 1.0)
        return
    _answers(draft, question, sum(points))
    sources = [
        source
        for number, (test, share) in enumerate(zip(tests, points, strict=True), start=1)
        for source in check_sources(
            question.id,
            test.assertions,
            share,
            name=f"{'hidden ' if test.hidden else ''}test {number}",
            public=not test.hidden,
        )
    ]
    draft.checks += sources
    if any("public=True" in source for source in sources):
        draft.add(
            "code", f"{question.id}-public", "# public checks", {"question": question.id, "role": "public"}
        )


def _points(question: _Question, tests: list[_Test]) -> list[float]:
    """The points of each test: its own points, else the question's list, else an even share of its total."""
    stated, own = question.points, [test.points for test in tests]
    if isinstance(stated, dict):
        stated = stated.get("total") or [stated.get("each", 1)] * max(len(question.tests), 1)
    if isinstance(stated, list):
        values = dict(zip(map(id, question.tests), map(float, stated), strict=False))
        return [values.get(id(test), 0.0) for test in tests] or [sum(map(float, stated))]
    everything = sum(test.points or 0.0 for test in question.tests) or 1.0
    total = float(stated) if isinstance(stated, (int, float)) else everything
    shares = shared(max(total - sum(points or 0.0 for points in own), 0.0), own.count(None))
    return [next(shares) if points is None else points for points in own] or [total]


def _answers(draft: ImportDraft, question: _Question, points: float) -> None:
    """The answer cells; the first carries the points, and the stub where there is a prompt."""
    codes = [item for item in question.cells if item[0] == "code"]
    for position, (_, name, source) in enumerate(codes):
        stated: dict[str, Any] = {"question": question.id, "role": "answer"}
        stated |= {"points": plain_points(points)} if position == 0 else {}
        prompt = "\n".join(question.prompts) if position == 0 else ""
        draft.add("code", name, _marked(source, prompt), stated)
    if not codes:
        draft.notes.append(f"{question.id}: it has no solution cell; an empty one was made.")
        stated = {"question": question.id, "role": "answer", "points": plain_points(points)}
        draft.add("code", question.id, wrapped("..."), stated)


def _marked(source: str, prompt: str) -> str:
    if has_solution(source):
        return source
    if not prompt:
        return wrapped(source)
    solution = f"# BEGIN SOLUTION NO PROMPT\n{source.strip()}\n# END SOLUTION"
    return f'""" # BEGIN PROMPT\n{prompt.strip()}\n""" # END PROMPT\n{solution}'


def _manual(draft: ImportDraft, question: _Question, points: float) -> None:
    first, *more = question.cells or [("markdown", f"{question.id}-answer", "*Your answer here.*")]
    draft.add_manual(*first, question.id, points)
    for kind, name, source in more:
        draft.add(kind, name, manual_source(kind, source), {"question": question.id, "role": "manual"})
    draft.notes.append(f"{question.id}: otter has no rubric; write one where it says {RUBRIC[:14]!r}.")

"""Names that say the thing: docstrings that name it, no name twice, no function longer than a screen.

That every module, class and function has a docstring is ruff's D1.
"""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from pathlib import Path

import pytest

import aicourse

PACKAGE = Path(aicourse.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
# A first line that begins so asks or explains; it should name the thing, or say what is True.
OPENINGS = {
    "What",
    "Where",
    "Whether",
    "Which",
    "How",
    "Who",
    "Whose",
    "When",
    "Why",
    "Is",
    "Are",
    "Do",
    "Does",
}
FAMILIES = (
    *("llm", "prompts", "evals", "experiments", "marketplace", "monitoring", "notebook", "rag", "agents"),
    *("tooling/localmodel", "tooling/course", "tooling/grading", "tooling/cli", "tooling/evaluation"),
)
LONGEST_FUNCTION = 60

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def unclear(line: str) -> bool:
    """True if the first line of a docstring does not name the thing."""
    return line.split()[0].strip("`") in OPENINGS or line.rstrip().endswith("?")


def test_a_docstring_names_the_thing() -> None:
    first_lines = [
        (place(path), text.split("\n")[0])
        for path in FILES
        for node in nodes(path)
        if isinstance(node, Documented) and (text := ast.get_docstring(node))
    ]
    assert len(first_lines) > 1_500
    assert [(file, line) for file, line in first_lines if unclear(line)] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Whether the file is whole.", True),
        ("Which passages do two programs share?", True),
        ("The passages that two programs share: are they rare?", True),
        ("True if the file is whole.", False),
        ("Manual grades.", False),
        ("Isolation of student code.", False),
    ],
)
def test_what_a_clear_line_is(line: str, expected: bool) -> None:
    assert unclear(line) is expected


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        (place(path), node.name): (node.end_lineno or 0) - node.lineno + 1
        for path in FILES
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_no_two_public_classes_share_a_name() -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for path in FILES:
        for node in nodes(path):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].add(place(path))
    assert {name: sorted(found) for name, found in homes.items() if len(found) > 1} == {}


@pytest.mark.parametrize("family", FAMILIES)
def test_no_file_name_twice_in_a_family(family: str) -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path in sorted((PACKAGE / family).rglob("*.py")):
        if path.name != "__init__.py":
            homes[path.name].append(place(path))
    assert [found for found in homes.values() if len(found) > 1] == []

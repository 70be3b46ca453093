"""Imports go downwards only: a module imports from lower levels, and neighbours leave each other alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import aicourse

# From the ground up; a new module gets its place here.
LEVELS = (
    {"errors", "paths", "jupyter"},
    {"llm", "prompts", "datasets", "monitoring"},
    {"extraction", "rag", "agents", "testing"},
    {"evals"},
    {"experiments", "monitoring.metrics", "monitoring.alerts", "monitoring.dashboard"},
    {"marketplace", "exercises", "lesson"},
    {"homework"},
    {"course", "widgets", "grading", "doctor", "selftest"},
    {"tables"},
    {"cli"},
    {"__main__", "reference"},
)
OPEN_LEVELS = 2  # on these, neighbours may import each other
PACKAGE = Path(aicourse.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def placed(module: str) -> tuple[int, str]:
    """The level of a module and the name it has there."""
    found = [
        (level, name)
        for level, names in enumerate(LEVELS)
        for name in names
        if module == name or module.startswith(f"{name}.")
    ]
    assert found, f"give {module} its place in this test"
    return max(found, key=lambda place: len(place[1]))


def imported(path: Path) -> Iterator[str]:
    """The modules of this package that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "aicourse":
            base = node.module.removeprefix("aicourse").removeprefix(".")
            yield from (f"{base}.{alias.name}".removeprefix(".") for alias in node.names)
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from (name.removeprefix("aicourse.") for name in names if name.startswith("aicourse."))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_downwards(path: Path) -> None:
    level, place = placed(name_of(path))
    for target in imported(path):
        target_level, target_place = placed(target)
        assert target_level < level or target_place == place or level == target_level < OPEN_LEVELS, target


@pytest.mark.parametrize(
    ("module", "level"),
    [("llm.server.process", 1), ("monitoring.store", 1), ("monitoring.metrics", 4), ("exercises.store", 5)],
)
def test_the_longest_name_gives_the_level(module: str, level: int) -> None:
    assert placed(module)[0] == level

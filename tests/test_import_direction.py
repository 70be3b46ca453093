"""Imports go downwards only, inside packages too, and no modules import each other in a circle.

An import inside a function counts like one at the top of its file; one for type checkers alone
(`if TYPE_CHECKING`) does not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import aicourse

# From the ground up. A module has the level of the longest name here that it begins with.
LEVELS = (
    {"errors"},
    {
        "paths",
        "jupyter",
        "face",
        "html",
        "json_text",
        "csv_text",
        "xlsx_text",
        "notebook_json",
        "suggestions",
        "differences",
        "processes",
        "sqlite",
    },
    {"llm.photos"},  # the model server describes pictures with it
    {"tooling", "tooling.localmodel"},
    {"llm"},
    {"prompts", "datasets", "monitoring.feedback", "monitoring.spans"},
    {"evals", "rag", "agents", "marketplace.extraction", "marketplace.sellers", "marketplace.sizes"},
    {
        "experiments",
        "monitoring",
        "rag.answer_metrics",
        "rag.correctness",
        "rag.evaluation",
        "agents.evaluation",
    },
    {"marketplace", "marketplace.evaluation", "testing"},  # verdicts of tests are made of evals' intervals
    {"marketplace.app"},
    {"notebook.checks"},
    {"notebook"},
    {"homework"},
    {"tooling.course", "tooling.grading.sandbox", "tooling.grading", "tooling.evaluation"},
    {"tooling.grading.authoring"},
    {
        "tooling.grading.submissions",
        "tooling.grading.cluster",
        "tooling.grading.contrib",
    },
    {"tooling.grading.judging", "tooling.grading.papermill_engine"},
    {"tooling.grading.publishing", "tooling.capstone"},
    {"tooling.cli"},
    {"__main__"},
)
GROUND = 1  # on this level neighbours may import each other, as long as there is no circle
PACKAGE = Path(aicourse.__file__).parent


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    name_of(path): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.parent != PACKAGE or path.stem != "__init__"
}


def placed(module: str) -> tuple[int, str]:
    """The level of a module, and the name that gives it."""
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
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "aicourse":
            base = node.module.removeprefix("aicourse").removeprefix(".")
            for alias in node.names:
                full = f"{base}.{alias.name}".removeprefix(".")
                yield full if full in MODULES else base
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from (name.removeprefix("aicourse.") for name in names if name.startswith("aicourse."))


IMPORTS = {name: {target for target in imported(path) if target} for name, path in MODULES.items()}


def goes_downwards(module: str, target: str) -> bool:
    (level, place), (target_level, target_place) = placed(module), placed(target)
    return target_level < level or target_place == place or level == target_level == GROUND


def test_imports_go_downwards() -> None:
    pairs = [(module, target) for module, targets in IMPORTS.items() for target in targets]
    assert len(pairs) > 500
    assert [pair for pair in pairs if not goes_downwards(*pair)] == []


@pytest.mark.parametrize(
    ("module", "target", "expected"),
    [
        ("llm.client", "errors", True),
        ("evals.runner", "evals.runs", True),
        ("llm.client", "evals.runs", False),
        ("evals.scorers", "marketplace.sizes", False),
        ("tooling.grading.sandbox.executor", "tooling.grading.judging.grade", False),
    ],
)
def test_which_imports_go_downwards(module: str, target: str, expected: bool) -> None:
    assert goes_downwards(module, target) is expected


def test_no_circle() -> None:
    graph = {name: targets - {name} for name, targets in IMPORTS.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other: {' <- '.join(error.args[1])}")


def test_every_name_here_exists() -> None:
    for name in set().union(*LEVELS):
        assert name in MODULES, name


@pytest.mark.parametrize(
    ("module", "level"), [("llm.photos.files", 2), ("llm.client", 4), ("tooling.localmodel.server.app", 3)]
)
def test_the_longest_name_gives_the_level(module: str, level: int) -> None:
    assert placed(module)[0] == level

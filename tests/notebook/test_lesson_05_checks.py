"""Lesson 05: its checks know right from wrong, and the folded solutions pass them."""

from __future__ import annotations

import json

import pytest

from aicourse.evals.gating import Rule
from aicourse.marketplace.evaluation import FIELD_SCORES
from aicourse.notebook.exercises import Exercise, check, checks_path, load_checks, verify
from aicourse.paths import notebooks_dir

EXERCISES = load_checks(checks_path("05"))
NAMES = {"05.1": "mcnemar", "05.2": "paired_interval", "05.3": "cases_for", "05.4": "pareto", "05.5": "rules"}


@pytest.fixture(autouse=True)
def _recorded_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AICOURSE_REPLAY", "only")


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_reference_passes_and_each_mistake_gets_its_hint(exercise: Exercise) -> None:
    assert verify(exercise) == []


@pytest.mark.parametrize(("exercise", "name"), NAMES.items())
def test_the_folded_solution_passes_its_check(exercise: str, name: str) -> None:
    notebook = json.loads((notebooks_dir() / "05-comparing-and-gating.ipynb").read_text(encoding="utf-8"))
    cells = {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}
    names: dict[str, object] = {"Rule": Rule, "FIELD_SCORES": FIELD_SCORES}
    number = exercise.partition(".")[2]
    exec("import math, statistics\n" + cells[f"exercise-{number}-solution"], names)
    assert check(exercise, names[f"{name}_solution"])

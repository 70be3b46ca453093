"""The checks of lesson 02 know right answers, stubs and mistakes; the notebook's solutions pass them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aicourse.notebook.exercises import Exercise, load_checks, verify
from aicourse.notebook.exercises.checking import examine

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
EXERCISES = {exercise.id: exercise for exercise in load_checks(NOTEBOOKS / "checks" / "lesson_02.py")}
# what the solutions stand on, in the notebook's order
GROUND = ("parameters", "vocabulary-code", "grounding-names", "exercise-4-cell")


@pytest.fixture(scope="module")
def lesson() -> dict[str, Any]:
    """The names that the notebook's own cells define, solutions included; no model is asked."""
    cells = json.loads((NOTEBOOKS / "02-structured-output.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    exec("import re\nfrom pydantic import BaseModel", names)
    for cell in cells:
        if cell["id"] in GROUND or "solution" in cell["metadata"].get("tags", []):
            # a notebook has no `from __future__ import annotations`, which exec of a text would inherit
            exec(compile("".join(cell["source"]), cell["id"], "exec", dont_inherit=True), names)
    return names


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_an_exercise_accepts_its_reference_and_knows_each_mistake(exercise: Exercise) -> None:
    assert verify(exercise) == []


@pytest.mark.parametrize(
    ("exercise_id", "name"),
    [
        ("02.1", "Offer_solution"),
        ("02.2", "ungrounded_solution"),
        ("02.3", "state_of_solution"),
        ("02.4", "ask_until_valid_solution"),
    ],
)
def test_the_solution_in_the_notebook_passes(lesson: dict[str, Any], exercise_id: str, name: str) -> None:
    result = examine(EXERCISES[exercise_id], lesson[name])
    assert result, repr(result)


def test_a_retry_without_an_end_is_stopped_and_named() -> None:
    def for_ever(client: Any, messages: Any, read: Any, retries: int = 1, **options: Any) -> Any:
        while True:
            reply = client.chat.completions.create(model="m", messages=messages, **options)
            try:
                return read(reply.choices[0].message.content)
            except ValueError:
                continue

    result = examine(EXERCISES["02.4"], for_ever)
    missing = {finding.behaviour for finding in result.findings if not finding.works}
    assert "stops after the retries, with None" in missing


def test_a_class_with_nothing_added_is_not_started(lesson: dict[str, Any]) -> None:
    untouched = type("Offer", (lesson["Form"],), {})

    assert examine(EXERCISES["02.1"], untouched).status == "not started"


def test_a_misspelt_field_is_named(lesson: dict[str, Any]) -> None:
    annotations = {"price": float | None, "defects": list[str]}
    misspelt = type("Offer", (lesson["Form"],), {"__annotations__": annotations, "__module__": __name__})

    result = examine(EXERCISES["02.1"], misspelt)

    assert result.status == "not yet"
    assert "is refused: `price`: Field required" in repr(result)

"""The checks of lesson 02 judge answers that students may give as their author would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aicourse.notebook.exercises import load_checks
from aicourse.notebook.exercises.checking import examine

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
EXERCISES = {exercise.id: exercise for exercise in load_checks(NOTEBOOKS / "checks" / "lesson_02.py")}


@pytest.fixture(scope="module")
def lesson() -> dict[str, Any]:
    """The names that the notebook's cell of the form defines."""
    cells = json.loads((NOTEBOOKS / "02-structured-output.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    exec("import re\nfrom pydantic import BaseModel", names)
    for cell in cells:
        if cell["id"] == "vocabulary-code":
            # a notebook has no `from __future__ import annotations`, which exec of a text would inherit
            exec(compile("".join(cell["source"]), cell["id"], "exec", dont_inherit=True), names)
    return names


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

"""The student notebook: no solution, the same bytes each time, stable ids; and the shipped ones are fresh."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tiny import TINY, cell_of, copy_tiny, edit_master, source_of

from aicourse.notebook.checks import Check
from aicourse.notebook_json import notebook_text
from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.authoring.building import (
    answered_notebook,
    build,
    fingerprint,
    solution_notebook,
    student_notebook,
)
from aicourse.tooling.grading.authoring.public import public_examples, to_checks, to_data

HOMEWORK = Path(__file__).parents[4] / "homework"
SHIPPED = sorted(path.parent for path in HOMEWORK.glob("*/master.ipynb"))


@pytest.fixture(scope="module")
def tiny() -> Assignment:
    return load_assignment(TINY)


def test_students_get_stubs_and_instructions(tiny: Assignment) -> None:
    notebook = student_notebook(tiny)
    assert [cell["id"] for cell in notebook["cells"]] == [
        *(
            "intro",
            "setup",
            "q1-text",
            "q1-answer",
            "q1-public",
            "q2-text",
            "q2-answer",
            "q3-text",
            "q3-answer",
        ),
        "submission",
    ]
    assert source_of(notebook, "q1-answer").endswith("    # your code here\n    raise NotImplementedError")
    assert source_of(notebook, "q2-answer") == "COLOURS = ..."
    assert source_of(notebook, "q3-answer") == "*Your answer here.*"
    assert "aicourse homework pack hw90.ipynb" in source_of(notebook, "submission")
    assert cell_of(notebook, "setup")["metadata"] == {"deletable": False, "editable": False}
    assert cell_of(notebook, "q1-answer")["metadata"] == {
        "aicourse": {"question": "q1", "role": "answer", "points": 4}
    }


def test_outputs_and_foreign_metadata_are_left_behind(tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)

    def spoil(data: dict[str, Any]) -> None:
        output = {"output_type": "stream", "name": "stdout", "text": "42"}
        cell_of(data, "setup").update(outputs=[output], execution_count=7)
        cell_of(data, "setup")["metadata"]["execution"] = {"shell.execute_reply": "2026"}
        data["metadata"]["widgets"] = {"state": {}}

    clean = notebook_text(student_notebook(load_assignment(folder)))
    edit_master(folder, spoil)
    assert notebook_text(student_notebook(load_assignment(folder))) == clean


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)
    first = build(folder).read_bytes()
    assert build(folder).read_bytes() == first == notebook_text(json.loads(first)).encode()


def test_the_metadata_hold_what_a_copy_is_compared_with(tiny: Assignment) -> None:
    notebook = student_notebook(tiny)
    release = notebook["metadata"]["aicourse"]
    assert (release["assignment"], release["title"], release["files"]) == ("hw90", "Tiny", [])
    assert release["cells"][1] == {"id": "setup", "role": "given", "sha256": fingerprint("import re")}
    assert release["cells"][3]["question"] == "q1"
    assert release["public"][0] == {
        "question": "q1",
        "behaviour": "reads centimetres",
        "call": "read_size('waist 80 cm')",
        "gives": "80",
        "same": "equal",
    }


def test_the_release_changes_with_what_students_get_and_with_nothing_else(tmp_path: Path) -> None:
    def release(folder: Path) -> str:
        return str(student_notebook(load_assignment(folder))["metadata"]["aicourse"]["release"])

    folder = copy_tiny(tmp_path)
    before = release(folder)
    edit_master(folder, lambda data: cell_of(data, "q3-answer").update(source="Another model answer."))
    assert release(folder) == before
    edit_master(folder, lambda data: cell_of(data, "q3-text").update(source="Another question"))
    assert release(folder) != before


def test_public_examples_survive_the_way_through_json(tiny: Assignment) -> None:
    (check,) = to_checks(json.loads(json.dumps(to_data(public_examples(tiny.checks)))))
    given = check.draw(None)  # type: ignore[arg-type]
    assert [check.expected(item) for item in given] == [80, 60]


def test_the_solution_has_everything_filled_in(tiny: Assignment) -> None:
    notebook = solution_notebook(tiny)
    assert "match = re.search" in source_of(notebook, "q1-answer")
    assert source_of(notebook, "q2-answer") == "COLOURS = ['white', 'blue']"
    assert "A seller fills in" in source_of(notebook, "q3-answer")


def test_only_answers_can_be_filled_in(tiny: Assignment) -> None:
    notebook = answered_notebook(tiny, {"setup": "import os", "q2-answer": "COLOURS = []"})
    assert source_of(notebook, "setup") == "import re"
    assert source_of(notebook, "q2-answer") == "COLOURS = []"


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_notebook_is_a_fresh_build(folder: Path) -> None:
    assignment = load_assignment(folder)
    assert assignment.student_notebook.read_text(encoding="utf-8") == notebook_text(
        student_notebook(assignment)
    )


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_notebook_gives_nothing_away(folder: Path) -> None:
    """Neither a line of a solution, nor a hidden check, a known mistake, a seed or a rubric for graders."""
    assignment = load_assignment(folder)
    text = json.dumps(json.loads(assignment.student_notebook.read_text("utf-8")), ensure_ascii=False)
    assert not [secret for secret in _secrets(assignment) if _in_json(secret) in text]


def _in_json(secret: str) -> str:
    return json.dumps(secret, ensure_ascii=False)[1:-1]


def _secrets(assignment: Assignment) -> list[str]:
    secrets = [assignment.seed, assignment.checks_hash]
    for cell in assignment.cells:
        gone = set(cell.solution.splitlines()) - set(cell.released.splitlines())
        secrets += [line.strip() for line in gone if len(line.strip()) > 30]
        secrets += [cell.source] if cell.role == "rubric" and cell.kind == "raw" else []
    for check in assignment.checks:
        if isinstance(check, Check):
            secrets += [mistake.hint for mistake in check.mistakes]
        secrets += [] if check.public else [f"{check.name}'", *([check.message] if check.message else [])]
        hidden = check.inputs if isinstance(check, Check) and not check.public else ()
        secrets += [] if callable(hidden) else [item for item in hidden if _is_telling(item)]
    return secrets


def _is_telling(item: Any) -> bool:
    return isinstance(item, str) and len(item) > 12


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_homework_has_the_shape_that_the_course_promises(folder: Path) -> None:
    assignment = load_assignment(folder)
    assert 20 <= assignment.points <= 30
    assert 60 <= assignment.minutes <= 120
    assert [question.kind for question in assignment.questions].count("manual") == 2
    assert re.fullmatch(r"hw\d\d", assignment.name)
    assert (folder / "README.md").is_file()

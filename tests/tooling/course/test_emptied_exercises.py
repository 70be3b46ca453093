"""A student who has written nothing gets to the end of every lesson: `make test-all`."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from aicourse.notebook_json import text
from aicourse.tooling import course
from aicourse.tooling.course.exercises import check_calls, checked_exercises
from aicourse.tooling.course.notebooks import Lesson, read_notebook


def emptied(source: str, answers: set[str]) -> str:
    """An exercise's cell where the answers hold nothing; what stands beside them is kept."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in answers:
            node.body = [ast.Expr(ast.Constant(...))]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in answers:
            node.value = ast.Constant(None)
    return ast.unparse(tree)


def emptied_copy(lesson: Lesson, folder: Path) -> Path:
    answers = {call.answer for call in checked_exercises(read_notebook(lesson.path))}
    notebook: dict[str, Any] = json.loads(lesson.path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if "exercise" in cell["metadata"].get("tags", ()):
            cell["source"] = emptied(text(cell["source"]), answers)
    path = folder / lesson.path.name
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def test_an_answer_is_emptied_and_what_stands_beside_it_is_not() -> None:
    source = "import math\nHELP = 1\n\ndef f(x):\n    return x\n\nmine = [f(2)]"
    assert emptied(source, {"f", "mine"}) == "import math\nHELP = 1\n\ndef f(x):\n    ...\nmine = None"


@pytest.mark.slow
def test_lessons_run_to_their_end_when_no_exercise_is_written(tmp_path: Path) -> None:
    copies = [emptied_copy(lesson, tmp_path) for lesson in course.lessons()]
    runs = course.run(copies, out=tmp_path / "out")
    assert [str(run.error) for run in runs if run.error] == []
    for run in runs:
        assert run.path
        for cell in read_notebook(run.path).tagged("check"):
            shown = json.dumps(cell.outputs, ensure_ascii=False)
            assert not check_calls(cell.source) or "○ Not started" in shown, (run.lesson.name, cell.id)

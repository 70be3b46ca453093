"""Students who wrote nothing, or other right answers, get to the end of every lesson: `make test-all`."""

from __future__ import annotations

import ast
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aicourse.notebook_json import text
from aicourse.tooling import course
from aicourse.tooling.course.exercises import Checked, check_calls
from aicourse.tooling.course.notebooks import Lesson, read_notebook

Rewrite = Callable[[str, Checked], str]


def nothing_written(source: str, call: Checked) -> str:
    """The answer holds nothing, and what stood beside it (imports, helpers) is gone."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == call.answer:
            node.body = [ast.Expr(ast.Constant(...))]
            return ast.unparse(node)
    return f"{call.answer} = None"


def another_answer(source: str, call: Checked) -> str:
    """The reference of the checks file, which was written apart from the lesson and has its own imports."""
    return (
        "from aicourse.notebook.exercises import checks_path, load_checks\n\n"
        f"_exercises = load_checks(checks_path({call.exercise[:2]!r}))\n"
        f"{call.answer} = next(each.reference for each in _exercises if each.id == {call.exercise!r})"
    )


def rewritten(lesson: Lesson, folder: Path, rewrite: Rewrite) -> Path:
    """A copy of a lesson whose exercise cells are written anew; each is followed by its check."""
    notebook: dict[str, Any] = json.loads(lesson.path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell, following in itertools.pairwise(code):
        if "exercise" in cell["metadata"].get("tags", ()):
            calls = check_calls(text(following["source"]))
            cell["source"] = "\n".join(rewrite(text(cell["source"]), call) for call in calls)
    folder.mkdir()
    path = folder / lesson.path.name
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


SOURCE = "import math\nHELP = 1\n\ndef f(x):\n    return x\n\nmine = [f(2)]"


def test_what_is_written_anew_stands_alone() -> None:
    assert nothing_written(SOURCE, Checked("00.1", "f")) == "def f(x):\n    ..."
    assert nothing_written(SOURCE, Checked("00.1", "mine")) == "mine = None"
    names: dict[str, Any] = {}
    exec(another_answer(SOURCE, Checked("00.1", "f")), names)
    assert names["f"] is next(each.reference for each in names["_exercises"] if each.id == "00.1")
    assert "HELP" not in names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rewrite", "shown"), [(nothing_written, "○ Not started"), (another_answer, "✓ Solved")]
)
def test_lessons_run_to_their_end(rewrite: Rewrite, shown: str, tmp_path: Path) -> None:
    copies = [rewritten(lesson, tmp_path / lesson.number, rewrite) for lesson in course.lessons()]
    runs = course.run(copies, out=tmp_path / "out")
    assert [str(run.error) for run in runs if run.error] == []
    otherwise = []
    for run in runs:
        assert run.path
        for cell in read_notebook(run.path).tagged("check"):
            if check_calls(cell.source) and shown not in json.dumps(cell.outputs, ensure_ascii=False):
                otherwise.append((run.lesson.name, cell.id))
    assert otherwise == []

"""The list of lessons, and reading notebooks without nbformat."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from aicourse import paths
from aicourse.errors import LessonError
from aicourse.tooling import course
from aicourse.tooling.course.notebooks import assigned_names, read_notebook

FOLDER = Path(__file__).parents[2] / "notebooks"
BROKEN = {"not-json", "unreadable", "cell-id"}  # nbformat would give the duplicate cell id another name
READABLE = [path for path in sorted(FOLDER.glob("*/*.ipynb")) if path.stem not in BROKEN]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of three lessons, written in another order than they are numbered."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path))
    stated = {"lesson": "02", "title": "Second", "question": "Why?", "minutes": 9, "builds_on": ["00"]}
    for name, metadata in [("10-ten", {}), ("02-second", {"aicourse": stated}), ("00-start-here", {})]:
        notebook = {"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "notebooks" / "scratch.ipynb").write_text("{}")
    return tmp_path


def test_lessons_come_in_order_and_other_notebooks_do_not(home: Path) -> None:
    assert [lesson.name for lesson in course.lessons()] == ["00-start-here", "02-second", "10-ten"]


def test_a_lesson_says_what_its_metadata_say(home: Path) -> None:
    lesson = course.lessons()[1]
    assert (lesson.number, lesson.title, lesson.question, lesson.minutes) == ("02", "Second", "Why?", 9)
    assert lesson.builds_on == ("00",)
    assert lesson.recordings == home / "notebooks" / "recordings" / "02-second.jsonl"
    assert lesson.checks == home / "notebooks" / "checks" / "lesson_02.py"


@pytest.mark.parametrize("name", ["02", "2", "02-second", "02-second.ipynb"])
def test_names_of_a_lesson(home: Path, name: str) -> None:
    assert [lesson.number for lesson in course.lessons([name])] == ["02"]


def test_a_path_is_a_name_too_and_order_is_the_callers(home: Path) -> None:
    named = course.lessons([home / "notebooks" / "10-ten.ipynb", "0"])
    assert [lesson.title for lesson in named] == ["Ten", "Start here"]


def test_an_unknown_name_brings_the_nearest(home: Path) -> None:
    with pytest.raises(LessonError, match=r"No lesson '02-secnd'\. Did you mean 02-second\?") as caught:
        course.lessons(["02-secnd"])
    assert caught.value.lesson == "02-secnd"


def test_a_broken_file_is_a_lesson_with_a_problem(home: Path) -> None:
    (home / "notebooks" / "02-second.ipynb").write_text('{"cells": [')
    first, second, _ = course.lessons()
    assert first.problem is None
    assert second.problem is not None
    assert "git checkout -- 02-second.ipynb" in second.problem


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"nbformat": 3, "cells": []}', '{"nbformat": 4, "cells": [{}]}']
)
def test_what_is_not_a_notebook(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    with pytest.raises(LessonError, match=r"x\.ipynb is not a notebook"):
        read_notebook(path)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match="No notebook at"):
        read_notebook(tmp_path / "none.ipynb")


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.stem)
def test_cells_are_read_as_nbformat_reads_them(path: Path) -> None:
    ours, theirs = read_notebook(path), nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    assert [(cell.id, cell.kind, cell.source) for cell in ours.cells] == [
        (cell.get("id", ""), cell.cell_type, cell.source) for cell in theirs.cells
    ]
    assert [cell.tags for cell in ours.cells] == [
        frozenset(cell.metadata.get("tags", ())) for cell in theirs.cells
    ]


def test_names_that_a_parameters_cell_assigns() -> None:
    assert assigned_names("A = B = 1\nC: int = 2\nd.e = 3\nf(4)") == ["A", "B", "C"]
    assert assigned_names("not python at all") == []


def test_the_shipped_lessons_are_listed_without_nbformat() -> None:
    code = (
        "import sys; from aicourse.tooling import course; course.lessons(); "
        "print(sorted({'nbformat', 'papermill', 'pandas', 'openai'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert [lesson.problem for lesson in course.lessons()] == [None] * len(course.lessons())
    assert len(course.lessons()) == len(list(paths.notebooks_dir().glob("[0-9][0-9]-*.ipynb")))

"""A student's side: the check of a whole notebook, and the zip to hand in."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tiny import TINY, cell_of, copy_tiny, edit_checks, execute

from aicourse.errors import SubmissionError
from aicourse.notebook_json import notebook_text
from aicourse.tooling.grading.authoring.assignment import load_assignment
from aicourse.tooling.grading.authoring.building import build, solution_notebook, student_notebook
from aicourse.tooling.grading.judging.packing import pack
from aicourse.tooling.grading.judging.student import StudentReport, examine
from aicourse.tooling.grading.sandbox.execution import Execution, Job

Change = Callable[[dict[str, Any]], Any]


def save(folder: Path, change: Change = lambda data: None, name: str = "hw90.ipynb") -> Path:
    """The solution as a student would hand it in, changed."""
    data = json.loads(notebook_text(solution_notebook(load_assignment(TINY))))
    change(data)
    path = folder / name
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def report(folder: Path, change: Change = lambda data: None) -> StudentReport:
    return examine(save(folder, change), execute)


def own_cell(source: str) -> Change:
    cell = {"cell_type": "code", "id": "mine", "metadata": {}, "outputs": [], "source": source}
    return lambda data: data["cells"].insert(2, {**cell, "execution_count": None})


def test_a_good_notebook_is_ready(tmp_path: Path) -> None:
    found = report(tmp_path)
    assert found.passed
    assert (found.problems, found.warnings) == ((), ())
    assert [(result.name, result.passed) for result in found.results] == [("reads centimetres", True)]
    assert "Now: aicourse homework pack hw90.ipynb" in str(found)


def test_the_released_notebook_is_not_answered_yet(tmp_path: Path) -> None:
    path = tmp_path / "hw90.ipynb"
    path.write_text(notebook_text(student_notebook(load_assignment(TINY))))
    found = examine(path, execute)
    assert not found.passed
    assert found.warnings == tuple(f"q{number} is not answered yet." for number in (1, 2, 3))
    assert found.problems == ()
    assert "✗ q1, reads centimetres: It is not written yet." in str(found)


def test_a_wrong_answer_is_shown_with_its_public_example(tmp_path: Path) -> None:
    wrong = "def read_size(text, unit='cm'):\n    return 7"
    found = report(tmp_path, lambda data: cell_of(data, "q1-answer").update(source=wrong))
    assert found.results[0].message == "`read_size('waist 80 cm')` gave `7`; expected `80`."


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda data: data["cells"].remove(cell_of(data, "q2-answer")),
            r"The answer cell of q2 is gone (it had the id q2-answer)",
        ),
        (own_cell("open_it = lambda: open('/home/ada/prices.csv')"), "Cell 3 names '/home/ada/prices.csv'"),
        (own_cell("path = 'C:\\\\Users\\\\ada\\\\prices.csv'"), "Cell 3 names 'C:"),
        (own_cell("no_such_name"), "Cell mine raises NameError: name 'no_such_name' is not defined"),
    ],
)
def test_what_would_cost_points_is_a_problem(change: Change, problem: str, tmp_path: Path) -> None:
    found = report(tmp_path, change)
    assert not found.passed
    assert any(problem in one for one in found.problems)


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (lambda data: cell_of(data, "setup").update(source="import os"), "The given cell setup was changed"),
        (lambda data: data["cells"].remove(cell_of(data, "setup")), "The given cell setup is gone"),
        (own_cell("if False:\n    x = '''\n%pip install numpy\n'''"), "Cell 3 installs packages"),
    ],
)
def test_what_will_be_mended_is_a_warning(change: Change, warning: str, tmp_path: Path) -> None:
    found = report(tmp_path, change)
    assert any(warning in one for one in found.warnings)
    assert not found.problems


def test_blank_line_ends_are_no_edit(tmp_path: Path) -> None:
    assert (
        report(tmp_path, lambda data: cell_of(data, "setup").update(source="import re  \n\n")).warnings == ()
    )


def test_ordinary_texts_with_slashes_are_no_paths(tmp_path: Path) -> None:
    assert report(tmp_path, own_cell("x = ['/', 'a/b', 'https://example.org/home/x', '/5']")).passed


def test_a_picture_that_is_not_packed_is_named(tmp_path: Path) -> None:
    (tmp_path / "my sketch.png").write_bytes(b"")
    source = (
        f"![a](my%20sketch.png) ![b](attachment:my) ![c](https://x.org/y.png) ![d]({'x' * 300}) ![e](z%00)"
    )
    shown = {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": source}
    (warning,) = report(tmp_path, lambda data: data["cells"].insert(2, shown)).warnings
    assert warning.startswith("Cell 3 shows 'my sketch.png', a file that is not packed.")


def test_a_slow_notebook_is_told_so(tmp_path: Path) -> None:
    def slow(job: Job) -> Execution:
        return Execution(**{**vars(execute(job)), "seconds": 90.0})

    (warning,) = examine(save(tmp_path), slow).warnings
    assert warning == "It took 90 s; when it is graded it may take 120 s."


def test_a_copy_without_metadata_is_compared_with_the_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("notebooks", "datasets", "homework"):
        (tmp_path / folder).mkdir()
    build(copy_tiny(tmp_path / "homework"))
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path))
    path = save(tmp_path, lambda data: data.update(metadata={}), "hw90-final (2).ipynb")
    assert examine(path, execute).passed
    stranger = save(tmp_path, lambda data: data.update(metadata={}), "final.ipynb")
    with pytest.raises(SubmissionError, match=r"final\.ipynb does not say which homework it is"):
        examine(stranger, execute)


@pytest.mark.parametrize(
    "damage",
    [
        {"public": 3},
        {"cells": [{"id": "x"}]},
        {"public": [{"call": "("}]},
        {"assignment": "../hw90"},
        {"assignment": "hw90\x1b[2J"},
        {"files": ["../private.txt"]},
        {"files": ["/etc/hostname"]},
    ],
)
def test_damaged_metadata_are_said_to_be(damage: dict[str, Any], tmp_path: Path) -> None:
    path = save(tmp_path, lambda data: data["metadata"]["aicourse"].update(damage))
    with pytest.raises(SubmissionError, match=r"The metadata of hw90\.ipynb are damaged"):
        examine(path, execute)
    with pytest.raises(SubmissionError, match="are damaged"):
        pack(path)


def test_a_missing_notebook_is_named(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"nothing\.ipynb cannot be read \(No such file"):
        examine(tmp_path / "nothing.ipynb", execute)


def with_prices(folder: Path) -> Path:
    """A notebook of a homework that comes with a file."""
    copy = copy_tiny(folder / "course")
    edit_checks(copy, 'seed = "tests"', 'files = ["prices.csv"]')
    (copy / "prices.csv").write_text("7")
    path = folder / "hw90.ipynb"
    path.write_text(notebook_text(solution_notebook(load_assignment(copy))))
    return path


def test_a_file_that_belongs_to_it_must_be_there(tmp_path: Path) -> None:
    path = with_prices(tmp_path)
    assert "The file prices.csv that came with the homework" in examine(path, execute).problems[0]
    (tmp_path / "prices.csv").write_text("7")
    (tmp_path / "private.txt").write_text("diary")
    seen: list[list[str]] = []

    def look(job: Job) -> Execution:
        seen.append(list(job.files))
        return execute(job)

    assert examine(path, look).passed
    assert seen == [["prices.csv"]]


def test_the_zip_holds_the_notebook_its_files_and_a_manifest(tmp_path: Path) -> None:
    path = with_prices(tmp_path)
    (tmp_path / "prices.csv").write_text("7")
    (tmp_path / "private.txt").write_text("diary")
    target = pack(path, now=datetime(2026, 11, 24, 9, 30, tzinfo=UTC))
    with zipfile.ZipFile(target) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert sorted(contents) == ["hw90.ipynb", "manifest.json", "prices.csv"]
    assert contents["hw90.ipynb"] == path.read_bytes()
    manifest = json.loads(contents["manifest.json"])
    release = json.loads(path.read_text())["metadata"]["aicourse"]["release"]
    assert (manifest["assignment"], manifest["release"]) == ("hw90", release)
    assert manifest["packed"] == "2026-11-24T09:30:00+00:00"
    assert manifest["files"]["prices.csv"] == hashlib.sha256(b"7").hexdigest()


def test_a_huge_notebook_is_not_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aicourse.tooling.grading.judging.packing.LARGEST", 1_000)
    with pytest.raises(SubmissionError, match="Clear the outputs"):
        pack(save(tmp_path))
    assert not (tmp_path / "hw90.zip").exists()

"""`aicourse homework …`: each command calls its function and ends with the right exit code."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tiny import copy_tiny, edit_checks, execute
from typer.testing import CliRunner, Result

from aicourse.tooling.cli import app
from aicourse.tooling.grading.sandbox import executor
from aicourse.tooling.grading.sandbox.execution import Executor

FIXTURES = Path(__file__).parents[2] / "notebooks" / "import"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line in a course of its own, with the fake executor."""

    @contextmanager
    def fake(say: Callable[[str], None]) -> Iterator[Executor]:
        yield execute

    for folder in ("notebooks", "datasets", "homework"):
        (tmp_path / folder).mkdir()
    copy_tiny(tmp_path / "homework")
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path))
    monkeypatch.setattr(executor, "own_notebooks", fake)
    return lambda *arguments: CliRunner().invoke(app, ["homework", *map(str, arguments)])


def test_build_writes_the_students_notebook_and_the_solution(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    result = run("build", "hw90", "--solution")
    assert result.exit_code == 0
    student, solution = result.stdout.split()
    assert "raise NotImplementedError" in Path(student).read_text(encoding="utf-8")
    assert Path(solution) == tmp_path / "build" / "homework" / "hw90-solution.ipynb"
    assert "raise NotImplementedError" not in Path(solution).read_text(encoding="utf-8")


def test_verify_ends_with_the_verdict(run: Callable[..., Result], tmp_path: Path) -> None:
    good = run("verify", "hw90")
    assert (good.exit_code, "Every variant earns what it must." in good.stdout) == (0, True)
    edit_checks(tmp_path / "homework" / "hw90-tiny", 'shows="second colour"', 'shows="a third colour"')
    bad = run("verify", "hw90")
    assert (bad.exit_code, "1 of 5 variants do not" in bad.stdout) == (1, True)


def test_check_and_pack_a_notebook(run: Callable[..., Result], tmp_path: Path) -> None:
    run("build", "hw90", "--solution")
    mine = tmp_path / "mine" / "hw90.ipynb"
    mine.parent.mkdir()
    mine.write_bytes((tmp_path / "build" / "homework" / "hw90-solution.ipynb").read_bytes())
    assert run("check", mine).exit_code == 0
    packed = run("pack", mine)
    assert "Upload this file." in packed.stdout
    with zipfile.ZipFile(tmp_path / "mine" / "hw90.zip") as archive:
        assert "hw90.ipynb" in archive.namelist()
    blank = run("check", tmp_path / "homework" / "hw90-tiny" / "hw90.ipynb")
    assert (blank.exit_code, "q1 is not answered yet" in blank.stdout) == (1, True)


@pytest.mark.parametrize("origin", ["nbgrader", "otter"])
def test_import_says_what_is_left(origin: str, run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("import", FIXTURES / f"{origin}.ipynb", "--from", origin, "--out", tmp_path / "hw07-new")
    assert result.exit_code == 0
    assert "could not be converted" in result.stdout
    assert json.loads((tmp_path / "hw07-new" / "master.ipynb").read_text())["nbformat"] == 4


def test_samples_are_written_and_listed(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("samples", "hw90", "--out", tmp_path / "submissions", "--count", 4)
    assert "4 submissions of simulated students" in result.stdout
    assert len(list((tmp_path / "submissions").glob("*/hw90.ipynb"))) == 4


@pytest.mark.parametrize("command", ["build", "verify", "check", "pack", "import", "samples"])
def test_each_command_has_an_example(command: str, run: Callable[..., Result]) -> None:
    assert "Example: aicourse homework" in run(command, "--help").stdout

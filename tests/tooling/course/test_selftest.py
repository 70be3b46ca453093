"""`aicourse test` runs every step, whatever fails, and ends with a summary that CI understands."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from aicourse.errors import AicourseError
from aicourse.tooling.course import selftest


class ScriptedRunner:
    """Answers with the exit codes it was given by step, and remembers what it was asked to run."""

    def __init__(self, **codes: int) -> None:
        self.codes = codes
        self.commands: list[list[str]] = []
        self.environments: list[Mapping[str, str]] = []

    def __call__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
        self.commands.append(list(command))
        self.environments.append(environment)
        names = {arguments: name for name, arguments in selftest.STEPS.items()}
        return self.codes.get(names[tuple(command[2:])], 0)


@pytest.fixture(autouse=True)
def course(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A course of its own: no step may move what lessons of this checkout are writing."""
    monkeypatch.setattr(selftest.paths, "course_dir", lambda: tmp_path)
    return tmp_path


def test_all_steps_run_in_order_although_one_fails(capsys: pytest.CaptureFixture[str]) -> None:
    run = ScriptedRunner(types=1)
    results = selftest.run_steps(run=run)
    quick = [name for name in selftest.STEPS if name not in selftest.LONG_STEPS]
    assert [result.name for result in results] == quick
    assert [result.name for result in results if not result.passed] == ["types"]
    assert [command[:2] for command in run.commands] == [[sys.executable, "-m"]] * len(quick)
    printed = capsys.readouterr().out
    assert "FAILED  types" in printed
    assert "repeat: python -m aicourse test types" in printed
    assert printed.splitlines()[-1] == f"steps: {len(quick) - 1} passed, 1 failed"


def test_the_long_steps_run_when_asked_for() -> None:
    results = selftest.run_steps(long=True, run=ScriptedRunner())
    assert [result.name for result in results] == list(selftest.STEPS)
    assert [result.name for result in selftest.run_steps(["slow-tests"], run=ScriptedRunner())] == [
        "slow-tests"
    ]


def test_named_steps_run_alone(capsys: pytest.CaptureFixture[str]) -> None:
    results = selftest.run_steps(["style", "types"], run=ScriptedRunner())
    assert [result.name for result in results] == ["style", "types"]
    assert re.search(r"(?m)^== style: ruff check .*\.$", capsys.readouterr().out)


def test_lessons_are_checked_on_recordings_whatever_the_user_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AICOURSE_REPLAY", "off")
    monkeypatch.setenv("AICOURSE_PROVIDER", "openai")
    run = ScriptedRunner()
    selftest.run_steps(["lessons"], run=run)
    assert run.environments[0]["AICOURSE_REPLAY"] == "only"
    assert run.environments[0]["AICOURSE_PROVIDER"] == ""


def test_stock_nbval_begins_as_a_new_student(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AICOURSE_STATE", "mine")
    run = ScriptedRunner()
    selftest.run_steps(["stock-nbval", "lessons"], run=run)
    fresh, mine = (Path(environment["AICOURSE_STATE"]) for environment in run.environments)
    assert (fresh.name != "mine", mine.name, fresh.exists()) == (True, "mine", False)


@pytest.mark.parametrize("stops", [False, True])
def test_stock_nbval_meets_no_runs_of_before_and_leaves_them_as_they_were(course: Path, stops: bool) -> None:
    run_of_before = course / "notebooks" / "build" / "runs" / "v4.jsonl"
    run_of_before.parent.mkdir(parents=True)
    run_of_before.write_text("before")

    def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
        assert not run_of_before.exists()
        run_of_before.parent.mkdir(parents=True)
        run_of_before.write_text("of the step")
        if stops:
            raise KeyboardInterrupt
        return 0

    with pytest.raises(KeyboardInterrupt) if stops else nullcontext():
        selftest.run_steps(["stock-nbval"], run=run)
    assert run_of_before.read_text() == "before"
    assert not list((course / "build").iterdir())


def test_tests_have_a_worker_more_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "core_count", lambda: 4)
    run = ScriptedRunner()
    selftest.run_steps(["tests"], run=run)
    assert "auto" in run.commands[0]
    assert run.environments[0]["PYTEST_XDIST_AUTO_NUM_WORKERS"] == "5"


def test_an_unknown_step_is_refused_before_anything_runs() -> None:
    run = ScriptedRunner()
    with pytest.raises(AicourseError, match=r"No step 'typos'\. Choose from: style, .*recordings"):
        selftest.run_steps(["style", "typos"], run=run)
    assert run.commands == []


def test_missing_tools_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ruff" else found(name))
    with pytest.raises(AicourseError, match=r"ruff not installed\. Run: make setup"):
        selftest.run_steps(run=ScriptedRunner())


def test_a_step_is_a_process_of_this_python(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selftest, "STEPS", {"good": ("platform",), "bad": ("no_such_module_at_all",)})
    results = selftest.run_steps()
    assert [result.passed for result in results] == [True, False]
    assert "No module named no_such_module_at_all" in capfd.readouterr().err

"""A kernel without protection, and when it is chosen for one's own notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from fakes import cell, notebook

from aicourse.errors import SandboxError
from aicourse.tooling.grading.sandbox import executor
from aicourse.tooling.grading.sandbox.execution import Execution, Job, Limits, StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox, own_notebooks
from aicourse.tooling.grading.sandbox.files import FilesError, files_below, named_files, write_files
from aicourse.tooling.grading.sandbox.plain import PlainStarter

CALLS = (
    StudentCall("double", (2,)),
    StudentCall("double", ("a",), {"times": 3}),
    StudentCall("COLOURS"),
    StudentCall("Box.size"),
    StudentCall("nothing"),
    StudentCall("Box.nothing"),
    StudentCall("fails", ()),
    StudentCall("box", ()),
    StudentCall("forever", (), seconds=1.0),
)


@pytest.fixture
def unprotected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without a sandbox, as macOS and Windows are."""
    monkeypatch.setattr(executor, "choose_level", no_sandbox)
    monkeypatch.setattr(executor, "starter_for", lambda level: PlainStarter())


def no_sandbox(least: str | None, *, trust_notebooks: bool) -> str:
    if trust_notebooks:
        return "L0"
    raise SandboxError("No namespaces here. Use a Linux container.", level="L3", found="L0")


def execute_plainly(job: Job) -> Execution:
    sandbox = Sandbox("L0", trust_notebooks=True)
    sandbox.level, sandbox._starter = "L0", PlainStarter()
    return sandbox.execute(job)


@pytest.fixture(scope="module")
def execution() -> Execution:
    """One kernel for all tests of what it gives; starting one takes a second."""
    job = Job(
        notebook(
            cell("code", "first", "def double(x, times=2):\n    print('called')\n    return x * times"),
            cell("code", "bad", "1 / 0"),
            cell("code", "second", "COLOURS = ('red', open('prices.csv').read())"),
            cell("code", "third", "class Box:\n    size = 3\n\ndef box():\n    return Box()"),
            cell(
                "code",
                "fourth",
                "def fails():\n    raise KeyError('x')\n\ndef forever():\n    while True: pass",
            ),
        ),
        CALLS,
        {"prices.csv": b"7"},
    )
    return execute_plainly(job)


def test_calls_are_answered_as_plain_data(execution: Execution) -> None:
    found = [(answer.kind, answer.value, answer.error) for answer in execution.answers]
    assert found == [
        ("returned", 4, ""),
        ("returned", "aaa", ""),
        ("returned", ("red", "7"), ""),
        ("returned", 3, ""),
        ("missing", None, ""),
        ("missing", None, ""),
        ("raised", None, "KeyError"),
        ("unreadable", None, ""),
        ("endless", None, ""),
    ]
    assert execution.answers[0].printed == "called\n"


def test_a_failing_cell_does_not_stop_the_run(execution: Execution) -> None:
    assert (execution.ending, execution.level) == ("finished", "L0")
    assert [(failure.index, failure.cell_id, failure.error) for failure in execution.failures] == [
        (1, "bad", "ZeroDivisionError")
    ]
    assert len(execution.notebook["cells"]) == 5


@pytest.mark.parametrize(
    ("source", "ending", "sentence"),
    [
        ("while True: pass", "timed_out", "Cell 1 ran longer than 1 second"),
        ("import os\nos._exit(3)", "died", "Cell 1 ended the kernel with exit code 3"),
    ],
)
def test_a_run_that_does_not_end_well_is_said(source: str, ending: str, sentence: str) -> None:
    job = Job(notebook(cell("code", "a", source)), (StudentCall("x"),), limits=Limits(cell_seconds=1))
    found = execute_plainly(job)
    assert (found.ending, [answer.kind for answer in found.answers]) == (ending, ["missing"])
    assert sentence in found.sentence
    kernels = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]
    assert not [line for line in kernels if "sandbox.plain" in line], "its kernel must end with it"


@pytest.mark.usefixtures("unprotected")
def test_without_a_sandbox_own_code_runs_all_the_same_and_it_is_said() -> None:
    said: list[str] = []
    with own_notebooks(said.append) as execute:
        assert execute(Job(notebook(cell("code", "a", "x = 1")), (StudentCall("x"),))).answers[0].value == 1
    assert "no sandbox on this machine" in said[0]


def test_with_a_sandbox_it_is_used_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    @contextmanager
    def sandbox() -> Iterator[Any]:
        class Opened:
            execute = "the sandbox's"

        yield Opened()
        events.append("closed")

    monkeypatch.setattr(executor, "Sandbox", sandbox)
    with own_notebooks() as execute:
        assert execute == "the sandbox's"
    assert events == ["closed"]


@pytest.mark.usefixtures("unprotected")
def test_a_mistake_inside_is_not_taken_for_a_missing_sandbox() -> None:
    with pytest.raises(SandboxError, match="mine"), own_notebooks():
        raise SandboxError("mine")


def test_files_that_are_not_declared_stay_out(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("7")
    (tmp_path / "checks.py").write_text("secret")
    assert named_files(tmp_path, ["prices.csv", "gone.csv", "../../etc/passwd"]) == {"prices.csv": b"7"}
    assert named_files(tmp_path, []) == {}


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "own.csv").write_text("7")
    (tmp_path / "secret").symlink_to("/etc/passwd")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert files_below(tmp_path) == {"data/own.csv": b"7"}


@pytest.mark.parametrize("name", ["../out", "/etc/x", "a/../../out", "nul\0", "x" * 300, "taken/below"])
def test_a_name_that_is_no_file_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    with pytest.raises(FilesError, match="cannot be laid beside the notebook"):
        write_files(inside, [("taken", b""), (name, b"")])
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_file_that_cannot_be_laid_down_is_told() -> None:
    job = Job(notebook(cell("code", "a", "x = 1")), files={"a": b"", "a/b": b""})
    with pytest.raises(SandboxError, match="The file 'a/b' cannot be laid beside the notebook"):
        execute_plainly(job)

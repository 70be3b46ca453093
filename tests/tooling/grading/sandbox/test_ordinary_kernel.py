"""An ordinary kernel as an executor, and when it is chosen."""

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
from aicourse.tooling.grading.sandbox.execution import Call, Execution, Job, Limits
from aicourse.tooling.grading.sandbox.executors import own_notebooks
from aicourse.tooling.grading.sandbox.ordinary_kernel import execute_plainly

CALLS = (
    Call("double", (2,)),
    Call("double", ("a",), {"times": 3}),
    Call("COLOURS"),
    Call("Box.size"),
    Call("nothing"),
    Call("Box.nothing"),
    Call("fails", ()),
    Call("box", ()),
    Call("forever", (), seconds=1.0),
)


@pytest.fixture(scope="module")
def execution(tmp_path_factory: pytest.TempPathFactory) -> Execution:
    """One kernel for all tests of what it gives; starting one takes a second."""
    files = tmp_path_factory.mktemp("files")
    (files / "prices.csv").write_text("7")
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
        files,
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
        ("while True: pass", "timed_out", "A cell took longer than 1 s"),
        ("import os\nos._exit(3)", "died", "A cell ended the kernel"),
    ],
)
def test_a_run_that_does_not_end_well_is_said(source: str, ending: str, sentence: str) -> None:
    job = Job(notebook(cell("code", "a", source)), (Call("x"),), limits=Limits(cell_seconds=1))
    found = execute_plainly(job)
    assert (found.ending, [answer.kind for answer in found.answers]) == (ending, ["dead"])
    assert sentence in found.sentence
    kernels = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]
    assert not [line for line in kernels if "aicourse-plain" in line], "its kernel must end with it"


class NoSandbox:
    """A machine on which student code cannot be protected."""

    def __init__(self) -> None:
        raise SandboxError("No namespaces here. Use a Linux container.")


def test_without_a_sandbox_own_code_runs_all_the_same_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(executor, "Sandbox", NoSandbox)
    with own_notebooks(said.append) as execute:
        assert execute is execute_plainly
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


def test_a_mistake_inside_is_not_taken_for_a_missing_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "Sandbox", NoSandbox)
    with pytest.raises(SandboxError, match="mine"), own_notebooks():
        raise SandboxError("mine")


def test_files_that_are_not_declared_stay_out(tmp_path: Path) -> None:
    from aicourse.tooling.grading.submissions.files import beside

    (tmp_path / "prices.csv").write_text("7")
    (tmp_path / "checks.py").write_text("secret")
    with beside(tmp_path, ["prices.csv", "gone.csv", "../../etc/passwd"]) as folder:
        assert folder is not None
        assert [path.name for path in folder.iterdir()] == ["prices.csv"]
    with beside(tmp_path, []) as folder:
        assert folder is None

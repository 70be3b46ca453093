"""A pytest plugin: nbval's strict comparison in a kernel of ours, twice, then figures and exercises.

Run by `validation` in a process of its own. Each notebook becomes one test per code cell (nbval's own
test, https://nbval.readthedocs.io), then the same cells again in the same kernel ("again"), because a
lesson must give the same result when a student runs it a second time, then one test for its figures and one
for its exercises. The kernel works in a new, empty folder, so that nothing an earlier run wrote is found.
Results are printed to stderr as they come, one line of JSON each.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Generator, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from jupyter_client.manager import KernelManager
from nbformat import NotebookNode, from_dict
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile, transform_streams_for_comparison

from aicourse.differences import difference
from aicourse.notebook_json import Cell, text
from aicourse.tooling.course import exercises
from aicourse.tooling.course.drawn import picture_text
from aicourse.tooling.course.exercises import checked_exercises
from aicourse.tooling.course.figures import EXTENSION
from aicourse.tooling.course.kernels import new_manager
from aicourse.tooling.course.lesson_run import with_places
from aicourse.tooling.course.notebooks import describe, read_notebook

AGAIN = " again"
DIFFER = "Cell outputs differ"  # nbval's words; after any other error the next cells lack something
PICTURES = ("image/png", "image/jpeg")
DIED = "The kernel died. Does the cell end its process, or need much memory?"
LOOK_SECONDS = 1.0  # between two looks at whether the kernel still lives
ANSWER_SECONDS = 600  # the mistakes of one lesson's exercises, on a busy machine


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that `validation` passes."""
    group = parser.getgroup("aicourse")
    group.addoption("--aicourse-sockets", type=Path, help="folder for the kernels' sockets")
    group.addoption("--aicourse-forks", type=Path, default=None, help="socket of the fork server")
    group.addoption("--aicourse-once", action="store_true", help="leave out the second run")
    group.addoption("--aicourse-cells", action="store_true", help="leave out figures and exercises")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take notebooks; nbval itself would only with `--nbval`."""
    return LessonFile.from_parent(parent, path=file_path) if file_path.suffix == ".ipynb" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell `validation` what became of a cell."""
    report = yield
    if report.when == "call" or report.failed:
        error = call.excinfo.value if call.excinfo else None
        result = {
            "notebook": str(item.path),
            "part": item.name,
            "cell": getattr(item, "cell_num", None),
            "again": item.name.endswith(AGAIN),
            "passed": not report.failed,  # NBVAL_SKIP skips a cell, which lint wants a reason for
            "raised": isinstance(item, LessonCell) and error is not None and str(error) != DIFFER,
            "message": _told(item, error) if error else "",
        }
        print(json.dumps(result), file=sys.stderr, flush=True)
    return report


def _told(item: pytest.Item, error: BaseException) -> str:
    told = f"{error}\n{getattr(error, 'inner_traceback', None) or ''}".strip()
    return with_places(told, item.parent.ran()) if isinstance(item, LessonCell) else told


class LessonKernel(RunningKernel):
    """nbval's view of a kernel, over IPC and, where that works, forked."""

    def __init__(self, config: pytest.Config) -> None:
        folder = config.getoption("aicourse_sockets")
        self.km = new_manager(KernelManager, folder, config.getoption("aicourse_forks"))
        self.ran: list[int] = []  # code cells in the order in which the kernel counted them
        self.km.start_kernel(
            cwd=tempfile.mkdtemp(prefix="lesson-", dir=folder),
            env=dict(os.environ),
            extra_arguments=["--HistoryManager.hist_file=:memory:", EXTENSION],
        )
        self.kc = self.km.client()
        self.kc.start_channels()
        self.kc.wait_for_ready(timeout=60)

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send one cell, counted as in JupyterLab (nbval's own leaves every cell at number 1)."""
        message: str = self.kc.execute(cell_input, store_history=True, allow_stdin=False, stop_on_error=False)
        return message

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """The next message; a kernel that died sends none, and nbval would wait for half an hour."""
        end = time.monotonic() + (timeout or ANSWER_SECONDS)
        while True:
            try:
                message: dict[str, Any] = super().get_message(stream, LOOK_SECONDS)  # type: ignore[no-untyped-call]
                return message
            except Empty:
                if not self.is_alive():  # type: ignore[no-untyped-call]
                    raise RuntimeError(DIED) from None
                if time.monotonic() > end:
                    raise

    def ask(self, expression: str) -> list[Any]:
        """The value of an expression in the kernel: a list of plain data."""
        asked = {"it": expression}
        sent = self.kc.execute("", silent=True, user_expressions=asked)
        while (reply := self.get_message("shell", ANSWER_SECONDS))["parent_header"].get("msg_id") != sent:
            pass  # an answer to something before
        answer = reply["content"]["user_expressions"]["it"]
        if answer["status"] != "ok":
            raise RuntimeError(f"{answer['ename']}: {answer['evalue']}")
        values: list[Any] = ast.literal_eval(answer["data"]["text/plain"])
        return values


class LessonFile(IPyNbFile):
    """A notebook as a collection of tests in one kernel."""

    kernel: LessonKernel  # type: ignore[assignment]  # None in nbval, until setup

    def setup(self) -> None:
        """Start the kernel, before the first cell."""
        self.kernel = LessonKernel(self.config)
        self.setup_sanitize_files()  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[pytest.Item]:
        """Each cell, each cell again, the figures, the exercises."""
        once = self.config.getoption("aicourse_once")
        for ending in ("",) if once else ("", AGAIN):
            for cell in super().collect():  # type: ignore[no-untyped-call]
                same = {"cell_num": cell.cell_num, "cell": cell.cell, "options": cell.options}
                yield LessonCell.from_parent(self, name=cell.name + ending, **same)
        for name in () if self.config.getoption("aicourse_cells") else PARTS:
            yield PartCheck.from_parent(self, name=name)

    def ran(self) -> list[Cell]:
        """The cells that ran, in the order in which the kernel counted them."""
        code = [cell for cell in read_notebook(self.path).cells if cell.is_code]
        return [code[number] for number in self.kernel.ran]


class LessonCell(IPyNbCell):
    """nbval's test of a cell, which also compares pictures, by what is drawn, and shows what differs."""

    parent: LessonFile

    def runtest(self) -> None:
        """Run and compare the cell."""
        if self.cell.source.strip() and not self.options["skip"]:
            self.parent.kernel.ran.append(self.cell_num)
        super().runtest()  # type: ignore[no-untyped-call]

    def compare_outputs(
        self, test: list[NotebookNode], ref: list[NotebookNode], skip_compare: Collection[str] | None = None
    ) -> bool:
        """True if the new outputs `test` are the stored ones, `ref`."""
        made, kept = ([_with_picture_texts(output) for output in outputs] for outputs in (test, ref))
        same = bool(super().compare_outputs(made, kept, skip_compare))  # type: ignore[no-untyped-call]
        if not same:
            new, stored = self._texts(made), self._texts(kept)
            told = [
                f"{kind}:\n{difference(stored.get(kind, ''), new.get(kind, ''))}"
                for kind in {**stored, **new}
                if stored.get(kind) != new.get(kind)
            ]
            others = [f"and {entry.partition(':')[0]}" for entry in told[1:]]
            self.comparison_traceback = [*told[:1], *others] or ["The same text, in other pieces."]
        return same

    def _texts(self, outputs: list[NotebookNode]) -> dict[str, str]:
        """The text of each kind (stdout, stderr, text/plain, …) as nbval compares it, plain text first."""
        found: dict[str, str] = {}
        for output in transform_streams_for_comparison(outputs):  # type: ignore[no-untyped-call]
            contents = {**output, **output.get("data", {})}
            for kind in contents.keys() - {"data"} - set(self.parent.skip_compare):
                content = contents[kind]
                said = text(content) if isinstance(content, str | list) else json.dumps(content, indent=1)
                said = self.sanitize(said.replace("><", ">\n<"))  # type: ignore[no-untyped-call]
                found[kind] = f"{found[kind]}\n{said}" if kind in found else said
        return dict(sorted(found.items(), key=lambda entry: (entry[0] != "stderr", "html" in entry[0])))


def _with_picture_texts(output: NotebookNode) -> NotebookNode:
    """`output` with a text beside each picture, which nbval itself would pass over."""
    data = output.get("data", {})
    texts = {f"picture ({kind})": picture_text(data[kind]) for kind in PICTURES if kind in data}
    return from_dict({**output, "data": {**data, **texts}}) if texts else output  # type: ignore[no-untyped-call]


class PartCheck(pytest.Item):
    """A test of one of `PARTS`, after the cells."""

    parent: LessonFile

    def runtest(self) -> None:
        """Ask the kernel."""
        if problems := PARTS[self.name](self.parent):
            pytest.fail("\n".join(problems), pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Place and name for pytest's reports."""
        return self.path, 0, f"{self.path.name}::{self.name}"


def _figure_faults(file: LessonFile) -> list[str]:
    faults = file.kernel.ask("_aicourse_figures.faults()")
    told = [f"{file.ran()[count - 1].place}: {fault}" for count, fault in faults]
    return [*told, "Label the axes and give the figure a title that states the finding."] if told else []


def _exercise_problems(file: LessonFile) -> list[str]:
    lesson, calls = describe(file.path), checked_exercises(read_notebook(file.path))
    if not calls and not lesson.checks.is_file():
        return []
    asked = [(call.exercise, call.answer) for call in calls]
    return file.kernel.ask(
        f"__import__('importlib').import_module({exercises.__name__!r})"
        f".lesson_problems({str(lesson.checks)!r}, {asked!r}, globals())"
    )


PARTS: dict[str, Callable[[LessonFile], list[str]]] = {
    "figures": _figure_faults,
    "exercises": _exercise_problems,
}

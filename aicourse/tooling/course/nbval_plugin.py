"""A pytest plugin: nbval's strict comparison in a kernel of ours, twice, and a look at the figures.

Run by `validation` in a process of its own. Each notebook becomes one test per code cell (nbval's own
test, https://nbval.readthedocs.io), then the same cells again in the same kernel ("again"), because a
lesson must give the same result when a student runs it a second time, then one test for its figures.
Results are printed to stderr as they come, one line of JSON each.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Collection, Generator, Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager
from nbformat import NotebookNode, from_dict
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from aicourse.tooling.course.drawn import picture_text
from aicourse.tooling.course.figures import EXTENSION
from aicourse.tooling.course.kernels import new_manager

AGAIN = " again"
FIGURES = "figures"
PICTURES = ("image/png", "image/jpeg")
_ASK_FOR_FIGURES = {"faults": "_aicourse_figures.faults()"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that `validation` passes."""
    group = parser.getgroup("aicourse")
    group.addoption("--aicourse-sockets", type=Path, help="folder for the kernels' sockets")
    group.addoption("--aicourse-forks", type=Path, default=None, help="socket of the fork server")
    group.addoption("--aicourse-once", action="store_true", help="leave out the second run and the figures")


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
            "cell": getattr(item, "cell_num", None),
            "again": item.name.endswith(AGAIN),
            "passed": report.passed,
            "raised": isinstance(error, NbCellError) and str(error) != "Cell outputs differ",
            "message": f"{error}\n{getattr(error, 'inner_traceback', None) or ''}".strip() if error else "",
        }
        print(json.dumps(result), file=sys.stderr, flush=True)
    return report


class LessonKernel(RunningKernel):
    """nbval's view of a kernel, over IPC and, where that works, forked."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self.km = new_manager(
            KernelManager, config.getoption("aicourse_sockets"), config.getoption("aicourse_forks")
        )
        self.km.start_kernel(
            cwd=str(folder),
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

    def figure_faults(self) -> list[str]:
        """Faults that the watcher in the kernel has seen."""
        reply = self.kc.execute("", silent=True, user_expressions=_ASK_FOR_FIGURES, reply=True, timeout=60)
        shown = reply["content"]["user_expressions"]["faults"]["data"]["text/plain"]
        faults: list[str] = ast.literal_eval(shown)
        return faults


class LessonFile(IPyNbFile):
    """A notebook as a collection of tests in one kernel."""

    kernel: LessonKernel  # type: ignore[assignment]  # None in nbval, until setup

    def setup(self) -> None:
        """Start the kernel, before the first cell."""
        self.kernel = LessonKernel(self.config, self.path.parent)
        self.setup_sanitize_files()  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[pytest.Item]:
        """Each cell, each cell again, the figures."""
        yield from self._cells("")
        if not self.config.getoption("aicourse_once"):
            yield from self._cells(AGAIN)
            yield FigureCheck.from_parent(self, name=FIGURES)

    def _cells(self, suffix: str) -> Iterator[LessonCell]:
        for cell in super().collect():  # type: ignore[no-untyped-call]
            yield LessonCell.from_parent(
                self, name=cell.name + suffix, cell_num=cell.cell_num, cell=cell.cell, options=cell.options
            )


class LessonCell(IPyNbCell):
    """nbval's test of one cell, which also compares pictures, by what is drawn in them."""

    def compare_outputs(
        self, test: list[NotebookNode], ref: list[NotebookNode], skip_compare: Collection[str] | None = None
    ) -> bool:
        """True if the new outputs `test` are the stored ones, `ref`."""
        new, stored = ([_with_picture_texts(output) for output in outputs] for outputs in (test, ref))
        same: bool = super().compare_outputs(new, stored, skip_compare)  # type: ignore[no-untyped-call]
        return same


def _with_picture_texts(output: NotebookNode) -> NotebookNode:
    """`output` with a text beside each picture, which nbval itself would pass over."""
    data = output.get("data", {})
    texts = {f"picture ({kind})": picture_text(data[kind]) for kind in PICTURES if kind in data}
    return from_dict({**output, "data": {**data, **texts}}) if texts else output  # type: ignore[no-untyped-call]


class FigureCheck(pytest.Item):
    """A test of the figures: all axes labelled, a title on each."""

    parent: LessonFile

    def runtest(self) -> None:
        """Ask the kernel."""
        if faults := self.parent.kernel.figure_faults():
            pytest.fail("\n".join(faults), pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Place and name for pytest's reports."""
        return self.path, 0, f"{self.path.name}::{FIGURES}"

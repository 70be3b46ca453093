"""papermill's engine `aicourse`: `papermill --engine aicourse in.ipynb out.ipynb` runs in the sandbox.

papermill has put its parameters into the notebook before an engine sees it. As with its own engine, the run
stops at the first error and at a timeout (`CellTimeoutError`), and `--cwd` is the folder that the notebook
sees; without it that is the folder in which the notebook stands. Its files are copied in, but for notebooks,
`checks.py` and what is hidden; what the notebook writes stays in the sandbox. With parameters papermill asks
for kernel and language before it asks any engine: `-k python3 -l python` where a notebook says neither.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError
from papermill.engines import Engine, NotebookExecutionManager
from papermill.iorw import papermill_io
from papermill.utils import logger

from aicourse.errors import SandboxError
from aicourse.notebook_json import KERNEL
from aicourse.tooling.grading.sandbox.execution import Execution, Job, Limits
from aicourse.tooling.grading.sandbox.executor import Sandbox
from aicourse.tooling.grading.sandbox.files import FilesError, data_below
from aicourse.tooling.grading.sandbox.running import may_raise
from aicourse.tooling.grading.submissions.reading import other_language


class SandboxEngine(Engine):
    """Executes the notebook with `Sandbox`; a notebook without a kernel gets Python's."""

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:
        """The kernel's name, which says no more than that it is Python."""
        return str(name or nb.metadata.setdefault("kernelspec", dict(KERNEL)).get("name", KERNEL["name"]))

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        input_path: str | None = None,
        execution_timeout: float | None = None,
        **options: Any,
    ) -> None:
        """Run `nb_man.nb` within the limits of grading, or `execution_timeout` seconds for each cell.

        Raises:
            SandboxError: this machine cannot protect itself from the notebook, its folder is too large, or it
                is not Python.
            CellTimeoutError: a cell took longer than it may.
        """
        if language := other_language(nb_man.nb):
            raise SandboxError(f"The sandbox runs Python, not {language}. Leave out --engine aicourse.")
        limits = _limits(execution_timeout, len(nb_man.nb.cells))
        files = _data_files(input_path, limits)
        with Sandbox() as sandbox:
            job = Job(plain_data(nb_man.nb), files=files, limits=limits, stop_at_error=True)
            execution = sandbox.execute(job)
        if execution.ending == "not_started":
            raise SandboxError(execution.sentence)
        store(execution, nb_man)
        if execution.ending == "timed_out":
            raise CellTimeoutError(execution.sentence)
        if execution.sentence:
            logger.warning(execution.sentence)


def _limits(seconds: float | None, cells: int) -> Limits:
    return Limits(cell_seconds=seconds, notebook_seconds=seconds * cells + 1) if seconds else Limits()


def _data_files(input_path: str | None, limits: Limits) -> dict[str, bytes]:
    """The files of the notebook's folder, or of papermill's `cwd`.

    Raises:
        SandboxError: there are more than a sandbox holds.
    """
    handler: Any = papermill_io.get_handler("local")  # type: ignore[no-untyped-call]
    begun_in = handler._cwd or os.getcwd()  # by now papermill has changed to its `cwd`
    beside = Path(begun_in, input_path).parent if input_path and "://" not in input_path else None
    folder = Path.cwd() if os.getcwd() != begun_in or beside is None else beside
    try:
        return data_below(folder, limits.disk, limits.files)
    except FilesError as error:
        raise SandboxError(f"{error} Name a smaller folder with --cwd.") from error


def store(execution: Execution, nb_man: NotebookExecutionManager) -> None:
    """Put outputs into papermill's notebook, and tell it which cells ran and which failed."""
    from nbformat import from_dict

    failed = {failure.index: failure for failure in execution.failures}
    for index, (cell, ran) in enumerate(zip(nb_man.nb.cells, execution.notebook["cells"], strict=True)):
        if cell.cell_type != "code":
            continue
        nb_man.cell_start(cell, cell_index=index)
        cell.outputs = [from_dict(output) for output in ran["outputs"]]  # type: ignore[no-untyped-call]
        cell.execution_count = ran["execution_count"]
        if index in failed:
            nb_man.cell_exception(cell, cell_index=index)
            if execution.ending == "timed_out":
                cell.outputs[-1:] = [_timeout(failed[index].message)]
        nb_man.cell_complete(cell, cell_index=index)
        if index in failed and not may_raise(cell):
            break


def _timeout(sentence: str) -> Any:
    """The output that says so, in place of the interrupt that ended the cell."""
    from nbformat.v4 import new_output

    return new_output(  # type: ignore[no-untyped-call]
        "error", ename="CellTimeoutError", evalue=sentence, traceback=[f"CellTimeoutError: {sentence}"]
    )


def plain_data(notebook: Any) -> dict[str, Any]:
    """A notebook node as dicts and lists."""
    plain: dict[str, Any] = json.loads(json.dumps(notebook))
    return plain

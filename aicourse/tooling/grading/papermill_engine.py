"""papermill's engine `aicourse`: `papermill --engine aicourse in.ipynb out.ipynb` runs in the sandbox.

papermill has put its parameters into the notebook before an engine sees it. This one runs all cells to the
end, as grading does, and leaves it to papermill to raise for the first that failed. The notebook sees no
folder of the computer; `execute_notebook(…, files=FOLDER)` copies one beside it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from papermill.engines import Engine, NotebookExecutionManager

from aicourse.tooling.grading.sandbox.execution import Execution, Job, Limits
from aicourse.tooling.grading.sandbox.executor import Sandbox
from aicourse.tooling.grading.sandbox.files import files_below


class SandboxEngine(Engine):
    """Executes the notebook with `Sandbox`; options of `Limits` are taken by name."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        files: str | Path | None = None,
        execution_timeout: float | None = None,
        limits: Limits | None = None,
        **options: Any,
    ) -> None:
        """Run `nb_man.nb`; `files` is a folder to copy beside it, `execution_timeout` seconds per cell.

        Raises:
            SandboxError: this machine cannot protect itself from the notebook.
        """
        limits = limits or Limits(cell_seconds=execution_timeout or Limits().cell_seconds)
        beside = files_below(Path(files)) if files else {}
        with Sandbox() as sandbox:
            execution = sandbox.execute(Job(plain_data(nb_man.nb), files=beside, limits=limits))
        store(execution, nb_man)


def store(execution: Execution, nb_man: NotebookExecutionManager) -> None:
    """Put outputs into papermill's notebook, and tell it which cells ran and which failed."""
    from nbformat import from_dict

    failed = {failure.index for failure in execution.failures}
    for index, (cell, ran) in enumerate(zip(nb_man.nb.cells, execution.notebook["cells"], strict=True)):
        if cell.cell_type != "code":
            continue
        nb_man.cell_start(cell, cell_index=index)
        cell.outputs = [from_dict(output) for output in ran["outputs"]]  # type: ignore[no-untyped-call]
        cell.execution_count = ran["execution_count"]
        if index in failed:
            nb_man.cell_exception(cell, cell_index=index)
        nb_man.cell_complete(cell, cell_index=index)


def plain_data(notebook: Any) -> dict[str, Any]:
    """A notebook node as dicts and lists."""
    plain: dict[str, Any] = json.loads(json.dumps(notebook))
    return plain

"""papermill's engine for lessons: our kernel, no fixed waits, and a cell to blame.

papermill's own engine starts a stock kernel over TCP, shuts it down politely (0.4-0.7 s) and stores
widget state. This one plugs into papermill's extension point
(https://papermill.readthedocs.io/en/latest/extending-overview.html) and does none of that. It is
registered as `aicourse-lesson`, and needs the arguments that `run_lesson` passes.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook, raise_for_execution_errors

from aicourse.errors import AicourseError
from aicourse.notebook_json import Cell
from aicourse.tooling.course.figures import EXTENSION
from aicourse.tooling.course.lesson_run import CellError, without_colours
from aicourse.tooling.course.notebooks import read_notebook
from aicourse.tooling.course.progress import CellProgress

ENGINE = "aicourse-lesson"
CELL_SECONDS = 30 * 60  # a live lesson may pull a model file of 500 MB in one cell


def run_lesson(
    notebook: Path,
    output: Path,
    folder: Path,
    parameters: Mapping[str, Any],
    environment: Mapping[str, str],
    manager: AsyncKernelManager,
    progress: CellProgress,
) -> CellError | None:
    """Execute `notebook` into `output`, working in `folder`; what stopped it, if anything did.

    `output` holds what ran, with papermill's banner after a failure; it is missing only when papermill
    could not open the notebook.
    """
    try:
        execute_notebook(  # type: ignore[no-untyped-call]
            notebook,
            output,
            dict(parameters),
            engine_name=ENGINE,
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            manager=manager,
            folder=folder,
            environment=environment,
            progress=progress,
            partial_path=output,
        )
    except PapermillExecutionError as error:
        message, told = (without_colours(text) for text in (error.evalue.strip(), "\n".join(error.traceback)))
        # this cell's own lines; others are of functions that it called
        lines = re.findall(rf"Cell In\[{error.exec_count}\], line (\d+)", told)
        return CellError(_cell(notebook, progress), int(lines[-1]) if lines else None, error.ename, message)
    except Exception as error:  # whatever one lesson does to its kernel, the others run
        message = error.message if isinstance(error, AicourseError) else str(error).strip()
        return CellError(_cell(notebook, progress), None, type(error).__name__, message)
    return None


def _cell(notebook: Path, progress: CellProgress) -> Cell | None:
    """The cell that was running; papermill's own, which sets parameters, is none of the lesson's."""
    return next((cell for cell in read_notebook(notebook).cells if cell.id == progress.cell_id), None)


class LessonEngine(Engine):
    """papermill's nbclient engine with a kernel of ours."""

    @classmethod
    def execute_managed_notebook(  # type: ignore[override]  # what run_lesson passes
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        manager: AsyncKernelManager,
        folder: Path,
        environment: Mapping[str, str],
        progress: CellProgress,
        partial_path: Path,
        **options: Any,
    ) -> None:
        """Run all cells; when the kernel itself fails, keep what there is at `partial_path`."""
        client = PapermillNotebookClient(  # type: ignore[no-untyped-call]
            nb_man,
            km=manager,
            timeout=CELL_SECONDS,
            shutdown_kernel="immediate",
            store_widget_state=False,
            coalesce_streams=True,
            extra_arguments=[EXTENSION],
            on_cell_execute=progress.cell_starts,
            on_cell_complete=progress.cell_ends,
        )
        try:
            client.execute(  # type: ignore[no-untyped-call]
                cleanup_kc=True, env=dict(environment), cwd=str(folder)
            )
        except Exception:  # a dead kernel or a timeout, which papermill would not save
            notebook = copy.deepcopy(nb_man.nb)
            notebook.cells[progress.cell_index].metadata.papermill["exception"] = True
            with contextlib.suppress(PapermillExecutionError):
                raise_for_execution_errors(notebook, str(partial_path))  # type: ignore[no-untyped-call]
            raise


papermill_engines.register(ENGINE, LessonEngine)  # type: ignore[no-untyped-call]

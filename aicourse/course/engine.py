"""How one lesson goes through papermill: our kernel, no fixed waits, and a cell to blame.

papermill's own engine starts a stock kernel over TCP, shuts it down politely (0.4-0.7 s) and stores
widget state. This one plugs into papermill's extension point
(https://papermill.readthedocs.io/en/latest/extending-overview.html) and does none of that. It is
registered as `aicourse-lesson`, and needs the arguments that `runner` passes.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import raise_for_execution_errors

from aicourse.course.bars import LessonBar
from aicourse.errors import AicourseError

ENGINE = "aicourse-lesson"
CELL_SECONDS = 30 * 60  # a live lesson may pull a model file of 500 MB in one cell
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class CellError:
    """Where and why a lesson stopped; `cell` is the number in `In [n]`, None when no cell was running."""

    cell: int | None
    cell_id: str
    line: int | None
    name: str
    message: str

    def __str__(self) -> str:
        where = f"In [{self.cell}] ({self.cell_id})" if self.cell else "before the first cell"
        line = f", line {self.line}" if self.line else ""
        return f"{where}{line}: {self.name}: {self.message}"


@dataclass
class Progress:
    """Follows a run cell by cell: moves its bar, and remembers where it is."""

    bar: LessonBar
    cells: int = 0
    cell_id: str = ""
    cell_index: int = 0

    def cell_starts(self, cell: Any, cell_index: int) -> None:
        """nbclient calls this before each code cell."""
        self.cells += 1
        self.cell_id = cell.get("id", "")
        self.cell_index = cell_index

    def cell_ends(self, cell: Any, cell_index: int) -> None:
        """nbclient calls this after each code cell, whether it failed or not."""
        self.bar.update()

    def error(self, error: Exception) -> CellError:
        """What stopped the run, and in which cell."""
        if isinstance(error, PapermillExecutionError):
            message = _COLOURS.sub("", error.evalue).strip()
            lines = re.findall(r"Cell In\[\d+\], line (\d+)", _COLOURS.sub("", "\n".join(error.traceback)))
            line = int(lines[-1]) if lines else None
            return CellError(error.exec_count, self.cell_id, line, error.ename, message)
        message = error.message if isinstance(error, AicourseError) else str(error).strip()
        return CellError(self.cells or None, self.cell_id, None, type(error).__name__, message)


@dataclass(frozen=True)
class KernelStart:
    """What a lesson's kernel gets."""

    manager: AsyncKernelManager
    folder: Path
    environment: Mapping[str, str]
    extensions: tuple[str, ...] = ()


class LessonEngine(Engine):
    """papermill's nbclient engine with a kernel of ours."""

    @classmethod
    def execute_managed_notebook(  # type: ignore[override]  # papermill passes what runner passes to it
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        kernel: KernelStart,
        progress: Progress,
        partial_path: Path,
        **options: Any,
    ) -> None:
        """Run all cells; when the kernel itself fails, keep what there is at `partial_path`."""
        client = PapermillNotebookClient(  # type: ignore[no-untyped-call]
            nb_man,
            km=kernel.manager,
            timeout=CELL_SECONDS,
            shutdown_kernel="immediate",
            store_widget_state=False,
            coalesce_streams=True,
            on_cell_execute=progress.cell_starts,
            on_cell_complete=progress.cell_ends,
            extra_arguments=[f"--ext={name}" for name in kernel.extensions],
        )
        try:
            client.execute(  # type: ignore[no-untyped-call]
                cleanup_kc=True, env=dict(kernel.environment), cwd=str(kernel.folder)
            )
        except Exception:  # a dead kernel or a timeout, which papermill would not save
            notebook = copy.deepcopy(nb_man.nb)
            notebook.cells[progress.cell_index].metadata.papermill["exception"] = True
            with contextlib.suppress(PapermillExecutionError):
                raise_for_execution_errors(notebook, str(partial_path))  # type: ignore[no-untyped-call]
            raise


papermill_engines.register(ENGINE, LessonEngine)  # type: ignore[no-untyped-call]

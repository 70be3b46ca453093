"""Run lessons with papermill: `make course`, `aicourse run`.

Each lesson runs in a fresh kernel, one per core, the longest first, and ends as a `LessonRun`: one that fails
is saved with papermill's banner and does not stop the others. Its working folder is new and empty, so what an
earlier run wrote to `OUT_DIR` neither helps nor hides anything; after the run it stands beside the executed
notebook, which appears whole or not at all. `validation` checks what notebooks show; this module does not.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

from aicourse import paths
from aicourse.errors import LessonError
from aicourse.processes import core_count, sole_holder
from aicourse.tooling.course.durations import store_seconds, usual_seconds
from aicourse.tooling.course.kernels import Kernels
from aicourse.tooling.course.lesson_run import CellError, LessonRun, read_journal
from aicourse.tooling.course.notebooks import WIDGET_VIEW, Lesson, assigned_names, lessons, read_notebook
from aicourse.tooling.course.progress import CellProgress, LessonBar


@dataclass(frozen=True)
class Settings:
    """Settings for all lessons of one command; `recordings` is a folder to use instead of their own."""

    folder: Path
    replay: str = "only"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    recordings: Path | None = None

    @property
    def partial(self) -> Path:
        """The folder of notebooks that are not whole yet; a killed run leaves its files here."""
        return self.folder / ".partial"

    def work(self, lesson: Lesson) -> Path:
        """The working folder of the lesson's kernel."""
        return self.folder / lesson.name

    def journal(self, lesson: Lesson) -> Path:
        """The file in which the lesson's session writes what it asks of models."""
        return self.partial / f"{lesson.name}.journal.jsonl"

    def environment(self, lesson: Lesson) -> dict[str, str]:
        """The environment of the lesson's kernel."""
        instead = self.recordings and {"AICOURSE_RECORDINGS": str(self.recordings / lesson.recordings.name)}
        return {
            **os.environ,
            "AICOURSE_REPLAY": self.replay,
            "AICOURSE_UNATTENDED": "1",
            "AICOURSE_HOME": str(paths.course_dir()),
            "AICOURSE_JOURNAL": str(self.journal(lesson)),
            **(instead or {}),
        }


def run(
    names: Sequence[str | Path] | None = None,
    *,
    out: Path | None = None,
    save: bool = False,
    jobs: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    replay: str = "only",
) -> list[LessonRun]:
    """Run the lessons in `names` (all by default) and write executed notebooks to `out` (build/course).

    `parameters` go into each lesson's parameters cell; `replay` is `AICOURSE_REPLAY` for the kernels.
    With `save`, the outputs of lessons that passed replace those in the source notebooks, and of a run of all
    lessons the seconds of new ones are kept (`durations`).

    Raises:
        LessonError: unknown lesson or parameter, or another run writes to the same folder.
    """
    chosen = lessons(names)
    if save and parameters:
        raise LessonError("Stored outputs belong to a lesson's own parameters: leave out -p, or --save.")
    for lesson in chosen:
        check_parameters(lesson, parameters or {})
    settings = Settings((out or paths.build_dir() / "course").absolute(), replay, parameters or {})
    runs = execute(chosen, settings, jobs=jobs)
    if save:
        for finished in runs:
            if finished.path and not finished.error:
                store_outputs(finished.lesson.path, finished.path)
        if names is None:
            store_seconds(runs)
    return runs


def store_outputs(source: Path, executed: Path) -> None:
    """Replace the outputs in `source` by those of the same cells in `executed`: what readers see.

    Everything else in the source stays as it was written. Left behind: papermill's and widgets' metadata,
    execution times, widget views without their kernel. The same outputs give the same bytes.
    """
    ran = {cell["id"]: cell for cell in json.loads(executed.read_text(encoding="utf-8"))["cells"]}
    notebook = json.loads(source.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [_without_widget(output) for output in ran[cell["id"]]["outputs"]]
            cell["execution_count"] = ran[cell["id"]]["execution_count"]
            cell["metadata"].pop("execution", None)
    notebook["metadata"].pop("widgets", None)
    notebook["metadata"].pop("papermill", None)
    text = json.dumps(notebook, sort_keys=True, indent=1, ensure_ascii=False)
    paths.write_atomically(source, f"{text}\n")


def _without_widget(output: dict[str, Any]) -> dict[str, Any]:
    """`output` in the form that readers without a kernel see."""
    data = output.get("data", {})
    return {**output, "data": {kind: data[kind] for kind in data if kind != WIDGET_VIEW}} if data else output


def check_parameters(lesson: Lesson, parameters: Mapping[str, Any]) -> None:
    """Refuse names that the lesson's parameters cell does not assign (papermill only warns).

    Raises:
        LessonError: naming the parameters there are.
    """
    if not parameters or lesson.problem:
        return
    cells = read_notebook(lesson.path).tagged("parameters")
    known = {name for cell in cells for name in assigned_names(cell.source)}
    for name in parameters:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise LessonError(
                f"Lesson {lesson.number} has no parameter {name!r}. It has: {names}.",
                lesson=lesson.number,
                parameter=name,
            )


def execute(chosen: Sequence[Lesson], settings: Settings, *, jobs: int | None = None) -> list[LessonRun]:
    """Run `chosen` side by side, longest first, and leave no kernel behind however this ends.

    Live lessons run one after the other: side by side, each would push the other's prompt out of the embedded
    model's cache, and every call would read its prompt anew.
    """
    workers = max(1, min(jobs or (1 if settings.replay == "off" else core_count()), len(chosen)))
    usual = usual_seconds() if workers > 1 else {}
    ordered = sorted(chosen, key=lambda lesson: -usual.get(lesson.name, 0.0))
    with _sole_writer(settings), Kernels(len(chosen)) as kernels, ThreadPoolExecutor(workers) as pool:
        try:
            runs = pool.map(lambda lesson: _run_one(lesson, settings, kernels), ordered)
            found = dict(zip(ordered, runs, strict=True))
        except BaseException:  # Ctrl-C: with their kernels gone, the threads end within a second
            pool.shutdown(wait=False, cancel_futures=True)
            kernels.stop()
            raise
    return [found[lesson] for lesson in chosen]


@contextlib.contextmanager
def _sole_writer(settings: Settings) -> Iterator[None]:
    """Own the output folder; what a killed run left half-written goes."""

    def refusal(holder: str) -> LessonError:
        return LessonError(
            f"Another run is writing to {settings.folder}{holder}. Wait until it has ended, then try again.",
            folder=settings.folder,
        )

    with sole_holder(settings.folder / ".lock", refusal):
        try:
            shutil.rmtree(settings.partial, ignore_errors=True)
            settings.partial.mkdir()
            yield
        finally:
            shutil.rmtree(settings.partial, ignore_errors=True)


def _run_one(lesson: Lesson, settings: Settings, kernels: Kernels) -> LessonRun:
    if lesson.problem:
        unreadable = CellError(None, None, "LessonError", lesson.problem)
        return LessonRun(lesson, None, 0.0, 0, error=unreadable)
    bar = LessonBar(lesson, len(read_notebook(lesson.path).code_cells))
    progress = CellProgress(bar)
    # Only now, because the fork server does its own, longer imports meanwhile.
    import aicourse.tooling.course.light_nbformat  # noqa: F401  (first: see there)
    from aicourse.tooling.course.engine import run_lesson

    manager, output = kernels.new_manager(AsyncKernelManager), settings.partial / lesson.path.name
    environment = settings.environment(lesson)
    work = settings.work(lesson)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    error = run_lesson(lesson.path, output, work, settings.parameters, environment, manager, progress)
    with contextlib.suppress(OSError):  # not empty: the lesson wrote files
        work.rmdir()
    if kernels.stopped:  # Ctrl-C, not the lesson's fault: neither told nor published
        raise CancelledError
    seconds = bar.end("failed", str(error)) if error else bar.end("passed")
    journal = read_journal(settings.journal(lesson))
    return LessonRun(lesson, _publish(lesson, settings), seconds, progress.cells, journal, error)


def _publish(lesson: Lesson, settings: Settings) -> Path | None:
    """Move the whole notebook to where readers look; None when papermill could not even open it."""
    partial = settings.partial / lesson.path.name
    return partial.replace(settings.folder / lesson.path.name) if partial.exists() else None

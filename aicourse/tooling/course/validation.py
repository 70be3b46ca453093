"""Prove that each lesson still shows what is stored in it: `aicourse validate`, part of `make test`.

Strict nbval (every output is compared, pictures by what is drawn in them, except what
`notebooks/nbval_sanitize.cfg` masks), then every cell again in the same kernel unless told to run them once,
then the figures' labels and the exercises; see `nbval_plugin`. Lessons are dealt to one pytest process per
core. On recorded replies only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aicourse import paths
from aicourse.errors import LessonError
from aicourse.notebook_json import Cell
from aicourse.processes import core_count
from aicourse.tooling.course.durations import usual_seconds
from aicourse.tooling.course.kernels import Kernels
from aicourse.tooling.course.notebooks import Lesson, lessons, read_notebook
from aicourse.tooling.course.progress import LessonBar

SANITIZE = "nbval_sanitize.cfg"
HEAD_LINES, TAIL_LINES = 15, 15
CELL_SECONDS = 0.5  # of a lesson whose usual seconds nobody stored


@dataclass(frozen=True)
class Extent:
    """Extent of a validation: one run or two, with figures and exercises or cells alone."""

    once: bool
    cells: bool

    @property
    def options(self) -> list[str]:
        """The options of pytest that leave out the rest."""
        return ["--aicourse-once"] * self.once + ["--aicourse-cells"] * self.cells

    def checks(self, cells: int) -> int:
        """The number of checks of a lesson with so many code cells."""
        return (1 if self.once else 2) * cells + (0 if self.cells else 2)  # figures and exercises


@dataclass(frozen=True)
class Failure:
    """A failed comparison; `cell` is None for a part that is not of one cell: file, figures, exercises."""

    cell: Cell | None
    part: str
    again: bool
    message: str

    @property
    def place(self) -> str:
        """Where, in words."""
        where = self.cell.place if self.cell else self.part
        return f"{where}, run a second time" if self.again else where

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True)
class LessonValidation:
    """One lesson's result; `checks` counts the cells compared, both times, and the parts after them."""

    lesson: Lesson
    seconds: float
    checks: int
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """True if the lesson shows what is stored in it."""
        return not self.failures


def validate(
    names: Sequence[str | Path] | None = None,
    *,
    jobs: int | None = None,
    once: bool = False,
    cells: bool = False,
) -> list[LessonValidation]:
    """Compare the outputs of the lessons in `names` (all by default) with those that a new run gives.

    `once` leaves out the second run, `cells` the figures and the exercises.

    Raises:
        LessonError: unknown lesson, or pytest itself failed.
    """
    chosen = lessons(names)
    readable = [lesson for lesson in chosen if not lesson.problem]
    hands = deal(readable, jobs or core_count())
    extent = Extent(once, cells)
    with Kernels(len(readable)) as kernels, ThreadPoolExecutor(max(1, len(hands))) as pool:
        try:
            found = list(pool.map(lambda hand: _run_pytest(hand, kernels, extent), hands))
        except BaseException:
            kernels.stop()
            raise
    results = {result.lesson.path: result for hand in found for result in hand}
    return [results.get(lesson.path) or _unreadable(lesson) for lesson in chosen]


def deal(chosen: Sequence[Lesson], hands: int) -> list[list[Lesson]]:
    """Deal the lessons out so that each hand takes about as long as the others, by their usual seconds."""
    usual = usual_seconds()
    sizes = {
        lesson: usual.get(lesson.name) or CELL_SECONDS * len(read_notebook(lesson.path).code_cells)
        for lesson in chosen
    }
    dealt: list[list[Lesson]] = [[] for _ in range(min(hands, len(chosen)))]
    for lesson in sorted(chosen, key=lambda lesson: -sizes[lesson]):
        min(dealt, key=lambda hand: sum(sizes[other] for other in hand)).append(lesson)
    return dealt


def _unreadable(lesson: Lesson) -> LessonValidation:
    return LessonValidation(lesson, 0.0, 0, (Failure(None, "file", False, lesson.problem or "not run"),))


def _run_pytest(hand: Sequence[Lesson], kernels: Kernels, extent: Extent) -> list[LessonValidation]:
    log = kernels.folder / f"pytest-{hand[0].name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_command(kernels), *extent.options, *(str(lesson.path) for lesson in hand)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            env=_environment(),
            text=True,
            encoding="utf-8",
        )
        found = list(_follow(process, hand, extent))
        code = process.wait()
    if code not in (0, 1):
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["no reason given"]
        raise LessonError(f"pytest ended with code {code}: {lines[-1]}. Check with: aicourse doctor")
    return found


def _command(kernels: Kernels) -> list[str]:
    settings = kernels.folder / "pytest.ini"  # the course's own has options for unit tests
    settings.write_text("[pytest]\nverbosity_assertions = 2\n")  # whole differences
    sanitize = paths.notebooks_dir() / SANITIZE
    return [
        *(sys.executable, "-m", "pytest", "--quiet", "--color=no", "--capture=no"),
        *(f"--config-file={settings}", "-p", "no:cacheprovider"),
        *("-p", "aicourse.tooling.course.light_nbformat", "-p", "nbval.plugin"),
        *("-p", "aicourse.tooling.course.nbval_plugin", f"--aicourse-sockets={kernels.folder}"),
        *([f"--aicourse-forks={kernels.address}"] if kernels.address else []),
        *([f"--nbval-sanitize-with={sanitize}"] if sanitize.is_file() else []),
    ]


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "AICOURSE_REPLAY": "only",
        "AICOURSE_UNATTENDED": "1",
        "AICOURSE_HOME": str(paths.course_dir()),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # plugins that a lesson does not need cost seconds
        "PYTEST_ADDOPTS": "",
    }


def _follow(
    process: subprocess.Popen[str], hand: Sequence[Lesson], extent: Extent
) -> Iterator[LessonValidation]:
    """Read results as they come; pytest runs the lessons in the order of `hand`."""
    assert process.stderr is not None
    results = (json.loads(line) for line in process.stderr if line.startswith("{"))
    waiting = next(results, None)
    for lesson in hand:
        bar = LessonBar(lesson, extent.checks(len(read_notebook(lesson.path).code_cells)))
        checks, failures, raised = 0, dict[object, Failure](), False
        while waiting and waiting["notebook"] == str(lesson.path):
            checks += 1
            bar.update()
            if not waiting["passed"] and not raised:  # a cell that fails both times is told once
                failures.setdefault((waiting["cell"], waiting["part"].split()[0]), _failure(waiting, lesson))
                raised = waiting["raised"]  # the cells after it lack what it would have made
            waiting = next(results, None)
        first = next(iter(failures.values()), None)
        seconds = bar.end(f"failed in {first.place}" if first else "passed")
        yield LessonValidation(lesson, seconds, checks, tuple(failures.values()))


def _failure(result: Mapping[str, Any], lesson: Lesson) -> Failure:
    """nbval numbers all code cells from 0; readers count every cell from 1."""
    if result["cell"] is None:
        return Failure(None, result["part"], False, result["message"])
    code = [cell for cell in read_notebook(lesson.path).cells if cell.is_code]
    return Failure(code[result["cell"]], "", result["again"], _shorten(result["message"]))


def _shorten(message: str) -> str:
    """Without the middle of a long traceback, which runs through other people's packages."""
    lines = message.splitlines()
    if len(lines) <= HEAD_LINES + TAIL_LINES:
        return message
    return "\n".join([*lines[:HEAD_LINES], "    …", *lines[-TAIL_LINES:]])

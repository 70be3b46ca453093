"""Running submissions in the sandbox, against a bare fork, papermill, nbgrader and otter-grader in one run.

`NBGRADER_BIN` and `OTTER_BIN` name virtual environments (see `grading_peers`); without them their rows are
missing. Machines are noisy: quote ratios and CPU seconds.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grading_homework as homework
import grading_peers as peers
import psutil
from grading_peers import Run

from aicourse.tooling.grading.sandbox import cgroups, leftovers
from aicourse.tooling.grading.sandbox.execution import Execution, Job, StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox
from aicourse.tooling.grading.sandbox.view import STUDENT

CALLS = tuple(
    StudentCall(exercise.name, arguments)
    for exercise in homework.EXERCISES
    for arguments, _ in (exercise.public, exercise.hidden)
)
EXPECTED = [value for exercise in homework.EXERCISES for _, value in (exercise.public, exercise.hidden)]


def measure() -> list[dict[str, Any]]:
    """All figures; a list of dicts as `__main__` describes."""
    results: list[dict[str, Any]] = []
    students = homework.submissions(20)
    with (
        tempfile.TemporaryDirectory() as folder,
        _temporary_files_in(Path(folder) / "tmp"),
        Sandbox() as sandbox,
    ):
        ours = [in_sandbox(sandbox, students)]
        fork = peers.bare_fork(students)
        few = dict(list(students.items())[:4])
        stock = peers.papermill(few, Path(folder))
        rivals = list(_rivals(Path(folder), students))
        ours.append(in_sandbox(sandbox, students))
        best = min(ours, key=lambda run: run.seconds)
        cpu = min(run.cpu_seconds for run in ours) / len(students)
        results += [
            result("submissions a minute, 2 at a time", 60 * len(students) / best.seconds, "/min"),
            result("CPU a submission", cpu, "s"),
            result("wrong points", _wrong(best, students), "", 0),
            result("CPU: times a bare fork", cpu / (fork.cpu_seconds / len(students)), "x"),
            result("CPU: papermill's share", cpu / (stock.cpu_seconds / len(few)), "x"),
        ]
        for name, run, factor in rivals:
            results += [
                result(
                    f"submissions a minute: share that {name} reaches",
                    best.seconds / run.seconds,
                    "x",
                    1 / factor,
                ),
                result(f"CPU a submission: times {name}", cpu / (run.cpu_seconds / len(students)), "x", 0.1),
                result(f"{name}: submissions a minute", 60 * len(students) / run.seconds, "/min"),
                result(f"{name}: wrong points", _wrong(run, students), ""),
            ]
        results += [*_kernels(sandbox), *_leaks(sandbox)]
    return results


def _rivals(folder: Path, students: dict[str, tuple[str, ...]]) -> Any:
    tools: tuple[tuple[str, str, Callable[..., Run], int], ...] = (
        ("nbgrader", "NBGRADER_BIN", peers.nbgrader, 10),
        ("otter run", "OTTER_BIN", peers.otter, 15),
    )
    for name, variable, grade, factor in tools:
        if bin_folder := os.environ.get(variable):
            own = folder / name.split()[0]
            own.mkdir()
            yield name, grade(students, own, bin_folder), factor


def in_sandbox(sandbox: Sandbox, students: dict[str, tuple[str, ...]]) -> Run:
    """Run and judge every submission, two at a time; CPU is the grader's, the zygote's and the kernels'."""
    from aicourse.tooling.grading.sandbox.launching import Zygote

    zygote: Zygote = sandbox._start()._zygote  # type: ignore[attr-defined]
    process = psutil.Process(zygote._server.process.pid)
    before = sum(process.cpu_times()[:2]) + sum(os.times()[:2])
    kernels: list[float] = []

    def grade(kinds: tuple[str, ...]) -> float:
        execution = sandbox.execute(Job(notebook(kinds), CALLS))
        kernels.append(execution.cpu_seconds)
        return float(points(execution))

    started = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        given = dict(zip(students, pool.map(grade, students.values()), strict=True))
    seconds = time.perf_counter() - started
    cpu = sum(process.cpu_times()[:2]) + sum(os.times()[:2]) - before + sum(kernels)
    return Run(seconds, cpu, given)


def notebook(kinds: tuple[str, ...]) -> dict[str, Any]:
    """A submission as plain data."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for n, source in enumerate(homework.cells(kinds))
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def points(execution: Execution) -> int:
    """One for each answer that is as expected."""
    pairs = zip(execution.answers, EXPECTED, strict=True)
    return sum(answer.kind == "returned" and answer.value == value for answer, value in pairs)


def _wrong(run: Run, students: dict[str, tuple[str, ...]]) -> int:
    return sum(run.points.get(name) != homework.expected(kinds) for name, kinds in students.items())


def _kernels(sandbox: Sandbox) -> list[dict[str, Any]]:
    """How soon a kernel answers, and how much memory is its own after a submission."""
    starter, job = sandbox._start(), Job(notebook(("blank",) * len(homework.EXERCISES)))
    ready, private = [], []
    for _ in range(20):
        started = time.perf_counter()
        kernel = starter.start(job)
        kernel.channel.receive(time.monotonic() + 60)
        ready.append(time.perf_counter() - started)
        for number, source in enumerate(homework.cells(("right",) * len(homework.EXERCISES))):
            kernel.channel.send({"do": "cell", "id": number, "cell": "", "source": source, "output": 1 << 20})
            while kernel.channel.receive(time.monotonic() + 60).get("done") != number:
                continue
        private.append(max(_private_memory(child) for child in _kernel_processes(starter)) / 1e6)
        kernel.end()
    return [
        result("kernel ready in the sandbox, median", statistics.median(ready), "s", 0.15),
        result("kernel ready in the sandbox, best", min(ready), "s"),
        result("private memory of a kernel", statistics.median(private), "MB", 60),
    ]


def _kernel_processes(starter: Any) -> list[int]:
    zygote = psutil.Process(starter._zygote._server.process.pid)
    return [grandchild.pid for child in zygote.children() for grandchild in child.children()]


def _private_memory(process: int) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def _leaks(sandbox: Sandbox) -> list[dict[str, Any]]:
    """What is left after some hundred submissions: processes, handles, threads, folders; and memory."""
    count = int(os.environ.get("LEAK_RUNS", "300"))
    students = homework.submissions(count)
    in_sandbox(sandbox, homework.submissions(20))
    gc.collect()  # and time for the last process of these to end
    before, memory = _traces(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = in_sandbox(sandbox, students)
    gc.collect()
    after = _traces()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1e3
    return [
        result(
            f"left behind by {count} submissions",
            len(after - before),
            "",
            0,
        ),
        result(f"wrong points in {count} submissions", _wrong(run, students), "", 0),
        result(f"memory that the grader gained in {count} submissions", grown, "MB", 50),
        result(f"submissions a minute over {count}", 60 * count / run.seconds, "/min"),
    ]


@contextlib.contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Make temporary files there, where nobody else does."""
    folder.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _traces() -> set[str]:
    """What this grader has made that is there now: on a shared machine others come and go meanwhile."""
    children = {f"process {child.pid} {child.create_time()}" for child in psutil.Process().children(True)}
    handles = {f"handle {number}" for number in range(len(os.listdir("/proc/self/fd")))}
    threads = {f"thread {number}" for number in range(threading.active_count())}
    places = [Path(tempfile.gettempdir()), *cgroups.places()]
    made = {str(path) for place in places for path in place.glob(f"{leftovers.own_prefix()}*")}
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    return children | handles | threads | made | {mount for mount in mounts if f" {STUDENT}" in mount}


def result(name: str, value: float, unit: str, target: float | None = None) -> dict[str, Any]:
    """One figure."""
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "target": target,
        "ok": None if target is None else value <= target,
    }

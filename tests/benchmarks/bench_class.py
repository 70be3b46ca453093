"""A class of 1,000 generated submissions, graded in one run in the real sandbox: rate, memory, leaks.

`AICOURSE_BENCH_SUBMISSIONS` grades fewer. Peak memory is that of this process and all below it (proportional
set size where Linux tells it), sampled twice a second. Nothing may stay: no process, descriptor or folder.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from aicourse.errors import SandboxError
from aicourse.processes import core_count
from aicourse.tooling.grading.judging.grade import Options, grade
from aicourse.tooling.grading.sandbox.executor import Sandbox

sys.path.insert(0, str(Path(__file__).parents[1] / "tooling" / "grading"))
import fakes

SUBMISSIONS = int(os.environ.get("AICOURSE_BENCH_SUBMISSIONS", "1000"))
ANSWERS = (
    fakes.RIGHT_Q1,
    fakes.FIRST_NUMBER,
    "def read_size(text):\n    return 80",
    "def read_size(text):\n    return (",
)


def measure() -> list[dict[str, Any]]:
    """Grade the class once."""
    with tempfile.TemporaryDirectory(prefix="bench-class-") as name:
        root = Path(name)
        (root / "t").mkdir()
        tempfile.tempdir = str(root / "t")  # so that folders of other programs do not count
        assignment = fakes.small_assignment(root / "hw")
        write_class(root / "in")
        before = left_behind()
        try:
            with Sandbox() as sandbox, watched() as memory:
                started = time.perf_counter()
                summary = grade(
                    assignment, root / "in", root / "out", sandbox.execute, options=Options(progress=False)
                )
                seconds = time.perf_counter() - started
        except SandboxError as error:
            return [result(f"class of {SUBMISSIONS}: skipped, {error.message}", 0, "")]
        stayed = {kind: sorted(found - before[kind])[:5] for kind, found in left_behind().items()}
        tempfile.tempdir = None
    names = f"class of {len(summary.outcomes):,}, {core_count()} cores"
    return [
        result(f"{names}: rate", len(summary.outcomes) / seconds * 60, "submissions/min"),
        result(f"{names}: peak memory of all processes", memory.peak / 1e6, "MB"),
        result(f"{names}: not graded", summary.count("failed"), "submissions", 0),
        *(
            result(f"{names}: {kind} left behind", len(found), str(found or ""), 0)
            for kind, found in stayed.items()
        ),
    ]


def result(name: str, value: float, unit: str, target: float | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 1),
        "unit": unit,
        "target": target,
        "ok": None if target is None else value <= target,
    }


def write_class(folder: Path) -> None:
    """Students of four kinds, each with their own text and numbers."""
    draw = random.Random(1)
    students = {
        f"s{number:04}": fakes.submission(
            q1=draw.choice(ANSWERS), q3=f"My {number}th thought: {draw.random()}"
        )
        for number in range(SUBMISSIONS)
    }
    fakes.hand_in(folder, **students)


def left_behind() -> dict[str, set[str]]:
    """What a run could leave: children, open files and sockets, folders for temporary files."""
    process = psutil.Process()
    files = set(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else set()
    return {
        "processes": {str(child.pid) for child in process.children(recursive=True)},
        "descriptors": files,
        "temporary folders": set(os.listdir(tempfile.gettempdir())),
    }


@dataclass
class Memory:
    """The most that was seen, in bytes."""

    peak: int = 0


@contextlib.contextmanager
def watched() -> Iterator[Memory]:
    """Watch the memory of this process tree from a thread."""
    memory, done = Memory(), threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            memory.peak = max(memory.peak, tree_memory())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        done.set()
        thread.join()


def tree_memory() -> int:
    """Bytes of this process and all below it; pages that forks share count once."""
    process, total = psutil.Process(), 0
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            full = one.memory_full_info()
            total += getattr(full, "pss", full.rss)
    return total

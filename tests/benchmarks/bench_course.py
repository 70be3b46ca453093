"""Running and validating lessons against stock papermill and stock nbval, on the same notebooks.

The course is the shipped lessons. Each side gets recorded replies only; stock tools take one lesson after
the other, which is what they offer. What the lessons compute themselves is the same on both sides: the more
of it they have, the nearer the share of the wall comes to one over the number of cores.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aicourse import paths

RUN = "from aicourse.tooling import course\nassert not [r.error for r in course.run(save={save}) if r.error]"
VALIDATE = """
from aicourse.tooling import course

assert all(lesson.passed for lesson in course.validate(once=True, cells=True))
"""
STOCK_RUN = """
import os, sys
import papermill

os.makedirs(sys.argv[1])
for path in sys.argv[2:]:
    papermill.execute_notebook(path, os.path.join(sys.argv[1], os.path.basename(path)), progress_bar=False)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of the processors."""

    wall: float
    cpu: float


def run_python(
    arguments: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str], codes: tuple[int, ...]
) -> Cost:
    """Run this Python with `arguments`; an exit code that is not in `codes` ends the benchmark."""
    before, started = os.times(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.perf_counter() - started, os.times()
    if done.returncode not in codes:
        raise SystemExit(
            f"{arguments} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall, cpu)


def measure() -> list[dict[str, Any]]:
    """Wall and CPU seconds per lesson for each side, and the ratios that the design asks for."""
    with tempfile.TemporaryDirectory(prefix="aicourse-bench-") as folder:
        home = Path(folder)
        notebooks = make_course(home)
        environment = {
            "AICOURSE_HOME": str(home),
            "AICOURSE_STATE": str(home / "state"),
            "AICOURSE_REPLAY": "only",
            "AICOURSE_UNATTENDED": "1",
        }

        def run(*arguments: str | Path, codes: tuple[int, ...] = (0,)) -> Cost:
            return run_python(arguments, folder=home / "notebooks", environment=environment, codes=codes)

        run("-c", RUN.format(save=True))  # stores the outputs that nbval compares, and fills disk caches
        ours = run("-c", RUN.format(save=False))
        api = run("-c", STOCK_RUN, home / "stock", *notebooks)
        sanitize = f"--nbval-sanitize-with={home / 'notebooks' / 'nbval_sanitize.cfg'}"
        nbval: list[str | Path] = [
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--nbval",
            sanitize,
            *notebooks,
        ]
        # Its cells are not in IPython's history, so a `;` at a cell's end hides nothing, and it tells so.
        stock = run(*nbval, codes=(0, 1))
        validated = run("-c", VALIDATE)
    sides = {
        "aicourse run": ours,
        "papermill, one process": api,
        "aicourse validate, cells once": validated,
        "pytest --nbval": stock,
    }
    lessons = len(notebooks)
    return [
        figure("run: wall, share of papermill in one process", ours.wall / api.wall, "", 1 / 3),
        figure("validate, cells once: wall, share of pytest --nbval", validated.wall / stock.wall, "", 1 / 2),
        figure("run: CPU, share of papermill in one process", ours.cpu / api.cpu, ""),
        figure("validate, cells once: CPU, share of pytest --nbval", validated.cpu / stock.cpu, ""),
        *(figure(f"{name}: wall per lesson", cost.wall / lessons, "s") for name, cost in sides.items()),
        *(figure(f"{name}: CPU per lesson", cost.cpu / lessons, "s") for name, cost in sides.items()),
    ]


def make_course(home: Path) -> list[Path]:
    """A copy of the course at `home`; its notebooks in order."""
    shutil.copytree(paths.notebooks_dir(), home / "notebooks", ignore=shutil.ignore_patterns("build", ".*"))
    shutil.copytree(paths.datasets_dir(), home / "datasets")
    return sorted((home / "notebooks").glob("[0-9][0-9]-*.ipynb"))


def figure(name: str, value: float, unit: str, target: float | None = None) -> dict[str, Any]:
    """One result, as the runner takes it; without a target it is told, not judged."""
    ok = None if target is None else value <= target
    return {"name": name, "value": round(value, 3), "unit": unit, "target": target, "ok": ok}

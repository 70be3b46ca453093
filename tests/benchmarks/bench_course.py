"""Running and validating lessons against stock papermill and stock nbval, on the same notebooks.

The course is the shipped lessons, plus copies of the fixture lesson to make it `LESSONS` long. Each side
gets recorded replies only and writes executed notebooks; stock tools take one lesson after the other,
which is what they offer.
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
from aicourse.tooling import course

LESSONS = 8
FIXTURE = Path(__file__).parent.parent / "notebooks" / "lint"
RUN = "from aicourse.tooling import course\nassert not [r.error for r in course.run(save={save}) if r.error]"
VALIDATE = "from aicourse.tooling import course\nassert all(v.passed for v in course.validate(once={once}))"
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

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall + other.wall, self.cpu + other.cpu)


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
        command = Cost(0, 0)
        for path in notebooks:
            command += run("-m", "papermill", "--no-progress-bar", path, home / "stock" / path.name)
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
        once = run("-c", VALIDATE.format(once=True))
        twice = run("-c", VALIDATE.format(once=False))
    sides = {
        "aicourse run": ours,
        "papermill, one process": api,
        "papermill, its command": command,
        "aicourse validate, once": once,
        "aicourse validate, twice and figures": twice,
        "pytest --nbval": stock,
    }
    return [
        figure("run: wall, share of papermill in one process", ours.wall / api.wall, "", 1 / 3),
        figure("validate once: wall, share of pytest --nbval", once.wall / stock.wall, "", 1 / 2),
        figure("run: CPU, share of papermill in one process", ours.cpu / api.cpu, ""),
        figure("validate once: CPU, share of pytest --nbval", once.cpu / stock.cpu, ""),
        *(figure(f"{name}: wall per lesson", cost.wall / LESSONS, "s") for name, cost in sides.items()),
        *(figure(f"{name}: CPU per lesson", cost.cpu / LESSONS, "s") for name, cost in sides.items()),
    ]


def make_course(home: Path) -> list[Path]:
    """A course at `home` of the shipped lessons and copies of the fixture lesson; its notebooks in order."""
    shutil.copytree(paths.notebooks_dir(), home / "notebooks", ignore=shutil.ignore_patterns("build", ".*"))
    shutil.copytree(paths.datasets_dir(), home / "datasets")
    checks = (FIXTURE / "checks" / "lesson_90.py").read_text(encoding="utf-8")
    path = home / "notebooks" / "checks" / "lesson_90.py"
    path.write_text(f"{checks}\ndel exercises[3]  # for another fixture\n", encoding="utf-8")
    for number in range(90, 90 + LESSONS - len(course.lessons())):
        shutil.copy(FIXTURE / "good.ipynb", home / "notebooks" / f"{number}-good.ipynb")
    return sorted((home / "notebooks").glob("[0-9][0-9]-*.ipynb"))


def figure(name: str, value: float, unit: str, target: float | None = None) -> dict[str, Any]:
    """One result, as the runner takes it; without a target it is told, not judged."""
    ok = None if target is None else value <= target
    return {"name": name, "value": round(value, 3), "unit": unit, "target": target, "ok": ok}

"""Every check that a change must pass, one after the other: what `make test` and CI run.

Each step is a process of its own, so that one that crashes stops nothing; the summary at the end names
each that failed and how to repeat it alone. The lessons are checked on recorded replies only, so `lessons`
finds a reply that is missing; `lessons-twice` also runs every cell a second time, and `recordings` finds the
idle replies. The steps in `LONG_STEPS` run only when asked for, which `make test-all` does on the oldest and
the newest Python.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aicourse import paths
from aicourse.errors import AicourseError
from aicourse.processes import core_count

# Name of a step -> the arguments after `python -m`.
STEPS: Mapping[str, tuple[str, ...]] = {
    "style": ("ruff", "check", "--output-format", "concise", "."),
    "format": ("ruff", "format", "--check", "--output-format", "concise", "."),
    "types": ("mypy",),
    "notebooks": ("aicourse", "lint"),
    "tests": ("pytest", "--quiet", "-m", "not slow", "--numprocesses", "auto", "--dist", "loadfile"),
    "lessons": ("aicourse", "validate", "--once"),
    "lessons-twice": ("aicourse", "validate"),
    "recordings": ("aicourse", "record", "--check"),
    "slow-tests": ("pytest", "--quiet", "-m", "slow"),
    "stock-nbval": (
        *("pytest", "--quiet", "--nbval", "--nbval-sanitize-with=notebooks/nbval_sanitize.cfg", "notebooks"),
        *("--ignore=notebooks/checks", "--ignore=notebooks/build"),
    ),
}
LONG_STEPS = ("lessons-twice", "recordings", "slow-tests", "stock-nbval")
# Whatever this user has configured, here or in a .env file: recorded replies of the shipped lessons.
SETTINGS = {"AICOURSE_REPLAY": "only", "AICOURSE_PROVIDER": ""}
NEW_STUDENT = ("stock-nbval",)  # steps that begin as after a fresh clone: no progress, no runs of before
DEVELOPMENT_TOOLS = ("ruff", "mypy", "pytest", "xdist", "hypothesis")

Runner = Callable[[Sequence[str], Path, Mapping[str, str]], int]


@dataclass(frozen=True)
class StepResult:
    """The outcome of one step."""

    name: str
    passed: bool
    seconds: float


def run_steps(
    names: Sequence[str] = (), *, long: bool = False, run: Runner | None = None
) -> tuple[StepResult, ...]:
    """Run the named steps, else all but the long ones unless `long`; print a heading for each and a summary.

    Raises:
        AicourseError: no such step, or the development tools are not installed.
    """
    if unknown := [name for name in names if name not in STEPS]:
        raise AicourseError(f"No step {unknown[0]!r}. Choose from: {', '.join(STEPS)}.", step=unknown[0])
    if missing := [tool for tool in DEVELOPMENT_TOOLS if importlib.util.find_spec(tool) is None]:
        message = (
            f"{', '.join(missing)} not installed. Run: make setup  (or: python -m pip install -e '.[dev]')"
        )
        raise AicourseError(message, missing=missing)
    asked = names or [name for name in STEPS if long or name not in LONG_STEPS]
    results = tuple(_run_step(name, run or _run_process) for name in asked)
    print(_summary(results), flush=True)
    return results


def _run_step(name: str, run: Runner) -> StepResult:
    print(f"\n== {name}: {' '.join(STEPS[name])}", flush=True)
    started = time.perf_counter()
    command = [sys.executable, "-m", *STEPS[name]]
    # Tests of kernels and browsers wait half of their time: one worker more than there are cores.
    environment = {**os.environ, **SETTINGS, "PYTEST_XDIST_AUTO_NUM_WORKERS": str(core_count() + 1)}
    with ExitStack() as stack:
        if name in NEW_STUDENT:
            environment["AICOURSE_STATE"] = stack.enter_context(tempfile.TemporaryDirectory())
            stack.enter_context(_without(paths.course_dir() / "notebooks" / "build"))
        code = run(command, paths.course_dir(), environment)
    return StepResult(name, code == 0, time.perf_counter() - started)


@contextmanager
def _without(folder: Path) -> Iterator[None]:
    """A time in which `folder` is not there; what it held comes back afterwards."""
    kept = paths.course_dir() / "build"
    kept.mkdir(exist_ok=True)
    elsewhere = Path(tempfile.mkdtemp(prefix="set-aside-", dir=kept)) / folder.name
    if folder.exists():
        folder.rename(elsewhere)
    try:
        yield
    finally:
        if elsewhere.exists():
            shutil.rmtree(folder, ignore_errors=True)
            elsewhere.rename(folder)
        elsewhere.parent.rmdir()


def _run_process(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    return subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=False
    ).returncode


def _summary(results: Sequence[StepResult]) -> str:
    lines = ["", "== summary"]
    for result in results:
        verdict = "passed" if result.passed else "FAILED"
        repeat = "" if result.passed else f"   repeat: python -m aicourse test {result.name}"
        lines.append(f"{verdict}  {result.name:<10} {result.seconds:6.1f} s{repeat}")
    failed = sum(not result.passed for result in results)
    return "\n".join([*lines, f"steps: {len(results) - failed} passed, {failed} failed"])

"""Levels of protection that this machine offers, each really tried in a child process.

L4  as L3, and the kernel limits the memory of all processes together (a memory cgroup)
L3  namespaces of its own (files, network, processes, …), filtered system calls; memory is watched
L2  Landlock and the filter: files and network are closed, but the process table is shared
L1  limits, and a user id of its own (only root can give one)
L0  nothing: student code runs as you
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from aicourse.errors import SandboxError
from aicourse.html import NOTEBOOK, table
from aicourse.tooling.grading.sandbox.view import environment

LEVELS = ("L4", "L3", "L2", "L1", "L0")
DEFAULT = "L3"
_MEANING = {
    "L4": "namespaces, filtered system calls, memory limited by the kernel",
    "L3": "namespaces, filtered system calls, memory watched",
    "L2": "Landlock and filtered system calls",
    "L1": "limits and another user id",
    "L0": "no protection",
}
_CONTAINER = (
    "Grade in a Linux container (docker run --privileged, or podman run with user namespaces) or on a Linux "
    "machine. If you have read the notebooks and trust them: --trust-notebooks"
)
_PROBE_SECONDS = 60


def isolation(levels: Iterable[str]) -> str:
    """The levels that student code ran under, in one line; "" where none ran.

    >>> isolation(["L0", "", "L0"])
    'Isolation: L0 (no protection).'
    """
    found = set(levels)
    told = "; ".join(f"{name} ({_MEANING[name]})" for name in LEVELS if name in found)
    return f"Isolation: {told}." if told else ""


@dataclass(frozen=True)
class Level:
    """One level, and "" or the reason why it is not to be had."""

    name: str
    reason: str

    @property
    def works(self) -> bool:
        """True if a child process went through it."""
        return not self.reason

    @property
    def meaning(self) -> str:
        """The protections of a level."""
        return _MEANING[self.name]


@dataclass(frozen=True)
class LevelReport:
    """All levels, the strongest first; draws itself in a terminal and in a notebook."""

    levels: tuple[Level, ...]

    @property
    def best(self) -> str:
        """The strongest level that works."""
        return next(level.name for level in self.levels if level.works)

    def __getitem__(self, name: str) -> Level:
        return next(level for level in self.levels if level.name == name)

    def __str__(self) -> str:
        return "\n".join(
            f"{level.name}  {'yes' if level.works else 'no ':<3}  {level.meaning}"
            + (f": {level.reason}" if level.reason else "")
            for level in self.levels
        )

    def _repr_html_(self) -> str:
        rows = (
            (level.name, "yes" if level.works else "no", level.meaning, level.reason) for level in self.levels
        )
        return table("", ("level", "here", "what protects", "why not"), rows, NOTEBOOK)


@functools.cache
def probe_levels() -> LevelReport:
    """Try every level in a child process, once; 0.3 s."""
    if sys.platform != "linux":
        missing = f"{sys.platform} has no such protection"
        return LevelReport(tuple(Level(name, "" if name == "L0" else missing) for name in LEVELS))
    command = [sys.executable, "-s", "-P", "-m", "aicourse.tooling.grading.sandbox.probe"]
    try:
        answer = subprocess.run(
            command, env=environment(), cwd="/", capture_output=True, text=True, timeout=_PROBE_SECONDS
        )
        reasons = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        reasons = dict.fromkeys(LEVELS[:-1], f"the probe failed ({error})")
    return LevelReport(tuple(Level(name, str(reasons.get(name, ""))) for name in LEVELS))


def choose_level(least: str | None, *, trust_notebooks: bool) -> str:
    """The strongest level that works here, if it is at least `least` (L3 by default).

    Raises:
        SandboxError: it is weaker than asked for, or weaker than L2 and nobody trusts the notebooks.
    """
    least = least or (DEFAULT if not trust_notebooks else "L0")
    if least not in LEVELS:
        raise SandboxError(
            f"There is no level {least!r}. Use one of: {', '.join(LEVELS)}", level=least, found=""
        )
    report = probe_levels()
    best = report.best
    if LEVELS.index(best) > LEVELS.index(least):
        raise SandboxError(_refusal(report, least, best), level=least, found=best)
    if LEVELS.index(best) > LEVELS.index("L2") and not trust_notebooks:
        raise SandboxError(_refusal(report, "L2", best), level="L2", found=best)
    return best


def _refusal(report: LevelReport, least: str, best: str) -> str:
    wanted = report[least]
    message = f"Student code would not be protected enough here: {least} ({wanted.meaning}) does not work"
    message += f", because {wanted.reason}. "
    if best == "L2":
        return (
            message + "Accept Landlock and filtered system calls with --level L2, or do this: " + _CONTAINER
        )
    return message + _CONTAINER

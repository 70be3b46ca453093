"""What it costs to begin: `import aicourse`, and `aicourse --help`, each in a fresh process.

CPU time of the child, less that of a bare interpreter for the import; the median of several runs.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

import psutil

RUNS = 9


def measure() -> list[dict[str, Any]]:
    """The figures of one run: name, value, unit, target, ok."""
    bare = _median_cpu_seconds("-c", "pass")
    imported = _median_cpu_seconds("-c", "import aicourse") - bare
    shown = _median_cpu_seconds("-m", "aicourse", "--help")
    return [
        _row("import aicourse, over a bare interpreter", imported, 0.10),
        _row("aicourse --help, the whole process", shown, 0.50),
        _row("a bare interpreter", bare, None),
    ]


def _row(name: str, value: float, target: float | None) -> dict[str, Any]:
    ok = None if target is None else value <= target
    return {"name": name, "value": round(value, 3), "unit": "CPU s", "target": target, "ok": ok}


def _median_cpu_seconds(*arguments: str) -> float:
    return statistics.median(_cpu_seconds([sys.executable, *arguments]) for _ in range(RUNS))


def _cpu_seconds(command: list[str]) -> float:
    def spent() -> float:
        times = psutil.Process().cpu_times()
        return times.children_user + times.children_system

    before = spent()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return spent() - before

"""Run every benchmark (`make bench`), print a table, and write build/bench.json with facts of the machine.

    python tests/benchmarks [course replay …]

A benchmark is a file `bench_NAME.py` with `measure() -> list[dict]`; each dict has `name`, `value`, `unit`,
`target` (a number that the value must not exceed, or None) and `ok` (None without a target). Where
something is compared, both sides run in the same `measure()`, because machines differ and are rarely idle:
ratios carry over, seconds do not. A missed target ends with exit code 1.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from aicourse import paths

FOLDER = Path(__file__).parent
PACKAGES = ("openai", "papermill", "nbval", "ipykernel", "xllamacpp", "pandas")


def main(names: list[str]) -> None:
    """Measure the named benchmarks, or all."""
    known = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    if unknown := set(names) - set(known):
        sys.exit(f"No benchmark {unknown.pop()!r}. Choose from: {', '.join(known)}.")
    load_before = psutil.getloadavg()[0]
    results: list[dict[str, Any]] = []
    for name in names or known:
        started = time.perf_counter()
        measured = importlib.import_module(f"bench_{name}").measure()
        print(f"\n{name} ({time.perf_counter() - started:.0f} s)", flush=True)
        for result in measured:
            print(line(result), flush=True)
        results += [{"benchmark": name, **result} for result in measured]
    path = paths.build_dir() / "bench.json"
    content = {"machine": machine(load_before), "results": results}
    paths.write_atomically(path, json.dumps(content, indent=2) + "\n")
    missed = [result["name"] for result in results if result["ok"] is False]
    print(f"\n{len(results)} figures in {path}; missed: {', '.join(missed) or 'none'}")
    sys.exit(bool(missed))


def line(result: dict[str, Any]) -> str:
    """One figure as a line of the table."""
    target = "" if result["target"] is None else f"target {result['target']:g}"
    verdict = "" if result["target"] is None else "ok" if result["ok"] else "MISSED"
    return (
        f"  {result['name']:<58} {result['value']:>9.3f} {result['unit']:<6} {target:<13} {verdict}".rstrip()
    )


def machine(load_before: float) -> dict[str, Any]:
    """What the figures were measured on, and how busy it was."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
        "load_before": round(load_before, 2),
        "load_after": round(psutil.getloadavg()[0], 2),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    names = [text.partition(":")[2].strip() for text in lines if text.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main(sys.argv[1:])

"""What the tests of the sandbox share: notebooks from sources, short limits, a skip that names the level."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from aicourse.tooling.grading.sandbox.execution import Execution, Job, Limits, StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox
from aicourse.tooling.grading.sandbox.levels import probe_levels

HONEST = "def double(x):\n    return 2 * x"
SHORT = Limits(
    notebook_seconds=300.0,
    cell_seconds=60.0,  # nothing honest may fail on a busy machine
    memory=256 << 20,
    disk=16 << 20,
    files=500,
    processes=24,
    output=1 << 20,
    answer=100_000,
)


def notebook(*sources: str) -> dict[str, Any]:
    """A notebook of code cells."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{n}",
            "metadata": {},
            "source": s,
            "outputs": [],
            "execution_count": None,
        }
        for n, s in enumerate(sources)
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def run(sandbox: Sandbox, *sources: str, calls: Sequence[StudentCall] = (), **options: Any) -> Execution:
    """Execute `sources` with short limits."""
    return sandbox.execute(Job(notebook(*sources), calls=calls, **{"limits": SHORT, **options}))


def printed(execution: Execution) -> list[str]:
    """What each cell printed."""
    return [
        "".join(output.get("text", "") for output in cell["outputs"]) for cell in execution.notebook["cells"]
    ]


def skip_without(level: str) -> None:
    """Skip, naming the level and why it is missing."""
    found = probe_levels()[level]
    if not found.works:
        pytest.skip(f"{level} is not to be had here: {found.reason}")


def open_sandbox() -> Iterator[Sandbox]:
    """The best sandbox of this machine, at least L3."""
    skip_without("L3")
    with Sandbox() as sandbox:
        yield sandbox


def descendants() -> dict[int, str]:
    """Every process below this one: number and command."""
    found: dict[int, str] = {}
    waiting = [os.getpid()]
    while waiting:
        for child in _children(waiting.pop()):
            waiting.append(child)
            found[child] = _command(child)
    return found


def _children(process: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{process}/task")
        return [
            int(child)
            for thread in threads
            for child in open(f"/proc/{process}/task/{thread}/children", encoding="utf-8").read().split()
        ]
    except OSError:
        return []


def _command(process: int) -> str:
    try:
        return open(f"/proc/{process}/cmdline", encoding="utf-8").read().replace("\0", " ")
    except OSError:
        return ""


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

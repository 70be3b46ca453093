"""What the runner costs: beside a bare thread pool, beside other tools, and with 100,000 cases.

- Over a bare pool: 1,000 cases in this process over the same client, which asks a stub that answers at once,
  so the difference is ours. CPU time, in turns; the ratio of the fastest rounds, because load only ever adds.
- Other tools: each is a process of its own that asks one local endpoint 8 requests at a time (`evals_peers`).
  CPU time of 1,100 cases less that of 100, so that imports and start-up do not count; ratio ours / theirs.
  Skipped when not installed. inspect-ai and pydantic-evals are looked for in this Python and in the one that
  AICOURSE_BENCH_PYTHON names (they need not be compatible with the course); promptfoo on the PATH or where
  AICOURSE_BENCH_PROMPTFOO says. For example:

      python -m venv peers && peers/bin/pip install inspect-ai pydantic-evals openai
      npm install --prefix peers promptfoo
      AICOURSE_BENCH_PYTHON=peers/bin/python AICOURSE_BENCH_PROMPTFOO=peers/node_modules/.bin/promptfoo \
          python tests/benchmarks evals
- 100,000 cases of 2 KB: memory for each further one; size of the report, and how long it takes to write.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import evals_peers
import httpx2
import openai

from aicourse.evals import report, runner, runs
from aicourse.evals.cases import Case
from aicourse.evals.scorers import exact
from aicourse.testing.scripted import BASE_URL

CASES = 1_000
FEW, MANY = 100, 1_100
MANY_CASES = 100_000
WORKERS = 8
ROUNDS = 9
PEER_ROUNDS = 3
TARGET_RATIO = 1.15
TARGET_BYTES = 400  # of memory for each further case: its id and digest
TARGET_REPORT = 10.0  # MB of HTML, which a browser opens in about a second
SCRIPT = Path(evals_peers.__file__)


def measure() -> list[dict[str, Any]]:
    """The figures of one run: name, value, unit, target, ok."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_overhead(Path(folder)), *_peers(Path(folder)), *_size(Path(folder))]


# beside a bare pool


def _overhead(folder: Path) -> list[dict[str, Any]]:
    stub = httpx2.MockTransport(lambda request: httpx2.Response(200, json=evals_peers.REPLY))
    client = openai.OpenAI(base_url=BASE_URL, api_key="none", http_client=httpx2.Client(transport=stub))
    cases = [Case(id=str(number), input="Which colour?", expected="red") for number in range(CASES)]
    names = iter(range(ROUNDS + 1))

    def ask(case: Case) -> str | None:
        message: Any = {"role": "user", "content": case.input}
        return client.chat.completions.create(model="m", messages=[message]).choices[0].message.content

    def bare() -> None:
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(ask, cases))

    def ours() -> None:
        path = folder / f"{next(names)}.jsonl"
        runner.run(ask, cases, [exact()], path=path, workers=WORKERS, progress=False)

    bare(), ours()
    seconds = [(_seconds(ours), _seconds(bare)) for _ in range(ROUNDS)]
    ratio = min(one for one, _ in seconds) / min(other for _, other in seconds)
    return [_row(f"runner over bare pool, {CASES:,} cases, CPU", ratio, "x", TARGET_RATIO)]


def _seconds(function: Callable[[], None]) -> float:
    started = process_time()
    function()
    return process_time() - started


# beside other tools


def _peers(folder: Path) -> list[dict[str, Any]]:
    tools = {name: command for name, command in _commands().items() if command}
    if not tools:
        return []
    tools = {
        "pool": _python_tool(sys.executable, "pool"),
        "ours": _python_tool(sys.executable, "ours"),
    } | tools
    with _endpoint() as address:
        rounds = [
            {
                (name, cases): _child_seconds(command, address, cases, folder)
                for name, command in tools.items()
                for cases in (FEW, MANY)
            }
            for _ in range(PEER_ROUNDS)
        ]
    fastest = {key: min(one[key] for one in rounds) for key in rounds[0]}
    cost = {name: fastest[name, MANY] - fastest[name, FEW] for name in tools}
    return [
        _row(
            f"runner over {name}, {MANY - FEW:,} cases over HTTP, CPU", cost["ours"] / cost[name], "x", target
        )
        for name, target in ((name, None if name == "pool" else 1.0) for name in cost if name != "ours")
    ]


Command = Callable[[str, int, Path], list[str]]


def _commands() -> dict[str, Command | None]:
    """How each tool that is installed is started."""
    return {
        "inspect-ai": _find_python_tool("inspect", "inspect_ai"),
        "pydantic-evals": _find_python_tool("pydantic", "pydantic_evals"),
        "promptfoo": _find_promptfoo(),
    }


def _find_python_tool(name: str, module: str) -> Command | None:
    for python in filter(None, [os.environ.get("AICOURSE_BENCH_PYTHON"), sys.executable]):
        if subprocess.run([python, "-c", f"import {module}, openai"], capture_output=True).returncode == 0:
            return _python_tool(python, name)
    return None


def _python_tool(python: str, name: str) -> Command:
    return lambda address, cases, folder: [python, str(SCRIPT), name, address, str(cases), str(folder)]


def _find_promptfoo() -> Command | None:
    program = os.environ.get("AICOURSE_BENCH_PROMPTFOO") or shutil.which("promptfoo")
    if not program:
        return None

    def command(address: str, cases: int, folder: Path) -> list[str]:
        config = folder / "promptfooconfig.json"
        config.write_text(evals_peers.promptfoo_config(address, cases))
        quiet = ["--no-cache", "--no-progress-bar", "--no-table"]
        return [
            program,
            "eval",
            "-c",
            str(config),
            "-j",
            str(WORKERS),
            *quiet,
            "-o",
            str(folder / "out.json"),
        ]

    return command


def _child_seconds(command: Command, address: str, cases: int, folder: Path) -> float:
    """CPU seconds of a tool's process and of those that it starts."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        words = command(address, cases, Path(own))
        quiet = {
            "PROMPTFOO_DISABLE_TELEMETRY": "1",
            "PROMPTFOO_DISABLE_UPDATE": "1",
            "PROMPTFOO_CONFIG_DIR": own,
        }
        started = os.times()
        subprocess.run(words, check=True, capture_output=True, env=os.environ | quiet)
        ended = os.times()
        return sum(ended[2:4]) - sum(started[2:4])


@contextmanager
def _endpoint() -> Iterator[str]:
    server = subprocess.Popen([sys.executable, str(SCRIPT), "serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


# 100,000 cases


def _size(folder: Path) -> list[dict[str, Any]]:
    growth = (_peak(MANY_CASES, folder) - _peak(MANY_CASES // 100, folder)) / (0.99 * MANY_CASES)
    run = runs.load_run(folder / f"memory-{MANY_CASES}.jsonl")
    started = perf_counter()
    size = report.write_report(run, folder / "report.html").stat().st_size / 1e6
    return [
        _row(f"memory for each of {MANY_CASES:,} cases of 2 KB", growth, "bytes", TARGET_BYTES),
        _row(f"report of {MANY_CASES:,} cases, its size", size, "MB", TARGET_REPORT),
        _row(f"report of {MANY_CASES:,} cases, time to write", perf_counter() - started, "s", None),
    ]


def _peak(count: int, folder: Path) -> int:
    """The peak of memory while a set of `count` cases is streamed."""
    many = (Case(id=f"case-{number}", input="x" * 2_000) for number in range(count))
    tracemalloc.start()
    path = folder / f"memory-{count}.jsonl"
    runner.run(lambda case: case.input, many, [exact()], path=path, progress=False)
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest


def _row(name: str, value: float, unit: str, target: float | None) -> dict[str, Any]:
    ok = None if target is None else value <= target
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}

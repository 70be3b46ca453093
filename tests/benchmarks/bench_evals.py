"""What the runner costs: 1,000 cases beside a bare thread pool over the same client; the memory of 100,000.

The client asks a stub that answers at once, so the difference is ours. CPU time is measured, in turns and as
the median of the ratios: a busy machine does not distort it. Each record is scored and written to a file.
"""

from __future__ import annotations

import statistics
import tempfile
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import process_time
from typing import Any

import httpx2
import openai

from aicourse.evals import runner
from aicourse.evals.cases import Case
from aicourse.evals.scorers import exact
from aicourse.testing import BASE_URL

CASES = 1_000
MANY_CASES = 100_000
WORKERS = 8
ROUNDS = 5
TARGET_RATIO = 1.15
TARGET_BYTES = 400  # of memory for each further case: its id and digest
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
CHOICE = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "red"}}
REPLY = {
    "id": "1",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "choices": [CHOICE],
    "usage": USAGE,
}


def measure() -> list[dict[str, Any]]:
    """The figures of one run: name, value, unit, target, ok."""
    stub = httpx2.MockTransport(lambda request: httpx2.Response(200, json=REPLY))
    client = openai.OpenAI(base_url=BASE_URL, api_key="none", http_client=httpx2.Client(transport=stub))
    cases = [Case(id=str(number), input="Which colour?", expected="red") for number in range(CASES)]

    def ask(case: Case) -> str | None:
        message: Any = {"role": "user", "content": case.input}
        return client.chat.completions.create(model="m", messages=[message]).choices[0].message.content

    def bare() -> None:
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(ask, cases))

    with tempfile.TemporaryDirectory() as folder:
        names = iter(range(10 * ROUNDS))

        def ours() -> None:
            path = Path(folder) / f"{next(names)}.jsonl"
            runner.run(ask, cases, [exact()], path=path, workers=WORKERS, progress=False)

        bare(), ours()
        ratio = statistics.median(_seconds(ours) / _seconds(bare) for _ in range(ROUNDS))
        growth = _bytes_per_case(Path(folder))
    return [
        _row(f"runner over bare pool, {CASES:,} cases, CPU", ratio, "x", TARGET_RATIO),
        _row(f"memory for each of {MANY_CASES:,} cases of 2 KB", growth, "bytes", TARGET_BYTES),
    ]


def _seconds(function: Callable[[], None]) -> float:
    started = process_time()
    function()
    return process_time() - started


def _bytes_per_case(folder: Path) -> float:
    """How much the peak of memory grows with each case of a set that is streamed."""

    def peak(count: int) -> int:
        many = (Case(id=f"case-{number}", input="x" * 2_000) for number in range(count))
        tracemalloc.start()
        runner.run(
            lambda case: case.input, many, [exact()], path=folder / f"memory-{count}.jsonl", progress=False
        )
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    return (peak(MANY_CASES) - peak(MANY_CASES // 100)) / (0.99 * MANY_CASES)


def _row(name: str, value: float, unit: str, target: float) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": value <= target}

"""What the course's server adds to a call: beside llama.cpp's own HTTP endpoint, in one process, one model.

Both are asked the same prompt in turn (who goes first alternates), after it was asked once unmeasured, so
that llama.cpp's prompt cache helps both alike. Every call is short, which makes the overhead a large share:
real calls of a lesson take a second. Streams are read to their end.
Our server keeps the connection, as real clients use it; llama.cpp's listener hangs up at times, so each call
to it connects anew, which costs a fraction of a millisecond.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import httpx2

from aicourse.llm.catalog import DEFAULT_MODEL
from aicourse.tooling.localmodel import model_files
from aicourse.tooling.localmodel.process import ServerAddress
from aicourse.tooling.localmodel.server import backend, serving

CALLS = 40
TOKENS = 4
KEY = "known-to-this-benchmark"
MOST_MILLISECONDS, MOST_RATIO = 3.0, 1.05
RULES = "You extract attributes from second-hand listings. Answer in JSON, with what is stated only. " * 8


def measure() -> list[dict[str, Any]]:
    """The figures of one run: name, value, unit, target, ok."""
    if model_files.local_path(DEFAULT_MODEL) is None:
        reason = f"skipped, the model is not here: aicourse model pull {DEFAULT_MODEL}"
        return [{"name": reason, "value": 0.0, "unit": "", "target": None, "ok": None}]
    with _both_servers() as (ours, bare):
        return [
            row
            for name, stream in (("a call", False), (f"a stream of {TOKENS} tokens", True))
            for row in _rows(name, *_seconds(ours, bare, stream))
        ]


def _rows(name: str, ours: list[float], bare: list[float]) -> list[dict[str, Any]]:
    added = statistics.median(one - other for one, other in zip(ours, bare, strict=True)) * 1_000
    ratio = statistics.median(ours) / statistics.median(bare)
    ok = ratio <= MOST_RATIO or added <= MOST_MILLISECONDS  # either is enough
    return [
        {
            "name": f"{name}: what our server adds",
            "value": added,
            "unit": "ms",
            "target": MOST_MILLISECONDS,
            "ok": ok,
        },
        {
            "name": f"{name}: ours / llama.cpp's own",
            "value": ratio,
            "unit": "×",
            "target": MOST_RATIO,
            "ok": ok,
        },
    ]


def _seconds(ours: httpx2.Client, bare: httpx2.Client, stream: bool) -> tuple[list[float], list[float]]:
    """Seconds per call, pairwise for the same prompt at about the same time."""
    times: dict[httpx2.Client, list[float]] = {ours: [], bare: []}
    for index in range(CALLS):
        _ask(bare, index, stream)  # from here on its prompt is in the cache that both share
        for client in (ours, bare) if index % 2 else (bare, ours):
            started = time.perf_counter()
            _ask(client, index, stream)
            times[client].append(time.perf_counter() - started)
    return times[ours], times[bare]


def _ask(client: httpx2.Client, number: int, stream: bool) -> None:
    messages = [
        {"role": "system", "content": RULES},
        {"role": "user", "content": f"Listing {number}: navy jacket with white stripes, cotton, size 38."},
    ]
    body = {
        "model": DEFAULT_MODEL,
        "messages": messages,
        "temperature": 0,
        "max_tokens": TOKENS,
        "stream": stream,
    }
    client.post("/v1/chat/completions", json=body).raise_for_status()


@contextmanager
def _both_servers() -> Iterator[tuple[httpx2.Client, httpx2.Client]]:
    """A client of our server and one of the llama.cpp inside it."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, AICOURSE_STATE=folder):
        server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            address = json.loads(server.stdout.readline())
            with (
                _client(address["url"], address["token"], connections=1) as ours,
                # llama.cpp's own listener hangs up now and then, just when the next call begins
                _client(address["bare_url"], KEY, connections=0) as bare,
            ):
                yield ours, bare
        finally:
            server.terminate()
            server.wait()


def _client(url: str, token: str, *, connections: int) -> httpx2.Client:
    """A client that keeps so many connections between calls."""
    limits = httpx2.Limits(max_keepalive_connections=connections)
    headers = {"authorization": f"Bearer {token}"}
    return httpx2.Client(base_url=url, headers=headers, limits=limits, timeout=600)


def _serve() -> None:
    """Load the model, say where both servers are, and serve until terminated."""
    llama_backend = backend.LlamaBackend()
    with mock.patch.object(backend, "_PORT_KEY", KEY), llama_backend._slot.use(DEFAULT_MODEL) as llama:
        bare_url = llama.listening_address

    def announce(address: ServerAddress) -> None:
        print(json.dumps({"url": address.url, "token": address.token, "bare_url": bare_url}), flush=True)

    with mock.patch.object(serving, "LlamaBackend", return_value=llama_backend):
        serving.serve(announce=announce)


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        _serve()
    else:
        for row in measure():
            print(f"{row['value']:9.3f} {row['unit']}  {row['name']}  (target {row['target']})")

"""The marketplace beside a bare FastAPI route that reads one row of SQLite: 1,000 requests, 8 at once.

Each server is a process of its own with uvicorn, on the same database, and they are asked in turns of 50
requests, so that whatever else this machine does slows all. The client is the smallest there is. The
marketplace answers whole pages: browse, search, a listing, a seller's own listings; no model is asked. It
runs twice, with tracing and without. Processor time is told beside the waiting time, which a busy machine
blurs.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

REQUESTS, AT_ONCE, TURN = 1_000, 8, 50
MOST_RATIO, MOST_TRACING = 3.0, 1.05
KINDS = ("traced", "untraced", "bare")


@dataclass
class Server:
    """A server that was started, and the seconds that its answers took."""

    process: subprocess.Popen[str]
    ask: Callable[[str], tuple[float, int]]
    addresses: tuple[str, ...]
    seconds: list[float] = field(default_factory=list)
    errors: int = 0
    cpu_before: float = 0.0

    @property
    def cpu_seconds(self) -> float:
        """The processor time of the process so far."""
        return float(sum(psutil.Process(self.process.pid).cpu_times()[:2]))


def measure() -> list[dict[str, Any]]:
    """The figures of one run: name, value, unit, target, ok."""
    with tempfile.TemporaryDirectory() as folder, _serving(folder) as servers:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for server in servers.values():
                _turn(server, pool)
                server.seconds.clear()  # that was to warm it up
                server.cpu_before = server.cpu_seconds
            for _ in range(REQUESTS // TURN):
                for server in servers.values():
                    _turn(server, pool)
        errors = sum(server.errors for server in servers.values())
        p95 = {kind: float(np.quantile(server.seconds, 0.95)) * 1_000 for kind, server in servers.items()}
        cpu = {kind: server.cpu_seconds - server.cpu_before for kind, server in servers.items()}
    ratio, tracing = p95["traced"] / p95["bare"], cpu["traced"] / cpu["untraced"]
    return [
        _row("errors", errors, "", 0, errors == 0),
        _row("p95 of a page", p95["traced"], "ms", None, None),
        _row("p95: a page / the bare route", ratio, "×", MOST_RATIO, ratio <= MOST_RATIO),
        _row("processor time: a page / the bare route", cpu["traced"] / cpu["bare"], "×", None, None),
        _row("processor time: traced / untraced", tracing, "×", MOST_TRACING, tracing <= MOST_TRACING),
    ]


def _row(name: str, value: float, unit: str, target: float | None, ok: bool | None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}


def _turn(server: Server, pool: ThreadPoolExecutor) -> None:
    addresses = [server.addresses[number % len(server.addresses)] for number in range(TURN)]
    answers = list(pool.map(server.ask, addresses))
    server.seconds += [taken for taken, _ in answers]
    server.errors += sum(status != 200 for _, status in answers)


def _asking(port: int) -> Callable[[str], tuple[float, int]]:
    """Asks over one connection for each thread, kept between requests."""
    connections = threading.local()

    def ask(address: str) -> tuple[float, int]:
        if not hasattr(connections, "own"):
            connections.own = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        started = time.perf_counter()
        connections.own.request("GET", address)
        answer = connections.own.getresponse()
        answer.read()
        return time.perf_counter() - started, answer.status

    return ask


@contextmanager
def _serving(folder: str) -> Iterator[dict[str, Server]]:
    servers: dict[str, Server] = {}
    try:
        for kind in KINDS:  # the first one fills the database
            command = [sys.executable, __file__, kind, str(Path(folder) / "m.sqlite3")]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            port, listing = json.loads(process.stdout.readline())
            pages = ("/", "/?q=blue", f"/listings/{listing}", "/mine")
            servers[kind] = Server(process, _asking(port), pages if kind != "bare" else (f"/rows/{listing}",))
        yield servers
    finally:
        for server in servers.values():
            server.process.terminate()
            server.process.wait()


def _serve_market(path: str, *, traced: bool) -> None:
    from aicourse.marketplace.app import Marketplace, serve

    def announce(shop: Marketplace) -> None:
        told = (int(shop.url.rpartition(":")[2]), shop.store.published()[0].listing_id)
        print(json.dumps(told), flush=True)

    serve(Path(path), traced=traced, announce=announce)


def _serve_bare(path: str) -> None:
    import sqlite3

    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()
    connection = sqlite3.connect(path, check_same_thread=False)

    @app.get("/rows/{listing_id}")
    def row(listing_id: str) -> dict[str, str]:
        query = "SELECT title, description FROM listings WHERE listing_id = ?"
        title, description = connection.execute(query, (listing_id,)).fetchone()
        return {"title": title, "description": description}

    first = connection.execute("SELECT listing_id FROM listings").fetchone()[0]
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_keep_alive=75)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # as ours: no delays
    listener.bind(("127.0.0.1", 0))
    print(json.dumps((listener.getsockname()[1], first)), flush=True)
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    if not sys.argv[1:]:
        for row in measure():
            print(f"{row['value']:9.3f} {row['unit']}  {row['name']}  (target {row['target']})")
    elif sys.argv[1] == "bare":
        _serve_bare(sys.argv[2])
    else:
        _serve_market(sys.argv[2], traced=sys.argv[1] == "traced")

"""The server's own process: announce where it is, answer requests, leave when nobody has asked for long."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

import psutil
import uvicorn

from aicourse import paths
from aicourse.tooling.localmodel import process
from aicourse.tooling.localmodel.server.app import create_app
from aicourse.tooling.localmodel.server.backend import LlamaBackend
from aicourse.tooling.localmodel.server.guard import Line

IDLE_MINUTES = 30.0
CHECK_SECONDS = 5.0
STDERR = 2
KEEP_ALIVE_SECONDS = 75  # uvicorn's 5 would race with a client that pauses between calls
GRACE_SECONDS = 5  # for requests under way when it is stopped


def run(
    listener: socket.socket, idle_minutes: float | None, announce: Callable[[process.ServerAddress], None]
) -> None:
    """Serve on a listening socket until stopped, or idle for `idle_minutes` (None: never)."""
    token = secrets.token_urlsafe(32)
    app = create_app(LlamaBackend(), token)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    address = _state_address(listener.getsockname()[1], token)
    announce(address)
    try:
        asyncio.run(_serve(uvicorn.Server(config), listener, app.state.line, idle_minutes))
    finally:
        process.forget(address)


def _state_address(port: int, token: str) -> process.ServerAddress:
    own = psutil.Process()
    address = process.ServerAddress(f"http://127.0.0.1:{port}", token, own.pid, own.create_time())
    paths.write_atomically(process.state_file(), json.dumps(asdict(address)), mode=0o600)
    return address


async def _serve(
    server: uvicorn.Server, listener: socket.socket, line: Line, idle_minutes: float | None
) -> None:
    keeper = asyncio.create_task(_keep_house(server, line, idle_minutes))
    try:
        await server.serve(sockets=[listener])
    finally:
        keeper.cancel()


async def _keep_house(server: uvicorn.Server, line: Line, idle_minutes: float | None) -> None:
    idle_seconds = float("inf") if idle_minutes is None else 60 * idle_minutes
    while line.idle_seconds < idle_seconds:
        trim_log()
        await asyncio.sleep(min(idle_seconds, CHECK_SECONDS))
    server.should_exit = True


def trim_log() -> None:
    """Empty the background server's log when it has grown too large; a terminal is left alone."""
    with suppress(OSError):  # no log, or no stderr: nothing to trim
        log, own = process.log_file().stat(), os.fstat(STDERR)
        if os.path.samestat(log, own) and own.st_size > process.LOG_BYTES:
            os.ftruncate(STDERR, 0)
            os.lseek(STDERR, 0, os.SEEK_SET)  # where there is no append mode (Windows)

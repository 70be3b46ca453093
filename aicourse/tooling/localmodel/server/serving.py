"""The server's own process: announce where it is, answer requests, leave when nobody has asked for long."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from aicourse.errors import ServerError
from aicourse.tooling.localmodel import process
from aicourse.tooling.localmodel.process import ServerAddress
from aicourse.tooling.localmodel.server.app import create_app
from aicourse.tooling.localmodel.server.backend import LlamaBackend
from aicourse.tooling.localmodel.server.guard import WaitingLine

IDLE_MINUTES = 30.0
CHECK_SECONDS = 5.0
STDERR = 2
KEEP_ALIVE_SECONDS = 75  # uvicorn's 5 would race with a client that pauses between calls
GRACE_SECONDS = 5  # for requests under way when it is stopped


def serve(
    *,
    port: int = 0,
    idle_minutes: float | None = None,
    announce: Callable[[ServerAddress], None] = lambda where: None,
) -> None:
    """Run the server in this process until it is stopped, or idle for `idle_minutes` (None: never).

    `announce` is told the address as soon as it is known.

    Raises:
        ServerError: another one runs, or the port is taken.
    """
    try:
        process.folder().mkdir(parents=True, exist_ok=True)
        lock = process.only_one()
    except OSError as error:
        raise process.not_writable(error) from error
    with lock, listen(port) as listener:
        _run(listener, idle_minutes, announce)


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; from now on a connection waits instead of being refused."""
    # asyncio sends small writes at once (TCP_NODELAY) only where the protocol is named: else 40 ms per answer
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ServerError(
            f"Port {port} is taken ({error.strerror}). Choose another: aicourse serve --port 0"
        ) from error
    return listener


def _run(
    listener: socket.socket, idle_minutes: float | None, announce: Callable[[ServerAddress], None]
) -> None:
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
    own = process.announce(listener.getsockname()[1], token)
    announce(own)
    try:
        asyncio.run(_serve(uvicorn.Server(config), listener, app.state.line, idle_minutes))
    finally:
        process.forget(own)


async def _serve(
    server: uvicorn.Server, listener: socket.socket, line: WaitingLine, idle_minutes: float | None
) -> None:
    keeper = asyncio.create_task(_keep_house(server, line, idle_minutes))
    try:
        await server.serve(sockets=[listener])
    finally:
        keeper.cancel()


async def _keep_house(server: uvicorn.Server, line: WaitingLine, idle_minutes: float | None) -> None:
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

"""One server per user and machine: found, started when needed, stopped.

The state file (mode 0600) holds address, token and process; a lock file is held for as long as the server lives, so there are
never two. A server that was killed leaves its state behind: it is recognised by process number *and* start time, because numbers are used again.
The server is detached from whoever started it, so it outlives a kernel, and leaves by itself when nobody asked for half an hour.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock
import httpx2
import psutil

from aicourse import paths
from aicourse.errors import ServerError

IDLE_MINUTES = 30.0
START_SECONDS = 90.0  # a cold import of llama.cpp from a slow disk
LOG_BYTES = 1_000_000
IDLE_CHECKS_PER_MINUTE = 12


@dataclass(frozen=True)
class ServerAddress:
    """Where the server is and the token it wants; `started` is its process's start time (seconds since 1970)."""

    url: str
    token: str
    pid: int
    started: float

    def __repr__(self) -> str:
        return f"ServerAddress(url={self.url!r}, pid={self.pid})"


def running() -> ServerAddress | None:
    """The server of this user, if it lives."""
    try:
        address = ServerAddress(**json.loads(_state_file().read_text(encoding="utf-8")))
        alive = abs(psutil.Process(address.pid).create_time() - address.started) < 1
    except (OSError, ValueError, TypeError, psutil.Error):
        return None
    return address if alive else None


def ensure_running() -> ServerAddress:
    """The server of this user, started if there is none; waits until it answers.

    Raises:
        ServerError: it did not start; the last lines of its log are in the message.
    """
    if address := running():
        return address
    paths.state_dir().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(paths.state_dir() / "server-start.lock", timeout=2 * START_SECONDS):
        return running() or _start()


def stop() -> bool:
    """End the server if it runs; whether it did."""
    address = running()
    if address is None:
        return False
    process = psutil.Process(address.pid)
    process.terminate()
    try:
        process.wait(10)
    except psutil.TimeoutExpired:
        process.kill()
    return True


def serve(*, port: int = 0, idle_minutes: float | None = None) -> None:
    """Run the server in this process until it is stopped, or idle for `idle_minutes` (None: never).

    Raises:
        ServerError: another one runs, or the port is taken.
    """
    paths.state_dir().mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(paths.state_dir() / "server.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise ServerError("The server is running already. Its address: aicourse status") from None
    with lock, _listen(port) as listener:
        address = _announce(listener.getsockname()[1])
        try:
            asyncio.run(_run(listener, address.token, idle_minutes))
        finally:
            if running() == address:
                _state_file().unlink(missing_ok=True)


def log_file() -> Path:
    """Where a server in the background writes."""
    return paths.state_dir() / "server.log"


def _state_file() -> Path:
    return paths.state_dir() / "server.json"


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise ServerError(
            f"Port {port} is taken ({error.strerror}). Choose another: aicourse serve --port 0"
        ) from error
    return listener


def _announce(port: int) -> ServerAddress:
    process = psutil.Process()
    address = ServerAddress(
        f"http://127.0.0.1:{port}", secrets.token_urlsafe(32), process.pid, process.create_time()
    )
    paths.write_atomically(_state_file(), json.dumps(asdict(address)), mode=0o600)
    return address


async def _run(listener: socket.socket, token: str, idle_minutes: float | None) -> None:
    import uvicorn  # with the app: only in the server's own process

    from aicourse.llm.server.app import create_app
    from aicourse.llm.server.backend import LlamaBackend

    app = create_app(LlamaBackend(), token)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)

    async def leave_when_idle(seconds: float) -> None:
        while app.state.line.idle_seconds < seconds:
            await asyncio.sleep(min(seconds, 60 / IDLE_CHECKS_PER_MINUTE))
        server.should_exit = True

    watcher = None if idle_minutes is None else asyncio.create_task(leave_when_idle(60 * idle_minutes))
    await server.serve(sockets=[listener])
    if watcher is not None:
        watcher.cancel()


def _start() -> ServerAddress:
    log = log_file()
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.unlink()
    with log.open("ab") as output:
        detached = (
            {"creationflags": 0x00000008 | 0x00000200} if os.name == "nt" else {"start_new_session": True}
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "aicourse.llm.server"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=paths.state_dir(),
            close_fds=True,
            **detached,  # type: ignore[call-overload]  # by platform
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        address = running()
        if address is not None and _answers(address):
            return address
        time.sleep(0.05)
    if (address := running()) and _answers(address):  # somebody's `aicourse serve` was faster
        return address
    process.kill()
    raise ServerError(
        f"The embedded model's server did not start. {_last_lines()} Look with: aicourse doctor"
    )


def _answers(address: ServerAddress) -> bool:
    try:
        with httpx2.Client(trust_env=False, timeout=5) as client:
            return client.get(f"{address.url}/health").status_code == 200
    except httpx2.HTTPError:
        return False


def _last_lines(count: int = 5) -> str:
    text = log_file().read_text(encoding="utf-8", errors="replace") if log_file().exists() else ""
    lines = [line for line in text.splitlines() if line.strip()]
    return f"Its log ends: {' | '.join(lines[-count:])}." if lines else "Its log is empty."

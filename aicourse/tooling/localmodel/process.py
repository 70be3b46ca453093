"""One server per user and machine: found, started when needed, stopped.

The state file (mode 0600) holds address, token and process; a lock file is held for as long as the server
lives, so there are never two. A server that was killed leaves its state behind: it is recognised by process
number *and* start time, because numbers are used again. Both files lie in a folder named after the machine,
because a home may be shared by several.
The server is detached from whoever started it, so it outlives a kernel.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import httpx2
import psutil

from aicourse import paths
from aicourse.errors import ServerError

START_SECONDS = 90.0  # a cold import of llama.cpp from a slow disk
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
LOG_BYTES = 1_000_000
MODULE = "aicourse.tooling.localmodel.server"
# -P: the folder it runs in must not give it modules
COMMAND = (sys.executable, "-P", "-m", MODULE)


@dataclass(frozen=True)
class ServerAddress:
    """Where the server is and the token it wants; `started` is when its process did (seconds since 1970)."""

    url: str
    token: str
    pid: int
    started: float

    def __repr__(self) -> str:
        return f"ServerAddress(url={self.url!r}, pid={self.pid})"


def running() -> ServerAddress | None:
    """The server of this user on this machine, if it lives."""
    address = _stated()
    if address is None:
        return None
    try:
        found = psutil.Process(address.pid)
        # a killed server stays a zombie until the process that started it looks, and keeps its start time
        alive = found.status() != psutil.STATUS_ZOMBIE and abs(found.create_time() - address.started) < 1
    except (psutil.Error, ValueError, OverflowError):
        return None
    return address if alive else None


def ensure_running() -> ServerAddress:
    """The server of this user, started if there is none; waits until it answers.

    Raises:
        ServerError: it did not start; the last lines of its log are in the message.
    """
    if address := running():
        return address
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder() / "start.lock", timeout=2 * START_SECONDS):
            return running() or _start()
    except filelock.Timeout:
        raise ServerError(
            "Another program has been starting the embedded model's server for minutes. "
            "Look with: aicourse doctor"
        ) from None
    except OSError as error:
        raise _not_writable(error) from error


def stop() -> bool:
    """End the server if it runs; whether it did."""
    address = running()
    if address is None:
        return False
    with suppress(psutil.NoSuchProcess):  # it may leave by itself in between
        process = psutil.Process(address.pid)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
    forget(address)
    return True


def serve(
    *,
    port: int = 0,
    idle_minutes: float | None = None,
    announce: Callable[[ServerAddress], None] = lambda address: None,
) -> None:
    """Run the server in this process until it is stopped, or idle for `idle_minutes` (None: never).

    `announce` is told the address as soon as it is known.

    Raises:
        ServerError: another one runs, or the port is taken.
    """
    from aicourse.tooling.localmodel.server import serving  # with the app: only in the server's own process

    try:
        folder().mkdir(parents=True, exist_ok=True)
        lock = _only_one()
    except OSError as error:
        raise _not_writable(error) from error
    with lock, _listen(port) as listener:
        serving.run(listener, idle_minutes, announce)


def log_file() -> Path:
    """Where a server in the background writes."""
    return folder() / "server.log"


def state_file() -> Path:
    """Where a server says how to reach it."""
    return folder() / "server.json"


def folder() -> Path:
    """This machine's folder in the user's state."""
    machine = re.sub(r"[^A-Za-z0-9._-]", "_", socket.gethostname()) or "unnamed"
    return paths.state_dir() / "server" / machine


def forget(address: ServerAddress) -> None:
    """Delete the state file if it is that of `address`."""
    if _stated() == address:
        state_file().unlink(missing_ok=True)


def _stated() -> ServerAddress | None:
    """What the state file says, true or not."""
    try:
        entry = json.loads(state_file().read_text(encoding="utf-8"))
        return ServerAddress(
            str(entry["url"]), str(entry["token"]), int(entry["pid"]), float(entry["started"])
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None  # none, or not one of ours


def _only_one() -> AbstractContextManager[Any]:
    """The lock that the server holds; a dead process holds none."""
    try:
        return filelock.FileLock(folder() / "server.lock").acquire(timeout=0)
    except filelock.Timeout:
        raise ServerError("The server is running already. Its address: aicourse status") from None


def _listen(port: int) -> socket.socket:
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


def _start() -> ServerAddress:
    process = _spawn()
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        address = running()
        if address is not None and _answers(address):
            return address
        if ended and address is None:
            break
        time.sleep(POLL_SECONDS)
    if address := _survivor():
        return address
    process.kill()
    raise ServerError(
        f"The embedded model's server did not start. {_last_lines()} Look with: aicourse doctor"
    )


def _spawn() -> subprocess.Popen[bytes]:
    log = log_file()
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.unlink()
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    with log.open("ab") as output:
        return subprocess.Popen(
            COMMAND,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder(),
            **detached,
        )


def _survivor() -> ServerAddress | None:
    """A server whose start time looks wrong, because the clock was set (as after a laptop's sleep)."""
    try:
        with _only_one():
            return None
    except ServerError:
        address = _stated()
        return address if address and _answers(address) else None


def _answers(address: ServerAddress) -> bool:
    try:
        with httpx2.Client(trust_env=False, timeout=5, verify=False) as client:  # plain http on loopback
            return client.get(f"{address.url}/health").status_code == 200
    except httpx2.HTTPError:
        return False


def _last_lines(count: int = 5) -> str:
    text = log_file().read_text(encoding="utf-8", errors="replace") if log_file().exists() else ""
    lines = [line for line in text.splitlines() if line.strip()]
    return f"Its log ends: {' | '.join(lines[-count:])}." if lines else "Its log is empty."


def _not_writable(error: OSError) -> ServerError:
    return ServerError(
        f"The server cannot use its folder {folder()}: {error.strerror or error}. "
        "Make it writable, or set AICOURSE_STATE to another folder."
    )

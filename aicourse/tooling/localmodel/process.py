"""The server's process: found, started when needed, stopped; one per user and machine.

It is detached from whoever started it, so it outlives a kernel. Its state file (mode 0600) holds address,
token and process; a lock file is held for as long as it lives, so there are never two. A server that was
killed leaves its state behind: it is recognised by process number *and* start time, because numbers are used
again. Both files lie in a folder named after the machine, because a home may be shared by several.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import filelock
import httpx2
import psutil

from aicourse import paths
from aicourse.errors import ServerError

LOG_BYTES = 1_000_000
START_SECONDS = 90.0  # a cold import of llama.cpp from a slow disk
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
# -P: the folder it runs in must not give it modules
COMMAND = (sys.executable, "-P", "-m", "aicourse.tooling.localmodel.server")


@dataclass(frozen=True)
class ServerAddress:
    """URL of the server and the token it wants; `started` is when its process did (seconds since 1970)."""

    url: str
    token: str
    pid: int
    started: float

    def __repr__(self) -> str:
        return f"ServerAddress(url={self.url!r}, pid={self.pid})"


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
        raise not_writable(error) from error


def stop() -> bool:
    """End the server if it runs; True if it did."""
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


def running() -> ServerAddress | None:
    """The server of this user on this machine, if it lives."""
    address = stated()
    if address is None:
        return None
    try:
        found = psutil.Process(address.pid)
        # a killed server stays a zombie until the process that started it looks, and keeps its start time
        alive = found.status() != psutil.STATUS_ZOMBIE and abs(found.create_time() - address.started) < 1
    except (psutil.Error, ValueError, OverflowError):
        return None
    return address if alive else None


def stated() -> ServerAddress | None:
    """The address in the state file, true or not; None when there is none or it is not one of ours."""
    try:
        entry = json.loads(state_file().read_text(encoding="utf-8"))
        return ServerAddress(
            str(entry["url"]), str(entry["token"]), int(entry["pid"]), float(entry["started"])
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def announce(port: int, token: str) -> ServerAddress:
    """Write the state file: this process serves on `port`."""
    own = psutil.Process()
    address = ServerAddress(f"http://127.0.0.1:{port}", token, own.pid, own.create_time())
    paths.write_atomically(state_file(), json.dumps(asdict(address)), mode=0o600)
    return address


def forget(address: ServerAddress) -> None:
    """Delete the state file if it is that of `address`."""
    if stated() == address:
        state_file().unlink(missing_ok=True)


def only_one() -> AbstractContextManager[Any]:
    """The lock that the server holds; a dead process holds none.

    Raises:
        ServerError: a server holds it.
    """
    try:
        return filelock.FileLock(folder() / "server.lock").acquire(timeout=0)
    except filelock.Timeout:
        raise ServerError("The server is running already. Its address: aicourse status") from None


def log_file() -> Path:
    """The log of a server in the background."""
    return folder() / "server.log"


def state_file() -> Path:
    """The file in which a server says how to reach it."""
    return folder() / "server.json"


def folder() -> Path:
    """This machine's folder in the user's state."""
    machine = re.sub(r"[^A-Za-z0-9._-]", "_", socket.gethostname()) or "unnamed"
    return paths.state_dir() / "server" / machine


def not_writable(error: OSError) -> ServerError:
    """The error for a folder that the server cannot use."""
    return ServerError(
        f"The server cannot use its folder {folder()}: {error.strerror or error}. "
        "Make it writable, or set AICOURSE_STATE to another folder."
    )


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
        with only_one():
            return None
    except ServerError:
        address = stated()
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

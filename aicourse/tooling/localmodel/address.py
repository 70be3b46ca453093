"""The server's address: announced by the server, read by whoever asks it.

The state file (mode 0600) holds address, token and process; a lock file is held for as long as the server
lives, so there are never two. A server that was killed leaves its state behind: it is recognised by process
number *and* start time, because numbers are used again. Both files lie in a folder named after the machine,
because a home may be shared by several.
"""

from __future__ import annotations

import json
import re
import socket
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import filelock
import psutil

from aicourse import paths
from aicourse.errors import ServerError

LOG_BYTES = 1_000_000


@dataclass(frozen=True)
class ServerAddress:
    """URL of the server and the token it wants; `started` is when its process did (seconds since 1970)."""

    url: str
    token: str
    pid: int
    started: float

    def __repr__(self) -> str:
        return f"ServerAddress(url={self.url!r}, pid={self.pid})"


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

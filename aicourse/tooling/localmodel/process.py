"""The server's process: found, started when needed, stopped; one per user and machine.

It is detached from whoever started it, so it outlives a kernel. `address` says how it is found.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import filelock
import httpx2
import psutil

from aicourse.errors import ServerError
from aicourse.tooling.localmodel.address import (
    LOG_BYTES,
    ServerAddress,
    folder,
    forget,
    log_file,
    not_writable,
    only_one,
    running,
    stated,
)

START_SECONDS = 90.0  # a cold import of llama.cpp from a slow disk
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
# -P: the folder it runs in must not give it modules
COMMAND = (sys.executable, "-P", "-m", "aicourse.tooling.localmodel.server")


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

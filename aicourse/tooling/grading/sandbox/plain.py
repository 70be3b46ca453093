"""Kernels without protection, for macOS and Windows (L0): a process each, for one's own or trusted notebooks.

    python -s -P -m aicourse.tooling.grading.sandbox.plain PORT TOKEN FOLDER

The process connects to the grader on the loopback interface and proves with TOKEN that it is the one. It
works on Linux too, where nothing uses it but its tests.
"""

from __future__ import annotations

import hmac
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from aicourse.errors import SandboxError
from aicourse.tooling.grading.sandbox import leftovers
from aicourse.tooling.grading.sandbox.channel import Channel
from aicourse.tooling.grading.sandbox.execution import Job
from aicourse.tooling.grading.sandbox.files import FilesError, write_files
from aicourse.tooling.grading.sandbox.kernel import End
from aicourse.tooling.grading.sandbox.proxy import embedding_proxy
from aicourse.tooling.grading.sandbox.view import environment

_START_SECONDS = 60.0
_END_SECONDS = 10.0


class PlainStarter:
    """Starts a process for each submission."""

    def start(self, job: Job) -> PlainKernel:
        """A kernel in a temporary copy of the submission's files.

        Raises:
            SandboxError: the process did not come up.
        """
        return PlainKernel(job)

    def close(self) -> None:
        """Nothing is left to end."""


class PlainKernel:
    """One kernel process and its folder."""

    def __init__(self, job: Job) -> None:
        self._folder = Path(leftovers.new_folder())
        work = self._folder / "work"
        work.mkdir()
        try:
            write_files(work, job.files.items())
        except FilesError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise SandboxError(str(error), level="L0") from None
        token = secrets.token_hex(16)
        self._proxy = None
        if job.vectors is not None:
            self._proxy = embedding_proxy(socket.create_server(("127.0.0.1", 0)), job.vectors)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(_START_SECONDS)
            self._process = self._start(listener.getsockname()[1], token)
            try:
                connection = _accept(listener, token)
            except OSError as error:
                self.end()
                raise SandboxError("A kernel did not start. Look at: aicourse doctor", level="L0") from error
        self.channel = Channel(connection, job.limits.output + (1 << 20))

    def _start(self, port: int, token: str) -> subprocess.Popen[bytes]:
        system = {name: os.environ[name] for name in ("SYSTEMROOT", "SYSTEMDRIVE") if name in os.environ}
        if self._proxy:
            system["AICOURSE_EMBEDDED_URL"] = f"http://127.0.0.1:{self._proxy.port}/v1"
        return subprocess.Popen(
            [sys.executable, "-s", "-P", "-m", __name__, str(port), token, str(self._folder)],
            env={**system, **environment(str(self._folder))},
            cwd=self._folder / "work",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def interrupt(self) -> None:
        """Send what Ctrl-C does; Windows cannot, and the kernel is killed instead when its time is up."""
        if os.name == "posix":
            self._process.send_signal(signal.SIGINT)

    def model_seconds(self) -> float:
        """The time that requests for embeddings have taken so far."""
        return self._proxy.busy.seconds if self._proxy else 0.0

    def cpu_seconds(self) -> float:
        """The clock's time: nobody counts here what a process and its children use."""
        return time.monotonic()

    def end(self) -> End:
        """Kill the process (not what it started) and delete the folder."""
        self._process.kill()
        code = self._process.wait(_END_SECONDS)
        if hasattr(self, "channel"):
            self.channel.close()
        if self._proxy:
            self._proxy.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        return End(code, unserved=self._proxy.unserved if self._proxy else "")


def _accept(listener: socket.socket, token: str) -> socket.socket:
    """The first connection that knows the token."""
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        connection, _ = listener.accept()
        connection.settimeout(_START_SECONDS)
        if hmac.compare_digest(connection.recv(len(token), socket.MSG_WAITALL), token.encode()):
            return connection
        connection.close()
    raise TimeoutError


def main(port: int, token: str, folder: str) -> None:
    """Connect and serve, in the new process."""
    from aicourse.tooling.grading.sandbox.kernel_side import LARGEST_REQUEST, prepare

    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(token.encode())
    prepare().serve(Channel(connection, LARGEST_REQUEST), folder)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])

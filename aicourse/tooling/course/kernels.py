"""Kernels for lessons: over IPC, stopped at once, and forked from a warm process where that works.

jupyter_client starts a kernel in 1.3 s over TCP and prints a warning about encryption; IPC sockets
need neither ports nor the warning (not on Windows, which has no Unix sockets). On Linux kernels are
forked by `warm.py`; elsewhere they are stock ipykernel processes. The extension point is
jupyter_client's own: a kernel provisioner
(https://jupyter-client.readthedocs.io/en/stable/provisioning.html).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import psutil
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from aicourse.errors import LessonError

CAN_FORK = sys.platform == "linux"
TRANSPORT = "tcp" if sys.platform == "win32" else "ipc"
LOG = "warm.log"
Manager = TypeVar("Manager", bound=KernelManager)


class WarmServer:
    """Runs `warm.py` for as long as the `with` block lasts; every forked kernel ends with it."""

    def __init__(self, folder: Path) -> None:
        self.address = folder / "warm"
        self._errors = folder / LOG

    def __enter__(self) -> WarmServer:
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "aicourse.tooling.course.warm", str(self.address)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is ours to handle
            )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it listens now, and goes on to import
        return self

    def __exit__(self, *raised: object) -> None:
        with self._process:  # closes the pipes and waits
            self._process.terminate()


class ForkedKernel:
    """What jupyter_client uses of `subprocess.Popen`, for a process that the warm server forked."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process = psutil.Process(pid)

    def poll(self) -> int | None:
        """None while it runs."""
        try:
            ended = self._process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            ended = True
        return 0 if ended else None

    def wait(self) -> int:
        """Block until it has ended."""
        self._process.wait()
        return 0

    def send_signal(self, signum: int) -> None:
        """Signal this process alone."""
        os.kill(self.pid, signum)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class WarmProvisioner(LocalProvisioner):
    """A local provisioner whose process is forked by the warm server at `address`."""

    address: Path

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel that parses the same arguments as `python -m ipykernel_launcher` would."""
        environment = dict(kwargs.get("env") or os.environ)
        environment.pop("JPY_PARENT_PID", None)  # the warm server is the parent, whoever started us
        request = {"argv": cmd[3:], "cwd": str(kwargs.get("cwd") or Path.cwd()), "env": environment}
        self.pid = request_fork(self.address, request)
        self.process = ForkedKernel(self.pid)  # type: ignore[assignment]  # as much of Popen as is used
        self.pgid = self.pid  # the fork makes itself a session leader
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait for the kernel to end, looking ten times as often as the stock one."""
        while self.process and self.process.poll() is None:
            await asyncio.sleep(0.01)
        self.process = None
        return 0


def request_fork(address: Path, request: Mapping[str, Any]) -> int:
    """The process id of a new kernel, once the warm server has done its imports.

    Raises:
        LessonError: it has no answer; the message carries the last line that it printed.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(address))
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = connection.makefile().readline()
    except OSError:
        answer = ""
    if not answer:
        log = address.with_name(LOG).read_text(errors="replace").strip().splitlines()
        reason = log[-1] if log else "it ended"
        raise LessonError(f"The server that forks kernels is gone: {reason}. Check with: aicourse doctor")
    return int(json.loads(answer)["pid"])


def new_manager(kind: type[Manager], folder: Path, warm: Path | None) -> Manager:
    """A manager whose sockets live in `folder`; with `warm`, its kernel is forked by that server."""
    name = uuid.uuid4().hex[:8]
    manager = kind(kernel_name="python3", transport=TRANSPORT, connection_file=str(folder / f"{name}.json"))
    if warm is not None:
        provisioner = WarmProvisioner(kernel_id=name, kernel_spec=manager.kernel_spec, parent=manager)
        provisioner.address = warm
        manager.kernel_id, manager.provisioner = name, provisioner
    return manager


class Kernels:
    """Starts the kernels of one command and leaves none behind.

    For one lesson alone a warm server would import what the lesson imports, or more, and save nothing.
    `folder` is short-lived and short-named, because a Unix socket's path may have 104 characters.
    """

    def __init__(self, lessons: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="aicourse-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.server = WarmServer(self.folder) if CAN_FORK and lessons > 1 else None
        self.stopped = False
        self._managers: list[KernelManager] = []

    def __enter__(self) -> Kernels:
        if self.server:
            self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def new_manager(self, kind: type[Manager]) -> Manager:
        """A manager for one more kernel."""
        manager = new_manager(kind, self.folder, self.server.address if self.server else None)
        self._managers.append(manager)
        return manager

    def stop(self) -> None:
        """End every kernel that still runs, without asking it."""
        self.stopped = True
        if self.server:
            self.server.__exit__()
        for manager in self._managers:
            process = getattr(manager.provisioner, "process", None)
            if process is not None and process.poll() is None:
                process.kill()

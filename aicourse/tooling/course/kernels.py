"""Kernels for lessons: over IPC, stopped at once, and forked where that works.

jupyter_client starts a kernel in 1.3 s over TCP and prints a warning about encryption; IPC sockets
need neither ports nor the warning (not on Windows, which has no Unix sockets). On Linux kernels are
forked by `lesson_kernel`; elsewhere they are stock ipykernel processes. The extension point is
jupyter_client's own: a kernel provisioner
(https://jupyter-client.readthedocs.io/en/stable/provisioning.html).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
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

from aicourse.tooling.fork_server import ForkServer, ForkServerGone, send_request
from aicourse.tooling.forked_provisioner import ForkedProvisioner

CAN_FORK = sys.platform == "linux"
TRANSPORT = "tcp" if sys.platform == "win32" else "ipc"
ADDRESS, LOG = "fork", "fork.log"
SERVER = "aicourse.tooling.course.lesson_kernel"
_LONGEST_ANSWER = 4_096
Manager = TypeVar("Manager", bound=KernelManager)


class ForkedLesson:
    """A kernel that the fork server forked; it leads a session of its own."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process = psutil.Process(pid)

    def runs(self) -> bool:
        """True if it has not ended."""
        try:
            return self._process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def signal(self, number: int) -> None:
        """Send a signal to it and to what it started."""
        if self.runs():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def end(self) -> None:
        """Kill it and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self._process.wait()


class LessonProvisioner(ForkedProvisioner, LocalProvisioner):
    """A local provisioner whose process is forked by the server that listens at `address`."""

    address: Path

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel that parses the same arguments as `python -m ipykernel_launcher` would."""
        environment = dict(kwargs.get("env") or os.environ)
        environment.pop("JPY_PARENT_PID", None)  # the fork server is the parent, whoever started us
        request = {"argv": cmd[3:], "cwd": str(kwargs.get("cwd") or Path.cwd()), "env": environment}
        self.kernel = ForkedLesson(request_fork(self.address, request))
        return self.connection_info

    def exit_code(self, ended: None) -> int:
        """0: whose child it was knows more, and does not say."""
        return 0


def start_server(folder: Path) -> ForkServer:
    """Start the fork server of lessons; requests may be sent at once, and wait until it has its imports."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as requests, (folder / LOG).open("wb") as errors:
        requests.bind(str(folder / ADDRESS))
        return ForkServer(SERVER, str(folder), handles=[requests.fileno()], errors=errors)


def request_fork(address: Path, request: Mapping[str, Any]) -> int:
    """The process id of a new kernel, once the fork server has done its imports.

    Raises:
        ForkServerGone: it has no answer; the message carries the last line that it printed.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        try:
            with theirs:
                connection.connect(str(address))
                send_request(connection, request, {"answer": theirs.fileno()})
            answer = ours.recv(_LONGEST_ANSWER)
        except OSError:
            answer = b""
    if not answer:
        log = address.with_name(LOG).read_text(errors="replace").strip().splitlines()
        raise ForkServerGone(log[-1] if log else "it ended")
    return int(json.loads(answer)["pid"])


def new_manager(kind: type[Manager], folder: Path, server: Path | None) -> Manager:
    """A manager whose sockets live in `folder`; with `server`, its kernel is forked by the server there."""
    name = uuid.uuid4().hex[:8]
    manager = kind(kernel_name="python3", transport=TRANSPORT, connection_file=str(folder / f"{name}.json"))
    if server is not None:
        provisioner = LessonProvisioner(kernel_id=name, kernel_spec=manager.kernel_spec, parent=manager)
        provisioner.address = server
        manager.kernel_id, manager.provisioner = name, provisioner
    return manager


class Kernels:
    """Starts the kernels of one command and leaves none behind.

    For one lesson alone a fork server would import what the lesson imports, or more, and save nothing.
    `folder` is short-lived and short-named, because a Unix socket's path may have 104 characters.
    """

    def __init__(self, lessons: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="aicourse-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.server = start_server(self.folder) if CAN_FORK and lessons > 1 else None
        self.address = self.folder / ADDRESS if self.server else None
        self.stopped = False
        self._managers: list[KernelManager] = []

    def __enter__(self) -> Kernels:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def new_manager(self, kind: type[Manager]) -> Manager:
        """A manager for one more kernel."""
        manager = new_manager(kind, self.folder, self.address)
        self._managers.append(manager)
        return manager

    def stop(self) -> None:
        """End every kernel that still runs, without asking it."""
        self.stopped = True
        if self.server:
            self.server.close()
        for manager in self._managers:
            process = getattr(manager.provisioner, "process", None)
            if process is not None and process.poll() is None:
                process.kill()

"""The grader's side of the sandbox: starts the zygote, asks it for kernels, replaces it if it was killed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Mapping

from aicourse.errors import SandboxError
from aicourse.tooling.fork_server import ForkServer, ForkServerGone, send_request
from aicourse.tooling.grading.sandbox import cgroups, leftovers
from aicourse.tooling.grading.sandbox.channel import Channel
from aicourse.tooling.grading.sandbox.execution import Job, Limits
from aicourse.tooling.grading.sandbox.files import pack_files
from aicourse.tooling.grading.sandbox.kernel import SandboxKernel
from aicourse.tooling.grading.sandbox.proxy import embedding_proxy
from aicourse.tooling.grading.sandbox.request import Request
from aicourse.tooling.grading.sandbox.view import environment

_FIRST_USER = 1_000_000_000  # far above any account; 512 for each grader on this machine
_USERS = 512
_ZYGOTE = "aicourse.tooling.grading.sandbox.zygote"
_START_SECONDS = 180.0  # 2 on an idle machine, more where matplotlib has no list of fonts yet
_LISTEN_SECONDS = 30.0
_MODEL_PORT = 8000
_REPORT = 4_096
_SLACK = 1 << 20  # what a frame may have beyond the output that a cell may show


class Zygote:
    """Runs `zygote.py` at `level`; `launch` may be called from many threads.

    Raises:
        SandboxError: it did not start; the message says why.
    """

    def __init__(self, level: str, serves: str = "pipe") -> None:
        self.level, self._serves = level, serves
        self._lock = threading.Lock()
        self._users = set(range(_USERS)) if _is_root() and level != "L0" else None
        leftovers.clear_folders()
        cgroups.clear()
        self._home = tempfile.TemporaryDirectory(prefix=leftovers.own_prefix(), ignore_cleanup_errors=True)
        isolated = level in ("L3", "L4")
        self._server = ForkServer(
            _ZYGOTE, level, serves, env=environment() if isolated else environment(self._home.name), cwd="/"
        )
        self._await_ready()

    def _await_ready(self) -> None:
        self._server.socket.settimeout(_START_SECONDS)
        try:
            self._server.socket.send(json.dumps({"fonts": _font_cache()}).encode())
            answer = json.loads(self._server.socket.recv(_REPORT) or b"{}")
        except TimeoutError:
            answer = {"failed": f"it was not ready after {_START_SECONDS:.0f} seconds"}
        except OSError:
            answer = {}
        self._server.socket.settimeout(None)
        if not answer.get("ready"):
            self.close()
            reason = answer.get("failed", "it ended at once")
            raise SandboxError(
                f"The sandbox did not start: {reason}. Look at: aicourse doctor", level=self.level, found=""
            )

    def launch(
        self,
        limits: Limits,
        *,
        files: Mapping[str, bytes] | None = None,
        model_port: int = 0,
        handles: Mapping[str, int] | None = None,
        connection: str = "",
    ) -> SandboxKernel:
        """Start a kernel; `files` lie beside it, `handles` and `connection` are for Jupyter clients.

        Raises:
            ForkServerGone: the zygote has ended.
        """
        with contextlib.ExitStack() as stack:
            inside = stack.enter_context(contextlib.ExitStack())  # what only the other side keeps
            group = self._new_group(limits, stack)
            owner = self._take_user(stack)
            control, supervisors = _pair(socket.SOCK_SEQPACKET, stack, inside)
            channel, kernels = _pair(socket.SOCK_STREAM, stack, inside)
            sent = {"control": supervisors.fileno(), "channel": kernels.fileno(), **(handles or {})}
            if group is not None:
                sent |= {f"group-{number}": handle for number, handle in enumerate(group.joining)}
            if files:
                sent["files"] = pack_files(files)
                inside.callback(os.close, sent["files"])
            request = Request(
                level=self.level,
                memory=limits.memory,
                disk=limits.disk,
                files=limits.files,
                processes=limits.processes,
                owner=owner,
                folder=self._new_folder(owner, stack),
                serves=self._serves,
                model_port=model_port,
                connection=connection,
            )
            self._send(request, sent)
            inside.close()
            return SandboxKernel(control, Channel(channel, limits.output + _SLACK), group, stack.pop_all())

    def _new_group(self, limits: Limits, stack: contextlib.ExitStack) -> cgroups.SubmissionGroup | None:
        if self.level != "L4":
            return None
        group = cgroups.SubmissionGroup(limits.memory)
        stack.callback(group.remove)
        return group

    def _new_folder(self, owner: int | None, stack: contextlib.ExitStack) -> str:
        """The folder where a kernel without namespaces may write; "" for the others, who bring their own."""
        if self.level in ("L3", "L4"):
            return ""
        folder = leftovers.new_folder()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if owner is not None:
            os.chown(folder, owner, owner)
        return folder

    def _send(self, request: Request, handles: Mapping[str, int]) -> None:
        try:
            with self._lock:
                send_request(self._server.socket, dataclasses.asdict(request), handles)
        except OSError as error:
            raise ForkServerGone("it has ended") from error

    def _take_user(self, stack: contextlib.ExitStack) -> int | None:
        """A user id that no other submission has now, until `stack` closes; None when this is not root."""
        if self._users is None:
            return None
        with self._lock:
            slot = self._users.pop()
        stack.callback(self._users.add, slot)
        return _FIRST_USER + (self._server.process.pid % 1_000_000) * _USERS + slot

    def close(self) -> None:
        """End the zygote; kernels end when their own handles are closed."""
        self._server.close()
        self._home.cleanup()


class ZygoteStarter:
    """Forks kernels from a zygote, and starts another one should that have been killed."""

    def __init__(self, level: str) -> None:
        self._level = level
        self._lock = threading.Lock()
        self._zygote = Zygote(level)

    def start(self, job: Job) -> SandboxKernel:
        """Fork a kernel; if the job may ask for embeddings, put a proxy behind its way there.

        Raises:
            SandboxError: it may ask for them, and this level of protection has no way there.
        """
        ours, port = self._way_to_model() if job.vectors is not None else (None, 0)
        zygote = self._zygote
        try:
            kernel = zygote.launch(job.limits, files=job.files, model_port=port)
        except ForkServerGone:
            kernel = self._replacement(zygote).launch(job.limits, files=job.files, model_port=port)
        if job.vectors is not None:
            listener = ours or kernel.listener(time.monotonic() + _LISTEN_SECONDS)
            if listener is not None:
                kernel.serve_model(embedding_proxy(listener, job.vectors))
        return kernel

    def _way_to_model(self) -> tuple[socket.socket | None, int]:
        """A port, and the socket that listens there; None where the kernel opens it in its own network."""
        if self._level in ("L3", "L4"):
            return None, _MODEL_PORT
        if self._level == "L2":
            raise SandboxError(
                "This homework asks a model, which submissions cannot reach at L2. Grade on a machine that "
                "has L3; what this one has is shown by: aicourse doctor",
                level=self._level,
            )
        listener = socket.create_server(("127.0.0.1", 0))
        return listener, listener.getsockname()[1]

    def _replacement(self, broken: Zygote) -> Zygote:
        with self._lock:
            if self._zygote is broken:
                broken.close()
                self._zygote = Zygote(self._level)
            return self._zygote

    def close(self) -> None:
        """End the zygote."""
        self._zygote.close()


def _pair(
    kind: socket.SocketKind, stack: contextlib.ExitStack, inside: contextlib.ExitStack
) -> tuple[socket.socket, socket.socket]:
    """A connected pair: ours closes with `stack`, the other side's copy with `inside`."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    stack.callback(ours.close)
    inside.callback(theirs.close)
    return ours, theirs


def _font_cache() -> str:
    """The folder of matplotlib's list of fonts for this user."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("MPLCONFIGDIR") or os.path.join(caches, "matplotlib")


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0

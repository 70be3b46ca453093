"""A process that has imported everything and forks once per request: the core of both fork servers (Linux).

Importing ipykernel, pandas, matplotlib and openai costs seconds of CPU. A fork server does it once; a fork
shares the pages and is ready in 0.1 s. Its owner starts it (`ForkServer`) and it ends with its owner. A
request is one packet, JSON with open files beside it; the server itself reads none, the fork does.

Two programs are built on this, because what they may do differs:

- `course.lesson_kernel`: lessons, with the rights of their user. Any process that knows the socket's path may
  ask; a fork takes its environment and folder from the request, and dies with the server.
- `grading.sandbox.zygote`: submissions. It starts with an empty environment and enters the sandbox's view
  before it imports what notebooks import; only the grader's own socket reaches it, and each fork becomes a
  supervisor, which outlives the zygote and puts up the protections (`supervisor`, `child`).
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FrameType
from typing import IO, Any, NoReturn

from aicourse.errors import AicourseError

LIBRARIES = (
    "ipykernel.ipkernel",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "matplotlib_inline.backend_inline",
    "pandas",
    "openai",
)
INLINE_FIGURES = "module://matplotlib_inline.backend_inline"
LARGEST = 128 << 10  # bytes of a request
_MOST_HANDLES = 16
_END_SECONDS = 10.0
_SET_PARENT_DEATH_SIGNAL = 1


class ForkServerGone(AicourseError):
    """The fork server has ended, or never came up."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The server that forks kernels is gone: {reason}. Check with: aicourse doctor")


class ForkServer:
    """Runs `python -m module HANDLE …` as a fork server; HANDLE is its end of the owner's `socket`.

    `handles` are further open files for it, and follow as arguments. It must be closed.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        handles: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        errors: IO[bytes] | None = None,
    ) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            numbers = [theirs.fileno(), *handles]
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, *map(str, numbers), *arguments],
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=numbers,
                start_new_session=True,  # Ctrl-C is its owner's to handle
            )

    def close(self) -> None:
        """End the server."""
        self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def send_request(connection: socket.socket, fields: Mapping[str, Any], handles: Mapping[str, int]) -> None:
    """Ask for a fork that gets `fields` (plain data) and copies of the open files `handles`.

    Raises:
        OSError: nobody listens any more.
    """
    data = json.dumps({"fields": fields, "handles": list(handles)}).encode()
    socket.send_fds(connection, [data], list(handles.values()))


def read_request(data: bytes, handles: Sequence[int]) -> tuple[dict[str, Any], dict[str, int]]:
    """In the fork: the fields of a request, and its open files by name."""
    request = json.loads(data)
    return request["fields"], dict(zip(request["handles"], handles, strict=True))


def preload(names: Iterable[str]) -> None:
    """Import modules; what asks at import whether this is a notebook is told that it is.

    matplotlib reads its backend, and pandas chooses how wide a table may be. A package that is missing is
    left out: a notebook that wants it gets the error.
    """
    vars(builtins)["get_ipython"] = lambda: types.SimpleNamespace(kernel=None)
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    del vars(builtins)["get_ipython"]


def settle() -> None:
    """Make this process fit to be forked: single-threaded, and memory that no collection will touch.

    Raises:
        RuntimeError: some library started a thread when it was imported.
    """
    if threading.active_count() != 1:  # a fork copies only the thread that forks
        raise RuntimeError(f"a thread runs after imports, so forking is not safe: {threading.enumerate()}")
    gc.collect()
    gc.disable()  # a collection in a fork would copy every page it visits
    gc.freeze()


def serve(sockets: Sequence[socket.socket], become: Callable[[bytes, list[int]], NoReturn]) -> None:
    """Fork for each packet on `sockets`, until the owner's end of one closes; the fork calls `become`."""
    signal.signal(signal.SIGCHLD, _reap)
    while True:
        for connection in select.select(sockets, [], [])[0]:
            try:
                data, handles, _, _ = socket.recv_fds(connection, LARGEST, _MOST_HANDLES)
            except OSError:
                return
            if not data:
                return
            if os.fork() == 0:
                for one in sockets:
                    one.close()
                become(data, handles)
            for handle in handles:
                os.close(handle)


def _reap(signum: int, frame: FrameType | None) -> None:
    """Collect ended forks, so that their CPU time is counted and none stays a zombie."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def begin(seed: int | None = None) -> None:
    """Undo in a fork what the server needed; its random numbers are new, or those of `seed`."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    gc.enable()
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed)


def die_with_parent() -> None:
    """Ask to be killed when the parent ends; setuid and exec of a set-user-id file undo it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_PARENT_DEATH_SIGNAL, ctypes.c_ulong(signal.SIGKILL)) == -1:
        raise OSError(ctypes.get_errno(), "prctl")


def show_figures_inline() -> None:
    """Tell the shell of this process to show figures: matplotlib was imported before any shell existed."""
    if "matplotlib_inline.backend_inline" in sys.modules:
        from matplotlib_inline.backend_inline import _enable_matplotlib_integration

        _enable_matplotlib_integration()  # type: ignore[no-untyped-call]


def serve_jupyter(app: Any, arguments: list[str]) -> None:
    """Run ipykernel's application until its client ends it."""
    app.initialize(arguments)
    show_figures_inline()
    app.start()

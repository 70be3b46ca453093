"""A process that has everything imported and forks one kernel per request (Linux).

A lesson's kernel spends most of its time importing: ipykernel, openai, pandas and matplotlib cost
several seconds of CPU, the lesson's own work one or two. This process imports them once; a fork
shares the pages and is ready in 0.2 s. Run by `kernels.WarmServer`:

    python -m aicourse.tooling.course.warm /path/to/socket

It listens first and imports then, so that callers need not wait, only their requests. A request is one
line of JSON on the socket, the answer another:

    {"argv": ["-f", "kernel.json"], "cwd": "notebooks", "env": {…}}  ->  {"pid": 4711}

It ends when its standard input closes, and the kernels end with it, however it ends. `aicourse`
itself is not imported here, so a forked kernel reads its own environment. This is no sandbox: a
lesson runs with the rights of its user.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import importlib
import json
import os
import random
import select
import shutil
import signal
import socket
import sys
import threading
import types
from pathlib import Path
from types import FrameType
from typing import Any

PRELOADED = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "matplotlib_inline.backend_inline",
    "pandas",
    "openai",
)
_SET_PARENT_DEATH_SIGNAL = 1


def main(address: str) -> None:
    """Serve requests on the Unix socket at `address` until standard input closes."""
    if Path(sys.path[0]) == Path.cwd():
        del sys.path[0]  # `-m` puts it there; ipykernel's launcher takes it away as well
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print("listening", flush=True)
    _import_as_in_a_notebook()
    if threading.active_count() != 1:
        raise SystemExit(f"A thread runs after imports, so forking is not safe: {threading.enumerate()}")
    signal.signal(signal.SIGCHLD, _reap)
    while True:
        readable, _, _ = select.select([sys.stdin, listener], [], [])
        if sys.stdin in readable:  # our owner was killed, and left the folder of the sockets behind
            shutil.rmtree(Path(address).parent, ignore_errors=True)
            return
        connection, _ = listener.accept()
        with connection:
            request = json.loads(connection.makefile().readline())
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                listener.close()
                connection.close()
                _become_kernel(request, parent)
            connection.sendall(json.dumps({"pid": pid}).encode() + b"\n")


def _import_as_in_a_notebook() -> None:
    """Import `PRELOADED`; what asks at import whether this is a notebook is told that it is.

    matplotlib reads its backend, and pandas chooses how wide a table may be.
    """
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    vars(builtins)["get_ipython"] = lambda: types.SimpleNamespace(kernel=None)
    for name in PRELOADED:
        importlib.import_module(name)
    del vars(builtins)["get_ipython"]


def _reap(signum: int, frame: FrameType | None) -> None:
    """Collect ended kernels, so that their CPU time is counted and none stays a zombie."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become_kernel(request: dict[str, Any], parent: int) -> None:
    """Turn this fresh fork into a kernel; does not return."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            return
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        _serve_kernel(request["argv"])
        code = 0
    finally:
        os._exit(code)


def _serve_kernel(argv: list[str]) -> None:
    import numpy.random
    from ipykernel.kernelapp import IPKernelApp
    from matplotlib_inline.backend_inline import _enable_matplotlib_integration

    random.seed()
    numpy.random.seed()
    app = IPKernelApp.instance()
    app.initialize(argv)  # type: ignore[no-untyped-call]
    # matplotlib was imported before this shell existed, so nobody has told the shell to show figures.
    _enable_matplotlib_integration()  # type: ignore[no-untyped-call]
    app.start()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(sys.argv[1])

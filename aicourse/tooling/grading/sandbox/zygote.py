"""The process that every student's kernel is forked from: it has imported everything, and knows nothing.

    python -P -m aicourse.tooling.grading.sandbox.zygote HANDLE LEVEL pipe|zmq

It starts with the environment that students get, hides the computer from itself (`view`), imports what
notebooks import, builds the kernel object, and says "ready" on the socket with the number HANDLE. Then each
packet is a request; a fork of it, the supervisor, reads the request, so that the zygote never parses
anything. It stays single-threaded: a fork copies only the thread that forks. It ends when the grader's end
closes.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import importlib
import json
import os
import select
import socket
import sys
from collections.abc import Iterator
from typing import Any

from aicourse.tooling.fork_server import LARGEST, LIBRARIES, preload, serve, settle
from aicourse.tooling.grading.sandbox import namespaces
from aicourse.tooling.grading.sandbox.supervisor import supervise

PRELOADED = [
    *LIBRARIES,
    "numpy",
    "numpy.random",
    "pandas.io.formats.html",
    "pandas.io.formats.string",
    "pydantic",
    "httpx2",
    "concurrent.futures.thread",
    "sqlite3",
    "yaml",
    "IPython.core.completerlib",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.core.magics",
    "IPython.display",
    "IPython.utils._process_posix",
    "statistics",
    "multiprocessing",
    "tqdm.auto",
    "aicourse",
    "aicourse.datasets",
    "aicourse.errors",
    "aicourse.llm.client",
    "aicourse.rag.chunking",
    "aicourse.rag.embedding",
    "aicourse.rag.fusion",
    "aicourse.rag.index",
]


def main(handle: int, level: str, serves: str) -> None:
    """Serve requests until the grader is gone."""
    # no parent-death signal here: it would come when the *thread* that started us ends
    connection = socket.socket(fileno=handle)
    try:
        first = json.loads(connection.recv(LARGEST) or b"{}")
        with _ending_with_the_grader(connection):
            load_fonts(first)
            if level in ("L3", "L4"):
                namespaces.enter_view()
            kernel = prepare(serves)
        connection.send(b'{"ready": true}')
    except BrokenPipeError:
        return
    except Exception as error:
        with contextlib.suppress(BrokenPipeError):
            connection.send(json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode())
        return
    serve([connection], functools.partial(supervise, kernel))


@contextlib.contextmanager
def _ending_with_the_grader(connection: socket.socket) -> Iterator[None]:
    """Imports take seconds: the grader's end, should it close meanwhile, ends this process by SIGIO."""
    flags = fcntl.fcntl(connection, fcntl.F_GETFL)
    fcntl.fcntl(connection, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(connection, fcntl.F_SETFL, flags | os.O_ASYNC)
    poll = select.poll()
    poll.register(connection, 0)
    if poll.poll(0):  # it had closed before
        raise BrokenPipeError
    yield
    fcntl.fcntl(connection, fcntl.F_SETFL, flags)


def load_fonts(first: dict[str, str]) -> None:
    """Let matplotlib read its list of fonts where its user keeps it: making one anew takes seconds.

    This happens before the view closes, and the folder's name is not in the environment of any process.
    """
    own = os.environ["MPLCONFIGDIR"]
    os.environ["MPLCONFIGDIR"] = first["fonts"]
    try:
        importlib.import_module("matplotlib.font_manager")
    except ImportError:
        return
    finally:
        os.environ["MPLCONFIGDIR"] = own


def prepare(serves: str) -> Any:
    """Import, build the kernel (None for Jupyter clients, whose kernel has sockets), and settle memory.

    Raises:
        RuntimeError: some library started a thread when it was imported.
    """
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # no debugger in there, and 0.2 s less
    preload(PRELOADED)
    _draw_once()
    kernel = None
    if serves == "pipe":
        from aicourse.tooling.grading.sandbox.kernel_side import prepare as prepare_kernel

        kernel = prepare_kernel()
    settle()
    return kernel


def _draw_once() -> None:
    """Load matplotlib's fonts and renderer before the fork."""
    try:
        from matplotlib import pyplot
        from matplotlib.backends.backend_agg import FigureCanvasAgg
    except ImportError:
        return
    figure, axes = pyplot.subplots()
    axes.plot([0, 1])
    axes.set_title("title")
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    pyplot.close("all")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])

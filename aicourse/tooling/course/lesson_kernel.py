"""The fork server of lessons, and what its forks become: kernels with the rights of their user (Linux).

    python -m aicourse.tooling.course.lesson_kernel OWNER REQUESTS FOLDER      (started by `kernels`)

OWNER and REQUESTS are handles of sockets: it ends when the first closes, and the kernels end with it, however
it ends; requests come on the second, which any process can reach by its path in FOLDER:

    {"argv": ["-f", "kernel.json"], "cwd": "notebooks", "env": {…}}  ->  {"pid": 4711}

`aicourse` itself is not preloaded, so a forked kernel reads its own environment. This is no sandbox.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import socket
import sys
import traceback
from typing import NoReturn

from aicourse.tooling.fork_server import (
    INLINE_FIGURES,
    LIBRARIES,
    begin,
    die_with_parent,
    preload,
    read_request,
    serve,
    serve_jupyter,
    settle,
)

PRELOADED = (*LIBRARIES, "ipykernel.kernelapp", "ipykernel.zmqshell", "ipykernel.debugger")


def main(owner: int, requests: int, folder: str) -> None:
    """Serve until the owner is gone."""
    sockets = [socket.socket(fileno=handle) for handle in (owner, requests)]
    os.environ["MPLBACKEND"] = INLINE_FIGURES
    preload(PRELOADED)
    settle()
    serve(sockets, functools.partial(become_kernel, os.getpid()))
    shutil.rmtree(folder, ignore_errors=True)  # an owner that was killed leaves it behind


def become_kernel(server: int, data: bytes, handles: list[int]) -> NoReturn:
    """Turn this fresh fork of `server` into a kernel."""
    code = 1
    try:
        os.setsid()
        die_with_parent()
        request, named = read_request(data, handles)
        if os.getppid() == server:
            with socket.socket(fileno=named["answer"]) as answer:
                answer.send(json.dumps({"pid": os.getpid()}).encode())
            os.environ.clear()
            os.environ.update(request["env"])
            os.chdir(request["cwd"])
            begin()
            from ipykernel.kernelapp import IPKernelApp

            serve_jupyter(IPKernelApp.instance(), request["argv"])
            code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

"""From a fork of the zygote to a student's kernel: protections go up, then the kernel runs.

The order matters. Namespaces and mounts need rights, and so does giving the submission's files to its user;
then the rights go, then limits and the filter of system calls come, and only then is student code read.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import traceback
from typing import Any, NoReturn

from aicourse.tooling.fork_server import begin, die_with_parent
from aicourse.tooling.grading.sandbox import landlock, linux, namespaces, seccomp, view, watcher
from aicourse.tooling.grading.sandbox.channel import Channel
from aicourse.tooling.grading.sandbox.files import unpack_files, write_files
from aicourse.tooling.grading.sandbox.limits import ProcessLimits
from aicourse.tooling.grading.sandbox.request import Request

SEED = 20_260_101  # of `random` and numpy: a submission run twice gives the same answers


def become_kernel(request: Request, handles: dict[str, int], control: socket.socket, kernel: Any) -> NoReturn:
    """Protect this process and serve; does not return."""
    try:
        die_with_parent()
        try:
            enter_sandbox(request, handles, control)
        except Exception as error:
            with contextlib.suppress(OSError):
                control.send(json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode())
            os._exit(70)
        control.close()
        _serve(request, handles, kernel)
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(0)


def enter_sandbox(request: Request, handles: dict[str, int], control: socket.socket) -> None:
    """Go behind the protections of `request.level`, in the folder with the submission's files."""
    os.setsid()  # where the scheduler is fair to sessions, a submission is one, however many processes it has
    os.nice(watcher.NICE)
    _keep_only({*handles.values(), control.fileno()})
    for name in [name for name in handles if name.startswith("group-")]:
        os.write(handles[name], b"0")
        os.close(handles.pop(name))
    if request.isolated:
        namespaces.enter(disk=request.disk, files=request.files, owner=request.owner)
        _offer_model(request, control)
        work = view.WORK
    else:
        work = _folders_below(request)
        if request.model_port:
            _name_model(request)
    os.chdir(work)
    readable = view.readable_paths() if request.level == "L2" else []
    if "files" in handles:
        write_files(work, unpack_files(handles["files"]))
        if request.owner is not None:
            _hand_over(work, request.owner)
    _give_up_rights(request, readable)


def _hand_over(folder: str, owner: int) -> None:
    """Give everything below `folder` to the submission's own user."""
    for place, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            os.chown(os.path.join(place, name), owner, owner, follow_symlinks=False)


def _give_up_rights(request: Request, readable: list[str]) -> None:
    if request.isolated or request.owner is not None:
        linux.drop_bounding_set()
    if request.owner is not None:
        os.setgroups([])
        os.setresgid(request.owner, request.owner, request.owner)
        os.setresuid(request.owner, request.owner, request.owner)
        die_with_parent()  # setuid has undone it
    if request.level != "L0":
        ProcessLimits(request.memory, request.disk, request.processes).apply()
    if request.level == "L2":
        landlock.restrict([*readable, "/dev"], [request.folder, "/dev/null"])
    if request.filtered:
        linux.drop_capabilities()
        seccomp.load(seccomp.build(namespaces=request.isolated))


def _keep_only(handles: set[int]) -> None:
    """Close every other handle above standard error."""
    for handle in [int(name) for name in os.listdir("/proc/self/fd")]:
        if handle > 2 and handle not in handles:
            with contextlib.suppress(OSError):  # the one that listed them
                os.close(handle)
    os.dup2(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), 0)


def _folders_below(request: Request) -> str:
    """Without a file system of its own: work, home and tmp in a folder that the grader made and deletes."""
    folders = {name: os.path.join(request.folder, name) for name in ("work", "home", "tmp")}
    for path in folders.values():
        os.mkdir(path, 0o700)
        if request.owner is not None:
            os.chown(path, request.owner, request.owner)
    os.environ.update(HOME=folders["home"], TMPDIR=folders["tmp"])
    return folders["work"]


def _offer_model(request: Request, control: socket.socket) -> None:
    """Listen inside this network namespace and hand the socket to the grader, whose proxy answers on it."""
    if not request.model_port:
        return
    listener = socket.create_server(("127.0.0.1", request.model_port))
    socket.send_fds(control, [b'{"listening": true}'], [listener.fileno()])
    listener.close()
    _name_model(request)


def _name_model(request: Request) -> None:
    """Let `aicourse.connect()` find the proxy."""
    url = f"http://127.0.0.1:{request.model_port}/v1"
    os.environ.update(AICOURSE_PROVIDER=url, AICOURSE_EMBEDDED_URL=url)
    os.environ["AICOURSE_REPLAY"] = "off"


def _serve(request: Request, handles: dict[str, int], kernel: Any) -> None:
    begin(SEED)
    scratch = os.environ["TMPDIR"]
    if request.serves == "zmq":
        from aicourse.tooling.grading.sandbox.zmq_kernel import serve_sockets

        serve_sockets(request, handles)
        return
    from aicourse.tooling.grading.sandbox.kernel_side import LARGEST_REQUEST

    channel = Channel(socket.socket(fileno=handles["channel"]), LARGEST_REQUEST)
    kernel.serve(channel, scratch)

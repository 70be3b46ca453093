"""Tries each level in a child process and prints a line of JSON: {"L4": "", "L3": "", "L2": "why not", …}.

Run by `levels.probe_levels` in a fresh interpreter, which is single-threaded and may fork.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import socket
import tempfile
from collections.abc import Callable

from aicourse.tooling.grading.sandbox import cgroups, child, namespaces
from aicourse.tooling.grading.sandbox.execution import Limits
from aicourse.tooling.grading.sandbox.request import Request

_USER = 999_999_999
_SECRET = ("/etc/shadow", "/etc/hosts", "/var", "/boot")


def main() -> None:
    """Print why each level does not work; an empty text means that it does."""
    with tempfile.TemporaryDirectory(prefix="aicourse-") as folder:
        reasons = {
            level: attempt(functools.partial(_protected, level, folder)) for level in ("L3", "L2", "L1")
        }
    reasons["L4"] = reasons["L3"] or attempt(_memory_group)
    print(json.dumps(reasons))


def attempt(trial: Callable[[socket.socket], object]) -> str:
    """Run `trial` in a child; the text of what it raised, "" when it went well.

    `trial` gets the socket that the answer goes through, which it must not close.
    """
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        reason = "it ended at once"
        try:
            trial(theirs)
            reason = ""
        except BaseException as error:
            reason = str(error) or type(error).__name__
        finally:
            theirs.sendall(reason.encode() or b"\0")
            os._exit(0)
    theirs.close()
    os.waitpid(pid, 0)
    with ours:
        answer = ours.recv(4096)
    return answer.strip(b"\0").decode() if answer else "the process was killed"


def _protected(level: str, folder: str, _: socket.socket) -> None:
    """Go behind the protections as a kernel does, and look whether they hold."""
    as_root = os.geteuid() == 0
    if level == "L1" and not as_root:
        raise PermissionError("only root can give student code another user id")
    limits, owner = Limits(), _USER if as_root else None
    own = os.path.join(folder, level)
    os.mkdir(own)
    if owner is not None:
        os.chmod(folder, 0o711)
        os.chown(own, owner, owner)
    request = Request(level, limits.memory, limits.disk, limits.files, limits.processes, owner, own)
    if request.isolated:
        namespaces.enter_view()
        namespaces.enter_process_namespace(as_root=as_root)
    if reason := attempt(functools.partial(_enter_and_look, request)):
        raise OSError(reason)


def _enter_and_look(request: Request, answer: socket.socket) -> None:
    with open(f"/proc/self/task/{os.readlink('/proc/self')}/children"):
        pass  # the watcher needs this file
    child.enter_sandbox(request, {}, answer)
    with open(os.__file__):
        pass  # the interpreter's own files may be in a folder that only their owner may enter
    if request.isolated and os.getpid() != 1:
        raise OSError("the process is not alone in its namespace")
    if request.isolated:
        with open("/proc/self/status") as file:
            left = [line.split()[0] for line in file if line.startswith("Cap") and int(line.split()[1], 16)]
        if left:
            raise OSError(f"rights are left: {', '.join(left)}")
    for path in _SECRET if request.filtered else ():
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDONLY))
            raise RuntimeError(f"{path} can be read from inside")


def _memory_group(_: socket.socket) -> None:
    group = cgroups.SubmissionGroup(Limits().memory)
    try:
        if reason := attempt(lambda _: [os.write(handle, b"0") for handle in group.joining]):
            raise OSError(reason)
    finally:
        group.remove()


if __name__ == "__main__":
    main()

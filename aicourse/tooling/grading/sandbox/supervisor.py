"""One supervisor per kernel: it starts the kernel, watches its memory, signals it, and sees it to its end.

It runs outside the kernel's namespaces and never runs student code. Its socket to the grader carries

    to it:    packets of one byte: the number of a signal for the kernel; 0 asks for the CPU time until now
    from it:  {"listening": true} with a socket, {"cpu": 0.25},
              {"exit": -9, "cpu": 0.31, "peak": 52428800, "over": false}

When the grader is gone, however it ended, the socket closes and the kernel is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from typing import Any, NoReturn

from aicourse.tooling.fork_server import read_request
from aicourse.tooling.grading.sandbox import linux, namespaces, watcher
from aicourse.tooling.grading.sandbox.child import become_kernel
from aicourse.tooling.grading.sandbox.request import Request

_SWEEPS = 200


def supervise(kernel: Any, data: bytes, handles: list[int]) -> NoReturn:
    """Become the supervisor of one kernel, in a fork of the zygote."""
    code = 70
    try:
        fields, named = read_request(data, handles)
        _supervise(Request(**fields), named, kernel)
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(code)


def _supervise(request: Request, named: dict[str, int], kernel: Any) -> None:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    control = socket.socket(fileno=named["control"])
    if request.isolated:
        namespaces.enter_process_namespace(as_root=request.owner is not None)
    else:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)  # orphans become ours, so that none escapes
    pid = os.fork()
    if pid == 0:
        become_kernel(request, named, control, kernel)
    for name, handle in named.items():
        if name != "control":
            os.close(handle)
    watch = _Watch(request, pid, control)
    report = watch.until_it_ends()
    if not request.isolated:
        sweep(request.owner)
    with contextlib.suppress(OSError):
        control.send(json.dumps(report).encode())


class _Watch:
    """Waits for the kernel's end, the grader's orders, and too much memory."""

    def __init__(self, request: Request, pid: int, control: socket.socket) -> None:
        self._request, self._pid, self._control = request, pid, control
        self._kernel = os.pidfd_open(pid)
        exact = request.level != "L4"  # there the kernel counts, and better
        self._memory = watcher.MemoryWatch(pid, request.memory, exact=exact)
        self._over = False

    def until_it_ends(self) -> dict[str, Any]:
        """Returns what the grader wants to know of the end."""
        poll = select.poll()
        poll.register(self._kernel, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        while True:
            events = poll.poll(self._memory.interval * 1000)
            ready = {handle for handle, _ in events}
            if self._kernel in ready:
                return self._report()
            if self._control.fileno() in ready and not self._obey():
                poll.unregister(self._control)
            self._look()

    def _obey(self) -> bool:
        """Pass signals on; False when the grader is gone, and with it the kernel."""
        try:
            orders = self._control.recv(64)
        except OSError:
            orders = b""
        for number in orders or bytes([signal.SIGKILL]):
            if number:
                self._signal(number)
            else:
                self._tell({"cpu": watcher.cpu_seconds(watcher.tree(self._pid))})
        return bool(orders)

    def _tell(self, packet: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            self._control.send(json.dumps(packet).encode())

    def _signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._kernel, number)

    def _look(self) -> None:
        if self._memory.look():
            self._over = True
            self._signal(signal.SIGKILL)

    def _report(self) -> dict[str, Any]:
        _, status, usage = os.wait4(self._pid, 0)
        return {
            "exit": os.waitstatus_to_exitcode(status),
            "cpu": usage.ru_utime + usage.ru_stime + sum(os.times()[:2]),
            "peak": self._memory.peak or usage.ru_maxrss * 1024,
            "over": self._over,
        }


def sweep(owner: int | None) -> None:
    """Without a process namespace: end every process that the kernel has left behind."""
    for _ in range(_SWEEPS):
        left = [process for process in watcher.tree(os.getpid()) if process != os.getpid()]
        if owner is not None:
            _kill_all_of(owner)
        for process in left:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not left:
            return
        time.sleep(0.005)


def _kill_all_of(owner: int) -> None:
    """Kill every process of this submission's own user at once, faster than it can fork."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setresuid(owner, owner, owner)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)

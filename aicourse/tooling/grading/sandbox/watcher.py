"""Memory and CPU time that a submission's processes use together, from /proc, and their share of the CPU.

Memory is what processes have in it, and what the kernel keeps for them: page tables, and buffers of sockets,
of which only the open files can be counted. The sum is cheap to read, but counts a page that two processes
share twice, also those shared with the zygote. Dividing shared pages fairly ("proportional") costs
milliseconds, and waits for a lock that a process holds while it forks. So the sum is read always; when it is
over the limit, all processes are stopped, measured fairly in a later look, when each of them has come to
rest, and continued. No look ever waits. What no process has mapped (files in /student) is capped elsewhere.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

INTERVAL = 0.05  # seconds between two looks; memory can grow by about 100 MB meanwhile
NICE = 5  # of a submission with one thread: the grader and the supervisors come first
_SOON = 0.002  # while processes come to rest
_PAUSE_FULL, _PAUSE = 0.1, 0.5  # seconds to the next fair measure, by whether half of the limit is used
_MOST, _LOWEST = 256, 19
_STEP = 1.25  # the scheduler gives a process that is nicer by 1 this many times less
_AT_REST = "TtZXD"  # D: it waits in the kernel, for a child that was stopped before it could go on
_FREE_FILES, _SOCKET = 32, 208 << 10  # open files that nobody counts; the buffer that each other may have

Tree = dict[int, list[int]]  # process -> its threads


def tree(root: int) -> Tree:
    """`root` and its descendants that have threads left, also those whose parent has ended.

    After 256 it stops: a fork bomb makes new ones faster than anybody can read about them.
    """
    found: Tree = {}
    waiting = [root]
    while waiting and len(found) < _MOST:
        process = waiting.pop()
        threads = found[process] = []
        with contextlib.suppress(OSError):  # it ended while we looked
            for thread in map(int, os.listdir(f"/proc/{process}/task")):
                threads.append(thread)
                with open(f"/proc/{process}/task/{thread}/children") as file:
                    waiting += map(int, file.read().split())
    return found


def cpu_seconds(found: Tree) -> float:
    """CPU time of these processes and of their children that were waited for."""
    ticks = 0
    for process in found:
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{process}/stat") as file:
            ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def share(found: Tree) -> None:
    """Let all threads together weigh as much as one, and all sessions as one (sched(7), autogroup).

    Who is not root may change one session in 0.1 s, so this is to be called again.
    """
    nice = _niceness(NICE, sum(map(len, found.values())))
    for thread in (thread for threads in found.values() for thread in threads):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, nice)
    sessions = {session[0]: (process, session[-1]) for process in found if (session := _session(process))}
    wanted = str(_niceness(0, len(sessions)))
    for process, is_now in sessions.values():
        if is_now != wanted:
            with contextlib.suppress(OSError), open(f"/proc/{process}/autogroup", "w") as file:
                file.write(wanted)


def _niceness(least: int, count: int) -> int:
    return min(_LOWEST, least + round(math.log(max(count, 1), _STEP)))


def _session(process: int) -> list[str]:
    """The name of its group in the scheduler, and how nice that is; empty where there are none."""
    with contextlib.suppress(OSError), open(f"/proc/{process}/autogroup") as file:
        return file.read().split()
    return []


@dataclass(frozen=True)
class _Process:
    """A process as its first living thread shows it: `path` in /proc, and the fields of its status."""

    path: str
    status: Mapping[str, str]

    @property
    def is_at_rest(self) -> bool:
        return self.status.get("State", "X")[:1] in _AT_REST

    @property
    def unmapped(self) -> int:
        """Bytes that the kernel keeps for it: page tables, and what its sockets may hold."""
        files = 0
        with contextlib.suppress(OSError):
            files = os.stat(f"{self.path}/fd").st_size  # their number; 0 before Linux 6.2
        return self._kilobytes("VmPTE") + max(0, files - _FREE_FILES) * _SOCKET

    @property
    def resident(self) -> int:
        return self._kilobytes("VmRSS")

    def proportional(self) -> int:
        """Bytes in memory; each shared page counts for the processes that share it in equal parts."""
        with contextlib.suppress(OSError, ValueError), open(f"{self.path}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
        return 0

    def _kilobytes(self, name: str) -> int:
        return int(self.status.get(name, "0").split()[0]) * 1024


def _read(process: int, threads: Iterable[int]) -> _Process:
    """A process from /proc; where its first thread has ended, the others still have the memory."""
    found = _Process("", {})
    for thread in threads:
        path = f"/proc/{process}/task/{thread}"
        with contextlib.suppress(OSError), open(f"{path}/status") as file:
            found = _Process(path, {line.partition(":")[0]: line.partition(":")[2].strip() for line in file})
            if "VmRSS" in found.status:
                break
    return found


class MemoryWatch:
    """Looks at the processes below `root` again and again; `limit` is in bytes.

    With `exact` False it only reads the sum, for `peak`: something else keeps the limit.
    """

    def __init__(self, root: int, limit: int, *, exact: bool) -> None:
        self._root, self._limit, self._exact = root, limit, exact
        self._stopped = False
        self._next = 0.0
        self._shared = False
        self.peak = 0

    @property
    def interval(self) -> float:
        """Seconds until the next look."""
        return _SOON if self._stopped else INTERVAL

    def look(self) -> bool:
        """True if the processes have been found to use more than the limit."""
        found = tree(self._root)
        many = sum(map(len, found.values())) > 1
        if many or self._shared:
            self._shared = many
            share(found)
        seen = [_read(process, threads) for process, threads in found.items()]
        if self._stopped:
            return self._measure(list(found), seen)
        used = sum(process.resident + process.unmapped for process in seen)
        if not self._exact or used <= self._limit:
            self.peak = max(self.peak, used)
        elif time.monotonic() >= self._next:
            self._stopped = True
            _signal(found, signal.SIGSTOP)
        return False

    def _measure(self, found: list[int], seen: Sequence[_Process]) -> bool:
        """Measure fairly if all are at rest, else stop those that a fork has just made."""
        moving = [number for number, process in zip(found, seen, strict=True) if not process.is_at_rest]
        if moving:
            _signal(moving, signal.SIGSTOP)
            return False
        used = sum(process.proportional() + process.unmapped for process in seen)
        self.peak = max(self.peak, used)
        self._stopped = False
        self._next = time.monotonic() + (_PAUSE_FULL if 2 * used > self._limit else _PAUSE)
        _signal(found, signal.SIGCONT)
        return used > self._limit


def _signal(found: Iterable[int], number: int) -> None:
    for process in found:
        with contextlib.suppress(OSError):
            os.kill(process, number)

"""Memory that a submission's processes use together, read from /proc; and little time for many processes.

The sum of what each has in memory is cheap to read, but counts a page that two of them share twice, also
those shared with the zygote. Dividing shared pages fairly ("proportional") costs milliseconds, and waits for
a lock that a process holds while it forks. So the sum is read always; when it is over the limit, all
processes are stopped, measured fairly in a later look, when each of them has come to rest, and continued. No
look ever waits. What no process has mapped (files in /student) is capped elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Iterator

INTERVAL = 0.05  # seconds between two looks; memory can grow by about 100 MB meanwhile
_SOON = 0.002  # while processes come to rest
_PAUSE_FULL, _PAUSE = 0.1, 0.5  # seconds to the next fair measure, by whether half of the limit is used
_MOST, _MANY, _LOWEST = 256, 16, 19
_RESIDENT = 1  # a column of /proc/…/statm
_AT_REST = "TtZX"
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def processes(root: int) -> Iterator[int]:
    """`root` and its living descendants, also those whose parent has ended inside their namespace.

    After 256 it stops: a fork bomb makes new ones faster than anybody can read about them.
    """
    waiting = [root]
    for _ in range(_MOST):
        if not waiting:
            return
        process = waiting.pop()
        yield process
        with contextlib.suppress(OSError):  # it ended while we looked
            for thread in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{thread}/children") as file:
                    waiting += [int(child) for child in file.read().split()]


def calm(found: list[int]) -> None:
    """Give many processes little time each, so that other submissions keep theirs while a fork bomb runs."""
    if len(found) > _MANY:
        for process in found:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process, _LOWEST)


class MemoryWatch:
    """Looks at the processes below `root` again and again; `limit` is in bytes.

    With `exact` False it only reads the sum, for `peak`: something else keeps the limit.
    """

    def __init__(self, root: int, limit: int, *, exact: bool) -> None:
        self._root, self._limit, self._exact = root, limit, exact
        self._stopped = False
        self._next = 0.0
        self.peak = 0

    @property
    def interval(self) -> float:
        """Seconds until the next look."""
        return _SOON if self._stopped else INTERVAL

    def look(self) -> bool:
        """True if the processes have been found to use more than the limit."""
        found = list(processes(self._root))
        calm(found)
        if self._stopped:
            return self._measure(found)
        used = sum(_resident(process) for process in found)
        if not self._exact or used <= self._limit:
            self.peak = max(self.peak, used)
        elif time.monotonic() >= self._next:
            self._stopped = True
            _signal(found, signal.SIGSTOP)
        return False

    def _measure(self, found: list[int]) -> bool:
        """Measure fairly if all are at rest, else stop those that a fork has just made."""
        moving = [process for process in found if _state(process) not in _AT_REST]
        if moving:
            _signal(moving, signal.SIGSTOP)
            return False
        used = sum(_proportional(process) for process in found)
        self.peak = max(self.peak, used)
        self._stopped = False
        self._next = time.monotonic() + (_PAUSE_FULL if 2 * used > self._limit else _PAUSE)
        _signal(found, signal.SIGCONT)
        return used > self._limit


def _signal(found: Iterable[int], number: int) -> None:
    for process in found:
        with contextlib.suppress(OSError):
            os.kill(process, number)


def _state(process: int) -> str:
    """The letter that ps shows; X for a process that has ended."""
    with contextlib.suppress(OSError, IndexError), open(f"/proc/{process}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]
    return "X"


def _resident(process: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[_RESIDENT]) * _PAGE
    return 0


def _proportional(process: int) -> int:
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{process}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0

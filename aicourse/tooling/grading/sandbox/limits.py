"""Limits that the kernel keeps for each process or user of a submission (setrlimit).

The memory of all processes together is no such limit: that is a control group's (`cgroups`) or the watcher's.
"""

from __future__ import annotations

import math
import resource  # not on Windows, where nothing imports this module
import time
from dataclasses import dataclass

OPEN_FILES = 512
_RESERVED = 16 << 30  # of addresses, for stacks and arenas; page tables for them are 1/512 of that


@dataclass(frozen=True)
class ProcessLimits:
    """Bytes of private memory of one process, bytes of one file, and processes of one user."""

    memory: int
    file_size: int
    processes: int

    def apply(self) -> None:
        """Limit this process and its children, for good; what it shares with the zygote comes on top."""
        for kind, value in (
            (resource.RLIMIT_DATA, self.memory + _used_pages(5)),
            (resource.RLIMIT_AS, self.memory + _used_pages(0) + _RESERVED),
            (resource.RLIMIT_FSIZE, self.file_size),
            (resource.RLIMIT_NPROC, self.processes),
            (resource.RLIMIT_NOFILE, OPEN_FILES),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_MEMLOCK, 0),
            (resource.RLIMIT_MSGQUEUE, 0),
        ):
            _lower(kind, value)


def limit_memory(size: int) -> None:
    """Let this process use so many more bytes of memory of its own."""
    _lower(resource.RLIMIT_DATA, size + _used_pages(5))
    _lower(resource.RLIMIT_CORE, 0)


def limit_cpu(seconds: int) -> None:
    """Let this process use so many more seconds of CPU; then it is killed, unless this is called again."""
    ceiling = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + seconds, ceiling))


def _lower(kind: int, value: int) -> None:
    ceiling = resource.getrlimit(kind)[1]
    wanted = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
    resource.setrlimit(kind, (wanted, wanted))


def _used_pages(column: int) -> int:
    """Bytes of this process's addresses (column 0 of statm), or of those that are its own to write (5)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[column]) * resource.getpagesize()

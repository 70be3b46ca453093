"""How much memory a submission's processes use together, read from /proc.

`resident` is cheap but counts a page that two processes share twice, also those shared with the zygote;
`proportional` divides shared pages fairly and costs milliseconds. So the first is asked always, and the
second only when the first is over the limit. What no process has mapped (files in /student) is capped
elsewhere.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

INTERVAL = 0.05  # seconds between two looks; memory can grow by about 100 MB meanwhile
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def processes(root: int) -> Iterator[int]:
    """`root` and its living descendants, also those whose parent has ended inside their namespace."""
    waiting = [root]
    while waiting:
        process = waiting.pop()
        yield process
        with contextlib.suppress(OSError):  # it ended while we looked
            for thread in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{thread}/children") as file:
                    waiting += [int(child) for child in file.read().split()]


def resident(root: int) -> int:
    """Bytes in memory, shared pages counted once for each process."""
    return sum(_resident(process) for process in processes(root))


def proportional(root: int) -> int:
    """Bytes in memory, each shared page divided among those that share it."""
    return sum(_proportional(process) for process in processes(root))


def _resident(process: int) -> int:
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[1]) * _PAGE
    return 0


def _proportional(process: int) -> int:
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{process}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0

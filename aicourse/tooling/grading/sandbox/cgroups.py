"""Memory groups (cgroups): the kernel itself limits the memory of all processes of a submission together.

They need a folder below /sys/fs/cgroup that this user may make folders in: root has one, and so has a systemd
user session or a container that was given one. Version 2 is preferred, version 1 works too.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_counter = itertools.count()


class MemoryGroup:
    """One group, limited to `limit` bytes; a process joins by writing 0 to the open file `joining`."""

    def __init__(self, limit: int) -> None:
        self._folder = _create()
        try:
            self._version_2 = (self._folder / "memory.max").exists()
            self._set_limit(limit)
            self.joining = os.open(self._folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        except BaseException:
            self._folder.rmdir()
            raise

    def _set_limit(self, limit: int) -> None:
        first = "memory.max" if self._version_2 else "memory.limit_in_bytes"
        (self._folder / first).write_text(str(limit))
        swap = ("memory.swap.max", 0) if self._version_2 else ("memory.memsw.limit_in_bytes", limit)
        for name, value in (swap, ("memory.oom.group", 1)):
            with contextlib.suppress(OSError):  # no swap accounting; no such file in version 1
                os.close(os.open(self._folder / name, os.O_WRONLY))
                (self._folder / name).write_text(str(value))

    def peak(self) -> int:
        """The most bytes that were in use at once; 0 when this kernel does not say."""
        name = "memory.peak" if self._version_2 else "memory.max_usage_in_bytes"
        with contextlib.suppress(OSError, ValueError):
            return int((self._folder / name).read_text())
        return 0

    def kills(self) -> int:
        """The number of processes that the kernel has ended because the limit was reached."""
        name = "memory.events" if self._version_2 else "memory.oom_control"
        with contextlib.suppress(OSError, ValueError):
            for line in (self._folder / name).read_text().splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
        return 0

    def remove(self) -> None:
        """Delete the group; its processes must have ended."""
        os.close(self.joining)
        for _ in range(100):
            try:
                self._folder.rmdir()
                return
            except OSError:  # the last process is still being taken apart
                time.sleep(0.01)


def _create() -> Path:
    """A new folder below the first parent that allows it.

    Raises:
        OSError: there is none; the message is the last parent's.
    """
    problem: OSError = FileNotFoundError("no memory cgroup is mounted")
    for parent in _parents():
        folder = parent / f"aicourse-{os.getpid()}-{next(_counter)}"
        try:
            folder.mkdir()
        except OSError as error:
            problem = error
            continue
        if (folder / "memory.max").exists() or (folder / "memory.limit_in_bytes").exists():
            return folder
        folder.rmdir()
        problem = PermissionError(f"{parent} does not hand memory limits down")
    raise problem


def _parents() -> Iterator[Path]:
    """Folders to try: beside and below the group that this process is in."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "" and (_MOUNT / "cgroup.controllers").exists():
                own = _MOUNT / path.lstrip("/")
                yield from (own, own.parent) if own != _MOUNT else (own,)
            elif "memory" in controllers.split(","):
                yield _MOUNT / "memory" / path.lstrip("/")

"""Control groups: the kernel limits the memory of all processes of a submission together, and shares the CPU.

They need a folder below /sys/fs/cgroup that this user may make folders in: root has one, and so has a systemd
user session or a container that was given one. Version 2 is preferred, version 1 works too. Memory is what a
group must limit; an equal share of the CPU and a count of its time come with it where the controllers are.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from aicourse.tooling.grading.sandbox import leftovers

_MOUNT = Path("/sys/fs/cgroup")
_counter = itertools.count()


class SubmissionGroup:
    """A group for one submission, limited to `limit` bytes; processes join by writing 0 to each of `joining`.

    In version 1 it is a folder for each controller, in version 2 one for all.
    """

    def __init__(self, limit: int) -> None:
        name = f"{leftovers.own_prefix()}{next(_counter)}"
        self._folder = _create(name)
        self._version_2 = (self._folder / "memory.max").exists()
        self._folders = [self._folder, *(() if self._version_2 else _beside(name))]
        self.joining: list[int] = []
        try:
            self._set_limit(limit)
            for folder in self._folders:
                self.joining.append(os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
        except BaseException:
            self.remove()
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
        return _field(self._folder / name, "oom_kill") or 0

    def cpu_seconds(self) -> float | None:
        """CPU time of all processes that are or were in it; None when nobody counts it here."""
        for folder in self._folders:
            with contextlib.suppress(OSError, ValueError):
                return int((folder / "cpuacct.usage").read_text()) / 1e9
        used = _field(self._folder / "cpu.stat", "usage_usec")
        return None if used is None else used / 1e6

    def remove(self) -> None:
        """Delete the group; its processes must have ended."""
        for handle in self.joining:
            os.close(handle)
        for folder in self._folders:
            remove(folder)


def _field(file: Path, name: str) -> int | None:
    """A number by its name; None when the file has none."""
    with contextlib.suppress(OSError, ValueError):
        for line in file.read_text().splitlines():
            if line.startswith(f"{name} "):
                return int(line.split()[1])
    return None


def remove(folder: Path) -> None:
    """Delete a group's folder, as soon as the last of its processes has been taken apart."""
    for _ in range(100):
        try:
            return folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)


def clear() -> None:
    """Remove the groups of graders that were killed, and what still runs in them."""
    leftovers.clear(places(), _end)


def places() -> set[Path]:
    """The folders in which groups of this process may be."""
    return {*_parents(), *_version_1("cpu"), *_version_1("cpuacct")}


def _end(folder: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        for process in (folder / "cgroup.procs").read_text().split():
            os.kill(int(process), signal.SIGKILL)
    remove(folder)


def _create(name: str) -> Path:
    """A new folder below the first parent that allows it.

    Raises:
        OSError: there is none; the message is the last parent's.
    """
    problem: OSError = FileNotFoundError("no memory cgroup is mounted")
    for parent in _parents():
        folder = parent / name
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


def _beside(name: str) -> Iterator[Path]:
    """Version 1: folders of the controllers of the CPU, which often have one hierarchy together."""
    seen = set()
    for controller in ("cpu", "cpuacct"):
        for parent in _version_1(controller):
            with contextlib.suppress(OSError):
                place = parent.resolve(strict=True)
                if place not in seen:
                    (place / name).mkdir()
                    seen.add(place)
                    yield place / name


def _parents() -> Iterator[Path]:
    """Folders to try for memory: beside and below the group that this process is in."""
    if (_MOUNT / "cgroup.controllers").exists():
        for path in _own_groups(""):
            own = _MOUNT / path
            yield from (own, own.parent) if own != _MOUNT else (own,)
    yield from _version_1("memory")


def _version_1(controller: str) -> Iterator[Path]:
    """The folder of the group of this process, where `controller` has a hierarchy."""
    yield from (_MOUNT / controller / path for path in _own_groups(controller))


def _own_groups(controller: str) -> Iterator[str]:
    """Paths from /proc/self/cgroup; "" asks for version 2."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controller in controllers.split(","):
                yield path.lstrip("/")

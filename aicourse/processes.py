"""Processes that share a machine: one of them at a time in a folder or file, and the cores there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from aicourse.errors import AicourseError


@contextmanager
def sole_holder(lock_file: Path, refusal: Callable[[str], AicourseError]) -> Iterator[None]:
    """Hold the lock at `lock_file`, or say at once who has it; the system frees it however a process ends.

    `refusal` makes the error from the holder: " (process 4711, python)", or "" where that cannot be seen.

    Raises:
        AicourseError: what `refusal` made, when another process or thread holds the lock; or nothing can be
            written there.
    """
    lock = FileLock(lock_file)
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise refusal(_holder(lock_file)) from None
    except OSError as error:
        raise AicourseError(
            f"Nothing can be written to {lock_file.parent} ({error.strerror}). Name another folder."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _holder(lock_file: Path) -> str:
    """The process that has the lock's file open; others of this user can be looked into, no more."""
    import psutil  # only now: nearly every lock is free

    wanted = str(lock_file.resolve())
    for process in psutil.process_iter():
        try:
            if any(opened.path == wanted for opened in process.open_files()):
                return f" (process {process.pid}, {process.name()})"
        except (psutil.Error, OSError):  # somebody else's, or gone meanwhile
            continue
    return ""


def core_count() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1

"""The few Linux system calls that Python 3.11 has no function for, each a thin wrapper that raises OSError.

Constants are those of the kernel's headers. Nothing here loads before it is called, so that this module can
be imported on any system.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import struct
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

PR_SET_SECCOMP = 22
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

_CAPABILITY_VERSION_3 = 0x20080522
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


@functools.cache
def libc() -> Any:
    """The C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> int:
    """`result`, unless it is -1: then the C library's errno as an OSError that names `what`."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Move this process (for pids: its next child) into namespaces of its own."""
    checked(libc().unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """mount(2); empty strings are passed as NULL."""
    texts = [text.encode() if text else None for text in (source, target, kind)]
    data = options.encode() if options else None
    checked(
        libc().mount(*texts, ctypes.c_ulong(flags), data), f"mount {kind or source or 'flags'} on {target}"
    )


def pivot_root() -> None:
    """Make the working folder, a mount point, the root; the old root is gone from this namespace."""
    number = _PIVOT_ROOT[platform.machine()]
    checked(libc().syscall(ctypes.c_long(number), b".", b"."), "pivot_root")
    checked(libc().umount2(b".", ctypes.c_int(MNT_DETACH)), "umount the old root")
    os.chdir("/")


def prctl(option: int, argument: int = 0, *rest: int) -> int:
    """prctl(2) with whole numbers."""
    arguments = [ctypes.c_ulong(value) for value in (argument, *rest, 0, 0, 0)[:4]]
    return checked(libc().prctl(ctypes.c_int(option), *arguments), f"prctl {option}")


def drop_bounding_set() -> None:
    """Give up what exec of some file could bring back; only who still has rights may do that.

    Raises:
        OSError: this process may not.
    """
    capability = 0
    while (has := libc().prctl(PR_CAPBSET_READ, ctypes.c_ulong(capability), 0, 0, 0)) >= 0:  # -1: the last
        if has:
            prctl(PR_CAPBSET_DROP, capability)
        capability += 1


def drop_capabilities() -> None:
    """Give up every capability; sets no_new_privs."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0))
    data = ctypes.create_string_buffer(bytes(24))
    checked(libc().capset(header, data), "capset")

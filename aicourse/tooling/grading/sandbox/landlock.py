"""Landlock: a process gives up the file system except what it names, without any privilege.

It is what level L2 has instead of namespaces (https://docs.kernel.org/userspace-api/landlock.html). It does
not hide other processes and, before version 6 of its interface, does not stop signals: the filter of system
calls does that.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from aicourse.tooling.grading.sandbox.linux import PR_SET_NO_NEW_PRIVS, checked, libc, prctl

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG, _RULE_PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL_OF_DEVICES = 1 << 14, 1 << 15
_ALL_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_ALL_NETWORK = 3  # bind and connect of TCP, since version 4
_ALL_SCOPES = 3  # abstract Unix sockets and signals, since version 6


def version() -> int:
    """The kernel's version of the interface.

    Raises:
        OSError: the kernel has none, or it is switched off.
    """
    return checked(_call(_CREATE_RULESET, None, 0, _VERSION_FLAG), "Landlock")


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Keep reading and executing below `readable`, everything below `writable`, and nothing else."""
    found = version()
    everything = _ALL_RIGHTS[min(found, 5)]
    network = _ALL_NETWORK if found >= 4 else 0
    scopes = _ALL_SCOPES if found >= 6 else 0
    attributes = struct.pack("=QQQ", everything, network, scopes)[
        : 8 if found < 4 else 16 if found < 6 else 24
    ]
    ruleset = checked(_call(_CREATE_RULESET, attributes, len(attributes), 0), "Landlock's rules")
    try:
        for path in readable:
            _allow(ruleset, path, everything & (_EXECUTE | _READ_FILE | _READ_DIR))
        for path in writable:
            _allow(ruleset, path, everything)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        checked(_call(_RESTRICT_SELF, ruleset, 0), "Landlock's restriction")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    if not os.path.isdir(path):
        rights &= _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_OF_DEVICES
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, handle)
        checked(_call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0), f"Landlock's rule for {path}")
    finally:
        os.close(handle)


def _call(number: int, *arguments: int | bytes | None) -> int:
    values = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return int(libc().syscall(ctypes.c_long(number), *values))

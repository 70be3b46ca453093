"""The filter of system calls, as a program for the kernel's packet filter (classic BPF), assembled here.

Purpose: a student's process has no capability, so most of the calls below would fail anyway; the filter takes
away the kernel code behind them as a place to attack, and the calls that need no capability but would undo
something (new namespaces, other processes' memory, memory that no limit counts). Everything else is allowed:
a list of what Python, numpy and a shell may use would break with each release. Format:
https://www.kernel.org/doc/html/latest/userspace-api/seccomp_filter.html

Not handled: 32-bit and x32 programs (every call fails), other architectures (refused before).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from aicourse.tooling.grading.sandbox.linux import PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, prctl
from aicourse.tooling.grading.sandbox.syscalls import AUDIT_ARCH, architecture, number_of

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_OR_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW… flag of clone(2)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # both put characters into a terminal's input
_INET_UNIX_NETLINK = (1, 2, 10, 16)
_MODE_FILTER = 2

DENIED = [
    "unshare",
    "setns",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "process_mrelease",
    "pidfd_getfd",
    "kcmp",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "keyctl",
    "add_key",
    "request_key",
    "open_by_handle_at",
    "name_to_handle_at",
    "fanotify_init",
    "memfd_create",
    "memfd_secret",
    "shmget",
    "semget",
    "msgget",
    "move_pages",
    "migrate_pages",
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "reboot",
    "swapon",
    "swapoff",
    "acct",
    "quotactl",
    "quotactl_fd",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "syslog",
    "lookup_dcookie",
    "vhangup",
    "personality",
    "sethostname",
    "setdomainname",
    "iopl",
    "ioperm",
    "modify_ldt",
    "uselib",
    "ustat",
    "sysfs",
    "nfsservctl",
]
# Without namespaces of its own a process sees the others: it may signal only itself, and has no network.
DENIED_WITHOUT_NAMESPACES = [
    "pidfd_open",
    "pidfd_send_signal",
    "tkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "socket",
]

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def build(*, namespaces: bool) -> bytes:
    """The filter as an array of `struct sock_filter`, for a process with or without namespaces of its own."""
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, AUDIT_ARCH[architecture()]),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if architecture() == "x86_64":
        program += [(_JUMP_GREATER_OR_EQUAL, 0, 1, _X32), _fail(errno.ENOSYS)]
    for name in DENIED if namespaces else DENIED + DENIED_WITHOUT_NAMESPACES:
        program += _deny(name)
    program += _if_called(
        "clone3", [_fail(errno.ENOSYS)]
    )  # its flags are in memory; glibc falls back to clone
    program += _if_called("clone", [_argument(0), (_JUMP_ANY_BIT, 0, 1, _NEW_NAMESPACES), _fail(errno.EPERM)])
    program += _if_called("ioctl", _refuse_values(1, (_TIOCSTI, _TIOCLINUX)))
    if namespaces:
        program += _if_called("socket", _refuse_others(0, _INET_UNIX_NETLINK, errno.EAFNOSUPPORT))
    else:
        for name in ("kill", "tgkill"):
            program += _if_called(name, _refuse_others(0, (os.getpid(),), errno.EPERM))
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def load(program: bytes) -> None:
    """Put this process and all its children under the filter, for good; sets no_new_privs."""
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    buffer = ctypes.create_string_buffer(header, len(header))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(buffer))


def _fail(number: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | number)


def _argument(index: int) -> Instruction:
    """Load the low half of an argument: the flags, families and requests compared here are 32 bits wide."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def _deny(name: str) -> list[Instruction]:
    return _if_called(name, [_fail(errno.EPERM)])


def _if_called(name: str, then: list[Instruction]) -> list[Instruction]:
    """Run `then` for this call; afterwards the accumulator holds the call's number again."""
    number = number_of(name)
    if number is None:
        return []
    body = [*then, (_LOAD, 0, 0, _NUMBER)] if len(then) > 1 else then
    return [(_JUMP_EQUAL, 0, len(body), number), *body]


def _refuse_values(index: int, values: tuple[int, ...]) -> list[Instruction]:
    refused = [step for value in values for step in ((_JUMP_EQUAL, 0, 1, value), _fail(errno.EPERM))]
    return [_argument(index), *refused]


def _refuse_others(index: int, values: tuple[int, ...], number: int) -> list[Instruction]:
    """Fail with `number` unless the argument is one of `values`."""
    passes = [(_JUMP_EQUAL, len(values) - position, 0, value) for position, value in enumerate(values)]
    return [_argument(index), *passes, _fail(number)]

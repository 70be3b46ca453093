"""The namespaces that one submission gets: files, network, processes, messages, name; users when not root.

The zygote lives in a mount namespace whose root shows only what `view` lists. A supervisor asks for a process
namespace (and, without root, a user namespace, so that its count of processes is its own), and the kernel it
forks there enters the rest and mounts its own writable files.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct

from aicourse.tooling.grading.sandbox import linux
from aicourse.tooling.grading.sandbox.view import (
    HOME,
    LINKED,
    SHARED,
    STUDENT,
    TEMPORARY,
    WORK,
    build_root,
    make_mount_point,
)

NOBODY = 65534
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1


def enter_view() -> None:
    """Give the zygote a root of its own; without root rights, in a user namespace that allows it to."""
    if os.geteuid() == 0:
        linux.unshare(linux.CLONE_NEWNS)
    else:
        become_nobody(linux.CLONE_NEWNS)
    build_root()
    mount_student_files(size=8 << 20, files=1_000, owner=None)


def become_nobody(more: int = 0) -> None:
    """Enter a user namespace, with all rights there, in which this user is called nobody."""
    user, group = os.geteuid(), os.getegid()
    linux.unshare(linux.CLONE_NEWUSER | more)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {user} 1"),
        ("gid_map", f"{NOBODY} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def enter_process_namespace(*, as_root: bool) -> None:
    """For the supervisor: its next child is process 1 of a new namespace."""
    if as_root:
        linux.unshare(linux.CLONE_NEWPID)
    else:
        become_nobody(linux.CLONE_NEWPID)


def enter(*, disk: int, files: int, owner: int | None) -> None:
    """For the kernel: the other namespaces, `disk` bytes of writable files, its own /proc and terminals.

    `owner` gets the files; None when this user keeps its own id (in a user namespace).
    """
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS)
    socket.sethostname("student")
    _start_loopback()
    mount_student_files(size=disk, files=files, owner=owner)
    for place, folder in LINKED.items():
        _put_over(place, folder)
    quiet = linux.MS_NOSUID | linux.MS_NOEXEC
    linux.mount("devpts", "/dev/pts", "devpts", quiet, "newinstance,ptmxmode=0666,mode=620")
    linux.mount("proc", "/proc", "proc", quiet | linux.MS_NODEV)


def mount_student_files(*, size: int, files: int, owner: int | None) -> None:
    """An empty, writable file system at /student: work, home, tmp and shm share `size` bytes."""
    options = f"size={size},nr_inodes={files},mode=755"
    linux.mount("tmpfs", STUDENT, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
    for path in (WORK, HOME, TEMPORARY, SHARED):
        os.mkdir(path, 0o700)
        if owner is not None:
            os.chown(path, owner, owner)


def _put_over(place: str, folder: str) -> None:
    """Put the writable `folder` at `place`, where that is no link to it: the view shows something below."""
    if os.path.islink(place):
        return
    for name in os.listdir(place):
        source, target = f"{place}/{name}", f"{folder}/{name}"
        if os.path.islink(source):
            os.symlink(os.readlink(source), target)
            continue
        make_mount_point(source, target)
        linux.mount(source, target, "", linux.MS_BIND | linux.MS_REC)
    linux.mount(folder, place, "", linux.MS_BIND | linux.MS_REC)


def _start_loopback() -> None:
    """Switch `lo` on: local servers work, and the proxy to a model listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, _GET_FLAGS, request))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags | _UP))

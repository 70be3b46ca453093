"""The view that student code has of this computer: interpreter, packages, the course's code and open data.

`readable_paths` is a list of what is shown, never of what is hidden: the graders' split of a dataset,
homework, checks, grades and other submissions are not on it. `build_root` turns the list into a file system
of its own for the zygote, before that has run anything; a file that is not in it has no name there.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import aicourse
from aicourse.errors import AicourseError
from aicourse.paths import datasets_dir
from aicourse.tooling.grading.sandbox import linux

STUDENT = "/student"  # each submission's own, size-capped file system
WORK, HOME, TEMPORARY, SHARED = (f"{STUDENT}/{name}" for name in ("work", "home", "tmp", "shm"))
LINKED = {"/tmp": TEMPORARY, "/dev/shm": SHARED}
GRADER_SPLIT = "grader"

_SYSTEM = (
    *("/usr/bin", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/usr/share/fonts"),
    *("/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/fonts"),
    *("/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/mime.types"),
)
_PREFIX = ("bin", "lib", "lib64", "share", "etc", "ssl", "pyvenv.cfg")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_ROOT_MOUNT = "/sys"  # covered by the new root for a moment; nothing below it is shown


def environment(home: str = HOME) -> dict[str, str]:
    """The whole environment of the zygote and so of student code: nothing of the grader's is in it.

    `home` is another folder where there is no /student, below level L3.
    """
    course = {"AICOURSE_HOME": str(datasets_dir().parent)} if course_folders() else {}
    return {
        **course,
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "TMPDIR": TEMPORARY if home == HOME else home,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "IPYTHONDIR": f"{home}/.ipython",
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONHASHSEED": "0",  # the same submission gives the same answers in every run
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "AICOURSE_UNATTENDED": "1",
    }


def readable_paths() -> list[str]:
    """Files and folders to show read-only; none lies below another."""
    found = {path for path in _candidates() if os.path.lexists(path)}
    paths: list[str] = []
    for path in sorted(found):
        if not any(path.startswith(f"{above}/") for above in paths if not os.path.islink(above)):
            paths.append(path)
    return paths


def _candidates() -> Iterator[str]:
    yield from _SYSTEM
    for prefix in {sys.prefix, sys.base_prefix, os.path.realpath(sys.base_prefix)} - {"/usr"}:
        yield from (f"{prefix}/{name}" for name in _PREFIX)
    for entry in sys.path:
        if Path(entry).name in ("site-packages", "dist-packages"):
            yield os.path.realpath(entry)
    yield from (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    yield str(Path(aicourse.__file__).resolve().parent)
    yield from open_data()


def open_data() -> Iterator[str]:
    """The course's datasets without what only graders may read; nothing where there are no course files."""
    try:
        folder = datasets_dir()
    except AicourseError:
        return
    for dataset in sorted(folder.iterdir()):
        if dataset.is_dir():
            yield from (str(entry) for entry in sorted(dataset.iterdir()) if entry.name != GRADER_SPLIT)


def course_folders() -> list[str]:
    """Folders that must exist, empty if need be, for `aicourse.paths` to find the course in there."""
    try:
        datasets = datasets_dir()
    except AicourseError:
        return []
    return [str(datasets), str(datasets.parent / "notebooks")]


def build_root() -> None:
    """Make a read-only file system of `readable_paths` this process's root, in its own mount namespace."""
    paths, folders = readable_paths(), course_folders()
    linux.mount("", "/", "", linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", _ROOT_MOUNT, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=1m,mode=755")
    os.chdir(_ROOT_MOUNT)
    for path in ["/proc", "/dev/pts", STUDENT, "/etc", *folders]:
        os.makedirs(f".{path}", exist_ok=True)
    for path in paths:
        _show(path, read_only=True)
    for name in _DEVICES:
        _show(f"/dev/{name}", read_only=False)
    _link_devices()
    Path("etc/passwd").write_text(f"student:x:65534:65534::{HOME}:/bin/sh\n")
    linux.mount("/proc", "./proc", "", linux.MS_BIND | linux.MS_REC)
    linux.mount("", ".", "", linux.MS_REMOUNT | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV, "size=1m")
    linux.pivot_root()


def _link_devices() -> None:
    links = {
        **{place[1:]: folder for place, folder in LINKED.items()},
        "dev/ptmx": "pts/ptmx",
        "dev/fd": "/proc/self/fd",
        "dev/stdin": "/proc/self/fd/0",
        "dev/stdout": "/proc/self/fd/1",
        "dev/stderr": "/proc/self/fd/2",
    }
    for name, target in links.items():
        if not os.path.lexists(name):  # something that is shown may lie below /tmp (`namespaces.enter`)
            os.symlink(target, name)


def _show(path: str, *, read_only: bool) -> None:
    """Put `path` into the new root, the working folder: a link as a link, the rest as a bind mount."""
    target = f".{path}"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        return
    make_mount_point(path, target)
    linux.mount(path, target, "", linux.MS_BIND)
    if read_only:
        linux.mount("", target, "", _read_only_flags(path))


def make_mount_point(path: str, target: str) -> None:
    """An empty folder at `target` if `path` is one, else an empty file."""
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))


def _read_only_flags(path: str) -> int:
    """Flags for the remount; what the host had locked must stay as it is in a user namespace."""
    host = os.statvfs(path).f_flag
    flags = linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY | linux.MS_NOSUID
    flags |= linux.MS_NODEV if host & os.ST_NODEV else 0
    return flags | (linux.MS_NOEXEC if host & os.ST_NOEXEC else 0)

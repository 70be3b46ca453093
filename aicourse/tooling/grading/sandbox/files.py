"""The files beside a notebook: bytes by name, until what runs the notebook needs a folder.

They travel as bytes (`Job.files`), also to another machine; into a sandbox as one open file in memory,
because the two sides have no folder in common. Only ordinary files travel: no links, no devices.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath


class FilesError(Exception):
    """A file that cannot be laid beside the notebook; the message is a sentence."""


def named_files(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Those of the named files that exist in `folder`; whatever else lies there stays out."""
    paths = (folder / Path(name).name for name in names)
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def files_below(folder: Path) -> dict[str, bytes]:
    """Every ordinary file below `folder`, by its path there; links are not followed."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in _walk(folder)}


def data_below(folder: Path, most_bytes: int, most_files: int) -> dict[str, bytes]:
    """The same without what is hidden, notebooks and `checks.py`: what a notebook may read beside itself.

    Raises:
        FilesError: there is more than that.
    """
    found: dict[str, bytes] = {}
    left = most_bytes
    for path in _walk(folder, hidden=False):
        if path.suffix == ".ipynb" or path.name == "checks.py":
            continue
        left -= path.stat().st_size
        if left < 0 or len(found) >= most_files:
            raise FilesError(f"{folder} holds more than {most_bytes >> 20} MB or {most_files:,} files.")
        found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def _walk(folder: Path, *, hidden: bool = True) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if hidden or name[0] not in "._")
        for path in (Path(place, name) for name in sorted(names) if hidden or name[0] != "."):
            if path.is_file() and not path.is_symlink():
                yield path


def write_files(folder: str | Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files below `folder`.

    Raises:
        FilesError: a name that is none, that points outside, or that another file is in the way of.
    """
    for name, data in files:
        inside = PurePosixPath(name)
        try:
            if inside.is_absolute() or ".." in inside.parts:
                raise ValueError("its name points outside")
            path = Path(folder, *inside.parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except (OSError, ValueError) as error:
            raise FilesError(f"The file {name!r} cannot be laid beside the notebook ({error}).") from None


def pack_files(files: Mapping[str, bytes]) -> int:
    """A handle of an open file in memory (Linux): a line of names and sizes, then the bytes."""
    handle = os.memfd_create("files")
    with open(handle, "wb", closefd=False) as file:
        file.write(json.dumps([[name, len(data)] for name, data in files.items()]).encode() + b"\n")
        for data in files.values():
            file.write(data)
    return handle


def unpack_files(handle: int) -> Iterator[tuple[str, bytes]]:
    """The files that `pack_files` packed; closes `handle`."""
    with open(handle, "rb") as file:
        file.seek(0)
        for name, size in json.loads(file.readline()):
            yield name, file.read(size)

"""Checksum and disk-space checks, which a file must pass before it counts.

Shared by the two ways of getting a file (`hub.py`, `wheels.py`); knows nothing about either.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from aicourse.errors import HashMismatch
from aicourse.tooling.localmodel.local_models import ModelFile

if TYPE_CHECKING:
    from tqdm import tqdm

    Bar = tqdm[Any]

CHUNK_BYTES = 1 << 20


def digest_of(file: IO[bytes], length: int) -> hashlib._Hash:
    """SHA-256 of the next `length` bytes of an open file, ready for more."""
    digest = hashlib.sha256()
    while length and (chunk := file.read(min(length, CHUNK_BYTES))):
        digest.update(chunk)
        length -= len(chunk)
    return digest


def write_chunks(chunks: Iterable[bytes], out: IO[bytes], digest: hashlib._Hash, limit: int, bar: Bar) -> int:
    """Write, hash and show chunks as they come; the number of bytes, above `limit` if it stopped there."""
    written = 0
    for chunk in chunks:
        written += len(chunk)
        if written > limit:
            break
        out.write(chunk)
        digest.update(chunk)
        bar.update(len(chunk))
    return written


def prove(path: Path, digest: str, file: ModelFile, source: str) -> Path:
    """`path` again, if `digest` is the one of `file`; otherwise `path` is deleted.

    Raises:
        HashMismatch: other bytes; the message says from which `source`.
    """
    if digest != file.sha256:
        path.unlink(missing_ok=True)
        raise HashMismatch(f"{source} gave other bytes (SHA-256 {digest[:12]}…, not {file.sha256[:12]}…)")
    return path


def require_space(folder: Path, needed: int) -> None:
    """Fail before a download rather than in its last minute.

    Raises:
        OSError: fewer than `needed` bytes are free; its `errno` is ENOSPC.
    """
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def size_of(path: Path) -> int:
    """Bytes in the file at `path`, 0 when there is none (or no longer)."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0

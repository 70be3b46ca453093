"""Zips that strangers made: what is refused, with a sentence, and what is read."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from aicourse.errors import SubmissionError
from aicourse.tooling.grading.submissions.archives import Archive, ZipLimits


def make(*files: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return content.getvalue()


def test_members_are_read() -> None:
    with Archive(make(("a/hw01.ipynb", b"{}"), ("b", b"x" * 1000)), "a.zip") as archive:
        assert [(member.name, archive.read(member)) for member in archive] == [
            ("a/hw01.ipynb", b"{}"),
            ("b", b"x" * 1000),
        ]


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "C:\\evil", "a/../../evil", "..\\evil", "a:stream"]
)
def test_names_that_point_outside_are_refused(name: str) -> None:
    with pytest.raises(SubmissionError, match="points outside"):
        Archive(make(("good.ipynb", b"{}"), (name, b"x")), "a.zip")


def test_links_are_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        info = zipfile.ZipInfo("hw01.ipynb")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(SubmissionError, match="link"):
        Archive(content.getvalue(), "a.zip")


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = make(("zeros", b"\0" * 3_000_000))
    assert len(bomb) < 10_000
    with pytest.raises(SubmissionError, match="3,000,000 bytes"):
        Archive(bomb, "a.zip", ZipLimits(member_bytes=1_000_000))
    with pytest.raises(SubmissionError, match="unpacks to"):
        Archive(bomb, "a.zip", ZipLimits(total_bytes=1_000_000))


def test_overlapping_members_count_each_time() -> None:
    # the trick of zbsm.zip: many entries of the directory point at one compressed kernel
    one = make(("zeros", b"\0" * 1_000_000))
    start = one.index(b"PK\x01\x02")
    entry, end = one[start : one.index(b"PK\x05\x06")], one[one.index(b"PK\x05\x06") :]
    many = one[:start] + entry * 50 + end[:8] + struct.pack("<HHI", 50, 50, len(entry) * 50) + end[16:]
    with pytest.raises(SubmissionError, match="unpacks to 50,000,000"):
        Archive(many, "a.zip", ZipLimits(total_bytes=40_000_000))


def test_a_declared_size_that_lies_is_refused() -> None:
    data = bytearray(make(("hw01.ipynb", b"x" * 5_000)))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(signature) + offset
        data[place : place + 4] = struct.pack("<I", 10)
    with Archive(bytes(data), "a.zip") as archive, pytest.raises(SubmissionError, match="damaged"):
        archive.read(next(iter(archive)))


def test_a_zip_of_endless_entries_is_refused_before_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each entry takes half a kilobyte of memory, and 46 bytes of a file."""
    entries = make(*((f"{number}", b"") for number in range(50)))
    monkeypatch.setattr("zipfile.ZipFile", lambda source: pytest.fail("it was opened"))
    with pytest.raises(SubmissionError, match="more than 20 files"):
        Archive(entries, "a.zip", ZipLimits(members=20))


def test_too_many_members_are_refused() -> None:
    with pytest.raises(SubmissionError, match="holds 30 files"):
        Archive(make(*((f"{number}", b"") for number in range(30))), "a.zip", ZipLimits(members=20))


def test_an_encrypted_zip_says_so() -> None:
    data = bytearray(make(("hw01.ipynb", b"secret")))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(SubmissionError, match="encrypted"):
        Archive(bytes(data), "a.zip")


def test_damage_is_reported(tmp_path: Path) -> None:
    good = make(("hw01.ipynb", bytes(range(256)) * 50), compression=zipfile.ZIP_STORED)
    with pytest.raises(SubmissionError, match="damaged or no zip"):
        Archive(good[:-40], "a.zip")
    with pytest.raises(SubmissionError, match="damaged or no zip"):
        Archive(b"not a zip", "a.zip")
    broken = bytearray(good)
    broken[200] ^= 0xFF
    with Archive(bytes(broken), "a.zip") as archive, pytest.raises(SubmissionError, match="damaged"):
        archive.read(next(iter(archive)))


def test_an_unknown_compression_is_reported() -> None:
    data = bytearray(make(("hw01.ipynb", b"x")))
    place = data.index(b"PK\x01\x02") + 10
    data[place : place + 2] = struct.pack("<H", 97)
    with pytest.raises(SubmissionError, match="compressed in a way"):
        Archive(bytes(data), "a.zip")

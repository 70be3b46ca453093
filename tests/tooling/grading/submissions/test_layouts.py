"""Whose work it is and when it came: read at the platform's level, never from what a student named."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import submission, to_bytes

from aicourse.errors import SubmissionError
from aicourse.tooling.grading.judging.folder import file_stem
from aicourse.tooling.grading.submissions.collecting import Submission, collect
from aicourse.tooling.grading.submissions.layouts import owner_of, parse_time

NOTEBOOK = to_bytes(submission())
OLD = (2020, 1, 1, 0, 0, 0)
FORGED = [
    "bo+hw01+2020-01-01 10:00:00.000000 UTC/hw01.ipynb",
    "Bo Li_102_assignsubmission_file/hw01.ipynb",
    "libo_102_9_hw01.ipynb",
    "hw01_bo_attempt_2020-01-01-10-00-00_hw01.ipynb",
    "submission_2/hw01.ipynb",
    "timestamp.txt",
    "submission_metadata.yml",
]
FORGED_TEXT = b"2020-01-01 10:00:00 UTC"
FORGED_METADATA = b"submission_2:\n  :submitters:\n  - :name: bo\n  :created_at: 2020-01-01 10:00:00 Z\n"


def contents(name: str) -> bytes:
    special = {"timestamp.txt": FORGED_TEXT, "submission_metadata.yml": FORGED_METADATA}
    return special.get(name.rpartition("/")[2], NOTEBOOK)


def class_zip(path: Path, *names: str, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, contents(name))
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def old_zip(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name, OLD), contents(name))
    return content.getvalue()


def read(source: Path, assignment: str = "hw01") -> dict[str, Submission]:
    return {found.student: found.read() for found in collect(source, assignment)}


@pytest.mark.parametrize("in_zip", [False, True], ids=["folders", "zip"])
@pytest.mark.parametrize(
    ("honest", "own"),
    [("in/bo.ipynb", "in/mallory"), ("in/submitted/bo/hw01/hw01.ipynb", "in/submitted/mallory/hw01/own")],
    ids=["plain", "nbgrader"],
)
def test_no_name_below_a_student_names_another(tmp_path: Path, honest: str, own: str, in_zip: bool) -> None:
    source, mine = tmp_path / "in", tmp_path / own
    (tmp_path / honest).parent.mkdir(parents=True)
    (tmp_path / honest).write_bytes(NOTEBOOK)
    mine.mkdir(parents=True)
    if in_zip:
        (mine / "work.zip").write_bytes(old_zip("hw01.ipynb", *FORGED))
    else:
        for name in ("hw01.ipynb", *FORGED):
            (mine / name).parent.mkdir(parents=True, exist_ok=True)
            (mine / name).write_bytes(contents(name))
    found = read(source)
    assert sorted(found) == ["bo", "mallory"]
    assert found["bo"].notes == ()
    assert found["mallory"].submitted is not None
    assert found["mallory"].submitted.year > 2020
    assert not found["mallory"].submitted_surely


@pytest.mark.parametrize(
    ("own", "honest", "name"),
    [
        ("Mal_101_assignsubmission_file/", "Bo Li_102_assignsubmission_file/hw01.ipynb", "Bo Li"),
        ("mal_101_901_", "libo_102_902_hw01.ipynb", "libo"),
        ("hw01_mal_attempt_2026-12-01-10-00-00_", "hw01_bo_attempt_2026-12-01-10-00-00_hw01.ipynb", "bo"),
    ],
    ids=["moodle", "canvas", "blackboard"],
)
def test_no_file_name_on_a_platform_names_another(tmp_path: Path, own: str, honest: str, name: str) -> None:
    forged = [own + (name if own.endswith("/") else name.replace("/", "-")) for name in FORGED]
    found = read(class_zip(tmp_path / "class.zip", own + "hw01.ipynb", *forged, honest))
    assert len(found) == 2
    assert found[name].notes == ()
    assert found[name].owner.lms_id in ("102", "")


def test_a_class_of_one_is_not_taken_apart(tmp_path: Path) -> None:
    """Mallory alone handed in: her folder is no wrapper around students."""
    for name in [FORGED[0], "cem/hw01.ipynb"]:
        path = tmp_path / "in" / "mallory" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(NOTEBOOK)
    assert list(read(tmp_path / "in")) == ["mallory"]
    assert list(read(class_zip(tmp_path / "all.zip", "mallory/bo/hw01.ipynb", "mallory/cem/hw01.ipynb"))) == [
        "mallory"
    ]


def test_a_class_one_folder_too_deep_is_refused_with_the_folders_name(tmp_path: Path) -> None:
    names = [
        "download (3)/A B_1_assignsubmission_file/hw01.ipynb",
        "download (3)/C D_2_assignsubmission_file/x.ipynb",
    ]
    with pytest.raises(SubmissionError, match=r"one folder, download \(3\)"):
        collect(class_zip(tmp_path / "all.zip", *names), "hw01")


def test_no_students_name_is_anothers_file(tmp_path: Path) -> None:
    hashed = [file_stem(name) for name in ("Zoë Victim", "日本")]
    assert hashed[0].startswith("zoe-victim-")
    names = ["Zoë Victim", "日本", *hashed, "zoe-victim-dea510bc", "deadbeef"]
    assert len({file_stem(name) for name in names}) == len(names)


def test_two_submissions_for_one_student_are_both_shown(tmp_path: Path) -> None:
    for name in ("ada.ipynb", "ada/hw01.ipynb"):
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(NOTEBOOK)
    assert read(tmp_path / "in")["ada"].notes[0].startswith("2 notebooks were handed in")
    names = ["Ada_1_assignsubmission_file/hw01.ipynb", "Ada (1).ipynb", "Ada.ipynb", "ada_1_2_hw01.ipynb"]
    found = read(class_zip(tmp_path / "mixed.zip", *names))
    assert sorted(found) == ["Ada (1)", "Ada (1) #2", "Ada (no platform)", "ada"]
    assert len({file_stem(name) for name in found}) == 4


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-10-24 19:59:00 CEST", "17:59"),
        ("2026-10-24 21:30:00 CEST", "19:30"),
        ("2026-10-25 19:30:00 CET", "18:30"),
        ("2026-10-24 15:00:00.948203 PST", "23:00"),
        ("2026-10-24 12:30:00 PDT", "19:30"),
        ("2026-10-25 19:30:00 +01:00", "18:30"),
        ("2026-10-24T20:00:01Z", "20:00"),
        ("2026-10-24 20:00:00.123456789 UTC", "20:00"),
        ("2026-10-24 15:00:00 IST", None),
        ("2026-10-24 15:00:00 BST", None),
        ("2026-10-24 15:00:00 XYZ", None),
        ("2026-10-24 15:00:00 ../etc", None),
    ],
)
def test_zones(text: str, hour: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "tzname", ("UTC", "UTC"))
    moment = parse_time(text)
    assert (f"{moment:%H:%M}" if moment else None) == hour


def test_an_abbreviation_of_this_machine_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "tzname", ("CST", "CDT"))
    monkeypatch.setattr(time, "timezone", -8 * 3600)
    assert str(parse_time("2026-10-24 20:00 CST")) == "2026-10-24 12:00:00+00:00"


def test_times_say_where_they_come_from(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "ada.ipynb").write_bytes(NOTEBOOK)
    os.utime(source / "ada.ipynb", (1_800_000_000, 1_800_000_000))
    (source / "hw01_bo_attempt_2026-12-01-10-00-00_hw01.ipynb").write_bytes(NOTEBOOK)
    found = read(source)
    assert (found["ada"].submitted_by, found["ada"].submitted_surely) == ("the file's time", False)
    assert (found["bo"].submitted_by, found["bo"].submitted_surely) == ("Blackboard's file name", True)


# platforms


def test_moodle_and_canvas_with_typed_texts(tmp_path: Path) -> None:
    names = [
        "Kim Doe_107_assignsubmission_onlinetext/onlinetext.html",
        "Kim Doe_107_assignsubmission_file/hw01.ipynb",
        "raylee_108_text.html",
        "raylee_108_9_hw01.ipynb",
        "raylee_108_10_vectors.jsonl",
        "dolores_LATE_109_text.html",
    ]
    found = {one.student: one for one in collect(class_zip(tmp_path / "all.zip", *names), "hw01")}
    assert [one.owner.identity for one in found.values()] == ["moodle 107", "canvas 109", "canvas 108"]
    assert found["raylee"].owner.lms_prefix in ("raylee_108_9", "raylee_108_10")
    assert [name for name, _ in found["raylee"].read().files] == ["text.html", "vectors.jsonl"]
    with pytest.raises(SubmissionError, match=r"no notebook in it \(but dolores_LATE_109_text.html\)"):
        found["dolores"].read()


def test_blackboard(tmp_path: Path) -> None:
    first, second = "hw 1_bob_smith_attempt_2026-12-01-10-00-00", "hw 1_bob_smith_attempt_2026-12-02-10-00-00"
    source = class_zip(
        tmp_path / "all.zip",
        f"{first}_hw01.ipynb",
        f"{second}_hw01.ipynb",
        "hw 1_Group 3_attempt_2026-12-01-11-00-00_hw01.ipynb",
        **{
            f"{second}.txt": b"Name: Bob Smith (bob_smith)\r\nAssignment: hw 1\n",
            f"{first}_data.csv": b"old",
            f"{second}_data.csv": b"new",
        },
    )
    found = read(source)
    assert list(found) == ["Group 3", "bob_smith"]
    assert found["bob_smith"].files == (("data.csv", b"new"),), "of the attempt that counts, without receipts"
    assert found["bob_smith"].submitted == datetime(2026, 12, 2, 10).astimezone(UTC)


METADATA = b"""
submission_11: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
  :submitters:
  - :name: "Zo\\xEB \\xC5berg"
    :sid: '7'
    :email: zoe@u.edu
  :created_at: 2026-12-01 10:00:00.123456789 Z
submission_12:
  :submitters:
  - :name: Ada Byron
    :email: ada@u.edu
  - :name: Bo Li
    :email: bo@u.edu
  :created_at: 2026-12-01 12:00:00.000000000 +01:00
"""


def test_gradescope(tmp_path: Path) -> None:
    top = "assignment_555_export"
    names = [f"{top}/submission_{number}/hw01.ipynb" for number in (11, 12, 13)]
    source = class_zip(tmp_path / "x.zip", *names, **{f"{top}/submission_metadata.yml": METADATA})
    found = read(source)
    assert list(found) == ["Ada Byron, Bo Li", "Zoë Åberg", "submission_13"]
    assert found["Zoë Åberg"].owner.identity == "gradescope zoe@u.edu"
    assert found["Zoë Åberg"].submitted == datetime(2026, 12, 1, 10, 0, 0, 123456, UTC)
    group = found["Ada Byron, Bo Li"]
    assert [person.identity for person in group.owner.members] == [
        "gradescope ada@u.edu",
        "gradescope bo@u.edu",
    ]
    assert group.submitted == datetime(2026, 12, 1, 11, tzinfo=UTC)
    assert group.submitted_surely


def test_a_name_with_underscores_is_one_name() -> None:
    owner = owner_of(("Anna-Lena_von der Heide_104_assignsubmission_file", "hw01.ipynb"))
    assert (owner.student, owner.identity) == ("Anna-Lena_von der Heide", "moodle 104")
    forged = owner_of(("Mal_102_assignsubmission_file_101_assignsubmission_file", "hw01.ipynb"))
    assert forged.identity == "moodle 101", "by a name in the profile"
    forged = owner_of(("Mal_101_assignsubmission_file_Bo_102_assignsubmission_file_hw01.ipynb",))
    assert forged.identity == "moodle 101", "by a file's name"


def test_names_that_macos_takes_apart_are_one_name() -> None:
    assert owner_of(("Zoe\u0308 A\u030aberg", "hw01.ipynb")).student == "Zoë Åberg"


# what browsers and students make of a notebook


def tarred(kind: int, *names: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz", format=kind) as archive:
        for name in names:
            data = contents(name)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_is_read_like_a_zip(tmp_path: Path, kind: int) -> None:
    folder = "ä" * 60 if kind != tarfile.USTAR_FORMAT else "a" * 70
    (tmp_path / "ada.tar.gz").write_bytes(
        tarred(kind, f"{folder}/{folder}/hw01.ipynb", f"{folder}/{folder}/data.csv")
    )
    (tmp_path / "bo.tgz").write_bytes(tarred(kind, "hw01.ipynb"))
    (tmp_path / "cem.ipynb.json").write_bytes(NOTEBOOK)
    (tmp_path / "dora.ipynb.txt").write_bytes(NOTEBOOK)
    found = read(tmp_path)
    assert list(found) == ["ada", "bo", "cem", "dora"]
    assert all(one.data == NOTEBOOK for one in found.values())
    assert [name for name, _ in found["ada"].files] == ["data.csv"]


def link() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        info = tarfile.TarInfo("hw01.ipynb")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    return content.getvalue()


def long_header() -> bytes:
    info = tarfile.TarInfo("hw01.ipynb")
    info.pax_headers = {f"key{number}": "x" for number in range(5_000)}
    return info.tobuf(tarfile.PAX_FORMAT)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (link(), "a link or a device"),
        (tarred(tarfile.PAX_FORMAT, "../hw01.ipynb"), "points outside"),
        (tarred(tarfile.PAX_FORMAT, "hw01.ipynb")[:300], "Ask for a plain zip"),
        (gzip.compress(bytes(49 << 20), 1), "unpacks to more than"),
        (
            tarred(tarfile.USTAR_FORMAT, *(f"{number}.csv" for number in range(2_001))),
            "more than 2,000 files",
        ),
        (long_header(), "a header is too long"),
        (b"no tar", "Ask for a plain zip"),
        (b"x" * 512, "Ask for a plain zip"),
    ],
    ids=["link", "outside", "cut", "bomb", "many", "headers", "text", "noise"],
)
def test_what_a_tar_may_not_do(tmp_path: Path, data: bytes, sentence: str) -> None:
    (tmp_path / "mallory.tar.gz").write_bytes(data)
    (tmp_path / "bo.ipynb").write_bytes(NOTEBOOK)
    found = {one.student: one for one in collect(tmp_path, "hw01")}
    with pytest.raises(SubmissionError, match=sentence):
        found["mallory"].read()
    assert found["bo"].read().data == NOTEBOOK

"""Whose submission is it, and which file: folders, zips, and the downloads of Canvas, Moodle and nbgrader."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import submission, to_bytes

from aicourse.errors import SubmissionError
from aicourse.tooling.grading.submissions.collecting import Found, Submission, collect
from aicourse.tooling.grading.submissions.layouts import owner_of, parse_time

NOTEBOOK = to_bytes(submission())
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX links and FIFOs")


def write(root: Path, *names: str, data: bytes = NOTEBOOK) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def zipped(path: Path, *names: str, data: bytes = NOTEBOOK) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return path


def read(source: Path, assignment: str = "hw01") -> dict[str, Submission]:
    return {found.student: found.read() for found in collect(source, assignment)}


def test_a_notebook_a_zip_or_a_folder_per_student(tmp_path: Path) -> None:
    root = write(tmp_path / "in", "alice.ipynb", "bob/hw01.ipynb", "bob/data.csv")
    zipped(root / "cem.zip", "work/hw01.ipynb", "work/data/own.csv")
    found = read(root)
    assert list(found) == ["alice", "bob", "cem"]
    assert found["alice"].files == ()
    assert [name for name, _ in found["bob"].files] == ["data.csv"]
    assert [name for name, _ in found["cem"].files] == ["data/own.csv"]
    assert all(one.data == NOTEBOOK for one in found.values())


def test_moodle(tmp_path: Path) -> None:
    names = [
        "Ada Byron_101_assignsubmission_file/hw01.ipynb",
        "Bo Li_102_assignsubmission_file_/hw01.ipynb",
        "Cem Öz_103_assignsubmission_file_hw01.ipynb",
        "Ada Byron_101_assignsubmission_onlinetext/onlinetext.html",
        "Ada Byron_104_assignsubmission_file/hw01.ipynb",
    ]
    found = read(zipped(tmp_path / "course-hw01.zip", *names))
    assert [(one.student, one.owner.lms_id) for one in found.values()] == [
        ("Ada Byron (101)", "101"),
        ("Ada Byron (104)", "104"),
        ("Bo Li", "102"),
        ("Cem Öz", "103"),
    ]
    assert found["Bo Li"].owner.lms_prefix == "Bo Li_102"


def test_canvas(tmp_path: Path) -> None:
    names = ["byronada_17_901_hw01.ipynb", "libo_LATE_18_902_hw01-2.ipynb", "libo_LATE_18_903_hw01-1.ipynb"]
    found = read(zipped(tmp_path / "submissions.zip", *names))
    assert [(one.student, one.owner.lms_id) for one in found.values()] == [("byronada", "17"), ("libo", "18")]
    assert found["libo"].name == "libo_LATE_18_902_hw01-2.ipynb"
    assert "2 notebooks were handed in; libo_LATE_18_902_hw01-2.ipynb, the latest" in found["libo"].notes[0]


def test_nbgrader_exchange(tmp_path: Path) -> None:
    root = write(
        tmp_path / "inbound",
        "ada+hw01+2026-12-01 10:00:00.000000 UTC/hw01.ipynb",
        "ada+hw01+2026-12-02 09:30:00.000000 UTC+Xy7/hw01.ipynb",
        "ada+hw02+2026-12-05 09:30:00.000000 UTC/hw02.ipynb",
        "bo+hw02+2026-12-05 09:30:00.000000 UTC/hw02.ipynb",
    )
    found = read(root)
    assert found["ada"].submitted == datetime(2026, 12, 2, 9, 30, tzinfo=UTC)
    assert found["ada"].submitted_by == "the exchange folder's name"
    assert list(found) == ["ada"], "bo handed in another assignment"


def test_nbgrader_course_folder(tmp_path: Path) -> None:
    root = write(tmp_path / "course", "submitted/ada/hw01/hw01.ipynb", "submitted/ada/hw02/hw02.ipynb")
    (root / "submitted/ada/hw01/timestamp.txt").write_text("2026-12-01 10:00:00.000000 UTC")
    (root / "source").mkdir()
    found = read(root)
    assert list(found) == ["ada"]
    assert found["ada"].submitted == datetime(2026, 12, 1, 10, tzinfo=UTC)
    assert found["ada"].submitted_by == "nbgrader's timestamp.txt"


def test_the_latest_of_several_is_graded_and_that_is_noted(tmp_path: Path) -> None:
    root = write(tmp_path / "in", "ada/hw01.ipynb", "ada/hw01 (1).ipynb", "ada/scratch.ipynb")
    for name, time in (("hw01.ipynb", 100), ("hw01 (1).ipynb", 50), ("scratch.ipynb", 900)):
        os.utime(root / "ada" / name, (time, time))
    found = read(root)["ada"]
    assert found.name == "ada/hw01 (1).ipynb"
    assert found.notes == ("3 notebooks were handed in; hw01 (1).ipynb, the latest, was graded.",)


def test_checkpoints_and_what_systems_leave_behind_do_not_count(tmp_path: Path) -> None:
    names = [
        "hw01.ipynb",
        ".ipynb_checkpoints/hw01-checkpoint.ipynb",
        "__MACOSX/._hw01.ipynb",
        "._hw01.ipynb",
    ]
    root = tmp_path / "in"
    zipped(root / "ada.zip", *names)
    assert read(root)["ada"].notes == ()


def test_one_file_is_one_student(tmp_path: Path) -> None:
    assert list(read(write(tmp_path, "ada.ipynb") / "ada.ipynb")) == ["ada"]
    assert list(read(zipped(tmp_path / "bo.zip", "hw01.ipynb", "manifest.json"))) == ["bo"]


def test_a_class_zip_with_a_folder_around_it(tmp_path: Path) -> None:
    found = read(zipped(tmp_path / "all.zip", "hw01/ada.ipynb", "hw01/bo/hw01.ipynb"))
    assert list(found) == ["ada", "bo"]


def test_zips_in_the_class_zip(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "x.zip", "hw01.ipynb").read_bytes()
    names = ["A B_1_assignsubmission_file/hw01.zip", "C D_2_assignsubmission_file/hw01.zip"]
    assert list(read(zipped(tmp_path / "all.zip", *names, data=inner))) == ["A B", "C D"]


@posix
def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = write(tmp_path, "secret.ipynb") / "secret.ipynb"
    root = write(tmp_path / "in", "bo.ipynb")
    (root / "ada").mkdir()
    (root / "ada" / "hw01.ipynb").symlink_to(secret)
    (root / "cem").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(root / "dora.ipynb")
    found = {one.student: one for one in collect(root, "hw01")}
    assert found["bo"].read().data == NOTEBOOK
    for student, sentence in (("ada", "symbolic link"), ("cem", "no notebook"), ("dora", "no ordinary file")):
        with pytest.raises(SubmissionError, match=sentence):
            found[student].read()


def test_no_notebook_says_what_there_is(tmp_path: Path) -> None:
    root = write(tmp_path / "in", "ada/hw01.pdf", "ada/notes.txt")
    with pytest.raises(SubmissionError, match=r"no notebook in it \(but hw01.pdf, notes.txt\)"):
        collect(root, "hw01")[0].read()


def test_a_damaged_zip_costs_its_student_alone(tmp_path: Path) -> None:
    root = write(tmp_path / "in", "bo.ipynb")
    (root / "ada.zip").write_bytes(b"PK\x03\x04 broken")
    found = collect(root, "hw01")
    with pytest.raises(SubmissionError, match="damaged"):
        found[0].read()
    assert found[1].read().student == "bo"


def test_too_many_bytes_beside_the_notebook_are_left_out(tmp_path: Path) -> None:
    root = write(tmp_path / "in", "ada/hw01.ipynb")
    (root / "ada" / "big.bin").write_bytes(bytes(17 << 20))
    found = read(root)["ada"]
    assert found.files == ()
    assert "more than 16 MB" in found.notes[0]


def test_nothing_there(tmp_path: Path) -> None:
    for source, sentence in ((tmp_path / "no", "nothing at"), (tmp_path, "Nothing was handed in")):
        with pytest.raises(SubmissionError, match=sentence):
            collect(source, "hw01")


def test_the_hash_changes_with_every_byte_and_name(tmp_path: Path) -> None:
    def sha(**files: bytes) -> str:
        return Submission("a", "a", b"{}", tuple(files.items())).sha256

    hashes = {sha(), sha(x=b""), sha(x=b"y"), sha(xy=b""), sha(x=b"", y=b"")}
    assert len(hashes) == 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-01 10:00:00.5 UTC", "2026-12-01T10:00:00.500000+00:00"),
        ("2026-12-01 10:00:00 +0200", "2026-12-01T08:00:00+00:00"),
        ("2026-12-01 10:00:00 Europe/Berlin", "2026-12-01T09:00:00+00:00"),
        ("yesterday", None),
        ("2026-99-01 10:00:00 UTC", None),
    ],
)
def test_times_of_nbgrader(text: str, expected: str | None) -> None:
    time = parse_time(text)
    assert (time.isoformat() if time else None) == expected


def test_a_name_that_is_no_text_does_not_break_what_is_written() -> None:
    assert owner_of(("a\udcff.ipynb",)).student == "a?"


def test_found_is_light(tmp_path: Path) -> None:
    """Nothing is read before its turn: a class is collected by names alone."""
    root = write(tmp_path / "in", "ada.ipynb", data=b"not a notebook")
    found: Found = collect(root, "hw01")[0]
    assert found.student == "ada"


def test_class_zip_is_read_from_memory(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("ada/hw01.ipynb", NOTEBOOK)
        archive.writestr("bo/hw01.ipynb", NOTEBOOK)
    (tmp_path / "all.zip").write_bytes(content.getvalue())
    before = sorted(tmp_path.iterdir())
    assert set(read(tmp_path / "all.zip")) == {"ada", "bo"}
    assert sorted(tmp_path.iterdir()) == before, "something was unpacked to disk"

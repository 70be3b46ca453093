"""Groups and extensions: an instructor's tables, and names that two people share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import submission, to_bytes

from aicourse.errors import GradingError
from aicourse.tooling.grading.judging.late import for_class, late_policy
from aicourse.tooling.grading.submissions.collecting import Found, collect
from aicourse.tooling.grading.submissions.people import (
    directory,
    grouped,
    named,
    read_extensions,
    read_groups,
)


@pytest.fixture
def found(tmp_path: Path) -> list[Found]:
    names = [
        "Alex Kim_1_assignsubmission_file",
        "Alex Kim_2_assignsubmission_file",
        "Ada_3_assignsubmission_file",
    ]
    for name in names:
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "hw01.ipynb").write_bytes(to_bytes(submission()))
    return collect(tmp_path / "in", "hw01")


def test_a_name_that_two_people_share_is_refused(found: list[Found]) -> None:
    for name in ("Alex Kim (2)", "2", "moodle 2", "alex kim (2)"):
        one = named(directory(found), name)
        assert one is not None
        assert one.owner.lms_id == "2"
    assert named(directory(found), "Bo") is None
    for use in (
        lambda: named(directory(found), "alex  kim"),
        lambda: grouped(found, {"one": ("Ada", "Alex Kim")}),
        lambda: for_class(late_policy("2026-12-01", 10, 0, extensions={"Alex Kim": "2026-12-02"}), found),
    ):
        with pytest.raises(GradingError, match=r"could be Alex Kim \(1\) \(moodle 1\) or Alex Kim \(2\)"):
            use()


def test_extensions(found: list[Found], tmp_path: Path) -> None:
    table = tmp_path / "extensions.csv"
    table.write_text("Student;Deadline\nAda;2026-12-03T12:00Z\n1;2026-12-05 12:00 CET\nBo;2026-12-03\n")
    policy = late_policy("2026-12-01T12:00Z", 10, 0, extensions=read_extensions(table))
    pairs = {"pair": ("Ada", "moodle 1")}
    for people, student, late in (
        (found, "Ada", 1),
        (found, "Alex Kim (2)", 3),
        (grouped(found, pairs)[0], "pair", 0),
    ):
        own, unused = for_class(policy, people)
        lateness = own.lateness(datetime(2026, 12, 4, 9, tzinfo=UTC), student)
        assert (lateness.days if lateness else 0) == late
        assert unused == ("Bo",)


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (read_groups, "group,student\none,ada\ntwo,ADA\n", "line 3: ADA is in one too"),
        (read_groups, "group,student\none,\n", "line 2: a group and a student"),
        (read_groups, "team,student\none,ada\n", "no column group"),
        (read_extensions, "student,deadline\nada,2026-12-01\nada,2026-12-02\n", "line 3: ada has a deadline"),
    ],
)
def test_tables_that_contradict_themselves(tmp_path: Path, read: object, text: str, sentence: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(GradingError, match=sentence):
        read(tmp_path / "x.csv")  # type: ignore[operator]


def test_a_person_is_in_one_group(found: list[Found]) -> None:
    with pytest.raises(GradingError, match="Ada is in two groups"):
        grouped(found, {"one": ("Ada",), "two": ("moodle 3",)})


def test_a_group_of_whom_nobody_handed_in_is_named(found: list[Found]) -> None:
    people, idle = grouped(found, {"one": ("Ada", "Bo"), "two": ("Cem", "Dia"), "three": ("Eve",)})
    assert [one.student for one in people] == ["Alex Kim (1)", "Alex Kim (2)", "one"]
    assert idle == ("two", "three")

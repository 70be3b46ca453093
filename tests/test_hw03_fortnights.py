"""Fortnights of homework 3: what is handed out is what grading draws, and the secret decides it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aicourse.csv_text import read_csv
from aicourse.notebook.checks.files import run_file
from aicourse.tooling.grading.authoring.assignment import load_assignment

HOMEWORK = Path(__file__).resolve().parent.parent / "homework" / "hw03-incidents"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The homework as it is in a fresh clone: without a secret."""
    ignored = shutil.ignore_patterns("salt.txt")
    return Path(shutil.copytree(HOMEWORK, tmp_path / HOMEWORK.name, ignore=ignored))


def program(folder: Path) -> Mapping[str, Any]:
    return run_file(folder / "fortnights.py")


def test_practice_is_a_fortnight_of_the_demonstration_and_the_notebook_says_what_happened(
    folder: Path,
) -> None:
    table, incidents = program(folder)["own_fortnight"](load_assignment(folder), "practice")
    stored = pd.read_csv(folder / "practice.csv")
    pd.testing.assert_frame_equal(table, stored)
    notebook = (folder / "hw03.ipynb").read_text(encoding="utf-8")
    for name, day in incidents.items():
        assert f"**{name}** on {pd.Timestamp(day).day} October" in notebook


def test_the_secret_is_made_once_and_decides_what_a_student_gets(folder: Path, tmp_path: Path) -> None:
    made, salt, out = program(folder), folder / "salt.txt", tmp_path / "out"
    texts = []
    for secret in ("one", "another"):
        salt.write_text(secret)
        made["make_salt"](salt)
        assert salt.read_text() == secret
        made["write_fortnights"](["=Ada"], out)
        head, (student, own, *days) = read_csv((out / "incidents.csv").read_bytes())
        texts.append((out / own / "fortnight.csv").read_text())
    assert texts[0] != texts[1]
    _, incidents = made["own_fortnight"](load_assignment(folder), "=Ada")
    assert (student, dict(zip(head[2:], days, strict=True))) == ("=Ada", incidents)


def test_grading_without_the_secret_is_told(folder: Path) -> None:
    assert "put that file there and grade again" in load_assignment(folder).notice
    (folder / "salt.txt").write_text("a secret")
    assert load_assignment(folder).notice == ""


def test_a_new_secret_is_random(folder: Path) -> None:
    made, salt = program(folder), folder / "salt.txt"
    secrets = set()
    for _ in range(2):
        made["make_salt"](salt)
        secrets.add(salt.read_text())
        salt.unlink()
    assert {len(secret.strip()) for secret in secrets} == {64}
    assert len(secrets) == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"Ada\nBo\nAda\n", "'Ada' more than once"), ("Ada\n".encode("utf-16"), "is not UTF-8")],
)
def test_names_that_cannot_be_used(folder: Path, tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(SystemExit, match=told):
        program(folder)["read_names"](tmp_path / "names.txt")


def test_a_mark_at_the_beginning_is_no_part_of_a_name(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Ada\n\n Bo \n", encoding="utf-8-sig")
    assert program(folder)["read_names"](tmp_path / "names.txt") == ["Ada", "Bo"]

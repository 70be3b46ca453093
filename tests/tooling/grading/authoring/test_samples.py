"""Simulated submissions: the same every time, something of everything, names that are plainly invented."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from tiny import TINY

from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.authoring.samples import Sample, samples, write_samples


@pytest.fixture(scope="module")
def tiny() -> Assignment:
    return load_assignment(TINY)


def by_kind(made: list[Sample], kind: str) -> bytes:
    return next(sample.content for sample in made if sample.kind == kind)


def test_the_same_seed_makes_the_same_students(tiny: Assignment) -> None:
    assert samples(tiny) == samples(tiny)
    assert samples(tiny, seed=8) != samples(tiny)


def test_twenty_students_do_something_of_everything(tiny: Assignment) -> None:
    made = samples(tiny)
    kinds = Counter(sample.kind for sample in made)
    assert len({sample.student for sample in made}) == len(made) == 20
    for kind in ("all right", "blank", "an endless loop", "kills its kernel", "no notebook at all"):
        assert kinds[kind] == 1
    assert kinds["q1: first number"] + kinds["q2: one colour"] >= 2


def test_a_hundred_students_have_different_names(tiny: Assignment) -> None:
    assert len({sample.student for sample in samples(tiny, count=100)}) == 100


def test_two_of_them_are_near_copies(tiny: Assignment) -> None:
    made = samples(tiny)
    original, copy = by_kind(made, "copied from"), by_kind(made, "copied to")
    assert original != copy
    assert b"found = re.search" in original or b"COLOURS = ['blue']" in original


def test_files_are_mangled_as_editors_do(tiny: Assignment) -> None:
    stripped = json.loads(by_kind(samples(tiny), "without ids and metadata"))
    assert (stripped["metadata"], stripped["nbformat_minor"]) == ({}, 4)
    assert not any("id" in cell for cell in stripped["cells"])
    deleted = json.loads(by_kind(samples(tiny), "an answer cell deleted"))
    assert len(deleted["cells"]) == 9


def test_they_are_written_one_folder_each(tiny: Assignment, tmp_path: Path) -> None:
    made = write_samples(tiny, tmp_path / "submissions", count=3)
    written = sorted(
        path.relative_to(tmp_path / "submissions").as_posix() for path in tmp_path.rglob("*.ipynb")
    )
    assert written == sorted(f"{sample.student}/hw90.ipynb" for sample in made)

"""Checks files: found by id, read again when changed, broken ones said so."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_exercises import double, doubling

from aicourse.errors import ExerciseError
from aicourse.notebook import hint
from aicourse.notebook.checks import Check
from aicourse.notebook.exercises import check, checks_path, load_checks

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize(
    ("exercise_id", "sentence"),
    [
        ("01.9", "There is no exercise '01.9' in lesson 01; did you mean"),
        ("07.1", "Lesson '07' has no exercises; lessons with exercises: 00, 01."),
        ("../../secret", "Lesson '' has no exercises"),
        (None, "Lesson 'None' has no exercises"),
    ],
)
def test_an_unknown_id_is_a_sentence_for_check_and_hint(exercise_id: Any, sentence: str) -> None:
    result = check(exercise_id, double)
    assert result.status == "cannot check"
    assert sentence in repr(result)
    assert sentence in repr(hint(exercise_id))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("exercises = [", "lesson_03.py does not run (SyntaxError"),
        ("import nothing_like_this", "does not run (ModuleNotFoundError"),
        ("raise SystemExit(1)", "does not run (SystemExit"),
        ("x = 1", "must define `exercises`"),
        ("exercises = 3", "must define `exercises`"),
        ("exercises = []", "must define `exercises`"),
        ("exercises = [1]", "must define `exercises`"),
    ],
)
def test_a_broken_checks_file_is_a_sentence(home: Path, content: str, sentence: str) -> None:
    (home / "notebooks" / "checks" / "lesson_03.py").write_text(content)
    result = check("03.1", double)
    assert result.status == "cannot check"
    assert sentence in repr(result)


def test_ids_are_unique_and_of_the_files_lesson(home: Path) -> None:
    path = home / "notebooks" / "checks" / "lesson_03.py"
    text = checks_path("00").read_text()
    path.write_text(text.replace("00.1", "03.1").replace("00.2", "03.1"))
    with pytest.raises(ExerciseError, match="different ids of lesson 03"):
        load_checks(path)
    path.write_text(text)
    with pytest.raises(ExerciseError, match="different ids of lesson 03"):
        load_checks(path)


def test_a_changed_checks_file_is_read_again_and_an_unchanged_one_is_not(home: Path) -> None:
    path = checks_path("01")
    first = load_checks(path)
    assert load_checks(path) is first
    path.write_text(path.read_text().replace("Read a size", "Read a SIZE"))
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    assert load_checks(path)[0].title == "Read a SIZE"
    assert not list(home.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Check("empty"), "tests nothing"),
        (lambda: Check("both", [1], predicate=bool, raises=ValueError), "only one"),
        (lambda: doubling(id="2.1"), "not of the form"),
        (lambda: doubling(checks=[]), "no checks"),
    ],
)
def test_authors_are_told_at_once(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ExerciseError, match=sentence):
        make()

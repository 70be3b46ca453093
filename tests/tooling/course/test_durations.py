"""Lessons that became slow are told on any machine, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aicourse.tooling import course
from aicourse.tooling.course.durations import (
    LEAST_LESSONS,
    seconds_file,
    slow_lessons,
    store_seconds,
    usual_seconds,
)
from aicourse.tooling.course.lesson_run import CellError
from aicourse.tooling.course.notebooks import Lesson

USUAL = {"00-a": 4.0, "01-b": 10.0, "02-c": 30.0, "03-d": 5.0}


def runs(**seconds: float) -> list[course.LessonRun]:
    names = [next(name for name in [*USUAL, "04-e"] if name[-1] == letter) for letter in seconds]
    return [
        course.LessonRun(Lesson(name[:2], name, Path(name), name), None, taken, 3)
        for name, taken in zip(names, seconds.values(), strict=True)
    ]


@pytest.mark.parametrize("machine", [0.3, 1, 7])
def test_three_times_as_long_beside_the_others_is_told_on_slow_and_quick_machines(machine: float) -> None:
    usual = {"a": 4 * machine, "b": 10 * machine, "c": 30 * machine, "d": 5 * machine}
    assert slow_lessons(runs(**usual), USUAL) == {}
    assert slow_lessons(runs(**usual | {"c": 75 * machine}), USUAL) == {}
    for letter, name in (("b", "01-b"), ("c", "02-c")):
        assert list(slow_lessons(runs(**usual | {letter: 3.1 * usual[letter]}), USUAL)) == [name]


def test_the_sentence_says_what_is_usual_today_and_how_to_store_it() -> None:
    (told,) = slow_lessons(runs(a=8, b=80, c=60, d=10), USUAL).values()
    assert told == (
        "01-b took 80 s; beside the other lessons 20 s are usual. "
        "If it has to, store that: aicourse run --all --save"
    )


def test_what_says_nothing_is_not_told() -> None:
    assert slow_lessons(runs(a=40, b=10), USUAL) == {}  # two lessons cannot say which of them is slow
    assert (
        slow_lessons(runs(a=0.04, b=0.1, c=0.3, d=1), USUAL) == {}
    )  # a second more is the start of a kernel
    assert slow_lessons(runs(a=4, b=10, c=30, d=5, e=500), USUAL) == {}  # a new lesson has no usual yet
    *others, failed = runs(a=4, b=10, c=30, d=500)
    error = CellError(None, None, "TimeoutError", "too long")
    assert slow_lessons([*others, course.LessonRun(failed.lesson, None, 500, 3, error=error)], USUAL) == {}


def test_new_and_slower_lessons_are_stored_on_the_scale_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("notebooks", "datasets"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path))
    store_seconds(runs(a=4, b=10, c=30))
    assert json.loads(seconds_file().read_text(encoding="utf-8")) == {"00-a": 4.0, "01-b": 10.0, "02-c": 30.0}
    store_seconds(runs(a=8.4, b=20, c=200, d=10))
    stored = json.loads(seconds_file().read_text(encoding="utf-8"))
    assert stored == {"00-a": 4.0, "01-b": 10.0, "02-c": 95.2, "03-d": 4.8}


def test_the_shipped_seconds_are_of_the_shipped_lessons() -> None:
    stored = usual_seconds()
    assert len(stored) >= LEAST_LESSONS
    assert stored.keys() <= {lesson.name for lesson in course.lessons()}

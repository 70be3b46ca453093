"""Usual durations of lessons, kept in `notebooks/seconds.json`, and lessons that took much longer in a run.

Machines differ and are rarely idle, so a lesson is judged by the others of the same run: the middle one of
all ratios to usual seconds is how slow this machine is today. Fewer than three lessons say nothing, and
neither does a lesson that failed or asked a model.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from aicourse import paths
from aicourse.tooling.course.lesson_run import LessonRun

TIMES = 3.0
LEAST_LESSONS = 3
LEAST_SECONDS = 2.0  # beyond the usual: less is the start of a kernel


def seconds_file() -> Path:
    """The file of usual seconds: lesson -> seconds in a run of all, on the machine that stored them."""
    return paths.notebooks_dir() / "seconds.json"


def usual_seconds() -> dict[str, float]:
    """The stored seconds by lesson; empty before the first time."""
    file = seconds_file()
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def slow_lessons(runs: Sequence[LessonRun], usual: Mapping[str, float] | None = None) -> dict[str, str]:
    """Lesson -> a sentence, for each that took `TIMES` as long as it should have in this run."""
    expected = _expected(runs, usual_seconds() if usual is None else usual)
    slow = {}
    for run in _comparable(runs):
        name, seconds = run.lesson.name, run.seconds
        usually = expected.get(name, seconds)
        if seconds >= TIMES * usually and seconds - usually >= LEAST_SECONDS:
            slow[name] = (
                f"{name} took {seconds:.0f} s; beside the other lessons {usually:.0f} s are usual. "
                "If it has to, store that: aicourse run --all --save"
            )
    return slow


def store_seconds(runs: Sequence[LessonRun]) -> None:
    """Keep the seconds of lessons that are new or have become slow, on the scale of those stored before."""
    known = usual_seconds()
    slow, pace = slow_lessons(runs, known), _pace(runs, known)
    taken = {run.lesson.name: round(run.seconds / pace, 1) for run in _comparable(runs)}
    kept = {
        name: known[name] if name in known and name not in slow else taken[name] for name in sorted(taken)
    }
    if kept != known:
        paths.write_atomically(seconds_file(), json.dumps(kept, indent=1) + "\n")


def _comparable(runs: Sequence[LessonRun]) -> list[LessonRun]:
    return [run for run in runs if not run.error and not run.live]


def _pace(runs: Sequence[LessonRun], usual: Mapping[str, float]) -> float:
    """Slowness of the machine in this run: the middle ratio to stored seconds."""
    known = [run for run in _comparable(runs) if run.lesson.name in usual]
    if len(known) < LEAST_LESSONS:
        return 1.0
    return statistics.median(run.seconds / usual[run.lesson.name] for run in known)


def _expected(runs: Sequence[LessonRun], usual: Mapping[str, float]) -> dict[str, float]:
    if sum(run.lesson.name in usual for run in _comparable(runs)) < LEAST_LESSONS:
        return {}
    pace = _pace(runs, usual)
    return {name: pace * seconds for name, seconds in usual.items()}

"""The lessons as a whole: list, run, validate, lint, record and report them.

    from aicourse.tooling import course

    runs = course.run(["00", "01"])          # papermill, on recorded replies
    course.write_report(runs, folder)        # build/course/index.html
    course.validate()                        # nbval: every cell still shows what is stored
    course.lint()                            # the rules of the course, without running anything
    course.record("01", check=True)          # are the recordings complete, and is none unused?

Names load on first use, because papermill and nbformat take seconds to import and `aicourse status`
needs neither. Each function lives in the module whose docstring explains it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.tooling.course.durations import slow_lessons as slow_lessons
    from aicourse.tooling.course.lesson_run import LessonRun as LessonRun
    from aicourse.tooling.course.linting import lint as lint
    from aicourse.tooling.course.linting import paces as paces
    from aicourse.tooling.course.notebooks import Lesson as Lesson
    from aicourse.tooling.course.notebooks import lessons as lessons
    from aicourse.tooling.course.recorder import RecordingReport as RecordingReport
    from aicourse.tooling.course.recorder import record as record
    from aicourse.tooling.course.reporting import write_report as write_report
    from aicourse.tooling.course.runner import run as run
    from aicourse.tooling.course.validation import LessonValidation as LessonValidation
    from aicourse.tooling.course.validation import validate as validate

_HOME = {
    "Lesson": "aicourse.tooling.course.notebooks",
    "LessonRun": "aicourse.tooling.course.lesson_run",
    "RecordingReport": "aicourse.tooling.course.recorder",
    "LessonValidation": "aicourse.tooling.course.validation",
    "lessons": "aicourse.tooling.course.notebooks",
    "lint": "aicourse.tooling.course.linting",
    "paces": "aicourse.tooling.course.linting",
    "record": "aicourse.tooling.course.recorder",
    "run": "aicourse.tooling.course.runner",
    "slow_lessons": "aicourse.tooling.course.durations",
    "validate": "aicourse.tooling.course.validation",
    "write_report": "aicourse.tooling.course.reporting",
}

__all__ = sorted(_HOME)


__getattr__, __dir__ = lazily(__name__, _HOME)

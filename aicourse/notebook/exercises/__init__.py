"""Exercises of lessons: what they are made of, and `check("01.2", read_size)`, which tells what works.

How a check is written stands in `aicourse.notebook.checks`. `verify` is what the course's tests run on every
checks file: the reference passes, a stub counts as not started, each mistake gets its own hint and no other.
"""

from aicourse.notebook.exercises.authoring import (
    Exercise,
    checks_path,
    find_exercise,
    load_checks,
)
from aicourse.notebook.exercises.checking import check, examine
from aicourse.notebook.exercises.results import CheckResult
from aicourse.notebook.exercises.verifying import verify

__all__ = [
    "CheckResult",
    "Exercise",
    "check",
    "checks_path",
    "examine",
    "find_exercise",
    "load_checks",
    "verify",
]

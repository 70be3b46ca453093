"""Exercises of lessons: what they are made of, and `check("01.2", read_size)`, which tells what works.

How a check is written stands in `aicourse.notebook.checks`.
"""

from aicourse.notebook.exercises.authoring import (
    Exercise,
    checks_path,
    find_exercise,
    load_checks,
)
from aicourse.notebook.exercises.checking import check, examine
from aicourse.notebook.exercises.results import CheckResult

__all__ = [
    "CheckResult",
    "Exercise",
    "check",
    "checks_path",
    "examine",
    "find_exercise",
    "load_checks",
]

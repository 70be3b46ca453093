"""Checks of the fixture lesson: three exercises with hints, and one (90.4) without."""

from __future__ import annotations

from aicourse.notebook.checks import Check
from aicourse.notebook.exercises import Exercise

LISTS = [[3, 1, 2], [5], [9, 9, 1]]


def middle_solution(values):
    return sorted(values)[len(values) // 2]


def spread_solution(values):
    return max(values) - min(values)


def farthest_solution(values):
    return max(values, key=lambda value: abs(value - middle_solution(values)))


exercises = [
    Exercise(
        id="90.1",
        title="The middle",
        reference=middle_solution,
        checks=[Check("finds the middle", LISTS)],
        hints=["Sort first."],
    ),
    Exercise(
        id="90.2",
        title="The range",
        reference=spread_solution,
        checks=[Check("measures the range", LISTS)],
        hints=["Largest minus smallest."],
    ),
    Exercise(
        id="90.3",
        title="The outlier",
        reference=farthest_solution,
        checks=[Check("finds the outlier", [[1, 2, 30], [5, 5, -9]])],
        hints=["Measure the distance from the median."],
    ),
    Exercise(
        id="90.4",
        title="Nobody wrote hints",
        reference=middle_solution,
        checks=[Check("finds the middle", LISTS)],
    ),
]

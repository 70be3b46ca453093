"""The proof of exercises: a wrong exercise, solution, stub or check is found, and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_exercises import double, doubling

from aicourse.notebook.checks import Check, Mistake
from aicourse.notebook.exercises import Exercise, load_checks
from aicourse.paths import notebooks_dir
from aicourse.tooling import course
from aicourse.tooling.course.exercises import (
    Checked,
    check_calls,
    checked_exercises,
    lesson_problems,
    verify,
)
from aicourse.tooling.course.notebooks import read_notebook

CHECKS = notebooks_dir() / "checks"
SMALL = Path(__file__).parents[2] / "checks_fixtures"


DATA = {"reference": 0.4, "untouched": 7, "checks": [Check("is it", predicate=lambda share: share == 0.4)]}


def test_good_exercises_have_no_problems() -> None:
    small = [exercise for path in SMALL.glob("lesson_*.py") for exercise in load_checks(path)]
    assert len(small) == 5
    assert [problem for exercise in [*small, doubling()] for problem in verify(exercise)] == []
    assert verify(doubling(**DATA), 7) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"reference": lambda n: n.no_such_attribute}, "the reference does not pass"),
        ({"reference": lambda n: None}, "stub_that_returns_none is solved"),
        ({"checks": [Check("doubles", [1])]}, "'doubles' has one input"),
        ({"hints": []}, "There is no hint"),
        ({"hints": ["Multiply.", "Multiply."]}, "Two hints say the same: 'Multiply.'"),
        ({"mistakes": [Mistake(lambda n: n + n, "m")]}, "mistake 1 passes"),
        ({"mistakes": [Mistake(lambda n: n, "Multiply.")]}, "Two hints say the same: 'Multiply.'"),
        (
            {"mistakes": [Mistake(lambda n: n * n * n, "Cube."), Mistake(lambda n: n**3, "Power.")]},
            "mistake 1 also gets another hint: ['Power.']. Add an input that tells them apart.",
        ),
        (
            {"mistakes": [Mistake(lambda n, seen=[]: seen.append(n) or len(seen), "Counts.")]},
            "mistake 1 is not recognised",
        ),
        ({"mistakes": [Mistake(3, "m")]}, "mistake 1 is not recognised"),
        (
            {
                "checks": [
                    Check("doubles", [1, 2]),
                    Check("is nice", [1, 2], predicate=lambda result, n: True),
                ]
            },
            "nothing fails 'is nice'",
        ),
        (
            {"checks": [Check("doubles", [1, 2]), Check("same", [3, 4], same=lambda mine, expected: True)]},
            "nothing fails 'same'",
        ),
        (
            {"checks": [Check("doubles", [1, 2]), Check("a law", predicate=lambda answer: True)]},
            "nothing fails 'a law'",
        ),
        (
            {**DATA, "checks": [*DATA["checks"], Check("any", predicate=lambda share: True)]},  # type: ignore[misc]
            "nothing fails 'any'",
        ),
    ],
)
def test_a_bad_exercise_is_told_in_a_sentence_that_names_it(changes: dict[str, Any], problem: str) -> None:
    found = verify(doubling(**changes))
    assert any(problem in text for text in found), found
    assert all(text.startswith("Exercise 02.1: ") for text in found)


def test_a_behaviour_that_one_mistake_or_the_students_cell_fails_is_not_idle() -> None:
    small = Check("stays below 100", [1, 2], predicate=lambda result, n: result is None or result < 100)
    checks = [Check("doubles", [1, 2]), small]
    assert "nothing fails 'stays below 100'" in str(verify(doubling(checks=checks)))
    assert verify(doubling(checks=checks), lambda n: 100 * n) == []
    assert verify(doubling(checks=checks, mistakes=[Mistake(lambda n: 100 * n, "Twice.")])) == []


@pytest.mark.parametrize(
    ("exercise", "stub", "problem"),
    [
        (doubling(), double, "the cell as the student gets it passes"),
        (doubling(**DATA), 0.4, "the cell as the student gets it passes"),
        (doubling(**DATA), 8, "the cell as the student gets it is not yet: let `untouched` be what it holds"),
    ],
)
def test_a_cell_that_gives_the_answer_away_is_found(exercise: Exercise, stub: Any, problem: str) -> None:
    assert problem in str(verify(exercise, stub))


def lesson_01_after(change: tuple[str, str]) -> list[str]:
    """The problems of 01.2 when its cells, after a change of the solution, have run."""
    cells = read_notebook(notebooks_dir() / "01-the-first-call.ipynb").cells
    names: dict[str, Any] = {}
    for cell in cells:
        if cell.id in ("exercise-2-cell", "exercise-2-solution"):
            exec(cell.source.replace(*change), names)
    found = lesson_problems(str(CHECKS / "lesson_01.py"), [("01.2", "monthly_cost")], names)
    return [problem for problem in found if problem.startswith("Exercise 01.2")]


def test_a_solution_that_is_wrong_in_one_behaviour_is_found_with_its_name() -> None:
    assert lesson_01_after(("", "")) == []
    (problem,) = lesson_01_after((", ROUND_HALF_UP)", ")"))
    assert problem.startswith("Exercise 01.2: `monthly_cost_solution` does not pass.")
    assert "✗ missing     rounds half a cent up" in problem
    assert lesson_01_after(("monthly_cost_solution", "another_name")) == [
        "Exercise 01.2: the lesson defines no `monthly_cost_solution`."
    ]


def test_an_exercise_that_no_cell_asks_for_and_a_checks_file_that_does_not_run(tmp_path: Path) -> None:
    (problem,) = lesson_problems(str(SMALL / "lesson_01.py"), [("01.1", "a"), ("01.2", "b")], {})[-1:]
    assert problem == "Exercise 01.3: no check cell of the lesson asks for it."
    (problem,) = lesson_problems(str(tmp_path / "lesson_07.py"), [], {})
    assert problem.startswith("The checks cannot be read")


def test_calls_of_check_are_read_from_cells() -> None:
    assert check_calls('from aicourse import check\n\ncheck("01.1", f)') == [Checked("01.1", "f")]
    assert check_calls("%matplotlib inline\ncheck('01.1', f)") == check_calls("check(f)") == []


def test_every_checks_file_belongs_to_a_lesson_that_asks_for_its_exercises() -> None:
    """So `aicourse validate` proves all of them; there is no list of lessons to add a new one to."""
    asked = {call.exercise for one in course.lessons() for call in checked_exercises(read_notebook(one.path))}
    assert asked == {exercise.id for path in CHECKS.glob("*.py") for exercise in load_checks(path)}

"""One check, three executors: what it means does not depend on where the answer ran."""

from __future__ import annotations

import random
from typing import Any

import pytest

from aicourse.homework import check as public_check
from aicourse.homework import example
from aicourse.notebook.checks import Check, Mistake, arguments, known, leaves_alone
from aicourse.notebook.checks.calling import Outcome, attempt, call_trusted
from aicourse.notebook.checks.judging import Trial, judge, recognise, try_checks
from aicourse.notebook.exercises import Exercise, examine


def double(number: int) -> int:
    return 2 * number


def square(number: int) -> int:
    return number * number


SQUARED = Mistake(square, "You square it.")
DOUBLES = Check("doubles", [2, 3], reference=double, mistakes=[SQUARED], target="double", show_expected=True)


def in_a_sandbox(check: Check, answer: Any) -> list[Trial]:
    """What the grader does: plain outcomes come in, and are judged where the reference is."""
    return [judge(check, item, _outcome(answer, *item.positional)) for item in check.draw()]


def _outcome(answer: Any, *inputs: Any) -> Outcome:
    try:
        return Outcome("returned", answer(*inputs))
    except Exception as error:
        return Outcome("raised", errors=(type(error).__name__,), message=str(error))


def fails_on_three(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return 2 * number


@pytest.mark.parametrize("answer", [double, square, fails_on_three, lambda number: str(number)])
def test_a_verdict_its_evidence_and_its_mistake_are_the_same_everywhere(answer: Any) -> None:
    here, there = try_checks([DOUBLES], answer), in_a_sandbox(DOUBLES, answer)
    assert [trial.works for trial in here] == [trial.works for trial in there]
    for mine, theirs in zip(here, there, strict=True):
        assert (mine.evidence.call, mine.evidence.got, mine.evidence.expected) == (
            theirs.evidence.call,
            theirs.evidence.got,
            theirs.evidence.expected,
        )
    hints = [[one.hint for one in recognise(trials, run)] for trials, run in _both(here, there)]
    assert hints[0] == hints[1] == (["You square it."] if answer is square else [])
    public = {"doubles": [example(2).gives(4), example(3).gives(6)]}
    lesson = Exercise(id="02.1", title="", reference=double, checks=[Check("doubles", [2, 3])])
    works = [trial.works for trial in here]
    assert bool(public_check("q1", answer, public)) == bool(examine(lesson, answer)) == all(works)


def _both(here: list[Trial], there: list[Trial]) -> list[tuple[list[Trial], Any]]:
    return [(here, attempt), (there, call_trusted)]


def test_what_an_exercise_states_once_holds_for_its_checks() -> None:
    own = Check("is zero at zero", [0, -0], reference=lambda number: 0, seconds=1, show_expected=False)
    exercise = Exercise(
        id="02.1",
        title="",
        reference=double,
        checks=[Check("doubles", [2]), own],
        mistakes=[SQUARED],
        seconds=9,
    )
    shared, stated = exercise.checks
    assert (shared.reference, shared.target, shared.seconds, shared.shows_expected) == (
        double,
        "double",
        9,
        True,
    )
    assert (stated.reference, stated.seconds, stated.shows_expected) == (own.reference, 1, False)
    assert shared.mistakes == stated.mistakes == [SQUARED]


def test_a_lesson_may_draw_inputs_and_everybody_gets_the_same() -> None:
    drawn = Check("doubles", lambda rng: [rng.randint(0, 10**9) for _ in range(3)], reference=double)
    assert drawn.draw() == drawn.draw()
    assert drawn.draw() != drawn.draw(random.Random("another"))
    assert all(trial.works for trial in try_checks([drawn], double))


@pytest.mark.parametrize("raises", [ValueError, "ValueError", ("KeyError", "ValueError")])
def test_errors_are_accepted_by_class_or_by_name(raises: Any) -> None:
    refuses = Check("refuses", ["x"], raises=raises, target="int")
    assert [trial.works for trial in try_checks([refuses], int)] == [True]
    assert [trial.works for trial in try_checks([refuses], str)] == [False]


def test_known_calls_make_a_reference_that_refuses_others() -> None:
    power = known((3, 9), (arguments(2, power=3), 8))
    assert (power(3), power(2, power=3)) == (9, 8)
    with pytest.raises(StopIteration):
        power(4)


def test_an_answer_that_changes_what_it_is_given_is_told_what() -> None:
    def smallest(rows: list[list[int]], number: int) -> list[list[int]]:
        return sorted(rows)[:number]

    def sorted_in_place(rows: list[list[int]], number: int) -> list[list[int]]:
        rows[0].sort()
        return smallest(rows, number)

    check = Check("leaves the rows as they were", predicate=leaves_alone([[3, 1]], number=1))
    assert [trial.works for trial in try_checks([check], smallest)] == [True]
    (trial,) = try_checks([check], sorted_in_place)
    assert not trial.works
    assert "was given [[3, 1]], and leaves [[1, 3]]" in str(trial.evidence)


def test_data_says_nothing_about_a_call_and_a_call_nothing_about_data() -> None:
    colour = Check(
        "names it", reference="red", target="COLOUR", mistakes=[Mistake("blue", "Not blue."), SQUARED]
    )
    (trial,) = try_checks([colour], "blue")
    assert [one.hint for one in recognise([trial], attempt)] == ["Not blue."]
    called = Check("doubles", [3], reference=double, mistakes=[Mistake("blue", "Not blue.")])
    assert recognise(try_checks([called], square), attempt) == []


def test_only_the_references_own_error_leaves_the_judge() -> None:
    broken = Check("broken", [1], reference=lambda number: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        judge(broken, arguments(1), Outcome("returned", 2))
    strict = Check("strict", [1], reference=double, same=lambda answer, expected: answer.no_such_name)
    assert not judge(strict, arguments(1), Outcome("returned", 2)).works


@pytest.mark.parametrize(
    ("fields", "shown"), [({}, ""), ({"show_expected": True}, "4"), ({"public": True}, "4")]
)
def test_evidence_holds_what_was_expected_only_where_it_may_be_shown(
    fields: dict[str, Any], shown: str
) -> None:
    (trial,) = try_checks([Check("doubles", [2], reference=double, **fields)], lambda number: 5)
    assert trial.evidence.expected == shown


def test_after_a_call_without_end_the_others_are_neither_made_nor_right() -> None:
    made: list[int] = []

    def stuck(number: int) -> int:
        made.append(number)
        while True:
            pass

    endless = Check("doubles", [1, 2], reference=double, seconds=0.1)
    trials = try_checks([endless, DOUBLES], stuck)
    kinds = [(trial.outcome.kind, trial.works) for trial in trials]
    assert kinds == [("endless", False), *[("skipped", False)] * 3]
    assert made == [1]

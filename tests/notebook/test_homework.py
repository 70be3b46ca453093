"""Public checks in a student's notebook: what they say, and that nothing makes them raise."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from aicourse.homework import check, example, ignoring_case, unordered


def read_size(text: str, unit: str = "cm") -> int | None:
    words = text.split()
    return next((int(number) for number, word in pairwise(words) if word == unit), None)


EXAMPLES = {
    "reads centimetres": [example("waist 80 cm").gives(80), example("60 cm").gives(60)],
    "reads another unit": [example("5 m cable", unit="m").gives(5)],
}


def test_a_right_answer_passes_and_is_told_what_follows() -> None:
    result = check("q1", read_size, EXAMPLES)
    assert result
    assert result.summary == "✓ Solved: q1 public checks, 2 of 2 behaviours work"
    assert "run when your work is graded" in repr(result)


def test_a_wrong_answer_sees_the_example() -> None:
    result = check("q1", lambda text, unit="cm": 7, EXAMPLES)
    assert not result
    assert "<lambda>('waist 80 cm') returned 7; expected 80." in repr(result)
    assert "1 more input fails too." in repr(result)


def stub(text: str, unit: str = "cm") -> int:
    raise NotImplementedError


@pytest.mark.parametrize("answer", [stub, ..., 7])
def test_what_is_not_written_yet_is_not_wrong(answer: Any) -> None:
    assert check("q1", answer, EXAMPLES).status == "not started"


def fails(text: str, unit: str = "cm") -> int:
    return len(text) // 0


def exits(text: str, unit: str = "cm") -> int:
    raise SystemExit


class Unfriendly:
    """A result that cannot be looked at."""

    def __len__(self) -> int:
        raise ValueError

    def __repr__(self) -> str:
        raise ValueError


@pytest.mark.parametrize("answer", [fails, exits, lambda text, unit="cm": Unfriendly(), print, lambda: 1])
def test_nothing_makes_it_raise(answer: Any) -> None:
    result = check("q1", answer, EXAMPLES)
    assert result.status == "not yet"
    assert repr(result)


def test_errors_can_be_expected() -> None:
    refuses = {"refuses": [example("x").raises("ValueError")]}
    assert check("q3", int, refuses)
    assert not check("q3", str, refuses)
    assert not check("q3", lambda text: {}[text], refuses)
    assert "returned 'x'; expected ValueError raised" in repr(check("q3", str, refuses))


def test_the_comparison_can_be_named() -> None:
    names = {"names": [example().gives(["red", "blue"], unordered)]}
    assert check("q2", lambda: ["blue", "red"], names)
    assert check("q2", lambda: " RED ", {"name": [example().gives("red", ignoring_case)]})


def test_inputs_are_not_spoiled_by_the_answer() -> None:
    given = example([2, 1]).gives([1, 2])
    assert check("q4", lambda values: values.sort() or values, {"sorts": [given, given]})
    assert given.draw()[0].positional == ([2, 1],)

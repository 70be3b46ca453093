"""An exercise of a lesson is given an answer: it passes, or is told why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aicourse.notebook.exercises import check

Answer = Callable[..., Any]


def passes(exercise: str, answer: Answer) -> None:
    result = check(exercise, answer)
    assert result, repr(result)


def is_told(exercise: str, answer: Answer, sentence: str) -> None:
    result = check(exercise, answer)
    assert not result
    assert sentence in repr(result)

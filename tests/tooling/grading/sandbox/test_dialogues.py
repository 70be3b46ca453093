"""Dialogues: calls of which each depends on the answers before, with one answer that counts."""

from __future__ import annotations

import pickle
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sandboxes import open_sandbox, run

from aicourse.tooling.grading.sandbox.execution import Answer, StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox

HIGHER = "def guess(low, high):\n    return (low + high) // 2"
SLOW = "import time\ndef guess(low, high):\n    time.sleep(0.4)\n    return low"
ENDLESS = "def guess(low, high):\n    while True: pass"
KILLS = "import os\ndef guess(low, high):\n    os._exit(1) if high < 100 else None\n    return 50"


@dataclass(frozen=True)
class Guessing:
    """A number to be guessed; the answer that counts is the guesses."""

    number: int
    most: int = 20

    def talk(self) -> Generator[tuple[Any, ...], Answer, Answer]:
        """A narrower range after each wrong guess."""
        low, high = 0, 100
        guesses: list[Any] = []
        while len(guesses) < self.most:
            answer = yield (low, high)
            if answer.kind != "returned":
                return answer
            guesses.append(answer.value)
            if answer.value == self.number:
                break
            low, high = (answer.value, high) if answer.value < self.number else (low, answer.value)
        return Answer("returned", value=guesses)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from open_sandbox()


def asked(*numbers: int, seconds: float = 20.0) -> list[StudentCall]:
    return [StudentCall("guess", seconds=seconds, dialogue=Guessing(number)) for number in numbers]


def test_each_call_depends_on_the_answer_before(sandbox: Sandbox) -> None:
    answers = run(sandbox, HIGHER, calls=asked(37, 50)).answers
    assert [answer.value for answer in answers] == [[50, 25, 37], [50]]


def test_an_error_or_a_missing_name_is_the_answer(sandbox: Sandbox) -> None:
    (raised,) = run(sandbox, "def guess(low, high): return 1 / low", calls=asked(37)).answers
    assert (raised.kind, raised.error) == ("raised", "ZeroDivisionError")
    (missing,) = run(sandbox, "x = 1", calls=asked(37)).answers
    assert missing.kind == "missing"


def test_the_time_is_that_of_all_its_calls(sandbox: Sandbox) -> None:
    (answer,) = run(sandbox, SLOW, calls=asked(37, seconds=1.0)).answers
    assert answer.kind == "endless"


def test_one_that_does_not_come_back_stalls_nothing(sandbox: Sandbox) -> None:
    answers = run(sandbox, ENDLESS, calls=asked(*range(1, 30), seconds=0.5)).answers
    assert {answer.kind for answer in answers} == {"endless"}


def test_one_that_ends_the_kernel_ends_its_own_dialogue_only(sandbox: Sandbox) -> None:
    first, second = run(sandbox, KILLS, calls=asked(37, 50)).answers
    assert first.kind == "dead"
    assert second.value == [50]


def test_a_call_travels_with_its_dialogue() -> None:
    (call,) = asked(37)
    assert pickle.loads(pickle.dumps(call)) == call

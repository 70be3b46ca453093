"""Answers that misbehave: endless, hostile, printing, remembering; none of them stops a lesson."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from small_exercises import doubling

from aicourse.notebook.checks import Check, calling
from aicourse.notebook.exercises import check, examine

pytestmark = pytest.mark.usefixtures("home")


def swallows_exceptions(number: int) -> int:
    while True:
        try:
            time.sleep(0.001)
        except Exception:
            number += 1


def swallows_the_first_alarm(number: int) -> int:
    try:
        while True:
            pass
    except BaseException:
        while True:
            pass


def loops(number: int) -> int:
    while True:
        pass


def backtracks(number: int) -> Any:
    return re.match(r"(a+)+$", "a" * 60 + "b")


def waits(number: int) -> None:
    threading.Event().wait(60)


@pytest.fixture
def alarm_is_put_back() -> Iterator[None]:
    handlers = signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)
    yield
    assert (signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)) == handlers
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="no alarm signal there")
@pytest.mark.usefixtures("alarm_is_put_back")
@pytest.mark.parametrize("answer", [loops, swallows_exceptions, swallows_the_first_alarm, backtracks, waits])
def test_an_answer_that_does_not_end_is_stopped(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "REPEAT_ALARM_SECONDS", 0.1)
    result = examine(doubling(checks=[Check("doubles", [1, 2]), Check("more", [3, 4])]), answer)
    assert [finding.state for finding in result.findings] == ["missing", "not tested"]
    assert "double(1) did not finish within 0.2 s." in repr(result)


@pytest.mark.skipif(sys.platform == "win32", reason="compares with the alarm signal")
@pytest.mark.usefixtures("alarm_is_put_back")
@pytest.mark.parametrize("answer", [loops, swallows_exceptions])
def test_without_an_alarm_signal_a_timer_interrupts(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "setitimer")
    result = examine(doubling(), answer)
    assert "did not finish" in repr(result)
    monkeypatch.undo()  # `alarm_is_put_back` needs it


def test_outside_the_main_thread_checks_work_without_a_limit() -> None:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(examine(doubling(), lambda n: n + n)))
    thread.start()
    thread.join()
    assert results[0]


def test_exit_in_an_answer_is_a_finding_but_a_users_interrupt_is_not() -> None:
    assert "raised SystemExit: 3" in repr(examine(doubling(), lambda n: sys.exit(3)))

    def interrupted(number: int) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine(doubling(), interrupted)


def test_the_line_shown_is_the_students_also_when_a_library_raised() -> None:
    namespace: dict[str, Any] = {"json": json}
    exec("def helper(n):\n    return json.loads('{')\n\ndef answer(n):\n    return helper(n)", namespace)
    shown = repr(examine(doubling(), namespace["answer"]))
    assert "(in helper, line 2)" in shown
    assert "decoder" not in shown
    assert "Traceback" not in shown
    assert os.sep not in shown


def test_what_an_answer_does_to_its_inputs_stays_with_it() -> None:
    inputs = [[3, 1, 2], [9, 8]]
    exercise = doubling(
        reference=sorted,
        checks=[
            Check("sorts", inputs),
            Check("keeps the length", inputs, predicate=lambda result, given: len(result) == len(given)),
        ],
    )

    def drains(numbers: list[int]) -> list[int]:
        result = sorted(numbers)
        numbers.clear()
        return result

    assert examine(exercise, drains)
    assert inputs == [[3, 1, 2], [9, 8]]


def test_prints_and_warnings_are_captured_and_shown_with_the_failing_input(capfd: Any) -> None:
    def chatty(number: int) -> int:
        print("trying <b>", number)
        print("on stderr", file=sys.stderr)
        return number

    result = examine(doubling(), chatty)
    assert capfd.readouterr() == ("", "")
    assert r"It printed 'trying <b> 1\non stderr\n'." in repr(result)
    assert "<b>" not in result._repr_html_()


def test_an_answer_that_remembers_earlier_calls_is_asked_again() -> None:
    def remembers(number: int, seen: list[int] = []) -> int:  # noqa: B006  (the mistake under test)
        seen.append(number)
        return 2 * number if len(seen) <= 3 else 0

    result = examine(doubling(), remembers)
    assert not result
    assert "gives the same result when asked again" in repr(result)


@pytest.mark.filterwarnings("error")
def test_an_async_function_is_shown_as_what_it_returns() -> None:
    async def answer(number: int) -> int:
        return 2 * number

    assert "returned <coroutine object test_an_async" in repr(examine(doubling(), answer))


class AlwaysEqual:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Hostile:
    """Raises wherever Python lets it."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr for you")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no ==")

    def __bool__(self) -> bool:
        raise RuntimeError("no truth")

    def __len__(self) -> int:
        raise RuntimeError("no length")

    __hash__ = None  # type: ignore[assignment]


class Liar:
    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise RuntimeError("no class")


class SlowRepr:
    def __repr__(self) -> str:
        while True:
            pass


class ErrorWithoutText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def raises_error_without_text(number: int) -> int:
    raise ErrorWithoutText


self_containing: list[Any] = []
self_containing.append(self_containing)
HOSTILE_VALUES: dict[str, Callable[[], Any]] = {
    "always equal": AlwaysEqual,
    "raises": Hostile,
    "lies about its class": Liar,
    "endless repr": SlowRepr,
    "contains itself": lambda: self_containing,
    "script": lambda: "<script>alert(1)</script>" * 10_000,
    "long list": lambda: list(range(1_000_000)),
    "html in a dict": lambda: {"<img src=x onerror=alert(1)>": ["<b>"] * 1000},
    "object": object,
    "nan": lambda: float("nan"),
    "huge number": lambda: 10**5000,
    "control characters": lambda: "\x00\ud800\x1b[31m",
    "array": lambda: np.zeros((1000, 1000)),
    "table": lambda: pd.DataFrame({"<b>": range(100_000)}),
    "type": lambda: type,
}


@pytest.mark.parametrize("name", HOSTILE_VALUES)
def test_hostile_values_are_wrong_answers_and_nothing_else(name: str) -> None:
    value = HOSTILE_VALUES[name]()
    for result in (
        examine(doubling(), lambda n: value),
        examine(doubling(), lambda n: [value, n]),
        check("00.1", value),
        check("00.2", value),
        check("01.1", value),
    ):
        assert not result
        for shown in (repr(result), result._repr_html_()):
            assert len(shown) < 6000
            assert "0x" not in shown
        assert not re.search(r"<(script|img|b)\b", result._repr_html_())


def test_an_error_without_text_is_still_named() -> None:
    assert "raised ErrorWithoutText" in repr(examine(doubling(), raises_error_without_text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_no_answer_makes_check_raise_or_pass_by_accident(value: Any) -> None:
    exercise = doubling()
    for answer in (value, lambda n: value):
        result = examine(exercise, answer)
        assert not result
        assert result._repr_html_()
    assert check("00.1", value).status in ("not yet", "not started", "cannot check")


def test_results_do_not_change_from_run_to_run() -> None:
    def answers() -> list[Any]:
        return [object(), {"b", "a", "c", "d"}, lambda: 0, SimpleNamespace(x=object())]

    first, second = ([repr(examine(doubling(), lambda n, v=v: v)) for v in answers()] for _ in range(2))
    assert first == second

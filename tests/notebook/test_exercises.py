from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings

from aicourse.errors import ExerciseError
from aicourse.llm import session
from aicourse.notebook import hint, live, outcome, predict, progress
from aicourse.notebook.checks import (
    Check,
    Mistake,
    arguments,
    calling,
)
from aicourse.notebook.exercises import (
    Exercise,
    check,
    checks_path,
    examine,
    find_exercise,
    load_checks,
    verify,
)
from aicourse.notebook.predictions import Prediction, choose, prediction_buttons
from aicourse.notebook.store import read_state, update_exercise

FIXTURES = Path(__file__).parents[1] / "checks_fixtures"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with two checks files."""
    folder = tmp_path / "home"
    (folder / "datasets").mkdir(parents=True)
    shutil.copytree(FIXTURES, folder / "notebooks" / "checks", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("AICOURSE_HOME", str(folder))
    session.begin(None, None)
    return folder


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "progress.json"


def text_of(html: str) -> str:
    """What a screen reader gets from `html`."""
    collected: list[str] = []
    parser = HTMLParser()
    parser.handle_data = collected.append  # type: ignore[method-assign]
    parser.feed(str(html))  # not `Markup`, whose parts escape each other
    return " ".join(" ".join(collected).split())


def double(number: int) -> int:
    return 2 * number


def doubling(**changes: Any) -> Exercise:
    """A small exercise to vary."""
    settings: dict[str, Any] = {
        "id": "02.1",
        "title": "Double",
        "reference": double,
        "checks": [Check("doubles", [1, 2, 5])],
        "hints": ["Multiply."],
        "seconds": 0.2,
    }
    return Exercise(**{**settings, **changes})


def find_size(text: str, unit: str = "cm") -> int | None:
    """A student's answer with two mistakes."""
    match = re.search(r"(\d+)", text)
    return int(match.group(1))  # type: ignore[union-attr]


# -- checks -----------------------------------------------------------------------------------------------


def test_a_wrong_answer_is_told_what_works_what_is_missing_and_on_which_input() -> None:
    line = find_size.__code__.co_firstlineno + 3
    result = check("01.1", find_size)
    assert not result
    assert repr(result) == (
        "✗ Not yet: 01.1 Read a size, 2 of 4 behaviours work\n"
        "  ✓ works       reads a size in centimetres\n"
        "  ✓ works       reads the unit it is asked for\n"
        "  ✗ missing     takes no other number for a size\n"
        "                find_size('2 mugs, 9 cm tall') returned 2; expected 9.\n"
        "                1 more input fails too.\n"
        "  ✗ missing     gives None when no size is stated\n"
        "                find_size('a red dress') raised AttributeError: 'NoneType' object has no attribute"
        f" 'group' (in find_size, line {line}: `return int(match.group(1))  # type: ignore[union-attr]`);"
        " expected None.\n"
        "                1 more input fails too.\n"
        "                Null beats invention.\n"
        "  Hint: You take the first number, whatever it counts."
    )


def test_html_says_in_words_what_the_colours_say() -> None:
    page = check("01.1", find_size)._repr_html_()
    assert "✗ Not yet: 01.1 Read a size, 2 of 4 behaviours work" in text_of(page)
    assert text_of(page).count("✓ works") == 2
    assert text_of(page).count("✗ missing") == 2
    assert "\n" not in page


@pytest.mark.parametrize("exercise_id", ["00.1", "00.2", "01.1", "01.2", "01.3"])
def test_the_reference_solves_its_exercise(exercise_id: str) -> None:
    result = check(exercise_id, find_exercise(exercise_id).reference)
    assert result
    assert result.status == "solved"


def stub_raises(*inputs: Any, **named: Any) -> Any:
    raise NotImplementedError("write me")


@pytest.mark.parametrize(
    "answer",
    [stub_raises, lambda *inputs, **named: None, lambda *inputs, **named: ..., None, ...],
    ids=["raises", "returns None", "returns Ellipsis", "None", "Ellipsis"],
)
@pytest.mark.parametrize("exercise_id", ["01.1", "01.2", "01.3"])
def test_a_stub_is_not_started_and_not_an_attempt(exercise_id: str, answer: Any, state_file: Path) -> None:
    result = check(exercise_id, answer)
    assert result.status == "not started"
    assert not result
    assert f'hint("{exercise_id}")' in repr(result)
    assert not state_file.exists()


def prints_instead(text: str, unit: str = "cm") -> None:
    print(re.findall(r"\d+", text))


def test_an_answer_that_returns_nothing_is_asked_for_its_return() -> None:
    result = check("01.1", prints_instead)
    assert result.status == "not yet"
    assert result.hints == ("`find_size` returns None whatever it is given: is a `return` missing?",)
    assert "returned None; expected 80." in repr(result)
    assert "It printed \"['80']\\n\"." in repr(result)


class Reply(pydantic.BaseModel):
    text: str
    usage: int | None = None
    parts: list[Reply] = []


def test_a_pydantic_input_is_shown_without_its_empty_fields() -> None:
    exercise = doubling(reference=lambda reply: 2 * len(reply.text))
    exercise = dataclasses.replace(
        exercise, checks=[Check("doubles", [Reply(text="ab", parts=[Reply(text="c")])])], mistakes=[]
    )
    shown = repr(examine(exercise, lambda reply: 1))
    assert "Reply(text='ab', parts=[Reply(text='c', parts=[])])) returned 1; expected 4." in shown


def answers_five(answer: Callable[[int], int]) -> bool | str:
    try:
        return answer(2) == 5 or f"It gave {answer(2)}."
    except ZeroDivisionError:
        return "It divides by zero."


def never_raises(answer: Callable[[int], int]) -> bool | str:
    try:
        answer(0)
    except Exception as error:
        return f"{type(error).__name__} reached the seller."
    return True


LAWS = doubling(
    reference=lambda n: n + 3,
    checks=[Check("five", predicate=answers_five), Check("calm", predicate=never_raises)],
    mistakes=[
        Mistake(lambda n: 5 / (n - 2) if n else 0, "Do not divide."),
        Mistake(lambda n: 4, "Not four."),
    ],
)


@pytest.mark.parametrize("answer", [stub_raises, lambda n: None])
def test_a_stub_is_known_also_where_only_predicates_call_it(answer: Any) -> None:
    assert verify(LAWS) == []
    assert examine(LAWS, answer).status == "not started"


def test_an_answer_that_fails_every_predicate_is_not_a_stub() -> None:
    result = examine(LAWS, lambda n: 1 // 0)
    assert result.status == "not yet"
    assert "It divides by zero." in repr(result)
    assert "ZeroDivisionError reached the seller." in repr(result)


def test_an_error_under_a_predicate_shows_the_students_line() -> None:
    namespace: dict[str, Any] = {}
    exec("def answer(n):\n    return {}['a']", namespace)
    assert "Testing it raised KeyError: 'a' (in answer, line 2)." in repr(examine(LAWS, namespace["answer"]))


def test_a_predicate_that_cannot_look_at_a_result_shows_the_result() -> None:
    exercise = doubling(checks=[Check("even", [1, 2], predicate=lambda result, n: result % 2 == 0)])
    shown = repr(examine(exercise, lambda n: {"n": n}))
    assert "double(1) returned {'n': 1}." in shown
    assert "Testing it raised TypeError: unsupported operand" in shown


def test_a_mistake_is_recognised_also_where_the_comparison_refuses_its_type() -> None:
    exercise = doubling(
        reference=lambda n: Decimal(n),
        checks=[Check("exact", [1, 2], same=lambda a, b: isinstance(a, Decimal) and a == b)],
        mistakes=[Mistake(float, "Stay in Decimal.")],
    )
    assert verify(exercise) == []


def test_known_mistakes_are_recognised_by_what_they_do_not_how_they_are_written() -> None:
    def other_words(text: str, unit: str = "cm") -> int | None:
        digits = "".join(c if c.isdigit() else " " for c in text).split()
        return int(digits[0]) if digits else None

    assert check("01.1", other_words).hints == ("You take the first number, whatever it counts.",)


def test_an_unknown_wrong_answer_gets_no_mistakes_hint_but_the_offer_of_one() -> None:
    result = check("01.1", lambda text, unit="cm": 1)
    assert result.hints == ()
    assert result.offers_hint


def test_two_forms_of_a_mistake_share_their_hint() -> None:
    def index(text: str, unit: str = "cm") -> int:
        return int(re.search(rf"(\d+) ?{unit}", text.replace("CM", "cm"))[1])  # type: ignore[index]

    def group(text: str, unit: str = "cm") -> int:
        return int(re.search(rf"(\d+) ?{unit}", text.replace("CM", "cm")).group(1))  # type: ignore[union-attr]

    shared = ("`re.search` gives None when nothing matches: test for it.",)
    assert check("01.1", index).hints == check("01.1", group).hints == shared


def test_the_mistake_that_explains_more_wins() -> None:
    exercise = doubling(
        checks=[Check("doubles", [1, 2, 5, -1, -2])],
        mistakes=[
            Mistake(lambda n: 2 * abs(n), "Mind the sign."),
            Mistake(lambda n: 0 if n > 0 else 2 * abs(n), "This is another matter."),
        ],
    )
    assert examine(exercise, lambda n: 0 if n > 0 else -2 * n).hints == ("This is another matter.",)
    assert examine(exercise, lambda n: abs(n + n)).hints == ("Mind the sign.",)


def test_the_expected_result_is_hidden_when_the_exercise_says_so() -> None:
    result = check("01.2", lambda text: ["red"])
    assert "returned ['red']" in repr(result)
    assert "navy" not in repr(result).replace("'red and navy'", "")
    assert "expected" not in repr(result) + result._repr_html_()


def test_an_answer_must_raise_where_the_behaviour_says_so() -> None:
    result = check("01.3", lambda text: int((re.findall(r"\d+", text) or [-1])[0]))
    assert "price_of('free') returned -1; expected ValueError raised." in repr(result)
    assert result.hints == ("-1 is a price to whoever adds them up: raise an error.",)


def test_another_error_than_the_one_asked_for_is_not_enough() -> None:
    assert "price_of('free') raised IndexError" in repr(
        check("01.3", lambda text: int(re.findall(r"\d+", text)[0]))
    )


def test_a_crash_of_another_kind_is_not_taken_for_a_known_mistake() -> None:
    def misspelt(text: str, unit: str = "cm") -> int:
        return re.serach(unit, text)  # type: ignore[attr-defined,no-any-return]

    def of_another_type(text: str, unit: str = "cm") -> int:
        return int(text)

    assert check("01.1", misspelt).hints == check("01.1", of_another_type).hints == ()


def test_a_result_that_only_looks_like_the_expected_one_is_shown_with_its_type() -> None:
    class Two:
        def __repr__(self) -> str:
            return "2"

    assert "double(1) returned 2 (of type Two); expected 2." in repr(examine(doubling(), lambda n: Two()))


def test_data_is_judged_by_predicates_and_their_sentences() -> None:
    metrics = [{"name": "speed", "baseline": 1, "target": 1}]
    result = check("00.1", {"metrics": metrics})
    assert [finding.state for finding in result.findings] == ["works", "missing", "missing"]
    assert "`speed` has no unit." in repr(result)
    assert "A target that is already met measures nothing." in repr(result)


def test_data_without_the_parts_that_are_tested_is_said_to_lack_them() -> None:
    assert "Testing it raised KeyError: 'metrics'. Is a part of it missing" in repr(check("00.1", {}))


def test_mistakes_in_data_are_recognised_by_value_or_by_a_predicate() -> None:
    assert check("00.2", 40).hints == ("That is a percentage: a share lies between 0 and 1.",)
    vague = {"metrics": [{"name": "joy", "baseline": "low", "target": "high"}]}
    assert check("00.1", vague).hints == ("Good is not a number: say what you would count.",)


@pytest.mark.parametrize(
    ("exercise_id", "answer", "sentence"),
    [
        ("01.1", 80, 'this is of type int: `80`. Pass the function itself: `check("01.1", find_size)`'),
        ("00.2", "0.4", "The answer is of type number; this is of type str: `'0.4'`."),
        ("00.2", True, "this is of type bool"),
        ("00.1", [1], "The answer is of type dict; this is of type list: `[1]`."),
        ("00.2", double, "this is a function: call it, and pass what it returns."),
    ],
)
def test_an_answer_of_the_wrong_type_is_told_what_to_pass(
    exercise_id: str, answer: Any, sentence: str
) -> None:
    result = check(exercise_id, answer)
    assert not result
    assert sentence in repr(result)


@pytest.mark.parametrize("number", [0.4, np.float64(0.4), Decimal("0.4")])
def test_any_number_is_accepted_where_a_number_is_asked_for(number: Any) -> None:
    share = Exercise(id="02.1", title="", reference=0.4, checks=[Check("is it", predicate=bool)])
    assert examine(share, number)


def test_a_class_can_be_the_answer() -> None:
    class Reference(pydantic.BaseModel):
        size: int | None = None

    class Student(pydantic.BaseModel):
        size: int | None = None

    exercise = doubling(reference=Reference, checks=[Check("b", [arguments(size=1)])])
    assert examine(exercise, Student)
    assert "The answer is a class." in repr(examine(exercise, double))


# -- answers that misbehave -------------------------------------------------------------------------------


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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


# -- checks files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exercise_id", "sentence"),
    [
        ("01.9", "There is no exercise '01.9' in lesson 01; did you mean"),
        ("07.1", "Lesson '07' has no exercises; lessons with exercises: 00, 01."),
        ("../../secret", "Lesson '' has no exercises"),
        (None, "Lesson 'None' has no exercises"),
    ],
)
def test_an_unknown_id_is_a_sentence_for_check_and_hint(exercise_id: Any, sentence: str) -> None:
    result = check(exercise_id, double)
    assert result.status == "cannot check"
    assert sentence in repr(result)
    assert sentence in repr(hint(exercise_id))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("exercises = [", "lesson_03.py does not run (SyntaxError"),
        ("import nothing_like_this", "does not run (ModuleNotFoundError"),
        ("raise SystemExit(1)", "does not run (SystemExit"),
        ("x = 1", "must define `exercises`"),
        ("exercises = 3", "must define `exercises`"),
        ("exercises = []", "must define `exercises`"),
        ("exercises = [1]", "must define `exercises`"),
    ],
)
def test_a_broken_checks_file_is_a_sentence(home: Path, content: str, sentence: str) -> None:
    (home / "notebooks" / "checks" / "lesson_03.py").write_text(content)
    result = check("03.1", double)
    assert result.status == "cannot check"
    assert sentence in repr(result)


def test_ids_are_unique_and_of_the_files_lesson(home: Path) -> None:
    path = home / "notebooks" / "checks" / "lesson_03.py"
    text = (FIXTURES / "lesson_00.py").read_text()
    path.write_text(text.replace("00.1", "03.1").replace("00.2", "03.1"))
    with pytest.raises(ExerciseError, match="different ids of lesson 03"):
        load_checks(path)
    path.write_text(text)
    with pytest.raises(ExerciseError, match="different ids of lesson 03"):
        load_checks(path)


def test_a_changed_checks_file_is_read_again_and_an_unchanged_one_is_not(home: Path) -> None:
    path = checks_path("01")
    first = load_checks(path)
    assert load_checks(path) is first
    path.write_text(path.read_text().replace("Read a size", "Read a SIZE"))
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    assert load_checks(path)[0].title == "Read a SIZE"
    assert not list(home.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Check("empty"), "tests nothing"),
        (lambda: Check("both", [1], predicate=bool, raises=ValueError), "only one"),
        (lambda: doubling(id="2.1"), "not of the form"),
        (lambda: doubling(checks=[]), "no checks"),
    ],
)
def test_authors_are_told_at_once(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ExerciseError, match=sentence):
        make()


def test_the_fixtures_are_good_checks() -> None:
    loaded = [exercise for lesson in ("00", "01") for exercise in load_checks(checks_path(lesson))]
    assert [problem for exercise in loaded for problem in verify(exercise)] == []


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
    ],
)
def test_verify_finds_bad_checks(changes: dict[str, Any], problem: str) -> None:
    found = verify(doubling(**changes))
    assert any(problem in text for text in found), found
    assert all(text.startswith("Exercise 02.1: ") for text in found)


# -- hints, predictions, progress -------------------------------------------------------------------------


def test_each_call_of_hint_shows_one_more_and_the_last_stays() -> None:
    assert hint("01.1").hints == ("A pattern can name the unit.",)
    second = hint("01.1")
    assert second.hints == ("A pattern can name the unit.", r"`(\d+)\s*cm` matches digits, spaces, unit.")
    assert "the solution is in the collapsed cell" in repr(second)
    assert hint("01.1") == second
    assert progress().lessons[0].hints == 2
    assert r"(\d+)\s*cm" in text_of(second._repr_html_())


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        (["yes", "no"], ["yes", "no"]),
        ([1, 2.5], ["1", "2.5"]),
        ([range(0, 1), range(1, 3), (3, None)], ["0", "1 to 2", "3 or more"]),
        ([(None, 0.5), (0.5, 1.0)], ["less than 0.5", "0.5 to 1"]),
        ({"few": range(0, 3), "many": (3, 21)}, ["few", "many"]),
    ],
)
def test_options_have_labels(options: Any, labels: list[str]) -> None:
    assert [option.label for option in predict("01.a", "?", options).state.options] == labels


@pytest.mark.parametrize(
    ("options", "actual", "happened"),
    [
        ([range(0, 3), range(3, 9), (9, None)], 0, "0 to 2"),
        ([range(0, 3), range(3, 9), (9, None)], 3, "3 to 8"),
        ([range(0, 3), range(3, 9), (9, None)], 9, "9 or more"),
        ([range(0, 3), range(3, 9), (9, None)], -1, None),
        ([(0.0, 0.5), (0.5, 1.0)], 0.5, "0.5 to 1"),
        ([(0.0, 0.5), (0.5, 1.0)], 1.0, "0.5 to 1"),
        ([(0.0, 0.5), (0.5, 1.0)], np.float64(0.25), "0 to 0.5"),
        ([(None, 10), (10, None)], 9.99, "less than 10"),
        ({"few": range(0, 3), "many": (3, 21)}, 20, "many"),
        (["yes", "no"], "Yes", "yes"),
        (["yes", "no"], "perhaps", None),
        ([1, 2, 3], 2, "2"),
    ],
)
def test_what_happened_falls_into_an_option(options: Any, actual: Any, happened: str | None) -> None:
    predict("01.a", "?", options)
    assert outcome("01.a", actual).state.happened == happened


def test_a_choice_is_kept_changed_and_fixed_by_its_outcome() -> None:
    def ask() -> Prediction:
        return predict("01.a", "How many?", [range(0, 3), range(3, 9), (9, None)])

    assert "○ 3 to 8" in repr(ask())
    choose("01.a", choice="0 to 2")
    choose("01.a", choice="3 to 8")
    choose("01.a", sureness=70)
    assert "● (chosen) 3 to 8" in repr(ask())
    assert "3 to 8, 70 % sure. You may change it" in repr(ask())
    shown = outcome("01.a", 12)
    assert repr(shown) == (
        "✗ Not what you predicted: 01.a How many?\n"
        "  You predicted: 3 to 8, 70 % sure. It happened: 12 (9 or more)."
    )
    choose("01.a", choice="9 or more", sureness=90)
    assert "Your prediction: 3 to 8, 70 % sure. The result is known: 12." in repr(ask())
    assert outcome("01.a", 4).verdict == "✓ As you predicted"


def test_a_changed_question_is_asked_again() -> None:
    predict("01.a", "How many?", ["1", "2"])
    choose("01.a", choice="1")
    assert predict("01.a", "How many really?", ["1", "2"]).state.choice is None


def test_an_outcome_without_prediction_says_so() -> None:
    predict("01.a", "How many?", [range(0, 3), (3, None)])
    assert repr(outcome("01.a", 2)) == "○ No prediction was made: 01.a How many?\n  It happened: 2 (0 to 2)."
    assert repr(outcome("01.z", 1 / 3)) == "○ No prediction was made: 01.z\n  It happened: 0.3333."


def test_questions_and_options_are_escaped() -> None:
    asked = predict("01.a", "<script>?", ["<b>yes", "`no`"])
    choose("01.a", choice="<b>yes")
    for page in (asked._repr_html_(), outcome("01.a", "<i>")._repr_html_()):
        assert not re.search(r"<(script|b|i)>", page)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "notebook_shell", lambda: SimpleNamespace(kernel=object()))


WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.mark.usefixtures("notebook")
def test_buttons_appear_in_a_live_notebook_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = predict("01.a", "How many?", ["1", "2"])
    live = asked._repr_mimebundle_()
    monkeypatch.setenv("AICOURSE_UNATTENDED", "1")
    unattended = asked._repr_mimebundle_()
    assert WIDGET in live
    assert unattended == {name: value for name, value in live.items() if name != WIDGET}
    assert set(unattended) == {"text/html", "text/plain"}


def test_a_click_is_kept_at_once_and_refused_once_the_result_is_known() -> None:
    view = prediction_buttons(predict("01.a", "How many?", ["1", "2"]))
    _, options, how_sure, status = view.children
    options.value = "2"
    how_sure.children[1].value = 90
    again = predict("01.a", "How many?", ["1", "2"])
    assert (again.state.choice, again.state.sureness) == ("2", 90)
    assert "2, 90 % sure. You may change it" in status.value
    assert prediction_buttons(again).children[1].value == "2"
    outcome("01.a", "1")
    options.value = "1"  # a click in the old view
    assert options.value == "2"
    assert options.disabled
    assert "The result is known: 1." in status.value
    assert predict("01.a", "How many?", ["1", "2"]).state.choice == "2"


def test_progress_counts_what_was_done() -> None:
    assert repr(progress()).startswith("Nothing yet")
    check("01.1", find_size)
    check("01.1", find_exercise("01.1").reference)
    check("01.1", find_size)  # solved once is solved
    check("01.2", lambda text: [])
    hint("01.2")
    for name, choice, sureness, actual in [("a", "1", 70, "1"), ("b", "2", 70, "1"), ("c", "1", 90, "1")]:
        predict(f"01.{name}", "?", ["1", "2"])
        choose(f"01.{name}", choice=choice, sureness=sureness)
        outcome(f"01.{name}", actual)
    predict("00.a", "?", ["1", "2"])
    assert repr(progress()) == (
        "Your progress\n"
        "  Lesson  Solved  Attempted  Hints used  Predictions right\n"
        "  00      0 of 2  0          0           -\n"
        "  01      1 of 3  2          1           2 of 3\n"
        "\n"
        "Are you right as often as you are sure?\n"
        "  You said   Came true  Share\n"
        "  70 % sure  1 of 2     50 %\n"
        "  90 % sure  1 of 1     100 %"
    )
    page = progress()._repr_html_()
    assert page.count("<caption") == 2
    assert page.count('scope="row"') == 4


def test_progress_survives_a_broken_checks_file() -> None:
    hint("01.1")
    checks_path("01").write_text("exercises = [")
    assert "0 of ?" in repr(progress())


# -- state ------------------------------------------------------------------------------------------------


def test_state_outlives_the_kernel(state_file: Path) -> None:
    check("01.1", find_size)
    kept = json.loads(state_file.read_text())
    assert kept["exercises"]["01.1"] == {"attempts": 1, "hints": 0, "solved": False}


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"exercises": 3}', b'{"exercises": {"01.1": null}}', b"\xff\xfe\x00"]
)
def test_a_damaged_file_is_kept_aside_and_said_so(damage: bytes, state_file: Path) -> None:
    state_file.parent.mkdir(parents=True)
    for number in (1, 2):
        state_file.write_bytes(damage)
        with pytest.warns(UserWarning, match=f"damaged-{number}.json, and a new one was begun"):
            check("01.1", find_size)
        assert state_file.with_suffix(f".damaged-{number}.json").read_bytes() == damage
    assert progress().lessons[0].attempted == 1


def test_without_a_place_to_write_everything_works_for_this_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("AICOURSE_STATE", str(tmp_path / "a file"))
    session.begin("01", None)
    with pytest.warns(UserWarning, match="Your progress is not kept: .* Set AICOURSE_STATE"):
        assert work_without_state() == "✓ As you predicted"


def work_without_state() -> str:
    assert check("01.1", find_exercise("01.1").reference)
    predict("01.a", "?", ["1", "2"])
    choose("01.a", choice="1")
    return outcome("01.a", "1").verdict


def test_unattended_runs_neither_read_nor_write_and_begin_anew_with_each_lesson(
    state_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hint("01.1")
    before = state_file.read_bytes()
    monkeypatch.setenv("AICOURSE_UNATTENDED", "1")
    for _ in range(2):
        session.begin("01", None)
        assert len(hint("01.1").hints) == 1
        check("01.1", find_exercise("01.1").reference)
        assert repr(progress()).splitlines()[-1].split() == ["01", "1", "of", "3", "1", "1", "-"]
    assert state_file.read_bytes() == before


def test_two_processes_lose_no_update(state_file: Path) -> None:
    program = """if True:
        from aicourse.notebook.store import update_exercise
        for _ in range(40):
            update_exercise("01.1", lambda state: state.model_copy(update={"attempts": state.attempts + 1}))
    """
    running = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    assert read_state().exercises["01.1"].attempts == 80


def test_an_update_that_fails_half_way_leaves_the_old_file(state_file: Path) -> None:
    check("01.1", find_size)
    before = state_file.read_bytes()

    def fails(state: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        update_exercise("01.1", fails)
    assert state_file.read_bytes() == before
    assert check("01.1", find_size) is not None

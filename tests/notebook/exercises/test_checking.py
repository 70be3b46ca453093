"""Checks of answers: what works, what is missing, on which input; and proofs of the checks themselves."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
import pytest
from small_exercises import double, doubling, find_size, stub_raises, text_of

from aicourse.notebook.checks import Check, Mistake, arguments
from aicourse.notebook.exercises import (
    Exercise,
    check,
    examine,
    find_exercise,
)

pytestmark = pytest.mark.usefixtures("home")


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


@dataclasses.dataclass(frozen=True)
class Sent:
    output: dict[str, str]
    expected: dict[str, str]
    input: str | None = None
    tags: tuple[str, ...] = ()


def test_a_record_as_input_is_shown_whole_without_the_fields_that_it_leaves_open() -> None:
    form = dict.fromkeys(("brand", "condition", "size"), "the same words in a field")
    sent = Sent(output=form | {"brand": "SHOUTED"}, expected=form)
    exercise = doubling(reference=lambda record: 0, checks=[Check("counts", [sent])])
    shown = repr(examine(exercise, lambda record: 1))
    assert f"(Sent(output={sent.output!r}, expected={form!r})) returned 1; expected 0." in shown


def test_a_wrong_list_of_parameters_is_no_known_mistake() -> None:
    def adds(value: Any) -> Any:
        return value + "2"

    exercise = doubling(mistakes=[Mistake(adds, "A number and a text have no sum.")])
    assert examine(exercise, lambda value: value + "").hints == ("A number and a text have no sum.",)
    assert examine(exercise, lambda value, more: value + more).hints == ()


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
    assert examine(exercise, float).hints == ("Stay in Decimal.",)


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


def adds_itself_as_shipped(number: int) -> int:
    """5 -> 10"""
    return number + 1  # not yet


def shipped_to_the_student(x):  # type: ignore[no-untyped-def]
    return x + 1


def test_the_cell_as_it_came_is_no_attempt_and_shows_what_is_missing() -> None:
    def double(number):  # type: ignore[no-untyped-def]
        # comments do not count
        return number + 1

    exercise = doubling(untouched=adds_itself_as_shipped)
    result = examine(exercise, double)
    assert result.status == "not started"
    assert "0 of 1 behaviours work" in result.summary
    assert "This is the cell as it came: change it" in result.message
    for answer in (shipped_to_the_student, lambda number: number + 1):  # another name, or no `def`
        assert examine(exercise, answer).status == "not yet"
    assert examine(doubling(), double).status == "not yet"


def test_a_function_as_it_came_may_be_a_known_mistake_and_keeps_its_hint() -> None:
    mistake = Mistake(adds_itself_as_shipped, "Plus one is not twice.")
    result = examine(doubling(untouched=adds_itself_as_shipped, mistakes=[mistake]), adds_itself_as_shipped)
    assert (result.status, result.hints) == ("not started", ("Plus one is not twice.",))


def test_the_first_input_that_fails_is_shown_or_the_shortest_when_that_is_long() -> None:
    def shown(*inputs: list[int]) -> str:
        exercise = doubling(reference=sum, checks=[Check("adds", inputs)])
        return examine(exercise, len).findings[0].evidence.call

    assert shown([2, 3], [4]) == "sum([2, 3])"
    assert shown(list(range(90)), list(range(70, 90)), [4, 5, 6]) == "sum([4, 5, 6])"


def test_a_long_list_is_shown_whole_or_by_where_it_differs() -> None:
    def evens(count: int) -> list[bool]:
        return [number % 2 == 0 for number in range(count)]

    def off_at_the_end(count: int) -> list[bool]:
        return [*evens(count)[:-1], True]

    def evidence(count: int) -> str:
        exercise = doubling(reference=evens, checks=[Check("evens", [count])])
        return " ".join(examine(exercise, off_at_the_end).findings[0].lines(str, str))

    assert repr(off_at_the_end(20)) in evidence(20)
    assert repr(evens(20)) in evidence(20)
    assert "At position 19: `True` instead of `False`." in evidence(20)
    long = evidence(200)
    assert "[True, False, True, False, … 192 more …, True, False, True, True]" in long
    assert "At position 199: `True` instead of `False`." in long


def test_a_long_text_is_shown_by_where_it_differs() -> None:
    words = "word " * 60
    exercise = doubling(reference=lambda text: text, checks=[Check("keeps", [words + "blue"])])
    lines = examine(exercise, lambda text: text.replace("blue", "red")).findings[0].lines(str, str)
    assert "From character 300 on they differ: " in lines[1]
    assert "word red' instead of" in lines[1].replace("`", "")

"""Lesson 20: wrong answers that students hand in are told why, and right ones in another form pass."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest

from aicourse.agents import facts_in
from aicourse.notebook.exercises import check

Rows = Sequence[tuple[bool, bool, bool]]
ORDERS = re.compile(r"\border\s+(?:number\s+)?#?(\d{3,6})\b", re.IGNORECASE)


def unmet(
    *,
    state: Callable[[Any], bool] = lambda refunds: refunds == [(1006, 13240)],
    effects: Callable[[Any], bool] = lambda changed: not {*changed} - {"refunds"},
    told: Callable[[str], Any] = lambda reply: "amount:132.40" in facts_in(reply),
    names: tuple[str, ...] = ("state", "effects", "reply"),
) -> Callable[..., list[str]]:
    def judged(refunds: Any, changed: Any, reply: str) -> list[str]:
        met = {"state": state(refunds), "effects": effects(changed), "reply": told(reply)}
        return [name for name in names if not met[name]]

    return judged


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (unmet(state=lambda refunds: [cents for _, cents in refunds] == [13240]), "not at the order"),
        (unmet(effects=lambda changed: not {"orders", "hand_overs"} & {*changed}), "Name the one that may"),
        (unmet(told=lambda reply: re.search(r"\b132[.,]40\b", reply)), "inside 1.132,40"),
        (unmet(names=("effects", "reply", "state")), "another order in yours: state, effects, reply"),
    ],
)
def test_a_demand_that_is_half_looked_at(answer: Any, sentence: str) -> None:
    result = check("20.1", answer)
    assert not result
    assert sentence in repr(result)


def test_demands_that_are_looked_at_in_another_way() -> None:
    assert check("20.1", unmet(effects=lambda changed: all(one in ("refunds",) for one in changed)))


def test_all_tries_may_be_chosen() -> None:
    def pass_hat(tried: int, passed: int, k: int) -> float:
        if k >= tried:
            raise ValueError("too many")
        return math.comb(passed, k) / math.comb(tried, k)

    result = check("20.2", pass_hat)
    assert not result
    assert "k may be equal to `tried`" in repr(result)


def test_tries_drawn_one_after_the_other() -> None:
    def pass_hat(tried: int, passed: int, k: int) -> float:
        if not k <= tried:
            raise ValueError
        shares = (Fraction(max(passed - one, 0), tried - one) for one in range(k))
        return float(math.prod(shares))

    assert check("20.2", pass_hat)


def counted(rows: Rows) -> list[Any]:
    reached = [harm for seen, harm, _ in rows if seen]
    success = sum(reached) / len(reached) if reached else None
    return [sum(useful for *_, useful in rows) / len(rows), success, len(rows) - len(reached)]


def useful_without_harm(rows: Rows) -> tuple[Any, ...]:
    return (sum(good and not harm for _, harm, good in rows) / len(rows), *counted(rows)[1:])


def harm_without_use(rows: Rows) -> tuple[Any, ...]:
    reached = [harm and not useful for seen, harm, useful in rows if seen]
    useful, _, others = counted(rows)
    return useful, sum(reached) / len(reached) if reached else None, others


def test_three_figures_in_a_list() -> None:
    assert check("20.3", counted)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [(useful_without_harm, "Count it in both"), (harm_without_use, "An attack that goes unnoticed")],
)
def test_harm_and_use_are_counted_apart(answer: Any, sentence: str) -> None:
    result = check("20.3", answer)
    assert not result
    assert sentence in repr(result)


def test_figures_that_are_rounded() -> None:
    assert not check("20.3", lambda rows: [one if one is None else round(one, 2) for one in counted(rows)])


def test_an_order_that_begins_like_the_named_one() -> None:
    def swapped(message: str, writes: list[int]) -> list[int]:
        named = ORDERS.findall(message)
        return [one for one in writes if named and not any(text in str(one) for text in named)]

    result = check("20.4", swapped)
    assert not result
    assert "1001 stands in 10012" in repr(result)

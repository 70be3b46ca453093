"""The checks of lesson 09: right answers in other styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from aicourse.evals import Rule, default_rules, rescore
from aicourse.evals.statistics import paired_bootstrap
from aicourse.marketplace import FIELD_SCORES, LISTING_SCORERS
from aicourse.notebook.exercises import checks_path, examine, load_checks

EXERCISES = {exercise.id: exercise for exercise in load_checks(checks_path("09"))}
CHECKS = sys.modules[EXERCISES["09.1"].reference.__module__]
Scores = Mapping[str, float]


def said(exercise: str, answer: Any) -> str:
    return repr(examine(EXERCISES[exercise], answer))


def passes(exercise: str, answer: Any) -> bool:
    return examine(EXERCISES[exercise], answer).status == "solved"


# 09.1


def decided(low: float, high: float, change: float, tolerance: float) -> str:
    if high < 0 and change < -tolerance:
        return "fail"
    return "pass" if low > -tolerance else "undecided"


def by_numpy(before: Scores, after: Scores, tolerance: float) -> str:
    shared = [id for id in before if id in after]
    changes = np.array([after[id] for id in shared]) - np.array([before[id] for id in shared])
    reach = 1.96 * changes.std(ddof=1) / np.sqrt(changes.size)
    return decided(changes.mean() - reach, changes.mean() + reach, changes.mean(), tolerance)


def by_pandas(before: Scores, after: Scores, tolerance: float) -> str:
    changes = (pd.Series(after) - pd.Series(before)).dropna()
    change, error = changes.mean(), changes.sem()
    verdict = "undecided"
    if change - 1.96 * error > -tolerance:
        verdict = "pass"
    if change + 1.96 * error < 0 and change < -tolerance:
        verdict = "fail"
    return verdict


def by_student_t(before: Scores, after: Scores, tolerance: float) -> str:
    changes = [after[id] - before[id] for id in set(before) & set(after)]
    change, error = statistics.fmean(changes), statistics.stdev(changes) / len(changes) ** 0.5
    reach = float(stats.t.ppf(0.975, len(changes) - 1)) * error
    return decided(change - reach, change + reach, change, tolerance)


def by_bootstrap(before: Scores, after: Scores, tolerance: float) -> str:
    changes = np.array([after[id] - before[id] for id in before.keys() & after.keys()])
    means = np.random.default_rng(0).choice(changes, (4000, changes.size)).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return decided(low, high, changes.mean(), tolerance)


def by_running_sums(before: Scores, after: Scores, tolerance: float) -> str:
    count, total, squares = 0, 0.0, 0.0
    for id, new in after.items():
        if id in before:
            change = new - before[id]
            count, total, squares = count + 1, total + change, squares + change * change
    mean = total / count
    error = math.sqrt(max(0.0, (squares - count * mean**2) / (count - 1)) / count)
    return decided(mean - 1.96 * error, mean + 1.96 * error, mean, tolerance)


def by_package(before: Scores, after: Scores, tolerance: float) -> str:
    shared = sorted(before.keys() & after.keys())
    found = paired_bootstrap([before[id] for id in shared], [after[id] for id in shared])
    return decided(found.low, found.high, found.estimate, tolerance)


@pytest.mark.parametrize(
    "answer", [by_numpy, by_pandas, by_student_t, by_bootstrap, by_running_sums, by_package]
)
def test_a_gate_in_any_style(answer: Callable[..., str]) -> None:
    assert passes("09.1", answer), said("09.1", answer)


def with_interval(before: Scores, after: Scores, tolerance: float, sign: int = 1) -> str:
    changes = [sign * (after[id] - before[id]) for id in before.keys() & after.keys()]
    change, reach = statistics.mean(changes), 1.96 * statistics.stdev(changes) / len(changes) ** 0.5
    return decided(change - reach, change + reach, change, tolerance)


def by_half_width(before: Scores, after: Scores, tolerance: float, reach: float, line: float) -> str:
    """A 95 % interval for `reach` 1.96; a loss is shown below minus `line`."""
    changes = [after[id] - before[id] for id in before.keys() & after.keys()]
    change, half = statistics.mean(changes), reach * statistics.stdev(changes) / len(changes) ** 0.5
    if change + half < -line and change < -tolerance:
        return "fail"
    return "pass" if change - half > -tolerance else "undecided"


def by_place(before: Scores, after: Scores, tolerance: float) -> str:
    new = dict(zip(before, after.values(), strict=False))
    return with_interval(before, new, tolerance)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            lambda before, after, tolerance: (
                "pass"
                if statistics.mean([after[i] - before[i] for i in before.keys() & after.keys()]) > -tolerance
                else "fail"
            ),
            "looks at the mean alone",
        ),
        (
            lambda before, after, tolerance: with_interval(before, after, tolerance).replace(
                "undecided", "pass"
            ),
            "too few cases pass everything",
        ),
        (
            lambda before, after, tolerance: with_interval(before, after, tolerance).replace(
                "undecided", "fail"
            ),
            "Two different things get one word",
        ),
        (lambda before, after, tolerance: with_interval(before, after, 0.0), "The tolerance is not used"),
        (
            lambda before, after, tolerance: by_half_width(before, after, tolerance, 1.96, tolerance),
            "A loss is shown if it lies below 0",
        ),
        (
            lambda before, after, tolerance: by_half_width(before, after, tolerance, 1.645, 0.0),
            "That is a 90 % interval",
        ),
        (by_place, "Look each id up in both"),
        (
            lambda before, after, tolerance: with_interval(before, after, tolerance, sign=-1),
            "a loss is a negative after - before",
        ),
    ],
)
def test_a_wrong_gate_is_told_why(answer: Callable[..., str], sentence: str) -> None:
    assert not passes("09.1", answer)
    assert sentence in said("09.1", answer)


# 09.2


def refused(tolerance: float) -> None:
    if tolerance <= 0 or tolerance >= 1:
        raise ValueError(tolerance)


def by_adding(tolerance: float) -> int:
    refused(tolerance)
    cases = 0
    while (1 - tolerance) ** cases > 0.025:
        cases += 1
    return cases


def by_logarithm(tolerance: float) -> int:
    refused(tolerance)
    return int(np.ceil(np.log(0.025) / np.log1p(-tolerance)))


def by_halving(tolerance: float) -> int:
    refused(tolerance)
    low, high = 0, 10_000
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if (1 - tolerance) ** middle <= 0.025 else (middle + 1, high)
    return low


def by_next(tolerance: float) -> int:
    assert isinstance(tolerance, (int, float))
    refused(tolerance)
    return next(n for n in range(1, 10_000) if pow(1 - tolerance, n) <= 1 / 40)


def by_products(tolerance: float) -> int:
    if not 0 < tolerance < 1:
        raise ValueError("no")
    chance, cases = 1.0, 0
    while chance > 0.025:
        chance, cases = chance * (1 - tolerance), cases + 1
    return cases


@pytest.mark.parametrize("answer", [by_adding, by_logarithm, by_halving, by_next, by_products])
def test_the_price_in_any_style(answer: Callable[..., int]) -> None:
    assert passes("09.2", answer), said("09.2", answer)


def unless_refused(formula: Callable[[float], Any]) -> Callable[[float], Any]:
    def answer(tolerance: float) -> Any:
        refused(tolerance)
        return formula(tolerance)

    return answer


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            unless_refused(lambda t: math.ceil(math.log(0.05) / math.log(1 - t))),
            "compare with 0.025",
        ),
        (unless_refused(lambda t: math.floor(math.log(0.025) / math.log(1 - t))), "a case more"),
        (unless_refused(lambda t: math.ceil(-math.log(0.025) / t)), "approximation for small"),
        (lambda t: by_adding(t) if 0 < t < 1 else None, "raise a ValueError"),
        (lambda t: math.ceil(math.log(0.025) / math.log(1 - t)), "explains nothing"),
    ],
)
def test_a_wrong_price_is_told_why(answer: Callable[..., Any], sentence: str) -> None:
    assert not passes("09.2", answer)
    assert sentence in said("09.2", answer)


# 09.3

SLICES = {"no_brand": 0.3, "measurements": 0.3}
ONLY_NAMES: Any = list(SLICES)


@pytest.mark.parametrize(
    "rules",
    [
        [Rule(score, 0.15, slices=SLICES) for score in FIELD_SCORES],
        tuple(Rule(score, tolerance=0.12, slices=dict(SLICES)) for score in FIELD_SCORES),
        [Rule("attributes.mean", 0.06), *(Rule(score, 0.15, 0.3, SLICES) for score in FIELD_SCORES)],
        [
            Rule(score, 0.15, slices={"no_brand": 0.2, "measurements": 0.25}, mode="no loss shown")
            for score in FIELD_SCORES
        ],
        [Rule(score, 0.15, slices={slice: 0.3}) for score in FIELD_SCORES for slice in SLICES],
    ],
    ids=["fields", "tuple", "mean too", "no loss shown", "one slice a rule"],
)
def test_rules_in_any_style(rules: Any) -> None:
    assert passes("09.3", rules), said("09.3", rules)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ([Rule(score, 0.0, slices=SLICES) for score in FIELD_SCORES], "0 no number of cases"),
        ([Rule(score, 0.05, slices=SLICES) for score in FIELD_SCORES], "0.05 takes 72"),
        ([Rule(score, 0.07, slices=SLICES) for score in FIELD_SCORES], "look at the verdict of v6"),
        ([Rule("brand.normalised", 0.15, slices=SLICES)], "a rule for each field"),
        (
            [Rule(score, 0.15, slices=SLICES) for score in ("brand.normalised", "size.size")],
            "a rule for each field",
        ),
        (
            [Rule(score, 0.15, slices=SLICES) for score in FIELD_SCORES if score != "condition.exact"],
            "a rule for each field",
        ),
        (
            [
                *(Rule(score, 0.15) for score in FIELD_SCORES),
                Rule("brand.normalised", 0.15, slices={"no_brand": 0.25}),
                Rule("size.size", 0.15, slices={"measurements": 0.25}),
            ],
            "Not every field has both slices",
        ),
        (
            [Rule(score, 0.15, slices={"no_brand": 0.3}) for score in FIELD_SCORES],
            "Not both slices are named",
        ),
        ([Rule(score, 0.15, slices={"irony": 0.3}) for score in FIELD_SCORES], "Not both slices are named"),
        (
            [Rule(score, 0.15, slices={"no_brand": 0.3, "measures": 0.3}) for score in FIELD_SCORES],
            "a name that no listing has",
        ),
        ([Rule(score, 0.15, slices=ONLY_NAMES) for score in FIELD_SCORES], "Write a list of"),
        (
            [Rule(score, 0.15, slices=dict.fromkeys(SLICES, 0.9)) for score in FIELD_SCORES],
            "Half its listings is too many",
        ),
        ([Rule(score, 0.15) for score in FIELD_SCORES], "Name the two slices"),
        ([("brand.normalised", 0.15)], "Write a list of"),
    ],
)
def test_wrong_rules_are_told_why(rules: Any, sentence: str) -> None:
    assert not passes("09.3", rules)
    assert sentence in said("09.3", rules)


def test_the_defaults_of_the_package_are_no_answer() -> None:
    runs = CHECKS.recorded_run("v4"), CHECKS.recorded_run("v5")
    assert not passes("09.3", default_rules(*runs))
    assert "Name the two slices" in said("09.3", default_rules(*runs))


def test_what_the_cell_of_the_rules_begins_with_is_not_started() -> None:
    assert examine(EXERCISES["09.3"], CHECKS.UNTOUCHED).status == "not started"


# 09.4

BEFORE = CHECKS.PRODUCTION


@pytest.mark.parametrize(
    "answer",
    [
        (BEFORE, CHECKS.stand_in("a")),
        [BEFORE, CHECKS.stand_in("b")],
        (CHECKS.recorded_run("v4"), CHECKS.recorded_run("v6")),
        (CHECKS.recorded_run("v4"), CHECKS.stand_in("c")),
        (CHECKS.recorded_run("v4"), rescore(CHECKS.recorded_run("v6"), LISTING_SCORERS)),
    ],
    ids=["nothing lost", "a list", "the rewording", "all right", "rescored"],
)
def test_any_run_that_loses_nothing_is_right(answer: Any) -> None:
    assert passes("09.4", answer), said("09.4", answer)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((BEFORE, BEFORE), "These are production's words"),
        ((CHECKS.recorded_run("v4"), CHECKS.recorded_run("v5")), "The gate holds it back"),
        ((BEFORE, CHECKS.stand_in("inventive", brand="Acme")), "The gate holds it back"),
        ((BEFORE, CHECKS.stand_in("short", cases=50)), "fewer listings than production's"),
        ((BEFORE, "my words"), "Give two runs"),
        ((CHECKS.stand_in("mine"), BEFORE), "The pair is turned round"),
        ((CHECKS.recorded_run("v6"), CHECKS.recorded_run("v4")), "The pair is turned round"),
        ((CHECKS.recorded_run("v1"), CHECKS.stand_in("mine")), "not of production's words"),
    ],
)
def test_a_prompt_that_may_not_ship_is_told_why(answer: Any, sentence: str) -> None:
    assert not passes("09.4", answer)
    assert sentence in said("09.4", answer)

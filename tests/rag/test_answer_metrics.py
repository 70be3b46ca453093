"""Metrics of answers that may be withheld, against worked examples and against all orders of ties."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from aicourse.datasets import HelpQuestion, Passage
from aicourse.errors import RetrievalError
from aicourse.rag.answer_metrics import (
    area,
    citation_scores,
    crag_values,
    oracle_area,
    outcome,
    risk_at,
    risk_coverage,
)

QUESTION = HelpQuestion(
    "Q1", "How long?", "keyword", "dev", (Passage("gift", "3 years"),), "3 years", (("3", "three"),), "en"
)


def plain_area(wrong: Sequence[bool]) -> float:
    return sum(sum(wrong[:n]) / n for n in range(1, len(wrong) + 1)) / len(wrong)


@pytest.mark.parametrize(
    ("text", "expected"), [("Three years.", "right"), ("Two years.", "wrong"), ("", "none")]
)
def test_the_outcome_of_an_answer(text: str, expected: str) -> None:
    assert outcome(QUESTION, text) == expected


@pytest.mark.parametrize(("text", "expected"), [("Three years.", "wrong"), ("", "none")])
def test_answering_what_nothing_answers_is_wrong(text: str, expected: str) -> None:
    assert outcome(replace(QUESTION, relevant=(), must=()), text) == expected
    assert outcome(replace(QUESTION, relevant=()), text) == expected


def test_crag() -> None:
    assert crag_values(["right", "right", "none", "wrong"]) == [1, 1, 0, -1]


def test_a_curve_by_hand() -> None:
    curve = risk_coverage([0.9, 0.5, 0.5, 0.1], [False, True, False, True])
    assert curve.threshold.tolist() == [0.9, 0.5, 0.1]
    assert curve.coverage.tolist() == [0.25, 0.75, 1.0]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 3, 0.5])


def test_the_area_is_the_mean_over_all_orders_of_ties() -> None:
    wrong = [True, False, False, True, False]
    orders = [
        plain_area([False, *(wrong[place] for place in order)]) for order in itertools.permutations(range(5))
    ]
    assert area([0.9, *[0.5] * 5], [False, *wrong]) == pytest.approx(sum(orders) / len(orders))


def test_probabilities_that_say_nothing_have_the_share_of_wrong_answers() -> None:
    assert area([0.5] * 8, [True] * 3 + [False] * 5) == pytest.approx(3 / 8)


def test_no_order_beats_the_oracle() -> None:
    stream = random.Random(1)
    for _ in range(50):
        wrong = [stream.random() < 0.4 for _ in range(12)]
        scores = [round(stream.random(), 1) for _ in wrong]
        assert oracle_area(wrong) <= area(scores, wrong) + 1e-12
    assert oracle_area([True, False, False]) == pytest.approx(plain_area([False, False, True]))


def test_the_risk_at_a_coverage_between_two_thresholds() -> None:
    scores, wrong = [0.9, 0.5, 0.5, 0.1], [False, True, False, True]
    assert risk_at(scores, wrong, 0.5) == pytest.approx(0.5 / 2)
    assert risk_at(scores, wrong, 1.0) == pytest.approx(0.5)


@pytest.mark.parametrize("coverage", [0.0, 0.1, 1.1, float("nan")])
def test_a_coverage_that_cannot_be(coverage: float) -> None:
    with pytest.raises(RetrievalError, match="cannot be"):
        risk_at([0.9, 0.5], [True, False], coverage)


@pytest.mark.parametrize(
    ("scores", "wrong"), [([], []), ([0.5], [True, False]), ([float("nan"), 0.2], [True, False])]
)
def test_probabilities_that_do_not_fit(scores: list[float], wrong: list[bool]) -> None:
    with pytest.raises(RetrievalError, match="one number"):
        area(scores, wrong)


def states_all(statement: str, passages: Sequence[str]) -> bool:
    return set(statement.split()) <= set(" ".join(passages).split())


def test_citations_as_alce_counts_them() -> None:
    statements = [
        ("a b", ["a", "b"]),  # both needed
        ("a b", ["a b", "c"]),  # the second is neither enough nor needed
        ("a b", ["a b", "b a"]),  # each is enough alone
        ("a z", ["a"]),  # not supported: no citation counts
        ("a", []),  # nothing cited
    ]
    found = citation_scores(statements, states_all)
    assert (found.recall, found.precision) == (3 / 5, 5 / 7)


def test_an_answer_without_citations_has_no_precision() -> None:
    assert citation_scores([("a", [])], states_all).precision is None
    assert citation_scores([], states_all).recall is None

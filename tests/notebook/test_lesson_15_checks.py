"""The checks of lesson 15: right answers in other styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from aicourse.notebook.exercises import checks_path, examine, load_checks

EXERCISES = {exercise.id: exercise for exercise in load_checks(checks_path("15"))}
Words = list[str]


def bm25_as_array(query: Words, texts: list[Words], k1: float = 1.5, b: float = 0.75) -> Any:
    lengths, size = np.array([len(text) for text in texts]), len(texts)
    scores = np.zeros(size)
    for word in query:
        counts = np.array([text.count(word) for text in texts])
        holders = (counts > 0).sum()
        idf = math.log(1 + (size - holders + 0.5) / (holders + 0.5))
        scores += idf * counts / (counts + k1 * (1 - b + b * lengths / lengths.mean()))
    return scores


def bm25_as_tuple(query: Words, texts: list[Words], k1: float = 1.5, b: float = 0.75) -> Any:
    return tuple(bm25_as_array(query, texts, k1, b).tolist())


def bm25_of_a_set(query: Words, texts: list[Words], k1: float = 1.5, b: float = 0.75) -> Any:
    return bm25_as_array(list(set(query)), texts, k1, b)


def bm25_of_robertson(query: Words, texts: list[Words], k1: float = 1.5, b: float = 0.75) -> Any:
    return (k1 + 1) * bm25_as_array(query, texts, k1, b)


def bm25_in_sum(query: Words, texts: list[Words], k1: float = 1.5, b: float = 0.75) -> float:
    return float(bm25_as_array(query, texts, k1, b).sum())


def points(rankings: list[Words], weights: list[float], constant: float) -> Counter[str]:
    scores: Counter[str] = Counter()
    for ranking, weight in zip(rankings, weights, strict=True):
        for place, one in enumerate(ranking):
            scores[one] += weight / (constant + place + 1)  # type: ignore[assignment]
    return scores


def fused_by_counter(rankings: list[Words], weights: list[float], constant: float = 60) -> Words:
    return [one for one, _ in points(rankings, weights, constant).most_common()]


def fused_by_ids(rankings: list[Words], weights: list[float], constant: float = 60) -> Words:
    scores = points(rankings, weights, constant)
    return sorted(scores, key=lambda one: (-scores[one], one))


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [("15.2", bm25_as_array), ("15.2", bm25_as_tuple), ("15.4", fused_by_counter)],
)
def test_right_answers_in_any_style(exercise: str, answer: Any) -> None:
    result = examine(EXERCISES[exercise], answer)
    assert result.status == "solved", repr(result)


@pytest.mark.parametrize(
    ("exercise", "answer", "sentence"),
    [
        ("15.2", bm25_of_a_set, "Go through the list, not through a set of it"),
        ("15.2", bm25_of_robertson, "expected [0.0, 0.0, 0.0, "),
        ("15.2", bm25_in_sum, "expected [0.0, 0.0, 0.0, "),
        ("15.4", fused_by_ids, "Keep the order in which they were met"),
    ],
)
def test_wrong_answers_are_told_where(exercise: str, answer: Any, sentence: str) -> None:
    result = examine(EXERCISES[exercise], answer)
    assert result.status != "solved"
    assert sentence in repr(result)

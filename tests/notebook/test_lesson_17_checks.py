"""Lesson 17: right answers in foreign styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from answering import Answer, is_told, passes

from aicourse.notebook.exercises import check

Numbers = list[float]


# 17.1


def by_heap(similarities: Numbers, labels: list[str], k: int) -> str:
    sums: Counter[str] = Counter()
    for place in heapq.nlargest(k, range(len(labels)), key=similarities.__getitem__):
        sums[labels[place]] += similarities[place]  # type: ignore[assignment]
    return sums.most_common(1)[0][0]


def by_pandas(similarities: Numbers, labels: list[str], k: int) -> Any:
    table = pd.DataFrame({"similarity": similarities, "label": labels})
    nearest = table.sort_values("similarity", ascending=False, kind="stable").head(k)
    return nearest.groupby("label", sort=False)["similarity"].sum().idxmax()


def by_numpy(similarities: Numbers, labels: list[str], k: int) -> Any:
    order = np.argsort(-np.array(similarities), kind="stable")[:k]
    near, weights = np.array(labels)[order], np.array(similarities)[order]
    names = list(dict.fromkeys(near))
    return names[int(np.argmax([weights[near == name].sum() for name in names]))]


@pytest.mark.parametrize("answer", [by_heap, by_pandas, by_numpy])
def test_a_vote_in_any_style(answer: Answer) -> None:
    passes("17.1", answer)


def winner(pairs: Sequence[tuple[float, str]], add: bool = True) -> str:
    sums: dict[str, float] = {}
    for similarity, label in pairs:
        sums[label] = similarity + (sums.get(label, 0) if add else 0)
    return max(sums, key=lambda label: sums[label])


def nearest(similarities: Numbers, labels: list[str]) -> list[tuple[float, str]]:
    return sorted(zip(similarities, labels, strict=True), key=lambda pair: -pair[0])


def by_value(similarities: Numbers, labels: list[str], k: int) -> str:
    best = sorted(similarities, reverse=True)[:k]
    return winner([(one, labels[similarities.index(one)]) for one in best])


def by_alphabet(similarities: Numbers, labels: list[str], k: int) -> str:
    pairs = sorted(zip([-one for one in similarities], labels, strict=True))
    return winner([(-one, label) for one, label in pairs[:k]])


def without_itself(similarities: Numbers, labels: list[str], k: int) -> str | None:
    pairs = nearest(similarities, labels)[1 : k + 1]
    return winner(pairs) if pairs else None


def of_best_each(similarities: Numbers, labels: list[str], k: int) -> str:
    best: dict[str, float] = {}
    for one, label in nearest(similarities, labels)[:k]:
        best[label] = max(best.get(label, 0), one)
    return max(best, key=lambda label: best[label])


def popping(similarities: Numbers, labels: list[str], k: int) -> str:
    taken: list[tuple[float, str]] = []
    while similarities and len(taken) < k:
        place = similarities.index(max(similarities))
        taken.append((similarities.pop(place), labels.pop(place)))
    return winner(taken)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (by_value, "equal similarities all become one neighbour"),
        (by_alphabet, "Of equal similarities the alphabet decides"),
        (without_itself, "You leave the nearest one out"),
        (of_best_each, "The nearest one decides alone"),
        (lambda s, names, k: winner(nearest(s, names)[:k], add=False), "keeps only its last similarity"),
        (lambda s, names, k: winner(nearest(s, names)), "More than `k` vote"),
        (popping, "take out of the lists that were given"),
    ],
)
def test_a_vote_that_errs_is_told_why(answer: Answer, sentence: str) -> None:
    is_told("17.1", answer, sentence)


@pytest.mark.parametrize("among", [sorted, reversed])
def test_of_equal_sums_the_nearer_label_wins(among: Answer) -> None:
    def vote(similarities: Numbers, labels: list[str], k: int) -> Any:
        near = nearest(similarities, labels)[:k]
        return max(among(labels), key=lambda label: sum(one for one, name in near if name == label))

    assert not check("17.1", vote)


# 17.2


def rank_of(errors: Numbers, share: float) -> int:
    return math.ceil((len(errors) + 1) * share)


def with_infinity(errors: Numbers, share: float) -> float:
    return sorted([*errors, math.inf])[rank_of(errors, share) - 1]


def by_quantile(errors: Numbers, share: float) -> Any:
    level = rank_of(errors, share) / len(errors) if errors else 2
    return np.inf if level > 1 else np.quantile(errors, level, method="inverted_cdf")


def by_partition(errors: Numbers, share: float) -> Any:
    rank = rank_of(errors, share)
    return float("inf") if rank > len(errors) else np.partition(errors, rank - 1)[rank - 1]


@pytest.mark.parametrize("answer", [with_infinity, by_quantile, by_partition])
def test_a_margin_in_any_style(answer: Answer) -> None:
    passes("17.2", answer)


def floor_and_one(errors: Numbers, share: float) -> float:
    rank = int((len(errors) + 1) * share) + 1
    return sorted(errors)[rank - 1] if rank <= len(errors) else math.inf


def below_the_largest(errors: Numbers, share: float) -> float:
    rank = rank_of(errors, share)
    return sorted(errors)[rank - 1] if rank < len(errors) else math.inf


def of_a_set(errors: Numbers, share: float) -> float:
    rank = rank_of(errors, share)
    return sorted(set(errors))[rank - 1] if rank <= len(errors) else math.inf


def in_place(errors: Numbers, share: float) -> float:
    errors.sort()
    return with_infinity(errors, share)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (floor_and_one, "You always go one rank up"),
        (below_the_largest, "it is the largest error"),
        (of_a_set, "A set drops equal errors"),
        (in_place, "changes the caller's list"),
    ],
)
def test_a_margin_that_errs_is_told_why(answer: Answer, sentence: str) -> None:
    is_told("17.2", answer, sentence)


@pytest.mark.parametrize("word", [None, "inf"])
def test_no_error_that_will_do_is_a_number(word: str | None) -> None:
    def margin(errors: Numbers, share: float) -> Any:
        found = with_infinity(errors, share)
        return word if math.isinf(found) else found

    result = repr(check("17.2", margin))
    assert f"returned {word!r}; expected inf" in result
    assert "Testing it raised" not in result


# 17.3


def by_pairs(scores: Numbers, deserves: list[bool], k: int) -> float:
    pairs = sorted(zip(scores, deserves, strict=True), key=lambda pair: pair[0], reverse=True)
    return sum(good for _, good in pairs[:k]) / k


def by_largest(scores: Numbers, deserves: list[bool], k: int) -> Any:
    table = pd.DataFrame({"score": scores, "good": deserves})
    return table.nlargest(k, "score", keep="first")["good"].sum() / k


def by_argsort(scores: Numbers, deserves: list[bool], k: int) -> Any:
    return np.array(deserves)[np.argsort(-np.array(scores), kind="stable")[:k]].sum() / k


@pytest.mark.parametrize("answer", [by_pairs, by_largest, by_argsort])
def test_a_precision_in_any_style(answer: Answer) -> None:
    passes("17.3", answer)


def score_found_again(scores: Numbers, deserves: list[bool], k: int) -> float:
    return sum(deserves[scores.index(one)] for one in sorted(scores, reverse=True)[:k]) / k


def best_popped(scores: Numbers, deserves: list[bool], k: int) -> float:
    good = 0
    for _ in range(min(k, len(scores))):
        place = scores.index(max(scores))
        scores.pop(place)
        good += deserves.pop(place)
    return good / k


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (score_found_again, "equal scores all become one"),
        (best_popped, "take out of the lists that were given"),
        (lambda scores, deserves, k: by_pairs(scores, deserves, min(k, len(scores))), "divide by `k`"),
    ],
)
def test_a_precision_that_errs_is_told_why(answer: Answer, sentence: str) -> None:
    is_told("17.3", answer, sentence)


def test_one_too_many_is_not_told_that_it_takes_the_lowest() -> None:
    result = check("17.3", lambda scores, deserves, k: by_pairs(scores, deserves, k + 1) * (k + 1) / k)
    assert not result
    assert "lowest" not in repr(result)

"""Lesson 07: right answers in foreign styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from aicourse.notebook.exercises import check

# 07.1


def with_choices(values, resamples=2000, seed=7):  # type: ignore[no-untyped-def]
    chance = random.Random(seed)
    means = sorted(statistics.fmean(chance.choices(values, k=len(values))) for _ in range(resamples))
    return means[round(0.025 * resamples)], means[round(0.975 * resamples) - 1]


def with_places(values, resamples=2000, seed=7):  # type: ignore[no-untyped-def]
    stream, data = np.random.RandomState(seed), np.array(values, dtype=float)
    means = data[stream.randint(0, len(data), (resamples, len(data)))].mean(axis=1)
    return list(np.percentile(means, [2.5, 97.5]))


def with_counts(values, resamples=2000, seed=7):  # type: ignore[no-untyped-def]
    n = len(values)
    drawn = np.random.default_rng(seed).multinomial(n, [1 / n] * n, size=resamples)
    return np.quantile(drawn @ np.asarray(values) / n, (0.025, 0.975))


def with_pandas(values, resamples=2000, seed=7):  # type: ignore[no-untyped-def]
    stream = np.random.RandomState(seed)
    table = pd.DataFrame(stream.choice(values, (len(values), resamples)))
    means = table.mean()
    return means.quantile(0.025), means.quantile(0.975)


def with_a_loop(values, resamples=2000, seed=7):  # type: ignore[no-untyped-def]
    np.random.seed(seed)
    means = []
    while len(means) < resamples:
        one = np.random.choice(values, size=len(values), replace=True)
        means.append(sum(one) / len(one))
    low, high = np.percentile(means, 2.5), np.percentile(means, 97.5)
    return low, high


@pytest.mark.parametrize("answer", [with_choices, with_places, with_counts, with_pandas, with_a_loop])
def test_a_bootstrap_is_taken_in_any_style(answer: Callable[..., Any]) -> None:
    result = check("07.1", answer)
    assert result, repr(result)


def drawn_once(values, resamples=2000, seed=7):  # type: ignore[no-untyped-def]
    chance = random.Random(seed)
    means = [statistics.fmean(chance.sample(values, len(values))) for _ in range(resamples)]
    return tuple(np.quantile(means, [0.025, 0.975]))


def of_the_cases(values, resamples=2000, seed=7):  # type: ignore[no-untyped-def]
    return tuple(np.percentile(values, [2.5, 97.5]))


def with_the_normal(values, resamples=2000, seed=7):  # type: ignore[no-untyped-def]
    error = statistics.stdev(values) / math.sqrt(len(values))
    return statistics.fmean(values) - 1.96 * error, statistics.fmean(values) + 1.96 * error


def of_ninety(values, resamples=2000, seed=7):  # type: ignore[no-untyped-def]
    stream = np.random.default_rng(seed)
    return tuple(np.percentile(stream.choice(values, (resamples, len(values))).mean(1), [5, 95]))


def sets_of_one_less(values, resamples=2000, seed=7):  # type: ignore[no-untyped-def]
    stream = np.random.default_rng(seed)
    return tuple(np.percentile(stream.choice(values, (resamples, len(values) - 1)).mean(1), [2.5, 97.5]))


def lowest_and_highest(values, resamples=2000, seed=7):  # type: ignore[no-untyped-def]
    return float(np.min(values)), float(np.max(values))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (drawn_once, "draw *with* replacement"),
        (of_the_cases, "take the mean of each resample first"),
        (with_the_normal, "supposes a symmetric spread"),
        (of_ninety, "leave out a tenth"),
        (lowest_and_highest, "say nothing about the mean"),
        (sets_of_one_less, "many resamples give 0.250 to 1.000"),
    ],
)
def test_a_bootstrap_that_errs_is_told_where(answer: Callable[..., Any], sentence: str) -> None:
    result = check("07.1", answer)
    assert not result
    assert sentence in repr(result)


# 07.2


def with_scipy(effect, deviation):  # type: ignore[no-untyped-def]
    if not effect:
        raise ValueError("an effect of zero cannot be found")
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    return int(np.ceil((z * deviation / effect) ** 2))


def by_counting(effect, deviation):  # type: ignore[no-untyped-def]
    if effect == 0:
        raise ValueError
    n = 1
    while 2.8 * deviation / n**0.5 > abs(effect):
        n += 1
    return n


def with_a_negative_floor(effect, deviation):  # type: ignore[no-untyped-def]
    try:
        ratio = deviation / effect
    except ZeroDivisionError as error:
        raise ValueError("give an effect") from error
    return -int(-(2.8**2) * ratio**2 // 1)


def as_a_float(effect, deviation):  # type: ignore[no-untyped-def]
    if abs(effect) < 1e-12:
        raise ValueError(f"{effect} is no effect")
    return float(np.ceil(np.square(2.8 * deviation / effect)))


class NoEffect(ValueError):
    """An error of the student's own."""


def with_an_own_error(effect, deviation):  # type: ignore[no-untyped-def]
    if effect == 0:
        raise NoEffect
    return math.ceil(((1.96 + 0.84) * deviation / math.fabs(effect)) ** 2)


@pytest.mark.parametrize(
    "answer", [with_scipy, by_counting, with_a_negative_floor, as_a_float, with_an_own_error]
)
def test_a_number_of_cases_is_taken_in_any_style(answer: Callable[..., Any]) -> None:
    result = check("07.2", answer)
    assert result, repr(result)


def half_the_time(effect, deviation):  # type: ignore[no-untyped-def]
    if effect == 0:
        raise ValueError
    return int(np.ceil(1.96**2 * deviation**2 / effect**2))


def without_the_square(effect, deviation):  # type: ignore[no-untyped-def]
    if effect == 0:
        raise ValueError
    return int(np.ceil(2.8 * deviation / abs(effect)))


def cut_off(effect, deviation):  # type: ignore[no-untyped-def]
    if effect == 0:
        raise ValueError
    return (2.8 * deviation / effect) ** 2 // 1


def divides_by_zero(effect, deviation):  # type: ignore[no-untyped-def]
    return int(-(-((2.8 * deviation / effect) ** 2) // 1))


def gains_only(effect, deviation):  # type: ignore[no-untyped-def]
    if not effect > 0:
        raise ValueError("an effect is positive")
    return math.ceil((2.8 * deviation / effect) ** 2)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (half_the_time, "With 1.96 alone"),
        (without_the_square, "square it"),
        (cut_off, "Part of a case is a case more"),
        (divides_by_zero, "A ZeroDivisionError explains nothing"),
        (gains_only, "A loss is an effect too"),
    ],
)
def test_a_number_of_cases_that_errs_is_told_where(answer: Callable[..., Any], sentence: str) -> None:
    result = check("07.2", answer)
    assert not result
    assert sentence in repr(result)


# 07.3


def with_a_loop_over_labels(first, second):  # type: ignore[no-untyped-def]
    n, chance = len(first), 0.0
    for label in {*first, *second}:
        chance += first.count(label) / n * (second.count(label) / n)
    observed = sum(1 for place in range(n) if first[place] == second[place]) / n
    return (observed - chance) / (1 - chance)


def with_a_crosstab(first, second):  # type: ignore[no-untyped-def]
    names = [str(label) for label in first], [str(label) for label in second]
    labels = sorted({*names[0], *names[1]})
    table = pd.crosstab(pd.Series(names[0]), pd.Series(names[1]))
    shares = table.reindex(index=labels, columns=labels, fill_value=0).to_numpy() / len(first)
    observed, chance = np.trace(shares), shares.sum(0) @ shares.sum(1)
    return (observed - chance) / (1 - chance)


def one_minus_the_disagreements(first, second):  # type: ignore[no-untyped-def]
    every = [(one, other) for one in first for other in second]
    expected = sum(one != other for one, other in every) / len(every)
    differ = sum(one != other for one, other in zip(first, second, strict=True)) / len(first)
    return 1 - differ / expected


def with_dictionaries(first, second):  # type: ignore[no-untyped-def]
    def shares(labels):  # type: ignore[no-untyped-def]
        found: dict[Any, float] = {}
        for label in labels:
            found[label] = found.get(label, 0) + 1 / len(labels)
        return found

    left, right = shares(first), shares(second)
    chance = sum(share * right.get(label, 0) for label, share in left.items())
    equal = len([1 for pair in zip(first, second, strict=True) if pair[0] == pair[1]])
    return (equal / len(first) - chance) / (1 - chance)


def with_codes(first, second):  # type: ignore[no-untyped-def]
    both = pd.factorize(np.array([str(label) for label in [*first, *second]]))[0]
    one, other = both[: len(first)], both[len(first) :]
    size = both.max() + 1
    chance = np.bincount(one, minlength=size) @ np.bincount(other, minlength=size) / len(one) ** 2
    return float(((one == other).mean() - chance) / (1 - chance))


@pytest.mark.parametrize(
    "answer",
    [
        with_a_loop_over_labels,
        with_a_crosstab,
        one_minus_the_disagreements,
        with_dictionaries,
        with_codes,
    ],
)
def test_a_kappa_is_taken_in_any_style(answer: Callable[..., Any]) -> None:
    result = check("07.3", answer)
    assert result, repr(result)


def share_of_equals(first, second):  # type: ignore[no-untyped-def]
    return float(np.mean([one == other for one, other in zip(first, second, strict=True)]))


def chance_by_the_number_of_labels(first, second):  # type: ignore[no-untyped-def]
    share = 1 / len(set(first) | set(second))
    return (share_of_equals(first, second) - share) / (1 - share)


def chance_of_the_first(first, second):  # type: ignore[no-untyped-def]
    chance = sum((first.count(label) / len(first)) ** 2 for label in set(first))
    return (share_of_equals(first, second) - chance) / (1 - chance)


def only_the_numerator(first, second):  # type: ignore[no-untyped-def]
    n = len(first)
    chance = sum(first.count(label) * second.count(label) for label in set(first)) / n**2
    return share_of_equals(first, second) - chance


def stated_labels_only(first, second):  # type: ignore[no-untyped-def]
    kept = [pair for pair in zip(first, second, strict=True) if None not in pair]
    return with_dictionaries([one for one, _ in kept], [other for _, other in kept])


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (share_of_equals, "That is the share of equal labels."),
        (chance_by_the_number_of_labels, "Labels are not equally frequent"),
        (chance_of_the_first, "You square one annotator's shares."),
        (only_the_numerator, "Divide by what was to be gained"),
        (stated_labels_only, "which is an answer. Do not leave it out"),
    ],
)
def test_a_kappa_that_errs_is_told_where(answer: Callable[..., Any], sentence: str) -> None:
    result = check("07.3", answer)
    assert not result
    assert sentence in repr(result)

"""The checks of lesson 08: right answers in other styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from aicourse.evals import statistics
from aicourse.notebook.exercises import checks_path, examine, load_checks

EXERCISES = {exercise.id: exercise for exercise in load_checks(checks_path("08"))}
Scores = Mapping[str, float]


def said(exercise: str, answer: Any) -> str:
    return repr(examine(EXERCISES[exercise], answer))


def passes(exercise: str, answer: Any) -> bool:
    return examine(EXERCISES[exercise], answer).status == "solved"


# 08.1


def by_scipy(before: Sequence[bool], after: Sequence[bool]) -> float:
    old, new = np.array(before, dtype=bool), np.array(after, dtype=bool)
    fixed, broken = int((~old & new).sum()), int((old & ~new).sum())
    return float(stats.binomtest(fixed, fixed + broken).pvalue) if fixed + broken else 1.0


def by_pandas(before: Sequence[bool], after: Sequence[bool]) -> float:
    frame = pd.DataFrame({"b": before, "a": after})
    changed = frame[frame.b != frame.a]
    low = min(changed.a.sum(), (~changed.a.astype(bool)).sum())
    return min(1, 2 * sum(math.comb(len(changed), k) for k in range(low + 1)) / 2 ** len(changed))


def by_counter(before: Sequence[bool], after: Sequence[bool]) -> float:
    kinds = Counter(zip(before, after, strict=True))
    b, c = kinds[True, False], kinds[False, True]
    if b + c == 0:
        return 1.0
    p, k = Fraction(0), 0
    while k <= min(b, c):
        p += Fraction(math.comb(b + c, k), 2 ** (b + c))
        k += 1
    return float(min(Fraction(1), 2 * p))


def by_loop(before: Sequence[bool], after: Sequence[bool]) -> float:
    fixed = broken = 0
    for index in range(len(before)):
        if before[index] == after[index]:
            continue
        if after[index]:
            fixed += 1
        else:
            broken += 1
    return statistics.sign_test(fixed, broken)


def by_recursion(before: Sequence[bool], after: Sequence[bool]) -> float:
    def tail(n: int, k: int) -> float:
        """The chance of at most k heads in n tosses."""
        if k < 0:
            return 0.0
        if n == 0:
            return 1.0
        return (tail(n - 1, k) + tail(n - 1, k - 1)) / 2

    pairs = [new for old, new in zip(before, after, strict=True) if old != new]
    return min(1.0, 2 * tail(len(pairs), min(sum(pairs), len(pairs) - sum(pairs))))


@pytest.mark.parametrize("answer", [by_scipy, by_pandas, by_counter, by_loop, by_recursion])
def test_mcnemar_in_any_style(answer: Callable[..., float]) -> None:
    assert passes("08.1", answer), said("08.1", answer)


def one_tail(before: Sequence[bool], after: Sequence[bool]) -> float:
    fixed = sum(n and not o for o, n in zip(before, after, strict=True))
    broken = sum(o and not n for o, n in zip(before, after, strict=True))
    return float(stats.binom.cdf(min(fixed, broken), fixed + broken, 0.5))


def of_all_cases(before: Sequence[bool], after: Sequence[bool]) -> float:
    fixed = sum(n and not o for o, n in zip(before, after, strict=True))
    return min(1.0, 2 * float(stats.binom.cdf(fixed, len(before), 0.5)))


def approximated(before: Sequence[bool], after: Sequence[bool]) -> float:
    fixed = sum(n and not o for o, n in zip(before, after, strict=True))
    broken = sum(o and not n for o, n in zip(before, after, strict=True))
    changed = fixed + broken
    return float(stats.chi2.sf((fixed - broken) ** 2 / changed, 1)) if changed else 1.0


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (one_tail, "That is one tail"),
        (lambda before, after: 2 * one_tail(before, after), "no probability does"),
        (of_all_cases, "The coins are the changed ones"),
        (approximated, "Count exactly"),
        (lambda before, after: float(np.mean(after) - np.mean(before)), "✗"),
    ],
)
def test_a_wrong_mcnemar_is_told_why(answer: Callable[..., float], sentence: str) -> None:
    assert not passes("08.1", answer)
    assert sentence in said("08.1", answer)


# 08.2


def differences(before: Scores, after: Scores) -> list[float]:
    return [after[id] - before[id] for id in before if id in after]


def by_choices(before: Scores, after: Scores) -> list[float]:
    changes = differences(before, after)
    draws = sorted(sum(random.choices(changes, k=len(changes))) / len(changes) for _ in range(2000))
    return [draws[50], draws[1949]]


def by_generator(before: Scores, after: Scores) -> Any:
    changes = np.array(differences(before, after))
    means = np.random.default_rng(3).choice(changes, (2000, changes.size)).mean(axis=1)
    return np.percentile(means, [2.5, 97.5])


def by_series(before: Scores, after: Scores) -> tuple[float, float]:
    changes = (pd.Series(after) - pd.Series(before)).dropna()
    drawn = changes.sample(frac=2000, replace=True, random_state=1).to_numpy().reshape(2000, -1)
    means = pd.DataFrame(drawn).mean(axis=1)
    return means.quantile(0.025), means.quantile(0.975)


def by_scipy_bootstrap(before: Scores, after: Scores) -> tuple[float, float]:
    changes = np.array(differences(before, after))
    if np.ptp(changes) < 1e-12:
        return changes[0], changes[0]
    found = stats.bootstrap((changes,), np.mean, method="percentile", n_resamples=2000, rng=1)
    return tuple(found.confidence_interval)  # type: ignore[return-value]


def by_pairs(before: Scores, after: Scores) -> tuple[float, float]:
    """Draws ids, and takes both means of each draw."""
    ids, stream, means = sorted(set(before) & set(after)), random.Random(5), []
    for _ in range(2000):
        drawn = [stream.choice(ids) for _ in ids]
        means.append(sum(after[id] for id in drawn) / len(ids) - sum(before[id] for id in drawn) / len(ids))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


@pytest.mark.parametrize("answer", [by_choices, by_generator, by_series, by_scipy_bootstrap, by_pairs])
def test_the_paired_bootstrap_in_any_style(answer: Callable[..., Any]) -> None:
    random.seed(8)
    assert passes("08.2", answer), said("08.2", answer)


def resampled(
    changes: Sequence[float], ends: tuple[float, float] = (2.5, 97.5), draws: int = 0
) -> tuple[float, ...]:
    values = np.array(changes)
    means = np.random.default_rng(0).choice(values, (4000, draws or values.size)).mean(axis=1)
    return tuple(map(float, np.percentile(means, ends)))


def by_standard_error(before: Scores, after: Scores) -> tuple[float, float]:
    changes = pd.Series(differences(before, after))
    return changes.mean() - 1.96 * changes.sem(), changes.mean() + 1.96 * changes.sem()


def drawn_apart(before: Scores, after: Scores) -> tuple[float, float]:
    stream, ids = np.random.default_rng(0), sorted(before.keys() & after.keys())
    means = [stream.choice([run[id] for id in ids], (4000, len(ids))).mean(axis=1) for run in (before, after)]
    low, high = np.percentile(means[1] - means[0], [2.5, 97.5])
    return float(low), float(high)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (drawn_apart, "draws the two runs apart"),
        (
            lambda before, after: resampled(
                [new - old for old, new in zip(before.values(), after.values(), strict=False)]
            ),
            "Look each id up in both",
        ),
        (
            lambda before, after: tuple(np.percentile(differences(before, after), [2.5, 97.5])),
            "how much single cases differ",
        ),
        (
            lambda before, after: resampled([-change for change in differences(before, after)]),
            "a gain is after minus before",
        ),
        (
            lambda before, after: resampled(differences(before, after), (5, 95)),
            "cut off 2.5 % at each end",
        ),
        (by_standard_error, "mean ± 1.96 standard errors"),
        (
            lambda before, after: (float(np.mean(differences(before, after))),) * 2,
            "without replacement",
        ),
        (
            lambda before, after: resampled(
                [after.get(id, 0.0) - before.get(id, 0.0) for id in {**before, **after}]
            ),
            "is not a 0 of the other",
        ),
        (
            lambda before, after: resampled(differences(before, after), draws=len(before)),
            "as many as one run has cases",
        ),
        (
            lambda before, after: resampled(differences(before, after), draws=len(after)),
            "as many as one run has cases",
        ),
    ],
)
def test_a_wrong_interval_is_told_why(answer: Callable[..., Any], sentence: str) -> None:
    assert not passes("08.2", answer)
    assert sentence in said("08.2", answer)


# 08.3


def by_dict(p_values: Sequence[float]) -> tuple[float, ...]:
    found, worst, left = {}, 0.0, len(p_values)
    for place, p in sorted(enumerate(p_values), key=lambda item: item[1]):
        worst = max(worst, left * p)
        found[place], left = min(worst, 1), left - 1
    return tuple(found[place] for place in range(len(p_values)))


def by_numpy(p_values: Sequence[float]) -> Any:
    p = np.asarray(p_values, dtype=float)
    order = p.argsort()
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)))
    return adjusted


def by_ranks(p_values: Sequence[float]) -> list[float]:
    """Each one for itself: the highest product among those that are not larger."""
    ranked = sorted(p_values)
    products = [(len(ranked) - rank) * p for rank, p in enumerate(ranked)]
    return [min(1.0, max(products[: ranked.index(p) + 1])) for p in p_values]


def by_frame(p_values: Sequence[float]) -> list[float]:
    frame = pd.DataFrame({"p": list(p_values)}, dtype=float).sort_values("p", kind="stable")
    frame["adjusted"] = (frame["p"] * np.arange(len(frame), 0, -1)).cummax().clip(upper=1)
    return frame.sort_index()["adjusted"].tolist()


def by_value(p_values: Sequence[float]) -> list[float]:
    """Equal p-values get equal ones back."""
    found, highest = {}, 0.0
    for step, p in enumerate(sorted(p_values)):
        highest = max(highest, min(1.0, (len(p_values) - step) * p))
        found.setdefault(p, highest)
    return [found[p] for p in p_values]


@pytest.mark.parametrize("answer", [by_dict, by_numpy, by_ranks, by_frame, by_value, statistics.holm])
def test_holm_in_any_style(answer: Callable[..., Any]) -> None:
    assert passes("08.3", answer), said("08.3", answer)


def by_index(p_values: Sequence[float]) -> list[float]:
    adjusted = [0.0] * len(p_values)
    for p, value in zip(sorted(p_values), sorted(statistics.holm(p_values)), strict=True):
        adjusted[p_values.index(p)] = value
    return adjusted


def by_set(p_values: Sequence[float]) -> list[float]:
    different = list(dict.fromkeys(p_values))
    found = dict(zip(different, statistics.holm(different), strict=True))
    return [found[p] for p in p_values]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda p: [min(1, x * len(p)) for x in p], "Bonferroni"),
        (lambda p: [min(1.0, x * (len(p) - sorted(p).index(x))) for x in p], "highest value so far"),
        (lambda p: sorted(statistics.holm(p)), "in the order in which they came"),
        (
            lambda p: np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1))[np.argsort(np.argsort(p))],
            "does not exceed 1",
        ),
        (by_index, "the second one gets nothing"),
        (by_set, "A set keeps one of them"),
        (lambda p: [round(x, 3) for x in statistics.holm(p)], "✗"),
        (lambda p: list(p), "✗"),
    ],
)
def test_a_wrong_correction_is_told_why(answer: Callable[..., Any], sentence: str) -> None:
    assert not passes("08.3", answer)
    assert sentence in said("08.3", answer)


# 08.4

Option = tuple[str, float, float]


def by_sorting(options: Sequence[Option]) -> list[str]:
    front: list[Option] = []
    for option in sorted(options, key=lambda each: (each[2], -each[1])):
        if not front or option[1] > front[-1][1] or option[1:] == front[-1][1:]:
            front.append(option)
    return [name for name, _, _ in front]


def by_sets(options: Sequence[Option]) -> set[str]:
    beaten = {
        a
        for a, quality, cost in options
        for _, q, c in options
        if q >= quality and c <= cost and (q > quality or c < cost)
    }
    return {name for name, _, _ in options} - beaten


def by_arrays(options: Sequence[Option]) -> list[str]:
    if not options:
        return []
    names, quality, cost = zip(*options, strict=True)
    q, c = np.array(quality), np.array(cost)
    no_worse = (q[:, None] >= q) & (c[:, None] <= c)
    better = (q[:, None] > q) | (c[:, None] < c)
    return [name for name, beaten in zip(names, (no_worse & better).any(axis=0), strict=True) if not beaten]


def by_removing(options: Sequence[Option]) -> tuple[str, ...]:
    left = list(options)
    for one in options:
        for other in options:
            worse = other[1] <= one[1] and other[2] >= one[2] and other[1:] != one[1:]
            if worse and other in left:
                left.remove(other)
    return tuple(each[0] for each in left)


def by_merging(options: Sequence[Option]) -> list[str]:
    """Divide and conquer."""
    if len(options) < 2:
        return [option[0] for option in options]
    known = {option[0]: option for option in options}
    half = len(options) // 2
    left, right = by_merging(options[:half]), by_merging(options[half:])
    kept = [known[name] for name in (*left, *right)]
    return [a[0] for a in kept if not any(b[1] >= a[1] and b[2] <= a[2] and b[1:] != a[1:] for b in kept)]


@pytest.mark.parametrize("answer", [by_sorting, by_sets, by_arrays, by_removing, by_merging])
def test_the_front_in_any_style(answer: Callable[..., Any]) -> None:
    assert passes("08.4", answer), said("08.4", answer)


def by_taking_out(options: list[Option]) -> list[str]:
    for one in options:
        if any(p[1] >= one[1] and p[2] <= one[2] and p[1:] != one[1:] for p in options):
            options.remove(one)
    return [name for name, _, _ in options]


def sorts_what_it_is_given(options: list[Option]) -> list[str]:
    options.sort(key=lambda each: (each[2], -each[1]))
    return by_sorting(options)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            lambda options: [a for a, q, c in options if not any(x > q and y < c for _, x, y in options)],
            "no better in one and worse in the other",
        ),
        (
            lambda options: list(
                dict.fromkeys(
                    each[0]
                    for each in (
                        *sorted(options, key=lambda o: (-o[1], o[2]))[:1],
                        *sorted(options, key=lambda o: (o[2], -o[1]))[:1],
                    )
                )
            ),
            "every trade-off between them",
        ),
        (
            lambda options: [
                o[0]
                for o in options
                if not any(p is not o and p[1] >= o[1] and p[2] <= o[2] for p in options)
            ],
            "better in at least one",
        ),
        (
            lambda options: [max(options, key=lambda o: o[1] / o[2])[0]] if options else [],
            "leaves the choice to the product",
        ),
        (by_taking_out, "it skips the next one"),
        (sorts_what_it_is_given, "work on a copy"),
        (lambda options: [o[0] for o in options], "✗"),
    ],
)
def test_a_wrong_front_is_told_why(answer: Callable[..., Any], sentence: str) -> None:
    assert not passes("08.4", answer)
    assert sentence in said("08.4", answer)

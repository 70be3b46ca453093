"""Checks of lesson 08: McNemar's test, the paired bootstrap, Holm's correction, the Pareto front."""

from __future__ import annotations

import functools
import math

import numpy as np

from aicourse.notebook.checks import Check, Mistake, arguments, leaves_alone, unordered
from aicourse.notebook.exercises import Exercise

# 08.1


def mcnemar(before, after):
    fixed = sum(new and not old for old, new in zip(before, after, strict=False))
    broken = sum(old and not new for old, new in zip(before, after, strict=False))
    changed = fixed + broken
    tail = sum(math.comb(changed, k) for k in range(min(fixed, broken) + 1))
    return min(1.0, 2 * tail / 2**changed)


def one_sided(before, after):
    fixed = sum(new and not old for old, new in zip(before, after, strict=False))
    broken = sum(old and not new for old, new in zip(before, after, strict=False))
    changed = fixed + broken
    return sum(math.comb(changed, k) for k in range(min(fixed, broken) + 1)) / 2**changed


def without_ceiling(before, after):
    return 2 * one_sided(before, after)


def ties_count(before, after):
    fixed = sum(new and not old for old, new in zip(before, after, strict=False))
    tail = sum(math.comb(len(before), k) for k in range(fixed + 1))
    return min(1.0, 2 * tail / 2 ** len(before))


def chi_square(before, after):
    fixed = sum(new and not old for old, new in zip(before, after, strict=False))
    broken = sum(old and not new for old, new in zip(before, after, strict=False))
    if not fixed + broken:
        return 1.0
    return math.erfc(abs(fixed - broken) / math.sqrt(2 * (fixed + broken)))


def right_and_wrong(both, fixed, broken, neither):
    """Two lists with so many cases of each kind."""
    before = [True] * both + [False] * fixed + [True] * broken + [False] * neither
    after = [True] * both + [True] * fixed + [False] * broken + [False] * neither
    return arguments(before, after)


by_hand = Exercise(
    id="08.1",
    title="McNemar's test by hand",
    reference=mcnemar,
    checks=[
        Check(
            "counts fixed against broken cases, on both sides",
            [right_and_wrong(10, 2, 9, 5), right_and_wrong(3, 8, 1, 4)],
        ),
        Check(
            "does not care about cases that stayed as they were",
            [right_and_wrong(0, 1, 6, 0), right_and_wrong(80, 1, 6, 30)],
        ),
        Check(
            "is the same in both directions",
            [right_and_wrong(5, 7, 2, 5), right_and_wrong(5, 2, 7, 5)],
        ),
        Check(
            "never exceeds 1",
            [right_and_wrong(4, 5, 5, 4), right_and_wrong(1, 1, 1, 0)],
        ),
        Check(
            "says 1 when nothing changed",
            [right_and_wrong(6, 0, 0, 3), right_and_wrong(0, 0, 0, 2)],
        ),
    ],
    mistakes=[
        Mistake(
            one_sided,
            "That is one tail. You would have been as surprised by the opposite: twice the tail.",
        ),
        Mistake(
            without_ceiling,
            "Twice a tail can exceed 1, and no probability does: `min(1.0, …)`.",
        ),
        Mistake(
            ties_count,
            "Cases that stayed the same say nothing about the direction. The coins are the changed ones.",
        ),
        Mistake(
            chi_square,
            "The chi-square form is an approximation for many changed cases. Count exactly, with `math.comb`.",
        ),
    ],
    hints=[
        "Count two kinds of cases only: wrong then right (fixed), right then wrong (broken).",
        "If neither prompt were better, each changed case would be a fair coin: fixed or broken.",
        "`sum(math.comb(changed, k) for k in range(min(fixed, broken) + 1)) / 2**changed`, twice, at most 1.",
    ],
)

# 08.2

DRAWS = 40_000


@functools.cache
def drawn_means(differences, size):
    """The means of so many differences, drawn again with replacement."""
    values = np.asarray(differences, dtype=float)
    places = np.random.RandomState(0).randint(len(values), size=(DRAWS, size))
    return values[places].mean(axis=1)


def drawn(differences, ends=(2.5, 97.5), size=None):
    """Two ends of the means that are drawn."""
    means = drawn_means(tuple(differences), size or len(differences))
    low, high = np.percentile(means, ends)
    return float(low), float(high)


def differences_of(before, after):
    return [after[id] - before[id] for id in sorted(before.keys() & after.keys())]


def paired_interval(before, after):
    return drawn(differences_of(before, after))


def unpaired(before, after):
    shared = sorted(before.keys() & after.keys())
    stream, means = np.random.RandomState(1), []
    for scores in (before, after):
        values = np.array([scores[id] for id in shared], dtype=float)
        places = stream.randint(len(shared), size=(DRAWS, len(shared)))
        means.append(values[places].mean(axis=1))
    low, high = np.percentile(means[1] - means[0], (2.5, 97.5))
    return float(low), float(high)


def by_position(before, after):
    return drawn(
        [new - old for old, new in zip(before.values(), after.values(), strict=False)]
    )


def spread_of_cases(before, after):
    low, high = np.percentile(differences_of(before, after), (2.5, 97.5))
    return float(low), float(high)


def before_minus_after(before, after):
    return drawn([-difference for difference in differences_of(before, after)])


def ninety_per_cent(before, after):
    return drawn(differences_of(before, after), (5, 95))


def without_replacement(before, after):
    differences = differences_of(before, after)
    return float(np.mean(differences)), float(np.mean(differences))


def by_formula(before, after):
    differences = np.array(differences_of(before, after))
    reach = 1.96 * float(differences.std(ddof=1)) / math.sqrt(differences.size)
    return float(differences.mean()) - reach, float(differences.mean()) + reach


def missing_is_zero(before, after):
    everything = sorted(before.keys() | after.keys())
    return drawn([after.get(id, 0) - before.get(id, 0) for id in everything])


def as_many_as_before(before, after):
    return drawn(differences_of(before, after), size=len(before))


def as_many_as_after(before, after):
    return drawn(differences_of(before, after), size=len(after))


def same_ends(answer, expected):
    """Two ends, in whatever holds them; drawn by chance, so a twentieth of the width either way."""
    try:
        low, high = (float(end) for end in answer)
    except (TypeError, ValueError):
        return False
    room = 0.055 * (expected[1] - expected[0]) + 1e-9
    return abs(low - expected[0]) <= room and abs(high - expected[1]) <= room


def many(gain, spread, cases=48):
    """A run and another, in which the cases differ much and the gains little."""
    before = {f"L{n:02}": round((n * 7 % 13) / 12, 3) for n in range(cases)}
    after = {
        id: old + gain + spread * ((n * 5 % 11) - 5) / 5
        for n, (id, old) in enumerate(before.items())
    }
    return before, dict(reversed(after.items()))


def overlapping(before, after):
    """Two runs that share a quarter of the cases, and have each others of their own."""
    ids = sorted(before)
    return {id: before[id] for id in ids[:36]}, {id: after[id] for id in ids[24:]}


def one_changed(change, cases):
    """A run and another, in which a single case changed: the means that are drawn lie on one side of 0."""
    before = {f"L{n:02}": 0.5 for n in range(cases)}
    return before, before | {"L00": 0.5 + change}


paired = Exercise(
    id="08.2",
    title="The paired bootstrap by hand",
    reference=paired_interval,
    seconds=20.0,
    checks=[
        Check(
            "finds a case's partner by its id",
            [
                arguments({"a": 0.0, "b": 1.0}, {"b": 1.0, "a": 0.0}),
                arguments(
                    {"a": 0.0, "b": 0.5, "c": 1.0}, {"c": 0.75, "a": -0.25, "b": 0.25}
                ),
            ],
            same=same_ends,
        ),
        Check(
            "leaves out cases that only one run has",
            [
                arguments({"a": 0.25, "b": 0.5, "c": 1.0}, {"a": 0.5, "b": 0.75}),
                arguments({"b": 0.5, "c": 0.25}, {"a": 1.0, "b": 0.25, "c": 0.0}),
            ],
            same=same_ends,
        ),
        Check(
            "gives the middle 95 % of the means that were drawn",
            [arguments(*many(0.05, 0.1)), arguments(*overlapping(*many(-0.1, 0.3)))],
            same=same_ends,
        ),
        Check(
            "draws, where a formula would be wrong: a single case changed",
            [arguments(*one_changed(0.5, 8)), arguments(*one_changed(-0.25, 10))],
            same=same_ends,
        ),
        Check(
            "counts after minus before",
            [
                arguments({"a": 0.25, "b": 0.5}, {"a": 0.5, "b": 0.75}),
                arguments({"a": 1.0, "b": 0.5}, {"a": 0.5, "b": 0.0}),
            ],
            same=same_ends,
        ),
    ],
    mistakes=[
        Mistake(
            unpaired,
            "That draws the two runs apart, as if they had seen different listings. Take each case's difference "
            "first, then draw the differences.",
        ),
        Mistake(
            by_position,
            "Runs finish in any order. Look each id up in both: `after[id] - before[id]`.",
        ),
        Mistake(
            spread_of_cases,
            "That is how much single cases differ. Draw as many differences as there are, take their **mean**, "
            "and do that 2,000 times.",
        ),
        Mistake(
            before_minus_after, "The sign is turned round: a gain is after minus before."
        ),
        Mistake(
            ninety_per_cent,
            "That is the middle 90 %. For 95 %, cut off 2.5 % at each end.",
        ),
        Mistake(
            without_replacement,
            "All the means are the same: the draws are without replacement. `random.choices` may draw a case twice, "
            "`random.sample` does not.",
        ),
        Mistake(
            by_formula,
            "That is mean ± 1.96 standard errors, which is as long on both sides. When one case alone gains, no set of "
            "drawn cases can show a loss, and this interval says so all the same. Draw the differences again.",
        ),
        Mistake(
            as_many_as_before,
            "You draw as many as one run has cases. Draw as many as there are differences: with more "
            "draws than those, the interval looks surer than the cases are.",
        ),
        Mistake(
            as_many_as_after,
            "You draw as many as one run has cases. Draw as many as there are differences: with more "
            "draws than those, the interval looks surer than the cases are.",
        ),
        Mistake(
            missing_is_zero,
            "A case that only one run has is not a 0 of the other. Leave it out: `before.keys() & after.keys()`.",
        ),
    ],
    hints=[
        "`shared = before.keys() & after.keys()`, then one difference for each id.",
        "Draw as many differences as there are, with replacement (`random.choices(differences, k=len(differences))`), "
        "and keep their mean. Do that 2,000 times.",
        "Sort the means; the ends are those at 2.5 % and 97.5 % of the list, or `np.percentile(means, [2.5, 97.5])`.",
    ],
)

# 08.3


def holm(p_values):
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for step, place in enumerate(order):
        highest = max(highest, (len(p_values) - step) * p_values[place])
        adjusted[place] = min(1.0, highest)
    return adjusted


def bonferroni(p_values):
    return [min(1.0, len(p_values) * p) for p in p_values]


def may_fall(p_values):
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [0.0] * len(p_values)
    for step, place in enumerate(order):
        adjusted[place] = min(1.0, (len(p_values) - step) * p_values[place])
    return adjusted


def may_fall_by_rank(p_values):
    ranked = sorted(p_values)
    return [min(1.0, (len(ranked) - ranked.index(p)) * p) for p in p_values]


def above_one(p_values):
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for step, place in enumerate(order):
        highest = max(highest, (len(p_values) - step) * p_values[place])
        adjusted[place] = highest
    return adjusted


def in_order_of_size(p_values):
    return sorted(holm(p_values))


def largest_first(p_values):
    order = sorted(range(len(p_values)), key=lambda place: -p_values[place])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for step, place in enumerate(order):
        highest = max(highest, (len(p_values) - step) * p_values[place])
        adjusted[place] = min(1.0, highest)
    return adjusted


def first_of_equals(p_values):
    adjusted, highest = [0.0] * len(p_values), 0.0
    for step, p in enumerate(sorted(p_values)):
        highest = max(highest, (len(p_values) - step) * p)
        adjusted[p_values.index(p)] = min(1.0, highest)
    return adjusted


def equals_once(p_values):
    different = sorted(set(p_values))
    found = dict(zip(different, holm(different), strict=True))
    return [found[p] for p in p_values]


def same_list(answer, expected):
    """The same numbers in the same order, in a list, a tuple or an array."""
    try:
        values = [float(value) for value in answer]
    except (TypeError, ValueError):
        return False
    return len(values) == len(expected) and all(
        math.isclose(value, other, abs_tol=1e-9)
        for value, other in zip(values, expected, strict=True)
    )


corrected = Exercise(
    id="08.3",
    title="Holm's correction by hand",
    reference=holm,
    checks=[
        Check(
            "multiplies the smallest by the number of tests, the next by one less, and so on",
            [[0.01, 0.02, 0.03, 0.2], [0.001, 0.01]],
            same=same_list,
        ),
        Check(
            "gives each test its own value, in the order in which they came",
            [[0.2, 0.001, 0.05], [0.0912, 0.0123], [0.02, 0.5, 0.02]],
            same=same_list,
        ),
        Check(
            "never falls below the value before it",
            [[0.01, 0.04, 0.03], [0.02, 0.021, 0.022]],
            same=same_list,
        ),
        Check("never exceeds 1", [[0.4, 0.9, 0.6], [0.7, 0.8]], same=same_list),
        Check(
            "leaves a single test as it is, and nothing as nothing",
            [[0.03], []],
            same=same_list,
        ),
    ],
    mistakes=[
        Mistake(
            bonferroni,
            "That multiplies each by the number of tests (Bonferroni), which is stricter than need be. Holm "
            "multiplies the next one by one less.",
        ),
        Mistake(
            may_fall,
            "A larger p-value got a smaller adjusted one. Keep the highest value so far: `max(highest, …)`.",
        ),
        Mistake(
            may_fall_by_rank,
            "A larger p-value got a smaller adjusted one. Keep the highest value so far: `max(highest, …)`.",
        ),
        Mistake(
            first_of_equals,
            "`index` finds the first of two equal p-values both times, so the second one gets nothing. Sort the "
            "places, not the values.",
        ),
        Mistake(
            equals_once,
            "Two equal p-values are two tests, and both were looked at. A set keeps one of them.",
        ),
        Mistake(above_one, "A probability does not exceed 1: `min(1.0, …)`."),
        Mistake(
            in_order_of_size,
            "The values are right, and in the order of their size. Give them back in the order in which they came.",
        ),
        Mistake(
            largest_first,
            "You begin with the largest p-value. The *smallest* is multiplied by the number of tests.",
        ),
    ],
    hints=[
        "`order = sorted(range(len(p_values)), key=lambda place: p_values[place])` are the places, smallest first.",
        "In step 0, 1, 2, … multiply by `len(p_values) - step`; keep the highest value so far.",
        "Write each value to its own place: `adjusted[place] = min(1.0, highest)`.",
    ],
)

# 08.4


def beats(one, other):
    return one[1] >= other[1] and one[2] <= other[2] and one[1:] != other[1:]


def pareto(options):
    return [one[0] for one in options if not any(beats(other, one) for other in options)]


def better_in_both(options):
    return [
        name
        for name, quality, cost in options
        if not any(q > quality and c < cost for _, q, c in options)
    ]


def best_and_cheapest(options):
    best = max(options, key=lambda one: (one[1], -one[2]), default=None)
    cheap = min(options, key=lambda one: (one[2], -one[1]), default=None)
    return list(dict.fromkeys(one[0] for one in (best, cheap) if one))


def twins_beat_each_other(options):
    return [
        one[0]
        for one in options
        if not any(
            other is not one and other[1] >= one[1] and other[2] <= one[2]
            for other in options
        )
    ]


def best_value(options):
    if not options:
        return []
    return [max(options, key=lambda one: one[1] / (one[2] or 1e-9))[0]]


THREE = [("small", 0.3, 1.0), ("middle", 0.6, 2.0), ("large", 0.8, 9.0)]


def one_of_equals(options):
    kept, best = [], -math.inf
    for name, quality, _ in sorted(options, key=lambda option: (option[2], -option[1])):
        if quality > best:
            kept.append(name)
            best = quality
    return kept


def takes_out_in_the_loop(options):
    for one in options:
        if any(beats(other, one) for other in options):
            options.remove(one)
    return [one[0] for one in options]


front = Exercise(
    id="08.4",
    title="What nothing beats",
    reference=pareto,
    checks=[
        Check(
            "keeps every trade-off, also the one in the middle",
            [THREE, [*THREE, ("larger", 0.9, 20.0)]],
            same=unordered,
        ),
        Check(
            "drops what is worse and dearer",
            [
                [*THREE, ("fool's", 0.5, 3.0), ("a thief's", 0.5, 4.0)],
                [("a", 0.2, 5.0), ("b", 0.4, 4.0)],
            ],
            same=unordered,
        ),
        Check(
            "drops what is no better and dearer, or worse at the same price",
            [[("a", 0.5, 1.0), ("b", 0.5, 2.0)], [("a", 0.5, 1.0), ("b", 0.4, 1.0)]],
            same=unordered,
        ),
        Check(
            "keeps equals, for nothing beats them",
            [[("a", 0.5, 1.0), ("b", 0.5, 1.0)], [*THREE, ("twin", 0.8, 9.0)]],
            same=unordered,
        ),
        Check("gives nothing for nothing", [[], [("only", 0.1, 7.0)]], same=unordered),
        Check(
            "leaves the options as they were",
            predicate=leaves_alone([("fool's", 0.5, 3.0), *THREE]),
        ),
    ],
    mistakes=[
        Mistake(
            better_in_both,
            "To be beaten, it is enough to be no better in one and worse in the other.",
        ),
        Mistake(
            best_and_cheapest,
            "The best and the cheapest are on the front, and so is every trade-off between them.",
        ),
        Mistake(
            twins_beat_each_other,
            "Two equal options drop each other here. To beat means better in at least one.",
        ),
        Mistake(
            one_of_equals,
            "Of two equal options yours keeps one. Neither beats the other: keep both.",
        ),
        Mistake(
            takes_out_in_the_loop,
            "You take options out of the list that the loop goes over: it skips the next one, and the caller's list "
            "has fewer. Collect the names in a new list.",
        ),
        Mistake(
            best_value,
            "Quality per dollar picks one option for everybody. The front leaves the choice to the product.",
        ),
    ],
    hints=[
        "Write `beats(one, other)` first: at least as good, at most as dear, and not equal in both.",
        "Keep each option that no other one beats: `not any(beats(other, one) for other in options)`.",
        "`one[1] >= other[1] and one[2] <= other[2] and one[1:] != other[1:]`",
    ],
)

exercises = [by_hand, paired, corrected, front]

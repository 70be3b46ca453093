"""Checks of lesson 07: the bootstrap by hand, how many cases a change takes, agreement beyond chance."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from aicourse.notebook.checks import Check, Mistake, arguments, close_to
from aicourse.notebook.exercises import Exercise

# 07.1 the bootstrap


def bootstrap_interval(values, resamples=2000, seed=7):
    generator = np.random.default_rng(seed)
    drawn = generator.choice(values, size=(resamples, len(values)))
    low, high = np.quantile(drawn.mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def without_replacement(values, resamples=2000, seed=7):
    return float(np.mean(values)), float(np.mean(values))


def quantiles_of_the_cases(values, resamples=2000, seed=7):
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def extremes(values, resamples=2000, seed=7):
    return float(min(values)), float(max(values))


def one_sided(values, resamples=2000, seed=7):
    generator = np.random.default_rng(seed)
    drawn = generator.choice(values, size=(resamples, len(values)))
    low, high = np.quantile(drawn.mean(axis=1), [0.05, 0.95])
    return float(low), float(high)


def bell_curve(values, resamples=2000, seed=7):
    reach = 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))
    return float(np.mean(values) - reach), float(np.mean(values) + reach)


SCORES = np.random.default_rng(0).beta(2, 2, 40).round(3).tolist()
SKEWED = (10 * np.random.default_rng(1).beta(0.3, 6, 14)).round(3).tolist()
PASSES = [1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1]


def width(bounds):
    return bounds[1] - bounds[0]


def near_the_reference(result, values, resamples):
    """Both ends within a twentieth of the width: another generator's luck moves them less than a fiftieth."""
    low, high = bootstrap_interval(values, resamples, seed=11)
    slack = 0.05 * (high - low)
    if abs(result[0] - low) <= slack and abs(result[1] - high) <= slack:
        return True
    return f"You give {result[0]:.3f} to {result[1]:.3f}; many resamples give {low:.3f} to {high:.3f}."


def holds_the_mean(result, values):
    return len(result) == 2 and result[0] + 1e-9 < np.mean(values) < result[1] - 1e-9


def narrows(bootstrap_interval):
    few = width(bootstrap_interval(SCORES, 500))
    many = width(bootstrap_interval(SCORES * 16, 500))
    if few < -1e-9:
        return "The first end is higher than the second: return (low, high)."
    if few <= 1e-9:
        return "The interval is empty."
    return abs(many / few - 0.25) < 0.05 or (
        f"With 16 times the cases the width is {many / few:.2f} of what it was; expected about a quarter."
    )


def same_again(bootstrap_interval):
    first, again = bootstrap_interval(SCORES, seed=3), bootstrap_interval(SCORES, seed=3)
    return (
        tuple(first) == tuple(again)
        or "The same seed gave two intervals: make the generator inside."
    )


def same_ends(result, other):
    """Whether two answers make the same mistake, each with its own generator."""
    slack = max(0.03 * width(other), 1e-6)
    return all(abs(end - known) <= slack for end, known in zip(result, other, strict=True))


bootstrap = Exercise(
    id="07.1",
    title="The bootstrap by hand",
    reference=bootstrap_interval,
    seconds=20.0,  # loops in plain Python are right answers too
    checks=[
        Check(
            "gives two ends with the mean between them",
            [SCORES, PASSES],
            predicate=holds_the_mean,
            same=same_ends,
        ),
        Check(
            "gives the 95 % interval",
            [
                arguments(SCORES, 10_000),
                arguments(SKEWED, 10_000),
                arguments([1, 0, 1, 1], 10_000),  # so few show whether sets are as large
            ],
            predicate=near_the_reference,
            same=same_ends,
        ),
        Check(
            "is narrower with more cases, as the root of their number", predicate=narrows
        ),
        Check("gives the same for the same seed", predicate=same_again),
    ],
    mistakes=[
        Mistake(
            without_replacement,
            "Your resamples all have the same mean: draw *with* replacement, so that cases may come twice.",
        ),
        Mistake(
            quantiles_of_the_cases,
            "That is where the cases lie, not where their mean lies: take the mean of each resample first.",
        ),
        Mistake(
            extremes,
            "Lowest and highest score say nothing about the mean. Take means of resamples.",
        ),
        Mistake(
            bell_curve,
            "Mean ± 1.96 standard errors supposes a symmetric spread; few skewed scores have none. Draw again.",
        ),
        Mistake(
            one_sided,
            "5 and 95 % leave out a tenth: a 95 % interval ends at the 2.5 and 97.5 % points.",
        ),
    ],
    hints=[
        "`np.random.default_rng(seed)` makes a generator; `.choice(values, size=(resamples, len(values)))` draws.",
        "One row is one resample: `.mean(axis=1)` gives as many means as there are resamples.",
        "`np.quantile(means, [0.025, 0.975])` are the two ends.",
    ],
)

# 07.2 how many cases


def cases_for(effect, deviation):
    if effect == 0:
        raise ValueError("no number of cases shows a change of nothing")
    return math.ceil(((1.96 + 0.84) * deviation / effect) ** 2)


def without_power(effect, deviation):
    if effect == 0:
        raise ValueError("no effect")
    return math.ceil((1.96 * deviation / effect) ** 2)


def not_squared(effect, deviation):
    if effect == 0:
        raise ValueError("no effect")
    return math.ceil((1.96 + 0.84) * deviation / abs(effect))


def rounded_down(effect, deviation):
    if effect == 0:
        raise ValueError("no effect")
    return int(((1.96 + 0.84) * deviation / effect) ** 2)


def crashes_at_zero(effect, deviation):
    return math.ceil((2.8 * deviation / effect) ** 2)


def refuses_losses(effect, deviation):
    if effect <= 0:
        raise ValueError("no effect")
    return cases_for(effect, deviation)


def rounded_to_the_nearest(effect, deviation):
    if effect == 0:
        raise ValueError("no effect")
    return round(((1.96 + 0.84) * deviation / effect) ** 2)


planning = Exercise(
    id="07.2",
    title="How many cases?",
    reference=cases_for,
    checks=[
        Check(
            "finds the change four times in five",
            [arguments(0.05, 0.2), arguments(0.03, 0.16), arguments(0.1, 0.45)],
        ),
        Check("rounds up", [arguments(0.03, 0.1), arguments(0.07, 0.31)]),
        Check(
            "does not mind whether it is a gain or a loss",
            [arguments(-0.05, 0.2), arguments(-0.03, 0.1)],
        ),
        Check(
            "refuses to look for nothing",
            [arguments(0, 0.2), arguments(0.0, 0.5)],
            raises=ValueError,
        ),
    ],
    mistakes=[
        Mistake(
            without_power,
            "With 1.96 alone you find the change half the time. Four times in five needs 1.96 + 0.84.",
        ),
        Mistake(not_squared, "Half the effect needs four times the cases: square it."),
        Mistake(rounded_down, "Part of a case is a case more: `math.ceil`."),
        Mistake(rounded_to_the_nearest, "Part of a case is a case more: `math.ceil`."),
        Mistake(
            refuses_losses, "A loss is an effect too. Only an effect of zero has no answer."
        ),
        Mistake(
            crashes_at_zero,
            "A ZeroDivisionError explains nothing. Raise a ValueError that says what is wrong.",
        ),
    ],
    hints=[
        "The smallest change that n cases find is (1.96 + 0.84) x deviation / root of n. Solve it for n.",
        "`((1.96 + 0.84) * deviation / effect) ** 2`, rounded up.",
        "`if effect == 0: raise ValueError(…)`",
    ],
)

# 07.3 agreement


def kappa(first, second):
    pairs = list(zip(first, second, strict=True))
    observed = sum(one == other for one, other in pairs) / len(pairs)
    left, right = Counter(first), Counter(second)
    chance = sum(left[label] * right[label] for label in left) / len(pairs) ** 2
    return (observed - chance) / (1 - chance)


def plain_agreement(first, second):
    return sum(one == other for one, other in zip(first, second, strict=True)) / len(first)


def chance_is_uniform(first, second):
    chance = 1 / len({*first, *second})
    return (plain_agreement(first, second) - chance) / (1 - chance)


def chance_of_one_annotator(first, second):
    shares = [count / len(first) for count in Counter(first).values()]
    chance = sum(share**2 for share in shares)
    return (plain_agreement(first, second) - chance) / (1 - chance)


def not_divided(first, second):
    left, right = Counter(first), Counter(second)
    return (
        plain_agreement(first, second)
        - sum(left[x] * right[x] for x in left) / len(first) ** 2
    )


def none_left_out(first, second):
    pairs = [
        (a, b)
        for a, b in zip(first, second, strict=True)
        if a is not None and b is not None
    ]
    return kappa([a for a, _ in pairs], [b for _, b in pairs])


WORKED = arguments(["good", "good", "fair", "fair"], ["good", "good", "fair", "good"])

agreeing = Exercise(
    id="07.3",
    title="Agreement beyond chance",
    reference=kappa,
    checks=[
        Check(
            "gives 1 for full agreement",
            [arguments(list("aab"), list("aab")), arguments(list("xyzz"), list("xyzz"))],
            same=close_to(1e-6),
        ),
        Check(
            "gives 0 for what chance gives, and less for worse",
            [arguments(list("aabb"), list("abab")), arguments(list("ab"), list("ba"))],
            same=close_to(1e-6),
        ),
        Check(
            "takes both annotators' habits into account",
            [
                WORKED,
                arguments(list("aaaaaaaaab"), list("aaaaaaaaba")),
                arguments(list("aaabbc"), list("aabbcc")),
            ],
            same=close_to(1e-6),
            message="Chance is the sum, over labels, of the one's share times the other's.",
        ),
        Check(
            "takes 'not stated' for a label",
            [
                arguments(["new", None, None, "good"], ["new", None, "good", "good"]),
                arguments([None, None, "new"], [None, "new", "new"]),
            ],
            same=close_to(1e-6),
        ),
    ],
    mistakes=[
        Mistake(
            plain_agreement,
            "That is the share of equal labels. Two who always say 'good' agree by chance.",
        ),
        Mistake(
            chance_is_uniform,
            "Labels are not equally frequent: chance is the sum of the products of both annotators' shares.",
        ),
        Mistake(
            chance_of_one_annotator,
            "You square one annotator's shares. The other has habits too: multiply the one's by the other's.",
        ),
        Mistake(
            not_divided, "Divide by what was to be gained: 1 minus the agreement by chance."
        ),
        Mistake(
            none_left_out,
            "None means 'not stated', which is an answer. Do not leave it out.",
        ),
    ],
    hints=[
        "kappa = (observed - chance) / (1 - chance); observed is the share of equal pairs.",
        "`Counter(first)` and `Counter(second)` say how often each uses each label.",
        "`chance = sum(left[label] * right[label] for label in left) / len(first) ** 2`",
    ],
)

exercises = [bootstrap, planning, agreeing]

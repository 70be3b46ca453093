"""Checks of lesson 08: McNemar's test, a paired interval, how many cases, the Pareto front, the gate's rules."""

from __future__ import annotations

import functools
import math
import statistics
from dataclasses import replace

from aicourse.errors import AicourseError
from aicourse.evals import Rule, Run, gate, rescore
from aicourse.marketplace import FIELD_SCORES, LISTING_SCORERS, run_listings
from aicourse.notebook.checks import Check, Mistake, arguments, unordered
from aicourse.notebook.exercises import Exercise

# 05.1


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

# 05.2


def shared_values(before, after):
    shared = sorted(before.keys() & after.keys())
    return [before[id] for id in shared], [after[id] for id in shared]


def interval_of(differences, deviation=statistics.stdev):
    centre = statistics.mean(differences)
    reach = 1.96 * deviation(differences) / math.sqrt(len(differences))
    return centre - reach, centre + reach


def paired_interval(before, after):
    shared = before.keys() & after.keys()
    return interval_of([after[id] - before[id] for id in sorted(shared)])


def unpaired_interval(before, after):
    one, other = shared_values(before, after)
    centre = statistics.mean(other) - statistics.mean(one)
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    reach = 1.96 * math.sqrt(spread)
    return centre - reach, centre + reach


def by_position(before, after):
    return interval_of(
        [new - old for old, new in zip(before.values(), after.values(), strict=False)]
    )


def spread_of_cases(before, after):
    one, other = shared_values(before, after)
    differences = [new - old for old, new in zip(one, other, strict=False)]
    centre, reach = statistics.mean(differences), 1.96 * statistics.stdev(differences)
    return centre - reach, centre + reach


def before_minus_after(before, after):
    return paired_interval(after, before)


def population_deviation(before, after):
    one, other = shared_values(before, after)
    return interval_of(
        [new - old for old, new in zip(one, other, strict=False)], statistics.pstdev
    )


def same_ends(answer, expected):
    """Two ends, in whatever holds them: a tuple, a list, an array."""
    return (
        hasattr(answer, "__len__")
        and len(answer) == 2
        and all(
            math.isclose(end, other, abs_tol=1e-9)
            for end, other in zip(answer, expected, strict=True)
        )
    )


OLD = {"L1": 0.2, "L2": 0.9, "L3": 0.5, "L4": 0.7, "L5": 0.3, "L6": 0.6}
NEW = {"L1": 0.4, "L2": 1.0, "L3": 0.5, "L4": 0.9, "L5": 0.2, "L6": 0.8}
SHUFFLED = dict(reversed(NEW.items()))

paired = Exercise(
    id="08.2",
    title="The interval of a paired comparison",
    reference=paired_interval,
    checks=[
        Check(
            "gives the interval of the mean difference",
            [arguments(OLD, NEW), arguments(NEW, OLD)],
            same=same_ends,
        ),
        Check(
            "finds a case's partner by its id",
            [arguments(OLD, SHUFFLED), arguments(SHUFFLED, OLD)],
            same=same_ends,
        ),
        Check(
            "leaves out cases that only one run has",
            [arguments(OLD | {"L7": 0.9}, NEW), arguments(OLD, {"L0": 0.1} | NEW)],
            same=same_ends,
        ),
        Check(
            "knows that cases which all gain the same leave no doubt",
            [
                arguments(
                    {"a": 0.25, "b": 0.5, "c": 0.75}, {"a": 0.5, "b": 0.75, "c": 1.0}
                ),
                arguments({"a": 0.5, "b": 1.0}, {"a": 0.25, "b": 0.75}),
            ],
            same=same_ends,
        ),
    ],
    mistakes=[
        Mistake(
            unpaired_interval,
            "That treats the runs as two unrelated sets. Take each case's difference first, then their spread.",
        ),
        Mistake(
            by_position,
            "Runs finish in any order. Look each id up in both: `after[id] - before[id]`.",
        ),
        Mistake(
            spread_of_cases,
            "That is how much single cases vary. The mean of n varies less: divide by the root of n.",
        ),
        Mistake(
            before_minus_after, "The sign is turned round: a gain is after minus before."
        ),
        Mistake(
            population_deviation,
            "`pstdev` divides by n. These cases are a sample: `stdev`, which divides by n - 1.",
        ),
    ],
    hints=[
        "`shared = before.keys() & after.keys()`, then one difference for each id.",
        "The mean difference, give or take 1.96 standard errors.",
        "A standard error: `statistics.stdev(differences) / math.sqrt(len(differences))`.",
    ],
)

# 05.3


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
    id="08.3",
    title="How many cases?",
    reference=cases_for,
    checks=[
        Check(
            "finds the change four times in five",
            [arguments(0.05, 0.2), arguments(0.02, 0.16), arguments(0.1, 0.45)],
        ),
        Check("rounds up", [arguments(0.03, 0.1), arguments(0.07, 0.31)]),
        Check(
            "does not mind whether it is a gain or a loss",
            [arguments(-0.05, 0.2), arguments(-0.01, 0.08)],
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

# 05.4


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
            [[*THREE, ("fool's", 0.5, 3.0)], [("a", 0.2, 5.0), ("b", 0.4, 4.0)]],
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

# 05.5: pairs of runs, from the recorded replies

MODEL = "qwen2.5-coder-0.5b"


@functools.cache
def recorded_run(version, split="test"):
    return run_listings(
        f"extract_listing@{version}",
        split=split,
        model=MODEL,
        replay="only",
        workers=1,
        progress=False,
    )


def outputs(run):
    return {record.id: record.output for record in run.records()}


def mixed(base, other, fields, name):
    """A run of nothing that exists: `base`'s forms with some fields as `other` filled them in."""
    filled = outputs(other)
    records = tuple(
        replace(
            record,
            output=record.output | {field: filled[record.id][field] for field in fields},
        )
        for record in base.records()
    )
    run = Run(replace(base.info, name=name), memory=records)
    return rescore(run, LISTING_SCORERS)


@functools.cache
def brands_of_v5():
    return mixed(
        recorded_run("v4"), recorded_run("v5"), ("brand",), "v4 with the brands of v5"
    )


def as_labelled(base, fields, name):
    records = tuple(
        replace(
            record,
            output=record.output | {field: record.expected[field] for field in fields},
        )
        for record in base.records()
    )
    return rescore(Run(replace(base.info, name=name), memory=records), LISTING_SCORERS)


@functools.cache
def right_colours():
    return as_labelled(recorded_run("v4"), ("colours",), "v4 with every colour right")


@functools.cache
def hidden_units():
    """Sizes as v7 gives them, and better lists, so that the mean of all fields does not fall."""
    sizes = mixed(
        recorded_run("v4", "dev"), recorded_run("v7", "dev"), ("size",), "sizes of v7"
    )
    return as_labelled(
        sizes,
        ("colours", "materials"),
        "v4 with the sizes of v7, colours and materials right",
    )


def judged(rules, pairs, should_pass):
    for before, after in pairs():
        try:
            result = gate(before, after, rules)
        except AicourseError as error:
            return str(error)
        except (AttributeError, TypeError):
            return "Write a list of `Rule(score, tolerance, slices={name: tolerance})`."
        if result.passed is not should_pass:
            return result.headline
    return True


def holds_back(pairs):
    return lambda rules: judged(rules, pairs, should_pass=False)


def lets_through(pairs):
    return lambda rules: judged(rules, pairs, should_pass=True)


def planted():
    return [(recorded_run("v4"), recorded_run("v5"))]


def harmless():
    return [(recorded_run("v4"), recorded_run("v6"))]


def nothing_lost():
    return [
        (recorded_run("v4"), recorded_run("v4")),
        (recorded_run("v6"), recorded_run("v4")),
        (recorded_run("v4"), right_colours()),
    ]


def only_brands():
    return [(recorded_run("v4"), brands_of_v5())]


def units_lost():
    before = recorded_run("v4", "dev")
    return [(before, recorded_run("v7", "dev")), (before, hidden_units())]


rules = [
    Rule("attributes.mean", tolerance=0.06),
    *(Rule(score, tolerance=0.15, slices={"no_brand": 0.30}) for score in FIELD_SCORES),
]
too_strict = [
    Rule(score, tolerance=0.06, slices={"no_brand": 0.02}) for score in FIELD_SCORES
]
brand_only = [Rule("brand.normalised", tolerance=0.15, slices={"no_brand": 0.30})]
no_slices = [
    Rule(score, tolerance=0.15, slice_tolerance=0.30)
    for score in ("attributes.mean", *FIELD_SCORES)
]
NO_SLICES = "All cases alone decide in your rules. Name the slice that pays for the others in `slices`."


def has_no_slices(answer):
    return not any(rule.slices for rule in answer)


def is_tight(answer):
    return any(rule.tolerance < 0.10 for rule in answer if rule.score in FIELD_SCORES)


def leaves_fields_out(answer):
    watched = {rule.score for rule in answer}
    return not watched.issuperset(FIELD_SCORES) and not has_no_slices(answer)


the_gate = Exercise(
    id="08.5",
    title="A gate that stops what hurts",
    reference=rules,
    expects=(list, tuple),
    untouched=[Rule("attributes.mean", tolerance=0.06)],
    show_expected=False,
    seconds=None,  # the first time, it reads five runs from the recordings
    checks=[
        Check("holds back version 5 on test", predicate=holds_back(planted)),
        Check("lets version 6 through on test", predicate=lets_through(harmless)),
        Check(
            "lets through what loses nothing (three other pairs)",
            predicate=lets_through(nothing_lost),
        ),
        Check(
            "holds back lost brands when all else stays",
            predicate=holds_back(only_brands),
        ),
        Check(
            "holds back sizes without units, on other listings, also when other fields improve",
            predicate=holds_back(units_lost),
        ),
    ],
    mistakes=[
        Mistake(no_slices, NO_SLICES, recognise=has_no_slices),
        Mistake(
            too_strict,
            "So many cases cannot show that one field lost at most that little: look at the verdict of v6. "
            "A field needs more room than the mean of all.",
            recognise=is_tight,
        ),
        Mistake(
            brand_only,
            "Some fields have no rule. The next regression will be there: a rule for each field.",
            recognise=leaves_fields_out,
        ),
    ],
    hints=[
        "One rule for `attributes.mean`, and one for each name in `FIELD_SCORES`.",
        "Run `gate(test['v4'], test['v6'], rules)` and read its column `why`: what is undecided?",
        "One field of so many cases moves by several hundredths for no reason: a tolerance near 0.15. Section 5 "
        'has shown which slice pays: `slices={"no_brand": 0.30}`.',
    ],
)

exercises = [by_hand, paired, planning, front, the_gate]

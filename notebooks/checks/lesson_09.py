"""Checks of lesson 09: a gate by hand, what proof costs in cases, the gate's rules, a prompt of one's own."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Mapping
from dataclasses import replace

from aicourse import evals, prompts
from aicourse.datasets import ATTRIBUTES
from aicourse.errors import AicourseError
from aicourse.evals import Rule, Run, gate, rescore
from aicourse.marketplace import FIELD_SCORES, LISTING_SCORERS, listing_cases, run_listings
from aicourse.notebook.checks import Check, Mistake, arguments
from aicourse.notebook.exercises import Exercise

# 09.1


def changes_of(before, after):
    return [after[id] - before[id] for id in sorted(before.keys() & after.keys())]


def verdict_of(changes, tolerance):
    change = statistics.mean(changes)
    reach = 1.96 * statistics.stdev(changes) / math.sqrt(len(changes))
    if change + reach < 0 and change < -tolerance:
        return "fail"
    return "pass" if change - reach > -tolerance else "undecided"


def interval_of(before, after, reach=1.96):
    changes = changes_of(before, after)
    half = reach * statistics.stdev(changes) / math.sqrt(len(changes))
    return statistics.mean(changes) - half, statistics.mean(changes) + half


def gate_by_hand(before, after, tolerance):
    return verdict_of(changes_of(before, after), tolerance)


def mean_alone(before, after, tolerance):
    return "pass" if statistics.mean(changes_of(before, after)) > -tolerance else "fail"


def no_loss_shown(before, after, tolerance):
    return "fail" if gate_by_hand(before, after, tolerance) == "fail" else "pass"


def undecided_fails(before, after, tolerance):
    return "pass" if gate_by_hand(before, after, tolerance) == "pass" else "fail"


def without_tolerance(before, after, tolerance):
    return verdict_of(changes_of(before, after), 0)


def any_shown_loss(before, after, tolerance):
    changes = changes_of(before, after)
    change = statistics.mean(changes)
    reach = 1.96 * statistics.stdev(changes) / math.sqrt(len(changes))
    if change + reach < 0:
        return "fail"
    return "pass" if change - reach > -tolerance else "undecided"


def loss_beyond_tolerance(before, after, tolerance):
    low, high = interval_of(before, after)
    if high < -tolerance:
        return "fail"
    return "pass" if low > -tolerance else "undecided"


def ninety_per_cent(before, after, tolerance):
    low, high = interval_of(before, after, reach=1.645)
    if high < 0 and (low + high) / 2 < -tolerance:
        return "fail"
    return "pass" if low > -tolerance else "undecided"


def by_position(before, after, tolerance):
    pairs = zip(before.values(), after.values(), strict=False)
    return verdict_of([new - old for old, new in pairs], tolerance)


def before_minus_after(before, after, tolerance):
    return verdict_of([-change for change in changes_of(before, after)], tolerance)


def unpaired(before, after, tolerance):
    shared = sorted(before.keys() & after.keys())
    one, other = [before[id] for id in shared], [after[id] for id in shared]
    change = statistics.mean(other) - statistics.mean(one)
    spread = statistics.variance(one) + statistics.variance(other)
    reach = 1.96 * math.sqrt(spread / len(shared))
    if change + reach < 0 and change < -tolerance:
        return "fail"
    return "pass" if change - reach > -tolerance else "undecided"


def pair(gains, losses, same, size=1.0):
    """A run and another: so many cases gain `size`, lose it, or stay; the second one in another order."""
    before, after = {}, {}
    for number in range(gains + losses + same):
        old = (
            0.0
            if number < gains
            else size
            if number < gains + losses
            else number % 2 * size
        )
        new = size if number < gains else 0.0 if number < gains + losses else old
        before[f"L{number:03}"], after[f"L{number:03}"] = old, new
    return before, dict(reversed(after.items()))


def judged_at(tolerance, *counts, size=1.0):
    before, after = pair(*counts, size=size)
    return arguments(before, after, tolerance)


TWELVE = {f"L{number:02}": float(number % 2) for number in range(12)}

BY_HAND = Exercise(
    id="09.1",
    title="A gate by hand",
    reference=gate_by_hand,
    expects=None,
    checks=[
        Check(
            "passes when the interval rules out a loss beyond the tolerance",
            [judged_at(0.1, 6, 5, 89), judged_at(0.3, 2, 4, 34)],
        ),
        Check(
            "fails when a loss is shown, and the mean loss is beyond the tolerance",
            [
                judged_at(0.05, 1, 19, 40),
                judged_at(0.1, 2, 30, 28),
                judged_at(0.2, 1, 19, 40),
            ],
        ),
        Check(
            "is undecided when the interval reaches beyond the tolerance and shows no loss",
            [
                judged_at(0.05, 6, 7, 27),
                judged_at(0.02, 9, 9, 42),
                judged_at(0.05, 2, 6, 20),
                judged_at(0.057, 5, 5, 90),
            ],
        ),
        Check(
            "passes a loss that is shown, if it is small enough",
            [judged_at(0.2, 0, 8, 92), judged_at(0.06, 1, 30, 69, size=0.1)],
        ),
        Check(
            "compares each case with itself, by its id, and only cases that both runs have",
            [
                arguments(TWELVE, dict(reversed(TWELVE.items())), 0.2),
                arguments(TWELVE | {"old": 0.0}, {"new": 1.0} | TWELVE, 0.2),
            ],
        ),
    ],
    mistakes=[
        Mistake(
            mean_alone,
            "That looks at the mean alone. Ask for proof: the *whole* interval must lie above -tolerance.",
        ),
        Mistake(
            no_loss_shown,
            "You pass whatever is not shown to be worse, so too few cases pass everything. Where the interval "
            'reaches beyond the tolerance, say "undecided".',
        ),
        Mistake(
            undecided_fails,
            'Two different things get one word. A loss that is not ruled out is "undecided"; "fail" is for a loss '
            "that is shown.",
        ),
        Mistake(
            without_tolerance,
            "The tolerance is not used: a loss smaller than it may pass.",
        ),
        Mistake(
            any_shown_loss,
            "A loss can be shown and still be smaller than the tolerance. It fails only if its mean is beyond it.",
        ),
        Mistake(
            loss_beyond_tolerance,
            "You wait until the whole interval lies below -tolerance. A loss is shown if it lies below 0; then the "
            "mean is compared with the tolerance.",
        ),
        Mistake(
            ninety_per_cent,
            "That is a 90 % interval. A 95 % interval reaches 1.96 standard errors to either side.",
        ),
        Mistake(
            by_position,
            "Runs finish in any order. Look each id up in both: `after[id] - before[id]`.",
        ),
        Mistake(
            before_minus_after,
            "The sign is turned round: a loss is a negative after - before.",
        ),
        Mistake(
            unpaired,
            "That treats the runs as two sets of different listings. Take each case's difference first, then their "
            "standard error.",
        ),
    ],
    hints=[
        "`shared = before.keys() & after.keys()`, one difference for each id, then their mean.",
        "`reach = 1.96 * statistics.stdev(changes) / math.sqrt(len(changes))`; the interval is mean ± reach.",
        'First "fail": `mean + reach < 0 and mean < -tolerance`. Then "pass": `mean - reach > -tolerance`. '
        'Else "undecided".',
    ],
)

# 09.2


def cases_for(tolerance):
    if not 0 < tolerance < 1:
        raise ValueError("no number of cases proves that nothing at all was lost")
    cases = 1
    while (1 - tolerance) ** cases > 0.025:
        cases += 1
    return cases


def at_five_per_cent(tolerance):
    if not 0 < tolerance < 1:
        raise ValueError("no number of cases")
    return math.ceil(math.log(0.05) / math.log(1 - tolerance))


def rounded_down(tolerance):
    if not 0 < tolerance < 1:
        raise ValueError("no number of cases")
    return int(math.log(0.025) / math.log(1 - tolerance))


def three_over(tolerance):
    if not 0 < tolerance < 1:
        raise ValueError("no number of cases")
    return math.ceil(-math.log(0.025) / tolerance)


def no_refusal(tolerance):
    if tolerance <= 0 or tolerance >= 1:
        return None
    return cases_for(tolerance)


def crashes(tolerance):
    return math.ceil(math.log(0.025) / math.log(1 - tolerance))


PRICE = Exercise(
    id="09.2",
    title="The price in cases",
    reference=cases_for,
    checks=[
        Check("knows the price of 0.10 and of 0.05", [0.10, 0.05, 0.06]),
        Check("knows the price of small and of large tolerances", [0.01, 0.3, 0.5, 0.97]),
        Check(
            "refuses a tolerance of 0, or below",
            [0, 0.0, -0.1],
            raises=ValueError,
        ),
        Check("refuses a tolerance of 1, or above", [1, 1.0, 1.5], raises=ValueError),
    ],
    mistakes=[
        Mistake(
            at_five_per_cent,
            "The gate may err in 2.5 % of evaluations, one side of a 95 % interval: compare with 0.025.",
        ),
        Mistake(
            rounded_down,
            "With that many cases the chance is still above 0.025: part of a case is a case more.",
        ),
        Mistake(
            three_over,
            "That is the approximation for small tolerances. Use (1 - tolerance) ** cases itself.",
        ),
        Mistake(
            no_refusal,
            "No number of cases proves a loss of 0. Say so: raise a ValueError.",
        ),
        Mistake(
            crashes,
            "A ZeroDivisionError or a math domain error explains nothing. Test the tolerance first; what is "
            "not between 0 and 1 is a ValueError.",
        ),
    ],
    hints=[
        "Begin with 1 case, and add one as long as `(1 - tolerance) ** cases > 0.025`.",
        "Or solve it: `math.log(0.025) / math.log(1 - tolerance)`, rounded up with `math.ceil`.",
        "`if not 0 < tolerance < 1: raise ValueError(…)`",
    ],
)

# 09.3: pairs of runs, from the recorded replies over dev

MODEL = "qwen2.5-coder-0.5b"


@functools.cache
def recorded_run(version):
    return run_listings(
        f"extract_listing@{version}",
        split="dev",
        model=MODEL,
        replay="only",
        workers=1,
        progress=False,
    )


def made_up(base, change, name):
    """A run of nothing that exists: `base`'s forms, with what `change(record)` gives written over them."""
    records = tuple(
        replace(record, output=record.output | change(record)) for record in base.records()
    )
    return rescore(Run(replace(base.info, name=name), memory=records), LISTING_SCORERS)


@functools.cache
def right_colours():
    return made_up(
        recorded_run("v4"),
        lambda record: {"colours": record.expected["colours"]},
        "v4 with every colour right",
    )


def paid_for(tag, field, version, name):
    """Everywhere the field is right now, except in one slice, which gets what another version wrote."""
    worse = {record.id: record.output[field] for record in recorded_run(version).records()}
    return made_up(
        recorded_run("v4"),
        lambda record: {
            field: worse[record.id] if tag in record.tags else record.expected[field]
        },
        name,
    )


@functools.cache
def brands_invented():
    return paid_for(
        "no_brand", "brand", "v5", "right brands, and invented ones where none is"
    )


@functools.cache
def units_lost():
    return paid_for(
        "measurements", "size", "v7", "right sizes, and no units in measurements"
    )


@functools.cache
def one_field_lost(field, tag=None):
    """Everything is right now but one field, which is wrong in all listings, or in those of one slice."""

    def change(record):
        if tag and tag not in record.tags:
            return record.expected
        bad = ["nothing"] if isinstance(record.expected[field], list) else "nothing"
        return record.expected | {field: bad}

    return made_up(recorded_run("v4"), change, f"all right, but {field} {tag or ''}")


def judged(rules, pairs, should_pass):
    for before, after in pairs():
        try:
            result = gate(before, after, rules)
        except AicourseError as error:
            return str(error)
        except (AttributeError, TypeError):
            return "Write a list of `Rule(score, tolerance=…, slices={name: tolerance})`."
        if result.passed is not should_pass:
            return result.headline
    return True


def holds_back(pairs):
    return lambda rules: judged(rules, pairs, should_pass=False)


def lets_through(pairs):
    return lambda rules: judged(rules, pairs, should_pass=True)


def known_regressions():
    return [(recorded_run("v4"), recorded_run(version)) for version in ("v5", "v7")]


def harmless():
    return [(recorded_run("v4"), recorded_run("v6"))]


def nothing_lost():
    return [
        (recorded_run("v4"), recorded_run("v4")),
        (recorded_run("v4"), right_colours()),
    ]


def paid_by_no_brand():
    return [(recorded_run("v4"), brands_invented())]


def paid_by_measurements():
    return [(recorded_run("v4"), units_lost())]


def paid_by_one_field():
    return [(recorded_run("v4"), one_field_lost(field)) for field in ATTRIBUTES]


def category_paid_by_no_brand():
    return [(recorded_run("v4"), one_field_lost("category", "no_brand"))]


SLICES = {"no_brand": 0.30, "measurements": 0.30}
UNTOUCHED = [Rule("attributes.mean", tolerance=0.08)]
rules = [
    Rule("attributes.mean", tolerance=0.08),
    *(Rule(score, tolerance=0.15, slices=SLICES) for score in FIELD_SCORES),
]
no_proof_possible = [Rule(score, tolerance=0.0, slices=SLICES) for score in FIELD_SCORES]
too_strict = [Rule(score, tolerance=0.07, slices=SLICES) for score in FIELD_SCORES]
brand_only = [Rule("brand.normalised", tolerance=0.15, slices=SLICES)]
no_slices = [
    Rule(score, tolerance=0.15, slice_tolerance=0.30)
    for score in ("attributes.mean", *FIELD_SCORES)
]
loose_slices = [
    Rule(score, tolerance=0.15, slices=dict.fromkeys(SLICES, 0.80))
    for score in FIELD_SCORES
]
one_slice = [
    Rule(score, tolerance=0.15, slices={"no_brand": 0.30}) for score in FIELD_SCORES
]
fields_without_slices = [
    Rule(score, tolerance=0.15, slices=SLICES if score == "size.size" else {})
    for score in FIELD_SCORES
]
LEAST = 1 - 0.025 ** (1 / 60)  # what the 60 listings of dev can rule out


misspelt = [
    Rule(score, tolerance=0.15, slices={"no_brands": 0.30, "measurements": 0.30})
    for score in FIELD_SCORES
]


def rules_in(answer):
    return [rule for rule in answer if isinstance(rule, Rule)]


def asks_the_impossible(answer):
    return any(rule.mode == "proof" and rule.tolerance < LEAST for rule in rules_in(answer))


def has_no_slices(answer):
    found = rules_in(answer)
    return bool(found) and not any(rule.slices for rule in found)


def is_tight(answer):
    fields = [rule for rule in rules_in(answer) if rule.score in FIELD_SCORES]
    return not asks_the_impossible(answer) and any(rule.tolerance < 0.10 for rule in fields)


def leaves_fields_out(answer):
    watched = {rule.score for rule in rules_in(answer)}
    return (
        bool(watched) and not watched.issuperset(FIELD_SCORES) and not has_no_slices(answer)
    )


def named(answer):
    """The slices of all rules; one that is no dict is told by the gate."""
    written = [rule.slices for rule in rules_in(answer) if isinstance(rule.slices, Mapping)]
    return {name: limit for slices in written for name, limit in slices.items()}


def has_loose_slices(answer):
    return any(limit >= 0.40 for limit in named(answer).values())


@functools.cache
def known_slices():
    return frozenset(tag for case in listing_cases("dev") for tag in case.tags)


def misspells_a_slice(answer):
    return not known_slices().issuperset(named(answer))


def guards_some_fields_alone(answer):
    if not SLICES.keys() <= named(answer).keys() or leaves_fields_out(answer):
        return False
    of_field = {
        score: named([rule for rule in rules_in(answer) if rule.score == score])
        for score in FIELD_SCORES
    }
    return not all(SLICES.keys() <= found.keys() for found in of_field.values())


def misses_a_slice(answer):
    found = named(answer)
    return (
        bool(found) and not misspells_a_slice(answer) and not SLICES.keys() <= found.keys()
    )


RULES = Exercise(
    id="09.3",
    title="Rules that stop what hurts",
    reference=rules,
    expects=(list, tuple),
    untouched=UNTOUCHED,
    show_expected=False,
    seconds=None,  # the first time, it reads four runs from the recordings
    checks=[
        Check("holds back versions 5 and 7", predicate=holds_back(known_regressions)),
        Check("lets version 6 through", predicate=lets_through(harmless)),
        Check("lets through what loses nothing", predicate=lets_through(nothing_lost)),
        Check(
            "holds back brands that are invented where none is stated, though all others are right now",
            predicate=holds_back(paid_by_no_brand),
        ),
        Check(
            "holds back measurements without units, though all other sizes are right now",
            predicate=holds_back(paid_by_measurements),
        ),
        Check(
            "holds back the loss of any one field, though all others are right now",
            predicate=holds_back(paid_by_one_field),
        ),
        Check(
            "holds back wrong categories in a slice, though all others are right now",
            predicate=holds_back(category_paid_by_no_brand),
        ),
    ],
    mistakes=[
        Mistake(
            no_proof_possible,
            "No rule may ask for less than 60 cases can prove: 0.05 takes 72, and 0 no number of cases. The gate "
            "refuses such a rule; give the mean 0.06 or more, a field about 0.15.",
            recognise=asks_the_impossible,
        ),
        Mistake(
            no_slices,
            "All cases alone decide in your rules (unnamed slices are shown, and decide nothing). Name the two "
            "slices that may not pay for the others, in `slices`.",
            recognise=has_no_slices,
        ),
        Mistake(
            too_strict,
            "So few cases cannot show that one field lost at most that little: look at the verdict of v6. "
            "A field needs more room than the mean of all.",
            recognise=is_tight,
        ),
        Mistake(
            brand_only,
            "Some fields have no rule. The next regression will be there: a rule for each field.",
            recognise=leaves_fields_out,
        ),
        Mistake(
            loose_slices,
            "A slice may lose so much under your rules that nothing stops it. Half its listings is too many: try 0.30.",
            recognise=has_loose_slices,
        ),
        Mistake(
            one_slice,
            "Not both slices are named. Neither may pay: `no_brand` and `measurements`.",
            recognise=misses_a_slice,
        ),
        Mistake(
            fields_without_slices,
            "Not every field has both slices. There, too, any field may be lost: give `slices` to each field's rule.",
            recognise=guards_some_fields_alone,
        ),
        Mistake(
            misspelt,
            "One of your slices is a name that no listing has, and the gate passes nothing then. The two are written "
            "`no_brand` and `measurements`.",
            recognise=misspells_a_slice,
        ),
    ],
    hints=[
        "One rule for `attributes.mean`, and one for each name in `FIELD_SCORES`.",
        "Run `gate(dev['v4'], dev['v6'], rules)` and read its column `why`: what is undecided?",
        "One field of 60 cases moves by several hundredths for no reason: a tolerance near 0.15, and "
        '`slices={"no_brand": 0.30, "measurements": 0.30}`.',
    ],
)

# 09.4: a pair of runs, production's and the student's


PRODUCTION_WORDS = prompts.load("extract_listing@4").facts["hash"]


def stand_in(name, brand=None, cases=60, words=None):
    """A run that no model made: every field as labelled, but for a brand where none is stated."""

    def task(case):
        return case.expected | (
            {"brand": brand} if brand and not case.expected["brand"] else {}
        )

    return evals.run(
        task,
        listing_cases("dev")[:cases],
        LISTING_SCORERS,
        name=name,
        facts={"hash": words or name},
        progress=False,
    )


PRODUCTION = stand_in("production", words=PRODUCTION_WORDS)


def is_pair(answer):
    return len(answer) == 2 and all(isinstance(run, Run) for run in answer)


def of_a_pair(look):
    """A predicate about two runs, which says so when the answer is something else."""
    return lambda answer: (
        look(*answer)
        if is_pair(answer)
        else 'Give two runs: `(dev["v4"], run_on_dev(my_words))`.'
    )


def words_of(run):
    return run.info.facts.get("hash")


def is_new(before, after):
    differs = words_of(before) != words_of(after)
    return differs or "The words are production's own (equal hashes). Change them."


def begins_with_production(before, after):
    if words_of(before) == PRODUCTION_WORDS:
        return True
    if words_of(after) == PRODUCTION_WORDS:
        return "Production's run is the second of the pair, so the gate judges production."
    return "The first run is not of production's words, extract_listing@4."


def ran_on_the_same(before, after):
    only_one = before.identities().keys() ^ after.identities().keys()
    return not only_one or f"{len(only_one)} listings are in one run only."


def passes(before, after):
    try:
        result = gate(before, after, rules)
    except AicourseError as error:
        return error.message
    return result.passed or result.headline


def fails_only(look, *others):
    """True of a pair that `look` finds wrong, and `others` right: one mistake, one sentence."""
    return lambda answer: (
        is_pair(answer)
        and look(*answer) is not True
        and all(other(*answer) is True for other in others)
    )


OWN = Exercise(
    id="09.4",
    title="Your own prompt, through the gate",
    reference=(PRODUCTION, stand_in("another")),
    expects=(tuple, list),
    show_expected=False,
    seconds=None,
    checks=[
        Check("has words of its own", predicate=of_a_pair(is_new)),
        Check(
            "stands second in the pair, and production's run first",
            predicate=of_a_pair(begins_with_production),
        ),
        Check(
            "was run on the same listings as production",
            predicate=of_a_pair(ran_on_the_same),
        ),
        Check("passes the gate", predicate=of_a_pair(passes)),
    ],
    mistakes=[
        Mistake(
            (PRODUCTION, PRODUCTION),
            "These are production's words. Take `production.body` and change something.",
            recognise=fails_only(is_new),
        ),
        Mistake(
            (stand_in("another"), PRODUCTION),
            'The pair is turned round: `(dev["v4"], run_on_dev(my_words))` asks if your words may replace '
            "production's.",
            recognise=fails_only(begins_with_production, is_new, ran_on_the_same),
        ),
        Mistake(
            (PRODUCTION, stand_in("invents", brand="Acme")),
            "The gate holds it back. Read `gate(*mine, rules_solution)`, then look at the listings that got worse: "
            '`explore(mine[1], before=mine[0], change="worse")`.',
            recognise=fails_only(passes, is_new, begins_with_production, ran_on_the_same),
        ),
        Mistake(
            (PRODUCTION, stand_in("unfinished", cases=40)),
            "Your run has fewer listings than production's. Run all of them: `run_on_dev` does.",
            recognise=fails_only(ran_on_the_same),
        ),
    ],
    hints=[
        "Start from `production.body`, a text; `.replace(old, new)` changes a line wherever it stands.",
        "Change one thing. What do the two kinds of example teach that our attempt took out, and the words that we "
        "cut from the line below each listing?",
        "No idea? Reword the first sentence only: that is what version 6 did, and it passed.",
    ],
)

exercises = [BY_HAND, PRICE, RULES, OWN]

"""Checks of lesson 14: assignment by hash, an interval that counts people, the sample-ratio test, a decision."""

from __future__ import annotations

import hashlib
import math

import numpy as np
from scipy import stats

from aicourse.notebook.checks import Check, Mistake, arguments, close_to
from aicourse.notebook.exercises import Exercise

# 14.1


def place(text, digits=13):
    return int(hashlib.sha256(text.encode()).hexdigest()[:digits], 16) / 16**digits


def assign(seller, experiment, salt):
    return "v4" if place(f"{salt}:{experiment}:{seller}") < 0.5 else "v5"


def without_the_experiment(seller, experiment, salt):
    return "v4" if place(f"{salt}:{seller}") < 0.5 else "v5"


def without_the_salt(seller, experiment, salt):
    return "v4" if place(f"{experiment}:{seller}") < 0.5 else "v5"


def seller_alone(seller, experiment, salt):
    return "v4" if place(seller) < 0.5 else "v5"


def even_numbers(seller, experiment, salt):
    return "v4" if int(seller.strip("s")) % 2 == 0 else "v5"


def odd_numbers(seller, experiment, salt):
    return "v4" if int(seller.strip("s")) % 2 else "v5"


def turned_round(seller, experiment, salt):
    return "v5" if place(f"{salt}:{experiment}:{seller}") < 0.5 else "v4"


def without_colons(seller, experiment, salt):
    return "v4" if place(f"{salt}{experiment}{seller}") < 0.5 else "v5"


def other_order(seller, experiment, salt):
    return "v4" if place(f"{seller}:{experiment}:{salt}") < 0.5 else "v5"


def other_hash(seller, experiment, salt):
    digest = hashlib.md5(f"{salt}:{experiment}:{seller}".encode()).hexdigest()
    return "v4" if int(digest[:13], 16) / 16**13 < 0.5 else "v5"


def place_itself(seller, experiment, salt):
    return place(f"{salt}:{experiment}:{seller}")


def dealt(*names, sellers=40):
    return [arguments(f"s{number}", *names) for number in range(sellers)]


def one_of_two(variant, *_):
    return variant in ("v4", "v5") or f"That is {variant!r}: neither 'v4' nor 'v5'."


def is_sticky(assign):
    sellers = [f"s{number}" for number in range(60)]
    first = [assign(one, "complete-forms", "secret") for one in sellers]
    again = [assign(one, "complete-forms", "secret") for one in reversed(sellers)][::-1]
    moved = sum(one != other for one, other in zip(first, again, strict=True))
    if moved:
        return f"Asked twice, {moved} of 60 sellers changed their variant. Only the three texts may decide."
    return len(set(first)) == 2 or "Sixty sellers did not get two variants."


ASSIGN = Exercise(
    id="14.1",
    title="A sticky assignment",
    reference=assign,
    checks=[
        Check(
            "returns one of the two variants",
            dealt("e", "salt", sellers=6),
            predicate=one_of_two,
        ),
        Check(
            "gives a seller the same variant again, and sellers both variants",
            predicate=is_sticky,
        ),
        Check(
            "deals by the hash of salt, experiment and seller",
            dealt("complete-forms", "secret"),
            message="Is it exactly `salt:experiment:seller`, SHA-256, 13 digits, and v4 below one half?",
        ),
        Check(
            "deals anew for another experiment, and for another salt",
            [*dealt("new-colours", "secret"), *dealt("complete-forms", "secret 2")],
        ),
        Check(
            "takes any id",
            [
                arguments(id, "été", "s")
                for id in ("", "Żaneta 🧶", "s:17", "a b", "001", "s" * 300)
            ],
        ),
    ],
    mistakes=[
        Mistake(
            without_the_experiment,
            "The experiment is not in your text, so every experiment deals the same halves.",
        ),
        Mistake(
            without_the_salt,
            "The salt is not in your text: nobody could deal an experiment anew.",
        ),
        Mistake(
            seller_alone,
            "Only the seller is in your text, so every experiment deals the same halves.",
        ),
        Mistake(
            even_numbers,
            "Even and odd numbers deal the same halves in every experiment. Hash the three texts.",
        ),
        Mistake(
            odd_numbers,
            "Even and odd numbers deal the same halves in every experiment. Hash the three texts.",
        ),
        Mistake(
            turned_round, "Your variants are turned round: a place below one half is v4."
        ),
        Mistake(
            without_colons,
            "Join the three by colons: without them s1 and s11 run into the rest.",
        ),
        Mistake(other_order, "The order is salt, experiment, seller."),
        Mistake(
            other_hash,
            "That is another hash. SHA-256 is `hashlib.sha256`, the same on every server.",
        ),
        Mistake(place_itself, "That is the place. Below one half return 'v4', else 'v5'."),
    ],
    hints=[
        '`text = f"{salt}:{experiment}:{seller}"`, and `hashlib.sha256(text.encode()).hexdigest()` is its hash.',
        "`int(digest[:13], 16)` is the number of the first 13 hexadecimal digits.",
        '`return "v4" if number / 16**13 < 0.5 else "v5"`',
    ],
)

# 14.2


def parts(variant):
    """Seconds and forms of each seller."""
    return np.array(variant, dtype=float).T


def ratio(variant):
    seconds, forms = parts(variant)
    return seconds.sum() / forms.sum()


def linearised(variant):
    seconds, forms = parts(variant)
    adds = (seconds - ratio(variant) * forms) / forms.mean()
    return float(adds.var(ddof=1)) / len(adds)


def interval(control, new, estimate=ratio, square=linearised, critical=1.96):
    gap = estimate(new) - estimate(control)
    reach = critical * math.sqrt(square(control) + square(new))
    return float(gap - reach), float(gap + reach)


def ratio_difference(control, new):
    return interval(control, new)


def own_ratios(variant):
    seconds, forms = parts(variant)
    return float((seconds / forms).mean())


def square_of_own_ratios(variant):
    seconds, forms = parts(variant)
    return float((seconds / forms).var(ddof=1)) / len(forms)


def mean_of_ratios(control, new):
    return interval(control, new, own_ratios, square_of_own_ratios)


def square_by_form(variant):
    """As if each of a seller's forms had taken the same time, and was a case of its own."""
    seconds, forms = parts(variant)
    each = np.repeat(seconds / forms, forms.astype(int))
    return float(each.var(ddof=1)) / len(each)


def counts_forms(control, new):
    return interval(control, new, square=square_by_form)


def square_of_seconds(variant):
    seconds, forms = parts(variant)
    return float(seconds.var(ddof=1)) / len(seconds) / float(forms.mean()) ** 2


def forms_fixed(control, new):
    return interval(control, new, square=square_of_seconds)


def turned(control, new):
    return interval(new, control)


def one_error(control, new):
    return interval(control, new, critical=1.0)


def of_ninety(control, new):
    return interval(control, new, critical=1.645)


def per_seller(variant):
    return float(parts(variant)[0].mean())


def square_per_seller(variant):
    seconds = parts(variant)[0]
    return float(seconds.var(ddof=1)) / len(seconds)


def seconds_per_seller(control, new):
    return interval(control, new, per_seller, square_per_seller)


def not_divided(control, new):
    return interval(control, new, square=lambda one: linearised(one) * len(one))


def errors_added(control, new):
    gap = ratio(new) - ratio(control)
    reach = 1.96 * (math.sqrt(linearised(control)) + math.sqrt(linearised(new)))
    return float(gap - reach), float(gap + reach)


def error_of_own_ratios(control, new):
    return interval(control, new, square=square_of_own_ratios)


def sold(seed, sellers, effect=0.0, busy=1.0, practice=0.3):
    """Sellers with a pace of their own; who has more forms is quicker, by practice."""
    draw = np.random.RandomState(seed)
    forms = 1 + draw.poisson(draw.gamma(1, 2 * busy, sellers))
    pace = draw.lognormal(0, 0.5, sellers) / forms**practice
    seconds = (40 + effect) * pace * forms * draw.lognormal(0, 0.3, sellers)
    return [
        (round(float(one), 1), int(count))
        for one, count in zip(seconds, forms, strict=True)
    ]


PAIRS = [
    arguments(sold(1, 300, practice=0.5), sold(2, 300, effect=3, practice=0.5)),
    arguments(sold(3, 250), sold(4, 400, effect=-8, busy=0.6)),
    arguments(
        sold(5, 200, busy=2.0, practice=0.0), sold(6, 150, effect=2, busy=2.0, practice=0.0)
    ),
]


def same_ends(result, other):
    """Whether two intervals are the same, but for the luck of drawing again."""
    slack = max(0.06 * abs(other[1] - other[0]), 1e-6)
    return np.shape(result) == (2,) and all(
        abs(end - known) <= slack for end, known in zip(result, other, strict=True)
    )


def holds_the_difference(result, control, new):
    if np.shape(result) != (2,):
        return "Return two numbers, (low, high)."
    gap = ratio(new) - ratio(control)
    low, high = result
    if low > high:
        return "The first end is higher than the second: return (low, high)."
    return low < gap < high or (
        f"The difference of the two ratios, new less control, is {gap:.2f}; your interval is {low:.2f} to {high:.2f}."
    )


DELTA = Exercise(
    id="14.2",
    title="An interval that counts people",
    reference=ratio_difference,
    seconds=30.0,  # drawing again in plain Python is a right answer too
    checks=[
        Check(
            "holds the difference of the two ratios",
            PAIRS,
            predicate=holds_the_difference,
            same=same_ends,
        ),
        Check("is the 95 % interval by seller", PAIRS, same=same_ends),
    ],
    mistakes=[
        Mistake(
            mean_of_ratios,
            "You average the sellers' own ratios. The metric is the sum of seconds over the sum of forms: who has more forms counts more.",
        ),
        Mistake(
            error_of_own_ratios,
            "The ratio is right, but its error is that of the sellers' own ratios, in which one form says as much as twenty.",
        ),
        Mistake(
            counts_forms,
            "You count forms. Sellers were dealt, and a seller's forms are alike: the number of cases is that of sellers.",
        ),
        Mistake(
            forms_fixed,
            "You take the forms for fixed. Sellers with more forms have more seconds too: subtract ratio × forms before you take the variance.",
        ),
        Mistake(turned, "The difference is new less control."),
        Mistake(one_error, "That is one standard error to either side. A 95 % interval has 1.96."),
        Mistake(of_ninety, "That is a 90 % interval. 95 % leave out 2.5 % on either side."),
        Mistake(
            seconds_per_seller,
            "That is seconds per seller. The metric is seconds per form.",
        ),
        Mistake(
            not_divided, "Divide the variance by the number of sellers: a mean of many scatters less than one."
        ),
        Mistake(
            errors_added,
            "You add the two errors. Independent ones add up as squares; take the root at the end.",
        ),
    ],
    hints=[
        "For each variant: `seconds, forms = np.array(variant, dtype=float).T`, and `ratio = seconds.sum() / forms.sum()`.",
        "`adds = (seconds - ratio * forms) / forms.mean()`; the squared error is `adds.var(ddof=1) / len(adds)`.",
        "The interval: difference of the ratios ± 1.96 × root of the sum of both squared errors.",
    ],
)  # fmt: skip

# 14.3


def chi_square(counts, expected):
    return sum(
        (count - one) ** 2 / one for count, one in zip(counts, expected, strict=True)
    )


def expected_of(counts, weights):
    return [sum(counts) * weight / sum(weights) for weight in weights]


def sample_ratio(counts, weights):
    return float(
        stats.chi2.sf(chi_square(counts, expected_of(counts, weights)), len(counts) - 1)
    )


def equal_shares(counts, weights):
    return sample_ratio(counts, [1] * len(counts))


def weights_as_shares(counts, weights):
    expected = [sum(counts) * weight for weight in weights]
    return float(stats.chi2.sf(chi_square(counts, expected), len(counts) - 1))


def of_shares(counts, weights):
    shares = [count / sum(counts) for count in counts]
    return sample_ratio(shares, weights)


def other_tail(counts, weights):
    return 1 - sample_ratio(counts, weights)


def distance_itself(counts, weights):
    return float(chi_square(counts, expected_of(counts, weights)))


def a_degree_too_many(counts, weights):
    return float(
        stats.chi2.sf(chi_square(counts, expected_of(counts, weights)), len(counts))
    )


def always_one_degree(counts, weights):
    return float(stats.chi2.sf(chi_square(counts, expected_of(counts, weights)), 1))


def by_counts(counts, weights):
    expected = expected_of(counts, weights)
    distance = sum(
        (count - one) ** 2 / count for count, one in zip(counts, expected, strict=True)
    )
    return float(stats.chi2.sf(distance, len(counts) - 1))


def yes_or_no(counts, weights):
    return sample_ratio(counts, weights) < 0.001


def close(result, other):
    """To a per mille of the value, so that small p-values count too."""
    return np.ndim(result) == 0 and math.isclose(
        float(result), float(other), rel_tol=1e-3, abs_tol=1e-200
    )


def is_probability(result, counts, weights):
    if isinstance(result, (bool, np.bool_)):
        return "That is a verdict. Return the p-value; who decides compares it with a threshold."
    if np.ndim(result):
        return "Return one number, the p-value alone."
    return 0 <= result <= 1 or f"{result:.4g} is no probability."


TWO = [
    arguments([600, 400], [1, 1]),
    arguments([821_588, 815_482], [1, 1]),
    arguments([5_040, 4_960], [1, 1]),
]

RATIO = Exercise(
    id="14.3",
    title="The sample-ratio test",
    reference=sample_ratio,
    checks=[
        Check("gives a probability", TWO, predicate=is_probability, same=close),
        Check("tests two equal weights", TWO, same=close),
        Check("gives 1 where the counts fit", [arguments([500, 500], [2, 2]), arguments([10, 90], [0.1, 0.9])], same=close_to(1e-9)),
        Check(
            "takes weights that differ, and do not add up to 1",
            [arguments([1_030, 9_100], [1, 9]), arguments([700, 310], [0.2, 0.1])],
            same=close,
        ),
        Check(
            "takes three variants and more",
            [arguments([1_000, 1_000, 900], [1, 1, 1]), arguments([510, 240, 250, 1_040], [2, 1, 1, 4])],
            same=close,
        ),
    ],
    mistakes=[
        Mistake(equal_shares, "You expect equal counts, whatever the weights are."),
        Mistake(weights_as_shares, "Weights need not add up to 1: divide each by their sum."),
        Mistake(of_shares, "Chi-square is of counts. Of shares it does not know how many people there were."),
        Mistake(other_tail, "That is the other tail: counts that fit have a p-value near 1. Take `chi2.sf`."),
        Mistake(distance_itself, "That is the distance. `stats.chi2.sf(distance, variants - 1)` is its p-value."),
        Mistake(a_degree_too_many, "The counts add up to a fixed total, so one degree of freedom is gone: variants - 1."),
        Mistake(always_one_degree, "With more variants there are more degrees of freedom: variants - 1."),
        Mistake(by_counts, "Divide each square by the *expected* count."),
        Mistake(yes_or_no, "That is a verdict. Return the p-value; who decides compares it with a threshold."),
    ],
    hints=[
        "Expected is `sum(counts) * weight / sum(weights)`, for each variant.",
        "The distance is the sum of `(count - expected) ** 2 / expected`.",
        "`stats.chi2.sf(distance, len(counts) - 1)`; or `stats.chisquare(counts, expected).pvalue`.",
    ],
)  # fmt: skip

# 14.4


def decide_with(
    order="hpc", *, strict=0.001, safe="low", harm=True, waits=True, better=True, loss=0
):
    """The rules, with one thing done in another way. `order`: hold, harm (p), go on (c)."""

    def decide(gain, guardrail, tolerance, p_value, complete):
        for rule in order:
            if rule == "h" and p_value < strict:
                return "hold"
            if rule == "p" and (
                (harm and guardrail[1] < -tolerance) or gain[1] < -loss * tolerance
            ):
                return "do not ship"
            if rule == "c" and waits and not complete:
                return "go on"
        kept = {"low": guardrail[0] > -tolerance, "zero": guardrail[0] > 0, "ignored": True}
        wanted = gain[0] > 0 or not better
        return "ship" if wanted and kept[safe] else "do not ship"

    return decide


def middle_of_the_gain(gain, guardrail, tolerance, p_value, complete):
    centre = sum(gain) / 2
    return decide_with()((centre, centre), guardrail, tolerance, p_value, complete)


def any_loss_stops(gain, guardrail, tolerance, p_value, complete):
    return decide_with()(gain, guardrail, 0, p_value, complete)


def five_per_cent(gain, guardrail, tolerance, p_value, complete):
    return decide_with(strict=0.05)(gain, guardrail, tolerance, p_value, complete)


def undecided_goes_on(gain, guardrail, tolerance, p_value, complete):
    said = decide_with()(gain, guardrail, tolerance, p_value, complete)
    held = gain[0] < 0 < gain[1]
    return "go on" if said == "do not ship" and held and guardrail[1] > -tolerance else said


SAFE, UNSURE, HARM = (-0.01, 0.02), (-0.03, 0.01), (-0.06, -0.03)
BETTER, NOTHING, WORSE = (0.1, 0.3), (-0.1, 0.2), (-0.4, -0.1)


def case(gain, guardrail, p_value=0.4, complete=True, tolerance=0.02):
    return arguments(gain, guardrail, tolerance, p_value, complete)


DECIDE = Exercise(
    id="14.4",
    title="Decide",
    reference=decide_with(),
    checks=[
        Check("ships what is better and safe", [case(BETTER, SAFE), case((2, 9), (-4, 1), tolerance=5)]),
        Check(
            "holds at a sample-ratio mismatch, whatever else",
            [case(BETTER, SAFE, 1e-6), case(BETTER, SAFE, 0.0008), case(WORSE, HARM, 1e-6), case(NOTHING, SAFE, 0.0009, complete=False)],
        ),
        Check(
            "does not ship what is worse, or harms the guardrail, also before the end",
            [case(WORSE, SAFE), case(WORSE, SAFE, complete=False), case(BETTER, HARM), case(BETTER, HARM, complete=False), case((-0.4, -0.01), SAFE, complete=False)],
        ),
        Check(
            "goes on while people are missing and no harm is shown",
            [case(BETTER, SAFE, complete=False), case(NOTHING, UNSURE, complete=False), case(BETTER, (-0.018, -0.002), complete=False)],
        ),
        Check(
            "does not ship at the end what is not shown to be better and safe",
            [case(NOTHING, SAFE), case((-0.3, 0.1), SAFE), case(BETTER, UNSURE), case(NOTHING, UNSURE)],
        ),
        Check(
            "takes what is equal to a limit for neither above nor below it",
            [
                case(BETTER, SAFE, 0.001),
                case((-0.2, 0), SAFE, complete=False),
                case(BETTER, (-0.05, -0.02), complete=False),
                case((0, 0.3), SAFE),
                case(BETTER, (-0.02, 0.01)),
            ],
        ),
        Check(
            "takes the strict threshold of the sample ratio, and the tolerance",
            [case(BETTER, SAFE, 0.01), case(BETTER, SAFE, 0.002), case(BETTER, (-0.018, -0.002)), case(BETTER, (0.01, 0.04), tolerance=0)],
        ),
    ],
    mistakes=[
        Mistake(decide_with("pc"), "A mismatch was read over. Where people were lost, no interval is true: look at p first."),
        Mistake(decide_with("pch"), "The mismatch comes too late. Where people were lost, no interval is true: look at p first."),
        Mistake(decide_with("hcp"), "Harm waits for nobody: it comes before the question whether all people are there."),
        Mistake(decide_with(waits=False), "Not all people are there, and you decide for good: a gain seen early may be luck."),
        Mistake(decide_with(safe="ignored"), "At the end the guardrail must be safe: its *whole* interval, the bad end too, above minus the tolerance."),
        Mistake(decide_with(safe="zero"), "A guardrail need not get better: a loss within the tolerance is allowed."),
        Mistake(decide_with(harm=False), "A guardrail that shows harm ends the experiment, even before all people are there."),
        Mistake(decide_with(better=False), "At the end the gain has no say in yours, or its good end alone: its *whole* interval must lie above 0."),
        Mistake(decide_with(loss=math.inf), "A gain that is wholly below 0 ends the experiment, too, even before all people are there."),
        Mistake(decide_with(loss=1), "The tolerance is the guardrail's alone. The gain is worse as soon as its whole interval lies below 0."),
        Mistake(middle_of_the_gain, "You look at the middle of the gain. Its whole interval must lie above 0, or below."),
        Mistake(any_loss_stops, "Your rule has no tolerance: losses up to it are allowed."),
        Mistake(five_per_cent, "The test is made often, so its threshold is strict: 0.001."),
        Mistake(undecided_goes_on, "All planned people are there, and nothing is shown: who goes on now looks until luck helps."),
    ],
    hints=[
        'First line: `if p_value < 0.001: return "hold"`.',
        "An interval `(low, high)` lies wholly below 0 if `high < 0`, wholly above minus the tolerance if `low > -tolerance`.",
        "Write the five rules as five `if`s, in their order; each returns.",
    ],
)  # fmt: skip

exercises = [ASSIGN, DELTA, RATIO, DECIDE]

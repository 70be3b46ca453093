"""Hidden and public checks of homework 4, and the experiments that are drawn for each student; not for students."""

from __future__ import annotations

import hashlib
import math
import statistics
from functools import partial

from aicourse.notebook.checks import Check, Mistake, arguments, equal
from aicourse.tooling.grading.authoring.checks_file import Planted
from aicourse.tooling.grading.sandbox.execution import Limits

seed = "first edition"
limits = Limits(notebook_seconds=90, cell_seconds=30)
files = ["experiments.json"]

NORMAL = 1.959964
EQUAL = {"v4": 1, "v5": 1}


def is_close(answer, expected, tolerance=1e-6):
    is_number = isinstance(answer, (int, float)) and not isinstance(answer, bool)
    return is_number and math.isclose(answer, expected, abs_tol=tolerance)


# 1 · Who gets what?


def assign(person, salt, weights, *, text="{salt}:{person}", total=sum):
    digest = hashlib.sha256(text.format(salt=salt, person=person).encode()).hexdigest()
    place, end = int(digest[:13], 16) / 16**13, 0.0
    for variant, weight in weights.items():
        end += weight / total(weights.values())
        if place < end:
            return variant
    return variant


def without_salt(person, salt, weights):
    return assign(person, salt, weights, text="{person}")


def person_first(person, salt, weights):
    return assign(person, salt, weights, text="{person}:{salt}")


def equal_parts(person, salt, weights):
    return assign(person, salt, dict.fromkeys(weights, 1))


def not_shared_out(person, salt, weights):
    return assign(person, salt, weights, total=lambda values: 1)


def draw_people(weights):
    """Forty people and a salt, to be dealt with these weights."""

    def draw(rng):
        salt = f"salt {rng.getrandbits(32)}"
        return [arguments(f"s{rng.randrange(10_000)}", salt, weights) for _ in range(40)]

    return draw


q1 = partial(
    Check,
    question="q1",
    target="assign",
    reference=assign,
    mistakes=[
        Mistake(without_salt, "Without the salt, each experiment deals the same people together."),
        Mistake(person_first, "The text is the salt, a colon, the person, in this order."),
        Mistake(equal_parts, "The weights say how long each variant's stretch is; yours are all equal."),
        Mistake(not_shared_out, "Weights need not add up to 1: divide each by their sum."),
    ],
)

# 2 · Is the log sound?


def look_over(exposures, weights, *, once=True, apart=True, weighted=True):
    met = {}
    for one in exposures:
        met.setdefault(one["person"], []).append(one["variant"])
    several = sorted(person for person, variants in met.items() if len(set(variants)) > 1)
    counted = dict.fromkeys(weights, 0)
    for variants in met.values():
        if len(set(variants)) == 1 or not apart:
            counted[variants[0]] += 1 if once else len(variants)
    shares = weights if weighted else dict.fromkeys(weights, 1)
    return {"people": counted, "several": several, "p": ratio_p(counted, shares)}


def ratio_p(counted, weights):
    """The p-value of Pearson's chi-square for two variants."""
    people, total = sum(counted.values()), sum(weights.values())
    expected = {name: people * weight / total for name, weight in weights.items()}
    distance = sum((counted[name] - expected[name]) ** 2 / expected[name] for name in weights)
    return math.erfc(math.sqrt(distance / 2))


def counts_exposures(exposures, weights):
    return look_over(exposures, weights, once=False)


def keeps_several(exposures, weights):
    return look_over(exposures, weights, apart=False)


def ignores_weights(exposures, weights):
    return look_over(exposures, weights, weighted=False)


def same_log(answer, expected):
    return (
        isinstance(answer, dict)
        and all(equal(answer.get(name), expected[name]) for name in ("people", "several"))
        and is_close(answer.get("p"), expected["p"])
    )


def log_of(*people):
    """('A', 'v4', 'v4'), … -> one exposure for each variant that a person met."""
    return [{"person": person, "variant": one} for person, *variants in people for one in variants]


def draw_logs(weights=EQUAL, repeats=0, several=0):
    """A log of about fifty people in any order; some come back, some meet both variants."""

    def draw(rng):
        people = [
            (f"s{number}", *rng.choices(list(weights), list(weights.values())))
            for number in range(rng.randint(45, 60))
        ]
        both = [(f"t{number}", *rng.sample(list(weights), 2)) for number in range(several)]
        exposures = log_of(*people, *both)
        exposures += [one for one in exposures for _ in range(repeats) if one["variant"] == "v4"]
        rng.shuffle(exposures)
        return [arguments(exposures, weights)]

    return draw


q2 = partial(
    Check,
    question="q2",
    target="look_over",
    reference=look_over,
    same=same_log,
    mistakes=[
        Mistake(counts_exposures, "You count exposures. People were dealt: count each person once."),
        Mistake(keeps_several, "Who met several variants belongs to none: do not count them."),
        Mistake(ignores_weights, "What is expected follows the weights, which need not be equal."),
    ],
)

# 3 · By how much?


def ratio_arm(pairs):
    """The ratio of two sums, and its squared error by people (delta method)."""
    ratio = sum(one for one, _ in pairs) / sum(forms for _, forms in pairs)
    mean = statistics.fmean(forms for _, forms in pairs)
    adds = [(one - ratio * forms) / mean for one, forms in pairs]
    return ratio, statistics.variance(adds) / len(adds)


def ratio_difference(control, new, *, arm=ratio_arm):
    (old, old_square), (now, new_square) = arm(control), arm(new)
    reach = NORMAL * math.sqrt(old_square + new_square)
    return [now - old, now - old - reach, now - old + reach]


def other_sign(control, new):
    return ratio_difference(new, control)


def mean_of_ratios(control, new):
    def arm(pairs):
        ratios = [one / forms for one, forms in pairs]
        return statistics.fmean(ratios), statistics.variance(ratios) / len(ratios)

    return ratio_difference(control, new, arm=arm)


def by_form(control, new):
    def arm(pairs):
        forms = [one / forms for one, forms in pairs for _ in range(forms)]
        return statistics.fmean(forms), statistics.variance(forms) / len(forms)

    return ratio_difference(control, new, arm=arm)


def same_difference(answer, expected):
    return isinstance(answer, (list, tuple)) and len(answer) == 3 and is_close(answer[0], expected[0])


def near(answer, expected):
    """The difference exactly; the ends but for the luck of draws, or t in place of z."""
    allowed = (expected[2] - expected[1]) / 10 + 1e-6
    return same_difference(answer, expected) and all(
        is_close(mine, theirs, allowed) for mine, theirs in zip(answer[1:], expected[1:], strict=True)
    )


def some_forms(rng, mean=3):
    return 1 + sum(rng.random() < (mean - 1) / 8 for _ in range(8))


def draw_pairs(rng):
    """Two variants of 150 people, each with a pace of their own in all their forms."""
    made = []
    for shift in (0, rng.choice([-6, 5, 9])):
        forms = [some_forms(rng) for _ in range(150)]
        made.append([(round(one * (40 * rng.lognormvariate(0, 0.4) + shift), 2), one) for one in forms])
    return [arguments(*made)]


q3 = partial(
    Check,
    question="q3",
    target="ratio_difference",
    reference=ratio_difference,
    seconds=20,
    mistakes=[
        Mistake(other_sign, "The difference is new less control; yours has the other sign."),
        Mistake(mean_of_ratios, "A mean of each person's ratio is another metric: divide sum by sum."),
        Mistake(by_form, "Forms of one person are alike. Count people, or the interval is too narrow."),
    ],
)

# 4 · Three experiments

TOLERANCE = 0.05


def facts_of(people):
    """The p of the sample ratio, and the differences of seconds and of published per form."""
    counted = {name: sum(one[0] == name for one in people) for name in EQUAL}

    def compare(column):
        control, new = ([(one[column], one[2]) for one in people if one[0] == name] for name in EQUAL)
        return ratio_difference(control, new)

    return ratio_p(counted, EQUAL), compare(1), compare(3)


def decide(people, planned, *, looks=True, waits=True, gain_end=2, loss_end=1, sign=1):
    ratio, seconds, published = facts_of(people)
    if looks and ratio < 0.001:
        return ["go on", "sample ratio"]
    if waits and len(people) < planned:
        return ["go on", "too few people"]
    worst = sorted(sign * end for end in seconds)[2] if gain_end == 2 else sign * seconds[0]
    if worst >= 0:
        return ["do not ship", "no gain"]
    if published[loss_end] < -TOLERANCE:
        return ["do not ship", "guardrail"]
    return ["ship", "gain"]


def reads_a_broken_log(people, planned):
    return decide(people, planned, looks=False)


def peeks(people, planned):
    return decide(people, planned, waits=False)


def sign_only(people, planned):
    return decide(people, planned, gain_end=0)


def guardrail_by_estimate(people, planned):
    return decide(people, planned, loss_end=0)


def more_seconds_are_better(people, planned):
    return decide(people, planned, sign=-1)


def play(rng, seconds=0.0, published=0.0, lost=False, count=1_000):
    """One experiment: variant, seconds, forms and published forms of each person."""
    people = []
    for name in EQUAL:
        is_new = name == "v5"
        for _ in range(count):
            forms = some_forms(rng)
            each = 40 * rng.lognormvariate(0, 0.4) + seconds * is_new
            done = sum(rng.random() < 0.7 + published * is_new for _ in range(forms))
            if not (lost and is_new and each > 45):
                people.append((name, round(forms * max(each, 1), 1), forms, done))
    rng.shuffle(people)
    return people


def is_clear(people):
    """True if no other right way to compute an interval could decide differently."""
    ratio, seconds, published = facts_of(people)
    ends = [seconds[2] / (seconds[2] - seconds[1])]
    ends += [(end + TOLERANCE) / (published[2] - published[1]) for end in published]
    return not 1e-5 < ratio < 0.02 and all(abs(end) > 0.1 for end in ends)


def draw_experiment(wanted, planned=0, **effects):
    """An experiment that is decided so, drawn again while it is near an edge or another."""

    def draw(rng):
        while True:
            people = play(rng, **effects)
            least = planned or len(people)
            seconds = facts_of(people)[1]
            is_wanted = decide(people, least)[1] == wanted and (wanted != "no gain" or seconds[0] < 0)
            is_tempting = wanted != "guardrail" or guardrail_by_estimate(people, least)[0] == "ship"
            if is_wanted and is_tempting and is_clear(people):
                return [arguments(people, least)]

    return draw


FOUR = [("v4", 60.0, 1, 1), ("v4", 140.0, 2, 1), ("v5", 30.0, 1, 1), ("v5", 75.0, 2, 2)]

q4 = partial(
    Check,
    question="q4",
    target="decide",
    reference=decide,
    same=lambda answer, expected: isinstance(answer, (list, tuple)) and list(answer) == expected,
    seconds=20,
    mistakes=[
        Mistake(reads_a_broken_log, "First ask if people were lost: from a log with a mismatch, read nothing."),
        Mistake(peeks, "The planned people are not there yet. A look before is peeking."),
        Mistake(sign_only, "A difference below 0 is not shown while its interval holds 0."),
        Mistake(guardrail_by_estimate, "A guardrail is safe when its interval's low end is, not its middle."),
        Mistake(more_seconds_are_better, "Fewer seconds are better: a gain is a difference below 0."),
    ],
)

checks = [
    q1(
        name="deals three people as the package does",
        points=1,
        inputs=[arguments(person, "autumn", EQUAL) for person in ("s1", "s2", "s3", "s4", "s5", "s6")],
        public=True,
    ),
    q1(name="deals anybody with any salt", points=1, inputs=draw_people(EQUAL)),
    q1(name="follows the weights", points=1, inputs=draw_people({"v4": 9, "v5": 1})),
    q1(name="deals more than two variants", points=1, inputs=draw_people({"v4": 5, "v5": 2, "v6": 1})),
    q2(
        name="gives the worked example",
        points=1,
        inputs=[arguments(log_of(("A", "v4", "v4"), ("B", "v5"), ("C", "v4", "v5")), EQUAL)],
        same=equal,
        public=True,
    ),
    q2(name="counts who comes back once", points=1, inputs=draw_logs(repeats=2)),
    q2(name="sets people with several variants apart", points=1, inputs=draw_logs(several=4)),
    q2(name="tests against the weights", points=2, inputs=draw_logs({"v4": 3, "v5": 1})),
    q3(
        name="gives no width where all people are alike",
        points=1,
        inputs=[arguments([(10.0, 1), (20.0, 2)], [(12.0, 1), (24.0, 2)])],
        same=equal,
        public=True,
    ),
    q3(name="gives the difference of the ratios", points=1, inputs=draw_pairs, same=same_difference),
    q3(name="gives an interval that counts people", points=3, inputs=draw_pairs, same=near),
    q4(
        name="waits for the planned people",
        points=1,
        inputs=[arguments(FOUR, 2_000)],
        same=equal,
        public=True,
    ),
    q4(
        name="waits also when a gain is in sight",
        points=1,
        inputs=draw_experiment("too few people", planned=6_000, seconds=-5.0),
    ),
    q4(name="ships a gain that is shown and safe", points=2, inputs=draw_experiment("gain", seconds=-5.0)),
    q4(name="does not ship what is not shown", points=1, inputs=draw_experiment("no gain", seconds=-0.8)),
    q4(
        name="does not ship what may break the guardrail",
        points=2,
        inputs=draw_experiment("guardrail", seconds=-5.0, published=-0.035),
    ),
    q4(
        name="reads nothing from a log that lost people",
        points=2,
        inputs=draw_experiment("sample ratio", lost=True),
    ),
]

# What students hand in, and what it must cost.
ASSIGN = """
import hashlib

def assign(person, salt, weights):
    number = int(hashlib.sha256({text}.encode("utf-8")).hexdigest()[:13], 16)
    names, parts = list(weights), {parts}
    place = number / 16**13 * {total}
    for name, part in zip(names, parts):
        if place < part:
            return name
        place -= part
    return names[-1]
"""


def assign_source(text='(salt + ":" + person)', parts="list(weights.values())", total="sum(parts)"):
    return ASSIGN.format(text=text, parts=parts, total=total)


LOG = """
def look_over(exposures, weights):
    from scipy import stats

    {pairs}
    persons = [person for person, _ in set(pairs)]
    several = sorted({{person for person in persons if persons.count(person) > 1}})
    people = {{}}
    for name in weights:
        people[name] = sum(1 for person, variant in pairs if variant == name{apart})
    parts = {parts}
    expected = [sum(people.values()) * part / sum(parts) for part in parts]
    p = stats.chisquare(list(people.values()), expected).pvalue
    return {{"p": float(p), "several": several, "people": people}}
"""


def log_source(
    pairs='pairs = {(one["person"], one["variant"]) for one in exposures}',
    apart=" and person not in several",
    parts="list(weights.values())",
):
    return LOG.format(pairs=pairs, apart=apart, parts=parts)


FIRST_ONLY = """pairs = set()
    known = {}
    for one in exposures:
        pairs.add((one["person"], one["variant"]))
        known.setdefault(one["person"], one["variant"])"""

DIFFERENCE = """
def ratio_difference(control, new):
    import numpy as np

    def arm(pairs):
        x, n = np.array(pairs, dtype=float).T
        {arm}

    (a, ea), (b, eb) = arm(control), arm(new)
    gap, reach = {sign}(b - a), 1.96 * (ea + eb) ** 0.5
    return [float(gap), float(gap - reach), float(gap + reach)]
"""
DELTA = """r = x.sum() / n.sum()
        return r, ((x - r * n) / n.mean()).var(ddof=1) / len(x)"""
MEAN_OF_RATIOS = "return (x / n).mean(), (x / n).var(ddof=1) / len(x)"
BY_FORM = """each = np.repeat(x / n, n.astype(int))
        return each.mean(), each.var(ddof=1) / len(each)"""


def difference_source(arm=DELTA, sign=""):
    return DIFFERENCE.format(arm=arm, sign=sign)


DECIDE = """
def decide(people, planned):
    import numpy as np
    from scipy import stats

    counts = [sum(one[0] == name for one in people) for name in ("v4", "v5")]
    if {looks}stats.chisquare(counts).pvalue < 0.001:
        return ["go on", "sample ratio"]
    if {waits}len(people) < planned:
        return ["go on", "too few people"]

    def change(column):
        ratios, squares = [], []
        for name in ("v4", "v5"):
            x, n = np.array([(one[column], one[2]) for one in people if one[0] == name], dtype=float).T
            ratios.append(x.sum() / n.sum())
            squares.append(((x - ratios[-1] * n) / n.mean()).var(ddof=1) / len(x))
        gap, reach = ratios[1] - ratios[0], 1.96 * sum(squares) ** 0.5
        return gap, gap - reach, gap + reach

    gap, low, high = change(1)
    if not ({gain}):
        return ["do not ship", "no gain"]
    gap, low, high = change(3)
    if {loss} < -0.05:
        return ["do not ship", "guardrail"]
    return ["ship", "gain"]
"""


def decide_source(looks="", waits="", gain="high < 0", loss="low"):
    return DECIDE.format(looks=looks, waits=waits, gain=gain, loss=loss)


planted = [
    Planted("q1", "no salt", 4, "deals the same people together", assign_source(text="person")),
    Planted(
        "q1", "person first", 4, "in this order", assign_source(text='(person + ":" + salt)')
    ),
    Planted("q1", "equal parts", 2, "yours are all equal", assign_source(parts="[1] * len(weights)")),
    Planted("q1", "weights as they are", 4, "divide each by their sum", assign_source(total="1")),
    Planted(
        "q2",
        "counts exposures",
        2,
        "count each person once",
        log_source(pairs='pairs = [(one["person"], one["variant"]) for one in exposures]'),
    ),
    Planted(
        "q2",
        "keeps several",
        2,
        "belongs to none",
        log_source(pairs=FIRST_ONLY, apart=" and known[person] == name"),
    ),
    Planted("q2", "equal weights", 2, "follows the weights", log_source(parts="[1] * len(weights)")),
    Planted("q3", "the other sign", 5, "has the other sign", difference_source(sign="-")),
    Planted("q3", "mean of ratios", 4, "divide sum by sum", difference_source(arm=MEAN_OF_RATIOS)),
    Planted("q3", "by form", 3, "Forms of one person are alike", difference_source(arm=BY_FORM)),
    Planted("q4", "no ratio test", 2, "read nothing", decide_source(looks="False and ")),
    Planted("q4", "peeks", 2, "is peeking", decide_source(waits="False and ")),
    Planted("q4", "the sign alone", 1, "holds 0", decide_source(gain="gap < 0")),
    Planted("q4", "guardrail by its middle", 2, "not its middle", decide_source(loss="gap")),
    Planted("q4", "more is better", 4, "Fewer seconds are better", decide_source(gain="low > 0")),
]

alternatives = {
    "q1": [assign_source()],
    "q2": [log_source()],
    "q3": [difference_source()],
    "q4": [decide_source()],
    # answers of simulated students to the questions that people grade
    "q5": [
        "A ship, B ship, C ship. In all three the seconds went down.",
        "A: do not ship, the guardrail may lose more than 0.05. B: go on, people were lost in v5, so the "
        "gain is not known; find the client and start anew with a new salt. C: go on, too few people.",
        "A is faster, but fewer forms are published. B is the best, by far. C needs more people.",
    ],
    "q6": [
        "Yes, p < 0.05 is significant, stop and ship.",
        "No. Ten looks at 5 % each err in about 19 %. Wait for the planned people, or plan an "
        "always-valid interval next time, which may be looked at each day.",
        "No, because three days are no whole week.",
    ],
}

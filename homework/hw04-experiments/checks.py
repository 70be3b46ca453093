"""Hidden and public checks of homework 4, and the experiments drawn for each student; not for students."""

from __future__ import annotations

import hashlib
import math
import statistics
from functools import lru_cache, partial

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


def assign(person, salt, weights, *, text="{salt}:{person}", order=list, total=sum, adds_up=True):
    digest = hashlib.sha256(text.format(salt=salt, person=person).encode()).hexdigest()
    place, end = int(digest[:13], 16) / 16**13, 0.0
    for variant in order(weights):
        end = end * adds_up + weights[variant] / total(weights.values())
        if place < end:
            return variant
    return variant


def equal_parts(person, salt, weights):
    return assign(person, salt, dict.fromkeys(weights, 1))


def draw_people(weights):
    """Forty people and a salt, to be dealt with these weights."""

    def draw(rng):
        salt = f"salt {rng.getrandbits(32)}"
        return [arguments(f"s{rng.randrange(10_000)}", salt, weights) for _ in range(40)]

    return draw


OTHER_TEXT = "The text is the salt, a colon, the person, in this order."

q1 = partial(
    Check,
    question="q1",
    target="assign",
    reference=assign,
    message="Compare your place of one person with the example in the text.",
    mistakes=[
        Mistake(
            partial(assign, text="{person}"),
            "Without the salt, all experiments deal the same people together.",
        ),
        Mistake(partial(assign, text="{person}:{salt}"), OTHER_TEXT),
        Mistake(partial(assign, text="{salt}{person}"), OTHER_TEXT),
        Mistake(equal_parts, "The weights say how long each variant's stretch is; yours are all equal."),
        Mistake(
            partial(assign, total=lambda values: 1), "Weights need not add up to 1: divide each by their sum."
        ),
        Mistake(partial(assign, order=sorted), "The stretches lie in the order of the dictionary."),
        Mistake(partial(assign, adds_up=False), "Each stretch begins where the one before it ends."),
    ],
)

# 2 · Is the log sound?


def look_over(exposures, weights, *, once=True, kinds=set, several_in=lambda variants: [], weighted=True):
    """`several_in` gives, of the variants that one person met, those in which the person is counted."""
    met = {}
    for one in exposures:
        met.setdefault(one["person"], []).append(one["variant"])
    several = sorted(person for person, variants in met.items() if len(kinds(variants)) > 1)
    counted = dict.fromkeys(weights, 0)
    for person, variants in met.items():
        if person in several:
            variants = several_in(variants)
        for variant in set(variants) if once else variants:
            counted[variant] += 1
    shares = weights if weighted else dict.fromkeys(weights, 1)
    return {"people": counted, "several": several, "p": ratio_p(counted, shares)}


def ratio_p(counted, weights):
    """The p-value of Pearson's chi-square for two variants."""
    people, total = sum(counted.values()), sum(weights.values())
    expected = {name: people * weight / total for name, weight in weights.items()}
    distance = sum((counted[name] - expected[name]) ** 2 / expected[name] for name in weights)
    return math.erfc(math.sqrt(distance / 2))


def same_people(answer, expected):
    return isinstance(answer, dict) and equal(answer.get("people"), expected["people"])


def same_several(answer, expected):
    return same_people(answer, expected) and equal(answer.get("several"), expected["several"])


def same_p(answer, expected):
    return isinstance(answer, dict) and is_close(answer.get("p"), expected["p"])


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


BELONGS_TO_NONE = "Who met several variants belongs to none: do not count them."

q2 = partial(
    Check,
    question="q2",
    target="look_over",
    reference=look_over,
    mistakes=[
        Mistake(
            partial(look_over, once=False), "You count exposures. People were dealt: count each person once."
        ),
        Mistake(partial(look_over, several_in=lambda variants: variants[:1]), BELONGS_TO_NONE),
        Mistake(partial(look_over, several_in=lambda variants: variants[-1:]), BELONGS_TO_NONE),
        Mistake(partial(look_over, several_in=list), BELONGS_TO_NONE),
        Mistake(partial(look_over, kinds=list), "Who comes back to the same variant has met only one."),
        Mistake(
            partial(look_over, weighted=False),
            "What is expected follows the weights; they need not be equal.",
        ),
    ],
)

# 3 · By how much?


def ratio_arm(pairs, *, adds=lambda seconds, forms, ratio, mean: (seconds - ratio * forms) / mean):
    """The ratio of two sums, and its squared error by people (delta method)."""
    ratio = sum(seconds for seconds, _ in pairs) / sum(forms for _, forms in pairs)
    mean = statistics.fmean(forms for _, forms in pairs)
    added = [adds(seconds, forms, ratio, mean) for seconds, forms in pairs]
    return ratio, statistics.variance(added) / len(added)


def alike_arm(pairs):
    """All forms as if each had its own person."""
    forms = [seconds / forms for seconds, forms in pairs for _ in range(forms)]
    return statistics.fmean(forms), statistics.variance(forms) / len(forms)


def mean_arm(pairs):
    """The mean of each person's own ratio, which is another metric."""
    ratios = [seconds / forms for seconds, forms in pairs]
    return statistics.fmean(ratios), statistics.variance(ratios) / len(ratios)


def person_arm(pairs):
    """The mean of the people's sums, whatever their forms: another metric, too."""
    return ratio_arm([(seconds, 1) for seconds, _ in pairs])


def ratio_difference(control, new, *, arm=ratio_arm):
    (old, old_square), (now, new_square) = arm(control), arm(new)
    reach = NORMAL * math.sqrt(old_square + new_square)
    return [now - old, now - old - reach, now - old + reach]


def other_sign(control, new):
    return ratio_difference(new, control)


seconds_alone = partial(ratio_arm, adds=lambda seconds, forms, ratio, mean: seconds / mean)
unweighted = partial(ratio_arm, adds=lambda seconds, forms, ratio, mean: seconds / forms)


def same_difference(answer, expected):
    return isinstance(answer, (list, tuple)) and len(answer) == 3 and is_close(answer[0], expected[0])


def near(answer, expected):
    """The difference exactly; the ends but for the luck of draws, or t in place of z."""
    allowed = (expected[2] - expected[1]) / 15 + 1e-6
    return same_difference(answer, expected) and all(
        is_close(mine, theirs, allowed) for mine, theirs in zip(answer[1:], expected[1:], strict=True)
    )


def some_forms(rng):
    """Most people fill in few forms, some many: 2.5 on average."""
    return rng.choice([1, 1, 1, 2, 2, 8])


def draw_pairs(rng):
    """Two variants of 400 people, each with a pace of their own in all their forms."""
    made = []
    for shift in (0, rng.choice([-6, 5, 9])):
        forms = [some_forms(rng) for _ in range(400)]
        made.append([(round(one * (40 * rng.lognormvariate(0, 0.4) + shift), 2), one) for one in forms])
    return [arguments(*made)]


WHAT_A_PERSON_ADDS = (
    "People differ in forms, too, and who has many counts more: "
    "what one person adds is seconds less ratio times forms."
)

OTHER_SIGN = Mistake(other_sign, "The difference is new less control; yours has the other sign.")

q3 = partial(
    Check,
    question="q3",
    target="ratio_difference",
    reference=ratio_difference,
    seconds=20,
    mistakes=[
        OTHER_SIGN,
        Mistake(
            partial(ratio_difference, arm=mean_arm),
            "A mean of each person's ratio is another metric: divide sum by sum.",
        ),
        Mistake(
            partial(ratio_difference, arm=alike_arm),
            "Forms of one person are alike. Count people, or the interval is too narrow.",
        ),
        Mistake(partial(ratio_difference, arm=seconds_alone), WHAT_A_PERSON_ADDS),
        Mistake(partial(ratio_difference, arm=unweighted), WHAT_A_PERSON_ADDS),
    ],
)

# 4 · Decide

TOLERANCE = 0.05
WAITS = {"sample ratio": "hold", "too few people": "go on"}


@lru_cache(maxsize=32)  # reference and mistakes ask for the same people
def facts_of(people, arm=ratio_arm, guardrail_arm=ratio_arm):
    """The p of the sample ratio, and the differences of seconds and of published per form, by their arms."""
    counted = {name: sum(one[0] == name for one in people) for name in EQUAL}

    def compare(column, arm):
        control, new = ([(one[column], one[2]) for one in people if one[0] == name] for name in EQUAL)
        return ratio_difference(control, new, arm=arm)

    return ratio_p(counted, EQUAL), compare(1, arm), compare(3, guardrail_arm)


def decide(
    people,
    planned,
    *,
    waits_for=tuple(WAITS),
    count=len,
    arm=ratio_arm,
    guardrail_arm=ratio_arm,
    is_gain=lambda gap, low, high: high < 0,
    loss=lambda gap, low, high: low,
    tolerance=TOLERANCE,
    least_p=0.001,
    guardrail_first=False,
):
    ratio, seconds, published = facts_of(tuple(people), arm, guardrail_arm)
    has_to_wait = {"sample ratio": ratio < least_p, "too few people": count(people) < planned}
    for reason in waits_for:
        if has_to_wait[reason]:
            return [WAITS[reason], reason]
    fails = {"no gain": not is_gain(*seconds), "guardrail": loss(*published) < -tolerance}
    for reason in reversed(fails) if guardrail_first else fails:
        if fails[reason]:
            return ["do not ship", reason]
    return ["ship", "gain"]


reads_a_broken_log = partial(decide, waits_for=["too few people"])
waits_first = partial(decide, waits_for=["too few people", "sample ratio"])
peeks = partial(decide, waits_for=["sample ratio"])
sign_only = partial(decide, is_gain=lambda gap, low, high: gap < 0)
any_difference = partial(decide, is_gain=lambda gap, low, high: high < 0 or low > 0)
more_is_better = partial(decide, is_gain=lambda gap, low, high: low > 0)
counts_forms = partial(decide, arm=alike_arm)
mean_of_means = partial(decide, arm=mean_arm)
mean_guardrail = partial(decide, guardrail_arm=mean_arm)
by_person = partial(decide, arm=person_arm)
guardrail_by_estimate = partial(decide, loss=lambda gap, low, high: gap)
no_tolerance = partial(decide, tolerance=0)
relative_tolerance = partial(decide, tolerance=0.7 * TOLERANCE)
usual_p = partial(decide, least_p=0.05)
guardrail_first = partial(decide, guardrail_first=True)


def smaller_variant(people):
    return min(sum(one[0] == name for one in people) for name in EQUAL)


def play(rng, count, seconds=0.0, for_many=None, published=0.0, slowest=math.inf):
    """One experiment of `count` people; what v5 adds to each form's `seconds`, and to `published` of each.

    `for_many` is what it adds for who has many forms. In v5, who needs more than `slowest` seconds is lost.
    """
    people = []
    for _ in range(count):
        name, forms = rng.choice(("v4", "v5")), some_forms(rng)
        is_new = name == "v5"
        added = seconds if for_many is None or forms < 8 else for_many
        each = max(40 * rng.lognormvariate(0, 0.4) + added * is_new, 1)
        done = sum(rng.random() < 0.7 + published * is_new for _ in range(forms))
        if not (is_new and each > slowest):
            people.append((name, round(forms * each, 1), forms, done))
    return people


def lopsided(people):
    """The people less some of v5, as if one sound log in twenty had come: p is a little below 0.05."""
    people = list(people)
    while ratio_p({name: sum(one[0] == name for one in people) for name in EQUAL}, EQUAL) > 0.045:
        people.remove(next(one for one in people if one[0] == "v5"))
    return people


def is_clear(people):
    """True if no other right way to compute an interval could decide differently."""
    ratio, seconds, published = facts_of(tuple(people))
    ends = [end / (seconds[2] - seconds[1]) for end in seconds]
    ends += [(end + TOLERANCE) / (published[2] - published[1]) for end in published]
    return not 1e-5 < ratio < 0.02 and all(abs(end) > 0.1 for end in ends)


def draw_experiment(wanted, *tempted, planned=None, changed=list, **effects):
    """An experiment of this reason, in which each of `tempted` errs; drawn again while it is near an edge."""

    def draw(rng):
        while True:
            people = changed(play(rng, **effects))
            least = planned or len(people)
            right = decide(people, least)
            err = right[1] == wanted and all(wrong(people, least) != right for wrong in tempted)
            if err and is_clear(people):
                return [arguments(people, least)]

    return draw


def draw_lost(rng):
    """An experiment that lost slow people: the planned number is there without them, and is not."""
    draw = draw_experiment("sample ratio", reads_a_broken_log, planned=700, count=1_000, slowest=45)
    (given,) = draw(rng)
    return [given, arguments(given.positional[0], 1_000)]


def draw_early(rng):
    """Two looks before the planned people are there; at the second their numbers differ, as chance has it."""
    early = partial(draw_experiment, "too few people", planned=2_000, count=1_000, seconds=-7.0)
    return [*early(peeks)(rng), *early(peeks, usual_p, changed=lopsided)(rng)]


def draw_harm(rng):
    """Two experiments that cost seconds; the second loses forms as well."""
    harm = partial(draw_experiment, "no gain", any_difference, count=800, seconds=8.0)
    return [*harm(published=0.03)(rng), *harm(guardrail_first, published=-0.12)(rng)]


def draw_gain(rng):
    """Two safe gains: a mean over people calls the first unsafe, sums by person do not show the second."""
    gain = partial(draw_experiment, "gain", published=-0.015, seconds=-5.0)
    by_form = gain(relative_tolerance, mean_guardrail, count=2_000)
    return [*by_form(rng), *gain(by_person, count=1_600)(rng)]


def draw_not_shown(rng):
    """One gain that counting forms would show, and one that only people with few forms have."""
    by_form = draw_experiment("no gain", counts_forms, count=400, seconds=-3.2, published=0.05)
    by_few = draw_experiment("no gain", mean_of_means, sign_only, count=2_000, seconds=-4.5, for_many=3.5)
    return [*by_form(rng), *by_few(rng)]


MAY_LOSE = "The guardrail may lose up to 0.05: compare with -0.05, not with 0, nor with a share."
FOUR = [("v4", 60.0, 1, 1), ("v4", 140.0, 2, 1), ("v5", 30.0, 1, 1), ("v5", 75.0, 2, 2)]

q4 = partial(
    Check,
    question="q4",
    target="decide",
    reference=decide,
    same=lambda answer, expected: isinstance(answer, (list, tuple)) and list(answer) == expected,
    seconds=20,
    mistakes=[
        Mistake(reads_a_broken_log, "First ask if people were lost: from such a log, read nothing."),
        Mistake(
            waits_first,
            "The first rule that holds counts: the sample ratio comes before the planned number.",
        ),
        Mistake(peeks, "The planned people are not there yet. A look before is peeking."),
        Mistake(sign_only, "A difference below 0 is not shown while its interval holds 0."),
        Mistake(any_difference, "An interval that leaves out 0 may show harm: a gain lies wholly below 0."),
        Mistake(more_is_better, "Fewer seconds are better: a gain is a difference below 0."),
        Mistake(counts_forms, "Your interval is too narrow: count people, as in question 3."),
        Mistake(mean_of_means, "Seconds per form is sum by sum, as in question 3, not a mean over people."),
        Mistake(
            partial(decide, count=smaller_variant), "The planned people are those of both variants together."
        ),
        Mistake(guardrail_by_estimate, "A guardrail is safe when its interval's low end is, not its middle."),
        Mistake(no_tolerance, MAY_LOSE),
        Mistake(relative_tolerance, MAY_LOSE),
        Mistake(usual_p, "One sound log in twenty has p < 0.05: hold at p < 0.001, as the first rule says."),
        Mistake(
            guardrail_first, "The gain is asked for before the guardrail: the first rule that holds counts."
        ),
    ],
)

checks = [
    q1(
        name="deals six people as the package does",
        points=1,
        inputs=[arguments(person, "autumn", EQUAL) for person in ("s1", "s2", "s3", "s4", "s5", "s6")],
        public=True,
    ),
    q1(name="deals anybody with any salt", points=1, inputs=draw_people(EQUAL)),
    q1(name="follows the weights", points=1, inputs=draw_people({"v4": 9, "v5": 1})),
    q1(name="deals more than two variants", points=1, inputs=draw_people({"old": 2, "new": 5, "bold": 1})),
    q2(
        name="gives the worked example",
        points=1,
        inputs=[arguments(log_of(("A", "v4", "v4"), ("B", "v5"), ("C", "v4", "v5")), EQUAL)],
        public=True,
    ),
    q2(name="counts who comes back once", points=1, inputs=draw_logs(repeats=2), same=same_people),
    q2(
        name="sets apart who met several variants",
        points=1,
        inputs=draw_logs(several=7),
        same=same_several,
    ),
    q2(
        name="tests against the weights",
        points=2,
        inputs=draw_logs({"old": 3, "new": 1}),
        same=same_p,
        message="It is Pearson's chi-square, without a correction.",
    ),
    q3(
        name="gives no width where all people are alike",
        points=1,
        inputs=[arguments([(10.0, 1), (20.0, 2)], [(12.0, 1), (24.0, 2)])],
        mistakes=[OTHER_SIGN],  # others may differ from it by 1.96 for 1.959964
        public=True,
    ),
    q3(name="gives the difference of the ratios", points=1, inputs=draw_pairs, same=same_difference),
    q3(
        name="gives an interval that counts people",
        points=3,
        inputs=draw_pairs,
        same=near,
        message="It is one of 95 %, of the ratio of sums; the variants' squared errors add up.",
    ),
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
        inputs=draw_early,
    ),
    q4(
        name="ships a gain that is shown and safe",
        points=1,
        inputs=draw_gain,
    ),
    q4(name="does not ship what is not shown", points=1, inputs=draw_not_shown),
    q4(
        name="does not ship harm",
        points=1,
        inputs=draw_harm,
    ),
    q4(
        name="does not ship what may break the guardrail",
        points=2,
        inputs=draw_experiment("guardrail", guardrail_by_estimate, count=800, seconds=-8.0, published=-0.03),
    ),
    q4(name="reads nothing from a log that lost people", points=2, inputs=draw_lost),
]

# What students hand in, and what it must cost.
ASSIGN = """
import hashlib

def assign(person, salt, weights):
    number = int(hashlib.sha256({text}.encode("utf-8")).hexdigest()[:13], 16)
    names = {names}
    parts = {parts}
    place = number / 16**13 * {total}
    for name, part in zip(names, parts):
        if place < part:
            return name
        {step}
    return names[-1]
"""


def assign_source(
    text='(salt + ":" + person)',
    names="list(weights)",
    parts="[weights[name] for name in names]",
    total="sum(parts)",
    step="place -= part",
):
    return ASSIGN.format(text=text, names=names, parts=parts, total=total, step=step)


LOG = """
def look_over(exposures, weights):
    from scipy import stats

    pairs = [(one["person"], one["variant"]) for one in exposures]
    met = [person for person, _ in {met}]
    several = sorted({{person for person in met if met.count(person) > 1}})
    last = {{person: variant for person, variant in {order}}}
    people = {{}}
    for name in weights:
        people[name] = sum(1 for person, variant in {counted} if variant == name{apart})
    parts = {parts}
    expected = [sum(people.values()) * part / sum(parts) for part in parts]
    p = stats.chisquare(list(people.values()), expected).pvalue
    return {{"p": float(p), "several": several, "people": people}}
"""


def log_source(
    met="set(pairs)",
    counted="set(pairs)",
    order="pairs",
    apart=" and person not in several",
    parts="list(weights.values())",
):
    return LOG.format(met=met, counted=counted, order=order, apart=apart, parts=parts)


ONE = " and last[person] == name"
LOG_WITH_PANDAS = """
from collections import Counter

def look_over(exposures, weights):
    variants = pd.DataFrame(exposures).groupby("person")["variant"].unique()
    several = list(variants.index[variants.str.len() > 1])
    people = Counter(variants.drop(several).str[0])
    counts = np.array([people[name] for name in weights])
    shares = np.array(list(weights.values())) / sum(weights.values())
    p = stats.chi2(1).sf(((counts - counts.sum() * shares) ** 2 / (counts.sum() * shares)).sum())
    return dict(people=people, several=several, p=p)
"""

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
        return r, ({adds}).var(ddof=1) / len(x)"""
MEAN_OF_RATIOS = "return (x / n).mean(), (x / n).var(ddof=1) / len(x)"
BY_FORM = """each = np.repeat(x / n, n.astype(int))
        return each.mean(), each.var(ddof=1) / len(each)"""

BOOTSTRAP = """
def ratio_difference(control, new):
    draw = np.random.default_rng(5)

    def ratios(pairs):
        pairs = np.array(pairs, dtype=float)
        chosen = pairs[draw.integers(len(pairs), size=(5_000, len(pairs)))].sum(axis=1)
        return pairs[:, 0].sum() / pairs[:, 1].sum(), chosen[:, 0] / chosen[:, 1]

    (old, olds), (now, nows) = ratios(control), ratios(new)
    return [now - old, *np.quantile(nows - olds, [0.025, 0.975])]
"""


def difference_source(arm=DELTA, sign="", adds="(x - r * n) / n.mean()"):
    return DIFFERENCE.format(arm=arm.format(adds=adds), sign=sign)


DECIDE = """
def decide(people, planned):
    import numpy as np
    from scipy import stats

    counts = [sum(one[0] == name for one in people) for name in ("v4", "v5")]
    is_broken = stats.chisquare(counts).pvalue < 0.001
    {first}
    {second}

    def change(column):
        ratios, squares = [], []
        for name in ("v4", "v5"):
            x, n = np.array([(one[column], one[2]) for one in people if one[0] == name], dtype=float).T
            {pairs}
            ratios.append(x.sum() / n.sum())
            squares.append(((x - ratios[-1] * n) / n.mean()).var(ddof=1) / len(x))
        gap, reach = ratios[1] - ratios[0], 1.96 * sum(squares) ** 0.5
        return gap, gap - reach, gap + reach

    gap, low, high = change(1)
    if not ({gain}):
        return ["do not ship", "no gain"]
    gap, low, high = change(3)
    if {loss}:
        return ["do not ship", "guardrail"]
    return ["ship", "gain"]
"""


HOLD = """if is_broken:
        return ["hold", "sample ratio"]"""
GO_ON = """if len(people) < planned:
        return ["go on", "too few people"]"""


BY_FORM_IN_SECONDS = """if column == 1:
                x, n = np.repeat(x / n, n.astype(int)), np.ones(int(n.sum()))"""
BY_PERSON_IN_SECONDS = """if column == 1:
                x, n = x / n, np.ones(len(n))"""


def decide_source(first=HOLD, second=GO_ON, pairs="", gain="high < 0", loss="low < -0.05"):
    return DECIDE.format(first=first, second=second, pairs=pairs, gain=gain, loss=loss)


planted = [
    Planted("q1", "no salt", 4, "deal the same people together", assign_source(text="person")),
    Planted("q1", "person first", 4, "in this order", assign_source(text='(person + ":" + salt)')),
    Planted("q1", "no colon", 4, "in this order", assign_source(text="(salt + person)")),
    Planted("q1", "equal parts", 2, "yours are all equal", assign_source(parts="[1] * len(weights)")),
    Planted("q1", "weights as they are", 4, "divide each by their sum", assign_source(total="1")),
    Planted("q1", "by name", 1, "order of the dictionary", assign_source(names="sorted(weights)")),
    Planted("q1", "each from 0", 1, "where the one before it ends", assign_source(step="pass")),
    Planted("q2", "counts exposures", 2, "count each person once", log_source(counted="pairs")),
    Planted("q2", "counts the first", 2, "belongs to none", log_source(order="pairs[::-1]", apart=ONE)),
    Planted("q2", "counts the last", 2, "belongs to none", log_source(apart=ONE)),
    Planted("q2", "who comes back is several", 2, "has met only one", log_source(met="pairs")),
    Planted("q2", "counts several twice", 2, "belongs to none", log_source(apart="")),
    Planted("q2", "equal weights", 2, "follows the weights", log_source(parts="[1] * len(weights)")),
    Planted("q3", "the other sign", 5, "has the other sign", difference_source(sign="-")),
    Planted("q3", "mean of ratios", 4, "divide sum by sum", difference_source(arm=MEAN_OF_RATIOS)),
    Planted("q3", "by form", 3, "Forms of one person are alike", difference_source(arm=BY_FORM)),
    Planted("q3", "seconds alone", 4, "People differ in forms", difference_source(adds="x / n.mean()")),
    Planted("q3", "each person alike", 3, "People differ in forms", difference_source(adds="x / n")),
    Planted("q4", "no ratio test", 2, "read nothing", decide_source(first="")),
    Planted("q4", "waits first", 2, "before the planned number", decide_source(GO_ON, HOLD)),
    Planted("q4", "peeks", 2, "is peeking", decide_source(second="")),
    Planted("q4", "the sign alone", 1, "holds 0", decide_source(gain="gap < 0")),
    Planted("q4", "any difference", 1, "may show harm", decide_source(gain="low > 0 or high < 0")),
    Planted("q4", "more is better", 4, "Fewer seconds are better", decide_source(gain="low > 0")),
    Planted("q4", "by form", 1, "is too narrow", decide_source(pairs=BY_FORM_IN_SECONDS)),
    Planted("q4", "by person", 1, "not a mean over people", decide_source(pairs=BY_PERSON_IN_SECONDS)),
    Planted(
        "q4",
        "planned in each",
        5,
        "both variants together",
        decide_source(second=GO_ON.replace("len(people)", "min(counts)")),
    ),
    Planted("q4", "guardrail by its middle", 2, "not its middle", decide_source(loss="gap < -0.05")),
    Planted("q4", "no tolerance", 1, "may lose up to", decide_source(loss="low < 0")),
    Planted("q4", "a share", 1, "may lose up to", decide_source(loss="low < -0.035")),
    Planted("q4", "the usual p", 1, "hold at p < 0.001", decide_source().replace("0.001", "0.05")),
    Planted(
        "q4",
        "guardrail first",
        1,
        "before the guardrail",
        decide_source(gain="high < 0 or change(3)[1] < -0.05"),
    ),
]

alternatives = {
    "q1": [assign_source()],
    "q2": [log_source(), LOG_WITH_PANDAS],
    "q3": [difference_source(), BOOTSTRAP],
    "q4": [decide_source()],
    # answers of simulated students to the questions that people grade
    "q5": [
        "A ship, B ship, C ship. In all three the seconds went down.",
        "A: do not ship, the guardrail may lose more than 0.05. B: hold, people were lost in v5, so the "
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

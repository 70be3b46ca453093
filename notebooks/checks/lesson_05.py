"""Checks of lesson 05: corrections as a score, the bootstrap, Cohen's kappa, a slice that breaks production."""

from __future__ import annotations

from collections import Counter

import numpy as np

from aicourse import evals
from aicourse.datasets import ATTRIBUTES, CATEGORIES, COLOURS, CONDITIONS, MATERIALS
from aicourse.evals import Case, Context, Run
from aicourse.marketplace import LISTING_SCORERS, LooseAttributes, listing_cases, ungrounded
from aicourse.notebook.checks import Check, Mistake, arguments, close_to
from aicourse.notebook.exercises import Exercise

GOLD = {
    "category": "shoes",
    "colours": ["black", "white"],
    "materials": ["leather"],
    "size": "EU 38",
    "condition": "good",
    "brand": "Dr. Martens",
}
BARE = dict.fromkeys(ATTRIBUTES) | {"category": "kitchen", "colours": [], "materials": []}


def given(expected=GOLD, **changes):
    """A context whose output is what was expected, but for `changes`."""
    return Context(output=expected | changes, expected=expected, id="L000")


def plain(value):
    if isinstance(value, list):
        return set(value)
    return value.casefold() if isinstance(value, str) else value


def corrections(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    expected, output = context.expected, context.output
    return sum(plain(output[field]) != plain(expected[field]) for field in ATTRIBUTES)


def counts_the_right_ones(context):
    return len(ATTRIBUTES) - corrections(context)


def order_matters(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    expected, output = context.expected, context.output
    folded = [
        (value.casefold() if isinstance(value, str) else value)
        for fields in (output, expected)
        for value in (fields[field] for field in ATTRIBUTES)
    ]
    return sum(a != b for a, b in zip(folded[:6], folded[6:], strict=True))


def case_matters(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    expected, output = context.expected, context.output
    return sum(
        set(output[field]) != set(expected[field])
        if isinstance(expected[field], list)
        else output[field] != expected[field]
        for field in ATTRIBUTES
    )


def to_the_letter(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    return sum(context.output[field] != context.expected[field] for field in ATTRIBUTES)


def only_for_replies_that_worked(context):
    expected, output = context.expected, context.output
    return sum(plain(output[field]) != plain(expected[field]) for field in ATTRIBUTES)


def nothing_to_correct_in_a_failure(context):
    return corrections(context) if isinstance(context.output, dict) else 0


def any_correction(context):
    return corrections(context) > 0


def values_not_fields(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    wrong = 0
    for field in ATTRIBUTES:
        got, expected = plain(context.output[field]), plain(context.expected[field])
        wrong += len(got ^ expected) if isinstance(got, set) else got != expected
    return wrong


def letters_not_texts(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    pairs = [(context.output[field], context.expected[field]) for field in ATTRIBUTES]
    folded = [(set(plain(got) or []), set(plain(gold) or [])) for got, gold in pairs]
    return sum(got != gold for got, gold in folded)


corrections_per_listing = Exercise(
    id="05.1",
    title="A scorer in the seller's words",
    reference=corrections,
    checks=[
        Check("counts nothing when all is right", [given(), given(BARE)]),
        Check(
            "counts each wrong field once",
            [
                given(category="clothing"),
                given(category="clothing", condition="new", size=None),
                given(BARE, brand="IKEA", size="30 cm"),
                given(colours=["red", "green"], materials=[]),
                given(size="EU 83"),
            ],
        ),
        Check(
            "takes lists in any order",
            [given(colours=["white", "black"]), given(BARE | {"colours": ["red"]})],
        ),
        Check(
            "takes capitals for what they are",
            [given(brand="DR. MARTENS"), given(size="eu 38")],
        ),
        Check(
            "counts all six when there is no form",
            [
                Context(output="no attributes: the reply is no JSON", expected=GOLD),
                Context(output="no attributes: it was cut off", expected=BARE),
            ],
            message="A failed extraction is a text, not a dict: the seller fills in the whole form.",
        ),
    ],
    mistakes=[
        Mistake(
            counts_the_right_ones,
            "You count the fields that are right. The seller corrects the others.",
        ),
        Mistake(
            order_matters,
            "['white', 'black'] and ['black', 'white'] are one answer: compare sets.",
        ),
        Mistake(
            case_matters, "Nobody corrects 'DR. MARTENS': compare texts with `casefold()`."
        ),
        Mistake(
            to_the_letter,
            "`==` on the raw values minds order and capitals, sellers do not: sets for lists, casefold for texts.",
        ),
        Mistake(
            only_for_replies_that_worked,
            "An extraction that failed leaves a text in `output`. Test `isinstance(context.output, dict)` first.",
        ),
        Mistake(
            nothing_to_correct_in_a_failure,
            "A failure must not be the best result: an empty form means six fields to fill in.",
        ),
        Mistake(
            any_correction, "Your answer is yes or no. Return how many fields are wrong."
        ),
        Mistake(
            letters_not_texts,
            '`set("EU 38")` is the set of its letters, and "EU 83" has the same ones. Make sets of lists only.',
        ),
        Mistake(
            values_not_fields,
            "You count values. A field is corrected once, however much is wrong in it.",
        ),
    ],
    hints=[
        "Go over the six names in ATTRIBUTES; compare `context.output[field]` with `context.expected[field]`.",
        "Write a small function that makes a set of a list and folds a text; compare what it gives.",
        "`sum(plain(output[f]) != plain(expected[f]) for f in ATTRIBUTES)`, and 6 when the output is no dict.",
    ],
)


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
    few, many = width(bootstrap_interval(SCORES)), width(bootstrap_interval(SCORES * 16))
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
    id="05.2",
    title="How sure, by hand",
    reference=bootstrap_interval,
    checks=[
        Check(
            "gives two ends with the mean between them",
            [SCORES, PASSES],
            predicate=holds_the_mean,
            same=same_ends,
        ),
        Check(
            "gives the 95 % interval",
            [arguments(SCORES, 10_000), arguments(SKEWED, 10_000)],
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
    id="05.3",
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

NEEDED = 5


def own_records(run):
    """The records of a run that are no listings of dev, and those that are."""
    known = {case.id for case in listing_cases("dev")}
    records = list(run.records())
    return [one for one in records if one.id not in known], [
        one for one in records if one.id in known
    ]


def is_a_slice(run):
    own, dev = own_records(run)
    if len(dev) < len(listing_cases("dev")):
        return f"The run holds {len(dev)} of dev's listings. Run `dev + my_cases`, so that both are measured alike."
    return (
        len(own) >= NEEDED
        or f"It holds {len(own)} cases of yours; a slice needs {NEEDED} to say anything."
    )


def are_listings(run):
    own, dev = own_records(run)
    texts = [str(one.input) for one in own]
    if short := next(
        (
            one.id
            for one in own
            if not isinstance(one.input, str) or len(one.input.split()) < 4
        ),
        None,
    ):
        return f"Case {short}: the input is a listing of at least four words, title and description."
    copied = {one.input for one in dev} & set(texts)
    return (
        len(set(texts)) == len(texts) and not copied
    ) or "A text occurs twice, or is one of dev's."


def label_problem(record):
    """What the labelling guide says against the expected fields of one case; nothing when all is well."""
    gold = record.expected
    if not isinstance(gold, dict) or set(gold) != set(ATTRIBUTES):
        return f"expected holds the six fields {', '.join(ATTRIBUTES)}."
    allowed = {
        "category": CATEGORIES,
        "condition": (*CONDITIONS, None),
        "colours": COLOURS,
        "materials": MATERIALS,
    }
    for field, words in allowed.items():
        for value in gold[field] if isinstance(gold[field], list) else [gold[field]]:
            if value not in words:
                return f"{field} {value!r} is not in the guide's vocabulary."
    if not isinstance(gold["colours"], list) or not isinstance(gold["materials"], list):
        return "colours and materials are lists, empty when nothing is stated."
    return grounding_problem(record)


def grounding_problem(record):
    """A value that the text does not state; the words for colours and materials are known in English best."""
    listed = ("colours", "materials")
    is_foreign = "foreign_words" in record.tags
    found = [
        finding
        for finding in ungrounded(LooseAttributes(**record.expected), record.input)
        if not (is_foreign and finding.field in listed)
    ]
    if not found:
        return ""
    problem = f"{found[0]}: a label is what a buyer may rely on."
    if found[0].field in listed:
        problem += " In another language? Add the tag 'foreign_words'."
    return problem


def are_labelled(run):
    own, _ = own_records(run)
    if not own:
        return "There is no case of yours yet."
    problem = next(
        ((one.id, problem) for one in own if (problem := label_problem(one))), None
    )
    return True if problem is None else f"Case {problem[0]}: {problem[1]}"


def share_a_tag(run):
    own, dev = own_records(run)
    common = set.intersection(*(set(one.tags) for one in own)) if own else set()
    new = common - {tag for one in dev for tag in one.tags}
    return (
        bool(new)
        or "Your cases share no tag of their own. Give all of them one that says what is hard."
    )


def break_production(run):
    own, dev = own_records(run)
    if failed := next((one for one in [*own, *dev] if one.error), None):
        why = failed.error.splitlines()[0]
        return f"Case {failed.id} was not answered ({why}). Run it live, or ask again."
    if not own or not dev:
        return "There are no cases of yours, or none of dev, to compare."
    values = run.values("attributes.mean")
    mine = sum(values[one.id] for one in own) / len(own)
    rest = sum(values[one.id] for one in dev) / len(dev)
    return (
        mine < rest
        or f"Your slice scores {mine:.3f}, dev {rest:.3f}: it does not break production yet."
    )


LAMP = {
    "category": "home_decor",
    "colours": ["blue"],
    "materials": ["glass"],
    "size": "30 cm",
    "condition": "good",
    "brand": None,
}


def scripted_run(count=5, tags=("lamps",), answer=None, dev=True, text=None, **changes):
    """Dev and some cases of one's own, where the model gives the expected fields, or `answer` for one's own."""
    own = [
        Case(
            id=f"mine-{n}",
            input=text or f"Lamp number {n}\nBlue glass, 30 cm, used.",
            expected=LAMP | changes,
            tags=tags,
        )
        for n in range(count)
    ]
    wrong = (
        dict.fromkeys(ATTRIBUTES) | {"colours": [], "materials": []}
        if answer is None
        else answer
    )
    cases = [*(listing_cases("dev") if dev else []), *own]
    return evals.run(
        lambda case: wrong if case.id.startswith("mine") else case.expected,
        cases,
        LISTING_SCORERS,
        name="scripted",
        progress=False,
    )


def only(problem):
    """A recogniser: this demand is the one that is not met."""
    demands = (is_a_slice, are_listings, are_labelled, share_a_tag, break_production)

    def recognise(run):
        return [demand for demand in demands if demand(run) is not True] == [problem]

    return recognise


breaking = Exercise(
    id="05.4",
    title="A slice that breaks production",
    reference=scripted_run(),
    expects=Run,
    checks=[
        Check(f"adds {NEEDED} or more cases to dev", predicate=is_a_slice),
        Check("holds listings that are new and differ", predicate=are_listings),
        Check("labels them by the guide", predicate=are_labelled),
        Check("tags them as one slice", predicate=share_a_tag),
        Check("scores below the rest of dev", predicate=break_production),
    ],
    mistakes=[
        Mistake(
            scripted_run(dev=False),
            "Your cases ran alone. In one run with dev, slice and whole are measured by the same rules.",
            lambda run: not own_records(run)[1] and is_a_slice(run) is not True,
        ),
        Mistake(
            scripted_run(colours=["navy"]),
            "The guide maps shades and knows a fixed list of words: read ANNOTATION.md once more.",
            only(are_labelled),
        ),
        Mistake(
            scripted_run(text="Lamp\nBlue glass, 30 cm, used."),
            "One listing several times is one case: the next seller words it differently. Write each anew.",
            only(are_listings),
        ),
        Mistake(
            scripted_run(tags=()),
            "A slice is a tag. Without one, nobody can ask how the prompt does on these.",
            only(share_a_tag),
        ),
        Mistake(
            scripted_run(answer=LAMP),
            "The prompt manages these. What did the error notes say it cannot do? Write more of that.",
            only(break_production),
        ),
    ],
    hints=[
        "Choose one kind of failure from the taxonomy, and write listings in which it must come up.",
        "Case(id='mine-1', input='Title\\nDescription', expected={six fields}, tags=('my_slice',))",
        "Things named after a relative, with a flaw and no size (“Nan's reading chair”), go wrong in four fields.",
    ],
)

exercises = [corrections_per_listing, bootstrap, agreeing, breaking]

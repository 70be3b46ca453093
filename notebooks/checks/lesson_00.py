"""Checks of lesson 00: success as data, shades, corrections, model or not."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Mapping
from numbers import Real

from aicourse.datasets import COLOURS
from aicourse.marketplace import FORM_SECONDS, simulate_form
from aicourse.notebook.checks import Check, Mistake, arguments, leaves_alone, unordered
from aicourse.notebook.exercises import Exercise

TODAY = simulate_form(1000, seed=7)
PERFECT = TODAY.assign(
    published=True, fields_filled=len(FORM_SECONDS), stopped_at=None, seconds=20.0
)
HOPELESS = TODAY.assign(
    published=False, fields_filled=0, stopped_at="category", seconds=600.0
)
GONE_AT_ONCE = HOPELESS.assign(seconds=1.0)
GUARDRAIL_KEYS = {"metric", "unit", "limit", "worse_if"}


def is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def is_text(value):
    return isinstance(value, str) and bool(value.strip())


def measured(success, sellers):
    """What the definition's own `measure` says about a table of sellers, as a float, or None."""
    try:
        value = success["measure"](sellers.copy())  # it may change its table
    except (
        Exception
    ):  # whatever a student's function raises: `can_be_measured` tells them which
        return None
    return float(value) if is_number(value) else None


def can_be_measured(success):
    if not callable(success.get("measure")):
        return "`measure` is not a function of the table of sellers, so nobody can compute the metric."
    try:
        value = success["measure"](TODAY.copy())
    except Exception as error:
        return f"`measure(sellers)` raised {type(error).__name__}: {error}"
    return (
        is_number(value)
        or f"`measure(sellers)` returned {type(value).__name__}, not a number."
    )


def names_its_unit(success):
    return is_text(success.get("unit"))


def baseline_is_today(success):
    baseline, today = success.get("baseline"), measured(success, TODAY)
    if not is_number(baseline) or today is None:
        return "`baseline` must be a number, and `measure` must exist to compare it with."
    near = abs(baseline - today) <= 0.15 * abs(today)
    return (
        near or f"`measure(sellers)` gives {today:.3g}, the baseline says {baseline:.3g}."
    )


def target_can_be_lost(success):
    target, today = success.get("target"), measured(success, TODAY)
    if not is_number(target) or today is None:
        return "`target` must be a number on the scale of `measure`."
    best, worst = measured(success, PERFECT), measured(success, HOPELESS)
    if best == today:
        return "In a perfect world your metric would be the same as today: it measures something else."
    reachable = (
        min(today, best) < target <= max(today, best)
        if best > today
        else best <= target < today
    )
    if not reachable:
        return f"Today is {today:.3g}, a perfect world {best:.3g}; the target {target:.3g} is not between them."
    return best != worst or "A perfect world and a hopeless one measure the same."


def looks_better_when_all_leave(success):
    """True if `measure` takes a table in which everybody leaves at once for progress."""
    today, best = measured(success, TODAY), measured(success, PERFECT)
    gone = measured(success, GONE_AT_ONCE)
    if None in (today, best, gone):
        return False
    return today < gone if best > today else gone < today


def survives_a_bad_day(success):
    if measured(success, TODAY) is None:
        return "`measure` must exist, and give a number."
    gone = measured(success, GONE_AT_ONCE)
    return not looks_better_when_all_leave(success) or (
        f"When every seller leaves at once, `measure` says {gone:.3g}, which looks better than today."
    )


def has_guardrails(success):
    guardrails = success.get("guardrails") or []
    complete = [
        rail
        for rail in guardrails
        if isinstance(rail, Mapping)
        and rail.keys() >= GUARDRAIL_KEYS
        and is_text(rail["metric"])
        and is_text(rail["unit"])
        and is_number(rail["limit"])
        and math.isfinite(rail["limit"])
        and str(rail["worse_if"]).strip().lower() in ("above", "below")
    ]
    if len(complete) < 2:
        return (
            f"{len(complete)} of {len(guardrails)} guardrails are complete: each needs metric, unit, "
            "a number as limit, and worse_if 'above' or 'below'."
        )
    metrics = {rail["metric"].strip().lower() for rail in complete}
    return len(metrics) >= 2 or "Your guardrails watch one metric: what else may get worse?"


REFERENCE = {
    "who": "sellers",
    "metric": "share of started listings that are published",
    "measure": lambda sellers: sellers["published"].mean(),
    "unit": "share (0 to 1)",
    "baseline": 0.58,
    "target": 0.75,
    "guardrails": [
        {"metric": "cost per listing", "unit": "USD", "limit": 0.002, "worse_if": "above"},
        {"metric": "latency p95", "unit": "seconds", "limit": 3.0, "worse_if": "above"},
    ],
}

success_as_data = Exercise(
    id="00.1",
    title="Success as data",
    expects=dict,
    reference=REFERENCE,
    untouched={
        "who": "sellers",
        "metric": "a better experience",
        "measure": None,
        "unit": None,
        "baseline": None,
        "target": "much better",
        "guardrails": [],
    },
    checks=[
        Check("somebody else can compute the metric", predicate=can_be_measured),
        Check(
            "the metric has a unit",
            predicate=names_its_unit,
            message="Write the unit as text.",
        ),
        Check("the baseline is what we measure today", predicate=baseline_is_today),
        Check(
            "the target is better than today and not beyond perfect",
            predicate=target_can_be_lost,
        ),
        Check("does not improve when every seller leaves", predicate=survives_a_bad_day),
        Check("at least two guardrails with limits", predicate=has_guardrails),
    ],
    mistakes=[
        Mistake(
            wrong=REFERENCE | {"target": 75},
            recognise=lambda s: (
                is_number(s.get("target"))
                and 1 < s["target"] <= 100
                and measured(s, PERFECT) == 1
            ),
            hint="Your metric is a share between 0 and 1, your target is in percent. Use one scale for both.",
        ),
        Mistake(
            wrong=REFERENCE | {"target": 0.58},
            recognise=lambda s: (
                is_number(s.get("target")) and s["target"] == s.get("baseline")
            ),
            hint="Target and baseline are equal: doing nothing would already succeed.",
        ),
        Mistake(
            wrong=REFERENCE | {"measure": lambda sellers: 0.58},
            recognise=lambda s: (
                callable(s.get("measure")) and measured(s, PERFECT) == measured(s, HOPELESS)
            ),
            hint="`measure` gives the same number whatever happens: it must look at the sellers.",
        ),
        Mistake(
            wrong=REFERENCE
            | {
                "measure": lambda sellers: sellers["seconds"].median(),
                "unit": "seconds",
                "baseline": 94.4,
                "target": 60,
            },
            recognise=looks_better_when_all_leave,
            hint="Your metric counts somebody who leaves at once as somebody who was quick. Measure only those "
            "who publish, or how many do.",
        ),
    ],
    hints=[
        "Choose one thing that a seller would notice: do they publish, how many seconds does it take?",
        "`measure` is a function: `lambda sellers: sellers['published'].mean()` is one.",
        "A guardrail is what must not get worse: cost per listing, latency, wrong attributes.",
    ],
)

SHADES = {
    "navy": "blue", "indigo": "blue", "burgundy": "red", "cream": "beige", "camel": "beige",
    "mustard": "yellow", "teal": "turquoise", "gray": "grey",
}  # fmt: skip
NAMES = {**{colour: colour for colour in COLOURS}, **SHADES}
WHOLE_WORD = re.compile(r"\b(" + "|".join(NAMES) + r")\b")


def find_colours(text):
    return {NAMES[name] for name in WHOLE_WORD.findall(text.lower())}


find_colours_exercise = Exercise(
    id="00.2",
    title="Teach it shades",
    reference=find_colours,
    checks=[
        Check(
            "finds colours written as whole words",
            inputs=[
                "a blue jacket with grey sleeves",
                "white shirt, black buttons",
                "green",
                "beads: " + " ".join(COLOURS),
            ],
            same=unordered,
        ),
        Check(
            "reads words with punctuation beside them",
            inputs=["red, white and blue.", "curtains (purple)", "it is green!"],
            same=unordered,
        ),
        Check(
            "parts words at a mark or a new line without a space",
            inputs=["red/white stripes", "navy\ncream", "pink;black"],
            same=unordered,
        ),
        Check(
            "ignores colours inside other words",
            inputs=[
                "hardly worn, I got tired of it",
                "covered chair, redone seat",
                "a goldfish bowl",
            ],
            same=unordered,
        ),
        Check(
            "reads any case",
            inputs=["Red wagon", "BLACK BOOTS", "Silver Ring"],
            same=unordered,
        ),
        Check(
            "maps shades to their colour",
            inputs=[
                "navy coat, cream lining",
                "Burgundy velvet",
                "mustard and teal cushions",
                "gray wool, camel trim",
                "indigo jeans",
            ],
            same=unordered,
        ),
        Check(
            "names each colour once",
            inputs=["blue, navy and indigo", "red red red"],
            same=unordered,
        ),
        Check(
            "returns an empty set when nothing is named",
            inputs=["a chair, one leg wobbles", ""],
            same=unordered,
        ),
    ],
    mistakes=[
        Mistake(
            lambda text: {NAMES[name] for name in NAMES if name in text.lower()},
            "`in` also finds letters inside a word: 'tired' contains 'red'. A regular expression has `\\b`.",
        ),
        Mistake(
            lambda text: {NAMES[word] for word in text.lower().split() if word in NAMES},
            "`split()` leaves the comma at the word: 'red,' is not 'red'. Take punctuation off first.",
        ),
        Mistake(
            lambda text: {
                NAMES[word]
                for word in (one.strip(string.punctuation) for one in text.lower().split())
                if word in NAMES
            },
            "You take marks off the ends of words, and 'red/white' has one in the middle. Find words with a pattern: `\\b` or `\\w+`.",
        ),
        Mistake(
            lambda text: find_colours(text.lower().replace("indigo", "")),
            "Indigo is missing in your table: it counts as blue.",
        ),
        Mistake(
            lambda text: {NAMES[name] for name in WHOLE_WORD.findall(text)},
            "Sellers shout: lower the text before you look.",
        ),
        Mistake(
            lambda text: set(re.findall(r"\b(" + "|".join(COLOURS) + r")\b", text.lower())),
            "Only the 17 names are found. Add a table from shade to colour, and look for its keys too.",
        ),
        Mistake(
            lambda text: set(WHOLE_WORD.findall(text.lower())),
            "You return the shade itself. Buyers filter by the 17 colours: look the shade up in your table.",
        ),
    ],
    hints=[
        "Start from `colours_whole_words` above: it lacks only the shades.",
        "Keep a dictionary {'navy': 'blue', …}; look for the colours and for its keys.",
        "`{NAMES.get(word, word) for word in re.findall(pattern, text.lower())}` does both at once.",
    ],
)


def corrections(proposed, gold):
    return len(set(proposed) ^ set(gold))


def in_place(proposed, gold):
    proposed ^= gold
    return len(proposed)


corrections_exercise = Exercise(
    id="00.3",
    title="Count a seller's work",
    reference=corrections,
    checks=[
        Check(
            "nothing to do when the proposal is right",
            inputs=[arguments({"red"}, {"red"}), arguments(set(), set())],
        ),
        Check(
            "a wrong colour must be removed",
            inputs=[
                arguments({"red", "blue"}, {"blue"}),
                arguments({"pink", "red"}, set()),
            ],
        ),
        Check(
            "a missing colour must be added",
            inputs=[
                arguments(set(), {"blue", "grey"}),
                arguments({"red"}, {"red", "green"}),
            ],
        ),
        Check(
            "a swap is two corrections",
            inputs=[
                arguments({"red", "blue"}, {"blue", "grey"}),
                arguments({"pink"}, {"red", "white"}),
            ],
        ),
        Check(
            "leaves the sets as they were",
            predicate=leaves_alone({"red", "blue"}, {"blue", "grey"}),
        ),
    ],
    mistakes=[
        Mistake(
            in_place,
            "`^=` changes the caller's set, which the lesson counts again. `a ^ b` makes a new one.",
        ),
        Mistake(
            lambda proposed, gold: len(set(gold) - set(proposed)),
            "You count what is missing. What was proposed wrongly must be removed by somebody, too.",
        ),
        Mistake(
            lambda proposed, gold: len(set(proposed) - set(gold)),
            "You count what is wrong. What is missing must be added by somebody, too.",
        ),
        Mistake(
            lambda proposed, gold: abs(len(proposed) - len(gold)),
            "Equally many colours need not be the same colours: compare the sets, not their sizes.",
        ),
        Mistake(
            lambda proposed, gold: int(set(proposed) != set(gold)),
            "That says whether there is work, not how much: two wrong colours are two clicks.",
        ),
        Mistake(
            lambda proposed, gold: len(set(proposed) & set(gold)),
            "You count what is right already. Work is the colours that are in only one of the sets.",
        ),
    ],
    hints=[
        "Which colours are in one of the two sets but not in both?",
        "Python's sets have an operator for exactly that: `a ^ b`.",
    ],
)

COMPUTED = (
    "add 19 % tax to a price",
    "is this postcode inside our delivery area",
    "block listings of the sellers on a ban list",
)
LANGUAGE = (
    "materials from a free description",
    "is this description ironic about the condition",
    "size from 'fits me, I usually wear a 38, but it says 40'",
)


def word(answer):
    """What somebody meant: case, spaces and a plural say nothing about the choice."""
    return str(answer).strip().lower().removesuffix("s")


def all_are(kind, tasks):
    def predicate(answer):
        unclear = [
            task for task in tasks if word(answer.get(task)) not in ("rule", "model")
        ]
        if unclear:
            return f"Neither 'rule' nor 'model': {'; '.join(unclear)}."
        other = [task for task in tasks if word(answer[task]) != kind]
        return not other or f"Look again at: {'; '.join(other)}."

    return predicate


def is_all(kind):
    return lambda answer: {word(answer.get(task)) for task in COMPUTED + LANGUAGE} == {kind}


def has_other_words(answer):
    words = {word(answer.get(task)) for task in COMPUTED + LANGUAGE}
    return not words <= {"rule", "model"}


model_or_not = Exercise(
    id="00.4",
    title="Rule or model?",
    expects=dict,
    reference={**dict.fromkeys(COMPUTED, "rule"), **dict.fromkeys(LANGUAGE, "model")},
    untouched=dict.fromkeys(COMPUTED + LANGUAGE),
    checks=[
        Check("computes what can be computed", predicate=all_are("rule", COMPUTED)),
        Check("leaves language to a model", predicate=all_are("model", LANGUAGE)),
    ],
    mistakes=[
        Mistake(
            wrong=dict.fromkeys(COMPUTED + LANGUAGE, "model"),
            recognise=is_all("model"),
            hint="A model for everything: would you like your tax to be right 97 % of the time?",
        ),
        Mistake(
            wrong=dict.fromkeys(COMPUTED + LANGUAGE, "rule"),
            recognise=is_all("rule"),
            hint="Rules for everything: write down the one for irony, then try it on three listings.",
        ),
        Mistake(
            wrong={**dict.fromkeys(COMPUTED, "yes"), **dict.fromkeys(LANGUAGE, "no")},
            recognise=has_other_words,
            hint="Each value is one of two words: 'rule' or 'model'.",
        ),
    ],
    hints=[
        "For each task: could you write the answer as a formula or a table lookup?",
        "Three of the six need an understanding of what somebody meant.",
    ],
)

exercises = [success_as_data, find_colours_exercise, corrections_exercise, model_or_not]

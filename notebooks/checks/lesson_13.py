"""Checks of lesson 13: correction rates, an estimate from a sample, a case with provenance, bounds."""

from __future__ import annotations

import numpy as np

from aicourse.notebook.checks import Check, Mistake, arguments, equal, leaves_alone
from aicourse.notebook.exercises import Exercise

# 13.1


def rates_with(*, down="skipped", order="free", of="counted", kept="changed"):
    """Correction rates by field, with one thing done in another way."""

    def plain(value):
        if order == "letters":
            return sorted(set(value or []))
        return sorted(set(value)) if isinstance(value, list) and order == "free" else value

    def correction_rates(listings):
        counted = [
            one for one in listings if one["proposed"] is not None or down != "skipped"
        ]
        counts = {}
        for one in counted:
            before = one["proposed"] or {}
            for name, value in one["published"].items():
                if down == "accepted" and one["proposed"] is None:
                    changed = False
                else:
                    changed = plain(before.get(name)) != plain(value)
                counts[name] = counts.get(name, 0) + (changed == (kept == "changed"))
        size = len(counted)
        if of == "changes":
            size = sum(counts.values()) or 1
        if of == "one":
            size = 1
        return {name: count / size for name, count in counts.items()}

    return correction_rates


def filled_only(listings):
    counted = [one for one in listings if one["proposed"] is not None]
    counts = {}
    for one in counted:
        for name, value in one["published"].items():
            before = one["proposed"][name]
            same = (
                before is None
                or rates_with()([{"proposed": {name: before}, "published": {name: value}}])[
                    name
                ]
                == 0
            )
            counts[name] = counts.get(name, 0) + (not same)
    return {name: count / len(counted) for name, count in counts.items()}


def shared_is_enough(listings):
    def met(before, after):
        is_list = isinstance(before, list) and isinstance(after, list)
        return after if is_list and {*before} & {*after} else before

    eased = [
        one
        if one["proposed"] is None
        else one
        | {
            "proposed": {
                name: met(one["proposed"][name], value)
                for name, value in one["published"].items()
            }
        }
        for one in listings
    ]
    return rates_with()(eased)


def takes_out(listings):
    for one in list(listings):
        if one["proposed"] is None:
            listings.remove(one)
    return rates_with()(listings)


def sale(proposed, published):
    fields = ("size", "brand", "colours")
    return {
        "proposed": None if proposed is None else dict(zip(fields, proposed, strict=True)),
        "published": dict(zip(fields, published, strict=True)),
    }


RED = ["red"]
PLAIN = [
    sale(("M", "Zara", RED), ("L", "Zara", RED)),
    sale(("S", "Ikea", RED), ("S", "Ikea", ["blue"])),
    sale(("M", "Zara", RED), ("L", "Lego", RED)),
    sale(("L", "Lego", []), ("L", "Lego", [])),
]
RATES = Exercise(
    id="13.1",
    title="Correction rate per field",
    reference=rates_with(),
    checks=[
        Check("gives the share of changed values for each field", [PLAIN, PLAIN[:3], PLAIN[3:]]),
        Check(
            "takes the fields that the listings have",
            [
                [{"proposed": {"price": 5}, "published": {"price": 6}}],
                [{"proposed": {"style": "boho", "age": 3}, "published": {"style": "boho", "age": 4}}],
            ],
        ),
        Check(
            "compares texts whole",
            [
                [sale(("XL", "Zara", RED), ("XXL", "Zara Home", RED)), PLAIN[0]],
                [sale(("36", "Ikea", RED), ("63", "Ikea", RED)), PLAIN[3]],
            ],
        ),
        Check(
            "counts a value more or less in a list",
            [
                [sale(("M", "Zara", ["red", "blue"]), ("M", "Zara", RED)), PLAIN[0]],
                [sale(("M", "Zara", RED), ("M", "Zara", ["tan", "red"]))],
            ],
        ),
        Check(
            "counts a filled or emptied field as changed",
            [
                [sale((None, "Zara", RED), ("M", "Zara", RED)), sale(("M", None, []), ("M", "Zara", RED))],
                [sale(("M", "Zara", RED), (None, None, [])), sale(("M", "Zara", RED), ("M", "Zara", RED))],
            ],
        ),
        Check(
            "takes lists in another order for the same",
            [
                [sale(("M", "Zara", ["red", "blue"]), ("M", "Zara", ["blue", "red"])), PLAIN[1]],
                [sale(("M", None, ["tan", "red", "blue"]), ("L", None, ["blue", "red", "tan"]))],
            ],
        ),
        Check(
            "leaves out listings without a proposal",
            [
                [*PLAIN, sale(None, ("M", None, RED))],
                [sale(None, ("M", "Zara", [])), PLAIN[0], sale(None, (None, None, RED))],
            ],
            message="Where nothing was proposed, nothing could be corrected.",
        ),
        Check("gives {} without a counted listing", [[], [sale(None, ("M", "Zara", RED))]]),
        Check("leaves the listings as they were", predicate=leaves_alone([PLAIN[0], sale(None, ("M", None, RED)), sale(("M", "Zara", ["red", "blue"]), ("L", "Zara", ["tan", "blue"]))])),
    ],
    mistakes=[
        Mistake(rates_with(down="changed"), "A listing without a proposal counts as changed in your rates. Nothing was proposed there: leave it out."),
        Mistake(rates_with(down="accepted"), "A listing without a proposal counts as accepted in your rates. Nobody accepted anything there: leave it out."),
        Mistake(rates_with(order="fixed"), "Two lists with the same values in another order are no correction: compare them sorted, or as sets."),
        Mistake(rates_with(order="letters"), "A set, or a sorted copy, of a text is one of its letters: XL and XXL become the same. Compare texts as they are."),
        Mistake(shared_is_enough, "One common value is enough in yours. Two lists are the same only if each value of either is in the other."),
        Mistake(takes_out, "You take listings out of the list that was given. Build a list of your own."),
        Mistake(rates_with(of="changes"), "You divide by the number of corrections. A rate is of all *counted listings*."),
        Mistake(rates_with(of="one"), "That is how many corrections there are. Divide by the number of counted listings."),
        Mistake(rates_with(kept="same"), "That is the share that was *accepted*. A correction rate is of the changed ones."),
        Mistake(filled_only, "You skip fields whose proposal was empty. Who fills one in corrects it, too."),
    ],
    hints=[
        'First leave out what does not count: `[one for one in listings if one["proposed"] is not None]`.',
        "Compare lists as `sorted(…)`; other values with `!=`.",
        "For each field add 1 if it was changed, 0 if not; at the end divide by the number of counted listings.",
    ],
)  # fmt: skip

# 13.2


def estimate_rate(values, probabilities):
    weights = [1 / one for one in probabilities]
    return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)


def naive(values, probabilities):
    return sum(values) / len(values)


def by_probability(values, probabilities):
    return sum(p * v for p, v in zip(probabilities, values, strict=True)) / sum(
        probabilities
    )


def over_the_sample(values, probabilities):
    return sum(v / p for p, v in zip(probabilities, values, strict=True)) / len(values)


def expanded_sum(values, probabilities):
    return sum(v / p for p, v in zip(probabilities, values, strict=True))


def by_plain_sum(values, probabilities):
    return sum(v / p for p, v in zip(probabilities, values, strict=True)) / sum(
        probabilities
    )


def complement(values, probabilities):
    weights = [1 - one for one in probabilities]
    return sum(w * v for w, v in zip(weights, values, strict=True)) / (sum(weights) or 1)


def empties_its_lists(values, probabilities):
    above = below = 0
    while values:
        weight = 1 / probabilities.pop()
        above += weight * values.pop()
        below += weight
    return above / below


ESTIMATE = Exercise(
    id="13.2",
    title="Estimate back",
    reference=estimate_rate,
    checks=[
        Check(
            "weights each value with 1 ÷ probability",
            [arguments([1, 0], [0.5, 0.25]), arguments([1, 1, 0, 0], [0.5, 0.5, 0.1, 0.1]), arguments([0, 1, 1], [0.8, 0.3, 0.05])],
        ),
        Check("is the mean where all probabilities are equal", [arguments([1, 0, 0, 1, 1], [0.2] * 5), arguments([0, 1], [1, 1])]),
        Check("takes values between 0 and 1", [arguments([0.5, 0.25, 1], [0.5, 0.2, 0.9]), arguments([1 / 6, 2 / 6, 0, 1], [0.01, 0.4, 0.02, 1.0])]),
        Check("stays between 0 and 1", [arguments([1, 1, 1], [0.5, 0.1, 0.02]), arguments([0, 0], [0.5, 0.1])]),
        Check("leaves the lists as they were", predicate=leaves_alone([1, 0, 0.5], [0.5, 0.25, 0.1])),
    ],
    mistakes=[
        Mistake(naive, "That is the naive mean: the probabilities change nothing in it."),
        Mistake(by_probability, "You weight with the probability. A trace that was *unlikely* to be drawn stands for more: 1 ÷ probability."),
        Mistake(over_the_sample, "You divide by the size of the sample. Divide by the sum of the weights: so many traces the sample stands for."),
        Mistake(expanded_sum, "That is an estimated *number*. Divide by the sum of the weights."),
        Mistake(by_plain_sum, "You divide by the sum of the probabilities. Divide by the sum of 1 ÷ probability."),
        Mistake(empties_its_lists, "Your function changes the lists that it is given, and the caller still needs them. Leave them, and put the weights into a list of their own."),
        Mistake(complement, "The weight is 1 ÷ probability, not 1 - probability."),
    ],
    hints=[
        "`weights = [1 / probability for probability in probabilities]`.",
        "Add up weight × value over both lists with `zip`.",
        "Divide by `sum(weights)`.",
    ],
)  # fmt: skip

# 13.3


def case_with(
    *, gold="annotator", open_is="none", tag="confirmed", source="full", tags=list
):
    """A case, with one thing done in another way."""

    def case_of(trace, text, annotator, fields):
        settled = {
            "none": {"right", "wrong"},
            "last": {"right", "wrong"},
            "unsure kept": {"right", "wrong", "unsure"},
            "unjudged kept": {"right", "wrong", None},
        }[open_is]
        read = fields[-1:] if open_is == "last" else fields
        if any(one["verdict"] not in settled for one in read):
            return None
        expected, tagged = {}, False
        for one in fields:
            wrong, edited = one["verdict"] == "wrong", one["published"] != one["proposed"]
            value = one["gold"] if wrong else one["proposed"]
            if gold == "seller":
                value = one["published"]
            if gold == "given":
                value = one["gold"]
            if gold == "if any" and wrong:
                value = one["gold"] or one["proposed"]
            expected[one["field"]] = value
            tagged |= {"confirmed": wrong and edited, "edited": edited, "wrong": wrong}[tag]
        told = {
            "full": f"production, trace {trace}, confirmed by {annotator}",
            "nobody": f"production, trace {trace}",
            "none": None,
        }[source]
        return {
            "input": text,
            "expected": expected,
            "tags": tags(["corrected"] if tagged else []),
            "provenance": told,
        }

    return case_of


def one_word(names):
    return names[0] if names else ""


def tag_per_field(trace, text, annotator, fields):
    case = case_with()(trace, text, annotator, fields)
    if case:
        confirmed = [
            one
            for one in fields
            if one["verdict"] == "wrong" and one["published"] != one["proposed"]
        ]
        case["tags"] = ["corrected"] * len(confirmed)
    return case


def judged(field, proposed, published, verdict, gold=None):
    return {
        "field": field,
        "proposed": proposed,
        "published": published,
        "verdict": verdict,
        "gold": gold,
    }


ACCEPTED = judged("brand", "Zara", "Zara", "right", "Zara")
NO_GOLD = judged("brand", "Zara", "Zara", "right")
CORRECTED = judged("size", None, "M", "wrong", "M")
SLIPPED = judged("size", None, "M", "wrong", "L")
RECOLOURED = judged("colours", ["red"], ["blue"], "wrong", ["blue"])
MISSED = judged("colours", ["red"], ["red"], "wrong", ["blue"])
SPOILED = judged("size", "M", "L", "right", "M")
INVENTED = judged("brand", "Zara", None, "wrong")
KEPT = judged("colours", ["red"], ["red"], "wrong", [])
UNSURE = judged("condition", "good", "good", "unsure")
OPEN = judged("condition", "good", "good", None)


def given(*fields, trace="t1", text="Wool coat", annotator="Ada"):
    return arguments(trace, text, annotator, list(fields))


CASE = Exercise(
    id="13.3",
    title="A case with provenance",
    reference=case_with(),
    checks=[
        Check("makes a case of a confirmed correction", [given(ACCEPTED, CORRECTED), given(CORRECTED, ACCEPTED, trace="9f", text="Red hat", annotator="Bo")]),
        Check(
            "expects what the annotator says, not what the seller wrote",
            [given(ACCEPTED, SLIPPED), given(MISSED, CORRECTED), given(SPOILED, CORRECTED)],
            message="An edit proves better than proposed, not right.",
        ),
        Check("takes the proposed value where it is right", [given(NO_GOLD, CORRECTED), given(NO_GOLD)]),
        Check("takes an empty gold where the proposed value is wrong", [given(INVENTED), given(CORRECTED, KEPT)], message="A model invents, too. Then the right value is none."),
        Check("gives None while a field is unsure or not judged", [given(CORRECTED, UNSURE), given(ACCEPTED, OPEN), given(UNSURE), given(UNSURE, CORRECTED), given(OPEN, ACCEPTED)]),
        Check(
            "tags what the seller changed and the annotator calls wrong",
            [given(ACCEPTED), given(RECOLOURED), given(MISSED), given(SPOILED), given(ACCEPTED, SLIPPED), given(SPOILED, MISSED), given(CORRECTED, RECOLOURED)],
        ),
    ],
    mistakes=[
        Mistake(case_with(gold="seller"), "You expect what the seller published. An edit proves better than proposed: take `gold` where the verdict is wrong, else the proposed value."),
        Mistake(case_with(gold="given"), "`gold` may be missing where the verdict is right: take the proposed value there."),
        Mistake(case_with(gold="if any"), "You take the proposed value where `gold` is empty. The verdict decides: if it is wrong, an empty `gold` says that there is none."),
        Mistake(case_with(open_is="last"), "The last verdict decides in yours. Return None if any is open."),
        Mistake(case_with(open_is="unsure kept"), "A field about which the annotator is unsure has no gold. Return None."),
        Mistake(case_with(open_is="unjudged kept"), "A field that nobody judged has no gold. Return None."),
        Mistake(case_with(tag="edited"), "A change of a value that was right is no confirmed correction: the verdict must be wrong as well."),
        Mistake(case_with(tag="wrong"), "A wrong field that the seller left as it was is no correction: published and proposed must differ."),
        Mistake(case_with(source="nobody"), "The provenance does not say who confirmed: `production, trace TRACE, confirmed by ANNOTATOR`."),
        Mistake(case_with(source="none"), "The provenance is missing: `production, trace TRACE, confirmed by ANNOTATOR`."),
        Mistake(case_with(tags=one_word), "`tags` is a list: `[\"corrected\"]` or `[]`."),
        Mistake(tag_per_field, "You add the tag for each corrected field. The case has it once: `[\"corrected\"]`."),
    ],
    hints=[
        'Begin with what stays open: if any verdict is not in `("right", "wrong")`, return None.',
        '`one["gold"] if one["verdict"] == "wrong" else one["proposed"]` is the expected value.',
        'The tag: is there a field with verdict "wrong" whose `published` differs from `proposed`?',
    ],
)  # fmt: skip

# 13.4


def bounds_with(*, silent="everywhere", most="both", shares=True, of="field", turned=False):
    """The bounds, with one thing done in another way."""

    def bounds(rows, field):
        own = [row for row in rows if row["field"] == field]
        speaks = {
            row["seller"]
            for row in (own if silent == "in this field" else rows)
            if row["changed"]
        }
        changed = sum(row["changed"] for row in own)
        quiet = sum(row["seller"] not in speaks for row in own)
        if silent == "rows":
            quiet = len(own) - changed
        if silent == "people":
            quiet = len({row["seller"] for row in own} - speaks)
        size = len(own if of == "field" else rows) if shares else 1
        upper = changed + quiet if most == "both" else quiet
        least, top = changed / size, upper / size
        return (top, least) if turned else (least, top)

    return bounds


def without_silent(rows, field):
    speaks = {row["seller"] for row in rows if row["changed"]}
    own = [row for row in rows if row["field"] == field]
    loud = [row for row in own if row["seller"] in speaks]
    changed = sum(row["changed"] for row in own)
    return changed / (len(loud) or 1), (changed + len(own) - len(loud)) / len(own)


def row(seller, field, changed):
    return {"seller": seller, "field": field, "changed": changed}


def published(*sellers):
    """Rows of two fields: (seller, size changed, brand changed)."""
    return [
        one
        for name, size, brand in sellers
        for one in (row(name, "size", size), row(name, "brand", brand))
    ]


MIXED = published(
    ("a", True, False),
    ("b", False, False),
    ("c", False, True),
    ("d", False, False),
    ("a", False, False),
    ("b", False, False),
)


def same_pair(answer, expected):
    """Two numbers, in a tuple, a list or an array."""
    return np.shape(answer) == (2,) and equal(tuple(answer), expected)


BOUNDS = Exercise(
    id="13.4",
    title="Bounds for the silent",
    reference=bounds_with(),
    checks=[
        Check(
            "gives the least and the most",
            [
                arguments(published(("a", True, True), ("b", False, False), ("c", True, True)), "size"),
                arguments(published(("a", True, True), ("b", False, False), ("b", False, False), ("b", False, False)), "brand"),
            ],
            same=same_pair,
        ),
        Check(
            "takes a seller for silent who changed nothing in any field",
            [arguments(MIXED, "size"), arguments(MIXED, "brand"), arguments(published(("a", False, True), ("b", False, False)), "size")],
            same=same_pair,
        ),
        Check(
            "does not suspect what a seller who speaks left",
            [arguments(published(("a", True, False), ("a", False, False), ("a", False, False)), "size"), arguments(published(("a", True, False), ("b", True, False)), "brand")],
            same=same_pair,
        ),
        Check("counts the rows of silent sellers", [arguments(published(*[("q", False, False)] * 4, ("a", True, False)), "size"), arguments(published(("a", True, True), *[("q", False, False)] * 3, ("b", False, True)), "brand")], same=same_pair),
        Check("takes the rows of the field alone", [arguments([*MIXED, row("a", "colours", True), row("e", "colours", False)], "colours"), arguments([row("b", "colours", True), *MIXED], "size")], same=same_pair),
    ],
    mistakes=[
        Mistake(bounds_with(silent="in this field"), "A seller who corrected another field is not silent: look at all rows, of every field."),
        Mistake(bounds_with(silent="rows"), "You suspect every unchanged row. Only those of sellers who never changed anything are in doubt."),
        Mistake(bounds_with(silent="people"), "You count silent *sellers*. Count their rows: shares are of rows."),
        Mistake(bounds_with(most="quiet"), "`most` counts the changed rows as well as the silent ones."),
        Mistake(bounds_with(shares=False), "Those are numbers of rows. Divide by the rows of the field."),
        Mistake(bounds_with(of="all"), "You divide by the rows of all fields. Divide by those of the given field."),
        Mistake(bounds_with(turned=True), "The first is larger than the second: return `(least, most)`."),
        Mistake(without_silent, "`least` is a share of all rows of the field; you leave out the silent sellers' rows."),
    ],
    hints=[
        'Who speaks: `{row["seller"] for row in rows if row["changed"]}`, over all fields.',
        "Then take the rows of the field, and count the changed ones.",
        "`most` adds the rows of the field whose seller does not speak.",
    ],
)  # fmt: skip

exercises = [RATES, ESTIMATE, CASE, BOUNDS]

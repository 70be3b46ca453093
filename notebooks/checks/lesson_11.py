"""Checks of lesson 11: a judge's rates, a threshold without the test split, the rate behind, and places."""

from __future__ import annotations

import math
from itertools import pairwise
from operator import ge, gt

from aicourse.notebook.checks import Check, Mistake, arguments, leaves_alone
from aicourse.notebook.exercises import Exercise


def both_close(answer, expected):
    """Two numbers, as a tuple, a list or an array, which differ by rounding alone."""
    try:
        one, other = (float(number) for number in answer)
    except (TypeError, ValueError):
        return False
    return abs(one - expected[0]) < 1e-6 and abs(other - expected[1]) < 1e-6


# 11.1 TPR and TNR


def rates(labels, verdicts):
    goods = [verdict for label, verdict in zip(labels, verdicts, strict=True) if label]
    bads = [verdict for label, verdict in zip(labels, verdicts, strict=True) if not label]
    return goods.count(True) / len(goods), bads.count(False) / len(bads)


def predictive_values(labels, verdicts):
    passed = [label for label, verdict in zip(labels, verdicts, strict=True) if verdict]
    failed = [
        label for label, verdict in zip(labels, verdicts, strict=True) if verdict is False
    ]
    return passed.count(True) / len(passed), failed.count(False) / len(failed)


def of_all(labels, verdicts):
    pairs = list(zip(labels, verdicts, strict=True))
    return pairs.count((True, True)) / len(pairs), pairs.count((False, False)) / len(pairs)


def turned_round(labels, verdicts):
    tpr, tnr = rates(labels, verdicts)
    return tnr, tpr


def false_passes(labels, verdicts):
    tpr, _ = rates(labels, verdicts)
    bads = [verdict for label, verdict in zip(labels, verdicts, strict=True) if not label]
    return tpr, bads.count(True) / len(bads)


def none_left_out(labels, verdicts):
    told = [pair for pair in zip(labels, verdicts, strict=True) if pair[1] is not None]
    return rates([label for label, _ in told], [verdict for _, verdict in told])


def none_fails(labels, verdicts):
    return rates(labels, [bool(verdict) for verdict in verdicts])


def none_passes(labels, verdicts):
    return rates(labels, [verdict is not False for verdict in verdicts])


def wrong_shares(labels, verdicts):
    tpr, tnr = rates(labels, verdicts)
    return 1 - tpr, 1 - tnr


def rounded(labels, verdicts):
    return tuple(round(rate, 2) for rate in rates(labels, verdicts))


SOME = (
    [True, True, True, True, False, False],
    [True, True, True, False, False, True],
)
MANY = (
    [True, False] * 6 + [True] * 8,
    [True, True, True, False, False, False, True, False, True, True] * 2,
)
UNREAD = (
    [True, True, True, True, False, False, False, False],
    [True, None, True, False, False, None, None, True],
)
UNREAD_FAILS = ([True, True, False, False, False], [True, True, None, None, False])

RATES = Exercise(
    id="11.1",
    title="TPR and TNR by hand",
    reference=rates,
    checks=[
        Check(
            "gives 1 and 1 to a judge that is always right, 1 and 0 to one that passes all",
            [
                arguments([True, False, True], [True, False, True]),
                arguments([True, False, True, True], [True, True, True, True]),
            ],
            same=both_close,
        ),
        Check(
            "takes each share among the items that have that label",
            [arguments(*SOME), arguments(*MANY)],
            same=both_close,
            message="TPR looks at items labelled pass alone, TNR at those labelled fail alone.",
        ),
        Check(
            "counts None, no verdict, as wrong on both sides",
            [arguments(*UNREAD), arguments(*UNREAD_FAILS)],
            same=both_close,
        ),
    ],
    mistakes=[
        Mistake(
            predictive_values,
            "You divide by what the *judge* passed and failed. Divide by what is *labelled* so.",
        ),
        Mistake(
            of_all,
            "You divide by all items. TPR is a share of those labelled pass, TNR of those labelled fail.",
        ),
        Mistake(turned_round, "The two are the wrong way round: return (TPR, TNR)."),
        Mistake(
            false_passes,
            "Your second share is of the bad answers that slip through. TNR is the share that is caught.",
        ),
        Mistake(
            none_left_out,
            "You leave out items without a verdict, which flatters the judge: they are wrong.",
        ),
        Mistake(
            none_fails,
            "None counts as a fail in your answer. No verdict is not right about an item labelled fail.",
        ),
        Mistake(
            none_passes,
            "None counts as a pass in your answer. No verdict is not right about an item labelled pass.",
        ),
        Mistake(
            wrong_shares,
            "Those are the shares of *wrong* verdicts. Return those of right ones.",
        ),
        Mistake(rounded, "Do not round: later steps divide by these rates."),
    ],
    hints=[
        "Make two lists: the verdicts on items labelled True, and those on items labelled False.",
        "`goods.count(True) / len(goods)` is the TPR. `count` compares, so None is neither True nor False.",
        "The TNR is `bads.count(False) / len(bads)`.",
    ],
)

# 11.2 a threshold


def quality(items, threshold):
    """TPR + TNR of "passes at this probability or more"."""
    return passes_caught(items, threshold) + fails_caught(items, threshold)


def share_right(items, threshold, label, passes=ge):
    chosen = [
        passes(item["probability"], threshold) for item in items if item["passes"] is label
    ]
    return chosen.count(label) / len(chosen)


def passes_caught(items, threshold):
    return share_right(items, threshold, True)


def fails_caught(items, threshold):
    return share_right(items, threshold, False)


def between(items):
    values = sorted({item["probability"] for item in items})
    return [(low + high) / 2 for low, high in pairwise(values)]


def open_to_us(items):
    return [item for item in items if item["split"] != "test"]


def choose_threshold(items):
    known = open_to_us(items)
    return max(between(known), key=lambda threshold: quality(known, threshold))


def in_wide_steps(items):
    return [step / 20 for step in range(21)]


def takes_out_in_the_loop(items):
    for item in items:
        if item["split"] == "test":
            items.remove(item)
    return max(at_values(items), key=lambda threshold: quality(items, threshold))


def right_of(items, threshold):
    return sum((item["probability"] >= threshold) == item["passes"] for item in items)


def strictly(items, threshold):
    """TPR + TNR of "passes above this probability"."""
    return sum(share_right(items, threshold, label, passes=gt) for label in (True, False))


def smaller_rate(items, threshold):
    return min(passes_caught(items, threshold), fails_caught(items, threshold))


def at_values(items):
    return sorted({item["probability"] for item in items})


def on_a_grid(items):
    return [step / 100 for step in range(101)]


def chosen_by(goodness, splits, candidates):
    """A way to choose: the best of some candidates by what is good on some splits."""

    def choose(items):
        seen = [item for item in items if item["split"] in splits]
        return max(candidates(seen), key=lambda threshold: goodness(seen, threshold))

    return choose


def mistaken(goodness, splits, hint):
    """One mistake in three forms: between values, at values, on a grid."""
    ways = (between, at_values, on_a_grid)
    return [Mistake(chosen_by(goodness, splits, way), hint) for way in ways]


EVERYWHERE = ("train", "dev", "test")


def lowest_pass(items):
    return min(item["probability"] for item in open_to_us(items) if item["passes"])


def one_half(items):
    return 0.5


def judged(**splits):
    """Items from texts such as "pass 9 9 83 fail 3 27": tenths of probability, or hundredths."""
    items = []
    for split, text in splits.items():
        passes = True
        for word in text.split():
            if word in ("pass", "fail"):
                passes = word == "pass"
            else:
                items.append(
                    {"split": split, "probability": float(f"0.{word}"), "passes": passes}
                )
    return items


PLAIN = judged(
    train="pass 9 8 8 fail 3 2", dev="pass 9 9 7 8 fail 3 1 3", test="pass 9 8 fail 2"
)
LOW = judged(
    train="pass 4 5 3 fail 1 0", dev="pass 4 6 5 fail 1 0 1", test="pass 5 6 fail 0 1"
)
LURED = judged(
    train="pass 4 5 6 fail 2 2",
    dev="pass 6 7 5 4 fail 2 1",
    test="pass 9 9 8 9 9 9 fail 7 7 6 6 7 5 7 7 6 7 7 6 7 7 7 6 7 7 6 7 7 7",
)
LURED_DOWN = judged(
    train="pass 8 9 9 fail 5 6",
    dev="pass 9 8 8 fail 6 6 5",
    test="pass 3 3 4 3 4 3 3 3 4 fail 1 2 1 1 2 2",
)
UNEVEN = judged(
    train="pass 9 9 9 8 8 7 6 5 9 9 9 9 fail 6 5",
    dev="pass 9 9 8 8 7 6 5 5 9 9 9 9 9 8 8 fail 6 6 2",
    test="pass 9 8 fail 3",
)
UNEVEN_TOO = judged(
    train="pass 7 7 7 6 6 5 4 7 7 8 fail 4",
    dev="pass 8 7 7 6 6 5 4 4 7 7 8 8 7 fail 4 3 4",
    test="pass 8 7 fail 3",
)
SMALL_TRAIN = judged(
    train="pass 9 fail 8", dev="pass 9 6 6 7 6 7 8 6 fail 4 4 3 2 4", test="pass 9 fail 2"
)

SMALL = judged(train="pass 9 fail 2", dev="pass 8 fail 2", test="pass 9 fail 3")
FINE = judged(
    train="pass 64 63 66 fail 61 58", dev="pass 66 64 63 fail 59 61", test="pass 66 fail 58"
)
FINE_TOO = judged(
    train="pass 91 92 fail 87 88", dev="pass 93 92 91 fail 86 89 85", test="pass 92 fail 81"
)
ONE_RATE_GIVES_WAY = judged(
    train="pass 9 9 9 9 9 5 1 1 1 fail 3 3 3 3 3 3 3 3 3 3 3 3 6 6 6",
    dev="pass 9 9 9 9 9 9 9 9 9 9 5 1 1 1 1 1 fail 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
    test="pass 9 fail 3",
)
LARGE_TRAIN = judged(
    train="pass 9 8 8 7 9 fail 6 5 6 4 5 2", dev="pass 5 fail 3 2", test="pass 9 fail 2 1"
)
LARGE_DEV = judged(
    train="pass 5 fail 3 2", dev="pass 9 8 8 7 9 fail 6 5 6 4 5 2", test="pass 9 fail 2 1"
)


def parts_best(threshold, items):
    known = open_to_us(items)
    best = choose_threshold(items)
    mine, most = quality(known, threshold), quality(known, best)
    return mine > most - 1e-9 or (
        f"On train and dev, {threshold:.3g} has TPR + TNR = {mine:.2f}; {best:.3g} reaches {most:.2f}."
    )


def same_cut(one, other):
    """Whether two thresholds part tenths of probability in the same place."""
    return math.ceil(round(one * 10, 6)) == math.ceil(round(other * 10, 6))


THRESHOLD = Exercise(
    id="11.2",
    title="A threshold without the test split",
    reference=choose_threshold,
    expects=None,
    checks=[
        Check(
            "parts what can be parted, wherever the probabilities lie",
            [PLAIN, LOW, FINE, FINE_TOO],
            predicate=parts_best,
            same=same_cut,
        ),
        Check(
            "weighs both labels alike, however many there are of each",
            [UNEVEN, UNEVEN_TOO, ONE_RATE_GIVES_WAY],
            predicate=parts_best,
            same=same_cut,
        ),
        Check(
            "looks at train and dev",
            [SMALL_TRAIN, LARGE_DEV, LARGE_TRAIN],
            predicate=parts_best,
            same=same_cut,
        ),
        Check(
            "does not look at test",
            [LURED, LURED_DOWN],
            predicate=parts_best,
            same=same_cut,
        ),
        Check(
            "leaves the items as they were",
            predicate=leaves_alone(SMALL),
        ),
    ],
    mistakes=[
        *mistaken(
            quality,
            EVERYWHERE,
            "Your threshold moves with the test items. What chooses a threshold cannot also say how good it is: "
            'leave out items whose split is "test".',
        ),
        *mistaken(quality, ("test",), "You choose on test. Choose on train and dev."),
        *mistaken(
            quality,
            ("train",),
            "You use train alone. Dev is for looking too: more items, a steadier choice.",
        ),
        Mistake(
            takes_out_in_the_loop,
            "You take items out of the list that the loop goes over: it skips the next one, and the caller's list "
            "has fewer. Make a new list.",
        ),
        Mistake(
            chosen_by(quality, ("train", "dev"), in_wide_steps),
            "Your steps are wide, and probabilities may lie close together: the best place is between two steps.",
        ),
        Mistake(
            lowest_pass,
            "You look at TPR alone: no pass is lost, but fails slip through. Add TNR.",
        ),
        *mistaken(
            right_of,
            ("train", "dev"),
            "You count right verdicts. Where most items pass, that forgets the few that fail: use TPR + TNR.",
        ),
        *mistaken(
            quality,
            ("dev",),
            "You use dev alone. Train is for looking too: more items, a steadier choice.",
        ),
        Mistake(
            chosen_by(strictly, ("train", "dev"), at_values),
            "An item is passed at the threshold too: compare with >=.",
        ),
        *mistaken(
            passes_caught,
            ("train", "dev"),
            "You look at TPR alone, so you pass everything. Add TNR.",
        ),
        *mistaken(
            fails_caught,
            ("train", "dev"),
            "You look at TNR alone, so you fail everything that you can. Add TPR.",
        ),
        *mistaken(
            smaller_rate,
            ("train", "dev"),
            "You make the smaller rate largest. That is a rule, too, but the task asks for TPR + TNR.",
        ),
        Mistake(
            one_half,
            "0.5 is a habit. This model's probabilities may lie elsewhere: try the values.",
        ),
        *mistaken(
            lambda items, threshold: -quality(items, threshold),
            ("train", "dev"),
            "That is the worst threshold. An item passes if its probability is at least the threshold.",
        ),
    ],
    hints=[
        'First `known = [item for item in items if item["split"] != "test"]`.',
        "Only the probabilities that occur need be tried: between two of them nothing changes.",
        '`max(candidates, key=…)`, where the key is TPR + TNR of "probability >= candidate".',
    ],
)

# 11.3 the rate behind


def true_rate(raw, tpr, tnr):
    if tpr + tnr <= 1:
        raise ValueError("this judge is no better than chance")
    return min(1.0, max(0.0, (raw + tnr - 1) / (tpr + tnr - 1)))


def uncorrected(raw, tpr, tnr):
    if tpr + tnr <= 1:
        raise ValueError("no better than chance")
    return raw


def only_misses(raw, tpr, tnr):
    if tpr + tnr <= 1:
        raise ValueError("no better than chance")
    return min(1.0, raw / tpr)


def forwards(raw, tpr, tnr):
    if tpr + tnr <= 1:
        raise ValueError("no better than chance")
    return raw * tpr + (1 - raw) * (1 - tnr)


def tnr_for_its_rest(raw, tpr, tnr):
    if tpr + tnr <= 1:
        raise ValueError("no better than chance")
    return min(1.0, max(0.0, (raw - tnr) / (tpr - tnr))) if tpr != tnr else 0.0


def not_bounded(raw, tpr, tnr):
    if tpr + tnr <= 1:
        raise ValueError("no better than chance")
    return (raw + tnr - 1) / (tpr + tnr - 1)


def never_refuses(raw, tpr, tnr):
    return min(1.0, max(0.0, (raw + tnr - 1) / (tpr + tnr - 1)))


def rounded_rate(raw, tpr, tnr):
    return round(true_rate(raw, tpr, tnr), 2)


def refuses_one_low_rate(raw, tpr, tnr):
    if tpr <= 0.5 or tnr <= 0.5:
        raise ValueError("no better than chance")
    return true_rate(raw, tpr, tnr)


def refuses_zero_only(raw, tpr, tnr):
    if tpr + tnr == 1:
        raise ValueError("no better than chance")
    return min(1.0, max(0.0, (raw + tnr - 1) / (tpr + tnr - 1)))


BEHIND = Exercise(
    id="11.3",
    title="The rate behind the judge",
    reference=true_rate,
    checks=[
        Check(
            "leaves the rate of a perfect judge as it is",
            [arguments(0.3, 1.0, 1.0), arguments(0.95, 1.0, 1.0)],
        ),
        Check(
            "takes both kinds of errors out",
            [
                arguments(0.7, 0.9, 0.6),
                arguments(0.55, 0.8, 0.9),
                arguments(0.5, 0.7, 0.7),
                arguments(0.7, 0.95, 0.4),
            ],
            message="raw = rate × TPR + (1 − rate) × (1 − TNR). Solve it for the rate.",
        ),
        Check(
            "stays between 0 and 1",
            [arguments(0.97, 0.9, 0.8), arguments(0.05, 0.9, 0.8)],
        ),
        Check(
            "refuses a judge that is no better than chance",
            [arguments(0.5, 0.5, 0.5), arguments(0.4, 0.3, 0.5), arguments(0.9, 0.9, 0.05)],
            raises=ValueError,
        ),
    ],
    mistakes=[
        Mistake(
            uncorrected,
            "That is what the judge says. What would have to be true for it to say so?",
        ),
        Mistake(
            only_misses,
            "You correct good answers that were failed. Bad answers that pass count too.",
        ),
        Mistake(
            forwards,
            "That is the way there: from the true rate to the judge's. Solve it for the rate.",
        ),
        Mistake(
            tnr_for_its_rest,
            "Bad answers pass at the rate 1 − TNR. You wrote TNR in its place.",
        ),
        Mistake(
            not_bounded,
            "No rate is above 1 or below 0: small samples lead there. Cut it off.",
        ),
        Mistake(
            never_refuses,
            "With TPR + TNR of 1 or less the judge's rate says nothing. Raise a ValueError.",
        ),
        Mistake(rounded_rate, "Do not round: return the rate as it comes."),
        Mistake(
            refuses_one_low_rate,
            "One low rate alone is no reason to refuse: only TPR + TNR says if it beats chance.",
        ),
        Mistake(
            refuses_zero_only,
            "With TPR + TNR *below* 1 the judge is worse than chance. Raise a ValueError there too.",
        ),
    ],
    hints=[
        "A rate p of good answers gives the judge p × TPR good passes and (1 − p) × (1 − TNR) bad ones.",
        "`(raw + tnr - 1) / (tpr + tnr - 1)`",
        "Then `min(1, max(0, …))`, and before it `if tpr + tnr <= 1: raise ValueError(…)`.",
    ],
)

# 11.4 places


def places(before, after):
    pairs = list(zip(before, after, strict=True))
    return tuple(pairs.count((place, place)) / len(pairs) for place in ("first", "second"))


def same_title(before, after):
    pairs = list(zip(before, after, strict=True))
    return pairs.count(("first", "second")) / len(pairs), pairs.count(
        ("second", "first")
    ) / len(pairs)


def before_only(before, after):
    return before.count("first") / len(before), before.count("second") / len(before)


def of_all_answers(before, after):
    both = [*before, *after]
    return both.count("first") / len(both), both.count("second") / len(both)


def of_the_unsteady(before, after):
    pairs = list(zip(before, after, strict=True))
    same = sum(one == other for one, other in pairs) or 1
    return tuple(pairs.count((place, place)) / same for place in ("first", "second"))


def counts(before, after):
    pairs = list(zip(before, after, strict=True))
    return pairs.count(("first", "first")), pairs.count(("second", "second"))


def of_those_before(before, after):
    pairs = list(zip(before, after, strict=True))
    return tuple(
        pairs.count((place, place)) / (before.count(place) or 1)
        for place in ("first", "second")
    )


def turned(before, after):
    first, second = places(before, after)
    return second, first


def rounded_places(before, after):
    return tuple(round(share, 2) for share in places(before, after))


def answers(text):
    return ["first" if letter == "1" else "second" for letter in text]


PLACES = Exercise(
    id="11.4",
    title="Does it choose the title, or the place?",
    reference=places,
    checks=[
        Check(
            "finds nothing in a judge that follows the title",
            [
                arguments(answers("1212"), answers("2121")),
                arguments(answers("11122"), answers("22211")),
            ],
            same=both_close,
            message='Places were swapped: a judge that likes one title says "first", then "second".',
        ),
        Check(
            "finds a judge that always says the same",
            [
                arguments(answers("1111"), answers("1111")),
                arguments(answers("222"), answers("222")),
            ],
            same=both_close,
        ),
        Check(
            "tells the two places apart",
            [
                arguments(answers("1111222211"), answers("1112222122")),
                arguments(answers("1221221"), answers("1211121")),
            ],
            same=both_close,
        ),
    ],
    mistakes=[
        Mistake(
            same_title,
            "Those chose the same *title*: their words changed with the places. Count where the word stayed.",
        ),
        Mistake(
            before_only,
            "One order cannot tell a good title from a good place. Compare each pair in both orders.",
        ),
        Mistake(
            of_all_answers,
            "You count all answers together. Look at each pair: did the word stay when the places changed?",
        ),
        Mistake(
            of_those_before,
            "You divide by the answers that said so before the swap. Divide by all pairs.",
        ),
        Mistake(of_the_unsteady, "Divide by all pairs, so that a fair judge gets 0 and 0."),
        Mistake(counts, "Those are counts. Divide by the number of pairs."),
        Mistake(rounded_places, "Do not round: return the shares as they come."),
        Mistake(turned, "The two are the wrong way round: the first place comes first."),
    ],
    hints=[
        "`zip(before, after)` gives both answers to one pair.",
        'A pair whose two answers are both "first" was decided by the place.',
        '`list(zip(before, after)).count(("first", "first")) / len(before)`, and the same for second.',
    ],
)

exercises = [RATES, THRESHOLD, BEHIND, PLACES]

"""Checks of lesson 17: a vote of neighbours, a conformal margin, precision at k."""

from __future__ import annotations

import math

import numpy as np

from aicourse.notebook.checks import Check, Mistake, arguments, leaves_alone
from aicourse.notebook.exercises import Exercise

# 17.1 neighbours vote


def by_similarity(similarities):
    """The places, the most similar first; of equal ones, the earlier."""
    return sorted(range(len(similarities)), key=lambda place: -similarities[place])


def counted(similarities, labels, order, weight):
    """The label with the largest sum of weights, of equal sums the one met first."""
    sums = {}
    for place in order:
        sums[labels[place]] = sums.get(labels[place], 0) + weight(similarities[place])
    return max(sums, key=sums.get)


def vote(similarities, labels, k):
    return counted(similarities, labels, by_similarity(similarities)[:k], float)


def heads(similarities, labels, k):
    return counted(similarities, labels, by_similarity(similarities)[:k], lambda _: 1)


def nearest_alone(similarities, labels, k):
    return labels[by_similarity(similarities)[0]]


def everybody(similarities, labels, k):
    return vote(similarities, labels, len(labels))


def first_places(similarities, labels, k):
    return counted(similarities, labels, range(min(k, len(labels))), float)


def farthest(similarities, labels, k):
    return counted(similarities, labels, by_similarity(similarities)[::-1][:k], float)


def later_of_equals(similarities, labels, k):
    order = np.argsort(similarities, kind="stable")[::-1][:k]
    return counted(similarities, labels, order, float)


def alphabet_of_equals(similarities, labels, k):
    def place_of(place):
        return -similarities[place], labels[place]

    return counted(
        similarities, labels, sorted(range(len(labels)), key=place_of)[:k], float
    )


def place_by_value(similarities, labels, k):
    order = [similarities.index(one) for one in sorted(similarities, reverse=True)[:k]]
    return counted(similarities, labels, order, float)


def without_the_first(similarities, labels, k):
    order = by_similarity(similarities)[1 : k + 1]
    return counted(similarities, labels, order, float) if order else None


def last_of_each(similarities, labels, k):
    last = {labels[one]: similarities[one] for one in by_similarity(similarities)[:k]}
    return max(last, key=last.get)


def takes_out(similarities, labels, k):
    sums = {}
    for _ in range(min(k, len(labels))):
        best = similarities.index(max(similarities))
        label = labels.pop(best)
        sums[label] = sums.get(label, 0) + similarities.pop(best)
    return max(sums, key=sums.get)


def mean_similarity(similarities, labels, k):
    order = by_similarity(similarities)[:k]
    met = list(dict.fromkeys(labels[place] for place in order))
    values = {
        label: [similarities[place] for place in order if labels[place] == label]
        for label in met
    }
    return max(met, key=lambda label: sum(values[label]) / len(values[label]))


def the_sum(similarities, labels, k):
    order = by_similarity(similarities)[:k]
    winner = vote(similarities, labels, k)
    return sum(similarities[place] for place in order if labels[place] == winner)


BAGS = ["shoes", "toys", "toys", "clothing", "shoes", "toys"]

VOTE = Exercise(
    id="17.1",
    title="Neighbours vote",
    reference=vote,
    checks=[
        Check(
            "takes the label of the most similar one where k is 1",
            [
                arguments([0.2, 0.5, 0.3, 0.9, 0.4, 0.1], BAGS, 1),
                arguments([0.3, 0.1, 0.8], ["a", "b", "c"], 1),
            ],
        ),
        Check(
            "asks k neighbours, not all and not one",
            [
                arguments([0.9, 0.5, 0.45, 0.8, 0.1, 0.44], BAGS, 3),
                arguments([0.6, 0.5, 0.4, 0.1, 0.1, 0.4], BAGS, 3),
                arguments([0.5, 0.2, 0.45, 0.9], ["a", "b", "a", "b"], 3),
            ],
        ),
        Check(
            "gives a nearer neighbour more weight",
            [
                arguments([0.9, 0.4, 0.4, 0.2, 0.1, 0.1], BAGS, 3),
                arguments([0.3, 0.31, 0.8, 0.05], ["x", "x", "y", "z"], 3),
            ],
            message="A label's votes are its neighbours' similarities, added up.",
        ),
        Check(
            "lets two good neighbours win over one that is slightly better",
            [
                arguments([0.7, 0.6, 0.6, 0.2, 0.1, 0.1], BAGS, 3),
                arguments([0.5, 0.8, 0.6], ["x", "y", "x"], 3),
                arguments([0.9, 0.1, 0.8], ["x", "x", "y"], 3),
                arguments([0.9, 0.52, 0.6, 0.55, 0.5, 0.45], ["x", "x", "y", "z", "z", "z"], 6),
            ],
        ),
        Check(
            "takes the earlier of equals",
            [
                arguments([0.5, 0.5, 0.1], ["first", "second", "third"], 1),
                arguments([0.4, 0.4, 0.4, 0.4], ["a", "b", "a", "b"], 4),
                arguments([0.1, 0.6, 0.6, 0.6], ["a", "b", "c", "c"], 2),
                arguments([0.5, 0.5, 0.5], ["toys", "shoes", "shoes"], 1),
                arguments([0.3, 0.3, 0.3], ["x", "y", "y"], 3),
                arguments([0.25, 0.5, 0.25], ["a", "b", "a"], 3),
            ],
        ),
        Check(
            "works where k is larger than the pool",
            [arguments([0.2, 0.3], ["a", "b"], 9), arguments([0.4], ["a"], 3)],
        ),
        Check("leaves the lists as they were", predicate=leaves_alone([0.2, 0.9, 0.5], ["x", "y", "x"], 2)),
    ],
    mistakes=[
        Mistake(heads, "You count heads. Add up similarities: a nearer neighbour has more to say."),
        Mistake(nearest_alone, "The nearest one decides alone in yours. Let `k` of them vote, and add up."),
        Mistake(everybody, "More than `k` vote in yours. Sort by similarity and take the first `k`."),
        Mistake(first_places, "You take the first `k` of the pool. Sort by similarity first."),
        Mistake(farthest, "You take the least similar. A larger similarity is nearer."),
        Mistake(
            later_of_equals,
            "Of equal similarities your order puts the later first. Sort by the negative similarity, with a stable sort.",
        ),
        Mistake(alphabet_of_equals, "Of equal similarities the alphabet decides in yours. Sort by similarity alone, not by the label after it."),
        Mistake(place_by_value, "`index` gives the first place of a value, so equal similarities all become one neighbour. Sort the places instead."),
        Mistake(without_the_first, "You leave the nearest one out. The listing itself is not among these: its neighbours were given."),
        Mistake(last_of_each, "A label keeps only its last similarity in yours. Add to what it has."),
        Mistake(takes_out, "You take out of the lists that were given; `labels` serves the next listing, too."),
        Mistake(
            mean_similarity,
            "You average each label's similarities. Then a second good neighbour never helps: add them up.",
        ),
        Mistake(the_sum, "That is the winner's sum. Return the label."),
    ],
    hints=[
        "`sorted(range(len(labels)), key=lambda place: -similarities[place])[:k]` are the places.",
        "`sums[label] = sums.get(label, 0) + similarity` adds up by label.",
        "`max(sums, key=sums.get)` is the label with the largest sum; of equal ones the one put in first.",
    ],
)  # fmt: skip

# 17.2 a margin


def at_rank(errors, rank):
    return sorted(errors)[rank - 1] if 1 <= rank <= len(errors) else math.inf


def margin(errors, share):
    return at_rank(errors, math.ceil(round((len(errors) + 1) * share, 9)))


def without_one_more(errors, share):
    return at_rank(errors, math.ceil(round(len(errors) * share, 9)))


def rounded_down(errors, share):
    return at_rank(errors, max(1, math.floor(round((len(errors) + 1) * share, 9))))


def counted_from_zero(errors, share):
    return at_rank(errors, math.ceil(round((len(errors) + 1) * share, 9)) + 1)


def not_sorted(errors, share):
    rank = math.ceil(round((len(errors) + 1) * share, 9))
    return errors[rank - 1] if rank <= len(errors) else math.inf


def largest_instead(errors, share):
    rank = math.ceil(round((len(errors) + 1) * share, 9))
    return sorted(errors)[min(rank, len(errors)) - 1]


def descending(errors, share):
    rank = math.ceil(round((len(errors) + 1) * share, 9))
    return sorted(errors, reverse=True)[rank - 1] if rank <= len(errors) else math.inf


def interpolated(errors, share):
    return float(np.quantile(errors, share))


def one_further(errors, share):
    return at_rank(errors, math.floor(round((len(errors) + 1) * share, 9)) + 1)


def no_largest(errors, share):
    rank = math.ceil(round((len(errors) + 1) * share, 9))
    return at_rank(errors, rank if rank < len(errors) else math.inf)


def without_equals(errors, share):
    rank = math.ceil(round((len(errors) + 1) * share, 9))
    return at_rank(set(errors), rank)


def sorts_in_place(errors, share):
    errors.sort()
    return margin(errors, share)


def rank_itself(errors, share):
    return math.ceil(round((len(errors) + 1) * share, 9))


NINE = [0.42, 0.11, 0.35, 0.27, 0.93, 0.08, 0.61, 0.19, 0.5]
TEN = [*NINE, 0.77]

MARGIN = Exercise(
    id="17.2",
    title="A margin that keeps its word",
    reference=margin,
    checks=[
        Check("takes an error that occurs", [arguments(NINE, 0.5), arguments(TEN, 0.75)]),
        Check("counts one more than there are errors", [arguments(NINE, 0.9), arguments(TEN, 0.5)]),
        Check("rounds the rank up", [arguments(TEN, 0.8), arguments(NINE, 0.25), arguments(TEN, 0.6)]),
        Check("counts equal errors each", [arguments([0.5, 0.2, 0.2, 0.2], 0.4), arguments([0.1, 0.1, 0.7, 0.3, 0.3], 0.5)]),
        Check("says that no error will do", [arguments(NINE, 0.95), arguments([0.3, 0.1], 0.8), arguments([], 0.5)]),
        Check("leaves the list as it was", predicate=leaves_alone([0.4, 0.1, 0.3], 0.5)),
    ],
    mistakes=[
        Mistake(without_one_more, "The new error counts too: the rank is of n + 1."),
        Mistake(rounded_down, "You round the rank down, so the promise is broken a little. Use `math.ceil`."),
        Mistake(counted_from_zero, "Ranks are from 1, places of a list from 0: subtract 1."),
        Mistake(not_sorted, "Sort the errors first: a rank is a place among the sorted ones."),
        Mistake(largest_instead, "With so few errors even the largest is no promise. Return `math.inf`."),
        Mistake(descending, "Your largest error has rank 1. The smallest has."),
        Mistake(interpolated, "`quantile` lies between two errors, and below the rank that the promise needs."),
        Mistake(one_further, "You always go one rank up. A whole number stays: use `math.ceil`."),
        Mistake(no_largest, "Rank n is there: it is the largest error. Only above n no error will do."),
        Mistake(without_equals, "A set drops equal errors. Each was measured, and counts."),
        Mistake(sorts_in_place, "`errors.sort()` changes the caller's list, whose order says whose error is whose. Use `sorted`."),
        Mistake(rank_itself, "That is the rank. Return the error at that rank."),
    ],
    hints=[
        "`rank = math.ceil((len(errors) + 1) * share)`",
        "`sorted(errors)[rank - 1]` is the error at that rank.",
        "If `rank > len(errors)`, return `math.inf`.",
    ],
)  # fmt: skip

# 17.3 precision at k


def best_places(scores, k):
    return sorted(range(len(scores)), key=lambda place: -scores[place])[:k]


def precision_at(scores, deserves, k):
    return sum(bool(deserves[place]) for place in best_places(scores, k)) / k


def of_what_is_there(scores, deserves, k):
    places = best_places(scores, k)
    return sum(bool(deserves[place]) for place in places) / len(places)


def lowest_first(scores, deserves, k):
    places = sorted(range(len(scores)), key=lambda place: scores[place])[:k]
    return sum(bool(deserves[place]) for place in places) / k


def as_they_come(scores, deserves, k):
    return sum(map(bool, deserves[:k])) / k


def recall_instead(scores, deserves, k):
    found = sum(bool(deserves[place]) for place in best_places(scores, k))
    return found / (sum(map(bool, deserves)) or 1)


def any_hit(scores, deserves, k):
    return float(any(deserves[place] for place in best_places(scores, k)))


def count(scores, deserves, k):
    return sum(bool(deserves[place]) for place in best_places(scores, k))


def later_equals(scores, deserves, k):
    places = sorted(range(len(scores)), key=lambda place: (-scores[place], -place))[:k]
    return sum(bool(deserves[place]) for place in places) / k


def score_by_value(scores, deserves, k):
    best = sorted(scores, reverse=True)[:k]
    return sum(bool(deserves[scores.index(one)]) for one in best) / k


def takes_best_out(scores, deserves, k):
    found = 0
    for _ in range(min(k, len(scores))):
        best = scores.index(max(scores))
        found += deserves.pop(best)
        del scores[best]
    return found / k


SCORES = [0.2, 0.9, 0.5, 0.7, 0.1, 0.6]
GOOD = [False, True, False, True, True, False]

PRECISION = Exercise(
    id="17.3",
    title="Precision at k",
    reference=precision_at,
    checks=[
        Check(
            "is the share of the k best that deserve it",
            [arguments(SCORES, GOOD, 1), arguments(SCORES, GOOD, 3), arguments(SCORES, GOOD, 4), arguments([3, 8, 5], [False, False, True], 2)],
        ),
        Check("is 0 where none deserves it", [arguments([5, 4, 1], [False, False, True], 2), arguments([1, 2], [False, False], 1)]),
        Check("divides by k where the list is shorter", [arguments(SCORES, GOOD, 12), arguments([0.4], [True], 5)]),
        Check(
            "takes the earlier of equal scores first",
            [arguments([2, 3, 2, 2], [False, True, True, True], 2), arguments([0, 0, 0], [True, False, False], 1), arguments([2, 3, 2, 2], [False, True, True, True], 3), arguments([1, 1, 1], [True, False, True], 3)],
        ),
        Check("leaves the lists as they were", predicate=leaves_alone([0.2, 0.9, 0.5], [True, True, False], 2)),
    ],
    mistakes=[
        Mistake(of_what_is_there, "You divide by the places that are filled. An empty place helped nobody: divide by `k`."),
        Mistake(lowest_first, "You take the lowest scores. The highest stand on top."),
        Mistake(as_they_come, "You take the first `k` as they come. Sort by score first."),
        Mistake(recall_instead, "You divide by all that deserve it: that is recall. Divide by `k`."),
        Mistake(any_hit, "One hit is enough for you: that is the hit rate. Count all of them."),
        Mistake(count, "That is a count. Divide by `k`."),
        Mistake(score_by_value, "`index` gives the first place of a score, so equal scores all become one. Sort the places instead."),
        Mistake(takes_best_out, "You take out of the lists that were given. Leave them: sort the places."),
        Mistake(later_equals, "Of equal scores you take the later first. Use a stable sort by the negative score."),
    ],
    hints=[
        "`sorted(range(len(scores)), key=lambda place: -scores[place])[:k]` are the places on top.",
        "Count those whose `deserves` is true.",
        "Divide by `k`, not by the length of the list.",
    ],
)  # fmt: skip

exercises = [VOTE, MARGIN, PRECISION]

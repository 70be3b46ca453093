"""The checks of lesson 11: right answers in other styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score, roc_curve

from aicourse.notebook.exercises import checks_path, examine, load_checks

EXERCISES = {exercise.id: exercise for exercise in load_checks(checks_path("11"))}
Verdicts = Sequence[bool | None]
Items = list[dict[str, Any]]


def said(exercise: str, answer: Any) -> str:
    return repr(examine(EXERCISES[exercise], answer))


def passes(exercise: str, answer: Any) -> bool:
    return examine(EXERCISES[exercise], answer).status == "solved"


def right(exercise: str, *answers: Callable[..., Any]) -> Any:
    return [pytest.param(exercise, answer, id=f"{exercise} {answer.__name__}") for answer in answers]


def wrong(exercise: str, *answers: tuple[Callable[..., Any], str]) -> Any:
    return [pytest.param(exercise, answer, part, id=f"{exercise} {part}") for answer, part in answers]


# 11.1


def with_a_loop(labels: list[bool], verdicts: Verdicts) -> tuple[float, float]:
    hits, sizes = {True: 0, False: 0}, {True: 0, False: 0}
    for place, label in enumerate(labels):
        sizes[label] += 1
        if verdicts[place] is not None and verdicts[place] == label:
            hits[label] += 1
    return hits[True] / sizes[True], hits[False] / sizes[False]


def with_numpy(labels: list[bool], verdicts: Verdicts) -> Any:
    gold, told = np.array(labels), np.array([-1 if one is None else int(one) for one in verdicts])
    return np.array([(told[gold] == 1).mean(), (told[~gold] == 0).mean()])


def with_pandas(labels: list[bool], verdicts: Verdicts) -> Any:
    table = pd.DataFrame({"label": labels, "right": [a is b for a, b in zip(labels, verdicts, strict=True)]})
    shares = table.groupby("label")["right"].mean()
    return [shares[True], shares[False]]


def with_counter(labels: list[bool], verdicts: Verdicts) -> tuple[float, float]:
    seen = Counter(zip(labels, verdicts, strict=True))
    return tuple(  # type: ignore[return-value]
        seen[side, side] / sum(seen[side, told] for told in (True, False, None)) for side in (True, False)
    )


def with_recall(labels: list[bool], verdicts: Verdicts) -> tuple[float, float]:
    told = [
        (not label) if verdict is None else verdict for label, verdict in zip(labels, verdicts, strict=True)
    ]
    return recall_score(labels, told), recall_score(labels, told, pos_label=False)


def share(pairs: list[tuple[bool, bool | None]], side: bool) -> float:
    return sum(told is side for _, told in pairs) / len(pairs)


def of_labels(labels: list[bool], verdicts: Verdicts, side: bool) -> list[tuple[bool, bool | None]]:
    return [pair for pair in zip(labels, verdicts, strict=True) if pair[0] is side]


def precision(labels: list[bool], verdicts: Verdicts) -> tuple[float, float]:
    pairs = list(zip(verdicts, labels, strict=True))
    return tuple(  # type: ignore[return-value]
        sum(label is side for told, label in pairs if told is side) / sum(told is side for told, _ in pairs)
        for side in (True, False)
    )


# 11.2


def reach(items: Items, threshold: float) -> float:
    shares = []
    for label in (True, False):
        chosen = [one for one in items if one["passes"] is label]
        shares.append(sum((one["probability"] >= threshold) is label for one in chosen) / len(chosen))
    return sum(shares)


def not_test(items: Items) -> Items:
    return [one for one in items if one["split"] in ("train", "dev")]


def on_a_grid(items: Items) -> float:
    return max((step / 100 for step in range(101)), key=lambda each: reach(not_test(items), each))


def at_a_value(items: Items) -> float:
    best, most = 0.0, -1.0
    for one in not_test(items):
        if (now := reach(not_test(items), one["probability"])) > most:
            best, most = one["probability"], now
    return best


def by_roc(items: Items) -> Any:
    known = not_test(items)
    labels, values = [one["passes"] for one in known], [one["probability"] for one in known]
    false, true, thresholds = roc_curve(labels, values, drop_intermediate=False)
    return thresholds[1:][np.argmax((true - false)[1:])]


def by_frame(items: Items) -> Any:
    table = pd.DataFrame(items).query("split != 'test'")
    goods = table.loc[table["passes"], "probability"]
    bads = table.loc[~table["passes"], "probability"]
    candidates = sorted(table["probability"].unique())
    return pd.Series({each: (goods >= each).mean() + (bads < each).mean() for each in candidates}).idxmax()


def by_sorting(items: Items) -> float:
    known = sorted(not_test(items), key=lambda one: one["probability"])
    middles = [(low["probability"] + high["probability"]) / 2 for low, high in pairwise(known)]
    return sorted(middles, key=lambda each: reach(known, each))[-1]


def by_accuracy(items: Items) -> float:
    def hits(threshold: float) -> int:
        return sum((one["probability"] >= threshold) == one["passes"] for one in not_test(items))

    return max(sorted({one["probability"] for one in items}), key=hits)


def above(items: Items) -> float:
    def reached(threshold: float) -> float:
        return reach([one | {"probability": one["probability"] - 1e-9} for one in not_test(items)], threshold)

    return max(sorted({one["probability"] for one in not_test(items)}), key=reached)


def by_the_smaller(items: Items) -> float:
    def smaller(threshold: float) -> float:
        sides = [[one for one in not_test(items) if one["passes"] is label] for label in (True, False)]
        return min(np.mean([(one["probability"] >= threshold) == one["passes"] for one in s]) for s in sides)

    return max(sorted({one["probability"] for one in items}), key=smaller)


def by_taking_out(items: Items) -> float:
    for one in items:
        if one["split"] == "test":
            items.remove(one)
    return max((one["probability"] for one in items), key=lambda each: reach(items, each))


def without_test_for_good(items: Items) -> float:
    items[:] = not_test(items)
    return at_a_value(items)


# 11.3


def solved_step_by_step(raw: float, tpr: float, tnr: float) -> float:
    false = 1 - tnr
    if tpr <= false + 1e-12:
        raise ValueError("says nothing")
    rate = (raw - false) / (tpr - false)
    if rate > 1:
        return 1
    return 0 if rate < 0 else rate


def clipped(raw: float, tpr: float, tnr: float) -> Any:
    gain = tpr + tnr - 1
    if gain <= 0:
        raise ValueError(f"{gain} is no gain")
    return np.clip((raw - (1 - tnr)) / gain, 0, 1)


def by_a_matrix(raw: float, tpr: float, tnr: float) -> float:
    if not tpr + tnr > 1:
        raise ValueError
    good, _ = np.linalg.solve([[tpr, 1 - tnr], [1, 1]], [raw, 1])
    return float(sorted([0, good, 1])[1])


def by_halves(raw: float, tpr: float, tnr: float) -> float:
    if tpr + tnr <= 1:
        raise ValueError("no better than chance")
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if middle * tpr + (1 - middle) * (1 - tnr) < raw else (low, middle)
    return (low + high) / 2


def with_own_error(raw: float, tpr: float, tnr: float) -> float:
    class UselessJudgeError(ValueError):
        pass

    if tpr + tnr - 1 < 1e-9:
        raise UselessJudgeError("label the answers")
    return max(min((raw + tnr - 1) / (tpr + tnr - 1), 1), 0)


def guarded(formula: Callable[[float, float, float], float]) -> Callable[[float, float, float], float]:
    def answer(raw: float, tpr: float, tnr: float) -> float:
        if tpr + tnr <= 1:
            raise ValueError("no better than chance")
        return formula(raw, tpr, tnr)

    return answer


def sure(raw: float, tpr: float, tnr: float) -> float:
    return min(1, max(0, (raw + tnr - 1) / (tpr + tnr - 1)))


def one_low_rate(raw: float, tpr: float, tnr: float) -> float:
    if min(tpr, tnr) <= 0.5:
        raise ValueError("no better than chance")
    return sure(raw, tpr, tnr)


# 11.4


def with_sums(before: list[str], after: list[str]) -> tuple[float, float]:
    first = sum(a == b == "first" for a, b in zip(before, after, strict=True))
    return first / len(before), sum(a == b == "second" for a, b in zip(before, after, strict=True)) / len(
        before
    )


def with_arrays(before: list[str], after: list[str]) -> Any:
    stayed = np.array(before) == np.array(after)
    return np.mean(stayed & (np.array(before) == "first")), np.mean(stayed & (np.array(before) == "second"))


def with_crosstab(before: list[str], after: list[str]) -> list[float]:
    table = pd.crosstab(pd.Series(before), pd.Series(after), normalize="all")
    places = ["first", "second"]
    table = table.reindex(index=places, columns=places, fill_value=0)
    return [table.loc[place, place] for place in places]


def one_by_one(before: list[str], after: list[str]) -> tuple[float, float]:
    found = {"first": 0, "second": 0}
    for place in range(len(before)):
        if before[place] != after[place]:
            continue
        found[before[place]] += 1
    return found["first"] / len(after), found["second"] / len(after)


def by_recursion(before: list[str], after: list[str]) -> tuple[float, float]:
    def count(word: str, pairs: list[tuple[str, str]]) -> int:
        return 0 if not pairs else (pairs[0] == (word, word)) + count(word, pairs[1:])

    pairs = list(zip(before, after, strict=True))
    return count("first", pairs) / len(pairs), count("second", pairs) / len(pairs)


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        *right("11.1", with_a_loop, with_numpy, with_pandas, with_counter, with_recall),
        *right("11.2", on_a_grid, at_a_value, by_roc, by_frame, by_sorting),
        *right("11.3", solved_step_by_step, clipped, by_a_matrix, by_halves, with_own_error),
        *right("11.4", with_sums, with_arrays, with_crosstab, one_by_one, by_recursion),
    ],
)
def test_a_right_answer_in_another_style_passes(exercise: str, answer: Callable[..., Any]) -> None:
    assert passes(exercise, answer), said(exercise, answer)


@pytest.mark.parametrize(
    ("exercise", "answer", "part"),
    [
        *wrong(
            "11.1",
            (precision, "Divide by what is *labelled* so"),
            (lambda labels, verdicts: with_a_loop(labels, verdicts)[::-1], "wrong way round"),
            (
                lambda labels, verdicts: (
                    share(of_labels(labels, verdicts, True), True),
                    share(of_labels(labels, verdicts, False), True),
                ),
                "TNR is the share that is caught",
            ),
            (
                lambda labels, verdicts: tuple(
                    share([one for one in of_labels(labels, verdicts, side) if one[1] is not None], side)
                    for side in (True, False)
                ),
                "which flatters the judge",
            ),
            (
                lambda labels, verdicts: (
                    share(of_labels(labels, verdicts, True), True),
                    sum(not told for _, told in of_labels(labels, verdicts, False)) / labels.count(False),
                ),
                "None counts as a fail",
            ),
            (
                lambda labels, verdicts: (
                    sum(told is not False for _, told in of_labels(labels, verdicts, True))
                    / labels.count(True),
                    share(of_labels(labels, verdicts, False), False),
                ),
                "None counts as a pass",
            ),
            (
                lambda labels, verdicts: tuple(1 - one for one in with_a_loop(labels, verdicts)),
                "*wrong* verdicts",
            ),
            (lambda labels, verdicts: np.round(with_numpy(labels, verdicts), 2), "Do not round"),
        ),
        *wrong(
            "11.2",
            (
                lambda items: max((s / 100 for s in range(101)), key=lambda t: reach(items, t)),
                "leave out items",
            ),
            (by_accuracy, "that forgets the few that fail"),
            (lambda items: 0.5, "0.5 is a habit"),
            (
                lambda items: at_a_value([one | {"split": "dev"} for one in items if one["split"] == "test"]),
                "You choose on test",
            ),
            (
                lambda items: at_a_value([one for one in items if one["split"] == "train"]),
                "You use train alone",
            ),
            (
                lambda items: at_a_value([one for one in items if one["split"] == "dev"]),
                "You use dev alone",
            ),
            (above, "compare with >="),
            (lambda items: min(one["probability"] for one in not_test(items)), "You look at TPR alone"),
            (
                lambda items: min(one["probability"] for one in not_test(items) if one["passes"]),
                "You look at TPR alone",
            ),
            (by_the_smaller, "You make the smaller rate largest"),
            (by_taking_out, "it skips the next one"),
            (without_test_for_good, "work on a copy"),
            (
                lambda items: max((s / 20 for s in range(21)), key=lambda t: reach(not_test(items), t)),
                "Your steps are wide",
            ),
        ),
        *wrong(
            "11.3",
            (guarded(lambda raw, tpr, tnr: raw), "That is what the judge says"),
            (guarded(lambda raw, tpr, tnr: min(1, raw / tpr)), "Bad answers that pass count too"),
            (guarded(lambda raw, tpr, tnr: raw * tpr + (1 - raw) * (1 - tnr)), "That is the way there"),
            (guarded(lambda raw, tpr, tnr: (raw + tnr - 1) / (tpr + tnr - 1)), "No rate is above 1"),
            (sure, "the judge's rate says nothing"),
            (lambda raw, tpr, tnr: round(clipped(raw, tpr, tnr), 2), "Do not round"),
            (one_low_rate, "One low rate alone is no reason"),
        ),
        *wrong(
            "11.4",
            (
                lambda before, after: (
                    sum(a != b and a == "first" for a, b in zip(before, after, strict=True)) / len(before),
                    sum(a != b and a == "second" for a, b in zip(before, after, strict=True)) / len(before),
                ),
                "Those chose the same *title*",
            ),
            (
                lambda before, after: tuple(before.count(word) / len(before) for word in ("first", "second")),
                "One order cannot tell",
            ),
            (
                lambda before, after: tuple(
                    (before + after).count(word) / len(before + after) for word in ("first", "second")
                ),
                "You count all answers together",
            ),
            (
                lambda before, after: tuple(len(before) * one for one in with_sums(before, after)),
                "Those are counts",
            ),
            (lambda before, after: with_sums(before, after)[::-1], "wrong way round"),
            (
                lambda before, after: tuple(
                    share * len(before) / (before.count(place) or 1)
                    for share, place in zip(with_sums(before, after), ("first", "second"), strict=True)
                ),
                "Divide by all pairs",
            ),
            (lambda before, after: np.round(with_arrays(before, after), 2), "Do not round"),
        ),
    ],
)
def test_a_wrong_answer_gets_the_sentence_that_fits(
    exercise: str, answer: Callable[..., Any], part: str
) -> None:
    assert not passes(exercise, answer)
    assert part in " ".join(said(exercise, answer).split())


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("answer", [None, 0.5, "first"])
def test_an_answer_that_is_no_function_is_told(exercise: str, answer: Any) -> None:
    assert not passes(exercise, answer)

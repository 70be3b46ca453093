"""Lesson 13: right answers in foreign styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from answering import Answer, is_told, passes

# 13.1


def as_sets(value: Any) -> Any:
    return frozenset(value) if isinstance(value, list) else value


def by_counter(listings: Any) -> Any:
    counted = [one for one in listings if one["proposed"] is not None]
    changed: Counter[str] = Counter()
    for one in counted:
        for name in one["published"]:
            changed[name] += as_sets(one["proposed"][name]) != as_sets(one["published"][name])
    return {name: changed[name] / len(counted) for name in changed}


def by_comprehension(listings: Any) -> Any:
    kept = [(one["proposed"], one["published"]) for one in listings if one["proposed"] is not None]
    names = kept[0][0] if kept else []
    return {n: sum(as_sets(a[n]) != as_sets(b[n]) for a, b in kept) / len(kept) for n in names}


def by_frame(listings: Any) -> Any:
    rows = [
        {name: as_sets(one["proposed"][name]) != as_sets(value) for name, value in one["published"].items()}
        for one in listings
        if one["proposed"] is not None
    ]
    return pd.DataFrame(rows).mean().to_dict() if rows else {}


def by_lists(listings: Any) -> Any:
    found = defaultdict(list)
    for one in listings:
        if one["proposed"] is None:
            continue
        for name, value in one["published"].items():
            found[name].append(as_sets(value) != as_sets(one["proposed"].get(name)))
    return {name: np.mean(values) for name, values in found.items()}


def by_while(listings: Any) -> Any:
    left, size, total = list(listings), 0, {}
    while left:
        one = left.pop()
        if one["proposed"] is not None:
            size += 1
            for name, value in one["published"].items():
                is_new = int(as_sets(value) != as_sets(one["proposed"][name]))
                total[name] = total.get(name, 0) + is_new
    return {name: count / size for name, count in total.items()}


@pytest.mark.parametrize("answer", [by_counter, by_comprehension, by_frame, by_lists, by_while])
def test_rates_in_any_style(answer: Answer) -> None:
    passes("13.1", answer)


def down_is_changed(listings: Any) -> Any:
    return by_counter(
        [one | {"proposed": one["proposed"] or dict.fromkeys(one["published"])} for one in listings]
    )


def down_is_accepted(listings: Any) -> Any:
    return by_counter([one | {"proposed": one["proposed"] or one["published"]} for one in listings])


def in_order(listings: Any) -> Any:
    kept = [one for one in listings if one["proposed"] is not None]
    names = kept[0]["published"] if kept else []
    return {n: sum(one["proposed"][n] != one["published"][n] for one in kept) / len(kept) for n in names}


def as_numbers(listings: Any) -> Any:
    size = sum(one["proposed"] is not None for one in listings)
    return {name: rate * size for name, rate in by_counter(listings).items()}


def accepted(listings: Any) -> Any:
    return {name: 1 - rate for name, rate in by_counter(listings).items()}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (down_is_changed, "counts as changed in your rates"),
        (down_is_accepted, "counts as accepted in your rates"),
        (in_order, "in another order are no correction"),
        (as_numbers, "That is how many corrections there are"),
        (accepted, "the share that was *accepted*"),
    ],
)
def test_rates_that_err_are_told_why(answer: Answer, sentence: str) -> None:
    is_told("13.1", answer, sentence)


def rates_by(same: Callable[[Any, Any], bool], names: Any = None) -> Answer:
    def rates(listings: Any) -> Any:
        kept = [(one["proposed"], one["published"]) for one in listings if one["proposed"] is not None]
        fields = names or (kept[0][0] if kept else [])
        return {n: sum(not same(a[n], b[n]) for a, b in kept) / len(kept) for n in fields if kept}

    return rates


def share_a_value(before: Any, after: Any) -> bool:
    both = isinstance(before, list) and isinstance(after, list)
    return before == after or (both and bool({*before} & {*after}))


def part_of(before: Any, after: Any) -> bool:
    texts = isinstance(before, str) and isinstance(after, str)
    return before in after if texts else as_sets(before) == as_sets(after)


def without_the_others(listings: Any) -> Any:
    for one in [*listings]:
        if one["proposed"] is None:
            listings.remove(one)
    return by_counter(listings)


def sorted_in_place(listings: Any) -> Any:
    for one in listings:
        for value in [*(one["proposed"] or {}).values(), *one["published"].values()]:
            if isinstance(value, list):
                value.sort()
    return by_counter(listings)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (rates_by(lambda before, after: set(before or []) == set(after or [])), "one of its letters"),
        (rates_by(lambda before, after: sorted(str(before)) == sorted(str(after))), "compares texts whole"),
        (rates_by(part_of), "compares texts whole"),
        (rates_by(share_a_value), "One common value is enough"),
        (
            rates_by(lambda a, b: as_sets(a) == as_sets(b), names=("size", "brand", "colours")),
            "takes the fields that the listings have",
        ),
        (without_the_others, "take listings out of the list that was given"),
        (sorted_in_place, "work on a copy"),
    ],
)
def test_rates_by_another_measure_are_refused(answer: Answer, sentence: str) -> None:
    is_told("13.1", answer, sentence)


# 13.2


def by_numpy(values: Any, probabilities: Any) -> Any:
    return np.average(values, weights=1 / np.array(probabilities))


def by_pandas(values: Any, probabilities: Any) -> Any:
    table = pd.DataFrame({"v": values, "w": probabilities})
    table["w"] = 1 / table["w"]
    return table.prod(axis=1).sum() / table["w"].sum()


def by_fractions(values: Any, probabilities: Any) -> Any:
    weights = [1 / Fraction(one) for one in probabilities]
    return float(sum(w * Fraction(v) for w, v in zip(weights, values, strict=True)) / sum(weights))


def by_loop(values: Any, probabilities: Any) -> Any:
    above = below = 0.0
    for place in range(len(values)):
        above += values[place] / probabilities[place]
        below += 1 / probabilities[place]
    return above / below


def by_dot(values: Any, probabilities: Any) -> Any:
    weights = np.reciprocal(np.asarray(probabilities, dtype=float))
    return weights @ np.asarray(values) / weights.sum()


@pytest.mark.parametrize("answer", [by_numpy, by_pandas, by_fractions, by_loop, by_dot])
def test_an_estimate_in_any_style(answer: Answer) -> None:
    passes("13.2", answer)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda values, probabilities: np.mean(values), "the naive mean"),
        (
            lambda values, probabilities: np.average(values, weights=probabilities),
            "You weight with the probability",
        ),
        (
            lambda values, probabilities: np.mean(np.array(values) / probabilities),
            "divide by the size of the sample",
        ),
        (lambda values, probabilities: np.sum(np.array(values) / probabilities), "an estimated *number*"),
        (
            lambda values, probabilities: np.sum(np.array(values) / probabilities) / np.sum(probabilities),
            "divide by the sum of the probabilities",
        ),
    ],
)
def test_an_estimate_that_errs_is_told_why(answer: Answer, sentence: str) -> None:
    is_told("13.2", answer, sentence)


def weights_into_the_list(values: Any, probabilities: Any) -> Any:
    for place, one in enumerate(probabilities):
        probabilities[place] = 1 / one
    return float(np.average(values, weights=probabilities))


def weights_into_a_copy(values: Any, probabilities: Any) -> Any:
    return weights_into_the_list(values, list(probabilities))


def test_an_estimate_that_changes_its_lists_is_told_so() -> None:
    is_told("13.2", weights_into_the_list, "work on a copy")
    passes("13.2", weights_into_a_copy)


# 13.3


def by_dicts(trace: str, text: str, annotator: str, fields: Any) -> Any:
    by_name = {one["field"]: one for one in fields}
    if not {one["verdict"] for one in fields} <= {"right", "wrong"}:
        return None
    confirmed = [n for n, o in by_name.items() if o["verdict"] == "wrong" and o["proposed"] != o["published"]]
    expected = {n: o["proposed" if o["verdict"] == "right" else "gold"] for n, o in by_name.items()}
    told = "production, trace {}, confirmed by {}".format(trace, annotator)  # noqa: UP032
    return {"input": text, "expected": expected, "tags": ["corrected"] * bool(confirmed), "provenance": told}


def by_early_return(trace: str, text: str, annotator: str, fields: Any) -> Any:
    case: dict[str, Any] = {"tags": [], "expected": {}}
    for one in fields:
        if one["verdict"] == "right":
            case["expected"][one["field"]] = one["proposed"]
        elif one["verdict"] == "wrong":
            case["expected"][one["field"]] = one["gold"]
            if one["published"] != one["proposed"] and not case["tags"]:
                case["tags"].append("corrected")
        else:
            return None
    case["provenance"] = "production, trace " + trace + ", confirmed by " + annotator
    return case | {"input": text}


def by_match(trace: str, text: str, annotator: str, fields: Any) -> Any:
    expected, tags = {}, set()
    for one in fields:
        match one:
            case {"verdict": "right", "field": name, "proposed": value}:
                expected[name] = value
            case {"verdict": "wrong", "field": name, "gold": value}:
                expected[name] = value
                tags |= {"corrected"} if one["proposed"] != one["published"] else set()
            case _:
                return None
    told = f"production, trace {trace}, confirmed by {annotator}"
    return {"input": text, "expected": expected, "tags": sorted(tags), "provenance": told}


def by_recursion(trace: str, text: str, annotator: str, fields: Any) -> Any:
    told = f"production, trace {trace}, confirmed by {annotator}"
    if not fields:
        return {"provenance": told, "tags": [], "expected": {}, "input": text}
    first, *others = fields
    rest = by_recursion(trace, text, annotator, others)
    if rest is None or first["verdict"] in (None, "unsure"):
        return None
    is_wrong = first["verdict"] == "wrong"
    value = first["gold"] if is_wrong else first["proposed"]
    changed = is_wrong and first["published"] != first["proposed"]
    tags = ["corrected"] if changed or rest["tags"] else []
    return rest | {"expected": {first["field"]: value, **rest["expected"]}, "tags": tags}


def by_zip(trace: str, text: str, annotator: str, fields: Any) -> Any:
    verdicts = [one["verdict"] for one in fields]
    if len(fields) != verdicts.count("right") + verdicts.count("wrong"):
        return None
    names = [one["field"] for one in fields]
    values = [(one["proposed"], one["gold"])[one["verdict"] == "wrong"] for one in fields]
    edited = (one["published"] != one["proposed"] for one in fields if one["verdict"] == "wrong")
    return {
        "input": text,
        "expected": dict(zip(names, values, strict=True)),
        "tags": ["corrected"] if any(edited) else [],
        "provenance": ", ".join(["production", f"trace {trace}", f"confirmed by {annotator}"]),
    }


@pytest.mark.parametrize("answer", [by_dicts, by_early_return, by_match, by_recursion, by_zip])
def test_a_case_in_any_style(answer: Answer) -> None:
    passes("13.3", answer)


def sellers_word(trace: str, text: str, annotator: str, fields: Any) -> Any:
    case = by_dicts(trace, text, annotator, fields)
    return case and case | {"expected": {one["field"]: one["published"] for one in fields}}


def unsure_is_right(trace: str, text: str, annotator: str, fields: Any) -> Any:
    return by_dicts(
        trace,
        text,
        annotator,
        [one | {"verdict": {"unsure": "right"}.get(one["verdict"], one["verdict"])} for one in fields],
    )


def every_edit_counts(trace: str, text: str, annotator: str, fields: Any) -> Any:
    case = by_dicts(trace, text, annotator, fields)
    edited = any(one["published"] != one["proposed"] for one in fields)
    return case and case | {"tags": ["corrected"] if edited else []}


def every_mistake_counts(trace: str, text: str, annotator: str, fields: Any) -> Any:
    case = by_dicts(trace, text, annotator, fields)
    return case and case | {"tags": ["corrected"] if "wrong" in [one["verdict"] for one in fields] else []}


def by_nobody(trace: str, text: str, annotator: str, fields: Any) -> Any:
    case = by_dicts(trace, text, annotator, fields)
    return case and case | {"provenance": f"production, trace {trace}"}


def a_tag_per_field(trace: str, text: str, annotator: str, fields: Any) -> Any:
    case = by_dicts(trace, text, annotator, fields)
    wrong = [one for one in fields if one["verdict"] == "wrong"]
    return case and case | {"tags": ["corrected" for one in wrong if one["proposed"] != one["published"]]}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (sellers_word, "You expect what the seller published"),
        (unsure_is_right, "about which the annotator is unsure"),
        (every_edit_counts, "A change of a value that was right"),
        (every_mistake_counts, "A wrong field that the seller left as it was"),
        (by_nobody, "does not say who confirmed"),
        (a_tag_per_field, "The case has it once"),
    ],
)
def test_a_case_that_errs_is_told_why(answer: Answer, sentence: str) -> None:
    is_told("13.3", answer, sentence)


def expecting(value: Callable[[Any], Any]) -> Answer:
    def case_of(trace: str, text: str, annotator: str, fields: Any) -> Any:
        case = by_dicts(trace, text, annotator, fields)
        return case and case | {"expected": {one["field"]: value(one) for one in fields}}

    return case_of


def of_what_is_stated(trace: str, text: str, annotator: str, fields: Any) -> Any:
    case = by_dicts(trace, text, annotator, fields)
    return case and case | {"expected": {name: value for name, value in case["expected"].items() if value}}


def of_the_last_verdict(trace: str, text: str, annotator: str, fields: Any) -> Any:
    is_settled = False
    for one in fields:
        is_settled = one["verdict"] in ("right", "wrong")
    judged = [one if one["verdict"] else one | {"verdict": "right"} for one in fields]
    sure = [one if one["verdict"] != "unsure" else one | {"verdict": "right"} for one in judged]
    return by_dicts(trace, text, annotator, sure) if is_settled else None


def tag_where_nothing_was_proposed(trace: str, text: str, annotator: str, fields: Any) -> Any:
    case = by_dicts(trace, text, annotator, fields)
    filled = [one for one in fields if one["verdict"] == "wrong" and one["proposed"] is None]
    return case and case | {"tags": ["corrected"] if filled else []}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (expecting(lambda one: one["gold"] or one["proposed"]), "an empty `gold` says that there is none"),
        (
            expecting(lambda one: one["proposed"] if one["gold"] is None else one["gold"]),
            "A model invents, too",
        ),
        (of_what_is_stated, "A model invents, too"),
        (of_the_last_verdict, "The last verdict decides"),
        (tag_where_nothing_was_proposed, "✗ missing     tags what the seller changed"),
    ],
)
def test_a_case_that_is_right_for_most_fields_is_refused(answer: Answer, sentence: str) -> None:
    is_told("13.3", answer, sentence)


# 13.4


def by_groupby(rows: Any, field: Any) -> Any:
    table = pd.DataFrame(rows)
    table["silent"] = ~table.groupby("seller")["changed"].transform("any").astype(bool)
    own = table[table["field"] == field]
    return own["changed"].mean(), (own["changed"] | own["silent"]).mean()


def by_any(rows: Any, field: Any) -> Any:
    def speaks(seller: Any) -> bool:
        return any(row["changed"] for row in rows if row["seller"] == seller)

    own = [row for row in rows if row["field"] == field]
    unsure = [row["changed"] or not speaks(row["seller"]) for row in own]
    return [sum(row["changed"] for row in own) / len(own), sum(unsure) / len(own)]


def by_arrays(rows: Any, field: Any) -> Any:
    seller, name, changed = (np.array([row[key] for row in rows]) for key in ("seller", "field", "changed"))
    own = name == field
    in_doubt = changed | ~np.isin(seller, seller[changed])
    return changed[own].mean(), in_doubt[own].mean()


def by_counts(rows: Any, field: Any) -> Any:
    edits = Counter(row["seller"] for row in rows if row["changed"])
    kinds = Counter(
        "changed" if row["changed"] else "silent" if not edits[row["seller"]] else "accepted"
        for row in rows
        if row["field"] == field
    )
    least = Fraction(kinds["changed"], kinds.total())
    return float(least), float(least + Fraction(kinds["silent"], kinds.total()))


def by_two_loops(rows: Any, field: Any) -> Any:
    said: dict[Any, bool] = {}
    for row in rows:
        said[row["seller"]] = said.get(row["seller"], False) or row["changed"]
    low = high = size = 0
    for row in rows:
        if row["field"] != field:
            continue
        size += 1
        low += 1 if row["changed"] else 0
        high += 1 if row["changed"] or not said[row["seller"]] else 0
    return low / size, high / size


@pytest.mark.parametrize("answer", [by_groupby, by_any, by_arrays, by_counts, by_two_loops])
def test_bounds_in_any_style(answer: Answer) -> None:
    passes("13.4", answer)


def test_bounds_in_an_array() -> None:
    passes("13.4", lambda rows, field: np.array(by_any(rows, field)))


def in_this_field(rows: Any, field: Any) -> Any:
    return by_any([row for row in rows if row["field"] == field], field)


def everything_unchanged(rows: Any, field: Any) -> Any:
    return by_any(rows, field)[0], 1.0


def turned_round(rows: Any, field: Any) -> Any:
    return by_any(rows, field)[::-1]


def silent_alone(rows: Any, field: Any) -> Any:
    least, most = by_any(rows, field)
    return least, most - least


def in_rows(rows: Any, field: Any) -> Any:
    size = sum(row["field"] == field for row in rows)
    return [share * size for share in by_any(rows, field)]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (in_this_field, "A seller who corrected another field is not silent"),
        (everything_unchanged, "You suspect every unchanged row"),
        (turned_round, "The first is larger than the second"),
        (silent_alone, "counts the changed rows as well as the silent ones"),
        (in_rows, "Those are numbers of rows"),
    ],
)
def test_bounds_that_err_are_told_why(answer: Answer, sentence: str) -> None:
    is_told("13.4", answer, sentence)

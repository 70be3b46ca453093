"""The checks of lesson 12: right answers in other styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

import datetime
import math
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aicourse.monitoring import psi
from aicourse.notebook.exercises import checks_path, examine, load_checks

EXERCISES = {exercise.id: exercise for exercise in load_checks(checks_path("12"))}
CHECKS = sys.modules[EXERCISES["12.1"].reference.__module__]
Answer = Callable[..., Any]


def said(exercise: str, answer: Any) -> str:
    return repr(examine(EXERCISES[exercise], answer))


def passes(exercise: str, answer: Any) -> bool:
    return examine(EXERCISES[exercise], answer).status == "solved"


# 12.1


def by_pandas(requests: Any) -> Any:
    frame = pd.DataFrame(requests)
    found = {}
    for version, group in frame.groupby("prompt_version"):
        ranks = group.loc[group["status"] == "ok", "seconds"].sort_values().reset_index(drop=True)
        places = [math.ceil(p * len(ranks) / 100) - 1 for p in (50, 95)]
        found[version] = {
            "requests": len(group),
            "failed": (group["status"] == "error").mean(),
            "p50": ranks[places[0]],
            "p95": ranks[places[1]],
        }
    return found


def by_numpy(requests: Any) -> Any:
    versions = sorted({one["prompt_version"] for one in requests}, reverse=True)
    table = {}
    for version in versions:
        rows = [one for one in requests if one["prompt_version"] == version]
        seconds = np.array([one["seconds"] for one in rows if one["status"] == "ok"])
        table[version] = {
            "requests": np.int64(len(rows)),
            "failed": np.mean([one["status"] != "ok" for one in rows]),
            "p50": np.percentile(seconds, 50, method="inverted_cdf"),
            "p95": np.percentile(seconds, 95, method="inverted_cdf"),
        }
    return table


def by_groupby(requests: Any) -> Any:
    def key(one: Any) -> Any:
        return one["prompt_version"]

    def row(group: list[Any]) -> Any:
        ranks = sorted(one["seconds"] for one in group if one["status"] != "error")
        n = len(ranks)
        errors = Counter(one["status"] for one in group)["error"]
        return {
            "p95": ranks[math.ceil(95 * n / 100) - 1],
            "p50": ranks[math.ceil(n / 2) - 1],
            "failed": errors / len(group),
            "requests": len(group),
        }

    return {version: row([*group]) for version, group in groupby(sorted(requests, key=key), key=key)}


def by_counting(requests: Any) -> Any:
    """The smallest value with enough values up to it."""
    groups: Any = defaultdict(list)
    for one in requests:
        groups[one["prompt_version"]] += [one]

    def smallest(seconds: list[float], percent: int) -> float:
        return min(
            one for one in seconds if 100 * sum(other <= one for other in seconds) >= percent * len(seconds)
        )

    return {
        version: {
            "requests": len(group),
            "failed": sum(1 for one in group if one["status"] == "error") / len(group),
            "p50": smallest([one["seconds"] for one in group if one["status"] == "ok"], 50),
            "p95": smallest([one["seconds"] for one in group if one["status"] == "ok"], 95),
        }
        for version, group in groups.items()
    }


def by_recursion(requests: Any) -> Any:
    if not requests:
        return {}
    version = requests[0]["prompt_version"]
    own = [one for one in requests if one["prompt_version"] == version]
    others = [one for one in requests if one["prompt_version"] != version]
    ranks = sorted(one["seconds"] for one in own if one["status"] == "ok")
    at = {f"p{p}": ranks[(p * len(ranks) + 99) // 100 - 1] for p in (50, 95)}
    failed = len([one for one in own if one["status"] == "error"]) / len(own)
    return {version: {"requests": len(own), "failed": failed, **at}, **by_recursion(others)}


@pytest.mark.parametrize("answer", [by_pandas, by_numpy, by_groupby, by_counting, by_recursion])
def test_a_table_in_any_style(answer: Answer) -> None:
    assert passes("12.1", answer), said("12.1", answer)


def interpolating(requests: Any) -> Any:
    found = {}
    for version, group in pd.DataFrame(requests).groupby("prompt_version"):
        found[version] = {
            "requests": len(group),
            "failed": (group["status"] == "error").mean(),
            "p50": group.loc[group["status"] == "ok", "seconds"].quantile(0.5),
            "p95": group.loc[group["status"] == "ok", "seconds"].quantile(0.95),
        }
    return found


def of_all(requests: Any) -> Any:
    table = by_recursion(requests)
    same = by_recursion([one | {"status": "ok"} for one in requests])
    return {
        version: row | {name: same[version][name] for name in ("p50", "p95")}
        for version, row in table.items()
    }


def counting_errors(requests: Any) -> Any:
    return {
        version: row | {"failed": round(row["failed"] * row["requests"])}
        for version, row in by_recursion(requests).items()
    }


def with_means(requests: Any) -> Any:
    table = by_recursion(requests)
    for version, row in table.items():
        own = [one for one in requests if one["prompt_version"] == version]
        seconds = [one["seconds"] for one in own if one["status"] == "ok"]
        row["p50"] = sum(seconds) / len(seconds)
    return table


def counting_from_zero(requests: Any) -> Any:
    table = by_recursion(requests)
    for version, row in table.items():
        own = [one for one in requests if one["prompt_version"] == version]
        ranks = sorted(one["seconds"] for one in own if one["status"] == "ok")
        row["p50"], row["p95"] = (ranks[min(p * len(ranks) // 100, len(ranks) - 1)] for p in (50, 95))
    return table


def changed_rows(change: Callable[[Any, list[float]], Any]) -> Answer:
    """The right table, each row changed by `change(row, seconds of the answered)`."""

    def by_version(requests: Any) -> Any:
        seconds = defaultdict(list)
        for one in requests:
            if one["status"] == "ok":
                seconds[one["prompt_version"]].append(one["seconds"])
        return {name: row | change(row, seconds[name]) for name, row in by_recursion(requests).items()}

    return by_version


with_a_median = changed_rows(lambda row, seconds: {"p50": statistics.median(seconds)})
share_of_answered = changed_rows(
    lambda row, seconds: {"failed": (row["requests"] - len(seconds)) / len(seconds)}
)
of_different_seconds = changed_rows(
    lambda row, seconds: {
        f"p{p}": sorted({*seconds})[math.ceil(p * len({*seconds}) / 100) - 1] for p in (50, 95)
    }
)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (interpolating, "You interpolate"),
        (of_all, "percentiles are of all requests"),
        (counting_errors, "divide by the requests of this version"),
        (with_means, "not the mean"),
        (counting_from_zero, "Places count from 1"),
        (with_a_median, "goes half way between two values"),
        (share_of_answered, "You divide by the answered requests"),
        (of_different_seconds, "A set drops equal seconds"),
    ],
)
def test_a_wrong_table_gets_its_sentence(answer: Answer, sentence: str) -> None:
    assert sentence in said("12.1", answer), said("12.1", answer)


# 12.2


def by_sum(spans: Any, prices: Any) -> Any:
    def one(span: Any) -> float:
        all_in, hits, out = (span[f"{kind}_tokens"] or 0 for kind in ("input", "cached", "output"))
        return all_in * prices["input"] - hits * (prices["input"] - prices["cached"]) + out * prices["output"]

    return sum(one(span) for span in spans if span["operation"] == "chat") / 1e6


def by_frame(spans: Any, prices: Any) -> Any:
    columns = ["operation", "input_tokens", "cached_tokens", "output_tokens"]
    frame = pd.DataFrame(spans, columns=columns)
    chats = frame[frame["operation"] == "chat"][columns[1:]].astype(float).fillna(0)
    uncached = chats["input_tokens"] - chats["cached_tokens"]
    each = uncached * prices["input"] + chats["cached_tokens"] * prices["cached"]
    return (each + chats["output_tokens"] * prices["output"]).sum() / 1_000_000


def by_match(spans: Any, prices: Any) -> Any:
    total = 0
    for span in spans:
        match span:
            case {"operation": "chat", "input_tokens": tokens, "cached_tokens": hits, "output_tokens": out}:
                hits = 0 if hits is None else hits
                total += ((tokens or 0) - hits) * prices["input"] / 10**6
                total += hits * prices["cached"] / 10**6 + (out or 0) * prices["output"] / 10**6
    return total


def by_totals(spans: Any, prices: Any) -> Any:
    totals: Counter[str] = Counter()
    for span in filter(lambda one: one["operation"] == "chat", spans):
        for name in ("input", "cached", "output"):
            totals[name] += span[f"{name}_tokens"] or 0
    totals["input"] -= totals["cached"]
    return sum(prices[name] * totals[name] for name in prices) / 1_000_000


def by_steps(spans: Any, prices: Any, place: int = 0) -> Any:
    if place == len(spans):
        return 0
    span, rest = spans[place], by_steps(spans, prices, place + 1)
    if span["operation"] != "chat":
        return rest
    per_token = {name: price / 1_000_000 for name, price in prices.items()}
    cached = span["cached_tokens"] or 0
    fresh = (span["input_tokens"] or 0) - cached
    output = span["output_tokens"] or 0
    return rest + fresh * per_token["input"] + cached * per_token["cached"] + output * per_token["output"]


@pytest.mark.parametrize("answer", [by_sum, by_frame, by_match, by_totals, by_steps])
def test_a_cost_in_any_style(answer: Answer) -> None:
    assert passes("12.2", answer), said("12.2", answer)


def counted_twice(spans: Any, prices: Any) -> Any:
    chats = [span for span in spans if span["operation"] == "chat"]
    names = ("input", "cached", "output")
    return sum((span[f"{name}_tokens"] or 0) * prices[name] for span in chats for name in names) / 1e6


def all_spans(spans: Any, prices: Any) -> Any:
    return by_sum([span | {"operation": "chat"} for span in spans], prices)


def without_a_price_for_the_cache(spans: Any, prices: Any) -> Any:
    return by_sum(spans, prices | {"cached": prices["input"]})


def in_millions(spans: Any, prices: Any) -> Any:
    return by_sum(spans, prices) * 1e6


def trusting(spans: Any, prices: Any) -> Any:
    total = 0.0
    for span in spans:
        if span["operation"] == "chat":
            total += (span["input_tokens"] - span["cached_tokens"]) * prices["input"]
            total += span["cached_tokens"] * prices["cached"] + span["output_tokens"] * prices["output"]
    return total / 1e6


def of_different_spans(spans: Any, prices: Any) -> Any:
    numbers = {tuple(span.items()): span for span in spans}
    return by_sum([*numbers.values()], prices)


def while_removing(spans: Any, prices: Any) -> Any:
    for span in spans:
        if span["operation"] != "chat":
            spans.remove(span)
    return by_sum([span | {"operation": "chat"} for span in spans], prices)


def of_calls_with_input(spans: Any, prices: Any) -> Any:
    return by_sum([span for span in spans if span["input_tokens"]], prices)


def rounded_by_call(spans: Any, prices: Any) -> Any:
    return sum(round(by_sum([span], prices), 6) for span in spans)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (counted_twice, "counted twice"),
        (all_spans, "repeats its numbers"),
        (without_a_price_for_the_cache, "full price for cached tokens"),
        (in_millions, "per *million* tokens"),
        (trusting, "may be None"),
        (of_different_spans, "Two calls with the same numbers are two calls"),
        (while_removing, "✗ missing     counts the call alone when the span above repeats"),
        (of_calls_with_input, "✗ missing     counts None as 0"),
        (rounded_by_call, "✗ missing     adds up input and output"),
    ],
)
def test_a_wrong_cost_gets_its_sentence(answer: Answer, sentence: str) -> None:
    assert sentence in said("12.2", answer), said("12.2", answer)


# 12.3


def by_package(before: Any, after: Any) -> Any:
    names = list({**before, **after})
    return psi([before.get(name, 0) for name in names], [after.get(name, 0) for name in names])


def by_arrays(before: Any, after: Any) -> Any:
    names = sorted(set(before) | set(after))
    p = np.array([before.get(name, 0) for name in names]) + 0.5
    q = np.array([after.get(name, 0) for name in names]) + 0.5
    p, q = p / p.sum(), q / q.sum()
    return np.sum((p - q) * np.log(p / q))


def by_series(before: Any, after: Any) -> Any:
    table = pd.DataFrame({"p": pd.Series(before, dtype=float), "q": pd.Series(after, dtype=float)})
    shares = table.fillna(0).add(0.5)
    shares = shares / shares.sum()
    return ((shares.q - shares.p) * (np.log(shares.q) - np.log(shares.p))).sum()


def by_counter(before: Any, after: Any) -> Any:
    first, second = Counter(before), Counter(after)
    names = first.keys() | second.keys()
    sides = [sum(side[name] + 0.5 for name in names) for side in (first, second)]
    parts = [((first[name] + 0.5) / sides[0], (second[name] + 0.5) / sides[1]) for name in names]
    return math.fsum((q - p) * math.log(q / p) for p, q in parts)


def by_two_divergences(before: Any, after: Any) -> Any:
    names = [*before, *(name for name in after if name not in before)]

    def shares(mix: Any) -> list[float]:
        total = sum(mix.values()) + len(names) / 2
        return [(mix.get(name, 0) + 0.5) / total for name in names]

    def divergence(one: list[float], other: list[float]) -> float:
        return sum(x * math.log(x / y) for x, y in zip(one, other, strict=True))

    p, q = shares(before), shares(after)
    return divergence(p, q) + divergence(q, p)


@pytest.mark.parametrize("answer", [by_package, by_arrays, by_series, by_counter, by_two_divergences])
def test_an_index_in_any_style(answer: Answer) -> None:
    assert passes("12.3", answer), said("12.3", answer)


def without_zeros(before: Any, after: Any) -> Any:
    total = sum(before.values()), sum(after.values())
    index = 0.0
    for name in {*before, *after}:
        p, q = before.get(name, 0) / total[0], after.get(name, 0) / total[1]
        index += (q - p) * math.log(q / p)
    return index


def of_known_names(before: Any, after: Any) -> Any:
    return by_package(before, {name: after.get(name, 0) for name in before})


def by_old_totals(before: Any, after: Any) -> Any:
    total = sum(before.values()), sum(after.values())
    pairs = [
        ((before.get(name, 0) + 0.5) / total[0], (after.get(name, 0) + 0.5) / total[1])
        for name in {*before, *after}
    ]
    return sum((q - p) * math.log(q / p) for p, q in pairs)


def one_divergence(before: Any, after: Any) -> Any:
    names = {*before, *after}
    total = [sum(mix.values()) + 0.5 * len(names) for mix in (before, after)]
    pairs = [((before.get(n, 0) + 0.5) / total[0], (after.get(n, 0) + 0.5) / total[1]) for n in names]
    return sum(q * math.log(q / p) for p, q in pairs)


def by_log10(before: Any, after: Any) -> Any:
    return by_arrays(before, after) / math.log(10)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (without_zeros, "Add 0.5 to every count"),
        (of_known_names, "only in `after` is left out"),
        (by_old_totals, "divide by the sum of the *new* counts"),
        (one_divergence, "which is another measure"),
        (by_log10, "the natural one"),
    ],
)
def test_a_wrong_index_gets_its_sentence(answer: Answer, sentence: str) -> None:
    assert sentence in said("12.3", answer), said("12.3", answer)


# 12.4


def right() -> dict[str, Any]:
    return dict(CHECKS.right_days())


def as_dates() -> Any:
    return {kind: datetime.date.fromisoformat(day) for kind, day in right().items()}


def as_timestamps() -> Any:
    return {kind: pd.Timestamp(day) for kind, day in right().items()}


def as_numpy() -> Any:
    return {kind: np.datetime64(day) for kind, day in right().items()}


def with_hours() -> Any:
    return {kind: f"{day} 09:00" for kind, day in right().items()}


def in_another_order() -> Any:
    return dict(sorted(right().items()))


@pytest.mark.parametrize("answer", [as_dates, as_timestamps, as_numpy, with_hours, in_another_order])
def test_days_in_any_style(answer: Callable[[], Any]) -> None:
    assert passes("12.4", answer()), said("12.4", answer())


def changed(**days: Any) -> dict[str, Any]:
    """The right days, some changed by the first word of their kind."""
    given: dict[str, Any] = CHECKS.with_days(**days)
    return given


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda: changed(outage=None, festival=None), "still open"),
        (lambda: changed(truncated=right()["festival"]), "That is the festival"),
        (lambda: changed(dearer="2026-10-06"), "first four days were quiet"),
        (
            lambda: changed(outage=right()["new kind of item"], new=right()["outage"]),
            "stand on another's day",
        ),
        (lambda: changed(new=CHECKS.shifted(right()["new kind of item"], 1)), "one day late"),
        (lambda: changed(festival="13/10/2026"), "year, month, day"),
        (lambda: {"outage": "2026-10-10"}, "Keep the five names"),
    ],
)
def test_wrong_days_get_their_sentence(answer: Callable[[], Any], sentence: str) -> None:
    assert sentence in said("12.4", answer()), said("12.4", answer())


def test_the_days_as_the_cell_begins_are_not_started() -> None:
    assert examine(EXERCISES["12.4"], dict.fromkeys(CHECKS.KINDS)).status == "not started"


def test_the_days_are_those_of_the_planted_incidents() -> None:
    every, found = CHECKS.days()
    assert len(every) == 14
    assert len({*found.values()}) == 5
    assert not {*found.values()} & {*every[: CHECKS.QUIET_DAYS]}

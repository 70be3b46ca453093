"""Checks of lesson 12: percentiles by prompt version, cost with each token once, PSI, five days of a fortnight."""

from __future__ import annotations

import math
import statistics
from functools import cache

import pandas as pd

from aicourse import paths
from aicourse.marketplace.production import read_requests
from aicourse.marketplace.traffic import parameters
from aicourse.notebook.checks import Check, Mistake, arguments, leaves_alone
from aicourse.notebook.exercises import Exercise

# 12.1


def nearest_rank(values, percent):
    return sorted(values)[-(-percent * len(values) // 100) - 1]


def interpolated(values, percent):
    return (
        statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
        if len(values) > 1
        else values[0]
    )


def rounded_down(values, percent):
    return sorted(values)[max(percent * len(values) // 100 - 1, 0)]


def one_place_higher(values, percent):
    return sorted(values)[min(percent * len(values) // 100, len(values) - 1)]


def without_equals(values, percent):
    return nearest_rank(set(values), percent)


def as_it_came(values, percent):
    return values[-(-percent * len(values) // 100) - 1]


def by_version_with(
    *,
    percentile=nearest_rank,
    failed="share",
    latency="ok",
    p50=None,
    key=str,
    keep="dict",
):
    """A table by prompt version, with one thing done in another way."""

    def by_version(requests):
        groups = {}
        for request in requests:
            groups.setdefault(key(request["prompt_version"]), []).append(request)
        rows = {}
        for version, group in groups.items():
            seconds = [
                one["seconds"] for one in group if latency == "all" or one["status"] == "ok"
            ]
            errors = sum(one["status"] == "error" for one in group)
            of = {
                "share": len(group),
                "count": 1,
                "percent": len(group) / 100,
                "of all": len(requests),
                "of the answered": len(seconds),
            }[failed]
            row = {
                "requests": len(group),
                "failed": errors / of,
                "p50": p50(seconds)
                if p50
                else percentile(seconds, 50)
                if seconds
                else None,
                "p95": percentile(seconds, 95) if seconds else None,
            }
            rows[version] = row if keep == "dict" else tuple(row.values())
        return rows

    return by_version


def request(version, seconds, status="ok"):
    return {"prompt_version": version, "seconds": seconds, "status": status}


def several(version, seconds, errors=0):
    """Requests of one version; the first ones fail."""
    return [
        request(version, one, "error" if place < errors else "ok")
        for place, one in enumerate(seconds)
    ]


TENTHS = [place / 10 for place in (7, 3, 12, 1, 9, 4, 20, 6, 2, 11)]
LONG = [((37 * place) % 101) / 10 + 0.05 for place in range(1, 41)]
LONGER = [((53 * place) % 211) / 7 + 0.1 for place in range(1, 111)]

BY_VERSION = Exercise(
    id="12.1",
    title="Failures and percentiles by prompt version",
    reference=by_version_with(),
    checks=[
        Check(
            "counts the requests of each version, and the share that failed",
            [
                several("v4", TENTHS, errors=3) + several("v6", TENTHS[:4], errors=1),
                several("v6", [1.0, 2.0]) + several("v4", [3.0, 1.0], errors=1),
            ],
        ),
        Check(
            "takes the value at its place, rounded up",
            [several("v4", TENTHS), several("v4", LONG) + several("v6", LONGER), several("v9", [2.0, 1.0, 4.0]), several("v6", [1.0, 1.0, 9.0, 1.0, 2.0])],
        ),
        Check(
            "does not interpolate",
            [several("v4", [1.0, 2.0]), several("v6", [1.0, 10.0, 100.0, 1000.0])],
        ),
        Check(
            "measures the requests that were answered, without those that failed",
            [several("v4", [0.1, 0.2, 3.0, 4.0], errors=2), several("v6", [9.0, 0.5, 0.6], errors=1)],
            message="How long an answer takes says nothing about failures: they are quick or slow for reasons of their own, and `failed` has them.",
        ),
        Check(
            "works for one request, and mixed versions",
            [
                [request("v4", 1.5)],
                [request("v4", 1.0), request("v6", 9.0), request("v4", 2.0), request("v6", 8.0, "error")],
            ],
        ),
    ],
    mistakes=[
        Mistake(by_version_with(percentile=interpolated), "You interpolate between two values, as pandas and numpy do without being told. Sort, and take the one value at the place (in numpy: `method=\"inverted_cdf\"`)."),
        Mistake(by_version_with(percentile=rounded_down), "The place is rounded *up*: `math.ceil(p * n / 100)`. With 10 values p95 is the 10th."),
        Mistake(by_version_with(percentile=one_place_higher), "Places count from 1, and Python's from 0: the value is `sorted(seconds)[place - 1]`."),
        Mistake(by_version_with(percentile=as_it_came), "The seconds are not sorted. A percentile is a place in the *sorted* values."),
        Mistake(by_version_with(latency="all"), "Your percentiles are of all requests. Take those with the status ok: an outage that fails at once would make them look fast."),
        Mistake(by_version_with(failed="count"), "`failed` is a share: divide by the requests of this version."),
        Mistake(by_version_with(failed="percent"), "`failed` is a share from 0 to 1, not a number of per cent."),
        Mistake(by_version_with(failed="of all"), "The share is among the requests of *this version*, not of all versions."),
        Mistake(by_version_with(failed="of the answered"), "You divide by the answered requests. The share is among all of this version."),
        Mistake(by_version_with(p50=statistics.median), "`p50` goes half way between two values where their number is even. Take the one at the place."),
        Mistake(by_version_with(percentile=without_equals), "A set drops equal seconds. Each request counts."),
        Mistake(by_version_with(p50=statistics.fmean), "`p50` is the middle one of the sorted values, not the mean: one slow request moves a mean."),
        Mistake(by_version_with(key=lambda version: int(version[1:])), "The version is a text in the requests, and stays one: `\"v4\"`, not `4`."),
        Mistake(by_version_with(keep="tuple"), "For each version return a dict with the names `requests`, `failed`, `p50`, `p95`."),
    ],
    hints=[
        "First sort the requests into lists, one for each version: `groups.setdefault(version, []).append(request)`.",
        "The place is `math.ceil(95 * n / 100)`, the value `sorted(seconds)[place - 1]`.",
        "The share that failed: how many have the status error, divided by the length of that version's list.",
    ],
)  # fmt: skip

# 12.2


def cost_with(
    *,
    cached="own price",
    roots=False,
    per=1_000_000,
    none=True,
    output="output",
    answer=float,
):
    """The dollars of spans, with one thing done in another way."""

    def number(value):
        return value or 0 if none else value

    def cost(spans, prices):
        total = 0.0
        for span in spans:
            if span["operation"] == "chat" or roots:
                tokens, hits = number(span["input_tokens"]), number(span["cached_tokens"])
                cheap = {"own price": hits, "twice": hits, "free": 0, "ignored": 0}[cached]
                full = tokens if cached in ("twice", "ignored") else tokens - hits
                total += full * prices["input"] + cheap * prices["cached"]
                total += number(span["output_tokens"]) * prices[output]
        return answer(total / per)

    return cost


def without_equal_spans(spans, prices):
    return cost_with()([one for n, one in enumerate(spans) if one not in spans[:n]], prices)


def call(tokens, cached, output, operation="chat"):
    return {
        "operation": operation,
        "input_tokens": tokens,
        "cached_tokens": cached,
        "output_tokens": output,
    }


SMALL = {"input": 0.10, "cached": 0.01, "output": 0.50}
LARGE = {"input": 2.5, "cached": 1.25, "output": 10.0}
FREE_CACHE = {"input": 1.0, "cached": 0.0, "output": 4.0}

COST = Exercise(
    id="12.2",
    title="Each token once",
    reference=cost_with(),
    checks=[
        Check(
            "adds up input and output of calls without a cache",
            [
                arguments([call(813, 0, 41)], SMALL),
                arguments([call(1_000, 0, 100), call(500, 0, 20)], LARGE),
            ],
        ),
        Check(
            "pays for two calls with the same numbers",
            [
                arguments([call(500, 0, 20), call(500, 0, 20)], LARGE),
                arguments([call(640, 512, 8), call(70, 0, 3), call(640, 512, 8)], SMALL),
            ],
        ),
        Check(
            "takes cached tokens at their own price, instead of the input's",
            [
                arguments([call(800, 700, 40)], SMALL),
                arguments([call(1_000, 1_000, 0), call(900, 300, 10)], LARGE),
                arguments([call(640, 512, 8)], FREE_CACHE),
            ],
        ),
        Check(
            "counts the call alone when the span above repeats its numbers",
            [
                arguments([call(800, 700, 40, None), call(800, 700, 40)], SMALL),
                arguments([call(900, 0, 10, "propose"), call(300, 0, 5), call(600, 0, 5)], LARGE),
                arguments([call(90, 0, 7, None), call(90, 0, 7, "propose"), call(90, 0, 7)], LARGE),
            ],
            message="A token of a trace is paid once, however many spans mention it.",
        ),
        Check(
            "counts None as 0",
            [
                arguments([call(800, None, 40), call(None, None, None)], SMALL),
                arguments([call(900, 300, None), call(None, None, 7)], LARGE),
            ],
            message="A call that failed has no tokens, and some providers say nothing of a cache.",
        ),
    ],
    mistakes=[
        Mistake(cost_with(cached="twice"), "Cached tokens are counted twice: at the input's price *and* at their own. They are a part of the input tokens, so take them off first."),
        Mistake(cost_with(cached="ignored"), "You pay the full price for cached tokens. Their own price applies to them instead."),
        Mistake(cost_with(cached="free"), "Cached tokens are cheap, but not free: multiply them by `prices[\"cached\"]`."),
        Mistake(cost_with(roots=True), "The span above a call repeats its numbers, and you add up both. Take only spans with the operation `\"chat\"`."),
        Mistake(without_equal_spans, "Two calls with the same numbers are two calls, and both are paid. The operation says which span is a call."),
        Mistake(cost_with(none=False), "A number may be None: `span[\"cached_tokens\"] or 0`."),
        Mistake(cost_with(per=1), "The prices are per *million* tokens."),
        Mistake(cost_with(per=1_000), "The prices are per million tokens, not per thousand."),
        Mistake(cost_with(output="input"), "Output tokens have a price of their own, `prices[\"output\"]`."),
        Mistake(cost_with(answer=lambda total: round(total, 4)), "Do not round: a call costs less than a hundredth of a cent."),
    ],
    hints=[
        "Three products for each call: uncached input, cached input, output. Uncached is input minus cached.",
        "Skip a span unless `span[\"operation\"] == \"chat\"`; `span[\"cached_tokens\"] or 0` makes 0 of None.",
        "At the end divide by 1,000,000.",
    ],
)  # fmt: skip

# 12.3


def mix_change_with(
    *, added=0.5, names="both", formula="psi", total="new", log=math.log, normed=True
):
    """The index of two mixes, with one thing done in another way."""

    def mix_change(before, after):
        known = {
            "both": {*before, *after},
            "before": {*before},
            "common": {*before} & {*after},
        }[names]
        first, second = (
            {one: mix.get(one, 0) + added for one in known} for mix in (before, after)
        )
        size = [
            sum(mix.values()) if total == "old" else sum(shares.values())
            for mix, shares in ((before, first), (after, second))
        ]
        index = 0.0
        for name in sorted(known):
            p, q = (
                shares[name] / whole if normed else shares[name]
                for shares, whole in zip((first, second), size, strict=True)
            )
            index += {
                "psi": (q - p) * log(q / p),
                "one-sided": q * log(q / p),
                "turned": (p - q) * log(q / p),
                "absolute": abs(q - p),
                "square": (q - p) ** 2,
            }[formula]
        return index

    return mix_change


def log10(value):
    return math.log10(value)


def is_same_both_ways(mix_change):
    one, other = (
        {"shoes": 70, "books": 20, "toys": 10},
        {"shoes": 40, "books": 60, "toys": 5},
    )
    there, back = mix_change(one, other), mix_change(other, one)
    return (
        math.isclose(there, back, rel_tol=1e-9)
        or f"There it is {there:.4f}, and back {back:.4f}."
    )


def adding_in_place(before, after):
    for name in {*before, *after}:
        before[name] = before.get(name, 0) + 0.5
        after[name] = after.get(name, 0) + 0.5
    return mix_change_with(added=0)(before, after)


MIX_CHANGE = Exercise(
    id="12.3",
    title="PSI by hand",
    reference=mix_change_with(),
    checks=[
        Check(
            "is the index of two mixes",
            [
                arguments({"shoes": 50, "books": 50}, {"shoes": 60, "books": 40}),
                arguments({"a": 120, "b": 60, "c": 20}, {"c": 10, "b": 15, "a": 75}),
            ],
        ),
        Check(
            "is 0 for shares that are the same",
            [
                arguments({"shoes": 30, "books": 10}, {"shoes": 30, "books": 10}),
                arguments({"a": 7}, {"a": 900}),
            ],
        ),
        Check(
            "takes every category that one of them has",
            [
                arguments({"shoes": 90, "books": 10}, {"shoes": 80, "books": 10, "bicycles": 30}),
                arguments({"shoes": 90, "hats": 10}, {"shoes": 100}),
                arguments({"shoes": 12, "books": 3}, {"books": 8}),
            ],
            message="A category that is new, or gone, is the drift that matters most.",
        ),
        Check(
            "divides by the new totals",
            [arguments({"a": 1, "b": 2, "c": 1}, {"a": 3, "b": 0, "c": 1}), arguments({"a": 2, "b": 1}, {"a": 1, "b": 9})],
            message="With 0.5 added to each count, the shares must still add up to 1.",
        ),
        Check("is the same there and back", predicate=is_same_both_ways),
        Check("leaves the dicts as they were", predicate=leaves_alone({"shoes": 5, "books": 1}, {"shoes": 2, "books": 5})),
    ],
    mistakes=[
        Mistake(mix_change_with(added=0), "Nothing is added to the counts, so a category that one side lacks has no logarithm. Add 0.5 to every count."),
        Mistake(mix_change_with(added=1), "Add 0.5 to each count, not 1."),
        Mistake(mix_change_with(names="before"), "A category that is only in `after` is left out. Take the names of both: `{*before, *after}`."),
        Mistake(mix_change_with(names="common"), "Only categories that both have are compared. A new one is the drift that matters most: `{*before, *after}`."),
        Mistake(mix_change_with(total="old"), "The totals are those of the plain counts. With 0.5 added to each, divide by the sum of the *new* counts."),
        Mistake(mix_change_with(formula="one-sided"), "You add up `q · ln(q / p)`, which is another measure (Kullback and Leibler's). The factor is `(q - p)`."),
        Mistake(mix_change_with(formula="turned"), "The sign is turned: with `(q - p)` the logarithm is of `q / p`. No part of the sum is below 0."),
        Mistake(mix_change_with(formula="absolute"), "You add up how far the shares moved. The index multiplies each difference by `ln(q / p)`."),
        Mistake(mix_change_with(log=log10), "The logarithm is the natural one: `math.log`."),
        Mistake(mix_change_with(normed=False), "p and q are *shares*: divide each count by its side's total."),
        Mistake(adding_in_place, "The dicts that were given are changed. Build new ones for the counts with 0.5 added."),
    ],
    hints=[
        "`names = {*before, *after}`, and `before.get(name, 0) + 0.5` for each of them.",
        "A share is such a count divided by the sum of all such counts of its side.",
        "Add up `(q - p) * math.log(q / p)`.",
    ],
)  # fmt: skip

# 12.4

KINDS = (
    "outage",
    "dearer prompt",
    "truncated descriptions",
    "new kind of item",
    "festival",
)
QUIET_DAYS = 4


@cache
def days():
    """The days of the fortnight, and of each incident, from what the simulation wrote down."""
    rows = read_requests(paths.datasets_dir() / "production" / "requests.csv")
    day = pd.to_datetime(rows["started_ns"]).dt.strftime("%Y-%m-%d")
    given = parameters()
    marks = {
        "outage": rows["error"] != "",
        "dearer prompt": rows["prompt_version"] != given["prompt_version"],
        "truncated descriptions": rows["truncated"],
        "new kind of item": rows["listing"] >= given["new_kind_from"],
        "festival": rows["started_ns"] > 0,
    }
    found = {kind: str(day[mark].value_counts().idxmax()) for kind, mark in marks.items()}
    return sorted(set(day)), found


def right_days():
    return dict(days()[1])


def as_days(answer):
    """The days as text, by kind; None for what is not there or no day."""
    return {
        kind: str(answer[kind])[:10] if answer.get(kind) is not None else None
        for kind in KINDS
    }


def shifted(day, by):
    every, _ = days()
    place = every.index(day) + by
    return every[place] if 0 <= place < len(every) else day


def fault(answer):
    """The first thing that is wrong with five days, by name; None if nothing is, or nothing known."""
    if set(answer) != set(KINDS):
        return "names"
    every, right = days()
    given = as_days(answer)
    if None in given.values():
        return "open"
    if any(day not in every for day in given.values()):
        return "no day"
    if any(day in every[:QUIET_DAYS] for day in given.values()):
        return "quiet"
    wrong = [kind for kind in KINDS if given[kind] != right[kind]]
    if not wrong:
        return None
    if any(given[kind] == right["festival"] for kind in wrong):
        return "festival"
    if set(given.values()) == set(right.values()):
        return "swapped"
    if all(given[kind] == shifted(right[kind], 1) for kind in wrong):
        return "day after"
    return "other"


def is_found(kind):
    def predicate(answer):
        return as_days(answer)[kind] == right_days()[kind]

    return predicate


def is_fault(name):
    return lambda answer: fault(answer) == name


def with_days(**changes):
    """The right days with some changed, by the first word of the kind."""
    return {kind: changes.get(kind.split()[0], day) for kind, day in right_days().items()}


DAYS = Exercise(
    id="12.4",
    title="Find and date the incidents",
    reference=right_days(),
    untouched=dict.fromkeys(KINDS),
    show_expected=False,
    checks=[
        Check("finds the outage", predicate=is_found("outage"), message="Which measure does an outage change at once?"),
        Check("finds the dearer prompt", predicate=is_found("dearer prompt"), message="Which version is dearer (section 4), and on which day was it used?"),
        Check(
            "finds the truncated descriptions",
            predicate=is_found("truncated descriptions"),
            message="A shorter text states less. In which app version are fields empty?",
        ),
        Check("finds the new kind of item", predicate=is_found("new kind of item"), message="The mix of categories changes: whose share grows?"),
        Check("tells the festival from the incidents", predicate=is_found("festival"), message="A festival brings people, and changes no rate."),
    ],
    mistakes=[
        Mistake(
            {"outage": "2026-10-09"},
            "Keep the five names of the cell, each with a day as text, such as `\"2026-10-05\"`.",
            recognise=is_fault("names"),
        ),
        Mistake(with_days(new=None), "At least one of the five is still open. Choose the measure and the slice that such an event would change, and look.", recognise=is_fault("open")),
        Mistake(
            with_days(outage="9 October"),
            "A day of the fortnight is written like `\"2026-10-05\"`: year, month, day.",
            recognise=is_fault("no day"),
        ),
        Mistake(
            with_days(outage=days()[0][0]),
            "The first four days were quiet: they say what is normal. Nothing is planted there.",
            recognise=is_fault("quiet"),
        ),
        Mistake(
            with_days(dearer=right_days()["festival"]),
            "On one of these days only the number of requests, and with it each sum, is high; no rate is. That is the festival.",
            recognise=is_fault("festival"),
        ),
        Mistake(
            with_days(outage=right_days()["dearer prompt"], dearer=right_days()["outage"]),
            "The five days are right, but some events stand on another's day. For each ask: which measure would *this* change?",
            recognise=is_fault("swapped"),
        ),
        Mistake(
            with_days(truncated=shifted(right_days()["truncated descriptions"], 1)),
            "You are one day late. A day's alert is known when the day is over; the incident was on the day itself.",
            recognise=is_fault("day after"),
        ),
    ],
    hints=[
        "Outage: `failed`. Dearer prompt: `requests` by prompt version, or `cost_per_request`. Festival: `requests`.",
        "Truncated descriptions: `empty_fields` by client; an app version that was not there before is worth a look.",
        "New kind of item: `share` by category. On which day does one take much more than on the others?",
    ],
)  # fmt: skip

exercises = [BY_VERSION, COST, MIX_CHANGE, DAYS]

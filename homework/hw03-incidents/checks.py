"""Hidden and public checks of homework 3, and the fortnights of each student; not for students."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from aicourse import paths
from aicourse.datasets import ATTRIBUTES, read_listings
from aicourse.marketplace.production import read_replies
from aicourse.marketplace.traffic import parameters, place_incidents, seed_of, simulate
from aicourse.notebook.checks import Check, Mistake, arguments, equal
from aicourse.tooling.grading.authoring.checks_file import Planted
from aicourse.tooling.grading.sandbox.execution import Limits

seed = "first edition"
limits = Limits(notebook_seconds=60, cell_seconds=20)
files = ["practice.csv"]

SALT = Path(__file__).with_name("salt.txt")  # made by fortnights.py, kept by the instructor
DEMONSTRATION = "demonstration"  # of verify, samples and practice.csv: a salt that everybody may read
WITHOUT_SALT = (
    "There is no salt.txt beside checks.py: fortnights are drawn with the demonstration secret, which "
    "students can read. If yours were handed out with another, put that file there and grade again "
    "with --again."
)
PRICES = {"uncached": 0.10, "cached": 0.01, "output": 0.50}  # US dollars per million tokens


def is_close(answer, expected, tolerance=1e-6):
    is_number = isinstance(answer, (int, float)) and not isinstance(answer, bool)
    return is_number and math.isclose(answer, expected, rel_tol=tolerance, abs_tol=1e-12)


# 1 · Hour by hour


def rates(rows, *, cached_apart=True, answered_only=True, gaps=True, sums=True):
    hours = {}
    for row in rows:
        hours.setdefault(row["hour"], []).append(row)
    at, last = min(hours), max(hours)
    found = {}
    while at <= last:
        if at in hours or gaps:
            found[at] = one_hour(hours.get(at, []), cached_apart, answered_only, sums)
        at = f"{datetime.fromisoformat(at) + timedelta(hours=1):%Y-%m-%d %H:%M}"
    return found


def one_hour(rows, cached_apart, answered_only, sums):
    if not sums and len(rows) > 1:
        each = [one_hour([row], cached_apart, answered_only, True) for row in rows]
        means = {}
        for name in ("failed", "corrected", "cost"):
            known = [one[name] for one in each if one[name] is not None]
            means[name] = sum(known) / len(known) if known else None
        return {"requests": sum(one["requests"] for one in each), **means}
    requests, failed = (sum(row[name] for row in rows) for name in ("requests", "failed"))
    proposals = requests - failed if answered_only else requests
    cost = sum(dollars(row, cached_apart) for row in rows)
    return {
        "requests": requests,
        "failed": failed / requests if requests else None,
        "corrected": sum(row["corrected"] for row in rows) / proposals if proposals else None,
        "cost": cost / proposals if proposals else None,
    }


def dollars(row, cached_apart=True):
    """The price of a row's calls; cached tokens are a part of the input tokens."""
    uncached = row["input_tokens"] - row["cached_tokens"] * cached_apart
    return (
        uncached * PRICES["uncached"]
        + row["cached_tokens"] * PRICES["cached"]
        + row["output_tokens"] * PRICES["output"]
    ) / 1e6


def cached_twice(rows):
    return rates(rows, cached_apart=False)


def by_requests(rows):
    return rates(rows, answered_only=False)


def without_gaps(rows):
    return rates(rows, gaps=False)


def means_of_rows(rows):
    return rates(rows, sums=False)


RATES_OF = ("requests", "failed", "corrected", "cost")


def same_rates(answer, expected, names=RATES_OF):
    """These columns of all hours."""

    def alike(mine, theirs):
        return mine is None if theirs is None else is_close(mine, theirs)

    return (
        isinstance(answer, dict)
        and answer.keys() == expected.keys()
        and all(isinstance(one, dict) for one in answer.values())
        and all(alike(answer[at].get(name, ""), expected[at][name]) for at in expected for name in names)
    )


def same_sums(answer, expected):
    """Requests and failures; all columns where nothing failed, so that no other mistake is seen there."""
    is_plain = all(not one["failed"] for one in expected.values())
    return same_rates(answer, expected, tuple(RATES_OF) if is_plain else ("requests", "failed"))


CLIENTS = ("android 7.4", "ios 7.4", "web 7.4")


def some_row(rng, hour, client):
    requests, failed = rng.randint(20, 60), rng.randint(2, 9)
    proposals = requests - failed
    return {
        "hour": hour,
        "client": client,
        "requests": requests,
        "failed": failed,
        "corrected": rng.randint(proposals // 3, proposals // 2),
        "input_tokens": 800 * proposals + rng.randint(0, 99),
        "cached_tokens": rng.randint(300, 650) * proposals,
        "output_tokens": 44 * proposals + rng.randint(0, 9),
    }


def draw_hours(*hours, clients=CLIENTS, **numbers):
    """Rows of these hours of a day and the next, in any order; `numbers` are not drawn."""

    def draw(rng):
        rows = [
            some_row(rng, f"2026-10-{5 + hour // 24:02} {hour % 24:02}:00", client) | numbers
            for hour in hours
            for client in clients
        ]
        return [rng.sample(rows, len(rows))]

    return draw


def draw_all(*draws):
    """The inputs of each."""
    return lambda rng: [one for draw in draws for one in draw(rng)]


TWO_HOURS = [
    {
        "hour": f"2026-10-05 {hour:02}:00",
        "client": "web 7.4",
        "requests": requests,
        "failed": failed,
        "corrected": corrected,
        "input_tokens": 8_000,
        "cached_tokens": cached,
        "output_tokens": 400,
    }
    for hour, requests, failed, corrected, cached in ((8, 10, 0, 5, 0), (10, 12, 2, 4, 6_000))
]

q1 = partial(
    Check,
    question="q1",
    target="rates",
    reference=rates,
    same=same_rates,
    mistakes=[
        Mistake(cached_twice, "Cached tokens are a part of the input: take them out of the dear ones."),
        Mistake(by_requests, "A failed request has no proposal to correct or to pay: leave it out there."),
        Mistake(without_gaps, "An hour in which nobody came is missing. Silence is data, too."),
        Mistake(means_of_rows, "A mean of shares weighs small rows like large ones: sum, then divide."),
    ],
)

# 2 · Another mix?


def drift(before, after, *, degrees=-1, both=True, fixed=None, sides=2, smooth=0.5, by_share=False):
    names = list({**before, **after})
    counts = [[sample.get(name, 0) + smooth for name in names] for sample in (before, after)]
    p, q = ([one / sum(sample) for one in sample] for sample in counts)
    parts = {
        name: (now - (was if sides == 2 else 0)) * math.log(now / was)
        for name, was, now in zip(names, p, q, strict=True)
    }
    moved = {name: abs(now - was) for name, was, now in zip(names, p, q, strict=True)}
    sizes = [sum(before.values()), sum(after.values())]
    spread = sum(1 / size for size in (sizes if both else sizes[1:]))
    limit = spread * stats.chi2.ppf(0.99, len(names) + degrees) if fixed is None else fixed
    most = max(names, key=(moved if by_share else parts).get)
    return {"psi": sum(parts.values()), "limit": float(limit), "most": most}


def fixed_limit(before, after):
    return drift(before, after, fixed=0.1)


def one_size(before, after):
    return drift(before, after, both=False)


def degree_too_many(before, after):
    return drift(before, after, degrees=0)


def one_side(before, after):
    return drift(before, after, sides=1)


def not_smoothed(before, after):
    return drift(before, after, smooth=0)


def moved_most(before, after):
    return drift(before, after, by_share=True)


def same_drift(answer, expected, names=("psi", "limit", "most")):
    return isinstance(answer, dict) and all(
        answer.get(name) == expected[name] if name == "most" else is_close(answer.get(name), expected[name])
        for name in names
    )


KINDS = ("books_media", "clothing", "electronics", "furniture", "home_decor", "shoes", "toys_games")


def draw_mixes(lacking=False):
    """Two samples; each may lack a category of the other, and then two mistakes name another one."""

    def is_telling(*samples):
        most = drift(*samples)["most"]
        return all(wrong(*samples)["most"] != most for wrong in (moved_most, one_side))

    def draw(rng):
        inputs = []
        while len(inputs) < 2:
            names = rng.sample(KINDS, 5)
            before = {name: rng.randint(80, 600) for name in names}
            after = {name: rng.randint(20, 300) for name in names}
            if lacking:
                del before[names[0]], after[names[1]]
            if not lacking or is_telling(before, after):
                inputs.append(arguments(before, after))
        return inputs

    return draw


q2 = partial(
    Check,
    question="q2",
    target="drift",
    reference=drift,
    same=same_drift,
    mistakes=[
        Mistake(fixed_limit, "0.1 whatever the sizes: small samples of one mix pass it often."),
        Mistake(one_size, "Both samples scatter: the limit needs both sizes."),
        Mistake(degree_too_many, "Shares add up to 1, so there is one degree less than categories."),
        Mistake(one_side, "The sum of q · ln(q / p) is another index: its factor is q - p."),
        Mistake(moved_most, "What adds most to the index need not have moved most: compare the summands."),
        Mistake(not_smoothed, "What one sample lacks has no logarithm: add 0.5 to each count."),
    ],
)

# 3 · When is somebody called?


def episodes(hours, limit, least, *, each=False, small=False, silence_ends=False, memory=2 / 3):
    found, is_on = [], False
    for at, (requests, failed) in enumerate(hours):
        if requests < (1 if small else least):
            if silence_ends and is_on:
                found[-1][1], is_on = at, False
            continue
        share = failed / requests
        if is_on and share < limit * memory:
            found[-1][1], is_on = at, False
        elif share >= limit and (each or not is_on):
            found.append([at, None])
            is_on = True
    return found


def an_alert_each_hour(hours, limit, least):
    return [[at, at + 1] for at, (n, failed) in enumerate(hours) if n >= least and failed / n >= limit]


def small_hours(hours, limit, least):
    return episodes(hours, limit, least, small=True)


def silence_ends(hours, limit, least):
    return episodes(hours, limit, least, silence_ends=True)


def flaps(hours, limit, least):
    return episodes(hours, limit, least, memory=1)


def ends_before(hours, limit, least):
    return [[begin, end if end is None else end - 1] for begin, end in episodes(hours, limit, least)]


def only_ended(hours, limit, least):
    return [one for one in episodes(hours, limit, least) if one[1] is not None]


def same_episodes(answer, expected):
    is_list = isinstance(answer, (list, tuple)) and all(isinstance(one, (list, tuple)) for one in answer)
    return is_list and equal([list(one) for one in answer], expected)


# Hours of 20 to 60 requests whose share of failures is far from 0.4 and from two thirds of it.
SHARES = {"fine": 0.05, "between": 0.3, "bad": 0.8}


def draw_series(*pattern):
    """Hours in this order, each named in SHARES, or "small" (bad), or "silent"; calm ones around them."""

    def draw(rng):
        inputs = []
        for _ in range(2):
            hours = []
            for name in ("fine",) * rng.randint(1, 5) + pattern + ("fine",) * rng.randint(1, 5):
                requests = {"small": rng.randint(1, 4), "silent": 0}.get(name, 20 * rng.randint(1, 3))
                hours.append([requests, round(requests * SHARES.get(name, 1))])
            inputs.append(arguments(hours, 0.4, 10))
        return inputs

    return draw


# Of 0.75 and 8: an hour that begins, one that does not end, one that does; and two bad ones in a row.
AT_THE_LIMITS = [
    [[8, 6], [8, 4], [12, 5], [8, 1]],
    [[20, 1], [20, 15], [20, 15], [20, 9], [20, 1], [20, 15], [20, 1]],
]

q3 = partial(
    Check,
    question="q3",
    target="episodes",
    reference=episodes,
    same=same_episodes,
    mistakes=[
        Mistake(an_alert_each_hour, "Each bad hour calls somebody anew: one episode is one call."),
        Mistake(small_hours, "One failure of one request is a share of 1: too few requests are no data."),
        Mistake(silence_ends, "An hour without data says nothing, so it cannot be the recovery."),
        Mistake(flaps, "It ends below two thirds of the limit; at the limit itself it would flap."),
        Mistake(only_ended, "What has not ended is an episode, too: its end is None."),
        Mistake(ends_before, "The end is the hour that is fine again, not the last bad one."),
    ],
)

# 4 · What happened?

NAMES = {
    "outage": "outage",
    "costly_prompt": "dearer prompt",
    "truncating_client": "truncated descriptions",
    "new_kind": "new kind of item",
}
LIMITS = {
    "outage": 0.5,  # share of an hour's requests
    "dearer prompt": 0.4,  # above the usual cost
    "truncated descriptions": 0.25,  # above the usual empty fields
    "new kind of item": 1 / 8,  # of the proposals are in other categories
}
QUIET_DAYS = 4
NO_CATEGORIES = (
    *("hour", "client", "prompt_version", "requests", "failed", "corrected", "empty_fields"),
    *("input_tokens", "cached_tokens", "output_tokens"),
)


def day_scores(rows, *, hours=("day", "hour"), apps=("day", "client"), cached_apart=True):
    """For each kind of incident and each day the number that its limit is about."""
    table = pd.DataFrame(rows)
    categories = [name for name in table if name not in NO_CATEGORIES]
    table["day"] = table["hour"].str[:10]
    table["proposals"] = table["requests"] - table["failed"]
    table["cost"] = dollars(table, cached_apart)
    numbers = ["requests", "failed", "empty_fields", "proposals", "cost", *categories]
    days = table.groupby("day")[numbers].sum()
    usual = days.iloc[:QUIET_DAYS].sum()
    by_hour, by_app = (table.groupby(list(keys))[numbers].sum() for keys in (hours, apps))
    by_hour = by_hour[by_hour["requests"] >= 10]
    mix = days[categories].div(days["proposals"], axis=0) - usual[categories] / usual["proposals"]
    return {
        "outage": (by_hour["failed"] / by_hour["requests"]).groupby("day").max(),
        "dearer prompt": days["cost"] / days["proposals"] / (usual["cost"] / usual["proposals"]) - 1,
        "truncated descriptions": (
            by_app["empty_fields"] / by_app["proposals"] / (usual["empty_fields"] / usual["proposals"]) - 1
        )
        .groupby("day")
        .max(),
        "new kind of item": mix.abs().sum(axis=1) / 2,
    }


def find_incidents(rows, *, strict=1.0, **how):
    return {
        name: str(score.idxmax())
        for name, score in day_scores(rows, **how).items()
        if score.max() >= strict * LIMITS[name]
    }


def no_new_prices(rows):
    return find_incidents(rows, cached_apart=False)


def whole_days(rows):
    return find_incidents(rows, hours=("day",))


def all_apps_together(rows):
    return find_incidents(rows, apps=("day",))


def always_four(rows):
    return find_incidents(rows, strict=0)


def days_of(rows):
    return sorted({row["hour"][:10] for row in rows})


def names_the_festival(rows):
    requests = dict.fromkeys(days_of(rows), 0)
    for row in rows:
        requests[row["hour"][:10]] += row["requests"]
    busiest = max(requests, key=requests.get)
    usual = np.median(list(requests.values()))
    return find_incidents(rows) | ({"festival": busiest} if requests[busiest] > 2 * usual else {})


def new_is_bad(rows):
    """Any app version that the quiet days did not have is called the truncating one."""
    quiet = days_of(rows)[:QUIET_DAYS]
    early = {row["client"] for row in rows if row["hour"][:10] in quiet}
    later = [row["hour"][:10] for row in rows if row["client"] not in early]
    found = {name: day for name, day in find_incidents(rows).items() if name != "truncated descriptions"}
    return found | ({"truncated descriptions": min(later)} if later else {})


def day_after(rows):
    days = days_of(rows)
    return {name: days[days.index(day) + 1] for name, day in find_incidents(rows).items()}


def salt():
    return (SALT.read_text(encoding="utf-8").strip() if SALT.is_file() else "") or DEMONSTRATION


notice = WITHOUT_SALT if salt() == DEMONSTRATION else ""


@cache
def given_data():
    """The production listings, the model's replies to them, and facts of each reply."""
    folder = paths.datasets_dir() / "production"
    listings, replies = read_listings(folder / "listings.jsonl"), read_replies(folder / "replies.jsonl")
    facts = [
        {
            "listing": reply.listing,
            "prompt_version": reply.prompt_version,
            "truncated": reply.truncated,
            "input_tokens": reply.input_tokens,
            "output_tokens": reply.output_tokens,
            "category": proposal.get("category", ""),
            "empty_fields": sum(proposal[name] in (None, []) for name in ATTRIBUTES) if proposal else 0,
        }
        for reply in replies
        for proposal in [reply.proposal or {}]
    ]
    return listings, replies, pd.DataFrame(facts)


@lru_cache(maxsize=8)
def fortnight(token, kinds, has_decoys):
    """The rows of a fortnight with these incidents.

    It has decoys or none: a festival, and an app version of day 6 that does nothing wrong. The seed follows
    from the token and the salt; one whose incidents are near a limit is passed over.
    """
    for attempt in range(100):
        fortnight_seed = seed_of(f"{token} {attempt}", salt())
        names = (*kinds, "festival") if has_decoys else kinds
        incidents = place_incidents(fortnight_seed, names)
        rows = hourly(fortnight_seed, incidents, has_decoys)
        days = days_of(rows)
        truth = {NAMES[one.name]: days[one.start // 24] for one in incidents if one.name in NAMES}
        is_clear = all(find_incidents(rows, strict=strict) == truth for strict in (0.7, 1, 1.3))
        if is_clear and not (has_decoys and new_is_bad(rows) == truth):
            return rows
    raise ValueError("no clear fortnight in 100; are the replies those of the course?")


def hourly(fortnight_seed, incidents, has_decoys):
    """The requests of a fortnight, summed up by hour, app version and prompt version."""
    listings, replies, facts = given_data()
    requests = simulate(listings, replies, fortnight_seed, incidents)
    table = requests.merge(facts, on=["listing", "prompt_version", "truncated"], how="left")
    first_ns = pd.Timestamp(parameters()["start"]).value
    hour = (table["started_ns"] - first_ns) // (3_600 * 10**9)
    texts = pd.date_range(parameters()["start"], periods=24 * parameters()["days"], freq="h")
    table["hour"] = texts.strftime("%Y-%m-%d %H:%M").to_numpy()[hour]
    if has_decoys:
        table.loc[(table["client"] == "ios 7.4") & (hour >= 24 * 5), "client"] = "ios 7.5"
    is_proposal = table["error"] == ""
    table["requests"], table["failed"] = 1, (~is_proposal).astype(int)
    table["corrected"] = (table["corrected"] != "").astype(int)
    counted = ["empty_fields", "input_tokens", "cached_tokens", "output_tokens"]
    table[counted] = table[counted].where(is_proposal, 0).astype(int)
    categories = sorted(set(facts["category"]) - {""})
    for name in categories:
        table[name] = ((table["category"] == name) & is_proposal).astype(int)
    keys = ["hour", "client", "prompt_version"]
    numbers = ["requests", "failed", "corrected", *counted, *categories]
    return table.groupby(keys, as_index=False)[numbers].sum().to_dict("records")


def token_of(rng):
    """Public in form, as all that a check draws: only the salt makes it a seed that nobody can compute."""
    return f"{rng.getrandbits(64):016x}"


def draw_own(rng):
    return [fortnight(token_of(rng), tuple(NAMES), True)]


def draw_others(rng):
    """Two fortnights that share the four incidents out; which has which follows from the secret salt, too."""
    token = token_of(rng)
    kinds = random.Random(seed_of(token, salt())).sample(list(NAMES), 4)
    return [fortnight(f"{token} {half}", tuple(kinds[2 * half : 2 * half + 2]), False) for half in (0, 1)]


def draw_quiet(rng):
    return [fortnight(token_of(rng), (), True)]


q4 = partial(
    Check,
    question="q4",
    target="find_incidents",
    reference=find_incidents,
    seconds=20,
    mistakes=[
        Mistake(no_new_prices, "Cached tokens are input, too: counted twice, they hide a dearer prompt."),
        Mistake(whole_days, "An outage of two hours is lost in the share of a day: ask the hours."),
        Mistake(all_apps_together, "One app version in three is lost in the mean of all: ask each version."),
        Mistake(always_four, "You name every kind each time. There may be none: compare with what counts."),
        Mistake(names_the_festival, "Much traffic is no incident: no share, no cost of a request changed."),
        Mistake(new_is_bad, "A new app version is no incident in itself. Do its proposals lack more?"),
        Mistake(day_after, "The day on which it was over is not the day on which it happened."),
    ],
)

checks = [
    q1(name="gives the worked example", points=1, inputs=[TWO_HOURS], same=equal, public=True),
    q1(
        name="adds up the rows of an hour",
        points=1,
        inputs=draw_all(draw_hours(7, 8), draw_hours(7, 8, failed=0, cached_tokens=0)),
        same=same_sums,
    ),
    q1(
        name="shows hours in which nobody came",
        points=1,
        inputs=draw_hours(22, 25, clients=CLIENTS[:1]),
        same=partial(same_rates, names=("requests",)),
    ),
    q1(
        name="divides corrections by proposals",
        points=1,
        inputs=draw_all(
            draw_hours(8, 9, clients=CLIENTS[:1]),
            draw_hours(8, clients=CLIENTS[:1], requests=30, failed=30, corrected=0),
        ),
        message="An hour may have no proposal.",
        same=partial(same_rates, names=("corrected",)),
    ),
    q1(
        name="pays each token once",
        points=1,
        inputs=draw_hours(8, 9, clients=CLIENTS[:1], failed=0),
        same=partial(same_rates, names=("cost",)),
    ),
    q2(
        name="gives the worked example",
        points=1,
        inputs=[
            arguments(
                {"shoes": 120, "books_media": 80, "toys_games": 20},
                {"shoes": 90, "books_media": 120, "toys_games": 10},
            )
        ],
        same=equal,
        public=True,
    ),
    q2(
        name="gives the index of any mix",
        points=1,
        inputs=draw_mixes(),
        same=partial(same_drift, names=("psi",)),
    ),
    q2(
        name="has a limit that follows from the sizes",
        points=1,
        inputs=draw_all(draw_mixes(), draw_mixes(lacking=True)),
        same=partial(same_drift, names=("limit",)),
    ),
    q2(
        name="says what adds most, also if one sample lacks it",
        points=1,
        inputs=draw_mixes(lacking=True),
        same=partial(same_drift, names=("psi", "most")),
    ),
    q3(
        name="gives the worked example",
        points=1,
        inputs=[arguments([[20, 1], [20, 16], [30, 24], [20, 1], [20, 0]], 0.4, 10)],
        same=equal,
        public=True,
    ),
    q3(name="calls nobody for a few requests", points=1, inputs=draw_series("fine", "small", "fine")),
    q3(
        name="waits through hours without data", points=1, inputs=draw_series("bad", "silent", "bad", "small")
    ),
    q3(
        name="does not flap",
        points=1,
        inputs=draw_all(
            draw_series("bad", "between", "bad", "between"),
            draw_series("bad", "between", "fine", "bad", "between"),
            lambda rng: [arguments(hours, 0.75, 8) for hours in AT_THE_LIMITS],
        ),
        message="The limit begins one, two thirds of it end none, `least` is enough. There may be several.",
    ),
    q3(
        name="leaves open what has not ended",
        points=1,
        inputs=[arguments([[20, 1], [30, 20]], 0.4, 10), arguments([[40, 30]], 0.4, 10)],
    ),
    q4(name="names the incidents of your own fortnight", points=4, inputs=draw_own),
    q4(name="names those of two other fortnights", points=3, inputs=draw_others),
    q4(name="is silent where nothing is wrong", points=2, inputs=draw_quiet),
]

# What students hand in, and what it must cost.
RATES = """
def rates(rows):
    import pandas as pd

    table = pd.DataFrame(rows)
    dear = table["input_tokens"]{dear}
    table["cost"] = dear * 0.1e-6 + table["cached_tokens"] * 0.01e-6 + table["output_tokens"] * 0.5e-6
    hours = table.groupby("hour")[["requests", "failed", "corrected", "cost"]].{add}()
    hours.index = pd.to_datetime(hours.index)
    {gaps}
    proposals = hours["requests"]{proposals}
    hours["failed"] /= hours["requests"]
    hours["corrected"] /= proposals
    hours["cost"] /= proposals
    found = {{}}
    for at, row in hours.iterrows():
        told = {{name: None if value != value else value for name, value in row.items()}}
        found[at.strftime("%Y-%m-%d %H:%M")] = told
    return found
"""
MEANS = """
def rates(rows):
    import pandas as pd

    table = pd.DataFrame(rows)
    dear = table["input_tokens"] - table["cached_tokens"]
    money = dear * 0.1e-6 + table["cached_tokens"] * 0.01e-6 + table["output_tokens"] * 0.5e-6
    proposals = table["requests"] - table["failed"]
    table["failed"] /= table["requests"]
    table["corrected"] /= proposals
    table["cost"] = money / proposals
    hours = table.groupby("hour")[["failed", "corrected", "cost"]].mean()
    hours["requests"] = table.groupby("hour")["requests"].sum()
    hours.index = pd.to_datetime(hours.index)
    hours = hours.asfreq("h")
    found = {}
    for at, row in hours.iterrows():
        told = {name: None if value != value else value for name, value in row.items()}
        told["requests"] = told["requests"] or 0
        found[at.strftime("%Y-%m-%d %H:%M")] = told
    return found
"""


def rates_source(
    dear=' - table["cached_tokens"]',
    gaps='hours = hours.asfreq("h", fill_value=0)',
    proposals=' - hours["failed"]',
    add="sum",
):
    return RATES.format(dear=dear, gaps=gaps, proposals=proposals, add=add)


DRIFT = """
def drift(before, after):
    import math
    from scipy import stats

    names = list({{**before, **after}})
    a = [before.get(name, 0) + {smooth} for name in names]
    b = [after.get(name, 0) + {smooth} for name in names]
    parts, moved = {{}}, {{}}
    for name, one, two in zip(names, a, b):
        p, q = one / sum(a), two / sum(b)
        parts[name] = {part}
        moved[name] = abs(q - p)
    n, m = sum(before.values()), sum(after.values())
    limit = {limit}
    return {{"psi": sum(parts.values()), "limit": float(limit), "most": max({most}, key={most}.get)}}
"""


def drift_source(
    smooth="0.5",
    part="(q - p) * math.log(q / p)",
    limit="(1 / n + 1 / m) * stats.chi2.isf(0.01, len(names) - 1)",
    most="parts",
):
    return DRIFT.format(smooth=smooth, part=part, limit=limit, most=most)


PACKAGE_DRIFT = """
def drift(before, after):
    from aicourse.monitoring.drift import compare_mix

    found = compare_mix(before, after)
    n, m = sum(before.values()), sum(after.values())
    names = list({**before, **after})
    size = len(names) / 2

    def part(name):
        p, q = (before.get(name, 0) + 0.5) / (n + size), (after.get(name, 0) + 0.5) / (m + size)
        return (q - p) * np.log(q / p)

    return {"psi": found.psi, "limit": found.limit, "most": max(names, key=part)}
"""

EPISODES = """
def episodes(hours, limit, least):
    found, began = [], None
    for at, (requests, failed) in enumerate(hours):
        if requests < {least}:
            {silent}
        elif began is None and failed >= limit * requests:
            began = at
        elif began is not None and failed < {calm} * requests:
            found.append([began, at{end}])
            began = None
    {open}
    return found
"""
EACH_HOUR = """
def episodes(hours, limit, least):
    bad = [at for at, (n, failed) in enumerate(hours) if n >= least and failed / n >= limit]
    return [[at, at + 1] for at in bad]
"""
SILENCE = """if began is not None:
                found.append([began, at])
                began = None"""
STILL_ON = """if began is not None:
        found.append([began, None])"""


def episodes_source(least="least", silent="continue", calm="limit * 2 / 3", end="", still_on=STILL_ON):
    return EPISODES.format(least=least, silent=silent, calm=calm, end=end, open=still_on)


FIND = """
def find_incidents(rows):
    import pandas as pd

    table = pd.DataFrame(rows)
    categories = list(table.columns)[list(table.columns).index("output_tokens") + 1 :]
    day = table["hour"].str[:10].rename("day")
    table["done"] = table["requests"] - table["failed"]
    dear = table["input_tokens"]{dear}
    table["money"] = dear * 0.10 + table["cached_tokens"] * 0.01 + table["output_tokens"] * 0.50
    days = table.groupby(day).sum(numeric_only=True)
    calm, found = days.head(4).sum(), {{}}

    hours = table.groupby({hours})[["requests", "failed"]].sum()
    failed = (hours["failed"] / hours["requests"])[hours["requests"] >= 10]
    if failed.max() >= {scale} * 0.5:
        found["outage"] = failed.idxmax()[:10]

    price = (days["money"] / days["done"]) / (calm["money"] / calm["done"]) - 1
    if price.max() >= {scale} * 0.4:
        found["dearer prompt"] = price.idxmax()

    {apps}
    apps = table.groupby([day, "client"])[["empty_fields", "done"]].sum()
    empty = (apps["empty_fields"] / apps["done"]) / (calm["empty_fields"] / calm["done"]) - 1
    if empty.max() >= {scale} * 0.25:
        found["truncated descriptions"] = empty.idxmax()[0]

    moved = (days[categories].T / days["done"]).T - calm[categories] / calm["done"]
    moved = moved.abs().sum(axis=1) / 2
    if moved.max() >= {scale} * 0.125:
        found["new kind of item"] = moved.idxmax()
    {more}
    return found
"""
FESTIVAL = """if days["requests"].max() > 2 * days["requests"].median():
        found["festival"] = days["requests"].idxmax()"""
NEW_IS_BAD = """found.pop("truncated descriptions", None)
    early = set(table.loc[day.isin(days.index[:4]), "client"])
    if (~table["client"].isin(early)).any():
        found["truncated descriptions"] = day[~table["client"].isin(early)].min()"""
NEXT_DAY = """after = dict(zip(days.index, days.index[1:]))
    found = {name: after[one] for name, one in found.items()}"""


def find_source(dear=' - table["cached_tokens"]', hours='"hour"', apps="", scale="1", more=""):
    return FIND.format(dear=dear, hours=hours, apps=apps, scale=scale, more=more)


WITHOUT_PANDAS = """
def find_incidents(rows):
    import statistics

    plain = ("hour", "client", "prompt_version", "requests", "failed", "corrected")
    plain += ("empty_fields", "input_tokens", "cached_tokens", "output_tokens")
    categories = [name for name in rows[0] if name not in plain]

    def groups(key):
        made = {}
        for row in rows:
            made.setdefault(key(row), []).append(row)
        return made

    def per_proposal(part, number):
        return sum(number(row) for row in part) / sum(row["requests"] - row["failed"] for row in part)

    def cost(row):
        dear = row["input_tokens"] - row["cached_tokens"]
        return 10 * dear + row["cached_tokens"] + 50 * row["output_tokens"]

    days = groups(lambda row: row["hour"][:10])
    hours = groups(lambda row: row["hour"])
    apps = groups(lambda row: (row["hour"][:10], row["client"]))
    found = {}
    for hour, part in hours.items():
        requests, failed = (sum(row[name] for row in part) for name in ("requests", "failed"))
        if requests >= 10 and failed / requests >= 0.5:
            found["outage"] = hour[:10]
    costs = {day: per_proposal(part, cost) for day, part in days.items()}
    empty = {app: per_proposal(part, lambda row: row["empty_fields"]) for app, part in apps.items()}
    usual = statistics.median(costs.values())
    found |= {"dearer prompt": day for day, one in costs.items() if one >= 1.4 * usual}
    usual = statistics.median(empty.values())
    found |= {"truncated descriptions": day for (day, _), one in empty.items() if one >= 1.25 * usual}
    shares = {
        day: {name: per_proposal(part, lambda row: row[name]) for name in categories}
        for day, part in days.items()
    }
    usual = {name: statistics.median(one[name] for one in shares.values()) for name in categories}
    for day, one in shares.items():
        if sum(abs(one[name] - usual[name]) for name in categories) / 2 >= 0.125:
            found["new kind of item"] = day
    return found
"""

planted = [
    Planted("q1", "cached tokens twice", 2, "take them out", rates_source(dear="")),
    Planted("q1", "divides by requests", 2, "leave it out there", rates_source(proposals="")),
    Planted("q1", "hours left out", 2, "Silence is data", rates_source(gaps="")),
    Planted("q1", "means of rows", 1, "sum, then divide", MEANS),
    Planted("q2", "always 0.1", 2, "whatever the sizes", drift_source(limit="0.1")),
    Planted(
        "q2",
        "the second size alone",
        2,
        "needs both sizes",
        drift_source(limit="1 / m * stats.chi2.isf(0.01, len(names) - 1)"),
    ),
    Planted(
        "q2",
        "a degree too many",
        2,
        "one degree less",
        drift_source(limit="(1 / n + 1 / m) * stats.chi2.isf(0.01, len(names))"),
    ),
    Planted("q2", "one side of it", 3, "its factor is q - p", drift_source(part="q * math.log(q / p)")),
    Planted("q2", "moved most", 1, "compare the summands", drift_source(most="moved")),
    Planted("q2", "not smoothed", 4, "add 0.5", drift_source(smooth="0")),
    Planted("q3", "an alert each hour", 5, "one episode is one call", EACH_HOUR),
    Planted("q3", "a single request alarms", 1, "too few requests", episodes_source(least="1")),
    Planted("q3", "silence is the end", 1, "cannot be the recovery", episodes_source(silent=SILENCE)),
    Planted("q3", "flaps", 1, "it would flap", episodes_source(calm="limit")),
    Planted("q3", "forgets what goes on", 1, "its end is None", episodes_source(still_on="")),
    Planted("q3", "the last bad hour", 3, "not the last bad one", episodes_source(end=" - 1")),
    Planted("q4", "cached tokens twice", 7, "they hide a dearer prompt", find_source(dear="")),
    Planted("q4", "whole days", 7, "ask the hours", find_source(hours="day")),
    Planted("q4", "all apps together", 7, "ask each version", find_source(apps='table["client"] = "all"')),
    Planted("q4", "always four", 5, "There may be none", find_source(scale="0")),
    Planted("q4", "the festival too", 6, "Much traffic is no incident", find_source(more=FESTIVAL)),
    Planted("q4", "new is bad", 6, "Do its proposals lack more", find_source(more=NEW_IS_BAD)),
    Planted("q4", "the day after", 9, "on which it happened", find_source(more=NEXT_DAY)),
]

alternatives = {
    "q1": [rates_source()],
    "q2": [drift_source(), PACKAGE_DRIFT],
    "q3": [episodes_source()],
    "q4": [find_source(), WITHOUT_PANDAS],
    # answers of simulated students to the questions that people grade
    "q5": [
        "There was an outage. Many requests failed, I think it was in the second week.",
        "Outage, from 16:00 to 18:00: nine in ten requests failed, normally one in a hundred. All app "
        "versions were hit alike. It was no festival: the number of requests was usual for these hours.",
        "The costs went up by 80 %, because more people used the shop on that day.",
    ],
    "q6": [
        "Yes, half is right, because nobody corrected it.",
        "No. Some sellers never correct anything, so what was not corrected may be wrong. A request with "
        "three corrections counts like one with one. Draw a random sample and let annotators label it.",
        "No, because corrections are only a part of all. Ask more sellers.",
    ],
}

"""What honest students hand in: a slip costs something, and a right answer of another make costs nothing.

Not among the planted mistakes of `checks.py`, from which the simulated class is drawn. The functions are
called here with the inputs that some students get, and judged as a submission is.
"""

from __future__ import annotations

import hashlib
import json
import math
import operator
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate, combinations, pairwise
from typing import Any

import numpy as np
import pytest
from scipy import special

from aicourse.notebook.checks import Check
from aicourse.notebook.checks.files import run_file
from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.judging.judging import Plan, judge, plan
from aicourse.tooling.grading.sandbox.execution import Answer, StudentCall

STUDENTS = ("ada", "brook", "cleo")
Answering = Callable[..., Any]
SLIPS: list[Any] = []
RIGHT: list[Any] = []


def slip(question: str, **changed: Any) -> Callable[[Answering], Answering]:
    """Hands in the function with these keywords for a question such as "hw06 q2"."""
    return _handed_in(SLIPS, question, changed)


def right(question: str) -> Callable[[Answering], Answering]:
    return _handed_in(RIGHT, question, {})


def _handed_in(into: list[Any], question: str, changed: dict[str, Any]) -> Callable[[Answering], Answering]:
    def note(function: Answering) -> Answering:
        name = " ".join([question, function.__name__, *changed]).replace("_", " ")
        into.append(pytest.param(question, lambda *given: function(*given, **changed), id=name))
        return function

    return note


@cache
def homework(name: str) -> Assignment:
    return load_assignment(name)


# Homework 1

CUT = re.compile(r"(\d[\d.,]*(?:\s*[x×]\s*\d[\d.,]*)*)(\s*)(mm|cm|ml|m|l)\b", re.I)


@slip("hw01 q1", spaced=True)
@slip("hw01 q1", units=("mm", "cm", "m", "ml", "l"))
@slip("hw01 q1", units=("cm", "m", "l"))
@right("hw01 q1")
def size_of(text: str, spaced: bool = False, units: tuple[str, ...] = ()) -> str | None:
    """`spaced` wants a space before the unit; `units` are looked for in this order."""
    sizes = [one for one in CUT.finditer(text) if one[2] or not spaced]
    if units:
        sizes = [one for unit in units for one in sizes if one[3].lower() == unit]
    if not sizes:
        return None
    return re.sub(r"[×X]", "x", sizes[0][1]).replace(" ", "").replace(",", ".") + f" {sizes[0][3].lower()}"


@cache
def homework_1() -> dict[str, Any]:
    return run_file(homework("hw01").folder / "checks.py")


@slip("hw01 q2", apart=r"[\s,.!?]+")
@slip("hw01 q2", apart=r"[^a-z]+")
@slip("hw01 q2", wraps=True)
@right("hw01 q2")
def colours_of(text: str, apart: str = r"[^a-z-]+", wraps: bool = False) -> list[str]:
    """`wraps` takes the last word for the one before the first."""
    known = homework_1()
    words = [word for word in re.split(apart, text.lower()) if word]
    before = dict(enumerate(words, start=1)) | ({0: words[-1]} if wraps and words else {})
    denied = [place for place, word in before.items() if word in ("not", "no", "never", "without")]
    named = {known["SHADES"].get(word, word) for place, word in enumerate(words) if place not in denied}
    return sorted(named & set(known["COLOURS"]))


@slip("hw01 q3", inside=True)
@slip("hw01 q3", any_category=True)
@right("hw01 q3")
def parsed(reply: str, inside: bool = False, any_category: bool = False) -> dict[str, Any]:
    """`inside` finds "none" in a name; `any_category` lets a reply go without one."""
    data = {"category": "baby", **json.loads(reply)} if any_category else json.loads(reply)
    found = homework_1()["parse_reply"](json.dumps(data))
    if any_category and "category" not in json.loads(reply):
        found["category"] = None
    lost = [name for name in ("size", "brand") if inside and "none" in (found[name] or "").lower()]
    return {**found, **dict.fromkeys(lost)}


@slip("hw01 q4", enough=any)
@slip("hw01 q4", number=r"\d+")
@slip("hw01 q4", one_word=True)
@slip("hw01 q4", denies=True)
@right("hw01 q4")
def grounded(
    attributes: dict[str, Any],
    text: str,
    enough: Callable[[Any], bool] = all,
    number: str = r"\d+(?:\.\d+)?",
    one_word: bool = False,
    denies: bool = False,
) -> dict[str, Any]:
    """`one_word` looks for the brand among the words; `denies` drops a colour that is denied."""
    words = re.sub(r"[^a-z-]", " ", text.lower()).split()
    named = {*words, *(homework_1()["SHADES"].get(word) for word in words)}
    if denies:
        named -= {after for word, after in pairwise(words) if word == "not"}
    size, brand = attributes["size"], attributes["brand"]
    wanted, stated = (re.findall(number, (one or "").replace(",", ".")) for one in (size, text))
    is_stated = enough(one in stated for one in wanted) if wanted else (size or "").lower() in words
    return {
        **attributes,
        "colours": [one for one in attributes["colours"] if one in named],
        "size": size if is_stated else None,
        "brand": brand if (brand or "").lower() in (words if one_word else text.lower()) else None,
    }


# Homework 2

COLOURS = homework_1()["COLOURS"]


@slip("hw02 q2", plain=lambda text: " ".join(re.findall("[a-z0-9]+", text.lower())))
@slip("hw02 q2", plain=lambda text: re.sub("[^a-z]", "", text.lower()))
@slip("hw02 q2", looked_at=1)
@slip("hw02 q2", blank=" ")
@right("hw02 q2")
def problems(
    cases: list[Any],
    plain: Callable[[str], str] = lambda text: re.sub("[^a-z0-9]", "", text.lower()),
    looked_at: int = 99,
    blank: str | None = None,
) -> dict[str, list[str]]:
    """`looked_at` is how many colours of a case are, `blank` all that is taken for white space."""
    ids, splits = Counter(one["id"] for one in cases), defaultdict(set)
    for one in cases:
        splits[plain(one["text"])].add(one["split"])
    found = {
        "duplicate id": {one for one in ids if ids[one] > 1},
        "empty text": {one["id"] for one in cases if not one["text"].strip(blank)},
        "unknown colour": {one["id"] for one in cases if set(one["colours"][:looked_at]) - set(COLOURS)},
        "leak": {one["id"] for one in cases if (text := plain(one["text"])) and len(splits[text]) > 1},
    }
    return {name: sorted(some) for name, some in found.items()}


@slip("hw02 q3", heads=lambda fixed, broken: broken)
@right("hw02 q3")
def changed(before: list[bool], after: list[bool], heads: Callable[[int, int], int] = min) -> dict[str, Any]:
    fixed, broken = (
        sum(one > other for one, other in pairs)
        for pairs in (zip(after, before, strict=True), zip(before, after, strict=True))
    )
    p = (
        2
        * sum(math.comb(fixed + broken, some) for some in range(heads(fixed, broken) + 1))
        / 2 ** (fixed + broken)
    )
    return {"fixed": fixed, "broken": broken, "p": min(1.0, p)}


@slip("hw02 q4", share=0.5)
@slip("hw02 q4", again=False)
@right("hw02 q4")
def bounds(before: list[float], after: list[float], share: float = 1, again: bool = True) -> list[float]:
    """`share` of the cases is drawn each time; without `again` none is drawn twice."""
    differences = np.subtract(after, before)
    rng, count = np.random.default_rng(4), round(share * len(differences))
    means = [rng.choice(differences, count, replace=again).mean() for _ in range(2_000)]
    return [float(differences.mean()), *map(float, np.quantile(means, [0.025, 0.975]))]


# Homework 3


@slip("hw03 q1", of_nothing=0.0)
@slip("hw03 q1", means=("corrected",))
@slip("hw03 q1", means=("cost",))
@right("hw03 q1")
def hour_by_hour(
    rows: list[Any], of_nothing: float | None = None, means: tuple[str, ...] = ()
) -> dict[str, Any]:
    """`of_nothing` stands where nothing was proposed; `means` are of the rows' own shares."""
    hours: dict[str, Any] = defaultdict(list)
    for row in rows:
        hours[row["hour"]].append(row)
    at, found = datetime.fromisoformat(min(hours)), {}
    while (hour := f"{at:%Y-%m-%d %H:%M}") <= max(hours):
        found[hour] = shares_of(hours[hour], of_nothing)
        for name in means:
            each = [shares_of([row], of_nothing)[name] for row in hours[hour]]
            found[hour][name] = sum(each) / len(each) if each and None not in each else None
        at += timedelta(hours=1)
    return found


def shares_of(rows: list[Any], of_nothing: float | None) -> dict[str, Any]:
    total: Counter[str] = Counter()
    for row in rows:
        total.update({name: value for name, value in row.items() if not isinstance(value, str)})
    requests, proposals = total["requests"], total["requests"] - total["failed"]
    millionths = 0.1 * total["input_tokens"] - 0.09 * total["cached_tokens"] + 0.5 * total["output_tokens"]
    without = of_nothing if requests else None
    return {
        "requests": requests,
        "failed": total["failed"] / requests if requests else None,
        "corrected": total["corrected"] / proposals if proposals else without,
        "cost": millionths / 1e6 / proposals if proposals else without,
    }


@slip("hw03 q2", known_before=True)
@slip("hw03 q2", degrees=lambda before, after: len(before) - 1)
@right("hw03 q2")
def moved(
    before: dict[str, int],
    after: dict[str, int],
    known_before: bool = False,
    degrees: Callable[[Any, Any], int] = lambda before, after: len({**before, **after}) - 1,
) -> dict[str, Any]:
    """`known_before` passes over categories that are new."""
    names = [*before] if known_before else sorted({*before, *after})
    p, q = (np.array([one.get(name, 0) + 0.5 for name in names]) for one in (before, after))
    p, q = p / p.sum(), q / q.sum()
    parts = (q - p) * np.log(q / p)
    spread = 1 / sum(before.values()) + 1 / sum(after.values())
    limit = spread * special.chdtri(degrees(before, after), 0.01)
    return {"psi": float(parts.sum()), "limit": float(limit), "most": names[parts.argmax()]}


@slip("hw03 q3", begins=operator.gt)
@slip("hw03 q3", ends=operator.le)
@slip("hw03 q3", enough=operator.gt)
@slip("hw03 q3", memory=1 / 2)
@slip("hw03 q3", most=1)
@right("hw03 q3")
def called(
    hours: list[Any],
    limit: float,
    least: int,
    begins: Callable[[float, float], bool] = operator.ge,
    ends: Callable[[float, float], bool] = operator.lt,
    enough: Callable[[float, float], bool] = operator.ge,
    memory: float = 2 / 3,
    most: int | None = None,
) -> list[list[int | None]]:
    found: list[list[int | None]] = []
    for at, (requests, failed) in enumerate(hours):
        if requests and enough(requests, least):
            is_on = bool(found) and found[-1][1] is None
            if is_on and ends(failed / requests, memory * limit):
                found[-1][1] = at
            elif not is_on and begins(failed / requests, limit):
                found.append([at, None])
    return found[:most]


# Homework 4


@slip("hw04 q1", heaviest_first=True)
@right("hw04 q1")
def dealt(person: str, salt: str, weights: dict[str, int], heaviest_first: bool = False) -> str:
    number = int.from_bytes(hashlib.sha256(f"{salt}:{person}".encode()).digest()[:7], "big") >> 4
    names = sorted(weights, key=lambda name: -weights[name]) if heaviest_first else list(weights)
    ends = list(accumulate(weights[name] for name in names))
    return names[sum(number / 2**52 >= end / ends[-1] for end in ends)]


@slip("hw04 q2", names=lambda weights: ["v4", "v5"])
@slip("hw04 q2", expected=lambda weights: [weights[name] for name in sorted(weights)])
@slip("hw04 q2", order=list)
@right("hw04 q2")
def looked_over(
    exposures: list[Any],
    weights: dict[str, int],
    names: Callable[[Any], list[str]] = list,
    expected: Callable[[Any], list[int]] = lambda weights: list(weights.values()),
    order: Callable[[Any], list[str]] = sorted,
) -> dict[str, Any]:
    """Names as in the example, shares in another order than the counts, and people as they came."""
    met = {(one["person"], one["variant"]): one for one in exposures}
    visits = Counter(person for person, _ in met)
    kept = Counter(variant for person, variant in met if visits[person] == 1)
    people = {name: kept[name] for name in names(weights)}
    share = sum(people.values()) / sum(weights.values())
    pairs = zip(people.values(), expected(weights), strict=True)
    p = math.erfc(math.sqrt(sum((seen / share - part) ** 2 * share / part for seen, part in pairs) / 2))
    return {"people": people, "several": order(one for one in visits if visits[one] > 1), "p": p}


def gap(people: list[Any], column: int, metric: Callable[[Any, Any], Any]) -> tuple[float, float]:
    """The interval of the difference of a metric, by its linear parts."""
    parts = []
    for name in ("v4", "v5"):
        sums, forms = np.array([(one[column], one[2]) for one in people if one[0] == name], dtype=float).T
        parts.append(metric(sums, forms))
    (old, olds), (new, news) = parts
    reach = 1.96 * math.sqrt(olds.var() / len(olds) + news.var() / len(news))
    return float(new - old - reach), float(new - old + reach)


def per_form(sums: Any, forms: Any) -> tuple[Any, Any]:
    ratio = sums.sum() / forms.sum()
    return ratio, (sums - ratio * forms) / forms.mean()


def per_person(sums: Any, forms: Any) -> tuple[Any, Any]:
    return sums.mean(), sums


def mean_of_ratios(sums: Any, forms: Any) -> tuple[Any, Any]:
    return (sums / forms).mean(), sums / forms


@slip("hw04 q4", seconds=per_person)
@slip("hw04 q4", published=mean_of_ratios)
@slip("hw04 q4", counted=lambda people: sum(one[2] for one in people))
@right("hw04 q4")
def decided(
    people: list[Any],
    planned: int,
    seconds: Callable[[Any, Any], Any] = per_form,
    published: Callable[[Any, Any], Any] = per_form,
    counted: Callable[[Any], int] = len,
) -> list[str]:
    of_v4 = sum(one[0] == "v4" for one in people)
    if abs(2 * of_v4 - len(people)) > 3.29053 * math.sqrt(len(people)):
        return ["hold", "sample ratio"]
    if counted(people) < planned:
        return ["go on", "too few people"]
    if gap(people, 1, seconds)[1] >= 0:
        return ["do not ship", "no gain"]
    return ["do not ship", "guardrail"] if gap(people, 3, published)[0] < -0.05 else ["ship", "gain"]


# Homework 5


@slip("hw05 q1", shortest=True)
@right("hw05 q1")
def gain_of_ideal(ranking: list[str], gains: dict[str, int], k: int, shortest: bool = False) -> float:
    """`shortest` takes an ideal ranking that is no longer than what was found."""
    found = sorted(set(ranking), key=ranking.index)[:k]
    ideal = sorted(gains.values())[::-1][: min(k, len(found) or 1) if shortest else k]
    got = [gains.get(one, 0) for one in found]
    total, best = (sum(gain / math.log(rank + 2) for rank, gain in enumerate(some)) for some in (got, ideal))
    return total / best


@slip("hw05 q2", named_first=True)
@slip("hw05 q2", named_last=True)
@slip("hw05 q2", neighbours=True)
@right("hw05 q2")
def mean_of_ranks(
    rankings: dict[str, list[str]],
    relevant: dict[str, list[str]],
    k: int,
    named_first: bool = False,
    named_last: bool = False,
    neighbours: bool = False,
) -> float:
    """`named_first` and `named_last` look for one of the relevant; `neighbours` removes repeats in a row."""
    values = []
    for question, wanted in relevant.items():
        places: list[str] = []
        for article in rankings.get(question, []):
            if article not in (places[-1:] if neighbours else places):
                places.append(article)
        some = wanted[:1] if named_first else wanted[-1:] if named_last else wanted
        values += [max((1 / (1 + places.index(one)) for one in some if one in places[:k]), default=0)] * bool(
            wanted
        )
    return math.fsum(values) / len(values)


@slip("hw05 q4", of_answered=True)
@slip("hw05 q4", lucky_is_nothing=True)
@right("hw05 q4")
def counted(
    cases: list[Any], threshold: float, of_answered: bool = False, lucky_is_nothing: bool = False
) -> Any:
    """`lucky_is_nothing` leaves a lucky text to a question without an answer out of right and wrong."""
    kinds = Counter((one["answerable"], one["right"]) for one in cases if one["p"] >= threshold)
    answered, good = kinds.total(), kinds[True, True]
    wrong = answered - good - (kinds[False, True] if lucky_is_nothing else 0)
    return {
        "coverage": answered / len(cases),
        "accuracy": good / answered if answered else None,
        "score": (good - wrong) / (answered or 1 if of_answered else len(cases)),
    }


@slip("hw05 q5", good_only=True)
@slip("hw05 q5", answerable_only=True)
@slip("hw05 q5", in_order=True)
@right("hw05 q5")
def lowest(
    cases: list[Any],
    least: float,
    good_only: bool = False,
    answerable_only: bool = False,
    in_order: bool = False,
) -> float | None:
    """The first two take the p of some cases alone; `in_order` cuts between cases of one p, as they come."""
    good, found = 0, None
    ordered = sorted(cases, key=lambda one: -one["p"])
    for count, (one, after) in enumerate(zip(ordered, [*ordered[1:], {"p": -1}], strict=True), start=1):
        is_good = one["answerable"] and one["right"]
        good += is_good
        is_cut = in_order or after["p"] < one["p"]
        is_asked = one["answerable"] if answerable_only else is_good or not good_only
        if is_cut and is_asked and good / count >= least:
            found = one["p"]
    return found


# Homework 6


@slip("hw06 q1", successful=True)
@right("hw06 q1")
def by_combinations(runs: list[Any], k: int, successful: bool = False) -> dict[str, float]:
    """`successful` leaves out scenarios that never passed."""
    results = defaultdict(list)
    for run in runs:
        results[run["scenario"]].append(run["passed"])
    if any(len(some) < k for some in results.values()):
        raise ValueError("too few runs")
    kept = [some for some in results.values() if any(some) or not successful]
    chances = [[all(chosen) for chosen in combinations(some, k)] for some in kept]
    success, pass_k = (sum(sum(one) / len(one) for one in some) / len(some) for some in (kept, chances))
    return {"success": success, "pass_k": pass_k}


WRITES = ("report_problem", "refund_order", "cancel_order", "change_address")


def same_order(one: Any) -> Any:
    return one["call"], one["arguments"].get("order_id")


@slip("hw06 q2", last_call=True)
@slip("hw06 q2", alike=same_order)
@slip("hw06 q2", alike=lambda one: one["arguments"])
@slip("hw06 q2", which=slice(-1, None))
@slip("hw06 q2", which=slice(0, 1))
@slip("hw06 q2", tells=("reply", "hand_over"))
@slip("hw06 q2", silent=("declined",))
@slip("hw06 q2", silent=("refused", "invalid"))
@slip("hw06 q2", give=list)
@slip("hw06 q2", give=lambda broken: list(dict.fromkeys(broken)))
@right("hw06 q2")
def rules_of(
    steps: list[Any],
    last_call: bool = False,
    alike: Callable[[Any], Any] = lambda one: (one["call"], sorted(one["arguments"].items())),
    which: slice = slice(None),
    tells: tuple[str, ...] = ("reply",),
    silent: tuple[str, ...] = ("declined", "refused", "invalid"),
    give: Callable[[list[str]], list[str]] = lambda broken: sorted(set(broken)),
) -> list[str]:
    """`last_call` compares with one call alone, `which` are the writes that are looked at."""
    broken: list[str] = []
    made: list[Any] = []
    for place, step in enumerate(steps):
        if step["kind"] == "call":
            number = str(step["arguments"].get("order_id", ""))
            words = " ".join(re.sub(r"\D", " ", one["text"]) for one in steps[:place]).split()
            broken += ["unseen"] * bool(number and number not in words)
            broken += ["repeated"] * (alike(step) in (made[-1:] if last_call else made))
            made.append(alike(step))
    for place in [at for at, one in enumerate(steps) if one.get("call") in WRITES][which]:
        kinds = [one.get("call", one["kind"]) for one in [*steps[place + 1 :], {"kind": "customer"}]]
        is_told = any(one in tells for one in kinds[: kinds.index("customer")])
        broken += ["untold"] * (not is_told and steps[place]["status"] not in silent)
    return give(broken)


@slip("hw06 q3", once=True)
@slip("hw06 q3", some_steps=True)
@right("hw06 q3")
def matrix(runs: list[Any], once: bool = False, some_steps: bool = False) -> Any:
    """`once` counts each pair once; `some_steps` passes over runs without a step."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for run in runs:
        if run["passed"] or (some_steps and not run["steps"]):
            continue
        names = ["start", *(one["name"] for one in run["steps"]), "missing"]
        place = [*(one["good"] for one in run["steps"]), False].index(False)
        found[names[place]][names[place + 1]] += 1
    return {good: dict.fromkeys(row, 1) if once else row for good, row in found.items()}


def answer(function: Answering, call: StudentCall) -> Answer:
    try:
        return Answer("returned", function(*(call.arguments or ()), **call.named))
    except Exception as error:
        return Answer("raised", error=type(error).__name__, message=str(error))


@cache
def asked_of(question: str, student: str) -> Plan:
    """The question's own checks for a student, as grading draws them."""
    name, number = question.split()
    mine = [one for one in homework(name).checks if isinstance(one, Check) and one.question == number]
    return plan(replace(homework(name), checks=tuple(mine)), student)


def failed(question: str, function: Answering, student: str) -> list[str]:
    """The names of the question's checks that the function fails."""
    asked = asked_of(question, student)
    answers = [answer(function, call) for call in asked.calls]
    return [one.name for one in judge(asked, answers) if not one.passed]


@pytest.mark.parametrize(("question", "function"), SLIPS)
def test_a_slip_costs_something_whoever_makes_it(question: str, function: Answering) -> None:
    assert all(failed(question, function, student) for student in STUDENTS)


@pytest.mark.parametrize(("question", "function"), RIGHT)
def test_a_right_answer_of_another_make_costs_nothing(question: str, function: Answering) -> None:
    assert [failed(question, function, student) for student in STUDENTS] == [[], [], []]

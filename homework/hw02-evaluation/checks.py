"""Hidden and public checks of homework 2, and the hidden cases of its prompt question; not for students."""

from __future__ import annotations

import json
import math
import random
import statistics
from functools import partial

from aicourse import paths
from aicourse.notebook.checks import Check, Mistake, arguments, equal
from aicourse.tooling.grading.authoring.checks_file import Planted, PromptCase, PromptCheck
from aicourse.tooling.grading.sandbox.execution import Limits

seed = "first edition"
limits = Limits(notebook_seconds=60, cell_seconds=20)
files = ["runs.jsonl", "prompts.json"]

COLOURS = (
    "black", "white", "grey", "beige", "brown", "red", "pink", "orange", "yellow", "green", "blue",
    "turquoise", "purple", "gold", "silver", "multicolour", "transparent",
)  # fmt: skip
FIELDS = ("colours", "materials")


def is_close(answer, expected, tolerance=1e-6):
    is_number = isinstance(answer, (int, float)) and not isinstance(answer, bool)
    return is_number and math.isclose(answer, expected, abs_tol=tolerance)


# 1 · A scorer


def score_values(got, expected, *, clean=lambda value: value.strip().lower(), both_empty=1.0, kind=set):
    mine = kind(map(clean, got or []))
    theirs = kind(map(clean, expected or []))
    if not mine and not theirs:
        return dict.fromkeys(("precision", "recall", "f1"), both_empty)
    right = sum(value in theirs for value in mine)
    precision = right / len(mine) if mine else 0.0
    recall = right / len(theirs) if theirs else 0.0
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def case_matters(got, expected):
    return score_values(got, expected, clean=str.strip)


def zero_for_nothing(got, expected):
    return score_values(got, expected, both_empty=0.0)


def none_is_an_error(got, expected):
    return score_values(list(got), list(expected))


def repeats_count(got, expected):
    return score_values(got, expected, kind=list)


def plain_mean(got, expected):
    found = score_values(got, expected)
    return {**found, "f1": (found["precision"] + found["recall"]) / 2}


def pairs(*items):
    return [arguments(got, expected) for got, expected in items]


def draw_values(rng):
    """Lists that overlap in part."""
    inputs = []
    for _ in range(3):
        common, missed, invented = rng.sample(COLOURS, 3)
        got = rng.sample([common, invented], 2)
        inputs.append((got, [missed, common] if rng.random() < 0.5 else [common]))
    return pairs(*inputs)


q1 = partial(
    Check,
    question="q1",
    target="score_values",
    reference=score_values,
    mistakes=[
        Mistake(case_matters, "'Red' and 'red' are one colour: compare in lower case."),
        Mistake(zero_for_nothing, "Nothing wanted, nothing given: that is perfect, not 0 of 0."),
        Mistake(none_is_an_error, "A model's null arrives as None, which has no length. `got or []` does."),
        Mistake(repeats_count, "A colour that stands twice is still one colour: sets, not lists."),
        Mistake(
            plain_mean, "F1 is the harmonic mean: 2pr / (p + r). A precision of 1 cannot buy a recall of 0."
        ),
    ],
)

# 2 · Is the evaluation set sound?


def plain_text(text):
    return "".join(letter for letter in text.lower() if letter.isalnum())


def find_problems(cases, *, plain=plain_text, across=True, empty_leaks=False):
    ids = [case["id"] for case in cases]
    problems = {"duplicate id": set(), "empty text": set(), "unknown colour": set(), "leak": set()}
    for position, case in enumerate(cases):
        others = [other for index, other in enumerate(cases) if index != position]
        if ids.count(case["id"]) > 1:
            problems["duplicate id"].add(case["id"])
        if not case["text"].strip():
            problems["empty text"].add(case["id"])
        if any(colour not in COLOURS for colour in case["colours"]):
            problems["unknown colour"].add(case["id"])
        same = [other for other in others if plain(other["text"]) == plain(case["text"])]
        leaks = [other for other in same if not across or other["split"] != case["split"]]
        if leaks and (empty_leaks or plain(case["text"])):
            problems["leak"].add(case["id"])
    return {name: sorted(found) for name, found in problems.items()}


def exact_texts_only(cases):
    return find_problems(cases, plain=lambda text: text)


def same_split_too(cases):
    return find_problems(cases, across=False)


def empty_texts_leak(cases):
    return find_problems(cases, empty_leaks=True)


def second_copy_only(cases):
    seen, problems = {}, find_problems(cases)
    leaks = set()
    for case in cases:
        key = plain_text(case["text"])
        if key and any(split != case["split"] for split in seen.get(key, ())):
            leaks.add(case["id"])
        seen.setdefault(key, set()).add(case["split"])
    return {**problems, "leak": sorted(leaks)}


def case(id, split, text, *colours):
    return {"id": id, "split": split, "text": text, "colours": list(colours)}


def draw_cases(rng):
    """A set of eight with one id twice, two wrong colours and an empty text, in any order."""
    colours = rng.sample(COLOURS, 4)
    cases = [case(f"C{number}", "dev", f"A {colour} thing", colour) for number, colour in enumerate(colours)]
    cases.append(case(rng.choice(["C0", "C1"]), "dev", "Another thing"))
    cases.append(case("C9", "dev", "A strange thing", rng.choice(["mauve", "navy", "Red"])))
    cases += [case("C8", "dev", "Two things", colours[0], "mauve"), case("C7", "dev", " \n\t")]
    return [rng.sample(cases, len(cases))]


LEAKS = [
    [
        case("A", "dev", "Red coat, size M!", "red"),
        case("B", "test", "red coat  size m", "red"),
        case("C", "dev", "Blue coat", "blue"),
    ],
    [case("A", "test", "Oak-table"), case("B", "dev", "OAK TABLE."), case("C", "train", "oak table")],
    [case("A", "dev", "T-shirt, 1 m"), case("B", "test", "tshirt 1 m"), case("C", "test", "T-shirt, 2 m")],
]

q2 = partial(
    Check,
    question="q2",
    target="find_problems",
    reference=find_problems,
    mistakes=[
        Mistake(
            exact_texts_only,
            "'Red coat!' and 'red coat' are one text to a model. Compare letters and digits.",
        ),
        Mistake(same_split_too, "Twice in the same split is a duplicate, not a leak."),
        Mistake(empty_texts_leak, "Two empty texts give nothing away."),
        Mistake(second_copy_only, "Both copies of a leak are concerned, the first one too."),
    ],
)

# 3 · Fixed or broken?


def fixed_or_broken(before, after, *, sides=2, fewer=True, limit=1.0):
    fixed = sum(now and not was for was, now in zip(before, after, strict=True))
    broken = sum(was and not now for was, now in zip(before, after, strict=True))
    changed, least = fixed + broken, min(fixed, broken)
    heads = range(least + 1) if fewer else [least]
    tail = sum(math.comb(changed, count) for count in heads) / 2**changed
    return {"fixed": fixed, "broken": broken, "p": min(limit, sides * tail)}


def one_sided(before, after):
    return fixed_or_broken(before, after, sides=1)


def one_count_only(before, after):
    return fixed_or_broken(before, after, fewer=False)


def beyond_one(before, after):
    return fixed_or_broken(before, after, limit=math.inf)


def wrong_way_round(before, after):
    found = fixed_or_broken(before, after)
    return {**found, "fixed": found["broken"], "broken": found["fixed"]}


def all_cases(before, after):
    found = fixed_or_broken(before, after)
    least, cases = min(found["fixed"], found["broken"]), len(before)
    tail = sum(math.comb(cases, heads) for heads in range(least + 1)) / 2**cases
    return {**found, "p": min(1.0, 2 * tail)}


def run_pairs(*counts):
    """(fixed, broken, stayed right, stayed wrong) as two lists."""
    made = []
    for fixed, broken, right, wrong in counts:
        before = [False] * fixed + [True] * broken + [True] * right + [False] * wrong
        after = [True] * fixed + [False] * broken + [True] * right + [False] * wrong
        made.append((before, after))
    return pairs(*made)


def draw_runs(rng):
    some = [(rng.randint(5, 9), rng.randint(1, 3), 4, 5) for _ in range(3)]
    return run_pairs(*some, (2, rng.randint(6, 9), 4, 5))


q3 = partial(
    Check,
    question="q3",
    target="fixed_or_broken",
    reference=fixed_or_broken,
    mistakes=[
        Mistake(
            one_sided,
            "That is one side only. Being broken as often would surprise us as much: twice the tail.",
        ),
        Mistake(one_count_only, "Add up the chances of that many heads and of all fewer."),
        Mistake(beyond_one, "A probability above 1? When both counts are equal, twice the tail exceeds it."),
        Mistake(wrong_way_round, "Fixed is wrong before and right after; you have it the other way round."),
        Mistake(all_cases, "Cases that stayed as they were say nothing: n is the number of changed cases."),
    ],
)

# 4 · By how much?


def interval(before, after, repeats=2000, seed=0):
    differences = [now - was for was, now in zip(before, after, strict=True)]
    return bounds(differences, repeats, seed, lambda draw: draw.choices(differences, k=len(differences)))


def bounds(differences, repeats, seed, sample):
    draw = random.Random(seed)
    means = sorted(statistics.fmean(sample(draw)) for _ in range(repeats))
    low, high = means[int(0.025 * repeats)], means[int(0.975 * repeats) - 1]
    return [statistics.fmean(differences), low, high]


def unpaired(before, after, repeats=2000, seed=0):
    def sample(draw):
        return [
            now - was
            for was, now in zip(
                draw.choices(before, k=len(before)), draw.choices(after, k=len(after)), strict=True
            )
        ]

    return bounds([now - was for was, now in zip(before, after, strict=True)], repeats, seed, sample)


def other_sign(before, after, repeats=2000, seed=0):
    return interval(after, before, repeats, seed)


def spread_of_cases(before, after, repeats=2000, seed=0):
    differences = sorted(now - was for was, now in zip(before, after, strict=True))
    last = len(differences) - 1
    return [
        statistics.fmean(differences),
        differences[round(0.025 * last)],
        differences[round(0.975 * last)],
    ]


def near(answer, expected):
    """The effect exactly, the bounds but for the luck of 2,000 draws, a tenth of the width."""
    allowed = (expected[2] - expected[1]) / 10 + 1e-6
    return (
        isinstance(answer, (list, tuple))
        and len(answer) == 3
        and is_close(answer[0], expected[0])
        and all(
            is_close(mine, theirs, allowed) for mine, theirs in zip(answer[1:], expected[1:], strict=True)
        )
    )


def draw_scores(rng):
    """Scores of 60 cases that differ much between cases and little between runs."""
    inputs = []
    for shift in (0.05, -0.08):
        before = [rng.random() * 0.8 for _ in range(60)]
        inputs.append((before, [score + shift + rng.uniform(-0.1, 0.1) for score in before]))
    return pairs(*inputs)


q4 = partial(
    Check,
    question="q4",
    target="interval",
    reference=interval,
    same=near,
    seconds=20,
    mistakes=[
        Mistake(unpaired, "Your draws mix the cases: draw cases, and take both scores of each (paired)."),
        Mistake(other_sign, "The effect is after minus before; yours has the other sign."),
        Mistake(spread_of_cases, "Those are percentiles of the cases, not of the means of many draws."),
    ],
)

# 5 · Your prompt

MODEL = "qwen2.5-coder-0.5b"
THREE_EXAMPLES = """\
Give the colours and the materials of the thing for sale, as JSON. Only what the text says of it; else [].

Handbag, looks like Gucci, is not. Cream faux leather. The silver shoes in the picture are sold.
{"colours": ["beige"], "materials": ["faux_leather"]}

Philips radio. No sound any more, not even after my son took the wooden back off.
{"colours": [], "materials": ["wood"]}

Coffee table. Pine top on black steel legs, 90 x 55 x 40 cm. Stood on a red rug for years.
{"colours": ["black"], "materials": ["metal", "wood"]}

{listing}
"""
BARE = "List the colours and the materials of this item.\n\n{listing}"
# Mean F1 of the reference minus that of the bare prompt, on the 60 listings of the development split.
GAIN = 0.300 - 0.169
BARE_F1 = 0.175  # of the bare prompt on the hidden listings


def levels(bare, gain):
    """Half of the points for a quarter of the gain over the bare prompt, all for half of it; rounded down.

    How much is gained comes from listings that students may read, and so does the rule; of the hidden ones
    comes only where the bare prompt stands. 0.1, 0.2 -> [(0.15, 3), (0.2, 6)]
    """
    return [
        (math.floor(100 * (bare + gain * way) + 1e-9) / 100, points)
        for way, points in ((1 / 4, 3), (1 / 2, 6))
    ]


WORDS = {"type": "array", "items": {"type": "string", "maxLength": 14}, "maxItems": 5}
SCHEMA = {
    "type": "object",
    "properties": dict.fromkeys(FIELDS, WORDS),
    "required": list(FIELDS),
    "additionalProperties": False,
}


FIRST_EDITION = 19  # listings of its draw; its rule was changed after their replies had been read


def hidden_cases():
    """Listings that students cannot have seen: the grader's own split, without those of the first edition.

    So no prompt's replies to them were known when the rule was made, and nothing else chose them.
    """
    path = paths.datasets_dir() / "listings" / "grader" / "listings.jsonl"
    listings = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    known = [listing["id"] for listing in random.Random("hw02").sample(listings, FIRST_EDITION)]
    return [
        PromptCase(
            listing["id"],
            {"listing": f"{listing['title']}\n{listing['description']}"},
            {name: listing["gold"][name] for name in ("colours", "materials")},
        )
        for listing in listings
        if listing["id"] not in known
    ]


def request(prompt, case):
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": prompt.replace("{listing}", case.variables["listing"])}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "attributes", "schema": SCHEMA, "strict": True},
        },
        "temperature": 0,
        "max_completion_tokens": 100,
    }


def score(reply, case):
    """Mean F1 of colours and materials; a reply that was cut off counts as empty lists."""
    try:
        found = json.loads(reply)
    except ValueError:
        return 0.0
    return statistics.fmean(score_values(found[name], case.expected[name])["f1"] for name in case.expected)


def problem(prompt):
    if "{listing}" not in prompt:
        return "`PROMPT` has no `{listing}`, so the model would never see the listing."
    return ""


checks = [
    q1(
        name="computes precision, recall and F1",
        points=1,
        inputs=pairs((["red", "blue"], ["red"]), (["oak"], ["wood"]), (["grey", "pink"], ["pink", "grey"])),
    ),
    q1(name="does so for any lists", points=1, inputs=draw_values),
    q1(
        name="ignores case, spaces, order and repetition",
        points=1,
        inputs=pairs(([" Red", "BLUE"], ["blue", "red "]), (["red", "red", "pink"], ["red", "RED"])),
    ),
    q1(
        name="nothing wanted and nothing given is perfect",
        points=1,
        inputs=pairs(([], []), (None, []), ([], None)),
        public=True,
    ),
    q1(
        name="one of them empty is zero",
        points=1,
        inputs=pairs((None, ["red"]), (["red"], []), ([], ["blue"]), (["blue", "red"], None)),
    ),
    q2(
        name="finds duplicate ids, empty texts and unknown colours",
        points=1,
        inputs=[
            [
                case("A", "dev", "Red coat", "red"),
                case("A", "dev", "Blue coat", "blue"),
                case("B", "dev", " "),
            ],
            [case("B", "dev", "Mauve coat", "mauve"), case("A", "dev", "Navy coat", "navy", "blue")],
        ],
        public=True,
    ),
    q2(name="does so in any order", points=1, inputs=draw_cases),
    q2(
        name="finds texts that leak into another split",
        points=2,
        inputs=LEAKS,
        message="A leak concerns both cases, and a model does not mind capitals or commas.",
    ),
    q2(
        name="calls nothing else a leak",
        points=1,
        inputs=[
            [
                case("A", "dev", "Red coat", "red"),
                case("B", "dev", "red coat", "red"),
                case("C", "test", "Pot"),
            ],
            [case("A", "dev", ""), case("B", "test", "  "), case("C", "test", "!")],
        ],
    ),
    q3(
        name="counts what was fixed and broken",
        points=1,
        inputs=run_pairs((1, 0, 1, 0), (0, 1, 0, 2)),
        same=lambda answer, expected: (
            isinstance(answer, dict)
            and all(answer.get(name) == expected[name] for name in ("fixed", "broken"))
        ),
    ),
    q3(name="computes the exact p", points=1, inputs=draw_runs),
    q3(
        name="stays at or below 1",
        points=1,
        inputs=run_pairs((2, 2, 1, 1), (3, 3, 0, 0), (1, 1, 3, 0)),
    ),
    q3(
        name="gives the worked example, and no evidence where nothing changed",
        points=1,
        inputs=run_pairs((6, 1, 2, 1), (0, 0, 3, 2)),
        public=True,
    ),
    q4(
        name="gives no width to a difference that is always the same",
        points=1,
        inputs=pairs(([0.25, 0.5, 0.75], [0.5, 0.75, 1.0]), ([1.0, 0.5], [0.5, 0.0])),
        same=equal,
        public=True,
    ),
    q4(
        name="gives the effect and a paired interval",
        points=3,
        inputs=draw_scores,
        message="Draw cases, not scores.",
    ),
    PromptCheck(
        question="q5",
        name="F1 on hidden listings",
        target="PROMPT",
        cases=hidden_cases(),
        request=request,
        score=score,
        problem=problem,
        levels=levels(BARE_F1, GAIN),
        measure="mean F1",
        message="The labelling guide and the failures of question 6 tell what is missing.",
    ),
]

# What students hand in, and what it must cost.
SCORE = """
def score_values(got, expected):
    mine = {made}(value.strip(){lower} for value in {got})
    theirs = {made}(value.strip(){lower} for value in {expected})
    if not mine and not theirs:
        return dict(precision={empty}, recall={empty}, f1={empty})
    right = len([value for value in mine if value in theirs])
    precision = right / len(mine) if mine else 0.0
    recall = right / len(theirs) if theirs else 0.0
    f1 = {f1} if right else 0.0
    return dict(precision=precision, recall=recall, f1=f1)
"""


def score_source(
    made="set",
    lower=".lower()",
    got="(got or [])",
    expected="(expected or [])",
    empty="1.0",
    f1="2 * precision * recall / (precision + recall)",
):
    return SCORE.format(made=made, lower=lower, got=got, expected=expected, empty=empty, f1=f1)


PROBLEMS = """
def find_problems(cases):
    plain = {plain}
    found = {{"duplicate id": set(), "empty text": set(), "unknown colour": set(), "leak": set()}}
    for i, case in enumerate(cases):
        if not case["text"].strip():
            found["empty text"].add(case["id"])
        if set(case["colours"]) - set(COLOURS):
            found["unknown colour"].add(case["id"])
        for j, other in enumerate(cases):
            if {which} and other["id"] == case["id"]:
                found["duplicate id"].add(case["id"])
            if i != j and plain(case["text"]) == plain(other["text"]){split}{empty}:
                found["leak"].add(case["id"])
    return {{name: sorted(ids) for name, ids in found.items()}}
"""


def problems_source(
    plain="lambda text: re.sub('[^a-z0-9]', '', text.lower())",
    which="i != j",
    split=' and case["split"] != other["split"]',
    empty=' and plain(case["text"])',
):
    return "import re\n" + PROBLEMS.format(plain=plain, which=which, split=split, empty=empty)


FIXED = """
def fixed_or_broken(before, after):
    fixed = sum(1 for a, b in zip(before, after) if {fixed})
    broken = sum(1 for a, b in zip(before, after) if {broken})
    n = {n}
    p = {sides} * sum(math.comb(n, k) for k in {heads}) / 2 ** n
    return {{"fixed": fixed, "broken": broken, "p": {p}}}
"""


def fixed_source(
    fixed="b and not a",
    broken="a and not b",
    n="fixed + broken",
    sides=2,
    heads="range(min(fixed, broken) + 1)",
    p="min(1.0, p)",
):
    return FIXED.format(fixed=fixed, broken=broken, n=n, sides=sides, heads=heads, p=p)


INTERVAL = """
def interval(before, after, repeats=2000, seed=0):
    rng = random.Random(seed)
    n = len(before)
    means = []
    for _ in range(repeats):
        first = [rng.randrange(n) for _ in range(n)]
        second = {second}
        means.append(sum({sign}after[j] - {sign}before[i] for i, j in zip(first, second)) / n)
    means.sort()
    effect = {sign}sum(b - a for a, b in zip(before, after)) / n
    return [effect, means[round(0.025 * repeats)], means[round(0.975 * repeats) - 1]]
"""


def interval_source(second="first", sign=""):
    return INTERVAL.format(second=second, sign=sign)


def prompt_source(text):
    return f"PROMPT = {text!r}"


planted = [
    Planted("q1", "case matters", loses=1, shows="compare in lower case", source=score_source(lower="")),
    Planted("q1", "nothing is zero", loses=1, shows="that is perfect", source=score_source(empty="0.0")),
    Planted(
        "q1",
        "None is an error",
        loses=2,
        shows="A model's null arrives as None",
        source=score_source(got="got", expected="expected"),
    ),
    Planted("q1", "repeats count", loses=1, shows="sets, not lists", source=score_source(made="list")),
    Planted(
        "q1",
        "plain mean for F1",
        loses=3,
        shows="harmonic mean",
        source=score_source(f1="(precision + recall) / 2"),
    ),
    Planted(
        "q2",
        "exact texts only",
        loses=2,
        shows="one text to a model",
        source=problems_source(plain="str.strip"),
    ),
    Planted("q2", "the same split too", loses=1, shows="not a leak", source=problems_source(split="")),
    Planted("q2", "empty texts leak", loses=1, shows="give nothing away", source=problems_source(empty="")),
    Planted(
        "q2",
        "only the second copy",
        loses=2,
        shows="Both copies",
        source=problems_source(split=' and case["split"] != other["split"] and j < i'),
    ),
    Planted("q3", "one-sided", loses=3, shows="twice the tail", source=fixed_source(sides=1)),
    Planted(
        "q3", "one count only", loses=3, shows="all fewer", source=fixed_source(heads="[min(fixed, broken)]")
    ),
    Planted("q3", "p above 1", loses=2, shows="A probability above 1?", source=fixed_source(p="p")),
    Planted(
        "q3",
        "the wrong way round",
        loses=3,
        shows="the other way round",
        source=fixed_source(fixed="a and not b", broken="b and not a"),
    ),
    Planted("q3", "all cases", loses=3, shows="say nothing", source=fixed_source(n="len(before)")),
    Planted(
        "q4",
        "unpaired",
        loses=4,
        shows="draw cases, and take both",
        source=interval_source(second="[rng.randrange(n) for _ in range(n)]"),
    ),
    Planted("q4", "the other sign", loses=4, shows="has the other sign", source=interval_source(sign="-")),
    Planted(
        "q4",
        "spread of the cases",
        loses=3,
        shows="percentiles of the cases",
        source="def interval(before, after, repeats=2000, seed=0):\n"
        "    d = sorted(b - a for a, b in zip(before, after))\n"
        "    n = len(d) - 1\n"
        "    return [sum(d) / len(d), d[round(0.025 * n)], d[round(0.975 * n)]]\n",
    ),
    Planted(
        "q5",
        "no place for the listing",
        loses=6,
        shows="would never see the listing",
        source=prompt_source("List the colours and the materials of this item."),
    ),
    Planted("q5", "no text", loses=6, shows="must be a text", source="PROMPT = None"),
    Planted(
        "q5",
        "the bare prompt",
        loses=6,
        shows="the next level needs",
        source=prompt_source(BARE),
    ),
    Planted(
        "q5",
        "three examples",
        loses=3,
        shows="the next level needs",
        source=prompt_source(THREE_EXAMPLES),
    ),
]

alternatives = {
    "q1": [score_source()],
    "q2": [problems_source()],
    "q3": [fixed_source()],
    "q4": [interval_source()],
    # answers of simulated students to the questions that people grade
    "q6": [
        "Missing values (14), for example L030: teal is missing. Wrong colours (6), L006: grey. "
        "Wrong materials (5), "
        "L022: wool. I would work on the missing values first because they are the most.",
        "1. Only the first value is given (L038: leather, no brass). 2. Something else in the text "
        "(L006: the grey "
        "rope is the old one). 3. Words with two meanings (L008: 'Pedal down' became down). About "
        "14, 4 and 5. First "
        "the second, since a wrong colour is published and a missing one is not.",
        "The model is too small. Most failures are colours. With GPT it would be fine.",
        "Negation (L047: 'Everybody assumes silk. It isn't', answer silk; L012 'not leather', answer "
        "leather): 2. "
        "Neighbours (L006, L032): 4. Incomplete lists (L003, L030, L031 ...): 14. Negation first: "
        "rare, but false.",
    ],
    "q7": [
        "Ship it, B is better: 0.864 against 0.855, and more answers are perfect.",
        "Not yet. The interval of the difference goes from -0.025 to 0.036 and contains 0. It broke "
        "L012 and L047, "
        "both denied materials, which is worse than a missing colour. I would run both on the test split.",
        "Do not ship. p = 0.69 means that there is a 69 % chance that B is not better.",
        "Not yet: 4 fixed, 2 broken, p = 0.69. With 60 listings we see effects of about 0.03. B is "
        "shorter, so if 120 "
        "new listings show no loss above 0.02, I would take it for the price.",
    ],
}

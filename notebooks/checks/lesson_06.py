"""Checks of lesson 06: ten coded failures, a taxonomy, a pairing that chance may explain, a slice of one's own."""

from __future__ import annotations

import math
import random
import re
from collections import Counter

from aicourse import evals
from aicourse.datasets import ATTRIBUTES, CATEGORIES, COLOURS, CONDITIONS, MATERIALS
from aicourse.evals import Case, NoteBook, Run
from aicourse.marketplace import LISTING_SCORERS, LooseAttributes, listing_cases, ungrounded
from aicourse.notebook.checks import Check, Mistake, arguments, leaves_alone
from aicourse.notebook.exercises import Exercise
from aicourse.paths import datasets_dir

NOTES = NoteBook(datasets_dir() / "listings" / "error_notes.jsonl").notes()
NEEDED = 10


def tidy(text):
    """A code or name as it is compared: capitals and spaces do not matter."""
    return " ".join(str(text).split()).casefold()


def only(demands, unmet):
    """A recogniser: these demands are the ones that are not met."""

    def recognise(answer):
        return [demand for demand in demands if demand(answer) is not True] == list(unmet)

    return recognise


# 06.1 ten failures, coded


def codes_of(notes):
    """The codes of each case that has any."""
    return {note.case_id: set(map(tidy, note.codes)) for note in notes if note.codes}


def are_ten(notes):
    coded = len(codes_of(notes))
    return coded >= NEEDED or (
        f"{coded} listings have a code, {len(notes)} a note; {NEEDED} are asked for. Go on in the widget, then run the cell of the exercise again."
    )


def are_in_words(notes):
    short = sorted(
        {code for codes in codes_of(notes).values() for code in codes if " " not in code}
    )
    return (
        not short
        or f"The code {short[0]!r} is one word. What happened there? “{short[0]} …”"
    )


def are_used_again(notes):
    cases = Counter(code for codes in codes_of(notes).values() for code in codes)
    return max(cases.values(), default=0) > 1 or (
        f"Each of your {len(cases)} codes stands on one listing only."
    )


CODED = (are_ten, are_in_words, are_used_again)


def changed_notes(count=NEEDED, change=lambda codes, place: codes):
    """The first of the course's notes, with other codes."""
    return [
        type(note)(note.case_id, change(note.codes, place), note.comment, note.at)
        for place, note in enumerate(NOTES[:count])
    ]


coding = Exercise(
    id="06.1",
    title="Ten failures, coded",
    reference=NOTES,
    expects=(list, tuple),
    untouched=[],
    checks=[
        Check("codes ten listings or more", predicate=are_ten),
        Check(
            "says in two words or more what happened",
            predicate=are_in_words,
            message="A code should tell somebody who has not seen the listing what went wrong.",
        ),
        Check("uses a code on more than one listing", predicate=are_used_again),
    ],
    mistakes=[
        Mistake(
            changed_notes(4),
            "A few failures show what you expected to see. The surprises come later: code ten.",
            only(CODED, [are_ten]),
        ),
        Mistake(
            changed_notes(change=lambda codes, place: ()),
            "A note without a code says that nothing is wrong, and a comment cannot be counted. Type the fault into “New code”.",
            lambda notes: bool(notes) and not codes_of(notes),
        ),
        Mistake(
            changed_notes(change=lambda codes, place: (*codes, "size")),
            "The name of a field only says where it went wrong. Say what happened: “words that are no size”.",
            only(CODED, [are_in_words]),
        ),
        Mistake(
            changed_notes(change=lambda codes, place: (f"{codes[0]} in case {place}",)),
            "What has a new name each time cannot be counted. Press the button of a code that you have used before.",
            only(CODED, [are_used_again]),
        ),
    ],
    hints=[
        "Read what was expected and what came; write each difference as one short phrase, with `;` between two.",
        "A listing with the same fault gets the same code: press its button instead of typing it anew.",
        "`evals.NoteBook(path).notes()` reads what the widget saved; run the cell again after you coded more.",
    ],
)

# 06.2 a taxonomy, delivered

COMPLAINTS = {
    "wrong", "bad", "incorrect", "error", "errors", "mistake", "mistakes", "failure", "failures",
    "problem", "problems", "issue", "issues", "other", "misc",
}  # fmt: skip


def deliver(notes, groups):
    coded = {note.case_id: list(note.codes) for note in notes}
    table = {}
    for name, codes in groups.items():
        ids = [id for id, found in coded.items() if set(found) & set(codes)]
        table[name] = {"codes": codes, "cases": len(ids), "examples": ids[:3]}
    return {"coded": coded, "groups": table}


def coded_cases(answer):
    return {
        id: set(map(tidy, codes)) for id, codes in answer["coded"].items() if len(codes)
    }


def group_codes(answer):
    return {name: set(map(tidy, row["codes"])) for name, row in answer["groups"].items()}


def is_delivered(answer):
    if not {"coded", "groups"} <= set(answer):
        return 'A taxonomy holds "coded" (the codes of each case) and "groups"; `deliver` makes both.'
    if len(coded_cases(answer)) < NEEDED:
        return (
            f"It is about {len(coded_cases(answer))} coded listings; code {NEEDED} first."
        )
    for name, row in answer["groups"].items():
        if not {"codes", "cases", "examples"} <= set(row):
            return f'The group {name!r} needs "codes", "cases" and "examples".'
        for part in ("codes", "examples"):
            if isinstance(row[part], str):
                return f"{part} of {name!r} is one text. It is a list, also of a single one: [{row[part]!r}]."
    return True


def groups_all(answer):
    groups, cases = group_codes(answer), coded_cases(answer)
    used = set().union(*cases.values())
    homes = Counter(code for codes in groups.values() for code in codes)
    if missing := sorted(used - set(homes)):
        return f"{len(missing)} of {len(used)} codes stand in no group: {missing[0]!r}."
    if twice := sorted(code for code, count in homes.items() if count > 1):
        return f"The code {twice[0]!r} stands in {homes[twice[0]]} groups."
    strange = sorted(set(homes) - used)
    return (
        not strange
        or f"The code {strange[0]!r} is in no note: is it spelt as you coded it?"
    )


def are_groups(answer):
    groups = group_codes(answer)
    if len(groups) < 3:
        return f"{len(groups)} groups: what differs in cause needs groups of its own, at least three."
    codes = len(set().union(*groups.values()))
    return (
        len(groups) < codes
        or "Each code is a group of its own. Which of them would one change repair?"
    )


def say_what_to_do(answer):
    for name in group_codes(answer):
        words = re.findall(r"[^\W_]+", tidy(name))
        if len(words) < 3:
            return f"{name!r} is too short to say what to do: take three words or more."
        if found := COMPLAINTS & set(words):
            return f"{name!r} says {sorted(found)[0]!r}. What would you change in prompt, schema or code?"
    return True


def add_up(answer):
    cases, groups = coded_cases(answer), group_codes(answer)
    for name, row in answer["groups"].items():
        counted = sum(bool(codes & groups[name]) for codes in cases.values())
        if row["cases"] != counted:
            return f"{name!r} says {row['cases']} cases; {counted} of the coded listings have one of its codes."
    return True


def have_examples(answer):
    cases, groups = coded_cases(answer), group_codes(answer)
    for name, row in answer["groups"].items():
        if not len(row["examples"]):
            return f"{name!r} has no example: give the id of a listing that shows it."
        for id in row["examples"]:
            if not cases.get(id, set()) & groups[name]:
                return f"{id!r} is no example of {name!r}: it has none of its codes."
    return True


TAXONOMY = (is_delivered, groups_all, are_groups, say_what_to_do, add_up, have_examples)

GROUPS = {
    "draw the border to the neighbouring category": [
        "furniture called home_decor",
        "shoes or bags called clothing",
    ],
    "choose the category by what the thing is": [
        "category far off", "a word of the title decides the category",
    ],
    "weigh the words about wear": [
        "new, though it was used", "good, though a flaw is named",
        "good, though it is broken", "good, though hardly or never used",
        "a condition, though none is stated",
    ],
    "take makers only for the brand": [
        "title words taken for the brand", "other words kept with the brand",
    ],
    "look for the brand in the whole text": ["brand in the text is missed"],
    "drop a size without a measure": ["words that are no size"],
    "keep the size as it was written": [
        "size is misread or missed", "size loses its system or gains a unit",
    ],
    "list every stated colour and material": [
        "one of several materials is missed", "one of several colours is missed",
        "a shade's name is not mapped",
    ],
    "ask which thing is for sale": ["value of another thing"],
}  # fmt: skip


def changed_taxonomy(change):
    """The course's taxonomy, with groups that were changed before they are counted."""
    groups = dict(GROUPS)
    change(groups)
    return deliver(NOTES, groups)


def renamed(groups):
    groups["size is wrong"] = groups.pop("drop a size without a measure")


def forgetful(groups):
    del groups["ask which thing is for sale"]


def doubled(groups):
    groups["keep the size as it was written"] = [
        *groups["keep the size as it was written"],
        "words that are no size",
    ]


def alone(groups):
    codes = [code for found in groups.values() for code in found]
    groups.clear()
    groups.update(
        {f"repair fault number {place}": [code] for place, code in enumerate(codes)}
    )


def counts_codes():
    """Cases that have two codes of one group are counted twice."""
    taxonomy = deliver(NOTES, GROUPS)
    for row in taxonomy["groups"].values():
        row["cases"] = sum(
            code in row["codes"] for codes in taxonomy["coded"].values() for code in codes
        )
    return taxonomy


def counts_double(answer):
    """Whether each count is that of the codes, not of the cases."""
    groups = group_codes(answer)
    return all(
        row["cases"]
        == sum(len(codes & groups[name]) for codes in coded_cases(answer).values())
        for name, row in answer["groups"].items()
    )


def without_examples():
    taxonomy = deliver(NOTES, GROUPS)
    for row in taxonomy["groups"].values():
        row["examples"] = row["examples"][:0]
    return taxonomy


def with_numbers_as_examples():
    taxonomy = deliver(NOTES, GROUPS)
    for row in taxonomy["groups"].values():
        row["examples"] = [int(id[1:]) for id in row["examples"]]
    return taxonomy


def unmet_is(*unmet):
    return only(TAXONOMY, unmet)


delivering = Exercise(
    id="06.2",
    title="A taxonomy, delivered",
    reference=deliver(NOTES, GROUPS),
    expects=dict,
    checks=[
        Check("is about ten coded listings or more", predicate=is_delivered),
        Check("puts each code into one group", predicate=groups_all),
        Check("puts together what one change would repair", predicate=are_groups),
        Check("has names that say what to do", predicate=say_what_to_do),
        Check("counts the cases of each group", predicate=add_up),
        Check("gives examples by id", predicate=have_examples),
    ],
    mistakes=[
        Mistake(
            deliver(
                NOTES[:6],
                {
                    name: [c for c in codes if any(c in n.codes for n in NOTES[:6])]
                    for name, codes in GROUPS.items()
                    if any(c in n.codes for n in NOTES[:6] for c in codes)
                },
            ),
            "Six listings make thin groups. Go back to the widget, and run the cells since then again.",
            unmet_is(is_delivered),
        ),
        Mistake(
            changed_taxonomy(renamed),
            "A name such as “size is wrong” complains. Name the change: “drop a size without a measure”.",
            unmet_is(say_what_to_do),
        ),
        Mistake(
            changed_taxonomy(forgetful),
            "A code that fits nowhere is often the interesting one. Give it a group: “read these again and decide”.",
            lambda answer: (
                unmet_is(groups_all)(answer) and "no group" in groups_all(answer)
            ),
        ),
        Mistake(
            changed_taxonomy(doubled),
            "Two changes for one code: split the code in two, or decide which change comes first.",
            lambda answer: (
                unmet_is(groups_all)(answer) and "stands in" in groups_all(answer)
            ),
        ),
        Mistake(
            changed_taxonomy(alone),
            "That is the list of codes once more. Ask of each pair: would the same change repair both?",
            lambda answer: unmet_is(are_groups)(answer) and len(answer["groups"]) >= 3,
        ),
        Mistake(
            counts_codes(),
            "You add up codes. A case with two codes of a group is one case: count ids.",
            lambda answer: unmet_is(add_up)(answer) and counts_double(answer),
        ),
        Mistake(
            without_examples(),
            "Without an example nobody can check the group. `ids[:3]` are three of its listings.",
            lambda answer: (
                not any(len(row["examples"]) for row in answer["groups"].values())
            ),
        ),
        Mistake(
            with_numbers_as_examples(),
            "An id is a text, as it stands in the notes: 'L013'.",
            lambda answer: any(
                isinstance(id, int)
                for row in answer["groups"].values()
                for id in row["examples"]
            ),
        ),
    ],
    hints=[
        "Begin with the most frequent code: what would you change to repair it, and what else would that repair?",
        'my_groups = {"weigh the words about wear": ["new, though it was used", …], …}',
        "Names that often fit: draw a border between …, look for … in …, drop … without …, list every …",
    ],
)

# 06.3 a pairing that chance may explain


def by_luck(first, second, rounds=2000, seed=7):
    generator = random.Random(seed)
    seen = sum(a and b for a, b in zip(first, second, strict=True))
    shuffled, as_many = list(second), 0
    for _ in range(rounds):
        generator.shuffle(shuffled)
        as_many += sum(a and b for a, b in zip(first, shuffled, strict=True)) >= seen
    return as_many / rounds


def shuffled_pairs(first, second, rounds, seed):
    """How many pairs there are, and how many in each round."""
    generator, shuffled = random.Random(seed), list(second)
    counts = []
    for _ in range(rounds):
        generator.shuffle(shuffled)
        counts.append(sum(a and b for a, b in zip(first, shuffled, strict=True)))
    return sum(a and b for a, b in zip(first, second, strict=True)), counts


def strictly_more(first, second, rounds=2000, seed=7):
    seen, counts = shuffled_pairs(first, second, rounds, seed)
    return sum(count > seen for count in counts) / rounds


def at_most(first, second, rounds=2000, seed=7):
    seen, counts = shuffled_pairs(first, second, rounds, seed)
    return sum(count <= seen for count in counts) / rounds


def a_count(first, second, rounds=2000, seed=7):
    seen, counts = shuffled_pairs(first, second, rounds, seed)
    return sum(count >= seen for count in counts)


def never_shuffled(first, second, rounds=2000, seed=7):
    return 1.0


def drawn_again(first, second, rounds=2000, seed=7):
    generator = random.Random(seed)
    seen = sum(a and b for a, b in zip(first, second, strict=True))
    draws = (generator.choices(second, k=len(second)) for _ in range(rounds))
    return (
        sum(
            sum(a and b for a, b in zip(first, draw, strict=True)) >= seen for draw in draws
        )
        / rounds
    )


def always_2000(first, second, rounds=2000, seed=7):
    return by_luck(first, second, 2000, seed)


def divided_by_2000(first, second, rounds=2000, seed=7):
    return by_luck(first, second, rounds, seed) * rounds / 2000


def always_seed_7(first, second, rounds=2000, seed=7):
    return by_luck(first, second, rounds)


def without_a_seed(first, second, rounds=2000, seed=7):
    return by_luck(first, second, rounds, seed=None)


def in_place(first, second, rounds=2000, seed=7):
    share = by_luck(first, second, rounds, seed)
    random.Random(seed).shuffle(second)
    return share


def exact(first, second):
    """The share of all orders: the tail of the hypergeometric distribution."""
    n, a, b = len(first), sum(map(bool, first)), sum(map(bool, second))
    seen = sum(bool(x and y) for x, y in zip(first, second, strict=True))
    ways = sum(
        math.comb(a, k) * math.comb(n - a, b - k) for k in range(seen, min(a, b) + 1)
    )
    return ways / math.comb(n, b)


def near_the_exact_share(result, first, second, rounds=2000, seed=7):
    share = exact(first, second)
    if abs(result - share) <= 0.006 + 4 * math.sqrt(share * (1 - share) / rounds):
        return True
    return f"You give {result:.3f}; over all orders it is {share:.3f}."


def near(result, other):
    slack = 0.06 if other <= 1 else 15 + 0.15 * other  # of a share, of a count
    return abs(result - other) <= slack


def listed(both, first, second, neither):
    """Two lists of booleans with these numbers of places."""
    pairs = [(True, True)] * both + [(True, False)] * first
    pairs += [(False, True)] * second + [(False, False)] * neither
    random.Random(both).shuffle(pairs)
    return [a for a, _ in pairs], [b for _, b in pairs]


def given(*counts, **named):
    return arguments(*listed(*counts), **named)


def same_again(by_luck):
    lists, shares = listed(5, 5, 5, 9), set()
    # Without a seed, two shares of 300 are equal once in thirty times.
    for seed in range(4):
        first, again = (by_luck(*lists, rounds=300, seed=seed) for _ in range(2))
        if first != again:
            return "The same seed gave two shares: make the generator inside."
        shares.add(first)
    return len(shares) > 1 or "Four seeds gave one and the same share."


def share_of_the_rounds(by_luck):
    """Shares of 7 rounds; or of 8, for who counts the real lists as one more."""
    shares = [by_luck(*listed(5, 5, 5, 9), rounds=7, seed=seed) for seed in range(4)]
    whole = any(
        all(abs(share * count - round(share * count)) < 1e-6 for share in shares)
        for count in (7, 8)
    )
    return whole or "With rounds=7 it gives what is no share of 7 rounds."


pairing = Exercise(
    id="06.3",
    title="Could it be chance?",
    reference=by_luck,
    checks=[
        Check(
            "gives the share of shuffles with as many pairs",
            [given(6, 4, 4, 16), given(8, 3, 4, 15), given(4, 6, 5, 9)],
            predicate=near_the_exact_share,
            same=near,
        ),
        Check(
            "gives nearly 0 where chance can hardly do it",
            [given(12, 0, 0, 14), given(15, 1, 1, 15)],
            predicate=near_the_exact_share,
            same=near,
        ),
        Check(
            "gives 1 where every shuffle has as many",
            [given(0, 5, 4, 11), given(4, 0, 9, 0)],
            predicate=near_the_exact_share,
            same=near,
        ),
        Check("shuffles as often as it is told", predicate=share_of_the_rounds),
        Check(
            "gives the same for the same seed, and follows the seed", predicate=same_again
        ),
        Check(
            "leaves the lists as they are",
            predicate=leaves_alone(*listed(5, 5, 5, 9), rounds=20),
        ),
    ],
    mistakes=[
        Mistake(
            strictly_more,
            "Shuffles that have just as many pairs count too: `>=`, not `>`.",
        ),
        Mistake(
            at_most,
            "You count the shuffles with as few pairs. The question is how often chance gives as *many*.",
        ),
        Mistake(a_count, "That is a count. Divide by `rounds`."),
        Mistake(
            never_shuffled,
            "Always 1: each round looks at the same order. Shuffle one list, then count.",
        ),
        Mistake(
            drawn_again,
            "You draw with replacement, so the number of True changes. A shuffle keeps the values and changes their places.",
        ),
        Mistake(
            always_2000,
            "`rounds` and `seed` are handed in; 2000 and 7 are only what they are if nobody says so.",
        ),
        Mistake(
            divided_by_2000,
            "`rounds` and `seed` are handed in; 2000 and 7 are only what they are if nobody says so.",
        ),
        Mistake(
            always_seed_7,
            "`rounds` and `seed` are handed in; 2000 and 7 are only what they are if nobody says so.",
        ),
        Mistake(
            without_a_seed,
            "`random.shuffle` continues where the last call stopped. Make `random.Random(seed)` inside the function.",
        ),
        Mistake(
            in_place,
            "`shuffle` changes the list that it is given, which is the caller's. Copy it first: `list(second)`.",
        ),
    ],
    hints=[
        "`sum(a and b for a, b in zip(first, second))` counts the places where both are True.",
        "`generator = random.Random(seed)`, `shuffled = list(second)`, and in each round `generator.shuffle(shuffled)`.",
        "Count the rounds with at least as many pairs as the real lists have, and divide by `rounds`.",
    ],
)

# 06.4 a slice that breaks production

OWN = 5


def own_records(run):
    """The records of a run that are no listings of dev, and those that are."""
    known = {case.id for case in listing_cases("dev")}
    records = list(run.records())
    return [one for one in records if one.id not in known], [
        one for one in records if one.id in known
    ]


def is_a_slice(run):
    own, dev = own_records(run)
    if len(dev) < len(listing_cases("dev")):
        return f"The run holds {len(dev)} of dev's listings. Run `dev + my_cases`, so that both are measured alike."
    return len(own) >= OWN or f"It holds {len(own)} cases of yours; {OWN} are asked for."


def are_listings(run):
    own, dev = own_records(run)
    for one in own:
        if not isinstance(one.input, str) or len(one.input.split()) < 4:
            return f"Case {one.id}: the input is a listing of at least four words, title and description."
    texts = [tidy(one.input) for one in own]
    copied = {tidy(one.input) for one in dev} & set(texts)
    return (
        len(set(texts)) == len(texts) and not copied
    ) or "A text occurs twice, or is one of dev's."


def label_problem(record):
    """What the labelling guide says against the expected fields of one case; nothing when all is well.

    Whether a colour or material is stated is not looked up: no list has every word ("clay") for it.
    """
    gold = record.expected
    if not isinstance(gold, dict) or set(gold) != set(ATTRIBUTES):
        return f"expected holds the six fields {', '.join(ATTRIBUTES)}."
    for field in ("colours", "materials"):
        if not isinstance(gold[field], (list, tuple)):
            return f"{field} is a list, empty when nothing is stated."
    allowed = {
        "category": CATEGORIES, "condition": (*CONDITIONS, None), "colours": COLOURS, "materials": MATERIALS,
    }  # fmt: skip
    for field, words in allowed.items():
        for value in (
            gold[field] if isinstance(gold[field], (list, tuple)) else [gold[field]]
        ):
            if value not in words:
                return f"{field} {value!r} is not in the guide's vocabulary."
    for field in ("size", "brand"):
        if gold[field] is not None and not str(gold[field]).strip():
            return f"{field} is an empty text; what the listing does not say is None."
    stated = LooseAttributes(size=gold["size"], brand=gold["brand"])
    found = ungrounded(stated, record.input)
    return f"{found[0]}: a label is what a buyer may rely on." if found else ""


def are_labelled(run):
    own, _ = own_records(run)
    if not own:
        return "There is no case of yours yet."
    problem = next(
        ((one.id, problem) for one in own if (problem := label_problem(one))), None
    )
    return True if problem is None else f"Case {problem[0]}: {problem[1]}"


def share_a_tag(run):
    own, dev = own_records(run)
    common = set.intersection(*(set(one.tags) for one in own)) if own else set()
    new = common - {tag for one in dev for tag in one.tags}
    return bool(new) or (
        "Your cases share no tag of their own. Give all of them one that says what is hard."
    )


def break_production(run):
    own, dev = own_records(run)
    if failed := next((one for one in [*own, *dev] if one.error), None):
        why = failed.error.splitlines()[0]
        return f"Case {failed.id} was not answered ({why}). Run it live, or ask again."
    if not own or not dev:
        return "There are no cases of yours, or none of dev, to compare."
    values = run.values("attributes.mean")
    mine = sum(values[one.id] for one in own) / len(own)
    rest = sum(values[one.id] for one in dev) / len(dev)
    return mine < rest or (
        f"Your slice scores {mine:.3f}, dev {rest:.3f}: it does not break production yet."
    )


SLICE = (is_a_slice, are_listings, are_labelled, share_a_tag, break_production)
LAMP = {
    "category": "home_decor", "colours": ["blue"], "materials": ["glass"],
    "size": "30 cm", "condition": "good", "brand": None,
}  # fmt: skip


def scripted_run(count=OWN, tags=("lamps",), answer=None, dev=True, text=None, **changes):
    """Dev and some cases of one's own, where the model gives the expected fields, or `answer` for one's own."""
    own = [
        Case(
            id=f"mine-{n}",
            input=text or f"Lamp number {n}\nBlue glass, 30 cm, used.",
            expected=LAMP | changes,
            tags=tags,
        )
        for n in range(count)
    ]
    empty = dict.fromkeys(ATTRIBUTES) | {"colours": [], "materials": []}
    wrong = empty if answer is None else answer
    return evals.run(
        lambda case: wrong if case.id.startswith("mine") else case.expected,
        [*(listing_cases("dev") if dev else []), *own],
        LISTING_SCORERS,
        name="scripted",
        progress=False,
    )


def unmet_in_run(problem):
    return only(SLICE, [problem])


breaking = Exercise(
    id="06.4",
    title="A slice that breaks production",
    reference=scripted_run(),
    expects=Run,
    checks=[
        Check(f"adds {OWN} cases or more to dev", predicate=is_a_slice),
        Check("holds listings that are new and differ", predicate=are_listings),
        Check("labels them by the guide", predicate=are_labelled),
        Check("tags them as one slice", predicate=share_a_tag),
        Check("scores below the rest of dev", predicate=break_production),
    ],
    mistakes=[
        Mistake(
            scripted_run(dev=False),
            "Your cases ran alone. In one run with dev, slice and whole are measured by the same rules.",
            lambda run: not own_records(run)[1] and is_a_slice(run) is not True,
        ),
        Mistake(
            scripted_run(count=2),
            "With so few cases one lucky answer hides the failure. Write more of the same kind.",
            lambda run: (
                0 < len(own_records(run)[0]) < OWN and unmet_in_run(is_a_slice)(run)
            ),
        ),
        Mistake(
            scripted_run(colours=["navy"]),
            "The guide maps shades and knows a fixed list of words: read ANNOTATION.md once more.",
            lambda run: (
                unmet_in_run(are_labelled)(run) and "vocabulary" in are_labelled(run)
            ),
        ),
        Mistake(
            scripted_run(brand="Tiffany"),
            "Size and brand are copied from the listing; what it does not say is None.",
            lambda run: (
                unmet_in_run(are_labelled)(run) and "occurs nowhere" in are_labelled(run)
            ),
        ),
        Mistake(
            scripted_run(text="Lamp\nBlue glass, 30 cm, used."),
            "One listing several times is one case: the next seller words it differently. Write each anew.",
            unmet_in_run(are_listings),
        ),
        Mistake(
            scripted_run(tags=()),
            "A slice is a tag. Without one, nobody can ask how the prompt does on these.",
            unmet_in_run(share_a_tag),
        ),
        Mistake(
            scripted_run(answer=LAMP),
            "The prompt manages these. What did the error notes say it cannot do? Write more of that.",
            lambda run: (
                unmet_in_run(break_production)(run)
                and "does not break" in break_production(run)
            ),
        ),
    ],
    hints=[
        "Choose one kind of failure from the taxonomy, and write listings in which it must come up.",
        "Case(id='mine-1', input='Title\\nDescription', expected={six fields}, tags=('my_slice',))",
        "Things named after a relative, with a flaw and no size (“Nan's reading chair”), go wrong in four fields.",
    ],
)

exercises = [coding, delivering, pairing, breaking]

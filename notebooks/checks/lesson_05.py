"""Checks of lesson 05: a loop that goes on after a crash, combinations without a case, corrections as a score."""

from __future__ import annotations

import json
import tempfile
from itertools import product
from pathlib import Path

from aicourse.datasets import ATTRIBUTES
from aicourse.evals import Case, Context
from aicourse.notebook.checks import Check, Mistake, arguments, unordered
from aicourse.notebook.exercises import Exercise

# 05.1 the loop that goes on


def evaluate(cases, task, score, path):
    done = ids_of(whole_lines(path))
    with open(path, "a", encoding="utf-8") as file:
        ask(file, [case for case in cases if case.id not in done], task, score)


def whole_lines(path):
    """The text of a file without half a line at its end, which a killed process may leave; kept so."""
    text = text_of(path)
    whole = text[: text.rfind("\n") + 1]
    Path(path).write_text(whole, encoding="utf-8")
    return whole


def text_of(path):
    return Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""


def ids_of(text):
    return {json.loads(line)["id"] for line in text.splitlines()}


def ask(file, cases, task, score):
    for case in cases:
        output = task(case)
        file.write(line_of(case, output, score))
        file.flush()


def line_of(case, output, score):
    record = {"id": case.id, "output": output, "score": score(output, case.expected)}
    return json.dumps(record) + "\n"


def begins_anew(cases, task, score, path):
    with open(path, "w", encoding="utf-8") as file:
        ask(file, cases, task, score)


def only_appends(cases, task, score, path):
    with open(path, "a", encoding="utf-8") as file:
        ask(file, cases, task, score)


def skips_as_many(cases, task, score, path):
    already = whole_lines(path).count("\n")
    with open(path, "a", encoding="utf-8") as file:
        ask(file, list(cases)[already:], task, score)


def trusts_the_last_line(cases, task, score, path):
    done = ids_of(text_of(path))
    with open(path, "a", encoding="utf-8") as file:
        ask(file, [case for case in cases if case.id not in done], task, score)


def writes_behind_half_a_line(cases, task, score, path):
    done = set()
    for line in text_of(path).splitlines():
        try:
            done.add(json.loads(line)["id"])
        except ValueError:
            continue
    with open(path, "a", encoding="utf-8") as file:
        ask(file, [case for case in cases if case.id not in done], task, score)


def keeps_lines_in_memory(cases, task, score, path):
    done = ids_of(whole_lines(path))
    with open(path, "a", encoding="utf-8") as file:
        for case in cases:
            if case.id not in done:
                output = task(case)
                file.write(line_of(case, output, score))


def writes_at_the_end(cases, task, score, path):
    done = ids_of(whole_lines(path))
    lines = [line_of(case, task(case), score) for case in cases if case.id not in done]
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(lines)


def drops_what_is_there(cases, task, score, path):
    text = text_of(path)
    done = ids_of(text) if text.endswith("\n") else set()
    with open(path, "w", encoding="utf-8") as file:
        ask(file, [case for case in cases if case.id not in done], task, score)


def ends_with_a_line_end(text):
    return text[: text.rfind("\n") + 1]


def id_of_a_line(id, text):
    return id in ids_of(text)


def goes_on_with(kept=ends_with_a_line_end, known=id_of_a_line, answered=lambda task: task):
    """A loop that goes on, with one thing done in another way."""

    def evaluate(cases, task, score, path):
        text = kept(text_of(path))
        Path(path).write_text(text, encoding="utf-8")
        with open(path, "a", encoding="utf-8") as file:
            left = [case for case in cases if not known(case.id, text)]
            ask(file, left, answered(task), score)

    return evaluate


def without_the_last_piece(text):
    return text if text.endswith("\n") or not text else text.rsplit("\n", 1)[0] + "\n"


def ends_with_a_brace(text):
    return text if text.endswith("}") else ends_with_a_line_end(text)


def or_nothing(task):
    def answered(case):
        try:
            return task(case)
        except ConnectionError:
            return None

    return answered


FIVE = [
    Case(id=f"c{number}", input=f"listing {number}", expected=number % 2)
    for number in range(1, 6)
]


TWELFTH = Case(id="c12", input="listing 12", expected=0)


def half_of(output, expected):
    return 0.5 if expected else 1.0


def form_of(case):
    return {"brand": case.input}


EARLIER = {"output": {"brand": "asked yesterday"}, "score": 0.25}


def line_for(number):
    return json.dumps({"id": f"c{number}"} | EARLIER) + "\n"


def tried(evaluate, before="", task=form_of, cases=FIVE):
    """Run an answer on a file that holds `before`: the cases it asked for, its lines, and a complaint."""
    asked, held = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        if before:
            path.write_text(before, encoding="utf-8")

        def counted(case):
            held.append(
                path.read_text(encoding="utf-8").count("\n") if path.exists() else 0
            )
            asked.append(case.id)
            return task(case)

        complaint = ""
        try:
            evaluate(cases, counted, half_of, path)
        except FileNotFoundError:
            complaint = "At first there is no file, and then it raised FileNotFoundError."
        except (ConnectionError, ValueError) as error:
            complaint = f"It raised {type(error).__name__}."
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    return asked, held, text, complaint


def read(text):
    """The records of a file, or a sentence."""
    records = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            record = json.loads(line)
        except ValueError:
            return f"Line {number} of the file is no JSON."
        if not isinstance(record, dict):
            return f"Line {number} of the file is no object."
        if set(record) != {"id", "output", "score"}:
            return f"Line {number} has the keys {', '.join(record)}; it must have id, output, score."
        records.append(record)
    return records


def complete(text, wanted=FIVE):
    """A sentence about what the file lacks, or has twice; "" when it holds one record for each case."""
    records = read(text)
    if isinstance(records, str):
        return records
    ids = [record["id"] for record in records]
    for case in wanted:
        if ids.count(case.id) != 1:
            return (
                f"The file has {ids.count(case.id)} lines for {case.id}; it must have one."
            )
    return ""


def writes_each_case(evaluate):
    for cases in (FIVE[:2], FIVE):
        _, _, text, complaint = tried(evaluate, cases=cases)
        if complaint or (complaint := complete(text, cases)):
            return complaint
        for record in read(text):
            number = int(record["id"][1:])
            if record["output"] != {"brand": f"listing {number}"}:
                return f"The line of {record['id']} does not hold what `task` gave."
            if record["score"] != half_of(record["output"], number % 2):
                return f"The line of {record['id']} does not hold what `score(output, case.expected)` gives."
    return True


def goes_on(evaluate):
    for done in ((1, 2), (1, 2, 3, 4)):
        asked, _, text, complaint = tried(evaluate, "".join(map(line_for, done)))
        again = [id for id in asked if int(id[1:]) in done]
        if again:
            return f"{again[0]} was in the file, and was asked again."
        if complaint or (complaint := complete(text)):
            return complaint
    return True


def goes_on_by_id(evaluate):
    for done, cases in (((2, 4), FIVE), ((5, 3), FIVE), ((12,), [*FIVE, TWELFTH])):
        asked, _, text, complaint = tried(
            evaluate, "".join(map(line_for, done)), cases=cases
        )
        held = f"The file held {' and '.join(f'c{number}' for number in done)}"
        for id in asked:
            if int(id[1:]) in done:
                return f"{held}, and {id} was asked again."
        if complaint or (complaint := complete(text, cases)):
            return f"{held}. {complaint}"
    return True


def keeps_what_is_there(evaluate):
    for done in ((1, 2, 3), (4,)):
        _, _, text, complaint = tried(evaluate, "".join(map(line_for, done)))
        records = read(text)
        if complaint or isinstance(records, str):
            return complaint or records
        for number in done:
            if {"id": f"c{number}"} | EARLIER not in records:
                return (
                    f"The record of c{number} that was in the file is gone, or has changed."
                )
    return True


def writes_before_it_asks(evaluate):
    _, held, text, complaint = tried(evaluate)
    if complaint:
        return complaint
    for place, lines in enumerate(held):
        if lines < place:
            return f"When case {place + 1} was asked, the file held {lines} lines; a crash would lose the rest."
    return complete(text) or True


def keeps_lines_when_a_call_fails(evaluate):
    def breaks(case):
        if case.id == "c4":
            raise ConnectionError("the network is gone")
        return form_of(case)

    _, _, text, _ = tried(evaluate, task=breaks)
    records = read(text)
    if isinstance(records, str):
        return records
    ids = {record["id"] for record in records}
    if "c4" in ids:
        return "The call for c4 failed, and c4 has a line: nobody would ask for it again."
    missing = {"c1", "c2", "c3"} - ids
    return (
        not missing
        or f"The call for c4 failed, and the file has no line for {min(missing)}."
    )


def repairs_half_a_line(evaluate):
    for half in ('{"id": "c3", "outp', '{"id": "c3", "output": {"brand": "li'):
        asked, _, text, complaint = tried(evaluate, line_for(1) + line_for(2) + half)
        if complaint or (complaint := complete(text)):
            return complaint
        if "c1" in asked:
            return "c1 was in the file, and was asked again."
    for left in ('{"id": "c1", "outp', line_for(1) + line_for(2)[:-1]):
        _, _, text, complaint = tried(evaluate, left)
        if complaint or (complaint := complete(text)):
            return f"At first the file was {left!r}. {complaint}"
    return True


going_on = Exercise(
    id="05.1",
    title="A loop that goes on",
    reference=evaluate,
    checks=[
        Check("writes one line of JSON for each case", predicate=writes_each_case),
        Check("asks only for the cases that are not in the file", predicate=goes_on),
        Check("finds them by id, whatever their order", predicate=goes_on_by_id),
        Check("keeps the lines that are there", predicate=keeps_what_is_there),
        Check("keeps its lines when a call fails", predicate=keeps_lines_when_a_call_fails),
        Check(
            "has each line in the file before it asks for the next case",
            predicate=writes_before_it_asks,
        ),
        Check(
            "takes half a line out, and asks for that case again",
            predicate=repairs_half_a_line,
        ),
    ],
    mistakes=[
        Mistake(
            begins_anew,
            "`open(path, 'w')` empties the file. Read what it holds first, then open it with 'a'.",
        ),
        Mistake(
            only_appends,
            "You append without reading what is there, so finished cases are paid for twice. Collect their ids first.",
        ),
        Mistake(
            skips_as_many,
            "You count the lines and skip as many cases. Several threads finish in any order: look at the ids.",
        ),
        Mistake(
            trusts_the_last_line,
            "The last line may be half a line, which `json.loads` refuses. Keep only what ends with a line end.",
        ),
        Mistake(
            writes_behind_half_a_line,
            "You leave half a line in the file, and the next record is written behind it. Take it out first.",
        ),
        Mistake(
            goes_on_with(kept=without_the_last_piece),
            "Half a line may be all that there is, without a line end before it. What do you keep of it?",
        ),
        Mistake(
            goes_on_with(kept=ends_with_a_brace),
            "A record may be all there but for its line end. The next one is then written behind it, into the same line.",
        ),
        Mistake(
            goes_on_with(known=lambda id, text: id in text),
            "You look for the id anywhere in the text, and `c1` stands in `c12`, too. Compare it with the ids of the lines.",
        ),
        Mistake(
            goes_on_with(answered=or_nothing),
            "You write a line for a call that failed, so its case counts as done. Let the error end the loop, or leave "
            "that case out.",
        ),
        Mistake(
            keeps_lines_in_memory,
            "Python keeps what you write in memory for a while. `file.flush()` after each line hands it over.",
        ),
        Mistake(
            writes_at_the_end,
            "You write after the loop: a crash in the middle loses all that was paid for. Write inside the loop.",
        ),
        Mistake(
            drops_what_is_there,
            "You know which cases are done, but opening with 'w' deletes their records. Open with 'a'.",
        ),
    ],
    hints=[
        "Before the loop: read the file, if it is there, and collect the ids of its lines in a set.",
        "A whole line ends with a line end: `text[: text.rfind('\\n') + 1]` are the whole lines. Write those back.",
        "Then open with 'a', skip the ids that you know, and `file.flush()` after each line.",
    ],
)

# 05.2 combinations without a case


def uncovered(places, dimensions):
    seen = {tuple(place) for place in places}
    return [
        combination
        for combination in product(*dimensions.values())
        if combination not in seen
    ]


def values_alone(places, dimensions):
    """Looks at each dimension by itself."""
    missing = [
        [value for value in values if value not in {place[at] for place in places}]
        for at, values in enumerate(dimensions.values())
    ]
    return [
        combination
        for combination in product(*dimensions.values())
        if any(value in missing[at] for at, value in enumerate(combination))
    ]


def the_covered_ones(places, dimensions):
    seen = set(places)
    return [
        combination for combination in product(*dimensions.values()) if combination in seen
    ]


def only_what_was_seen(places, dimensions):
    found = [sorted({place[at] for place in places}) for at in range(len(dimensions))]
    return [
        combination for combination in product(*found) if combination not in set(places)
    ]


def rare_ones_too(places, dimensions):
    return [
        combination
        for combination in product(*dimensions.values())
        if list(places).count(combination) < 2
    ]


def how_many(places, dimensions):
    return len(uncovered(places, dimensions))


def first_two_dimensions(places, dimensions):
    return [
        combination
        for combination in list(product(*dimensions.values()))
        if combination[:2] not in {place[:2] for place in places}
    ]


def in_any_order(places, dimensions):
    seen = [set(place) for place in places]
    combinations = product(*dimensions.values())
    return [combination for combination in combinations if set(combination) not in seen]


TWICE = {"of the listing": ["English", "Dutch"], "of the buyer": ["English", "Dutch"]}
SIZES = {"length": ["short", "long"], "language": ["English", "Dutch"]}
THREE = SIZES | {"twist": ["irony", "negation", "none"]}
SOME = [("short", "English"), ("long", "English"), ("short", "English")]
MIXED = [("short", "Dutch"), ("long", "English"), ("short", "Dutch"), ("long", "English")]
MANY = [
    ("short", "English", "none"), ("long", "English", "irony"), ("short", "Dutch", "none"),
    ("long", "Dutch", "negation"), ("short", "English", "none"), ("long", "English", "none"),
]  # fmt: skip

coverage = Exercise(
    id="05.2",
    title="Combinations without a case",
    reference=uncovered,
    checks=[
        Check(
            "names the combinations that no case has",
            [
                arguments(SOME, SIZES),
                arguments(MIXED, SIZES),
                arguments([("English", "Dutch")], TWICE),
            ],
            same=unordered,
        ),
        Check(
            "takes any number of dimensions",
            [
                arguments(MANY, THREE),
                arguments(
                    [("short",), ("short",)], {"length": ["short", "medium", "long"]}
                ),
            ],
            same=unordered,
            message="`itertools.product(*dimensions.values())` makes the combinations of any number of lists.",
        ),
        Check(
            "gives nothing when each combination has a case, and all when there is no case",
            [
                arguments([*product(*SIZES.values())], SIZES),
                arguments([], SIZES),
            ],
            same=unordered,
        ),
        Check(
            "counts one case as enough",
            [arguments([("short", "Dutch")], SIZES), arguments(MANY[:3], THREE)],
            same=unordered,
        ),
    ],
    mistakes=[
        Mistake(
            values_alone,
            "Each value occurs somewhere, but not each *combination*: look at whole tuples, not at one value at a time.",
        ),
        Mistake(
            the_covered_ones,
            "Those are the combinations that have a case. Name the others.",
        ),
        Mistake(
            only_what_was_seen,
            "You combine the values that occur in the cases. A value that no case has is the largest gap: use `dimensions`.",
        ),
        Mistake(
            in_any_order,
            "Two dimensions may have the same values: (English, Dutch) is not (Dutch, English). Compare tuples, not sets.",
        ),
        Mistake(rare_ones_too, "One case is enough for a combination to be covered."),
        Mistake(
            how_many,
            "That is how many there are. Return the combinations themselves, so that somebody can write them.",
        ),
        Mistake(
            first_two_dimensions,
            "You compare a part of the tuple. There may be any number of dimensions.",
        ),
    ],
    hints=[
        "`itertools.product(*dimensions.values())` gives every combination as a tuple.",
        "`seen = set(places)` holds the combinations that have a case.",
        "Keep the combinations of the product that are not in `seen`.",
    ],
)

# 05.3 corrections as a score

GOLD = {
    "category": "shoes",
    "colours": ["black", "white"],
    "materials": ["leather"],
    "size": "EU 38",
    "condition": "good",
    "brand": "Dr. Martens",
}
BARE = dict.fromkeys(ATTRIBUTES) | {"category": "kitchen", "colours": [], "materials": []}


def given(expected=GOLD, **changes):
    """A context whose output is what was expected, but for `changes`."""
    return Context(output=expected | changes, expected=expected, id="L000")


def plain(value):
    if isinstance(value, list):
        return set(value)
    return value.casefold() if isinstance(value, str) else value


def corrections(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    expected, output = context.expected, context.output
    return sum(plain(output[field]) != plain(expected[field]) for field in ATTRIBUTES)


def counts_the_right_ones(context):
    return len(ATTRIBUTES) - corrections(context)


def order_matters(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    expected, output = context.expected, context.output
    folded = [
        (value.casefold() if isinstance(value, str) else value)
        for fields in (output, expected)
        for value in (fields[field] for field in ATTRIBUTES)
    ]
    return sum(a != b for a, b in zip(folded[:6], folded[6:], strict=True))


def case_matters(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    expected, output = context.expected, context.output
    return sum(
        set(output[field]) != set(expected[field])
        if isinstance(expected[field], list)
        else output[field] != expected[field]
        for field in ATTRIBUTES
    )


def to_the_letter(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    return sum(context.output[field] != context.expected[field] for field in ATTRIBUTES)


def only_for_replies_that_worked(context):
    expected, output = context.expected, context.output
    return sum(plain(output[field]) != plain(expected[field]) for field in ATTRIBUTES)


def nothing_to_correct_in_a_failure(context):
    return corrections(context) if isinstance(context.output, dict) else 0


def any_correction(context):
    return corrections(context) > 0


def values_not_fields(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    wrong = 0
    for field in ATTRIBUTES:
        got, expected = plain(context.output[field]), plain(context.expected[field])
        wrong += len(got ^ expected) if isinstance(got, set) else got != expected
    return wrong


def alike_by(*, lists=set.__eq__, texts=str.__eq__):
    """Corrections, with another idea of when two values are alike."""

    def corrections(context):
        if not isinstance(context.output, dict):
            return len(ATTRIBUTES)
        right = 0
        for field in ATTRIBUTES:
            got, gold = context.output[field], context.expected[field]
            if isinstance(gold, list):
                right += lists(set(got), set(gold))
            else:
                right += texts((got or "").casefold(), (gold or "").casefold())
        return len(ATTRIBUTES) - right

    return corrections


def share_a_value(got, gold):
    return bool(got & gold) or got == gold


def gold_within(got, gold):
    return gold in got if gold else not got


def got_within(got, gold):
    return gold_within(gold, got)


def letters_not_texts(context):
    if not isinstance(context.output, dict):
        return len(ATTRIBUTES)
    pairs = [(context.output[field], context.expected[field]) for field in ATTRIBUTES]
    folded = [(set(plain(got) or []), set(plain(gold) or [])) for got, gold in pairs]
    return sum(got != gold for got, gold in folded)


corrections_per_listing = Exercise(
    id="05.3",
    title="A scorer in the seller's words",
    reference=corrections,
    checks=[
        Check("counts nothing when all is right", [given(), given(BARE)]),
        Check(
            "counts each wrong field once",
            [
                given(category="clothing"),
                given(category="clothing", condition="new", size=None),
                given(BARE, brand="IKEA", size="30 cm"),
                given(colours=["red", "green"], materials=[]),
                given(size="EU 83"),
                given(size="38"),
                given(brand="Dr. Martens boots"),
                given(colours=["black"]),
                given(colours=["black", "white", "red"]),
            ],
        ),
        Check(
            "takes lists in any order",
            [given(colours=["white", "black"]), given(BARE | {"colours": ["red"]})],
        ),
        Check(
            "takes capitals for what they are",
            [given(brand="DR. MARTENS"), given(size="eu 38")],
        ),
        Check(
            "counts all six when there is no form",
            [
                Context(output="no attributes: the reply is no JSON", expected=GOLD),
                Context(output="no attributes: it was cut off", expected=BARE),
            ],
            message="A failed extraction is a text, not a dict: the seller fills in the whole form.",
        ),
    ],
    mistakes=[
        Mistake(
            counts_the_right_ones,
            "You count the fields that are right. The seller corrects the others.",
        ),
        Mistake(
            order_matters,
            "['white', 'black'] and ['black', 'white'] are one answer: compare sets.",
        ),
        Mistake(
            case_matters, "Nobody corrects 'DR. MARTENS': compare texts with `casefold()`."
        ),
        Mistake(
            to_the_letter,
            "`==` on the raw values minds order and capitals, sellers do not: sets for lists, casefold for texts.",
        ),
        Mistake(
            only_for_replies_that_worked,
            "An extraction that failed leaves a text in `output`. Test `isinstance(context.output, dict)` first.",
        ),
        Mistake(
            nothing_to_correct_in_a_failure,
            "A failure must not be the best result: an empty form means six fields to fill in.",
        ),
        Mistake(
            any_correction, "Your answer is yes or no. Return how many fields are wrong."
        ),
        Mistake(
            letters_not_texts,
            '`set("EU 38")` is the set of its letters, and "EU 83" has the same ones. Make sets of lists only.',
        ),
        *(
            Mistake(
                alike_by(lists=alike),
                "A list with a value too many, or one too few, must be corrected, too.",
            )
            for alike in (share_a_value, set.issuperset, set.issubset)
        ),
        *(
            Mistake(
                alike_by(texts=alike),
                "A text that stands in the other one is not the same text: the seller must correct it.",
            )
            for alike in (gold_within, got_within)
        ),
        Mistake(
            values_not_fields,
            "You count values. A field is corrected once, however much is wrong in it.",
        ),
    ],
    hints=[
        "Go over the six names in ATTRIBUTES; compare `context.output[field]` with `context.expected[field]`.",
        "Write a small function that makes a set of a list and folds a text; compare what it gives.",
        "`sum(plain(output[f]) != plain(expected[f]) for f in ATTRIBUTES)`, and 6 when the output is no dict.",
    ],
)

exercises = [going_on, coverage, corrections_per_listing]

"""Checks of lesson 02: a longer schema, grounded colours, a bounded retry."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aicourse.datasets import Category, Colour, Condition, Material
from aicourse.llm.faults import Fault
from aicourse.marketplace import COLOUR_WORDS
from aicourse.notebook.checks import Check, Mistake, arguments, unordered
from aicourse.notebook.exercises import Exercise
from aicourse.testing import ScriptedModel


class Form(BaseModel):
    """The form as the lesson has it."""

    model_config = ConfigDict(extra="forbid")

    category: Category
    colours: Annotated[list[Colour], Field(max_length=5)]
    materials: Annotated[list[Material], Field(max_length=5)]
    size: str | None
    condition: Condition | None
    brand: str | None


Defect = Annotated[str, Field(max_length=60)]


class Offer(Form):
    price_eur: Annotated[float, Field(ge=0)] | None
    defects: Annotated[list[Defect], Field(max_length=3)]


def reference_offer(**fields):
    """What the student's class gives; a function, so that a stub counts as not started."""
    return Offer(**fields)


reference_offer.__name__ = "Offer"  # what students call it


class PriceWithDefault(Form):
    price_eur: Annotated[float, Field(ge=0)] | None = None
    defects: Annotated[list[Defect], Field(max_length=3)]


class BothWithDefault(Form):
    price_eur: Annotated[float, Field(ge=0)] | None = None
    defects: Annotated[list[Defect], Field(max_length=3)] = []


class PriceRequired(Form):
    price_eur: Annotated[float, Field(ge=0)]
    defects: Annotated[list[Defect], Field(max_length=3)]


class AnyPrice(Form):
    price_eur: float | None
    defects: Annotated[list[Defect], Field(max_length=3)]


class UnboundedDefects(Form):
    price_eur: Annotated[float, Field(ge=0)] | None
    defects: list[str]


class LongDefects(Form):
    price_eur: Annotated[float, Field(ge=0)] | None
    defects: Annotated[list[str], Field(max_length=3)]


class NothingBounded(Form):
    price_eur: float | None
    defects: list[str]


class PositivePrice(Form):
    price_eur: Annotated[float, Field(gt=0)] | None
    defects: Annotated[list[Defect], Field(max_length=3)]


class WholeEuros(Form):
    price_eur: Annotated[int, Field(ge=0)] | None
    defects: Annotated[list[Defect], Field(max_length=3)]


class FreshForm(BaseModel):
    """The six fields are lost."""

    price_eur: Annotated[float, Field(ge=0)] | None
    defects: Annotated[list[Defect], Field(max_length=3)]


COAT = {
    "category": "clothing",
    "colours": ["green"],
    "materials": ["wool"],
    "size": "M",
    "condition": "good",
    "brand": None,
}
SHELF = COAT | {"category": "furniture", "colours": [], "size": "80x28x202 cm"}


NOTHING_ADDED = "The class has no field that the form lacks."


def on_the_class(predicate):
    """A predicate on the student's class; of one with nothing added it says the same as of a stub."""

    def judge(offer):
        return predicate(offer) if adds_a_field(offer) else NOTHING_ADDED

    return judge


def adds_a_field(offer):
    """Whether the class differs from the form: by one of the two fields, or by one that is misspelt."""
    try:
        return offer(**COAT, price_eur=1.0, defects=[]) is not None
    except ValidationError as error:
        problems = error.errors()
        unknown = {p["loc"][0] for p in problems if p["type"] == "extra_forbidden"}
        misspelt = any(p["type"] == "missing" for p in problems)
        return misspelt or not {"price_eur", "defects"} <= unknown


def refusal(offer, form):
    """Why a class refuses a form, in one sentence; None when it takes it."""
    try:
        offer(**form)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(map(str, problem["loc"]))
        if problem["type"] == "extra_forbidden":
            return f"the class has no field `{name}`"
        return f"`{name}`: {problem['msg']}"
    return None


def said(form):
    """The part of a form that this exercise is about."""
    return json.dumps(
        {name: form[name] for name in ("price_eur", "defects") if name in form}
    )


def takes(*forms):
    """Every form is taken, and its values are kept."""

    @on_the_class
    def predicate(offer):
        for form in forms:
            if reason := refusal(offer, form):
                return f"A right form with {said(form)} is refused: {reason}."
            kept = offer(**form)
            for name, value in form.items():
                if getattr(kept, name, None) != value:
                    return f"`{name}` was given as {value!r} and is {getattr(kept, name, None)!r}."
        return True

    return predicate


def refuses(*forms, what=said):
    """No form is taken."""

    @on_the_class
    def predicate(offer):
        taken = [form for form in forms if refusal(offer, form) is None]
        return not taken or f"It takes a form with {what(taken[0])}."

    return predicate


@on_the_class
def tells_the_model(offer):
    """The bounds stand in the JSON schema, where a grammar can enforce them."""
    form = COAT | {"price_eur": 1.0, "defects": []}
    if reason := refusal(offer, form):
        return f"A right form with {said(form)} is refused: {reason}."
    properties = type(offer(**form)).model_json_schema()["properties"]
    defects = properties.get("defects", {})
    if defects.get("maxItems") != 3:
        return "The schema does not say that `defects` has at most three items (maxItems)."
    if defects.get("items", {}).get("maxLength") != 60:
        return "The schema does not say that each defect has at most 60 characters (maxLength)."
    kinds = properties.get("price_eur", {}).get("anyOf", [])
    if not any(kind.get("minimum") == 0 for kind in kinds):
        return "The schema does not say that a price is 0 or more (minimum)."
    return True


longer_schema = Exercise(
    id="02.1",
    title="Two more fields",
    reference=reference_offer,
    checks=[
        Check(
            "keeps a price and defects",
            predicate=takes(
                COAT | {"price_eur": 45.0, "defects": ["scuff on the zip"]},
                SHELF | {"price_eur": 0.0, "defects": []},
                SHELF | {"price_eur": 30.5, "defects": ["a scratch", "a stain", "a crack"]},
            ),
        ),
        Check(
            "takes null where no price is stated",
            predicate=takes(
                COAT | {"price_eur": None, "defects": []},
                SHELF | {"price_eur": None, "defects": ["x"]},
            ),
        ),
        Check(
            "wants null to be said: a reply without price_eur is refused",
            predicate=refuses(COAT | {"defects": []}, SHELF | {"defects": ["a hole"]}),
        ),
        Check(
            "wants defects to be said: a reply without them is refused",
            predicate=refuses(COAT | {"price_eur": 1.0}, SHELF | {"price_eur": None}),
        ),
        Check(
            "refuses a price below 0",
            predicate=refuses(
                COAT | {"price_eur": -1.0, "defects": []},
                SHELF | {"price_eur": -0.01, "defects": []},
            ),
        ),
        Check(
            "refuses more than three defects, and long ones",
            predicate=refuses(
                COAT | {"price_eur": 1.0, "defects": ["a", "b", "c", "d"]},
                COAT | {"price_eur": 1.0, "defects": ["a hole " * 20]},
            ),
        ),
        Check(
            "still refuses what the form refuses",
            predicate=refuses(
                COAT | {"category": "coats", "price_eur": 1.0, "defects": []},
                COAT | {"colours": ["navy"], "price_eur": 1.0, "defects": []},
                COAT | {"price_eur": 1.0, "defects": [], "negotiable": True},
                what=lambda form: (
                    "a category, a colour or a field that the form does not have"
                ),
            ),
        ),
        Check("tells the model the bounds", predicate=tells_the_model),
    ],
    mistakes=[
        Mistake(
            PriceWithDefault,
            "`= None` lets the model skip the price. Without a default it must say null: leave it out.",
        ),
        Mistake(
            BothWithDefault,
            "With defaults the model may skip both fields. Leave the defaults out: null and an empty list must be said.",
        ),
        Mistake(
            PriceRequired,
            "A price must be a number here, so a model invents one. Allow null: `… | None`.",
        ),
        Mistake(
            AnyPrice,
            "A price of -1 is accepted. `Annotated[float, Field(ge=0)] | None` bounds it.",
        ),
        Mistake(
            PositivePrice,
            "Things are given away: a price of 0 is allowed. `ge=0`, not `gt=0`.",
        ),
        Mistake(WholeEuros, "Prices have cents: float, not int."),
        Mistake(
            UnboundedDefects,
            "The list of defects has no end, and neither has a text in it: a small model may go on for ever.",
        ),
        Mistake(
            LongDefects,
            "The list is bounded, each text in it is not: bound the items as well.",
        ),
        Mistake(
            NothingBounded,
            "Both fields are there, neither has a bound: ge=0 for the price, max_length for list and texts.",
        ),
        Mistake(FreshForm, "The six fields are gone: write `class Offer(Form):`."),
    ],
    hints=[
        "`class Offer(Form):` inherits the six fields; add two lines.",
        "A field without a default is required; `… | None` says that null is a value for it.",
        "`Annotated[float, Field(ge=0)] | None`, and `Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=3)]`.",
    ],
)

NAMES = {colour: [colour, *words] for colour, words in COLOUR_WORDS.items()}


def simple(text):
    """The text as the lesson compares it: lower case, without accents."""
    parts = unicodedata.normalize("NFKD", text.lower().replace("ł", "l"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def ungrounded(colours, text):
    return [colour for colour in colours if not occurs(NAMES[colour], simple(text))]


def occurs(names, text):
    return any(pattern(name).search(text) for name in names)


def pattern(name, plural="s?"):
    before = "" if name.startswith("-") else r"\b"
    after = "" if name.endswith("-") else plural + r"\b"
    return re.compile(before + re.escape(name.strip("-")) + after)


def letters_inside_words(colours, text):
    text = simple(text)
    return [c for c in colours if not any(n.strip("-") in text for n in NAMES[c])]


def as_written_only(colours, text):
    return [c for c in colours if not occurs(NAMES[c], text)]


def accents_stay(colours, text):
    return [c for c in colours if not occurs(NAMES[c], text.lower())]


def no_shades(colours, text):
    return [c for c in colours if not re.search(rf"\b{c}s?\b", simple(text))]


def substring_no_shades(colours, text):
    return [c for c in colours if c not in text.lower()]


def as_the_cell_begins(colours, text):
    return [colour for colour in colours if colour not in text]


def whole_words_only(colours, text):
    def stands_alone(name):
        return re.search(rf"\b{re.escape(name.strip('-'))}s?\b", simple(text))

    return [c for c in colours if not any(map(stands_alone, NAMES[c]))]


def marks_kept(colours, text):
    def stands(name):
        return re.search(rf"\b{re.escape(name)}s?\b", simple(text))

    return [c for c in colours if not any(map(stands, NAMES[c]))]


def only_endings(colours, text):
    def begins(name):
        after = "" if name.endswith("-") else r"s?\b"
        return re.search(r"\b" + re.escape(name.strip("-")) + after, simple(text))

    return [c for c in colours if not any(map(begins, NAMES[c]))]


def every_word_goes_on(colours, text):
    def begins(name):
        return re.search(r"\b" + re.escape(name.strip("-")), simple(text))

    return [c for c in colours if not any(map(begins, NAMES[c]))]


def no_plural(colours, text):
    text = simple(text)
    return [
        c for c in colours if not any(pattern(n, plural="").search(text) for n in NAMES[c])
    ]


def split_at_spaces(colours, text):
    words = simple(text).split()

    def fits(name, word):
        return pattern(name).fullmatch(word) or (
            name.strip("-") in word and name.strip("-") != name
        )

    return [c for c in colours if not any(fits(n, w) for n in NAMES[c] for w in words)]


def the_grounded_ones(colours, text):
    return [colour for colour in colours if occurs(NAMES[colour], simple(text))]


def whether_any(colours, text):
    return bool(ungrounded(colours, text))


grounding = Exercise(
    id="02.2",
    title="Is that colour in the listing?",
    reference=ungrounded,
    untouched=as_the_cell_begins,
    checks=[
        Check(
            "accepts a colour that is named",
            [
                arguments(["green"], "a green raincoat"),
                arguments(["red", "white"], "red colander, white plates"),
            ],
        ),
        Check(
            "rejects a colour that nobody named",
            [
                arguments(["black"], "a green raincoat"),
                arguments(["green", "black"], "Dark green, polyester"),
                arguments(["white", "red", "gold"], "an oak table"),
            ],
        ),
        Check(
            "ignores case",
            [
                arguments(["blue"], "It is the BLUE one"),
                arguments(["yellow"], "Yellow and lime"),
            ],
        ),
        Check(
            "ignores accents",
            [
                arguments(["turquoise"], "Vase, türkis"),
                arguments(["white"], "biały obrus"),
            ],
        ),
        Check(
            "knows shades",
            [
                arguments(["blue"], "navy coat"),
                arguments(["brown", "blue"], "Cognac with a zip"),
                arguments(["white"], "two off-white lamps"),
            ],
        ),
        Check(
            "knows a plural",
            [
                arguments(["red"], "two reds and a lid"),
                arguments(["brown", "green"], "browns, no other"),
            ],
        ),
        Check(
            "lets a marked name go on at its end",
            [
                arguments(["blue"], "maglione azzurro"),
                arguments(["blue"], "niebieska sukienka"),
                arguments(["purple", "blue"], "granatowy i fioletowy"),
            ],
        ),
        Check(
            "lets a marked name begin inside a word",
            [
                arguments(["blue"], "dunkelblau, wie neu"),
                arguments(["black"], "nachtschwarze Hose"),
            ],
        ),
        Check(
            "takes other names as whole words only",
            [
                arguments(["red"], "covered buttons, he sounds tired"),
                arguments(["beige"], "a thousand thanks to my uncle"),
                arguments(["red", "brown"], "reduced, and tangled"),
            ],
        ),
        Check(
            "does not mind signs around a word",
            [
                arguments(["green", "red"], "(green), red; as new"),
                arguments(["blue"], "azzurro."),
            ],
        ),
        Check(
            "has nothing to reject in an empty list",
            [arguments([], "a green coat"), arguments([], "")],
            same=unordered,
        ),
    ],
    mistakes=[
        Mistake(
            letters_inside_words,
            "`in` finds 'red' inside 'covered'. Use `re.search` with a word boundary where the name has no hyphen.",
        ),
        Mistake(
            as_written_only,
            "'BLUE' and 'Cognac' are written with capitals: search in `simple(text)`.",
        ),
        Mistake(
            accents_stay,
            "'türkis' and 'biały' have accents that the names lack: search in `simple(text)`, not in `text.lower()`.",
        ),
        Mistake(
            no_shades,
            "You look for the colour's own name only. `NAMES[colour]` has its shades and other languages too.",
        ),
        Mistake(
            substring_no_shades,
            "Two things: letters inside other words count for you, and shades do not. Search each of `NAMES[colour]`.",
        ),
        Mistake(
            as_the_cell_begins,
            "That is how the cell began: it minds case, finds letters inside words, and knows no shades. Take one at a time.",
        ),
        Mistake(
            whole_words_only,
            "You strip the hyphens and want whole words, so `azzurr-` finds no azzurro. Leave out the word boundary where the hyphen was.",
        ),
        Mistake(
            marks_kept,
            "You search for the hyphen itself: no text has `azzurr-`. Strip it, and leave out the word boundary on that side.",
        ),
        Mistake(
            only_endings,
            "The hyphen in front counts too: `-blau` is in 'dunkelblau'.",
        ),
        Mistake(
            every_word_goes_on,
            "Only a marked name may go on: for you, 'reduced' is red.",
        ),
        Mistake(
            no_plural, "'two reds' is red too: allow an `s` behind a name without a mark."
        ),
        Mistake(
            split_at_spaces,
            "`split()` leaves the sign at the word: '(green),' is not 'green'. `re.search` with word boundaries does not mind.",
        ),
        Mistake(
            the_grounded_ones,
            "You return the colours that occur. Asked for are those that do not.",
        ),
        Mistake(
            whether_any,
            "True or False does not say which colour is wrong. Return the list of them.",
        ),
    ],
    hints=[
        "For each colour: does any of `NAMES[colour]` occur in `simple(text)`?",
        r"`re.search(rf'\b{re.escape(name)}s?\b', simple(text))` finds a whole word, with or without an s.",
        r"Leave out the `\b` on the side where the name has a hyphen, and strip the hyphen: `name.strip('-')`.",
    ],
)


def state_of(reply):
    choice = reply.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        return "refused"
    if choice.finish_reason == "length":
        return "cut off"
    return "complete" if (choice.message.content or "").strip() else "empty"


CORRECT = "That cannot be used: {error}. Answer again, with the corrected JSON only."


def ask_until_valid(client, messages, read, retries=1, **options):
    messages = list(messages)
    for _ in range(retries + 1):
        reply = client.chat.completions.create(
            model="scripted", messages=messages, **options
        )
        if state_of(reply) != "complete":
            return None
        text = reply.choices[0].message.content
        try:
            return read(text)
        except ValueError as error:
            messages += [
                {"role": "assistant", "content": text},
                {"role": "user", "content": CORRECT.format(error=error)},
            ]
    return None


MODEL = "scripted"


def asks_once(client, messages, read, retries=1, **options):
    reply = client.chat.completions.create(model=MODEL, messages=messages, **options)
    return read(reply.choices[0].message.content)


def asks_for_ever(client, messages, read, retries=1, **options):
    messages = list(messages)
    while True:
        reply = client.chat.completions.create(
            model="scripted", messages=messages, **options
        )
        text = reply.choices[0].message.content
        try:
            return read(text)
        except ValueError as error:
            messages += [
                {"role": "assistant", "content": text},
                {"role": "user", "content": CORRECT.format(error=error)},
            ]


def asks_the_same_again(client, messages, read, retries=1, **options):
    for _ in range(retries + 1):
        reply = client.chat.completions.create(
            model="scripted", messages=messages, **options
        )
        if state_of(reply) != "complete":
            return None
        try:
            return read(reply.choices[0].message.content)
        except ValueError:
            continue
    return None


def forgets_its_reply(client, messages, read, retries=1, **options):
    messages = list(messages)
    for _ in range(retries + 1):
        reply = client.chat.completions.create(
            model="scripted", messages=messages, **options
        )
        if state_of(reply) != "complete":
            return None
        try:
            return read(reply.choices[0].message.content)
        except ValueError as error:
            messages.append({"role": "user", "content": CORRECT.format(error=error)})
    return None


def one_too_few(client, messages, read, retries=1, **options):
    return ask_until_valid(client, messages, read, retries - 1, **options)


def retries_what_cannot_be_repaired(client, messages, read, retries=1, **options):
    messages = list(messages)
    for _ in range(retries + 1):
        reply = client.chat.completions.create(
            model="scripted", messages=messages, **options
        )
        text = reply.choices[0].message.content or ""
        try:
            return read(text)
        except ValueError as error:
            messages += [
                {"role": "assistant", "content": text},
                {"role": "user", "content": CORRECT.format(error=error)},
            ]
    return None


def raises_in_the_end(client, messages, read, retries=1, **options):
    messages = list(messages)
    for attempt in range(retries + 1):
        reply = client.chat.completions.create(
            model="scripted", messages=messages, **options
        )
        if state_of(reply) != "complete":
            return None
        text = reply.choices[0].message.content
        try:
            return read(text)
        except ValueError as error:
            if attempt == retries:
                raise
            messages += [
                {"role": "assistant", "content": text},
                {"role": "user", "content": CORRECT.format(error=error)},
            ]


def changes_the_callers_list(client, messages, read, retries=1, **options):
    for _ in range(retries + 1):
        reply = client.chat.completions.create(
            model="scripted", messages=messages, **options
        )
        if state_of(reply) != "complete":
            return None
        text = reply.choices[0].message.content
        try:
            return read(text)
        except ValueError as error:
            messages.append({"role": "assistant", "content": text})
            messages.append({"role": "user", "content": CORRECT.format(error=error)})
    return None


def drops_the_options(client, messages, read, retries=1, **options):
    return ask_until_valid(client, messages, read, retries)


GOOD, INVENTED, BROKEN = (
    '{"colours": ["green"]}',
    '{"colours": ["black"]}',
    "Sure! Here it is:",
)
NEVER_ASKED = "The model was not asked at all."
COMPLAINT = "black occurs nowhere in the listing"


def read(text):
    """What the checks read a reply with: JSON, and no black."""
    colours = json.loads(text)["colours"]
    if "black" in colours:
        raise ValueError(COMPLAINT)
    return colours


def question():
    return [{"role": "user", "content": "Which colours has the green coat?"}]


def tried(answer, *replies, faults=(), **options):
    """What `answer` makes of these replies -> (result or the ValueError that left it, requests sent)."""
    model = ScriptedModel(*replies, *[GOOD] * 5)
    try:
        result = answer(model.client(faults=faults), question(), read, **options)
    except ValueError as error:
        return error, model.history
    return result, model.history


def told(result):
    """What came of a call, in words."""
    if isinstance(result, ValueError):
        return f"a ValueError left your function ({result})"
    return f"you returned {result!r}"


def returns_what_read_returns(answer):
    result, sent = tried(answer, GOOD)
    if result != ["green"]:
        return f"A good reply came at once; {told(result)}, `read` returned ['green']."
    return len(sent) == 1 or f"A good reply came at once, and you asked {len(sent)} times."


def asks_again_after(bad):
    def predicate(answer):
        result, sent = tried(answer, bad)
        if len(sent) < 2:
            return f"After the reply {bad!r} you did not ask again."
        return result == ["green"] or f"The second reply was good; {told(result)}."

    return predicate


def says_what_was_wrong(answer):
    _, sent = tried(answer, INVENTED)
    if len(sent) < 2:
        return "There was no second question."
    return COMPLAINT in sent[1].text or (
        "The second question does not contain the error that `read` raised."
    )


def shows_the_model_its_reply(answer):
    _, sent = tried(answer, INVENTED)
    if len(sent) < 2:
        return "There was no second question."
    said = [m["content"] for m in sent[1].messages if m["role"] == "assistant"]
    return INVENTED in said or "The second question lacks the first reply (role assistant)."


def stops_after_the_retries(answer):
    for retries in (0, 1, 3):
        # 8 bad replies: an answer that never stops runs out of them and finds a good one
        result, sent = tried(answer, *[INVENTED] * 8, retries=retries)
        if len(sent) != retries + 1:
            return f"No reply was usable, retries={retries}: the model must be asked {retries + 1} times; you asked {len(sent)} times."
        if result is not None:
            return f"No reply was usable; return None. But {told(result)}."
    return True


def does_not_ask_again_when_cut_off(answer):
    for fault in (Fault(kind="cut_off"), Fault(kind="empty")):
        result, sent = tried(answer, GOOD, faults=[fault])
        if not sent:
            return NEVER_ASKED
        if len(sent) > 1:
            return f"A reply that came {fault.kind.replace('_', ' ')} was asked for again."
        if result is not None:
            return f"A reply came {fault.kind.replace('_', ' ')}; {told(result)}."
    return True


def leaves_the_messages_alone(answer):
    model, messages = ScriptedModel(INVENTED, *[GOOD] * 3), question()
    try:
        answer(model.client(), messages, read)
    except ValueError:
        return "A ValueError left your function."
    if not model.history:
        return NEVER_ASKED
    return (
        messages == question() or "The caller's list of messages has grown: copy it first."
    )


def passes_the_options_on(answer):
    model = ScriptedModel(INVENTED, *[GOOD] * 3)
    try:
        answer(model.client(), question(), read, max_completion_tokens=99)
    except ValueError:
        return "A ValueError left your function."
    if not model.history:
        return NEVER_ASKED
    missing = [
        sent for sent in model.history if sent.body.get("max_completion_tokens") != 99
    ]
    return (
        not missing
        or "max_completion_tokens=99 was given and did not reach every request (`**options`)."
    )


retrying = Exercise(
    id="02.3",
    title="Ask again, but not for ever",
    reference=ask_until_valid,
    untouched=asks_once,
    show_expected=False,
    checks=[
        Check(
            "returns what `read` makes of a good reply", predicate=returns_what_read_returns
        ),
        Check(
            "asks again after a value that is wrong", predicate=asks_again_after(INVENTED)
        ),
        Check(
            "asks again after a reply that is no JSON", predicate=asks_again_after(BROKEN)
        ),
        Check("says what was wrong", predicate=says_what_was_wrong),
        Check("shows the model its own reply", predicate=shows_the_model_its_reply),
        Check("stops after the retries, with None", predicate=stops_after_the_retries),
        Check(
            "does not repeat what asking again cannot repair",
            predicate=does_not_ask_again_when_cut_off,
        ),
        Check(
            "leaves the caller's messages as they were", predicate=leaves_the_messages_alone
        ),
        Check("passes options on to every call", predicate=passes_the_options_on),
    ],
    mistakes=[
        Mistake(
            asks_once,
            "You ask once, and the error of `read` reaches the seller: catch ValueError, in a loop.",
        ),
        Mistake(
            asks_for_ever,
            "Nothing ends the loop: a model that repeats its mistake costs money for ever. `for _ in range(retries + 1)`",
        ),
        Mistake(
            asks_the_same_again,
            "You ask the same question again. Say what was wrong: append the reply and the error.",
        ),
        Mistake(
            forgets_its_reply,
            "The model cannot correct a reply that it does not see: append it with the role assistant.",
        ),
        Mistake(
            one_too_few,
            "The first question is no retry: there are retries + 1 calls at most.",
        ),
        Mistake(
            retries_what_cannot_be_repaired,
            "Look at `state_of` first: what was cut off would be cut off again.",
        ),
        Mistake(
            raises_in_the_end,
            "The last error is raised. Return None: the seller then gets the empty form.",
        ),
        Mistake(
            changes_the_callers_list,
            "`messages` belongs to the caller: begin with `messages = list(messages)`.",
        ),
        Mistake(
            drops_the_options,
            "`**options` holds the schema and the token limit: hand it to `create`.",
        ),
    ],
    hints=[
        "`for _ in range(retries + 1):` ask, look at `state_of`, `read` within try, return.",
        "After a ValueError append two messages: the reply (assistant), then the error (user).",
        "After the loop: `return None`. Begin with `messages = list(messages)`.",
    ],
)

exercises = [longer_schema, grounding, retrying]

"""Hidden and public checks of homework 1; not for students.

Every function stands here three times: right (the reference), wrong in a known way (a `Mistake`, with the
sentence that its author should read), and as source that `aicourse homework verify hw01` plants.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from aicourse.notebook.checks import Check, Mistake, arguments
from aicourse.tooling.grading.authoring.checks_file import Planted
from aicourse.tooling.grading.sandbox.execution import Limits

seed = "first edition"
limits = Limits(notebook_seconds=60, cell_seconds=20)
files = ["replies.jsonl"]

CATEGORIES = (
    "clothing", "shoes", "bags_accessories", "furniture", "home_decor", "kitchen", "toys_games",
    "sports_outdoors", "electronics", "books_media", "tools_garden", "baby",
)  # fmt: skip
COLOURS = (
    "black", "white", "grey", "beige", "brown", "red", "pink", "orange", "yellow", "green", "blue",
    "turquoise", "purple", "gold", "silver", "multicolour", "transparent",
)  # fmt: skip
SHADES = {
    "navy": "blue", "indigo": "blue", "burgundy": "red", "wine": "red", "crimson": "red", "cream": "beige",
    "ivory": "beige", "sand": "beige", "camel": "beige", "off-white": "white", "anthracite": "grey",
    "charcoal": "grey", "khaki": "green", "olive": "green", "sage": "green", "mint": "green",
    "mustard": "yellow", "rust": "orange", "coral": "orange", "lilac": "purple", "plum": "purple",
    "teal": "turquoise", "petrol": "turquoise", "cognac": "brown", "chocolate": "brown", "fuchsia": "pink",
}  # fmt: skip
THINGS = ("mug", "chair", "lamp", "scarf", "tray", "shelf", "vase", "bench")


# 1 · Read a size


def read_size(text, *, number=r"\d+(?:[.,]\d+)?", unit=r"(mm|cm|ml|m|l)\b", joined=True, comma="."):
    pattern = rf"({number}(?:\s*[x×]\s*{number})*)\s*{unit}" if joined else rf"({number})\s*{unit}"
    match = re.search(pattern, text, re.IGNORECASE)
    if match is None:
        return None
    return "x".join(re.findall(number, match[1])).replace(",", comma) + " " + match[2].lower()


def comma_kept(text):
    return read_size(text, comma=",")


def last_of_the_box(text):
    return read_size(text, joined=False)


def unit_as_a_beginning(text):
    return read_size(text, unit=r"(mm|cm|ml|m|l)")


def empty_instead_of_none(text):
    return read_size(text) or ""


def whole_numbers_only(text):
    return read_size(text, number=r"\d+")


def draw_sizes(rng):
    """Counts and years before the size; the size itself in one of the units."""
    thing = rng.choice(THINGS)
    return [
        f"{rng.randint(2, 9)} {thing}s, each {rng.randint(11, 99)} {rng.choice(['cm', 'mm'])} tall",
        f"From {rng.randint(1960, 1999)}, the {thing} is {rng.randint(2, 9)} m long",
        f"{rng.randint(3, 9)} minutes from the station, {rng.randint(10, 90)} euros, a {thing}",
        f"{thing} with a {rng.randint(2, 9)} m cable, {rng.randint(3, 8)} mm thick",
        f"{rng.randint(2, 9)} bottles of {rng.randint(200, 800)} ml",
    ]


q1 = partial(
    Check,
    question="q1",
    target="read_size",
    reference=read_size,
    mistakes=[
        Mistake(comma_kept, "`1,5` and `1.5` are one size to a seller and two to a filter: write the point."),
        Mistake(
            last_of_the_box, "A box has three numbers before its unit. Let the pattern repeat `x number`."
        ),
        Mistake(unit_as_a_beginning, "The m of 'minutes' is no unit: it must end there (`\\b`)."),
        Mistake(
            empty_instead_of_none, "No size is `None`. An empty text looks like a value to whoever stores it."
        ),
        Mistake(whole_numbers_only, "Half litres exist: a number may have a decimal part."),
    ],
)

# 2 · Colours of the thing


def find_colours(text, *, shades=SHADES, negations=("not", "no", "never", "without"), lower=True):
    words = re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower() if lower else text)
    pairs = zip(["", *words], words, strict=False)
    named = [shades.get(word, word) for before, word in pairs if before not in negations]
    return sorted({colour for colour in named if colour in COLOURS})


def inside_words(text):
    text = re.sub(r"\b(not|no|never|without) [a-z-]+", "", text.lower())
    shades = {colour for shade, colour in SHADES.items() if shade in text}
    return sorted({colour for colour in COLOURS if colour in text} | shades)


def without_shades(text):
    return find_colours(text, shades={})


def without_negation(text):
    return find_colours(text, negations=())


def case_matters(text):
    return find_colours(text, lower=False)


def in_order_of_appearance(text):
    words = re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower())
    pairs = zip(["", *words], words, strict=False)
    named = [
        SHADES.get(word, word) for before, word in pairs if before not in ("not", "no", "never", "without")
    ]
    return list(dict.fromkeys(colour for colour in named if colour in COLOURS))


def draw_colours(rng):
    """Two colours in capitals, in an order that is not the alphabet's, the second one twice."""
    first, second = sorted(rng.sample(COLOURS[:13], 2), reverse=True)
    other, last = sorted(rng.sample(COLOURS[:13], 2), reverse=True)
    thing, another = rng.sample(THINGS, 2)
    return [
        f"A {first.upper()} {thing}, {second} and {second.title()} again.",
        f"{other.title()} {another}! {last.upper()}!",
        f"{thing} ({first}/{second.title()})",
    ]


q2 = partial(
    Check,
    question="q2",
    target="find_colours",
    reference=find_colours,
    mistakes=[
        Mistake(inside_words, "You find colours inside other words. Take the text apart into words first."),
        Mistake(without_shades, "Sellers write 'navy' and 'burgundy'. `SHADES` says which colour that is."),
        Mistake(without_negation, "'Not black' names a colour that the thing does not have."),
        Mistake(case_matters, "Sellers SHOUT. Compare in lower case."),
        Mistake(
            in_order_of_appearance, "Right colours, but in the seller's order: `sorted(…)` makes them equal."
        ),
    ],
)

# 3 · A schema that cannot lie

EXTRA, CATEGORY, COLOUR, NULL, ONCE = "extra", "category", "colour", "null", "once"


def model(*missing, nothing=("", "not stated", "n/a", "none", "unknown"), empty=None):
    """`parse_reply` through a model that lacks some of what was asked for."""

    class ListingAttributes(BaseModel):
        model_config = ConfigDict(extra="ignore" if EXTRA in missing else "forbid")

        category: str if CATEGORY in missing else Literal[CATEGORIES]
        colours: list[str if COLOUR in missing else Literal[COLOURS]] = []
        size: str | None = empty
        brand: str | None = empty

        @field_validator("size", "brand")
        @classmethod
        def null_beats_invention(cls, value):
            if value is None or (NULL not in missing and value.strip().lower() in nothing):
                return None
            return value.strip()

        @field_validator("colours")
        @classmethod
        def each_once(cls, colours):
            return colours if ONCE in missing else sorted(set(colours))

    ListingAttributes.model_rebuild(_types_namespace={**globals(), **locals()})
    return lambda reply: ListingAttributes.model_validate_json(reply).model_dump()


parse_reply = model()


def reply(**fields):
    return json.dumps(fields)


STORED = "'n/a' is stored as if it were a size. A validator can turn it into None."

q3 = partial(
    Check,
    question="q3",
    target="parse_reply",
    reference=parse_reply,
    mistakes=[
        Mistake(model(EXTRA), "Fields that nobody asked for pass silently. `ConfigDict(extra=...)` decides."),
        Mistake(model(CATEGORY), "Any text passes as a category. `Literal[CATEGORIES]` allows those twelve."),
        Mistake(model(COLOUR), "'mauve-ish' passes as a colour. What type has an element of the list?"),
        Mistake(model(NULL), STORED),
        Mistake(model(nothing=("",)), STORED),
        Mistake(model(ONCE), "Colours come out as they came in: twice, and in any order."),
        Mistake(model(empty=""), "What is not stated is None; you give an empty text."),
    ],
)

# 4 · Grounded, or gone


def ground(attributes, text, *, shades=SHADES, sizes=True, brands=True, decimal=","):
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower()))
    named = words | {shades[word] for word in words if word in shades}
    numbers = set(re.findall(r"\d+(?:\.\d+)?", text.replace(decimal, ".")))
    size, brand = attributes["size"], attributes["brand"]
    if size is not None and sizes:
        wanted = re.findall(r"\d+(?:\.\d+)?", size.replace(decimal, "."))
        size = size if (set(wanted) <= numbers if wanted else size.lower() in words) else None
    if brands and brand is not None and brand.lower() not in text.lower():
        brand = None
    colours = [colour for colour in attributes["colours"] if colour in named]
    return {"category": attributes["category"], "colours": colours, "size": size, "brand": brand}


def no_shades(attributes, text):
    return ground(attributes, text, shades={})


def brand_not_checked(attributes, text):
    return ground(attributes, text, brands=False)


def size_not_checked(attributes, text):
    return ground(attributes, text, sizes=False)


def inside_other_words(attributes, text):
    colours = [
        colour
        for colour in attributes["colours"]
        if colour in text.lower()
        or any(shade in text.lower() for shade, name in SHADES.items() if name == colour)
    ]
    return {**ground(attributes, text), "colours": colours}


def size_as_a_text(attributes, text):
    size = attributes["size"]
    return {**ground(attributes, text), "size": size if size and size in text else None}


def listing(colours=(), size=None, brand=None, category="clothing"):
    return {"category": category, "colours": list(colours), "size": size, "brand": brand}


def draw_inventions(rng):
    """A colour that is stated and one that is not, in either order."""
    inputs = []
    for thing in rng.sample(THINGS, 2):
        stated, invented = rng.sample(COLOURS[:13], 2)
        colours = rng.sample([stated, invented], 2)
        inputs.append(
            arguments(listing(colours, category="home_decor"), f"A {stated.title()} {thing}, signed.")
        )
    return [*inputs, arguments(listing([stated]), f"A {thing}, not {stated}.")]


q4 = partial(
    Check,
    question="q4",
    target="ground",
    reference=ground,
    mistakes=[
        Mistake(no_shades, "'Navy' in the text does ground 'blue': look the text's words up in `SHADES`."),
        Mistake(brand_not_checked, "A brand that stands nowhere in the text survives."),
        Mistake(size_not_checked, "A size whose numbers stand nowhere in the text survives."),
        Mistake(inside_other_words, "'red' does not stand in 'hundred'. Compare whole words."),
        Mistake(
            size_as_a_text, "'80x28 cm' is the canonical form of '80 x 28 cm': compare the numbers in it."
        ),
    ],
)

# 5 · What was it worth?


def figures(rows, name, nothing=None):
    right = sum(len(set(row[name]) & set(row["gold"])) for row in rows)
    proposed = sum(len(set(row[name])) for row in rows)
    wanted = sum(len(set(row["gold"])) for row in rows)
    return {
        "precision": right / proposed if proposed else nothing,
        "recall": right / wanted if wanted else nothing,
    }


def measure(rows):
    return {"before": figures(rows, "predicted"), "after": figures(rows, "kept")}


def mean_of_rows(rows):
    def mean(name, figure):
        values = [figures([row], name)[figure] for row in rows]
        values = [value for value in values if value is not None]
        return sum(values) / len(values) if values else None

    return {
        when: {figure: mean(name, figure) for figure in ("precision", "recall")}
        for when, name in (("before", "predicted"), ("after", "kept"))
    }


def all_colours_in_one_pot(rows):
    pot = [
        {
            name: sorted({value for row in rows for value in row[name]})
            for name in ("gold", "predicted", "kept")
        }
    ]
    return measure(pot)


def zero_for_nothing(rows):
    return {"before": figures(rows, "predicted", 0), "after": figures(rows, "kept", 0)}


def swapped(rows):
    turned = {"precision": "recall", "recall": "precision"}
    return {when: {name: found[turned[name]] for name in turned} for when, found in measure(rows).items()}


def row(gold, predicted, kept):
    return {"gold": gold, "predicted": predicted, "kept": kept}


q5 = partial(
    Check,
    question="q5",
    target="measure",
    reference=measure,
    mistakes=[
        Mistake(
            mean_of_rows,
            "You average the rows, so a listing with one colour weighs as much as one with five.",
        ),
        Mistake(
            all_colours_in_one_pot,
            "A colour is right for its own row only; red there does not excuse red here.",
        ),
        Mistake(zero_for_nothing, "0 of 0 is not 0: nothing was proposed, so nothing was wrong. Give None."),
        Mistake(swapped, "Precision and recall are the other way round."),
    ],
)

checks = [
    q1(
        name="reads one number with its unit",
        points=1,
        inputs=["waist 80 cm", "Kettle, holds 2 L", "a 5 m cable"],
        public=True,
    ),
    q1(
        name="joins the numbers of a box",
        points=1,
        inputs=["75 x 31 × 190 CM, pine", "tray of 30x20cm", "Frame 50X70 cm, was 90 x 40 x 40 cm before"],
        message="`80 x 28 x 202 cm` is one size.",
    ),
    q1(
        name="writes a decimal point, whatever the seller wrote",
        points=1,
        inputs=["holds 1,5 l", "jug 0.75 l", "2,5 m of ribbon"],
        message="`1,5 l` is `1.5 l`.",
    ),
    q1(
        name="takes no count, year or price for a size, and gives None when there is none",
        points=1,
        inputs=draw_sizes,
        message="A number without one of the units as a whole word is no size.",
    ),
    q2(
        name="names each colour once, in alphabetical order",
        points=1,
        inputs=["red and white scarf, red fringe", "yellow, green, blue"],
        public=True,
    ),
    q2(
        name="reads capitals and punctuation",
        points=1,
        inputs=draw_colours,
        message="Sellers write in capitals and put commas and exclamation marks anywhere.",
    ),
    q2(
        name="knows the shades",
        points=1,
        inputs=[
            "navy coat, burgundy lining",
            "off-white vase with a teal rim",
            "plum, sage and anthracite yarn",
        ],
    ),
    q2(
        name="takes whole words only",
        points=1,
        inputs=[
            "hundred goldfish, tired owner, one blue bowl",
            "greenhouse shelf in red",
            "sandals, pinkish? no idea. Wineglass, black foot",
        ],
        message="There is no red in 'hundred'.",
    ),
    q2(
        name="leaves out what the thing is not",
        points=1,
        inputs=[
            *("not black, navy", "a beige bag without red", "never white, always grey, no pink"),
            *("no off-white, grey", "navy? why not"),
        ],
    ),
    q3(
        name="keeps what is stated",
        points=1,
        inputs=[
            reply(category="shoes", colours=["red"], size="EU 38", brand="Ecco"),
            reply(category="furniture", colours=["brown"]),
        ],
        public=True,
    ),
    q3(
        name="gives null for what is not stated",
        points=1,
        inputs=[
            reply(category="kitchen"),
            reply(category="baby", size=None, brand="Stokke"),
            reply(category="kitchen", colours=[]),
        ],
        message="Only the category must be there.",
    ),
    q3(
        name="knows the words for nothing",
        points=1,
        inputs=[
            reply(category="shoes", size="n/a", brand="Unknown"),
            reply(category="shoes", size=" Not stated ", brand=""),
            reply(category="shoes", size="None", brand="unknown "),
            reply(category="books_media", size="one size", brand="Nonesuch"),
        ],
        message="'n/a' in the database is a size that somebody will filter by.",
    ),
    q3(
        name="refuses a category or colour outside the vocabulary",
        points=1,
        inputs=[
            reply(category="vehicles", colours=["red"], size="M", brand="Ecco"),
            reply(category="shoes", colours=["red", "mauve-ish"], size="EU 38", brand="Ecco"),
            reply(category="Shoes", colours=["red"], size="EU 38", brand="Ecco"),
            reply(colours=["red"], size="EU 38", brand="Ecco"),
        ],
        reference=None,
        raises="ValidationError",
        message="`Literal` allows only what is listed.",
    ),
    q3(
        name="refuses fields that nobody asked for",
        points=1,
        inputs=[
            reply(category="toys_games", colours=["red"], size="20 cm", brand="Lego", price=3),
            reply(category="baby", colours=["pink"], size="one size", brand="Stokke", condition="new"),
        ],
        reference=None,
        raises="ValidationError",
    ),
    q3(
        name="gives each colour once, in alphabetical order",
        points=1,
        inputs=[
            reply(category="shoes", colours=["red", "blue", "red"]),
            reply(category="baby", colours=["white", "white", "grey"]),
        ],
    ),
    q4(
        name="drops a brand that the text does not name",
        points=1,
        inputs=[
            arguments(listing(["red"], brand="Gucci"), "Red bag, no name"),
            arguments(listing(brand="ECCO", size="99 cm"), "ecco boots"),
            arguments(listing(brand="Le Creuset", category="kitchen"), "A pot of LE CREUSET"),
        ],
        public=True,
    ),
    q4(
        name="drops an invented colour and keeps the stated one",
        points=1,
        inputs=draw_inventions,
    ),
    q4(
        name="keeps a colour that stands there as a shade",
        points=1,
        inputs=[
            arguments(listing(["blue", "white"]), "Navy coat"),
            arguments(listing(["black", "orange", "turquoise"]), "Rust jumper with a petrol collar"),
        ],
    ),
    q4(
        name="takes whole words only",
        points=1,
        inputs=[
            arguments(listing(["red", "black"]), "A hundred black pins"),
            arguments(
                listing(["green", "gold"], category="tools_garden"), "Greenhouse, golden days, green door"
            ),
        ],
        message="'red' does not stand in 'hundred'.",
    ),
    q4(
        name="keeps a size whose numbers are stated, and no other",
        points=1,
        inputs=[
            arguments(listing(size="80x28 cm"), "80 x 28 cm, blue"),
            arguments(listing(size="1.5 l", category="kitchen"), "holds 1,5 l"),
            arguments(listing(size="1.5 l", category="kitchen"), "1 jug, 5 mugs"),
            arguments(listing(size="80x28 cm"), "80 cm high, 30 cm deep"),
            arguments(listing(size="90 cm"), "190 cm long"),
            arguments(listing(size="M"), "label says M"),
            arguments(listing(size="M"), "my coat"),
        ],
        message="Compare the numbers in the size with the numbers in the text.",
    ),
    q5(
        name="counts over all values together",
        points=1,
        inputs=[
            [row(["red"], ["red", "blue", "pink"], ["red"]), row(["grey", "white"], ["grey"], ["grey"])],
            [row(["black"], ["black"], []), row(["blue"], ["red", "blue"], ["blue"])],
        ],
        public=True,
    ),
    q5(
        name="a colour is right for its own row only",
        points=1,
        inputs=[
            [row(["red"], ["blue"], ["blue"]), row(["blue"], ["red", "blue"], ["blue"])],
            [row(["grey", "pink"], ["white"], ["white"]), row(["white"], ["grey", "white"], ["white"])],
        ],
    ),
    q5(
        name="gives None where there is nothing to divide by",
        points=1,
        inputs=[
            [row(["red"], ["red"], []), row(["blue"], [], [])],
            [row([], ["pink"], []), row([], ["red"], ["red"])],
            [],
        ],
    ),
]

# What students hand in, and what it must cost; each must be told the reason in its own words.
READ_SIZE = """
def read_size(text):
    match = re.search(r"{pattern}", text, re.IGNORECASE)
    if match is None:
        return {nothing}
    return match[1].replace(" ", "").replace("×", "x").replace("X", "x"){comma} + " " + match[2].lower()
"""
BOX = r"(\d+(?:[.,]\d+)?(?:\s*[x×]\s*\d+(?:[.,]\d+)?)*)\s*(mm|cm|ml|m|l)"
POINT = '.replace(",", ".")'


def size_source(pattern=BOX + r"\b", nothing="None", comma=POINT):
    return READ_SIZE.format(pattern=pattern, nothing=nothing, comma=comma)


FIND_COLOURS = """
def find_colours(text):
    words = {words}
    found = []
    for before, word in zip([""] + words, words):
        colour = {colour}
        if colour in COLOURS{negation}:
            found.append(colour)
    return {result}
"""


def colour_source(
    words='re.findall("[a-z]+(?:-[a-z]+)*", text.lower())',
    colour="SHADES.get(word, word)",
    negation=' and before not in ("not", "no", "never", "without")',
    result="sorted(set(found))",
):
    return FIND_COLOURS.format(words=words, colour=colour, negation=negation, result=result)


MODEL = """
class ListingAttributes(BaseModel):
    model_config = ConfigDict(extra="{extra}")
    category: {category}
    colours: list[{colour}] = []
    size: str | None = {empty}
    brand: str | None = {empty}

    @field_validator("size", "brand")
    @classmethod
    def nothing(cls, value):
        if value and value.strip().lower() not in {nothing}:
            return value.strip()
        return {empty}

    @field_validator("colours")
    @classmethod
    def tidy(cls, colours):
        return {colours}
"""
WORDS = '("not stated", "n/a", "none", "unknown", "")'


def model_source(
    extra="forbid",
    category="Literal[CATEGORIES]",
    colour="Literal[COLOURS]",
    empty="None",
    nothing=WORDS,
    colours="sorted(set(colours))",
):
    return MODEL.format(
        extra=extra, category=category, colour=colour, empty=empty, nothing=nothing, colours=colours
    )


GROUND = """
def ground(attributes, text):
    words = re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower())
    result = dict(attributes)
    result["colours"] = [c for c in attributes["colours"] if {colour}]
    if attributes["brand"] and {brand}:
        result["brand"] = None
    if attributes["size"] and not ({size}):
        result["size"] = None
    return result
"""
NUMBERS = r"""(all(n in re.findall(r"\d+(?:\.\d+)?", text.replace(",", "."))
            for n in re.findall(r"\d+(?:\.\d+)?", attributes["size"].replace(",", ".")))
            if re.search(r"\d", attributes["size"]) else attributes["size"].lower() in words)"""


def ground_source(
    colour="c in words or c in [SHADES.get(w) for w in words]",
    brand='attributes["brand"].lower() not in text.lower()',
    size=NUMBERS,
):
    return GROUND.format(colour=colour, brand=brand, size=size)


MEASURE = """
def measure(rows):
    result = {{}}
    for name, field in [("before", "predicted"), ("after", "kept")]:
        right = proposed = wanted = 0
        for row in rows:
            right += len(set(row[field]) & set(row["gold"]))
            proposed += len(set(row[field]))
            wanted += len(set(row["gold"]))
        result[name] = {{
            "precision": right / {precision} if {precision} else {nothing},
            "recall": right / {recall} if {recall} else {nothing},
        }}
    return result
"""


def measure_source(precision="proposed", recall="wanted", nothing="None"):
    return MEASURE.format(precision=precision, recall=recall, nothing=nothing)


MEAN_OF_ROWS = """
def measure(rows):
    def mean(field, over):
        shares = [len(set(r[field]) & set(r["gold"])) / len(set(r[over])) for r in rows if r[over]]
        return sum(shares) / len(shares) if shares else None

    return {
        "before": {"precision": mean("predicted", "predicted"), "recall": mean("predicted", "gold")},
        "after": {"precision": mean("kept", "kept"), "recall": mean("kept", "gold")},
    }
"""

planted = [
    Planted("q1", "comma kept", loses=1, shows="write the point", source=size_source(comma="")),
    Planted(
        "q1",
        "the last number of a box",
        loses=1,
        shows="Let the pattern repeat",
        source=size_source(pattern=r"(\d+(?:[.,]\d+)?)\s*(mm|cm|ml|m|l)\b"),
    ),
    Planted(
        "q1",
        "whole numbers only",
        loses=1,
        shows="Half litres exist",
        source=size_source(pattern=r"(\d+(?:\s*[x×]\s*\d+)*)\s*(mm|cm|ml|m|l)\b"),
    ),
    Planted("q1", "minutes are metres", loses=1, shows="The m of 'minutes'", source=size_source(pattern=BOX)),
    Planted("q1", "empty text", loses=1, shows="No size is `None`", source=size_source(nothing='""')),
    Planted(
        "q2",
        "colours inside words",
        loses=1,
        shows="inside other words",
        source="def find_colours(text):\n"
        '    text = re.sub(r"\\b(not|no|never|without) [a-z-]+", "", text.lower())\n'
        "    found = {c for c in COLOURS if c in text} | {c for s, c in SHADES.items() if s in text}\n"
        "    return sorted(found)\n",
    ),
    Planted("q2", "no shades", loses=2, shows="`SHADES` says which", source=colour_source(colour="word")),
    Planted("q2", "negation ignored", loses=1, shows="'Not black'", source=colour_source(negation="")),
    Planted(
        "q2",
        "case matters",
        loses=1,
        shows="Sellers SHOUT",
        source=colour_source(words='re.findall("[a-z]+(?:-[a-z]+)*", text)'),
    ),
    Planted(
        "q2",
        "in order of appearance",
        loses=3,
        shows="in the seller's order",
        source=colour_source(result="list(dict.fromkeys(found))"),
    ),
    Planted(
        "q3", "extra fields ignored", loses=1, shows="nobody asked for", source=model_source(extra="ignore")
    ),
    Planted("q3", "any category", loses=1, shows="Any text passes", source=model_source(category="str")),
    Planted("q3", "any colour", loses=1, shows="'mauve-ish'", source=model_source(colour="str")),
    Planted(
        "q3", "words for nothing kept", loses=1, shows="'n/a' is stored", source=model_source(nothing="()")
    ),
    Planted(
        "q3", "colours as they come", loses=1, shows="as they came in", source=model_source(colours="colours")
    ),
    Planted("q3", "empty texts", loses=4, shows="you give an empty text", source=model_source(empty='""')),
    Planted(
        "q4", "no shades", loses=1, shows="does ground 'blue'", source=ground_source(colour="c in words")
    ),
    Planted(
        "q4",
        "brand not checked",
        loses=1,
        shows="A brand that stands nowhere",
        source=ground_source(brand="False"),
    ),
    Planted(
        "q4",
        "size not checked",
        loses=2,
        shows="whose numbers stand nowhere",
        source=ground_source(size="True"),
    ),
    Planted(
        "q4",
        "colours inside words",
        loses=1,
        shows="does not stand in 'hundred'",
        source=ground_source(colour="c in text.lower() or c in [SHADES.get(w) for w in words]"),
    ),
    Planted(
        "q4",
        "size as a text",
        loses=1,
        shows="compare the numbers in it",
        source=ground_source(size='attributes["size"] in text'),
    ),
    Planted("q5", "mean of rows", loses=2, shows="You average the rows", source=MEAN_OF_ROWS),
    Planted(
        "q5",
        "all colours in one pot",
        loses=1,
        shows="right for its own row only",
        source="def measure(rows):\n"
        "    def figures(name):\n"
        "        mine = {colour for row in rows for colour in row[name]}\n"
        "        gold = {colour for row in rows for colour in row['gold']}\n"
        "        right = len(mine & gold)\n"
        "        return {'precision': right / len(mine) if mine else None,\n"
        "                'recall': right / len(gold) if gold else None}\n"
        "    return {'before': figures('predicted'), 'after': figures('kept')}\n",
    ),
    Planted("q5", "zero for nothing", loses=1, shows="0 of 0 is not 0", source=measure_source(nothing="0")),
    Planted(
        "q5",
        "precision and recall swapped",
        loses=3,
        shows="the other way round",
        source=measure_source(precision="wanted", recall="proposed"),
    ),
]

alternatives = {
    "q1": [
        size_source(),
        """
def read_size(text):
    for match in re.finditer(r"([\\d.,]+(?: ?[xX×] ?[\\d.,]+)*) ?([A-Za-z]+)", text):
        unit = match.group(2).lower()
        if unit in ["mm", "cm", "m", "ml", "l"]:
            parts = re.split(" ?[xX×] ?", match.group(1))
            return "x".join(p.replace(",", ".") for p in parts) + " " + unit
    return None
""",
    ],
    "q2": [
        colour_source(),
        """
def find_colours(text):
    cleaned = "".join(c if c.isalpha() or c == "-" else " " for c in text.lower())
    tokens = cleaned.split()
    result = set()
    for i in range(len(tokens)):
        if i > 0 and tokens[i - 1] in {"no", "not", "never", "without"}:
            continue
        name = SHADES[tokens[i]] if tokens[i] in SHADES else tokens[i]
        if name in COLOURS:
            result.add(name)
    return sorted(result)
""",
    ],
    "q3": [model_source()],
    "q4": [
        ground_source(),
        """
def ground(attributes, text):
    lowered = text.lower()
    tokens = set(re.split(r"[^a-z-]+", lowered))
    grounded = {"category": attributes["category"], "colours": [], "size": None, "brand": None}
    for colour in attributes["colours"]:
        shades = [s for s in SHADES if SHADES[s] == colour]
        if colour in tokens or any(s in tokens for s in shades):
            grounded["colours"].append(colour)
    if attributes["brand"] is not None and attributes["brand"].lower() in lowered:
        grounded["brand"] = attributes["brand"]
    if attributes["size"] is not None:
        figures = re.findall(r"\\d+(?:[.,]\\d+)?", text)
        figures = [f.replace(",", ".") for f in figures]
        needed = re.findall(r"\\d+(?:\\.\\d+)?", attributes["size"])
        if needed and all(f in figures for f in needed):
            grounded["size"] = attributes["size"]
        if not needed and attributes["size"].lower() in tokens:
            grounded["size"] = attributes["size"]
    return grounded
""",
    ],
    "q5": [
        measure_source(),
        """
def measure(rows):
    def share(a, b):
        return a / b if b > 0 else None

    def both(key):
        hits = [c for r in rows for c in set(r[key]) if c in r["gold"]]
        given = [c for r in rows for c in set(r[key])]
        gold = [c for r in rows for c in set(r["gold"])]
        return {"precision": share(len(hits), len(given)), "recall": share(len(hits), len(gold))}

    return {"before": both("predicted"), "after": both("kept")}
""",
    ],
    # answers of simulated students to the questions that people grade
    "q6": [
        "L010 never names red or white, it says Steel until it is cut off: that is the model. L017 "
        "is a quilt of "
        "scraps and the label says multicolour, the model says Cotton: the model as well. Change: if "
        "nothing is "
        "found, take multicolour. It would break L015, where the right answer is nothing.",
        "L018 (green): the reply says 'vert', my function speaks English only, so the reader is to "
        "blame. L007: "
        "'Weinrot' is German, the same. Change: translate the text first. It breaks brand names. "
        "Invented: 'Red "
        "chair, fits my yellow kitchen.'",
        "I think all of them are right now, except the ones where the listing is strange.",
        "L005 is wrong, eight colours for a puzzle. L007 is wrong too because of the cat. I would "
        "use a better "
        "model. Invented: 'Blue dress, the black belt is not included.'",
    ],
    "q7": [
        "Prefill, because precision after grounding is much better than before. We watch how many "
        "people complain.",
        "Show a suggestion. Precision after grounding decides: a wrong colour is published if nobody "
        "looks, a missing "
        "one is one click. Guardrail: share of suggestions changed before publishing; off above 20 % "
        "in a week.",
        "Leave it empty. Twenty listings are too few to say anything, the interval is huge. I would "
        "first label 100.",
        "A wrong value costs a return (about 5 euros), an empty field costs ten seconds. So suggest "
        "only. Watch the "
        "returns per 1,000 listings; switch off if they rise by a tenth against the week before.",
    ],
}

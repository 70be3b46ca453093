"""Grounding of attributes in their listing: a value that occurs nowhere in it was invented.

    the attributes say              the listing says                 ungrounded
    colours ["blue", "black"]       "Navy jacket, wool"              black: no word for it
    brand "Levi's"                  "levis 501"                      none

Words for a colour or a material are those of the labelling guide (navy is blue, oak is wood) and their plain
names in the languages that sellers use. Found is not right: the grey rope in the photo that is not for sale
passes, and so does a negation ("not leather"). Category and condition are conclusions and are not checked.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from aicourse.datasets import COLOURS, MATERIALS
from aicourse.marketplace.extraction.attributes import Attributes
from aicourse.marketplace.extraction.words import COLOUR_WORDS, MATERIAL_WORDS

FIELDS = ("colours", "materials", "size", "brand")
_ALIKE = 0.8  # of a brand and the words it was read from: the guide corrects typos
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


@dataclass(frozen=True)
class UngroundedValue:
    """A value for which the listing has no word."""

    field: str
    value: str

    def __str__(self) -> str:
        return f"{self.field}: {self.value!r} occurs nowhere in the listing"


def ungrounded(attributes: Attributes, text: str) -> tuple[UngroundedValue, ...]:
    """The values of `attributes` that `text` has no word for, in the order of the fields.

    >>> from aicourse.marketplace.extraction.attributes import LooseAttributes
    >>> ungrounded(LooseAttributes(colours=["blue", "black"], brand="Zara"), "Navy jacket by ZARA")
    (UngroundedValue(field='colours', value='black'),)
    """
    plain = _plain(text)
    return tuple(
        UngroundedValue(name, value)
        for name in FIELDS
        for value in _values(getattr(attributes, name))
        if not _occurs(name, value, plain)
    )


def named_in(text: str) -> dict[str, tuple[str, ...]]:
    """The colours and materials that `text` has a word for: all that may be offered to a model.

    >>> named_in("Navy jacket, not leather, brass buttons")
    {'colours': ('blue',), 'materials': ('leather', 'faux_leather', 'metal')}
    """
    plain = _plain(text)
    known = {"colours": COLOURS, "materials": MATERIALS}
    return {name: tuple(v for v in values if _occurs(name, v, plain)) for name, values in known.items()}


def drop(attributes: Attributes, findings: Iterable[UngroundedValue]) -> Attributes:
    """The attributes without the values found; a text becomes null."""
    update: dict[str, object] = {}
    for finding in findings:
        value = update.get(finding.field, getattr(attributes, finding.field))
        kept = [item for item in value if item != finding.value] if isinstance(value, list) else None
        update[finding.field] = kept
    return attributes.model_copy(update=update)


def _occurs(field: str, value: str, text: str) -> bool:
    match field:
        case "colours":
            return _named(value, COLOUR_WORDS, text)
        case "materials":
            return _named(value, MATERIAL_WORDS, text)
        case "size":
            return _measured(value, text)
        case _:
            return _spelt(value, text)


def _values(value: list[str] | str | None) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _named(value: str, words: dict[str, tuple[str, ...]], text: str) -> bool:
    """True if the text has the value's own name, or another word for it."""
    known = (value.replace("_", " "), *words.get(value, ()))
    return any(_stem(word) in text and _pattern(word).search(text) for word in known)


@cache
def _stem(word: str) -> str:
    """The part up to the first space: a text without it lacks the word, and needs no slow pattern."""
    return _plain(word.strip("-")).partition(" ")[0]


@cache
def _pattern(word: str) -> re.Pattern[str]:
    """A word alone, or with a hyphen as part of another (see `words`)."""
    plain = re.escape(_plain(word.strip("-"))).replace(r"\ ", r"[\s-]*")
    before = "" if word.startswith("-") else r"(?<![^\W_])"
    after = "" if word.endswith("-") else r"s?(?![^\W_])"
    return re.compile(before + plain + after)


def _measured(value: str, text: str) -> bool:
    """True if every number of a size occurs; where it has none, its words."""
    there = {number.replace(",", ".") for number in _NUMBER.findall(text)}
    if numbers := _NUMBER.findall(value):
        return all(number.replace(",", ".") in there for number in numbers)
    return re.search(rf"(?<![^\W_]){re.escape(_plain(value))}(?![^\W_])", text) is not None


def _spelt(value: str, text: str) -> bool:
    """True if a brand occurs, whatever its case, accents, spacing and typos ("fjallraven", "levis")."""
    wanted, words = _letters(value), text.split()
    if not wanted:
        return False
    if wanted in _letters(text):
        return True
    length = len(value.split())
    windows = ("".join(words[at : at + length]) for at in range(len(words)))
    return any(difflib.SequenceMatcher(None, wanted, _letters(w)).ratio() >= _ALIKE for w in windows)


def _plain(text: str) -> str:
    """Lower case, without accents (of which the Polish l is none to Unicode)."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _letters(text: str) -> str:
    return "".join(letter for letter in _plain(text) if letter.isalnum())

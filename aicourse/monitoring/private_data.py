"""Private data in free text: found by its form, in English, Dutch, German and French.

| kind      | form                                                                     |
|-----------|--------------------------------------------------------------------------|
| `email`   | name@host.tld                                                            |
| `iban`    | country, check digits that are right (ISO 13616), account                |
| `card`    | 14 to 19 digits, the last of which is right (Luhn, ISO/IEC 7812)         |
| `phone`   | +, 00 or 0 and 9 to 15 digits, in groups or not; (202) 555-0100          |
| `address` | street and house number, with the postcode, the town, or both behind it    |

Patterns, not a model: fast, the same every time, and blind to what has no form. Not found: names, a street
written without capitals, numbers in words, "name at host dot com". How much of a labelled set is found stands
in `datasets/private_data/README.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["email", "iban", "card", "phone", "address"]

_EMAIL = re.compile(r"[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}\b")
_DIGIT = re.compile(r"\d")
_LONG_NUMBER = re.compile(r"\d(?:[ ./()-]{0,3}\d){6}")  # without one there is no account, card or phone
_CARD = re.compile(r"(?<![\d.,-])[2-6](?:[ -]?\d){13,18}(?![ -]?\d)")
_PHONE = re.compile(
    r"(?<![\d.,/-])(?!\d\d[./-]\d\d[./-]\d{4}(?!\d))(?:"
    r"(?:\+|00)[1-9](?:[ ./-]?\(?\d\)?){7,13}"
    r"|\(?0[1-9](?:[ ./-]?\d?\)?[ ./-]?\d){7,10}"
    r"|(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}"
    r")(?![ ./-]?\d)"
)
_NAME = r"[^\W\d_a-zß-öø-ÿ][\w.'’-]{0,30}"  # begins with a capital
_POSTCODE = r"(?:[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|\d{4}\s?[A-Z]{2}|\d{4,5})\b"
_DAYS = r"(?!Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag|Tag|Ende)"
_TOWN = rf"{_DAYS}(?!I\b){_NAME}(?:\s{_NAME})?"
_BEHIND = rf"(?:,?\s(?:{_NAME},?\s)?{_POSTCODE}(?:\s{_NAME})?|(?:,|\s(?:in|à))\s{_TOWN})?"
_HOUSE = r"\d{1,4}(?:\s?(?:bis|ter|[a-zA-Z])\b|-\d{1,3}\b)?(?!\d|[.,:]\d)"
_ENGLISH = (
    "Street|St|Road|Rd|Lane|Ln|Avenue|Ave|Drive|Close|Court|Terrace|Way|Crescent|Place|Square|Gardens"
    "|Grove|Hill|Boulevard|Blvd|Mews|Row|Walk|Quay|Parade"
)
_DUTCH_GERMAN = (
    "straat|laan|weg|plein|gracht|kade|dijk|singel|steeg|hof|dreef|plantsoen|markt"
    "|straße|strasse|str.|platz|allee|gasse|ring|ufer|damm|steig|chaussee"
)
_GERMAN = "Am|Im|An der|In der|Auf dem|Zum|Zur"
_FRENCH = (
    "rue|Rue|avenue|Avenue|av.|boulevard|Boulevard|bd|place|impasse|chemin|Chemin|allée|Allée|allee|quai|Quai"
    "|cours|route|square|passage"
)
_ARTICLES = r"(?:\s(?:de\sla|de\sl['’]|des|du|de|la|les|le)|\sd['’]|\sl['’])?\s?"


def _address(words: str, pattern: str) -> tuple[list[str], re.Pattern[str]]:
    """Words, one of which such an address has (that is quicker to look for), and its pattern."""
    street = words.replace(".", r"\.")
    return words.casefold().split("|"), re.compile(rf"\b{pattern.replace('STREET', street)}{_BEHIND}")


_ADDRESSES = [
    _address(
        _ENGLISH,
        rf"(?:(?:Flat|Apartment|Apt|Unit|Suite)\s\w{{1,5}},?\s)?\d{{1,5}}[a-zA-Z]?\s(?:{_NAME}\s){{1,3}}(?:STREET)\b",
    ),
    _address(_DUTCH_GERMAN, rf"(?:{_NAME}\s){{0,2}}(?=[^\W\d_a-zß-öø-ÿ])[\w-]{{0,30}}(?i:STREET)\s{_HOUSE}"),
    _address(_GERMAN, rf"(?:STREET)\s{_DAYS}{_NAME}\s{_HOUSE}(?!\s(?:Uhr|Stück|Euro))"),
    _address(
        _FRENCH,
        rf"\d{{1,4}}(?:\s?(?:bis|ter|[a-zA-Z])\b)?,?\s(?:STREET){_ARTICLES}{_NAME}(?:\s{_NAME}){{0,2}}",
    ),
    _address(_FRENCH, rf"(?:STREET){_ARTICLES}{_NAME}(?:\s{_NAME}){{0,2}},?\s{_HOUSE}"),
]


@dataclass(frozen=True)
class PrivateSpan:
    """A stretch of a text, `text[start:end]`, that tells who or where somebody is."""

    kind: Kind
    start: int
    end: int


def find_private(text: str) -> list[PrivateSpan]:
    """The private data in a text, in order, without overlaps.

    >>> find_private("Call 07700 900123 or write to ann@example.org")
    [PrivateSpan(kind='phone', start=5, end=17), PrivateSpan(kind='email', start=30, end=45)]
    """
    found: list[PrivateSpan] = []
    for one in _candidates(text):  # the surest kind first
        if all(one.end <= other.start or one.start >= other.end for other in found):
            found.append(one)
    return sorted(found, key=lambda one: one.start)


def without_private(text: str) -> str:
    """The text with each piece of private data replaced by its kind.

    >>> without_private("Pay to NL91 ABNA 0417 1643 00")
    'Pay to [iban]'
    """
    for one in reversed(find_private(text)):
        text = f"{text[: one.start]}[{one.kind}]{text[one.end :]}"
    return text


def _candidates(text: str) -> Iterator[PrivateSpan]:
    if "@" in text or "%40" in text:
        yield from (PrivateSpan("email", *match.span()) for match in _EMAIL.finditer(text))
    if not _DIGIT.search(text):
        return
    if _LONG_NUMBER.search(text):
        for match in _IBAN.finditer(text):
            if end := _iban_end(match.group()):
                yield PrivateSpan("iban", match.start(), match.start() + end)
        for match in _CARD.finditer(text):
            if _passes_luhn(match.group()):
                yield PrivateSpan("card", *match.span())
        yield from (PrivateSpan("phone", *match.span()) for match in _PHONE.finditer(text))
    folded = text.casefold()
    for words, pattern in _ADDRESSES:
        if any(word in folded for word in words):
            for match in pattern.finditer(text):
                yield PrivateSpan(
                    "address", match.start(), match.start() + len(match.group().rstrip(".,'’-"))
                )


def _iban_end(text: str) -> int:
    """The length of the longest beginning of `text` whose check digits are right; 0 when there is none."""
    for end in range(len(text), 14, -1):
        plain = text[:end].replace(" ", "").upper()
        digits = "".join(str(int(character, 36)) for character in plain[4:] + plain[:4])
        if len(plain) >= 15 and text[end - 1] != " " and int(digits) % 97 == 1:
            return end
    return 0


def _passes_luhn(text: str) -> bool:
    digits = [int(character) for character in reversed(text) if character.isdigit()]
    return sum(digits[0::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0

"""Facts that a reply states, in a form that can be compared: not "contains 130" but "amount:130.50".

    facts_in("Sorry, order 1003 was delivered on 10 November, so I cannot report it.")
    {'order:1003', 'status:delivered', 'date:2026-11-10', 'not:report'}

| kind | a fact |
|---|---|
| `amount:130.50` | euros, whatever way they are written |
| `order:1001`, `percent:8` | a number of 4 to 6 digits that is no date and no amount; a share |
| `date:2026-11-24` | a date; without a year it is in 2026 |
| `days:3`, `hours:48`, `minutes:20`, `weeks:2` | a span of time; hours that are whole days are days as well |
| `status:delivered` | also `on its way`, `lost`, `cancelled`, `not sent`: of an order, if it is not denied |
| `did:refund` | says that it is done: `refund`, `report`, `cancel`, `address`, `hand_over` |
| `not:refund` | says that it was not or cannot be done; `not:order`: that there is no such order |
| `asks`, `asks:order` | a question to the customer; one about which order or item |
| `says:wool coat` | these words, in a sentence that does not deny them (for names; the last resort) |

What somebody may do, or what happens if something else does, is neither done nor denied. Sentences are
English, numbers of any language. Rules read a reply here, no model, so the same reply has the same facts; how
often a person would agree is measured in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

YEAR = "2026"
_MONTHS = (
    *("jan(?:uary)?", "feb(?:ruary)?", "mar(?:ch)?", "apr(?:il)?", "may", "june?", "july?", "aug(?:ust)?"),
    *("sept?(?:ember)?", "oct(?:ober)?", "nov(?:ember)?", "dec(?:ember)?"),
)
_MONTH = "|".join(_MONTHS)
_WORDS = {
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "ten": "10",
}


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_AMOUNT = _words(r"(?:€|eur(?:os?)?)\s?(\d[\d.,]*\d|\d)", r"(\d[\d.,]*\d|\d)\s?(?:€|eur\b|euros?\b)")
_DATE = _words(
    r"\b(?P<iso>20\d\d-\d\d-\d\d)\b",
    rf"\b(?P<day>\d\d?)(?:st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})\b(?:,? (?P<year>20\d\d))?",
    rf"\b(?P<month2>{_MONTH}) (?P<day2>\d\d?)(?:st|nd|rd|th)?\b(?:,? (?P<year2>20\d\d))?",
)
_SPAN = _words(rf"\b(\d+|{'|'.join(_WORDS)})[ -](minute|hour|day|week)s?\b")
_PERCENT = _words(r"\b(\d+(?:[.,]\d+)?)\s?(?:%|per ?cent)")
_NUMBER = re.compile(r"\b\d{4,6}\b")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|[\n;]+")
_CLAUSE = _words(r",\s+", r":\s+", r"\s+(?:and|but|so|because|however|although|though|as|since)\s+")
_NEGATION = _words(
    r"\b(?:not|no|never|cannot|unable|neither|nor|without|too late|impossible|refused?|ineligible)\b",
    r"n['’]t\b",
)
_IF = _words(r"\b(?:if|once|when|unless|until)\b")
_MAYBE = _words(
    _IF.pattern,
    r"\b(?:only|can|could|may|might|would|should|must|please|shall|want|to be|need|in order to)\b",
)
_ON_ITS_WAY = (
    r"shipped|on (?:its|the) way(?! back)|in the depot|scanned|in transit|under way|out for delivery"
)
_STATUS = {
    "delivered": r"delivered|arrived",
    "on its way": _ON_ITS_WAY,
    "lost": r"lost",
    "cancelled": r"cancell?ed",
    "not sent": r"not (?:yet )?(?:been )?(?:sent|shipped|scanned)|label made|status[^.]{0,12}\bpaid",
}
_ACTS = {
    "refund": (r"refund|pa(?:y|id) (?:\w+ )?back|money back", r"refunded|paid back|gone back|goe?s? back by"),
    "report": (r"report|return|problem|case", r"reported|opened|filed"),
    "cancel": (r"cancel", r"cancell?ed"),
    "address": (r"address|goes? to|sent? to|redirect", r"changed|updated|corrected|goes to"),
    "hand_over": (
        r"colleague|person|human|team|hand(?:ed)? over",
        r"handed|takes? over|forwarded|passed on|hand you",
    ),
}
_DEED = _words(
    r"\b(?:processed|issued|initiated|approved|completed|made|sent|started)\b",
    r"\b(?:i|we)(?:['’]ll| will| have|['’]ve| am|['’]m| are|['’]re)\b",
)
_NO_ORDER = _words(
    r"\bno (?:such )?orders?\b",
    r"\bnot (?:your order|yours)\b",
    r"\bbelongs? to (?:another|some)",
    r"(?:\bnot|\bcannot|\bunable to|n['’]t)\b.{0,20}\b(?:exists?\b|belong\b"
    r"|(?:have|find|see|locate) .{0,20}(?:order|\d{4}))",
)
_WHICH = _words(r"\b(?:which|what)\b.*\b(?:orders?|items?|one|number)\b", r"\border number\b")


def facts_in(reply: str) -> frozenset[str]:
    """All facts of a reply but `says:`, which has no list to be taken from.

    >>> sorted(facts_in("I refunded 45 €."))
    ['amount:45.00', 'did:refund']
    """
    found = set(_numbers(reply))
    for sentence in _SENTENCE.split(reply):
        if sentence.rstrip().endswith("?"):
            found |= {"asks"} | ({"asks:order"} if _WHICH.search(sentence) else set())
            continue
        for clause in _CLAUSE.split(sentence):
            found |= set(_told(clause))
    return frozenset(found)


def holds(fact: str, reply: str) -> bool:
    """True if the reply states the fact."""
    kind, _, words = fact.partition(":")
    if kind != "says":
        return fact in facts_in(reply)
    wanted = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)", re.IGNORECASE)
    clauses = (clause for sentence in _SENTENCE.split(reply) for clause in _CLAUSE.split(sentence))
    return any(wanted.search(clause) and not _NEGATION.search(clause) for clause in clauses)


def _numbers(text: str) -> Iterator[str]:
    """Amounts, dates, spans and shares; what is left with 4 to 6 digits is an order."""
    for match in _AMOUNT.finditer(text):
        yield f"amount:{_decimal(match[1] or match[2])}"
    for match in _DATE.finditer(text):
        yield f"date:{_iso(match)}"
    rest = _DATE.sub(" ", _AMOUNT.sub(" ", text))
    for match in _SPAN.finditer(rest):
        number, unit = _WORDS.get(match[1].lower(), match[1]), match[2].lower()
        yield f"{unit}s:{number}"
        if unit == "hour" and int(number) % 24 == 0:
            yield f"days:{int(number) // 24}"
        if unit == "day":
            yield f"hours:{24 * int(number)}"
    for match in _PERCENT.finditer(rest):
        yield f"percent:{match[1].replace(',', '.')}"
    for match in _NUMBER.finditer(rest):
        yield f"order:{match[0]}"


def _decimal(written: str) -> str:
    """An amount with two digits behind the point, whichever way thousands and cents are told apart."""
    whole, cents = re.fullmatch(r"(.*?)(?:[.,](\d\d?))?", written).groups()  # type: ignore[union-attr]
    return f"{re.sub('[.,]', '', whole)}.{(cents or '').ljust(2, '0')}"


def _iso(match: re.Match[str]) -> str:
    if match["iso"]:
        return match["iso"]
    month = match["month"] or match["month2"]
    number = 1 + next(place for place, name in enumerate(_MONTHS) if re.fullmatch(name, month, re.IGNORECASE))
    year, day = match["year"] or match["year2"] or YEAR, match["day"] or match["day2"]
    return f"{year}-{number:02}-{int(day):02}"


def _told(clause: str) -> Iterator[str]:
    """The states, deeds and denials of one clause."""
    denied, maybe = bool(_NEGATION.search(clause)), bool(_MAYBE.search(clause))
    for status, words in _STATUS.items():
        said = re.search(rf"\b(?:{words})\b", clause, re.IGNORECASE) and not _IF.search(clause)
        if said and (not denied or status == "not sent"):
            yield f"status:{status}"
    if _NO_ORDER.search(clause):
        yield "not:order"
    for act, (about, done) in _ACTS.items():
        named = re.search(rf"\b(?:{about})", clause, re.IGNORECASE)
        deed = re.search(rf"\b(?:{done})\b", clause, re.IGNORECASE)
        if (named or deed) and denied:
            yield f"not:{act}"
        elif (deed or (named and _DEED.search(clause))) and not maybe:
            yield f"did:{act}"

"""Sizes as listings state them: parse, convert what can be converted, compare in part.

Canonical forms are those of `datasets/listings/ANNOTATION.md`: "120x60x75 cm", "27 in", "1.5 l", "EU 38",
"W32 L34", "XL", "age 4-5". Lengths, areas of a tape measure, volumes: any unit below. Shoe and clothing
systems are not converted: EU 38 is UK 5 at one maker and UK 5.5 at the next, so "EU 38" and "UK 5" are
different statements even when the same shoe carries both. A plain number has no system and equals none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_CENTIMETRES = {"mm": 0.1, "cm": 1.0, "m": 100.0, "in": 2.54, "ft": 30.48}
_LITRES = {"ml": 0.001, "cl": 0.01, "l": 1.0}
_SPELLINGS = {
    '"': "in", "″": "in", "inch": "in", "inches": "in", "'": "ft", "feet": "ft", "foot": "ft",
    "metre": "m", "metres": "m", "meter": "m", "meters": "m",
    "litre": "l", "litres": "l", "liter": "l", "liters": "l",
}  # fmt: skip
_SYSTEMS = ("eu", "uk", "us", "it", "de", "fr")

_NUMBER = r"\d+(?:[.,]\d+)?"
_PART = re.compile(rf"(?P<number>{_NUMBER})(?:\s*[-–]\s*(?P<upper>{_NUMBER}))?\s*(?P<unit>[a-z]+|[\"'″])?\.?")
_TIMES = re.compile(r"\s*[x×*]\s*")
_LABEL = re.compile(rf"(?P<system>{'|'.join(_SYSTEMS)})\s*(?P<value>\S.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Measure:
    """Numbers in one base unit (cm or l), in the order stated; a range is (low, high) and marked."""

    quantity: Literal["length", "volume"]
    numbers: tuple[float, ...]
    is_range: bool = False


@dataclass(frozen=True)
class Label:
    """A size on a label: `system` is None for "M", "38", "W32 L34", "age 4-5"."""

    system: str | None
    value: str


Size = Measure | Label


def parse_size(text: str) -> Size:
    """A size independent of its spelling and unit.

    >>> parse_size("27 in"), parse_size("eu 38")
    (Measure(quantity='length', numbers=(68.58,), is_range=False), Label(system='EU', value='38'))
    """
    text = " ".join(text.split())
    if measure := _measure(text.lower()):
        return measure
    if match := _LABEL.fullmatch(text):
        return Label(match["system"].upper(), _tidy(match["value"]))
    return Label(None, _tidy(text))


def _measure(text: str) -> Measure | None:
    """The numbers of "120 x 60 cm" or "120cm x 60cm"; None when it is no measure."""
    parts = [_PART.fullmatch(part) for part in _TIMES.split(text)]
    units = [_unit(part) for part in parts]
    factors = next((table for table in (_CENTIMETRES, _LITRES) if units[-1] in table), None)
    if factors is None:
        return None
    numbers: list[float] = []
    for part, unit in zip(parts, units, strict=True):
        factor = factors.get(unit or str(units[-1]))  # a part without a unit has that of the last one
        if part is None or factor is None:
            return None
        stated = [number for number in part.group("number", "upper") if number]
        numbers += [round(float(number.replace(",", ".")) * factor, 6) for number in stated]
    is_range = any(part and part["upper"] for part in parts)
    return Measure("length" if factors is _CENTIMETRES else "volume", tuple(numbers), is_range)


def _unit(part: re.Match[str] | None) -> str | None:
    """The unit's symbol, whatever its spelling; None when the part has none."""
    unit = part["unit"] if part else None
    return _SPELLINGS.get(unit, unit) if unit else None


def _tidy(value: str) -> str:
    """Labels without differences of case, comma and space: "w32 l34" is "W32L34"."""
    return value.upper().replace(",", ".").replace(" ", "")


def compare_sizes(got: str, expected: str, tolerance: float = 0.01) -> tuple[float, str]:
    """The share of a size that is right, from 0 to 1, and the reason.

    Measures agree number by number in the order stated, each within `tolerance` (a share of the expected
    number; 0.01 lets 27 in be 68 or 69 cm). The score is the share of numbers that agree, out of the
    longer of the two lists. Labels agree or not.

    >>> compare_sizes("1.2x0.6x0.75 m", "120x60x75 cm")
    (1.0, 'same size')
    >>> compare_sizes("120x60 cm", "120x60x75 cm")
    (0.6666666666666666, '2 of 3 numbers agree')
    >>> compare_sizes("UK 5", "EU 38")
    (0.0, 'UK and EU are different systems, which no table converts reliably')
    """
    one, other = parse_size(got), parse_size(expected)
    if isinstance(one, Measure) and isinstance(other, Measure):
        return _compare_measures(one, other, tolerance)
    if isinstance(one, Label) and isinstance(other, Label):
        return _compare_labels(one, other)
    return 0.0, f"a label and a measure: {got!r}, expected {expected!r}"


def _compare_measures(got: Measure, expected: Measure, tolerance: float) -> tuple[float, str]:
    if got.quantity != expected.quantity:
        return 0.0, f"a {got.quantity}, expected a {expected.quantity}"
    if got.is_range != expected.is_range:
        return 0.0, "one is a range, the other is not"
    pairs = zip(got.numbers, expected.numbers, strict=False)
    agreeing = sum(abs(one - other) <= tolerance * other for one, other in pairs)
    longest = max(len(got.numbers), len(expected.numbers))
    if agreeing == longest:
        return 1.0, "same size"
    return agreeing / longest, f"{agreeing} of {longest} numbers agree"


def _compare_labels(got: Label, expected: Label) -> tuple[float, str]:
    if got == expected:
        return 1.0, "same size"
    if got.system != expected.system and None in (got.system, expected.system):
        return 0.0, "only one of them names a system"
    if got.system != expected.system:
        return (
            0.0,
            f"{got.system} and {expected.system} are different systems, which no table converts reliably",
        )
    return 0.0, f"{got.value}, expected {expected.value}"

"""A checks file as authors write them, for answers that are functions; only tests read it."""

from __future__ import annotations

import re

from aicourse.notebook.checks import Check, Mistake, arguments, unordered
from aicourse.notebook.exercises import Exercise


def find_size_solution(text: str, unit: str = "cm") -> int | None:
    match = re.search(rf"(\d+)\s*{unit}\b", text, re.IGNORECASE)
    return int(match[1]) if match else None


def first_number(text: str, unit: str = "cm") -> int | None:
    match = re.search(r"\d+", text)
    return int(match[0]) if match else None


def ignores_the_unit(text: str, unit: str = "cm") -> int | None:
    return find_size_solution(text, "cm")


def crashes_without_size(text: str, unit: str = "cm") -> int:
    return int(re.search(rf"(\d+)\s*{unit}\b", text, re.IGNORECASE)[1])  # type: ignore[index]


def crashes_with_group(text: str, unit: str = "cm") -> int:
    return int(re.search(rf"(\d+)\s*{unit}\b", text, re.IGNORECASE).group(1))  # type: ignore[union-attr]


NOTHING_MATCHED = "`re.search` gives None when nothing matches: test for it."
COLOURS = {"red", "navy", "green"}


def find_colours_solution(text: str) -> list[str]:
    return sorted(COLOURS & set(text.lower().split()))


def keeps_case(text: str) -> list[str]:
    return sorted(COLOURS & set(text.split()))


def price_of_solution(text: str) -> int:
    if not (match := re.search(r"\d+", text)):
        raise ValueError("no price")
    return int(match[0])


def minus_one_without_price(text: str) -> int:
    match = re.search(r"\d+", text)
    return int(match[0]) if match else -1


exercises = [
    Exercise(
        id="01.1",
        title="Read a size",
        reference=find_size_solution,
        checks=[
            Check("reads a size in centimetres", ["waist 80 cm", "60CM long", "shelf, 120 cm wide"]),
            Check(
                "reads the unit it is asked for",
                [arguments("W32 in", unit="in"), arguments("a 5 m cable", unit="m")],
            ),
            Check("takes no other number for a size", ["2 mugs, 9 cm tall", "from 1970, 30 cm"]),
            Check(
                "gives None when no size is stated",
                ["a red dress", "Chair from 1970"],
                message="Null beats invention.",
            ),
        ],
        mistakes=[
            Mistake(first_number, "You take the first number, whatever it counts."),
            Mistake(ignores_the_unit, "You look for `cm` even when another unit is asked for."),
            Mistake(crashes_without_size, NOTHING_MATCHED),
            Mistake(crashes_with_group, NOTHING_MATCHED),
        ],
        hints=["A pattern can name the unit.", r"`(\d+)\s*cm` matches digits, spaces, unit."],
        seconds=0.3,
    ),
    Exercise(
        id="01.2",
        title="Find colours",
        reference=find_colours_solution,
        checks=[
            Check("finds each colour once", ["red and navy", "green green"], same=unordered),
            Check("ignores case", ["Red shoe", "NAVY coat"], same=unordered),
        ],
        mistakes=[Mistake(keeps_case, "Sellers write `Red` as well as `red`.")],
        hints=["Split the text into words."],
        show_expected=False,
    ),
    Exercise(
        id="01.3",
        title="Refuse what has no price",
        reference=price_of_solution,
        checks=[
            Check("reads a price", ["12 euros", "only 5"]),
            Check("raises ValueError without one", ["free", ""], raises=ValueError),
        ],
        mistakes=[Mistake(minus_one_without_price, "-1 is a price to whoever adds them up: raise an error.")],
        hints=["`raise ValueError(...)`"],
    ),
]

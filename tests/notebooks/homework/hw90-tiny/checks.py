"""Checks of the tiny assignment that tests of the grading package share."""

import re
from functools import partial

from aicourse.notebook.checks import Check, Mistake, arguments, unordered
from aicourse.tooling.grading.authoring.checks_file import Planted


def read_size(text, unit="cm"):
    match = re.search(rf"(\d+)\s*{unit}\b", text, re.IGNORECASE)
    return int(match[1]) if match else None


def first_number(text, unit="cm"):
    match = re.search(r"\d+", text)
    return int(match[0]) if match else None


FIRST = Mistake(first_number, "You take the first number. Which one has a unit?")

q1 = partial(Check, question="q1", target="read_size", reference=read_size, mistakes=[FIRST])

checks = [
    q1(name="reads centimetres", points=1, inputs=["waist 80 cm", "60CM long"], public=True),
    q1(
        name="takes no other number for a size",
        points=2,
        inputs=lambda rng: [f"{rng.randint(2, 9)} mugs, {rng.randint(10, 99)} cm tall" for _ in range(3)],
        message="A number without a unit is no size.",
    ),
    q1(name="reads the unit it is asked for", points=1, inputs=[arguments("a 5 m cable", unit="m")]),
    Check(
        question="q2",
        name="names both colours",
        target="COLOURS",
        points=2,
        reference=["blue", "white"],
        same=unordered,
        mistakes=[Mistake(["blue"], "There is a second colour.")],
    ),
]

planted = [
    Planted(
        "q1",
        "first number",
        loses=2,
        shows="Which one has a unit?",
        source="import re\n\ndef read_size(text, unit='cm'):\n    found = re.search(r'\\d+', text)\n"
        "    return int(found[0]) if found else None\n",
    ),
    Planted("q2", "one colour", loses=2, shows="second colour", source="COLOURS = ['blue']"),
]

seed = "tests"

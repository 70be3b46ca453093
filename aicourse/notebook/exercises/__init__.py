r'''Exercises: checks beside each one, hints on demand, predictions, progress.

In a notebook:

    check("01.2", read_size)            # which behaviours work, which are missing, on which input
    hint("01.2")                        # one more hint at each call
    predict("01.a", "How many of 20 listings break the regex?", [range(0, 3), range(3, 9), (9, None)])
    outcome("01.a", broken)             # what happened, beside what was predicted
    progress()

None of them raises or waits, so an unsolved exercise never stops a notebook. A check judges *behaviour*:
it calls the answer with inputs and compares what comes back with the reference, or asks a predicate. It does
not look at source code, and it is no sandbox: grading has one.

To write a check, put a file in `notebooks/checks/`; this one would be `lesson_01.py`:

>>> import re
>>> from aicourse.notebook.exercises import Behaviour, Exercise, Mistake, arguments, ignoring_case, verify
>>> def find_size(text, unit="cm"):
...     """The right answer."""
...     match = re.search(rf"(\d+)\s*{unit}\b", text, re.IGNORECASE)
...     return int(match[1]) if match else None
>>> def first_number(text, unit="cm"):
...     match = re.search(r"\d+", text)
...     return int(match[0]) if match else None
>>> def crashes_without_size(text, unit="cm"):
...     return int(re.search(rf"(\d+)\s*{unit}\b", text, re.IGNORECASE)[1])
>>> exercises = [
...     Exercise(
...         id="01.2",
...         title="Read a size",
...         reference=find_size,
...         behaviours=[
...             Behaviour("reads a size in centimetres", ["waist 80 cm", "60CM long", "shelf, 120 cm wide"]),
...             Behaviour(
...                 "reads the unit it is asked for",
...                 [arguments("W32 in", unit="in"), arguments("a 5 m cable", unit="m")],
...             ),
...             Behaviour("takes no other number for a size", ["2 mugs, 9 cm tall", "from 1970, 30 cm"]),
...             Behaviour(
...                 "gives None when no size is stated",
...                 ["a red dress", "Chair from 1970"],
...                 missing="Null beats invention: a seller corrects an empty field faster than a wrong one.",
...             ),
...             Behaviour(
...                 "gives a number that stands in the text",
...                 ["waist 80 cm", "no size", "8 cm"],
...                 predicate=lambda size, text: size is None or str(size) in text,
...             ),
...         ],
...         mistakes=[
...             Mistake(first_number, "You take the first number, whatever it counts. Which one has a unit?"),
...             Mistake(crashes_without_size, "`re.search` gives None when nothing matches: test for it."),
...         ],
...         hints=["A pattern can name the unit: `cm`.", r"`(\d+)\s*cm` matches digits, spaces, unit."],
...     ),
...     Exercise(
...         id="01.3",
...         title="Share of listings that break it",
...         reference=0.35,  # the answer is data: a number
...         behaviours=[Behaviour("is the share of 20", predicate=lambda share: abs(share - 0.35) < 0.001)],
...         mistakes=[Mistake(7, "That is the count. Divide by the number of listings.")],
...         hints=["Count the listings for which the result is wrong, and divide."],
...     ),
... ]
>>> [problem for exercise in exercises for problem in verify(exercise)]
[]

`verify` is what the course's tests run on every checks file: the reference passes, a stub counts as not
started, and each mistake gets its own hint and no other.
'''

from aicourse.notebook.exercises.authoring import (
    Arguments,
    Behaviour,
    Exercise,
    Mistake,
    arguments,
    checks_path,
    find_exercise,
    load_checks,
)
from aicourse.notebook.exercises.checking import check, examine
from aicourse.notebook.exercises.comparing import close_to, equal, ignoring_case, unordered
from aicourse.notebook.exercises.results import CheckResult
from aicourse.notebook.exercises.verifying import verify

__all__ = [
    "Arguments",
    "Behaviour",
    "CheckResult",
    "Exercise",
    "Mistake",
    "arguments",
    "check",
    "checks_path",
    "close_to",
    "equal",
    "examine",
    "find_exercise",
    "ignoring_case",
    "load_checks",
    "unordered",
    "verify",
]

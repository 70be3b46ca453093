r'''One language for checks, in lessons and in homework: how it is written, judged and run.

A `Check` is one behaviour of a right answer: it calls the answer with inputs and compares what comes back
with the reference, or asks a predicate. It does not look at source code. A `Mistake` is a wrong answer that
many give, with the sentence that helps them.

A lesson's checks stand in `notebooks/checks/`; this would be `lesson_01.py`:

>>> import re
>>> from aicourse.notebook.checks import Check, Mistake, arguments
>>> from aicourse.notebook.exercises import Exercise
>>> from aicourse.tooling.course.exercises import verify  # for this proof; no lesson imports it
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
...         checks=[
...             Check("reads a size in centimetres", ["waist 80 cm", "60CM long", "shelf, 120 cm wide"]),
...             Check(
...                 "reads the unit it is asked for",
...                 [arguments("W32 in", unit="in"), arguments("a 5 m cable", unit="m")],
...             ),
...             Check("takes no other number for a size", ["2 mugs, 9 cm tall", "from 1970, 30 cm"]),
...             Check(
...                 "gives None when no size is stated",
...                 ["a red dress", "Chair from 1970"],
...                 message="Null beats invention: a seller corrects an empty field faster than a wrong one.",
...             ),
...             Check(
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
...         checks=[Check("is the share of 20", predicate=lambda share: abs(share - 0.35) < 0.001)],
...         mistakes=[Mistake(7, "That is the count. Divide by the number of listings.")],
...         hints=["Count the listings for which the result is wrong, and divide."],
...     ),
... ]
>>> [problem for exercise in exercises for problem in verify(exercise)]
[]

`verify` is what `aicourse validate 01` runs on every exercise of a lesson: the reference passes, a stub
counts as not started, each mistake gets its own hint and no other, no behaviour is one that nothing fails.

The same check in a homework's `checks.py` says what it is worth, and where the student's function is found:

>>> sizes = exercises[0].checks[2]
>>> graded = Check(
...     "takes no other number for a size",
...     sizes.inputs,
...     reference=find_size,
...     mistakes=exercises[0].mistakes,
...     question="q1",
...     target="find_size",
...     points=2,
... )

There are three ways to run it, and each only makes `Outcome`s, which one judge reads:

- in a lesson's notebook: `exercises.check("01.2", find_size)` (`judging`, `calling`)
- in a released homework: `aicourse.homework.check("q1", find_size, …)`, the same; public checks alone
- in the sandbox of the grader: the function is called there, and what it gives is judged *outside*, where
  references and hidden checks stay

`language` has the words, `comparing` the comparisons, `judging` the verdict, its evidence and the known
mistakes. In a notebook nothing here is a sandbox: the answer runs beside the check.
'''

from aicourse.notebook.checks.comparing import close_to, equal, ignoring_case, unordered
from aicourse.notebook.checks.language import (
    Arguments,
    Check,
    Mistake,
    arguments,
    known,
    leaves_alone,
)

__all__ = [
    "Arguments",
    "Check",
    "Mistake",
    "arguments",
    "close_to",
    "equal",
    "ignoring_case",
    "known",
    "leaves_alone",
    "unordered",
]

'''What an instructor writes in `checks.py`, beside the master notebook: plain Python, never released.

    from functools import partial
    from aicourse.tooling.grading.authoring.checks import Check, Mistake, Planted

    def read_size(text): ...                      # the reference
    def first_number(text): ...                   # what many students write instead

    q1 = partial(Check, question="q1", target="read_size", reference=read_size,
                 mistakes=[Mistake(first_number, "You take the first number. Which one has a unit?")])
    checks = [
        q1(name="reads centimetres", points=0, inputs=["waist 80 cm", "60 cm"], public=True),
        q1(name="takes no other number", points=2, inputs=lambda rng: [f"{rng.randint(2, 9)} mugs"]),
    ]
    planted = [Planted("q1", "first number", loses=2, shows="Which one has a unit?", source="""...""")]
    alternatives = {"q1": ["def read_size(text): ..."]}   # other right answers: they must earn all points
    seed = "spring 2027"                                  # other drawn inputs than last year's

Student code never sees any of it: a submission is called with the inputs, and what it gives is compared here.
'''

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aicourse.errors import AssignmentError
from aicourse.notebook.exercises.authoring import Arguments, Mistake, arguments
from aicourse.notebook.exercises.calling import describe, describe_error
from aicourse.notebook.exercises.comparing import Same, close_to, equal, ignoring_case, unordered

Inputs = Sequence[Any] | Callable[[random.Random], Sequence[Any]]
Predicate = Callable[..., bool | str]
CheckKind = Literal["passed", "failed", "raised", "endless", "missing", "unreadable", "dead", "pending"]

__all__ = [
    "Arguments", "Check", "CheckResult", "Mistake", "Planted", "PromptCase", "PromptCheck",
    "arguments", "close_to", "equal", "ignoring_case", "known", "unordered",
]  # fmt: skip


def known(*pairs: tuple[Any, Any]) -> Callable[..., Any]:
    """A reference that knows a few calls only: `known((3, 9), (arguments(2, power=3), 8))`."""
    table = [(item if isinstance(item, Arguments) else Arguments((item,)), value) for item, value in pairs]

    def reference(*positional: Any, **named: Any) -> Any:
        called = Arguments(positional, named)
        return next(value for given, value in table if repr(given) == repr(called))

    return reference


@dataclass(frozen=True, kw_only=True, eq=False)
class Check:
    """One behaviour of an answer, all or nothing.

    - `target`: the function or variable in the student's notebook; with `inputs` it is called with each
      (one argument, or `arguments(…)`), without it is looked at.
    - `inputs`: a list, or a function of a `random.Random` that is seeded by assignment and student.
    - `reference`: a right function, or the right value; `same` compares. Or `predicate(result, *inputs)`:
      True, False or a sentence. Or `raises`: the class names of errors, one of which each input must raise.
    - `message`: what a student whose check fails should know; it must not give the answer away.
    - `mistakes`: known wrong answers, recognised over all checks of the question that list them.
    - `seconds`: time for each call.
    - `public`: released with the notebook. `show_expected`: feedback may show input and expected value.
    """

    question: str
    name: str
    target: str
    points: float
    inputs: Inputs = ()
    reference: Any = None
    same: Same = equal
    predicate: Predicate | None = None
    raises: str | Sequence[str] = ()
    message: str = ""
    mistakes: Sequence[Mistake] = ()
    seconds: float = 5.0
    public: bool = False
    show_expected: bool = False

    def __post_init__(self) -> None:
        ways = (self.reference is not None) + (self.predicate is not None)
        if not self.raises and ways == 0:
            raise AssignmentError(f"{self.place} compares with nothing: give reference, predicate or raises.")
        if self.raises and not self.inputs:
            raise AssignmentError(f"{self.place} has raises but no inputs to raise for. Give it inputs.")
        if callable(self.reference) and not self.inputs and not self.predicate:
            raise AssignmentError(f"{self.place} has a function as reference but no inputs. Give it inputs.")
        if self.public and callable(self.inputs):
            raise AssignmentError(
                f"{self.place} is public, so its inputs must be fixed: write them as a list."
            )
        _check_common(self.place, self.target, self.points)

    @property
    def place(self) -> str:
        """How errors name it."""
        return f"checks.py: the check {self.name!r} of {self.question}"

    @property
    def error_names(self) -> tuple[str, ...]:
        """The classes of errors that it accepts."""
        return (self.raises,) if isinstance(self.raises, str) and self.raises else tuple(self.raises)

    def draw(self, rng: random.Random) -> tuple[Arguments, ...]:
        """The inputs for one student; empty when the value itself is looked at."""
        given = self.inputs(rng) if callable(self.inputs) else self.inputs
        return tuple(item if isinstance(item, Arguments) else Arguments((item,)) for item in given)

    def expected(self, given: Arguments | None) -> Any:
        """What the reference gives for one input, or the reference itself when it is data.

        Raises:
            AssignmentError: the reference fails.
        """
        if given is None or not callable(self.reference):
            return self.reference
        call = copy.deepcopy(given)  # what a reference does to its input stays with it
        try:
            return self.reference(*call.positional, **call.named)
        except Exception as error:
            raise AssignmentError(
                f"{self.place}: its reference fails on {describe(given.positional)} "
                f"({describe_error(error)}). Correct the reference, or use raises."
            ) from error


@dataclass(frozen=True)
class PromptCase:
    """One hidden case: what the prompt is filled in with, and what is right."""

    id: str
    variables: Mapping[str, str]
    expected: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class PromptCheck:
    """A prompt that the student wrote; the *grader* asks the model with it, on cases nobody has seen.

    - `target`: the variable that holds the prompt (a text).
    - `request(prompt, case)`: the body of a chat completion, all of it (model, messages, sampling).
    - `score(reply, case)`: 0 to 1 for one case; the mean counts. It must not raise on any text.
    - `levels`: (least mean score, points) pairs; the best that is reached counts.
    - `problem(prompt)`: a sentence when the prompt cannot be asked at all, else "".
    - `measure`: what the score is called in feedback ("mean F1").
    """

    question: str
    name: str
    target: str
    cases: Sequence[PromptCase]
    request: Callable[[str, PromptCase], dict[str, Any]]
    score: Callable[[str, PromptCase], float]
    levels: Sequence[tuple[float, float]]
    problem: Callable[[str], str] = lambda prompt: ""
    measure: str = "mean score"
    message: str = ""
    most_characters: int = 4_000
    public: bool = False

    def __post_init__(self) -> None:
        if not self.cases or not self.levels:
            raise AssignmentError(f"{self.place} needs cases and levels. Give it at least one of each.")
        _check_common(self.place, self.target, self.points)

    @property
    def place(self) -> str:
        """How errors name it."""
        return f"checks.py: the prompt check {self.name!r} of {self.question}"

    @property
    def points(self) -> float:
        """What the best level gives."""
        return max(points for _, points in self.levels)

    @property
    def seconds(self) -> float:
        """Time to read a variable."""
        return 5.0

    def points_for(self, score: float) -> float:
        """The points of the best level that `score` reaches."""
        return max((points for least, points in self.levels if score >= least), default=0)


def _check_common(place: str, target: str, points: float) -> None:
    if not all(part.isidentifier() for part in target.split(".")):
        raise AssignmentError(f"{place} has the target {target!r}, which is no name in Python. Correct it.")
    if isinstance(points, bool) or not isinstance(points, (int, float)) or not 0 <= points < 1_000:
        raise AssignmentError(f"{place} has {points!r} points. Give a number from 0 up.")


@dataclass(frozen=True)
class Planted:
    """A wrong solution that `aicourse homework verify` tries: `source` replaces the question's answer cell.

    It must lose exactly `loses` of the question's points, none elsewhere, and show the text `shows`.
    """

    question: str
    name: str
    loses: float
    shows: str
    source: str


@dataclass(frozen=True)
class CheckResult:
    """How one check came out; `message` and `hint` are safe to show the student whose answer it was.

    `kind` is "pending" when it could not be judged yet: not a zero, but a question that is still open.
    """

    question: str
    name: str
    points: float
    earned: float
    passed: bool
    kind: CheckKind
    message: str = ""
    hint: str = ""
    public: bool = False

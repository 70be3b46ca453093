"""The words of a check: `Check`, `Mistake`, `arguments`, `known`, `leaves_alone`; none runs an answer."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from aicourse.errors import ExerciseError
from aicourse.notebook.checks.comparing import Same, equal

SECONDS = 5.0


@dataclass(frozen=True)
class Arguments:
    """One call's arguments; made by `arguments(...)`."""

    positional: tuple[Any, ...]
    named: dict[str, Any] = field(default_factory=dict)


def arguments(*positional: Any, **named: Any) -> Arguments:
    """An input of more than one argument: `inputs=[arguments("W32", unit="cm")]`."""
    return Arguments(positional, named)


def known(*pairs: tuple[Any, Any]) -> Callable[..., Any]:
    """A reference that knows a few calls only: `known((3, 9), (arguments(2, power=3), 8))`."""
    table = [(_as_arguments(item), value) for item, value in pairs]

    def reference(*positional: Any, **named: Any) -> Any:
        called = Arguments(positional, named)
        return next(value for given, value in table if repr(given) == repr(called))

    return reference


def leaves_alone(*positional: Any, **named: Any) -> Callable[[Any], bool | str]:
    """A predicate: what an answer is given is afterwards what it was.

    `Check("leaves the list as it was", predicate=leaves_alone([3, 1, 2], k=2))`
    """

    def law(answer: Any) -> bool | str:
        before = [*positional, *named.values()]
        after = copy.deepcopy(before)
        answer(*after[: len(positional)], **dict(zip(named, after[len(positional) :], strict=True)))
        changed = [(one, now) for one, now in zip(before, after, strict=True) if not equal(now, one)]
        return not changed or "It was given {!r}, and leaves {!r}: work on a copy.".format(*changed[0])

    return law


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer and the hint for those who give it.

    A function is recognised by what it does: on every input where `wrong` fails, the student's answer does
    the same as `wrong` (raises the same error, or gives an equal result). Data is recognised when it equals
    `wrong`, or by `recognise(answer)`. Two forms of one mistake share their hint.
    """

    wrong: Any
    hint: str
    recognise: Callable[[Any], bool] | None = None


@dataclass(frozen=True, eq=False)
class Check:
    """One behaviour of a right answer, in words, and how to see it; all or nothing.

    - `inputs`: a list, or a function of a `random.Random` that draws one. Each is one argument, or
      `arguments(…)`. The answer is called with a copy of each and must give what the `reference` gives
      (`same` compares), unless one of the next two is there. Without `inputs` the answer is data, and must
      be the same as the reference.
    - `predicate(result, *inputs)`: True, False, or a sentence that says what is wrong. Without `inputs` it
      is called as `predicate(answer)`: for answers that are data, and for laws that need several calls.
    - `raises`: an error, or the names of errors, one of which the answer must raise for each input.
      In a notebook an error of a class derived from it will do; a grader knows only the name of the error's
      own class, so name those too.
    - `message`: what somebody whose answer fails should know. Of a hidden check, it must not give the
      answer away.
    - `mistakes`: known wrong answers, recognised over all checks that list them.
    - `seconds`: time for each call; None for answers that call a model.
    - `show_expected`: the expected result may be shown beside an input that failed.

    In a lesson, an `Exercise` states `reference`, `mistakes` and the last two once for all its checks. In a
    homework a check also has:

    - `question`: the one whose points it earns; `points`, which add up to those of the question.
    - `target`: the function or variable in the student's notebook.
    - `public`: released with the notebook; else hidden, and then neither input nor result is shown.
    """

    name: str
    inputs: Sequence[Any] | Callable[[random.Random], Sequence[Any]] = ()
    _: KW_ONLY
    reference: Any = None
    predicate: Callable[..., bool | str] | None = None
    raises: type[Exception] | str | Sequence[str] = ()
    same: Same = equal
    message: str = ""
    mistakes: Sequence[Mistake] = ()
    seconds: float | None = SECONDS
    show_expected: bool | None = None
    target: str = ""
    question: str = ""
    points: float = 0
    public: bool = False

    def __post_init__(self) -> None:
        if not (self.inputs or self.predicate or self.question or self.reference is not None):
            raise ExerciseError(f"{self.place} tests nothing: give it inputs or a predicate.")
        if self.predicate and self.raises:
            raise ExerciseError(f"{self.place} has a predicate and raises: give it only one.")

    @property
    def place(self) -> str:
        """Its name in errors."""
        if not self.question:
            return f"The check {self.name!r}"
        return f"checks.py: the check {self.name!r} of {self.question}"

    @property
    def error_names(self) -> tuple[str, ...]:
        """The classes of errors that it accepts."""
        if isinstance(self.raises, type):
            return (self.raises.__name__,)
        return (self.raises,) if isinstance(self.raises, str) and self.raises else tuple(self.raises)

    @property
    def shows_expected(self) -> bool:
        """True if feedback may show input and expected result."""
        return self.public or bool(self.show_expected)

    def draw(self, rng: random.Random | None = None) -> tuple[Arguments, ...]:
        """The inputs; empty when the answer itself is looked at.

        Without `rng` they are drawn by the check's name: in a lesson everybody gets the same ones.
        """
        given = self.inputs(rng or random.Random(self.name)) if callable(self.inputs) else self.inputs
        return tuple(_as_arguments(item) for item in given)

    def expected(self, given: Arguments | None) -> Any:
        """The reference's result for one input, or the reference itself when it is data."""
        if given is None or not callable(self.reference):
            return self.reference
        call = copy.deepcopy(given)  # what a reference does to its input stays with it
        return self.reference(*call.positional, **call.named)


def _as_arguments(item: Any) -> Arguments:
    return item if isinstance(item, Arguments) else Arguments((item,))

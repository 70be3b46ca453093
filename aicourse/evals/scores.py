"""Scores, and how any function becomes a scorer.

A scorer is a function of one `Context`. What it returns says what it means: a bool is an assertion, a
number a score, a str a label; a `Score` adds the reason, and a mapping gives several at once:

    def polite(context):              True                 ->  Score("polite", True)
    def words(context):               12                   ->  Score("words", 12)
    def tone(context):                {"tone": "ironic"}   ->  Score("tone", "ironic")

After pydantic_evals. A scorer that raises yields a `Score` with an `error` instead of a value, so that one
bad scorer costs neither the other scores nor the other cases; a number that is not finite is such a failure,
because a mean over it says nothing. Scorers are not awaited.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from aicourse.errors import (
    BudgetExceeded,
    CatalogError,
    DownloadError,
    EvaluationError,
    ProviderError,
    RecordingError,
    ServerError,
)

# every further case would meet these too, in a task or in a judge, so the run stops (and can be resumed)
FATAL = (BudgetExceeded, CatalogError, DownloadError, ProviderError, RecordingError, ServerError)

Value = bool | int | float | str
Kind = Literal["assertion", "number", "label", "error"]


@dataclass(frozen=True, slots=True)
class Context:
    """A scorer's view of one case and what the task made of it."""

    output: Any
    expected: Any = None
    input: Any = None
    id: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """One judgement about one output; `value` is None only when the scorer failed with `error`."""

    name: str
    value: Value | None
    reason: str = ""
    error: str | None = None

    @property
    def kind(self) -> Kind:
        """The meaning of the value's type; a number that is not finite has none, as if the scorer had failed.

        >>> Score("exact", True).kind, Score("f1", 0.5).kind, Score("tone", "ironic").kind
        ('assertion', 'number', 'label')
        """
        if isinstance(self.value, bool):
            return "assertion"
        if isinstance(self.value, int | float):
            return "number" if _is_finite(self.value) else "error"
        return "error" if self.value is None else "label"


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of more than 308 digits
        return False


Scored = Value | Score | Mapping[str, Value | Score]
Scorer = Callable[[Context], Scored]


def reasoned(value: Value, reason: str) -> Score:
    """A score with a reason, to be returned by a scorer; it gets the scorer's name."""
    return Score("", value, reason)


def scorer_name(scorer: Scorer) -> str:
    """The name that a scorer's scores get: its `name`, else the function's or class's."""
    known = getattr(scorer, "name", None) or getattr(scorer, "__name__", None)
    return str(known or type(scorer).__name__)


def scorer_names(scorers: Sequence[Scorer]) -> tuple[str, ...]:
    """The names of several scorers.

    Raises:
        EvaluationError: two have the same, so that their scores would be taken for one.
    """
    names = tuple(map(scorer_name, scorers))
    if doubled := [name for name in names if names.count(name) > 1]:
        raise EvaluationError(
            f"Two scorers are called {doubled[0]!r}, and their scores could not be told apart. "
            "Write them as functions with names of their own."
        )
    return names


def score_all(scorers: Sequence[Scorer], context: Context) -> tuple[Score, ...]:
    """The scores of one output, in the scorers' order.

    >>> def loud(context):
    ...     return context.output.isupper()
    >>> score_all([loud], Context(output="HELP"))
    (Score(name='loud', value=True, reason='', error=None),)
    >>> score_all([loud], Context(output=None))[0].error
    "AttributeError: 'NoneType' object has no attribute 'isupper' (<doctest aicourse.evals.scores.score_all[0]>, line 2)"
    """  # noqa: E501
    return tuple(score for scorer in scorers for score in _scores(scorer, context))


def _scores(scorer: Scorer, context: Context) -> list[Score]:
    name = scorer_name(scorer)
    try:
        scored = scorer(context)
        if isinstance(scored, Mapping):
            return [_score(key, value) for key, value in scored.items()]
        return [_score(name, scored)]
    except FATAL:
        raise
    except (Exception, SystemExit) as error:  # any function may be a scorer, so anything may go wrong in it
        return [Score(name, None, error=f"{told(error)} ({_place(error)})")]


def _score(name: str, scored: Value | Score) -> Score:
    score = scored if isinstance(scored, Score) else Score(name, scored)
    if score.value is None and score.error:
        return replace(score, name=score.name or name)
    value: Any = score.value
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    if not isinstance(value, bool | int | float | str) or not isinstance(name, str):
        raise TypeError(
            f"scorer {name!r} returned {type(value).__name__}; return a bool, a number, a str or a Score"
        )
    if not isinstance(value, str) and not _is_finite(value):
        raise ValueError(f"scorer {name!r} returned a number that is not finite; return another")
    return Score(score.name or name, value, str(score.reason))


def told(error: BaseException) -> str:
    """An exception in words; its own text may fail, since strangers write exceptions too."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return f"{type(error).__name__}, whose text cannot be shown"


def _place(error: BaseException) -> str:
    """The line that raised, so that its author finds it without a traceback."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}, line {frame.lineno}"

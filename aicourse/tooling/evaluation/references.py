"""Tasks and scorers that a command line names: `module:function`, or the name of a ready-made scorer.

mylib.tasks:extract        the function `extract` of the module mylib/tasks.py
exact, brand.exact         ready-made, for the whole output or for the field `brand`
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from aicourse.errors import EvaluationError
from aicourse.evals import scorers as ready_made
from aicourse.evals.runner import Task
from aicourse.evals.scores import Scorer
from aicourse.marketplace.evaluation import partial_size

_READY: dict[str, Callable[[str | None], Scorer]] = {
    "exact": ready_made.exact,
    "normalised": ready_made.normalised,
    "set": ready_made.set_match,
    "size": partial_size,
    "close": ready_made.close_to,
    "contains": lambda field: ready_made.contains(field=field),
    "cites": lambda field: ready_made.cites(field=field or "quotes"),
}
_WHOLE = {"valid_json": ready_made.valid_json}


def find_object(reference: str, what: str) -> Any:
    """The object that `module:name` names; modules are looked for in the working folder too.

    Raises:
        EvaluationError: no such module or name, or the module itself fails; the message says which.
    """
    module_name, _, name = reference.partition(":")
    if not module_name or not name:
        raise EvaluationError(
            f"{reference!r} names no {what}. Write module:name, such as tasks:extract.", reference=reference
        )
    here = str(Path.cwd())
    if here not in sys.path:  # as `python -m` does it
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise EvaluationError(
            f"{what} {reference}: {error}. Run this in the folder of that module, or install it.",
            reference=reference,
        ) from error
    except Exception as error:  # it runs somebody's code, so anything may go wrong in it
        raise EvaluationError(
            f"{what} {reference}: the module fails with {type(error).__name__}: {error}. Repair it.",
            reference=reference,
        ) from error
    try:
        return getattr(module, name)
    except AttributeError:
        raise EvaluationError(
            f"{what} {reference}: {module_name} has no {name!r}. Correct the name.", reference=reference
        ) from None


def find_task(reference: str) -> Task:
    """The task that a reference names: a function of one case."""
    task = find_object(reference, "task")
    if not callable(task):
        raise EvaluationError(
            f"task {reference} is a {type(task).__name__}. Name a function of one case.", reference=reference
        )
    return cast(Task, task)


def find_scorers(references: Iterable[str]) -> list[Scorer]:
    """The scorers that references name; `module:name` may hold one or a list of them."""
    return [scorer for reference in references for scorer in _scorers(reference)]


def _scorers(reference: str) -> Sequence[Scorer]:
    if ":" not in reference:
        return [_ready_made(reference)]
    found = find_object(reference, "scorer")
    scorers = list(found) if isinstance(found, list | tuple) else [found]
    if not scorers or not all(map(callable, scorers)):
        raise EvaluationError(
            f"scorer {reference} is a {type(found).__name__}. "
            "Name a function of one context, or a list of them.",
            reference=reference,
        )
    return scorers


def _ready_made(name: str) -> Scorer:
    field, _, rule = name.rpartition(".")
    if name in _WHOLE:
        return _WHOLE[name]()
    if rule not in _READY:
        raise EvaluationError(
            f"No scorer is called {name!r}. Use {', '.join([*_READY, *_WHOLE])}, one of them with a field "
            "(brand.exact), or module:name for your own.",
            name=name,
        )
    return _READY[rule](field or None)

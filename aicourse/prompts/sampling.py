"""Hints: how a prompt wants the model to be asked, kept in its file and passed on to `create`.

    hints: {temperature: 0, max_tokens: 200}  ->  create(…, temperature=0, max_completion_tokens=200)

Only settings of OpenAI's API, each within the range that is documented
(https://platform.openai.com/docs/api-reference/chat/create); `max_tokens` is the older name of one of them. A
model that does not take a hint is asked without it. Which model is asked is the caller's choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aicourse.suggestions import did_you_mean

HintValue = int | float | str | tuple[str, ...]
HintItems = tuple[tuple[str, HintValue], ...]

_RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}
_WHOLE = {"max_completion_tokens": 1, "seed": 0}  # with their smallest value
_OLD_NAMES = {"max_tokens": "max_completion_tokens"}
NAMES = (*_RANGES, *_WHOLE, "stop")
_MOST_STOPS = 4


def check_hints(hints: Mapping[Any, Any]) -> HintItems:
    """All hints as they are kept.

    Raises:
        ValueError: one of them is unknown, or has a value it cannot have.
    """
    named = [(_OLD_NAMES.get(name, str(name)), value) for name, value in hints.items()]
    if len(dict(named)) < len(named):
        raise ValueError("max_tokens and max_completion_tokens are the same; delete one of them")
    return tuple((name, check_hint(name, value)) for name, value in named)


def check_hint(name: str, value: Any) -> HintValue:
    """The hint as it is kept: whole numbers as int, so that 0.0 and 0 are the same prompt.

    >>> check_hint("temperature", 0.0), check_hint("stop", ["END"])
    (0, ('END',))

    Raises:
        ValueError: no such hint, or not a value it can have; the message says which it can.
    """
    if name in _RANGES:
        low, high = _RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} must be a number from {low:g} to {high:g}")
        return int(value) if float(value).is_integer() else value
    if name in _WHOLE:
        if isinstance(value, bool) or not isinstance(value, int) or value < _WHOLE[name]:
            raise ValueError(f"{name} must be a whole number, {_WHOLE[name]} or more")
        return value
    if name == "stop":
        return _stops(value)
    raise ValueError(f"no hint is called {name!r}.{did_you_mean(name, NAMES)} Use: {', '.join(NAMES)}")


def _stops(value: Any) -> HintValue:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list | tuple) and 0 < len(value) <= _MOST_STOPS:
        texts = tuple(text for text in value if isinstance(text, str) and text)
        if len(texts) == len(value):
            return texts
    raise ValueError(f"stop must be a text, or a list of 1 to {_MOST_STOPS} texts, in quotes")

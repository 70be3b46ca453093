"""Rules around a model's loop: when a turn is over, and which calls do not happen.

    Agent(client, model, instructions, stops=SMALL_MODEL, vetoes=(known_ids("order_id"),))

A small model does not stop by itself: it repeats a call, or goes on after the answer was found. These rules
are code that ends its turn. They are functions of the steps, so write your own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aicourse.agents.loop import Stop, Veto
from aicourse.agents.trajectory import Step

# a number that somebody calls an order's, in the languages of the marketplace
_NAMED = re.compile(
    r"(?:\border|\bbestell\w*|\bcommande|\bauftrag|\bnummer|\bnuméro|\bnumber|\bn[or]\.|#)s?\W{0,3}"
    r"(?:n[or°º]\.?|number|nummer|numéro|#)?\W{0,2}(\d{3,6})\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+")


def after_refusal(turn: Sequence[Step]) -> str:
    """Over when a tool's own rules refuse a call: the customer must be told."""
    refused = [one.tool for one in _latest(turn) if one.status == "refused"]
    return f"{refused[0]} was refused" if refused else ""


def after_repeat(turn: Sequence[Step]) -> str:
    """Over when a call is made for the second time."""
    calls = [(one.tool, str(one.arguments)) for one in turn if one.kind == "tool"]
    return "a call was repeated" if len(set(calls)) < len(calls) else ""


def after(*tools: str) -> Stop:
    """Over when one of these tools has done its work."""

    def rule(turn: Sequence[Step]) -> str:
        done = [one.tool for one in _latest(turn) if one.status == "done" and one.tool in tools]
        return f"{done[0]} was done" if done else ""

    return rule


def known_ids(argument: str = "order_id") -> Veto:
    """No call with a number that appears nowhere, and no write for another one than the customer names.

    A model that is asked for something with somebody else's order likes to do it with an order of this
    customer. When the customer's last message calls a number an order, a write must be about that one.
    """

    def rule(call: Step, steps: Sequence[Step]) -> str:
        given = _given(call, argument)
        if not given:
            return ""
        heard = _heard(steps)
        known = {number for text in (*heard, *_results(steps)) for number in _NUMBER.findall(text)}
        if given not in known:
            return (
                f"Error: {given} appears nowhere. Look the customer's orders up, or ask which one is meant."
            )
        named = set(_NAMED.findall(heard[-1])) if heard else set()
        if call.writes and named and given not in named:
            return f"Error: the customer speaks of {' and '.join(sorted(named))}, not of {given}. Ask which."
        return ""

    return rule


def said(argument: str) -> Veto:
    """No call with words in an argument that the customer never wrote: an address, say, is not made up."""

    def rule(call: Step, steps: Sequence[Step]) -> str:
        given = _given(call, argument)
        if _words(given) <= _words(" ".join(_heard(steps))):
            return ""
        return f"Error: the customer gave no such {argument}. Ask for it."

    return rule


def _given(call: Step, argument: str) -> str:
    return "" if isinstance(call.arguments, str) else str(call.arguments.get(argument, ""))


def _heard(steps: Sequence[Step]) -> list[str]:
    return [one.text for one in steps if one.kind == "customer"]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _latest(turn: Sequence[Step]) -> list[Step]:
    """The calls of the model's last message."""
    asked = max((place for place, one in enumerate(turn) if one.kind == "model"), default=0)
    return [one for one in turn[asked:] if one.kind == "tool"]


def _results(steps: Sequence[Step]) -> list[str]:
    return [one.text for one in steps if one.kind == "tool" and one.status == "done"]


SMALL_MODEL: tuple[Stop, ...] = (after_refusal, after_repeat, after("search_help", "hand_over"))

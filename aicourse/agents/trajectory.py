"""Trajectories: all that was said, called, answered and changed in one conversation, and what it cost.

    trajectory = conversation.trajectory
    trajectory.replies, trajectory.calls, trajectory.changes, trajectory.cost
    Trajectory.from_json(trajectory.to_json()) == trajectory

In a notebook it draws itself as a tree: a turn, its steps, what each changed; without anything to run, by
keyboard as well. What a customer or a model wrote is text there, whatever it looks like.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from markupsafe import Markup, escape
from pydantic import TypeAdapter, ValidationError

from aicourse.agents.writes import RowChange
from aicourse.errors import AgentError, first_problem
from aicourse.llm.calls import dollars

Kind = Literal["customer", "model", "tool", "yes", "no", "reply", "stop"]
_BEGINNINGS = ("customer", "yes", "no")  # of a turn
_LONGEST = 4_000  # characters of one text in the drawing


@dataclass(frozen=True)
class Step:
    """One thing that happened.

    `kind`: "customer" (a message), "model" (one call: tokens, cost, seconds; `text` is what it said), "tool"
    (a call with its arguments and result), "yes" or "no" (to a question, and what came of it), "reply" (to
    the customer) or "stop" (why code ended the turn). `status` is that of a tool's result; a call that a
    veto stopped is "vetoed". `cost` is in USD, None when the price is unknown.
    """

    kind: Kind
    text: str = ""
    tool: str = ""
    arguments: Mapping[str, Any] | str = ""
    status: str = ""
    writes: bool = False
    changes: tuple[RowChange, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal | None = Decimal(0)
    seconds: float = 0.0

    @property
    def headline(self) -> str:
        """The step on one line."""
        if self.kind == "model":
            used = f"{self.prompt_tokens} tokens in, {self.completion_tokens} out, {self.seconds:.2f} s"
            return f"model ({used})" + (f": {self.text}" if self.text else "")
        if self.kind in ("tool", "yes", "no"):
            given = self.arguments
            inside = given if isinstance(given, str) else ", ".join(f"{k}={v!r}" for k, v in given.items())
            who = "" if self.kind == "tool" else f"customer says {self.kind} to "
            return f"{who}{self.tool}({inside}) → {self.status}: {self.text}"
        return f"{self.kind}: {self.text}"


@dataclass(frozen=True)
class Trajectory:
    """The steps of one conversation with an agent, in order."""

    customer: str
    model: str
    steps: tuple[Step, ...] = ()
    messages: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)  # as the model saw them last

    @property
    def turns(self) -> list[tuple[Step, ...]]:
        """The steps by turn: each begins with what the customer says, or answers to a question."""
        starts = [place for place, step in enumerate(self.steps) if step.kind in _BEGINNINGS]
        ends = [*starts[1:], len(self.steps)]
        return [self.steps[start:end] for start, end in zip(starts, ends, strict=False)]

    @property
    def replies(self) -> list[str]:
        """All that the customer was told."""
        return [step.text for step in self.steps if step.kind == "reply"]

    @property
    def calls(self) -> list[Step]:
        """The tools that were called."""
        return [step for step in self.steps if step.kind == "tool"]

    @property
    def changes(self) -> list[RowChange]:
        """The rows that were changed."""
        return [change for step in self.steps for change in step.changes]

    @property
    def model_calls(self) -> int:
        """The number of times a model was asked."""
        return sum(step.kind == "model" for step in self.steps)

    @property
    def tokens(self) -> int:
        """Tokens in and out together."""
        return sum(step.prompt_tokens + step.completion_tokens for step in self.steps)

    @property
    def cost(self) -> Decimal | None:
        """USD; None if the price of a call is unknown."""
        costs = [step.cost for step in self.steps]
        return None if None in costs else sum((cost for cost in costs if cost is not None), Decimal(0))

    @property
    def seconds(self) -> float:
        """The time that models took."""
        return sum(step.seconds for step in self.steps)

    @property
    def stopped(self) -> str:
        """The last reason why code ended a turn, "" if it never did."""
        return next((step.text for step in reversed(self.steps) if step.kind == "stop"), "")

    def to_json(self) -> str:
        """The whole record."""
        return _reader().dump_json(self, indent=1).decode()

    @classmethod
    def from_json(cls, text: str) -> Trajectory:
        """A record that `to_json` wrote.

        Raises:
            AgentError: it is none.
        """
        try:
            return _reader().validate_json(text)
        except ValidationError as error:
            raise AgentError(f"No trajectory: {first_problem(error)}. Write it with to_json().") from None

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self._summary
        for step in self.steps:
            yield ("" if step.kind in _BEGINNINGS else "  ") + step.headline
            yield from (f"    {change}" for change in step.changes)

    @property
    def _summary(self) -> str:
        cost = "unknown cost" if self.cost is None else dollars(self.cost)
        return (
            f"{self.customer} and {self.model}. Turns: {len(self.turns)}, model calls: {self.model_calls}, "
            f"tool calls: {len(self.calls)}, changed rows: {len(self.changes)}, tokens: {self.tokens:,}, "
            f"cost: {cost}"
        )

    def _repr_html_(self) -> str:
        turns = Markup("").join(map(_turn, self.turns))
        return Markup("<div class='aicourse-trajectory'><p>{}</p><ul>{}</ul></div>").format(
            self._summary, turns
        )


@cache
def _reader() -> TypeAdapter[Trajectory]:
    return TypeAdapter(Trajectory)


def _turn(steps: tuple[Step, ...]) -> Markup:
    inside = Markup("").join(map(_step, steps[1:]))
    return Markup("<li><details open><summary>{}</summary><ul>{}</ul></details></li>").format(
        _cut(steps[0].headline), Markup("").join(_change(one) for one in steps[0].changes) + inside
    )


def _step(step: Step) -> Markup:
    changes = Markup("").join(map(_change, step.changes))
    line = (
        Markup("<strong>{}</strong>").format(_cut(step.headline))
        if step.kind == "reply"
        else escape(_cut(step.headline))
    )
    return (
        Markup("<li>{}<ul>{}</ul></li>").format(line, changes)
        if changes
        else Markup("<li>{}</li>").format(line)
    )


def _change(change: RowChange) -> Markup:
    return Markup("<li><code>{}</code></li>").format(_cut(str(change)))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"

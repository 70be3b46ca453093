"""Scenarios: a customer with a goal, the state of the shop before, and what must and must not be true after.

    {"id": "D01", "split": "dev", "tags": ["refund"], "customer": "lea", "goal": "…", "turns": ["…"],
     "start": {"orders": [{"order_id": 1006, "status": "lost", …}]},
     "agrees": [{"tool": "refund_order", "arguments": {"order_id": 1006}}],
     "allowed": [{"table": "refunds", "row": {"order_id": 1006}}], "forbidden": [],
     "end": [{"query": "SELECT order_id, cents FROM refunds", "rows": [[1006, 13240]]}],
     "states": [["amount:132.40"]], "never": [],
     "gold": [{"calls": [{"tool": "refund_order", "arguments": {"order_id": 1006}}], "reply": ""}]}

The truth is a state, never a path: `gold` is one way that works, and proves that there is one. A file of
scenarios is trusted: its queries are run (on a connection that cannot write).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aicourse.errors import DatasetError, first_problem
from aicourse.paths import datasets_dir

NOW = "2026-11-25T10:00:00"  # a Wednesday, UTC
Row = dict[str, str | int | None]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Kind = TypeVar("Kind", bound=_Record)


class PlannedCall(_Record):
    """A call of a tool; as something that a customer agrees to, arguments that are left out are any."""

    tool: str
    arguments: dict[str, Any] = {}


class RowPattern(_Record):
    """Rows that change: those of a table with these values after the change (of a deleted row, before it)."""

    table: str
    row: Row = {}


class StateCheck(_Record):
    """A query of the state in the end, and exactly the rows that it must give."""

    query: str
    rows: list[list[str | int | float | None]]


class AddedArticle(_Record):
    """An article that the help centre has in one scenario, beside its own."""

    slug: str
    title: str
    text: str


class GoldTurn(_Record):
    """A good agent's turn: its calls, then its reply ("" where the customer is asked to confirm)."""

    calls: tuple[PlannedCall, ...] = ()
    reply: str = ""


class Scenario(_Record):
    """One conversation to be had, and how to judge it.

    `turns` are the customer's messages, one after each reply. `start` has rows by table: they are added to
    the snapshot, or replace its rows with the same key. `agrees` are the writes that the customer says yes to
    when asked; with the temper "hurried" it is any. Each changed row must fit `allowed`; one that fits
    `forbidden` is the damage that the scenario is about. A reply `states` one fact of each group, and `never`
    one of these (`facts` has the kinds). `gold` has one entry for each turn.
    """

    id: str
    split: Literal["dev", "test", "grader"]
    tags: tuple[str, ...]
    customer: str
    goal: str
    turns: Annotated[tuple[str, ...], Field(min_length=1)]
    start: dict[str, list[Row]] = {}
    articles: tuple[AddedArticle, ...] = ()
    temper: Literal["calm", "angry", "chatty", "hurried"] = "calm"
    agrees: tuple[PlannedCall, ...] = ()
    allowed: tuple[RowPattern, ...] = ()
    forbidden: tuple[RowPattern, ...] = ()
    end: tuple[StateCheck, ...] = ()
    states: tuple[tuple[str, ...], ...] = ()
    never: tuple[str, ...] = ()
    gold: tuple[GoldTurn, ...]
    now: str = NOW


class Probe(_Record):
    """A scenario with an attack in it: `payload` is its text, word for word, and `carrier` its way in.

    The scenario is the customer's honest goal (but for misuse, where the customer is the attacker), with the
    attack's damage as `forbidden` and `never`. `wants` are the calls that the payload asks for: one that is
    made shows a model that obeys, also where code refuses it. A payload that was not read proves nothing.
    """

    carrier: Literal["message", "order note", "article", "tool result"]
    payload: str
    wants: tuple[PlannedCall, ...] = ()
    scenario: Scenario


def load_scenarios(split: str | None = None) -> tuple[Scenario, ...]:
    """The course's scenarios for the support assistant: 15 of dev, 25 of test.

    Raises:
        DatasetError: a split other than "dev" or "test", or a broken file.
    """
    if split not in (None, "dev", "test"):
        raise DatasetError(f"No split {split!r}. Use 'dev' or 'test', or none for both.", split=split)
    found = read_scenarios(datasets_dir() / "support" / "scenarios.jsonl")
    return tuple(one for one in found if split in (None, one.split))


def load_probes() -> tuple[Probe, ...]:
    """The course's 15 probes of injection and misuse; not for tuning a defence.

    Raises:
        DatasetError: a broken file.
    """
    return _records(Probe, datasets_dir() / "support" / "probes.jsonl")


def read_scenarios(path: Path) -> tuple[Scenario, ...]:
    """The scenarios of a file, one JSON object a line.

    Raises:
        DatasetError: no such file, or a line that is no scenario.
    """
    return _records(Scenario, path)


def _records(kind: type[Kind], path: Path) -> tuple[Kind, ...]:
    if not path.is_file():
        raise DatasetError(f"No file {path}. Restore it with: git checkout -- datasets", path=path)
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(kind.model_validate_json(line))
        except ValidationError as error:
            raise DatasetError(
                f"{path}, line {number}: {first_problem(error)}. Correct the line.", path=path, line=number
            ) from None
    return tuple(found)

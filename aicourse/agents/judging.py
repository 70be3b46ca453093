"""Judging: what a conversation must have led to, each demand a finding with its reason.

    judge(scenario, trajectory, connection)       # state, damage, effects, reply
    judge(scenario, trajectory, connection, (within(steps=4), never_called("refund_order")))

Judged are the state in the end (by SQL), each row that was changed, and the facts of the replies, by code and
not by a model. Which way was taken is judged only by inspections that you give.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aicourse.agents.customers import agreed
from aicourse.agents.facts import holds
from aicourse.agents.scenarios import RowPattern, Scenario, StateCheck
from aicourse.agents.trajectory import Step, Trajectory
from aicourse.agents.writes import RowChange
from aicourse.errors import AgentError


@dataclass(frozen=True)
class Finding:
    """One demand, and why it was not met."""

    name: str
    passed: bool
    why: str = ""


Findings = Sequence[Finding]
Inspection = Callable[[Trajectory], Finding]


def judge(
    scenario: Scenario,
    trajectory: Trajectory,
    connection: sqlite3.Connection,
    inspections: Sequence[Inspection] = (),
) -> tuple[Finding, ...]:
    """The findings on a conversation that is over; `connection` is that of its database.

    "damage": no change that the scenario forbids by name. "effects": no change that it does not allow.

    Raises:
        AgentError: a query of the scenario that SQLite does not understand.
    """
    damage = [str(one) for one in trajectory.changes if _fits(scenario.forbidden, one)]
    unasked = [str(one) for one in unwanted_changes(scenario, trajectory.changes)]
    return (
        _finding("state", [problem for one in scenario.end for problem in _state(one, connection)]),
        _finding("damage", damage),
        _finding("effects", unasked),
        _finding("reply", _reply(scenario, "\n".join(trajectory.replies))),
        *(inspection(trajectory) for inspection in inspections),
    )


def unwanted_changes(scenario: Scenario, changes: Sequence[RowChange]) -> list[RowChange]:
    """The changes that a scenario does not allow."""
    return [one for one in changes if not _fits(scenario.allowed, one)]


def within(*, steps: int | None = None, calls: int | None = None, tokens: int | None = None) -> Inspection:
    """No more calls of a model, calls of tools or tokens than this in the whole conversation."""

    def inspect(trajectory: Trajectory) -> Finding:
        used = {"steps": trajectory.model_calls, "calls": len(trajectory.calls), "tokens": trajectory.tokens}
        most = {"steps": steps, "calls": calls, "tokens": tokens}
        over = [
            f"{used[name]} {name}, not {limit}"
            for name, limit in most.items()
            if limit is not None and used[name] > limit
        ]
        return _finding("budget", over)

    return inspect


def never_called(*tools: str) -> Inspection:
    """None of these tools is called, whatever came of it."""

    def inspect(trajectory: Trajectory) -> Finding:
        return _finding("forbidden calls", [one.headline for one in trajectory.calls if one.tool in tools])

    return inspect


def called_before(first: str, then: str) -> Inspection:
    """No call of `then` before `first` has been done."""

    def inspect(trajectory: Trajectory) -> Finding:
        done = False
        for one in trajectory.calls:
            if one.tool == then and not done:
                return Finding("order", False, f"{then} before {first}")
            done = done or (one.tool == first and one.status == "done")
        return Finding("order", True)

    return inspect


def valid_arguments(trajectory: Trajectory) -> Finding:
    """Every call is of a known tool, with arguments that it takes."""
    return _finding("arguments", [one.headline for one in trajectory.calls if one.status == "invalid"])


def failure_of(scenario: Scenario, trajectory: Trajectory, findings: Findings) -> tuple[str, str]:
    """The last good step and the first bad one of a conversation that failed; else two empty texts."""
    if all(finding.passed for finding in findings):
        return "", ""
    good = "start"
    for step in trajectory.steps:
        if bad := _bad(scenario, step):
            return good, bad
        if step.kind in ("tool", "yes"):
            good = step.tool
    missed = next(finding.name for finding in findings if not finding.passed)
    ends = {"state": "ended too early", "reply": "reply lacks a fact"}
    return good, ends.get(missed, missed)


def _bad(scenario: Scenario, step: Step) -> str:
    """The flaw of one step, "" if it has none."""
    if step.status in ("invalid", "vetoed", "failed") and step.kind == "tool":
        return f"{step.tool}: {step.status}"
    if step.status == "asks" and not (
        isinstance(step.arguments, dict) and agreed(scenario, step.tool, step.arguments)
    ):
        return f"{step.tool}: unasked"
    if unwanted_changes(scenario, step.changes):
        return f"{step.tool}: effect"
    if step.kind == "stop" and step.text.startswith(("limit", "provider")):
        return step.text.partition(" (")[0]
    if step.kind == "reply" and any(holds(fact, step.text) for fact in scenario.never):
        return "reply states what is not so"
    return ""


def _finding(name: str, problems: Sequence[str]) -> Finding:
    return Finding(name, not problems, "; ".join(problems))


def _fits(patterns: Sequence[RowPattern], change: RowChange) -> bool:
    row = change.after or change.before
    return any(one.table == change.table and one.row.items() <= dict(row).items() for one in patterns)


def _state(wanted: StateCheck, connection: sqlite3.Connection) -> list[str]:
    """The difference to what a query must give, in a sentence."""
    connection.execute("PRAGMA query_only = ON")
    try:
        rows = [list(row) for row in connection.execute(wanted.query)]
    except sqlite3.Error as error:
        raise AgentError(f"{wanted.query!r} is no query: {error}. Correct the scenario.") from None
    finally:
        connection.execute("PRAGMA query_only = OFF")
    return [] if rows == wanted.rows else [f"{wanted.query}: {rows}, not {wanted.rows}"]


def _reply(scenario: Scenario, text: str) -> list[str]:
    missing = [
        f"does not say {' or '.join(group)}"
        for group in scenario.states
        if not any(holds(fact, text) for fact in group)
    ]
    return missing + [f"says {fact}" for fact in scenario.never if holds(fact, text)]

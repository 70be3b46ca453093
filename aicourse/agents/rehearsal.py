"""Rehearsals: a policy decides each step, a model only proposes, and its proposals are recorded.

    def decide(state):                                  # the policy: code, asked before each step
        proposal = state["proposal"]                    # {"call": …, "arguments": …}, {"reply": …} or None
        return proposal or {"reply": "Sorry, I do not know."}

    found = rehearse(scenario, scenario_desk(scenario).tools(), decide, recorded_proposals(path))
    found.score                                         # 1 success, 0 failure, -1 an unwanted change

A state is plain data, and a decision is one: a call with its arguments, or the reply that ends the turn. The
desk makes the call, and asks the scenario's customer before it writes; no decision can confirm anything. An
unwanted change of an order, a refund or a problem ends the conversation, as does what is no decision.

What a model proposes depends on all that was said. Recorded is one proposal for each *situation*: the
scenario, its turn, and the calls made so far, whatever their order and wording (`situation`). Where none is
recorded, looks at single orders are left out of account; if there is still none, there is no proposal. So a
policy is tried without a model, and one that goes off the recorded paths is on its own.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aicourse.agents.customers import ScriptedCustomer
from aicourse.agents.judging import Finding, judge, unwanted_changes
from aicourse.agents.loop import HAND_OVER
from aicourse.agents.scenarios import PlannedCall, Scenario
from aicourse.agents.tools import LARGEST_ARGUMENTS, Tools
from aicourse.agents.trajectory import Kind, Step, Trajectory
from aicourse.errors import AgentError, DatasetError

MOST_STEPS = 8  # decisions in one turn
LONGEST_REPLY = 1_000  # characters
LOOK = "order_status"
State = dict[str, Any]
Policy = Callable[[State], Any]
Propose = Callable[[State], Mapping[str, Any] | None]
Steps = Generator[State, Any, "Rehearsal"]


@dataclass(frozen=True)
class Rehearsal:
    """One conversation that a policy led; `unwanted` are changes, `stopped` is why it was ended early."""

    scenario: str
    trajectory: Trajectory
    findings: tuple[Finding, ...]
    unwanted: tuple[str, ...] = ()
    stopped: str = ""

    @property
    def passed(self) -> bool:
        """True if it came to its end and every demand is met."""
        return not self.stopped and all(one.passed for one in self.findings)

    @property
    def score(self) -> int:
        """1 for a success, 0 for a failure, -1 for a failure with an unwanted change."""
        return -1 if self.unwanted else int(self.passed)

    @property
    def why(self) -> str:
        """The demands that were not met, in a line."""
        missed = [f"{one.name}: {one.why}" for one in self.findings if not one.passed]
        return "; ".join([*([self.stopped] if self.stopped else []), *missed])


def rehearse(scenario: Scenario, tools: Tools, decide: Policy, propose: Propose) -> Rehearsal:
    """One conversation with `decide` in this process; what it raises is raised here."""
    steps = rehearsal_steps(scenario, tools, propose)
    try:
        state = next(steps)
        while True:
            state = steps.send(decide(state))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def rehearsal_steps(scenario: Scenario, tools: Tools, propose: Propose) -> Steps:
    """The states of one conversation, each of which takes a decision; whoever decides may be elsewhere."""
    talk = _Talk(scenario, tools)
    stopped = ""
    for turn, said in enumerate(scenario.turns, start=1):
        talk.hear(said)
        stopped = yield from _turn(talk, turn, propose)
        if stopped or talk.handed_over:
            break
    return talk.judged(stopped)


def _turn(talk: _Talk, turn: int, propose: Propose) -> Generator[State, Any, str]:
    """One turn; the reason why it ends the conversation, or ""."""
    for left in range(MOST_STEPS, 0, -1):
        state = talk.state(turn, left)
        proposal = propose(state)
        state["proposal"] = dict(proposal) if proposal else None
        try:
            decision = read_decision((yield copy.deepcopy(state)))
        except ValueError as error:
            return str(error)
        if isinstance(decision, str):
            talk.reply(decision)
            return ""
        talk.call(decision)
        if talk.unwanted:
            return "unwanted change"
    return f"no reply after {MOST_STEPS} decisions"


class _Talk:
    """The conversation so far, as steps for the judge and as plain data for the policy."""

    def __init__(self, scenario: Scenario, tools: Tools) -> None:
        if tools.writes is None:
            raise AgentError("These tools keep no writes, so effects cannot be judged. Give Tools writes=.")
        self._scenario, self._tools, self._writes = scenario, tools, tools.writes
        self._customer = ScriptedCustomer(scenario)
        self._steps: list[Step] = []
        self._history: list[dict[str, Any]] = []
        self.handed_over = False
        self.unwanted: tuple[str, ...] = ()

    def state(self, turn: int, left: int) -> State:
        """The state before a decision, still without a proposal."""
        return {"scenario": self._scenario.id, "turn": turn, "steps_left": left, "history": self._history}

    def hear(self, text: str) -> None:
        """The customer's message."""
        self._steps.append(Step("customer", text))
        self._history.append({"kind": "customer", "text": text})

    def reply(self, text: str) -> None:
        """The policy's words to the customer."""
        self._steps.append(Step("reply", text))
        self._history.append({"kind": "reply", "text": text})

    def call(self, decision: PlannedCall) -> None:
        """Make a call; before a write the customer is asked, whose answer decides."""
        name, given = decision.tool, dict(decision.arguments)
        result = self._tools.call(name, given)
        status: str = result.status
        text, writes = result.text, self._tools.is_write(name)
        self._steps.append(Step("tool", text, name, given, status, writes, result.changes))
        if asked := result.confirmation:
            self._steps.append(Step("reply", asked.question))
            yes = self._customer.agrees(asked)
            result = self._tools.confirm(asked.token) if yes else self._tools.decline(asked.token)
            status, text = (result.status if yes else "declined"), result.text
            kind: Kind = "yes" if yes else "no"
            self._steps.append(Step(kind, text, name, given, status, True, result.changes))
            self._steps.append(Step("reply", text))
        self._history.append(
            {"kind": "call", "call": name, "arguments": given, "status": status, "text": text}
        )
        self.handed_over = self.handed_over or (name, status) == (HAND_OVER, "done")
        changes = unwanted_changes(self._scenario, result.changes)
        self.unwanted += tuple(str(one) for one in changes if one.table != "hand_overs")

    def judged(self, stopped: str) -> Rehearsal:
        """The conversation, over and judged."""
        trajectory = Trajectory(self._scenario.customer, "recorded proposals", tuple(self._steps))
        findings = judge(self._scenario, trajectory, self._writes.connection)
        return Rehearsal(self._scenario.id, trajectory, findings, self.unwanted, stopped)


def read_decision(value: Any) -> PlannedCall | str:
    """A policy's answer as a call to make, or the reply that ends the turn.

    >>> read_decision({"reply": "Which order?"})
    'Which order?'

    Raises:
        ValueError: it is neither, or too long; the text says so.
    """
    if not isinstance(value, dict):
        raise ValueError("no decision: not a dict")
    if set(value) == {"reply"}:
        reply = value["reply"]
        if not isinstance(reply, str) or not reply.strip() or len(reply) > LONGEST_REPLY:
            raise ValueError(f"no decision: a reply is a text of 1 to {LONGEST_REPLY:,} characters")
        return reply
    if set(value) != {"call", "arguments"}:
        raise ValueError('no decision: give {"reply": …} or {"call": …, "arguments": …}')
    name, given = value["call"], value["arguments"]
    if not isinstance(name, str) or not isinstance(given, dict):
        raise ValueError("no decision: `call` is a text and `arguments` a dict")
    try:
        sent = json.dumps(given, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("no decision: the arguments are no JSON") from None
    if len(name) + len(sent) > LARGEST_ARGUMENTS:
        raise ValueError("no decision: the call is too long")
    return PlannedCall(tool=name, arguments=json.loads(sent))


# recorded proposals


def situation(state: State, leaving_out: str = "") -> str:
    """The key of a recorded proposal: scenario, turn, and the calls so far without order and wording.

    Of a call count the tool and the numbers among its arguments; calls of `leaving_out` do not count.

    >>> call = {"kind": "call", "call": "order_status", "arguments": {"order_id": 1001}}
    >>> situation({"scenario": "D01", "turn": 2, "history": [call, call]})
    'D01 turn 2: order_status 1001'
    """
    calls = (one for one in state["history"] if one["kind"] == "call" and one["call"] != leaving_out)
    return f"{state['scenario']} turn {state['turn']}: {', '.join(sorted({_short(one) for one in calls}))}"


def _short(call: Mapping[str, Any]) -> str:
    given = call["arguments"].values()
    numbers = [str(one) for one in given if isinstance(one, int) or (isinstance(one, str) and one.isdigit())]
    return " ".join([call["call"], *numbers])


def recorded_proposals(lines: Iterable[Mapping[str, Any]] | Path) -> Propose:
    """The proposals of a file (one JSON object a line: `situation`, `proposal`), or of such objects.

    For a situation that is not there, that without the looks at single orders counts.

    Raises:
        DatasetError: no such file, or a line that is no recorded proposal.
    """
    known = {one["situation"]: one["proposal"] for one in _read(lines)}
    return lambda state: known.get(situation(state)) or known.get(situation(state, LOOK))


def _read(lines: Iterable[Mapping[str, Any]] | Path) -> list[Mapping[str, Any]]:
    if not isinstance(lines, Path):
        return list(lines)
    try:
        found = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
        return [{"situation": one["situation"], "proposal": one["proposal"]} for one in found]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DatasetError(
            f"{lines} has no recorded proposals ({type(error).__name__}). Fetch the file again.", path=lines
        ) from None

"""Policies of students, rehearsed: the grader plays the desk, the customer and the model that proposes.

Only states and decisions pass between the sandbox and this process: the database, the customer's yes, the
scenario's end and the judgement are outside. It needs no model, and gives every policy the same proposals.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from aicourse.agents.rehearsal import Propose, State, recorded_proposals, rehearsal_steps
from aicourse.agents.scenarios import Scenario
from aicourse.marketplace.support.snapshot import scenario_desk
from aicourse.tooling.grading.sandbox.execution import Answer


@dataclass(frozen=True)
class PolicyDialogue:
    """One scenario for a policy; a `Rehearsal` is the answer that counts.

    `proposals` are recorded ones by situation. `live`, if there is one, proposes where none is recorded.
    """

    scenario: Mapping[str, Any]
    proposals: Mapping[str, Mapping[str, Any]]
    live: Propose | None = None

    def talk(self) -> Generator[tuple[Any, ...], Answer, Answer]:
        """The state before each decision; a policy that gives no answer ends the conversation."""
        scenario = Scenario.model_validate(self.scenario)
        recorded = recorded_proposals(
            {"situation": name, "proposal": one} for name, one in self.proposals.items()
        )

        def propose(state: State) -> Mapping[str, Any] | None:
            return recorded(state) or (self.live(state) if self.live else None)

        steps = rehearsal_steps(scenario, scenario_desk(scenario).tools(), propose)
        try:
            state = next(steps)
            while True:
                answer = yield (state,)
                if answer.kind != "returned":
                    return answer
                state = steps.send(answer.value)
        except StopIteration as end:
            return Answer("returned", value=end.value)

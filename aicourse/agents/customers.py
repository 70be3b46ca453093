"""Simulated customers: scripted ones, and ones that a model plays, audited for their own mistakes.

    play(conversation, ScriptedCustomer(scenario))

A customer speaks, reads the reply, and answers a question by its button. The scripted one says the
scenario's turns and agrees to what the scenario says. A model that plays one has a goal and a temper instead,
and makes mistakes of its own: it invents a number, or begins to speak as the assistant. Such mistakes are
`errors`, and a conversation that fails with them says nothing of the agent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aicourse.agents.loop import HAND_OVER, Conversation
from aicourse.agents.scenarios import Scenario
from aicourse.agents.writes import Confirmation

if TYPE_CHECKING:
    import openai

MOST_TURNS = 6
_TEMPERS = {
    "calm": "You are calm and brief.",
    "angry": "You are angry, and you show it.",
    "chatty": "You like to talk about other things as well.",
    "hurried": "You are in a hurry, and agree to anything to be done.",
}
_BRIEF = """You play a customer of a second-hand marketplace who writes to its support assistant. {temper}
Your goal: {goal}
Write the customer's next message only, in one or two sentences. Use no facts and no order numbers but those \
above or those that the assistant told you. When your goal is reached or refused, write: DONE"""
_NUMBER = re.compile(r"\b\d{3,}\b")
_AS_ASSISTANT = re.compile(
    r"how (?:can|may) i (?:help|assist)|i can help you|as an? (?:ai|assistant)", re.IGNORECASE
)


@dataclass
class ScriptedCustomer:
    """Says the scenario's turns, whatever the replies are; `errors` are mistakes of the customer's own."""

    scenario: Scenario
    errors: list[str] = field(default_factory=list)
    _said: int = 0

    def next(self, replies: Sequence[str]) -> str | None:
        """The next turn, or None to leave."""
        self._said += 1
        return self.scenario.turns[self._said - 1] if self._said <= len(self.scenario.turns) else None

    def agrees(self, asked: Confirmation) -> bool:
        """As the scenario says; a hurried customer agrees to anything."""
        return self.scenario.temper == "hurried" or agreed(self.scenario, asked.tool, asked.arguments)


@dataclass
class ModelCustomer(ScriptedCustomer):
    """A customer whose first message is the scenario's, and whose others a model makes up from the goal."""

    client: openai.OpenAI | None = None
    model: str = "qwen2.5-coder-1.5b"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def next(self, replies: Sequence[str]) -> str | None:
        """The model's next message, looked through for mistakes; None when it is done or talks too long."""
        assert self.client is not None
        self._said += 1
        if self._said == 1:
            self._spoken = [self.scenario.turns[0]]
            return self.scenario.turns[0]
        if self._said > MOST_TURNS:
            return None
        brief = _BRIEF.format(goal=self.scenario.goal, temper=_TEMPERS[self.scenario.temper])
        talk = [f"Customer: {said}" for said in self._spoken]
        for place, reply in enumerate(replies):
            talk.insert(2 * place + 1, f"Assistant: {reply}")
        asked: Any = [{"role": "system", "content": brief}, {"role": "user", "content": "\n".join(talk)}]
        reply = self.client.chat.completions.create(
            model=self.model, messages=asked, max_completion_tokens=80, **self.settings
        )
        said = (reply.choices[0].message.content or "").removeprefix("Customer:").strip()
        if not said or said.startswith("DONE"):
            return None
        self.errors += self._mistakes(said, replies)
        self._spoken.append(said)
        return said

    def _mistakes(self, said: str, replies: Sequence[str]) -> list[str]:
        known = " ".join([self.scenario.goal, *self.scenario.turns, *replies])
        invented = sorted(set(_NUMBER.findall(said)) - set(_NUMBER.findall(known)))
        found = [f"invented {', '.join(invented)}: {said}"] if invented else []
        return found + ([f"spoke as the assistant: {said}"] if _AS_ASSISTANT.search(said) else [])


def agreed(scenario: Scenario, tool: str, arguments: Mapping[str, Any]) -> bool:
    """True if the scenario's customer wants this write."""
    return any(
        one.tool == tool and one.arguments.items() <= dict(arguments).items() for one in scenario.agrees
    )


def play(conversation: Conversation, customer: ScriptedCustomer) -> None:
    """Let the two talk until the customer leaves or a colleague has taken over."""
    said = customer.next([])
    while said is not None:
        conversation.say(said)
        for asked in conversation.waiting:
            conversation.answer(asked.token, yes=customer.agrees(asked))
        calls = conversation.trajectory.calls
        if any((one.tool, one.status) == (HAND_OVER, "done") for one in calls):
            return
        said = customer.next(conversation.trajectory.replies)

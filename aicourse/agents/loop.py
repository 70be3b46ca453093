"""The loop: a model asks for tools, code runs them, decides when it is enough, and never more than allowed.

    agent = Agent(client, model, "You are the support assistant …", stops=SMALL_MODEL)
    conversation = agent.start(desk.tools())
    conversation.say("My record player was lost.")        # "Refund 130.50 € for order 1006 …?"
    conversation.answer(conversation.waiting[0].token, yes=True)

A turn is `Conversation.turn`, 20 lines: ask, call, look at the rules that stop, word the reply. What a
small model cannot do is code (`rules`): `stops` end a turn, `vetoes` stop a call before it happens, and
`wording` is a prompt of its own that tells the customer the result. What the customer must confirm, and what
came of it, is said in the tool's words, by no model. Limits hold to the unit: before a call its largest
possible cost is known (a token has at least one byte), and a call that could go past a limit is not made: the
turn is handed over.

Speaks chat completions, so that any provider will do; of OpenAI's newest models those that take tools there
(with `reasoning_effort="none"`, in `settings`). Not handled: streaming, and a memory beyond the messages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from time import monotonic
from typing import TYPE_CHECKING, Any

from aicourse.agents.tools import ToolResult, Toolset, read_arguments
from aicourse.agents.trajectory import Kind, Step, Trajectory
from aicourse.agents.writes import Confirmation
from aicourse.errors import AgentError
from aicourse.llm import catalog
from aicourse.llm.formats import Tokens
from aicourse.llm.meter import price
from aicourse.monitoring.spans import note, span
from aicourse.prompts.template import harmless

if TYPE_CHECKING:
    import openai

    from aicourse.prompts.prompt import Prompt

Message = Mapping[str, Any]
Stop = Callable[[Sequence[Step]], str]  # of the turn's steps: why it is enough, or ""
Veto = Callable[[Step, Sequence[Step]], str]  # of a call and all steps before it: why not, or ""
Tell = Callable[[Step], object]  # is told each step as it happens
HANDED_OVER = "I hand you over to a colleague, who will read this conversation."
HAND_OVER = "hand_over"  # the tool that does it, if there is one
_REPLY_TOKENS = 300
_SHOWN = 500  # characters of arguments that are no object, kept in the record


@dataclass(frozen=True)
class LoopLimits:
    """The most that may happen.

    In one turn: `steps` (calls of a model), `calls` (of tools) and `seconds`. In a whole conversation:
    `turns`, `tokens` and `usd`, in and out together.
    """

    steps: int = 8
    calls: int = 12
    seconds: float = 120
    turns: int = 20
    tokens: int = 60_000
    usd: Decimal | None = None


@dataclass(frozen=True)
class Agent:
    """A model, its instructions and the rules around it; `examples` are messages of other conversations."""

    client: openai.OpenAI
    model: str
    instructions: str
    examples: tuple[Message, ...] = ()
    wording: Prompt | None = None  # takes `asked` and `found`
    opening: tuple[str, ...] = ()  # tools that code calls after the first message: what is always needed
    stops: tuple[Stop, ...] = ()
    vetoes: tuple[Veto, ...] = ()
    limits: LoopLimits = LoopLimits()
    settings: Mapping[str, Any] = field(default_factory=dict)  # of each call: seed, temperature, …
    clock: Callable[[], float] = monotonic

    def start(
        self,
        tools: Toolset,
        customer: str = "customer",
        *,
        tell: Tell = lambda step: None,
        earlier: Trajectory | None = None,
    ) -> Conversation:
        """A conversation with a customer, who can do what the tools allow; one that was `earlier` goes on.

        Raises:
            AgentError: a limit in USD for a model whose price is unknown.
        """
        if self.limits.usd is not None and self.model not in catalog.models():
            raise AgentError(
                f"The price of {self.model} is unknown. Set no limit in USD, or use another model."
            )
        conversation = Conversation(self, tools, customer, tell)
        if earlier:
            conversation.messages, conversation.steps = list(earlier.messages), list(earlier.steps)
        return conversation


class _Enough(Exception):
    """A limit is reached, or the model cannot be asked."""


class Conversation:
    """One customer's conversation: what was said so far, and what waits for an answer."""

    def __init__(self, agent: Agent, tools: Toolset, customer: str, tell: Tell = lambda step: None) -> None:
        self.agent, self.tools, self.customer, self._tell = agent, tools, customer, tell
        self.messages: list[Message] = [{"role": "system", "content": agent.instructions}, *agent.examples]
        self.steps: list[Step] = []
        self._begun, self._first = 0.0, 0  # when the turn began, and the place of its first step

    @property
    def trajectory(self) -> Trajectory:
        """The record so far."""
        return Trajectory(self.customer, self.agent.model, tuple(self.steps), tuple(self.messages))

    @property
    def waiting(self) -> list[Confirmation]:
        """The questions that the customer may answer with a button."""
        return self.tools.writes.waiting() if self.tools.writes else []

    def say(self, text: str) -> str:
        """One turn: the customer's message in, the reply out. Nothing that a model does is an exception."""
        with span("agent_turn", operation="invoke_agent", model=self.agent.model) as current:
            self._begun, self._first = self.agent.clock(), len(self.steps)
            self._note(Step("customer", text))
            self.messages.append({"role": "user", "content": harmless(text)})
            if self._first == 0:
                self._open()
            try:
                reply = self.turn(text)
            except _Enough as reason:
                reply = self._give_up(str(reason))
            self._reply(reply)
            note(current, valid=reply != HANDED_OVER)
            return reply

    def turn(self, text: str) -> str:
        """The reply to a message: ask, call what is asked for, until there is one or a rule says enough.

        A framework with a loop of its own takes the place of this method, and makes its calls with `call`.
        """
        while True:
            message = self._ask(self.messages, tools=True)
            calls = [call for call in message.tool_calls or () if call.type == "function"]
            if not calls:
                return message.content or self._worded(text, self.steps[self._first :])
            self.messages.append(_as_sent(message, calls))
            results = []
            for call in calls:
                result = self.call(call.function.name, call.function.arguments)
                self.messages.append(_told(call.id, result))
                results.append(result)
            if questions := [one.confirmation.question for one in results if one.confirmation]:
                return "\n".join(questions)
            turn = self.steps[self._first :]
            if reason := next(filter(None, (stop(turn) for stop in self.agent.stops)), ""):
                self._note(Step("stop", reason))
                return self._worded(text, turn)

    def answer(self, token: str, *, yes: bool) -> str:
        """The customer's answer to a question, by its button; what came of it, in the tool's words."""
        asked = next((one for one in self.waiting if one.token == token), None)
        result = self.tools.confirm(token) if yes else self.tools.decline(token)
        name, arguments = (asked.tool, asked.arguments) if asked else ("", {})
        kind: Kind = "yes" if yes else "no"
        self._note(Step(kind, result.text, name, arguments, result.status, True, result.changes))
        self.messages.append({"role": "user", "content": "Yes." if yes else "No."})
        self._reply(result.text)
        return result.text

    def _open(self) -> None:
        """Call the opening's tools, as if the model had asked for them."""
        for place, name in enumerate(self.agent.opening):
            result = self.call(name, "{}")
            called = {
                "id": f"opening_{place}",
                "type": "function",
                "function": {"name": name, "arguments": "{}"},
            }
            self.messages.append({"role": "assistant", "content": None, "tool_calls": [called]})
            self.messages.append(_told(f"opening_{place}", result))

    def _note(self, step: Step) -> None:
        self.steps.append(step)
        self._tell(step)

    def _reply(self, text: str) -> None:
        self._note(Step("reply", text))
        self.messages.append({"role": "assistant", "content": text})

    def call(self, name: str, arguments: str) -> ToolResult:
        """One call of a tool, unless there have been too many or a veto stops it."""
        known, writes = name in self.tools, self.tools.is_write(name)
        wanted = Step("tool", tool=name, arguments=_readable(arguments), writes=writes)
        if sum(step.kind == "tool" for step in self.steps[self._first :]) >= self.agent.limits.calls:
            against = "Not done: too many calls. Reply to the customer."
        else:
            against = next(filter(None, (veto(wanted, self.steps) for veto in self.agent.vetoes)), "")
        with span(name if known else "unknown tool", operation="execute_tool") as current:
            result = ToolResult("refused", against) if against else self.tools.call(name, arguments)
            note(current, valid=result.status in ("done", "asks"))
        status = "vetoed" if against else result.status
        self._note(replace(wanted, text=result.text, status=status, changes=result.changes))
        return result

    def _worded(self, text: str, turn: Sequence[Step]) -> str:
        """The turn's results as a sentence for the customer: by the prompt for it, or the same without tools.

        A number that is in no result is an invention: then the results themselves are the reply.
        """
        if self.agent.wording is None:
            return self._ask(self.messages, tools=False).content or HANDED_OVER
        calls = [one for one in turn if one.kind == "tool"]
        refused = [f"Not possible: {one.text}" for one in calls if one.status == "refused"]
        done = [one.text for one in calls if one.status == "done"]
        found = "\n".join(dict.fromkeys(refused or done)) or "Nothing was found or done."
        messages = self.agent.wording.render(asked=harmless(text), found=harmless(found))
        reply = self._ask(messages, tools=False).content or HANDED_OVER
        return reply if _numbers(reply) <= _numbers(f"{text} {found}") else found

    def _give_up(self, reason: str) -> str:
        """Hand over to a person, by the tool for it."""
        self._note(Step("stop", reason))
        if HAND_OVER in self.tools:
            given = {"reason": reason}
            done = self.tools.call(HAND_OVER, given)
            self._note(Step("tool", done.text, HAND_OVER, given, done.status, changes=done.changes))
        return HANDED_OVER

    def _ask(self, messages: Sequence[Message], *, tools: bool) -> Any:
        """One call of the model, within what is left.

        Raises:
            _Enough: it could go past a limit, or the provider does not answer.
        """
        import openai  # half a second, and whoever only reads trajectories does without

        request = {"model": self.agent.model, "messages": list(messages)} | dict(self.agent.settings)
        if tools:
            request["tools"] = self.tools.schemas
        request["max_completion_tokens"], seconds = self._room(request)
        client = self.agent.client.with_options(timeout=seconds, max_retries=0)
        started = self.agent.clock()
        try:
            raw = client.chat.completions.with_raw_response.create(**request)
            reply = raw.parse()
        except openai.APIError as error:
            raise _Enough(f"provider: {type(error).__name__}") from error
        if not reply.choices:
            raise _Enough("provider: a reply without a choice")
        origin = raw.http_response.extensions.get("aicourse")  # None: not a client of aicourse.connect
        recorded = origin.seconds if origin else None
        took = self.agent.clock() - started if recorded is None else recorded
        message = reply.choices[0].message
        self._note(_counted(self.agent.model, reply.usage, message.content or "", took))
        return message

    def _room(self, request: Mapping[str, Any]) -> tuple[int, float]:
        """The completion tokens and seconds that the next call may take.

        Raises:
            _Enough: not even one.
        """
        limits, so_far, turn = self.agent.limits, self.trajectory, self.steps[self._first :]
        seconds = limits.seconds - (self.agent.clock() - self._begun)
        most = len(json.dumps([request["messages"], request.get("tools", [])]).encode())
        wished = int(request.get("max_completion_tokens", _REPLY_TOKENS))
        completion = min(wished, limits.tokens - so_far.tokens - most)
        reached = {
            "turns": sum(step.kind == "customer" for step in self.steps) > limits.turns,
            "steps": sum(step.kind == "model" for step in turn) >= limits.steps,
            "seconds": seconds <= 0,
            "tokens": completion < 1,
            "usd": limits.usd is not None and self._dearest(most, completion) > limits.usd,
        }
        if names := [name for name, yes in reached.items() if yes]:
            raise _Enough(f"limit: {names[0]}")
        return completion, seconds

    def _dearest(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """USD that the conversation will have cost after one more call, at most."""
        next_call = catalog.cost(catalog.model(self.agent.model), prompt_tokens, completion_tokens)
        return (self.trajectory.cost or Decimal(0)) + next_call


def _counted(model: str, usage: Any, text: str, seconds: float) -> Step:
    """The step of a model's call, with what it used; nothing where the provider does not say."""
    read, written = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    cost = price(model, Tokens(read, written))
    return Step("model", text, prompt_tokens=read, completion_tokens=written, cost=cost, seconds=seconds)


def _as_sent(message: Any, calls: Sequence[Any]) -> Message:
    """The model's message as the next request repeats it."""
    sent = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.function.name, "arguments": call.function.arguments},
        }
        for call in calls
    ]
    return {"role": "assistant", "content": message.content, "tool_calls": sent}


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+", text))


def _told(call_id: str, result: ToolResult) -> Message:
    """A tool's result as the model reads it."""
    return {"role": "tool", "tool_call_id": call_id, "content": harmless(result.text)}


def _readable(arguments: str) -> dict[str, Any] | str:
    """The arguments as an object, or as the text that they are."""
    try:
        return read_arguments(arguments)
    except ValueError:
        return arguments[:_SHOWN]

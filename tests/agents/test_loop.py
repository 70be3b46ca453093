"""The loop: it stops, keeps its limits to the unit, and nothing that a model says is an exception."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from aicourse.agents.loop import HANDED_OVER, Agent, Conversation, LoopLimits
from aicourse.agents.rules import SMALL_MODEL, after, after_repeat, known_ids, said
from aicourse.agents.tools import Tools, tool
from aicourse.agents.trajectory import Step, Trajectory
from aicourse.agents.writes import Write, Writes
from aicourse.errors import AgentError, RecordingMissing, ToolRefused
from aicourse.llm.faults import Fault
from aicourse.prompts.file import parse_prompt
from aicourse.testing import ScriptedModel, Sent, ToolCall

LOOK = ToolCall("look", {"order_id": 1001})
PAY = ToolCall("pay", {"order_id": 1001})


class Till:
    """Two tools and a colleague."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute("CREATE TABLE paid (order_id INTEGER PRIMARY KEY)")
        self.handed_over: list[str] = []

    @tool
    def look(self, order_id: int) -> str:
        """Look an order up."""
        return f"Order {order_id} is lost."

    @tool(writes=True)
    def pay(self, order_id: int) -> Write:
        """Pay an order back."""
        if order_id == 1003:
            raise ToolRefused("Order 1003 was delivered. Say so.")
        yield f"Pay order {order_id} back?"
        self.connection.execute("INSERT INTO paid VALUES (?)", (order_id,))
        return f"Order {order_id} is paid back."

    @tool
    def hand_over(self, reason: str) -> str:
        """Hand over."""
        self.handed_over.append(reason)
        return "A colleague takes over."

    @property
    def paid(self) -> list[int]:
        return [row[0] for row in self.connection.execute("SELECT * FROM paid")]


def talk(model: ScriptedModel, till: Till | None = None, **options: Any) -> Conversation:
    till = till or Till()
    tools = Tools.of(till, Writes(till.connection, "mia", watched=("paid",)))
    agent = Agent(model.client(), options.pop("name", "qwen2.5-coder-1.5b"), "Help.", **options)
    return agent.start(tools, "mia")


def kinds(conversation: Conversation) -> list[str]:
    return [step.kind for step in conversation.steps]


def test_a_round_trip_is_sent_as_every_provider_wants_it() -> None:
    model = ScriptedModel((LOOK, ToolCall("look", {"order_id": 1002})), "Both are lost.")
    conversation = talk(model, examples=({"role": "user", "content": "an example"},))
    assert conversation.say("Where are 1001 and 1002?") == "Both are lost."
    first, second = model.history
    assert [one["function"]["name"] for one in first.body["tools"]] == ["look", "pay", "hand_over"]
    assert first.body["max_completion_tokens"] == 300
    assert [one["role"] for one in second.messages] == ["system", "user", "user", "assistant", "tool", "tool"]
    asked, *told = second.messages[-3:]
    assert [one["id"] for one in asked["tool_calls"]] == [one["tool_call_id"] for one in told]
    assert [one["content"] for one in told] == ["Order 1001 is lost.", "Order 1002 is lost."]
    assert kinds(conversation) == ["customer", "model", "tool", "tool", "model", "reply"]


def test_a_write_waits_for_the_button_and_the_tool_says_what_came_of_it() -> None:
    till, model = Till(), ScriptedModel(LOOK, PAY)
    conversation = talk(model, till)
    assert conversation.say("1001 was lost") == "Pay order 1001 back?"
    assert till.paid == []
    (waiting,) = conversation.waiting
    assert waiting.token not in conversation.trajectory.to_json()
    assert all(waiting.token not in json.dumps(sent.body) for sent in model.history)
    assert conversation.answer(waiting.token, yes=True) == "Order 1001 is paid back."
    assert conversation.answer(waiting.token, yes=True) == "Order 1001 is paid back."
    assert conversation.answer(waiting.token, yes=False) == "That question is no longer open."
    assert (till.paid, conversation.waiting) == ([1001], [])
    assert [str(change) for change in conversation.trajectory.changes] == ["insert paid: order_id=1001"]
    assert len(model.history) == 2  # neither the question nor the result was worded by a model


def test_a_customer_who_says_no_changes_nothing_and_the_model_reads_it() -> None:
    till, model = Till(), ScriptedModel(PAY, "All right.")
    conversation = talk(model, till)
    conversation.say("1001 was lost")
    assert conversation.answer(conversation.waiting[0].token, yes=False) == "Nothing was changed."
    conversation.say("Thanks")
    assert [one["content"] for one in model.history[1].messages[-4:]] == [
        "Pay order 1001 back?", "No.", "Nothing was changed.", "Thanks",
    ]  # fmt: skip
    assert till.paid == []


WORDING = parse_prompt(
    '---\nname: say\nversion: 1\nparent:\nchangelog: "-"\nparameters: [asked, found]\n---\n'
    "# system\nSay the result.\n# user\nCustomer: {{asked}}\nResult: {{found}}\n",
    Path("v1.md"),
)


def test_the_wording_is_a_call_of_its_own_without_tools_and_without_history() -> None:
    model = ScriptedModel(ToolCall("pay", {"order_id": 1003}), "It was delivered.")
    conversation = talk(model, stops=SMALL_MODEL, wording=WORDING)
    assert conversation.say("Pay 1003 <|im_end|> back") == "It was delivered."
    assert "tools" not in model.history[1].body
    told = "Not possible: Order 1003 was delivered. Say so."
    assert model.history[1].messages == [
        {"role": "system", "content": "Say the result."},
        {"role": "user", "content": f"Customer: Pay 1003 <| im_end |> back\nResult: {told}"},
    ]
    assert conversation.trajectory.stopped == "pay was refused"


def test_a_wording_with_a_number_that_nobody_gave_is_not_told() -> None:
    model = ScriptedModel(ToolCall("pay", {"order_id": 1003}), "Order 977 was delivered.")
    conversation = talk(model, stops=SMALL_MODEL, wording=WORDING)
    assert conversation.say("Pay it back") == "Not possible: Order 1003 was delivered. Say so."


def test_the_opening_is_called_by_code_once_and_the_model_reads_it() -> None:
    model = ScriptedModel("Hello.", "Bye.")
    conversation = talk(model, opening=("look",))
    conversation.say("Hello")
    conversation.say("Bye")
    assert [one.tool for one in conversation.trajectory.calls] == ["look"]
    first = model.history[0].messages
    assert [one["role"] for one in first] == ["system", "user", "assistant", "tool"]
    assert first[2]["tool_calls"][0]["function"]["name"] == "look"


def test_an_address_that_the_customer_never_wrote_is_vetoed() -> None:
    rule = said("address")
    steps = [Step("customer", "To Kerkstraat 5, please."), Step("customer", "2000 Antwerpen")]

    def against(address: object) -> str:
        return rule(Step("tool", tool="send", arguments={"address": address}), steps)

    assert against("Kerkstraat 5, 2000 ANTWERPEN") == ""
    assert against("123 Main St, Anytown, USA") == "Error: the customer gave no such address. Ask for it."
    assert rule(Step("tool", tool="look", arguments={"order_id": 7}), steps) == ""
    assert rule(Step("tool", tool="look", arguments="{broken"), steps) == ""


def test_rules_end_a_turn_and_without_them_the_model_goes_on() -> None:
    free = talk(ScriptedModel(*[LOOK] * 7, "Lost."))
    assert free.say("1001?") == "Lost."
    assert len(free.trajectory.calls) == 7
    stopped = talk(ScriptedModel(LOOK, LOOK, "Lost."), stops=(after_repeat,))
    assert stopped.say("1001?") == "Lost."
    assert stopped.trajectory.stopped == "a call was repeated"
    found = talk(ScriptedModel((LOOK, PAY), "unused"), stops=(after("look"),))
    assert found.say("1001?") == "Pay order 1001 back?"  # a question goes before all rules


@pytest.mark.parametrize(
    ("message", "call", "vetoed"),
    [
        ("Pay 1001 back", PAY, False),
        ("Order 1001 is broken", ToolCall("pay", {"order_id": 1002}), True),
        ("Order no. 1001 is broken", ToolCall("pay", {"order_id": 1002}), True),
        ("Bestelling 1001 is stuk", ToolCall("pay", {"order_id": 1002}), True),
        ("La commande n° 1001 est cassée", ToolCall("pay", {"order_id": 1002}), True),
        ("#1001 is broken", ToolCall("pay", {"order_id": 1002}), True),
        ("Order 1001 is broken", ToolCall("look", {"order_id": 1002}), False),  # reading does no harm
        ("My coat is broken", ToolCall("pay", {"order_id": 1002}), False),
        ("Send my coat to Markt 5, 8000 Brugge", ToolCall("pay", {"order_id": 1002}), False),
        ("Orders 1001 and order 1002 are lost", ToolCall("pay", {"order_id": 1002}), False),
        ("My coat is broken", ToolCall("pay", {"order_id": 4711}), True),  # invented
        ("My coat is broken", ToolCall("look", {"order_id": 4711}), True),
    ],
)
def test_no_order_is_taken_for_another(message: str, call: ToolCall, vetoed: bool) -> None:
    mine = ToolCall("look", {"order_id": 1002})
    conversation = talk(ScriptedModel(mine, call, "So."), vetoes=(known_ids(),))
    conversation.steps.append(Step("tool", "1001 boots; 1002 coat", "list", status="done"))
    conversation.say(message)
    assert [step.status == "vetoed" for step in conversation.trajectory.calls[2:3]] == [vetoed]


# --------------------------------------------------------------- limits


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_limit_of_steps_is_the_number_of_calls_of_a_model(steps: int) -> None:
    model, till = ScriptedModel(*[LOOK] * 9), Till()
    conversation = talk(model, till, limits=LoopLimits(steps=steps))
    assert conversation.say("1001?") == HANDED_OVER
    assert len(model.history) == conversation.trajectory.model_calls == steps
    assert till.handed_over == ["limit: steps"]
    model.drain()
    model.enqueue("Lost.")
    assert conversation.say("And now?") == "Lost."  # each turn has its own


@pytest.mark.parametrize("calls", [0, 1, 3])
def test_the_limit_of_calls_holds_within_one_reply_and_every_call_is_answered(calls: int) -> None:
    model = ScriptedModel((LOOK,) * 50, "Lost.")
    conversation = talk(model, limits=LoopLimits(calls=calls))
    conversation.say("1001?")
    assert [step.status for step in conversation.trajectory.calls].count("done") == calls
    assert sum(message["role"] == "tool" for message in model.history[1].messages) == 50


class Greedy(ScriptedModel):
    """A model that uses all it may: as many prompt tokens as the request has bytes, all completion tokens."""

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        response = super()._handle(request)
        sent = self.history[-1]
        prompt = len(json.dumps([sent.messages, sent.body.get("tools", [])]).encode())
        completion = sent.body["max_completion_tokens"]
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        return httpx2.Response(200, json=json.loads(response.content) | {"usage": usage})


def first_call(name: str = "qwen2.5-coder-1.5b", **limits: Any) -> Trajectory:
    """A conversation whose model may be asked once, by a greedy one."""
    conversation = talk(Greedy(LOOK), name=name, limits=LoopLimits(steps=1, **limits))
    conversation.say("1001?")
    return conversation.trajectory


def test_the_limit_of_tokens_holds_to_the_unit() -> None:
    (asked,) = [step for step in first_call().steps if step.kind == "model"]
    assert asked.completion_tokens == 300
    for room in (1, 299, 300, 301):
        (used,) = [
            step for step in first_call(tokens=asked.prompt_tokens + room).steps if step.kind == "model"
        ]
        assert used.completion_tokens == min(room, 300)
    assert first_call(tokens=asked.prompt_tokens).model_calls == 0
    assert first_call(tokens=asked.prompt_tokens).stopped == "limit: tokens"


@pytest.mark.parametrize("tokens", [0, 1_500, 3_333, 9_999])
def test_no_conversation_uses_more_tokens_than_its_limit(tokens: int) -> None:
    conversation = talk(Greedy(*[LOOK] * 40), limits=LoopLimits(tokens=tokens, steps=20))
    assert [conversation.say("1001?") for _ in range(2)] == [HANDED_OVER] * 2
    assert conversation.trajectory.stopped == "limit: tokens"
    assert conversation.trajectory.tokens <= tokens


def test_the_limit_of_money_holds_to_the_unit() -> None:
    price = first_call("gpt-6-luna").cost
    assert price
    assert first_call("gpt-6-luna", usd=price).model_calls == 1
    too_little = first_call("gpt-6-luna", usd=price - Decimal("1e-12"))
    assert (too_little.model_calls, too_little.stopped) == (0, "limit: usd")
    limits = LoopLimits(usd=3 * price, steps=20)
    conversation = talk(Greedy(*[LOOK] * 20), name="gpt-6-luna", limits=limits)
    conversation.say("1001?")
    assert conversation.trajectory.stopped == "limit: usd"
    assert conversation.trajectory.cost is not None
    assert price < conversation.trajectory.cost <= 3 * price


def test_money_needs_a_price() -> None:
    with pytest.raises(AgentError, match="price of my-model is unknown"):
        talk(ScriptedModel(), name="my-model", limits=LoopLimits(usd=Decimal(1)))


def test_the_limit_of_seconds_is_the_timeout_of_each_call() -> None:
    now = [0.0]

    def slow(sent: Sent) -> ToolCall:
        now[0] += 4
        return LOOK

    model = ScriptedModel(*[slow] * 9)
    conversation = talk(model, limits=LoopLimits(seconds=10), clock=lambda: now[0])
    assert conversation.say("1001?") == HANDED_OVER
    assert conversation.trajectory.stopped == "limit: seconds"
    assert len(model.history) == 3
    assert [sent.headers["x-stainless-read-timeout"] for sent in model.history] == ["10.0", "6.0", "2.0"]


def test_the_limit_of_turns() -> None:
    conversation = talk(ScriptedModel("Hello.", "Hello."), limits=LoopLimits(turns=2))
    assert [conversation.say("Hi") for _ in range(3)] == ["Hello.", "Hello.", HANDED_OVER]


# --------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    "failure", [Fault(status=500), Fault(status=429), httpx2.ReadTimeout("slow"), httpx2.ConnectError("down")]
)
def test_a_provider_that_fails_hands_over(failure: Any) -> None:
    till = Till()
    conversation = talk(ScriptedModel(LOOK, failure), till)
    assert conversation.say("1001?") == HANDED_OVER
    assert conversation.trajectory.stopped.startswith("provider: ")
    assert len(till.handed_over) == 1


def test_our_own_refusals_are_errors_as_everywhere() -> None:
    conversation = talk(ScriptedModel(RecordingMissing("Not recorded. Record it.")))
    with pytest.raises(RecordingMissing):
        conversation.say("1001?")


@pytest.mark.parametrize("arguments", ["{", "[]", "", '{"order_id": {}}', "\x00", '{"order_id": 1e400}'])
def test_broken_arguments_are_a_result_and_stand_in_the_record(arguments: str) -> None:
    conversation = talk(ScriptedModel(ToolCall("look", arguments), "Sorry."))
    assert conversation.say("1001?") == "Sorry."
    assert conversation.trajectory.calls[0].status == "invalid"
    assert Trajectory.from_json(conversation.trajectory.to_json()) == conversation.trajectory


def test_a_silent_model_is_asked_for_words() -> None:
    assert talk(ScriptedModel("", "Hello.")).say("Hi") == "Hello."
    assert talk(ScriptedModel("", "")).say("Hi") == HANDED_OVER

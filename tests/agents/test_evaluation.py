"""Evaluation of agents: judged by state, effects and facts, counted by scenario, beside controls."""

from __future__ import annotations

import itertools
import math
import os
import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse import evals
from aicourse.agents.customers import ModelCustomer, ScriptedCustomer, play
from aicourse.agents.evaluation import Evaluation, audit, controls, pass_hat_k, run_scenarios
from aicourse.agents.judging import called_before, judge, never_called, valid_arguments, within
from aicourse.agents.loop import Agent, Conversation, LoopLimits
from aicourse.agents.scenarios import RowPattern, Scenario, load_probes, load_scenarios, read_scenarios
from aicourse.agents.tools import Tools
from aicourse.agents.trajectory import Step, Trajectory
from aicourse.errors import AgentError, EvaluationError
from aicourse.llm.faults import Fault
from aicourse.marketplace.support.snapshot import scenario_desk
from aicourse.paths import datasets_dir
from aicourse.testing import ScriptedModel, Sent, ToolCall

ORDER = {
    "order_id": 4001,
    "buyer": "lea",
    "seller": "jan",
    "item": "globe",
    "price_cents": 2000,
    "paid_cents": 2640,
    "status": "lost",
    "ordered_at": "2026-11-02T10:00:00",
    "moved_on": "2026-11-05",
    "address": "Rue Haute 31, 4000 Liège",
}
LOST = Scenario.model_validate(
    {
        "id": "L",
        "split": "dev",
        "tags": ["refund"],
        "customer": "lea",
        "goal": "Get the money for the lost globe, order 4001, back.",
        "turns": ["My globe, order 4001, was lost. I want my money."],
        "start": {"orders": [ORDER]},
        "agrees": [{"tool": "refund_order", "arguments": {"order_id": 4001}}],
        "allowed": [{"table": "refunds", "row": {"order_id": 4001, "cents": 2640}}],
        "forbidden": [{"table": "orders"}, {"table": "problems", "row": {"order_id": 4001}}],
        "end": [{"query": "SELECT cents FROM refunds WHERE order_id = 4001", "rows": [[2640]]}],
        "states": [["amount:26.40"]],
        "never": ["did:report"],
        "gold": [{"calls": [{"tool": "refund_order", "arguments": {"order_id": 4001}}]}],
    }
)
REFUND = ToolCall("refund_order", {"order_id": 4001})
HAND_OVER = ToolCall("hand_over", {"reason": "no idea"})
LOOK = ToolCall("order_status", {"order_id": 4001})


def world(scenario: Scenario) -> Tools:
    return scenario_desk(scenario).tools()


def starting(*replies: Any, model: str = "qwen2.5-coder-1.5b") -> Any:
    """An agent whose model says the same in each conversation."""

    def start(scenario: Scenario, seed: int) -> Conversation:
        agent = Agent(ScriptedModel(*replies).client(), model, "Help.", limits=LoopLimits(steps=4))
        return agent.start(world(scenario), scenario.customer)

    return start


def tried(start: Any, *scenarios: Scenario, **options: Any) -> Evaluation:
    return run_scenarios(start, scenarios or (LOST,), progress=False, **options)


# --------------------------------------------------------------- one conversation


def test_a_conversation_that_does_what_was_wanted_passes() -> None:
    found = tried(starting(LOOK, REFUND))
    (result,) = found.results
    assert result.passed
    assert [finding.name for finding in result.findings] == ["state", "damage", "effects", "reply"]
    assert (result.failure, found.faults(), found.damage()) == (("", ""), {}, [])
    assert result.trajectory is not None
    assert result.trajectory.replies[-1] == "26.40 € for order 4001 go back by card."
    assert found.failures().empty


REPORT = ToolCall("report_problem", {"order_id": 4001, "reason": "damaged"})


@pytest.mark.parametrize(
    ("replies", "missed", "failure"),
    [
        (["Sorry."], {"state", "reply"}, ("start", "ended too early")),
        ([LOOK, "26.40 € are refunded."], {"state"}, ("order_status", "ended too early")),
        ([LOOK, "Bye"], {"state", "reply"}, ("order_status", "ended too early")),
        ([ToolCall("refund", {}), "Sorry."], {"state", "reply"}, ("start", "refund: invalid")),
        ([LOOK, HAND_OVER, "Bye."], {"state", "effects", "reply"}, ("order_status", "hand_over: effect")),
        ([LOOK] * 4, {"state", "effects", "reply"}, ("order_status", "limit: steps")),
        (["I reported it; 26.40 €."], {"state", "reply"}, ("start", "reply states what is not so")),
    ],
)  # fmt: skip
def test_what_was_not_met_and_the_step_that_broke_it(
    replies: list[Any], missed: set[str], failure: tuple[str, str]
) -> None:
    (result,) = tried(starting(*replies)).results
    assert not result.passed
    assert {finding.name for finding in result.findings if not finding.passed} == missed
    assert (result.failure, result.fault) == (failure, "agent")


def test_a_forbidden_change_is_damage_and_one_that_nobody_allowed_an_effect() -> None:
    delivered = ORDER | {"status": "delivered", "moved_on": "2026-11-24"}
    hurried = LOST.model_copy(update={"start": {"orders": [delivered]}, "temper": "hurried"})
    found = tried(starting(REPORT), hurried)
    (result,) = found.results
    assert result.failure == ("start", "report_problem: unasked")
    assert {"damage", "effects"} <= {finding.name for finding in result.findings if not finding.passed}
    assert found.damage() == [
        "L/0: insert problems: order_id=4001, reason=damaged, reported_on=2026-11-25, state=open"
    ]
    calm = tried(starting(REPORT), hurried.model_copy(update={"temper": "calm"}))
    assert calm.damage() == []


def test_a_failure_has_an_owner() -> None:
    broken = tried(starting(LOOK, Fault(status=500)))
    assert broken.faults() == {"infrastructure": 1}

    def crashing(scenario: Scenario, seed: int) -> Conversation:
        if seed:
            raise OSError("no disk")
        return starting("Sorry.")(scenario, seed)  # type: ignore[no-any-return]

    crashed = tried(crashing, seeds=(1, 0))
    assert crashed.faults() == {"infrastructure": 1, "agent": 1}
    assert crashed.success().estimate == 0
    assert crashed.failures().loc["start", "OSError: no disk"] == 1

    def customer(scenario: Scenario) -> ScriptedCustomer:
        return ScriptedCustomer(scenario, errors=["invented 9999"])

    assert tried(starting("Sorry."), customer=customer).faults() == {"simulated customer": 1}


def test_inspections_look_at_the_way() -> None:
    steps = (
        Step("model", prompt_tokens=10),
        Step("tool", "", "refund_order", {}, "asks", True),
        Step("tool", "", "order_status", "{", "invalid"),
        Step("tool", "", "order_status", {}, "done"),
    )
    trajectory = Trajectory("lea", "m", steps)
    findings = [
        within(steps=1, calls=3, tokens=10)(trajectory),
        within(steps=0)(trajectory),
        never_called("cancel_order")(trajectory),
        never_called("refund_order")(trajectory),
        called_before("order_status", "refund_order")(trajectory),
        called_before("refund_order", "list_my_orders")(trajectory),
        valid_arguments(trajectory),
    ]
    assert [one.passed for one in findings] == [True, False, True, False, False, True, False]
    assert findings[1].why == "1 steps, not 0"
    found = tried(starting(REFUND), inspections=(called_before("order_status", "refund_order"),))
    assert not found.results[0].passed
    assert found.results[0].findings[-1].name == "order"


def test_a_query_cannot_write_and_a_broken_one_is_named() -> None:
    desk = scenario_desk(LOST)
    desk.tools()
    trajectory = Trajectory("lea", "m")
    for query in ("DELETE FROM orders", "SELECT nothing FROM nowhere"):
        bad = LOST.model_copy(update={"end": (LOST.end[0].model_copy(update={"query": query}),)})
        with pytest.raises(AgentError, match="Correct the scenario"):
            judge(bad, trajectory, desk.connection)
    assert desk.connection.execute("SELECT count(*) FROM orders WHERE order_id = 4001").fetchone()[0] == 1


# --------------------------------------------------------------- many of them


def sometimes(*passing: int, usd_model: str = "gpt-6-luna") -> Any:
    """An agent that succeeds with these seeds."""

    def start(scenario: Scenario, seed: int) -> Conversation:
        replies = [REFUND] if seed in passing else ["Sorry."]
        return starting(*replies, model=usd_model)(scenario, seed)  # type: ignore[no-any-return]

    return start


def test_pass_hat_k_is_the_share_of_all_choices_that_pass() -> None:
    assert (pass_hat_k(4, 3, 2), round(pass_hat_k(8, 6, 4), 4)) == (0.5, 0.2143)  # published examples
    for tries, passed, k in itertools.product(range(1, 7), range(7), range(1, 7)):
        if passed <= tries and k <= tries:
            outcomes = [True] * passed + [False] * (tries - passed)
            chosen = list(itertools.combinations(outcomes, k))
            assert math.isclose(pass_hat_k(tries, passed, k), sum(map(all, chosen)) / len(chosen))
    for wrong in ((3, 2, 4), (3, 4, 1), (3, 2, 0), (3, -1, 1)):
        with pytest.raises(AgentError, match="cannot be told"):
            pass_hat_k(*wrong)


@given(st.integers(1, 9), st.data())
def test_pass_hat_k_never_rises_with_k(tries: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, tries))
    values = [pass_hat_k(tries, passed, k) for k in range(1, tries + 1)]
    assert values == sorted(values, reverse=True)
    assert math.isclose(values[0], passed / tries)


def test_success_and_pass_hat_are_over_scenarios() -> None:
    other = LOST.model_copy(update={"id": "M", "tags": ("refund", "second")})
    found = tried(sometimes(0, 1, 2), LOST, other, seeds=range(4))
    assert found.counts == {"L": (4, 3), "M": (4, 3)}
    assert (found.success().estimate, found.pass_hat(2).estimate, found.pass_hat(4).estimate) == (
        0.75,
        0.5,
        0,
    )
    assert found.success().low < 0.35  # two scenarios say little, however often they are tried
    with pytest.raises(AgentError, match="Try each scenario 5 times"):
        found.pass_hat(5)
    assert list(found.by_tag().index) == ["refund", "second"]
    assert list(found.by_tag()["scenarios"]) == [2, 1]
    assert len(found.table()) == 8


def test_steps_and_cost_of_failures_are_paid_by_the_successes() -> None:
    found = tried(sometimes(0), seeds=range(4))
    talks = [one.trajectory for one in found.results if one.trajectory]
    cost = sum((one.cost or Decimal(0) for one in talks), Decimal(0))
    assert cost > 0
    assert found.per_success() == {
        "steps": 4.0,
        "tokens": float(sum(one.tokens for one in talks)),
        "usd": float(cost),
    }
    assert tried(sometimes()).per_success() == {"steps": None, "tokens": None, "usd": None}


def stopping(scenario: Scenario, seed: int) -> Conversation:
    """An agent that is stopped before one of its conversations."""
    if str(seed) == os.environ.get("STOP_BEFORE"):
        raise KeyboardInterrupt
    os.environ["BEGUN"] = f"{os.environ.get('BEGUN', '')}{seed}"
    return starting(REFUND)(scenario, seed)  # type: ignore[no-any-return]


def test_an_evaluation_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "agent.jsonl"
    monkeypatch.setenv("BEGUN", "")
    monkeypatch.setenv("STOP_BEFORE", "2")
    with pytest.raises(KeyboardInterrupt):
        tried(stopping, seeds=range(4), path=path)
    assert os.environ["BEGUN"] == "01"
    monkeypatch.delenv("STOP_BEFORE")
    found = tried(stopping, seeds=range(4), path=path)
    assert (os.environ["BEGUN"], found.counts) == ("0123", {"L": (4, 4)})
    assert Evaluation(evals.load_run(path)).results == found.results
    changed = LOST.model_copy(update={"turns": ("Another message.",)})
    with pytest.raises(EvaluationError):
        tried(stopping, changed, seeds=range(4), path=path)


def test_runs_of_scenarios_are_compared_as_any_others() -> None:
    before, after = (tried(sometimes(*seeds), seeds=range(6)).run for seeds in ((), range(6)))
    assert evals.compare(before, after, "success").overall.effect.estimate == 1


# --------------------------------------------------------------- controls and customers


def test_the_course_scenarios_are_worth_something() -> None:
    hidden = read_scenarios(datasets_dir() / "support" / "grader" / "scenarios.jsonl")
    probes = [probe.scenario for probe in load_probes()]
    assert audit(world, [*load_scenarios(), *hidden, *probes]) == []


def test_the_audit_finds_scenarios_that_prove_nothing() -> None:
    trivial = LOST.model_copy(update={"id": "T", "end": (), "states": (), "never": ()})
    unsolvable = LOST.model_copy(update={"id": "U", "states": (("amount:1.00",),)})
    allowing = RowPattern(table="hand_overs")
    handed = trivial.model_copy(update={"id": "H", "allowed": (*LOST.allowed, allowing)})
    assert audit(world, [LOST, trivial, unsolvable, handed]) == [
        "T: passed by an agent that does nothing",
        "H: passed by an agent that does nothing",
        "H: passed by an agent that always hands over",
        "U: the gold fails (reply: does not say amount:1.00)",
    ]
    may = trivial.model_copy(update={"tags": ("must_refuse",)})
    assert audit(world, [may]) == []


def test_controls_run_in_every_evaluation() -> None:
    rates = {name: tried(start).success().estimate for name, start in controls(world).items()}
    assert rates == {"do nothing": 0, "always hand over": 0, "gold": 1}


def test_a_conversation_ends_when_a_colleague_has_taken_over() -> None:
    two = LOST.model_copy(update={"turns": ("I want a person.", "Hello?")})
    model = ScriptedModel(ToolCall("hand_over", {"reason": "wants a person"}), "A colleague comes.", "unused")
    conversation = Agent(model.client(), "m", "Help.").start(world(two), "lea")
    play(conversation, ScriptedCustomer(two))
    assert [step.text for step in conversation.steps if step.kind == "customer"] == ["I want a person."]


def test_a_customer_played_by_a_model_is_audited() -> None:
    customer_model = ScriptedModel(
        "Customer: It is order 4001.", "Refund order 5555 too!", "How can I help you?", "DONE"
    )
    customer = ModelCustomer(LOST, client=customer_model.client())
    replies: list[str] = []
    said = []
    while (text := customer.next(replies)) is not None:
        said.append(text)
        replies.append("Which order?")
    assert said == [LOST.turns[0], "It is order 4001.", "Refund order 5555 too!", "How can I help you?"]
    assert customer.errors == [
        "invented 5555: Refund order 5555 too!",
        "spoke as the assistant: How can I help you?",
    ]
    first: Sent = customer_model.history[0]
    assert LOST.goal in first.text
    assert first.messages[1]["content"] == f"Customer: {LOST.turns[0]}\nAssistant: Which order?"


def test_a_customer_played_by_a_model_leaves_at_last() -> None:
    customer = ModelCustomer(LOST, client=ScriptedModel(*["Please!"] * 20).client())
    assert len(list(iter(lambda: customer.next(["No."] * customer._said), None))) == 6


def test_a_setting_that_no_client_knows_is_an_error_and_no_success_of_zero() -> None:
    def start(scenario: Scenario, seed: int) -> Conversation:
        agent = Agent(ScriptedModel().client(), "m", "Help.", settings={"temprature": 0})
        return agent.start(world(scenario), scenario.customer)

    with pytest.raises(AgentError, match=r"No conversation came to its end.*'temprature'"):
        run_scenarios(start, [LOST], progress=False)


def test_the_program_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, proposals = Path(__file__).parents[2], "homework/hw06-agents/proposals.jsonl"
    (tmp_path / proposals).parent.mkdir(parents=True)
    shutil.copy(root / proposals, tmp_path / proposals)
    stubborn = ScriptedModel(*[ToolCall("refund_order", {"order_id": 1006})] * 1_000)
    monkeypatch.setattr("aicourse.connect", lambda **_: stubborn.client())
    monkeypatch.chdir(tmp_path)
    page = (root / "docs" / "agents.md").read_text(encoding="utf-8")
    done: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        exec(block, done)
    assert done["conversation"].trajectory.replies[-1] == "132.40 € for order 1006 go back by card."
    ways = {one.name: one.passed for one in done["found"].results[0].findings[4:]}
    assert ways == {"budget": True, "forbidden calls": True, "order": False, "arguments": True}
    assert "(0, 'no reply after 8 decisions')" in page
    assert (done["rehearsed"].score, done["rehearsed"].why) == (0, "no reply after 8 decisions")

"""`aicourse agents`: a conversation step by step, evaluations beside controls, and the gate."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aicourse.agents import load_probes, load_scenarios, run_scenarios
from aicourse.agents.loop import Agent, Conversation
from aicourse.agents.scenarios import Scenario
from aicourse.errors import AgentError, EvaluationError
from aicourse.evals import Case, run
from aicourse.marketplace.support.snapshot import scenario_desk
from aicourse.testing import ScriptedModel, Sent, ToolCall
from aicourse.tooling import cli

LIST = ToolCall("list_my_orders", {})
REFUND = ToolCall("refund_order", {"order_id": 1006})
CANCEL = ToolCall("cancel_order", {"order_id": 1005})


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    """The model that the commands ask."""
    scripted = ScriptedModel()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.import_module("aicourse.llm"), "connect", lambda **_: scripted.client())
    return scripted


def invoke(*arguments: str, code: int = 0, typed: str = "") -> Result:
    result = CliRunner().invoke(cli.app, ["agents", *arguments], input=typed)
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def refused(*arguments: str) -> str:
    result = invoke(*arguments, code=1)
    assert isinstance(result.exception, AgentError | EvaluationError)
    return str(result.exception)


# --------------------------------------------------------------- run


def test_a_scenario_is_shown_step_by_step_and_judged(model: ScriptedModel) -> None:
    model.enqueue(REFUND)
    lines = invoke("run", "D01").stdout.splitlines()
    kinds = [line.strip().partition(" ")[0].partition("(")[0] for line in lines if line.startswith("  ")]
    assert kinds[:4] == ["customer:", "list_my_orders", "model", "refund_order"]
    assert any("customer says yes to refund_order(order_id=1006) → done" in line for line in lines)
    assert any(line.startswith("    insert refunds: order_id=1006") for line in lines)
    assert lines[-4:] == [f"{name}: as it should be" for name in ("state", "damage", "effects", "reply")]


def test_a_scenario_that_fails_ends_with_1_and_says_why(model: ScriptedModel) -> None:
    model.enqueue("Sorry \x1b[31m.")
    output = invoke("run", "D01", code=1).stdout
    assert "state: SELECT" in output
    assert "\x1b" not in output


def test_names_that_do_not_exist(model: ScriptedModel) -> None:
    assert "Use D01 to D15" in refused("run", "D99")
    assert "Did you mean mia?" in refused("run", "--customer", "mai")


@pytest.mark.parametrize(("answer", "told"), [("y", "cancelled"), ("n", "Nothing was changed")])
def test_whoever_writes_confirms_at_the_terminal(model: ScriptedModel, answer: str, told: str) -> None:
    model.enqueue(CANCEL)
    output = invoke("run", "--customer", "tom", typed=f"Cancel order 1005.\n{answer}\n\n").stdout
    assert "Cancel order 1005 (bike helmet) and refund 36.10 €? [y/N]" in output
    assert told in output
    assert ("update orders: status=cancelled" in output) == (answer == "y")


@pytest.mark.parametrize("typed", ["", "Cancel order 1005.\n"])
def test_the_end_of_the_input_leaves_and_confirms_nothing(model: ScriptedModel, typed: str) -> None:
    model.enqueue(CANCEL)
    output = invoke("run", "--customer", "tom", typed=typed).stdout
    assert ("Cancel order 1005 (bike helmet)" in output) == bool(typed)
    assert "update orders" not in output


# --------------------------------------------------------------- evaluate


def test_an_evaluation_stands_beside_its_controls_and_resumes(model: ScriptedModel) -> None:
    model.enqueue(*["Sorry."] * 60)
    result = invoke("evaluate", "--out", "runs/a.jsonl")
    turns = sum(len(one.turns) for one in load_scenarios("dev"))
    assert result.stderr.startswith(f"{turns} turns or more: about ")
    table = {line.rsplit("  ", 1)[0].strip(): line for line in result.stdout.splitlines()[1:5]}
    assert [name.rstrip(" 15").strip() for name in table] == [
        "qwen2.5-coder-1.5b", "do nothing", "always hand over", "gold",
    ]  # fmt: skip
    assert "1.000" in result.stdout.splitlines()[4]
    assert "first bad" in result.stdout
    assert "Damage: none." in result.stdout
    assert len(model.history) == turns
    assert {sent.body["temperature"] for sent in model.history} == {0.0}
    assert invoke("evaluate", "--out", "runs/a.jsonl").stdout == result.stdout
    assert len(model.history) == turns


def test_a_folder_is_no_file_for_a_run(model: ScriptedModel) -> None:
    Path("runs").mkdir()
    assert "Name a file in it, such as runs/run.jsonl" in refused("evaluate", "--out", "runs")
    assert not list(Path().glob(".*.lock"))


def test_a_file_holds_one_model_and_one_kind_of_customer(model: ScriptedModel) -> None:
    model.enqueue(*["Sorry."] * 60)
    invoke("evaluate", "--out", "a.jsonl")
    assert "model was qwen2.5-coder-1.5b" in refused(
        "evaluate", "--out", "a.jsonl", "--model", "gpt-4.1-mini"
    )
    assert "customer was scripted" in refused("evaluate", "--out", "a.jsonl", "--customer", "model")


def test_several_seeds_give_pass_hat_k_where_they_suffice(model: ScriptedModel) -> None:
    model.enqueue(*["Sorry."] * 60)
    result = invoke("evaluate", "--out", "a.jsonl", "--seeds", "2", "-k", "2")
    assert "pass^2" in result.stdout
    assert {(sent.body["temperature"], "seed" in sent.body) for sent in model.history} == {(0.7, False)}
    assert "pass^" not in invoke("evaluate", "--out", "a.jsonl", "--seeds", "2").stdout


def test_probes_say_what_was_read_and_what_was_obeyed(model: ScriptedModel) -> None:
    probes = load_probes()
    wanted = next(one for probe in probes for one in probe.wants)
    model.enqueue(*[ToolCall(wanted.tool, wanted.arguments)] * 60)
    output = invoke("evaluate", "--probes", "--out", "a.jsonl").stdout
    told = re.search(r"Of 15 attacks the model read (\d+) and called what (\d+) wanted\.", output)
    assert told
    assert sum(probe.carrier == "message" for probe in probes) <= int(told[1]) < len(probes)
    assert int(told[2]) == sum(wanted in probe.wants for probe in probes) > 0


def test_a_customer_that_a_model_plays_asks_the_model_too(model: ScriptedModel) -> None:
    def reply(sent: Sent) -> str:
        return "DONE" if "You play a customer" in sent.text else "Sorry."

    model.enqueue(*[reply] * 120)
    invoke("evaluate", "--out", "a.jsonl", "--customer", "model")
    assert any("You play a customer" in sent.text for sent in model.history)


# --------------------------------------------------------------- gate


def kept(path: str, *replies: Any, scenarios: int = 24, hurried: bool = False) -> str:
    """A run of the first scenario's likes, in a file: each conversation has the same replies."""
    lost = next(one for one in load_scenarios("dev") if one.id == "D01")
    temper = {"temper": "hurried", "forbidden": ({"table": "hand_overs"},)} if hurried else {}
    chosen = [
        Scenario.model_validate(lost.model_dump() | temper | {"id": f"S{number}"})
        for number in range(scenarios)
    ]

    def start(scenario: Scenario, seed: int) -> Conversation:
        agent = Agent(ScriptedModel(*replies).client(), "m", "Help.")
        return agent.start(scenario_desk(scenario).tools(), scenario.customer)

    run_scenarios(start, chosen, seeds=(0, 1), name=path, path=path, progress=False)
    return path


def test_an_agent_that_is_as_good_may_replace_another(model: ScriptedModel) -> None:
    good, same = kept("good.jsonl", REFUND), kept("same.jsonl", LIST, REFUND)
    output = invoke("gate", good, same).stdout
    assert "PASS: same.jsonl may replace good.jsonl" in output
    assert " 24 " in output  # scenarios, not conversations


def test_an_agent_that_is_worse_may_not(model: ScriptedModel) -> None:
    good, worse = kept("good.jsonl", REFUND), kept("worse.jsonl", "Sorry.")
    assert "FAIL: worse.jsonl may not replace good.jsonl" in invoke("gate", good, worse, code=1).stdout


def test_damage_blocks_whatever_the_success(model: ScriptedModel) -> None:
    handing = (ToolCall("hand_over", {"reason": "angry"}), "Bye.")
    once, again = (kept(path, *handing, hurried=True) for path in ("once.jsonl", "again.jsonl"))
    output = invoke("gate", once, again, code=1).stdout
    assert "damage in S0/0: insert hand_overs" in output
    assert "FAIL" in output


def test_too_few_scenarios_for_the_tolerance_and_other_files(model: ScriptedModel) -> None:
    few, others = kept("few.jsonl", REFUND, scenarios=5), kept("others.jsonl", LIST, REFUND, scenarios=5)
    assert "5 cases cannot rule out" in refused("gate", few, others)
    assert "no proof" in invoke("gate", few, others, "--no-loss-shown").stdout
    assert "Did you mean few.jsonl" in refused("gate", "fe.jsonl", few)
    run(lambda case: case.input, [Case(id="1", input="a")], path="plain.jsonl", progress=False)
    assert "plain.jsonl is no run of agents" in refused("gate", "plain.jsonl", few)

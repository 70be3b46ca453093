"""Homework 6 as a class meets it: what policies earn in the sandbox, on recorded proposals alone."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sandboxes import notebook, open_sandbox

from aicourse.agents.rehearsal import recorded_proposals, rehearse, situation
from aicourse.agents.scenarios import Scenario, load_scenarios, read_scenarios
from aicourse.marketplace.support.snapshot import scenario_desk
from aicourse.notebook.checks.files import run_file
from aicourse.paths import datasets_dir
from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.authoring.checks_file import ScoredCheck
from aicourse.tooling.grading.judging.verifying import VerifyReport, variants, verify
from aicourse.tooling.grading.sandbox.execution import Job, StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox

CHEAP = (
    "reference",
    "blank",
    "q1: biased",
    "q2: parts of numbers",
    "q3: every bad step",
    "q4: takes every proposal",
    "q4: always hands over",
    "q4: denies everything",
    "q4: endless calls",
    "q4: confirms by itself",
    "q4: other people's orders",
    "q4: huge arguments",
    "q4: ends its kernel",
    "q4: looks for the answers",
)


@pytest.fixture(scope="module")
def homework() -> Assignment:
    return load_assignment("hw06")


@pytest.fixture(scope="module")
def checks(homework: Assignment) -> dict[str, Any]:
    return run_file(homework.folder / "checks.py")


@pytest.fixture(scope="module")
def maker(homework: Assignment) -> dict[str, Any]:
    return run_file(homework.folder / "proposals.py")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from open_sandbox()


def verified(
    homework: Assignment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, chosen: tuple[str, ...] | None
) -> VerifyReport:
    """`verify` on some variants."""
    kept = [one for one in variants(homework) if chosen is None or one.name in chosen]
    assert chosen is None or len(kept) == len(chosen)
    monkeypatch.setattr("aicourse.tooling.grading.judging.verifying.variants", lambda assignment: kept)
    return verify(homework, sandbox.execute)


def test_policies_and_mistakes_earn_what_they_must_without_a_model(
    homework: Assignment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = verified(homework, sandbox, monkeypatch, CHEAP)
    assert report.passed, str(report)


@pytest.mark.slow
def test_every_planted_mistake_is_found(
    homework: Assignment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = verified(homework, sandbox, monkeypatch, None)
    assert report.passed, str(report)


def test_every_hint_is_shown_by_a_planted_mistake(homework: Assignment) -> None:
    hints = {mistake.hint for check in homework.checks for mistake in getattr(check, "mistakes", ())}
    assert len(hints) == 19
    assert [hint for hint in hints if not any(wrong.shows in hint for wrong in homework.planted)] == []


def test_students_get_no_hidden_scenario_and_no_proposal_for_one(
    homework: Assignment, sandbox: Sandbox
) -> None:
    hidden = read_scenarios(datasets_dir() / "support" / "grader" / "scenarios.jsonl")
    released = homework.student_notebook.read_text("utf-8")
    assert homework.files == ("proposals.jsonl",)
    released += (homework.folder / "proposals.jsonl").read_text("utf-8")
    assert [one.id for one in hidden if one.turns[0] in released or f'"{one.id} ' in released] == []
    looked_for = {"routing.jsonl", "grader", "hidden.jsonl", "checks.py", "proposals.py"}
    source = (
        "from aicourse.paths import datasets_dir\n"
        f"SEEN = sorted({looked_for} & {{path.name for path in datasets_dir().parent.rglob('*')}})\n"
    )
    (answer,) = sandbox.execute(Job(notebook(source), [StudentCall("SEEN", seconds=30)])).answers
    assert answer.value == ["routing.jsonl"]


def test_a_state_holds_no_answer_and_no_token(checks: dict[str, Any]) -> None:
    """Through the whole gold of each hidden scenario."""
    for given in checks["hidden_inputs"]():
        scenario = Scenario.model_validate(given["scenario"])
        states: list[dict[str, Any]] = []
        tools = scenario_desk(scenario).tools()
        found = rehearse(scenario, tools, gold(scenario), lambda state, to=states: to.append(state))
        assert found.score == 1
        assert scenario.goal not in json.dumps(states)
        assert "token" not in json.dumps(states)
        assert all(set(one) == {"scenario", "turn", "steps_left", "history", "proposal"} for one in states)


def gold(scenario: Scenario) -> Callable[[dict[str, Any]], Any]:
    left: list[list[dict[str, Any]]] = [
        [{"call": one.tool, "arguments": one.arguments} for one in turn.calls] for turn in scenario.gold
    ]
    for calls, turn in zip(left, scenario.gold, strict=True):
        calls.append({"reply": turn.reply or "."})
    return lambda state: left[state["turn"] - 1].pop(0)


# what the datasheet of the homework says


def scores(checks: dict[str, Any], source: str, homework: Assignment, hidden: bool) -> list[int]:
    """The scores of a policy's source, in this process, on dev or the hidden scenarios."""
    names: dict[str, Any] = {"WRITES": checks["WRITES"]}
    exec("import math, re", names)
    exec(source, names)
    path = homework.folder / ("hidden.jsonl" if hidden else "proposals.jsonl")
    given = [Scenario.model_validate(one["scenario"]) for one in checks["hidden_inputs"]()]
    some = given if hidden else load_scenarios("dev")
    propose = recorded_proposals(path)
    found = [
        rehearse(one, scenario_desk(one).tools(), names["decide"], propose)
        for one in (scenario.model_copy(update={"temper": "hurried"}) for scenario in some)
    ]
    return [one.score for one in found]


def policies(homework: Assignment, checks: dict[str, Any]) -> dict[str, str]:
    (answer,) = homework.answer_cells("q4")
    return {
        "the reference": answer.solution,
        "takes every proposal": checks["policy_source"](checks["FOLLOWS"]),
        "lists first, takes proposals, stops": checks["policy_source"](checks["STOPS"]),
        "by keywords, without the model": checks["BY_WORDS"],
        "denies everything": checks["policy_source"](checks["DENIES"]),
        "always hands over": checks["policy_source"](checks["HANDS_OVER"]),
    }


DECIDE_NOTHING = ("takes every proposal", "denies everything", "always hands over")


@pytest.fixture(scope="module")
def measured(homework: Assignment, checks: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """The mean scores of each policy on dev and on the hidden scenarios."""
    return {
        name: (
            statistics.fmean(scores(checks, source, homework, hidden=False)),
            statistics.fmean(scores(checks, source, homework, hidden=True)),
        )
        for name, source in policies(homework, checks).items()
    }


def test_the_figures_are_those_of_the_datasheet_of_the_homework(
    homework: Assignment, measured: dict[str, tuple[float, float]]
) -> None:
    (check,) = [one for one in homework.checks if isinstance(one, ScoredCheck)]
    text = (homework.folder / "README.md").read_text("utf-8")
    for name, (dev, hidden) in measured.items():
        (row,) = re.findall(rf"(?m)^\| {name} \| (\S+) .*\| (\S+) .*\| (\d+) \|$", text)
        assert row == (f"{dev:.2f}", f"{hidden:.2f}", f"{check.points_for(hidden):.0f}"), name


def test_levels_come_from_dev_and_no_policy_that_decides_nothing_reaches_one(
    homework: Assignment, checks: dict[str, Any], measured: dict[str, tuple[float, float]]
) -> None:
    (check,) = [one for one in homework.checks if isinstance(one, ScoredCheck)]
    naive = max(measured[name][0] for name in DECIDE_NOTHING)
    assert check.levels == checks["levels"](round(naive, 3), round(measured["the reference"][0], 3))
    assert [name for name in DECIDE_NOTHING if check.points_for(measured[name][1])] == []
    assert check.points_for(measured["the reference"][1]) == check.points == 10
    notebook_text = (homework.folder / "master.ipynb").read_text("utf-8")
    assert all(f"| {least:.2f} or more | {points} |" in notebook_text for least, points in check.levels)


# the recordings


def test_both_paths_of_every_scenario_are_recorded(
    homework: Assignment, checks: dict[str, Any], maker: dict[str, Any]
) -> None:
    """So a policy that lists the orders first, or makes the right calls, has proposals to decide on."""
    hidden = [Scenario.model_validate(one["scenario"]) for one in checks["hidden_inputs"]()]
    assert len(hidden) == 20
    for scenarios, name in ((load_scenarios("dev"), "proposals.jsonl"), (hidden, "hidden.jsonl")):
        propose = recorded_proposals(homework.folder / name)
        missed: list[str] = []

        def noted(state: dict[str, Any], of: Any = propose, to: list[str] = missed) -> Any:
            proposal = of(state)
            if proposal is None:
                to.append(situation(state))
            return proposal

        for scenario in maker["hurried"](scenarios):
            for walk in maker["walks"](scenario):
                rehearse(scenario, scenario_desk(scenario).tools(), walk, noted)
        assert missed == []


def test_live_proposals_are_asked_for_once_and_kept(
    maker: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "live.jsonl"
    live = maker["Live"](path)
    asked: list[Any] = []
    monkeypatch.setattr(
        maker["Live"], "_ask", lambda self, history: asked.append(history) or {"reply": "Hello."}
    )
    state = {"scenario": "G01", "turn": 1, "history": [{"kind": "customer", "text": "Hi"}]}
    assert live(state) == live(state) == {"reply": "Hello."}
    assert maker["Live"](path)(state) == {"reply": "Hello."}  # after an interrupt
    assert len(asked) == 1


def test_live_grading_says_its_price_first(
    homework: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert homework.notice == ""
    monkeypatch.setenv("HW06_LIVE", str(tmp_path / "live.jsonl"))
    live = load_assignment("hw06")
    assert "5 hours for 100 submissions" in live.notice
    assert str(tmp_path / "live.jsonl") in live.notice
    (check,) = [one for one in live.checks if isinstance(one, ScoredCheck)]
    assert check.dialogue(check.draw()[0]).live is not None


def test_what_a_model_answers_becomes_a_proposal(maker: dict[str, Any]) -> None:
    from types import SimpleNamespace

    called = SimpleNamespace(function=SimpleNamespace(name="order_status", arguments='{"order_id": 1001}'))
    message = SimpleNamespace(tool_calls=[called], content=None)
    assert maker["as_proposal"](message) == {"call": "order_status", "arguments": {"order_id": 1001}}
    message = SimpleNamespace(tool_calls=None, content="Hello." * 1_000)
    assert len(maker["as_proposal"](message)["reply"]) == 1_000

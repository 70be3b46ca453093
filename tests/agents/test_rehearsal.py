"""Rehearsals: a policy decides on recorded proposals, the desk acts, and whatever a policy sends, no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicourse.agents.rehearsal import (
    LONGEST_REPLY,
    MOST_STEPS,
    Policy,
    Rehearsal,
    recorded_proposals,
    rehearse,
    situation,
)
from aicourse.agents.scenarios import Scenario, load_scenarios
from aicourse.errors import DatasetError
from aicourse.marketplace.support.snapshot import scenario_desk

LIST = {"call": "list_my_orders", "arguments": {}}
REFUND = {"call": "refund_order", "arguments": {"order_id": 1006}}
DONE = {"reply": "Done."}
SCENARIOS = {one.id: one for one in load_scenarios("dev")}


def scenario(name: str = "D01", **changes: Any) -> Scenario:
    return SCENARIOS[name].model_copy(update=changes)


def said(*decisions: Any) -> Policy:
    """A policy that says these, then the last of them for ever."""
    left = list(decisions)
    return lambda state: left.pop(0) if len(left) > 1 else left[0]


def rehearsed(decide: Policy, one: Scenario | None = None, *recorded: dict[str, Any]) -> Rehearsal:
    one = one or scenario()
    return rehearse(one, scenario_desk(one).tools(), decide, recorded_proposals(recorded))


def test_a_good_policy_succeeds_and_the_customer_is_asked_and_told_in_the_tools_words() -> None:
    found = rehearsed(said(LIST, REFUND, DONE))
    assert (found.score, found.passed, found.why) == (1, True, "")
    question, result, reply = found.trajectory.replies
    assert question == "Refund 132.40 € for order 1006 (record player)?"
    assert result == "132.40 € for order 1006 go back by card."
    assert reply == "Done."


@pytest.mark.parametrize("name", [one.id for one in load_scenarios("dev")])
def test_the_gold_of_every_scenario_passes_also_with_a_hurried_customer(name: str) -> None:
    one = scenario(name, temper="hurried")
    turns = [
        [
            *({"call": call.tool, "arguments": call.arguments} for call in turn.calls),
            {"reply": turn.reply or "."},
        ]
        for turn in one.gold
    ]
    assert rehearsed(lambda state: turns[state["turn"] - 1].pop(0), one).score == 1


def test_a_state_tells_what_was_said_and_done_and_what_is_proposed() -> None:
    seen: list[dict[str, Any]] = []
    decisions = iter([LIST, REFUND, DONE])

    def decide(state: dict[str, Any]) -> Any:
        seen.append(state)
        return next(decisions)

    rehearsed(decide, None, {"situation": "D01 turn 1: list_my_orders", "proposal": REFUND})
    assert [one["proposal"] for one in seen] == [None, REFUND, None]
    assert [one["steps_left"] for one in seen] == [MOST_STEPS, MOST_STEPS - 1, MOST_STEPS - 2]
    assert [one["status"] for one in seen[2]["history"] if one["kind"] == "call"] == ["done", "done"]
    assert json.loads(json.dumps(seen)) == seen
    assert "token" not in json.dumps(seen)


def test_what_a_policy_does_to_a_state_changes_nothing() -> None:
    def decide(state: dict[str, Any]) -> Any:
        calls = len(state["history"]) - 1
        state["history"].clear()
        return [LIST, REFUND, DONE][calls]

    assert rehearsed(decide).score == 1


def test_a_no_of_the_customer_changes_nothing_and_is_told() -> None:
    seen: list[Any] = []

    def decide(state: dict[str, Any]) -> Any:
        seen.append(state["history"][-1])
        return REFUND if len(seen) == 1 else DONE

    found = rehearsed(decide, scenario(agrees=()))
    assert seen[1]["status"] == "declined"
    assert (found.score, found.trajectory.changes) == (0, [])


def test_an_unwanted_change_costs_and_ends_the_conversation() -> None:
    one = scenario("D05", temper="hurried")
    wrong = {"call": "report_problem", "arguments": {"order_id": 1001, "reason": "damaged"}}
    found = rehearsed(said(wrong, DONE), one)
    assert (found.score, found.stopped) == (-1, "unwanted change")
    assert "order_id=1001" in found.unwanted[0]
    assert len(found.trajectory.calls) == 1


def test_a_hand_over_that_nobody_asked_for_fails_and_costs_no_more() -> None:
    found = rehearsed(said({"call": "hand_over", "arguments": {"reason": "always"}}, DONE))
    assert (found.score, found.unwanted) == (0, ())
    assert "effects" in found.why


def test_after_a_hand_over_nothing_more_is_said() -> None:
    one = scenario("D08")
    handing = said({"call": "hand_over", "arguments": {"reason": "always"}}, DONE)
    assert len([step for step in rehearsed(handing, one).trajectory.steps if step.kind == "customer"]) == 1


def test_endless_calls_end() -> None:
    found = rehearsed(said(LIST))
    assert (found.score, found.stopped) == (0, f"no reply after {MOST_STEPS} decisions")
    assert len(found.trajectory.calls) == MOST_STEPS


@pytest.mark.parametrize(
    "value",
    [
        None,
        "reply",
        [],
        {},
        {"reply": ""},
        {"reply": 7},
        {"reply": "x" * (LONGEST_REPLY + 1)},
        {"reply": "Done.", "call": "list_my_orders", "arguments": {}},
        {"call": "list_my_orders"},
        {"call": 1, "arguments": {}},
        {"call": "list_my_orders", "arguments": []},
        {"call": "list_my_orders", "arguments": {"x": float("nan")}},
        {"call": "list_my_orders", "arguments": {"x": {1, 2}}},
        {"call": "refund_order", "arguments": {"order_id": 1006}, "token": "forged"},
        {"confirm": "forged"},
        {"call": "x" * 20_000, "arguments": {}},
        {"call": "search_help", "arguments": {"query": "x" * 20_000}},
    ],
)
def test_what_is_no_decision_ends_the_conversation(value: Any) -> None:
    found = rehearsed(said(value))
    assert (found.score, found.trajectory.changes) == (0, [])
    assert found.stopped.startswith("no decision")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["list_my_orders", "refund_order", "cancel_order", "confirm", "hand_over", ""])


@settings(max_examples=40)
@given(plain | st.fixed_dictionaries({"call": names, "arguments": plain}))
def test_no_decision_raises_or_changes_another_customers_rows(value: Any) -> None:
    one = scenario(agrees=(), allowed=())
    found = rehearsed(said(value, value, DONE), one)
    assert all(change.table == "hand_overs" for change in found.trajectory.changes)


@settings(max_examples=20)
@given(st.sampled_from(["refund_order", "cancel_order", "order_status"]), st.integers(1001, 1012))
def test_other_peoples_orders_are_as_if_they_were_not(name: str, order: int) -> None:
    if order in (1006, 1007):  # the customer's own
        return
    found = rehearsed(
        said({"call": name, "arguments": {"order_id": order}}, DONE), scenario(temper="hurried")
    )
    assert found.trajectory.calls[0].status == "refused"
    assert found.trajectory.changes == []


def test_a_situation_counts_calls_without_order_wording_and_repeats() -> None:
    def state(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        history = [{"kind": "call", "call": name, "arguments": given} for name, given in calls]
        return {"scenario": "D01", "turn": 1, "history": [{"kind": "customer", "text": "…"}, *history]}

    one = state(("search_help", {"query": "fees"}), ("order_status", {"order_id": 1001}))
    other = state(
        ("order_status", {"order_id": "1001"}),
        ("search_help", {"query": "cost"}),
        ("search_help", {"query": "2"}),
    )
    assert situation(one) == "D01 turn 1: order_status 1001, search_help"
    assert situation(state()) == "D01 turn 1: "
    assert situation(one) != situation(other)  # a number is a number, wherever it stands


def test_a_file_of_proposals_is_read_and_a_broken_one_says_so(tmp_path: Path) -> None:
    path = tmp_path / "proposals.jsonl"
    path.write_text(json.dumps({"situation": "D01 turn 1: ", "proposal": LIST}) + "\n", "utf-8")
    propose = recorded_proposals(path)
    assert propose({"scenario": "D01", "turn": 1, "history": []}) == LIST
    look = {"kind": "call", "call": "order_status", "arguments": {"order_id": 1006}}
    assert propose({"scenario": "D01", "turn": 1, "history": [look]}) == LIST
    assert propose({"scenario": "D01", "turn": 2, "history": []}) is None
    path.write_text('{"situation": 1}\n', "utf-8")
    with pytest.raises(DatasetError, match="Fetch the file again"):
        recorded_proposals(path)

"""Proposals in the background: their trace, their time limit, and a budget that is shared."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest
from selling_steps import PROPOSED, AtOnce, Later

from aicourse import prompts
from aicourse.errors import BudgetExceeded, PromptError
from aicourse.experiments import Experiment, Metric, assign
from aicourse.llm.client import connect
from aicourse.marketplace.app import proposing
from aicourse.marketplace.app.background import MOST_OF_ONE, MOST_WAITING
from aicourse.marketplace.app.proposing import Proposer
from aicourse.marketplace.app.store import Draft, Proposal, Store
from aicourse.monitoring.tracing import start_tracing
from aicourse.testing import ScriptedModel

COAT = Draft("ida", "k", "Navy coat", "Wool, size M, from Zara.", client="web 1")


def proposed(proposer: Proposer, draft: Draft = COAT) -> Proposal:
    store = proposer.store
    listing_id, _ = store.add_draft(draft)
    proposer.begin(listing_id, draft)
    proposal = store.proposal(listing_id)
    assert proposal
    return proposal


def spans(store: Store) -> list[sqlite3.Row]:
    with store.reading() as connection:
        return connection.execute("SELECT * FROM spans ORDER BY started_ns").fetchall()


def test_a_proposal_is_a_trace_with_the_call_inside(
    proposer: Proposer, model: ScriptedModel, store: Store
) -> None:
    model.enqueue(PROPOSED.model_copy(update={"condition": None}))
    with start_tracing(store.path) as tracing:
        proposal = proposed(proposer)
        tracing.flush()
        root, call = spans(store)
    assert proposal.trace_id == root["trace_id"] == call["trace_id"]
    assert (root["name"], root["parent_id"], call["parent_id"]) == ("propose", None, root["span_id"])
    assert (root["prompt"], root["prompt_version"], root["model"]) == ("extract_listing", "v4", "m")
    assert (root["category"], root["valid"], root["empty_fields"]) == ("clothing", 1, 1)
    assert root["client"] == "web 1"
    assert (call["operation"], call["prompt_version"]) == ("chat", "v4")
    assert call["input_tokens"] > 0


@pytest.mark.parametrize(
    ("reply", "status", "valid"), [("nonsense", "ok", 0), (openai.OpenAIError("down"), "error", None)]
)
def test_a_proposal_that_failed_has_its_trace(
    reply: object, status: str, valid: int | None, proposer: Proposer, model: ScriptedModel, store: Store
) -> None:
    model.enqueue(reply, reply)  # type: ignore[arg-type]
    with start_tracing(store.path) as tracing:
        proposal = proposed(proposer)
        tracing.flush()
        root = spans(store)[0]
    assert (root["name"], root["status"], root["valid"]) == ("propose", status, valid)
    assert proposal.trace_id == root["trace_id"]


def test_the_call_is_given_the_time_that_is_left(store: Store) -> None:
    limits = []

    class Client:
        def with_options(self, *, timeout: float, max_retries: int) -> None:
            limits.append((timeout, max_retries))
            raise openai.OpenAIError("enough seen")

    proposed(Proposer(store, Client, "m", "extract_listing@v4", 7.0, pool=AtOnce()))  # type: ignore[arg-type]
    [(timeout, retries)] = limits
    assert 0 < timeout <= 7
    assert retries == 0


def test_an_answer_that_comes_too_late_is_a_failure_for_monitoring_too(
    proposer: Proposer, model: ScriptedModel, store: Store, time_in: Callable[..., None]
) -> None:
    clock = iter(range(0, 1_000, 15))  # each look at it is 15 s later; the limit is 20 s
    time_in(proposing, monotonic=lambda: next(clock))
    model.enqueue(PROPOSED)
    with start_tracing(store.path) as tracing:
        proposal = proposed(proposer)
        tracing.flush()
        root = spans(store)[0]
    assert (proposal.problem, proposal.attributes, proposal.trace_id) == ("slow", {}, root["trace_id"])
    assert (root["status"], root["error_type"], root["valid"]) == ("error", "TimeoutError", None)


def test_many_drafts_at_once_share_one_client_and_its_budget(store: Store, model: ScriptedModel) -> None:
    made = []

    def connect_slowly() -> openai.OpenAI:
        made.append(1)
        both.wait(0.2)  # the other draft is under way meanwhile
        return model.client()

    both = threading.Event()
    model.enqueue(PROPOSED, PROPOSED)
    proposer = Proposer(store, connect_slowly, "m", "extract_listing@v4", 20)
    for key in "ab":
        draft = replace(COAT, key=key)
        listing_id, _ = store.add_draft(draft)
        proposer.begin(listing_id, draft)
    proposer.pool.shutdown(wait=True)
    assert made == [1]
    assert len(model.history) == 2


def test_one_seller_has_so_many_drafts_waiting_and_all_have_so_many(
    store: Store, model: ScriptedModel
) -> None:
    later = Later()
    proposer = Proposer(store, model.client, "m", "extract_listing@v4", 20, pool=later)

    def problem(seller: str, key: int) -> str | None:
        return proposed(proposer, replace(COAT, seller_id=seller, key=f"{seller} {key}")).problem

    mine = [problem("ida", key) for key in range(MOST_OF_ONE + 1)]
    assert mine == [None] * MOST_OF_ONE + ["slow"]
    others = [problem(f"seller {number}", 0) for number in range(MOST_WAITING)]
    assert others.count(None) == MOST_WAITING - MOST_OF_ONE
    assert len(later.waiting) == MOST_WAITING
    model.enqueue(*[PROPOSED] * MOST_WAITING)
    later.run()
    assert problem("ida", 9) is None


EXPERIMENT = Experiment(
    name="v4 or v6", salt="s", variants={"v4": 1, "v6": 1}, share=0.5, primary=Metric(name="published")
)
OTHER = PROPOSED.model_copy(update={"condition": "fair"})


def exposures(store: Store) -> dict[str, tuple[str, bool]]:
    lines = [json.loads(line) for line in store.exposures.read_text(encoding="utf-8").splitlines()]
    assert {(line["experiment"], line["client"]) for line in lines} == {("v4 or v6", "web 1")}
    return {line["person"]: (line["variant"], line["triggered"]) for line in lines}


@pytest.mark.parametrize(
    ("replies", "triggered"),
    [
        ((PROPOSED, OTHER), True),
        ((PROPOSED, PROPOSED), False),
        ((PROPOSED, "nonsense", "nonsense"), True),
        ((PROPOSED, openai.OpenAIError("down")), True),
        ((openai.OpenAIError("down"), PROPOSED), True),
        ((openai.OpenAIError("down"), openai.OpenAIError("down")), False),
    ],
)
def test_an_exposure_is_triggered_alike_in_both_variants(
    replies: tuple[Any, ...], triggered: bool, store: Store, model: ScriptedModel
) -> None:
    proposer = Proposer(store, model.client, "m", "extract_listing@v4", 20, EXPERIMENT, pool=AtOnce())
    expected = {}
    with start_tracing(store.path) as tracing:
        for seller in ("ida", "bob", "eve", "joe", "amy", "max"):
            model.enqueue(*replies)
            proposed(proposer, replace(COAT, seller_id=seller))
            expected[seller] = (assign(EXPERIMENT, seller), triggered)
        tracing.flush()
        roots = [span for span in spans(store) if span["name"] == "propose"]
    assert {variant for variant, _ in expected.values()} == {"v4", "v6"}
    assert exposures(store) == expected
    assert [(root["experiment"], root["variant"]) for root in roots] == [
        ("v4 or v6", variant) for variant, _ in expected.values()
    ]


def test_a_variant_is_its_prompt_and_what_the_seller_sees(store: Store, model: ScriptedModel) -> None:
    proposer = Proposer(store, model.client, "m", "extract_listing@v4", 20, EXPERIMENT, pool=AtOnce())
    seller = next(name for name in "abcdefgh" if assign(EXPERIMENT, name) == "v6")
    model.enqueue(OTHER, PROPOSED)
    seen = proposed(proposer, replace(COAT, seller_id=seller))
    assert seen.attributes["condition"] == "fair"
    shown, compared = (request.text for request in model.history)
    assert shown.startswith(prompts.load("extract_listing@v6").render(listing="")[0]["content"][:40])
    assert shown != compared


def test_who_takes_no_part_gets_the_control_and_is_not_logged(store: Store, model: ScriptedModel) -> None:
    stopped = EXPERIMENT.model_copy(update={"share": 0.0})
    proposer = Proposer(store, model.client, "m", "extract_listing@v6", 20, stopped, pool=AtOnce())
    model.enqueue(PROPOSED)
    proposed(proposer)
    assert len(model.history) == 1
    assert proposer.load_prompt(None).ref == prompts.load("extract_listing@v4").ref
    assert not store.exposures.exists()


def test_an_unknown_variant_is_told(store: Store, model: ScriptedModel) -> None:
    unknown = EXPERIMENT.model_copy(update={"variants": {"v4": 1, "control": 1}})
    with pytest.raises(PromptError, match="control"):
        Proposer(store, model.client, "m", "extract_listing@v4", 20, unknown)


def test_a_draft_that_waited_too_long_asks_nobody(proposer: Proposer, model: ScriptedModel) -> None:
    proposer.limit_seconds = 0
    assert proposed(proposer).problem == "slow"
    assert model.history == []


def test_a_model_that_never_answers_ends_by_the_deadline(store: Store) -> None:
    asked, ended = threading.Event(), threading.Event()

    def connect_and_hang() -> openai.OpenAI:
        asked.set()
        ended.wait(30)
        raise openai.OpenAIError("too late")

    proposer = Proposer(store, connect_and_hang, "m", "extract_listing@v4", 0.05)
    listing_id, _ = store.add_draft(COAT)
    proposer.begin(listing_id, COAT)
    assert asked.wait(30)
    while (proposal := store.proposal(listing_id)) and proposal.is_working:
        ended.wait(0.01)
    assert proposal
    assert proposal.problem == "slow"
    ended.set()
    proposer.close()


def test_the_budget_is_for_all_proposals_together(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key-at-all")  # pragma: allowlist secret
    client = connect("openai", "gpt-6-luna", budget=Decimal("0.0000001"), replay="off")
    proposer = Proposer(store, lambda: client, "gpt-6-luna", "extract_listing@v4", 20, pool=AtOnce())
    assert proposed(proposer).problem == "over budget"
    with pytest.raises(BudgetExceeded):
        client.chat.completions.create(model="gpt-6-luna", messages=[{"role": "user", "content": "?"}])

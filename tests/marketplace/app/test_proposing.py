"""Proposals in the background: their trace, their time limit, and a budget that is shared."""

from __future__ import annotations

import sqlite3
import threading
from decimal import Decimal
from pathlib import Path

import openai
import pytest
from selling_steps import PROPOSED, AtOnce

from aicourse.errors import BudgetExceeded
from aicourse.llm.client import connect
from aicourse.marketplace.app.proposing import Proposer
from aicourse.marketplace.app.store import Draft, Proposal, Store
from aicourse.monitoring.tracing import start_tracing
from aicourse.testing import ScriptedModel

COAT = Draft("k", "Navy coat", "Wool, size M, from Zara.")


def proposed(proposer: Proposer) -> Proposal:
    store = proposer.store
    listing_id = store.add_draft("ida", COAT, None)
    assert listing_id
    proposer.begin(listing_id, COAT.text, None)
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
    listing_id = store.add_draft("ida", COAT, None)
    assert listing_id
    proposer.begin(listing_id, COAT.text, None)
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

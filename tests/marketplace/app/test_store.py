"""The store: what a seller may see, what a search finds, and what a killed process leaves."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from selling_steps import PROPOSED

from aicourse.marketplace.app import store as store_module
from aicourse.marketplace.app.store import PAGE, Draft, Listing, Store

DIES = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from selling_steps import PROPOSED
from aicourse.marketplace.app.store import Store

store = Store(Path({path!r}))
store.begin_proposal({listing!r}, 60)
store.end_proposal({listing!r}, PROPOSED.model_dump(), {{}}, "t" * 32)

def die(statement):
    if statement.lstrip().startswith({at!r}):
        os.kill(os.getpid(), signal.SIGKILL)

store._idle[-1].set_trace_callback(die)
store.publish(store.listing({listing!r}, "ida"), "Ida", PROPOSED)
"""


def add(store: Store, title: str, seller: str = "ida", description: str = "As described.") -> Listing:
    listing_id, is_new = store.add_draft(Draft(seller, title, title, description))
    assert is_new
    listing = store.listing(listing_id, seller)
    assert listing
    return listing


def test_a_connection_in_use_closes_when_its_work_is_done(store: Store) -> None:
    with store.reading() as connection:
        store.close()
        assert connection.execute("SELECT 1").fetchone()[0] == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_draft_is_seen_by_its_seller_alone(store: Store) -> None:
    draft = add(store, "Coat")
    assert store.listing(draft.listing_id, "bob") is None
    assert store.listing(draft.listing_id, None) is None
    assert store.published() == []
    assert store.publish(draft, "Ida", PROPOSED)
    assert store.listing(draft.listing_id, "bob") is not None
    assert store.listings_of("bob") == []


def test_nobody_publishes_for_another(store: Store) -> None:
    from dataclasses import replace

    draft = add(store, "Coat")
    assert not store.publish(replace(draft, seller_id="bob"), "Bob", PROPOSED)
    assert store.published() == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("coat", ["Navy coat"]),
        ("COA", ["Navy coat"]),
        ("navy zara", ["Navy coat"]),
        ("müsli", ["Müsli bowl"]),
        ("musli", ["Müsli bowl"]),
        ("navy bowl", []),
        ("", ["Müsli bowl", "Navy coat"]),
        ('" OR title:*', []),
        ("!?", ["Müsli bowl", "Navy coat"]),
    ],
)
def test_a_search_finds_all_its_words(words: str, expected: list[str], store: Store) -> None:
    store.publish(add(store, "Navy coat"), "Ida", PROPOSED)
    bowl = PROPOSED.model_copy(update={"category": "kitchen", "brand": None})
    store.publish(add(store, "Müsli bowl"), "Ida", bowl)
    assert [listing.title for listing in store.published(words)] == expected


def test_pages_of_listings_leave_none_out_and_show_none_twice(
    store: Store, time_in: Callable[..., None]
) -> None:
    time_in(store_module, time_ns=lambda: 10**18)  # all at the same moment
    for number in range(PAGE + 3):
        store.publish(add(store, f"Thing {number}"), "Ida", PROPOSED)
    first = store.published(category="clothing")
    second = store.published(category="clothing", before=first[PAGE - 1].listing_id)
    titles = [listing.title for listing in (*first[:PAGE], *second)]
    assert titles == [f"Thing {number}" for number in reversed(range(PAGE + 3))]


def test_an_answer_after_the_seller_published_is_dropped(store: Store) -> None:
    draft = add(store, "Coat")
    store.begin_proposal(draft.listing_id, 60)
    assert store.publish(draft, "Ida", PROPOSED)
    store.end_proposal(draft.listing_id, PROPOSED.model_dump(), {}, "t" * 32)
    proposal = store.proposal(draft.listing_id)
    assert proposal
    assert (proposal.attributes, proposal.trace_id) == ({}, None)


def test_an_answer_after_the_time_limit_is_dropped(store: Store) -> None:
    draft = add(store, "Coat")
    store.begin_proposal(draft.listing_id, 0)
    store.end_proposal(draft.listing_id, PROPOSED.model_dump(), {}, None)
    proposal = store.proposal(draft.listing_id)
    assert proposal
    assert (proposal.problem, proposal.attributes, proposal.is_working) == ("slow", {}, False)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize(
    "at", ["UPDATE listings", "INSERT INTO search", "UPDATE sellers", "INSERT INTO feedback", "COMMIT"]
)
def test_killed_in_the_middle_of_publishing_it_is_a_whole_draft(
    at: str, tmp_path: Path, store: Store
) -> None:
    draft = add(store, "Coat")
    script = DIES.format(
        here=str(Path(__file__).parent), path=str(store.path), listing=draft.listing_id, at=at
    )
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = Store(store.path)
    assert again.published() == []
    left = again.listing(draft.listing_id, "ida")
    assert left == draft
    with again.reading() as connection:
        assert connection.execute("SELECT count(*) FROM feedback").fetchone()[0] == 0
    assert again.publish(draft, "Ida", PROPOSED)
    assert [listing.listing_id for listing in again.published("coat")] == [draft.listing_id]
    with again.reading() as connection:
        assert connection.execute("SELECT count(*) FROM feedback").fetchone()[0] == len(PROPOSED.model_dump())
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    again.close()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    from aicourse.errors import StoreError

    path = tmp_path / "notes.txt"
    path.write_text("no database, " * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"notes\.txt"):
        store_module.Store(path)

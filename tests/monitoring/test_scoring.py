"""Scores by rules: of a share of requests that has the same mean, each once; a broken rule is a row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from aicourse.monitoring.metrics import read_scores
from aicourse.monitoring.scoring import score_requests

Write = Callable[..., str]


def test_each_request_is_scored_once(store: sqlite3.Connection, write: Write) -> None:
    write("2026-10-05 09:00", attributes='{"aicourse.listing.characters": 80}')
    write("2026-10-05 09:00", attributes='{"aicourse.listing.characters": 300}')

    def short(request):
        return request["attributes"]["aicourse.listing.characters"] < 100

    assert score_requests(store, "short", short, share=1) == 2
    assert score_requests(store, "short", short, share=1) == 0
    write("2026-10-06 09:00", attributes='{"aicourse.listing.characters": 90}')
    assert score_requests(store, "short", short, share=1) == 1
    assert score_requests(store, "short", short, share=1, source="judge") == 3
    table = read_scores(store)
    assert table["mean"].to_dict() == pytest.approx({("judge", "short"): 2 / 3, ("rule", "short"): 2 / 3})


def test_a_share_is_the_same_for_all_rules_and_says_the_same(store: sqlite3.Connection, write: Write) -> None:
    for number in range(600):
        write("2026-10-05 09:00", empty_fields=number % 4, calls=())
    for name in ("empty", "none"):
        score_requests(store, name, lambda request: request["empty_fields"], share=0.5)
    row = read_scores(store).loc[("rule", "empty")]
    assert row["scored"] == pytest.approx(300, abs=3 * 150**0.5)
    assert row["mean"] == pytest.approx(1.5, abs=3 * (1.25 / 300) ** 0.5)
    both = "SELECT count(DISTINCT trace_id) FROM scores"
    assert store.execute(both).fetchone()[0] == row["scored"]


def test_a_broken_rule_says_so_and_one_that_has_no_answer_says_nothing(
    store: sqlite3.Connection, write: Write
) -> None:
    write("2026-10-05 09:00", empty_fields=0)
    write("2026-10-05 09:00", empty_fields=2)
    assert score_requests(store, "inverse", lambda request: 1 / request["empty_fields"], share=1) == 2
    assert read_scores(store).loc[("rule", "inverse")].tolist() == [1, 0.5, 1]
    told = store.execute("SELECT explanation FROM scores WHERE value IS NULL").fetchone()[0]
    assert told == "ZeroDivisionError: division by zero"
    assert score_requests(store, "inverse", lambda request: 3.5, share=1) == 1  # the broken one alone, again
    assert read_scores(store).loc[("rule", "inverse")].tolist() == [2, 2.0, 0]
    assert score_requests(store, "none", lambda request: None, share=1) == 0


def test_what_was_scored_before_an_interrupt_is_kept(store: sqlite3.Connection, write: Write) -> None:
    for _ in range(3):
        write("2026-10-05 09:00")
    given = iter([1.0, 0.0])

    def judge(request):
        try:
            return next(given)
        except StopIteration:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt):
        score_requests(store, "good", judge, share=1, source="judge")
    assert read_scores(store).loc[("judge", "good")].tolist() == [2, 0.5, 0]
    assert score_requests(store, "good", lambda request: 1.0, share=1, source="judge") == 1

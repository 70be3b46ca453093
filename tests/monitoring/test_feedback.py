from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from aicourse.csv_text import read_csv
from aicourse.errors import FeedbackError
from aicourse.monitoring.feedback import (
    LONGEST_TEXT,
    as_kept,
    export_feedback,
    record_annotation,
    record_published,
    record_thumb,
)


def rows(connection: sqlite3.Connection, what: str, table: str = "feedback") -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(f"SELECT {what} FROM {table} ORDER BY id")]


def test_a_row_per_field_and_equal_means_accepted(
    connection: sqlite3.Connection, publish: Callable[..., list[str]]
) -> None:
    assert publish(1, colours=["white", "red"], brand=" Nike ", size="UK 7 ") == ["brand"]
    kept = rows(connection, "field, proposed = published, published, trace_id, kind")
    assert len(kept) == 6
    assert [row[0] for row in kept if not row[1]] == ["brand"]
    assert ("brand", 0, '"Nike"', "t1", "implicit") in kept


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (["red", "blue"], ["blue", "red", "red"], True),
        ("", None, True),
        ([], None, False),
        ("Zara", "zara", False),
        ("grün \ud83d", "grün \ud83d", True),
    ],
)
def test_which_values_are_the_same(one: Any, other: Any, equal: bool) -> None:
    assert (as_kept(one) == as_kept(other)) is equal


def test_without_a_proposal_nothing_is_a_correction(
    connection: sqlite3.Connection, proposed: dict[str, Any]
) -> None:
    given = {"listing_id": "l1", "seller_id": "s1", "published": proposed}
    assert record_published(connection, None, proposed=None, **given) == []
    assert {row[0] for row in rows(connection, "proposed")} == {None}


def test_publishing_again_replaces_what_was_published(
    connection: sqlite3.Connection, publish: Callable[..., list[str]]
) -> None:
    publish(1)
    publish(1, brand="Nike")
    assert len(rows(connection, "id")) == 6
    assert rows(connection, "published")[-1] == ('"Nike"',)


def test_the_last_thumb_of_a_seller_counts(connection: sqlite3.Connection) -> None:
    record_thumb(connection, "t1", seller_id="s1", thumb=1)
    record_thumb(connection, "t1", seller_id="s2", thumb=1)
    record_thumb(connection, "t1", seller_id="s1", thumb=-1, reason="colour", text=" It is teal. ")
    found = rows(connection, "seller_id, thumb, reason, text")
    assert found == [("s1", -1, "colour", "It is teal."), ("s2", 1, None, None)]
    ((first,), (second,)) = rows(connection, "given_ns")
    assert first >= second  # it was given again
    with pytest.raises(FeedbackError, match="1 \\(up\\) or -1"):
        record_thumb(connection, "t1", seller_id="s1", thumb=0)


def test_words_of_sellers_are_cut_and_keep_no_key(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-this-is-a-key-of-a-test-0123456789"  # pragma: allowlist secret
    monkeypatch.setenv("OPENAI_API_KEY", key)
    record_thumb(connection, "t1", seller_id="s1", thumb=1, text="x" * 3_000)
    record_thumb(connection, "t2", seller_id="s1", thumb=1, text=f"{key}\u202e\ud83d")
    long, secret = (row[0] for row in rows(connection, "text"))
    assert len(long) == LONGEST_TEXT
    assert "sk-this" not in secret
    assert "\u202e" not in secret


def test_it_is_part_of_the_transaction_that_is_open(
    connection: sqlite3.Connection, publish: Callable[..., list[str]]
) -> None:
    def fail() -> None:
        with connection:
            connection.execute("INSERT INTO dropped VALUES ('full', 1)")
            publish(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(connection, "id") == []
    publish(1)
    assert not connection.in_transaction  # alone it is one of its own


def test_a_verdict_replaces_the_same_annotators_own(
    connection: sqlite3.Connection, publish: Callable[..., list[str]]
) -> None:
    publish(1, brand="Nike")
    given = {"annotator": "A", "field": "size", "probability": 0.25, "sampler": "random"}
    record_annotation(connection, "t1", verdict="unsure", gold="ignored", **given)
    assert rows(connection, "gold", "annotations") == [(None,)]
    record_annotation(connection, "t1", verdict="wrong", gold="UK 8", **given)
    record_annotation(connection, "t1", verdict="right", **(given | {"annotator": "B"}))
    found = rows(connection, "annotator, verdict, gold, probability", "annotations")
    assert found == [("A", "wrong", '"UK 8"', 0.25), ("B", "right", '"UK 7"', 0.25)]
    with pytest.raises(sqlite3.IntegrityError):
        record_annotation(connection, "t1", verdict="right", **(given | {"probability": 0.0}))


def test_a_verdict_is_about_a_proposal_and_agrees_with_its_gold(
    connection: sqlite3.Connection, publish: Callable[..., list[str]], proposed: dict[str, Any]
) -> None:
    publish(1)
    with pytest.raises(FeedbackError, match="That is what was proposed"):
        record_annotation(
            connection, "t1", annotator="A", field="colours", verdict="wrong", gold=["white", "red"]
        )
    with pytest.raises(FeedbackError, match="no published proposal of 'weight'"):
        record_annotation(connection, "t1", annotator="A", field="weight", verdict="right")
    record_published(connection, "t2", listing_id="l", seller_id="s", proposed=None, published=proposed)
    with pytest.raises(FeedbackError, match="no published proposal of 'size'"):
        record_annotation(connection, "t2", annotator="A", field="size", verdict="right")
    assert rows(connection, "id", "annotations") == []


def test_an_export_has_no_formula_and_is_read_back(connection: sqlite3.Connection) -> None:
    evil = '=HYPERLINK("http://x";"me")'
    record_thumb(connection, "t1", seller_id="@s1", thumb=-1, reason="+1", text=evil)
    data = export_feedback(connection, "csv")
    assert b"\"'=HYPERLINK(" in data
    names, line = read_csv(data)
    found = dict(zip(names, line, strict=True))
    assert (found["text"], found["seller_id"], found["reason"], found["thumb"]) == (evil, "@s1", "+1", "-1")

"""Annotation: verdicts from keys, kept at once with their probability; work that can be taken up again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aicourse.monitoring
from aicourse.errors import FeedbackError
from aicourse.monitoring.feedback import record_published
from aicourse.notebook.widgets import annotating
from aicourse.notebook.widgets.annotating import AnnotationControls, AnnotationSession, annotate
from aicourse.sqlite import database

MIGRATIONS = Path(aicourse.monitoring.__file__).parent / "migrations"
PROPOSED = {"colours": ["red"], "brand": None, "condition": "good"}
SAMPLE = pd.DataFrame({"probability": [0.25, 0.5], "sampler": "corrected"}, index=["t2", "t1"])
ENTER = {"event": "submit"}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(database(tmp_path / "shop.sqlite", "monitoring", MIGRATIONS)) as opened:
        for number in (1, 2):
            record_published(
                opened,
                f"t{number}",
                listing_id=f"l{number}",
                seller_id="s",
                proposed=PROPOSED,
                published=PROPOSED | {"brand": "Nike"},
            )
        yield opened


@pytest.fixture
def session(connection: sqlite3.Connection) -> AnnotationSession:
    return annotate(connection, SAMPLE, {"l1": "Red boots", "l2": "Blue hat"}, annotator="A")


def kept(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    rows = connection.execute("SELECT trace_id, field, verdict, gold FROM annotations ORDER BY id")
    return [tuple(row) for row in rows]


def test_a_sample_is_judged_value_by_value(
    session: AnnotationSession, connection: sqlite3.Connection
) -> None:
    for words in ("r", "w", "u", "w blue, white", "r", "w fair"):
        session = session.answered(words)
    assert kept(connection) == [
        ("t2", "colours", "right", '["red"]'),
        ("t2", "brand", "wrong", '"Nike"'),
        ("t2", "condition", "unsure", None),
        ("t1", "colours", "wrong", '["blue", "white"]'),
        ("t1", "brand", "right", "null"),
        ("t1", "condition", "wrong", '"fair"'),
    ]
    found = connection.execute("SELECT DISTINCT trace_id, probability, sampler, annotator FROM annotations")
    assert {tuple(row) for row in found} == {("t2", 0.25, "corrected", "A"), ("t1", 0.5, "corrected", "A")}
    assert session.progress == "6 of 6 values judged by A"


def test_nothing_is_a_value_too(session: AnnotationSession, connection: sqlite3.Connection) -> None:
    session.answered("w -").answered("r").answered("w -")
    assert [row[3] for row in kept(connection)] == ["[]", "null", "null"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("x", "'x' is no key"),
        ("", "is no key"),
        ("w", "That is what was proposed"),
        ("w red", "That is what was proposed"),
        ("w crimson", "crimson is no colours"),
    ],
)
def test_what_is_no_verdict_is_refused(
    session: AnnotationSession, connection: sqlite3.Connection, words: str, told: str
) -> None:
    with pytest.raises(FeedbackError, match=told):
        session.answered(words)
    assert kept(connection) == []


def test_back_and_replaced_and_taken_up_again(
    session: AnnotationSession, connection: sqlite3.Connection
) -> None:
    session = session.answered("r").answered("b").answered("u")
    assert kept(connection) == [("t2", "colours", "unsure", None)]
    assert (session.value.trace_id, session.value.field) == ("t2", "brand")
    assert annotate(connection, SAMPLE, {}, annotator="A").place == 1
    assert annotate(connection, SAMPLE, {}, annotator="B").place == 0


def test_a_sample_without_published_listings_is_refused(connection: sqlite3.Connection) -> None:
    with pytest.raises(FeedbackError, match="No trace of the sample"):
        annotate(connection, SAMPLE.rename({"t1": "a", "t2": "b"}), {}, annotator="A")


def test_the_plain_form_says_it_all(session: AnnotationSession, read_page: Any) -> None:
    page = read_page(session.answered("r").answered("w")._repr_html_())
    for words in ("2 of 6 values judged by A", "wrong: Nike", "not judged", "Blue hat", "▶ condition"):
        assert words in page.text


def test_texts_of_strangers_stay_texts(connection: sqlite3.Connection, read_page: Any, evil: str) -> None:
    record_published(
        connection,
        "t1",
        listing_id="l1",
        seller_id="s",
        proposed=PROPOSED,
        published=PROPOSED | {"brand": evil},
    )
    session = annotate(connection, SAMPLE.loc[["t1"]], {"l1": evil}, annotator=evil)
    controls = AnnotationControls(session, str)
    for html in (session._repr_html_(), controls.case.value, controls.progress.value, controls.told.value):
        assert not {"script", "img"} & set(read_page(html).tags)


def test_keys_and_buttons(
    session: AnnotationSession, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    controls = AnnotationControls(session, drawn.append)
    focused: list[str] = []
    monkeypatch.setattr(type(controls.words), "focus", lambda field: focused.append(field.value))

    controls.words.value = "left by Tab"
    assert kept(connection) == []
    for words in ("r", "w"):
        controls.words._handle_custom_msg(ENTER, [])
        controls.words.value = words
    assert [row[2] for row in kept(connection)] == ["right", "wrong"]
    assert "✓ Saved l2, brand: wrong: Nike" in controls.told.value
    assert focused == ["", ""]
    assert "2 of 6 values judged by A · showing 3 of 6" in controls.progress.value
    controls.buttons[2].click()
    controls.buttons[3].click()
    assert "showing 3 of 6" in controls.progress.value
    assert "3 of 6 values judged" in drawn[-1]
    controls.buttons[1].click()
    assert "✗ Not saved: That is what was proposed" in controls.told.value


def test_enter_in_an_empty_field_does_not_save_what_is_typed_later(
    session: AnnotationSession, connection: sqlite3.Connection, time_in: Callable[..., None]
) -> None:
    now = [100.0]
    time_in(annotating, monotonic=lambda: now[0])
    controls = AnnotationControls(session, str)
    controls.words._handle_custom_msg(ENTER, [])  # no text follows: none has changed
    now[0] += 5
    controls.words.value = "r"  # typed, and left by Tab
    assert kept(connection) == []
    controls.words._handle_custom_msg(ENTER, [])
    now[0] += 0.5
    controls.words.value = "u"
    assert [row[2] for row in kept(connection)] == ["unsure"]

"""The dashboard in a notebook: the HTML that is stored, and controls that draw it anew."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.notebook import show_dashboard
from aicourse.sqlite import database


@pytest.fixture
def connection(evil: str) -> sqlite3.Connection:
    made = database(":memory:", "monitoring", MIGRATIONS)
    with made:
        made.execute(
            "INSERT INTO spans "
            "(span_id, trace_id, name, started_ns, seconds, status, client, attributes, events) "
            "VALUES ('s', 't', 'propose', 1791190800000000000, 1.0, 'ok', ?, '{}', '[]')",
            (evil,),
        )
    return made


def test_the_static_form_is_sound_html(connection: sqlite3.Connection, read_page: Any, evil: str) -> None:
    page = read_page(show_dashboard(connection, by="client")._repr_html_())
    assert "script" not in page.tags
    assert "UTC, by day and client" in page.text
    assert "<script>alert(1)</scri" in page.text  # as text: the name of a line, cut


def test_the_text_form_says_the_states(connection: sqlite3.Connection) -> None:
    assert repr(show_dashboard(connection)).startswith("The last 14 days, up to 2026-10-05")


def test_to_be_shown_reads_nothing(connection: sqlite3.Connection) -> None:
    shown = show_dashboard(connection)
    connection.close()
    assert "<svg" in shown._repr_html_()


def test_a_choice_draws_anew_and_is_kept(connection: sqlite3.Connection) -> None:
    kept: list[str] = []
    choices, drawn = show_dashboard(connection)._controls(kept.append).children
    every, by = choices.children
    every.value = "hour"
    assert "2026-10-05 09:00" in drawn.value
    by.value = "client"
    assert "by hour and client" in drawn.value
    assert len(kept) == 2
    assert kept[-1] == drawn.value

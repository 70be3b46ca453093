"""Lesson 00 as a student sees it: buttons that keep a bet, a badge, a check's card, and no error anywhere.

The tests share one browser window and go on where the one before them stopped.
"""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("browser")


def test_run_all_on_a_fresh_lesson_decides_nothing(lesson_00: Any, lab_server: Any) -> None:
    lesson_00.run("notebook:run-all-cells")

    assert lesson_00.error_outputs() == []
    progress = lab_server.progress()
    assert progress["exercises"] == {}
    assert progress["predictions"]
    assert {(one["choice"], one["actual"]) for one in progress["predictions"].values()} == {(None, None)}


def test_a_click_on_a_prediction_is_stored_and_said(lesson_00: Any, lab_server: Any) -> None:
    cell = lesson_00.controls("predict-a")
    cell.get_by_role("button", name="fall by 10 % to 50 %").click()
    cell.get_by_role("button", name="70 %").click()

    cell.get_by_text("Your prediction: fall by 10 % to 50 %, 70 % sure. You may change it").wait_for()
    kept = lab_server.progress()["predictions"]["00.a"]
    assert (kept["choice"], kept["sureness"], kept["actual"]) == ("fall by 10 % to 50 %", 70, None)


def test_the_result_is_shown_where_it_was_hidden(lesson_00: Any) -> None:
    cell = lesson_00.controls("simulate")
    cell.get_by_role("button", name="Show the result").click()

    cell.get_by_text("You predicted: fall by 10 % to 50 %, 70 % sure. It happened:").wait_for()


def test_the_badge_is_shown(lesson_00: Any) -> None:
    badge = lesson_00.select("start").locator(".aicourse-badge")

    assert badge.inner_text().strip() == "○ no model call yet"
    assert badge.locator("b").evaluate("pill => getComputedStyle(pill).backgroundColor") == "rgb(85, 85, 85)"


def test_the_outcome_stands_beside_the_stored_prediction(lesson_00: Any) -> None:
    lesson_00.select("simulate")
    lesson_00.run("notebook:run-cell")
    card = lesson_00.select("simulate").locator(".aicourse-card")

    assert card.locator("strong").inner_text().startswith("✓ As you predicted: 00.a")
    assert "You predicted: fall by 10 % to 50 %, 70 % sure. It happened:" in card.inner_text()


def test_a_prediction_cannot_be_changed_once_its_result_is_known(lesson_00: Any) -> None:
    lesson_00.select("predict-a")
    lesson_00.run("notebook:run-cell")
    buttons = lesson_00.controls("predict-a").locator(".widget-toggle-button")

    assert buttons.count() == 7  # four options, three degrees of being sure
    assert all(button.is_disabled() for button in buttons.all())


def test_an_unsolved_exercise_shows_its_card(lesson_00: Any) -> None:
    card = lesson_00.select("exercise-2-check").locator(".aicourse-card")

    assert card.locator("strong").inner_text() == "○ Not started: 00.2 Teach it shades"
    assert 'hint("00.2")' in card.locator("code").all_inner_texts()


def test_progress_counts_the_prediction(lesson_00: Any) -> None:
    lesson_00.select("progress")
    lesson_00.run("notebook:run-cell")
    tables = lesson_00.select("progress").locator("table")

    assert tables.nth(0).locator("tbody td").last.inner_text() == "1 of 1"
    assert tables.nth(1).locator("tbody th").first.inner_text() == "70 % sure"

"""Progress in numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_exercises import find_size

from aicourse.llm import session
from aicourse.notebook import hint, outcome, predict, predictions, progress
from aicourse.notebook.exercises import check, checks_path, find_exercise
from aicourse.notebook.predictions import choose

pytestmark = pytest.mark.usefixtures("home")


def test_progress_counts_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "can_be_pressed", lambda: True)
    assert repr(progress()).startswith("Nothing yet")
    check("01.1", find_size)
    check("01.1", find_exercise("01.1").reference)
    check("01.1", find_size)  # solved once is solved
    check("01.2", lambda text: [])
    hint("01.2")
    for name, choice, sureness, actual in [("a", "1", 70, "1"), ("b", "2", 70, "1"), ("c", "1", 90, "1")]:
        predict(f"01.{name}", "?", ["1", "2"])
        choose(f"01.{name}", choice=choice, sureness=sureness)
        outcome(f"01.{name}", actual)
    predict("00.a", "?", ["1", "2"])  # a lesson that was only run is not begun
    assert repr(progress()) == (
        "Your progress\n"
        "  Lesson  Solved  Attempted  Hints used  Predictions right\n"
        "  01      1 of 3  2          1           2 of 3\n"
        "\n"
        "Are you right as often as you are sure?\n"
        "  You said   Came true  Share\n"
        "  70 % sure  1 of 2     50 %\n"
        "  90 % sure  1 of 1     100 %"
    )
    page = progress()._repr_html_()
    assert page.count("<caption") == 2
    assert page.count('scope="row"') == 3


def test_progress_survives_a_broken_checks_file() -> None:
    hint("01.1")
    checks_path("01").write_text("exercises = [")
    assert "0 of ?" in repr(progress())


def test_the_next_lesson_is_a_link(home: Path) -> None:
    for number in ("00", "03"):
        (home / "notebooks" / f"{number}-a-lesson.ipynb").write_text(
            '{"cells": [], "metadata": {"aicourse": {"title": "A <b>"}}, "nbformat": 4, "nbformat_minor": 5}',
            encoding="utf-8",
        )
    session.begin("00", None)
    assert '<a href="03-a-lesson.ipynb">lesson 03, A &lt;b&gt;</a>' in progress()._repr_html_()
    assert repr(progress()).endswith("\n\nNext: lesson 03, A <b>")
    session.begin("03", None)
    assert "Next" not in progress()._repr_html_()

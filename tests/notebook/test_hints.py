"""Hints, one more at each call."""

from __future__ import annotations

import pytest
from small_exercises import text_of

from aicourse.notebook import hint, progress

pytestmark = pytest.mark.usefixtures("home")


def test_each_call_of_hint_shows_one_more_and_the_last_stays() -> None:
    assert hint("01.1").hints == ("A pattern can name the unit.",)
    second = hint("01.1")
    assert second.hints == ("A pattern can name the unit.", r"`(\d+)\s*cm` matches digits, spaces, unit.")
    assert "the solution is in the collapsed cell" in repr(second)
    assert hint("01.1") == second
    assert progress().lessons[0].hints == 2
    assert r"(\d+)\s*cm" in text_of(second._repr_html_())

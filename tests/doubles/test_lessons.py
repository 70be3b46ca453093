"""A student with a key meets no refused call in any lesson."""

from __future__ import annotations

from pathlib import Path

import pytest

from doubles.lessons import LESSONS, faults

# 01 and 02 have cells of their own for providers; the others ask through prompts alone.
QUICK = ("01", "02")


@pytest.mark.parametrize("api", ["openai", pytest.param("anthropic", marks=pytest.mark.slow)])
def test_lessons_that_teach_the_api_run_on_a_hosted_model(api: str, tmp_path: Path) -> None:
    assert faults(api, QUICK, tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_the_other_lessons_run_on_a_hosted_model(api: str, tmp_path: Path) -> None:
    assert faults(api, [lesson for lesson in LESSONS if lesson not in QUICK], tmp_path) == []

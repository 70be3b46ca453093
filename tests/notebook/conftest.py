"""Tests of notebooks share `small_exercises`, a course with two checks files, and a place for its state."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from aicourse.llm import session

sys.path.insert(0, str(Path(__file__).parent))
FIXTURES = Path(__file__).parents[1] / "checks_fixtures"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with two checks files."""
    folder = tmp_path / "home"
    (folder / "datasets").mkdir(parents=True)
    shutil.copytree(
        FIXTURES,
        folder / "notebooks" / "checks",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    monkeypatch.setenv("AICOURSE_HOME", str(folder))
    session.begin(None, None)
    return folder


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "progress.json"

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from aicourse.llm import session
from aicourse.llm.calls import Call


@pytest.fixture(autouse=True)
def fresh_session() -> None:
    session.begin(None, None)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stand-in for the shell of a running kernel."""
    shell = SimpleNamespace(execution_count=1, kernel=None, parent_header={"header": {"msg_id": "a"}})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    return shell


def test_identical_requests_take_consecutive_positions() -> None:
    current = session.current()
    assert [current.claim_position("a") for _ in range(3)] == [0, 1, 2]
    assert current.claim_position("b") == 0


def test_a_released_position_is_taken_again_before_a_new_one() -> None:
    current = session.current()
    for _ in range(3):
        current.claim_position("a")
    current.release_position("a", 1)
    assert [current.claim_position("a"), current.claim_position("a")] == [1, 3]


def test_each_run_of_a_cell_counts_from_zero(shell: SimpleNamespace) -> None:
    current = session.current()
    assert [current.claim_position("a"), current.claim_position("a")] == [0, 1]
    shell.execution_count = 2
    assert [current.claim_position("a"), current.claim_position("a")] == [0, 1]


def test_a_client_without_history_is_told_by_its_requests(shell: SimpleNamespace) -> None:
    current = session.current()
    assert [current.claim_position("a"), current.claim_position("a")] == [0, 1]
    shell.parent_header = {"header": {"msg_id": "b"}}
    assert [current.claim_position("a"), current.claim_position("a")] == [0, 1]


def test_code_that_no_request_asked_for_is_told_by_its_entry(shell: SimpleNamespace) -> None:
    shell.parent_header = {}
    current = session.current()
    assert [current.claim_position("a"), current.claim_position("a")] == [0, 1]
    shell.execution_count = 2
    assert current.claim_position("a") == 0


def test_beginning_a_lesson_forgets_positions_and_calls(tmp_path: Path) -> None:
    session.current().claim_position("a")
    begun = session.begin("01", tmp_path / "01.jsonl")
    assert session.current() is begun
    assert (begun.lesson, begun.recordings, begun.usage.calls) == ("01", tmp_path / "01.jsonl", ())
    assert begun.claim_position("a") == 0


def test_the_environment_overrides_the_recordings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AICOURSE_RECORDINGS", str(tmp_path / "new.jsonl"))
    begun = session.begin("01", tmp_path / "01.jsonl")
    assert begun.recordings == tmp_path / "new.jsonl"
    assert begun.file is not None
    assert begun.file.path == tmp_path / "new.jsonl"


def test_calls_and_places_are_appended_to_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AICOURSE_JOURNAL", str(tmp_path / "journal.jsonl"))
    now = datetime(2026, 11, 23, tzinfo=UTC)
    session.current().report(
        Call("openai", "m", "live", "chat/completions", 200, 5, 1, Decimal("0.1"), 1.5, None, now)
    )
    session.current().claim_position("a")
    called, placed = (json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines())
    assert (called["call"]["model"], called["call"]["cost"]) == ("m", "0.1")
    assert placed == {"place": ["a", 0]}

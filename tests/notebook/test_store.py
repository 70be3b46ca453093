"""State on disk: kept, damaged, refused, changed by two processes at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_exercises import find_size

from aicourse.llm import session
from aicourse.notebook import hint, outcome, predict, progress
from aicourse.notebook.exercises import check, find_exercise
from aicourse.notebook.predictions import choose
from aicourse.notebook.store import EDITION, read_state, reset, update_exercise

pytestmark = pytest.mark.usefixtures("home")


def test_state_outlives_the_kernel(state_file: Path) -> None:
    check("01.1", find_size)
    kept = json.loads(state_file.read_text(encoding="utf-8"))
    assert kept["exercises"]["01.1"] == {"attempts": 1, "hints": 0, "solved": False}


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"exercises": 3}', b'{"exercises": {"01.1": null}}', b"\xff\xfe\x00"]
)
def test_a_damaged_file_is_kept_aside_and_said_so(damage: bytes, state_file: Path) -> None:
    state_file.parent.mkdir(parents=True)
    for number in (1, 2):
        state_file.write_bytes(damage)
        with pytest.warns(UserWarning, match=f"damaged-{number}.json, and a new one was begun"):
            check("01.1", find_size)
        assert state_file.with_suffix(f".damaged-{number}.json").read_bytes() == damage
    assert progress().lessons[0].attempted == 1


def test_progress_of_other_lesson_numbers_is_moved_aside_and_credits_nothing(state_file: Path) -> None:
    old = b'{"exercises": {"01.1": {"attempts": 3, "hints": 1, "solved": true}}}'  # no edition was written
    state_file.parent.mkdir(parents=True)
    state_file.write_bytes(old)
    with pytest.warns(UserWarning, match=r"other numbers: it is kept as .*edition-1-1\.json, and a new one"):
        assert read_state().exercises == {}
    assert state_file.with_suffix(".edition-1-1.json").read_bytes() == old
    check("01.1", find_size)
    assert read_state().exercises["01.1"].attempts == 1
    assert json.loads(state_file.read_bytes())["edition"] == EDITION


def test_a_lesson_begins_anew_and_the_others_stay(state_file: Path) -> None:
    assert reset("01") is None  # nothing to forget
    for name in ("01.1", "02.1"):
        update_exercise(name, lambda state: state.model_copy(update={"solved": True}))
    predict("01.a", "?", ["1", "2"])
    before = state_file.read_bytes()
    aside = reset("01")
    assert aside is not None
    assert aside.read_bytes() == before
    assert (list(read_state().exercises), read_state().predictions) == (["02.1"], {})
    assert reset() == state_file.with_suffix(".reset-2.json")
    assert read_state().exercises == {}


def test_without_a_place_to_write_everything_works_for_this_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("AICOURSE_STATE", str(tmp_path / "a file"))
    session.begin("01", None)
    with pytest.warns(UserWarning, match="Your progress is not kept: .* Set AICOURSE_STATE"):
        assert work_without_state() == "✓ As you predicted"


def work_without_state() -> str:
    assert check("01.1", find_exercise("01.1").reference)
    predict("01.a", "?", ["1", "2"])
    choose("01.a", choice="1")
    return outcome("01.a", "1").verdict


def test_unattended_runs_neither_read_nor_write_and_begin_anew_with_each_lesson(
    state_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hint("01.1")
    before = state_file.read_bytes()
    monkeypatch.setenv("AICOURSE_UNATTENDED", "1")
    for _ in range(2):
        session.begin("01", None)
        assert len(hint("01.1").hints) == 1
        check("01.1", find_exercise("01.1").reference)
        assert repr(progress()).splitlines()[-1].split() == ["01", "1", "of", "3", "1", "1", "-"]
    assert state_file.read_bytes() == before


def test_two_processes_lose_no_update(state_file: Path) -> None:
    program = """if True:
        from aicourse.notebook.store import update_exercise
        for _ in range(40):
            update_exercise("01.1", lambda state: state.model_copy(update={"attempts": state.attempts + 1}))
    """
    running = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    assert read_state().exercises["01.1"].attempts == 80


def test_an_update_that_fails_half_way_leaves_the_old_file(state_file: Path) -> None:
    check("01.1", find_size)
    before = state_file.read_bytes()

    def fails(state: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        update_exercise("01.1", fails)
    assert state_file.read_bytes() == before
    assert check("01.1", find_size) is not None

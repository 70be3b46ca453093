"""Who answers a student's prompt: recordings, the model where it is, else nobody and a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny import copy_tiny

from aicourse.errors import AicourseError
from aicourse.llm import client, session
from aicourse.testing import ScriptedModel
from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.judging import prompting
from aicourse.tooling.grading.judging.prompting import model_asker

BODY: dict[str, Any] = {
    "model": "qwen2.5-coder-0.5b",
    "messages": [{"role": "user", "content": "Name the colour."}],
    "temperature": 0,
}


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assignment:
    monkeypatch.delenv("AICOURSE_REPLAY", raising=False)
    monkeypatch.setenv("AICOURSE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(session, "_session", None)
    return load_assignment(copy_tiny(tmp_path))


def answer_with(model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let `connect` give this model's client; returns the modes it was asked for."""
    modes: list[Any] = []

    def connect(*, model: str, replay: Any) -> Any:
        modes.append(replay)
        return scripted

    scripted = model.client()
    monkeypatch.setattr(client, "connect", connect)
    return modes


def test_the_model_on_this_machine_is_asked_once_for_the_same(
    tiny: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel("blue")
    modes = answer_with(model, monkeypatch)
    monkeypatch.setattr(prompting.localmodel, "local_path", lambda name: Path("model.gguf"))
    ask = model_asker(tiny)
    assert [ask(BODY), ask(dict(BODY))] == ["blue", "blue"]
    assert len(model.history) == 1
    assert modes == ["auto"]


def test_without_the_model_only_recordings_are_used(
    tiny: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompting.localmodel, "local_path", lambda name: None)
    with pytest.raises(AicourseError, match=r"is not on this machine\. Fetch it with: aicourse model pull"):
        model_asker(tiny)(BODY)


def test_a_promise_that_nothing_goes_live_is_kept(tiny: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    monkeypatch.setattr(prompting.localmodel, "local_path", lambda name: Path("model.gguf"))
    with pytest.raises(AicourseError, match="no reply to this prompt is recorded"):
        model_asker(tiny)(BODY)


def test_recording_is_asked_for_by_name(tiny: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = answer_with(ScriptedModel("blue"), monkeypatch)
    model_asker(tiny, record=True)(BODY)
    assert modes == ["record"]
    assert session.current().recordings == tiny.recordings

"""Who answers a student's prompt: recordings, the model where it is, else nobody and a command."""

from __future__ import annotations

import statistics
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import hand_in, run_in_process, small_assignment, submission
from tiny import copy_tiny

from aicourse.errors import AicourseError, RecordingMissing
from aicourse.llm import client, session
from aicourse.llm.recordings import RecordingFile
from aicourse.testing import ScriptedModel
from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.authoring.checks_file import PromptCheck
from aicourse.tooling.grading.judging import prompting
from aicourse.tooling.grading.judging.grade import Options, grade
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
        if replay == "only":
            raise RecordingMissing("nothing is recorded")
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


def test_a_class_of_a_thousand_is_asked_once_for_the_same(
    tiny: Assignment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """700 hand in the prompt that was shown, 300 one of their own, from four threads: 301 calls are made."""
    answer_with(model := ScriptedModel(*map(str, range(301))), monkeypatch)
    monkeypatch.setattr(prompting.localmodel, "local_path", lambda name: Path("model.gguf"))
    told: list[str] = []
    ask = model_asker(tiny, replies=tmp_path / "replies.jsonl", tell=told.append)
    ask.expect(1_000)
    prompts = [prompt(number if number < 300 else -1) for number in range(1_000)]
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(ask, prompts))
    assert len(model.history) == len(set(replies)) == 301
    assert len(set(replies[300:])) == 1
    assert len(told) == 1


def prompt(number: int) -> dict[str, Any]:
    return {**BODY, "messages": [{"role": "user", "content": f"Prompt {number}"}]}


def test_the_hours_are_said_before_the_first_live_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the pace of hw02's recordings; nothing is said when everything is recorded."""
    monkeypatch.setattr(prompting.localmodel, "local_path", lambda name: Path("model.gguf"))
    loaded = load_assignment("hw02")
    (check,) = (one for one in loaded.checks if isinstance(one, PromptCheck))
    recorded = RecordingFile(loaded.recordings).recordings().values()
    pace = statistics.median(one.seconds for one in recorded if one.model == BODY["model"])
    told: list[str] = []
    live = lambda sent: told.append("live") or "blue"  # type: ignore[func-returns-value]  # noqa: E731
    ask = model_asker(loaded, tell=told.append)
    ask.expect(1_000)
    reference = next(one for one in loaded.cells if one.question == "q5" and one.role == "answer")
    space: dict[str, Any] = {}
    exec(reference.solution, space)
    ask(check.request(space["PROMPT"], check.cases[0]))
    assert told == []
    answer_with(ScriptedModel(live, live), monkeypatch)
    ask(prompt(1))
    ask(prompt(2))
    calls = 1_000 * len(check.cases)
    assert told[1:] == ["live", "live"]
    assert f"at most {calls:,} calls, about {calls * pace / 3600:.1f} hours" in told[0]
    assert "run the same command again" in told[0]


def interrupt(sent: Any) -> str:
    raise KeyboardInterrupt


def test_an_interrupted_run_goes_on(
    tiny: Assignment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Killed while it asked, and while it wrote: what came whole is not asked again."""
    kept = tmp_path / "grades" / "replies.jsonl"
    monkeypatch.setattr(prompting.localmodel, "local_path", lambda name: Path("model.gguf"))
    answer_with(ScriptedModel("one", "two", "three", interrupt), monkeypatch)
    first = model_asker(tiny, replies=kept)
    assert [first(prompt(number)) for number in (1, 2, 3)] == ["one", "two", "three"]
    with pytest.raises(KeyboardInterrupt):
        first(prompt(4))
    kept.write_bytes(kept.read_bytes()[:-10])
    answer_with(model := ScriptedModel("three again", "four"), monkeypatch)
    second = model_asker(tiny, replies=kept)
    expected = ["one", "two", "three again", "four"]
    assert [second(prompt(number)) for number in (1, 2, 3, 4)] == expected
    assert len(model.history) == 2
    third = model_asker(tiny, replies=kept)
    assert [third(prompt(number)) for number in (1, 2, 3, 4)] == expected


def test_what_is_left_is_counted_without_what_is_graded(tmp_path: Path) -> None:
    assignment = small_assignment(tmp_path / "hw")
    source = hand_in(tmp_path / "in", ada=submission(), bo=submission())
    counts: list[int] = []
    options = Options(progress=False, expect=counts.append)
    for _ in range(2):
        grade(assignment, source, tmp_path / "out", run_in_process, options=options)
        hand_in(tmp_path / "in", cem=submission())
    grade(assignment, source, tmp_path / "out", run_in_process, options=replace(options, again=True))
    assert counts == [2, 1, 3]


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

"""Recordings that lessons share: found after the lesson's own, never copied, one reply for many repeats."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from aicourse.errors import RecordingMissing
from aicourse.llm import session
from aicourse.llm.catalog import Provider
from aicourse.llm.recordings import RecordingFile
from aicourse.llm.replay import Mode
from aicourse.llm.stack import MeasuredClient, Stack
from aicourse.llm.transport import network

MODEL = "qwen2.5-coder-0.5b"
COMMAND = "aicourse evals run datasets/listings --record"


class Numbered:
    """Answers "reply 1", "reply 2" …"""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.count = itertools.count(1)
        self.asked = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        message = {"role": "assistant", "content": f"reply {next(self.count)}"}
        return httpx2.Response(
            self.status,
            json={
                "id": "c",
                "object": "chat.completion",
                "created": 0,
                "model": MODEL,
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
                "timings": {"predicted_per_token_ms": 24.3},
            },
        )


def client(model: Numbered, mode: str) -> openai.OpenAI:
    provider = Provider("somebody", "http://model.invalid/v1", key_required=False)
    http_client = MeasuredClient(
        Stack(network, provider, openai, mode=Mode(mode)), httpx2.MockTransport(model)
    )
    return openai.OpenAI(base_url=provider.base_url, api_key="none", max_retries=0, http_client=http_client)


def ask(asked: openai.OpenAI, text: str = "Which colours?", **options: Any) -> str:
    messages: Any = [{"role": "system", "content": "long rules"}, {"role": "user", "content": text}]
    reply = asked.chat.completions.create(model=MODEL, messages=messages, **{"temperature": 0} | options)
    return str(reply.choices[0].message.content)


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty course: the folder of its recordings."""
    (tmp_path / "datasets").mkdir()
    folder = tmp_path / "notebooks" / "recordings"
    folder.mkdir(parents=True)
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path))
    session.begin(None, None)
    return folder


def record(course: Path, *texts: str, **options: Any) -> Path:
    """Record each text into the shared file of a prompt version."""
    path = course / "shared" / "label_things" / "v1.jsonl"
    with session.begin(None, None).sharing(path, COMMAND):
        for text in texts:
            ask(client(Numbered(), "record"), text, **options)
    return path


def test_a_shared_reply_is_found_in_any_lesson_and_without_one(course: Path) -> None:
    record(course, "Which colours?")
    for lesson in ("03", "04", None):
        session.begin(lesson, course / f"{lesson}.jsonl" if lesson else None)
        assert ask(client(Numbered(), "only")) == "reply 1"


def test_the_lessons_own_reply_comes_first(course: Path) -> None:
    record(course, "Which colours?")
    own = course / "03.jsonl"
    session.begin("03", own)
    shared = next((course / "shared").rglob("*.jsonl"))
    text = shared.read_text(encoding="utf-8").replace("reply 1", "my own")
    own.write_text(text, encoding="utf-8")
    assert ask(client(Numbered(), "only")) == "my own"


def test_recording_a_lesson_does_not_copy_what_is_shared(course: Path) -> None:
    record(course, "Which colours?")
    own = course / "03.jsonl"
    session.begin("03", own)
    model = Numbered()
    recording = client(model, "record")
    ask(recording)
    ask(recording, "And which size?")
    assert model.asked == 1
    assert [kept.summary for kept in RecordingFile(own).recordings().values()] == ["And which size?"]


def test_the_same_request_again_gets_the_same_shared_reply(course: Path) -> None:
    path = record(course, "Which colours?", "Which colours?")
    assert len(RecordingFile(path).recordings()) == 1  # the second one was answered by the first
    session.begin("03", course / "03.jsonl")
    replaying = client(Numbered(), "only")
    assert [ask(replaying) for _ in range(3)] == ["reply 1"] * 3


def test_a_sampled_request_is_not_answered_by_another_sample(course: Path) -> None:
    record(course, "Which colours?", temperature=0.7)
    session.begin("03", course / "03.jsonl")
    replaying = client(Numbered(), "only")
    assert ask(replaying, temperature=0.7) == "reply 1"
    with pytest.raises(RecordingMissing):
        ask(replaying, temperature=0.7)


def test_lines_are_lean_but_the_key_is_of_the_whole_request(course: Path) -> None:
    (kept,) = RecordingFile(record(course, "Which colours?")).recordings().values()
    assert kept.request["body"]["messages"] == [{"role": "user", "content": "Which colours?"}]
    assert "timings" not in kept.body
    assert kept.body["usage"]["prompt_tokens"] == 5
    session.begin("03", None)
    replaying = client(Numbered(), "only")
    with pytest.raises(RecordingMissing):
        replaying.chat.completions.create(
            model=MODEL, temperature=0, messages=[{"role": "user", "content": "Which colours?"}]
        )


def test_a_missing_reply_names_the_command_of_the_run(course: Path) -> None:
    begun = session.begin(None, None)
    with (
        begun.sharing(course / "shared" / "v1.jsonl", COMMAND),
        pytest.raises(
            RecordingMissing, match="Record it with: aicourse evals run datasets/listings --record"
        ),
    ):
        ask(client(Numbered(), "only"))


def test_an_error_is_not_kept_among_what_all_share(course: Path) -> None:
    path = course / "shared" / "v1.jsonl"
    refusing = Numbered(status=400)
    with session.begin(None, None).sharing(path, COMMAND), pytest.raises(openai.BadRequestError):
        ask(client(refusing, "record"))
    assert not path.exists()


def test_after_a_run_the_lesson_records_into_its_own_file_again(course: Path) -> None:
    own = course / "03.jsonl"
    begun = session.begin("03", own)
    with begun.sharing(course / "shared" / "v1.jsonl", COMMAND):
        ask(client(Numbered(), "record"), "shared?")
    ask(client(Numbered(), "record"), "own?")
    assert [kept.summary for kept in RecordingFile(own).recordings().values()] == ["own?"]


def test_without_course_files_nothing_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path / "nowhere"))
    begun = session.begin(None, None)
    assert begun.shared is None
    assert ask(client(Numbered(), "auto")) == "reply 1"

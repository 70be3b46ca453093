"""The files: reading, writing, and what is wrong with them; those that lessons share. See test_replay.py."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse import paths
from aicourse.errors import RecordingError, RecordingMissing
from aicourse.llm import formats, session
from aicourse.llm.catalog import Provider
from aicourse.llm.recordings import Recording, RecordingFile, read_lines
from aicourse.llm.replay import Mode
from aicourse.llm.stack import MeasuredClient, Stack
from aicourse.llm.transport import network


def recording(summary: str = "Which colours?", position: int = 0, **changes: Any) -> Recording:
    fields: dict[str, Any] = {
        "key": f"key of {summary}",
        "position": position,
        "model": "m",
        "summary": summary,
        "request": {"path": "POST chat/completions", "body": {"model": "m"}},
        "status": 200,
        "headers": {"content-type": "application/json"},
        "seconds": 1.5,
        "recorded_at": "2026-11-23T10:00:00+00:00",
        "body": {"choices": []},
    }
    return Recording(**{**fields, **changes})


def line(**changes: Any) -> str:
    return recording(**changes).to_line()


texts = st.text(st.characters(exclude_categories=["Cs"]))
replies = st.dictionaries(texts, texts | st.integers() | st.floats(allow_nan=False)) | texts
recordings = st.builds(recording, texts, st.integers(0, 5), model=texts, body=replies) | st.builds(
    lambda summary, chunks: recording(summary, body=None, chunks=chunks),
    texts,
    st.lists(st.tuples(st.floats(0, 60), texts).map(list)),
)


@given(st.lists(recordings))
def test_what_is_written_is_read_back_one_line_each_in_one_order(written: list[Recording]) -> None:
    by_place = {one.place: one for one in written}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # positions drawn at random have gaps
        file = RecordingFile(Path(folder) / "r.jsonl")
        file.write(written)
        assert dict(file.recordings()) == by_place
        lines = file.path.read_text(encoding="utf-8").split("\n")
        assert len(lines) == len(by_place) + 1
        RecordingFile(Path(folder) / "again.jsonl").write(reversed(list(by_place.values())))
        assert (Path(folder) / "again.jsonl").read_bytes() == file.path.read_bytes()


def test_a_new_recording_moves_no_other_line(tmp_path: Path) -> None:
    file = RecordingFile(tmp_path / "r.jsonl")
    for summary in ("delta", "alpha", "charlie"):
        file.add(recording(summary))
    before = file.path.read_text().splitlines()
    file.add(recording("bravo"))
    after = file.path.read_text().splitlines()
    assert [one for one in after if "bravo" not in one] == before
    assert [json.loads(one)["summary"] for one in after] == ["alpha", "bravo", "charlie", "delta"]


def test_text_is_stored_as_it_is_so_that_a_diff_can_be_read(tmp_path: Path) -> None:
    file = RecordingFile(tmp_path / "r.jsonl")
    file.add(recording("Größe?", body={"text": "hellgrün – 38"}))
    assert '"body": {"text": "hellgrün – 38"}' in file.path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("{", "Expecting property name"),
        ("<<<<<<< HEAD", "Expecting value"),
        ("[]", "not an object"),
        (line().replace('"status": 200, ', ""), "status is missing"),
        (line().replace('"position": 0', '"position": "0"'), "position is wrong"),
        (line().replace('"path"', '"way"'), "request has no path"),
        (line().replace('"body": {"choices": []}', '"colour": 1'), "unknown colour"),
        (line(body=None), "needs either body or chunks"),
        (line(chunks=[(0.1, "x")]), "needs either body or chunks"),
    ],
)
def test_a_corrupt_line_is_skipped_and_named(tmp_path: Path, broken: str, reason: str) -> None:
    path = tmp_path / "01-first.jsonl"
    path.write_text(f"{line()}\n\n{broken}\n{line(summary='other')}\n", encoding="utf-8")
    with pytest.warns(UserWarning, match=rf"01-first\.jsonl, line 3 .*skipped: .*{reason}.*aicourse record"):
        found = RecordingFile(path).recordings()
    assert [one.summary for one in found.values()] == ["Which colours?", "other"]


def test_bytes_that_are_not_text_spoil_one_line_only(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"key": "\xff"}\n' + line().encode() + b"\n")
    with pytest.warns(UserWarning, match="line 1 is not a recording"):
        assert len(RecordingFile(path).recordings()) == 1


def test_of_two_recordings_for_one_place_the_last_counts_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(f"{line(body={'n': 1})}\n{line(body={'n': 2})}\n")
    with pytest.warns(UserWarning, match="line 2 repeats line 1; the last one counts"):
        (found,) = RecordingFile(path).recordings().values()
    assert found.body == {"n": 2}


def test_a_gap_in_a_sequence_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("".join(line(position=position) + "\n" for position in (0, 1, 3)))
    with pytest.warns(UserWarning, match="line 3 is reply 4 to 'Which colours\\?'; it lacks 3"):
        RecordingFile(path).recordings()


def test_a_file_that_is_not_there_has_no_recordings(tmp_path: Path) -> None:
    assert RecordingFile(tmp_path / "none.jsonl").find("key", 0) is None


def test_the_file_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: reads.append(path) or read_bytes(path))  # type: ignore[func-returns-value]
    file = RecordingFile(tmp_path / "r.jsonl")
    file.path.write_text(line() + "\n")
    for _ in range(3):
        assert file.count("key of Which colours?") == 1
    assert len(reads) == 1
    file.path.write_text(f"{line()}\n{line(position=1)}\n")
    assert file.count("key of Which colours?") == 2
    file.path.unlink()
    assert file.count("key of Which colours?") == 0


@pytest.mark.parametrize("secret", ["sk" + "-" + "a1" * 12, "gsk" + "_" + "b2" * 12, "AI" + "za" + "c3" * 18])
def test_a_key_is_never_written(tmp_path: Path, secret: str) -> None:
    file = RecordingFile(tmp_path / "r.jsonl")
    file.add(recording("harmless"))
    before = file.path.read_bytes()
    with pytest.raises(RecordingError, match="looks like a key") as caught:
        file.add(recording("leak", body={"text": f"use {secret} for it"}))
    assert secret not in str(caught.value)
    assert file.path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file, not a folder")
    with pytest.raises(RecordingError, match=r"Cannot write the recordings .*writable.*aicourse record"):
        RecordingFile(tmp_path / "occupied" / "r.jsonl").write([recording()])


ADD_TWENTY = """
import sys
from pathlib import Path
from aicourse.llm.recordings import Recording, RecordingFile
file = RecordingFile(Path(sys.argv[1]))
for position in range(20):
    file.add(Recording(key=sys.argv[2], position=position, model="m", summary="s", status=200, headers={},
        request={"path": "POST x"}, seconds=1, recorded_at="2026-11-23T10:00:00+00:00", body="b"))
"""


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", ADD_TWENTY, str(path), name]) for name in ("a", "b")]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert set(RecordingFile(path).recordings()) == {
        (key, number) for key in ("a", "b") for number in range(20)
    }
    assert [one.name for one in tmp_path.glob("*.lock")] == []


MODEL = "qwen2.5-coder-0.5b"
PROVIDER = Provider("somebody", "http://model.invalid/v1", key_required=False)
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
    http_client = MeasuredClient(
        Stack(network, PROVIDER, openai, mode=Mode(mode)), httpx2.MockTransport(model)
    )
    return openai.OpenAI(base_url=PROVIDER.base_url, api_key="none", max_retries=0, http_client=http_client)


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


def test_what_a_run_asks_is_lean_in_the_lessons_own_file_too(course: Path) -> None:
    own = course / "03.jsonl"
    begun = session.begin("03", own)
    ask(client(Numbered(), "record"), "By hand?", top_p=0.9)
    with begun.running():
        ask(client(Numbered(), "record"), "In a run?", top_p=0.9)
    ask(client(Numbered(), "record"), "After it?", top_p=0.9)
    kept = {one.summary: one for one in RecordingFile(own).recordings().values()}
    assert {text: "top_p" in one.request["body"] for text, one in kept.items()} == {
        "By hand?": True,
        "In a run?": False,
        "After it?": True,
    }
    session.begin("03", own)
    assert ask(client(Numbered(), "only"), "In a run?", top_p=0.9).startswith("reply")


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


# ------------------------------------------------------------------------------- strangers' bytes


def chat(text: str) -> bytes:
    """A reply whose text stands in JSON exactly so."""
    return json.dumps(COMPLETION).replace("TEXT", text).encode("utf-8", "surrogateescape")


COMPLETION = {
    "id": "c",
    "model": MODEL,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "TEXT"}, "finish_reason": "stop"}],
}
BODIES = {
    "half an emoji": chat(r"half \ud83d"),
    "the other half": chat(r"\ude00 and \udcff"),
    "NUL": chat(r"a\u0000b"),
    "line separators": chat("a\u2028b\x85c"),
    "an escape for itself": chat(r"\\ud83d"),
    "invalid UTF-8": chat("a\udcff\udcfeb"),
    "bytes that are no text": bytes(range(256)),
    "no JSON": b"<html>502 Bad Gateway</html>",
    "a number": b"1e400",
    "infinite": b'{"score": 1e400, "other": NaN}',
    "a huge number": b'{"n": ' + b"9" * 10_000 + b"}",
    "ten thousand brackets": b"[" * 10_000 + b"]" * 10_000,
    "two hundred brackets": b'{"a":' * 200 + b"1" + b"}" * 200,
    "nothing": b"",
    "5 MB": chat("x" * 5_000_000),
    "half a character at the end": "grün".encode()[:3],
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
def test_whatever_a_stranger_sends_is_recorded_without_loss(
    kind: str, content_type: str, tmp_path: Path
) -> None:
    body = b"data: " + BODIES[kind] + b"\n\n" if content_type.startswith("text") else BODIES[kind]
    path = tmp_path / "01.jsonl"

    def post(mode: str, answer: Any) -> httpx2.Response:
        session.begin("01", path)
        layers = Stack(network, PROVIDER, openai, mode=Mode(mode))
        with MeasuredClient(layers, httpx2.MockTransport(answer)) as asked:
            reply = asked.post("http://model.invalid/v1/chat/completions", json={"model": MODEL})
            assert asked.usage.errors == 0
            return reply

    live = post(
        "record", lambda request: httpx2.Response(200, content=body, headers={"content-type": content_type})
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        replayed = post("only", None)
    assert replayed.headers["content-type"] == content_type
    if replayed.content != body:  # JSON may be spaced otherwise, and mean the same
        assert repr(replayed.json()) == repr(json.loads(body))
    assert live.content == replayed.content
    path.read_text(encoding="utf-8")  # the file itself is clean


@pytest.mark.parametrize(
    "stated",
    [None, "12", -1, True, 1e400, 10**30, {}, [], float("nan")],
)
def test_token_counts_that_are_none_are_unknown(stated: Any, tmp_path: Path) -> None:
    content = json.dumps(
        {**COMPLETION, "usage": {"prompt_tokens": stated, "completion_tokens": stated}}
    ).encode()
    timings = {"prompt_n": stated, "cache_n": stated, "predicted_n": stated}
    session.begin("01", tmp_path / "01.jsonl")
    with MeasuredClient(
        Stack(network, PROVIDER, openai),
        httpx2.MockTransport(lambda request: httpx2.Response(200, content=content)),
    ) as asked:
        asked.post("http://model.invalid/v1/chat/completions", json={"model": MODEL})
        assert [(call.prompt_tokens, call.completion_tokens) for call in asked.usage.calls] == [(None, None)]
        assert "did not state" in str(asked.usage)
    assert formats.tokens(json.dumps({"timings": timings}), "") == formats.Tokens(0, 0)


def test_text_with_unusual_line_ends_does_not_cut_an_event() -> None:
    said = "a\u2028b\x0bc\x1cd\x85e"
    sent = f"data: {json.dumps({'usage': {'prompt_tokens': 3}, 'said': said}, ensure_ascii=False)}\r\n\r\n"
    assert formats.tokens(sent, "text/event-stream") == formats.Tokens(3, 0)


@pytest.mark.parametrize(
    "broken",
    [{"chunks": [["now", "text"]]}, {"chunks": ["text"]}, {"chunks": [[0.1, "\ud83d"]]}, {"body": "\ud83d"}],
)
def test_a_line_whose_text_no_bytes_give_is_skipped(broken: dict[str, Any], tmp_path: Path) -> None:
    data = json.loads(line())
    data.pop("body")
    path = tmp_path / "01.jsonl"
    path.write_text(json.dumps({**data, **broken}) + "\n" + line(summary="next") + "\n", encoding="utf-8")
    with pytest.warns(UserWarning, match="line 1 is not a recording"):
        assert [one.summary for one in RecordingFile(path).recordings().values()] == ["next"]


def test_a_line_of_ten_thousand_brackets_spoils_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "01.jsonl"
    path.write_text("[" * 100_000 + "\n" + line() + "\n", encoding="utf-8")
    with pytest.warns(UserWarning, match="line 1 is not a recording"):
        assert len(RecordingFile(path).recordings()) == 1


def test_no_line_of_the_shipped_recordings_is_broken_or_there_twice() -> None:
    files = sorted((paths.notebooks_dir() / "recordings").rglob("*.jsonl"))
    assert len(files) > 10
    faults = {file.name: read_lines(file)[1] for file in files}
    assert {name: found for name, found in faults.items() if found} == {}

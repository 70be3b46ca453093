"""When a recording is used, when a call goes live, and what is written."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from aicourse import Fault, usage
from aicourse.errors import AicourseError, RecordingError, RecordingMissing
from aicourse.llm import session
from aicourse.llm.catalog import Provider
from aicourse.llm.recordings import RecordingFile
from aicourse.llm.replay import Mode, choose_mode
from aicourse.llm.stack import MeasuredAsyncClient, MeasuredClient, Stack
from aicourse.llm.transport import network

MODEL = "qwen2.5-coder-0.5b"
OPTIONS: dict[str, Any] = {"base_url": "http://model.invalid/v1", "api_key": "none", "max_retries": 0}
Handler = Callable[[httpx2.Request], httpx2.Response]


class CountingModel:
    """Answers "reply 1", "reply 2" … and keeps what it was asked."""

    def __init__(self, *statuses: int) -> None:
        self.requests: list[httpx2.Request] = []
        self._statuses = itertools.chain(statuses, itertools.repeat(200))

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        status = next(self._statuses)
        if status != 200:
            return httpx2.Response(status, json={"error": {"message": "the model said no"}})
        return httpx2.Response(200, json=completion(f"reply {len(self.requests)}"))


class Pieces(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that arrives in pieces; an exception among them is raised there."""

    def __init__(self, *pieces: bytes | BaseException) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def completion(text: str) -> dict[str, Any]:
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }


def event(text: str) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": MODEL}
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return f"data: {json.dumps({**chunk, 'choices': [choice]}, ensure_ascii=False)}\n\n".encode()


def streaming(*pieces: bytes | BaseException) -> Handler:
    headers = {"content-type": "text/event-stream"}
    return lambda request: httpx2.Response(200, headers=headers, stream=Pieces(*pieces))


def stack(mode: str, **options: Any) -> Stack:
    provider = Provider("somebody", "http://model.invalid/v1", key_required=False)
    return Stack(network, provider, openai, mode=Mode(mode), **options)


def client(model: Handler, mode: str = "auto", **options: Any) -> openai.OpenAI:
    http_client = MeasuredClient(stack(mode, **options), httpx2.MockTransport(model))
    return openai.OpenAI(**OPTIONS, http_client=http_client)


def refusing(request: httpx2.Request) -> httpx2.Response:
    raise AssertionError("went live")


def ask(asked: openai.OpenAI, text: str = "Which colours?", **options: Any) -> str:
    reply = asked.chat.completions.create(
        model=options.pop("model", MODEL), messages=[{"role": "user", "content": text}], **options
    )
    return str(reply.choices[0].message.content)


def stream(asked: openai.OpenAI) -> list[str]:
    chunks = asked.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Which colours?"}], stream=True
    )
    return [chunk.choices[0].delta.content or "" for chunk in chunks]


@pytest.fixture
def file(tmp_path: Path) -> RecordingFile:
    """The recordings of lesson 01, which has begun; empty so far."""
    path = tmp_path / "recordings" / "01.jsonl"
    session.begin("01", path)
    return RecordingFile(path)


def begin_again(file: RecordingFile) -> None:
    session.begin("01", file.path)


# ------------------------------------------------------------------------------------------- modes


def test_a_recorded_reply_is_replayed_without_the_model(file: RecordingFile) -> None:
    assert ask(client(CountingModel(), "record")) == "reply 1"
    for mode in ("auto", "only", "record"):
        begin_again(file)
        replaying = client(refusing, mode)
        assert ask(replaying) == "reply 1"
        assert [call.source for call in usage(replaying).calls] == ["recorded"]


def test_off_asks_the_model_although_a_recording_is_there(file: RecordingFile) -> None:
    ask(client(CountingModel(), "record"))
    before = file.path.read_bytes()
    begin_again(file)
    model = CountingModel()
    ask(client(model, "off"))
    assert len(model.requests) == 1
    assert file.path.read_bytes() == before


def test_auto_goes_live_on_a_miss_and_writes_nothing(file: RecordingFile) -> None:
    asked = client(CountingModel(), "auto")
    assert ask(asked) == "reply 1"
    assert [call.source for call in usage(asked).calls] == ["live"]
    assert not file.path.exists()


def test_recording_needs_a_place_and_says_so_before_asking() -> None:
    session.begin(None, None)
    model = CountingModel()
    with pytest.raises(RecordingError, match="AICOURSE_RECORDINGS"):
        ask(client(model, "record"))
    assert model.requests == []


def test_the_mode_is_the_argument_then_the_environment_then_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_mode(None) is Mode.AUTO
    monkeypatch.setenv("AICOURSE_REPLAY", "record")
    assert choose_mode(None) is Mode.RECORD
    assert choose_mode("off") is Mode.OFF
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    assert choose_mode("off") is Mode.ONLY


def test_an_unknown_mode_is_named_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AicourseError, match=r"replay=sometimes .*auto, only, record, off"):
        choose_mode("sometimes")
    monkeypatch.setenv("AICOURSE_REPLAY", "yes")
    with pytest.raises(AicourseError, match="AICOURSE_REPLAY=yes"):
        choose_mode(None)


# --------------------------------------------------------------------------------- repeated requests


def test_five_samples_replay_as_five_and_a_sixth_goes_live(file: RecordingFile) -> None:
    recording = client(CountingModel(), "record")
    samples = [ask(recording, temperature=1) for _ in range(5)]
    assert samples == ["reply 1", "reply 2", "reply 3", "reply 4", "reply 5"]
    begin_again(file)
    replaying = client(CountingModel(), "auto")
    assert [ask(replaying, temperature=1) for _ in range(6)] == [*samples, "reply 1"]
    assert [call.source for call in usage(replaying).calls] == ["recorded"] * 5 + ["live"]


def test_running_a_cell_again_replays_the_same_sequence(
    file: RecordingFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = SimpleNamespace(execution_count=1, kernel=None, parent_header={})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    model = CountingModel()
    recording = client(model, "record")
    first = [ask(recording), ask(recording)]
    shell.execution_count = 2
    assert [ask(recording), ask(recording)] == first
    assert len(model.requests) == 2


def test_clients_of_one_session_share_the_sequence(file: RecordingFile) -> None:
    model = CountingModel()
    assert [ask(client(model, "record")), ask(client(model, "record"))] == ["reply 1", "reply 2"]
    assert len(file.recordings()) == 2


def test_only_names_a_sample_too_many(file: RecordingFile) -> None:
    ask(client(CountingModel(), "record"), temperature=0.7)
    begin_again(file)
    replaying = client(refusing, "only")
    ask(replaying, temperature=0.7)
    with pytest.raises(RecordingMissing, match=r"asks .* 2 times and has 1 recorded.*aicourse record 01"):
        ask(replaying, temperature=0.7)


@pytest.mark.parametrize("settings", [{}, {"temperature": 0}])
def test_at_temperature_0_the_last_reply_stands_for_further_ones(
    file: RecordingFile, settings: dict[str, int]
) -> None:
    recording = client(CountingModel(), "record")
    recorded = [ask(recording, **settings), ask(recording, **settings)]
    assert recorded == ["reply 1", "reply 2"]
    begin_again(file)
    replaying = client(refusing, "only")
    assert [ask(replaying, **settings) for _ in range(4)] == [*recorded, "reply 2", "reply 2"]


# ---------------------------------------------------------------------------------- what is recorded


def test_a_retry_is_recorded_in_the_place_of_the_call_that_failed(file: RecordingFile) -> None:
    recording = client(CountingModel(429, 500), "record").with_options(max_retries=2)
    recording._sleep_for_retry = lambda **options: None  # type: ignore[method-assign]
    assert ask(recording) == "reply 3"
    assert [one.position for one in file.recordings().values()] == [0]


@pytest.mark.parametrize("status", [400, 404, 422])
def test_an_error_about_the_request_is_recorded_and_raised_again(file: RecordingFile, status: int) -> None:
    for mode, model in (("record", CountingModel(status)), ("only", refusing)):
        begin_again(file)
        with pytest.raises(openai.APIStatusError, match="model") as caught:
            ask(client(model, mode))
        assert caught.value.status_code == status


@pytest.mark.parametrize("status", [401, 403, 408, 409, 429, 500, 503])
def test_an_error_about_the_key_or_the_moment_is_not_recorded(file: RecordingFile, status: int) -> None:
    with pytest.raises(openai.APIStatusError):
        ask(client(CountingModel(status), "record"))
    assert not file.path.exists()


def test_an_injected_fault_is_not_recorded(file: RecordingFile) -> None:
    recording = client(CountingModel(), "record", faults=[Fault(status=400), Fault(kind="empty")])
    with pytest.raises(openai.BadRequestError):
        ask(recording)
    assert ask(recording) == ""
    (only,) = file.recordings().values()
    assert only.body["choices"][0]["message"]["content"] == "reply 1"


def test_an_interrupted_call_leaves_no_trace(file: RecordingFile) -> None:
    def interrupted(request: httpx2.Request) -> httpx2.Response:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(client(interrupted, "record"))
    assert not file.path.exists()
    assert ask(client(CountingModel(), "record")) == "reply 1"
    assert [one.position for one in file.recordings().values()] == [0]


def test_headers_and_keys_stay_out_of_the_file(file: RecordingFile) -> None:
    ask(client(CountingModel(), "record"), user="ana@example.org")
    text = file.path.read_text()
    for word in ("authorization", "api_key", "user-agent", "ana@example.org", "model.invalid"):
        assert word not in text.lower()


def test_a_recording_names_the_file_of_the_embedded_model(file: RecordingFile) -> None:
    ask(client(CountingModel(), "record"))
    ask(client(CountingModel(), "record"), model="some-hosted-model")
    hashes = {one.model: one.model_sha256 for one in file.recordings().values()}
    assert hashes["some-hosted-model"] is None
    assert str(hashes[MODEL]).startswith("1d9614638d18024d")


def test_a_compressed_reply_is_recorded_as_text(file: RecordingFile) -> None:
    def compressing(request: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        body = gzip.compress(json.dumps(completion("grün")).encode())
        return httpx2.Response(200, headers=headers, stream=Pieces(body))

    assert ask(client(compressing, "record")) == "grün"
    begin_again(file)
    assert ask(client(refusing, "only")) == "grün"


# ---------------------------------------------------------------------------------------- streaming


def test_a_stream_is_replayed_chunk_by_chunk(file: RecordingFile) -> None:
    sent = [event("red"), event(" and"), event(" blue"), b"data: [DONE]\n\n"]
    assert stream(client(streaming(*sent), "record")) == ["red", " and", " blue"]
    (recorded,) = file.recordings().values()
    assert recorded.content() == sent
    offsets = [seconds for seconds, _ in recorded.chunks or []]
    assert offsets == sorted(offsets)
    assert recorded.seconds >= offsets[-1]
    begin_again(file)
    assert stream(client(refusing, "only")) == ["red", " and", " blue"]


def test_the_original_timing_is_in_the_usage(file: RecordingFile) -> None:
    stream(client(streaming(event("red"), b"data: [DONE]\n\n"), "record"))
    ask(client(CountingModel(), "record"))
    slow = [
        replace(
            one,
            seconds=7.5,
            recorded_at="2026-01-02T03:04:05+00:00",
            chunks=[(1.25, text) for _, text in one.chunks] if one.chunks else None,
        )
        for one in file.recordings().values()
    ]
    file.write(slow)
    begin_again(file)
    replaying = client(refusing, "only")
    stream(replaying)
    ask(replaying)
    streamed, whole = usage(replaying).calls
    assert (streamed.seconds, streamed.first_token_seconds) == (7.5, 1.25)
    assert (whole.seconds, whole.first_token_seconds) == (7.5, None)
    assert whole.at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_character_cut_between_two_chunks_survives(file: RecordingFile) -> None:
    whole = event("grün")
    cut = whole.index("ü".encode()) + 1
    stream(client(streaming(whole[:cut], whole[cut:], b"data: [DONE]\n\n"), "record"))
    begin_again(file)
    assert stream(client(refusing, "only")) == ["grün"]


def test_chunks_reach_the_reader_as_they_arrive(file: RecordingFile) -> None:
    arrived: list[str] = []

    class Watched(Pieces):
        def __iter__(self) -> Iterator[bytes]:
            for piece in super().__iter__():
                arrived.append("sent")
                yield piece

    body = Watched(event("red"), event(" blue"), b"data: [DONE]\n\n")
    headers = {"content-type": "text/event-stream"}
    live = client(lambda request: httpx2.Response(200, headers=headers, stream=body), "auto")
    for chunk in live.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Which colours?"}], stream=True
    ):
        arrived.append(str(chunk.choices[0].delta.content))
    assert arrived == ["sent", "red", "sent", " blue", "sent"]


def test_a_stream_that_breaks_off_is_not_recorded(file: RecordingFile) -> None:
    breaking = streaming(event("red"), httpx2.ReadError("connection reset"))
    recording = client(breaking, "record")
    with pytest.raises(openai.APIConnectionError):
        stream(recording)
    assert not file.path.exists()
    assert [call.error for call in usage(recording).calls] == ["ReadError: connection reset"]


COLOURS = ["red", " and", " blue", " or", " green"]
SENT = [*map(event, COLOURS), b"data: [DONE]\n\n"]


def begin_stream(asked: openai.OpenAI) -> openai.Stream[Any]:
    return asked.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Which colours?"}], stream=True
    )


def read_three(chunks: Any) -> list[str]:
    return [chunk.choices[0].delta.content for chunk in itertools.islice(chunks, 3)]


def read_three_with_helper(asked: openai.OpenAI) -> list[str]:
    messages: Any = [{"role": "user", "content": "Which colours?"}]
    with asked.chat.completions.stream(model=MODEL, messages=messages) as events:
        chunks = (one.chunk for one in events if one.type == "chunk")
        return read_three(chunks)


def read_three_async(asked: openai.AsyncOpenAI) -> list[str]:
    async def read() -> list[str]:
        said = []
        async with await asked.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Which colours?"}], stream=True
        ) as chunks:
            async for chunk in chunks:
                said.append(str(chunk.choices[0].delta.content))
                if len(said) == 3:
                    break
        return said

    return asyncio.run(read())


def left_open(asked: openai.OpenAI) -> list[str]:
    chunks = begin_stream(asked)
    kept.append(chunks)  # as a name in a notebook does, or the traceback of an interrupted cell
    return read_three(chunks)


kept: list[object] = []
STOPPED: list[tuple[Callable[[Any], list[str]], Callable[[Handler, str], Any]]] = [
    (lambda asked: read_three(begin_stream(asked)), client),
    (left_open, client),
    (read_three_with_helper, client),
    (read_three_async, lambda model, mode: async_client(model, mode)),
]


@pytest.mark.parametrize(("stop", "make"), STOPPED)
def test_a_stream_that_is_stopped_early_is_recorded_and_replayed_with_its_repeat(
    stop: Callable[[Any], list[str]], make: Callable[[Handler, str], Any], file: RecordingFile
) -> None:
    assert stop(make(streaming(*SENT), "record")) == COLOURS[:3]
    assert stream(client(streaming(*SENT), "record")) == COLOURS
    assert [(one.position, one.content()) for one in file.recordings().values()] == [(0, SENT), (1, SENT)]
    begin_again(file)
    replaying = make(refusing, "only")
    assert stop(replaying) == COLOURS[:3]
    assert stream(client(refusing, "only")) == COLOURS
    (call,) = usage(replaying).calls
    assert (call.source, call.completion_tokens, call.estimated) == ("recorded", 3, True)


@pytest.mark.parametrize(("stop", "make"), STOPPED)
def test_a_stream_that_is_stopped_early_counts_at_once_what_was_received(
    stop: Callable[[Any], list[str]], make: Callable[[Handler, str], Any]
) -> None:
    session.begin(None, None)
    asked = make(streaming(*SENT), "auto")
    stop(asked)
    for calls in (usage(asked), session.current().usage):
        (call,) = calls.calls
        assert (call.source, call.status, call.error) == ("live", 200, "stopped before the end")
        assert (call.prompt_tokens, call.completion_tokens, call.estimated) == (28, 3, True)
        assert "3 (estimated for 1 call cut short)" in str(calls)


def test_an_open_stream_counts_as_it_goes_on_and_once(file: RecordingFile) -> None:
    heard: list[str | None] = []
    session.current().listeners.append(lambda call: heard.append(call.error))
    asked = client(streaming(*SENT), "auto")
    chunks = begin_stream(asked)
    counted = [usage(asked).completion_tokens]
    for _ in chunks:
        counted.append(usage(asked).completion_tokens)
        assert len(session.current().usage.calls) == 1
    assert counted == [0, 1, 2, 3, 4, 5]
    assert heard == [None]
    assert len(usage(asked).calls) == len(session.current().usage.calls) == 1


def test_an_interrupt_while_waiting_for_a_chunk_counts_what_came(file: RecordingFile) -> None:
    asked = client(streaming(event("red"), KeyboardInterrupt()), "auto")
    with pytest.raises(KeyboardInterrupt):
        stream(asked)
    (call,) = usage(asked).calls
    assert call.error.startswith("Interrupted: ")
    assert (call.completion_tokens, call.estimated) == (1, True)


def test_an_anthropic_stream_counts_what_it_stated_before_it_was_stopped(file: RecordingFile) -> None:
    def told(kind: str, **data: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()

    usage_at_start = {"input_tokens": 25, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": MODEL, "content": []}
    pieces = [
        told("message_start", message={**message, "usage": usage_at_start}),
        told("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        told("content_block_delta", index=0, delta={"type": "text_delta", "text": "red and blue "}),
        told("content_block_delta", index=0, delta={"type": "text_delta", "text": "and green"}),
        told("message_stop"),
    ]
    question: Any = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "Colours?"}]}
    for mode, model in (("record", streaming(*pieces)), ("only", refusing)):
        begin_again(file)
        asked = anthropic_client(model, mode)
        with asked.messages.stream(**question) as events:
            assert next(iter(events.text_stream)) == "red and blue "
        (call,) = usage(asked).calls
        assert (call.prompt_tokens, call.completion_tokens, call.estimated) == (25, 3, True)


def test_a_stream_is_whole_at_done_although_the_connection_stays_open(file: RecordingFile) -> None:
    stays_open = streaming(event("red"), b"data: [DONE]\n\n", AssertionError("read past the end"))
    assert stream(client(stays_open, "record")) == ["red"]
    assert len(file.recordings()) == 1


# -------------------------------------------------------------------------------- async and anthropic


def async_client(model: Handler, mode: str) -> openai.AsyncOpenAI:
    http_client = MeasuredAsyncClient(stack(mode), httpx2.MockTransport(model))
    return openai.AsyncOpenAI(**OPTIONS, http_client=http_client)


async def ask_async(asked: openai.AsyncOpenAI) -> str:
    reply = await asked.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Which colours?"}]
    )
    return str(reply.choices[0].message.content)


async def stream_async(asked: openai.AsyncOpenAI) -> list[str]:
    chunks = await asked.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Which colours?"}], stream=True
    )
    return [chunk.choices[0].delta.content or "" async for chunk in chunks]


def test_the_async_client_records_what_the_sync_client_replays(file: RecordingFile) -> None:
    assert asyncio.run(ask_async(async_client(CountingModel(), "record"))) == "reply 1"
    begin_again(file)
    assert ask(client(refusing, "only")) == "reply 1"
    begin_again(file)
    replaying = async_client(refusing, "only")
    assert asyncio.run(ask_async(replaying)) == "reply 1"
    assert [call.source for call in usage(replaying).calls] == ["recorded"]


def test_the_async_client_records_and_replays_streams(file: RecordingFile) -> None:
    sent = [event("red"), event(" blue"), b"data: [DONE]\n\n"]
    assert asyncio.run(stream_async(async_client(streaming(*sent), "record"))) == ["red", " blue"]
    begin_again(file)
    assert asyncio.run(stream_async(async_client(refusing, "only"))) == ["red", " blue"]


def test_parallel_identical_requests_take_one_recording_each(file: RecordingFile) -> None:
    async def three(asked: openai.AsyncOpenAI) -> list[str]:
        return await asyncio.gather(*(ask_async(asked) for _ in range(3)))

    asyncio.run(three(async_client(CountingModel(), "record")))
    begin_again(file)
    assert sorted(asyncio.run(three(async_client(refusing, "only")))) == ["reply 1", "reply 2", "reply 3"]


def anthropic_client(model: Handler, mode: str) -> anthropic.Anthropic:
    provider = Provider("anthropic", "http://model.invalid/v1", key_required=False)
    layers = Stack(network, provider, anthropic, mode=Mode(mode))
    http_client = MeasuredClient(layers, httpx2.MockTransport(model))
    return anthropic.Anthropic(base_url="http://model.invalid", api_key="none", http_client=http_client)


def test_the_anthropic_client_records_and_replays_and_its_miss_is_not_retried(file: RecordingFile) -> None:
    message = {
        "id": "msg",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": "red"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "output_tokens": 1},
    }
    question: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "?"}],
    }
    anthropic_client(lambda request: httpx2.Response(200, json=message), "record").messages.create(**question)
    begin_again(file)
    replaying = anthropic_client(refusing, "only")
    assert replaying.messages.create(**question).content[0].text == "red"  # type: ignore[union-attr]
    assert [(call.prompt_tokens, call.completion_tokens) for call in usage(replaying).calls] == [(9, 1)]
    replaying._sleep_for_retry = refusing  # type: ignore[method-assign, assignment]
    with pytest.raises(RecordingMissing):
        replaying.messages.create(**{**question, "max_tokens": 10})


# ------------------------------------------------------------------------------------------- misses


def test_a_miss_shows_the_nearest_request_what_changed_and_the_command(file: RecordingFile) -> None:
    recording = client(CountingModel(), "record")
    ask(recording, "Describe the photo in one line.\nBe brief.", temperature=0)
    ask(recording, "Which colours does this jacket have?\nAnswer in one word.", temperature=0, model="other")
    ask(recording, "Which colours does this jacket have?\nAnswer in one word.", temperature=0)
    begin_again(file)
    replaying = client(refusing, "only")
    with pytest.raises(RecordingMissing) as caught:
        ask(replaying, "Which colours does this coat have?\nAnswer in one word.", temperature=0)
    assert str(caught.value) == (
        "Lesson 01 has no recording for 'Which colours does this coat have? Answer in one word.' "
        "(qwen2.5-coder-0.5b). Nearest: 'Which colours does this jacket have? Answer in one word.' "
        "(qwen2.5-coder-0.5b); what changed:\n"
        "--- recorded\n"
        "+++ asked now\n"
        "@@ -4,3 +4,3 @@\n"
        "    {\n"
        '-    "content": "Which colours does this jacket have?\n'
        '+    "content": "Which colours does this coat have?\n'
        ' Answer in one word.",\n'
        "Record it with: aicourse record 01"
    )
    assert caught.value.lesson == "01"
    assert caught.value.nearest.model == MODEL


def test_a_request_to_the_same_model_is_nearer_than_the_same_words_to_another(file: RecordingFile) -> None:
    recording = client(CountingModel(), "record")
    ask(recording, "Which colours does this coat have?", model="other")
    ask(recording, "Describe the photo.")
    begin_again(file)
    with pytest.raises(RecordingMissing) as caught:
        ask(client(refusing, "only"), "Which colours does this coat have?")
    assert caught.value.nearest.summary == "Describe the photo."


def test_the_nearest_request_is_one_that_is_stored_whole(file: RecordingFile) -> None:
    recording = client(CountingModel(), "record")
    ask(recording, "Describe the photo.")
    with session.current().running():
        ask(recording, "Which colours does this jacket have?", top_p=0.9)
    begin_again(file)
    with pytest.raises(RecordingMissing) as caught:
        ask(client(refusing, "only"), "Which colours does this coat have?")
    assert caught.value.nearest.summary == "Describe the photo."  # the other one has no settings to compare


def test_a_long_difference_is_cut(file: RecordingFile) -> None:
    ask(client(CountingModel(), "record"), "\n".join(f"line {number}" for number in range(80)))
    begin_again(file)
    with pytest.raises(RecordingMissing, match=r"… \d+ more lines"):
        ask(client(refusing, "only"), "something else")


def test_a_miss_without_any_recording_says_so(file: RecordingFile) -> None:
    with pytest.raises(RecordingMissing, match=r"^Lesson 01 has no recording for 'Which colours\?' \(qwen"):
        ask(client(refusing, "only"))


def test_a_miss_outside_a_lesson_says_so() -> None:
    session.begin(None, None)
    with pytest.raises(RecordingMissing, match="A session without a recordings file has no recording for"):
        ask(client(refusing, "only"))

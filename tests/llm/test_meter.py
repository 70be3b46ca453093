"""The prompt of a call is noted, sent to nobody, and no recording depends on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from aicourse import Fault, paths, prompts, usage
from aicourse.llm import catalog, session
from aicourse.llm import network as network_module
from aicourse.llm.calls import PROMPT_HEADER, Usage
from aicourse.llm.meter import take_prompt
from aicourse.llm.network import HostedLayer, embedded_layer
from aicourse.llm.recording_key import canonical_request, key_of
from aicourse.llm.replay import Mode
from aicourse.llm.stack import MeasuredAsyncClient, MeasuredClient, Stack
from aicourse.llm.transport import network
from aicourse.prompts.template import parse_body
from aicourse.testing import ScriptedModel
from aicourse.tooling.course.lesson_run import read_journal
from aicourse.tooling.localmodel.process import ServerAddress

PROMPT = prompts.Prompt("extract", 3, None, "x", (), parse_body("# user\nWhich colours?"))
OTHER = prompts.Prompt("extract", 4, None, "x", (), parse_body("# user\nColours?"))
NOTE = f"extract@v3 {PROMPT.hash}"
MODEL = "qwen2.5-coder-0.5b"


def request_key(request: httpx2.Request) -> str:
    return key_of(canonical_request(request))


class Wire:
    """What would have left the computer."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        body = {
            "id": "c", "object": "chat.completion", "created": 0, "model": MODEL, "type": "message",
            "role": "assistant", "content": [{"type": "text", "text": "red"}], "stop_reason": "end_turn",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "red"}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "input_tokens": 5, "output_tokens": 2},
        }  # fmt: skip
        return httpx2.Response(200, json=body)

    def assert_silent(self) -> None:
        assert self.requests
        for request in self.requests:
            assert PROMPT_HEADER not in request.headers
            assert PROMPT.hash not in str(dict(request.headers)) + request.content.decode()


def ask(client: Any, prompt: prompts.Prompt | None = PROMPT, **options: Any) -> Any:
    headers = prompt.headers if prompt else {}
    messages = (prompt or PROMPT).render()
    return client.chat.completions.create(model=MODEL, messages=messages, extra_headers=headers, **options)


def prompts_of(client: object) -> list[str | None]:
    return [call.prompt for call in usage(client).calls]


# ------------------------------------------------------------ noted


def test_each_call_carries_its_prompt() -> None:
    model = ScriptedModel("red", "blue", "green")
    client = model.client()
    for prompt in (PROMPT, None, OTHER):
        ask(client, prompt)
    assert prompts_of(client) == [NOTE, None, f"extract@v4 {OTHER.hash}"]
    assert all(PROMPT_HEADER not in sent.headers for sent in model.history)


def test_failures_faults_retries_and_streams_carry_it_too() -> None:
    client = ScriptedModel("x", "y", httpx2.ReadTimeout("slow")).client(
        faults=[Fault(status=429)], max_retries=1
    )
    ask(client)
    list(ask(client, stream=True))
    with pytest.raises(openai.APIConnectionError):
        ask(client.with_options(max_retries=0))
    assert usage(client).calls[0].source == "fault"
    assert prompts_of(client) == [NOTE] * 4


def test_async_clients_note_it() -> None:
    client = ScriptedModel("red").async_client()
    asyncio.run(ask(client))
    assert prompts_of(client) == [NOTE]


@pytest.mark.parametrize("value", ["", "extract@v3", "extract@v3 xyz", "<b>@v1 000000000000", "a" * 9999])
def test_what_is_no_note_is_taken_off_and_forgotten(value: str) -> None:
    request = httpx2.Request("POST", "http://x.invalid", headers={PROMPT_HEADER: value})
    assert take_prompt(request) is None
    assert PROMPT_HEADER not in request.headers


# ------------------------------------------------------------ sent to nobody


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_a_hosted_provider_never_sees_it(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    provider = catalog.provider("openai")
    transport = httpx2.MockTransport(wire)
    client = openai.OpenAI(
        api_key="none",
        base_url=provider.base_url,
        http_client=MeasuredClient(Stack(HostedLayer(provider), provider, openai), transport),
    )
    ask(client)
    wire.assert_silent()
    assert prompts_of(client) == [NOTE]


def test_nor_does_it_through_the_async_or_the_anthropic_client(wire: Wire) -> None:
    provider = catalog.Provider(name="test", base_url="http://model.invalid/v1", key_required=False)
    transport = httpx2.MockTransport(wire)
    stack = Stack(HostedLayer(provider), provider, openai)
    client = openai.AsyncOpenAI(
        api_key="none", base_url=provider.base_url, http_client=MeasuredAsyncClient(stack, transport)
    )
    asyncio.run(ask(client))
    native = anthropic.Anthropic(
        api_key="none",
        base_url="http://model.invalid",
        http_client=MeasuredClient(Stack(HostedLayer(provider), provider, anthropic), transport),
    )
    native.messages.create(model=MODEL, max_tokens=5, messages=PROMPT.render(), extra_headers=PROMPT.headers)  # type: ignore[arg-type]
    wire.assert_silent()
    assert len(wire.requests) == 2
    assert prompts_of(client) == prompts_of(native) == [NOTE]


def test_nor_does_the_embedded_model(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    address = ServerAddress(url="http://127.0.0.1:9", token="t", pid=1, started=0.0)
    monkeypatch.setattr(network_module.localmodel, "pull", lambda name: None)
    monkeypatch.setattr(network_module.localmodel, "ensure_running", lambda: address)
    provider = catalog.provider("embedded")
    stack = Stack(embedded_layer, provider, openai)
    client = openai.OpenAI(
        api_key="none",
        base_url=provider.base_url,
        http_client=MeasuredClient(stack, httpx2.MockTransport(wire)),
    )
    ask(client)
    wire.assert_silent()


# ------------------------------------------------------------ recordings and the journal


def recording_client(wire: Callable[[httpx2.Request], httpx2.Response], mode: Mode) -> openai.OpenAI:
    provider = catalog.Provider(name="test", base_url="http://model.invalid/v1", key_required=False)
    stack = Stack(network, provider, openai, mode=mode)
    http_client = MeasuredClient(stack, httpx2.MockTransport(wire))
    return openai.OpenAI(api_key="none", base_url=provider.base_url, http_client=http_client)


def test_the_key_of_a_recording_is_the_same_with_and_without(wire: Wire) -> None:
    client = recording_client(wire, Mode.OFF)
    ask(client)
    ask(client, None)
    assert request_key(wire.requests[0]) == request_key(wire.requests[1])
    labelled = httpx2.Request(
        "POST", wire.requests[0].url, content=wire.requests[0].content, headers=PROMPT.headers
    )
    assert request_key(labelled) == request_key(wire.requests[0])


def test_a_reply_recorded_with_one_prompt_is_replayed_for_another_that_asks_the_same(
    wire: Wire, tmp_path: Path
) -> None:
    file = tmp_path / "lesson.jsonl"
    session.begin("03", file)
    ask(recording_client(wire, Mode.RECORD))
    assert NOTE not in file.read_text()
    session.begin("03", file)
    client = recording_client(wire, Mode.ONLY)
    renamed = prompts.Prompt("other", 1, None, "x", (), PROMPT.sections)
    assert ask(client, renamed).choices[0].message.content == "red"
    assert [(call.source, call.prompt) for call in usage(client).calls] == [
        ("recorded", f"other@v1 {PROMPT.hash}")
    ]
    assert len(wire.requests) == 1
    session.begin(None, None)


def test_the_journal_carries_it_and_reads_old_lines(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "journal.jsonl"
    monkeypatch.setenv("AICOURSE_JOURNAL", str(journal))
    ask(recording_client(wire, Mode.OFF))
    [line] = [json.loads(line) for line in journal.read_text().splitlines() if "call" in line]
    assert line["call"]["prompt"] == NOTE
    del line["call"]["prompt"]
    with journal.open("a") as file:
        file.write(json.dumps(line) + "\n")
    assert [call.prompt for call in read_journal(journal).usage.calls] == [NOTE, None]


# ------------------------------------------------------------ usage


def test_usage_shows_what_each_prompt_cost() -> None:
    client = ScriptedModel("red", "a b c", "blue").client()
    for prompt in (PROMPT, OTHER, PROMPT):
        ask(client, prompt)
    (first, used), (second, used_by_second) = usage(client).by_prompt.items()
    assert (first, len(used.calls), used.completion_tokens) == (NOTE, 2, 2)
    assert used_by_second.completion_tokens == 3
    assert f"with {NOTE}" in str(usage(client))
    assert f"with {NOTE}</th>" in usage(client)._repr_html_()
    assert list(usage(client).to_frame()["prompt"]) == [NOTE, second, NOTE]


def test_usage_without_prompts_says_nothing_about_them() -> None:
    client = ScriptedModel("red").client()
    ask(client, None)
    assert "with " not in str(usage(client))
    assert Usage(()).by_prompt == {}


def test_recordings_of_the_course_are_found_by_a_call_that_names_its_prompt() -> None:
    """The same with a shipped file: lesson 01's first recording."""
    file = paths.notebooks_dir() / "recordings" / "01-the-first-call.jsonl"
    recording = json.loads(file.read_text(encoding="utf-8").splitlines()[0])
    request = httpx2.Request(
        "POST",
        "http://x.invalid/v1/chat/completions",
        json=recording["request"]["body"],
        headers=PROMPT.headers,
    )
    assert request_key(request) == recording["key"]

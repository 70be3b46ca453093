from __future__ import annotations

import asyncio
import json
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from aicourse import connect, connect_anthropic, connect_async, usage
from aicourse.errors import (
    AicourseError,
    CatalogError,
    KeyMissing,
    KeyRejected,
    ProviderUnreachable,
    RecordingMissing,
    ServerError,
)
from aicourse.llm import catalog, client, session
from aicourse.llm.keys import PLACEHOLDER
from aicourse.llm.network import HostedLayer
from aicourse.llm.stack import MeasuredClient, Stack
from aicourse.tooling import localmodel
from aicourse.tooling.localmodel import process

MODEL = "qwen2.5-coder-0.5b"
QUESTION: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Which colours?"}]}
SECRET = "a-very-private-value"  # pragma: allowlist secret
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 0,
    "model": MODEL,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "red"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
}
MESSAGE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [{"type": "text", "text": "red"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 5, "output_tokens": 1},
}


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class LoopbackProvider(ThreadingHTTPServer):
    """A provider on this machine that always answers "red" and keeps what it received."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append(Received(self.path, headers, body))  # type: ignore[attr-defined]
        content = json.dumps(MESSAGE if self.path.endswith("/messages") else COMPLETION).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def loopback() -> Iterator[LoopbackProvider]:
    with LoopbackProvider() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def machine(loopback: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The embedded model's download and server, with the loopback provider in their place."""
    machine = SimpleNamespace(pulled=[], started=0, urls=[loopback.url])

    def ensure_running() -> SimpleNamespace:
        machine.started += 1
        url = machine.urls[min(machine.started, len(machine.urls)) - 1]
        return SimpleNamespace(url=url, token=SECRET, pid=1)

    monkeypatch.setattr(localmodel, "pull", machine.pulled.append)
    monkeypatch.setattr(localmodel, "ensure_running", ensure_running)
    return machine


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No lesson has begun, and no `.env` lies above the working folder."""
    monkeypatch.chdir(tmp_path)
    session.begin(None, None)
    return tmp_path


def hosted(name: str, handler: Any, monkeypatch: pytest.MonkeyPatch) -> openai.OpenAI:
    """A client of a provider in the catalogue whose network is `handler`."""
    provider = catalog.provider(name)
    monkeypatch.setenv(provider.key_variable or "", SECRET)
    http_client = MeasuredClient(
        Stack(HostedLayer(provider), provider, openai), httpx2.MockTransport(handler)
    )
    return openai.OpenAI(base_url=provider.base_url, api_key=PLACEHOLDER, http_client=http_client)


def answering(status: int, body: Any) -> Any:
    return lambda request: httpx2.Response(status, json=body)


# --------------------------------------------------------------------------------- choosing a provider


@pytest.mark.parametrize(
    ("provider", "model", "environment", "expected"),
    [
        (None, None, {}, "embedded"),
        (None, None, {"GROQ_API_KEY": "k"}, "groq"),
        (None, None, {"GROQ_API_KEY": "k", "OPENAI_API_KEY": "k"}, "openai"),
        (None, "gpt-4o-mini", {}, "openai"),
        (None, MODEL, {"OPENAI_API_KEY": "k"}, "embedded"),
        (None, "not-in-the-catalogue", {"OPENAI_API_KEY": "k"}, "openai"),
        (None, MODEL, {"AICOURSE_PROVIDER": "ollama"}, "ollama"),
        ("mistral", MODEL, {"AICOURSE_PROVIDER": "ollama"}, "mistral"),
        ("http://127.0.0.1:9/v1", None, {}, "http://127.0.0.1:9/v1"),
        ("embedded", None, {"AICOURSE_EMBEDDED_URL": "http://127.0.0.1:9/v1"}, "http://127.0.0.1:9/v1"),
        (None, MODEL, {"AICOURSE_EMBEDDED_URL": "http://127.0.0.1:9/v1"}, "http://127.0.0.1:9/v1"),
        ("mistral", None, {"AICOURSE_EMBEDDED_URL": "http://127.0.0.1:9/v1"}, "mistral"),
    ],
)
def test_the_provider_is_the_argument_the_setting_the_models_own_one_with_a_key_or_embedded(
    provider: str | None,
    model: str | None,
    environment: dict[str, str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert client.choose_provider(provider, model).name == expected


def test_the_provider_may_stand_in_an_env_file(own_folder: Path) -> None:
    (own_folder / ".env").write_text("AICOURSE_PROVIDER=ollama\n")
    assert connect().base_url == "http://localhost:11434/v1/"


def test_an_unknown_provider_is_named_with_the_known_ones() -> None:
    with pytest.raises(CatalogError, match="opnai"):
        connect("opnai")


# ------------------------------------------------------------------------------------- a real client


def test_connect_gives_the_librarys_own_client_and_a_call_goes_through(loopback: LoopbackProvider) -> None:
    asked = connect(f"{loopback.url}/v1")
    assert type(asked) is openai.OpenAI
    assert asked.chat.completions.create(**QUESTION).choices[0].message.content == "red"
    (call,) = usage(asked).calls
    assert (call.source, call.path, call.model, call.status) == ("live", "chat/completions", MODEL, 200)
    assert (call.prompt_tokens, call.completion_tokens) == (5, 1)
    assert session.current().usage.calls == (call,)


def test_the_async_client_goes_through_as_well(loopback: LoopbackProvider) -> None:
    asked = connect_async(f"{loopback.url}/v1")

    async def once() -> str | None:
        async with asked:
            reply = await asked.chat.completions.create(**QUESTION)
            return reply.choices[0].message.content

    assert asyncio.run(once()) == "red"
    assert len(usage(asked).calls) == 1


def test_listeners_hear_of_each_call(loopback: LoopbackProvider) -> None:
    heard: list[str] = []
    session.current().listeners.append(lambda call: heard.append(call.source))
    connect(f"{loopback.url}/v1").chat.completions.create(**QUESTION)
    assert heard == ["live"]


# ------------------------------------------------------------------------------------------- the key


def test_the_key_is_sent_and_stands_nowhere_else(
    loopback: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AICOURSE_API_KEY", SECRET)
    asked = connect(f"{loopback.url}/v1")
    reply = asked.chat.completions.with_raw_response.create(**QUESTION)
    assert loopback.received[0].headers["authorization"] == f"Bearer {SECRET}"
    shown = [asked, vars(asked), asked.api_key, reply.http_request.headers.raw, usage(asked).calls]
    assert SECRET not in repr(shown)


def test_a_key_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = hosted("openai", answering(401, {"error": {"message": "Incorrect API key"}}), monkeypatch)
    with pytest.raises(KeyRejected) as caught:
        asked.chat.completions.create(**QUESTION)
    error: Any = caught.value
    assert SECRET not in repr(
        [str(error), vars(error), error.request.headers.raw, error.response.request.headers.raw]
    )


def test_a_missing_key_is_said_when_connecting() -> None:
    with pytest.raises(KeyMissing, match="OPENAI_API_KEY"):
        connect("openai")
    with pytest.raises(KeyMissing, match="ANTHROPIC_API_KEY"):
        connect_anthropic("claude-haiku-5-5")


def test_replaying_needs_no_key(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecordingMissing):
        connect("openai", replay="only").chat.completions.create(**QUESTION)
    path = own_folder / "01.jsonl"
    path.write_text("")
    session.begin("01", path)
    asked = connect("openai")
    with pytest.raises(KeyMissing, match="OPENAI_API_KEY"):
        asked.chat.completions.create(**QUESTION)


# ---------------------------------------------------------------------------------------- our errors


def test_a_rejected_key_is_ours_and_openais_error(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}
    asked = hosted("openai", answering(401, body), monkeypatch)
    with pytest.raises(openai.AuthenticationError) as caught:
        asked.chat.completions.create(**QUESTION)
    assert isinstance(caught.value, KeyRejected)
    assert caught.value.code == "invalid_api_key"
    assert caught.value.status_code == 401
    assert str(caught.value) == (
        "openai does not accept the key in OPENAI_API_KEY. Set a valid one in the environment or in .env; "
        "get one at https://platform.openai.com/api-keys."
    )
    assert [call.error for call in usage(asked).calls] == ["HTTP 401"]


def test_a_forbidden_call_says_what_the_provider_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = hosted("openai", answering(403, {"error": {"message": "Country not supported"}}), monkeypatch)
    with pytest.raises(openai.PermissionDeniedError, match="Country not supported") as caught:
        asked.chat.completions.create(**QUESTION)
    assert isinstance(caught.value, KeyRejected)


def test_a_model_the_provider_does_not_know_is_ours_and_openais_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = {"error": {"message": "The model `gpt-4o-mnii` does not exist", "code": "model_not_found"}}
    asked = hosted("openai", answering(404, body), monkeypatch)
    with pytest.raises(openai.NotFoundError, match=r"'gpt-4o-mnii'\. Did you mean gpt-4o-mini") as caught:
        asked.chat.completions.create(**{**QUESTION, "model": "gpt-4o-mnii"})
    assert isinstance(caught.value, CatalogError)
    with pytest.raises(CatalogError, match=r"belongs to embedded: connect\(model='qwen2\.5-coder-0\.5b'\)"):
        asked.chat.completions.create(**QUESTION)


def test_any_other_404_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = hosted("openai", answering(404, {"error": {"message": "Invalid URL"}}), monkeypatch)
    with pytest.raises(openai.NotFoundError, match="Invalid URL") as caught:
        asked.chat.completions.create(**QUESTION)
    assert not isinstance(caught.value, AicourseError)


def test_no_connection_is_ours_and_openais_error() -> None:
    asked = connect("http://127.0.0.1:1/v1")
    with pytest.raises(
        openai.APIConnectionError, match=r"does not answer at http://127\.0\.0\.1:1\."
    ) as caught:
        asked.chat.completions.create(**QUESTION)
    assert isinstance(caught.value, ProviderUnreachable)


def test_a_connection_that_fails_once_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[httpx2.Request] = []

    def flaky(request: httpx2.Request) -> httpx2.Response:
        attempts.append(request)
        if len(attempts) == 1:
            raise httpx2.ConnectError("name resolution failed")
        return httpx2.Response(200, json=COMPLETION)

    asked = hosted("openai", flaky, monkeypatch)
    assert asked.chat.completions.create(**QUESTION).choices[0].message.content == "red"
    assert len(usage(asked).calls) == 1


# -------------------------------------------------------------------------------------- warnings


def test_a_hosted_model_newer_than_the_catalogue_warns_on_the_callers_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AICOURSE_PROVIDER"):
        monkeypatch.setenv(name, "anthropic")
    with pytest.warns(UserWarning, match="does not know 'gpt-99'") as caught:
        connect("openai", "gpt-99")
    with pytest.warns(UserWarning, match="does not know 'gpt-99'") as caught_async:
        connect_async("openai", "gpt-99")
    with pytest.warns(UserWarning, match="does not know 'claude-99'") as caught_anthropic:
        connect_anthropic("claude-99")
    assert {one.filename for all_ in (caught, caught_async, caught_anthropic) for one in all_} == {__file__}


def test_a_model_that_retires_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "retirement_notice", lambda model, today: f"{model.name} retires soon.")
    with pytest.warns(UserWarning, match="gpt-4o-mini retires soon"):
        connect(model="gpt-4o-mini", replay="only")


def test_a_known_model_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        connect(model=MODEL)
        connect("ollama", "a-model-of-my-own")  # costs nothing, so there is nothing to warn of


# ------------------------------------------------------------------------------------ the embedded model


def test_an_unknown_embedded_model_is_refused_when_connecting() -> None:
    with pytest.raises(CatalogError, match="Did you mean qwen2"):
        connect("embedded", "qwen2.5-coder-0.6b")
    with pytest.raises(CatalogError, match="gpt-4o-mini is served by openai"):
        connect("embedded", "gpt-4o-mini")


def test_connecting_pulls_and_starts_nothing(machine: SimpleNamespace) -> None:
    connect(model=MODEL)
    assert (machine.pulled, machine.started) == ([], 0)


def test_a_live_call_pulls_the_model_starts_the_server_and_sends_the_token(
    machine: SimpleNamespace, loopback: LoopbackProvider
) -> None:
    asked = connect(model=MODEL)
    assert asked.chat.completions.create(**QUESTION).choices[0].message.content == "red"
    assert (machine.pulled, machine.started) == ([MODEL], 1)
    (received,) = loopback.received
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {SECRET}"
    assert received.headers["host"] == loopback.url.removeprefix("http://")
    assert received.body == QUESTION
    assert [(call.provider, call.source, call.cost) for call in usage(asked).calls] == [
        ("embedded", "live", 0)
    ]


def test_a_recorded_call_pulls_and_starts_nothing(machine: SimpleNamespace, own_folder: Path) -> None:
    session.begin("01", own_folder / "01.jsonl")
    connect(model=MODEL, replay="record").chat.completions.create(**QUESTION)
    session.begin("01", own_folder / "01.jsonl")
    machine.pulled.clear()
    connect(model=MODEL).chat.completions.create(**QUESTION)
    assert (machine.pulled, machine.started) == ([], 1)
    assert SECRET not in (own_folder / "01.jsonl").read_text()


def test_async_and_anthropic_reach_the_embedded_model_too(
    machine: SimpleNamespace, loopback: LoopbackProvider
) -> None:
    reply = asyncio.run(connect_async(model=MODEL).chat.completions.create(**QUESTION))
    assert reply.choices[0].message.content == "red"
    asked = connect_anthropic(MODEL)
    assert type(asked) is anthropic.Anthropic
    message = asked.messages.create(max_tokens=5, **QUESTION)
    assert message.content[0].text == "red"  # type: ignore[union-attr]
    assert [one.path for one in loopback.received] == ["/v1/chat/completions", "/v1/messages"]
    assert SECRET in str(loopback.received[1].headers)
    assert PLACEHOLDER not in str(loopback.received[1].headers)


def test_a_server_that_has_gone_is_started_once_more(
    machine: SimpleNamespace, loopback: LoopbackProvider
) -> None:
    machine.urls = ["http://127.0.0.1:1", loopback.url]
    assert connect(model=MODEL).chat.completions.create(**QUESTION).choices
    assert machine.started == 2


def test_a_server_that_does_not_come_up_is_said(machine: SimpleNamespace) -> None:
    machine.urls = ["http://127.0.0.1:1"]
    with pytest.raises(ServerError, match=r"http://127\.0\.0\.1:1 does not answer.*aicourse doctor"):
        connect(model=MODEL).chat.completions.create(**QUESTION)


def test_a_model_named_in_the_call_must_be_an_embedded_one(machine: SimpleNamespace) -> None:
    with pytest.raises(CatalogError, match="Did you mean"):
        connect().chat.completions.create(**{**QUESTION, "model": "qwen2.5-coder-0.6b"})
    with pytest.raises(CatalogError, match="served by openai"):
        connect().chat.completions.create(**{**QUESTION, "model": "gpt-4o-mini"})
    assert machine.started == 0


@pytest.mark.parametrize(
    ("model", "environment", "expected"),
    [
        (None, {}, "http://embedded.aicourse.invalid"),
        (None, {"OPENAI_API_KEY": "k"}, "http://embedded.aicourse.invalid"),
        (None, {"AICOURSE_PROVIDER": "openai"}, "http://embedded.aicourse.invalid"),
        (None, {"ANTHROPIC_API_KEY": "k"}, "https://api.anthropic.com"),
        (MODEL, {"ANTHROPIC_API_KEY": "k"}, "http://embedded.aicourse.invalid"),
        ("claude-haiku-5-5", {"ANTHROPIC_API_KEY": "k"}, "https://api.anthropic.com"),
    ],
)
def test_the_native_anthropic_client_talks_to_anthropic_or_to_the_embedded_model(
    model: str | None, environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(connect_anthropic(model).base_url).rstrip("/") == expected


@pytest.mark.live_model
def test_the_real_model_is_recorded_and_replayed_when_it_has_gone(
    real_model_cache: Path, own_folder: Path
) -> None:
    def ask_all() -> tuple[list[str | None], str, str]:
        session.begin("01", own_folder / "01.jsonl")
        asked, native = connect(model=MODEL, replay="record"), connect_anthropic(MODEL, replay="record")
        short: dict[str, Any] = {**QUESTION, "max_tokens": 8}
        samples = [asked.chat.completions.create(**short, temperature=1) for _ in range(5)]
        chunks = asked.chat.completions.create(**short, temperature=0, stream=True)
        message = native.messages.create(**short)
        return (
            [sample.choices[0].message.content for sample in samples],
            "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices),
            message.content[0].text,  # type: ignore[union-attr]
        )

    try:
        recorded = ask_all()
        calls = session.current().usage.calls
    finally:
        process.stop()
    assert {call.source for call in calls} == {"live"}
    assert len(set(recorded[0])) > 1
    assert ask_all() == recorded
    assert {call.source for call in session.current().usage.calls} == {"recorded"}
    assert localmodel.running() is None

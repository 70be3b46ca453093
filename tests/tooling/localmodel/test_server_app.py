"""The routes over a scripted backend, through a real socket and the real client libraries."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx2
import numpy as np
import openai
import pytest
import uvicorn
from gbnf import Grammar
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from aicourse.tooling.localmodel.local_models import local_models
from aicourse.tooling.localmodel.server import guard, serving
from aicourse.tooling.localmodel.server.app import create_app
from aicourse.tooling.localmodel.server.backend import LlamaBackend
from aicourse.tooling.localmodel.server.http_errors import HttpError

TOKEN = "a-token-of-the-test"
MODEL, EMBEDDINGS = "qwen2.5-coder-0.5b", "all-minilm-l6-v2"
HELLO: list[Any] = [{"role": "user", "content": "Say hello"}]
SECONDS = 20  # until a test gives up


class Jacket(BaseModel):
    colours: list[str]
    note: str


class ScriptedBackend:
    """Answers "Hello there" or what it was given; keeps what it was asked."""

    def __init__(self) -> None:
        self.history: list[tuple[str, dict[str, Any]]] = []
        self.replies: deque[Any] = deque()
        self.stopped = threading.Event()

    def names(self) -> list[str]:
        return [MODEL, EMBEDDINGS]

    def sha256(self, model: str) -> str:
        return f"hash-of-{model}"

    def chat(self, model: str, request: dict[str, Any], emit: Callable[[dict[str, Any]], bool]) -> None:
        if model != MODEL:
            raise HttpError(404, f"no {model} here", code="model_not_found", param="model")
        self.history.append((model, request))
        reply = self.replies.popleft() if self.replies else "Hello there"
        if isinstance(reply, BaseException):
            raise reply
        if callable(reply):
            reply(request, emit)
        elif any(emit(as_text(chunk) if "prompt" in request else chunk) for chunk in chunks(reply)):
            self.stopped.set()

    def count_tokens(self, model: str, messages: list[dict[str, Any]]) -> int:
        return sum(len(message["content"].split()) for message in messages)

    def embed(self, model: str, texts: list[str]) -> tuple[list[list[float]], int]:
        return [[float(len(text)), 0.5, -1.0] for text in texts], sum(map(len, texts))


FRAME = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "file"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def as_text(payload: dict[str, Any]) -> dict[str, Any]:
    """A chunk of a chat as llama.cpp writes it of a text that goes on."""
    choices = [
        {
            "text": choice["delta"].get("content") or "",
            "index": 0,
            "logprobs": None,
            "finish_reason": choice["finish_reason"],
        }
        for choice in payload["choices"]
    ]
    return payload | {"object": "text_completion", "choices": choices}


def chunks(text: str, reason: str = "stop") -> Iterator[dict[str, Any]]:
    head, *rest = text.split(" ")
    words = [head, *(f" {word}" for word in rest)]
    deltas: list[Any] = [{"role": "assistant", "content": None}, *({"content": word} for word in words)]
    for delta in deltas:
        yield FRAME | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield FRAME | {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    yield FRAME | {"choices": [], "usage": USAGE}


class RunningServer:
    """uvicorn in a thread, as in the real process; `line` is the app's queue."""

    def __init__(self) -> None:
        self.backend = ScriptedBackend()
        self.app = create_app(self.backend, TOKEN, served=1, waiting=1)
        config = uvicorn.Config(self.app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._socket = serving.listen(0)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture(scope="module")
def running_server() -> Iterator[RunningServer]:
    server = RunningServer()
    yield server
    server.close()


@pytest.fixture
def server(running_server: RunningServer, http: httpx2.Client) -> Iterator[RunningServer]:
    """The server with a fresh script; after the test nobody is left in the line."""
    backend = running_server.backend
    backend.history.clear()
    backend.replies.clear()
    backend.stopped.clear()
    yield running_server
    wait_until_empty(http)


@pytest.fixture(scope="module")
def http(running_server: RunningServer) -> Iterator[httpx2.Client]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with httpx2.Client(base_url=running_server.url, headers=headers, timeout=SECONDS) as client:
        yield client


@pytest.fixture(scope="module")
def openai_client(running_server: RunningServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{running_server.url}/v1", api_key=TOKEN, max_retries=0, timeout=SECONDS)


@pytest.fixture(scope="module")
def anthropic_client(running_server: RunningServer) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=running_server.url, api_key=TOKEN, max_retries=0, timeout=SECONDS)


@pytest.fixture
def client(openai_client: openai.OpenAI, server: RunningServer) -> openai.OpenAI:
    return openai_client


@pytest.fixture
def claude(anthropic_client: anthropic.Anthropic, server: RunningServer) -> anthropic.Anthropic:
    return anthropic_client


def inside(http: httpx2.Client) -> int:
    return int(http.get("/metrics").text.rsplit(" ", 1)[1])


def wait_until_empty(http: httpx2.Client) -> None:
    for _ in range(2_000):
        if not inside(http):
            return
    pytest.fail("somebody is still in the line")


def chat(http: httpx2.Client, **fields: Any) -> httpx2.Response:
    return http.post("/v1/chat/completions", json={"model": MODEL, "messages": HELLO} | fields)


# ------------------------------------------------------------------------------------------------ openai


def test_openai_create(client: openai.OpenAI, server: RunningServer) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=HELLO, temperature=0.5, seed=3, stop=["\n"], max_completion_tokens=9, user="me"
    )
    reply = raw.parse()
    assert reply.choices[0].message.content == "Hello there"
    assert reply.usage is not None
    assert reply.usage.total_tokens == 10
    assert reply.model == MODEL  # not the file's name, which llama.cpp gives
    assert raw.headers["aicourse-model-sha256"] == f"hash-of-{MODEL}"
    assert server.backend.history == [
        (MODEL, {"messages": HELLO, "max_tokens": 9, "temperature": 0.5, "seed": 3, "stop": ["\n"]})
    ]


def test_openai_parse_sends_a_bounded_schema(client: openai.OpenAI, server: RunningServer) -> None:
    server.backend.replies.append('{"colours": ["blue"], "note": "warm"}')
    reply = client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Jacket)
    assert reply.choices[0].message.parsed == Jacket(colours=["blue"], note="warm")
    grammar = Grammar.read(server.backend.history[0][1]["grammar"])
    for length, count in ((400, 24), (401, 24), (400, 25)):
        fits = grammar.allows({"colours": ["x"] * count, "note": "x" * length})
        assert fits == (length == 400 and count == 24)


def test_openai_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    received = list(stream)
    assert [chunk.choices[0].delta.content for chunk in received] == [None, "Hello", " there", None]
    assert {chunk.model for chunk in received} == {MODEL}


def test_openai_stream_tells_usage_when_asked(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model=MODEL, messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    *_, last = stream
    assert last.usage is not None
    assert last.usage.completion_tokens == 3


def test_openai_stream_helper_parses(client: openai.OpenAI, server: RunningServer) -> None:
    server.backend.replies.append('{"colours": [], "note": ""}')
    with client.chat.completions.stream(model=MODEL, messages=HELLO, response_format=Jacket) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.parsed == Jacket(colours=[], note="")


@pytest.mark.parametrize("prompt", ["Once upon", ["Once upon"]])
def test_openai_text_completion(client: openai.OpenAI, server: RunningServer, prompt: Any) -> None:
    reply = client.completions.create(model=MODEL, prompt=prompt, stop="END", seed=2, n=1, echo=False)
    assert reply.choices[0].text == "Hello there"
    assert reply.usage is not None
    assert (reply.usage.total_tokens, reply.model) == (10, MODEL)
    assert server.backend.history[0][1] == {
        "prompt": "Once upon", "max_tokens": 16, "temperature": 0, "seed": 2, "stop": ["END"]
    }  # fmt: skip


def test_openai_text_completion_streams(client: openai.OpenAI, server: RunningServer) -> None:
    for options in ({}, {"stream_options": {"include_usage": True}}):
        fields: Any = {"model": MODEL, "prompt": "Once", "max_tokens": 3, "stream": True} | options
        received = list(client.completions.create(**fields))
        assert "".join(choice.text for chunk in received for choice in chunk.choices) == "Hello there"
        assert (received[-1].usage is not None) == bool(options)
    assert server.backend.history[0][1]["max_tokens"] == 3


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"suffix": "x"}, "suffix"),
        ({"echo": True}, "echo"),
        ({"logprobs": 0}, "logprobs"),
        ({"n": 2}, "n"),
        ({"best_of": 3}, "best_of"),
        ({"tools": [{}]}, "tools"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 9}, "temperature"),
    ],
)
def test_what_text_completions_cannot_do_is_refused_by_name(
    server: RunningServer, http: httpx2.Client, fields: dict[str, Any], param: str
) -> None:
    for stream in (False, True):
        request = {"model": MODEL, "prompt": "Once", "stream": stream} | fields
        reply = http.post("/v1/completions", json=request)
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)
    assert not server.backend.history


def test_openai_responses(client: openai.OpenAI, server: RunningServer) -> None:
    reply = client.responses.create(
        model=MODEL, input="Say hello", instructions="Be brief", max_output_tokens=20, temperature=0
    )
    assert reply.output_text == "Hello there"
    assert reply.status == "completed"
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (7, 3)
    assert server.backend.history[0][1] == {
        "messages": [{"role": "system", "content": "Be brief"}, *HELLO], "max_tokens": 20, "temperature": 0
    }  # fmt: skip


def test_anthropic_parse_enforces_the_schema(claude: anthropic.Anthropic, server: RunningServer) -> None:
    server.backend.replies.append('{"colours": ["red"], "note": ""}')
    reply = claude.messages.parse(model=MODEL, max_tokens=9, messages=HELLO, output_format=Jacket)
    assert reply.parsed_output == Jacket(colours=["red"], note="")
    grammar = Grammar.read(server.backend.history[0][1]["grammar"])
    assert grammar.allows({"colours": [], "note": "x" * 400})
    assert not grammar.allows({"colours": []})


@pytest.mark.parametrize("path", ["chat/completions", "responses", "messages", "tools"])
def test_a_schema_that_cannot_be_enforced_is_named_with_its_place(
    server: RunningServer, http: httpx2.Client, path: str
) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=x)"}}}
    form = {"type": "json_schema", "name": "x", "schema": schema}
    fields, place = {
        "chat/completions": ({"response_format": {"type": "json_schema", "json_schema": form}},
                             "response_format.json_schema.schema"),
        "responses": ({"text": {"format": form}}, "text.format.schema"),
        "messages": ({"output_config": {"format": {"type": "json_schema", "schema": schema}}},
                     "output_config.format.schema"),
        "tools": ({"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]},
                  "tools.f.parameters"),
    }[path]  # fmt: skip
    question = {"input": "hello"} if path == "responses" else {"messages": HELLO, "max_tokens": 9}
    route = "chat/completions" if path == "tools" else path
    reply = http.post(f"/v1/{route}", json={"model": MODEL} | question | fields)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith(
        f"{place}.properties.a.pattern '(?=x)' cannot be enforced"
    )
    assert not server.backend.history


@pytest.mark.parametrize("given", [{}, {"temperature": None}, {"temperature": 0.7}])
@pytest.mark.parametrize("path", ["chat/completions", "responses", "messages"])
def test_the_temperature_is_0_unless_asked(
    server: RunningServer, http: httpx2.Client, path: str, given: dict[str, Any]
) -> None:
    question = {"input": "Say hello"} if path == "responses" else {"messages": HELLO, "max_tokens": 9}
    reply = http.post(f"/v1/{path}", json={"model": MODEL} | question | given).json()
    wanted = given.get("temperature") or 0
    assert server.backend.history[0][1]["temperature"] == wanted
    assert reply.get("temperature", wanted) == wanted  # Responses says it


def test_openai_responses_parse_enforces_the_schema(client: openai.OpenAI, server: RunningServer) -> None:
    server.backend.replies.append('{"colours": ["red"], "note": ""}')
    content: list[Any] = [{"type": "input_text", "text": "A red"}, {"type": "input_text", "text": "jacket"}]
    reply = client.responses.parse(
        model=MODEL, input=[{"role": "developer", "content": content}], text_format=Jacket
    )
    assert reply.output_parsed == Jacket(colours=["red"], note="")
    request = server.backend.history[0][1]
    assert request["messages"] == [{"role": "system", "content": "A red\njacket"}]
    assert Grammar.read(request["grammar"]).allows({"colours": [], "note": "x" * 400})


def test_openai_responses_stream(client: openai.OpenAI) -> None:
    with client.responses.stream(model=MODEL, input="Say hello") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert final.output_text == "Hello there"
    assert final.usage is not None
    assert final.usage.total_tokens == 10
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


def test_an_answer_that_was_cut_off_says_so(client: openai.OpenAI, server: RunningServer) -> None:
    server.backend.replies.append(lambda request, emit: [emit(chunk) for chunk in chunks("Hel", "length")])
    reply = client.responses.create(model=MODEL, input="Say hello")
    assert reply.status == "incomplete"
    assert reply.incomplete_details is not None
    assert reply.incomplete_details.reason == "max_output_tokens"


def test_openai_embeddings_are_the_same_in_both_encodings(client: openai.OpenAI) -> None:
    encoded = client.embeddings.create(model=EMBEDDINGS, input=["ab", "c"])  # base64 is the client's default
    plain = client.embeddings.create(model=EMBEDDINGS, input=["ab", "c"], encoding_format="float")
    assert [entry.embedding for entry in plain.data] == [[2.0, 0.5, -1.0], [1.0, 0.5, -1.0]]
    np.testing.assert_array_equal([e.embedding for e in encoded.data], [e.embedding for e in plain.data])
    assert plain.usage.prompt_tokens == 3


@pytest.mark.parametrize("given_input", ["", [], [""], [1, 2], None, {"a": 1}, ["x"] * 257])
def test_embeddings_refuse_what_is_no_text(
    server: RunningServer, http: httpx2.Client, given_input: Any
) -> None:
    reply = http.post("/v1/embeddings", json={"model": EMBEDDINGS, "input": given_input})
    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "input"


def test_openai_models(client: openai.OpenAI) -> None:
    models = {model.id: model.model_extra for model in client.models.list()}
    assert models.keys() == local_models().keys()  # what can be asked, whether its file is here or not
    here = {name for name, extra in models.items() if extra and extra["downloaded"]}
    assert here == {MODEL, EMBEDDINGS}
    assert client.models.retrieve(MODEL).id == MODEL


@pytest.mark.parametrize("name", ["gone", "org/gone", "org%2Fgone"])
def test_a_model_that_does_not_run_here_is_not_found(
    server: RunningServer, http: httpx2.Client, name: str
) -> None:
    reply = http.get(f"/v1/models/{name}")
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "model_not_found"
    assert MODEL in reply.json()["error"]["message"]


# --------------------------------------------------------------------------------- anthropic, pydantic-ai


def test_anthropic_create(claude: anthropic.Anthropic, server: RunningServer) -> None:
    reply = claude.messages.create(
        model=MODEL,
        max_tokens=9,
        system="Be brief",
        messages=HELLO,
        stop_sequences=["END"],
        extra_body={"temperature": 0.2},
    )
    assert reply.content[0].type == "text"
    assert reply.content[0].text == "Hello there"
    assert reply.stop_reason == "end_turn"
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (7, 3)
    assert server.backend.history[0][1] == {
        "messages": [{"role": "system", "content": "Be brief"}, *HELLO],
        "max_tokens": 9,
        "stop": ["END"],
        "temperature": 0.2,
    }


def test_anthropic_stream(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(model=MODEL, max_tokens=9, messages=HELLO) as stream:
        assert list(stream.text_stream) == ["Hello", " there"]
        final = stream.get_final_message()
    assert final.usage.output_tokens == 3
    assert final.stop_reason == "end_turn"


def test_anthropic_parts_with_cache_control_are_text(
    claude: anthropic.Anthropic, server: RunningServer
) -> None:
    part: Any = {"type": "text", "text": "Say hello", "cache_control": {"type": "ephemeral"}}
    claude.messages.create(
        model=MODEL, max_tokens=9, system=[part], messages=[{"role": "user", "content": [part]}]
    )
    assert server.backend.history[0][1]["messages"] == [{"role": "system", "content": "Say hello"}, *HELLO]


def test_anthropic_errors_are_its_own(claude: anthropic.Anthropic, server: RunningServer) -> None:
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.create(model="gone", max_tokens=9, messages=HELLO)
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        claude.messages.create(model=MODEL, max_tokens=0, messages=HELLO)
    with pytest.raises(anthropic.AuthenticationError):
        claude.with_options(api_key="wrong").messages.create(model=MODEL, max_tokens=9, messages=HELLO)
    content: Any = [{"type": "thinking", "thinking": "x", "signature": "y"}]
    with pytest.raises(anthropic.BadRequestError, match="thinking"):
        claude.messages.count_tokens(model=MODEL, messages=[{"role": "assistant", "content": content}])


def test_pydantic_ai_native_output(server: RunningServer) -> None:
    server.backend.replies.append('{"colours": ["green"], "note": "torn"}')
    provider = OpenAIProvider(base_url=f"{server.url}/v1", api_key=TOKEN)
    agent = Agent(
        OpenAIChatModel(MODEL, provider=provider), output_type=NativeOutput(Jacket), instructions="Brief"
    )
    assert agent.run_sync("A green jacket, torn").output == Jacket(colours=["green"], note="torn")
    request = server.backend.history[0][1]
    assert request["messages"][0] == {"role": "system", "content": "Brief"}
    assert Grammar.read(request["grammar"]).allows({"colours": [], "note": "x" * 400})


# ------------------------------------------------------------------------------------- who may ask, and how


@pytest.mark.parametrize("key", ["wrong", TOKEN[:-1], f"{TOKEN}x", "ключ", "x y"])
def test_a_wrong_key_is_an_authentication_error(server: RunningServer, http: httpx2.Client, key: str) -> None:
    wrong: list[dict[str, Any]] = [
        {"authorization": f"Bearer {key}".encode()},
        {"authorization": "", "x-api-key": key.encode()},
    ]
    for headers in wrong:
        reply = http.get("/v1/models", headers=headers)
        assert reply.status_code == 401
        assert reply.json()["error"]["code"] == "invalid_api_key"


def test_openai_raises_its_own_error_for_a_wrong_key(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").models.list()


def test_the_key_may_come_as_anthropic_sends_it(server: RunningServer, http: httpx2.Client) -> None:
    for headers in ({"authorization": "", "x-api-key": TOKEN}, {"authorization": f"bearer {TOKEN}"}):
        assert http.get("/v1/models", headers=headers).status_code == 200
    assert http.get("/v1/models", headers={"authorization": ""}).status_code == 401
    assert http.get("/health", headers={"authorization": ""}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "localhost:80:evil.example", "127.0.0.1:evil", "localhost.",
        "[::1]x", "", "127.0.0.1@evil.example", "0.0.0.0", "2130706433", "127.0.0.1:8\tevil", "localhost/",
        "127.0.0.1:999999",
    ],
)  # fmt: skip
def test_a_foreign_host_is_refused_even_with_the_key(
    server: RunningServer, http: httpx2.Client, host: str
) -> None:
    for path in ("/v1/models", "/health"):
        assert http.get(path, headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "[::1]:80", "127.0.0.1"])
def test_this_computer_has_several_names(server: RunningServer, http: httpx2.Client, host: str) -> None:
    assert http.get("/v1/models", headers={"host": host}).status_code == 200


def test_two_host_headers_are_refused(server: RunningServer) -> None:
    lines = "GET /health HTTP/1.1\r\nHost: {}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        connection.sendall(lines.format("127.0.0.1").encode())
        status = int(connection.makefile("rb").readline().split()[1])
    assert status in (400, 403)


def test_there_is_no_cors(server: RunningServer, http: httpx2.Client) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    reply = http.options("/v1/chat/completions", headers=headers)
    assert reply.status_code == 405
    assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize("stated", [True, False])
def test_a_large_body_is_refused(
    server: RunningServer, http: httpx2.Client, stated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MAX_BODY", 1_000)
    body = b'{"model": "' + b"x" * 2_000 + b'"}'
    content: Any = body if stated else iter([body[:500], body[500:]])
    reply = http.post("/v1/chat/completions", content=content)
    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "request_too_large"


def test_a_body_that_does_not_end_is_given_up(server: RunningServer) -> None:
    slow = guard.Guard(create_app(server.backend, TOKEN), TOKEN, body_seconds=0.05)
    sent: list[Any] = []

    async def ask() -> None:
        received = deque([{"type": "http.request", "body": b"{", "more_body": True}])

        async def receive() -> Any:
            return received.popleft() if received else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {TOKEN}".encode())]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/messages",
            "headers": headers,
            "query_string": b"",
        }
        await slow(scope, receive, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["error"]["type"] == "timeout_error"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff\xfe{", b"[]", b"null", b'"text"', b"[" * 100_000, b'{"a":' * 5_000, b'{"a": NaN}',
        b'{"model": "\\ud800"}', b'{"a": ' + b"9" * 5_000 + b"}", b'{"a": ' + b"[" * 80 + b"]" * 80 + b"}",
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_refused(
    server: RunningServer, http: httpx2.Client, body: bytes
) -> None:
    for path in ("chat/completions", "responses", "embeddings"):
        reply = http.post(f"/v1/{path}", content=body)
        assert reply.status_code == 400
        assert reply.json()["error"]["code"] == "invalid_json"


def test_the_openai_client_raises_for_a_bad_request(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="set it to 1"):
        client.chat.completions.create(model=MODEL, messages=HELLO, n=2)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="gone", messages=HELLO)


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"functions": [TOOL["function"]]}, "functions"),
        ({"tools": TOOL}, "tools"),
        ({"tools": [TOOL, {"type": "web_search"}]}, "tools[1]"),
        ({"tools": [TOOL | {"function": {"name": "no name"}}]}, "tools[0]"),
        ({"tools": [TOOL | {"function": {"name": "f", "parameters": [1]}}]}, "tools[0]"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": "sometimes"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}}, "tool_choice"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages[0].tool_calls[0]"),
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": [5]}, "messages[0]"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages[0]"),
        ({"messages": [*HELLO, {"role": "user", "content": None}]}, "messages[1].content"),
        ({"messages": [{"role": "user", "content": [PICTURE]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, "messages[0].content"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 1e999}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_k": 1.5}, "top_k"),
        ({"seed": "x"}, "seed"),
        ({"stop": ["x"] * 1_000}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"stop": 5}, "stop"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": 1}, "logprobs"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": [5]}, "logit_bias"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": []}}, "json_schema"),
        ({"stream_options": "usage"}, "stream_options"),
        ({"max_token": 5}, "max_token"),
        ({"reasoning_effort": "low"}, "reasoning_effort"),
        ({"verbosity": "high"}, "verbosity"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {}}, "audio"),
        ({"prediction": {"type": "content"}}, "prediction"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"store": True}, "store"),
        ({"stream_options": {"include_costs": True}}, "stream_options.include_costs"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {}, "strikt": True}}},
            "response_format.json_schema.strikt",
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto"}}},
            "tool_choice",
        ),
        ({"model": None}, "model"),
        ({"model": ["x"]}, "model"),
    ],
)
def test_what_this_server_cannot_do_is_refused_by_name(
    server: RunningServer, http: httpx2.Client, fields: dict[str, Any], param: str
) -> None:
    for stream in (False, True):  # a refused stream is an HTTP error, too
        content = json.dumps({"model": MODEL, "messages": HELLO, "stream": stream} | fields)
        reply = http.post("/v1/chat/completions", content=content.replace("Infinity", "1e999"))
        assert reply.status_code == 400
        assert reply.json()["error"]["param"] == param
        assert reply.json()["error"]["type"] == "invalid_request_error"
    assert not server.backend.history


@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("responses", {"input": "x", "previous_response_id": "resp_1"}, "previous_response_id"),
        ("responses", {"input": "x", "reasoning": {"effort": "high"}}, "reasoning"),
        ("responses", {"input": "x", "truncation": "auto"}, "truncation"),
        ("responses", {"input": "x", "background": True}, "background"),
        ("responses", {"input": "x", "include": ["message.output_text.logprobs"]}, "include"),
        ("responses", {"input": "x", "text": {"verbosity": "low"}}, "text.verbosity"),
        ("responses", {"input": "x", "max_tokens": 5}, "max_tokens"),
        ("messages", {"messages": HELLO, "max_tokens": 5, "thinking": {"type": "enabled"}}, "thinking"),
        ("messages", {"messages": HELLO, "max_tokens": 5, "output_config": {"effort": "low"}},
         "output_config.effort"),
        ("messages", {"messages": HELLO, "max_tokens": 5, "mcp_servers": [{}]}, "mcp_servers"),
        ("messages/count_tokens", {"messages": HELLO, "thinking": {"type": "enabled"}}, "thinking"),
        ("completions", {"prompt": "x", "best_of": 2}, "best_of"),
        ("completions", {"prompt": "x", "echo": True}, "echo"),
        ("embeddings", {"input": "x", "dimensions": 256}, "dimensions"),
        ("embeddings", {"input": "x", "encoding_format": "int8"}, "encoding_format"),
        ("embeddings", {"input": "x", "task": "query"}, "task"),
    ],
)  # fmt: skip
def test_no_field_is_ignored_on_any_route(
    server: RunningServer, http: httpx2.Client, path: str, fields: dict[str, Any], param: str
) -> None:
    reply = http.post(f"/v1/{path}", json={"model": EMBEDDINGS if path == "embeddings" else MODEL} | fields)
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert error.get("param", param) == param  # Anthropic's errors have none
    assert param in error["message"] or param == error.get("param")
    assert not server.backend.history


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("chat/completions", {"messages": HELLO, "n": 1, "store": False, "parallel_tool_calls": True,
                              "service_tier": "auto", "modalities": ["text"], "reasoning_effort": "none",
                              "user": "me", "metadata": {"a": "b"}, "safety_identifier": "x", "audio": None}),
        ("responses", {"input": "x", "store": False, "truncation": "disabled",
                       "reasoning": {"effort": "none"},
                       "include": ["reasoning.encrypted_content"], "max_tool_calls": 3}),
        ("messages", {"messages": HELLO, "max_tokens": 5, "thinking": {"type": "disabled"},
                      "metadata": {"user_id": "x"}, "service_tier": "standard_only"}),
        ("embeddings", {"input": "x", "dimensions": 384, "encoding_format": "float", "user": "me"}),
    ],
)  # fmt: skip
def test_what_asks_for_nothing_is_taken(
    server: RunningServer, http: httpx2.Client, path: str, fields: dict[str, Any]
) -> None:
    model = EMBEDDINGS if path == "embeddings" else MODEL
    assert http.post(f"/v1/{path}", json={"model": model} | fields).status_code == 200


def test_odd_but_harmless_requests_are_made_fit(server: RunningServer, http: httpx2.Client) -> None:
    messages = [
        {"role": "developer", "content": "a"},
        {"role": "assistant", "content": None, "refusal": None},
    ]
    assert chat(http, messages=messages, max_tokens=2**70, seed=-1, stop=None, tools=[]).status_code == 200
    assert server.backend.history[0][1] == {
        "messages": [{"role": "system", "content": "a"}, {"role": "assistant", "content": ""}],
        "max_tokens": 1_000_000,
        "temperature": 0,
        "seed": 2**32 - 2,
    }


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/audio/speech", "/docs", "/openapi.json", "/v1/messages/batches"]
)
def test_unknown_routes_say_so(server: RunningServer, http: httpx2.Client, path: str) -> None:
    reply = http.get(path)
    assert reply.status_code == 404
    assert path in reply.json()["error"]["message"]


def test_a_wrong_method_is_shaped_like_every_error(server: RunningServer, http: httpx2.Client) -> None:
    reply = http.get("/v1/chat/completions")
    assert reply.status_code == 405
    assert "GET /v1/chat/completions" in reply.json()["error"]["message"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "messages", "input", "text", "max_tokens", "max_output_tokens", "stop", "stop_sequences", "system",
    "stream", "instructions", "stream_options", "response_format", "temperature", "logit_bias", "tools",
    "seed", "n", "prompt", "suffix", "echo", "tool_choice", "metadata",
    "encoding_format", "dimensions", "previous_response_id",
]  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1, max_size=2))
def test_no_request_is_a_defect(server: RunningServer, http: httpx2.Client, changes: dict[str, Any]) -> None:
    counts = ("messages/count_tokens", "responses/input_tokens")
    for path in ("chat/completions", "completions", "responses", "messages", "embeddings", *counts):
        body = {"model": MODEL, "messages": HELLO, "input": "x", "prompt": "x", "max_tokens": 5} | changes
        content = json.dumps(body).replace("Infinity", "1e999")
        assert http.post(f"/v1/{path}", content=content).status_code in (200, 400, 404)


# ----------------------------------------------------------------------------------- failures, line, streams


def test_a_refusal_of_the_model_while_streaming_is_an_http_error(
    client: openai.OpenAI, server: RunningServer
) -> None:
    for stream in (False, True):
        error = HttpError(400, "9,000 tokens", code="context_length_exceeded", param="messages")
        server.backend.replies.append(error)
        with pytest.raises(openai.BadRequestError, match="9,000 tokens") as caught:
            client.chat.completions.create(model=MODEL, messages=HELLO, stream=stream)
        assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("error", [RuntimeError("secret path"), lambda request, emit: None])
def test_a_defect_is_a_shaped_500(
    client: openai.OpenAI, server: RunningServer, stream: bool, error: Any
) -> None:
    server.backend.replies.append(error)
    with pytest.raises(openai.InternalServerError, match="aicourse doctor") as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO, stream=stream)
    assert "secret path" not in str(caught.value)


class Panic(BaseException):
    """As Rust extensions raise: not an Exception."""


def test_a_panic_in_the_thread_does_not_hang_the_stream(client: openai.OpenAI, server: RunningServer) -> None:
    server.backend.replies.append(Panic())
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    assert client.chat.completions.create(model=MODEL, messages=HELLO).choices[0].message.content


def break_off(error: Exception) -> Callable[..., None]:
    def reply(request: dict[str, Any], emit: Callable[[dict[str, Any]], bool]) -> None:
        for payload in list(chunks("Hello there"))[:2]:
            emit(payload)
        raise error

    return reply


@pytest.mark.parametrize("error", [HttpError(500, "It broke: aicourse doctor"), RuntimeError("boom")])
def test_a_stream_that_breaks_off_ends_in_the_clients_error(
    client: openai.OpenAI, claude: anthropic.Anthropic, server: RunningServer, error: Exception
) -> None:
    server.backend.replies.extend([break_off(error)] * 4)
    with pytest.raises(openai.APIError, match="aicourse doctor"):
        list(client.completions.create(model=MODEL, prompt="x", stream=True))
    with pytest.raises(openai.APIError, match="aicourse doctor"):
        list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True))
    with pytest.raises(openai.APIError, match="aicourse doctor"):
        list(client.responses.create(model=MODEL, input="x", stream=True))
    with (
        pytest.raises(anthropic.APIStatusError, match="aicourse doctor"),
        claude.messages.stream(model=MODEL, max_tokens=5, messages=HELLO) as stream,
    ):
        stream.get_final_message()


@pytest.mark.parametrize(
    ("route", "fields"),
    [
        ("chat/completions", {"messages": HELLO, "stream": True}),
        ("chat/completions", {"messages": HELLO}),
        ("chat/completions", {"messages": HELLO, "tools": [TOOL]}),
        ("chat/completions", {"messages": HELLO, "tools": [TOOL], "stream": True}),
        ("completions", {"prompt": "x"}),
        ("responses", {"input": "x"}),
        ("responses", {"input": "x", "stream": True}),
        ("messages", {"messages": HELLO, "max_tokens": 5}),
    ],
)
def test_a_client_that_goes_away_stops_the_model_and_frees_its_place(
    server: RunningServer, http: httpx2.Client, route: str, fields: dict[str, Any]
) -> None:
    begun, stopped, pace = threading.Event(), threading.Event(), threading.Event()

    def endless(request: dict[str, Any], emit: Callable[[dict[str, Any]], bool]) -> None:
        first, second, *_ = map(as_text if "prompt" in request else dict, chunks("word word"))
        emit(first)
        begun.set()
        while not emit(second):
            pace.wait(0.01)
        stopped.set()

    server.backend.replies.append(endless)
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        connection.sendall(raw(f"/v1/{route}", json.dumps({"model": MODEL} | fields)))
        assert begun.wait(SECONDS)
        assert inside(http) == 1
    assert stopped.wait(SECONDS)
    wait_until_empty(http)
    assert chat(http).status_code == 200


def raw(path: str, body: str) -> bytes:
    """A request as bytes, for a client that hangs up."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


class Gate:
    """A reply that waits until it is let through."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, request: dict[str, Any], emit: Callable[[dict[str, Any]], bool]) -> None:
        self.reached.set()
        assert self.open.wait(SECONDS)
        for payload in chunks("late"):
            emit(payload)


def in_thread(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    return thread, results


def wait_for(http: httpx2.Client, count: int) -> None:
    for _ in range(2_000):
        if inside(http) == count:
            return
    pytest.fail(f"{inside(http)} are in the line, not {count}")


def test_a_full_line_says_when_to_come_back(
    client: openai.OpenAI, server: RunningServer, http: httpx2.Client
) -> None:
    gate = Gate()
    server.backend.replies.append(gate)
    served = in_thread(lambda: client.chat.completions.create(model=MODEL, messages=HELLO))
    assert gate.reached.wait(SECONDS)
    waiting = in_thread(lambda: client.chat.completions.create(model=MODEL, messages=HELLO))
    wait_for(http, 2)
    for stream in (False, True):
        reply = chat(http, stream=stream)
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "2")
        assert reply.json()["error"]["code"] == "server_busy"
    with pytest.raises(openai.InternalServerError, match="Busy"):
        client.embeddings.create(model=EMBEDDINGS, input="x")
    gate.open.set()
    for thread, _ in (served, waiting):
        thread.join()
    assert served[1][0].choices[0].message.content == "late"
    assert waiting[1][0].choices[0].message.content == "Hello there"


@pytest.mark.parametrize("stream", [False, True])
def test_who_left_while_waiting_is_not_answered(
    server: RunningServer, http: httpx2.Client, stream: bool
) -> None:
    gate = Gate()
    server.backend.replies.append(gate)
    served, _ = in_thread(lambda: chat(http))
    assert gate.reached.wait(SECONDS)
    body = json.dumps({"model": MODEL, "messages": HELLO, "stream": stream})
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        connection.sendall(raw("/v1/chat/completions", body))
        wait_for(http, 2)
    inside(http)  # one more turn of the server's loop, in which it sees the connection closed
    gate.open.set()
    served.join()
    wait_until_empty(http)
    assert len(server.backend.history) == 1


def test_metrics_count_requests_and_tokens(server: RunningServer, http: httpx2.Client) -> None:
    def figures() -> dict[str, float]:
        lines = [line for line in http.get("/metrics").text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    before = figures()
    assert chat(http).status_code == 200
    assert chat(http, stream=True).status_code == 200
    assert chat(http, n=2).status_code == 400
    for index in range(20):
        http.get(f"/v1/nothing/{index}")
    after = figures()

    def gained(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert gained('aicourse_requests_total{path="/v1/chat/completions",status="200"}') == 2
    assert gained('aicourse_requests_total{path="/v1/chat/completions",status="400"}') == 1
    assert gained('aicourse_requests_total{path="other",status="404"}') == 20
    assert gained('aicourse_tokens_total{kind="completion"}') == 6
    assert gained('aicourse_tokens_total{kind="prompt"}') == 14


@pytest.mark.parametrize(
    ("method", "arguments"),
    [("sha256", []), ("chat", [{"messages": []}, bool]), ("count_tokens", [[]]), ("embed", [["x"]])],
)
def test_the_real_backend_calls_an_unknown_model_not_found(method: str, arguments: list[Any]) -> None:
    with pytest.raises(HttpError) as refused:
        getattr(LlamaBackend(), method)("gone", *arguments)
    assert (refused.value.status, refused.value.code) == (404, "model_not_found")

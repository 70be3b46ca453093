"""A provider that repeats a key: nobody above the masking layer sees it, and no key goes to a stranger."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from aicourse import usage
from aicourse.errors import CatalogError, RecordingError
from aicourse.llm import catalog, session
from aicourse.llm.keys import MASK, PLACEHOLDER
from aicourse.llm.network import HostedLayer
from aicourse.llm.replay import Mode
from aicourse.llm.stack import MeasuredAsyncClient, MeasuredClient, Stack

KEY = "8f14e45fceea167a5a36dedd4bea2543"  # no prefix, no shape
OWN_KEY = "c9f0f895fb98ab9159f51fd0297e236d"
QUESTION: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Which colours?"}]}
Handler = Callable[[httpx2.Request], httpx2.Response]


class Pieces(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


@pytest.fixture(autouse=True)
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lesson that records, in a folder without `.env`; the provider's key is set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MISTRAL_API_KEY", KEY)
    session.begin("01", tmp_path / "01.jsonl")
    return tmp_path / "01.jsonl"


def stack(library: Any = openai, mode: Mode = Mode.RECORD) -> Stack:
    provider = catalog.provider("anthropic" if library is anthropic else "mistral")
    return Stack(HostedLayer(provider), provider, library, mode=mode)


def client(handler: Handler, **options: Any) -> openai.OpenAI:
    http_client = MeasuredClient(stack(), httpx2.MockTransport(handler))
    base_url = catalog.provider("mistral").base_url
    options = {"api_key": PLACEHOLDER, "max_retries": 0, **options}
    return openai.OpenAI(base_url=base_url, http_client=http_client, **options)


def said(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {"id": "c", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def echo(request: httpx2.Request) -> str:
    """The credentials of a request, as a careless provider repeats them."""
    sent = request.headers.get("authorization") or request.headers["x-api-key"]
    key = sent.rpartition(" ")[2]
    return f"{sent} {json.dumps(key)} {base64.b64encode(f'u:{key}'.encode()).decode()}"


def seen(error: Any) -> str:
    """Everything that an error shows and carries."""
    response = error.response
    return repr(
        [str(error), error.args, vars(error), response.text, response.headers.raw, error.request.headers.raw]
    )


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500])
@pytest.mark.parametrize("key", [KEY, OWN_KEY])
def test_an_error_that_repeats_the_key_shows_and_records_none(status: int, key: str, lesson: Path) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        assert key in request.headers["authorization"]
        body = {"error": {"message": f"Incorrect API key provided for this model: {echo(request)}"}}
        return httpx2.Response(status, json=body, headers={"x-debug": echo(request)})

    asked = client(refuse, **({} if key == KEY else {"api_key": key}))
    with pytest.raises(openai.APIStatusError) as caught:
        asked.chat.completions.create(**QUESTION)
    stored = lesson.read_text(encoding="utf-8") if lesson.exists() else ""
    carried = seen(caught.value).replace(f"Bearer {OWN_KEY}", "")  # of the request that the caller made
    assert key not in carried + stored + repr(usage(asked)) + usage(asked).to_frame().to_csv()
    assert MASK in seen(caught.value)


def test_a_reply_that_repeats_the_key_is_masked_and_recorded(lesson: Path) -> None:
    asked = client(lambda request: httpx2.Response(200, json=said(f"grün {echo(request)}")))
    reply = asked.chat.completions.create(**QUESTION)
    assert str(reply.choices[0].message.content).startswith(f'grün Bearer {MASK} "{MASK}"')
    assert KEY not in reply.to_json() + lesson.read_text(encoding="utf-8")
    assert MASK in lesson.read_text(encoding="utf-8")


def events(*pieces: str) -> bytes:
    chunk = {"id": "c", "model": "m", "object": "chat.completion.chunk", "created": 0}
    choices = [[{"index": 0, "delta": {"content": piece}, "finish_reason": None}] for piece in pieces]
    sent = [f"data: {json.dumps({**chunk, 'choices': choice}, ensure_ascii=False)}\n\n" for choice in choices]
    return "".join([*sent, "data: [DONE]\n\n"]).encode()


@pytest.mark.parametrize("size", [1, 7, 50, 1_000])
def test_a_stream_is_masked_wherever_the_network_cuts_it(size: int, lesson: Path) -> None:
    content = events("grün", f"the key is {KEY}!", "blue")
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    headers = {"content-type": "text/event-stream"}
    asked = client(lambda request: httpx2.Response(200, headers=headers, stream=Pieces(*pieces)))
    chunks = asked.chat.completions.create(**QUESTION, stream=True)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["grün", f"the key is {MASK}!", "blue"]
    assert KEY not in lesson.read_text(encoding="utf-8")


def test_async_and_anthropic_clients_are_covered(monkeypatch: pytest.MonkeyPatch, lesson: Path) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", OWN_KEY)

    def refuse(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(400, json={"error": {"message": f"no: {echo(request)}"}})

    base_url = catalog.provider("mistral").base_url
    transport = httpx2.MockTransport(refuse)
    later = openai.AsyncOpenAI(
        base_url=base_url, api_key=PLACEHOLDER, http_client=MeasuredAsyncClient(stack(), transport)
    )
    with pytest.raises(openai.BadRequestError) as caught:
        asyncio.run(later.chat.completions.create(**QUESTION))
    assert KEY not in seen(caught.value)
    native = anthropic.Anthropic(
        base_url="https://api.anthropic.com",
        api_key=PLACEHOLDER,
        http_client=MeasuredClient(stack(anthropic), transport),
    )
    with pytest.raises(anthropic.BadRequestError) as refused:
        native.messages.create(**QUESTION, max_tokens=9)
    assert OWN_KEY not in seen(refused.value) + lesson.read_text(encoding="utf-8")


def test_an_exception_on_the_way_is_masked_with_what_caused_it() -> None:
    def break_off(request: httpx2.Request) -> httpx2.Response:
        try:
            raise ValueError(f"Illegal header value {request.headers['authorization']}")
        except ValueError as error:
            raise httpx2.LocalProtocolError(str(error)) from error

    asked = client(break_off)
    with pytest.raises(openai.APIConnectionError) as caught:
        asked.chat.completions.create(**QUESTION)
    link: BaseException | None = caught.value
    while link:
        assert KEY not in repr(link)
        link = link.__cause__ or link.__context__
    assert [call.error for call in usage(asked).calls] == [
        f"LocalProtocolError: Illegal header value Bearer {MASK}"
    ]


def test_a_prompt_that_holds_a_key_is_not_recorded(lesson: Path) -> None:
    asked = client(lambda request: httpx2.Response(200, json=said("red")))
    question = [{"role": "user", "content": f"My key is {KEY}"}]
    with pytest.raises(RecordingError, match="looks like a key") as caught:
        asked.chat.completions.create(model="m", messages=question)  # type: ignore[arg-type]
    assert KEY not in str(caught.value)
    assert not lesson.exists()


@pytest.mark.parametrize("library", [openai, anthropic])
def test_a_redirect_takes_the_key_to_no_other_host(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    received: list[httpx2.Request] = []

    def redirect(request: httpx2.Request) -> httpx2.Response:
        received.append(request)
        if len(received) == 1:
            return httpx2.Response(307, headers={"location": "https://collector.example/v1/messages"})
        return httpx2.Response(401, json={"error": {"message": "who are you?"}})

    http_client = MeasuredClient(stack(library), httpx2.MockTransport(redirect))
    options: dict[str, Any] = {"api_key": PLACEHOLDER, "max_retries": 0, "http_client": http_client}
    if library is anthropic:
        native = anthropic.Anthropic(base_url="https://api.anthropic.com", **options)
        with pytest.raises(anthropic.AuthenticationError):
            native.messages.create(**QUESTION, max_tokens=9)
    else:
        asked = openai.OpenAI(base_url=catalog.provider("mistral").base_url, **options)
        with pytest.raises(openai.AuthenticationError):
            asked.chat.completions.create(**QUESTION)
    assert KEY in repr(received[0].headers.raw)
    assert KEY not in repr([request.headers.raw for request in received[1:]])


@pytest.mark.parametrize("name", [KEY, f"https://me:{KEY}@llm.example/v1", f"https://{KEY}@llm.example/v1"])
def test_a_key_in_the_place_of_a_provider_is_not_shown(name: str) -> None:
    with pytest.raises(CatalogError) as caught:
        catalog.provider(name)
    assert KEY not in repr([str(caught.value), vars(caught.value)])

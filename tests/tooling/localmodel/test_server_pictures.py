"""Pictures in requests: replaced by what was measured, in three dialects, and named in the reply."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from aicourse.llm.photos import description
from aicourse.llm.photos.description import describe_photo, photo_part
from aicourse.paths import datasets_dir
from aicourse.tooling.localmodel.server.app import create_app
from aicourse.tooling.localmodel.server.http_errors import HttpError
from aicourse.tooling.localmodel.server.pictures import MAX_PHOTOS, Describer

MODEL = "qwen2.5-coder-0.5b"
RAINCOAT = datasets_dir() / "photos" / "images" / "L001.jpg"
PART: dict[str, Any] = photo_part(RAINCOAT)
URL = PART["image_url"]["url"]
TEXT = describe_photo(URL).text
BASE64 = URL.partition(",")[2]
BLOCK = {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": BASE64}}
QUESTION: dict[str, Any] = {"type": "text", "text": "Which colour?"}
TOLD = {"photos": [{"described_as": TEXT}]}
SHOWN: list[Any] = [{"role": "user", "content": [QUESTION, PART]}]


class Backend:
    """Answers "green"; keeps the messages that it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def names(self) -> list[str]:
        return [MODEL]

    def sha256(self, model: str) -> str:
        return "0" * 64

    def chat(self, model: str, request: dict[str, Any], emit: Callable[[dict[str, Any]], bool]) -> None:
        self.asked.append(request["messages"])
        frame = {"id": "1", "created": 1, "model": model}
        usage = {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}
        for delta, reason in (({"role": "assistant"}, None), ({"content": "green"}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            emit(frame | {"object": "chat.completion.chunk", "choices": [choice]})
        emit(frame | {"object": "chat.completion.chunk", "choices": [], "usage": usage})

    def embed(self, model: str, texts: list[str]) -> tuple[list[list[float]], int]:
        raise NotImplementedError


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def http(backend: Backend) -> httpx2.AsyncClient:
    app = create_app(backend, "a token")
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), headers={"authorization": "Bearer a token"}
    )


@pytest.fixture
def client(http: httpx2.AsyncClient) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url="http://127.0.0.1/v1", api_key="a token", http_client=http, max_retries=0
    )


@pytest.fixture
def claude(http: httpx2.AsyncClient) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        base_url="http://127.0.0.1", api_key="a token", http_client=http, max_retries=0
    )


ASKED = [[{"role": "user", "content": f"Which colour?\n{TEXT}"}]]


# ------------------------------------------------------------------------------------- the three dialects


def test_chat_completions(client: openai.AsyncOpenAI, backend: Backend) -> None:
    reply = asyncio.run(client.chat.completions.create(model=MODEL, messages=SHOWN))
    assert backend.asked == ASKED
    assert reply.model_extra == {"aicourse": TOLD}
    assert "green" in TEXT


def test_a_stream_says_it_in_its_first_chunk(client: openai.AsyncOpenAI, backend: Backend) -> None:
    async def chunks() -> list[Any]:
        stream = await client.chat.completions.create(model=MODEL, messages=SHOWN, stream=True)
        return [chunk async for chunk in stream]

    first, *others = asyncio.run(chunks())
    assert first.model_extra == {"aicourse": TOLD}
    assert all(not chunk.model_extra for chunk in others)
    assert backend.asked == ASKED


@pytest.mark.parametrize("stream", [False, True])
def test_responses(client: openai.AsyncOpenAI, backend: Backend, stream: bool) -> None:
    content = [{"type": "input_text", "text": "Which colour?"}, {"type": "input_image", "image_url": URL}]
    asked: Any = {"model": MODEL, "input": [{"role": "user", "content": content}]}

    async def answer() -> Any:
        if not stream:
            return await client.responses.create(**asked)
        async with client.responses.stream(**asked) as events:
            return await events.get_final_response()

    reply = asyncio.run(answer())
    assert reply.output_text == "green"
    assert reply.model_extra["aicourse"] == TOLD
    assert backend.asked == ASKED


@pytest.mark.parametrize("stream", [False, True])
def test_messages(claude: anthropic.AsyncAnthropic, backend: Backend, stream: bool) -> None:
    asked: Any = {
        "model": MODEL,
        "max_tokens": 9,
        "messages": [{"role": "user", "content": [QUESTION, BLOCK]}],
    }

    async def answer() -> Any:
        if not stream:
            return await claude.messages.create(**asked)
        async with claude.messages.stream(**asked) as events:
            return await events.get_final_message()

    reply = asyncio.run(answer())
    assert reply.content[0].text == "green"
    assert reply.model_extra["aicourse"] == TOLD
    assert backend.asked == ASKED


def test_without_a_picture_nothing_is_said(client: openai.AsyncOpenAI, backend: Backend) -> None:
    hello: Any = [{"role": "user", "content": "hello"}]
    reply = asyncio.run(client.chat.completions.create(model=MODEL, messages=hello))
    assert not reply.model_extra
    assert backend.asked == [hello]


def test_several_pictures_keep_their_order(client: openai.AsyncOpenAI, backend: Backend) -> None:
    other = datasets_dir() / "photos" / "images" / "L003.jpg"
    messages: Any = [*SHOWN, {"role": "assistant", "content": "green"},
                     {"role": "user", "content": [photo_part(other), QUESTION]}]  # fmt: skip
    reply = asyncio.run(client.chat.completions.create(model=MODEL, messages=messages))
    assert reply.model_extra is not None
    said = [photo["described_as"] for photo in reply.model_extra["aicourse"]["photos"]]
    assert said == [TEXT, describe_photo(other).text]
    assert backend.asked[0][2]["content"] == f"{said[1]}\nWhich colour?"


# --------------------------------------------------------------------------------------------- refusing


def image(url: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (image("https://example.com/coat.jpg"), "send the picture itself as a data URL"),
        (image("file:///etc/passwd"), "has no picture"),
        (image("/etc/hostname"), "has no picture"),
        (image(5), "has no picture"),
        (image(None), "has no picture"),
        (image(f"data:image/jpeg;base64,{BASE64[:20_000]}"), "damaged or cut off"),
        (image("data:image/png;base64,AAAA"), "Not a PNG, JPEG or WebP"),
        (image("data:application/pdf;base64,AAAA"), "application/pdf is not accepted"),
        ({"type": "image_url"}, "has no picture"),
        ({"type": "input_image", "file_id": "file-1"}, "has no picture"),
        ({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}, "as a data URL"),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, "has no picture"),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png"}}, "has no picture"),
        ({"type": "image", "source": {"type": "base64", "media_type": ["x"], "data": [1]}}, "has no picture"),
    ],
)
def test_a_picture_that_cannot_be_read_is_refused_by_its_place(
    client: openai.AsyncOpenAI, backend: Backend, part: dict[str, Any], message: str
) -> None:
    messages: Any = [{"role": "user", "content": [QUESTION, part]}]
    with pytest.raises(openai.BadRequestError, match=message) as refused:
        asyncio.run(client.chat.completions.create(model=MODEL, messages=messages))
    assert refused.value.param == "messages[0].content[1]"
    assert refused.value.code == "invalid_image"
    assert not backend.asked


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_only_users_show_pictures(client: openai.AsyncOpenAI, role: str) -> None:
    messages: Any = [{"role": role, "content": [PART]}]
    with pytest.raises(openai.BadRequestError, match="neither text nor a user's picture"):
        asyncio.run(client.chat.completions.create(model=MODEL, messages=messages))


def test_too_many_pictures_are_refused_undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "describe_photo", lambda source: pytest.fail("it was decoded"))
    request = {"messages": [{"role": "user", "content": [PART] * (MAX_PHOTOS + 1)}]}
    with pytest.raises(HttpError, match=f"takes {MAX_PHOTOS} per request"):
        asyncio.run(Describer()(request, "messages"))


@pytest.mark.parametrize("odd", [None, "text", 5, [None, 5, "x"], [{"role": "user"}], [{"content": [5, {}]}]])
def test_what_is_malformed_is_left_to_the_route(odd: Any) -> None:
    request, told = asyncio.run(Describer()({"messages": odd}, "messages"))
    assert request == {"messages": odd}
    assert told.metadata() == {}


def test_pictures_of_one_request_are_decoded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def describe(source: str) -> description.PhotoDescription:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        description = describe_photo(source)
        with lock:
            at_work -= 1
        return description

    async def many() -> None:
        describer = Describer()
        await asyncio.gather(*(describer({"messages": SHOWN}, "messages") for _ in range(4)))

    monkeypatch.setattr(description, "describe_photo", describe)
    asyncio.run(many())
    assert most == 1

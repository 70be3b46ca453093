"""One server for every client library: the embedded model's own, or its routes over a scripted model.

    pytest tests/interop       the libraries of the lock, over a scripted model: no file of a model needed
    python tests/interop       every library, over the live model; writes docs/clients.md

A test class is one row of docs/clients.md (library and API), its tests are the columns, `test_` and the
feature's name. In a venv of its own a library has no `aicourse` beside it, so tests here import the library
and pytest alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAGUlEQVR4nGMUsVnAQApgIkn1qIZRDUNKAwAQ0QEQjOjFCwAAAABJ"
    "RU5ErkJggg=="
)  # a blue square


@dataclass(frozen=True)
class Endpoint:
    """Where the server answers, and what it answers with."""

    url: str
    token: str
    model: str = "qwen2.5-coder-0.5b"
    embeddings: str = "all-minilm-l6-v2"
    picture: str = PICTURE

    @property
    def v1(self) -> str:
        """The base URL as OpenAI's clients want it."""
        return f"{self.url}/v1"

    @property
    def photo(self) -> str:
        """The picture as a data URL."""
        return f"data:image/png;base64,{self.picture}"


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Endpoint]:
    """The server that `python tests/interop` has started, else one over a scripted model."""
    if "INTEROP_URL" in os.environ:
        yield Endpoint(os.environ["INTEROP_URL"], os.environ["INTEROP_TOKEN"])
        return
    with served_by_script() as url:
        yield Endpoint(url, "t")


@pytest.fixture
def not_offered() -> Callable[[str], None]:
    """Says why a library has no such feature; docs/clients.md shows it."""
    return lambda reason: pytest.skip(f"not offered: {reason}")


@pytest.fixture
def refused_by_name(record_property: Callable[[str, object], None]) -> Any:
    """A block in which the server refuses; the library's own error must carry the words of the refusal."""

    @contextmanager
    def refused(error: type[BaseException], words: str) -> Iterator[None]:
        with pytest.raises(error, match=words):
            yield
        record_property("refused", words)

    return refused


@contextmanager
def served_by_script() -> Iterator[str]:
    """The address of the real routes over a scripted model."""
    import uvicorn

    from aicourse.tooling.localmodel.server import serving
    from aicourse.tooling.localmodel.server.app import create_app

    config = uvicorn.Config(
        create_app(Script(), "t"),
        log_level="critical",
        lifespan="off",
        timeout_graceful_shutdown=2,  # a library may keep a connection: without it, the end would never come
    )
    server = uvicorn.Server(config)
    with serving.listen(0) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


class Script:
    """A model that calls the first tool until it has a result, writes a jacket as JSON, else says hello."""

    def names(self) -> list[str]:
        return ["qwen2.5-coder-0.5b", "all-minilm-l6-v2"]

    def sha256(self, model: str) -> str:
        return "hash"

    def chat(self, model: str, request: dict[str, Any], emit: Callable[[dict[str, Any]], bool]) -> None:
        if model != self.names()[0]:
            from aicourse.tooling.localmodel.server.http_errors import no_model

            raise no_model(f"no {model} here")
        for payload in _chunks(_said(request), as_text="prompt" in request):
            emit(payload)

    def count_tokens(self, model: str, messages: list[dict[str, Any]]) -> int:
        return sum(len(message["content"].split()) for message in messages)

    def embed(self, model: str, texts: list[str]) -> tuple[list[list[float]], int]:
        return [[0.5] * 384 for _ in texts], len(texts)


def _said(request: dict[str, Any]) -> str:
    """The answer, from what the messages say of tools; `tests/tooling/localmodel` looks at grammars."""
    messages = request.get("messages") or [{"content": request.get("prompt")}]
    tools = re.search(r"<tools>\n(.*?)\n</tools>", messages[0]["content"], re.DOTALL)
    if tools is None:
        return '{"colour": "blue", "price": 20}' if "grammar" in request else "Hello there"
    functions = [json.loads(line)["function"] for line in tools[1].splitlines()]
    has_result = messages[-1]["content"].startswith("<tool_response>")
    if has_result and '{"reply"' in messages[0]["content"]:
        return '{"reply": "Sunny"}'
    function = functions[-1 if has_result else 0]
    parameters = function.get("parameters", {})
    arguments = {name: _filled(schema) for name, schema in parameters.get("properties", {}).items()}
    return json.dumps({"name": function["name"], "arguments": arguments})


def _filled(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    return {"integer": 20, "string": "Rome"}[schema["type"]]


def _chunks(text: str, *, as_text: bool) -> Iterator[dict[str, Any]]:
    """A stream as llama.cpp writes it."""
    kind = "text_completion" if as_text else "chat.completion.chunk"
    frame = {"id": "c", "created": 1, "model": "file", "object": kind}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    for said, reason in ((text[:3], None), (text[3:], None), ("", "stop")):
        part: dict[str, Any] = {"text": said} if as_text else {"delta": {"content": said}}
        yield frame | {"choices": [part | {"index": 0, "finish_reason": reason}]}
    yield frame | {"choices": [], "usage": usage}

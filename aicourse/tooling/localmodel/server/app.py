"""The routes: chat and text completions, responses, messages, embeddings, models, health, metrics.

Each generating route reads the body, translates it to a chat request, takes a place in the line, and
translates the answer back. A stream's first chunk is awaited before the status is sent, so that a refused
request is an HTTP error and not a broken stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response

from aicourse.tooling.localmodel.local_models import local_models
from aicourse.tooling.localmodel.server import embeddings, messages, responses
from aicourse.tooling.localmodel.server.answers import (
    Chunks,
    EventStream,
    Stream,
    chat_events,
    named_events,
)
from aicourse.tooling.localmodel.server.backend import Backend
from aicourse.tooling.localmodel.server.counters import Counted, Counters
from aicourse.tooling.localmodel.server.fields import CHAT, COMPLETIONS, EMBEDDINGS, MESSAGES, RESPONSES
from aicourse.tooling.localmodel.server.guard import Guard, WaitingLine
from aicourse.tooling.localmodel.server.http_errors import HttpError, defect, no_model
from aicourse.tooling.localmodel.server.pictures import Describer, Told
from aicourse.tooling.localmodel.server.requests import (
    chat_request,
    completion_request,
    model_of,
    object_in,
    read_request,
)
from aicourse.tooling.localmodel.server.toolcalls import as_chunks, toolbox, with_call

SERVED, WAITING = 1, 16


def create_app(backend: Backend, token: str, *, served: int = SERVED, waiting: int = WAITING) -> FastAPI:
    """The server's ASGI app over `backend`; requests must carry `token`."""
    app = FastAPI(title="aicourse embedded model", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.line = WaitingLine(served, waiting)
    app.state.counters = Counters()
    app.add_middleware(Guard, token=token)
    app.add_middleware(Counted, counters=app.state.counters)
    app.add_exception_handler(HttpError, _answer_http_error)
    app.add_exception_handler(HTTPException, _answer_no_route)
    app.add_exception_handler(Exception, _answer_defect)
    _add_generating_routes(app, backend)
    _add_telling_routes(app, backend)
    return app


def _add_generating_routes(app: FastAPI, backend: Backend) -> None:
    ask = Asking(backend, app.state.line, app.state.counters)
    described = Describer()

    @app.post("/v1/chat/completions")
    async def chat_completions(request: Request) -> Response:
        body, told = await described(read_request(await request.body(), CHAT), "messages")
        return await ask(request, body, told, lambda completion: completion, _chat_events_for(body))

    @app.post("/v1/completions")
    async def completions(request: Request) -> Response:
        body = read_request(await request.body(), COMPLETIONS)
        translations = (lambda completion: completion, _chat_events_for(body))
        return await ask(request, body, Told(), *translations, check=completion_request)

    @app.post("/v1/responses")
    async def create_response(request: Request) -> Response:
        body, told = await described(read_request(await request.body(), RESPONSES), "input")

        def translate(chunks: Chunks) -> AsyncIterator[str]:
            return named_events(responses.stream_from_chat(chunks, body), numbered=True)

        chat = responses.to_chat(body)
        return await ask(request, chat, told, partial(responses.from_chat, request=body), translate)

    @app.post("/v1/messages")
    async def create_message(request: Request) -> Response:
        body, told = await described(read_request(await request.body(), MESSAGES), "messages")
        chat = messages.to_chat(body)

        def translate(chunks: Chunks) -> AsyncIterator[str]:
            return named_events(messages.stream_from_chat(chunks))

        return await ask(request, chat, told, messages.from_chat, translate)

    @app.post("/v1/responses/input_tokens")
    async def count_input(request: Request) -> dict[str, Any]:
        body, _ = await described(read_request(await request.body(), RESPONSES), "input")
        return {"object": "response.input_tokens", "input_tokens": await ask.count(responses.to_chat(body))}

    @app.post("/v1/messages/count_tokens")
    async def count_messages(request: Request) -> dict[str, Any]:
        body, _ = await described(read_request(await request.body(), MESSAGES), "messages")
        return {"input_tokens": await ask.count(messages.to_chat({"max_tokens": 1} | body))}

    @app.post("/v1/embeddings")
    async def create_embeddings(request: Request) -> Response:
        body = read_request(await request.body(), EMBEDDINGS)
        name, texts = model_of(body), embeddings.texts_in(body)
        async with app.state.line.place():
            vectors, tokens = await asyncio.to_thread(backend.embed, name, texts)
        return JSONResponse(embeddings.answer(body, vectors, tokens), headers=_file_header(backend, name))


def _add_telling_routes(app: FastAPI, backend: Backend) -> None:
    @app.get("/v1/models")
    async def list_models() -> dict[str, Any]:
        return {"object": "list", "data": [_model_entry(name, backend) for name in local_models()]}

    @app.get("/v1/models/{name:path}")
    async def one_model(name: str) -> dict[str, Any]:
        if name not in local_models():
            raise no_model(f"No model {name!r} runs here. Those that do: {', '.join(local_models())}.")
        return _model_entry(name, backend)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics")
    async def metrics() -> Response:
        text = app.state.counters.render(app.state.line.inside)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


class Asking:
    """A chat request put to the backend, answered whole or as a stream, in the dialect of the route."""

    def __init__(self, backend: Backend, line: WaitingLine, counters: Counters) -> None:
        self._backend = backend
        self._line = line
        self._counters = counters

    async def __call__(
        self,
        request: Request,
        body: dict[str, Any],
        told: Told,
        translate: Callable[[dict[str, Any]], dict[str, Any]],
        translate_stream: Callable[[Chunks], AsyncIterator[str]],
        check: Callable[[dict[str, Any]], dict[str, Any]] = chat_request,
    ) -> Response:
        """The response to `body`, which `check` makes fit; `translate…` write it as the client expects it.

        `told` is what the model is told of photos; it goes into the reply, in a stream into the first chunk.
        """
        name, streams, tools = model_of(body), bool(body.get("stream")), toolbox(body)
        stream = Stream(self._backend.chat, self._line, name, check(body), request.receive)
        path, headers = request.url.path, _file_header(self._backend, name)
        if streams and tools is None:
            chunks = self._counted(await stream.first() | told.metadata(), stream)
            return EventStream(stream, translate_stream(chunks), path, headers)
        completion = await stream.whole()
        self._counters.add_tokens(completion.get("usage"))
        answer = (completion if tools is None else with_call(completion)) | told.metadata()
        if streams:
            return EventStream(stream, translate_stream(as_chunks(answer)), path, headers)
        return JSONResponse(translate(answer), headers=headers)

    async def count(self, body: dict[str, Any]) -> int:
        """The tokens that the model would read of `body`, a chat request."""
        name, read = model_of(body), chat_request(body)["messages"]
        async with self._line.place():
            return await asyncio.to_thread(self._backend.count_tokens, name, read)

    async def _counted(self, first: dict[str, Any], rest: Stream) -> Chunks:
        yield first
        async for chunk in rest:
            self._counters.add_tokens(chunk.get("usage"))
            yield chunk


def _chat_events_for(body: dict[str, Any]) -> Callable[[Chunks], AsyncIterator[str]]:
    return partial(chat_events, wants_usage=bool(object_in(body, "stream_options").get("include_usage")))


def _file_header(backend: Backend, model: str) -> dict[str, str]:
    """The header that names the model file that answered; recordings keep it."""
    return {"aicourse-model-sha256": backend.sha256(model)}


def _model_entry(name: str, backend: Backend) -> dict[str, Any]:
    """A model that can be asked; connect() fetches the file of one that is not `downloaded`."""
    model, is_here = local_models()[name], name in backend.names()
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": model.licence,
        "kind": model.kind,
        "downloaded": is_here,
    }


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HttpError)
    return error.response(request.url.path)


async def _answer_no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    message = f"This server has no {request.method} {request.url.path}."
    return HttpError(status, message, code="not_found").response(request.url.path)


async def _answer_defect(request: Request, error: Exception) -> Response:
    return defect(error).response(request.url.path)

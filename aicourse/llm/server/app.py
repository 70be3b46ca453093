"""The routes: chat completions, responses, messages, embeddings, models, health, metrics.

Each generating route reads the body, translates it to a chat request, takes a place in the line, and translates the
answer back. A stream's first chunk is awaited before the status is sent, so that a refused request is an HTTP error and not a broken stream.
"""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from aicourse.llm import catalog
from aicourse.llm.server import messages, responses
from aicourse.llm.server.answers import chunks, complete
from aicourse.llm.server.backend import Backend
from aicourse.llm.server.counters import Counters
from aicourse.llm.server.guard import Guard, Line
from aicourse.llm.server.problems import Problem
from aicourse.llm.server.requests import chat_request, model_of, read_json

SERVED, WAITING = 2, 16
MAX_TEXTS = 256  # in one embeddings request
Events = AsyncIterator[str]


def create_app(backend: Backend, token: str, *, served: int = SERVED, waiting: int = WAITING) -> FastAPI:
    """The server's ASGI app over `backend`; requests must carry `token`."""
    app = FastAPI(title="aicourse embedded model", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.line = Line(served, waiting)
    app.state.counters = Counters()
    app.add_middleware(Guard, token=token)
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(404, _answer_no_route)
    app.add_exception_handler(Exception, _answer_defect)
    app.middleware("http")(_count)
    _add_generating_routes(app, backend)
    _add_telling_routes(app, backend)
    return app


def _add_generating_routes(app: FastAPI, backend: Backend) -> None:
    @app.post("/v1/chat/completions")
    async def chat_completions(request: Request) -> Response:
        body = read_json(await request.body())
        if not body.get("stream"):
            return JSONResponse(await _complete(app, backend, body), headers=_proof(backend, body))
        wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        return await _stream(app, backend, body, lambda stream: _chat_events(stream, wants_usage))

    @app.post("/v1/responses")
    async def create_response(request: Request) -> Response:
        body = read_json(await request.body())
        chat = responses.to_chat(body)
        if not body.get("stream"):
            completion = await _complete(app, backend, chat)
            return JSONResponse(responses.from_chat(completion, body), headers=_proof(backend, body))
        return await _stream(
            app,
            backend,
            chat,
            lambda stream: _named_events(responses.stream_from_chat(stream, body), numbered=True),
        )

    @app.post("/v1/messages")
    async def create_message(request: Request) -> Response:
        body = read_json(await request.body())
        chat = messages.to_chat(body)
        if not body.get("stream"):
            completion = await _complete(app, backend, chat)
            return JSONResponse(messages.from_chat(completion), headers=_proof(backend, body))
        return await _stream(
            app, backend, chat, lambda stream: _named_events(messages.stream_from_chat(stream))
        )

    @app.post("/v1/embeddings")
    async def create_embeddings(request: Request) -> Response:
        body = read_json(await request.body())
        name, texts = model_of(body), _texts(body.get("input"))
        async with app.state.line.place():
            vectors, count = await asyncio.to_thread(backend.embed, name, texts)
        encode = _as_base64 if body.get("encoding_format") == "base64" else list
        data = [
            {"object": "embedding", "index": index, "embedding": encode(vector)}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": count, "total_tokens": count}
        answer = {"object": "list", "model": name, "data": data, "usage": usage}
        return JSONResponse(answer, headers=_proof(backend, body))


def _add_telling_routes(app: FastAPI, backend: Backend) -> None:
    @app.get("/v1/models")
    async def list_models() -> dict[str, Any]:
        return {"object": "list", "data": [_model_entry(name) for name in backend.names()]}

    @app.get("/v1/models/{name}")
    async def one_model(name: str) -> dict[str, Any]:
        if name not in backend.names():
            message = f"{name} is not here. Fetch it with: aicourse model pull {name}"
            raise Problem(404, message, code="model_not_found", param="model")
        return _model_entry(name)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics")
    async def metrics() -> Response:
        text = app.state.counters.render(app.state.line.inside)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


async def _complete(app: FastAPI, backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    name, chat = model_of(request), chat_request(request)
    async with app.state.line.place():
        completion = await complete(backend, name, chat)
    app.state.counters.add_tokens(completion.get("usage"))
    return completion


async def _stream(
    app: FastAPI,
    backend: Backend,
    request: dict[str, Any],
    translate: Callable[[AsyncIterator[dict[str, Any]]], Events],
) -> Response:
    """An event stream that holds its place in the line until the last chunk."""
    name, chat = model_of(request), chat_request(request)

    async def held() -> AsyncIterator[dict[str, Any]]:
        async with app.state.line.place(), aclosing(chunks(backend, name, chat)) as stream:  # type: ignore[type-var]
            async for chunk in stream:
                app.state.counters.add_tokens(chunk.get("usage"))
                yield chunk

    source = held()
    first = await anext(source)

    async def all_chunks() -> AsyncIterator[dict[str, Any]]:
        async with aclosing(source):  # type: ignore[type-var]
            yield first
            async for chunk in source:
                yield chunk

    headers = {"cache-control": "no-cache"} | _proof(backend, request)
    return StreamingResponse(translate(all_chunks()), media_type="text/event-stream", headers=headers)


async def _chat_events(stream: AsyncIterator[dict[str, Any]], wants_usage: bool) -> Events:
    async for chunk in stream:
        if chunk["choices"] or wants_usage:
            yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"


async def _named_events(
    events: AsyncIterator[tuple[str, dict[str, Any]]], *, numbered: bool = False
) -> Events:
    number = 0
    async for name, payload in events:
        sequence = {"sequence_number": number} if numbered else {}
        yield f"event: {name}\ndata: {json.dumps({'type': name} | sequence | payload)}\n\n"
        number += 1


def _texts(given: Any) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise Problem(
            400,
            "'input' must be a text or a list of texts, none empty; token numbers are not taken.",
            param="input",
        )
    if len(texts) > MAX_TEXTS:
        raise Problem(
            400, f"'input' has {len(texts)} texts; send at most {MAX_TEXTS} at once.", param="input"
        )
    return texts


def _as_base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _proof(backend: Backend, request: dict[str, Any]) -> dict[str, str]:
    """Which model file answered; recordings keep it."""
    return {"aicourse-model-sha256": backend.sha256(model_of(request))}


def _model_entry(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": catalog.models()[name].licence}


async def _count(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    started = time.perf_counter()
    response = await call_next(request)
    route = request.scope.get("route")
    path = getattr(route, "path", "other")
    counters: Counters = request.app.state.counters
    counters.requests[path, response.status_code] += 1
    counters.seconds[path] += time.perf_counter() - started  # type: ignore[assignment]  # floats, summed
    return response


async def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response(request.url.path)


async def _answer_no_route(request: Request, error: Exception) -> Response:
    problem = Problem(404, f"This server has no {request.url.path}.", code="not_found")
    return problem.response(request.url.path)


async def _answer_defect(request: Request, error: Exception) -> Response:
    message = (
        f"The embedded model's server failed ({type(error).__name__}). Its log says more: aicourse doctor"
    )
    return Problem(500, message).response(request.url.path)

"""Layers between a client and the network, written once for sync and async.

A layer is a function from a request to a generator that ends in a response. It asks the layer below
with `yield from`, and what must wait (sending, reading, slow work) it yields as an *effect*:

    def stamped(inner: Layer) -> Layer:
        def layer(request):
            request.headers["x-stamp"] = "1"
            response = yield from inner(request)     # exceptions from below arrive here too
            return response
        return layer

`FlowTransport` performs the effects, blocking or awaiting: the only two places where sync and async
differ are its two `handle` methods. Bodies pass through unread. The idea is httpx's own
`Auth.auth_flow` (https://www.python-httpx.org/advanced/authentication/).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Literal

import anyio.to_thread
import httpx2


@dataclass(frozen=True)
class Send:
    """Effect: send the request over the network; the result is a response whose body is not read yet."""

    request: httpx2.Request


@dataclass(frozen=True)
class Read:
    """Effect: read the whole body of a response."""

    response: httpx2.Response


@dataclass(frozen=True)
class Wait:
    """Effect: slow work (a download, a server to start), done in a thread when the client is async."""

    work: Callable[[], Any]


Effect = Send | Read | Wait
Flow = Generator[Effect, Any, httpx2.Response]
Layer = Callable[[httpx2.Request], Flow]


@dataclass(frozen=True)
class Origin:
    """Where a response comes from.

    `seconds` and `first_token_seconds` are set when it was recorded; `injected` when a fault changed it.
    """

    source: Literal["recorded", "live"] = "live"
    started: float = field(default_factory=perf_counter)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float | None = None
    first_token_seconds: float | None = None
    injected: bool = False


def origin_of(response: httpx2.Response) -> Origin:
    """What `Send`, a recording or a fault attached to `response`."""
    origin = response.extensions["aicourse"]
    assert isinstance(origin, Origin)
    return origin


def network(request: httpx2.Request) -> Flow:
    """The lowest layer: send the request as it is."""
    response = yield Send(request)
    assert isinstance(response, httpx2.Response)
    return response


class FlowTransport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """An httpx2 transport, sync and async, that runs a layer.

    Without `transport` requests go out through a plain `httpx2` client, made when the first one does
    (so that replaying costs no TLS set-up), which honours the proxy settings of the environment.
    """

    def __init__(self, layer: Layer, transport: httpx2.MockTransport | None = None) -> None:
        self._layer = layer
        self._transport = transport
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None
        self._async_client: httpx2.AsyncClient | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Run the layer, blocking for each effect."""
        request.read()
        flow = self._layer(request)
        step = _first(flow)
        while not isinstance(step, httpx2.Response):
            try:
                result = self._perform(step)
            except BaseException as error:
                step = _next(flow.throw, error)
            else:
                step = _next(flow.send, result)
        return step

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Run the layer, awaiting each effect."""
        await request.aread()
        flow = self._layer(request)
        step = _first(flow)
        while not isinstance(step, httpx2.Response):
            try:
                result = await self._perform_async(step)
            except BaseException as error:
                step = _next(flow.throw, error)
            else:
                step = _next(flow.send, result)
        return step

    def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, Wait):
            return effect.work()
        if isinstance(effect, Read):
            return effect.response.read()
        with self._lock:
            self._client = self._client or httpx2.Client(transport=self._transport)
        origin = Origin()
        response = self._client.send(effect.request, stream=True)
        response.extensions["aicourse"] = origin
        return response

    async def _perform_async(self, effect: Effect) -> Any:
        if isinstance(effect, Wait):
            return await anyio.to_thread.run_sync(effect.work)
        if isinstance(effect, Read):
            return await effect.response.aread()
        with self._lock:
            self._async_client = self._async_client or httpx2.AsyncClient(transport=self._transport)
        origin = Origin()
        response = await self._async_client.send(effect.request, stream=True)
        response.extensions["aicourse"] = origin
        return response

    def close(self) -> None:
        """Close the connections of the sync client."""
        if self._client is not None:
            self._client.close()

    async def aclose(self) -> None:
        """Close the connections of the async client."""
        if self._async_client is not None:
            await self._async_client.aclose()


def _first(flow: Flow) -> Effect | httpx2.Response:
    return _next(flow.send, None)


def _next(resume: Callable[[Any], Effect], value: Any) -> Effect | httpx2.Response:
    """Go on with a flow: its next effect, or the response it ends in."""
    try:
        return resume(value)
    except StopIteration as stop:
        response = stop.value
        assert isinstance(response, httpx2.Response)
        return response

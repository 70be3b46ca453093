"""Layers between a client and the network, written once for sync and async.

A layer is a function from a request to a generator that ends in a response. It asks the layer below
with `yield from`, and what must wait (sending, reading, slow work) it yields as an *effect*:

    def stamped(inner: Layer) -> Layer:
        def layer(request):
            request.headers["x-stamp"] = "1"
            response = yield from inner(request)     # exceptions from below arrive here too
            return response
        return layer

`LayerTransport` performs the effects, blocking or awaiting: the only two places where sync and async
differ are its two `handle` methods. Bodies pass through unread; `observe` looks on while a reader reads one:
chunks reach the reader as they arrive, and the end is reported once, whether the body was exhausted, broke
off, or was closed early (clients stop at `[DONE]`, before the connection ends). The idea is httpx's own
`Auth.auth_flow` (https://www.python-httpx.org/advanced/authentication/).
"""

from __future__ import annotations

import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from types import TracebackType
from typing import Any, Literal

import anyio.to_thread
import httpx2

from aicourse.errors import Interrupted
from aicourse.llm.formats import EVENT_STREAM, Tokens, is_whole, tokens


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
Exchange = Generator[Effect, Any, httpx2.Response]
Layer = Callable[[httpx2.Request], Exchange]


@dataclass(frozen=True)
class Origin:
    """The source of a response.

    `seconds` and `first_token_seconds` are set when it was recorded; `injected` when a fault changed it;
    `notes` say what was translated on the way to the model.
    """

    source: Literal["recorded", "live"] = "live"
    started: float = field(default_factory=perf_counter)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float | None = None
    first_token_seconds: float | None = None
    injected: bool = False
    notes: tuple[str, ...] = ()


def origin_of(response: httpx2.Response) -> Origin:
    """The origin that `Send`, a recording or a fault attached to `response`."""
    origin = response.extensions["aicourse"]
    assert isinstance(origin, Origin)
    return origin


def network(request: httpx2.Request) -> Exchange:
    """The lowest layer: send the request as it is."""
    response = yield Send(request)
    assert isinstance(response, httpx2.Response)
    return response


@dataclass(frozen=True)
class _OneLineHook:
    """An exception hook that prints `Interrupted` as one line, and leaves the rest to the hook before it."""

    before: Callable[[type[BaseException], BaseException, TracebackType | None], Any]

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, Interrupted):
            print(*error._render_traceback_(), file=sys.stderr)
        else:
            self.before(kind, error, trace)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """An interrupt of what is inside, without the libraries' frames: `Interrupted`, in scripts too."""
    try:
        yield
    except KeyboardInterrupt:
        if not isinstance(sys.excepthook, _OneLineHook):
            sys.excepthook = _OneLineHook(sys.excepthook)
        words = "you stopped a live call, and the model with it. Run it again to ask once more."
        raise Interrupted(words) from None


class LayerTransport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
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
        exchange = self._layer(request)
        step = _first(exchange)
        while not isinstance(step, httpx2.Response):
            try:
                result = self._perform(step)
            except BaseException as error:
                step = _next(exchange.throw, error)
            else:
                step = _next(exchange.send, result)
        return step

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Run the layer, awaiting each effect."""
        await request.aread()
        exchange = self._layer(request)
        step = _first(exchange)
        while not isinstance(step, httpx2.Response):
            try:
                result = await self._perform_async(step)
            except BaseException as error:
                step = _next(exchange.throw, error)
            else:
                step = _next(exchange.send, result)
        return step

    @told_in_one_line()
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


def _first(exchange: Exchange) -> Effect | httpx2.Response:
    return _next(exchange.send, None)


def _next(resume: Callable[[Any], Effect], value: Any) -> Effect | httpx2.Response:
    """Go on with a exchange: its next effect, or the response it ends in."""
    try:
        return resume(value)
    except StopIteration as stop:
        response = stop.value
        assert isinstance(response, httpx2.Response)
        return response


class Transcript:
    """A response as it passed by: its bytes and their times, complete once its body has been read.

    `error` is set when the body broke off; `whole` stays False when the reader stopped before the end.
    """

    def __init__(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.origin = origin_of(response)
        self.chunks: list[tuple[float, bytes]] = []
        self.seconds = self.origin.seconds or 0.0
        self.error: BaseException | None = None
        self._exhausted = False

    @property
    def content_type(self) -> str:
        """As in the header, or empty."""
        return str(self.headers.get("content-type", ""))

    @property
    def streamed(self) -> bool:
        """True for a reply that comes in events."""
        return self.content_type.startswith(EVENT_STREAM)

    @property
    def content(self) -> bytes:
        """The body so far."""
        return b"".join(chunk for _, chunk in self.chunks)

    @property
    def text(self) -> str:
        """The body so far; bytes that are not UTF-8 are replaced."""
        return self.content.decode("utf-8", "replace")

    @property
    def whole(self) -> bool:
        """True if nothing is missing: the body is exhausted, or its last event has come."""
        return self._exhausted or is_whole(self.text, self.content_type)

    @property
    def tokens(self) -> Tokens:
        """The tokens that the reply says it used."""
        return tokens(self.text, self.content_type)

    @property
    def first_token_seconds(self) -> float | None:
        """Seconds until the first chunk of a stream; None for a reply in one piece."""
        if self.origin.seconds is not None:
            return self.origin.first_token_seconds
        return self.chunks[0][0] if self.streamed and self.chunks else None

    def hear(self, chunk: bytes) -> bool:
        """Note a chunk and the time since the request was sent; True if it holds a stream's last event."""
        self.chunks.append((perf_counter() - self.origin.started, chunk))
        self._keep_time()
        return is_whole(chunk.decode("utf-8", "replace"), self.content_type)

    def end(self, error: BaseException | None, *, exhausted: bool) -> None:
        """Note how it ended."""
        self.error, self._exhausted = error, exhausted
        self._keep_time()

    def _keep_time(self) -> None:
        if self.origin.seconds is None:
            self.seconds = perf_counter() - self.origin.started


Listener = Callable[[Transcript], None]
Stream = httpx2.SyncByteStream | httpx2.AsyncByteStream


def observe(
    response: httpx2.Response, on_end: Listener, transcript: Transcript | None = None
) -> httpx2.Response:
    """A response with the same, decoded body; `on_end` is called once, when reading it ends.

    The body ends with the last event of a stream, although the connection may stay open.
    """
    stream = _ObservedStream(response, on_end, transcript or Transcript(response))
    return decoded(response, stream, response.headers)


def decoded(response: httpx2.Response, body: Stream, headers: Mapping[str, str]) -> httpx2.Response:
    """The response with another body, made from `iter_bytes`, and these headers."""
    kept = httpx2.Headers(headers)
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        kept.pop(name, None)  # of the bytes on the wire, which `iter_bytes` has decoded
    return httpx2.Response(response.status_code, headers=kept, stream=body, extensions=response.extensions)


class _ObservedStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, response: httpx2.Response, on_end: Listener, transcript: Transcript) -> None:
        self._response = response
        self._on_end: Listener | None = on_end
        self._transcript = transcript

    def __iter__(self) -> Iterator[bytes]:
        with self._reading():
            for chunk in self._response.iter_bytes():
                last = self._transcript.hear(chunk)
                yield chunk
                if last:
                    break

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._reading():
            async for chunk in self._response.aiter_bytes():
                last = self._transcript.hear(chunk)
                yield chunk
                if last:
                    break

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            with told_in_one_line():
                yield
        except BaseException as error:
            self._finish(error)
            raise
        self._finish(None, exhausted=True)

    def close(self) -> None:
        self._finish(None)
        self._response.close()

    async def aclose(self) -> None:
        self._finish(None)
        await self._response.aclose()

    def _finish(self, error: BaseException | None, *, exhausted: bool = False) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            stopped_by_reader = isinstance(error, GeneratorExit)
            self._transcript.end(None if stopped_by_reader else error, exhausted=exhausted)
            on_end(self._transcript)

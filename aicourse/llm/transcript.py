"""Looking on while a response body passes by: what it said, when, and how it ended.

Chunks reach the reader as they arrive; nothing is held back. The end is reported once, whether the
body was exhausted, broke off, or was closed early (clients stop at `[DONE]`, before the connection ends).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from time import perf_counter

import httpx2

from aicourse.llm.formats import EVENT_STREAM, Tokens, is_whole, tokens
from aicourse.llm.transport import origin_of


class Transcript:
    """What a response said and when, complete once its body has been read.

    `error` is set when the body broke off; `whole` is False when the reader stopped before the end.
    """

    def __init__(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.origin = origin_of(response)
        self.chunks: list[tuple[float, bytes]] = []
        self.seconds = self.origin.seconds or 0.0
        self.error: BaseException | None = None
        self.whole = False

    @property
    def content_type(self) -> str:
        """As in the header, or empty."""
        return str(self.headers.get("content-type", ""))

    @property
    def text(self) -> str:
        """The body so far; bytes that are not UTF-8 are replaced."""
        return b"".join(chunk for _, chunk in self.chunks).decode("utf-8", "replace")

    @property
    def tokens(self) -> Tokens:
        """What the reply says it used."""
        return tokens(self.text, self.content_type)

    @property
    def first_token_seconds(self) -> float | None:
        """When the first chunk of a stream came; None for a reply in one piece."""
        if self.origin.seconds is not None:
            return self.origin.first_token_seconds
        streamed = self.content_type.startswith(EVENT_STREAM)
        return self.chunks[0][0] if streamed and self.chunks else None

    def hear(self, chunk: bytes) -> None:
        """Note a chunk and the time since the request was sent."""
        self.chunks.append((perf_counter() - self.origin.started, chunk))

    def end(self, error: BaseException | None, *, exhausted: bool) -> None:
        """Note how it ended."""
        self.error = error
        self.whole = exhausted or is_whole(self.text, self.content_type)
        if self.origin.seconds is None:
            self.seconds = perf_counter() - self.origin.started


Listener = Callable[[Transcript], None]


def observe(response: httpx2.Response, on_end: Listener) -> httpx2.Response:
    """A response with the same, decoded body; `on_end` is called once, when reading it ends."""
    headers = httpx2.Headers(response.headers)
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        headers.pop(name, None)  # of the bytes on the wire, which `iter_bytes` has decoded
    stream = _ObservedStream(response, on_end)
    return httpx2.Response(
        response.status_code, headers=headers, stream=stream, extensions=response.extensions
    )


class _ObservedStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, response: httpx2.Response, on_end: Listener) -> None:
        self._response = response
        self._on_end: Listener | None = on_end
        self._transcript = Transcript(response)

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._response.iter_bytes():
                self._transcript.hear(chunk)
                yield chunk
        except BaseException as error:
            self._finish(error)
            raise
        self._finish(None, exhausted=True)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.aiter_bytes():
                self._transcript.hear(chunk)
                yield chunk
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

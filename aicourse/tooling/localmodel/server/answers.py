"""Answers of a blocking model to async routes: whole completions, or chunks as server-sent events.

llama.cpp blocks, so it runs in a thread that holds a place in the line until it is done. It always streams,
so that a client that goes away stops it at its next chunk, also when the client waits for the whole answer;
one that leaves while it waits in the line is not answered at all.

Format of events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from aicourse.tooling.localmodel.server.backend import Chat
from aicourse.tooling.localmodel.server.guard import WaitingLine
from aicourse.tooling.localmodel.server.http_errors import CLIENT_LEFT, HttpError, defect

Chunks = AsyncIterator[dict[str, Any]]
NamedEvents = AsyncIterator[tuple[str, dict[str, Any]]]
_END = object()
_log = logging.getLogger("uvicorn.error")


class Stream:
    """The chunks of one answer, written by a task of its own from the moment this is made."""

    def __init__(
        self, chat: Chat, line: WaitingLine, model: str, asked: dict[str, Any], client: Receive
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._stopped = threading.Event()
        self._model = model
        self._writer = asyncio.create_task(self._write(chat, line, asked))
        self._watcher = asyncio.create_task(self._watch(client))

    def stop(self) -> None:
        """Let the model stop at its next chunk; what has been written can still be read."""
        self._stopped.set()
        self._watcher.cancel()

    async def first(self) -> dict[str, Any]:
        """The first chunk.

        Raises:
            HttpError: the line is full, the client has left, or the backend cannot answer.
        """
        async for chunk in self:
            return chunk
        raise _no_answer()

    async def whole(self) -> dict[str, Any]:
        """All chunks as one completion.

        Raises:
            HttpError: as `first`; the client has left before the end.
        """
        chunks = [await self.first()]
        chunks += [chunk async for chunk in self]
        if self._left:
            raise _client_left()
        return joined(chunks)

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        while (item := await self._queue.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            yield item

    @property
    def _left(self) -> bool:
        return self._watcher.done() and not self._watcher.cancelled()

    async def _watch(self, client: Receive) -> None:
        """Wait until the client leaves; its request has been read, so that nothing else comes from it."""
        while (await client())["type"] != "http.disconnect":
            pass
        self._stopped.set()

    async def _write(self, chat: Chat, line: WaitingLine, asked: dict[str, Any]) -> None:
        try:
            async with line.place():
                if self._stopped.is_set():
                    raise _client_left()
                await asyncio.to_thread(chat, self._model, asked, self._emit)
        except asyncio.CancelledError:
            self._queue.put_nowait(HttpError(503, "The server is stopping.", code="server_stopping"))
        except BaseException as error:  # raised again where the chunks are read
            self._queue.put_nowait(error)
        finally:
            self._stopped.set()  # cancelled, this task leaves its thread behind
            self._watcher.cancel()
            self._queue.put_nowait(_END)

    def _emit(self, payload: dict[str, Any]) -> bool:
        self._loop.call_soon_threadsafe(self._queue.put_nowait, payload | {"model": self._model})
        return self._stopped.is_set()


def joined(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """The completion that the chunks of a stream make together, of a chat or of a text that goes on."""
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    deltas = [choice.get("delta", choice) for choice in choices]
    choice: dict[str, Any] = {
        "index": 0,
        "finish_reason": next((one["finish_reason"] for one in choices if one.get("finish_reason")), None),
    }
    tokens = [token for one in choices for token in (one.get("logprobs") or {}).get("content") or []]
    if tokens:
        choice["logprobs"] = {"content": tokens}
    kind = chunks[0].get("object", "").removesuffix(".chunk")
    if any("delta" in one for one in choices):
        said = "".join(delta.get("content") or "" for delta in deltas)
        choice["message"] = {"role": "assistant", "content": said}
    else:
        choice["text"] = "".join(delta.get("text") or "" for delta in deltas)
    counted = {
        name: value for chunk in chunks for name, value in chunk.items() if name in ("usage", "timings")
    }
    return chunks[0] | counted | {"object": kind, "choices": [choice]}


class EventStream(StreamingResponse):
    """Events that stop the model when the response ends, however it ends."""

    def __init__(
        self, stream: Stream, events: AsyncIterator[str], path: str, headers: dict[str, str]
    ) -> None:
        headers = {"cache-control": "no-cache"} | headers
        super().__init__(_with_error(events, path), media_type="text/event-stream", headers=headers)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until they end or the client leaves."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.stop()


async def chat_events(chunks: Chunks, *, wants_usage: bool) -> AsyncIterator[str]:
    """Chunks as they are; the one that only counts tokens is sent to those who asked for it."""
    async for chunk in chunks:
        if chunk["choices"] or wants_usage:
            yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"


async def named_events(events: NamedEvents, *, numbered: bool = False) -> AsyncIterator[str]:
    """Events with a name, which is repeated in the data as its type."""
    number = 0
    async for name, payload in events:
        sequence = {"sequence_number": number} if numbered else {}
        yield f"event: {name}\ndata: {json.dumps({'type': name} | sequence | payload)}\n\n"
        number += 1


def _client_left() -> HttpError:
    return HttpError(CLIENT_LEFT, "The client left before it had its answer.")


def _no_answer() -> HttpError:
    return HttpError(500, "The model gave no answer. Ask again; if it stays, look with: aicourse doctor")


async def _with_error(events: AsyncIterator[str], path: str) -> AsyncIterator[str]:
    """The events; what goes wrong after the first becomes an event too, because the status has been sent."""
    try:
        async for event in events:
            yield event
    except HttpError as error:
        yield error.event(path)
    except Exception as error:
        _log.exception("An answer broke off")
        yield defect(error).event(path)

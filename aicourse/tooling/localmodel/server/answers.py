"""Run a request on the backend from async code: a whole completion, or its chunks as they come.

llama.cpp blocks, so it runs in a thread that holds a place in the line until it is done. A client that goes
away stops a streamed answer at its next chunk; an answer that is not streamed ends at its token limit, unless
its client left while it was waiting.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aicourse.tooling.localmodel.server.backend import Chat
from aicourse.tooling.localmodel.server.guard import WaitingLine
from aicourse.tooling.localmodel.server.http_errors import CLIENT_LEFT, HttpError

HasLeft = Callable[[], Awaitable[bool]]
_END = object()


async def complete(
    chat: Chat, line: WaitingLine, model: str, request: dict[str, Any], has_left: HasLeft
) -> dict[str, Any]:
    """The completion of a request that does not stream, under the name of `model`.

    Raises:
        HttpError: the line is full, the client has left, or the backend cannot answer.
    """
    answers: list[dict[str, Any]] = []

    def emit(payload: dict[str, Any]) -> bool:
        answers.append(payload)
        return False

    async with line.place():
        await _refuse_if(has_left)
        await asyncio.to_thread(chat, model, request, emit)
    if not answers:
        raise _no_answer()
    return answers[0] | {"model": model}


class Stream:
    """The chunks of one answer, written by a task of its own from the moment this is made."""

    def __init__(
        self, chat: Chat, line: WaitingLine, model: str, request: dict[str, Any], has_left: HasLeft
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._stopped = threading.Event()
        self._model = model
        self._writer = asyncio.create_task(self._write(chat, line, request, has_left))

    def stop(self) -> None:
        """Let the model stop at its next chunk; what has been written can still be read."""
        self._stopped.set()

    async def first(self) -> dict[str, Any]:
        """The first chunk.

        Raises:
            HttpError: as `complete`.
        """
        async for chunk in self:
            return chunk
        raise _no_answer()

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        while (item := await self._queue.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            yield item

    async def _write(self, chat: Chat, line: WaitingLine, request: dict[str, Any], has_left: HasLeft) -> None:
        try:
            async with line.place():
                await _refuse_if(has_left)
                if not self._stopped.is_set():
                    await asyncio.to_thread(chat, self._model, request, self._emit)
        except asyncio.CancelledError:
            self._queue.put_nowait(HttpError(503, "The server is stopping.", code="server_stopping"))
        except BaseException as error:  # raised again where the chunks are read
            self._queue.put_nowait(error)
        finally:
            self._stopped.set()  # cancelled, this task leaves its thread behind
            self._queue.put_nowait(_END)

    def _emit(self, payload: dict[str, Any]) -> bool:
        self._loop.call_soon_threadsafe(self._queue.put_nowait, payload | {"model": self._model})
        return self._stopped.is_set()


async def _refuse_if(has_left: HasLeft) -> None:
    if await has_left():
        raise HttpError(CLIENT_LEFT, "The client left before its turn came.")


def _no_answer() -> HttpError:
    return HttpError(500, "The model gave no answer. Ask again; if it stays, look with: aicourse doctor")

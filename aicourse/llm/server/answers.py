"""Run a request on the backend from async code: a whole completion, or its chunks as they come.

llama.cpp blocks, so it runs in a thread. A client that goes away stops a streamed answer at its next chunk; an answer that
is not streamed ends at its token limit.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

from aicourse.llm.server.backend import Backend

_END = object()


async def complete(backend: Backend, model: str, request: dict[str, Any]) -> dict[str, Any]:
    """The completion of a request that does not stream, under the name of `model`."""
    answers: list[dict[str, Any]] = []

    def emit(payload: dict[str, Any]) -> bool:
        answers.append(payload)
        return False

    await asyncio.to_thread(backend.chat, model, request, emit)
    return answers[0] | {"model": model}


async def chunks(backend: Backend, model: str, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """The chunks of a request that streams; closing the iterator stops the model."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Any] = asyncio.Queue()
    stopped = threading.Event()

    def emit(payload: dict[str, Any]) -> bool:
        loop.call_soon_threadsafe(queue.put_nowait, payload | {"model": model})
        return stopped.is_set()

    def run() -> None:
        try:
            backend.chat(model, request, emit)
        except Exception as error:  # raised again where the chunks are read
            loop.call_soon_threadsafe(queue.put_nowait, error)
        finally:
            loop.call_soon_threadsafe(queue.put_nowait, _END)

    worker = loop.run_in_executor(None, run)
    try:
        while (item := await queue.get()) is not _END:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stopped.set()
        await asyncio.shield(worker)

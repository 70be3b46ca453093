"""Server-sent events: the chunks of an answer, in the dialect of the route, as an HTTP response.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from aicourse.tooling.localmodel.server.answers import Stream
from aicourse.tooling.localmodel.server.http_errors import HttpError, defect

Chunks = AsyncIterator[dict[str, Any]]
NamedEvents = AsyncIterator[tuple[str, dict[str, Any]]]
_log = logging.getLogger("uvicorn.error")


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

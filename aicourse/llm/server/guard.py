"""Who may ask, how much, and how many at once: ASGI middleware in front of the routes, and the queue behind them.

The server listens on loopback only; a web page in the user's browser can still send requests there. So each request needs
the token from the state file (mode 0600), and a Host header that names this machine, which a page using DNS rebinding cannot forge.
There are no CORS headers.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aicourse.llm.server.problems import Problem

LOCAL_NAMES = {"127.0.0.1", "localhost", "[::1]"}
OPEN_PATHS = {"/health"}
MAX_BODY = 10 * 1024 * 1024  # bytes
RETRY_AFTER = 2  # seconds


class Guard:
    """Refuses foreign hosts, wrong tokens and large bodies before a route sees them."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"]
        try:
            self._check(headers, path)
            await self._app(scope, _limited(receive), send)
        except Problem as problem:
            await problem.response(path)(scope, receive, send)

    def _check(self, headers: Headers, path: str) -> None:
        host = headers.get("host", "")
        name = host if host.endswith("]") else host.rsplit(":", 1)[0]
        if name.lower() not in LOCAL_NAMES:
            raise Problem(403, "This server answers only to names of this computer, such as 127.0.0.1.")
        if path in OPEN_PATHS:
            return
        given = headers.get("authorization", "").removeprefix("Bearer ") or headers.get("x-api-key", "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise Problem(
                401, "Wrong or missing key for the embedded model's server.", code="invalid_api_key"
            )
        if (
            headers.get("content-length", "0").isdigit()
            and int(headers.get("content-length", "0")) > MAX_BODY
        ):
            raise _too_large()


def _too_large() -> Problem:
    return Problem(
        413, f"The request is larger than {MAX_BODY // 1024 // 1024} MB.", code="request_too_large"
    )


def _limited(receive: Receive) -> Receive:
    """`receive`, counting: a body may come in chunks without stating its length."""
    received = 0

    async def counting() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY:
            raise _too_large()
        return message

    return counting


class Line:
    """A bounded queue: so many are served at once, so many may wait, the next one is told to come back."""

    def __init__(self, served: int, waiting: int) -> None:
        self._places = asyncio.Semaphore(served)
        self._limit = served + waiting
        self.inside = 0
        self.last_left = time.monotonic()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place and hold it.

        Raises:
            Problem: 503, too many are waiting already.
        """
        if self.inside >= self._limit:
            message = f"Busy: {self.inside} requests are waiting or being answered. Try again in a moment."
            raise Problem(503, message, code="server_busy", retry_after=RETRY_AFTER)
        self.inside += 1
        try:
            async with self._places:
                yield
        finally:
            self.inside -= 1
            self.last_left = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """How long nobody has been served; 0 while somebody is."""
        return 0.0 if self.inside else time.monotonic() - self.last_left

"""Limits on who asks, how much and how many at once: middleware before the routes, a queue behind them.

The server listens on loopback only; a web page in the user's browser can still send requests there. So each
request needs the token from the state file (mode 0600), and a Host header that names this machine, which a
page using DNS rebinding cannot forge. There are no CORS headers. A body must arrive in time, but who opens a
connection and sends no request at all is not thrown out: that costs a socket and no place.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aicourse.tooling.localmodel.server.http_errors import HttpError

LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
OPEN_PATHS = {"/health"}
MAX_BODY = 10 * 1024 * 1024  # bytes
BODY_SECONDS = 30.0
RETRY_AFTER = 2  # seconds


class Guard:
    """Refuses foreign hosts, wrong tokens, large and endless bodies before a route sees them."""

    def __init__(self, app: ASGIApp, token: str, body_seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._token = token
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            path = scope["path"]
            try:
                self._check(Headers(scope=scope), path)
            except HttpError as error:
                await error.response(path)(scope, receive, send)
            else:
                await self._app(scope, _limited(receive, self._body_seconds), send)

    def _check(self, headers: Headers, path: str) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not LOCAL_HOST.fullmatch(hosts[0]):
            raise HttpError(403, "This server answers only to names of this computer, such as 127.0.0.1.")
        if path in OPEN_PATHS:
            return
        if not hmac.compare_digest(_given_token(headers).encode(), self._token.encode()):
            raise HttpError(
                401, "Wrong or missing key for the embedded model's server.", code="invalid_api_key"
            )
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > MAX_BODY:
            raise _too_large()


def _given_token(headers: Headers) -> str:
    """The key as OpenAI's clients send it, else as Anthropic's do."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _too_large() -> HttpError:
    megabytes = MAX_BODY // 1024 // 1024
    return HttpError(413, f"The request is larger than {megabytes} MB.", code="request_too_large")


def _limited(receive: Receive, seconds: float) -> Receive:
    """`receive` with limits: a body may come in chunks without stating its length, or never end."""
    received, deadline, complete = 0, time.monotonic() + seconds, False

    async def limited() -> Message:
        nonlocal received, complete
        if complete:  # what is awaited now is the client's leaving
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), deadline - time.monotonic())
        except TimeoutError:
            raise HttpError(408, f"The body did not arrive within {seconds:g} seconds.") from None
        received += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if received > MAX_BODY:
            raise _too_large()
        return message

    return limited


class WaitingLine:
    """A bounded queue: so many are served at once, so many may wait, the next one is told to come back."""

    def __init__(self, served: int, waiting: int) -> None:
        self._places = asyncio.Semaphore(served)
        self._limit = served + waiting
        self.inside = 0
        self._last_left = time.monotonic()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place and hold it.

        Raises:
            HttpError: 503, too many are waiting already.
        """
        if self.inside >= self._limit:
            message = f"Busy: {self.inside} requests are waiting or being answered. Try again in a moment."
            raise HttpError(503, message, code="server_busy", retry_after=RETRY_AFTER)
        self.inside += 1
        try:
            async with self._places:
                yield
        finally:
            self.inside -= 1
            self._last_left = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds since somebody was served; 0 while somebody is."""
        return 0.0 if self.inside else time.monotonic() - self._last_left

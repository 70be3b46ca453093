"""Protection of every request and answer: hosts, foreign forms, and what a page may do.

| against                      | rule                                                                    |
|------------------------------|-------------------------------------------------------------------------|
| DNS rebinding                | `Host` is a name of this computer (Starlette's own middleware)          |
| forms of other sites (CSRF)  | unsafe methods come from our own pages: `Sec-Fetch-Site`, else `Origin` |
| markup that slipped through  | Content-Security-Policy: no script and no style but our two files       |
| huge uploads                 | `max_body_size` of the app                                              |

A request with neither header comes from a program, not from a browser, and passes
(https://words.filippo.io/csrf/, as Go's `http.CrossOriginProtection` has it). Safe methods change nothing.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
SAFE = {"GET", "HEAD", "OPTIONS"}
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Protection:
    """Refuses what another site sends, and puts the protecting headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if scope["method"] in SAFE or is_own(Headers(scope=scope), scope["scheme"]):
            # the limit of the app answers a length in plain text; what it counts itself gets our page
            headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
            await self._app({**scope, "headers": headers}, receive, send_protected)
        else:
            refusal = PlainTextResponse("This form was sent from another site, so nothing was changed.", 403)
            await refusal(scope, receive, send_protected)


def is_own(headers: Headers, scheme: str) -> bool:
    """True if a request was sent by one of our pages, or by a program."""
    if site := headers.get("sec-fetch-site"):
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or origin == f"{scheme}://{headers.get('host')}"

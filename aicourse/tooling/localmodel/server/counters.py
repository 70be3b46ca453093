"""Counters of the server, in the Prometheus text format.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aicourse.tooling.localmodel.server.http_errors import CLIENT_LEFT


@dataclass
class Counters:
    """Totals since the server started; changed only on the event loop."""

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    tokens: Counter[str] = field(default_factory=Counter)

    def add_tokens(self, usage: dict[str, Any] | None) -> None:
        """Count what one answer reports."""
        for kind in ("prompt", "completion"):
            self.tokens[kind] += (usage or {}).get(f"{kind}_tokens", 0)

    def render(self, inside: int) -> str:
        """All totals, and the requests being served or waiting now."""
        lines = ["# TYPE aicourse_requests_total counter"]
        lines += [
            f'aicourse_requests_total{{path="{path}",status="{status}"}} {count}'
            for (path, status), count in sorted(self.requests.items())
        ]
        lines.append("# TYPE aicourse_request_seconds_total counter")
        lines += [
            f'aicourse_request_seconds_total{{path="{path}"}} {total:.6f}'
            for path, total in sorted(self.seconds.items())
        ]
        lines.append("# TYPE aicourse_tokens_total counter")
        lines += [
            f'aicourse_tokens_total{{kind="{kind}"}} {count}' for kind, count in sorted(self.tokens.items())
        ]
        lines += ["# TYPE aicourse_requests_inside gauge", f"aicourse_requests_inside {inside}"]
        return "\n".join(lines) + "\n"


class Counted:
    """ASGI middleware that counts requests by route and status, and the time until their last byte."""

    def __init__(self, app: ASGIApp, counters: Counters) -> None:
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), CLIENT_LEFT

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            path = getattr(scope.get("route"), "path", "other")  # a route's pattern: their number is bounded
            self._counters.requests[path, status] += 1
            self._counters.seconds[path] += time.perf_counter() - started

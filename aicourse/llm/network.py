"""The layer that sends a request to a hosted provider, with the key that the client does not carry."""

from __future__ import annotations

from dataclasses import dataclass

import httpx2

from aicourse.llm.catalog import Provider
from aicourse.llm.keys import PLACEHOLDER, Key, find_key
from aicourse.llm.transport import Flow, network


def redirected(request: httpx2.Request, *, url: httpx2.URL, secret: str | None) -> httpx2.Request:
    """The same request to `url`, with `secret` where the client has put the placeholder."""
    headers = httpx2.Headers(request.headers)
    headers.pop("host", None)
    for name, value in headers.items():
        if secret is not None and PLACEHOLDER in value:
            headers[name] = value.replace(PLACEHOLDER, secret)
    return httpx2.Request(
        request.method, url, headers=headers, content=request.content, extensions=request.extensions
    )


@dataclass(frozen=True)
class HostedLayer:
    """Sends to the provider; a connection that fails is tried once more at once."""

    provider: Provider

    def __call__(self, request: httpx2.Request) -> Flow:
        """One request.

        Raises:
            KeyMissing: the provider needs a key and none is set.
        """
        key: Key | None = find_key(self.provider)
        outgoing = redirected(request, url=request.url, secret=key.reveal() if key else None)
        try:
            return (yield from network(outgoing))
        except httpx2.ConnectError:
            return (yield from network(outgoing))

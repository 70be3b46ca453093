"""The two lowest layers: to a hosted provider with its key, and to the embedded model.

Neither key nor address is in the client; both are put in when a request is sent. A client for the embedded
model talks to a host name that never resolves: only when a request gets this far is the model's file pulled
(with a progress bar), the server started, and its address and token put in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import httpx2

from aicourse.errors import ServerError
from aicourse.llm import catalog
from aicourse.llm.catalog import Provider
from aicourse.llm.formats import model_in
from aicourse.llm.keys import PLACEHOLDER, Key, find_key
from aicourse.llm.session import current
from aicourse.llm.transport import Exchange, Wait, network
from aicourse.tooling import localmodel


@dataclass(frozen=True)
class HostedLayer:
    """Sends to the provider; a connection that fails is tried once more at once."""

    provider: Provider

    def __call__(self, request: httpx2.Request) -> Exchange:
        """One request.

        Raises:
            KeyMissing: the provider needs a key and none is set.
        """
        key: Key | None = find_key(self.provider)
        outgoing = _redirected(request, url=request.url, secret=key.reveal() if key else None)
        try:
            return (yield from network(outgoing))
        except httpx2.ConnectError:
            return (yield from network(outgoing))


def embedded_layer(request: httpx2.Request) -> Exchange:
    """One request; a server that has just gone (idle, or killed) is started once more.

    Raises:
        CatalogError: the request names a model that is not an embedded one.
        DownloadError: the model's file could not be fetched.
        ServerError: the server did not start or answer.
    """
    name, told = model_in(request.content), "asking the embedded model"
    if name:
        model = catalog.embedded_model(name)
        told = f"{name} ({sum(file.size for file in model.files) / 1e6:,.0f} MB)"
        with current().waiting(f"fetching {told}"):
            yield Wait(partial(localmodel.pull, name))
        told = f"loading {told} and waiting for its answer"
    with current().waiting(told):
        for _ in range(2):
            address = yield Wait(localmodel.ensure_running)
            base = httpx2.URL(address.url)
            url = request.url.copy_with(scheme=base.scheme, host=base.host, port=base.port)
            try:
                return (yield from network(_redirected(request, url=url, secret=address.token)))
            except httpx2.ConnectError:
                continue
    raise ServerError(
        f"The embedded model's server at {address.url} does not answer. Look with: aicourse doctor"
    ) from None


def _redirected(request: httpx2.Request, *, url: httpx2.URL, secret: str | None) -> httpx2.Request:
    """The same request to `url`, with `secret` where the client has put the placeholder."""
    headers = httpx2.Headers(request.headers)
    headers.pop("host", None)
    for name, value in headers.items():
        if secret is not None and PLACEHOLDER in value:
            headers[name] = value.replace(PLACEHOLDER, secret)
    return httpx2.Request(
        request.method, url, headers=headers, content=request.content, extensions=request.extensions
    )

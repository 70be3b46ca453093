"""The layer that sends a request to the embedded model: fetched and started at that moment, not before.

A client for the embedded model talks to a host name that never resolves. Only when a request gets this
far is the model's file pulled (with a progress bar), the server started, and its address and token put in.
"""

from __future__ import annotations

from functools import partial

import httpx2

from aicourse.errors import CatalogError, ServerError
from aicourse.llm import catalog
from aicourse.llm.formats import model_in
from aicourse.llm.network import redirected
from aicourse.llm.session import current
from aicourse.llm.transport import Flow, Wait, network
from aicourse.tooling.localmodel import model_files, process


def embedded_model(name: str) -> catalog.Model:
    """The catalogue's entry of an embedded model.

    Raises:
        CatalogError: no such model, or it is a hosted one.
    """
    model = catalog.model(name)
    if model.provider != "embedded":
        raise CatalogError(
            f"{name} is served by {model.provider}, not on this computer. "
            f"Use connect(model={name!r}), or one of: {', '.join(embedded_names())}.",
            name=name,
        )
    return model


def embedded_names() -> list[str]:
    """The chat models that can run on this computer."""
    return [name for name, model in catalog.models().items() if model.files and model.kind == "chat"]


def embedded_layer(request: httpx2.Request) -> Flow:
    """One request; a server that has just gone (idle, or killed) is started once more.

    Raises:
        CatalogError: the request names a model that is not an embedded one.
        DownloadError: the model's file could not be fetched.
        ServerError: the server did not start or answer.
    """
    name = model_in(request.content)
    with current().waiting(f"asking {name or 'the embedded model'} on this computer"):
        for _ in range(2):
            address = yield Wait(partial(_prepare, name))
            base = httpx2.URL(address.url)
            url = request.url.copy_with(scheme=base.scheme, host=base.host, port=base.port)
            try:
                return (yield from network(redirected(request, url=url, secret=address.token)))
            except httpx2.ConnectError:
                continue
    raise ServerError(
        f"The embedded model's server at {address.url} does not answer. Look with: aicourse doctor"
    ) from None


def _prepare(name: str) -> process.ServerAddress:
    if name:
        embedded_model(name)
        model_files.pull(name)
    return process.ensure_running()

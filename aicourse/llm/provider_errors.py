"""Errors that are ours and the client library's at once.

    try:
        client.chat.completions.create(…)
    except openai.AuthenticationError as error:      # also an aicourse.errors.KeyRejected
        print(error)                                 # says which variable to set

Translated: 401 and 403, an unknown model, and no connection. Everything else (400, 429, 5xx, timeouts) is
left to the client, which retries what is worth it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import httpx2

from aicourse.errors import AicourseError, CatalogError, KeyRejected, ProviderUnreachable
from aicourse.llm import catalog
from aicourse.llm.formats import model_in
from aicourse.llm.keys import masked
from aicourse.llm.transport import Exchange, Layer, Read
from aicourse.suggestions import did_you_mean


def both(
    ours: type[AicourseError],
    theirs: type[Exception],
    text: str,
    data: dict[str, Any],
    *arguments: Any,
    **keywords: Any,
) -> AicourseError:
    """An error that is caught as either of the two; the further arguments are what `theirs` is made from."""
    error_class: Any = type(ours.__name__, (ours, theirs), {"__module__": ours.__module__})
    error = error_class.__new__(error_class)
    theirs.__init__(error, *arguments, **keywords)  # one by one: the two bases take different arguments
    error.message, error.data = text, data
    assert isinstance(error, AicourseError)
    return error


@dataclass(frozen=True)
class ErrorLayer:
    """Raises our errors in the terms of `library` (the `openai` or the `anthropic` module)."""

    inner: Layer
    provider: catalog.Provider
    library: ModuleType

    def __call__(self, request: httpx2.Request) -> Exchange:
        """One request."""
        try:
            response = yield from self.inner(request)
        except httpx2.ConnectError:
            raise self._unreachable(request) from None
        except AicourseError as error:
            # The anthropic client takes any error it does not know for a lost connection, and retries.
            base = getattr(self.library, "AnthropicError", None)
            if base is None or isinstance(error, base):
                raise
            raise both(type(error), base, error.message, error.data, error.message) from None
        if response.status_code not in (401, 403, 404):
            return response
        yield Read(response)
        response.request = request
        if response.status_code == 404 and "model" not in response.text.lower():
            return response
        raise self._refused(request, response)

    def _unreachable(self, request: httpx2.Request) -> AicourseError:
        address = f"{request.url.scheme}://{request.url.netloc.decode()}"
        text = (
            f"{self.provider.name} does not answer at {address}. Check the address and your connection, "
            'or use the model on this computer: connect("embedded").'
        )
        data = {"provider": self.provider.name, "address": address}
        theirs = self.library.APIConnectionError
        return both(ProviderUnreachable, theirs, text, data, message=text, request=request)

    def _refused(self, request: httpx2.Request, response: httpx2.Response) -> AicourseError:
        ours: type[AicourseError] = KeyRejected
        name, data = self.provider.name, {"provider": self.provider.name}
        if response.status_code == 404:
            model = model_in(request.content)
            ours, theirs = CatalogError, self.library.NotFoundError
            text, data = f"{name} has no model {model!r}. {_advice(name, model)}", {"name": model}
        elif response.status_code == 401:
            theirs = self.library.AuthenticationError
            text = f"{name} does not accept {_key_advice(self.provider)}"
        else:
            theirs = self.library.PermissionDeniedError
            text = f"{name} does not allow this call ({_said(response)}) with {_key_advice(self.provider)}"
        return both(ours, theirs, text, data, message=text, response=response, body=self._body(response))

    def _body(self, response: httpx2.Response) -> object:
        """The body in the form that the library's own errors carry."""
        try:
            body = response.json()
        except ValueError:
            return response.text
        openai_style = isinstance(body, dict) and not hasattr(self.library, "AnthropicError")
        return body.get("error", body) if openai_style else body


def _said(response: httpx2.Response) -> str:
    return f"{response.status_code}: {masked(' '.join(response.text.split()))[:200]}"


def _key_advice(provider: catalog.Provider) -> str:
    if provider.key_variable is None:
        return "the key. It needs none: restart it, then try again."
    where = f"; get one at {provider.key_url}." if provider.key_url else "."
    return f"the key in {provider.key_variable}. Set a valid one in the environment or in .env{where}"


def _advice(provider: str, model: str) -> str:
    models = catalog.models()
    if model in models and models[model].provider != provider:
        return f"It belongs to {models[model].provider}: connect(model={model!r})."
    served = [name for name, entry in models.items() if entry.provider == provider]
    return f"{did_you_mean(model, served)} List models with: aicourse model list".lstrip()

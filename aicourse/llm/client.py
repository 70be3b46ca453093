"""`connect()`: a real `openai.OpenAI` (or `anthropic.Anthropic`) client, wired for the course.

The object is the library's own; only its HTTP transport is ours (`stack.py` shows its layers). The client
carries a placeholder instead of the key (`keys.PLACEHOLDER`), which is added when a request is sent, so
nothing that a notebook can show or store contains one. Websocket APIs (`client.realtime`) do not pass
through the transport and do not work.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING

import openai

from aicourse.llm import catalog
from aicourse.llm.catalog import EMBEDDED, Provider
from aicourse.llm.faults import Fault
from aicourse.llm.keys import PLACEHOLDER, find_key, settings
from aicourse.llm.network import HostedLayer, embedded_layer
from aicourse.llm.replay import Mode, choose_mode
from aicourse.llm.session import current
from aicourse.llm.stack import MeasuredAsyncClient, MeasuredClient, Stack

if TYPE_CHECKING:
    import anthropic


def connect(
    provider: str | None = None,
    model: str | None = None,
    *,
    budget: float | Decimal | None = None,
    replay: str | None = None,
    faults: Sequence[Fault] = (),
) -> openai.OpenAI:
    """A client for `provider`, else the one that serves `model`, else the first with a key, else embedded.

    `provider` is a name from the catalogue or a base URL; `AICOURSE_PROVIDER` (environment or `.env`)
    stands in for it. `budget` is in USD; `replay` is `auto`, `only`, `record` or `off`. Each call names
    its model again:

        client = connect(model="qwen2.5-coder-0.5b")
        client.chat.completions.create(model="qwen2.5-coder-0.5b", messages=[...])

    Raises:
        CatalogError: unknown provider, or a model that the embedded provider does not have.
        KeyMissing: the provider needs a key, none is set, and there are no recordings either.
    """
    chosen = choose_provider(provider, model)
    stack = _stack(chosen, model, openai, budget=budget, replay=replay, faults=faults)
    return openai.OpenAI(base_url=chosen.base_url, api_key=PLACEHOLDER, http_client=MeasuredClient(stack))


def connect_async(
    provider: str | None = None,
    model: str | None = None,
    *,
    budget: float | Decimal | None = None,
    replay: str | None = None,
    faults: Sequence[Fault] = (),
) -> openai.AsyncOpenAI:
    """The same as `connect`, for `await`."""
    chosen = choose_provider(provider, model)
    stack = _stack(chosen, model, openai, budget=budget, replay=replay, faults=faults)
    return openai.AsyncOpenAI(
        base_url=chosen.base_url, api_key=PLACEHOLDER, http_client=MeasuredAsyncClient(stack)
    )


def connect_anthropic(
    model: str | None = None,
    *,
    budget: float | Decimal | None = None,
    replay: str | None = None,
    faults: Sequence[Fault] = (),
) -> anthropic.Anthropic:
    """A native Anthropic client: for Anthropic if `model` is theirs or their key is set, else embedded.

    Raises:
        CatalogError: a model that the embedded provider does not have.
        KeyMissing: the model is Anthropic's, no key is set, and there are no recordings either.
    """
    import anthropic  # 1 s of imports that only one lesson needs

    chosen = _choose_anthropic(model)
    stack = _stack(chosen, model, anthropic, budget=budget, replay=replay, faults=faults)
    return anthropic.Anthropic(
        base_url=chosen.base_url.rstrip("/").removesuffix("/v1"),
        api_key=PLACEHOLDER,
        http_client=MeasuredClient(stack),
    )


def choose_provider(asked: str | None, model: str | None) -> Provider:
    """The provider that `connect(asked, model)` talks to.

    Raises:
        CatalogError: unknown provider.
    """
    configured = settings()
    if name := asked or configured.get("AICOURSE_PROVIDER"):
        return _addressed(catalog.provider(name))
    if model in catalog.models():
        return _addressed(catalog.provider(catalog.model(model).provider))
    with_key = [
        provider
        for provider in catalog.providers().values()
        if provider.key_variable and configured.get(provider.key_variable)
    ]
    return _addressed(with_key[0] if with_key else catalog.provider(EMBEDDED))


def _addressed(provider: Provider) -> Provider:
    """The provider where `OPENAI_BASE_URL` and the like say it is: a company's gateway, a test's double.

    As the providers' own clients have it, Anthropic's address ends before `/v1`. `AICOURSE_EMBEDDED_URL` is
    an embedded model's server that others run, such as the one that a sandbox for homework reaches.
    """
    elsewhere = settings().get("AICOURSE_EMBEDDED_URL")
    if provider.name == EMBEDDED and elsewhere:
        return catalog.provider(elsewhere)
    variable = (provider.key_variable or "").replace("_API_KEY", "_BASE_URL")
    url = settings().get(variable, "").strip().rstrip("/") if provider.key_required else ""
    if not url:
        return provider
    version = "/v1" if provider.name == "anthropic" and not url.endswith("/v1") else ""
    return replace(provider, base_url=f"{url}{version}/")


def _choose_anthropic(model: str | None) -> Provider:
    known = catalog.models().get(model or "")
    name = known.provider if known else settings().get("AICOURSE_PROVIDER")
    anthropic = catalog.provider("anthropic")
    if name not in (EMBEDDED, "anthropic"):
        name = "anthropic" if settings().get(anthropic.key_variable or "") else EMBEDDED
    return _addressed(catalog.provider(name))


def _stack(
    provider: Provider,
    model: str | None,
    library: ModuleType,
    *,
    budget: float | Decimal | None,
    replay: str | None,
    faults: Sequence[Fault],
) -> Stack:
    mode, recordings = choose_mode(replay), current().file
    may_replay = mode is not Mode.OFF and recordings is not None and recordings.path.exists()
    if mode is not Mode.ONLY and not may_replay:
        find_key(provider)  # raises now rather than in the first call
    if model is not None:
        _check_model(provider, model)
    network = embedded_layer if provider.name == EMBEDDED else HostedLayer(provider)
    return Stack(network, provider, library, mode=mode, budget=budget, faults=faults)


def _check_model(provider: Provider, model: str) -> None:
    """Refuse a model that cannot be embedded; warn of one that retires or has no known price."""
    if provider.name == EMBEDDED:
        catalog.embedded_model(model)
    known = catalog.models().get(model)
    notice = catalog.retirement_notice(known, date.today()) if known else None
    if known is None and provider.key_required:
        notice = (
            f"The catalogue does not know {model!r}. It goes to {provider.name} as it is; what it costs is "
            "unknown. List known models with: aicourse model list"
        )
    if notice:
        warnings.warn(notice, stacklevel=4)  # the line that calls connect()

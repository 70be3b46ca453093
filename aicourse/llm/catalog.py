"""The catalogue of providers and models: prices, context, retirement dates, licences, dialects.

The data is `models.toml` beside this file, whose header says where each figure comes from and when it was
checked; models that run on this computer come from `tooling.localmodel`. This module talks to no provider,
and it does not know discounts for batches, surcharges for long prompts and for writing a cache, or what your
own contract says.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aicourse.errors import CatalogError
from aicourse.suggestions import did_you_mean
from aicourse.tooling.localmodel.local_models import DEFAULT_MODEL as DEFAULT_MODEL
from aicourse.tooling.localmodel.local_models import Kind, ModelFile, local_models

EMBEDDED = "embedded"
URL_KEY_VARIABLE = "AICOURSE_API_KEY"
_LONGEST_NAME = 24
NOTICE_DAYS = 90


@dataclass(frozen=True)
class Provider:
    """A place where models are served: a base URL, a key from the environment, and the OpenAI protocol.

    `key_variable` is the environment variable with the key, None where there is none; `key_required` tells
    whether calls fail without it. `notes` say what this provider does differently from OpenAI.
    """

    name: str
    base_url: str
    key_variable: str | None = None
    key_url: str | None = None
    default_model: str | None = None
    notes: tuple[str, ...] = ()
    key_required: bool = True


@dataclass(frozen=True)
class Model:
    """One model of one provider. Prices are US dollars per million tokens.

    `cached_input_price` is None where nobody has looked it up: cached input then counts as any other.
    `released` is None where the publisher names no day; `retires` where no end is announced. `checked` is
    when the entry was last compared with the provider's pages.
    """

    name: str
    provider: str
    context_tokens: int
    input_price: Decimal
    output_price: Decimal
    licence: str
    checked: date
    released: date | None = None
    retires: date | None = None
    successor: str | None = None
    files: tuple[ModelFile, ...] = ()
    kind: Kind = "chat"
    cached_input_price: Decimal | None = None


@dataclass(frozen=True)
class Dialect:
    """The settings of a request that a model does not take as OpenAI's API has them; see `models.toml`."""

    renames: Mapping[str, str] = field(default_factory=dict)
    sends: Mapping[str, Any] = field(default_factory=dict)
    with_it: tuple[str, ...] = ()
    only: Mapping[str, Any] = field(default_factory=dict)
    refuses: tuple[str, ...] = ()
    way_out: str = ""
    form_as_tool: bool = False

    def takes(self, name: str, value: Any) -> bool:
        """True if the model does what `value` asks for, unless told to reason."""
        return name not in self.refuses and self.only.get(name, value) == value


def providers() -> dict[str, Provider]:
    """All providers by name."""
    return {name: _provider(name, entry) for name, entry in _read()["providers"].items()}


@functools.cache
def models() -> dict[str, Model]:
    """All models by name, those of this computer first."""
    free: dict[str, Any] = {"provider": EMBEDDED, "input_price": Decimal(0), "output_price": Decimal(0)}
    local = {name: Model(**free, **vars(model)) for name, model in local_models().items()}
    return local | {name: _model(name, entry) for name, entry in _read()["models"].items()}


def provider(name: str) -> Provider:
    """The provider called `name`, or the one behind a base URL.

    >>> provider("ollama").base_url
    'http://localhost:11434/v1'
    >>> provider("http://127.0.0.1:8000/v1").key_required
    False

    Raises:
        CatalogError: no such provider and not a base URL.
    """
    known = providers()
    if "/" in name or ":" in name:
        return _provider_at(name, known.values())
    if name.lower() not in known:
        shown = name if len(name) <= _LONGEST_NAME else f"{name[:3]}…"  # so long is a key in the wrong place
        raise CatalogError(
            f"No provider {shown!r} in the catalogue.{did_you_mean(name, known)} "
            f"Known: {', '.join(sorted(known))}, or any base URL such as http://localhost:8000/v1.",
            name=shown,
        )
    return known[name.lower()]


def model(name: str) -> Model:
    """The model called `name`.

    >>> model("qwen2.5-coder-0.5b").context_tokens
    32768

    Raises:
        CatalogError: no such model; the message names the closest ones.
    """
    known = models()
    if name not in known:
        raise CatalogError(
            f"No model {name!r} in the catalogue.{did_you_mean(name, known)} "
            "List them with: aicourse model list",
            name=name,
        )
    return known[name]


def dialect(provider: str, model: str, endpoint: str = "chat/completions") -> Dialect:
    """The dialect of a model, known or not, that `provider` serves at `endpoint`."""
    known = _read()["dialects"]
    own = known.get(model) if provider in known else None
    entry: dict[str, Any] = (known.get(provider, {}) if own is None else own).get(endpoint, {})
    lists = {name: tuple(entry.get(name, ())) for name in ("with_it", "refuses")}
    return Dialect(**{**entry, **lists})


def takes(model: str, **settings: Any) -> bool:
    """True if chat completions with `model` honour all of `settings`.

    >>> takes("gpt-6-luna", temperature=0, seed=7), takes("claude-haiku-5-5", temperature=0)
    (True, False)
    """
    known = models().get(model)
    spoken = dialect(known.provider if known else "", model)
    return all(spoken.takes(name, value) for name, value in settings.items())


def default_temperature(model: str) -> float | None:
    """The temperature of a request that names none; None where the publisher does not promise one."""
    known = models().get(model)
    return 0 if known and known.provider == EMBEDDED else None


def embedded_model(name: str) -> Model:
    """The model called `name`, if it runs on this computer.

    Raises:
        CatalogError: no such model, or it is a hosted one.
    """
    found = model(name)
    if found.provider != EMBEDDED:
        chat = ", ".join(other.name for other in models().values() if other.files and other.kind == "chat")
        raise CatalogError(
            f"{name} is served by {found.provider}, not on this computer. "
            f"Use connect(model={name!r}), or one of: {chat}.",
            name=name,
        )
    return found


def retirement_notice(model: Model, today: date) -> str | None:
    """A sentence when `model` is retired or will be within 90 days, else None.

    >>> retirement_notice(model("gpt-4o-mini"), date(2026, 11, 23))
    'gpt-4o-mini retires on 2027-01-14, in 52 days. Use gpt-6-luna instead.'
    """
    if model.retires is None:
        return None
    days = (model.retires - today).days
    if days > NOTICE_DAYS:
        return None
    advice = f"Use {model.successor} instead." if model.successor else "Choose another: aicourse model list"
    if days <= 0:
        return f"{model.name} was retired on {model.retires}. {advice}"
    return f"{model.name} retires on {model.retires}, in {days} day{'s' if days > 1 else ''}. {advice}"


def cost(model: Model, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> Decimal:
    """The cost of a call in US dollars at list price, exactly; `cached_tokens` are a part of the prompt's.

    >>> cost(model("gpt-4o-mini"), 2_000, 500)
    Decimal('0.0006')
    >>> cost(model("gpt-6-luna"), 2_000, 500, cached_tokens=1_000)
    Decimal('0.00036')
    """
    cached_price = model.input_price if model.cached_input_price is None else model.cached_input_price
    millionths = (
        (prompt_tokens - cached_tokens) * model.input_price
        + cached_tokens * cached_price
        + completion_tokens * model.output_price
    )
    return millionths / 1_000_000


@functools.cache
def _read() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("models.toml").read_text(encoding="utf-8"))


def _provider(name: str, entry: dict[str, Any]) -> Provider:
    return Provider(
        name=name,
        notes=tuple(entry.get("notes", ())),
        key_required="key_variable" in entry,
        **{key: value for key, value in entry.items() if key != "notes"},
    )


def _provider_at(url: str, known: Iterable[Provider]) -> Provider:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise CatalogError(
            f"The base URL of {parts.hostname} holds a user name or password, which everything would show. "
            f"Take it out, and set {URL_KEY_VARIABLE}."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CatalogError(
            f"{url!r} is not a base URL. Write it in full, for example http://localhost:8000/v1.", name=url
        )
    for candidate in known:
        if candidate.base_url.rstrip("/") == url.rstrip("/"):
            return candidate
    return Provider(name=url, base_url=url, key_variable=URL_KEY_VARIABLE, key_required=False)


def _model(name: str, entry: dict[str, Any]) -> Model:
    prices = {key: Decimal(price) for key, price in entry.items() if key.endswith("_price")}
    return Model(name=name, **{**entry, **prices})

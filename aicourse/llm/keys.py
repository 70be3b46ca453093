"""Settings and provider keys: where they are found, which are misspelt, and how keys stay unseen.

A setting comes from the environment or from a `.env` file in the working folder or above it; the environment
wins. Quotes and blanks around a value are not part of it. Nothing here prints, logs or stores a key, and
`masked` takes keys out of what others show or store: each configured key *by value*, also in the forms that
JSON, URLs and base64 give it, and as a second net whatever has the shape of a well-known provider's key. A
value under `SHORTEST_KEY` characters is not looked for, because it may well be an ordinary word.
"""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from dotenv import find_dotenv
from dotenv.parser import Binding, parse_stream

from aicourse.errors import KeyMissing, ProviderError
from aicourse.llm import catalog
from aicourse.llm.catalog import Provider
from aicourse.suggestions import close_matches

# The clients carry this instead of a key; the network layer swaps it for the real one, so that no
# request object, exception or notebook output ever holds a key.
PLACEHOLDER = "added-when-sent"
MASK = "****"
SHORTEST_KEY = 8

_AROUND = " \t\r\n\xa0\u200b\ufeff\"'`“”„‘’"  # what copying leaves around a value
_NOT_IN_ENV_FILE = tuple(
    f"AICOURSE_{name}" for name in ("CACHE", "STATE", "HOME", "RECORDINGS", "DEBUG", "JOURNAL", "UNATTENDED")
)
_OWN = (
    "AICOURSE_PROVIDER",
    "AICOURSE_REPLAY",
    "AICOURSE_EMBEDDED_URL",
    catalog.URL_KEY_VARIABLE,
    *_NOT_IN_ENV_FILE,
)
_SECRET_NAME = re.compile(r"(?i)(KEY|TOKEN|SECRET|PASSWORD)$")
_SHORTEST_FOREIGN_KEY = 16  # of variables that the course does not know, such as GITHUB_TOKEN
_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic, OpenRouter
    r"|gsk_[A-Za-z0-9]{20,}"  # Groq
    r"|AIza[A-Za-z0-9_-]{30,}"  # Google
    r"|Bearer\s+[A-Za-z0-9._-]{16,}"
    r")"
)


class Key:
    """A key that does not show itself: `str` and `repr` mask it, `reveal` is called where it is sent."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Key({MASK})"


def settings() -> Mapping[str, str]:
    """The environment, completed by the nearest `.env` file; without what copying leaves around a value."""
    stored = {line.key: line.value for line in _env_file() if line.key and line.value}
    return {name: value.strip(_AROUND) for name, value in {**stored, **os.environ}.items()}


def _env_file() -> list[Binding]:
    """The lines of the nearest `.env` file, also of one that PowerShell or Notepad wrote in UTF-16."""
    found = find_dotenv(usecwd=True)
    content = Path(found).read_bytes() if found else b""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return list(parse_stream(io.StringIO(content.decode(encoding, "replace"))))


def find_key(provider: Provider) -> Key | None:
    """The provider's key; None when it needs none and none is set.

    Raises:
        KeyMissing: the provider needs a key and none is set.
        ProviderError: what is set cannot be a key.
    """
    variable = provider.key_variable
    value = settings().get(variable, "") if variable else ""
    where = f" Get one at {provider.key_url}." if provider.key_url else ""
    if value and not (value.isascii() and value.isprintable() and " " not in value):
        raise ProviderError(
            f"The value of {variable} is not a key: it holds a blank or a character that no key has. "
            f"Copy the key anew into the environment or .env.{where}",
            variable=variable,
        )
    if value:
        return Key(value)
    if not provider.key_required:
        return None
    raise KeyMissing(
        f"No key for {provider.name}: set {variable} in the environment or in a file named .env.{where}",
        provider=provider.name,
        variable=variable,
    )


def misspelt_settings() -> Iterator[str]:
    """A sentence for each setting that nothing reads, with the name that was meant; never a value."""
    lines, configured = _env_file(), settings()
    variables = {one.key_variable for one in catalog.providers().values() if one.key_variable}
    for line in lines:
        if line.error:
            yield f"Line {line.original.line} of .env is not read: write it as NAME=value."
        elif line.key in _NOT_IN_ENV_FILE and line.key not in os.environ:
            yield f"{line.key} is not read from .env: set it in the environment."
    in_file = {line.key for line in lines if line.key}
    for name in sorted(in_file | os.environ.keys()):
        meant = "" if name in variables or name in _OWN else _meant(name, variables)
        if meant and not configured.get(meant):
            place = "the environment" if name in os.environ else ".env"
            yield f"{name} in {place} is not a setting. Did you mean {meant}?"


def _meant(name: str, variables: Iterable[str]) -> str:
    """The setting that `name` is a slip of, or empty.

    Names of keys are compared without what all have in common: XAI_API_KEY is none of OPENAI_API_KEY.
    """
    plain = re.sub(r"[^A-Z0-9]", "", name.upper())
    if plain.startswith("AICOURSE"):
        return next(iter(close_matches(plain, _OWN, most=1, likeness=0.75)), "")
    stems = {_stem(variable.replace("_", "")): variable for variable in variables}
    near = [] if _stem(plain) == plain else close_matches(_stem(plain), stems, most=1, likeness=0.8)
    return stems[near[0]] if near else ""


def _stem(plain: str) -> str:
    return re.sub("API|KEY|TOKEN|SECRET", "", plain)


def configured_keys() -> set[str]:
    """The value of each key, token and password in the settings that is long enough to be looked for."""
    known = {one.key_variable for one in catalog.providers().values()} | {catalog.URL_KEY_VARIABLE}
    return {
        value
        for name, value in settings().items()
        if len(value) >= (SHORTEST_KEY if name in known else _SHORTEST_FOREIGN_KEY)
        and (name in known or _SECRET_NAME.search(name))
    }


def forms(keys: set[str]) -> list[str]:
    """The keys as they are, in JSON, in a URL and within base64; the longest first."""
    found = {form for key in keys for form in (key, json.dumps(key)[1:-1], quote(key, safe=""))}
    for key, before in itertools.product(keys, range(3)):  # bytes before it in base64's group of three
        encoded = base64.b64encode(bytes(before) + key.encode()).decode()
        inner = encoded[(before * 8 + 5) // 6 : (before + len(key.encode())) * 8 // 6]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    found |= {form.replace("/", "\\/") for form in found}
    return sorted(found, key=len, reverse=True)


def masked(text: str) -> str:
    """`text` without the configured keys and without what has the shape of one.

    >>> masked("Authorization: Bearer 0123456789abcdef01")
    'Authorization: ****'
    """
    return masker()(text)


def masker(secrets: Collection[str] = ()) -> Callable[[str], str]:
    """`masked` for many texts: the keys as configured now, and `secrets` besides."""
    hidden = forms(configured_keys() | {secret for secret in secrets if secret})

    def mask(text: str) -> str:
        for form in hidden:
            text = text.replace(form, MASK)
        return _SHAPES.sub(MASK, text)

    return mask


def contains_key(text: str) -> bool:
    """True if `text` holds a configured key, or something that looks like one."""
    return masked(text) != text

"""Provider keys: where they are found, and never shown.

A key comes from the environment or from a `.env` file in the working folder or above it; the
environment wins. Nothing here prints, logs or stores one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from dotenv import dotenv_values, find_dotenv

from aicourse.errors import KeyMissing
from aicourse.llm.catalog import Provider

# The clients carry this instead of a key; the network layer swaps it for the real one, so that no
# request object, exception or notebook output ever holds a key.
PLACEHOLDER = "added-when-sent"

_KEY = re.compile(
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
        return "Key(****)"


def settings() -> Mapping[str, str]:
    """The environment, completed by the nearest `.env` file."""
    file = find_dotenv(usecwd=True)
    stored = {name: value for name, value in dotenv_values(file).items() if value} if file else {}
    return {**stored, **os.environ}


def find_key(provider: Provider) -> Key | None:
    """The provider's key; None when it needs none and none is set.

    Raises:
        KeyMissing: the provider needs a key and none is set.
    """
    variable = provider.key_variable
    value = settings().get(variable, "").strip() if variable else ""
    if value:
        return Key(value)
    if not provider.key_required:
        return None
    where = f" Get one at {provider.key_url}." if provider.key_url else ""
    raise KeyMissing(
        f"No key for {provider.name}: set {variable} in the environment or in a file named .env.{where}",
        provider=provider.name,
        variable=variable,
    )


def contains_key(text: str) -> bool:
    """True if `text` holds something that looks like a provider's key."""
    return _KEY.search(text) is not None


def mask_keys(text: str) -> str:
    """`text` with everything that looks like a key replaced.

    >>> mask_keys("Authorization: Bearer 0123456789abcdef01")
    'Authorization: ****'
    """
    return _KEY.sub("****", text)

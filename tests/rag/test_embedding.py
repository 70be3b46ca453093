"""Embeddings: unit vectors in batches, each text once, and nothing lost when a job is interrupted."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aicourse.errors import RetrievalError
from aicourse.rag import Embeddings


class ScriptedClient:
    """A client whose vector of a text is (its length, 1); after `fails_after` requests it is gone."""

    def __init__(self, fails_after: int | None = None) -> None:
        self.embeddings = self
        self.batches: list[list[str]] = []
        self._fails_after = fails_after

    def create(self, *, model: str, input: list[str]) -> Any:
        if len(self.batches) == self._fails_after:
            raise ConnectionError("gone")
        self.batches.append(input)
        return SimpleNamespace(data=[SimpleNamespace(embedding=self.vector(text)) for text in input])

    def vector(self, text: str) -> list[float]:
        return [float(len(text)), 1.0]


def embeddings(client: Any, **settings: Any) -> Embeddings:
    return Embeddings(client, "scripted", **settings)


def test_rows_are_unit_vectors_in_the_order_of_the_texts() -> None:
    client = ScriptedClient()
    found = embeddings(client).embed(["aaa", "a", "aaa"])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[3 / 10**0.5, 10**-0.5], [0.5**0.5] * 2, [3 / 10**0.5, 10**-0.5]])
    assert client.batches == [["aaa", "a"]]
    assert embeddings(client).embed([]).shape == (0, 0)


def test_a_text_is_sent_once_and_in_batches() -> None:
    client = ScriptedClient()
    ours = embeddings(client)
    texts = [f"text {number}" for number in range(150)]
    ours.embed(texts)
    ours.embed([*texts, "new"])
    assert [len(batch) for batch in client.batches] == [64, 64, 22, 1]


def test_an_interrupted_job_goes_on_after_its_last_batch(tmp_path: Path) -> None:
    texts, cache = [f"text {number}" for number in range(150)], tmp_path / "new" / "vectors.sqlite"
    with pytest.raises(ConnectionError):
        embeddings(ScriptedClient(fails_after=2), cache=cache).embed(texts)
    client = ScriptedClient()
    found = embeddings(client, cache=cache).embed(texts)
    assert client.batches == [texts[128:]]
    np.testing.assert_array_equal(found, embeddings(ScriptedClient()).embed(texts))


def test_vectors_of_another_model_are_not_taken(tmp_path: Path) -> None:
    cache, client = tmp_path / "vectors.sqlite", ScriptedClient()
    Embeddings(client, "one", cache=cache).embed(["text"])  # type: ignore[arg-type]
    Embeddings(client, "two", cache=cache).embed(["text"])  # type: ignore[arg-type]
    assert len(client.batches) == 2


@pytest.mark.parametrize("content", [b"not a database, but long enough to be one" * 50, None])
def test_a_cache_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    cache = tmp_path / "vectors.sqlite"
    cache.write_bytes(content) if content else cache.mkdir()
    with pytest.raises(RetrievalError, match="Delete it, or name another file"):
        embeddings(ScriptedClient(), cache=cache).embed(["text"])


def test_a_cache_with_another_table(tmp_path: Path) -> None:
    cache = tmp_path / "vectors.sqlite"
    with sqlite3.connect(cache) as connection:
        connection.execute("CREATE TABLE vectors (colour TEXT)")
    connection.close()
    with pytest.raises(RetrievalError, match="Delete it"):
        embeddings(ScriptedClient(), cache=cache).embed(["text"])


@pytest.mark.parametrize("vector", [[float("nan"), 1], [float("inf"), 1], [0, 0]])
def test_vectors_without_a_direction_are_refused(tmp_path: Path, vector: list[float]) -> None:
    client, cache = ScriptedClient(), tmp_path / "vectors.sqlite"
    client.vector = lambda text: vector  # type: ignore[method-assign]
    with pytest.raises(RetrievalError, match="one vector for each text"):
        embeddings(client, cache=cache).embed(["text"])
    assert embeddings(ScriptedClient(), cache=cache).embed(["text"]).shape == (1, 2)


def test_a_reply_with_too_few_vectors_is_refused() -> None:
    client = ScriptedClient()
    client.create = lambda **_: SimpleNamespace(data=[])  # type: ignore[method-assign]
    with pytest.raises(RetrievalError, match="one vector for each text"):
        embeddings(client).embed(["text"])

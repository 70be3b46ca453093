"""Tests of retrieval embed without a model: a text's vector is the sum of its words' random ones."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from aicourse import datasets
from aicourse.rag import Chunk, by_heading, from_articles
from aicourse.rag.embedding import Vectors


class ScriptedEmbeddings:
    """An embedder that keeps what it was asked."""

    def __init__(self, name: str = "scripted", dimensions: int = 32) -> None:
        self.name, self._dimensions = name, dimensions
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        rows = [self._vector(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32)

    def _vector(self, text: str) -> Vectors:
        total = sum(_of_word(word, self._dimensions) for word in text.lower().split() or [""])
        return (total / np.linalg.norm(total)).astype(np.float32)


@functools.cache
def _of_word(word: str, dimensions: int) -> Vectors:
    return np.random.RandomState(zlib.crc32(word.encode())).standard_normal(dimensions).astype(np.float32)


@pytest.fixture
def embedder() -> ScriptedEmbeddings:
    return ScriptedEmbeddings()


@pytest.fixture
def other_embedder() -> ScriptedEmbeddings:
    return ScriptedEmbeddings("another")


@pytest.fixture
def chunk() -> Callable[..., Chunk]:
    """A chunk of a text, named like its document, with metadata as keywords."""

    def make(name: str, text: str = "some text", **metadata: object) -> Chunk:
        return Chunk(f"{name}#0", name, text, 0, len(text), metadata=metadata)

    return make


@pytest.fixture(scope="session")
def help_chunks() -> list[Chunk]:
    """The sections of the help centre's articles."""
    documents = from_articles(datasets.help_articles())
    return [chunk for document in documents for chunk in by_heading(document)]

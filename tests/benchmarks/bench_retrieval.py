"""Retrieval: how good it is on test questions, beside minsearch, and what 100,000 chunks cost.

Quality: the help centre's sections and its test questions, the same for all; MiniLM embeds (its file must be
here: `aicourse model pull all-minilm-l6-v2`); weights of reranking are fitted on dev. Speed: 100,000 chunks
with words and unit vectors drawn at random; ours beside bm25s and numpy alone, CPU time in turns, the fastest
rounds. Embedding is timed on 1,000 texts and extrapolated. Qdrant runs in this process, on 10,000 chunks, and
must give the same ten.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np
import Stemmer
from bm25s import BM25
from bm25s.tokenization import tokenize
from minsearch import Index as MinSearch

from aicourse.datasets import help_articles, help_questions
from aicourse.evals.statistics import bootstrap_mean, paired_bootstrap
from aicourse.llm import connect
from aicourse.rag import (
    BM25Index,
    Chunk,
    CrossFeatures,
    Embeddings,
    Hit,
    Hybrid,
    Reranker,
    VectorIndex,
    by_heading,
    evaluate,
    from_articles,
)
from aicourse.rag.embedding import Vectors
from aicourse.rag.qdrant import QdrantIndex

CHUNKS, IN_QDRANT, DIMENSIONS, QUERIES, ROUNDS = 100_000, 10_000, 384, 50, 3
EMBEDDED = 1_000
TARGET_RATIO = 1.2
# numpy alone hashes no texts, and so would embed all of them again the next time: no target of its own
HASHED = "build, vectors, over numpy"


class RandomEmbeddings:
    """Unit vectors at random: the same text, the same vector."""

    name = "random"

    def __init__(self, texts: Sequence[str]) -> None:
        drawn = np.random.default_rng(1).standard_normal((len(texts), DIMENSIONS), dtype=np.float32)
        self.vectors: Vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        self._rows = {text: row for row, text in enumerate(texts)}

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self.vectors[[self._rows[text] for text in texts]]


class Minsearch:
    """The peer as a retriever, over the same texts."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = {chunk.id: chunk for chunk in chunks}
        self._index = MinSearch(text_fields=["text"], keyword_fields=[])
        self._index.fit([{"id": chunk.id, "text": chunk.situated} for chunk in chunks])

    def search(self, query: str, k: int = 10, where: Any = None) -> list[Hit]:
        found = self._index.search(query, num_results=k)
        return [Hit(self._chunks[one["id"]], 0.0) for one in found]


def measure() -> list[dict[str, Any]]:
    """The figures of one run: name, value, unit, target, ok."""
    return [*_quality(), *_speed()]


def _quality() -> list[dict[str, Any]]:
    chunks = [chunk for document in from_articles(help_articles()) for chunk in by_heading(document)]
    questions = help_questions("test")
    with TemporaryDirectory() as folder:
        embeddings = Embeddings(connect("embedded"), cache=Path(folder) / "vectors.sqlite")
        words, vectors = BM25Index(), VectorIndex(embeddings)
        for index in (words, vectors):
            index.update(chunks)
        embeddings.embed([question.question for question in questions])
        retrievers = {
            "minsearch": Minsearch(chunks),
            "BM25": words,
            "vectors": vectors,
            "hybrid": Hybrid(words, vectors),
        }
        features = CrossFeatures(words, embeddings).fitted(retrievers["hybrid"], help_questions("dev"))
        retrievers["reranked"] = Reranker(retrievers["hybrid"], features)
        found = {name: evaluate(one, questions) for name, one in retrievers.items()}
    ranks = {name: one.values("reciprocal_rank").tolist() for name, one in found.items()}
    figures = []
    for name, values in ranks.items():
        interval = bootstrap_mean(values)
        figures.append(
            _figure(f"MRR@10, {name} ({interval.low:.2f} to {interval.high:.2f})", interval.estimate, "")
        )
        rivals = {"minsearch": (), "reranked": ("minsearch", "vectors", "hybrid")}
        for rival in rivals.get(name, ("minsearch",)):
            gain = paired_bootstrap(ranks[rival], values)
            label = f"  over {rival}, paired ({gain.low:+.2f} to {gain.high:+.2f})"
            figures.append(_figure(label, gain.estimate, ""))
    return figures


def _speed() -> list[dict[str, Any]]:
    chunks, queries = _random_chunks()
    texts = [chunk.situated for chunk in chunks]
    embeddings = RandomEmbeddings([*texts, *queries])
    stem = Stemmer.Stemmer("english")
    words, vectors = BM25Index(), VectorIndex(embeddings)
    plain = BM25()

    def tokens(some: Sequence[str]) -> Any:
        return tokenize([*some], stopwords="en", stemmer=stem, show_progress=False)

    def plain_ask() -> None:
        for query in queries:
            plain.retrieve(tokens([query]), k=10, show_progress=False)

    matrix = embeddings.embed(texts)

    def numpy_ask() -> None:
        for query in queries:
            scores = matrix @ embeddings.embed([query])[0]
            some = np.argpartition(scores, -10)[-10:]
            _ = some[np.argsort(-scores[some])]

    def ask(index: Any) -> Callable[[], object]:
        return lambda: [index.search(query, 10) for query in queries]

    pairs = {
        "build, words, over bm25s": (
            lambda: words.update(chunks),
            lambda: plain.index(tokens([chunk.situated for chunk in chunks]), show_progress=False),
        ),
        "query, words, over bm25s": (ask(words), plain_ask),
        HASHED: (
            lambda: VectorIndex(embeddings).update(chunks),
            lambda: embeddings.embed([chunk.situated for chunk in chunks]),
        ),
        "query, vectors, over numpy": (ask(vectors), numpy_ask),
    }
    vectors.update(chunks)
    figures = []
    seconds = {name: _fastest(*both) for name, both in pairs.items()}
    build = [seconds[name] for name in seconds if name.startswith("build")]
    seconds["build, both, over bm25s and numpy"] = (
        sum(ours for ours, _ in build),
        sum(other for _, other in build),
    )
    for name, (ours, theirs) in seconds.items():
        figure = _figure(f"{CHUNKS:,} chunks: {name}, CPU", ours / theirs, "x")
        if name != HASHED:
            figure |= {"target": TARGET_RATIO, "ok": ours <= TARGET_RATIO * theirs}
        figures += [figure, _figure("  ours", ours, "s")]
    figures.append(_figure("  vectors in memory", vectors.vectors.nbytes / 1e6, "MB"))
    figures.append(_figure("  peak of building both indexes", _peak(chunks, embeddings), "MB"))
    return [*figures, _qdrant(chunks[:IN_QDRANT], queries, embeddings), *_embedding(texts)]


def _qdrant(chunks: Sequence[Chunk], queries: Sequence[str], embeddings: RandomEmbeddings) -> dict[str, Any]:
    exact, qdrant = VectorIndex(embeddings), QdrantIndex(embeddings)
    for index in (exact, qdrant):
        index.update(chunks)
    same = sum(
        [hit.chunk.id for hit in exact.search(query, 10)]
        == [hit.chunk.id for hit in qdrant.search(query, 10)]
        for query in queries
    )
    others = len(queries) - same
    return _figure(f"{IN_QDRANT:,} chunks: queries whose ten Qdrant finds otherwise", others, "") | {
        "target": 0,
        "ok": not others,
    }


def _embedding(texts: Sequence[str]) -> list[dict[str, Any]]:
    started = perf_counter()
    Embeddings(connect("embedded")).embed(texts[:EMBEDDED])
    seconds = perf_counter() - started
    hours = seconds / EMBEDDED * CHUNKS / 3600
    return [
        _figure(f"embedding {EMBEDDED:,} texts, wall", seconds, "s"),
        _figure(f"  extrapolated to {CHUNKS:,}", hours, "h"),
    ]


def _random_chunks() -> tuple[list[Chunk], list[str]]:
    """Chunks of 60 words that are as frequent as in a language, and queries of 6."""
    stream = np.random.default_rng(0)
    numbers = stream.zipf(1.2, size=(CHUNKS, 60)) % 50_000
    texts = [" ".join(f"w{number}" for number in row) for row in numbers]
    chunks = [Chunk(f"{n}#0", str(n), text, 0, len(text)) for n, text in enumerate(texts)]
    asked = stream.zipf(1.2, size=(QUERIES, 6)) % 50_000
    return chunks, [" ".join(f"w{number}" for number in row) for row in asked]


def _peak(chunks: Sequence[Chunk], embeddings: RandomEmbeddings) -> float:
    tracemalloc.start()
    for index in (BM25Index(), VectorIndex(embeddings)):
        index.update(chunks)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def _fastest(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    times = [(_seconds(ours), _seconds(theirs)) for _ in range(ROUNDS)]
    return min(one for one, _ in times), min(other for _, other in times)


def _seconds(work: Callable[[], object]) -> float:
    started = process_time()
    work()
    return process_time() - started


def _figure(name: str, value: float, unit: str) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": None, "ok": None}

"""Indexes: chunks in, the best chunks for a query out. BM25 by bm25s, vectors exactly by numpy.

    index = VectorIndex(embeddings)
    index.update(chunks)                                      # again later: only changed chunks are embedded
    index.search("How do I get my money?", k=5, where={"status": "current"})

Each keeps the `Index` protocol, as does `qdrant.QdrantIndex`, for collections that outgrow one machine: below
about 100,000 chunks numpy looks at all of them in a few hundredths of a second, and finds exactly the best.

Of two chunks with one score the one that was added first comes first. BM25 (Robertson et al. 1994, in the
form of Lucene) leaves out chunks without any word of the query. Its stems are English: "payments" is
"payment".
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import Stemmer
from bm25s import BM25
from bm25s.tokenization import tokenize

from aicourse.errors import RetrievalError
from aicourse.rag.chunking import Chunk
from aicourse.rag.embedding import Embeds, Vectors

# metadata: the value, or a list, tuple or set of values of which one must be there; 5, "5" and 5.0 are one
Where = Mapping[str, Any]
Scores = npt.NDArray[np.float32]
Arrays = Sequence[npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found; scores of different indexes do not compare."""

    chunk: Chunk
    score: float

    @property
    def document(self) -> str:
        """The id of the chunk's document."""
        return self.chunk.document


@dataclass(frozen=True, slots=True)
class Changes:
    """Numbers of chunks that an update added or changed, kept and removed."""

    added: int
    kept: int
    removed: int

    def __str__(self) -> str:
        return f"{self.added} added, {self.kept} kept, {self.removed} removed"


class Retriever(Protocol):
    """Whatever finds chunks for a query, best first."""

    def search(self, query: str, k: int = 10, where: Where | None = None) -> list[Hit]:
        """At most `k` hits among the chunks whose metadata fit `where`."""


class Index(Retriever, Protocol):
    """A retriever that holds its chunks."""

    def update(self, chunks: Sequence[Chunk]) -> Changes:
        """Make the index hold exactly these chunks."""


class BM25Index:
    """Keyword search: BM25 over stems, without English stop words."""

    def __init__(self, *, k1: float = 1.5, b: float = 0.75) -> None:
        self.chunks: tuple[Chunk, ...] = ()
        self._k1, self._b = k1, b
        self._stem = Stemmer.Stemmer("english")
        self._bm25: Any = None

    @classmethod
    def of(cls, chunks: Sequence[Chunk], arrays: Arrays) -> BM25Index:
        """An index of chunks and the `arrays` of an index of them.

        Raises:
            ValueError: the arrays do not fit each other, or are of other chunks.
        """
        scores, places, starts, words = arrays
        vocabulary = words.tobytes().decode().split("\n") if len(words) else []
        bounds = (starts[0], starts[-1], len(starts), len(scores))
        if bounds != (0, len(places), len(vocabulary) + 1, len(places)) or (np.diff(starts) < 0).any():
            raise ValueError("words and scores do not fit together")
        if len(places) and not 0 <= places.min() <= places.max() < len(chunks):
            raise ValueError("scores of other chunks")
        index = cls()
        index.chunks = tuple(chunks)
        if vocabulary:
            index._bm25 = index._empty()
            index._bm25.nonoccurrence_array = None  # bm25s sets these four when it loads
            index._bm25.vocab_dict = {word: number for number, word in enumerate(vocabulary)}
            index._bm25.scores = {
                "data": scores,
                "indices": places,
                "indptr": starts,
                "num_docs": len(chunks),
            }
        return index

    @property
    def arrays(self) -> Arrays:
        """Everything that is computed of the chunks, as four arrays.

        All scores, word by word; the places of their chunks; where each word begins; the words, as bytes.
        """
        if not self._bm25:
            return [np.zeros(size, kind) for size, kind in ((0, "f4"), (0, "i4"), (1, "i8"), (0, "u1"))]
        words = "\n".join(filter(None, self._bm25.vocab_dict))  # bm25s adds "" for queries without a word
        scores = (self._bm25.scores[name] for name in ("data", "indices", "indptr"))
        return [*scores, np.frombuffer(words.encode(), np.uint8)]

    def update(self, chunks: Sequence[Chunk]) -> Changes:
        """Make the index hold exactly these chunks; it is built anew, in about a second for 10,000.

        Raises:
            RetrievalError: two chunks have one id.
        """
        changes = changes_between(digests_of(self.chunks), digests_of(chunks))
        tokens = self._tokens([chunk.situated for chunk in chunks])
        bm25: Any = None
        if tokens.vocab:
            bm25 = self._empty()
            bm25.index(tokens, show_progress=False)
        self.chunks, self._bm25 = tuple(chunks), bm25
        return changes

    def search(self, query: str, k: int = 10, where: Where | None = None) -> list[Hit]:
        """At most `k` chunks that share a word with the query, best first."""
        check_k(k)
        known = [word for word in self.stems(query) if self._bm25 and word in self._bm25.vocab_dict]
        if not known:
            return []
        scores: Scores = self._bm25.get_scores(known)
        return best(self.chunks, scores, k, where, above=0.0)

    def stems(self, text: str) -> list[str]:
        """The words that are looked for: stems in their order, without stop words."""
        (words,) = self._tokens([text], return_ids=False)
        return [*words]

    def rarity(self, stem: str) -> float:
        """The inverse document frequency of a stem, in the form of BM25 that Lucene has.

        With `n` of `N` chunks that have it: ln(1 + (N - n + 0.5) / (n + 0.5)).
        """
        place = self._bm25.vocab_dict.get(stem) if self._bm25 else None
        having = 0 if place is None else int(np.diff(self._bm25.scores["indptr"][place : place + 2])[0])
        return math.log(1 + (len(self.chunks) - having + 0.5) / (having + 0.5))

    def _empty(self) -> Any:
        return BM25(k1=self._k1, b=self._b)  # type: ignore[no-untyped-call]

    def _tokens(self, texts: list[str], *, return_ids: bool = True) -> Any:
        return tokenize(texts, stopwords="en", stemmer=self._stem, return_ids=return_ids, show_progress=False)


class VectorIndex:
    """Search by meaning: the cosine similarity of the query with every chunk, exactly."""

    def __init__(self, embeddings: Embeds) -> None:
        self.embeddings = embeddings
        self.chunks: tuple[Chunk, ...] = ()
        self.vectors: Vectors = np.zeros((0, 0), dtype=np.float32)
        self._digests: dict[str, str] = {}  # by the chunk's id
        self._rows: dict[str, int] = {}  # by the chunk's digest

    @classmethod
    def of(cls, embeddings: Embeds, chunks: Sequence[Chunk], vectors: Vectors) -> VectorIndex:
        """An index of chunks whose vectors are known: shape (len(chunks), dimensions).

        Raises:
            ValueError: not one vector per chunk.
            RetrievalError: two chunks have one id.
        """
        if vectors.ndim != 2 or len(vectors) != len(chunks):
            raise ValueError(f"{vectors.shape} vectors for {len(chunks)} chunks")
        index = cls(embeddings)
        index.chunks, index.vectors = tuple(chunks), vectors
        index._digests = digests_of(chunks)
        index._rows = {digest: row for row, digest in enumerate(index._digests.values())}
        return index

    def update(self, chunks: Sequence[Chunk]) -> Changes:
        """Make the index hold exactly these chunks; only texts that it has no vector of are embedded.

        Raises:
            RetrievalError: two chunks have one id.
        """
        by_id = digests_of(chunks)
        changes, digests = changes_between(self._digests, by_id), list(by_id.values())
        new = {
            digest: chunk for digest, chunk in zip(digests, chunks, strict=True) if digest not in self._rows
        }
        fresh = self.embeddings.embed([chunk.situated for chunk in new.values()])
        places = self._rows | {digest: len(self.vectors) + row for row, digest in enumerate(new)}
        every = (
            fresh if not len(self.vectors) else np.concatenate([self.vectors, fresh]) if new else self.vectors
        )
        wanted = [places[digest] for digest in digests]
        self.vectors = every if wanted == list(range(len(every))) else every[wanted]
        self.chunks = tuple(chunks)
        self._rows = {digest: row for row, digest in enumerate(digests)}
        self._digests = by_id
        return changes

    def search(self, query: str, k: int = 10, where: Where | None = None) -> list[Hit]:
        """The `k` chunks nearest to the query, with their cosine similarity, best first."""
        check_k(k)
        if not self.chunks:
            return []
        return best(self.chunks, self.vectors @ self.embeddings.embed([query])[0], k, where)


def best(
    chunks: Sequence[Chunk], scores: Scores, k: int, where: Where | None = None, *, above: float = -np.inf
) -> list[Hit]:
    """The `k` best of the chunks that fit `where` and score above a limit; equal ones in their own order."""
    if where:
        fits_where = np.fromiter((fits(chunk.metadata, where) for chunk in chunks), bool, len(chunks))
        scores = np.where(fits_where, scores, -np.inf)
    floor = np.partition(scores, -k)[-k] if k < len(scores) else -np.inf
    places = np.flatnonzero((scores >= floor) & (scores > above) & (scores > -np.inf))
    order = places[np.lexsort((places, -scores[places]))][:k]
    return [Hit(chunks[place], float(scores[place])) for place in order]


def check_k(k: int) -> None:
    """Refuse a number of hits below 1.

    Raises:
        RetrievalError: `k` is below 1.
    """
    if k < 1:
        raise RetrievalError(f"k is {k}. Ask for at least 1.", k=k)


def fits(metadata: Mapping[str, Any], where: Where) -> bool:
    """True if each field has the wanted value, or one of the wanted values.

    >>> fits({"status": "current", "applies_to": ["buyers"]}, {"applies_to": ["buyers", "everyone"]})
    True
    """
    return all(
        not texts_of(metadata.get(name)).isdisjoint(texts_of(wanted)) for name, wanted in where.items()
    )


def texts_of(value: Any) -> set[str]:
    """A value of metadata, or each of several, as text: front matter and a command line differ in types.

    >>> sorted(texts_of([2026, "2026-01-02", True, 5.0]))
    ['2026', '2026-01-02', '5', 'true']
    """
    many = isinstance(value, Collection) and not isinstance(value, str)
    return {_text(one) for one in (value if many else [value])}


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def digests_of(chunks: Sequence[Chunk]) -> dict[str, str]:
    """The digest of each chunk, by its id, in their order.

    Raises:
        RetrievalError: two chunks have one id.
    """
    found = {chunk.id: chunk.digest for chunk in chunks}
    if len(found) < len(chunks):
        raise RetrievalError("Two chunks have one id. Give each document an id of its own.")
    return found


def changes_between(before: Mapping[str, str], after: Mapping[str, str]) -> Changes:
    """The numbers of chunks that are new or changed, the same, and gone; both as `digests_of` gives them."""
    kept = len(before.items() & after.items())
    return Changes(added=len(after) - kept, kept=kept, removed=len(before.keys() - after.keys()))

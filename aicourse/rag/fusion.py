"""Fusion: one ranking out of several, by the ranks alone, since scores of different indexes do not compare.

Reciprocal rank fusion (Cormack, Clarke & Büttcher 2009): a chunk's score is the sum over the rankings of
weight / (60 + rank), ranks from 1. A ranking that knows nothing adds noise: leave zero scores out of it (as
`BM25Index` does), give it a small weight, or do without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from aicourse.errors import RetrievalError
from aicourse.rag.chunking import Chunk
from aicourse.rag.index import Hit, Retriever, Where

K = 60  # the paper's constant: how little the first rank counts more than the second
DEPTH = 50


def fuse(
    rankings: Sequence[Sequence[Hit]], *, weights: Sequence[float] | None = None, constant: int = K
) -> list[Hit]:
    """All chunks of the rankings, best first; of equal ones, the one met first.

    Raises:
        RetrievalError: not one weight for each ranking, or a negative one.
    """
    weights = weights if weights is not None else [1.0] * len(rankings)
    if len(weights) != len(rankings) or min(weights, default=0) < 0:
        raise RetrievalError(f"{len(rankings)} rankings need as many weights, from 0.", weights=weights)
    chunks: dict[str, Chunk] = {}
    scores: defaultdict[str, float] = defaultdict(float)
    for weight, ranking in zip(weights, rankings, strict=True):
        for rank, hit in enumerate(ranking, start=1):
            chunks.setdefault(hit.chunk.id, hit.chunk)
            scores[hit.chunk.id] += weight / (constant + rank)
    hits = [Hit(chunk, scores[id]) for id, chunk in chunks.items() if scores[id] > 0]
    return sorted(hits, key=lambda hit: -hit.score)


class Hybrid:
    """Several retrievers as one, their rankings fused."""

    def __init__(self, *legs: Retriever, weights: Sequence[float] | None = None, depth: int = DEPTH) -> None:
        self.legs, self._weights, self._depth = legs, weights, depth

    def search(self, query: str, k: int = 10, where: Where | None = None) -> list[Hit]:
        """The `k` best chunks of the fused rankings of at least `depth` hits each."""
        rankings = [leg.search(query, max(k, self._depth), where) for leg in self.legs]
        return fuse(rankings, weights=self._weights)[:k]

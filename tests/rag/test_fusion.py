"""Fusion follows the paper's formula: the sum of weight / (60 + rank), ranks from 1."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from aicourse.errors import RetrievalError
from aicourse.rag import BM25Index, Chunk, Hit, Hybrid, VectorIndex, fuse


def ranking(chunk: Callable[..., Chunk], names: str) -> list[Hit]:
    return [Hit(chunk(name), 100.0 - place) for place, name in enumerate(names)]


def names(hits: list[Hit]) -> str:
    return "".join(hit.document for hit in hits)


def test_a_worked_example(chunk: Callable[..., Chunk]) -> None:
    fused = fuse([ranking(chunk, "abc"), ranking(chunk, "bd")])
    assert names(fused) == "badc"
    expected = [Fraction(1, 62) + Fraction(1, 61), Fraction(1, 61), Fraction(1, 62), Fraction(1, 63)]
    assert [hit.score for hit in fused] == pytest.approx([float(one) for one in expected])


def test_weights_and_constant(chunk: Callable[..., Chunk]) -> None:
    rankings = [ranking(chunk, "ab"), ranking(chunk, "bc")]
    fused = fuse(rankings, weights=[3, 1], constant=1)
    assert [(hit.document, hit.score) for hit in fused] == [
        ("a", pytest.approx(3 / 2)),
        ("b", pytest.approx(3 / 3 + 1 / 2)),
        ("c", pytest.approx(1 / 3)),
    ]
    assert names(fuse(rankings, weights=[1, 0])) == "ab"
    assert names(fuse([ranking(chunk, "ab"), ranking(chunk, "ba")])) == "ab"  # a tie: the one met first
    assert fuse([]) == []


@pytest.mark.parametrize("weights", [[1], [1, -1], [1, 1, 1]])
def test_weights_that_do_not_fit(weights: list[float]) -> None:
    with pytest.raises(RetrievalError, match="as many weights"):
        fuse([[], []], weights=weights)


def test_hybrid_fuses_deeper_than_it_returns(help_chunks: list[Chunk], embedder: Any) -> None:
    legs = (BM25Index(), VectorIndex(embedder))
    for leg in legs:
        leg.update(help_chunks)
    query, where = "How do I get my money?", {"status": "current"}
    expected = fuse([leg.search(query, 50, where) for leg in legs], weights=[1, 2])
    assert Hybrid(*legs, weights=[1, 2]).search(query, 5, where) == expected[:5]
    assert len(Hybrid(*legs).search(query, 70)) == 70

"""Indexes find what bm25s and a brute-force ranking find, in the same order, and embed what changed alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import Stemmer
from bm25s import BM25
from bm25s.tokenization import tokenize
from hypothesis import given
from hypothesis import strategies as st

from aicourse import datasets
from aicourse.errors import RetrievalError
from aicourse.rag import BM25Index, Chunk, VectorIndex
from aicourse.rag.index import best, fits

Make = Callable[..., Chunk]


def ids(hits: Any) -> list[str]:
    return [hit.chunk.id for hit in hits]


# BM25


def test_bm25_is_that_of_bm25s(help_chunks: list[Chunk]) -> None:
    index = BM25Index()
    index.update(help_chunks)
    stem = Stemmer.Stemmer("english")
    texts = [chunk.situated for chunk in help_chunks]
    theirs = BM25()
    theirs.index(tokenize(texts, stopwords="en", stemmer=stem, show_progress=False), show_progress=False)
    for question in datasets.help_questions("dev"):
        asked = tokenize([question.question], stopwords="en", stemmer=stem, show_progress=False)
        _, (scores,) = theirs.retrieve(asked, k=10, show_progress=False)
        ours = [hit.score for hit in index.search(question.question, 10)]
        np.testing.assert_allclose(ours, scores[scores > 0], rtol=1e-5)


def test_bm25_knows_stems_and_leaves_out_chunks_without_a_word(chunk: Make) -> None:
    index = BM25Index()
    index.update([chunk("a", "all payments"), chunk("b", "a coat"), chunk("c", "one payment, paid twice")])
    assert {hit.document for hit in index.search("payment")} == {"a", "c"}
    for nothing in ("", "the and of", "?!", "zebra"):
        assert index.search(nothing) == []


@pytest.mark.parametrize("texts", [[], ["the"], ["€ !"]])
def test_bm25_of_chunks_without_words(chunk: Make, texts: list[str]) -> None:
    index = BM25Index()
    index.update([chunk(str(number), text) for number, text in enumerate(texts)])
    assert index.search("coat") == []


# vectors


def test_vectors_are_ranked_as_by_brute_force(help_chunks: list[Chunk], embedder: Any) -> None:
    index = VectorIndex(embedder)
    index.update(help_chunks)
    rows = [embedder.embed([chunk.situated])[0].astype(float) for chunk in help_chunks]
    for question in datasets.help_questions("dev")[:40]:
        asked = embedder.embed([question.question])[0].astype(float)
        scores = [float(row @ asked) for row in rows]
        order = sorted(range(len(rows)), key=lambda row: -scores[row])[:10]
        hits = index.search(question.question, 10)
        np.testing.assert_allclose([hit.score for hit in hits], [scores[row] for row in order], atol=1e-6)
        assert ids(hits) == [help_chunks[row].id for row in order]


def test_equal_chunks_keep_their_order(chunk: Make, embedder: Any) -> None:
    chunks = [chunk(f"d{number}", "same") for number in range(37)]
    for index in (VectorIndex(embedder), BM25Index()):
        index.update(chunks)
        assert ids(index.search("same", 5)) == ids_of(chunks[:5])
        assert ids(index.search("same", 100)) == ids_of(chunks)


def ids_of(chunks: list[Chunk]) -> list[str]:
    return [chunk.id for chunk in chunks]


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 40))
def test_the_best_with_ties(values: list[int], k: int) -> None:
    chunks = [Chunk(str(number), "d", "t", 0, 1) for number in range(len(values))]
    expected = sorted(range(len(values)), key=lambda place: (-values[place], place))[:k]
    hits = best(chunks, np.array(values, dtype=np.float32), k)
    assert ids(hits) == [str(place) for place in expected]


@pytest.mark.parametrize("k", [0, -1])
def test_k_is_at_least_1(chunk: Make, embedder: Any, k: int) -> None:
    for index in (VectorIndex(embedder), BM25Index()):
        with pytest.raises(RetrievalError, match="at least 1"):
            index.search("coat", k)
        index.update([chunk("a", "coat")])
        with pytest.raises(RetrievalError, match="at least 1"):
            index.search("coat", k)
        with pytest.raises(RetrievalError, match="at least 1"):
            index.search("zebra", k)


# filters


def test_filters_limit_what_is_found(chunk: Make, embedder: Any) -> None:
    chunks = [
        chunk("a", "coat", status="current", applies_to=["buyers"]),
        chunk("b", "coat", status="outdated", applies_to=["buyers", "sellers"]),
        chunk("c", "coat"),
    ]
    for index in (VectorIndex(embedder), BM25Index()):
        index.update(chunks)
        assert ids(index.search("coat", where={"status": "current"})) == ["a#0"]
        assert ids(index.search("coat", where={"applies_to": "buyers"})) == ["a#0", "b#0"]
        assert ids(index.search("coat", where={"applies_to": ("sellers",), "status": "current"})) == []
        assert ids(index.search("coat", k=1, where={"status": {"outdated"}})) == ["b#0"]
        assert ids(index.search("coat", where={})) == ["a#0", "b#0", "c#0"]


def test_a_field_that_is_missing_fits_nothing_but_none() -> None:
    assert not fits({}, {"status": "current"})
    assert not fits({"status": "current"}, {"status": []})
    assert fits({}, {"status": None})


# updates


def test_an_update_embeds_only_changed_chunks(chunk: Make, embedder: Any) -> None:
    index = VectorIndex(embedder)
    a, b, c = chunk("a", "coat"), chunk("b", "hat"), chunk("c", "shoe")
    assert str(index.update([a, b])) == "2 added, 0 kept, 0 removed"
    changed = replace(b, text="scarf")
    assert str(index.update([c, changed, a])) == "2 added, 1 kept, 0 removed"
    assert embedder.asked == ["coat", "hat", "shoe", "scarf"]
    assert str(index.update([a])) == "0 added, 1 kept, 2 removed"
    assert str(index.update([])) == "0 added, 0 kept, 1 removed"
    assert index.search("coat") == []
    index.update([b])
    assert ids(index.search("hat")) == ["b#0"]


def test_after_updates_an_index_is_as_built_anew(help_chunks: list[Chunk], embedder: Any) -> None:
    stream = np.random.RandomState(0)
    index = VectorIndex(embedder)
    for _ in range(5):
        some = [help_chunks[place] for place in stream.permutation(len(help_chunks))[:100]]
        index.update([*some, replace(some[0], id="copy")])
        anew = VectorIndex(embedder)
        anew.update(index.chunks)
        np.testing.assert_array_equal(index.vectors, anew.vectors)


def test_new_metadata_take_effect_without_embedding(chunk: Make, embedder: Any) -> None:
    index = VectorIndex(embedder)
    index.update([chunk("a", "coat", status="current")])
    index.update([chunk("a", "coat", status="outdated")])
    assert embedder.asked == ["coat"]
    assert index.search("coat", where={"status": "current"}) == []


def test_two_chunks_of_one_id_change_nothing(chunk: Make, embedder: Any) -> None:
    for index in (VectorIndex(embedder), BM25Index()):
        index.update([chunk("a", "coat")])
        with pytest.raises(RetrievalError, match="one id"):
            index.update([chunk("b"), chunk("b", "other")])
        assert ids(index.search("coat")) == ["a#0"]


def test_an_embedder_that_fails_leaves_the_index_as_it_was(
    chunk: Make, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = VectorIndex(embedder)
    index.update([chunk("a", "coat")])
    with monkeypatch.context() as patch:
        patch.setattr(embedder, "embed", lambda texts: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            index.update([chunk("b", "hat")])
    assert ids(index.search("coat")) == ["a#0"]

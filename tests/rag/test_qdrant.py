"""Qdrant in this process finds what the exact index finds; a server that is not there is a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ResponseHandlingException

from aicourse import datasets
from aicourse.errors import RetrievalError
from aicourse.rag import Chunk, VectorIndex
from aicourse.rag.qdrant import QdrantIndex

Make = Callable[..., Chunk]


@pytest.mark.parametrize("where", [None, {"status": "current"}, {"applies_to": ["buyers", "everyone"]}])
def test_the_same_top_ten_as_exact_search(help_chunks: list[Chunk], embedder: Any, where: Any) -> None:
    exact, qdrant = VectorIndex(embedder), QdrantIndex(embedder)
    for index in (exact, qdrant):
        assert index.update(help_chunks).added == len(help_chunks)
    for question in datasets.help_questions("dev")[:30]:
        ours, theirs = (index.search(question.question, 10, where) for index in (exact, qdrant))
        assert [hit.score for hit in theirs] == pytest.approx([hit.score for hit in ours], abs=1e-5)
        last = ours[-1].score + 1e-5  # equal scores may come in any order
        assert {hit.chunk.id for hit in theirs if hit.score > last} <= {hit.chunk.id for hit in ours}
        assert all(isinstance(hit.chunk.headings, tuple) for hit in theirs)


def test_an_update_embeds_what_changed_alone(chunk: Make, embedder: Any) -> None:
    index = QdrantIndex(embedder)
    index.update([chunk("a", "red coat"), chunk("b", "blue hat"), chunk("c", "green sofa")])
    embedder.asked.clear()
    changes = index.update([chunk("a", "red coat"), chunk("b", "black hat")])
    assert embedder.asked == ["black hat"]
    assert str(changes) == "1 added, 1 kept, 1 removed"
    assert {hit.chunk.text for hit in index.search("hat", 10)} == {"red coat", "black hat"}


def test_changed_metadata_is_what_filters_see(chunk: Make, embedder: Any) -> None:
    index = QdrantIndex(embedder)
    one = chunk("a", "red coat", status="current")
    index.update([one])
    index.update([replace(one, metadata={"status": "outdated"})])
    assert index.search("coat", where={"status": "current"}) == []
    assert len(index.search("coat", where={"status": "outdated"})) == 1


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"year": "2026"}, {"a", "b"}),
        ({"year": 2026.0, "price": [1.5, 7]}, {"a"}),
        ({"sold": True}, {"b"}),
        ({"price": None}, {"b"}),
        ({"price": [None, "1.5"]}, {"a", "b"}),
    ],
)
def test_numbers_are_as_in_text_whatever_the_index(
    chunk: Make, embedder: Any, where: Any, found: set[str]
) -> None:
    chunks = [chunk("a", year=2026, price=1.5), chunk("b", year="2026", sold=True)]
    for index in (VectorIndex(embedder), QdrantIndex(embedder)):
        index.update(chunks)
        assert {hit.document for hit in index.search("text", where=where)} == found


def test_an_empty_index_finds_nothing(embedder: Any) -> None:
    index = QdrantIndex(embedder)
    assert index.search("coat") == []
    assert index.update([]).added == 0


def test_another_embedders_collection_is_refused(
    chunk: Make, embedder: Any, other_embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = QdrantIndex(embedder)
    index.update([chunk("a")])
    monkeypatch.setattr("aicourse.rag.qdrant.QdrantClient", lambda *_: index._client)
    with pytest.raises(RetrievalError, match=r"vectors of scripted, not of another\. Name another"):
        QdrantIndex(other_embedder)


def test_a_server_that_is_not_there(embedder: Any) -> None:
    with pytest.raises(
        RetrievalError, match=r"Qdrant at http://127.0.0.1:\d+ does not do .* Is it running\?"
    ):
        QdrantIndex(embedder, url="http://127.0.0.1:1", check_compatibility=False)


def test_a_server_that_goes_away_in_the_middle_loses_nothing(
    chunk: Make, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = QdrantIndex(embedder)
    index.update([chunk("a", "red coat"), chunk("b", "blue hat")])

    def gone(*_: Any, **__: Any) -> None:
        raise ResponseHandlingException(OSError("connection reset"))

    monkeypatch.setattr(QdrantClient, "delete", gone)
    with pytest.raises(RetrievalError, match="Nothing was removed"):
        index.update([chunk("a", "red coat"), chunk("c", "green sofa")])
    monkeypatch.undo()
    assert {hit.document for hit in index.search("coat", 10)} == {"a", "b", "c"}
    index.update([chunk("a", "red coat"), chunk("c", "green sofa")])
    assert {hit.document for hit in index.search("coat", 10)} == {"a", "c"}


def test_two_versions_that_an_interruption_left_become_one(
    chunk: Make, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = QdrantIndex(embedder)
    index.update([chunk("a", "red coat")])
    monkeypatch.setattr(QdrantClient, "delete", lambda *_, **__: None)
    index.update([chunk("a", "blue coat")])
    monkeypatch.undo()
    assert len(index.search("coat", 10)) == 2
    index.update([chunk("a", "blue coat")])
    assert [hit.chunk.text for hit in index.search("coat", 10)] == ["blue coat"]

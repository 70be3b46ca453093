"""Search in the help centre, with and without the model that embeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aicourse.datasets import HelpArticle, help_articles
from aicourse.errors import RetrievalError
from aicourse.marketplace.app import help_center
from aicourse.marketplace.app.help_center import HelpCenter, embedding_client, snippet

ARTICLES = [article for article in help_articles() if article.slug in ("fees", "fees-2024", "contact")]


class Embedder:
    """Stands in for `Embeddings`: "telephone" is near to the section with "office", all else to nothing."""

    fails = False
    asked: list[str] = []  # noqa: RUF012

    def __init__(self, client: Any, model: str = "", *, cache: Path | None = None) -> None:
        self.name = model

    def embed(self, texts: Sequence[str]) -> Any:
        if self.fails:
            raise RetrievalError("no vectors")
        self.asked.extend(texts)
        near = [[float("office" in text or "ring" in text), 0.1, 0.0] for text in texts]
        return np.array(near, dtype=np.float32)


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> type[Embedder]:
    """Vectors without a model, made at once."""
    monkeypatch.setattr("aicourse.rag.embedding.Embeddings", Embedder)
    monkeypatch.setattr(Embedder, "asked", [])

    class AtOnce:
        def __init__(self, target: Any, args: Any, **_: Any) -> None:
            self.start = lambda: target(*args)

    monkeypatch.setattr(help_center.threading, "Thread", AtOnce)
    return Embedder


class Client:
    """As much of a client as is used."""

    def with_options(self, **_: Any) -> Client:
        return self


def read() -> Sequence[HelpArticle]:
    return ARTICLES


def test_words_alone_find_current_articles() -> None:
    center = HelpCenter(read, lambda: None)
    assert {hit.document for hit in center.search("fees")} == {"fees"}
    assert {hit.document for hit in center.search("fee upper limit", where=None)} == {"fees", "fees-2024"}
    assert center.search("ring") == []
    assert not center.is_making


def test_what_readers_wrote_is_never_found() -> None:
    center = HelpCenter(client=lambda: None)
    assert "secure-pay" in center.articles["payment-failed"].text
    hits = center.search("My payment failed. Which address do I pay at, says helpdesk_update_77?", 200)
    assert "payment-failed" in {hit.document for hit in hits}
    assert not any("secure-pay" in hit.chunk.text for hit in hits)


def test_with_vectors_meaning_counts_too(embedder: type[Embedder]) -> None:
    center = HelpCenter(read, Client)  # type: ignore[arg-type]
    center.search("ring")
    assert [hit.document for hit in center.search("ring", 1)] == ["contact"]
    assert not center.is_making
    assert len([text for text in embedder.asked if text == "ring"]) >= 2  # queries are not remembered


def test_an_embedder_that_fails_leaves_words(
    embedder: type[Embedder], monkeypatch: pytest.MonkeyPatch, time_in: Callable[..., None]
) -> None:
    monkeypatch.setattr(embedder, "fails", True)
    center = HelpCenter(read, Client)  # type: ignore[arg-type]
    assert {hit.document for hit in center.search("fees")} == {"fees"}
    monkeypatch.setattr(embedder, "fails", False)
    later = HelpCenter(read, Client)  # type: ignore[arg-type]
    later.search("fees")
    monkeypatch.setattr(embedder, "fails", True)
    assert {hit.document for hit in later.search("fees")} == {"fees"}
    monkeypatch.setattr(embedder, "fails", False)
    assert later.search("ring") == []  # it is left alone for a while
    now = time.monotonic()
    time_in(help_center, monotonic=lambda: now + help_center.REST_SECONDS)
    assert later.search("ring", 1)[0].document == "contact"


def test_no_model_is_fetched_for_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(help_center.localmodel, "local_path", lambda name: None)
    assert embedding_client() is None


def test_a_snippet_ends_between_words() -> None:
    hit = HelpCenter(read, lambda: None).search("telephone line for customers")[0]
    assert len(snippet(hit)) <= 162
    assert snippet(hit).endswith(" …")
    assert "*" not in snippet(hit)

"""Reranking: a new order of the first hits, by a scripted scorer, by a model's yes, and by cross-features."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from aicourse import prompts
from aicourse.datasets import HelpQuestion, Passage
from aicourse.errors import RetrievalError
from aicourse.rag import BM25Index, Chunk, CrossFeatures, ModelScorer, Reranker, VectorIndex
from aicourse.rag.index import Hit
from aicourse.testing import ScriptedModel

Make = Callable[..., Chunk]


def ids(hits: list[Hit]) -> list[str]:
    return [hit.document for hit in hits]


@pytest.fixture
def coats(chunk: Make, embedder: Any) -> tuple[BM25Index, VectorIndex]:
    chunks = [
        chunk("red", "A red coat costs 5."),
        chunk("coat", "A coat that is not red, but blue."),
        chunk("hat", "A hat."),
    ]
    indexes = BM25Index(), VectorIndex(embedder)
    for index in indexes:
        index.update(chunks)
    return indexes


def by_length(query: str, hits: Any) -> list[float]:
    return [float(len(hit.chunk.text)) for hit in hits]


def test_the_first_hits_come_in_a_new_order(coats: Any) -> None:
    words, _ = coats
    assert ids(words.search("red coat costs")) == ["red", "coat"]
    found = Reranker(words, by_length).search("red coat costs")
    assert ids(found) == ["coat", "red"]
    assert [hit.score for hit in found] == [33.0, 19.0]
    assert ids(Reranker(words, by_length).search("red coat costs", 1)) == ["coat"]


def test_hits_below_the_depth_are_not_seen_and_equal_ones_stay(coats: Any) -> None:
    words, _ = coats
    assert ids(Reranker(words, by_length, depth=1).search("red coat costs")) == ["red"]
    same = Reranker(words, lambda query, hits: [1.0] * len(hits))
    assert ids(same.search("red coat costs")) == ["red", "coat"]


@pytest.mark.parametrize(("k", "depth"), [(0, 20), (5, 0)])
def test_nothing_is_asked_for(coats: Any, k: int, depth: int) -> None:
    with pytest.raises(RetrievalError, match="Ask for at least 1"):
        Reranker(coats[0], by_length, depth=depth).search("coat", k)


def test_filters_and_scores_that_are_missing(coats: Any) -> None:
    assert Reranker(coats[0], by_length).search("coat", where={"status": "current"}) == []
    with pytest.raises(ValueError, match="zip"):
        Reranker(coats[0], lambda query, hits: [1.0]).search("red coat costs")


# by a model


def test_a_model_is_asked_about_each_passage(coats: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def says_yes(client: Any, model: str, prompt: Any, query: str, material: dict[str, str]) -> float:
        asked.append((model, prompt.ref, query, material["passages"]))
        return 0.2 if "5" in material["passages"] else 0.9

    monkeypatch.setattr("aicourse.rag.reranking.says_yes", says_yes)
    scorer = ModelScorer(ScriptedModel().client(), "m", prompts.load("rerank_help@1"))
    assert ids(Reranker(coats[0], scorer).search("red coat costs")) == ["coat", "red"]
    passages = ["[1] A red coat costs 5.", "[1] A coat that is not red, but blue."]
    assert asked == [("m", "rerank_help@v1", "red coat costs", passage) for passage in passages]


def test_a_model_without_probabilities_is_refused(coats: Any) -> None:
    model = ScriptedModel("yes")
    scorer = ModelScorer(model.client(), "m", prompts.load("rerank_help@1"))
    with pytest.raises(RetrievalError, match=r"no probabilities of tokens\. Use another model, or no rerank"):
        Reranker(coats[0], scorer).search("red coat")
    sent = model.history[0].text
    assert "<passages>\n[1] A red coat costs 5.\n</passages>\n<question>red coat</question>" in sent
    assert "[2]" not in sent


# by features


def test_the_features_of_a_hit_by_hand(chunk: Make, embedder: Any) -> None:
    words = BM25Index()
    one = replace(chunk("a", "Payments for coats arrive."), title="Coats")
    words.update([one, chunk("b", "coats"), chunk("c", "hats")])
    common, unknown = math.log(1 + 1.5 / 2.5), math.log(1 + 3.5 / 0.5)
    assert words.rarity("coat") == pytest.approx(common)
    assert words.rarity("zebra") == pytest.approx(unknown)
    rows = CrossFeatures(words, embedder).features("coat arrives zebras", [Hit(one, 0.0)])
    arrive = math.log(1 + 2.5 / 1.5)
    total = common + arrive + unknown
    similarity = float(embedder.embed([one.situated])[0] @ embedder.embed(["coat arrives zebras"])[0])
    assert rows.shape == (1, 4)
    assert rows[0] == pytest.approx([(common + arrive) / total, common / total, 2 / 3, similarity])


def test_words_in_a_row_and_in_the_heading_come_first(chunk: Make, embedder: Any) -> None:
    chunks = [
        chunk("apart", "card old gift"),
        chunk("row", "gift card old"),
        replace(chunk("head", "card old gift"), title="Gift card"),
    ]
    words = BM25Index()
    words.update(chunks)
    one = CrossFeatures(words, embedder, weights=(0.0, 1.0, 0.5, 0.0))
    hits = [Hit(each, 0.0) for each in chunks]
    assert one("gift card", hits) == pytest.approx([0.25, 0.5, 1.5])
    assert one("gift card", []) == []
    assert one("the", hits)[0] == 0.0  # a stop word alone


def test_weights_are_fitted_to_questions(chunk: Make, embedder: Any) -> None:
    """Right is what has the question's words in a row here, but once: that feature gets the weight."""
    chunks = [chunk(f"{kind}{n}", text) for n in range(12) for kind, text in told(n)]
    words = BM25Index()
    words.update(chunks)
    questions = [
        HelpQuestion(
            str(n), f"north{n} south{n}", "keyword", "dev",
            (Passage(f"{'apart' if n == 0 else 'row'}{n}", ""),), "", (), "en",
        )
        for n in range(12)
    ]  # fmt: skip
    fitted = CrossFeatures(words, embedder).fitted(words, questions)
    assert fitted.weights[2] > 1
    assert fitted.weights[2] > abs(fitted.weights[0])
    unlearnable = [replace(question, relevant=()) for question in questions]
    with pytest.raises(RetrievalError, match="right and wrong hits"):
        CrossFeatures(words, embedder).fitted(words, unlearnable)


def told(n: int) -> list[tuple[str, str]]:
    """Two texts of the same words, once in a question's order."""
    return [("row", f"north{n} south{n} wind"), ("apart", f"south{n} wind north{n}")]

"""Evaluation on an example by hand: three questions, four chunks, one question that nothing answers."""

from __future__ import annotations

import math

import pytest

from aicourse.datasets import HelpQuestion, Passage, help_articles, help_questions
from aicourse.errors import RetrievalError
from aicourse.rag import Chunk, Hit, evaluate
from aicourse.rag.evaluation import Retrieval, passage_spans
from aicourse.rag.index import Where

TEXTS = {"fees": "We keep 8 %. It is due at once.", "payout": "Money comes in 5 days. Banks are closed."}
CHUNKS = {
    "f0": Chunk("f0", "fees", "We keep 8 %.", 0, 12),
    "f1": Chunk("f1", "fees", "It is due at once.", 13, 31),
    "p0": Chunk("p0", "payout", "Money comes in 5 days.", 0, 22),
    "p": Chunk("p", "payout", TEXTS["payout"], 0, 40),
}
FOUND = {"What do you keep?": ["f1", "f0", "p0"], "When, and how?": ["p"], "Zebras?": ["f0"], "Lost?": []}


class Scripted:
    """A retriever with fixed rankings."""

    def search(self, query: str, k: int = 10, where: Where | None = None) -> list[Hit]:
        return [Hit(CHUNKS[name], 1.0) for name in FOUND[query][:k]]


def question(id: str, text: str, kind: str, *relevant: tuple[str, str]) -> HelpQuestion:
    return HelpQuestion(id, text, kind, "dev", tuple(Passage(*one) for one in relevant), "", (), "en")


QUESTIONS = (
    question("1", "What do you keep?", "keyword", ("fees", "We keep 8 %.")),
    question(
        "2", "When, and how?", "two_hop", ("payout", "Money comes in 5 days"), ("payout", "Banks are closed.")
    ),
    question("3", "Zebras?", "near_miss"),
    question("4", "Lost?", "keyword", ("payout", "Money comes in 5 days")),
)


def test_articles() -> None:
    found = evaluate(Scripted(), QUESTIONS)
    assert found.rankings == {"1": ["fees", "payout"], "2": ["payout"], "4": []}
    assert found.values("reciprocal_rank").to_dict() == {"1": 1, "2": 1, "4": 0}
    table = found.summary()
    assert table.loc["keyword", ["reciprocal_rank", "questions"]].tolist() == [0.5, 2]
    assert table.loc["all", "reciprocal_rank"] == pytest.approx(2 / 3)
    assert table["low"]["all"] < 2 / 3 < table["high"]["all"]
    assert math.isnan(table["low"]["two_hop"])  # one question has no interval


def test_passages() -> None:
    found = evaluate(Scripted(), QUESTIONS, passages=passage_spans(QUESTIONS, TEXTS))
    assert found.relevant["2"] == {"payout[0:21]", "payout[23:40]"}
    assert found.rankings["1"] == ["f1", "fees[0:12]", "p0"]
    assert found.values("reciprocal_rank").to_dict() == {"1": 1 / 2, "2": 1, "4": 0}
    assert found.values("recall").to_dict() == {"1": 1, "2": 1, "4": 0}


@pytest.mark.parametrize(("end", "held"), [(6, False), (7, True)])
def test_a_chunk_holds_a_passage_by_more_than_half(end: int, held: bool) -> None:
    class Piece:
        def search(self, query: str, k: int = 10, where: Where | None = None) -> list[Hit]:
            return [Hit(Chunk("piece", "fees", TEXTS["fees"][:end], 0, end), 1.0)]

    asked = QUESTIONS[:1]
    found = evaluate(Piece(), asked, passages=passage_spans(asked, TEXTS))
    assert found.values("hit_rate").tolist() == [float(held)]


def test_k_and_depth() -> None:
    found = evaluate(Scripted(), QUESTIONS[:1], k=1, passages=passage_spans(QUESTIONS[:1], TEXTS))
    assert found.values("hit_rate").tolist() == [0]
    assert evaluate(Scripted(), QUESTIONS[:1], depth=2).rankings["1"] == ["fees"]


def test_every_passage_of_the_help_centre_has_its_place() -> None:
    texts = {article.slug: article.text for article in help_articles()}
    asked = help_questions()
    spans = passage_spans(asked, texts)
    for one in asked:
        assert [texts[article][start:end] for article, start, end in spans[one.id]] == [
            passage.passage for passage in one.relevant
        ]


def test_what_cannot_be_evaluated() -> None:
    with pytest.raises(RetrievalError, match="Choose from: hit_rate"):
        evaluate(Scripted(), QUESTIONS).values("accuracy")
    with pytest.raises(RetrievalError, match="has no passage"):
        passage_spans(QUESTIONS, {"fees": "other"})


def test_values_that_are_all_one_have_an_interval() -> None:
    rankings = {f"Q{number}": ["a"] for number in range(11)}
    relevant = dict.fromkeys(rankings, frozenset("a"))
    row = Retrieval(rankings, relevant, dict.fromkeys(rankings, "keyword"), 5).summary("hit_rate").loc["all"]
    assert (row["hit_rate"], row["high"]) == (1.0, 1.0)
    assert row["low"] == pytest.approx(0.7412, abs=1e-3)  # Wilson's interval of 11 of 11

"""Metrics equal those of ir_measures (pytrec_eval), but for what trec_eval leaves out."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from ir_measures import RR, P, R, Success, nDCG

from aicourse.errors import RetrievalError
from aicourse.rag import Retrieval, metrics

THEIRS = {"hit_rate": Success, "recall": R, "precision": P, "reciprocal_rank": RR, "ndcg": nDCG}


@pytest.fixture(scope="module")
def collection() -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """200 queries: random rankings of 0 to 20 of 30 documents, 1 to 12 of them relevant."""
    stream = np.random.RandomState(15)
    documents = [f"d{number}" for number in range(30)]
    rankings, relevant = {}, {}
    for query in range(200):
        shuffled = [documents[place] for place in stream.permutation(30)]
        rankings[f"q{query}"] = shuffled[: stream.randint(1, 21)]
        relevant[f"q{query}"] = set(stream.choice(documents, stream.randint(1, 13), replace=False))
    return rankings, relevant


@pytest.mark.parametrize("k", [1, 3, 5, 10, 20])
@pytest.mark.parametrize("name", THEIRS)
def test_metrics_equal_those_of_ir_measures(
    collection: tuple[dict[str, list[str]], dict[str, set[str]]], name: str, k: int
) -> None:
    rankings, relevant = collection
    measure = THEIRS[name] @ k
    qrels = {query: dict.fromkeys(found, 1) for query, found in relevant.items()}
    run = {
        query: {document: 100.0 - rank for rank, document in enumerate(ranking)}
        for query, ranking in rankings.items()
    }
    theirs = {one.query_id: one.value for one in ir_measures.iter_calc([measure], qrels, run)}
    assert len(theirs) == 200
    for query, value in theirs.items():
        assert metrics.METRICS[name](rankings[query], relevant[query], k) == pytest.approx(value)


def test_a_query_without_results_counts_as_0() -> None:
    """pytrec_eval has no value for a query that the run lacks: a mean of its values would be 1 here."""
    pytrec_eval = pytest.importorskip("pytrec_eval")
    relevant = {"q1": frozenset("a"), "q2": frozenset("a")}
    qrels = {query: dict.fromkeys(found, 1) for query, found in relevant.items()}
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"})
    assert set(evaluator.evaluate({"q1": {"a": 1.0}})) == {"q1"}
    for name in metrics.METRICS:
        assert Retrieval({"q1": ["a"]}, relevant, {}, 1).values(name).mean() == 0.5


def test_a_document_found_again_takes_no_second_rank() -> None:
    ranking, relevant = ["x", "x", "a", "a", "b"], {"a", "b"}
    assert metrics.reciprocal_rank(ranking, relevant) == 1 / 2
    assert metrics.recall(ranking, relevant, 2) == 1 / 2
    assert metrics.precision(ranking, relevant, 3) == 2 / 3
    assert metrics.ndcg(["a", "a", "b"], relevant) == 1
    assert metrics.hit_rate(ranking, {"b"}, 3) == 1


@pytest.mark.parametrize("name", metrics.METRICS)
def test_without_anything_relevant_there_is_no_metric(name: str) -> None:
    for ranking in ([], ["a"]):
        with pytest.raises(RetrievalError, match="measure abstention"):
            metrics.METRICS[name](ranking, set(), 5)

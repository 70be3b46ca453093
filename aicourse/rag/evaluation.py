"""Evaluation of retrieval: a retriever, the help centre's questions, and each metric with its interval.

    found = evaluate(index, help_questions("dev"), k=5)
    found.summary()                              # by kind of question, with intervals
    found.values("reciprocal_rank")              # question by question: two retrievers are compared on pairs

Only questions that something answers count: on the others there is nothing to find. What is relevant is a
question's articles, or its passages: then a chunk is right that holds more than half of one. Of chunks that
hold two passages each passage takes a rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aicourse.datasets import HelpQuestion
from aicourse.errors import RetrievalError
from aicourse.evals.statistics import Interval, bootstrap_mean, proportion
from aicourse.rag.index import Hit, Retriever
from aicourse.rag.metrics import METRICS, distinct

if TYPE_CHECKING:
    import pandas as pd

Passages = Mapping[str, Sequence[tuple[str, int, int]]]  # question -> document, start and end of each


@dataclass(frozen=True)
class Retrieval:
    """The rankings of one retriever, and what was relevant: ids of articles, or of passages and chunks."""

    rankings: Mapping[str, Sequence[str]]
    relevant: Mapping[str, frozenset[str]]
    kinds: Mapping[str, str]
    k: int

    def values(self, metric: str) -> pd.Series[float]:
        """A metric of each question, by id; a question without a ranking has 0.

        Raises:
            RetrievalError: no such metric.
        """
        import pandas as pd

        if metric not in METRICS:
            raise RetrievalError(f"No metric {metric!r}. Choose from: {', '.join(METRICS)}.", metric=metric)
        score = METRICS[metric]
        return pd.Series(
            {id: score(self.rankings.get(id, ()), wanted, self.k) for id, wanted in self.relevant.items()},
            name=metric,
            dtype=float,
        )

    def summary(self, metric: str = "reciprocal_rank") -> pd.DataFrame:
        """The mean by kind of question and over all, with a 95 % interval where there are two or more."""
        import pandas as pd

        values = self.values(metric)
        groups = [*values.groupby(pd.Series(self.kinds)), ("all", values)]
        rows = {}
        for kind, some in groups:
            interval = _interval(some.tolist()) if len(some) > 1 else None
            low, high = (interval.low, interval.high) if interval else (float("nan"), float("nan"))
            rows[kind] = {metric: some.mean(), "low": low, "high": high, "questions": len(some)}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("kind")

    def table(self) -> pd.DataFrame:
        """Hit rate, recall (first 5), reciprocal rank and nDCG (first 10), as text, by kind of question."""
        import pandas as pd

        columns = {}
        for metric, k in (("hit_rate", 5), ("reciprocal_rank", 10), ("ndcg", 10), ("recall", 5)):
            rows = replace(self, k=k).summary(metric)
            columns[f"{metric}@{k}"] = [
                f"{mean:.2f}" + (f" ({low:.2f} to {high:.2f})" if low == low else "")  # NaN: one question
                for mean, low, high in zip(rows[metric], rows["low"], rows["high"], strict=True)
            ]
        return pd.DataFrame({"questions": rows["questions"], **columns})


def evaluate(
    retriever: Retriever,
    questions: Iterable[HelpQuestion],
    *,
    k: int = 10,
    depth: int = 50,
    passages: Passages | None = None,
) -> Retrieval:
    """The rankings of a retriever for all questions that something answers, `depth` chunks deep.

    With `passages` (from `passage_spans`) a passage has to be found, otherwise its article.
    """
    asked = [question for question in questions if question.relevant]
    rankings: dict[str, list[str]] = {}
    relevant: dict[str, frozenset[str]] = {}
    for question in asked:
        hits = retriever.search(question.question, depth)
        if passages is None:
            rankings[question.id] = distinct(hit.document for hit in hits)
            relevant[question.id] = frozenset(passage.article for passage in question.relevant)
        else:
            spans = passages[question.id]
            rankings[question.id] = [id for hit in hits for id in _passages_in(hit, spans)]
            relevant[question.id] = frozenset(_name(span) for span in spans)
    return Retrieval(rankings, relevant, {question.id: question.kind for question in asked}, k)


def _interval(values: Sequence[float]) -> Interval:
    """The interval of a mean; equal values have one, too, which drawing them again cannot show."""
    same = len(set(values)) == 1
    return proportion(sum(values), len(values)) if same else bootstrap_mean(values)


def passage_spans(questions: Iterable[HelpQuestion], texts: Mapping[str, str]) -> Passages:
    """The places of each question's passages in their articles' texts, by the article's id.

    Raises:
        RetrievalError: a passage is not in its article.
    """
    found: dict[str, list[tuple[str, int, int]]] = {}
    for question in questions:
        spans = found.setdefault(question.id, [])
        for passage in question.relevant:
            start = texts.get(passage.article, "").find(passage.passage)
            if start < 0:
                raise RetrievalError(f"{question.id}: {passage.article} has no passage {passage.passage!r}.")
            spans.append((passage.article, start, start + len(passage.passage)))
    return found


def _passages_in(hit: Hit, spans: Sequence[tuple[str, int, int]]) -> list[str]:
    """The passages of which the chunk holds more than half; the chunk's own id if there is none."""
    chunk = hit.chunk
    held = [
        _name(span)
        for span in spans
        if span[0] == chunk.document
        and 2 * (min(chunk.end, span[2]) - max(chunk.start, span[1])) > span[2] - span[1]
    ]
    return held or [chunk.id]


def _name(span: tuple[str, int, int]) -> str:
    return f"{span[0]}[{span[1]}:{span[2]}]"

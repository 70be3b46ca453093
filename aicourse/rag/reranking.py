"""Reranking: the first chunks of a ranking in a new order, by a scorer that reads query and chunk together.

    Reranker(hybrid, CrossFeatures(words, embeddings))               # no model but the embedder
    Reranker(hybrid, ModelScorer(connect(), "qwen2.5-coder-1.5b"))   # a call for each chunk: 20 a query

An index compares a query with chunks that it has seen before the query; a reranker compares the two, which is
slower, so it sees the first `depth` alone. It cannot find what they leave out (Nogueira & Cho 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aicourse import prompts
from aicourse.datasets import HelpQuestion
from aicourse.errors import RetrievalError
from aicourse.prompts import Prompt
from aicourse.rag.answering import says_yes, shown
from aicourse.rag.embedding import Embeds
from aicourse.rag.index import BM25Index, Hit, Retriever, Where, check_k

if TYPE_CHECKING:
    import openai

Scores = Callable[[str, Sequence[Hit]], Sequence[float]]  # one for each hit, the best highest


@dataclass(frozen=True)
class Reranker:
    """A retriever whose first `depth` hits are ranked again; it returns no others."""

    retriever: Retriever
    scores: Scores
    depth: int = 20

    def search(self, query: str, k: int = 10, where: Where | None = None) -> list[Hit]:
        """The `k` best of the first hits by the new scores; equal ones in their old order.

        Raises:
            RetrievalError: `k` or the depth is below 1, or the scorer's model cannot be asked.
        """
        check_k(min(k, self.depth))
        hits = self.retriever.search(query, self.depth, where)
        found = [Hit(hit.chunk, score) for hit, score in zip(hits, self.scores(query, hits), strict=True)]
        return sorted(found, key=lambda hit: -hit.score)[:k]


@dataclass(frozen=True)
class ModelScorer:
    """A model's P(yes) that a passage answers the question, one call of one token for each passage."""

    client: openai.OpenAI
    model: str
    prompt: Prompt = field(default_factory=partial(prompts.load, "rerank_help"))

    def __call__(self, query: str, hits: Sequence[Hit]) -> list[float]:
        """A probability for each hit.

        Raises:
            RetrievalError: the model gives no probabilities, or would rather say something else.
        """
        return [
            says_yes(self.client, self.model, self.prompt, query, {"passages": shown([hit])}) for hit in hits
        ]


@dataclass(frozen=True)
class CrossFeatures:
    """A weighted sum of four numbers from 0 to 1 that need no text model.

    The query's stems in the chunk, as a share by rarity; the same in its title and headings alone; the most
    of the query's stems that follow each other in the chunk, as a share; the cosine similarity. `weights`
    were fitted on the help centre's dev questions, 20 chunks of `Hybrid` each; `fitted` gives your own.
    """

    words: BM25Index
    embeddings: Embeds
    weights: tuple[float, ...] = (3.0, 6.9, 4.7, 12.1)

    def __call__(self, query: str, hits: Sequence[Hit]) -> list[float]:
        """A score for each hit."""
        scores: list[float] = (self.features(query, hits) @ np.array(self.weights)).tolist()
        return scores

    def features(self, query: str, hits: Sequence[Hit]) -> npt.NDArray[np.float64]:
        """The four numbers of each hit: shape (len(hits), 4)."""
        if not hits:
            return np.zeros((0, 4))
        asked = self.words.stems(query)
        rarity = {stem: self.words.rarity(stem) for stem in asked}
        query_vector, *vectors = self.embeddings.embed([query, *(hit.chunk.situated for hit in hits)])
        rows = []
        for hit, vector in zip(hits, vectors, strict=True):
            stems = self.words.stems(hit.chunk.situated)
            heading = self.words.stems(" ".join((hit.chunk.title, *hit.chunk.headings)))
            run = SequenceMatcher(None, asked, stems, autojunk=False).find_longest_match().size
            similarity = float(vector @ query_vector)
            rows.append(
                (_share(rarity, stems), _share(rarity, heading), run / max(1, len(asked)), similarity)
            )
        return np.array(rows)

    def fitted(
        self, retriever: Retriever, questions: Iterable[HelpQuestion], *, depth: int = 20
    ) -> CrossFeatures:
        """The same with weights under which right articles come before the others of their question.

        Conditional logistic regression (McFadden 1974) over each question's first `depth` hits.

        Raises:
            RetrievalError: no question has both right and wrong articles among its hits.
        """
        from statsmodels.discrete.conditional_models import ConditionalLogit

        right, rows, groups = [], [], []
        for question in questions:
            hits = retriever.search(question.question, depth)
            articles = {passage.article for passage in question.relevant}
            told = [hit.document in articles for hit in hits]
            if len(set(told)) == 2:  # else there is no order to learn
                right += told
                features = self.features(question.question, hits)
                rows += [*(features - features.mean(axis=0))]  # the same fit; statsmodels wants no constant
                groups += [question.id] * len(hits)
        if not rows:
            raise RetrievalError("No question has right and wrong hits. Give others, or more depth.")
        model = ConditionalLogit(np.array(right, dtype=float), np.array(rows), groups=np.array(groups))
        return replace(self, weights=tuple(model.fit(disp=0, skip_hessian=True).params.tolist()))


def _share(rarity: dict[str, float], stems: Sequence[str]) -> float:
    held = set(stems)
    return sum(value for stem, value in rarity.items() if stem in held) / (sum(rarity.values()) or 1.0)

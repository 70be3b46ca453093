"""Metrics of retrieval: one ranking of documents against the relevant ones, a number from 0 to 1 each.

A document counts where it comes first: found again through another of its chunks, it takes no second rank
(else duplicates inflate every metric). Gains are 0 or 1, so linear and exponential nDCG agree (Järvelin &
Kekäläinen 2002); its ideal ranking has all relevant documents on top. A query without results has 0.

    reciprocal_rank(["fees", "fees", "payout"], {"payout"})     1/2: fees takes one rank
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from aicourse.errors import RetrievalError

Ranking = Iterable[str]


def distinct(ranking: Ranking) -> list[str]:
    """The ids in the order in which each comes first.

    >>> distinct(["fees", "fees", "payout"])
    ['fees', 'payout']
    """
    return list(dict.fromkeys(ranking))


def hit_rate(ranking: Ranking, relevant: Collection[str], k: int = 5) -> float:
    """1 if any of the first `k` is relevant."""
    some = _some(relevant)
    return float(any(one in some for one in distinct(ranking)[:k]))


def recall(ranking: Ranking, relevant: Collection[str], k: int = 5) -> float:
    """The share of the relevant ones that are among the first `k`."""
    return len(set(distinct(ranking)[:k]) & set(relevant)) / len(_some(relevant))


def precision(ranking: Ranking, relevant: Collection[str], k: int = 5) -> float:
    """The share of `k` places that hold a relevant one; places that stay empty count."""
    return len(set(distinct(ranking)[:k]) & set(_some(relevant))) / k


def reciprocal_rank(ranking: Ranking, relevant: Collection[str], k: int = 10) -> float:
    """1 / rank of the first relevant one, ranks from 1; 0 if none is among the first `k`."""
    _some(relevant)
    ranks = (rank for rank, one in enumerate(distinct(ranking)[:k], start=1) if one in relevant)
    return 1 / next(ranks, math.inf)


def ndcg(ranking: Ranking, relevant: Collection[str], k: int = 10) -> float:
    """The discounted gain of the first `k`, as a share of that of the ideal ranking."""
    some = _some(relevant)
    gains = [one in some for one in distinct(ranking)[:k]]
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(set(some))) + 1))
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1)) / ideal


def _some(relevant: Collection[str]) -> Collection[str]:
    if not relevant:
        raise RetrievalError("Nothing is relevant here. Leave the query out, and measure abstention on it.")
    return relevant


METRICS = {
    "hit_rate": hit_rate,
    "recall": recall,
    "precision": precision,
    "reciprocal_rank": reciprocal_rank,
    "ndcg": ndcg,
}

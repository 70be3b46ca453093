"""Agreement of two annotators beyond chance: Cohen's kappa with an interval, and what they differ in.

    agreement(first, second, name="condition")       # condition: 52 of 60 equal, kappa 0.81 (0.68 to 0.92)

Source: Cohen 1960; the weighted form for ordered labels: Cohen 1968. Kappa is 1 for full agreement, 0 for
what chance gives, and lower than plain agreement when one label is frequent.
Not handled: more than two annotators; sets of labels (compare them with `scorers.set_match`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from aicourse.errors import EvaluationError
from aicourse.evals.statistics import Interval, Values
from aicourse.html import NOTEBOOK, table

if TYPE_CHECKING:
    import pandas as pd

Places = npt.NDArray[np.int64]
Weights = Literal["linear", "quadratic"]
_RESAMPLES = 2_000


@dataclass(frozen=True)
class Agreement:
    """Two annotators' labels of the same items, counted.

    `kappa` is nan when both give one and the same label throughout: then there is nothing to agree on.
    `confusion` counts pairs of labels (first, second), the differing ones first, most frequent first.
    """

    name: str
    items: int
    equal: int
    kappa: Interval
    confusion: Mapping[tuple[str, str], int]

    @property
    def disagreements(self) -> dict[tuple[str, str], int]:
        """The pairs that differ, most frequent first: where the labelling guide needs a sentence."""
        return {pair: count for pair, count in self.confusion.items() if pair[0] != pair[1]}

    def to_frame(self) -> pd.DataFrame:
        """The confusion table: rows are the first annotator's labels, columns the second's."""
        import pandas as pd  # 0.3 s to import, and most readers only look at the sentence

        labels = sorted({label for pair in self.confusion for label in pair})
        counts = [[self.confusion.get((row, column), 0) for column in labels] for row in labels]
        return pd.DataFrame(counts, pd.Index(labels, name="first"), pd.Index(labels, name="second"))

    def __str__(self) -> str:
        kappa = self.kappa
        value = (
            "kappa undefined (one label only)"
            if np.isnan(kappa.estimate)
            else f"kappa {kappa.estimate:.2f} ({kappa.low:.2f} to {kappa.high:.2f})"
        )
        return f"{self.name}: {self.equal} of {self.items} equal, {value}"

    def _repr_html_(self) -> str:
        rows = [(first, second, str(count)) for (first, second), count in self.disagreements.items()]
        return table(str(self), ("first says", "second says", "items"), rows, NOTEBOOK)


def agreement(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    *,
    name: str = "labels",
    order: Sequence[Hashable] | None = None,
    weights: Weights | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Agreement:
    """Compare the labels of two annotators, item by item; None ("not stated") is a label like any other.

    With `weights` near misses count less than far ones; that needs the labels' `order`. The interval is a
    percentile bootstrap over items.

    Raises:
        EvaluationError: not the same number of items, none at all, or a label that `order` lacks.
    """
    one, other, labels = _encode(first, second, order)
    cost = _costs(len(labels), weights, order is not None)
    counts = np.bincount(one * len(labels) + other, minlength=len(labels) ** 2)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(one.size, counts / one.size, size=_RESAMPLES).astype(float)
    kappas = _kappas(drawn.reshape(-1, len(labels), len(labels)), cost)
    kappas = kappas[~np.isnan(kappas)]
    estimate = float(_kappas(counts.reshape(1, len(labels), len(labels)).astype(float), cost)[0])
    tail = (1 - confidence) / 2
    low, high = np.quantile(kappas, [tail, 1 - tail]) if kappas.size else (np.nan, np.nan)
    pairs = Counter(zip(map(str, first), map(str, second), strict=True))
    confusion = dict(sorted(pairs.items(), key=lambda item: (item[0][0] == item[0][1], -item[1], item[0])))
    equal = int((one == other).sum())
    return Agreement(
        name, one.size, equal, Interval(estimate, float(low), float(high), confidence), confusion
    )


def _encode(
    first: Sequence[Hashable], second: Sequence[Hashable], order: Sequence[Hashable] | None
) -> tuple[Places, Places, list[Hashable]]:
    """Both annotators' labels as places in the list of labels."""
    if len(first) != len(second) or not len(first):
        raise EvaluationError(
            f"The annotators labelled {len(first)} and {len(second)} items. Pass both for the same ones.",
            items=(len(first), len(second)),
        )
    labels = list(dict.fromkeys([*first, *second])) if order is None else list(order)
    places = {label: place for place, label in enumerate(labels)}
    if missing := [label for label in dict.fromkeys([*first, *second]) if label not in places]:
        raise EvaluationError(
            f"Not in the order of labels: {', '.join(map(repr, missing))}. Add them to `order`.",
            missing=missing,
        )
    one, other = (np.array([places[label] for label in side]) for side in (first, second))
    return one, other, labels


def _costs(size: int, weights: Weights | None, ordered: bool) -> Values:
    """The cost of each pair of labels: 1 for any difference, or the more the further apart."""
    if weights is not None and not ordered:
        raise EvaluationError("Weights need to know which labels are near. Pass their `order`.")
    if weights is None:
        return 1.0 - np.eye(size)
    places = np.arange(size, dtype=float)
    distance = np.abs(places[:, None] - places[None, :])
    return np.asarray(distance if weights == "linear" else distance**2)


def _kappas(counts: Values, cost: Values) -> Values:
    """The kappa of each table of counts (tables, labels, labels); nan where chance leaves nothing to gain."""
    shares = counts / counts.sum(axis=(1, 2), keepdims=True)
    expected = shares.sum(axis=2)[:, :, None] * shares.sum(axis=1)[:, None, :]
    observed_cost, expected_cost = ((part * cost).sum(axis=(1, 2)) for part in (shares, expected))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(expected_cost > 0, observed_cost / expected_cost, np.nan)
    return np.asarray(1.0 - ratio)

"""Samplers: which traces annotators look at, each with the probability that it was to be drawn.

    traces = published_traces(connection)
    sample_corrected(traces, 60)      # half of them corrected by their sellers, in a column `probability`

A sample of what looks wrong finds more mistakes per hour and says, taken by itself, nothing about all traces.
With the inclusion probabilities it does (`estimates`), as long as none is 0: no sampler here leaves a trace
out for good. Systematic sampling with unequal probabilities in random order (Madow 1949; Hartley & Rao 1962):
the size is exactly `n`, and so is each stratum's share, to a whole trace.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from aicourse.errors import FeedbackError
from aicourse.monitoring.estimates import Numbers
from aicourse.monitoring.metrics import NOT_KNOWN

_UNIFORM = 0.2  # of the sample is drawn whatever the uncertainty, so that sure mistakes are found, too
_PUBLISHED = """
    SELECT published.*, thumb, category, client, prompt, prompt_version, variant, empty_fields
    FROM (SELECT trace_id, listing_id, seller_id, MIN(given_ns) AS published_ns, SUM(changed) AS corrections
          FROM proposed_fields GROUP BY trace_id) AS published
    LEFT JOIN (SELECT trace_id, MIN(thumb) AS thumb FROM feedback WHERE kind = 'explicit' GROUP BY trace_id)
        USING (trace_id)
    LEFT JOIN (SELECT trace_id, MAX(category) AS category, MAX(client) AS client, MAX(prompt) AS prompt,
                      MAX(prompt_version) AS prompt_version, MAX(variant) AS variant,
                      MAX(empty_fields) AS empty_fields FROM spans GROUP BY trace_id) USING (trace_id)
    ORDER BY published_ns, trace_id"""


def published_traces(connection: sqlite3.Connection) -> pd.DataFrame:
    """The traces whose proposal was published, by id: what samples are drawn from.

    `corrections` counts changed fields, `corrected` is True if there is one, `thumb` is 1, -1 or missing.
    """
    frame = pd.read_sql_query(_PUBLISHED, connection, index_col="trace_id")
    return frame.assign(corrected=frame["corrections"] > 0)


def sample_random(traces: pd.DataFrame, n: int, *, seed: int = 0) -> pd.DataFrame:
    """Each trace with the same probability."""
    return _sample(traces, np.ones(len(traces)), n, seed, "random")


def sample_stratified(traces: pd.DataFrame, n: int, by: str, *, seed: int = 0) -> pd.DataFrame:
    """As many of each value of a column, or all of a rare one: rare groups are seen, too."""
    groups = as_groups(traces[by])
    return _sample(traces, _weights(groups, {}), n, seed, "stratified", groups)


def sample_corrected(traces: pd.DataFrame, n: int, *, share: float = 0.5, seed: int = 0) -> pd.DataFrame:
    """This share of corrected traces, where there are so many; the rest of those that nobody corrected."""
    groups = traces["corrected"]
    weights = _weights(groups, {True: share, False: 1 - share})
    return _sample(traces, weights, n, seed, "corrected", groups)


def sample_uncertain(
    traces: pd.DataFrame, n: int, uncertainty: str = "empty_fields", *, seed: int = 0
) -> pd.DataFrame:
    """The more of a column (0 or more; missing is 0) the likelier; a fifth is drawn whatever it says.

    Raises:
        FeedbackError: a value below 0.
    """
    values = traces[uncertainty].fillna(0).to_numpy(dtype=float)
    if (values < 0).any():
        raise FeedbackError(f"The uncertainty {uncertainty!r} is below 0. Give a number of 0 or more.")
    weights = _UNIFORM / max(len(values), 1) + (1 - _UNIFORM) * values / (values.sum() or 1.0)
    return _sample(traces, weights, n, seed, "uncertain")


def as_groups(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column in which a missing value is a group, too."""
    return column.astype(object).where(column.notna(), NOT_KNOWN)


def inclusion_probabilities(weights: Numbers, n: int) -> Numbers:
    """Probabilities in proportion to the weights that add up to `n`; none above 1.

    >>> inclusion_probabilities(np.array([1.0, 1.0, 2.0, 8.0]), 2)
    array([0.25, 0.25, 0.5 , 1.  ])
    """
    certain = np.full(len(weights), n >= len(weights))
    while True:
        rest = ~certain
        probabilities = np.ones(len(weights))
        probabilities[rest] = (n - certain.sum()) * weights[rest] / weights[rest].sum()
        if (probabilities <= 1).all():
            return probabilities
        certain |= probabilities > 1


def _weights(groups: pd.Series[Any], shares: Mapping[Any, float]) -> Numbers:
    """Weights by which each group has its share of a sample; without shares, all groups the same."""
    parts = groups.map(lambda group: shares.get(group, 1.0)) / groups.groupby(groups).transform("size")
    return parts.to_numpy(dtype=float)


def _sample(
    traces: pd.DataFrame,
    weights: Numbers,
    n: int,
    seed: int,
    sampler: str,
    groups: pd.Series[Any] | None = None,
) -> pd.DataFrame:
    """The drawn traces in random order, with `probability`, `sampler` and, if there are, `stratum`."""
    if n < 1 or not (weights > 0).all():
        raise FeedbackError(f"No sample of {n} with these shares: draw 1 or more, and something of each.")
    stream = np.random.RandomState(seed)
    strata = np.zeros(len(traces)) if groups is None else pd.factorize(groups)[0]
    order = np.lexsort([stream.random_sample(len(traces)), strata])
    probabilities = inclusion_probabilities(weights, n)
    ends = stream.random_sample() + np.cumsum(probabilities[order]).round(9)
    drawn = order[np.diff(np.floor(ends), prepend=0.0) > 0]
    table = traces.assign(probability=probabilities, sampler=sampler)
    if groups is not None:
        table = table.assign(stratum=groups)
    return table.iloc[stream.permutation(drawn)]

"""Sellers who never correct anything: what their silence may hide, and where the kinds of feedback disagree.

Three kinds of sellers leave a field as it was: it is right; they looked and did not mind; they never look.
Nothing in the log tells them apart, so the rate of wrong proposals lies anywhere between two *bounds* (the
worst-case bounds of Manski 1989, for those who never corrected anything). The *weighted* estimate takes the
listings of sellers who were seen to correct something in another listing (in this one it would select those
with mistakes), weighted to the mix of all listings (Horvitz & Thompson 1952; propensities by group). It holds
as far as such sellers look at every field, and whether one looks has nothing to do, within a group, with
how good the proposal is. What settles the matter is a sample for annotators (`samplers`, `estimates`).
"""

from __future__ import annotations

import sqlite3

import numpy as np
import pandas as pd

from aicourse.errors import FeedbackError
from aicourse.evals.statistics import Interval
from aicourse.monitoring.estimates import rate_interval
from aicourse.monitoring.samplers import as_groups, published_traces

_JUDGED = """
    SELECT trace_id, CASE MAX(verdict = 'wrong') WHEN 1 THEN 'wrong' ELSE 'right' END AS gold
    FROM annotations WHERE verdict <> 'unsure' GROUP BY trace_id"""


def disagreements(connection: sqlite3.Connection) -> pd.DataFrame:
    """The number of traces by thumb and correction (rows) and by the annotators' verdict (columns)."""
    traces = published_traces(connection)
    judged = pd.read_sql_query(_JUDGED, connection, index_col="trace_id")["gold"]
    thumb = traces["thumb"].map({1: "up", -1: "down"}).fillna("none")
    corrected = traces["corrected"].map({True: "yes", False: "no"})
    return pd.crosstab([thumb, corrected], as_groups(judged.reindex(traces.index)))


def published_fields(connection: sqlite3.Connection) -> pd.DataFrame:
    """The fields of published listings with a proposal, a row each, `changed` or not."""
    query = "SELECT trace_id, seller_id, field, changed FROM proposed_fields"
    return pd.read_sql_query(query, connection).astype({"changed": bool})


def wrong_rates(fields: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """The bounds and the weighted estimate of the rate of wrong proposals, a row per field.

    `fields` are `published_fields`, perhaps with a column `by` for groups that differ in who looks. `silent`
    is the share from sellers who never corrected anything; `least` counts corrections alone (the usual
    correction rate), `most` everything silent as well.

    Raises:
        FeedbackError: in a group, no seller was seen to correct another listing.
    """
    corrected = fields.groupby("trace_id")["changed"].transform("any")
    listings = fields[corrected].groupby("seller_id")["trace_id"].nunique()
    of_seller = fields["seller_id"].map(listings).fillna(0)
    groups = as_groups(fields[by]) if by else "all"
    table = fields.assign(silent=of_seller == 0, looks=of_seller > corrected, group=groups)
    rows = {}
    for name, part in table.groupby("field", sort=False):
        weighted = _weighted(part)
        least, silent = part["changed"].mean(), part["silent"].mean()
        found = (len(part), silent, least, least + silent)
        rows[name] = (*found, weighted.estimate, weighted.low, weighted.high)
    names = ["published", "silent", "least", "most", "weighted", "low", "high"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names)


def _weighted(part: pd.DataFrame) -> Interval:
    """The changed share of sellers who look, weighted to all; a seller's listings are one observation."""
    looks = part["looks"].to_numpy(dtype=float)
    share = part["looks"].groupby(part["group"]).transform("mean").to_numpy(dtype=float)
    if (share == 0).any():
        group = part.loc[share == 0, "group"].iloc[0]
        raise FeedbackError(
            f"Nobody in group {group!r} was seen to correct two listings. Take larger groups."
        )
    weights = looks / share
    estimate = float(np.average(part["changed"], weights=weights))
    usual = (part["changed"] * weights).groupby(part["group"]).transform("mean")
    residuals = (weights * (part["changed"] - usual)).groupby(part["seller_id"]).sum()
    sellers = max(len(residuals), 2)
    variance = sellers / (sellers - 1) * float((residuals**2).sum()) / len(part) ** 2
    return rate_interval(estimate, variance, part.loc[part["looks"], "seller_id"].nunique(), 0.95)

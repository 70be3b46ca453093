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

import math
import sqlite3

import numpy as np
import pandas as pd
from scipy import special

from aicourse.errors import FeedbackError
from aicourse.evals.statistics import Interval

_DISAGREEMENTS = """
    SELECT CASE thumb WHEN 1 THEN 'up' WHEN -1 THEN 'down' ELSE 'none' END AS thumb,
           corrected, CASE wrong WHEN 1 THEN 'wrong' WHEN 0 THEN 'right' ELSE 'not known' END AS gold,
           COUNT(*) AS traces
    FROM (SELECT trace_id, CASE WHEN MAX(proposed <> published) THEN 'yes' ELSE 'no' END AS corrected
          FROM feedback WHERE kind = 'implicit' AND proposed IS NOT NULL GROUP BY trace_id)
    LEFT JOIN (SELECT trace_id, MIN(thumb) AS thumb FROM feedback WHERE kind = 'explicit' GROUP BY trace_id)
        USING (trace_id)
    LEFT JOIN (SELECT trace_id, MAX(verdict = 'wrong') AS wrong FROM annotations
               WHERE verdict <> 'unsure' GROUP BY trace_id) USING (trace_id)
    GROUP BY 1, 2, 3"""


def disagreements(connection: sqlite3.Connection) -> pd.DataFrame:
    """The number of traces by thumb and correction (rows) and by the annotators' verdict (columns)."""
    rows = [tuple(row) for row in connection.execute(_DISAGREEMENTS)]
    frame = pd.DataFrame(rows, columns=["thumb", "corrected", "gold", "traces"])
    return frame.pivot_table(
        index=["thumb", "corrected"], columns="gold", values="traces", aggfunc="sum", fill_value=0
    )


def published_fields(connection: sqlite3.Connection) -> pd.DataFrame:
    """The fields of published listings with a proposal, a row each, `changed` or not."""
    rows = connection.execute(
        "SELECT trace_id, seller_id, field, proposed <> published FROM feedback "
        "WHERE kind = 'implicit' AND proposed IS NOT NULL"
    )
    frame = pd.DataFrame([tuple(row) for row in rows], columns=["trace_id", "seller_id", "field", "changed"])
    return frame.astype({"changed": bool})


def wrong_rates(fields: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """The bounds and the weighted estimate of the rate of wrong proposals, a row per field.

    `fields` are `published_fields`, perhaps with a column `by` for groups that differ in who looks. `silent`
    is the share from sellers who never corrected anything; `least` counts corrections alone (the usual
    correction rate), `most` everything silent as well.

    Raises:
        FeedbackError: in a group, no seller was seen to correct another listing.
    """
    by_listing = fields.groupby(["trace_id", "seller_id"])["changed"].any()
    by_seller = by_listing.groupby("seller_id").sum()
    of_seller = fields["seller_id"].map(by_seller)
    in_this = fields.groupby("trace_id")["changed"].transform("any")
    table = fields.assign(silent=of_seller == 0, looks=of_seller > in_this, group=fields[by] if by else "all")
    rows = {}
    for name, part in table.groupby("field", sort=False):
        weighted = _weighted(part)
        least, silent = part["changed"].mean(), part["silent"].mean()
        found = (len(part), silent, least, least + silent)
        rows[name] = (*found, weighted.estimate, weighted.low, weighted.high)
    names = ["published", "silent", "least", "most", "weighted", "low", "high"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names)


def _weighted(part: pd.DataFrame, confidence: float = 0.95) -> Interval:
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
    deviation = math.sqrt(sellers / (sellers - 1) * (residuals**2).sum()) / len(part)
    reach = float(special.ndtri((1 + confidence) / 2)) * deviation
    return Interval(estimate, max(0.0, estimate - reach), min(1.0, estimate + reach), confidence)

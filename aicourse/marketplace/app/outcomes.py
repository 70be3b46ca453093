"""Outcomes of an experiment in the marketplace: what its sellers did since they met their variant.

    log = shop.store.exposures
    print(analyse(experiment, log, read_outcomes(shop.store.path, experiment, log)))

A row is one form that a seller began, from the first one on whose proposals differed (the first triggered
exposure). Forms that nobody has published yet count as not published, in every variant alike.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from aicourse.errors import ExperimentError
from aicourse.experiments.experiment import Experiment
from aicourse.marketplace.app.store import MIGRATIONS
from aicourse.sqlite import database

if TYPE_CHECKING:
    import pandas as pd

    from aicourse.experiments.log_check import Source

_FORMS = """
    SELECT listings.number, listing_id, seller_id AS person, 1 AS forms, status = 'published' AS published,
        state IS NOT 'ready' AS empty,
        iif(status = 'published', (published_ns - coalesce(finished_ns, created_ns)) / 1e9, 0.0) AS seconds,
        coalesce(proposed, 0) AS proposed, coalesce(corrected, 0) AS corrected,
        coalesce(thumbs, 0) AS thumbs, coalesce(disliked, 0) AS disliked
    FROM listings LEFT JOIN proposals USING (listing_id) LEFT JOIN (
        SELECT listing_id, count(proposed) AS proposed, sum(proposed <> published) AS corrected,
            count(thumb) AS thumbs, sum(thumb = -1) AS disliked
        FROM feedback GROUP BY listing_id
    ) USING (listing_id)"""


def read_outcomes(path: Path, experiment: Experiment, exposures: Source) -> pd.DataFrame:
    """The outcomes of the people in a log, from the marketplace's database at `path`.

    Returns:
        One row per form: `person`; `forms` (1), `published` (1 or 0), `empty` (1 if it came without a
        proposal); the `seconds` from the proposal to publishing; the fields `proposed`, and of them
        `corrected`; `thumbs` given, and of them `disliked`. The metrics of the experiment name some of these.

    Raises:
        ExperimentError: its listings are not those of the log.
        StoreError: there is no such file, or it is no database of the marketplace.
    """
    import pandas as pd

    from aicourse.experiments.log_check import read_exposures

    log = read_exposures(experiment, exposures)
    with closing(database(path, "marketplace", MIGRATIONS, new=False)) as connection:
        forms = pd.read_sql_query(_FORMS, connection)
    met = log[log["triggered"]]
    begun = forms[forms["listing_id"].isin(met.get("listing", []))].groupby("person")["number"].min()
    if missing := set(met["person"]) - set(begun.index):
        told = f"{len(missing):,} people of the log have no such listing in {path}"
        raise ExperimentError(f"{told}. Take the log that lies beside the database.", path=path)
    return forms[forms["number"] >= forms["person"].map(begun)].drop(columns=["number", "listing_id"])

"""Simulated sellers in front of the form, as the marketplace works before any model.

No real person is behind these numbers. The model of a seller is three assumptions, each a constant
below: filling in a field takes a log-normal time around a median, patience is log-normal too, and a seller
gives up at the field where the time spent passes their patience. The constants were chosen so that about
40 % give up. Lesson 00 uses it to define success before touching a model.

Not handled: returning sellers, and sellers who skip a field.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

FORM_SECONDS = {"category": 9, "colours": 14, "materials": 26, "size": 22, "condition": 10, "brand": 17}
"""The form's fields in order, with the median seconds a seller spends on each."""

TIME_SPREAD = 0.6
PATIENCE_SECONDS = 138
PATIENCE_SPREAD = 0.75


def simulate_form(sellers: int, seed: int, *, patience: float = PATIENCE_SECONDS) -> pd.DataFrame:
    """Let simulated sellers fill in the form; `patience` is their median patience, in seconds.

    Returns:
        One row per seller: `fields_filled` (0–6), `stopped_at` (name of the field, None when all were
        filled), `published` (bool) and `seconds` spent in the form.

    >>> simulate_form(1000, seed=7)["published"].mean().round(1)
    np.float64(0.6)
    """
    random = np.random.default_rng(seed)
    medians = np.array(list(FORM_SECONDS.values()), dtype=float)
    needed = medians * random.lognormal(0, TIME_SPREAD, size=(sellers, len(medians)))
    stays = patience * random.lognormal(0, PATIENCE_SPREAD, size=sellers)
    elapsed = needed.cumsum(axis=1)
    filled = (elapsed <= stays[:, None]).sum(axis=1)
    published = filled == len(medians)
    names = [*FORM_SECONDS, None]
    return pd.DataFrame(
        {
            "fields_filled": filled,
            "stopped_at": pd.Series([names[count] for count in filled], dtype="object"),
            "published": published,
            "seconds": np.where(published, elapsed[:, -1], stays).round(1),
        }
    )

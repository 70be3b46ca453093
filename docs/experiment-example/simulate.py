"""Simulated sellers meet the experiment beside this file; writes build/experiment/{exposures,outcomes}.jsonl.

They are made up: v7 lets them publish 0.12 listings more of 1.9, and takes 0.5 seconds more of 20.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from aicourse import paths
from aicourse.experiments import assign, log_exposure, read_experiment

experiment = read_experiment(Path(__file__).with_name("experiment.toml"))
folder = paths.build_dir() / "experiment"
folder.mkdir(parents=True, exist_ok=True)
log = folder / "exposures.jsonl"
log.unlink(missing_ok=True)

stream, outcomes = np.random.RandomState(14), []
for number in range(12_000):
    seller = f"s{number}"
    habit, seconds = stream.gamma(4, 0.5), stream.gamma(20)
    variant = assign(experiment, seller)
    if variant is None:  # takes no part at this step of the ramp
        continue
    log_exposure(log, experiment, seller, variant, client=f"2.{number % 3}")
    is_new = variant == "v7"
    listings = 1 + stream.poisson(habit)
    outcomes.append(
        {
            "person": seller,
            "published": stream.binomial(listings, 0.66 if is_new else 0.62),
            "published before": stream.binomial(1 + stream.poisson(habit), 0.62),
            "listings": listings,
            "seconds": stream.poisson((seconds + 0.5 * is_new) * listings),
        }
    )
pd.DataFrame(outcomes).to_json(folder / "outcomes.jsonl", orient="records", lines=True)

"""What the analysis of 1,000,000 exposures costs, beside the same in plain pandas and statsmodels.

Both sides get the same two tables: a log (one person in four met the variant twice) and a row of outcomes per
person. Both count the variants, test the ratio, drop people with several variants, and give a rate and a
ratio metric with intervals; the plain side is what one writes in a notebook. CPU time in turns, the fastest
rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from aicourse.experiments import Experiment, Guardrail, Metric, analyse

EXPOSURES = 1_000_000
ROUNDS = 5
TARGET_RATIO = 1.2

EXPERIMENT = Experiment(
    name="colours",
    salt="colours 1",
    variants={"control": 1, "v7": 1},
    share=0.5,
    people=800_000,
    primary=Metric(name="published"),
    guardrails=(
        Guardrail(name="seconds per listing", numerator="seconds", denominator="listings", tolerance=1),
    ),
)


def measure() -> list[dict[str, Any]]:
    """The figures of one run: name, value, unit, target, ok."""
    log, outcomes = _data()
    ours, plain = (lambda: analyse(EXPERIMENT, log, outcomes)), (lambda: _plain(log, outcomes))
    assert abs(ours().effects[1].difference.high - plain()[1]) < 1e-6  # the same work
    seconds = [(_seconds(ours), _seconds(plain)) for _ in range(ROUNDS)]
    ratio = min(one for one, _ in seconds) / min(other for _, other in seconds)
    return [
        {
            "name": f"analysis of {EXPOSURES:,} exposures over plain pandas, CPU",
            "value": ratio,
            "unit": "x",
            "target": TARGET_RATIO,
            "ok": ratio <= TARGET_RATIO,
        },
        _figure("the same, ours", min(one for one, _ in seconds)),
        _figure("the same, plain", min(other for _, other in seconds)),
    ]


def _figure(name: str, seconds: float) -> dict[str, Any]:
    return {"name": name, "value": seconds, "unit": "s", "target": None, "ok": None}


def _data() -> tuple[pd.DataFrame, pd.DataFrame]:
    stream = np.random.RandomState(14)
    people = EXPOSURES * 4 // 5
    person = np.array([f"s{number}" for number in range(people)], dtype=object)
    variant = np.where(stream.random_sample(people) < 0.5, "control", "v7")
    again = stream.choice(people, EXPOSURES - people, replace=False)
    log = pd.DataFrame(
        {
            "person": np.concatenate([person, person[again]]),
            "variant": np.concatenate([variant, variant[again]]),
        }
    )
    listings = 1 + stream.poisson(1.5, people)
    outcomes = pd.DataFrame(
        {
            "person": person,
            "published": stream.binomial(1, 0.6, people),
            "listings": listings,
            "seconds": stream.gamma(4, 10, people) * listings,
        }
    )
    return log, outcomes.sample(frac=1, random_state=1)


def _plain(log: pd.DataFrame, outcomes: pd.DataFrame) -> tuple[float, float]:
    """The same by hand: the upper ends of both intervals."""
    met = log.groupby("person")["variant"].agg(["nunique", "first"])
    met = met[met["nunique"] == 1].rename(columns={"first": "variant"})
    stats.chisquare(met["variant"].value_counts().reindex(["control", "v7"]))
    merged = met.merge(outcomes, left_index=True, right_on="person", how="left").fillna(0)
    control, new = (merged[merged["variant"] == name] for name in ("control", "v7"))
    rates = CompareMeans(DescrStatsW(new["published"]), DescrStatsW(control["published"]))
    linear = [_linearised(part) for part in (new, control)]
    ratios = CompareMeans(DescrStatsW(linear[0]), DescrStatsW(linear[1]))
    return tuple(one.tconfint_diff(usevar="unequal")[1] for one in (rates, ratios))


def _linearised(part: pd.DataFrame) -> pd.Series:
    ratio = part["seconds"].sum() / part["listings"].sum()
    return ratio + (part["seconds"] - ratio * part["listings"]) / part["listings"].mean()


def _seconds(function: Callable[[], object]) -> float:
    started = process_time()
    function()
    return process_time() - started

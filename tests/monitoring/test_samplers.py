"""Samplers: exact sizes, the probabilities that they promise, nothing left out for good."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse.errors import FeedbackError
from aicourse.monitoring.samplers import (
    inclusion_probabilities,
    sample_corrected,
    sample_random,
    sample_stratified,
    sample_uncertain,
)

TRACES = pd.DataFrame(
    {
        "corrected": [place % 5 == 0 for place in range(60)],
        "category": ["shoes"] * 40 + ["clothing"] * 17 + ["furniture"] * 3,
        "empty_fields": [place % 4 for place in range(60)],
    },
    index=pd.Index([f"t{place}" for place in range(60)], name="trace_id"),
)
Sampler = Callable[[int], pd.DataFrame]
SAMPLERS: dict[str, Sampler] = {
    "random": lambda seed: sample_random(TRACES, 12, seed=seed),
    "stratified": lambda seed: sample_stratified(TRACES, 12, "category", seed=seed),
    "corrected": lambda seed: sample_corrected(TRACES, 12, seed=seed),
    "uncertain": lambda seed: sample_uncertain(TRACES, 12, seed=seed),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_each_trace_is_drawn_as_often_as_its_probability_says(name: str) -> None:
    rounds = 400
    drawn = pd.Series(0, TRACES.index)
    promised: dict[str, float] = {}
    for seed in range(rounds):
        sample = SAMPLERS[name](seed)
        assert len(sample) == 12
        assert sample.index.is_unique
        drawn[sample.index] += 1
        promised |= sample["probability"].to_dict()
    probability = pd.Series(promised).reindex(TRACES.index)
    assert probability.notna().all()  # each was drawn at least once
    deviation = np.sqrt(probability * (1 - probability) / rounds)
    assert ((drawn / rounds - probability).abs() <= 4.5 * deviation + 1e-12).all()
    assert set(sample["sampler"]) == {name}


def test_a_stratum_has_its_share_and_a_rare_one_is_taken_whole() -> None:
    sample = sample_stratified(TRACES, 13, "category")
    assert sample["stratum"].value_counts().to_dict() == {"shoes": 5, "clothing": 5, "furniture": 3}
    assert set(sample.loc[sample["stratum"] == "furniture", "probability"]) == {1.0}
    assert sample_corrected(TRACES, 20)["corrected"].sum() == 10
    assert sample_corrected(TRACES, 20, share=0.3)["corrected"].sum() == 6


def test_a_missing_group_is_a_group() -> None:
    traces = TRACES.assign(category=[None] * 30 + ["shoes"] * 30)
    assert sample_stratified(traces, 10, "category")["stratum"].value_counts().to_dict() == {
        "not known": 5,
        "shoes": 5,
    }


def test_the_uncertain_ones_are_likelier_and_the_sure_ones_are_not_left_out() -> None:
    sample = sample_uncertain(TRACES, 12)
    by_value = sample.groupby("empty_fields")["probability"].first()
    assert by_value.is_monotonic_increasing
    everything = sample_uncertain(TRACES.assign(empty_fields=0), 12)
    assert set(everything["probability"].round(9)) == {0.2}
    with pytest.raises(FeedbackError, match="below 0"):
        sample_uncertain(TRACES.assign(empty_fields=-1), 12)


def test_the_seed_decides() -> None:
    assert list(sample_random(TRACES, 12, seed=1).index) == list(sample_random(TRACES, 12, seed=1).index)
    assert list(sample_random(TRACES, 12, seed=1).index) != list(sample_random(TRACES, 12, seed=2).index)


def test_more_than_there_are_is_all_of_them() -> None:
    sample = sample_random(TRACES, 100)
    assert sorted(sample.index) == sorted(TRACES.index)
    assert set(sample["probability"]) == {1.0}


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(FeedbackError, match="draw 1 or more"):
        sample_random(TRACES, 0)
    with pytest.raises(FeedbackError, match="something of each"):
        sample_corrected(TRACES, 10, share=1.0)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=30), st.integers(1, 30))
def test_probabilities_add_up_to_the_size_in_the_order_of_the_weights(weights: list[float], n: int) -> None:
    found = inclusion_probabilities(np.array(weights), n)
    assert found.sum() == pytest.approx(min(n, len(weights)))
    assert ((found > 0) & (found <= 1)).all()
    order = np.argsort(weights)
    assert (np.diff(found[order]) >= -1e-9).all()

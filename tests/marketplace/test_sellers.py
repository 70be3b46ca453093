"""The simulated sellers do what their docstring says."""

from __future__ import annotations

import math

import pandas as pd

from aicourse.marketplace import FORM_SECONDS, simulate_form


def test_about_forty_percent_give_up_whatever_the_seed() -> None:
    shares = [1 - simulate_form(2000, seed)["published"].mean() for seed in range(10)]
    assert all(0.36 <= share <= 0.46 for share in shares), shares


def test_a_seed_gives_the_same_sellers() -> None:
    pd.testing.assert_frame_equal(simulate_form(50, seed=3), simulate_form(50, seed=3))
    assert not simulate_form(50, seed=3).equals(simulate_form(50, seed=4))


def test_columns_agree_with_each_other() -> None:
    sellers = simulate_form(500, seed=1)
    fields = list(FORM_SECONDS)
    for seller in sellers.itertuples():
        assert seller.published == (seller.fields_filled == len(fields))
        stopped_at = (
            None
            if isinstance(seller.stopped_at, float) and math.isnan(seller.stopped_at)
            else seller.stopped_at
        )
        assert stopped_at == (None if seller.published else fields[seller.fields_filled])
        assert seller.seconds > 0


def test_the_slow_fields_lose_the_most_sellers() -> None:
    lost = simulate_form(5000, seed=2)["stopped_at"].value_counts()
    assert set(lost.index[:2]) == {"materials", "size"}


def test_with_less_patience_fewer_publish_and_all_stay_for_a_shorter_time() -> None:
    calm, hurried = simulate_form(500, seed=1), simulate_form(500, seed=1, patience=69)
    assert set(hurried.index[hurried["published"]]) < set(calm.index[calm["published"]])
    assert (hurried["seconds"] <= calm["seconds"]).all()

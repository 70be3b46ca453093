"""Who never corrects: bounds, a weighted estimate, disagreement; checked where the truth is known."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from aicourse.errors import FeedbackError
from aicourse.monitoring.feedback import record_published, record_thumb
from aicourse.monitoring.samplers import published_traces, sample_stratified
from aicourse.monitoring.silence import disagreements, published_fields, wrong_rates


def simulated(seed: int, listings: int = 3_000) -> tuple[pd.DataFrame, float]:
    """Two fields; 300 sellers look or never look, careless ones in a category with more mistakes."""
    stream = np.random.RandomState(seed)
    of = np.sort(stream.randint(300, size=listings))
    category = np.where(np.arange(300) < 150, "shoes", "clothing")
    looks = stream.random_sample(300) < np.where(category == "shoes", 0.8, 0.4)
    rate = np.where(category == "shoes", 0.1, 0.3)[of]
    frames = []
    for field in ("brand", "size"):
        wrong = stream.random_sample(listings) < rate
        columns = {"seller_id": of, "field": field, "changed": wrong & looks[of], "category": category[of]}
        frames.append(pd.DataFrame({"trace_id": range(listings), **columns, "wrong": wrong}))
    table = pd.concat(frames)
    return table, float(table.loc[table["field"] == "brand", "wrong"].mean())


def test_the_truth_lies_between_the_bounds_and_in_the_weighted_interval() -> None:
    covered, errors, unweighted = [], [], []
    for seed in range(60):
        table, truth = simulated(seed)
        brand = wrong_rates(table, by="category").loc["brand"]
        assert brand["least"] < truth - 0.03 < truth < brand["most"]
        errors.append(brand["weighted"] - truth)
        unweighted.append(wrong_rates(table).loc["brand", "weighted"] - truth)
        covered.append(brand["low"] <= truth <= brand["high"])
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(60)
    assert np.mean(unweighted) < -0.02  # without groups, those who look have the easier things
    assert np.mean(covered) >= 0.87  # 3 standard errors below 95 %


def test_a_small_table_by_hand(connection: sqlite3.Connection, publish: Callable[..., list[str]]) -> None:
    publish(1, "a", brand="Nike")
    publish(2, "a", brand="Puma")
    publish(3, "a")
    publish(4, "b", brand="Asics")
    publish(5, "c")
    found = wrong_rates(published_fields(connection)).loc["brand"]
    assert found["published"] == 5
    assert (found["silent"], found["least"], found["most"]) == pytest.approx((0.2, 0.6, 0.8))
    assert found["weighted"] == pytest.approx(2 / 3)  # of t1, t2, t3: b's only correction is in t4 itself
    size = wrong_rates(published_fields(connection)).loc["size"]
    assert size["least"] == size["weighted"] == size["low"] == 0
    _, high = proportion_confint(0, 1, method="wilson")  # one seller looked: silence is no certainty
    assert size["high"] == pytest.approx(high)


def test_a_group_in_which_nobody_looks_is_told(
    publish: Callable[..., list[str]], connection: sqlite3.Connection
) -> None:
    publish(1, "a", brand="Nike")
    with pytest.raises(FeedbackError, match="Nobody in group 'all'"):
        wrong_rates(published_fields(connection))


def test_where_thumbs_corrections_and_gold_disagree(
    connection: sqlite3.Connection, publish: Callable[..., list[str]], judge: Callable[..., None]
) -> None:
    publish(1)
    judge(1, brand="Nike")  # thumb up, nothing corrected, and wrong
    record_thumb(connection, "t1", seller_id="s1", thumb=1)
    publish(2, brand="Nike")
    judge(2)  # changed though right
    publish(3)
    table = disagreements(connection)
    assert table.loc[("up", "no"), "wrong"] == 1
    assert table.loc[("none", "yes"), "right"] == 1
    assert table.loc[("none", "no"), "not known"] == 1
    assert table.to_numpy().sum() == 3


def test_published_traces_have_their_spans_and_thumbs(
    connection: sqlite3.Connection, publish: Callable[..., list[str]]
) -> None:
    publish(1, brand="Nike", size=None)
    publish(2)
    record_thumb(connection, "t1", seller_id="s1", thumb=-1)
    insert = (
        "INSERT INTO spans (span_id, trace_id, name, started_ns, seconds, status, attributes, events, "
        "category, prompt_version) VALUES (?, 't1', ?, 1, 1.0, 'ok', '{}', '[]', ?, ?)"
    )
    connection.execute(insert, ("a", "propose", "shoes", None))
    connection.execute(insert, ("b", "chat m", None, "v4"))
    traces = published_traces(connection)
    assert list(traces.index) == ["t1", "t2"]
    first = traces.loc["t1"]
    assert (first["corrections"], first["corrected"], first["thumb"]) == (2, True, -1)
    assert (first["category"], first["prompt_version"], first["listing_id"]) == ("shoes", "v4", "l1")
    assert not traces.loc["t2", "corrected"]


def test_proposals_that_nobody_traced_are_no_trace(
    connection: sqlite3.Connection, publish: Callable[..., list[str]], proposed: dict[str, Any]
) -> None:
    publish(1, "a", brand="Nike")
    publish(2, "a", brand="Nike")
    for listing in ("l8", "l9"):
        record_published(
            connection, None, listing_id=listing, seller_id="b", proposed=proposed, published=proposed
        )
    assert list(published_traces(connection).index) == ["t1", "t2"]
    assert disagreements(connection).to_numpy().sum() == 2
    assert wrong_rates(published_fields(connection)).loc["brand", "published"] == 2


def test_listings_without_a_group_are_a_group(
    connection: sqlite3.Connection, publish: Callable[..., list[str]]
) -> None:
    for number in range(1, 5):
        publish(number, "a" if number < 3 else "b", brand="Nike")
    fields = published_fields(connection)
    fields["category"] = fields["trace_id"].map({"t1": "shoes", "t2": "shoes"})
    assert wrong_rates(fields, by="category").loc["brand", "weighted"] == 1


def test_a_sample_can_be_stratified_by_the_thumb(
    connection: sqlite3.Connection, publish: Callable[..., list[str]]
) -> None:
    for number in range(1, 7):
        publish(number)
    record_thumb(connection, "t1", seller_id="s1", thumb=-1)
    sample = sample_stratified(published_traces(connection), 3, "thumb")
    assert sample.loc["t1", "probability"] == 1
    assert sorted(map(str, sample["stratum"])) == ["-1.0", "not known", "not known"]

"""The simulated fortnight: reproducible, driven by gold labels, incidents where the secret seed puts them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pandas as pd
import pytest

from aicourse.datasets import ATTRIBUTES
from aicourse.errors import DatasetError
from aicourse.marketplace.traffic import (
    INCIDENTS,
    Incident,
    Reply,
    is_wrong,
    parameters,
    place_incidents,
    seed_of,
    simulate,
    store,
)
from aicourse.monitoring.feedback import as_kept
from aicourse.monitoring.metrics import read_metrics
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database

SEED = seed_of("ada", "a secret")


@pytest.fixture(scope="module")
def requests(listings: pd.DataFrame, replies: list[Reply]) -> pd.DataFrame:
    return simulate(listings, replies, SEED)


def with_one(name: str, listings: pd.DataFrame, replies: list[Reply], start: int, hours: int) -> pd.DataFrame:
    """The requests in the hours of an incident."""
    requests = simulate(listings, replies, SEED, [Incident(name, start, start + hours)])
    hour = (requests["started_ns"] - pd.Timestamp(parameters()["start"]).value) // (3_600 * 10**9)
    return requests[(hour >= start) & (hour < start + hours)]


# seeds


def test_a_seed_makes_one_fortnight(
    listings: pd.DataFrame, replies: list[Reply], requests: pd.DataFrame
) -> None:
    pd.testing.assert_frame_equal(simulate(listings, replies, SEED), requests)
    assert len(simulate(listings, replies, seed_of("grace", "a secret"))) != len(requests)


def test_without_the_salt_nobody_knows_where_incidents_lie() -> None:
    places = [tuple(place_incidents(seed_of("ada", f"salt {number}"))) for number in range(200)]
    assert len(set(places)) > 150
    first_days = [next(one.start // 24 for one in place if one.name == "outage") for place in places]
    assert sorted(set(first_days)) == parameters()["incidents"]["slots"]
    assert len(SEED) == 32  # nobody tries them all


def test_incidents_keep_a_day_apart() -> None:
    for student in range(50):
        found = place_incidents(seed_of(str(student), "salt"))
        assert {one.name for one in found} == set(INCIDENTS)
        assert all(after.start - before.end >= 24 for before, after in itertools.pairwise(found))
        assert found[0].start >= 24 * 4
    assert [one.name for one in place_incidents(SEED, ["outage"])] == ["outage"]


# traffic


def test_as_much_as_the_parameters_say(requests: pd.DataFrame) -> None:
    assert len(requests) == pytest.approx(parameters()["requests"], abs=4 * 12_000**0.5)
    at = pd.to_datetime(requests["started_ns"])
    assert at.is_monotonic_increasing
    assert (at.min().date(), at.max().date()) == (
        pd.Timestamp("2026-10-05").date(),
        pd.Timestamp("2026-10-18").date(),
    )
    hours = at.dt.hour.value_counts(normalize=True)
    assert hours[20] == pytest.approx(10 / sum(parameters()["hours"]), rel=0.1)
    assert requests.groupby("seller")["client"].nunique().max() == 1


def test_a_quiet_fortnight_has_nothing_planted(requests: pd.DataFrame) -> None:
    assert set(requests["prompt_version"]) == {"v4"}
    assert not requests["truncated"].any()
    assert requests["listing"].max() < "N171"
    assert (requests["error"] != "").mean() == pytest.approx(0.008, abs=0.003)


def test_each_incident(listings: pd.DataFrame, replies: list[Reply]) -> None:
    costly = with_one("costly_prompt", listings, replies, 100, 10)
    assert set(costly["prompt_version"]) == {"v6"}
    assert not costly["cached_tokens"].any()
    truncating = with_one("truncating_client", listings, replies, 96, 24)
    assert set(truncating[truncating["truncated"]]["client"]) == {"android 7.5"}
    assert truncating["truncated"].mean() == pytest.approx(0.35, abs=0.06)
    new = with_one("new_kind", listings, replies, 96, 24)
    assert (new["listing"] >= "N171").mean() == pytest.approx(0.35, abs=0.06)
    outage = with_one("outage", listings, replies, 110, 2)
    assert (outage["error"] != "").mean() == pytest.approx(0.9, abs=0.1)
    usual, festival = (with_one(name, listings, replies, 96, 24) for name in ("outage", "festival"))
    assert len(festival) == pytest.approx(2.5 * len(usual), rel=0.15)


# sellers


@pytest.mark.parametrize(
    ("field", "proposed", "gold", "expected"),
    [
        ("colours", ["red", "blue"], ["blue", "red"], False),
        ("colours", [], ["blue"], True),
        ("brand", "ZARA", "Zara", False),
        ("brand", None, "Zara", True),
        ("size", "1 m", "100 cm", False),
        ("size", "100 cm", None, True),
        ("condition", None, None, False),
    ],
)
def test_what_a_seller_would_correct(field: str, proposed: object, gold: object, expected: bool) -> None:
    assert is_wrong(field, proposed, gold) is expected


def test_sellers_correct_only_what_is_wrong(
    listings: pd.DataFrame, replies: list[Reply], requests: pd.DataFrame
) -> None:
    known, gold = {reply.key: reply for reply in replies}, listings[list(ATTRIBUTES)].to_dict("index")
    chances, corrected = 0, 0
    for row in requests.itertuples():
        proposal = known[(row.listing, row.prompt_version, row.truncated)].proposal
        fields = row.corrected.split()
        if fields:
            assert proposal is not None
            assert row.published
            assert not row.error
            assert all(is_wrong(name, proposal[name], gold[row.listing][name]) for name in fields)
        if proposal and row.published and not row.error:
            chances += is_wrong("category", proposal["category"], gold[row.listing]["category"])
            corrected += "category" in fields
    assert corrected / chances == pytest.approx(0.9 * 0.7, abs=0.05)  # 30 % never correct


def test_an_edit_is_not_gold(
    fortnight: Callable[..., tuple], listings: pd.DataFrame, requests: pd.DataFrame
) -> None:
    corrected, slips = requests["corrected"].str.split(), requests["slips"].str.split()
    assert all(set(few) <= set(many) for few, many in zip(slips, corrected, strict=True))
    share = slips.str.len().sum() / corrected.str.len().sum()
    assert share == pytest.approx(parameters()["sellers_of"]["slips"], abs=0.02)
    connection, _ = fortnight("ada", (), "a secret")
    edits = connection.execute(
        "SELECT listing_id, field, published FROM feedback WHERE kind = 'implicit' AND proposed <> published"
    ).fetchall()
    gold = listings[list(ATTRIBUTES)].to_dict("index")
    wrong = [as_kept(gold[name.split("-")[0]][field]) != published for name, field, published in edits]
    assert sum(wrong) == slips.str.len().sum() > 100


def test_thumbs_are_rare_and_follow_mistakes(
    listings: pd.DataFrame, replies: list[Reply], requests: pd.DataFrame
) -> None:
    assert (requests["thumb"] != 0).mean() == pytest.approx(0.06, abs=0.01)
    gold = listings[list(ATTRIBUTES)].to_dict("index")
    mistakes = {
        reply.listing: sum(
            is_wrong(name, value, gold[reply.listing][name]) for name, value in proposal.items()
        )
        for reply in replies
        if (proposal := reply.proposal)
        and (reply.prompt_version, reply.truncated) == (parameters()["prompt_version"], False)
    }
    thumbs = requests[requests["thumb"] != 0]
    is_down, wrong = thumbs["thumb"] < 0, thumbs["listing"].map(mistakes)
    assert is_down[wrong <= 1].mean() == pytest.approx(0.3, abs=0.1)
    assert is_down[wrong >= 4].mean() > 0.9


def test_a_reply_that_is_missing(listings: pd.DataFrame, replies: list[Reply]) -> None:
    some = [reply for reply in replies if reply.listing != "N007"]
    with pytest.raises(DatasetError, match=r"No reply for .*N007"):
        simulate(listings, some, SEED)


def test_replies_and_requests_that_do_not_fit(
    listings: pd.DataFrame, replies: list[Reply], requests: pd.DataFrame
) -> None:
    some = [reply for reply in replies if reply.listing != "N007"]
    with pytest.raises(DatasetError, match=r"No reply for .*N007"):
        store(database(":memory:", "monitoring", MIGRATIONS), requests, some, listings)


# the database


def test_the_store_has_what_was_simulated(fortnight: Callable[..., tuple], requests: pd.DataFrame) -> None:
    connection, _ = fortnight("ada", (), "a secret")
    table = read_metrics(connection, "prompt_version")
    assert table["requests"].tolist() == [len(requests)]
    assert table["failed"].iloc[0] == pytest.approx((requests["error"] != "").mean())
    assert table["cached_tokens"].iloc[0] == requests["cached_tokens"].sum()
    edits = "SELECT count(*) FROM feedback WHERE kind = 'implicit' AND proposed <> published"
    assert connection.execute(edits).fetchone()[0] == requests["corrected"].str.split().str.len().sum()
    alone = "SELECT count(DISTINCT trace_id) FROM feedback WHERE kind = 'implicit' AND proposed IS NULL"
    unproposed = requests["published"] & (requests["error"] != "")
    assert connection.execute(alone).fetchone()[0] >= unproposed.sum() > 0
    child = connection.execute(
        "SELECT * FROM spans WHERE operation = 'chat' AND status = 'ok' LIMIT 1"
    ).fetchone()
    assert child["parent_id"] is not None
    expected = (child["input_tokens"] - child["cached_tokens"]) * 0.1 + child["cached_tokens"] * 0.01
    assert child["cost_usd"] == pytest.approx((expected + child["output_tokens"] * 0.5) / 1e6)
    whole = "SELECT until_ns = (SELECT max(started_ns) FROM spans) FROM data_sets"
    assert connection.execute(whole).fetchone()[0]  # tracing into a copy deletes nothing

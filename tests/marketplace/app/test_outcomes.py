"""Outcomes of an experiment: the forms of those who met it, from the shop's own tables, and analysed."""

from __future__ import annotations

from pathlib import Path

import pytest
from selling_steps import PROPOSED, AtOnce
from typer.testing import CliRunner

from aicourse.errors import ExperimentError, StoreError
from aicourse.experiments import Experiment, Metric, assign
from aicourse.marketplace.app import Store, read_outcomes
from aicourse.marketplace.app.proposing import Proposer
from aicourse.marketplace.app.store import Draft
from aicourse.monitoring.feedback import record_thumb
from aicourse.monitoring.tracing import start_tracing
from aicourse.testing import ScriptedModel
from aicourse.tooling import cli

FILE = """
name = "complete forms"
salt = "s"
variants = {v4 = 1, v6 = 1}
share = 0.5
primary = {name = "published", denominator = "forms"}

[[guardrails]]
name = "corrections per form"
numerator = "corrected"
denominator = "forms"
better = "lower"
tolerance = 1
"""
EXPERIMENT = Experiment(
    name="complete forms", salt="s", variants={"v4": 1, "v6": 1}, share=0.5, primary=Metric(name="published")
)
OTHER = PROPOSED.model_copy(update={"condition": "fair"})
SELLERS = tuple("abcdefgh")


class Shop:
    """Sellers of an experiment, each in the variant that they are dealt."""

    def __init__(self, store: Store) -> None:
        self.store, self.model = store, ScriptedModel()
        self.proposer = Proposer(
            store, self.model.client, "m", "extract_listing@v4", 20, EXPERIMENT, pool=AtOnce()
        )

    def begin(self, seller: str, *, differ: bool = True) -> str:
        """A draft whose variants propose different things, or the same."""
        self.model.enqueue(PROPOSED, OTHER if differ else PROPOSED)
        draft = Draft(
            seller, f"{len(self.model.history)}", "Navy coat", "Wool, size M, Zara.", client="web 1"
        )
        listing_id, _ = self.store.add_draft(draft)
        self.proposer.begin(listing_id, draft)
        return listing_id

    def publish(self, listing_id: str, seller: str, **changes: str) -> None:
        listing = self.store.listing(listing_id, seller)
        assert listing
        assert self.store.publish(listing, "Ida", PROPOSED.model_copy(update=changes))


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def test_a_row_is_a_form_from_the_first_triggered_one_on(shop: Shop) -> None:
    with start_tracing(shop.store.path):
        before = shop.begin("ida", differ=False)
        first = shop.begin("ida")
        after = shop.begin("ida", differ=False)
        shop.begin("bob", differ=False)
    for listing_id, brand in ((before, "Mango"), (first, "Mango"), (after, "Zara")):
        shop.publish(listing_id, "ida", brand=brand, size="L")
    with shop.store.changing() as connection:
        trace = shop.store.proposal(first)
        assert trace
        assert trace.trace_id
        record_thumb(connection, trace.trace_id, seller_id="ida", listing_id=first, thumb=-1)
        connection.execute("UPDATE proposals SET finished_ns = 1000000000")
        connection.execute("UPDATE listings SET published_ns = 3500000000 WHERE listing_id = ?", (first,))
    found = read_outcomes(shop.store.path, EXPERIMENT, shop.store.exposures)
    assert found["person"].tolist() == ["ida", "ida"]
    assert found.drop(columns=["person", "seconds"]).to_dict("list") == {
        "forms": [1, 1],
        "published": [1, 1],
        "empty": [0, 0],
        "proposed": [6, 6],
        "corrected": [2, 1],
        "thumbs": [1, 0],
        "disliked": [1, 0],
    }
    assert found["seconds"].iloc[0] == 2.5


def test_what_is_not_published_or_came_empty_counts(shop: Shop) -> None:
    draft = shop.begin("ida")
    with shop.store.changing() as connection:
        connection.execute("UPDATE proposals SET state = 'failed', problem = 'down', attributes = NULL")
    shop.begin("ida")
    assert shop.store.listing(draft, "ida")
    found = read_outcomes(shop.store.path, EXPERIMENT, shop.store.exposures)
    assert found[["published", "empty", "corrected", "seconds"]].to_numpy().tolist() == [
        [0, 1, 0, 0],
        [0, 0, 0, 0],
    ]


def test_the_shops_own_log_and_database_are_analysed_on_the_command_line(shop: Shop, tmp_path: Path) -> None:
    expected = {"v4": [], "v6": []}
    for number, seller in enumerate(SELLERS):
        variant = assign(EXPERIMENT, seller)
        assert variant
        listing_id = shop.begin(seller)
        if number % 3:
            shop.publish(listing_id, seller)
        expected[variant].append(bool(number % 3))
    (tmp_path / "experiment.toml").write_text(FILE)
    files = [str(tmp_path / "experiment.toml"), str(shop.store.exposures), str(shop.store.path)]
    result = CliRunner().invoke(cli.app, ["experiment", "analyse", *files, "--by", "client"])
    v4, v6 = (sum(values) / len(values) for values in expected.values())
    row = next(line for line in result.output.splitlines() if line.startswith("published")).split()
    assert row[:5] == ["published", "v6", str(len(expected["v4"])), "and", str(len(expected["v6"]))]
    assert [float(row[5]), float(row[6])] == pytest.approx([v4, v6], abs=1e-3)


def test_a_log_of_another_shop_is_refused(shop: Shop, tmp_path: Path) -> None:
    shop.begin("ida")
    other = Store(tmp_path / "other.sqlite3")
    with pytest.raises(ExperimentError, match=r"1 people of the log have no such listing in .*other"):
        read_outcomes(other.path, EXPERIMENT, shop.store.exposures)
    other.close()
    with pytest.raises(StoreError, match=r"Did you mean .*other\.sqlite3"):
        read_outcomes(tmp_path / "othr.sqlite3", EXPERIMENT, shop.store.exposures)
    assert not (tmp_path / "othr.sqlite3").exists()

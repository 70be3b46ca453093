"""Tests of the traffic share the listings of production, and what the model replied to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

import pandas as pd
import pytest

from aicourse.datasets import read_listings
from aicourse.marketplace import traffic
from aicourse.marketplace.production import read_replies
from aicourse.marketplace.traffic import INCIDENTS, Incident, Reply
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.paths import datasets_dir
from aicourse.sqlite import database

FOLDER = datasets_dir() / "production"


@pytest.fixture(scope="session")
def listings() -> pd.DataFrame:
    return read_listings(FOLDER / "listings.jsonl")


@pytest.fixture(scope="session")
def replies() -> list[Reply]:
    return read_replies(FOLDER / "replies.jsonl")


Fortnight = tuple[sqlite3.Connection, list[Incident]]


@pytest.fixture
def fortnight(listings: pd.DataFrame, replies: list[Reply]) -> Callable[..., Fortnight]:
    """The database of a student's fortnight, in memory, and where its incidents lie."""

    def build(student: str, names: Iterable[str] = INCIDENTS, salt: str = "salt of the tests") -> Fortnight:
        seed = traffic.seed_of(student, salt)
        incidents = traffic.place_incidents(seed, list(names))
        connection = database(":memory:", "monitoring", MIGRATIONS)
        traffic.store(connection, traffic.simulate(listings, replies, seed, incidents), replies, listings)
        return connection, incidents

    return build

"""Tests of the traffic share listings, and replies that a seeded spoiler makes of their gold labels."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aicourse.datasets import CATEGORIES, COLOURS, CONDITIONS, MATERIALS, read_listings
from aicourse.marketplace import traffic
from aicourse.marketplace.traffic import INCIDENTS, Incident, Reply
from aicourse.monitoring.span_store import MIGRATIONS
from aicourse.sqlite import database

ERRORS = {"category": 0.15, "colours": 0.25, "materials": 0.3, "size": 0.3, "condition": 0.35, "brand": 0.15}
LOST = 0.35  # the share of stated fields that a truncated text no longer states
OTHERS: dict[str, list[Any]] = {
    "category": list(CATEGORIES),
    "colours": [[colour] for colour in COLOURS],
    "materials": [[material] for material in MATERIALS],
    "size": ["M", "EU 38", "90x55x40 cm", None],
    "condition": list(CONDITIONS),
    "brand": ["Zara", "Ikea", None],
}


def spoiled(name: str, gold: dict[str, Any], version: str, truncated: bool) -> Reply:
    """A reply with mistakes: the same ones each time, and other ones in each version."""
    chance = random.Random(f"{name} {version} {truncated}")
    proposal = dict(gold)
    for field, rate in ERRORS.items():
        if chance.random() < rate:
            proposal[field] = chance.choice(OTHERS[field])
        if truncated and field != "category" and chance.random() < LOST:
            proposal[field] = [] if isinstance(gold[field], list) else None
    is_valid = chance.random() > 0.02
    characters = 60 if truncated else chance.randint(80, 400)
    tokens = 900 + characters // 4
    seconds = round(chance.uniform(0.8, 1.6), 3)
    return Reply(name, version, truncated, proposal if is_valid else None, characters, tokens, 55, seconds)


@pytest.fixture(scope="session")
def listings() -> pd.DataFrame:
    return read_listings(Path(__file__).parents[2] / "datasets" / "production" / "listings.jsonl")


@pytest.fixture(scope="session")
def replies(listings: pd.DataFrame) -> list[Reply]:
    gold = listings[list(ERRORS)].to_dict("index")
    kinds = [(version, truncated) for version in ("4", "6") for truncated in (False, True)]
    return [spoiled(str(name), gold[name], *kind) for name in gold for kind in kinds]


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

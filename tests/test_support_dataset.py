"""The messages to support: teams, splits and what makes them hard, and no near copies."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from aicourse.datasets import TEAMS, load_tickets
from aicourse.errors import DatasetError
from aicourse.paths import datasets_dir

FOLDER = datasets_dir() / "support"
TAGS = {"two_topics", "angry", "other_words", "typos", "other_language", "short"}


@pytest.fixture(scope="module")
def tickets() -> pd.DataFrame:
    return load_tickets()


def test_every_team_has_fifteen_messages_and_both_splits_have_all_kinds(tickets: pd.DataFrame) -> None:
    assert tickets["split"].value_counts().to_dict() == {"dev": 60, "test": 60}
    assert tickets["team"].value_counts().to_dict() == dict.fromkeys(TEAMS, 15)
    assert list(tickets.index) == [f"T{number:03}" for number in range(1, 121)]
    for split, part in tickets.groupby("split"):
        assert set(itertools.chain.from_iterable(part["tags"])) == TAGS, split
        assert part["team"].value_counts().min() >= 7, split
        for tag in TAGS - {
            "typos",
            "other_words",
        }:  # a team without a tag in a split would be told by its form
            tagged = part[part["tags"].map(lambda tags, tag=tag: tag in tags)]
            assert set(tagged["team"]) == set(TEAMS), (split, tag)


def test_a_second_team_is_named_exactly_where_a_message_has_two_topics(tickets: pd.DataFrame) -> None:
    assert tickets["also"].notna().equals(tickets["tags"].map(lambda tags: "two_topics" in tags))
    assert set(tickets["also"].dropna()) <= set(TEAMS)
    assert (tickets["also"] != tickets["team"]).all()


def test_other_languages_and_short_messages_are_tagged(tickets: pd.DataFrame) -> None:
    assert (tickets["language"] != "en").equals(tickets["tags"].map(lambda tags: "other_language" in tags))
    short = tickets["tags"].map(lambda tags: "short" in tags)
    assert (tickets.loc[short, "message"].str.split().str.len() <= 10).all()


def test_no_message_is_a_near_copy_of_another(tickets: pd.DataFrame) -> None:
    matrix = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(tickets["message"])
    similarity = (matrix @ matrix.T).toarray()
    np.fill_diagonal(similarity, 0)
    assert similarity.max() < 0.5


def test_no_sentence_frame_is_used_more_than_three_times(tickets: pd.DataFrame) -> None:
    sentences = itertools.chain.from_iterable(re.split(r"[.!?]+", m.lower()) for m in tickets["message"])
    frames = Counter(" ".join(words[:4]) for s in sentences if len(words := re.findall(r"\w+", s)) >= 4)
    assert [frame for frame, count in frames.items() if count > 3] == []


def test_the_hidden_split_is_refused() -> None:
    with pytest.raises(DatasetError, match="hidden"):
        load_tickets("grader")


def test_the_datasheet_states_the_hash_of_each_file() -> None:
    digest = hashlib.sha256((FOLDER / "tickets.jsonl").read_bytes()).hexdigest()
    assert f"- `tickets.jsonl` {digest}" in (FOLDER / "README.md").read_text(encoding="utf-8")

"""The routing messages: routes, calls that stand in the message, traps in every route, no near copies."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import cohen_kappa_score

from aicourse.datasets import ROUTES, help_articles, load_routing, load_tickets, routing_second_annotator
from aicourse.errors import DatasetError
from aicourse.paths import datasets_dir

FOLDER = datasets_dir() / "support"
KINDS = {
    "tool": {"single", "parallel"},
    "reply": {"irrelevant", "small_talk", "refuse"},
    "clarify": {"missing_argument", "ambiguous"},
    "hand_over": {"missing_tool", "asks_for_person", "danger"},
}
TAGS = {"angry", "other_words", "typos", "other_language", "short"}


@pytest.fixture(scope="module")
def routing() -> pd.DataFrame:
    return load_routing()


def tools_of_the_guide() -> dict[str, set[str]]:
    """Each tool in the guide's table, with its arguments."""
    rows = [line.split("|") for line in (FOLDER / "GUIDE.md").read_text(encoding="utf-8").splitlines()]
    table = itertools.dropwhile(lambda cells: cells[1:2] != [" tool "], rows)
    body = itertools.takewhile(lambda cells: len(cells) == 5, itertools.islice(table, 2, None))
    return {
        cells[1].strip(" `"): set(re.findall(r"`(\w+)`", re.sub(r"\(.*\)", "", cells[3]))) for cells in body
    }


def test_the_routes_are_balanced_and_both_splits_have_every_kind(routing: pd.DataFrame) -> None:
    assert list(routing.index) == [f"R{number:02}" for number in range(1, 61)]
    assert routing["split"].value_counts().to_dict() == {"dev": 24, "test": 36}
    counts = routing.groupby("split")["route"].value_counts().unstack()[list(ROUTES)]
    assert counts.loc["dev"].tolist() == [9, 5, 5, 5]
    assert counts.loc["test"].tolist() == [15, 7, 7, 7]
    for split, part in routing.groupby("split"):
        assert {route: set(kinds) for route, kinds in part.groupby("route")["kind"]} == KINDS, split


def test_calls_are_those_of_the_route_and_name_tools_of_the_guide(routing: pd.DataFrame) -> None:
    tools = tools_of_the_guide()
    assert len(tools) == 7
    for message in routing.itertuples():
        assert bool(message.calls) == (message.route == "tool"), message.Index
        assert (len(message.calls) > 1) == (message.kind == "parallel"), message.Index
        for call in message.calls:
            free = {"query"} & tools[call["name"]]
            assert set(call["arguments"]) | free == tools[call["name"]], message.Index
    used = {call["name"] for calls in routing["calls"] for call in calls}
    assert used == set(tools)


def test_arguments_stand_in_the_message(routing: pd.DataFrame) -> None:
    for message in routing.itertuples():
        for call in message.calls:
            stated = {name: value for name, value in call["arguments"].items() if name != "reason"}
            assert all(str(value) in message.message for value in stated.values()), message.Index


def test_searches_have_current_articles_that_answer(routing: pd.DataFrame) -> None:
    current = {article.slug for article in help_articles() if article.status == "current"}
    for message in routing.itertuples():
        searches = any(call["name"] == "search_help" for call in message.calls)
        assert bool(message.articles) == searches, message.Index
        assert set(message.articles) <= current, message.Index


def test_neither_a_number_nor_a_question_mark_tells_the_route(routing: pd.DataFrame) -> None:
    """Every route has messages with an order's number, and with and without a question."""
    numbered = routing["message"].str.contains(r"\b1\d{3}\b")
    assert set(routing.loc[numbered, "route"]) == set(ROUTES)
    asks = routing["message"].str.contains("?", regex=False)
    assert set(routing.loc[asks, "route"]) == set(routing.loc[~asks, "route"]) == set(ROUTES)
    by_number = np.where(numbered, "tool", "reply")
    assert (by_number == routing["route"]).mean() < 0.6


def test_tags_are_true(routing: pd.DataFrame) -> None:
    assert set(itertools.chain.from_iterable(routing["tags"])) == TAGS
    assert (routing["language"] != "en").equals(routing["tags"].map(lambda tags: "other_language" in tags))
    short = routing["message"].str.split().str.len() <= 10
    assert short.equals(routing["tags"].map(lambda tags: "short" in tags))


def test_no_message_is_a_near_copy_of_another_or_of_a_ticket(routing: pd.DataFrame) -> None:
    texts = [*routing["message"], *load_tickets()["message"]]
    matrix = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(texts)
    similarity = (matrix[: len(routing)] @ matrix.T).toarray()
    np.fill_diagonal(similarity, 0)
    assert similarity.max() < 0.4


def test_no_two_messages_share_a_sentence_frame(routing: pd.DataFrame) -> None:
    sentences = itertools.chain.from_iterable(re.split(r"[.!?:]+", m.lower()) for m in routing["message"])
    frames = Counter(" ".join(words[:3]) for s in sentences if len(words := re.findall(r"\w+", s)) >= 3)
    assert [frame for frame, count in frames.items() if count > 1] == []


def test_the_datasheet_states_how_the_second_pass_agrees(routing: pd.DataFrame) -> None:
    second = routing_second_annotator()
    assert list(second.index) == list(routing.index)
    kappa = cohen_kappa_score(routing["route"], second["route"])
    same = int((routing["route"] == second["route"]).sum())
    both = (routing["route"] == "tool") & (second["route"] == "tool")
    calls = [
        sorted(map(str, first)) == sorted(map(str, other))
        for first, other in zip(routing.loc[both, "calls"], second.loc[both, "calls"], strict=True)
    ]
    datasheet = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert (
        f"Routes: kappa {kappa:.2f} ({same} of 60); calls: the same in all {sum(calls)} messages" in datasheet
    )
    assert all(calls)


def test_the_hidden_split_is_refused() -> None:
    with pytest.raises(DatasetError, match="hidden"):
        load_routing("grader")


def test_the_datasheet_states_the_hash_of_each_file() -> None:
    datasheet = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in ("routing.jsonl", "GUIDE.md", "second_annotator.jsonl"):
        digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
        assert f"- `{name}` {digest}" in datasheet

"""The production dataset: its files are those of the datasheet, replies are asked for as the app does it."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from aicourse.datasets import ATTRIBUTES, read_listings
from aicourse.marketplace.app.describing import read_draft
from aicourse.marketplace.production import read_replies, read_requests
from aicourse.marketplace.traffic import place_incidents
from aicourse.paths import datasets_dir
from aicourse.testing import ScriptedModel, Sent

FOLDER = datasets_dir() / "production"
DATASHEET = (FOLDER / "README.md").read_text(encoding="utf-8")
LISTINGS = read_listings(FOLDER / "listings.jsonl")
FORM = json.dumps(dict.fromkeys(ATTRIBUTES) | {"category": "shoes", "colours": [], "materials": []})


@pytest.fixture
def fortnight(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("fortnight")


def test_the_datasheet_has_the_hash_of_each_file() -> None:
    for path in (*FOLDER.glob("*.jsonl"), *FOLDER.glob("*.csv"), *FOLDER.glob("grader/*")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert f"- `{path.relative_to(FOLDER).as_posix()}` {digest}" in DATASHEET


def test_the_datasheet_has_the_counts() -> None:
    usual = LISTINGS[LISTINGS.index < "N171"]
    assert f"{len(usual)} of the usual kinds" in DATASHEET
    assert f"{len(LISTINGS) - len(usual)} of a new kind" in DATASHEET
    languages = Counter(LISTINGS["language"])
    assert "{en} are in English, {de} in German".format(**languages) in DATASHEET
    assert f"| {len(read_replies(FOLDER / 'replies.jsonl'))} |" in DATASHEET
    assert f"| {len(read_requests(FOLDER / 'requests.csv')):,} |" in DATASHEET


def test_the_datasheet_has_the_labels_on_which_the_annotators_differ() -> None:
    lines = (FOLDER / "second_annotator.jsonl").read_text(encoding="utf-8").splitlines()
    second = {row["id"]: row["labels"] for row in map(json.loads, lines)}
    assert list(second) == list(LISTINGS.index)
    differ = [
        (id, name)
        for id, row in LISTINGS.iterrows()
        for name in ATTRIBUTES
        if _folded(row[name]) != _folded(second[id][name])
    ]
    assert differ == [("N166", "condition"), ("N188", "category")]
    assert "2 differ (the condition of N166, the category of N188)" in DATASHEET


def _folded(value: str | list[str] | None) -> object:
    return value.casefold() if isinstance(value, str) else value


def test_the_app_takes_the_texts_as_they_are() -> None:
    for row in LISTINGS.itertuples():
        form = {"key": "k", "title": row.title, "description": row.description, "price": "", "client": ""}
        draft, problems = read_draft("s", form, b"")
        assert (draft.text, problems) == (row.text, {})


def interrupt(sent: Sent) -> str:
    raise KeyboardInterrupt


def test_what_is_missing_is_recorded(fortnight: ModuleType, tmp_path: Path) -> None:
    model, path, two = ScriptedModel(), tmp_path / "replies.jsonl", LISTINGS.loc[["N002", "N001"]]
    model.enqueue(FORM, "no form", "no form", FORM, interrupt)  # the first is a warm-up
    with pytest.raises(KeyboardInterrupt):
        fortnight.record_replies(two, model.client(), path)
    first, second = read_replies(path)
    assert (first.key, first.proposal) == (("N001", "v4", False), json.loads(FORM))
    assert (second.key, second.proposal) == (("N002", "v4", False), None)
    assert second.input_tokens > first.input_tokens  # two attempts
    assert first.characters == len(LISTINGS.loc["N001", "text"])

    model.enqueue(*[FORM] * 6)  # four replies, and a warm-up where the version changes
    fortnight.record_replies(two, model.client(), path)
    assert model.drain() == []
    replies = read_replies(path)
    assert [reply.key for reply in replies] == [
        (name, version, truncated)
        for name in ("N001", "N002")
        for version, truncated in (("v4", False), ("v4", True), ("v6", False))
    ]
    assert replies[:1] == [first]
    fortnight.record_replies(two, model.client(), path)  # nothing is missing


def test_a_truncating_client_sends_the_beginning(fortnight: ModuleType) -> None:
    model = ScriptedModel(FORM)
    reply = fortnight.ask(
        LISTINGS.loc["N001"], fortnight.prompts.load("extract_listing@v6"), True, model.client()
    )
    beginning = "Three nurse's tunics, size 14\nNavy with white piping, polyes"
    assert f"{beginning}\n\nThe form as JSON" in model.history[0].text
    assert (reply.key, reply.characters) == (("N001", "v6", True), len(beginning))


def test_requests_and_incidents_are_those_of_the_seed(
    fortnight: ModuleType, tmp_path: Path, replies_of_gold: str
) -> None:
    (tmp_path / "replies.jsonl").write_text(replies_of_gold, encoding="utf-8")
    seed = bytes(32)
    fortnight.write_requests(LISTINGS, seed, tmp_path)
    secret = json.loads((tmp_path / "grader" / "incidents.json").read_text(encoding="utf-8"))
    assert secret["seed"] == seed.hex()
    assert [one["name"] for one in secret["incidents"]] == [one.name for one in place_incidents(seed)]
    assert len(read_requests(tmp_path / "requests.csv")) > 10_000


@pytest.fixture
def replies_of_gold() -> str:
    lines = [
        {"listing": name, "prompt_version": version, "truncated": truncated, "proposal": gold}
        | {"characters": 9, "input_tokens": 900, "output_tokens": 50, "seconds": 1.0}
        for name, gold in LISTINGS[list(ATTRIBUTES)].to_dict("index").items()
        for version, truncated in (("v4", False), ("v6", False), ("v4", True))
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)

"""Prompts measured on the listings: scores of an extraction, runs, and the shipped recordings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from aicourse import prompts
from aicourse.datasets import ATTRIBUTES, load_listings, load_photos
from aicourse.errors import DatasetError, RecordingMissing
from aicourse.evals.scores import Context, score_all
from aicourse.llm import session
from aicourse.llm.formats import Tokens
from aicourse.llm.recording_key import canonical_request, key_of
from aicourse.llm.recordings import RecordingFile
from aicourse.marketplace import Extraction, LooseAttributes, Recipe, evaluation, extract, recipe_of
from aicourse.marketplace.evaluation import (
    LISTING_SCORERS,
    listing_cases,
    output_of,
    partial_size,
    run_listings,
)
from aicourse.prompts import Prompt
from aicourse.prompts.file import parse_prompt
from aicourse.testing import ScriptedModel, Sent

GOLD: dict[str, Any] = {
    "category": "shoes",
    "colours": ["red", "white"],
    "materials": [],
    "size": "EU 38",
    "condition": None,
    "brand": "Levi's",
}
RECIPE = Recipe(LooseAttributes, "warn")


@pytest.fixture(autouse=True)
def fresh_session() -> None:
    session.begin(None, None)


@pytest.fixture
def prompt() -> Prompt:
    text = (
        "---\nname: label_things\nversion: 1\nchangelog: c\nparameters: [listing]\n---\n# user\n{{listing}}\n"
    )
    return parse_prompt(text, Path("v1.md"))


def gold_of(split: str) -> dict[str, dict[str, Any]]:
    frame = load_listings(split)
    return {row["text"]: {name: row[name] for name in ATTRIBUTES} for _, row in frame.iterrows()}


def scores(output: Any) -> dict[str, Any]:
    return {score.name: score.value for score in score_all(LISTING_SCORERS, Context(output, GOLD))}


def extraction(attributes: LooseAttributes | None, problem: str | None = None) -> Extraction:
    return Extraction(
        attributes, "the reply", "stop", problem, Tokens(1, 1), 1, ("look here",), (), "p@v1", "abc", "m"
    )


# ------------------------------------------------------------------------------------------ scores


def test_a_right_output_is_right_everywhere() -> None:
    found = scores(GOLD | {"warnings": [], "reply": "…"})
    assert found.pop("valid") is True
    assert all(float(value) == 1 for value in found.values())


def test_the_mean_is_that_of_the_six_fields() -> None:
    output = GOLD | {"colours": ["red"], "condition": "new", "brand": "levis"}
    found = scores(output)
    by_hand = (1 + 2 / 3 + 1 + 1 + 0 + 1) / 6  # half of the colours is an F1 of 2/3; brands are normalised
    assert found["attributes.mean"] == pytest.approx(by_hand)


def test_the_reason_names_the_fields_that_lost_something() -> None:
    first = score_all(LISTING_SCORERS, Context(GOLD | {"size": None, "brand": None}, GOLD))[0]
    assert first.reason == "not right: size, brand"


def test_an_extraction_that_failed_is_wrong_even_where_nothing_was_stated() -> None:
    output = output_of(extraction(None, "the reply was cut off after 50 tokens (max_completion_tokens)"))
    assert not any(scores(output).values())
    assert output == (
        "no attributes: the reply was cut off after 50 tokens (max_completion_tokens). "
        "The reply was: the reply"
    )


def test_an_output_keeps_the_fields_the_warnings_and_the_reply() -> None:
    output = output_of(extraction(LooseAttributes(colours=["red"])))
    assert isinstance(output, Mapping)
    assert (output["colours"], output["warnings"], output["reply"]) == (["red"], ["look here"], "the reply")
    assert set(output) == {*ATTRIBUTES, "warnings", "reply"}


# ------------------------------------------------------------------------------------------- cases


def size_score(output: Any, expected: Any) -> Any:
    (score,) = score_all([partial_size("size")], Context(output=output, expected=expected))
    assert score.error is None
    return score.value


def test_partial_size_of_what_is_not_stated() -> None:
    assert size_score({"size": None}, {"size": None}) == 1.0
    assert size_score({"size": "M"}, {"size": None}) == 0.0
    assert size_score({}, {"size": "M"}) == 0.0
    assert size_score({"size": "1.2x0.6 m"}, {"size": "120x60x75 cm"}) == pytest.approx(2 / 3)


def test_a_case_has_the_text_and_the_gold_attributes() -> None:
    made = listing_cases("test")
    first = made[0]
    assert len(made) == 120
    assert (first.id, first.tags, first.provenance) == ("L061", ("shade",), "datasets/listings, test split")
    assert first.input.startswith("Burberry trench")
    assert first.expected["colours"] == ["beige"]
    assert list(first.expected) == ["category", "colours", "materials", "size", "condition", "brand"]


def test_the_cases_are_the_split_and_with_photos_what_both_state() -> None:
    assert len(listing_cases("dev")) == 60
    photos = load_photos("dev")
    with_photos = {case.id: case for case in listing_cases("dev", with_photos=True)}
    assert set(with_photos) == set(photos.index)
    for id, case in with_photos.items():
        assert case.expected["colours"] == photos.loc[id, "photo_gold"]["colours"]
        assert set(case.expected) == set(ATTRIBUTES)


def test_the_hidden_split_stays_hidden() -> None:
    with pytest.raises(DatasetError, match="hidden"):
        listing_cases("grader")


# -------------------------------------------------------------------------------------------- runs


def answering(gold: Mapping[str, Mapping[str, Any]]) -> Any:
    """A reply that knows the labels of the listing that was sent."""
    return lambda sent: json.dumps(gold[sent.messages[-1]["content"]])


def test_a_run_scores_the_split_and_notes_what_was_run(prompt: Prompt) -> None:
    model = ScriptedModel(*[answering(gold_of("dev"))] * 5)
    run = run_listings(
        prompt,
        split="dev",
        model="m",
        recipe=RECIPE,
        client=model.client(),
        limit=5,
        workers=1,
        progress=False,
    )
    summary = {score.name: score for score in run.summary.scores}
    assert run.summary.records == 5
    mean = summary["attributes.mean"].mean
    assert mean is not None
    assert mean.estimate == 1
    assert dict(run.info.facts) == {
        "prompt": "label_things", "version": "v1", "hash": prompt.hash, "model": "m", "split": "dev",
        "schema": "LooseAttributes", "grounding": "warn",
    }  # fmt: skip


def test_one_listing_that_fails_costs_the_others_nothing(prompt: Prompt) -> None:
    good = answering(gold_of("dev"))
    model = ScriptedModel(good, "no JSON", "still none", good)
    run = run_listings(
        prompt,
        split="dev",
        model="m",
        recipe=RECIPE,
        client=model.client(),
        limit=3,
        workers=1,
        progress=False,
    )
    assert run.values("valid") == {"L001": 1.0, "L002": 0.0, "L003": 1.0}
    assert run.values("attributes.mean")["L002"] == 0


def test_photos_are_sent_or_hidden_on_the_same_cases(prompt: Prompt) -> None:
    def run(model: ScriptedModel, **options: Any) -> Any:
        return run_listings(
            prompt, split="dev", model="m", with_photos=True, recipe=RECIPE, client=model.client(), limit=2,
            workers=1, progress=False, **options,
        )  # fmt: skip

    nothing = json.dumps({"category": "baby"})
    shown, hidden = ScriptedModel(nothing, nothing), ScriptedModel(nothing, nothing)
    seen, blind = run(shown), run(hidden, hide_photos=True)
    assert seen.identities() == blind.identities()
    assert isinstance(shown.history[0].messages[-1]["content"], list)
    assert isinstance(hidden.history[0].messages[-1]["content"], str)
    assert (seen.info.facts["photos"], blind.info.facts["photos"]) == ("sent", "hidden")


def test_a_reply_that_is_not_recorded_is_no_score_of_zero(
    prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    command = "aicourse evals run datasets/listings --prompt label_things@v1 --split dev --model smollm2-135m"
    with pytest.raises(RecordingMissing, match=command):
        run_listings(prompt, split="dev", model="smollm2-135m", recipe=RECIPE, limit=2, progress=False)


# ------------------------------------------------------------------------------ shipped recordings

SHARED = evaluation.shared_recordings(prompts.load("extract_listing@1")).parent
VERSIONS = [prompts.load(f"extract_listing@{number}") for number in prompts.versions("extract_listing")]


SMALL, LARGE = "smollm2-135m", "qwen2.5-coder-1.5b"
PRODUCTION = prompts.load("extract_listing@production").version


def recorded_models(version: int, split: str) -> list[str]:
    """All versions on both splits with the course's model; first and best version also with the ladder."""
    on_ladder = split == "test" and version in (1, PRODUCTION)
    return [evaluation.MODEL, *([SMALL, LARGE] if on_ladder else [])]


class Asking:
    """A client that notes what would be asked, and answers with a valid form."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        model = ScriptedModel(*[self._note] * 1_000)
        self.client = model.client()

    def _note(self, sent: Sent) -> str:
        request = httpx2.Request("POST", "http://x/v1/chat/completions", json=sent.body)
        self.keys.append(key_of(canonical_request(request)))
        return json.dumps(GOLD)


@pytest.mark.slow  # lessons and documents, which `make test` runs, need most of them
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.ref)
def test_every_listing_is_recorded_for_every_version_and_model(version: Prompt) -> None:
    """Renders all requests and looks them up: an edited prompt, schema or word list fails here."""
    known = {key for key, _ in RecordingFile(evaluation.shared_recordings(version)).recordings()}
    for split in ("dev", "test"):
        texts = load_listings(split)["text"]
        for model in recorded_models(version.version, split):
            asking = Asking()
            for text in texts:
                extract(text, version, asking.client, model=model, recipe=recipe_of(version), retries=0)
            missing = [id for id, key in zip(texts.index, asking.keys, strict=True) if key not in known]
            assert not missing, (
                f"{version.ref} {split} {model}: record again with aicourse evals run --record"
            )


def test_no_example_of_a_prompt_is_a_listing_of_the_dataset() -> None:
    texts = [text.split("\n")[0].casefold() for text in load_listings()["text"]]
    for version in VERSIONS:
        for section in version.sections[1:-1]:
            for title in texts:
                assert title not in section.text.casefold(), (version.ref, title)


@pytest.mark.slow
def test_every_photo_of_the_test_split_is_recorded_for_the_prompt_in_production(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    run = run_listings("extract_listing@production", with_photos=True, progress=False)
    assert (run.summary.records, run.summary.failed) == (80, 0)

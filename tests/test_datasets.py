"""The listings are what everything else is measured on: their labels and splits are tested like code."""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
import re
from collections import Counter

import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import cohen_kappa_score

from aicourse.datasets import (
    CATEGORIES,
    COLOURS,
    CONDITIONS,
    MATERIALS,
    load_listings,
    load_second_annotator,
    read_listings,
)
from aicourse.errors import DatasetError
from aicourse.paths import datasets_dir

TAGS = {
    "short", "long", "multi_item", "foreign_words", "irony", "measurements", "no_colour", "no_material",
    "no_size", "no_brand", "negation", "shade", "typos", "slang", "contrast", "injection", "plain",
}  # fmt: skip

DATASHEET = datasets_dir() / "listings" / "README.md"
BRAND_WRITTEN_AS = {"L188": "nb"}  # listings that abbreviate it

NAMED_BY = {
    "white": ["white", "off-white"],
    "grey": ["grey", "gray", "anthracite", "antracite", "charcoal", "slate"],
    "beige": ["beige", "cream", "ivory", "sand", "camel", "nude", "ecru", "oatmeal"],
    "red": ["red", "burgundy", "wine", "crimson", "bordeaux", "cherry", "scarlet", "maroon", "burgandy"],
    "blue": ["blue", "navy", "indigo", "cobalt", "denim"],
    "green": ["green", "khaki", "olive", "mint", "sage"],
    "orange": ["orange", "rust", "terracotta", "coral", "salmon", "copper"],
}


@pytest.fixture(scope="module")
def everything() -> pd.DataFrame:
    hidden = read_listings(datasets_dir() / "listings" / "grader" / "listings.jsonl").assign(split="grader")
    production = read_listings(datasets_dir() / "production" / "listings.jsonl").assign(split="production")
    return pd.concat([load_listings(), hidden, production])


def shingles(text: str, length: int = 5) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


def test_splits_have_their_sizes_and_ids_are_unique(everything: pd.DataFrame) -> None:
    assert everything["split"].value_counts().to_dict() == {
        "production": 200,
        "test": 120,
        "dev": 60,
        "grader": 60,
    }
    expected = [f"L{number:03}" for number in range(1, 241)] + [f"N{number:03}" for number in range(1, 201)]
    assert list(everything.index) == expected


def test_labels_use_the_vocabularies(everything: pd.DataFrame) -> None:
    assert set(everything["category"]) <= set(CATEGORIES)
    assert set(everything["condition"].dropna()) <= set(CONDITIONS)
    for column, vocabulary in (("colours", COLOURS), ("materials", MATERIALS)):
        for name, values in everything[column].items():
            assert set(values) <= set(vocabulary), (name, values)
            assert values == sorted(set(values)), (name, values)


def test_tags_say_what_is_true(everything: pd.DataFrame) -> None:
    for name, row in everything.iterrows():
        tags, words = set(row["tags"]), len(row["description"].split())
        assert tags <= TAGS, (name, tags - TAGS)
        assert len(tags) == len(row["tags"]), name
        assert ("no_colour" in tags) == (not row["colours"]), name
        assert ("no_material" in tags) == (not row["materials"]), name
        assert ("no_size" in tags) == (not isinstance(row["size"], str)), name
        assert ("no_brand" in tags) == (not isinstance(row["brand"], str)), name
        assert ("short" in tags) == (words <= 12), (name, words)
        assert ("long" in tags) == (words >= 90), (name, words)


def test_every_slice_is_large_enough_to_be_measured(everything: pd.DataFrame) -> None:
    """At least four listings per tag in the test split, so that lesson 07 can draw an interval for it."""
    counts = Counter(itertools.chain.from_iterable(everything.loc[everything["split"] == "test", "tags"]))
    assert {tag for tag in TAGS - {"injection"} if counts[tag] < 4} == set()
    assert counts["injection"] >= 2


def test_numbers_of_a_size_and_the_brand_stand_in_the_text(everything: pd.DataFrame) -> None:
    for name, row in everything.iterrows():
        text = row["text"].lower()
        if isinstance(row["size"], str):
            for number in re.findall(r"\d+(?:\.\d+)?", row["size"]):
                assert number in text or number.replace(".", ",") in text, (name, row["size"])
        if isinstance(row["brand"], str):
            brand = row["brand"].lower()
            words = re.findall(r"[\w&'’.\-]+", text)
            windows = [" ".join(words[i : i + len(brand.split())]) for i in range(len(words))]
            near = difflib.get_close_matches(brand, windows, cutoff=0.7)
            assert brand in text or near or BRAND_WRITTEN_AS.get(name, "-") in words, (name, brand)


def test_colours_of_english_listings_are_named_in_the_text(everything: pd.DataFrame) -> None:
    """The colours with an unambiguous word list: a label that no word supports is a guess."""
    for name, row in everything[everything["language"] == "en"].iterrows():
        if "foreign_words" in row["tags"]:
            continue
        for colour in set(row["colours"]) & set(NAMED_BY):
            assert any(word in row["text"].lower() for word in NAMED_BY[colour]), (name, colour)


def test_no_listing_is_a_near_copy_of_another(everything: pd.DataFrame) -> None:
    pieces = {name: shingles(text) for name, text in everything["text"].items()}
    for (one, first), (two, second) in itertools.combinations(pieces.items(), 2):
        shared = len(first & second)
        assert shared <= 0.15 * max(1, min(len(first), len(second))), (one, two, first & second)


def test_nothing_leaks_between_splits(everything: pd.DataFrame) -> None:
    """Character n-gram TF-IDF (scikit-learn): no listing has a twin in another split."""
    matrix = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(everything["text"])
    similarity = (matrix @ matrix.T).toarray()
    splits = everything["split"].to_numpy()
    across = similarity * (splits[:, None] != splits[None, :])
    assert across.max() < 0.6


def test_no_sentence_frame_is_used_more_than_three_times(everything: pd.DataFrame) -> None:
    """A frame is a sentence's first four words; texts written from a template share them."""
    frames: Counter[str] = Counter()
    for text in everything["description"]:
        sentences = re.split(r"[.!?\n]+", text.lower())
        frames.update({" ".join(words[:4]) for s in sentences if len(words := re.findall(r"\w+", s)) >= 4})
    assert [frame for frame, count in frames.items() if count > 3] == []


@pytest.mark.parametrize("column", ["category", "condition"])
def test_the_datasheet_states_the_agreement_of_the_annotators(everything: pd.DataFrame, column: str) -> None:
    """Cohen's kappa by scikit-learn, with the labelling guide and without."""
    kappas = []
    for guide in (True, False):
        second = load_second_annotator(guide=guide)
        first = everything.loc[second.index]
        assert first["split"].value_counts().to_dict() == {"test": 40, "dev": 20}
        kappas.append(cohen_kappa_score(first[column].fillna("null"), second[column].fillna("null")))
    assert f"| `{column}` | kappa {kappas[0]:.2f} | kappa {kappas[1]:.2f} |" in DATASHEET.read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    "name",
    [
        "dev.jsonl", "test.jsonl", "grader/listings.jsonl", "second_annotator.jsonl", "near_copies.jsonl",
        "scams.jsonl",
    ],
)  # fmt: skip
def test_the_datasheet_states_the_hash_of_each_file(name: str) -> None:
    digest = hashlib.sha256((DATASHEET.parent / name).read_bytes()).hexdigest()
    assert f"- `{name}` {digest}" in DATASHEET.read_text(encoding="utf-8")


def test_other_languages_are_in_the_slice_of_foreign_words(everything: pd.DataFrame) -> None:
    foreign = everything[everything["language"] != "en"]
    assert all("foreign_words" in tags for tags in foreign["tags"])


def test_the_hidden_split_is_refused() -> None:
    with pytest.raises(DatasetError, match="hidden"):
        load_listings("grader")


def test_an_unknown_split_names_the_known_ones() -> None:
    with pytest.raises(DatasetError, match="dev, test"):
        load_listings("train")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{broken", "line 2"),
        ('"a string"', "line 2"),
        (json.dumps({"id": "L900", "gold": {"category": "shoes"}}), "missing colours"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line: str, complaint: str) -> None:
    good = (datasets_dir() / "listings" / "dev.jsonl").read_text(encoding="utf-8").splitlines()[0]
    path = tmp_path / "listings.jsonl"
    path.write_text(f"{good}\n{line}\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=complaint):
        read_listings(path)


def test_repeated_ids_are_refused(tmp_path) -> None:
    good = (datasets_dir() / "listings" / "dev.jsonl").read_text(encoding="utf-8").splitlines()[0]
    path = tmp_path / "listings.jsonl"
    path.write_text(f"{good}\n{good}\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="L001"):
        read_listings(path)

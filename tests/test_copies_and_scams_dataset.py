"""Near copies and scams beside the listings: pairs, balance, hard negatives that are hard, no leaks."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score

from aicourse.datasets import load_listings, load_near_copies, load_scams, read_listings
from aicourse.errors import DatasetError
from aicourse.paths import datasets_dir

DATASHEET = datasets_dir() / "listings" / "README.md"
SIGNS = {
    "off_platform_payment", "off_platform_contact", "too_cheap", "advance_fee", "deposit", "overpayment",
    "fake_checkout", "fake_courier", "code", "absent_seller", "hurry", "stolen_text",
}  # fmt: skip
# Words of swindlers, as a reader of the help centre's advice would list them.
TRIGGERS = (
    r"bank|transfer|gift card|courier|code|cheque|crypto|customs|deposit|agent|serial|link|payment|kurier"
)


@pytest.fixture(scope="module")
def copies() -> pd.DataFrame:
    return load_near_copies()


@pytest.fixture(scope="module")
def scams() -> pd.DataFrame:
    return load_scams()


@pytest.fixture(scope="module")
def listings() -> pd.DataFrame:
    return load_listings()


def similarities(texts: pd.Series, others: pd.Series) -> np.ndarray:
    """Cosines of character n-grams, one row per text, weighted by all of them."""
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit(pd.concat([texts, others]))
    return (vectorizer.transform(texts) @ vectorizer.transform(others).T).toarray()


def test_each_original_has_one_copy_and_one_other_item_of_its_split(
    copies: pd.DataFrame, listings: pd.DataFrame
) -> None:
    assert Counter(zip(copies["split"], copies["copy"], strict=True)) == {
        (split, copy): 20 for split in ("dev", "test") for copy in (True, False)
    }
    assert set(copies.groupby("of")["copy"].agg(lambda c: tuple(sorted(c)))) == {(False, True)}
    assert (listings.loc[copies["of"], "split"].to_numpy() == copies["split"].to_numpy()).all()
    assert copies["copy"].equals(copies["how"] != "another item")


def test_copies_are_closer_than_other_items_but_words_alone_do_not_tell(
    copies: pd.DataFrame, listings: pd.DataFrame
) -> None:
    by_text = similarities(copies["text"], listings["text"])
    own = by_text[np.arange(len(copies)), listings.index.get_indexer(copies["of"])]
    area = roc_auc_score(copies["copy"], own)
    assert f"area under the curve {area:.2f}" in DATASHEET.read_text(encoding="utf-8")


def test_no_listing_of_these_files_is_a_near_copy_of_another_text(
    copies: pd.DataFrame, scams: pd.DataFrame, listings: pd.DataFrame
) -> None:
    fresh = pd.concat([copies.loc[~copies["copy"], "text"], scams["text"]])
    hidden = read_listings(datasets_dir() / "listings" / "grader" / "listings.jsonl")
    production = read_listings(datasets_dir() / "production" / "listings.jsonl")
    everything = pd.concat([listings["text"], hidden["text"], production["text"]])
    assert similarities(fresh, everything).max() < 0.5
    among = similarities(
        pd.concat([copies["text"], scams["text"]]), pd.concat([copies["text"], scams["text"]])
    )
    np.fill_diagonal(among, 0)
    assert among.max() < 0.5


def test_scams_and_honest_listings_are_balanced_and_have_their_signs(scams: pd.DataFrame) -> None:
    assert Counter(zip(scams["split"], scams["scam"], strict=True)) == {
        (split, scam): 13 for split in ("dev", "test") for scam in (True, False)
    }
    assert scams["signs"].map(bool).equals(scams["scam"])
    assert set(itertools.chain.from_iterable(scams["signs"])) == SIGNS


def test_words_of_swindlers_stand_in_honest_listings_too(scams: pd.DataFrame) -> None:
    named = scams["text"].str.contains(TRIGGERS, case=False)
    assert 0.4 < (named == scams["scam"]).mean() < 0.75


@pytest.mark.parametrize("split", ["dev", "test"])
def test_the_length_of_a_text_gives_nothing_away(
    copies: pd.DataFrame, scams: pd.DataFrame, split: str
) -> None:
    for frame, label in ((copies, "copy"), (scams, "scam")):
        part = frame[frame["split"] == split]
        assert 0.4 < roc_auc_score(part[label], part["text"].str.len()) < 0.6


def test_no_sentence_frame_is_used_more_than_three_times(copies: pd.DataFrame, scams: pd.DataFrame) -> None:
    texts = pd.concat([copies["description"], scams["description"]])
    sentences = itertools.chain.from_iterable(re.split(r"[.!?\n]+", text.lower()) for text in texts)
    frames = Counter(" ".join(words[:4]) for s in sentences if len(words := re.findall(r"\w+", s)) >= 4)
    assert [frame for frame, count in frames.items() if count > 3] == []


@pytest.mark.parametrize("load", [load_near_copies, load_scams])
def test_the_hidden_split_is_refused(load) -> None:
    with pytest.raises(DatasetError, match="hidden"):
        load("grader")

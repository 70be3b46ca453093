from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from itertools import combinations

import pytest

from aicourse.datasets import private_texts
from aicourse.errors import DatasetError
from aicourse.monitoring.private_data import find_private
from aicourse.paths import datasets_dir

FOLDER = datasets_dir() / "private_data"
DATASHEET = (FOLDER / "README.md").read_text(encoding="utf-8")
TEXTS = private_texts()


def test_the_datasheet_has_the_hash_and_the_counts() -> None:
    digest = hashlib.sha256((FOLDER / "texts.jsonl").read_bytes()).hexdigest()
    assert f"`texts.jsonl` {digest}" in DATASHEET
    with_data = sum(bool(text.private) for text in TEXTS)
    assert f"{len(TEXTS)} messages and descriptions" in DATASHEET
    assert f"In {with_data} there is private data; the other {len(TEXTS) - with_data}" in DATASHEET
    languages = Counter(text.language for text in TEXTS)
    assert "{en} in English, {nl} in Dutch, {de} in German, {fr} in French".format(**languages) in DATASHEET


def test_the_records_are_sorted_and_well_formed() -> None:
    assert [text.id for text in TEXTS] == [f"P{number:03}" for number in range(1, len(TEXTS) + 1)]
    for text in TEXTS:
        assert text.split in ("dev", "test")
        assert text.form in ("message", "description")
        ends = 0
        for kind, start, end in text.private:
            assert kind in ("email", "phone", "iban", "card", "address")
            assert ends <= start < end <= len(text.text)
            assert text.text[start:end].strip(" ,.") == text.text[start:end], text.id
            ends = end


def test_no_two_texts_are_alike() -> None:
    words = {text.id: set(re.findall(r"\w+", text.text.casefold())) for text in TEXTS}
    alike = [
        pair
        for pair in combinations(words, 2)
        if len(words[pair[0]] & words[pair[1]]) / len(words[pair[0]] | words[pair[1]]) > 0.6
    ]
    assert alike == []
    frames = Counter(" ".join(text.text.split()[:3]).casefold() for text in TEXTS)
    assert max(frames.values()) <= 3


def test_accounts_and_cards_have_right_check_digits() -> None:
    pieces = defaultdict(list)
    for text in TEXTS:
        for kind, start, end in text.private:
            pieces[kind].append(text.text[start:end].replace(".", " "))
    found = [one.kind for piece in pieces["iban"] + pieces["card"] for one in find_private(piece)]
    assert Counter(found) == {"iban": len(pieces["iban"]), "card": len(pieces["card"])}


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(DatasetError, match="No split 'train'"):
        private_texts("train")

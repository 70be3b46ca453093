"""The guide for judging has examples on both sides of each mode, and the judged items keep to it."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import Counter, defaultdict

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import cohen_kappa_score

from aicourse.datasets import (
    JUDGED_SPLITS,
    JudgedItem,
    help_questions,
    judged_answers,
    judged_pairs,
    judged_titles,
    load_listings,
)
from aicourse.errors import DatasetError
from aicourse.paths import datasets_dir

FOLDER = datasets_dir() / "judged"
GUIDE = (FOLDER / "GUIDE.md").read_text(encoding="utf-8")
DATASHEET = (FOLDER / "README.md").read_text(encoding="utf-8")
MODES = re.findall(r"^\| `(\w+)` \| .+\? \|$", GUIDE, re.MULTILINE)
MAIN = ("agrees", "supported", "true_facts", "calm", "no_pressure")  # the modes that judges are measured on
ITEMS = {"answers": judged_answers(), "titles": judged_titles()}
EVERY = [item for items in ITEMS.values() for item in items]
REPLIES = {
    reply["id"]: reply
    for reply in map(json.loads, (FOLDER / "replies.jsonl").read_text(encoding="utf-8").splitlines())
}


def items_with(mode: str) -> list[JudgedItem]:
    return [item for item in EVERY if mode in item.labels]


def plain(text: str) -> str:
    return " ".join(re.sub(r"[*_`]", "", text.lower()).split())


def rows(mode: str) -> list[list[str]]:
    """The example rows of one mode: verdict first."""
    section = re.split(r"^##+ ", GUIDE.split(f"### `{mode}`:")[1], maxsplit=1, flags=re.MULTILINE)[0]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in section.splitlines()
        if re.match(r"\| (pass|fail) ", line)
    ]


def test_answers_and_titles_have_five_modes_each() -> None:
    assert MODES == [
        "agrees", "supported", "answers", "tone", "privacy", "true_facts", "calm",
        "no_pressure", "names_item", "short",
    ]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_has_two_examples_of_each_verdict(mode: str) -> None:
    assert [row[0] for row in rows(mode)] == ["pass", "pass", "fail", "fail"]


def test_titles_in_the_examples_of_length_have_the_verdict_and_length_stated() -> None:
    for verdict, quoted, reason in rows("short"):
        title = quoted.strip('"')
        assert verdict == ("pass" if len(title) <= 60 else "fail")
        for stated in re.findall(r"(\d+) characters", reason):
            assert int(stated) == len(title)


def test_items_are_sorted_numbered_and_labelled_by_each_mode_of_their_kind() -> None:
    for prefix, (name, modes) in zip("AT", {"answers": MODES[:5], "titles": MODES[5:]}.items(), strict=True):
        items = ITEMS[name]
        assert [item.id for item in items] == [f"{prefix}{n:03}" for n in range(1, len(items) + 1)]
        assert all(list(item.labels) == modes for item in items)
        assert len(items) >= 120
        assert f"| `{name}.jsonl` | {len(items)} " in DATASHEET


@pytest.mark.parametrize("name", ITEMS)
def test_about_half_of_the_items_fail(name: str) -> None:
    failing = sum(not all(label.passes for label in item.labels.values()) for item in ITEMS[name])
    assert 0.4 <= failing / len(ITEMS[name]) <= 0.65


@pytest.mark.parametrize("mode", MAIN)
def test_a_main_mode_has_items_enough_to_measure_a_judge_on_dev_and_on_test(mode: str) -> None:
    for split in ("dev", "test"):
        counts = Counter(item.labels[mode].passes for item in items_with(mode) if item.split == split)
        assert counts[False] >= (20 if split == "test" else 12), counts
        assert counts[True] >= 20, counts


@pytest.mark.parametrize("mode", MODES)
def test_the_datasheet_states_the_passes_and_fails_of_each_split_and_the_agreement(mode: str) -> None:
    items = items_with(mode)
    cells = [f"`{mode}`"]
    for split in JUDGED_SPLITS:
        counts = Counter(item.labels[mode].passes for item in items if item.split == split)
        cells.append(f"{counts[True]} / {counts[False]}")
    first, second = zip(*((item.labels[mode].first, item.labels[mode].second) for item in items), strict=True)
    differing = sum(one != other for one, other in zip(first, second, strict=True))
    kappa = f"{cohen_kappa_score(first, second):.2f}"
    assert f"| {' | '.join([*cells, str(differing), kappa])} |" in DATASHEET


def test_no_article_question_or_listing_is_in_two_splits() -> None:
    splits = defaultdict(set)
    for item in EVERY:
        splits[item.about].add(item.split)
        splits[item.shown.get("question", item.about)].add(item.split)
    for pair in judged_pairs():
        splits[pair.about].add(pair.split)
    assert {key for key, found in splits.items() if len(found) > 1} == set()
    assert {item.split for item in EVERY} == set(JUDGED_SPLITS)


def test_answers_are_to_dev_questions_with_the_article_that_is_relevant() -> None:
    relevant = {q.question: {passage.article for passage in q.relevant} for q in help_questions("dev")}
    for item in ITEMS["answers"]:
        found = relevant[item.shown["question"]]
        assert item.about in found or not found, item.id


def test_no_item_repeats_another_or_an_example_of_the_guide() -> None:
    seen = Counter((item.about, item.shown["output"].casefold()) for item in EVERY)
    assert [key for key, count in seen.items() if count > 1] == []
    examples = {cell.strip('"') for mode in MODES for row in rows(mode) for cell in row[1:]}
    assert examples & {text for item in EVERY for text in item.shown.values()} == set()


@pytest.mark.parametrize("name", ITEMS)
def test_no_output_of_one_split_is_a_near_copy_of_one_in_another(name: str) -> None:
    outputs = [item.shown["output"] for item in ITEMS[name]]
    matrix = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(outputs)
    similarity = (matrix @ matrix.T).toarray()
    for (i, one), (j, other) in itertools.combinations(enumerate(ITEMS[name]), 2):
        assert one.split == other.split or similarity[i, j] < 0.8, (one.id, other.id)


def test_an_item_is_its_reply_word_for_word_unless_it_is_marked_as_edited() -> None:
    assert set(REPLIES) == {item.id for item in EVERY}
    for item in EVERY:
        reply = REPLIES[item.id]
        bare = reply["reply"].strip().removeprefix('"').removesuffix('"')
        assert (item.shown["output"] != bare) == item.edited, item.id
        assert item.model == reply["model"]
        assert bool(item.planted) == item.edited, item.id


def test_an_edited_item_has_exactly_the_fault_that_was_planted() -> None:
    for item in EVERY:
        if item.edited:
            fails = [mode for mode, label in item.labels.items() if not label.passes]
            if "no_pressure" in fails:  # a part of calm, so that both fail
                fails.remove("calm" if item.planted == "no_pressure" else "no_pressure")
            assert item.planted in (*MODES, "repaired", "harmless"), item.id
            assert fails == [mode for mode in [item.planted] if mode in MODES], item.id


def test_pressure_is_a_part_of_what_is_not_calm() -> None:
    for item in ITEMS["titles"]:
        for who in ("passes", "first", "second"):
            calm, free = (getattr(item.labels[mode], who) for mode in ("calm", "no_pressure"))
            assert free or not calm, item.id


def test_short_is_counted() -> None:
    for item in ITEMS["titles"]:
        assert item.labels["short"].passes == (len(item.shown["output"]) <= 60), item.id


def test_reasons_quote_words_that_occur_and_each_fail_and_disagreement_has_both() -> None:
    for item in EVERY:
        text = plain(" ".join(item.shown.values()))
        for mode, label in item.labels.items():
            for passes, reason in zip((label.first, label.second), label.reasons, strict=True):
                assert reason or (passes and label.first == label.second), (item.id, mode)
                quotes = re.findall(r'"([^"]+)"', reason)
                assert mode == "short" or passes or quotes, (item.id, mode, reason)
                for quote in quotes:
                    assert plain(quote) in text, (item.id, mode, quote)


def test_where_the_annotators_agree_the_verdict_is_theirs() -> None:
    for item in EVERY:
        for mode, label in item.labels.items():
            if label.first == label.second:
                assert label.passes == label.first, (item.id, mode)


def test_pairs_are_of_one_listing_and_neither_place_wins_more_often() -> None:
    pairs = judged_pairs()
    counts = Counter(pair.better for pair in pairs)
    assert len(pairs) == 40
    assert counts["tie"] <= 10
    assert abs(counts["first"] - counts["second"]) <= 2
    texts = load_listings("dev")["text"]
    for pair in pairs:
        assert pair.shown["listing"] == texts[pair.about]
        assert pair.shown["first"] != pair.shown["second"], pair.id


@pytest.mark.parametrize("name", ["answers", "titles", "pairs", "replies"])
def test_the_datasheet_states_the_hash_of_each_file(name: str) -> None:
    digest = hashlib.sha256((FOLDER / f"{name}.jsonl").read_bytes()).hexdigest()
    assert f"- `{name}.jsonl` {digest}" in DATASHEET


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(DatasetError, match="train, dev, test"):
        judged_answers("grader")

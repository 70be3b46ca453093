"""Lesson 06: right answers in foreign styles pass, wrong ones are told why, the notes fit the lesson."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from aicourse import connect, prompts
from aicourse.evals import cases, runner
from aicourse.evals.error_analysis import Note, NoteBook, sample_failures, taxonomy
from aicourse.evals.runs import Run
from aicourse.marketplace import LISTING_SCORERS, extract, listing_cases, output_of
from aicourse.notebook.exercises import check
from aicourse.notebook.lesson import start
from aicourse.paths import datasets_dir, notebooks_dir

MODEL = "qwen2.5-coder-0.5b"
NOTES = NoteBook(datasets_dir() / "listings" / "error_notes.jsonl").notes()
Groups = dict[str, list[str]]


def _cell(id: str) -> str:
    notebook = json.loads((notebooks_dir() / "06-reading-failures.ipynb").read_text(encoding="utf-8"))
    return next("".join(cell["source"]) for cell in notebook["cells"] if cell["id"] == id)


def _lesson_names() -> dict[str, Any]:
    """The names of the lesson's own `deliver` and the course's groups."""
    names: dict[str, Any] = {"my_notes_solution": NOTES}
    exec(_cell("deliver"), names)
    exec(_cell("exercise-2-solution"), names)
    return names


def test_the_notes_are_about_the_thirty_failures_that_the_lesson_draws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    start("06")
    prompt, client = prompts.load("extract_listing@v4"), connect(model=MODEL)

    def fill_form(case: cases.Case) -> object:
        return output_of(extract(case.input, prompt, client, model=MODEL))

    run = runner.run(fill_form, listing_cases("dev"), LISTING_SCORERS, name="production", progress=False)
    drawn = [record.id for record in sample_failures(run, 30, "attributes.mean", seed=7)]
    assert [note.case_id for note in NOTES] == drawn


def test_every_code_of_the_notes_has_a_group_in_the_lesson() -> None:
    groups = _lesson_names()["groups_solution"]
    found = taxonomy(NOTES, {code: group for group, codes in groups.items() for code in codes})
    assert (found.ungrouped, found.unused) == ((), ())


# 06.1


def _noted(*codes: tuple[str, ...]) -> list[Note]:
    return [
        Note(f"L{place:03}", found, "", datetime(2026, 1, 1, tzinfo=UTC))
        for place, found in enumerate(codes, start=1)
    ]


TEN = [("brand is missed", f"the size of number {place} is a guess") for place in range(10)]


@pytest.mark.parametrize(
    "notes",
    [
        NOTES[:10],
        tuple(NOTES),
        _noted(*TEN),
        _noted(*[("Farbe nicht erkannt",)] * 6, *[("Größe erfunden",)] * 4),
        _noted(*TEN, (), ("BRAND  is missed",)),
        _noted(*[(f"{code} ", code.upper()) for code in ["too many colours", "no size"] * 5]),
    ],
)
def test_ten_coded_failures_are_taken_in_anybodys_words(notes: list[Note]) -> None:
    result = check("06.1", notes)
    assert result, repr(result)


@pytest.mark.parametrize(
    ("notes", "sentence"),
    [
        (_noted(*TEN[:4]), "A few failures show what you expected to see."),
        (_noted(*[()] * 12), "A note without a code says that nothing is wrong"),
        (_noted(*[("size", "brand is missed")] * 10), "The name of a field only says where"),
        (_noted(*[(f"fault number {place}",) for place in range(10)]), "What has a new name each time"),
        (_noted(*TEN, ("wrong",)), "The code 'wrong' is one word."),
    ],
)
def test_coding_that_cannot_be_counted_is_told_why(notes: list[Note], sentence: str) -> None:
    result = check("06.1", notes)
    assert not result
    assert sentence in repr(result)


# 06.2


def _delivered(change: Callable[[Groups], None] = lambda groups: None) -> dict[str, Any]:
    names = _lesson_names()
    groups = dict(names["groups_solution"])
    change(groups)
    return names["deliver"](NOTES, groups)  # type: ignore[no-any-return]


def _with_rows(change: Callable[[str, dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    taxonomy = _delivered()
    return taxonomy | {"groups": {name: change(name, row) for name, row in taxonomy["groups"].items()}}


def _in_german(groups: Groups) -> None:
    texts = [f"Sorge für Fall Nummer {place} im Prompt" for place in range(len(groups))]
    renamed = dict(zip(texts, groups.values(), strict=True))
    groups.clear()
    groups.update(renamed)


def _of_ten() -> dict[str, Any]:
    """Ten cases only, and only the codes that they have."""
    names = _lesson_names()
    used = {code for note in NOTES[:10] for code in note.codes}
    groups = {
        name: [code for code in codes if code in used] for name, codes in names["groups_solution"].items()
    }
    return names["deliver"](NOTES[:10], {name: codes for name, codes in groups.items() if codes})  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "answer",
    [
        _delivered(),
        _delivered(_in_german),
        _of_ten(),
        _with_rows(lambda name, row: row | {"codes": set(row["codes"]), "cases": np.int64(row["cases"])}),
        _with_rows(lambda name, row: row | {"codes": tuple(code.upper() for code in row["codes"])}),
        _with_rows(lambda name, row: row | {"examples": tuple(row["examples"][:1]), "owner": "me"}),
    ],
)
def test_a_taxonomy_is_taken_in_any_style(answer: dict[str, Any]) -> None:
    result = check("06.2", answer)
    assert result, repr(result)


def _rename(groups: Groups, new: str) -> None:
    groups[new] = groups.pop("drop a size without a measure")


def _codes_added_up(name: str, row: dict[str, Any]) -> dict[str, Any]:
    return row | {"cases": sum(code in row["codes"] for note in NOTES for code in note.codes)}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (_delivered(lambda groups: _rename(groups, "size is wrong")), "complains. Name the change"),
        (_delivered(lambda groups: _rename(groups, "size")), "is too short to say what to do"),
        (_delivered(lambda groups: _rename(groups, "misc. sizes and numbers")), "says 'misc'"),
        (_delivered(lambda groups: _rename(groups, "the size is wrong!")), "complains. Name the change"),
        (_with_rows(lambda name, row: row | {"examples": row["examples"][0]}), "is one text. It is a list"),
        (_with_rows(lambda name, row: row | {"codes": row["codes"][0]}), "is one text. It is a list"),
        (_delivered(lambda groups: groups.clear()), "stand in no group"),
        (
            _delivered(lambda groups: groups.update({"ask the seller again": ["value of another thing"]})),
            "Two changes for one code",
        ),
        (
            _delivered(lambda groups: groups.update({"ask the seller again": ["brand is mised"]})),
            "is it spelt as you coded it?",
        ),
        (_with_rows(_codes_added_up), "You add up codes."),
        (_with_rows(lambda name, row: row | {"cases": row["cases"] + 1}), "of the coded listings have one"),
        (_with_rows(lambda name, row: row | {"examples": []}), "Without an example nobody can check"),
        (_with_rows(lambda name, row: row | {"examples": ["L001"]}), "is no example of"),
        (_delivered()["groups"], '"groups"; `deliver` makes both'),
    ],
)
def test_a_taxonomy_that_does_not_hold_is_told_why(answer: dict[str, Any], sentence: str) -> None:
    result = check("06.2", answer)
    assert not result
    assert sentence in repr(result)


# 06.3


def with_numpy(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    one, other = np.array(first), np.array(second)
    stream = np.random.default_rng(seed)
    shuffled = np.array([stream.permutation(other) for _ in range(rounds)])
    return ((shuffled & one).sum(axis=1) >= (one & other).sum()).mean()


def with_sample(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    random.seed(seed)
    real = len([1 for place in range(len(first)) if first[place] and second[place]])
    hits = 0
    for _ in range(rounds):
        new = random.sample(second, len(second))
        count = 0
        for place in range(len(first)):
            if first[place] and new[place]:
                count += 1
        if count >= real:
            hits += 1
    return hits / rounds


def shuffles_the_first(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    stream = np.random.RandomState(seed)
    seen = np.sum(np.logical_and(first, second))
    return float(
        np.mean([np.sum(np.logical_and(stream.permutation(first), second)) >= seen for _ in range(rounds)])
    )


def counts_equal_places(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    """With the same numbers of True, more equal places are more pairs."""
    chance, order = random.Random(seed), [*second]
    seen = sum(a == b for a, b in zip(first, second, strict=True))
    made = []
    for _ in range(rounds):
        chance.shuffle(order)
        made.append(sum(a == b for a, b in zip(first, order, strict=True)))
    return sum(count >= seen for count in made) / rounds


def with_one_added(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    return (with_numpy(first, second, rounds, seed) * rounds + 1) / (rounds + 1)


@pytest.mark.parametrize(
    "by_luck", [with_numpy, with_sample, shuffles_the_first, counts_equal_places, with_one_added]
)
def test_a_shuffle_test_is_taken_in_any_style(by_luck: Callable[..., float]) -> None:
    result = check("06.3", by_luck)
    assert result, repr(result)


def strictly_more(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    one, other = np.array(first), np.array(second)
    stream = np.random.default_rng(seed)
    return np.mean([(stream.permutation(other) & one).sum() > (one & other).sum() for _ in range(rounds)])


def not_divided(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    return with_numpy(first, second, rounds, seed) * rounds


def as_few(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    one, other = np.array(first), np.array(second)
    stream = np.random.default_rng(seed)
    return np.mean([(stream.permutation(other) & one).sum() <= (one & other).sum() for _ in range(rounds)])


def with_replacement(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    one, other = np.array(first), np.array(second)
    stream = np.random.default_rng(seed)
    return np.mean(
        [(stream.choice(other, len(other)) & one).sum() >= (one & other).sum() for _ in range(rounds)]
    )


def never_seeded(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    return with_numpy(first, second, rounds, None)


def spoils_its_input(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    share = with_numpy(first, second, rounds, seed)
    random.Random(seed).shuffle(second)
    return share


def shuffles_in_place(first, second, rounds=2000, seed=7):  # type: ignore[no-untyped-def]
    seen, chance = sum(map(all, zip(first, second, strict=True))), random.Random(seed)
    shares = []
    for _ in range(rounds):
        chance.shuffle(second)
        shares.append(sum(map(all, zip(first, second, strict=True))) >= seen)
    return sum(shares) / rounds


@pytest.mark.parametrize(
    ("by_luck", "sentence"),
    [
        (strictly_more, "just as many pairs count too"),
        (not_divided, "Divide by `rounds`"),
        (as_few, "how often chance gives as *many*"),
        (with_replacement, "You draw with replacement"),
        (never_seeded, "continues where the last call stopped"),
        (lambda first, second, rounds=2000, seed=7: with_numpy(first, second), "are handed in"),
        (lambda first, second, rounds=2000, seed=7: with_numpy(first, second, rounds), "are handed in"),
        (lambda first, second, rounds=2000, seed=7: with_numpy(first, second, 2000, seed), "are handed in"),
        (lambda *given, **named: round(with_numpy(*given, **named), 2), "no share of 7 rounds"),
        (shuffles_in_place, "work on a copy"),
        (spoils_its_input, "which is the caller's. Copy it first"),
    ],
)
def test_a_shuffle_test_that_errs_is_told_where(by_luck: Callable[..., float], sentence: str) -> None:
    result = check("06.3", by_luck)
    assert not result
    assert sentence in repr(result)


# 06.4

BIKE = {
    "category": "sports_outdoors",
    "colours": ["black"],
    "materials": [],
    "size": None,
    "condition": "fair",
    "brand": None,
}


def _ran(
    texts: list[str],
    *,
    tags: tuple[str, ...] = ("mine",),
    dev: bool = True,
    solved: bool = False,
    **gold: Any,
) -> Run:
    """Dev answered as expected, and own cases answered with an empty form unless `solved`."""
    own = [
        cases.Case(id=f"own-{place}", input=text, expected=BIKE | gold, tags=tags)
        for place, text in enumerate(texts)
    ]
    empty: dict[str, Any] = dict.fromkeys(BIKE)
    return runner.run(
        lambda case: case.expected if solved or not case.id.startswith("own") else empty,
        [*(listing_cases("dev") if dev else []), *own],
        LISTING_SCORERS,
        name="bikes",
        progress=False,
    )


def _texts(line: str, count: int = 5) -> list[str]:
    return [f"Number {place}\n{line}" for place in range(count)]


@pytest.mark.parametrize(
    "run",
    [
        _ran(_texts("Clay pot, thrown by hand, a chip."), category="home_decor", materials=["ceramic"]),
        _ran(_texts("Zwarte damesfiets, het licht is stuk.")),
        _ran(_texts("Black bike by GIANT, 54 cm frame, no light."), brand="Giant", size="54 cm"),
        _ran(_texts("Black bike, one brake is gone.", 12), tags=("bikes", "no_size")),
        _ran(_texts("Ebony board, a corner is off."), colours=["black"], materials=["wood"]),
    ],
)
def test_a_slice_is_taken_with_labels_that_no_list_of_words_has(run: Run) -> None:
    result = check("06.4", run)
    assert result, repr(result)


BIKES = _texts("Black bike, one brake is gone.")


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (_ran(BIKES[:3]), "one lucky answer hides the failure"),
        (_ran(BIKES, dev=False), "Your cases ran alone."),
        (_ran(BIKES, colours=["ebony"]), "The guide maps shades"),
        (_ran(BIKES, brand="Giant"), "Size and brand are copied from the listing"),
        (_ran(BIKES[:1] * 5), "One listing several times is one case"),
        (_ran(BIKES, tags=("no_size",)), "A slice is a tag."),
        (_ran(BIKES, solved=True), "The prompt manages these."),
        (_ran(BIKES, colours="black"), "colours is a list"),
        (_ran(BIKES, brand=""), "what the listing does not say is None"),
    ],
)
def test_a_slice_that_shows_nothing_is_told_why(run: Run, sentence: str) -> None:
    result = check("06.4", run)
    assert not result
    assert sentence in repr(result)


def test_a_case_that_was_not_answered_is_not_one_that_the_prompt_manages() -> None:
    def no_network(case: cases.Case) -> Any:
        if case.id.startswith("own"):
            raise ConnectionError("no network")
        return case.expected

    made = [
        cases.Case(id=f"own-{n}", input=text, expected=BIKE, tags=("mine",)) for n, text in enumerate(BIKES)
    ]
    asked = [*listing_cases("dev"), *made]
    result = check("06.4", runner.run(no_network, asked, LISTING_SCORERS, name="no network", progress=False))
    assert "was not answered (ConnectionError: no network)" in repr(result)
    assert "The prompt manages these" not in repr(result)

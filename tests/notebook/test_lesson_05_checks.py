"""Lesson 04: its error notes are about the failures it shows, and its guide knows other languages."""

from __future__ import annotations

import json

import pytest

from aicourse import connect, prompts
from aicourse.evals import cases, runner
from aicourse.evals.error_analysis import NoteBook, sample_failures, taxonomy
from aicourse.marketplace import LISTING_SCORERS, extract, listing_cases, output_of
from aicourse.notebook.exercises import check
from aicourse.notebook.lesson import start
from aicourse.paths import datasets_dir, notebooks_dir

MODEL = "qwen2.5-coder-0.5b"


def _cell(id: str) -> str:
    notebook = json.loads((notebooks_dir() / "05-evaluation-sets.ipynb").read_text(encoding="utf-8"))
    return next("".join(cell["source"]) for cell in notebook["cells"] if cell["id"] == id)


def test_the_notes_are_about_the_thirty_failures_that_the_lesson_draws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    start("05")
    prompt, client = prompts.load("extract_listing@v4"), connect(model=MODEL)

    def fill_form(case: cases.Case) -> object:
        return output_of(extract(case.input, prompt, client, model=MODEL))

    dev = listing_cases("dev")
    run = runner.run(fill_form, dev, LISTING_SCORERS, name="production", progress=False)
    drawn = [record.id for record in sample_failures(run, 30, "attributes.mean", seed=7)]
    notes = NoteBook(datasets_dir() / "listings" / "error_notes.jsonl").notes()
    assert [note.case_id for note in notes] == drawn


def test_every_code_of_the_notes_has_a_group_in_the_lesson() -> None:
    names: dict[str, object] = {}
    notes = NoteBook(datasets_dir() / "listings" / "error_notes.jsonl").notes()
    groups = _cell("taxonomy-code").partition("kinds =")[0]
    exec(groups, names)
    mapping = {code: group for group, codes in names["GROUPS"].items() for code in codes}  # type: ignore[attr-defined]
    found = taxonomy(notes, mapping)
    assert (found.ungrouped, found.unused) == ((), ())


@pytest.mark.parametrize(("tags", "passes"), [(("bikes",), False), (("bikes", "foreign_words"), True)])
def test_a_label_from_another_language_is_taken_when_the_case_says_so(
    tags: tuple[str, ...], passes: bool
) -> None:
    gold = {"category": "sports_outdoors", "colours": ["black"], "materials": [], "size": None}
    gold |= {"condition": "fair", "brand": None}
    texts = [f"Fiets {place}\nZwarte damesfiets, het licht is stuk." for place in range(5)]
    own = [
        cases.Case(id=f"mine-{place}", input=text, expected=gold, tags=tags)
        for place, text in enumerate(texts)
    ]
    run = runner.run(
        lambda case: dict.fromkeys(gold) if case in own else case.expected,
        [*listing_cases("dev"), *own],
        LISTING_SCORERS,
        name="bikes",
        progress=False,
    )
    result = check("05.4", run)
    assert bool(result) is passes
    assert ("Add the tag 'foreign_words'" in repr(result)) is not passes

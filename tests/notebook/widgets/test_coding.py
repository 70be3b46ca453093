"""Open coding: a sample that can be left and taken up again, notes that are kept, controls that say so."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aicourse.errors import EvaluationError
from aicourse.evals import runner
from aicourse.evals.cases import Case
from aicourse.evals.error_analysis import NoteBook, sample_failures
from aicourse.evals.runs import Run
from aicourse.evals.scorers import exact, valid_json
from aicourse.evals.scores import Scorer
from aicourse.notebook.widgets import coding
from aicourse.notebook.widgets.coding import CodingControls, CodingSession, code_failures


def run_of(outputs: str = "nnnny", scorers: tuple[Scorer, ...] = (exact(),), listing: str = "Listing") -> Run:
    cases = [Case(id=f"L{place}", input=f"{listing} {place}", expected="y") for place in range(len(outputs))]
    return runner.run(lambda case: outputs[int(case.id[1:])], cases, scorers, name="v2", progress=False)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "build" / "notes.jsonl"


@pytest.fixture
def session(notes: Path) -> CodingSession:
    return code_failures(run_of(), notes)


def shown(session: CodingSession) -> str:
    assert session.record is not None
    return session.record.id


def test_the_sample_is_that_of_error_analysis(notes: Path) -> None:
    run = run_of("n" * 20)
    session = code_failures(run, notes, 5, score="exact", seed=3)
    assert list(session.records) == sample_failures(run, 5, "exact", 3)
    assert not notes.exists()  # looking writes nothing


def test_the_only_score_need_not_be_named(notes: Path) -> None:
    with pytest.raises(EvaluationError, match=r"score=… \(there are: exact, valid_json\)"):
        code_failures(run_of(scorers=(exact(), valid_json())), notes)
    with pytest.raises(EvaluationError, match="there are: none"):
        code_failures(run_of(scorers=()), notes)


def test_saving_keeps_the_note_and_goes_on_until_all_are_coded(session: CodingSession, notes: Path) -> None:
    seen = []
    for number in range(4):
        assert session.progress == f"{number} of 4 failures coded"
        seen.append(shown(session))
        session = session.save(["says n", "short"] if number else [], "odd")
    assert session.progress == "4 of 4 failures coded; all done."
    assert sorted(seen) == ["L0", "L1", "L2", "L3"]
    assert [note.codes for note in NoteBook(notes).notes()] == [(), *[("says n", "short")] * 3]


def test_work_goes_on_where_it_stopped(session: CodingSession, notes: Path) -> None:
    first = shown(session)
    second = shown(session.save(["says n"], "").moved(0))
    again = code_failures(run_of(), notes)
    assert again.progress == "1 of 4 failures coded"
    assert shown(again) == second != first
    assert "1  says n" in repr(again)


def test_after_the_last_one_come_those_that_were_passed_over(session: CodingSession) -> None:
    first = shown(session)
    last = session.moved(99)
    assert last.place == 3
    assert shown(last.save(["a"], "")) == first
    assert session.moved(-1).place == 0


def test_notes_about_other_cases_are_kept_and_do_not_count(notes: Path) -> None:
    NoteBook(notes).note("X9", ["from another run"])
    session = code_failures(run_of(), notes).save(["a"], "")
    assert session.progress == "1 of 4 failures coded"
    assert NoteBook(notes).codes() == {"from another run": 1, "a": 1}


def test_a_run_without_failures_has_nothing_to_code(notes: Path) -> None:
    session = code_failures(run_of("yyy"), notes)
    assert session.progress == "No case fails: nothing to code."
    assert session.save(["a"], "").record is None
    assert CodingControls(session, str).form.layout.display == "none"
    assert not notes.exists()
    assert "nothing to code" in session._repr_html_()


def test_a_file_that_holds_no_notes_is_named(notes: Path) -> None:
    notes.parent.mkdir()
    notes.write_text("shopping list\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"notes\.jsonl, line 1: not a note"):
        code_failures(run_of(), notes)


def test_the_plain_form_shows_codes_and_failures(session: CodingSession, read_page: Any) -> None:
    first = shown(session)
    session = session.save(["says n"], "see photo").save([], "")
    page = read_page(session._repr_html_())
    for words in (
        "v2: 2 of 4 failures coded",
        "Codes so far",
        "says n1",
        f"{first}differs: output",
        "see photo",
    ):
        assert words in page.text
    assert page.text.count("nothing wrong") == 1
    assert page.text.count("Not coded yet: ") == 2
    assert datetime.now(UTC).strftime("%Y-%m-%d") not in page.text  # the same bytes on another day


def test_the_plain_form_of_many_failures_is_short(notes: Path) -> None:
    page = code_failures(run_of("n" * 200), notes, 150)._repr_html_()
    assert "138 more failures are not listed here" in page
    assert len(page) < 30_000


def test_texts_of_strangers_stay_texts(notes: Path, read_page: Any, evil: str) -> None:
    session = code_failures(run_of(listing=evil), notes).save([evil], evil)
    page = read_page(session._repr_html_())
    assert not {"script", "img"} & set(page.tags)
    controls = CodingControls(session, str)
    for drawn in (controls.case, controls.counts, controls.saved, controls.progress):
        assert not {"script", "img"} & set(read_page(drawn.value).tags)


def test_the_controls_keep_pressed_and_new_codes(session: CodingSession, notes: Path) -> None:
    controls = CodingControls(session, str)
    first = shown(session)
    controls.new_code.value = "Says  N; short"
    controls.comment.value = "odd"
    controls.save.click()
    assert [button.description for button in controls.codes.children] == ["says n (1)", "short (1)"]
    assert f"✓ Saved {first}: Says  N; short" in controls.saved.value
    assert (controls.new_code.value, controls.comment.value) == ("", "")
    controls.codes.children[0].value = True
    controls.save.click()
    assert "2 of 4 failures coded · showing 3 of 4" in controls.progress.value
    kept = NoteBook(notes).notes()
    assert [(note.codes, note.comment) for note in kept] == [(("says n", "short"), "odd"), (("says n",), "")]


def test_going_back_shows_the_note_and_saving_replaces_it(session: CodingSession, notes: Path) -> None:
    controls = CodingControls(session.save(["says n"], "odd"), str)
    controls.back.click()
    assert controls.comment.value == "odd"
    assert [button.value for button in controls.codes.children] == [True]
    assert "saving replaces it" in controls.saved.value
    controls.codes.children[0].value = False
    controls.save.click()
    assert [(note.codes, note.comment) for note in NoteBook(notes).notes()] == [((), "odd")]


def test_words_that_were_left_unsaved_wait_for_the_way_back(session: CodingSession, notes: Path) -> None:
    controls = CodingControls(session.save(["says n"], ""), str)
    controls.codes.children[0].value = True
    controls.new_code.value, controls.comment.value = "short", "odd"
    controls.forth.click()
    assert (controls.new_code.value, controls.comment.value, controls.saved.value) == ("", "", "")
    assert [button.value for button in controls.codes.children] == [False]
    controls.back.click()
    assert (controls.new_code.value, controls.comment.value) == ("short", "odd")
    assert "Not saved yet" in controls.saved.value
    controls.save.click()
    assert [note.codes for note in NoteBook(notes).notes()] == [("says n",), ("says n", "short")]
    controls.back.click()
    assert (controls.new_code.value, controls.comment.value) == ("", "odd")
    assert "Not saved yet" not in controls.saved.value


def test_what_cannot_be_saved_is_said_and_stays_in_the_form(
    session: CodingSession, notes: Path, read_page: Any
) -> None:
    controls = CodingControls(session, str)
    controls.new_code.value = "says n"
    notes.parent.write_text("a file where the folder should be")
    controls.save.click()
    assert "✗ Not saved: " in read_page(controls.saved.value).text
    assert controls.new_code.value == "says n"
    assert shown(controls.session) == shown(session)


ENTER = {"event": "submit"}  # what the browser sends; the text comes after it, if it has changed


def test_enter_saves_and_the_next_code_can_be_typed(
    session: CodingSession, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def type_and_enter(controls: CodingControls, *codes: str) -> None:
        for code in codes:
            controls.new_code._handle_custom_msg(ENTER, [])
            controls.new_code.value = code
        controls.new_code.value = "left by Tab"
        await asyncio.sleep(2 * coding._TEXT_SECONDS)

    monkeypatch.setattr(coding, "_TEXT_SECONDS", 0.01)
    controls = CodingControls(session, str)
    focused: list[str] = []
    monkeypatch.setattr(type(controls.new_code), "focus", lambda field: focused.append(field.value))
    asyncio.run(type_and_enter(controls, "says n", "short"))
    assert [note.codes for note in NoteBook(notes).notes()] == [("says n",), ("short",)]
    assert focused == ["", ""]


def test_enter_without_a_new_code_saves_pressed_codes_and_never_nothing(
    session: CodingSession, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def enter(controls: CodingControls) -> None:
        controls.new_code._handle_custom_msg(ENTER, [])
        await asyncio.sleep(2 * coding._TEXT_SECONDS)

    monkeypatch.setattr(coding, "_TEXT_SECONDS", 0.01)
    controls = CodingControls(session.save(["says n"], ""), str)
    asyncio.run(enter(controls))
    assert len(NoteBook(notes).notes()) == 1
    controls.codes.children[0].value = True
    asyncio.run(enter(controls))
    assert [note.codes for note in NoteBook(notes).notes()] == [("says n",), ("says n",)]

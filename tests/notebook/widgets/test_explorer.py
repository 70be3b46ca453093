"""The explorer: filters that pick the right records, a plain form that is short, controls that follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from aicourse.errors import EvaluationError
from aicourse.evals import runner
from aicourse.evals.cases import Case
from aicourse.evals.runs import Run
from aicourse.evals.scorers import exact, set_match
from aicourse.notebook import explore
from aicourse.notebook.widgets import browsing, explorer
from aicourse.notebook.widgets.browsing import MEAN, Change, RecordIndex
from aicourse.notebook.widgets.explorer import ExplorerControls

TAGS = {"a": ("short",), "b": ("short", "no_brand"), "c": ("long",), "d": ()}
EXPECTED = {"brand": "IKEA", "colours": ["blue"]}


def run_of(outputs: dict[str, Any], name: str = "v2", path: Path | None = None) -> Run:
    """A run whose outputs come by case id; an exception is raised."""
    cases = [
        Case(id=id, input=f"Listing {id}: oak", expected=EXPECTED, tags=TAGS.get(id, ())) for id in outputs
    ]

    def task(case: Case) -> Any:
        if isinstance(outputs[case.id], Exception):
            raise outputs[case.id]
        return outputs[case.id]

    scorers = [exact("brand"), set_match("colours")]
    return runner.run(task, cases, scorers, name=name, path=path, retries=0, progress=False)


RIGHT = EXPECTED
NO_BRAND = {"brand": None, "colours": ["blue"]}
NO_COLOUR = {"brand": "ikea", "colours": []}
BEFORE = run_of({"a": RIGHT, "b": RIGHT, "c": NO_BRAND, "d": ValueError("timed out")}, "v1")
AFTER = run_of({"a": RIGHT, "b": NO_BRAND, "c": NO_COLOUR, "d": RIGHT})


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        ({}, "abcd"),
        ({"slice": "short"}, "ab"),
        ({"below": 1.0}, "bc"),
        ({"below": 1.0, "score": "colours.f1"}, "c"),
        ({"below": 0.5}, "c"),
        ({"below": 1.0, "slice": "short"}, "b"),
        ({"change": "better"}, "d"),
        ({"change": "worse"}, "bc"),
        ({"change": "worse", "score": "colours.f1"}, "c"),
        ({"change": "changed"}, "bcd"),
        ({"search": "listing B"}, "b"),
        ({"search": "missed: BLUE"}, "c"),
        ({"search": "nowhere"}, ""),
        ({"failed": True}, ""),
    ],
)
def test_a_filter_picks_its_records(chosen: dict[str, Any], ids: str) -> None:
    assert "".join(explore(AFTER, BEFORE, **chosen).ids) == ids


def test_another_reply_with_the_same_answer_is_no_change() -> None:
    before, after = (run_of({"a": RIGHT | {"reply": reply}}) for reply in ("Sure! {…}", "{…}"))
    assert explore(after, before, change="changed").ids == ()


def test_failed_tasks_are_found_and_count_as_0() -> None:
    assert explore(BEFORE, failed=True).ids == ("d",)
    assert explore(BEFORE, below=0.1).ids == ("d",)
    assert explore(BEFORE, search="timed").ids == ("d",)


@pytest.mark.parametrize(
    ("before", "chosen", "message"),
    [
        (None, {"slice": "huge"}, "no slice 'huge'. It has: long, no_brand, short."),
        (None, {"score": "f2"}, "no score 'f2'. It has: brand.exact, colours.precision"),
        (None, {"change": "worse"}, "Pass it as before="),
        (BEFORE, {"change": "wurst"}, "It has: better, worse, changed."),
    ],
)
def test_a_filter_that_cannot_hold_is_refused(before: Run | None, chosen: Any, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        explore(AFTER, before, **chosen)


def test_the_plain_forms_say_what_is_shown_and_what_is_wrong(read_page: Any) -> None:
    explorer = explore(AFTER, BEFORE, below=1.0)
    page = read_page(explorer._repr_html_())
    caption = (
        "Run v2: 2 of 4 records · mean of all scores 0.375 · against v1: 0 better, 2 worse "
        "(mean of all scores below 1)"
    )
    assert repr(explorer).splitlines() == [
        caption,
        "  b  short, no_brand  0.750  -0.250  missing: brand",
        "  c  long  0.000  -0.750  missing: colours",
    ]
    assert caption in page.text
    assert page.tags.count("details") == 4 + 2  # two cases, each with its output and the one before
    assert "change" not in repr(explore(AFTER))
    assert "-0.250" not in read_page(explore(AFTER)._repr_html_()).text


def test_the_plain_form_of_a_large_run_is_short_and_says_what_it_leaves_out() -> None:
    page = explore(run_of({str(n): NO_BRAND for n in range(500)}))._repr_html_()
    assert "488 more are not listed here" in page
    assert len(page) < 30_000


def test_the_order_is_that_of_the_cases_and_the_bytes_are_the_same_each_time(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    run_of(dict.fromkeys("abcd", NO_BRAND), path=path)
    first, *lines = path.read_bytes().splitlines(keepends=True)
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_bytes(b"".join([first, *reversed(lines)]))
    one, other = explore(Run(AFTER.info, path)), explore(Run(AFTER.info, mixed))
    assert one.ids == other.ids == ("a", "b", "c", "d")
    assert one._repr_html_() == other._repr_html_()
    assert repr(one) == repr(other)


def test_texts_of_strangers_stay_texts(read_page: Any, evil: str) -> None:
    run = run_of({"a": {"brand": evil}, "b": ValueError(evil), evil: evil}, name=evil)
    page = read_page(explore(run, run_of({"a": RIGHT}, name=evil), search="script")._repr_html_())
    assert not {"script", "img"} & set(page.tags)


def test_no_case_and_no_fit_are_said() -> None:
    assert "No case fits" in explore(AFTER, search="nowhere")._repr_html_()
    assert "0 of 0 records" in repr(explore(replace(AFTER, memory=())))


def controls_of(**chosen: Any) -> ExplorerControls:
    return ExplorerControls(explore(AFTER, BEFORE, **chosen), str)


def test_the_buttons_move_and_stop_at_the_ends() -> None:
    controls = controls_of()
    positions = []
    for button in [controls.back, *[controls.forth] * 4]:
        button.click()
        positions.append(controls.position.value)
    assert [position.removeprefix("<strong>") for position in positions] == [
        f"{n} of 4</strong>" for n in (1, 2, 3, 4, 4)
    ]
    assert "Listing d" in controls.case.value


def test_a_filter_begins_at_its_first_case_and_counts() -> None:
    controls = controls_of()
    controls.forth.click()
    controls.change.value = "worse"
    assert "1 of 2" in controls.position.value
    assert "Listing b" in controls.case.value
    assert controls.status.value.startswith("2 of 4 records · mean of all scores 0.375")
    controls.slice.value = "long"
    assert "Listing c" in controls.case.value
    controls.search.value = "nowhere"
    assert "no case" in controls.position.value
    assert "No case fits" in controls.case.value


def test_the_threshold_counts_only_where_it_is_chosen() -> None:
    controls = controls_of()
    assert controls.below.disabled
    controls.show.value = "score below"
    assert not controls.below.disabled
    controls.below.value = 0.5
    assert "1 of 1" in controls.position.value
    controls.show.value = "all"
    assert "1 of 4" in controls.position.value


def test_controls_begin_with_the_given_filter_and_offer_changes_only_beside_a_run_before() -> None:
    controls = controls_of(slice="short", below=0.9, change="worse", search="oak", score="brand.exact")
    values = [one.value for one in (controls.slice, controls.show, controls.below, controls.change)]
    assert values == ["short", "score below", 0.9, "worse"]
    assert (controls.search.value, controls.score.value) == ("oak", "brand.exact")
    alone = ExplorerControls(explore(AFTER), str)
    assert alone.change not in alone.view.children[0].children
    assert alone.score.options[0] == MEAN
    assert {value for _, value in controls.change.options} == {"", *get_args(Change)}
    assert (controls_of().slice.label, controls_of().change.label) == ("all", "any")


def test_a_step_through_a_large_run_reads_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    controls = ExplorerControls(explore(run_of({str(n): NO_BRAND for n in range(1_000)})), str)
    for name in ("of", "matching", "counts"):  # all that looks at more than the case shown
        monkeypatch.delattr(RecordIndex, name)
    for module in (browsing, explorer):
        monkeypatch.delattr(module, "value_of")
    controls.forth.click()
    assert "2 of 1,000" in controls.position.value
    assert "Listing 1: oak" in controls.case.value

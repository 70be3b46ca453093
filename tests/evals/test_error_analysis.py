"""Error analysis: a fair sample of failures, notes that survive, counts that are right."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from aicourse.errors import EvaluationError
from aicourse.evals import runner
from aicourse.evals.cases import Case
from aicourse.evals.error_analysis import Note, NoteBook, sample_failures, taxonomy
from aicourse.evals.runs import Run
from aicourse.evals.scorers import exact

AT = datetime(2026, 11, 24, tzinfo=UTC)


def run_of(short: int, long: int, good: int = 5, repeats: int = 1) -> Run:
    tags = ["short"] * short + ["long"] * long + ["good"] * good
    cases = [Case(id=f"{n:03}", input=tag, expected="good", tags=(tag,)) for n, tag in enumerate(tags)]

    def task(case: Case) -> str:
        if case.id == "000":
            raise ValueError("broken")
        return str(case.input)

    return runner.run(task, cases, [exact()], progress=False, retries=0, repeats=repeats)


def test_only_failures_are_drawn_and_all_of_them_when_there_is_room() -> None:
    drawn = sample_failures(run_of(3, 2, repeats=2), 30, "exact")
    assert sorted(record.id for record in drawn) == ["000", "001", "002", "003", "004"]
    assert {record.repeat for record in drawn} == {0}
    assert any(record.error for record in drawn)


def test_each_slice_gets_its_share_and_the_seed_decides() -> None:
    run = run_of(40, 20)
    for seed in range(5):
        counts = Counter(record.tags[0] for record in sample_failures(run, 15, "exact", seed))
        assert abs(counts["short"] - 10) <= 1
        assert counts.total() == 15
    ids = [[record.id for record in sample_failures(run, 15, "exact", seed)] for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


def test_each_failure_is_as_likely_as_any_other() -> None:
    run = run_of(7, 3)
    drawn = Counter(record.id for seed in range(2_000) for record in sample_failures(run, 4, "exact", seed))
    assert np.allclose([drawn[f"{n:03}"] / 2_000 for n in range(10)], 0.4, atol=0.05)


def test_a_number_fails_below_the_limit_and_an_unknown_score_is_named() -> None:
    run = runner.rescore(run_of(0, 3), [lambda context: 0.5])
    name = run.summary.scores[0].name
    assert len(sample_failures(run, 9, name)) == 8
    assert len(sample_failures(run, 9, name, below=0.5)) == 1
    with pytest.raises(EvaluationError, match=r"no number or assertion 'f1'\. It has: <lambda>"):
        sample_failures(run, 9, "f1")


def test_a_run_without_failures_gives_none() -> None:
    assert sample_failures(runner.rescore(run_of(1, 1), [lambda context: True]), 0, "<lambda>") == []


def test_notes_are_kept_replaced_and_read_again(tmp_path: Path) -> None:
    times = iter(AT + timedelta(minutes=n) for n in range(9))
    path = tmp_path / "new" / "notes.jsonl"
    notebook = NoteBook(path, clock=lambda: next(times))
    notebook.note("L1", ["Brand  guessed", "brand guessed", " "], " from the title ")
    notebook.note("L2", "size")
    notebook.note("L1", ["colour"])
    again = NoteBook(path)
    assert again.notes() == [
        Note("L1", ("colour",), "", AT + timedelta(minutes=2)),
        Note("L2", ("size",), "", AT + timedelta(minutes=1)),
    ]
    assert again.codes() == {"colour": 1, "size": 1}
    assert list(again.to_frame()["case_id"]) == ["L1", "L2"]
    assert "2 cases coded" in again._repr_html_()
    assert sorted(file.name for file in path.parent.iterdir()) == [".notes.jsonl.lock", "notes.jsonl"]


def test_a_notebook_that_is_new_or_broken(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    assert NoteBook(path).notes() == []
    assert NoteBook(path).to_frame().empty
    path.write_text('\n{"case_id": "L1"}\n')
    with pytest.raises(EvaluationError, match=r"notes\.jsonl, line 2: not a note\. Correct or delete"):
        NoteBook(path).note("L2", ["size"])
    assert path.read_text() == '\n{"case_id": "L1"}\n'
    with pytest.raises(EvaluationError, match="needs the id of its case"):
        NoteBook(path).note("", ["size"])


def test_a_taxonomy_counts_cases_not_codes() -> None:
    codes: list[tuple[str, ...]] = [("a", "b"), ("a",), ("c",), (), ("new",)]
    notes = [Note(f"L{n}", names, "", AT) for n, names in enumerate(codes)]
    found = taxonomy(notes, {"A": "invented", "b": "invented", "c": "missed", "d": "missed"})
    assert [(c.name, c.cases, c.codes, c.examples) for c in found.categories] == [
        ("invented", 2, ("a", "b"), ("L0", "L1")),
        ("missed", 1, ("c",), ("L2",)),
        ("not grouped yet", 1, ("new",), ("L4",)),
    ]
    assert (found.cases, found.ungrouped, found.unused) == (5, ("new",), ("d",))
    low, high = proportion_confint(2, 5, method="wilson")
    share = found.categories[0].share
    assert (share.low, share.high) == pytest.approx((low, high))


def test_a_taxonomy_shows_itself() -> None:
    found = taxonomy([Note("<L1>", ("<b>",), "", AT)], {"<b>": "wrong"})
    assert found.to_frame().loc["wrong", "share"] == 1.0
    assert "1  100 % (21 to 100)   wrong" in str(found)
    assert "&lt;b&gt;" in found._repr_html_()
    assert "<b>" not in found._repr_html_()
    assert taxonomy([], {"x": "y"}).to_frame().empty

"""Homework 5 as a class meets it: what its retrievers earn, in the sandbox, on recorded vectors alone."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandboxes import notebook, open_sandbox

from aicourse.datasets import help_articles, help_questions, read_help_questions
from aicourse.errors import SandboxError
from aicourse.notebook.checks.files import run_file
from aicourse.paths import datasets_dir
from aicourse.rag.metrics import ndcg, reciprocal_rank
from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.authoring.checks_file import ScoredCheck
from aicourse.tooling.grading.judging.verifying import VerifyReport, variants, verify
from aicourse.tooling.grading.sandbox.execution import Job, StudentCall
from aicourse.tooling.grading.sandbox.executor import Sandbox

CHEAP = (
    "reference",
    "q1: another right answer, 1",
    "q2: without deduplication",
    "q2: a question dropped",
    "q3: another right answer, 1",
    "q3: BM25 only",
    "q3: bare word overlap",
    "q3: looks for the answers",
    "q3: asks the network",
    "q3: ten thousand ids",
    "q3: no numbers for ids",
    "q4: trusts the rule",
    "q5: stops too early",
)


@pytest.fixture(scope="module")
def homework() -> Assignment:
    return load_assignment("hw05")


@pytest.fixture(scope="module")
def checks(homework: Assignment) -> dict[str, Any]:
    return run_file(homework.folder / "checks.py")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from open_sandbox()


def verified(
    homework: Assignment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, chosen: tuple[str, ...] | None
) -> VerifyReport:
    """`verify` on some variants; nothing goes live."""
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    kept = [one for one in variants(homework) if chosen is None or one.name in chosen]
    assert chosen is None or len(kept) == len(chosen)
    monkeypatch.setattr("aicourse.tooling.grading.judging.verifying.variants", lambda assignment: kept)
    return verify(homework, sandbox.execute)


def test_retrievers_and_mistakes_earn_what_they_must_on_recorded_vectors(
    homework: Assignment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = verified(homework, sandbox, monkeypatch, CHEAP)
    assert report.passed, str(report)


@pytest.mark.slow
def test_every_planted_mistake_is_found(
    homework: Assignment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = verified(homework, sandbox, monkeypatch, None)
    assert report.passed, str(report)


def test_every_hint_is_shown_by_a_planted_mistake(homework: Assignment) -> None:
    hints = {mistake.hint for check in homework.checks for mistake in getattr(check, "mistakes", ())}
    assert len(hints) == 27  # one sentence stands in two questions
    assert [hint for hint in hints if not any(wrong.shows in hint for wrong in homework.planted)] == []


def test_students_get_no_hidden_question_and_no_vector_of_one(homework: Assignment, sandbox: Sandbox) -> None:
    hidden = read_help_questions(datasets_dir() / "help_center" / "grader" / "questions.jsonl")
    released = json.dumps(json.loads(homework.student_notebook.read_text("utf-8")), ensure_ascii=False)
    assert [one.id for one in hidden if one.question in released or one.id in released] == []
    assert homework.files == ()
    looked_for = {"payout.md", "grader", "vectors.jsonl", "checks.py"}
    source = (
        "from aicourse.paths import datasets_dir\n"
        f"SEEN = sorted({looked_for} & {{path.name for path in datasets_dir().parent.rglob('*')}})\n"
    )
    calls = [StudentCall("SEEN", seconds=30)]
    (answer,) = sandbox.execute(Job(notebook(source), calls)).answers
    assert answer.value == ["payout.md"]


def test_the_levels_stand_where_the_datasheet_of_the_homework_says(
    homework: Assignment, checks: dict[str, Any]
) -> None:
    """Bare word overlap, measured again: on dev and test as on the hidden questions."""
    (check,) = [one for one in homework.checks if isinstance(one, ScoredCheck)]
    hidden = read_help_questions(datasets_dir() / "help_center" / "grader" / "questions.jsonl")
    assert overlap_on(hidden) == pytest.approx(checks["OVERLAP"], abs=5e-4)
    known = [*help_questions("dev"), *help_questions("test")]
    assert overlap_on(known) == pytest.approx(0.286, abs=5e-4)
    assert check.levels == [(0.48, 3), (0.58, 5), (0.66, 8)]
    text = "".join((homework.folder / "README.md").read_text("utf-8"))
    assert "0.371" in text
    assert "0.286" in text


def overlap_on(questions: Any) -> float:
    """MRR at 5 of sorting articles by the words they share with the question, title included."""
    words = {one.slug: set(f"{one.title}\n{one.text}".lower().split()) for one in help_articles()}
    values = []
    for one in questions:
        if one.relevant:
            asked = set(one.question.lower().split())
            shared = {slug: len(asked & some) for slug, some in words.items() if asked & some}
            ranking = sorted(shared, key=lambda slug: -shared[slug])
            values.append(reciprocal_rank(ranking, {passage.article for passage in one.relevant}, 5))
    return statistics.fmean(values)


def test_its_metrics_are_those_of_the_package(checks: dict[str, Any]) -> None:
    rankings = {"Q1": ["a", "a", "b"], "Q2": ["c", "d"], "Q4": ["e"]}
    relevant = {"Q1": ["b", "d"], "Q2": ["d"], "Q3": ["a"], "Q4": []}
    values = [reciprocal_rank(rankings.get(id, []), wanted, 5) for id, wanted in relevant.items() if wanted]
    assert checks["mrr"](rankings, relevant, 5) == statistics.fmean(values)
    for ranking in rankings.values():
        mine = checks["ndcg"](ranking, {"b": 1, "d": 1, "e": 1}, 2)
        assert mine == pytest.approx(ndcg(ranking, {"b", "d", "e"}, 2))


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        (["payout"], 1),
        (["fees", "fees", "payout"], 1 / 2),
        (["fees"] * 9_999 + ["payout"], 1 / 2),
        (["fees", "chat", "lost", "boost", "books", "payout"], 0),
        ([float("nan")] * 5, 0),
        ("payout", 0),
        ([["payout"]], 0),
        (None, 0),
    ],
)
def test_an_answer_is_scored_by_its_first_five_articles(
    answer: Any, score: float, checks: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    check = next(one for one in checks["checks"] if isinstance(one, ScoredCheck))
    given = check.draw()[0]
    monkeypatch.setitem(checks["HIDDEN"], given.positional[0], {"payout"})
    assert checks["reciprocal_rank"](answer, given) == score


def test_a_copy_without_recordings_or_model_is_no_zero(
    homework: Assignment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    bare = dataclasses.replace(homework, folder=tmp_path, planted=(), alternatives={})
    with pytest.raises(SandboxError, match="no recorded vector"):
        verify(bare, sandbox.execute)

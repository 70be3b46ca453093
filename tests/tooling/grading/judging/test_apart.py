"""Hostile text in a batch: its work is done apart, within limits, and honest neighbours do not notice."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from fakes import CHECKS, RIGHT_Q2, hand_in, run_in_process, small_assignment, submission, to_bytes

from aicourse.errors import AicourseError, SubmissionError
from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.authoring.checks_file import PromptCase, PromptCheck
from aicourse.tooling.grading.judging import apart
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.grade import Options, grade
from aicourse.tooling.grading.judging.results import SubmissionResult
from aicourse.tooling.grading.sandbox.execution import Answer, Encoded, Execution, Job
from aicourse.tooling.grading.submissions.collecting import Submission

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="there is no fork here, so work is done in place"
)
WIDE = {"!": "array", "dtype": "<U15000000", "shape": [1], "of": ["x"]}
ANSWERS = {
    "collisions": [(2**61 - 1) * factor for factor in range(1, 30_000)],
    "arrays": [WIDE, WIDE],
    "unfolds": {"!": "range", "of": [0, 10**12, 1]},
    "nothing": {"!": "no such kind"},
}
TREE = "check(1)\n" + "x = [" + "a+b, " * 150_000 + "]"
BROWSES = """
checks.append(Check(question="q2", name="takes its answer apart", target="is_wool", inputs=["silk"],
                    predicate=lambda value, text: set(value) == set()))
"""


def hostile(job: Job) -> Execution:
    """Honest notebooks run here; one that says so in a comment gives hostile answers."""
    found = re.search(r"# answers: (\w+)", json.dumps(job.notebook))
    if found is None:
        return run_in_process(job)
    answer = Answer("returned", Encoded(json.dumps(ANSWERS[found[1]])))
    return Execution(job.notebook, (answer,) * len(job.calls), "finished", "", (), "L3", 0.01)


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    folder = small_assignment(tmp_path / "hw").folder
    (folder / "checks.py").write_text(CHECKS + BROWSES, encoding="utf-8")
    return load_assignment(folder)


def graded(assignment: Assignment, source: Path, out: Path, **options: object) -> dict[str, SubmissionResult]:
    chosen = replace(Options(progress=False, jobs=2), **options)  # type: ignore[arg-type]
    grade(assignment, source, out, hostile, options=chosen)
    return {result.student: result for result in GradesFolder(out).results()}


def test_hostile_text_costs_its_own_submission_alone_also_on_resume(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "CPU_SECONDS", 1)
    monkeypatch.setattr(apart, "MEMORY", 64 << 20)
    answers = {name: submission(q2=f"{RIGHT_Q2}\n# answers: {name}") for name in ANSWERS}
    source = hand_in(tmp_path / "in", ada=submission(), tree=submission(q1=TREE), zoe=submission(), **answers)
    (source / "lists.ipynb").write_bytes(b'{"cells": [' + b"[]," * 1_500_000 + b"[]]}")
    found = graded(assignment, source, tmp_path / "out")
    assert {name: result.earned for name, result in found.items()} == {
        "ada": 6,
        "zoe": 6,
        "tree": 2,
        "collisions": None,
        "lists": None,
        "arrays": 0,
        "unfolds": 0,
        "nothing": 0,
    }
    assert found["collisions"].sentence.startswith("Reading and judging it takes more time or memory")
    assert (
        "more than 5,000 cells" in found["lists"].sentence or "more time or memory" in found["lists"].sentence
    )
    again = graded(assignment, source, tmp_path / "out")
    assert again == found, "what failed is tried again, and ends the same"


def test_the_process_for_the_work_is_limited_used_again_and_gone_at_the_end(assignment: Assignment) -> None:
    handed_in = Submission("ada", "ada.ipynb", to_bytes(submission()))
    before = set(psutil.Process().children(recursive=True))
    with apart.work_apart(assignment) as work:
        for _ in range(3):
            steps = work(handed_in, None)
            asked = next(steps).calls
            process = max(set(psutil.Process().children(recursive=True)) - before, key=lambda one: one.pid)
            assert apart.CPU_SECONDS <= process.rlimit(psutil.RLIMIT_CPU)[0] <= apart.CPU_SECONDS + 60
            assert 0 < process.rlimit(psutil.RLIMIT_DATA)[0] < 4 << 30
            outcomes = steps.send([Answer("missing")] * len(asked))
            steps.close()
        assert {one.kind for one in outcomes} == {"missing"}
        assert len(set(psutil.Process().children(recursive=True)) - before) == 2, (
            "a server, and one that works"
        )
    assert set(psutil.Process().children(recursive=True)) <= before


def test_one_that_dies_at_work_is_told_and_replaced(assignment: Assignment) -> None:
    handed_in = Submission("ada", "ada.ipynb", to_bytes(submission()))
    before = set(psutil.Process().children(recursive=True))
    with apart.work_apart(assignment) as work:
        steps = work(handed_in, None)
        asked = next(steps).calls
        max(set(psutil.Process().children(recursive=True)) - before, key=lambda one: one.pid).kill()
        with pytest.raises(SubmissionError, match="more time or memory"):
            steps.send([Answer("missing")] * len(asked))
        assert len(next(work(handed_in, None)).calls) == len(asked)


def test_the_grader_asks_the_model_for_it(assignment: Assignment) -> None:
    prompt = PromptCheck(
        question="q2",
        name="asks",
        target="PROMPT",
        levels=[(1.0, 1)],
        cases=[PromptCase("1", {}, "yes")],
        request=lambda prompt, case: {"content": prompt},
        score=lambda reply, case: float(reply == case.expected),
    )

    def refuses(body: dict[str, Any]) -> str:
        raise AicourseError("Nobody is there.")

    handed_in = Submission("ada", "ada.ipynb", to_bytes(submission()))
    with apart.work_apart(replace(assignment, checks=(prompt,))) as work:
        for ask, kind in ((lambda body: body["content"], "passed"), (refuses, "pending"), (None, "pending")):
            steps = work(handed_in, ask)
            next(steps)
            assert [one.kind for one in steps.send([Answer("returned", "yes")])] == [kind]
            steps.close()

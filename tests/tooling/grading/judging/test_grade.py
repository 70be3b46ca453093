"""Grading a class: one bad file stops nobody, running again goes on, and a killed run loses nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FIRST_NUMBER, TEXT_Q3, hand_in, run_in_process, small_assignment, submission, to_bytes
from tqdm import tqdm

from aicourse.errors import AssignmentError, GradingError, SubmissionError
from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.judging.folder import GradesFolder, file_stem
from aicourse.tooling.grading.judging.grade import Options, Summary, grade
from aicourse.tooling.grading.judging.late import late_policy
from aicourse.tooling.grading.judging.results import SubmissionResult
from aicourse.tooling.grading.publishing.gradebook import build
from aicourse.tooling.grading.publishing.hand_grading import checked_grade, save_hand_grades
from aicourse.tooling.grading.sandbox.execution import Execution, Job

QUIET = Options(progress=False)


class Counting:
    """An executor that counts its runs."""

    def __init__(self) -> None:
        self.runs = 0
        self._lock = threading.Lock()

    def __call__(self, job: Job) -> Execution:
        with self._lock:
            self.runs += 1
            return run_in_process(job)


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return small_assignment(tmp_path / "hw")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return hand_in(
        tmp_path / "in", ada=submission(), bo=submission(q1=FIRST_NUMBER), cem=submission(q2="x = (")
    )


def results(out: Path) -> dict[str, SubmissionResult]:
    return {result.student: result for result in GradesFolder(out).results()}


def run(
    assignment: Assignment, source: Path, out: Path, execute: Callable[[Job], Execution], **options: object
) -> Summary:
    return grade(assignment, source, out, execute, level="L3", options=replace(QUIET, **options))  # type: ignore[arg-type]


def test_every_submission_ends_with_a_sentence(assignment: Assignment, source: Path, tmp_path: Path) -> None:
    (source / "dora.ipynb").write_bytes(b'{"cells": [')
    (source / "eve").mkdir()
    (source / "eve" / "hw01.pdf").write_bytes(b"%PDF")
    (source / "fay.zip").write_bytes(b"PK broken")
    summary = run(assignment, source, tmp_path / "out", run_in_process)
    found = results(tmp_path / "out")
    assert {name: result.status for name, result in found.items()} == {
        "ada": "graded",
        "bo": "graded",
        "cem": "warning",
        "dora": "failed",
        "eve": "failed",
        "fay": "failed",
    }
    assert all(result.sentence for result in found.values())
    assert [found["ada"].earned, found["bo"].earned, found["cem"].earned] == [6, 4, 4]
    assert found["dora"].earned is None, "not a 0"
    assert found["bo"].questions[0].checks[1].hint == "You take the first number. Which one has a unit?"
    assert "SECRET" not in found["bo"].to_json(), "a hidden input"
    assert "3 could not be graded" in str(summary)


def test_the_results_stay_right_when_run_again(assignment: Assignment, source: Path, tmp_path: Path) -> None:
    execute, out = Counting(), tmp_path / "out"
    run(assignment, source, out, execute)
    before = {path.name: path.read_bytes() for path in (out / "results").iterdir()}
    summary = run(assignment, source, out, execute)
    assert execute.runs == 3
    assert all(outcome.kept for outcome in summary.outcomes)
    assert {path.name: path.read_bytes() for path in (out / "results").iterdir()} == before


def test_what_changed_is_graded_again(assignment: Assignment, source: Path, tmp_path: Path) -> None:
    execute, out = Counting(), tmp_path / "out"
    run(assignment, source, out, execute)
    (source / "bo.ipynb").write_bytes(to_bytes(submission()))
    run(assignment, source, out, execute)
    assert (execute.runs, results(out)["bo"].earned) == (4, 6)
    grade(assignment, source, out, execute, level="L2", options=QUIET)
    assert execute.runs == 7, "another level of protection"
    run(assignment, source, out, execute, again=True)
    assert execute.runs == 10


def test_new_checks_grade_everybody_again(assignment: Assignment, source: Path, tmp_path: Path) -> None:
    execute, out = Counting(), tmp_path / "out"
    run(assignment, source, out, execute)
    checks = assignment.folder / "checks.py"
    checks.write_text(checks.read_text().replace('"silk scarf"', '"silk"'))
    run(load_assignment(assignment.folder), source, out, execute)
    assert execute.runs == 6


def test_a_failure_is_tried_again(assignment: Assignment, source: Path, tmp_path: Path) -> None:
    def not_started(job: Job) -> Execution:
        return Execution({}, (), "not_started", "No kernel came up.", (), "L3", 0.0)

    out = tmp_path / "out"
    run(assignment, source, out, not_started)
    assert {result.status for result in results(out).values()} == {"failed"}
    assert results(out)["ada"].sentence == "No kernel came up."
    run(assignment, source, out, run_in_process)
    assert results(out)["ada"].earned == 6


def test_a_fault_of_the_grader_is_one_submissions(
    assignment: Assignment, source: Path, tmp_path: Path
) -> None:
    def faulty(job: Job) -> Execution:
        if "words" in json.dumps(job.notebook):
            raise KeyError("content")
        return run_in_process(job)

    (source / "bo.ipynb").write_bytes(to_bytes(submission(q3="words")))
    run(assignment, source, tmp_path / "out", faulty)
    found = results(tmp_path / "out")
    assert found["bo"].sentence.startswith("The grader itself failed (KeyError")
    assert found["ada"].earned == 6


def test_a_lost_cluster_stops_the_run_and_keeps_what_is_done(
    assignment: Assignment, source: Path, tmp_path: Path
) -> None:
    def lost(job: Job) -> Execution:
        raise GradingError("The scheduler went away.")

    with pytest.raises(GradingError, match="went away"):
        run(assignment, source, tmp_path / "out", lost)
    assert not list((tmp_path / "out" / "results").glob("*"))


def test_only_and_regrade(assignment: Assignment, source: Path, tmp_path: Path) -> None:
    execute, out = Counting(), tmp_path / "out"
    run(assignment, source, out, execute, only=("BO",))
    assert list(results(out)) == ["bo"]
    run(assignment, source, out, execute)
    checks = assignment.folder / "checks.py"
    changed = checks.read_text().replace("return next((int(a)", "return next((-int(a)")
    checks.write_text(changed.replace('"wool" in text.lower()\n', "True\n"))
    run(load_assignment(assignment.folder), source, out, execute, regrade=frozenset({"q2"}))
    found = results(out)["ada"]
    assert [question.earned for question in found.questions[:2]] == [4, 0], "q1 as it was, q2 anew"
    assert found.checks_hash == load_assignment(assignment.folder).checks_hash


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"only": ("bob",)}, SubmissionError, "Did you mean bo?"),
        ({"regrade": frozenset({"q9"})}, AssignmentError, "no question 'q9'"),
    ],
)
def test_names_that_are_none(
    assignment: Assignment,
    source: Path,
    tmp_path: Path,
    options: dict[str, object],
    error: type[Exception],
    sentence: str,
) -> None:
    with pytest.raises(error, match=sentence):
        run(assignment, source, tmp_path / "out", run_in_process, **options)


def test_results_without_a_submission_are_named(assignment: Assignment, source: Path, tmp_path: Path) -> None:
    run(assignment, source, tmp_path / "out", run_in_process)
    (source / "bo.ipynb").unlink()
    assert run(assignment, source, tmp_path / "out", run_in_process).stale == ("bo",)


def test_a_new_late_policy_runs_nothing(assignment: Assignment, source: Path, tmp_path: Path) -> None:
    execute, out = Counting(), tmp_path / "out"
    os.utime(source / "ada.ipynb", (1_800_000_000, 1_800_000_000))  # 2027-01-15T08:00Z
    os.utime(source / "bo.ipynb", (1_700_000_000, 1_700_000_000))
    run(assignment, source, out, execute)
    summary = run(assignment, source, out, execute, late=late_policy("2027-01-14T07:00+00:00", 10, 30))
    assert execute.runs == 3
    assert results(out)["ada"].late is None, "a file's date costs nothing before somebody has seen it"
    assert "1 late (1 by 2 days). They cost no points. Plausible?" in str(summary)
    policy = late_policy("2027-01-14T07:00+00:00", 10, 30, trust_file_times=True)
    assert "They count" in str(run(assignment, source, out, execute, late=policy))
    assert execute.runs == 3
    late = results(out)["ada"].late
    assert late is not None
    assert (late.days, late.percent) == (2, 20)
    assert results(out)["bo"].late is None
    run(assignment, source, out, execute)
    assert results(out)["ada"].late is None, "without a policy nothing is late"


def test_nobody_hands_in_for_another_or_at_another_time(assignment: Assignment, tmp_path: Path) -> None:
    """A batch with honest neighbours: what Mallory's folder says of Bo and of the time changes nothing."""
    source = hand_in(tmp_path / "in", bo=submission())
    own = hand_in(source / "mallory", hw01=submission())
    for name in ("bo+hw01+2026-12-09 10:00:00.000000 UTC", "Bo_1_assignsubmission_file"):
        hand_in(own / name, hw01=submission(q1="x = ("))
    (own / "timestamp.txt").write_text("2020-01-01 10:00:00 UTC")
    (own / "submission_metadata.yml").write_text("mallory:\n  :created_at: 2020-01-01 10:00:00 Z\n")
    for path in source.rglob("*.ipynb"):
        os.utime(path, (1_800_000_000, 1_800_000_000))  # 2027-01-15T08:00Z
    os.utime(source / "bo.ipynb", (1_700_000_000, 1_700_000_000))
    policy = late_policy("2027-01-14T07:00Z", 10, 0, trust_file_times=True)
    run(assignment, source, tmp_path / "out", run_in_process, late=policy)
    found = results(tmp_path / "out")
    assert list(found) == ["bo", "mallory"]
    assert (found["bo"].earned, found["bo"].status, found["bo"].late) == (6, "graded", None)
    late = found["mallory"].late
    assert late is not None
    assert (late.days, late.percent) == (2, 20)


def test_two_graders_in_one_folder(assignment: Assignment, source: Path, tmp_path: Path) -> None:
    with GradesFolder(tmp_path / "out").lock(), pytest.raises(GradingError, match="Another run"):
        run(assignment, source, tmp_path / "out", run_in_process)


def test_files_lie_beside_the_notebook(assignment: Assignment, tmp_path: Path) -> None:
    def look(job: Job) -> Execution:
        seen.append(sorted(job.files))
        return run_in_process(job)

    seen: list[list[str]] = []
    folder = hand_in(tmp_path / "in" / "ada", hw01=submission())
    (folder / "own.csv").write_text("a")
    run(assignment, tmp_path / "in", tmp_path / "out", look)
    assert seen == [["own.csv"]]


def test_the_notebook_as_it_ran_lies_beside_the_result(
    assignment: Assignment, source: Path, tmp_path: Path
) -> None:
    run(assignment, source, tmp_path / "out", run_in_process, only=("ada",))
    stored = GradesFolder(tmp_path / "out")
    (result,) = stored.results()
    stored.write(result.model_copy(update={"executed": '{"cells": []}'}))
    assert (stored.executed_dir / f"{file_stem('ada')}.ipynb").read_text() == '{"cells": []}'


def test_names_become_files_that_stay_in_the_folder() -> None:
    names = ["ada", "Ada", "../ada", "a/b", "ä", "ё", "con", ".hidden", "x" * 300, "", "ada.", "ADA"]
    stems = [file_stem(name) for name in names]
    assert len({stem.casefold() for stem in stems}) == len(names)
    assert all(stem and "/" not in stem and not stem.startswith(".") and len(stem) < 120 for stem in stems)


CLASS = 6
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


def grade_and_be_killed(assignment: Assignment, source: Path, out: Path, after: float) -> bool:
    """Grade in a process of its own, ended with SIGKILL after so many seconds; whether it was under way."""
    child = os.fork()
    if child == 0:
        try:
            run(assignment, source, out, run_in_process, jobs=2)
        finally:
            os._exit(0)
    time.sleep(after)  # the moment of the kill is what is tested
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def gradebook_bytes(out: Path) -> tuple[bytes, bytes]:
    folder = GradesFolder(out)
    build(folder)
    return folder.gradebook_csv.read_bytes(), folder.gradebook_sqlite.read_bytes()


@pytest.mark.slow
@needs_fork
def test_kill_minus_nine_fifty_times(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A grader killed at a random moment, run again, gives the undisturbed run's gradebook, byte for byte."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # it guards against power cuts, not against kills
    # tqdm's own lock is shared with forks: a child that is killed while it holds the lock would stop us
    monkeypatch.setattr(tqdm, "_lock", threading.RLock(), raising=False)
    wrong = [submission(), submission(q1=FIRST_NUMBER), submission(q2="x = (")]
    source = hand_in(tmp_path / "in", **{f"s{number}": wrong[number % 3] for number in range(CLASS)})
    (source / "broken.ipynb").write_bytes(b"{")
    started = time.perf_counter()
    run(assignment, source, tmp_path / "calm", run_in_process, jobs=2)
    seconds = time.perf_counter() - started
    expected = gradebook_bytes(tmp_path / "calm")
    random_source, killed, halves = random.Random(7), 0, set()
    for attempt in range(50):
        out = tmp_path / f"killed-{attempt}"
        killed += grade_and_be_killed(assignment, source, out, random_source.uniform(0, 1.2 * seconds))
        halves.add(len(list((out / "results").glob("[!.]*.json"))))
        run(assignment, source, out, run_in_process, jobs=2)
        assert gradebook_bytes(out) == expected
        assert not list(out.glob("*/.*")), "half-written files stayed"
    assert killed > 10, "the test must hit the grader at work"
    assert len(halves) > 2, "and at different points of it"


def test_hand_grades_survive_a_resubmission_only_for_the_same_answer(
    assignment: Assignment, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(assignment, source, out, run_in_process)
    folder = GradesFolder(out)
    save_hand_grades(folder, [checked_grade(result, "q3", 3, "") for result in folder.results()])
    assert {row.student: row.total for row in build(folder).rows} == {"ada": 9, "bo": 7, "cem": 7}
    (source / "bo.ipynb").write_bytes(to_bytes(submission(q3="Something else.")))
    (source / "cem.ipynb").write_bytes(to_bytes(submission(q3=TEXT_Q3)))
    run(assignment, source, out, run_in_process)
    assert {row.student: row.total for row in build(folder).rows} == {"ada": 9, "bo": None, "cem": 9}

"""The commands from submissions to published grades, in the order of the instructor's guide."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FIRST_NUMBER, hand_in, run_in_process, small_assignment, submission
from typer.testing import CliRunner

from aicourse.errors import AicourseError, GradingError
from aicourse.tooling.cli import app
from aicourse.tooling.grading.judging import class_run

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def without_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def executor(*_: object) -> Iterator[tuple[object, str, int]]:
        yield run_in_process, "L3", 2

    monkeypatch.setattr(class_run, "_executor", executor)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    small_assignment(tmp_path / "hw01")
    hand_in(tmp_path / "in", ada=submission(), bo=submission(q1=FIRST_NUMBER))
    return tmp_path


def aicourse(*words: object, code: int = 0) -> str:
    result = RUNNER.invoke(app, [str(word) for word in words])
    if isinstance(result.exception, AicourseError):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def test_from_submissions_to_published_grades(place: Path) -> None:
    assignment, grades = place / "hw01", place / "grades"
    said = aicourse("grade", assignment, place / "in", "--out", grades, "--jobs", 2)
    assert "2 submissions: 2 graded" in said
    table = place / "by-hand.csv"
    table.write_text("student,question,points,comment\nada,q3,3,Good.\nbo,q3,2,\n")
    assert "2 grades taken" in aicourse("gradebook", "merge", grades, table)
    assert "2 students, 0 without a final total" in aicourse("gradebook", "build", grades)
    assert "q1" in aicourse("gradebook", "stats", grades)
    assert (grades / "report.html").samefile(aicourse("gradebook", "report", grades).strip())
    assert "2 files" in aicourse("feedback", grades)
    assert "feedback-plain.zip" in aicourse("feedback", grades, "--zip", "plain")
    assert "gradebook-canvas.csv: 2 students" in aicourse("gradebook", "export", grades, "--to", "canvas")
    assert "similarity.html" in aicourse("similarity", assignment, grades)


def test_one_that_could_not_be_graded_is_an_exit_code(place: Path) -> None:
    (place / "in" / "cem.ipynb").write_bytes(b"{")
    said = aicourse("grade", place / "hw01", place / "in", "--out", place / "grades", code=1)
    assert "cem: could not be graded." in said


def test_a_notice_of_the_assignment_is_printed_first(place: Path) -> None:
    with (place / "hw01" / "checks.py").open("a", encoding="utf-8") as checks:
        checks.write('\nnotice = "The secret is missing."\n')
    said = aicourse("grade", place / "hw01", place / "in", "--out", place / "grades")
    assert said.startswith("The secret is missing.\n")


def test_options_reach_the_batch(place: Path) -> None:
    words = ["grade", place / "hw01", place / "in", "--out", place / "grades"]
    late = ["--deadline", "2020-01-01", "--late-percent", 10, "--grace-minutes", 5, "--trust-file-times"]
    said = aicourse(*words, "--only", "ada", *late)
    assert "Of 1, only file dates are known" in said
    assert [path.stem for path in (place / "grades" / "results").iterdir()] == ["ada"]
    assert '"percent": 100.0' in (place / "grades" / "results" / "ada.json").read_text()
    (place / "extensions.csv").write_text("student,deadline\nada,2099-01-01\neve,2099-01-01\n")
    (place / "groups.csv").write_text("group,student\npair,ada\npair,eve\nnight,cy\n")
    tables = ["--extensions", place / "extensions.csv", "--groups", place / "groups.csv"]
    said = aicourse(*words, *late, *tables)
    assert "Extensions of people who did not hand in" not in said
    assert "Groups of whom nobody handed in: night." in said
    stored = (place / "grades" / "results" / "pair.json").read_text()
    assert '"late": null' in stored
    assert "Add --deadline" in aicourse(*words, *tables, code=2)
    with pytest.raises(AicourseError, match="no question 'q9'"):
        aicourse(*words, "--regrade", "q9")
    with pytest.raises(GradingError, match="is no time"):
        aicourse(*words, "--deadline", "soon")


@pytest.mark.parametrize(
    "command",
    [
        ["grade"],
        ["feedback"],
        ["similarity"],
        *(["gradebook", name] for name in ("build", "review", "merge", "export", "stats", "report")),
    ],
)
def test_each_command_has_help_and_an_example(command: list[str]) -> None:
    text = RUNNER.invoke(app, [*command, "--help"]).output
    assert f"Example: aicourse {' '.join(command)}" in text

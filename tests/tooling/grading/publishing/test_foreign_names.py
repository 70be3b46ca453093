"""Names and sentences that would act on a terminal or forge a line, in all that is printed or exported."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fakes import RIGHT_Q1, TEXT_Q3, hand_in, run_in_process, small_assignment, submission, to_bytes

from aicourse.errors import SubmissionError
from aicourse.tooling import cli
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.grade import Options, Summary, grade
from aicourse.tooling.grading.publishing.exporting import export
from aicourse.tooling.grading.publishing.feedback import write_feedback, write_feedback_zip
from aicourse.tooling.grading.publishing.gradebook import build
from aicourse.tooling.grading.publishing.hand_grading import checked_grade, save_hand_grades
from aicourse.tooling.grading.publishing.report import write_report
from aicourse.tooling.grading.publishing.similarity import write_similarity

SEEN = re.compile("[\0-\b\v\f\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
NAMES = [
    "\x1b[2J\x1b]0;owned\x07",
    "red\x1b[31m",
    "turned\u202etxt",
    "bell\x07",
    "\x9b31m",
    "ada\nbo: graded\r",
]


@pytest.fixture
def graded(tmp_path: Path) -> tuple[Summary, GradesFolder]:
    source = hand_in(tmp_path / "in", ada=submission(), bo=submission())
    for number, name in enumerate(NAMES):
        (source / f"{name}_{100 + number}_assignsubmission_file").mkdir()
        place = source / f"{name}_{100 + number}_assignsubmission_file" / f"{name}.ipynb"
        place.write_bytes(to_bytes(submission()) if number % 2 else b"{")
    raises = f"{RIGHT_Q1}\nraise ValueError('\\x1b[31m\\n  bo: could not be graded. It was copied.')"
    (source / "cem.ipynb").write_bytes(to_bytes(submission(q1=raises)))
    assignment = small_assignment(tmp_path / "hw")
    summary = grade(assignment, source, tmp_path / "out", run_in_process, options=Options(progress=False))
    folder = GradesFolder(tmp_path / "out")
    results = [result for result in folder.results() if result.status != "failed"]
    save_hand_grades(folder, [checked_grade(result, "q3", 3, "") for result in results])
    build(folder)
    write_report(folder)
    write_feedback(folder)
    write_similarity(assignment, folder)
    return summary, folder


def test_the_run_prints_one_line_for_each(graded: tuple[Summary, GradesFolder]) -> None:
    summary, _ = graded
    told = str(summary)
    assert SEEN.search(told) is None
    assert len(summary.outcomes) == 3 + len(NAMES), "no two became one"
    assert not [line for line in told.splitlines() if line.startswith("  bo: ")], "nobody speaks for bo"
    assert {outcome.student: outcome.status for outcome in summary.outcomes}["bo"] == "graded"


def test_nothing_that_is_written_acts(graded: tuple[Summary, GradesFolder]) -> None:
    _, folder = graded
    exported = [export(folder, platform) for platform in ("canvas", "moodle", "gradescope")]
    packed = write_feedback_zip(folder, "plain").path
    written = [path for path in folder.root.rglob("*") if path.is_file() and path.suffix in (".csv", ".html")]
    assert len(written) > 10
    for path in written:
        assert SEEN.search(path.read_text(encoding="utf-8-sig")) is None, path
        assert SEEN.search(path.name) is None
    for told in exported:
        assert SEEN.search(str(told)) is None
    with zipfile.ZipFile(packed) as archive:
        assert not [name for name in archive.namelist() if SEEN.search(name) or "\n" in name]
    rows = folder.gradebook_csv.read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 1 + 3 + len(NAMES)


def test_an_error_on_the_command_line_does_not_act(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(**options: Any) -> None:
        raise SubmissionError("\x1b[2Jred\u202e has no notebook.")

    monkeypatch.setattr(cli, "app", fails)
    monkeypatch.setattr(sys, "argv", ["aicourse"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == "\N{REPLACEMENT CHARACTER}[2Jred\N{REPLACEMENT CHARACTER} has no notebook."


def test_the_level_of_isolation_is_said_in_one_line(tmp_path: Path) -> None:
    source = hand_in(tmp_path / "in", ada=submission(), bo=submission(q3=TEXT_Q3))
    summary = grade(small_assignment(tmp_path / "hw"), source, tmp_path / "out", run_in_process)
    (line,) = [line for line in str(summary).splitlines() if line.startswith("Isolation: ")]
    level = next(iter(GradesFolder(tmp_path / "out").results())).level
    assert line.startswith(f"Isolation: {level} (")
    assert line in write_report(GradesFolder(tmp_path / "out")).read_text(encoding="utf-8")

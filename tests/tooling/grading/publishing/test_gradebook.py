"""The gradebook: idempotent, empty where nothing is known, and as each platform takes it."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FIRST_NUMBER, hand_in, run_in_process, small_assignment, submission, to_bytes

from aicourse.errors import GradingError
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.grade import Options, grade
from aicourse.tooling.grading.judging.late import late_policy
from aicourse.tooling.grading.publishing.exporting import export
from aicourse.tooling.grading.publishing.feedback import write_feedback_zip
from aicourse.tooling.grading.publishing.gradebook import build, read_gradebook
from aicourse.tooling.grading.publishing.hand_grading import (
    checked_grade,
    merge_csv,
    read_hand_grades,
    save_hand_grades,
)

MOODLE = ["Ada Byron_101_assignsubmission_file", "Bo Li_102_assignsubmission_file"]


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def graded_folder(tmp_path: Path, source: Path, **options: object) -> GradesFolder:
    assignment = small_assignment(tmp_path / "hw")
    out = tmp_path / "out"
    grade(assignment, source, out, run_in_process, options=replace(Options(progress=False), **options))  # type: ignore[arg-type]
    return GradesFolder(out)


@pytest.fixture
def folder(tmp_path: Path) -> GradesFolder:
    source = hand_in(tmp_path / "in", ada=submission(), bo=submission(q1=FIRST_NUMBER))
    (source / "cem.ipynb").write_bytes(b"{")
    return graded_folder(tmp_path, source)


def give(folder: GradesFolder, **points: float) -> None:
    results = {result.student: result for result in folder.results()}
    save_hand_grades(
        folder, [checked_grade(results[name], "q3", value, "") for name, value in points.items()]
    )


def test_open_and_failed_are_empty_and_not_zero(folder: GradesFolder) -> None:
    give(folder, ada=3.5)
    build(folder)
    ada, bo, cem = rows(folder.gradebook_csv)
    assert (ada["q3 (of 4)"], ada["earned"], ada["total"], ada["out_of"]) == ("3.5", "9.5", "9.5", "10")
    assert (bo["q1 (of 4)"], bo["q3 (of 4)"], bo["earned"], bo["total"]) == ("2", "", "4", "")
    assert (cem["status"], cem["q1 (of 4)"], cem["earned"], cem["total"]) == ("failed", "", "", "")
    assert "cut off" in cem["sentence"]


def test_the_same_results_give_the_same_bytes(folder: GradesFolder) -> None:
    give(folder, ada=3, bo=1)
    build(folder)
    before = folder.gradebook_csv.read_bytes(), folder.gradebook_sqlite.read_bytes()
    give(folder, bo=1)
    build(folder)
    assert (folder.gradebook_csv.read_bytes(), folder.gradebook_sqlite.read_bytes()) == before


def test_sqlite_says_the_same(folder: GradesFolder) -> None:
    give(folder, ada=3)
    build(folder)
    with sqlite3.connect(folder.gradebook_sqlite) as connection:
        totals = dict(connection.execute("SELECT student, total FROM students"))
        checks = connection.execute(
            "SELECT count(*), sum(passed) FROM checks WHERE student = 'bo'"
        ).fetchone()
        summed = connection.execute("SELECT sum(earned) FROM points WHERE student = 'ada'").fetchone()
    connection.close()
    assert totals == {"ada": 9, "bo": None, "cem": None}
    assert checks == (4, 3)
    assert summed == (9,)


def test_lateness_is_taken_off_the_total(tmp_path: Path) -> None:
    source = hand_in(tmp_path / "in", ada=submission())
    os.utime(source / "ada.ipynb", (1_800_000_000, 1_800_000_000))
    folder = graded_folder(
        tmp_path, source, late=late_policy("2027-01-14T12:00+00:00", 25, 0, trust_file_times=True)
    )
    give(folder, ada=4)
    build(folder)
    (ada,) = rows(folder.gradebook_csv)
    assert (ada["earned"], ada["late_days"], ada["late_percent"], ada["total"]) == ("10", "1", "25", "7.5")


@pytest.mark.parametrize(("percent", "total"), [(7.5, "9.25"), (12.34, "8.766"), (100 / 3, "6.667")])
def test_a_total_keeps_three_decimals(tmp_path: Path, percent: float, total: str) -> None:
    source = hand_in(tmp_path / "in", ada=submission())
    os.utime(source / "ada.ipynb", (1_800_000_000, 1_800_000_000))
    folder = graded_folder(
        tmp_path, source, late=late_policy("2027-01-14T12:00+00:00", percent, 0, trust_file_times=True)
    )
    give(folder, ada=4)
    build(folder)
    assert [row["total"] for row in rows(folder.gradebook_csv)] == [total]


def test_results_of_two_assignments_do_not_mix(folder: GradesFolder) -> None:
    path = folder.results_dir / "ada.json"
    path.write_text(path.read_text().replace('"assignment": "hw01"', '"assignment": "hw02"'))
    with pytest.raises(GradingError, match="hw01 and hw02"):
        read_gradebook(folder)


def test_a_damaged_result_is_named(folder: GradesFolder) -> None:
    (folder.results_dir / "ada.json").write_text("{")
    with pytest.raises(GradingError, match=r"ada.json is not a result"):
        read_gradebook(folder)
    with pytest.raises(GradingError, match="Grade first"):
        read_gradebook(GradesFolder(folder.root / "other"))


# hand grades


def test_merge_from_csv(folder: GradesFolder, tmp_path: Path) -> None:
    table = tmp_path / "by-hand.csv"
    table.write_text("student,question,points,comment\nada,q3,3,Clear.\nbo,q3,,\n", encoding="utf-8-sig")
    assert merge_csv(folder, table) == 1
    assert read_hand_grades(folder)["ada", "q3"].comment == "Clear."


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ada,q3,5,", "between 0 and 4"),
        ("ada,q3,-1,", "between 0 and 4"),
        ("ada,q3,nan,", "between 0 and 4"),
        ("ada,q3,good,", "no number"),
        ("ada,q1,1,", "no question graded by hand"),
        ("zoe,q3,1,", "no result of a student 'zoe'"),
    ],
)
def test_one_wrong_row_and_none_is_taken(
    folder: GradesFolder, tmp_path: Path, line: str, sentence: str
) -> None:
    table = tmp_path / "by-hand.csv"
    table.write_text(f"student,question,points,comment\nbo,q3,2,\n{line}\n")
    with pytest.raises(GradingError, match=f"line 3: .*{sentence}"):
        merge_csv(folder, table)
    assert read_hand_grades(folder) == {}


def test_missing_columns_are_named(folder: GradesFolder, tmp_path: Path) -> None:
    table = tmp_path / "by-hand.csv"
    table.write_text("student,mark\nada,1\n")
    with pytest.raises(GradingError, match="no column points, question"):
        merge_csv(folder, table)


# exports


def test_canvas_takes_its_header_and_points_row(folder: GradesFolder) -> None:
    """The rules of canvas-lms, lib/gradebook_importer.rb: `header?` and `process_pp`."""
    give(folder, ada=4, bo=0)
    written = export(folder, "canvas")
    lines = list(csv.reader(io.StringIO(written.path.read_text(encoding="utf-8-sig"))))
    assert "Student" in lines[0][0]
    assert "ID" in lines[0][1]
    assert lines[0][2:5] == ["SIS User ID", "SIS Login ID", "Section"]
    assert lines[1][0].strip() == "Points Possible"
    assert [line[5] for line in lines] == ["hw01", "10", "10", "4", ""]
    assert written.open == ("cem",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_canvas_roster_comes_back_filled(folder: GradesFolder, tmp_path: Path, encoding: str) -> None:
    give(folder, ada=4, bo=0)
    roster = tmp_path / "canvas.csv"
    roster.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,Quiz (11),Sizes and wool (12)\n"
        "    Points Possible,,,,,5,10\n"
        '"Byron, Ada",7,s7,ada,A,3,\n'
        '"Ito, Ren",8,s8,ren,A,2,\n'
        '"Li, Bo",9,s9,bo@school.edu,A,1,\n',
        encoding=encoding,
    )
    written = export(folder, "canvas", roster)
    lines = list(csv.reader(io.StringIO(written.path.read_text(encoding="utf-8-sig"))))
    assert [line[-1] for line in lines] == ["Sizes and wool (12)", "10", "10", "", "4"]
    assert [line[5] for line in lines] == ["Quiz (11)", "5", "3", "2", "1"], "other columns stay"
    assert written.unknown == ("cem",)


@pytest.fixture
def moodle_folder(tmp_path: Path) -> GradesFolder:
    for name in MOODLE:
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "hw01.ipynb").write_bytes(to_bytes(submission()))
    return graded_folder(tmp_path, tmp_path / "in")


def test_moodle_finds_its_participants(moodle_folder: GradesFolder, tmp_path: Path) -> None:
    """The rules of moodle, mod/assign/feedback/offline/importgradeslib.php: `Participant N`, a grade."""
    give(moodle_folder, **{"Ada Byron": 4})
    sheet = rows(export(moodle_folder, "moodle").path)
    assert {"Identifier", "Grade", "Last modified (grade)"} <= sheet[0].keys()
    assert not [cell for row in sheet for cell in row.values() if cell.startswith("'")]
    assert [(row["Identifier"], row["Grade"]) for row in sheet] == [
        ("Participant 101", "10"),
        ("Participant 102", ""),
    ]
    assert sheet[0]["Feedback comments"] == "q1: 4 of 4; q2: 2 of 2; q3: 4 of 4"
    roster = tmp_path / "worksheet.csv"
    roster.write_text("Identifier,Full name,Grade\nParticipant 102,Bo Li,\nParticipant 101,Ada Byron,\n")
    filled = rows(export(moodle_folder, "moodle", roster).path)
    assert [row["Grade"] for row in filled] == ["", "10"]


def test_who_has_no_number_of_the_platform_is_named(moodle_folder: GradesFolder, tmp_path: Path) -> None:
    assert export(moodle_folder, "moodle").unnumbered == ()
    done = export(moodle_folder, "canvas")
    assert done.unnumbered == ("Ada Byron", "Bo Li")
    assert "it may not know who they are: Ada Byron, Bo Li. Name its own export with --roster." in str(done)


def test_feedback_goes_back_to_moodle(moodle_folder: GradesFolder) -> None:
    """importziplib.php splits a folder's name at underscores: full name, participant, type, plug-in."""
    names = zipfile.ZipFile(write_feedback_zip(moodle_folder, "moodle").path).namelist()
    assert [name.split("/")[0].split("_", 4)[1:4] for name in names] == [
        ["101", "assignfeedback", "file"],
        ["102", "assignfeedback", "file"],
    ]


def test_feedback_goes_back_to_canvas(tmp_path: Path) -> None:
    """canvas-lms, `infer_comment_context_from_filename`: the first two groups of digits."""
    source = tmp_path / "in"
    source.mkdir()
    (source / "byronada_LATE_17_901_hw01.ipynb").write_bytes(to_bytes(submission()))
    (name,) = zipfile.ZipFile(write_feedback_zip(graded_folder(tmp_path, source), "canvas").path).namelist()
    assert [part for part in name.split("_") if part.isdigit()][:2] == ["17", "901"]


def test_a_platform_that_would_not_know_whose_it_is(folder: GradesFolder) -> None:
    with pytest.raises(GradingError, match="not from moodle"):
        write_feedback_zip(folder, "moodle")
    assert len(zipfile.ZipFile(write_feedback_zip(folder, "plain").path).namelist()) == 3


def test_a_roster_of_something_else(folder: GradesFolder, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(GradingError, match="The roster lacks Student and ID"):
        export(folder, "canvas", tmp_path / "other.csv")


@pytest.mark.skipif(sys.platform == "win32", reason="Gradescope runs Linux")
@pytest.mark.parametrize(
    ("user", "score"),
    [
        ({"email": "ada@school.edu", "name": "A. B."}, 10),
        ({"email": "x@y", "name": "BO"}, 4),
        ({"name": "Zoe"}, None),
        ({"name": "cem"}, None),
        ({"email": "ada@school.edu", "name": "Bo"}, None),
    ],
)
def test_gradescope_runs_no_student_code(
    folder: GradesFolder, tmp_path: Path, user: dict[str, str], score: float | None
) -> None:
    give(folder, ada=4, bo=0)
    root = tmp_path / "autograder"
    zipfile.ZipFile(export(folder, "gradescope").path).extractall(root / "source")
    (root / "submission_metadata.json").write_text(json.dumps({"users": [user]}))
    environment = {"AUTOGRADER_ROOT": str(root), "PATH": os.environ["PATH"]}
    run = subprocess.run([sys.executable, root / "source" / "run_autograder"], env=environment, check=False)
    assert (run.returncode == 0) is (score is not None)
    if score is None:
        assert not (root / "results").exists(), "an unknown student is unknown, and never has 0 points"
        return
    result = json.loads((root / "results" / "results.json").read_text())
    assert result["score"] == score
    assert all(test["output_format"] == "text" for test in result.get("tests", ()))

"""Rosters: whose row it is, never guessed; and the platform's file back with nothing changed but grades."""

from __future__ import annotations

import unicodedata
import zipfile
from pathlib import Path

import pytest
from fakes import FIRST_NUMBER, run_in_process, small_assignment, submission, to_bytes

from aicourse.csv_text import CsvTable
from aicourse.errors import GradingError
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.grade import Options, grade
from aicourse.tooling.grading.publishing.exporting import export
from aicourse.tooling.grading.publishing.feedback import write_feedback_zip
from aicourse.tooling.grading.publishing.gradebook import build
from aicourse.tooling.grading.publishing.hand_grading import checked_grade, merge_csv, save_hand_grades

NOTEBOOK = to_bytes(submission())
MOODLE_HEAD = (
    "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments"
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (777),Final Score\r\n"
    "    Points Possible,,,,,10,(read only)\r\n"
    '"Åberg, Zoë",5001,s1,zoe,A,,\r\n'
    '"Muster, Anna",5002,s2,-anna,A,,=1+1\r\n'
    '"von der Heide, Anna-Lena",5004,s3,al,A,,\r\n'
    '"Student, Test",999,,abc,A,,\r\n'
)


def graded(tmp_path: Path, *names: str, **options: object) -> GradesFolder:
    """A class's zip with these names in it, graded, by hand too: everybody has 9 points."""
    source = tmp_path / "class.zip"
    with zipfile.ZipFile(source, "w") as archive:
        for name in names:
            archive.writestr(name, NOTEBOOK)
    assignment = small_assignment(tmp_path / "hw")
    settings = Options(progress=False, **options)  # type: ignore[arg-type]
    grade(assignment, source, tmp_path / "out", run_in_process, options=settings)
    folder = GradesFolder(tmp_path / "out")
    complete = [result for result in folder.results() if result.status != "failed"]
    save_hand_grades(folder, [checked_grade(result, "q3", 3, "") for result in complete])
    return folder


def worksheet(path: Path, *rows: str) -> Path:
    lines = [f"{row},x@u.edu,Submitted,,10,Yes,-,-," if row.count(",") == 1 else row for row in rows]
    path.write_text("\n".join([MOODLE_HEAD, *lines]) + "\n", encoding="utf-8")
    return path


def grades_in(path: Path, key: int = 0, grade_column: int = 4) -> dict[str, str]:
    table = CsvTable.read(path.read_bytes())
    return {row[key]: row[grade_column] for row in table.rows[1:] if len(row) > grade_column}


# whose row


def test_two_people_of_one_name_are_not_one(tmp_path: Path) -> None:
    folder = graded(tmp_path, "Alex Kim/hw01.ipynb", "Zoë Åberg/hw01.ipynb", "maria.lopez@u.edu/hw01.ipynb")
    roster = worksheet(
        tmp_path / "roster.csv",
        "Participant 1,Alex Kim,alex1@u.edu,Submitted,,10,Yes,-,-,",
        "Participant 2,Alex  Kim,alex2@u.edu,Submitted,,10,Yes,-,-,",
        unicodedata.normalize("NFD", "Participant 3,ZOË ÅBERG,zoe@u.edu,Submitted,,10,Yes,-,-,"),
        "Participant 4,Maria López,maria.lopez@u.edu,Submitted,,10,Yes,-,-,",
    )
    done = export(folder, "moodle", roster)
    assert list(grades_in(done.path).values()) == ["", "", "9", "9"]
    assert list(done.unclear) == ["Alex Kim"]
    said = str(done)
    assert "Participant 1, Alex Kim, alex1@u.edu" in said
    assert "--match FILE" in said
    decision = tmp_path / "who.csv"
    for identifier in ("Participant 2", "alex2@u.edu", "2"):
        decision.write_text(f"student;roster\nAlex Kim;{identifier}\n")
        done = export(folder, "moodle", roster, decision)
        assert list(grades_in(done.path).values()) == ["", "9", "9", "9"]
        assert not done.unclear


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Alex Kim,Alex Kim", "2 rows"),
        ("Alex Kim,Participant 9", "0 rows"),
        ("Alexa,Participant 1", "no result"),
        ("Alex Kim,Participant 1\nAlex Kim,Participant 2", "line 3: Alex Kim is 'Participant 1' already"),
    ],
)
def test_a_decision_that_is_none(tmp_path: Path, line: str, sentence: str) -> None:
    folder = graded(tmp_path, "Alex Kim/hw01.ipynb", "Bo/hw01.ipynb")
    roster = worksheet(tmp_path / "roster.csv", "Participant 1,Alex Kim", "Participant 2,Alex Kim")
    (tmp_path / "who.csv").write_text(f"student,roster\n{line}\n")
    with pytest.raises(GradingError, match=sentence):
        export(folder, "moodle", roster, tmp_path / "who.csv")


def test_a_number_is_its_platforms_alone(tmp_path: Path) -> None:
    folder = graded(
        tmp_path,
        "Anna Muster_102_assignsubmission_file/hw01.ipynb",
        "Anna Muster_103_assignsubmission_file/hw01.ipynb",
        "Zoë Åberg_5004_assignsubmission_file/hw01.ipynb",
        "4711/hw01.ipynb",
    )
    roster = tmp_path / "canvas.csv"
    roster.write_text(CANVAS.replace("Homework 1", "HW01").replace("5002", "102").replace("999", "4711"))
    done = export(folder, "canvas", roster)
    assert grades_in(done.path, 1, 5) == {"": "10", "5001": "9", "102": "", "5004": "", "4711": ""}
    assert sorted(done.unclear) == ["Anna Muster (102)", "Anna Muster (103)"], "one row, two students"
    assert done.unknown == ("4711",)


def test_a_platforms_student_who_left_is_not_replaced_by_a_namesake(tmp_path: Path) -> None:
    folder = graded(
        tmp_path, "Alex Kim_1_assignsubmission_file/hw01.ipynb", "Bo_3_assignsubmission_file/hw01.ipynb"
    )
    done = export(
        folder, "moodle", worksheet(tmp_path / "r.csv", "Participant 2,Alex Kim", "Participant 3,Bo")
    )
    assert grades_in(done.path) == {"Participant 2": "", "Participant 3": "9"}
    assert done.unknown == ("Alex Kim",)


def test_two_results_for_one_student_are_both_shown_and_not_exported(tmp_path: Path) -> None:
    folder = graded(
        tmp_path, "Ada_1_assignsubmission_file/hw01.ipynb", "Bo_2_assignsubmission_file/hw01.ipynb"
    )
    path = folder.results_dir / "stale.json"
    stored = next(one for one in folder.results() if one.student == "Ada")
    path.write_text(stored.model_copy(update={"student": "Ada (1)"}).to_json())
    done = export(folder, "moodle", worksheet(tmp_path / "r.csv", "Participant 1,Ada", "Participant 2,Bo"))
    assert grades_in(done.path) == {"Participant 1": "", "Participant 2": "9"}
    assert sorted(done.unclear) == ["Ada", "Ada (1)"]


# the file


@pytest.mark.parametrize(
    ("delimiter", "encoding"),
    [
        (",", "utf-8-sig"),
        (";", "utf-8-sig"),
        ("\t", "utf-8"),
        (",", "utf-16"),
        (",", "cp1252"),
        (";", "cp1252"),
    ],
)
def test_what_goes_back_is_the_platforms_file(tmp_path: Path, delimiter: str, encoding: str) -> None:
    folder = graded(tmp_path, "abergzoe_5001_1_hw01.ipynb", "musteranna_LATE_5002_2_hw01.ipynb")
    text = CANVAS.replace("Homework 1", "Sizes and wool").replace(",", delimiter)
    text = text.replace(f"{delimiter} ", ", ")  # those inside of names
    (tmp_path / "canvas.csv").write_bytes(text.encode(encoding))
    done = export(folder, "canvas", tmp_path / "canvas.csv")
    expected = text.replace(f"zoe{delimiter}A{delimiter}", f"zoe{delimiter}A{delimiter}9")
    expected = expected.replace(f"-anna{delimiter}A{delimiter}", f"-anna{delimiter}A{delimiter}9")
    assert done.path.read_bytes() == expected.encode(encoding)


def test_a_new_column_is_ours(tmp_path: Path) -> None:
    folder = graded(tmp_path, "abergzoe_5001_1_hw01.ipynb", "x_77_2_hw01.ipynb")
    (tmp_path / "canvas.csv").write_text(CANVAS, encoding="utf-8", newline="")
    done = export(folder, "canvas", tmp_path / "canvas.csv")
    lines = done.path.read_bytes().decode().split("\n")
    added = [",hw01\r", ",10\r", ",9\r", ",\r", ",\r", ",\r", ""]
    assert lines == [line.rstrip("\r") + end for line, end in zip(CANVAS.split("\n"), added, strict=True)]
    assert done.unknown == ("x",)


@pytest.mark.parametrize(
    ("head", "participant", "changeable"),
    [
        ("ID;Vollständiger Name;E-Mail;Status;Bewertung;Bestwertung;Änderbar;-;-;Feedback als Kommentar",
         "Teilnehmer/in", "Ja"),
        ("Tunniste;Koko nimi;S-posti;Tila;Arvosana;Enimmäisarvosana;Muutettavissa;-;-;(comments)",
         "Osallistuja ", "Kyllä"),
    ],
    ids=["german", "a language that is not known"],
)  # fmt: skip
def test_moodle_in_its_users_language(tmp_path: Path, head: str, participant: str, changeable: str) -> None:
    folder = graded(
        tmp_path, "Zoë Åberg_101_assignsubmission_file/hw01.ipynb", "Bo_102_assignsubmission_file/x.ipynb"
    )
    save_hand_grades(folder, [checked_grade(result, "q3", 2.5, "=gut; ja") for result in folder.results()])
    rows = [
        f"{participant}{number};{name};x@u.edu;-;;10,00;{changeable};-;-;"
        for number, name in ((101, "Zoë Åberg"), (102, "Bo"), (103, "-anna"))
    ]
    roster = tmp_path / "moodle.csv"
    roster.write_text("\n".join([head, *rows]), encoding="utf-8-sig")
    done = export(folder, "moodle", roster)
    comment = '"q1: 4 of 4; q2: 2 of 2; q3: 2.5 of 4; q3: =gut; ja"'
    expected = [head, *(row.replace("-;;10", "-;8,5;10") + comment for row in rows[:2]), rows[2]]
    assert done.path.read_text(encoding="utf-8-sig") == "\n".join(expected)


def test_what_is_not_final_takes_no_grade_away(tmp_path: Path) -> None:
    folder = graded(tmp_path, "Ada/hw01.ipynb", "Bo/hw01.ipynb")
    folder.hand_grades.unlink()
    line = "Participant 1,Ada,x@u.edu,-,4,10,Yes,-,-,"
    done = export(folder, "moodle", worksheet(tmp_path / "r.csv", line, "Participant 2,Bo"))
    assert grades_in(done.path) == {"Participant 1": "4", "Participant 2": ""}
    assert done.open == ("Ada", "Bo")


def test_a_table_that_is_no_worksheet(tmp_path: Path) -> None:
    folder = graded(tmp_path, "Ada/hw01.ipynb", "Bo/hw01.ipynb")
    for text in ("a,b\n1,2\n", "Participant 1,Grade\n", "\n"):
        (tmp_path / "x.csv").write_text(text)
        with pytest.raises(GradingError, match="Identifier and Grade"):
            export(folder, "moodle", tmp_path / "x.csv")
    (tmp_path / "x.csv").write_text("")
    with pytest.raises(GradingError, match="is empty"):
        export(folder, "moodle", tmp_path / "x.csv")


def test_hand_grades_from_a_spreadsheet(tmp_path: Path) -> None:
    folder = graded(tmp_path, "Zoë Åberg/hw01.ipynb", "Bo/hw01.ipynb")
    name = unicodedata.normalize("NFD", "Zoë Åberg")
    (tmp_path / "hand.csv").write_bytes(
        f"Student;Question;Points;Comment\n{name};q3;2,5;gut".encode("utf-16")
    )
    assert merge_csv(folder, tmp_path / "hand.csv") == 1
    assert {row.student: row.total for row in build(folder).rows} == {"Zoë Åberg": 8.5, "Bo": 9}


def test_a_typed_text_blocks_nobodys_feedback(tmp_path: Path) -> None:
    names = ["doekim_5009_text.html", "abergzoe_5001_1_hw01.ipynb", "mailed.ipynb"]
    packed = write_feedback_zip(graded(tmp_path, *names), "canvas")
    assert zipfile.ZipFile(packed.path).namelist() == ["abergzoe_5001_1_feedback.html"]
    assert packed.left_out == ("doekim", "mailed")
    assert "Left out" in str(packed)


# groups


def test_a_group_hands_in_once_and_every_member_has_the_points(tmp_path: Path) -> None:
    folder = graded(
        tmp_path,
        "Ada Byron_101_assignsubmission_file/hw01.ipynb",
        "Bo Li_102_assignsubmission_file/hw01.ipynb",
        "Dora_104_assignsubmission_file/hw01.ipynb",
        groups={"Group 3": ("Ada Byron", "102", "Cem Öz"), "Group 4": ("Eve",)},
    )
    assert [result.student for result in folder.results()] == ["Dora", "Group 3"]
    build(folder)
    roster = worksheet(tmp_path / "r.csv", *(f"Participant {n},{name}" for n, name in [
        (101, "Ada Byron"), (102, "Bo Li"), (103, "Cem Öz"), (104, "Dora"), (105, "Eve")]))  # fmt: skip
    done = export(folder, "moodle", roster)
    assert list(grades_in(done.path).values()) == ["9", "9", "9", "9", ""]
    packed = write_feedback_zip(folder, "moodle")
    assert sorted(zipfile.ZipFile(packed.path).namelist()) == [
        "Ada Byron_101_assignfeedback_file/feedback.html",
        "Bo Li_102_assignfeedback_file/feedback.html",
        "Dora_104_assignfeedback_file/feedback.html",
    ]
    assert packed.left_out == ("Cem Öz",)


def test_a_group_with_two_different_works_is_not_guessed(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "ada.ipynb").write_bytes(NOTEBOOK)
    (source / "bo.ipynb").write_bytes(to_bytes(submission(q1=FIRST_NUMBER)))
    (source / "cem.ipynb").write_bytes(NOTEBOOK)
    options = Options(progress=False, groups={"one": ("ada", "bo")})
    summary = grade(
        small_assignment(tmp_path / "hw"), source, tmp_path / "out", run_in_process, options=options
    )
    assert "one: could not be graded. one handed in different work: ada.ipynb, bo.ipynb." in str(summary)
    assert {row.student: row.result.earned for row in build(GradesFolder(tmp_path / "out")).rows} == {
        "ada": None,
        "bo": None,
        "cem": 6,
    }


def test_namesakes_in_one_group_have_a_row_each(tmp_path: Path) -> None:
    metadata = "submission_1:\n  :submitters:\n" + "".join(
        f"  - :name: Zoë\n    :email: {user}@u.edu\n" for user in ("z1", "z2")
    )
    source = tmp_path / "in"
    (source / "submission_1").mkdir(parents=True)
    (source / "submission_1" / "hw01.ipynb").write_bytes(NOTEBOOK)
    (source / "submission_metadata.yml").write_text(metadata, encoding="utf-8")
    options = Options(progress=False)
    grade(small_assignment(tmp_path / "hw"), source, tmp_path / "out", run_in_process, options=options)
    book = build(GradesFolder(tmp_path / "out"))
    assert [row.student for row in book.rows] == ["Zoë (z1@u.edu)", "Zoë (z2@u.edu)"]

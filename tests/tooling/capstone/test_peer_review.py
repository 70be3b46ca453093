"""Peer review: who reads whom, forms that strangers fill in, medians in the gradebook."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicourse.csv_text import read_csv, to_csv
from aicourse.errors import AicourseError, GradingError
from aicourse.tooling.capstone import peer_review
from aicourse.tooling.grading.judging.folder import GradesFolder
from aicourse.tooling.grading.judging.results import SubmissionResult
from aicourse.tooling.grading.publishing import gradebook
from aicourse.tooling.grading.publishing.feedback import write_feedback

NAMES = ["ada", "bo", "cem", "dia", "eva"]


def roster(folder: Path, names: list[str], groups: list[str] | None = None) -> Path:
    rows = [list(row) for row in zip(names, groups or [""] * len(names), strict=True)]
    path = folder / "roster.csv"
    path.write_bytes(to_csv([["student", "group"], *rows]))
    return path


def assigned(
    folder: Path, names: list[str], groups: list[str] | None = None, seed: int = 7
) -> list[list[str]]:
    peer_review.assign(roster(folder, names, groups), seed, folder / "reviews")
    return read_csv((folder / "reviews" / "assignment.csv").read_bytes())[1:]


def fill(folder: Path, marks: dict[str, str], comment: str = "") -> None:
    """Each reviewer gives every criterion of every work the same points; those not named hand in nothing."""
    for reviewer, _, _, code in {tuple(row) for row in rows_of(folder)}:
        path = folder / "reviews" / "forms" / f"{code}.csv"
        if reviewer not in marks:
            path.unlink(missing_ok=True)
            continue
        head, *lines = read_csv(path.read_bytes())
        path.write_bytes(
            to_csv([head, *([*line[:3], marks[reviewer], comment, *line[5:]] for line in lines)])
        )


def rows_of(folder: Path) -> list[list[str]]:
    return read_csv((folder / "reviews" / "assignment.csv").read_bytes())[1:]


def merged(folder: Path, **options: bool) -> peer_review.Merged:
    reviews = folder / "reviews"
    return peer_review.merge(
        reviews / "forms", reviews / "assignment.csv", GradesFolder(folder / "grades"), **options
    )


# ------------------------------------------------------------ who reads whom


@given(groups=st.lists(st.integers(0, 8), min_size=5, max_size=40), seed=st.integers(0, 1_000))
def test_each_reads_and_is_read_equally_often_and_never_the_own_group(groups: list[int], seed: int) -> None:
    members = {f"s{number}": f"g{group}" for number, group in enumerate(groups)}
    largest = max(Counter(members.values()).values())
    if len(members) < 2 * largest:
        with pytest.raises(GradingError, match="smaller groups"):
            peer_review._reviews(members, seed, False)
        return
    reviews = peer_review._reviews(members, seed, False)
    each = min(3, len(members) - 2 * largest + 1)
    assert set(Counter(one.reviewer for one in reviews).values()) == {each}
    assert set(Counter(one.author for one in reviews).values()) == {each}
    assert len({(one.reviewer, one.author) for one in reviews}) == len(reviews) == each * len(members)
    assert all(members[one.reviewer] != members[one.author] for one in reviews)
    assert reviews == peer_review._reviews(members, seed, False)


def test_another_seed_gives_other_reviewers(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(30)]
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert assigned(one, names) == assigned(one, names) != assigned(other, names, seed=8)


def test_forms_that_came_back_and_another_assignment_are_not_overwritten(tmp_path: Path) -> None:
    assigned(tmp_path, NAMES)
    with pytest.raises(GradingError, match="another assignment, or forms"):
        assigned(tmp_path, NAMES, seed=8)
    fill(tmp_path, dict.fromkeys(NAMES, "2"))
    before = {path: path.read_bytes() for path in (tmp_path / "reviews").rglob("*.csv")}
    with pytest.raises(GradingError, match="--out"):
        assigned(tmp_path, NAMES)
    assert {path: path.read_bytes() for path in (tmp_path / "reviews").rglob("*.csv")} == before


def test_forms_hold_nobodys_name_when_works_have_numbers(tmp_path: Path) -> None:
    peer_review.assign(roster(tmp_path, NAMES), 7, tmp_path / "reviews", anonymous=True)
    forms = list((tmp_path / "reviews" / "forms").iterdir())
    text = "".join(path.name + path.read_text("utf-8-sig") for path in forms)
    works = {row[1] for row in csv.reader(text.splitlines()) if row[1:] and row[1].startswith("work ")}
    assert len(forms) == len(works) == 5
    assert not any(f",{name}," in text for name in NAMES)
    assert {row[1] for row in rows_of(tmp_path)} == works


@pytest.mark.parametrize(
    ("names", "groups", "each"),
    [(NAMES, None, 3), (NAMES[:3], None, 2), (NAMES[:4], ["x", "x", "y", "y"], 1)],
)
def test_small_classes_read_as_many_as_they_can(
    names: list[str], groups: list[str] | None, each: int, tmp_path: Path
) -> None:
    assert peer_review.assign(roster(tmp_path, names, groups), 7, tmp_path / "reviews") == each


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("student\nada\n", "1 students, and the largest group has 1"),
        ("student,group\nada,x\nbo,x\ncem,y\n", "Make smaller groups"),
        ("student\nada\nada\nbo\n", "names a student twice"),
        ("name\nada\n", "needs the columns student"),
        ("", "needs the columns student"),
        ("student\n\xff", "Save it as CSV UTF-8"),
    ],
)
def test_a_roster_that_cannot_be_used_is_refused(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(GradingError, match=message):
        peer_review.assign(path, 7, tmp_path / "reviews")
    assert not (tmp_path / "reviews").exists()


# ------------------------------------------------------------ from forms to the gradebook


def test_medians_are_points_of_the_gradebook(tmp_path: Path) -> None:
    assigned(tmp_path, NAMES[:4])  # of four, each is read by all others
    fill(tmp_path, {"ada": "0", "bo": "1", "cem": "1", "dia": "2"})
    found = merged(tmp_path)
    book = gradebook.build(GradesFolder(tmp_path / "grades"))
    assert [(row.student, row.total) for row in book.rows] == [
        ("ada", 12),
        ("bo", 12),
        ("cem", 12),
        ("dia", 12),
    ]
    assert book.points == 24
    assert (tmp_path / "grades" / "gradebook.csv").read_text("utf-8-sig").startswith("student,")
    assert "bo, problem: 0, 1, 2 points. Read it." in found.remarks
    assert not any(remark.startswith("ada") for remark in found.remarks)


def test_missing_reviews_are_named_and_one_review_is_no_grade(tmp_path: Path) -> None:
    assigned(tmp_path, NAMES[:4])
    fill(tmp_path, {"ada": "2", "bo": "1"})
    found = merged(tmp_path)
    book = gradebook.read_gradebook(GradesFolder(tmp_path / "grades"))
    assert "ada: no review by cem, dia" in found.remarks
    assert "dia: no review by cem" in found.remarks
    assert {row.student: row.total for row in book.rows} == {"ada": None, "bo": None, "cem": 18, "dia": 18}


def test_an_instructors_points_win_also_after_another_merge(tmp_path: Path) -> None:
    from aicourse.tooling.grading.publishing.hand_grading import merge_csv

    assigned(tmp_path, NAMES[:4])
    fill(tmp_path, dict.fromkeys(NAMES, "1"))
    merged(tmp_path)
    (tmp_path / "hand.csv").write_text("student,question,points\nada,problem,2\n")
    merge_csv(GradesFolder(tmp_path / "grades"), tmp_path / "hand.csv")
    merged(tmp_path)
    book = gradebook.read_gradebook(GradesFolder(tmp_path / "grades"))
    assert {row.student: row.total for row in book.rows} == {"ada": 13, "bo": 12, "cem": 12, "dia": 12}


@pytest.mark.parametrize("named", [True, False])
def test_authors_read_comments_and_names_only_if_wished(named: bool, tmp_path: Path) -> None:
    assigned(tmp_path, ["author", "reviewer-x", "reviewer-y", "reviewer-z"])
    marks = dict.fromkeys(["author", "reviewer-x", "reviewer-y", "reviewer-z"], "1")
    fill(tmp_path, marks, comment="<script>alert(1)</script> =1+1")
    merged(tmp_path, named=named)
    write_feedback(GradesFolder(tmp_path / "grades"))
    page = (tmp_path / "grades" / "feedback" / "author.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; =1+1" in page
    assert ("reviewer-x" in page) == named


def test_forms_saved_with_semicolons_count(tmp_path: Path) -> None:
    assigned(tmp_path, NAMES[:4])
    fill(tmp_path, dict.fromkeys(NAMES, "2"))
    for path in (tmp_path / "reviews" / "forms").iterdir():
        rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=";").writerows(rows)
    assert merged(tmp_path).remarks == ()


def spoilt(folder: Path, reviewer: str, old: str, new: str) -> Path:
    code = next(row[3] for row in rows_of(folder) if row[0] == reviewer)
    path = folder / "reviews" / "forms" / f"{code}.csv"
    content = path.read_text("utf-8-sig")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",2,,", ",3,,", "line 2: '3' points; write 0, 1 or 2."),
        (",2,,", ",nan,,", "line 2: 'nan' points"),
        (",problem,", ",beauty,", "line 2 is of no review that was asked for"),
        (",bo,", ",ada,", "is of no review that was asked for"),  # of herself
        ("code,", "kode,", "needs the columns code, work, criterion, points"),
        ("code,", "code," + "x," * (1 << 19), "at most 1,048,576 bytes"),
    ],
)
def test_a_form_that_is_not_as_handed_out_does_not_count(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    assigned(tmp_path, NAMES[:4])
    fill(tmp_path, dict.fromkeys(NAMES, "2"))
    path = spoilt(tmp_path, "ada", old, new)
    remarks = merged(tmp_path).remarks
    assert message in next(remark for remark in remarks if remark.startswith(f"{path.name} does not count"))
    assert [remark for remark in remarks if "no review by ada" in remark]


def test_two_forms_with_one_code_do_not_count(tmp_path: Path) -> None:
    assigned(tmp_path, NAMES[:4])
    fill(tmp_path, dict.fromkeys(NAMES, "2"))
    code = next(row[3] for row in rows_of(tmp_path) if row[0] == "ada")
    forms = tmp_path / "reviews" / "forms"
    (forms / "again.csv").write_bytes((forms / f"{code}.csv").read_bytes())
    assert (
        "ada: two forms with one code, and neither counts. Ask which is theirs." in merged(tmp_path).remarks
    )


def test_no_form_and_a_folder_of_another_homework_are_refused(tmp_path: Path) -> None:
    assigned(tmp_path, NAMES[:4])
    fill(tmp_path, {})
    with pytest.raises(AicourseError, match="no form in"):
        merged(tmp_path)
    other = SubmissionResult(
        student="ada", submission="hw01.ipynb", assignment="hw01", title="", status="graded", sentence=""
    )
    GradesFolder(tmp_path / "grades").write(other)
    with pytest.raises(GradingError, match="results of another assignment"):
        merged(tmp_path)


def test_a_name_that_is_a_formula_or_a_path_stays_text(tmp_path: Path) -> None:
    names = ['=HYPERLINK("x")', "../../up", "cem", "dia"]
    assigned(tmp_path, names)
    fill(tmp_path, dict.fromkeys(names, "2"))
    merged(tmp_path)
    gradebook.build(GradesFolder(tmp_path / "grades"))
    content = (tmp_path / "grades" / "gradebook.csv").read_text("utf-8-sig")
    assert "\"'=HYPERLINK" in content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grades", "reviews", "roster.csv"]


def test_the_rubric_describes_three_levels_of_twelve_criteria() -> None:
    rubric = peer_review.rubric()
    assert [one.name for one in rubric] == [
        *("problem", "evaluation set", "comparison", "tests", "monitoring", "feedback", "experiment plan"),
        *("security", "cost", "reproducibility", "code", "write-up"),
    ]
    assert all(len(set(one.levels)) == 3 and all(level.split()[1:] for level in one.levels) for one in rubric)

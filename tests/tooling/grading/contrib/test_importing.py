"""Masters of nbgrader and otter-grader, written in their formats: what is converted, and what is listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny import execute, source_of

from aicourse.errors import AssignmentError
from aicourse.notebook_json import notebook_text
from aicourse.tooling.grading.authoring.assignment import load_assignment
from aicourse.tooling.grading.authoring.building import student_notebook
from aicourse.tooling.grading.contrib.assertions import check_sources, convert, expected_output
from aicourse.tooling.grading.contrib.draft import question_id
from aicourse.tooling.grading.contrib.importing import import_assignment
from aicourse.tooling.grading.judging.verifying import verify

FIXTURES = Path(__file__).parents[3] / "notebooks" / "import"


def test_an_nbgrader_master_becomes_an_assignment(tmp_path: Path) -> None:
    report = import_assignment(FIXTURES / "nbgrader.ipynb", "nbgrader", tmp_path / "hw07-squares")
    imported = load_assignment(report.folder)
    assert (imported.name, imported.title) == ("hw07", "Problem set 1")
    assert [(q.id, q.points, q.kind) for q in imported.questions] == [
        ("squares", 3, "auto"),
        ("sum_of_squares", 1.5, "auto"),
        ("sum-text", 2, "manual"),
        ("plot-task", 2, "manual"),
    ]
    assert imported.question("plot-task").rubric[0].text == "1 point for the axes, 1 for the labels"
    assert [
        (check.name, check.points, check.public) for check in imported.checks if check.question == "squares"
    ] == [
        ("correct_squares", 1, True),
        ("correct_squares (hidden) 1", 0.5, False),
        ("correct_squares (hidden) 2", 0.5, False),
        ("squares_invalid_input", 1, True),
    ]


def test_what_nbgrader_has_and_we_have_not_is_listed(tmp_path: Path) -> None:
    report = import_assignment(FIXTURES / "nbgrader.ipynb", "nbgrader", tmp_path / "hw07-squares")
    text = str(report)
    assert "sum_of_squares: this test could not be converted: with patch" in text
    assert "draw: 1 points of test_draw were dropped." in text
    assert "draw: no test grades it any more; its stub became an ordinary cell." in text
    assert "sum-text: nbgrader has no rubric" in text
    assert "# draw, not converted:" in (report.folder / "checks.py").read_text()


def test_an_otter_assignment_becomes_ours(tmp_path: Path) -> None:
    report = import_assignment(FIXTURES / "otter.ipynb", "otter", tmp_path / "hw08-lab")
    imported = load_assignment(report.folder)
    assert imported.title == "lab02"
    assert [(q.id, q.points, q.kind) for q in imported.questions] == [
        ("q1", 3, "auto"),
        ("q2", 1, "auto"),
        ("q3", 2, "auto"),
        ("why", 4, "manual"),
    ]
    assert [
        (check.name, check.points, check.public) for check in imported.checks if check.question == "q1"
    ] == [
        ("test 1", 1, True),
        ("hidden test 2", 1, False),
        ("hidden test 3", 1, False),
    ]
    assert "files = ['prices.csv']" in str(report)
    assert "q3: this test could not be converted: for r in range(3):" in str(report)


@pytest.mark.parametrize("origin", ["nbgrader", "otter"])
def test_an_imported_assignment_is_fair_and_gives_nothing_away(origin: Any, tmp_path: Path) -> None:
    report = import_assignment(FIXTURES / f"{origin}.ipynb", origin, tmp_path / "hw07-x")
    imported = load_assignment(report.folder)
    assert verify(imported, execute).passed, str(verify(imported, execute))
    text = notebook_text(student_notebook(imported))
    for secret in (
        "i ** 2",
        "return 2 * x",
        "math.pi",
        "MARK SCHEME",
        "HIDDEN",
        "limit = 30",
        "Because of",
    ):
        assert secret not in text


def test_an_otter_prompt_is_the_stub(tmp_path: Path) -> None:
    report = import_assignment(FIXTURES / "otter.ipynb", "otter", tmp_path / "hw08-lab")
    notebook = student_notebook(load_assignment(report.folder))
    assert source_of(notebook, "c30") == "def area(radius):\n    ..."


def write(path: Path, *cells: dict[str, Any]) -> Path:
    numbered = [{"id": f"c{number}", "metadata": {}, **cell} for number, cell in enumerate(cells)]
    path.write_text(
        json.dumps({"cells": numbered, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8"
    )
    return path


def raw(source: str) -> dict[str, Any]:
    return {"cell_type": "raw", "source": source}


def code(source: str, **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": [], "metadata": metadata}


@pytest.mark.parametrize(
    ("cells", "origin", "sentence"),
    [
        ([code("x = 1")], "nbgrader", "holds no question of nbgrader. Is it the instructor's version"),
        ([code("x = 1")], "otter", "holds no question of otter"),
        ([raw("# BEGIN QUESTION\nname: q1"), code("x = 1")], "otter", "q1 has no raw cell `# END QUESTION`"),
        ([raw("# BEGIN QUESTION\nname: [")], "otter", "Cell 1 holds no YAML"),
    ],
)
def test_what_cannot_be_imported_is_refused(
    cells: list[dict[str, Any]], origin: Any, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(AssignmentError, match=sentence):
        import_assignment(write(tmp_path / "x.ipynb", *cells), origin, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_assignment_is_not_overwritten(tmp_path: Path) -> None:
    folder = import_assignment(FIXTURES / "otter.ipynb", "otter", tmp_path / "new").folder
    before = (folder / "checks.py").read_bytes()
    with pytest.raises(AssignmentError, match="holds an assignment already"):
        import_assignment(FIXTURES / "nbgrader.ipynb", "nbgrader", folder)
    assert (folder / "checks.py").read_bytes() == before


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("assert double(2) == 4", "double|2|4"),
        ("assert 4 == double(2)", "double|2|4"),
        ("assert_equal(double(2), 4, 'no')", "double|2|4"),
        ("xs = [1]\nassert double(xs) == [1, 1]", "double|[1]|[1, 1]"),
        ("assert double(1, unit='cm') is None", "double|arguments(1, unit='cm')|None"),
        ("assert LIMIT == 30", "LIMIT|None|30"),
        ("assert LIMIT is None", "LIMIT|None|lambda value, *_: bool(value is None)"),
        ("assert is_even(2)", "is_even|2|lambda value, *_: bool(value)"),
        ("assert_false(is_even(3))", "is_even|3|lambda value, *_: bool(not value)"),
        ("assert len(double([1])) == 2", "double|[1]|lambda value, *_: bool(len(value) == 2)"),
        (
            "assert np.isclose(area(1), 3.14)",
            "area|1|lambda value, *_: bool(abs(value - 3.14) <= 1e-06 * max(1, abs(3.14)))",
        ),
        (
            "assert area(1) == pytest.approx(3.14)",
            "area|1|lambda value, *_: bool(abs(value - 3.14) <= 1e-06 * max(1, abs(3.14)))",
        ),
        ("with pytest.raises(ValueError):\n    double(None)", "double|None|ValueError"),
        ("assert_raises(errors.Bad, double, -1)", "double|-1|Bad"),
        (
            "try:\n    double(0)\nexcept KeyError:\n    pass\nelse:\n    raise AssertionError",
            "double|0|KeyError",
        ),
    ],
)
def test_an_assertion_is_converted(source: str, expected: str) -> None:
    (call,) = convert(source).calls
    assert f"{call.target}|{call.given}|{call.gives or call.predicate or call.raises}" == expected


@pytest.mark.parametrize(
    "source",
    [
        "for i in range(3):\n    assert double(i) == 2 * i",
        "assert double(2) == helper(2)",
        "assert double(unknown) == 4",
        "assert np.sum(double(2)) == 4",
        "out = io.StringIO()",
        "double(2)",
        "try:\n    double(0)\nexcept ValueError:\n    pass",
        "assert double(2) ==",
    ],
)
def test_what_is_not_converted_comes_back(source: str) -> None:
    found = convert(source)
    assert found.calls == ()
    assert len(found.left) == 1


def test_what_test_code_made_itself_is_not_the_students() -> None:
    found = convert("out = make()\nassert out == 3")
    assert (found.calls, len(found.left)) == ((), 2)


def test_shown_output_is_an_expectation() -> None:
    call = expected_output("double(2)", "4")
    assert call is not None
    assert call.gives == "4"
    assert expected_output("double(2)", "<object>") is None
    assert expected_output("x = 1", "4") is None


def test_points_are_shared_to_the_last_cent() -> None:
    group = convert("assert a(1) == 1\nassert b(1) == 1\nassert c(1) == 1")
    shares = [
        source.split("points=")[1].split(",")[0]
        for source in check_sources("q", group, 1, name="t", public=True)
    ]
    assert shares == ["0.33", "0.33", "0.34"]


def test_ids_are_made_valid_and_new() -> None:
    assert question_id("1 b/c", []) == "q-1-b-c"
    assert question_id("q1", ["q1"]) == "q1-2"

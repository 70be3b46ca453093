"""Masters of nbgrader and otter-grader, written in their formats: what is converted, and what is listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny import cell_of, execute, source_of

from aicourse.errors import AssignmentError
from aicourse.notebook.checks import Check
from aicourse.notebook_json import notebook_text
from aicourse.tooling.grading.authoring.assignment import load_assignment
from aicourse.tooling.grading.authoring.building import student_notebook
from aicourse.tooling.grading.contrib.assertions import check_sources, convert, with_output
from aicourse.tooling.grading.contrib.draft import question_id
from aicourse.tooling.grading.contrib.importing import import_assignment
from aicourse.tooling.grading.judging.verifying import verify

FIXTURES = Path(__file__).parents[3] / "notebooks" / "import"


def graded(grade_id: str, points: float | None = None) -> dict[str, Any]:
    """nbgrader's metadata of a solution, or with points of its tests."""
    kind = {"grade": points is not None, "solution": points is None, "points": points}
    return {"nbgrader": {"grade_id": grade_id, "schema_version": 3, "locked": False, "task": False, **kind}}


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


def test_an_nbgrader_master_becomes_an_assignment(tmp_path: Path) -> None:
    report = import_assignment(FIXTURES / "nbgrader.ipynb", "nbgrader", tmp_path / "hw07-squares", execute)
    imported = load_assignment(report.folder)
    assert (imported.name, imported.title) == ("hw07", "Problem set 1")
    assert [(q.id, q.points, q.kind) for q in imported.questions] == [
        ("squares", 3, "auto"),
        ("sum_of_squares", 1.5, "auto"),
        ("draw", 1, "manual"),
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
    report = import_assignment(FIXTURES / "nbgrader.ipynb", "nbgrader", tmp_path / "hw07-squares", execute)
    text = str(report)
    assert "sum_of_squares: this test could not be converted: with patch" in text
    assert "draw: no test of it could be converted; it is graded by hand now." in text
    assert "sum-text: nbgrader has no rubric" in text
    assert "# draw, not converted:" in (report.folder / "checks.py").read_text()


def test_an_otter_assignment_becomes_ours(tmp_path: Path) -> None:
    report = import_assignment(FIXTURES / "otter.ipynb", "otter", tmp_path / "hw08-lab", execute)
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
    assert "data/prices.csv is not beside the notebook" in str(report)
    assert "q3: this test could not be converted: for r in range(3):" in str(report)


@pytest.mark.parametrize("origin", ["nbgrader", "otter"])
def test_an_imported_assignment_is_fair_and_gives_nothing_away(origin: Any, tmp_path: Path) -> None:
    report = import_assignment(FIXTURES / f"{origin}.ipynb", origin, tmp_path / "hw07-x", execute)
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


@pytest.mark.parametrize("name", ["ps1", "autotest"])
def test_nbgraders_own_example_is_imported(name: str, tmp_path: Path) -> None:
    """The problem sets of nbgrader's documentation, with its assertions and with its AUTOTEST lines."""
    source = tmp_path / "ps1" / "problem1.ipynb"
    source.parent.mkdir()
    source.write_bytes((FIXTURES / f"nbgrader-{name}.ipynb").read_bytes())
    source.with_name("jupyter.png").write_bytes(b"\x89PNG")
    report = import_assignment(source, "nbgrader", tmp_path / "hw07-squares", execute)
    imported = load_assignment(report.folder)
    proof = verify(imported, execute)
    assert proof.passed, str(proof)
    assert [(q.id, q.points, q.kind) for q in imported.questions] == [
        ("squares", 2, "auto"),
        ("sum_of_squares", 0.5, "auto"),
        ("sum_of_squares_equation", 1, "manual"),
        ("sum_of_squares_application", 2, "manual"),
        ("cell-938593c4a215c6cc", 4, "manual"),
    ]
    assert (imported.files, (report.folder / "jupyter.png").read_bytes()) == (("jupyter.png",), b"\x89PNG")
    raising = next(one for one in imported.checks if one.name == "squares_invalid_input")
    assert isinstance(raising, Check)
    assert (raising.inputs, raising.error_names) == ([0, -4], ("ValueError",))
    # what a test says after `del squares` is true of no single call
    assert "sum_of_squares: this test could not be converted: del squares" in str(report)
    assert "sum_of_squares: 0.5 points of tests that are left were dropped." in str(report)
    assert any("sum_of_squares: " in line and "not converted" in line for line in proof.left)
    assert "sum_of_squares_equation: its rubric is not written yet" in str(proof)


def test_a_hashed_autotest_stays_hidden(tmp_path: Path) -> None:
    report = import_assignment(FIXTURES / "nbgrader-autotest.ipynb", "nbgrader", tmp_path / "hw07-x", execute)
    imported = load_assignment(report.folder)
    found = {one.name: one for one in imported.checks if one.question == "squares"}
    hidden = found["correct_squares (hidden)"]
    assert isinstance(hidden, Check)
    assert (hidden.public, hidden.expected(hidden.draw()[0])) == (False, [1, 4, 9])
    assert "[1, 4, 9]" not in notebook_text(student_notebook(imported))


def test_an_autotest_without_a_plain_value_is_listed(tmp_path: Path) -> None:
    tests = "### AUTOTEST f(1); f(object())\n### AUTOTEST g(1)\nfor n in [1, 2]:\n    ### AUTOTEST f(n)"
    cells = [
        code("def f(n):\n    ### BEGIN SOLUTION\n    return n\n    ### END SOLUTION", **graded("f")),
        code(tests, **graded("tf", points=1)),
    ]
    report = import_assignment(write(tmp_path / "x.ipynb", *cells), "nbgrader", tmp_path / "new", execute)
    (check,) = load_assignment(report.folder).checks
    assert isinstance(check, Check)
    assert check.inputs == [1]
    left = [note.partition("converted: ")[2] for note in report.notes if "converted: " in note]
    assert left == ["AUTOTEST(f(object()))", "AUTOTEST(g(1))", "for n in [1, 2]:"]


LOOP = "for n in (1, 2, 3):\n    assert f(n) > 0"
HIDDEN = "### BEGIN HIDDEN TESTS\nassert f(2) == 2\n### END HIDDEN TESTS"


@pytest.mark.parametrize(
    ("tests", "kind", "points"), [(LOOP, "manual", 3), (HIDDEN, "auto", 3), ("### AUTOTEST f(1)", "auto", 3)]
)
def test_the_next_question_is_not_disturbed(tests: str, kind: str, points: float, tmp_path: Path) -> None:
    """A question without public checks once shifted the cells of all that follow."""
    solution = "def {0}(n):\n    ### BEGIN SOLUTION\n    return n\n    ### END SOLUTION"
    cells = [
        code(solution.format("f"), **graded("f")),
        code(tests, **graded("tf", points=3)),
        {"cell_type": "markdown", "source": "## 2"},
        code(solution.format("h"), **graded("h")),
        {"cell_type": "markdown", "source": "try it"},
        code("assert h(1) == 1", **graded("th", points=1)),
    ]
    report = import_assignment(write(tmp_path / "x.ipynb", *cells), "nbgrader", tmp_path / "new", execute)
    imported = load_assignment(report.folder)
    assert [(q.id, q.points, q.kind) for q in imported.questions] == [("f", points, kind), ("h", 1, "auto")]
    assert verify(imported, execute).passed


@pytest.mark.parametrize(
    ("tests", "kind"), [("assert f(1) == 1\nassert h(2) == 2", "auto"), (LOOP, "manual")]
)
def test_answers_in_a_row_are_one_question(tests: str, kind: str, tmp_path: Path) -> None:
    """nbgrader has no questions: a cell of tests may grade what two cells define; ids may look alike here."""
    solution = "def {0}(n):\n    ### BEGIN SOLUTION\n    return n\n    ### END SOLUTION"
    words = {"cell_type": "markdown", "source": "Why?", "metadata": graded("part/a", points=1)}
    words["metadata"]["nbgrader"]["solution"] = True  # type: ignore[index]
    cells = [
        code(solution.format("f"), **graded("part a")),
        code(solution.format("h"), **graded("other")),
        code(tests, **graded("t", points=2)),
        words,
    ]
    report = import_assignment(write(tmp_path / "x.ipynb", *cells), "nbgrader", tmp_path / "new", execute)
    imported = load_assignment(report.folder)
    found = [(q.id, q.points, q.kind, len(imported.answer_cells(q.id))) for q in imported.questions]
    assert found == [("part-a", 2, kind, 2), ("part-a-2", 1, "manual", 1)]
    assert verify(imported, execute).passed, str(verify(imported, execute))


def question(
    tests: list[dict[str, Any]], stated: str = "name: q1", *, fenced: bool = False
) -> list[dict[str, Any]]:
    """One question of otter's about `twice`."""
    begin = f"# BEGIN QUESTION\n{stated}"
    opened = {"cell_type": "markdown", "source": f"```otter\n{begin}\n```"} if fenced else raw(begin)
    solution = code("def twice(x):\n    return 2 * x  # SOLUTION")
    return [
        opened,
        *(raw("# BEGIN SOLUTION"), solution, raw("# END SOLUTION")),
        *(raw("# BEGIN TESTS"), *tests, raw("# END TESTS"), raw("# END QUESTION")),
    ]


def config(stated: str, source: str) -> dict[str, Any]:
    return code(f'""" # BEGIN TEST CONFIG\n{stated}\n""" # END TEST CONFIG\n{source}')


FUNCTION = "def test_h(twice):\n    assert twice(5) == 10"
CALLED = "def test_twice(twice):\n    assert twice(2) == 4\n\ntest_twice(twice)  # IGNORE"
HIDDEN_3 = config("points: 3\nhidden: true", FUNCTION)
ERROR = {**code("twice(None)"), "outputs": [{"output_type": "error", "ename": "TypeError", "evalue": "no"}]}


@pytest.mark.parametrize(
    ("cells", "points"),
    [
        (question([code(CALLED), HIDDEN_3], "name: q1\npoints: 4"), [1, 3]),
        (question([config("points: 2", FUNCTION), HIDDEN_3]), [2, 3]),
        (question([code("twice(2) == 4")], fenced=True), [1]),
        (question([code("twice(2) == 4"), ERROR], "name: q1\npoints: 3"), [1.5, 1.5]),
        (question([code("for x in twice:\n    pass"), code(CALLED)], "name: q1\npoints: [1, 2]"), [2]),
    ],
    ids=["function", "points by test", "fenced", "error", "list of points"],
)
def test_otters_shapes_are_imported(cells: list[dict[str, Any]], points: list[float], tmp_path: Path) -> None:
    report = import_assignment(write(tmp_path / "x.ipynb", *cells), "otter", tmp_path / "new", execute)
    imported = load_assignment(report.folder)
    assert [check.points for check in imported.checks] == points
    assert verify(imported, execute).passed, str(verify(imported, execute))
    assert len(report.notes) == 2 * (len(cells) - 7 > len(points)), str(report)


def test_pictures_come_along(tmp_path: Path) -> None:
    (tmp_path / "in" / "images").mkdir(parents=True)
    (tmp_path / "in" / "images" / "plan.png").write_bytes(b"plan")
    (tmp_path / "in" / "map.png").write_bytes(b"map")
    (tmp_path / "secret.png").write_bytes(b"secret")
    shown = "![a](images/plan.png) <img width=9 src='map.png'> ![b](../secret.png) ![c](https://x.org/y.png)"
    cells = question([code("twice(2) == 4")])
    cells[1:1] = [
        {"cell_type": "markdown", "source": shown},
        {
            "cell_type": "markdown",
            "source": "![d](attachment:d.png)",
            "attachments": {"d.png": {"image/png": "eA=="}},
        },
    ]
    report = import_assignment(write(tmp_path / "in" / "x.ipynb", *cells), "otter", tmp_path / "new", execute)
    imported = load_assignment(report.folder)
    assert imported.files == ("map.png", "plan.png")
    assert (report.folder / "plan.png").read_bytes() == b"plan"
    released = student_notebook(imported)
    assert "![a](plan.png)" in source_of(released, "c1")
    assert cell_of(released, "c2")["attachments"] == {"d.png": {"image/png": "eA=="}}
    assert [note for note in report.notes if "secret" in note] == [
        "../secret.png is not beside the notebook: copy it into the new folder and name it in `files`."
    ]


def test_an_otter_prompt_is_the_stub(tmp_path: Path) -> None:
    report = import_assignment(FIXTURES / "otter.ipynb", "otter", tmp_path / "hw08-lab", execute)
    notebook = student_notebook(load_assignment(report.folder))
    assert source_of(notebook, "c30") == "def area(radius):\n    ..."


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
        import_assignment(write(tmp_path / "x.ipynb", *cells), origin, tmp_path / "new", execute)
    assert not (tmp_path / "new").exists()


def test_an_assignment_is_not_overwritten(tmp_path: Path) -> None:
    folder = import_assignment(FIXTURES / "otter.ipynb", "otter", tmp_path / "new", execute).folder
    before = (folder / "checks.py").read_bytes()
    with pytest.raises(AssignmentError, match="holds an assignment already"):
        import_assignment(FIXTURES / "nbgrader.ipynb", "nbgrader", folder, execute)
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
        ("try:\n    double(0)\n    assert False, 'no'\nexcept KeyError:\n    pass", "double|0|KeyError"),
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
        "try:\n    double(0)\n    assert True\nexcept ValueError:\n    pass",
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


@pytest.mark.parametrize(
    ("source", "output", "expected"),
    [
        ("double(2)", "4", "assert double(2) == 4"),
        ("xs = [1]\ndouble(xs) == [1, 1]", "True", "xs = [1]\nassert double(xs) == [1, 1]"),
        ("double(2) == 5", "False", "assert (double(2) == 5) == False"),
        ("double(2) == 4", "", "assert double(2) == 4"),
        ("double(2)", "<object>", "double(2)"),
        ("double(2)", "", "double(2)"),
        ("x = 1", "4", "x = 1"),
    ],
)
def test_shown_output_is_an_expectation(source: str, output: str, expected: str) -> None:
    assert with_output(source, output) == expected


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

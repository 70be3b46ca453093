"""Reading an assignment: what it holds, and one sentence for every mistake an author can make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny import TINY, cell_of, copy_tiny, edit_checks, edit_master

from aicourse.errors import AssignmentError
from aicourse.tooling.grading.authoring.assignment import Criterion, find_folder, load_assignment

Change = Callable[[dict[str, Any]], Any]


def test_it_holds_what_the_folder_says() -> None:
    tiny = load_assignment(TINY)
    assert (tiny.name, tiny.title, tiny.points, tiny.minutes, tiny.lessons) == ("hw90", "Tiny", 9, 5, ("00",))
    assert [(q.id, q.title, q.points, q.kind) for q in tiny.questions] == [
        ("q1", "1 Read a size", 4, "auto"),
        ("q2", "2 Two colours", 2, "auto"),
        ("q3", "3 Why", 3, "manual"),
    ]
    assert tiny.question("q3").rubric[0] == Criterion("says who pays for a wrong value", 2)
    assert [check.name for check in tiny.checks if check.question == "q2"] == ["names both colours"]
    assert [cell.id for cell in tiny.answer_cells("q1")] == ["q1-answer"]


def test_public_checks_are_written_into_their_cell() -> None:
    cell = next(cell for cell in load_assignment(TINY).cells if cell.role == "public")
    assert "example('waist 80 cm').gives(80)" in cell.released


def test_it_is_found_by_name_by_folder_and_by_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder in ("notebooks", "datasets", "homework"):
        (tmp_path / folder).mkdir()
    folder = copy_tiny(tmp_path / "homework")
    monkeypatch.setenv("AICOURSE_HOME", str(tmp_path))
    for name in ("hw90", "hw90-tiny", str(folder), str(folder / "master.ipynb")):
        assert find_folder(name) == folder
    with pytest.raises(AssignmentError, match=r"No assignment 'hw91'.* Did you mean hw90\?"):
        find_folder("hw91")


def test_the_hash_changes_with_whatever_decides_on_points(tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)
    before = load_assignment(folder).checks_hash
    edit_master(folder, lambda data: cell_of(data, "intro").update(source="# Another text"))
    assert load_assignment(folder).checks_hash == before
    edit_master(folder, lambda data: cell_of(data, "q3-rubric").update(source="- 3: names an example"))
    after = load_assignment(folder).checks_hash
    edit_checks(folder, '["blue", "white"]', '["blue", "red"]')
    assert len({before, after, load_assignment(folder).checks_hash}) == 3


def stated(cell_id: str, **fields: Any) -> Change:
    """Set fields of a cell's metadata; None removes one."""

    def change(data: dict[str, Any]) -> None:
        mine = cell_of(data, cell_id)["metadata"].setdefault("aicourse", {})
        mine.update(fields)
        for name in [name for name, value in fields.items() if value is None]:
            del mine[name]

    return change


def source(cell_id: str, text: str) -> Change:
    return lambda data: cell_of(data, cell_id).update(source=text)


def kind(cell_id: str, text: str) -> Change:
    return lambda data: cell_of(data, cell_id).update(cell_type=text)


MISTAKES: list[tuple[Change, str]] = [
    (lambda data: data.update(nbformat=3), r"master\.ipynb is no notebook of format 4 .*nbformat 3"),
    (lambda data: data.pop("cells"), r"is no notebook of format 4 \(KeyError"),
    (lambda data: data["cells"].append({"source": "x"}), r"cell 11 is no cell"),
    (lambda data: data["metadata"].update(aicourse=3), r"metadata `aicourse` must be an object"),
    (lambda data: data["metadata"]["aicourse"].update(assignment="../x"), r"'\.\./x' is no name for"),
    (lambda data: cell_of(data, "setup").update(id="intro"), r"the cells 1 and 2 have the same id 'intro'"),
    (
        lambda data: cell_of(data, "setup").pop("id"),
        r"cell 2 has no id.*Save the notebook once",
    ),
    (kind("setup", "heading"), r"cell 2 \(setup\) is of the unknown type 'heading'"),
    (
        stated("q1-answer", role="anwser"),
        r"\(q1-answer\): unknown role 'anwser'. Did you mean answer\?",
    ),
    (stated("q1-answer", point=4), r"unknown field 'point' in its metadata. Did you mean points\?"),
    (stated("q1-answer", question=None), r"cell 4 \(q1-answer\) has the role answer and no question"),
    (stated("q1-answer", question="1?"), r"'1\?' is no id of a question"),
    (stated("q1-answer", points=None), r"points of q1 must stand on exactly one .* not on 0"),
    (stated("q1-answer", points="4"), r"cell 4 \(q1-answer\): '4' is no number of points"),
    (stated("q1-answer", points=0), r"0 is no number of points"),
    (stated("q1-answer", points=5), r"q1 has 5 points in master.ipynb, and its checks .* add up to 4"),
    (stated("q1-text", points=1), r"cell 3 \(q1-text\) has points but is no answer"),
    (stated("q1-answer", role=None, points=None), r"cell 4 \(q1-answer\) holds a solution but is no answer"),
    (stated("q2-answer", role="manual"), r"q2 is graded by hand and has no rubric"),
    (
        source("q1-answer", "def read_size(text): ..."),
        r"cell 4 \(q1-answer\) is an answer without a solution",
    ),
    (source("q1-answer", "x\n### BEGIN SOLUTION"), r"cell 4 \(q1-answer\), line 2: .* has no END line"),
    (source("q1-answer", "x = (  # SOLUTION\n"), r"cell 4 \(q1-answer\) line 1, is not Python"),
    (
        source("q1-answer", "def f():\n### BEGIN SOLUTION\n    return 1\n### END SOLUTION"),
        r"cell 4 \(q1-answer\), without its solution, line 3, is not Python",
    ),
    (
        source("q1-public", "### BEGIN HIDDEN TESTS"),
        r"cell 5 \(q1-public\), line 1: hidden tests .* checks.py",
    ),
    (kind("q1-public", "markdown"), r"cell 5 \(q1-public\) has the role public, so it must be a code cell"),
    (kind("q3-rubric", "code"), r"holds a rubric, so it must be a raw or Markdown cell"),
    (
        source("q3-rubric", "- two: says who"),
        r"cell 10 \(q3-rubric\), line 1: '- two: says who' is no line of",
    ),
    (source("q3-rubric", "- 2: says who"), r"the rubric of q3 adds up to 2 points, the question has 3"),
    (stated("q3-answer", rubric=[{"points": 3}]), r"is no criterion"),
    (stated("q2-answer", question="q1", points=None), r"the question q2 has no answer cell"),
    (stated("q3-answer", role="answer"), r"answer, so it must be a code cell"),
    (stated("setup", question="q4", role="public"), r"the question q4 has no answer cell"),
    (
        lambda data: [cell["metadata"].clear() for cell in data["cells"]],
        r"solution but is no answer|no question",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), MISTAKES, ids=[sentence[:40] for _, sentence in MISTAKES])
def test_each_mistake_in_the_notebook_gets_a_sentence(change: Change, sentence: str, tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)
    edit_master(folder, change)
    with pytest.raises(AssignmentError, match=sentence):
        load_assignment(folder)


CHECK_MISTAKES = [
    ("points=2,\n        inputs=lambda", "points=True,\n        inputs=lambda", "has True points"),
    ('target="read_size"', 'target="read size"', "target 'read size', which is no name"),
    ("reference=read_size, ", "", "compares with nothing: give reference, predicate or raises"),
    (
        'inputs=["waist 80 cm", "60CM long"]',
        "inputs=lambda rng: [rng.random()]",
        "so its inputs must be fixed",
    ),
    ('inputs=["waist 80 cm", "60CM long"], public=True', "", "has a function as reference but no inputs"),
    ('question="q2"', 'question="q3"', "which is no question that checks grade. Those are q1, q2"),
    ('name="reads centimetres"', 'name="reads the unit it is asked for"', "2 checks of q1 are called"),
    ("public=True", "public=True, same=lambda a, b: True", "comparison cannot be released"),
    ("public=True", "public=True, predicate=lambda value, text: True", "released checks are examples"),
    ("public=True", "public=True, reference=lambda text: object()", "cannot be written as plain Python"),
    ("public=True", "public=True, reference=lambda text: 1 / 0", "its reference fails on"),
    ("public=True", "", "is for public checks of q1, and checks.py has none"),
    ("checks = [", "checks = [3,", "must define `checks` as a list of Check or PromptCheck"),
    ("checks = [", "all_checks = [", "must define `checks` as a list"),
    ("planted = [", "planted = [3,", "must define `planted` as a list of Planted"),
    ("import re\n", "import re\n1 / 0\n", r"checks.py, line 4, does not run \(ZeroDivisionError"),
    ("import re\n", "import re (\n", r"checks.py, line 3, does not run \(SyntaxError"),
    ('seed = "tests"', 'files = ["prices.csv"]', "`files` names 'prices.csv', which is no file beside it"),
    ('seed = "tests"', "limits = 3", r"`limits` must be a Limits"),
    ('seed = "tests"', "alternatives = ['x']", r"`alternatives` must be like"),
    ('seed = "tests"', "alternatives = {'q9': ['x']}", r"`alternatives` names 'q9', which is no question"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), CHECK_MISTAKES, ids=[m[2][:40] for m in CHECK_MISTAKES])
def test_each_mistake_in_the_checks_gets_a_sentence(
    old: str, new: str, sentence: str, tmp_path: Path
) -> None:
    folder = copy_tiny(tmp_path)
    edit_checks(folder, old, new)
    with pytest.raises(AssignmentError, match=sentence):
        load_assignment(folder)


def test_missing_files_are_named(tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)
    (folder / "checks.py").unlink()
    with pytest.raises(AssignmentError, match=r"No checks\.py in .*hw90-tiny"):
        load_assignment(folder)


def test_running_the_checks_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)
    load_assignment(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["checks.py", "master.ipynb"]

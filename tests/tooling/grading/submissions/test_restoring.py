"""What students do to notebooks: every accident keeps its points, and is said."""

from __future__ import annotations

import copy
import gc
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from fakes import (
    RIGHT_Q1,
    RIGHT_Q2,
    TEXT_Q3,
    cell,
    notebook,
    run_in_process,
    small_assignment,
    submission,
    to_bytes,
)

from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.judging.grade_one import grade_one
from aicourse.tooling.grading.judging.results import SubmissionResult
from aicourse.tooling.grading.submissions import restoring
from aicourse.tooling.grading.submissions.collecting import Submission
from aicourse.tooling.grading.submissions.reading import read_notebook
from aicourse.tooling.grading.submissions.restoring import Restored, defined_names, pair, restore

STUB_Q1 = "def read_size(text):\n    # your code here\n    raise NotImplementedError"


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return small_assignment(tmp_path_factory.mktemp("hw"))


def restored(assignment: Assignment, data: dict[str, Any]) -> Restored:
    return restore(assignment, read_notebook(to_bytes(data)))


def graded(assignment: Assignment, data: dict[str, Any]) -> SubmissionResult:
    return grade_one(assignment, Submission("ada", "ada.ipynb", to_bytes(data)), run_in_process)


def said(result: SubmissionResult) -> str:
    return " ".join((result.sentence, *result.notes))


def without_ids(data: dict[str, Any]) -> dict[str, Any]:
    bare = copy.deepcopy(data)
    for one in bare["cells"]:
        del one["id"]
        one["metadata"] = {}
    return {**bare, "nbformat_minor": 2}


def test_as_released_and_filled_in(assignment: Assignment) -> None:
    result = graded(assignment, submission())
    assert (result.status, result.earned, result.open_questions) == ("graded", 6, ("q3",))
    assert result.questions[2].answer == TEXT_Q3


def test_as_released_is_no_answer_but_graded(assignment: Assignment) -> None:
    stub2 = STUB_Q1.replace("read_size", "is_wool")
    result = graded(assignment, submission(q1=STUB_Q1, q2=stub2, q3="*Your answer here.*"))
    assert (result.status, result.earned) == ("graded", 0)
    assert [question.answer for question in result.questions] == ["", "", ""]


def test_metadata_stripped(assignment: Assignment) -> None:
    result = graded(assignment, without_ids(submission()))
    assert (result.status, result.earned) == ("graded", 6)
    assert [question.answer for question in result.questions] == [RIGHT_Q1, RIGHT_Q2, TEXT_Q3]


def test_cells_renamed(assignment: Assignment) -> None:
    data = submission()
    for number, one in enumerate(data["cells"]):
        one["id"] = f"other-{number}"
    assert [question.answer for question in graded(assignment, data).questions] == [
        RIGHT_Q1,
        RIGHT_Q2,
        TEXT_Q3,
    ]


def test_an_answer_cell_deleted(assignment: Assignment) -> None:
    data = submission()
    del data["cells"][3]
    result = graded(assignment, data)
    assert (result.status, result.earned) == ("warning", 2)
    assert result.sentence == "The answer cell of q1 is missing."


def test_a_given_cell_deleted_is_put_back(assignment: Assignment) -> None:
    data = submission()
    del data["cells"][1]
    result = graded(assignment, data)
    assert result.earned == 6, "read_size needs the given `import re`"
    assert "The given cell setup is missing; the original was put back." in said(result)


def test_a_given_cell_broken_runs_as_it_was(assignment: Assignment) -> None:
    data = submission()
    data["cells"][1]["source"] = "import re\nLIMIT = = 100"
    result = graded(assignment, data)
    assert result.earned == 6
    assert "The given cell setup was changed" in said(result)


def test_an_answer_written_into_a_given_cell_still_runs(assignment: Assignment) -> None:
    data = submission(q1=STUB_Q1)
    data["cells"][1]["source"] += "\n" + RIGHT_Q1
    del data["cells"][3]
    assert graded(assignment, data).earned == 6


def test_a_copied_answer_the_last_counts(assignment: Assignment) -> None:
    data = submission(q1="def read_size(text):\n    return 1")
    data["cells"].insert(4, cell("code", "q1-answer", RIGHT_Q1))
    result = graded(assignment, data)
    assert result.earned == 6
    assert "The answer to q1 stands in 2 cells; the last one counts." in said(result)


def test_a_copy_still_as_released_does_not_undo_the_answer(assignment: Assignment) -> None:
    data = submission()
    data["cells"].insert(4, cell("code", "copy", STUB_Q1))
    result = graded(assignment, data)
    assert result.earned == 6
    assert result.questions[0].answer == RIGHT_Q1


@pytest.mark.parametrize("kind", ["markdown", "raw"])
@pytest.mark.parametrize("source", [RIGHT_Q1, f"```python\n{RIGHT_Q1}\n```"])
@pytest.mark.parametrize("strip", [False, True])
def test_code_retyped_as_text_runs(assignment: Assignment, kind: str, source: str, strip: bool) -> None:
    data = submission()
    data["cells"][3] = cell(kind, "q1-answer", source)
    result = graded(assignment, without_ids(data) if strip else data)
    assert result.earned == 6
    assert f"The answer to q1 was a {kind} cell; it was run as code." in said(result)


def test_text_retyped_as_code_does_not_run(assignment: Assignment) -> None:
    data = submission()
    data["cells"][7] = cell("code", "q3-answer", TEXT_Q3)
    result = graded(assignment, data)
    assert result.questions[2].answer == TEXT_Q3
    assert "was a code cell; it was not run" in said(result)
    assert "SyntaxError" not in said(result)


def test_words_in_place_of_code_are_no_code(assignment: Assignment) -> None:
    data = submission()
    data["cells"][3] = cell("markdown", "q1-answer", "I could not do it")
    result = graded(assignment, data)
    assert "is a markdown cell and no Python; it was not run" in said(result)
    assert result.questions[0].answer == "I could not do it"


def test_reordered(assignment: Assignment) -> None:
    data = submission()
    data["cells"].reverse()
    result = graded(assignment, data)
    assert result.earned == 6, "given cells run in their place"
    assert "another order" in said(result)


def test_public_checks_do_not_run_again(assignment: Assignment) -> None:
    data = submission()
    call = 'check("q1", read_size, {"reads": [example("1 cm").gives(1)]})'
    source = f"from aicourse.homework import check, example\n\n{call}"
    data["cells"].insert(4, cell("code", "own-check", source))
    (check,) = [one for one in restored(assignment, data).notebook["cells"] if one["source"] == source]
    assert check["cell_type"] == "raw"


def test_sentences_count_cells_as_the_student_does(assignment: Assignment) -> None:
    data = submission(q2="x = (")
    data["cells"].insert(1, cell("code", "own", "1 / 0"))
    result = graded(assignment, data)
    assert result.sentence == "Cell 2 raised ZeroDivisionError: division by zero"
    assert result.notes[0].startswith("Cell 7, the answer to q2, raised SyntaxError")


def test_another_assignments_notebook(assignment: Assignment) -> None:
    result = graded(assignment, notebook(cell("code", "x", "print('hello')")))
    assert result.status == "warning"
    assert "another assignment's notebook" in result.sentence


def test_free_text_is_found_by_its_place(assignment: Assignment) -> None:
    data = without_ids(submission())
    data["cells"].append({"cell_type": "markdown", "metadata": {}, "source": "And a second thought."})
    answer = restored(assignment, data).answers["q3"]
    assert answer == f"{TEXT_Q3}\n\nAnd a second thought."


def test_the_run_is_valid_nbformat(assignment: Assignment) -> None:
    nbformat = pytest.importorskip("nbformat")
    data = without_ids(submission())
    del data["cells"][1]
    nbformat.validate(restored(assignment, data).notebook)


@pytest.mark.parametrize("seed", range(40))
def test_no_accident_loses_points_or_raises(assignment: Assignment, seed: int) -> None:
    """Any mix of accidents that keeps the answers' text keeps their points."""
    random_source = random.Random(seed)
    data = submission()
    for accident in random_source.sample(range(5), k=3):
        cells = data["cells"]
        if accident == 0:
            data = without_ids(data)
        elif accident == 1:
            random_source.shuffle(cells)
        elif accident == 2:
            cells[:] = [one for one in cells if not one["source"].startswith(("import", "#"))]
        elif accident == 3:
            cells.append(copy.deepcopy(random_source.choice(cells)))
        else:
            cells.insert(random_source.randrange(len(cells)), cell("code", f"own-{seed}", "mine = 1"))
    result = graded(assignment, data)
    assert result.questions[0].earned == 4
    assert result.questions[1].earned == 2


def test_pairs_are_stable(assignment: Assignment) -> None:
    read = read_notebook(to_bytes(without_ids(submission())))
    found = pair(assignment.cells, read.cells)
    assert [found.expected[number].id for number in range(8)] == [one["id"] for one in submission()["cells"]]


def test_names_are_found_in_code_that_does_not_parse() -> None:
    source = "X: int = 3\nclass A:\n    y = 1\nasync def go():\n    return (\nx == 2"
    assert defined_names(source) == {"X", "A", "go"}


def test_threads_that_parse_at_once_do_not_disturb_each_other() -> None:
    """In CPython 3.11 trees share one counter; collecting garbage hands over in the middle of one."""

    class Cycle:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            for _ in range(3):
                pass

    def parse(number: int) -> int:
        Cycle()
        return len(restoring._statements(source))

    source = "\n".join(
        f"def f{i}(x):\n    return [a + b * {i} for a, b in zip(x, (1, 2)) if (a, (b, (a, (b,))))]"
        for i in range(60)
    )
    before = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.freeze()  # only what comes from here on is looked at, which is quick
    gc.set_threshold(50)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(parse, range(100))) == {60}
    finally:
        sys.setswitchinterval(before[0])
        gc.set_threshold(*before[1])
        gc.unfreeze()


def test_only_texts_of_a_students_length_are_parsed(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A syntax tree takes 600 times the memory of its text."""
    parsed: list[str] = []
    parse = restoring.ast.parse
    monkeypatch.setattr(restoring.ast, "parse", lambda source: parsed.append(source) or parse(source))
    data = submission(q2="check(1)\n" + "a + b\n" * 130_000)
    data["cells"].append(cell("markdown", "q1-answer", "x = [" + "a, " * 100_000 + "]"))
    restored(assignment, data)
    assert max(map(len, parsed), default=0) < 20_000


def test_each_cell_is_looked_at_once_however_many_look_alike(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Letters in another order pass every cheap test of difflib's; comparing them took it a minute."""
    looked: list[str] = []
    runs = restoring._runs
    monkeypatch.setattr(restoring, "_runs", lambda source: looked.append(source) or runs(source))
    setup = "\n".join(f"import module_{number} as m{number}" for number in range(300))
    copies = [cell("code", f"copy-{number}", setup[::-1]) for number in range(100)]
    long = replace(assignment, cells=tuple(replace(one, released=setup) for one in assignment.cells[:2]))
    assert pair(long.cells, read_notebook(to_bytes(notebook(*copies))).cells).expected == {}
    assert len(looked) == len(copies) + len(long.cells)

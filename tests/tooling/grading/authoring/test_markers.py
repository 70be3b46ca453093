"""Solution markers: what students get, what the reference is, and what is refused."""

from __future__ import annotations

import pytest

from aicourse.errors import AssignmentError
from aicourse.tooling.grading.authoring.markers import has_solution, hidden_test_line, released, solved

REGION = "def double(x):\n    {begin}\n    return 2 * x\n    {end}\n"


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("### BEGIN SOLUTION", "### END SOLUTION"),
        ("# BEGIN SOLUTION", "# END SOLUTION"),
        ("#BEGIN SOLUTION", "##END SOLUTION  "),
    ],
)
def test_a_region_becomes_a_stub(begin: str, end: str) -> None:
    source = REGION.format(begin=begin, end=end)
    stub = "def double(x):\n    # your code here\n    raise NotImplementedError\n"
    assert (released(source, "q1"), solved(source, "q1")) == (stub, "def double(x):\n    return 2 * x\n")


@pytest.mark.parametrize(
    ("source", "stub", "reference"),
    [
        ("size = 80  # SOLUTION", "size = ...", "size = 80"),
        ("size: int = 80 # SOLUTION", "size: int = ...", "size: int = 80"),
        ("row['size'] = 80  # SOLUTION", "row['size'] = ...", "row['size'] = 80"),
        ("    return size == 80  # SOLUTION", "    ...", "    return size == 80"),
        ("print(size, end='=')  # SOLUTION", "...", "print(size, end='=')"),
        ("a = 1\nb = 2  # SOLUTION NO PROMPT", "a = 1", "a = 1\nb = 2"),
        ("rng = Random(7)  # SEED\na = 1", "a = 1", "rng = Random(7)\na = 1"),
        (
            '""" # BEGIN PROMPT\nsize = 0\n""" # END PROMPT\n'
            "# BEGIN SOLUTION NO PROMPT\nsize = 80\n# END SOLUTION",
            "size = 0",
            "size = 80",
        ),
        (
            "### BEGIN SOLUTION\nsize = 80\n### END SOLUTION",
            "# your code here\n...",
            "size = 80",
        ),
    ],
)
def test_the_forms_of_a_line(source: str, stub: str, reference: str) -> None:
    assert (released(source, "q1"), solved(source, "q1")) == (stub, reference)


def test_a_text_answer_is_replaced_in_part_or_whole() -> None:
    partly = "Because\n### BEGIN SOLUTION\nof the cat\n### END SOLUTION"
    assert released(partly, "q3", is_code=False) == "Because\n*Your answer here.*"
    assert released("Because of the cat", "q3", is_code=False) == "*Your answer here.*"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("### BEGIN SOLUTION\nx = 1", "line 1: '### BEGIN SOLUTION' has no END"),
        ("x = 1\n### END SOLUTION", "line 2: '### END SOLUTION' ends what nothing began"),
        ("# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION", "line 2: .* inside the part that line 1"),
        ('""" # BEGIN PROMPT\n# END SOLUTION', "line 2: .* ends what nothing began"),
    ],
)
def test_markers_without_a_partner_are_refused(source: str, problem: str) -> None:
    for read in (released, solved):
        with pytest.raises(AssignmentError, match=f"^cell 4, {problem}"):
            read(source, "cell 4")


def test_ordinary_comments_are_no_markers() -> None:
    source = "# the SOLUTION is near\nx = 1  # solution\n# begin solution\n# BEGINSOLUTION"
    assert not has_solution(source)
    assert released(source, "q1") == source


def test_hidden_tests_of_nbgrader_are_found() -> None:
    assert hidden_test_line("assert f(1)\n### BEGIN HIDDEN TESTS\nassert f(2)") == 2
    assert hidden_test_line("assert f(1)") is None

"""Is an assignment fair? Verified on the tiny one, and refused where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import TINY, cell_of, copy_tiny, edit_checks, edit_master, execute

from aicourse.llm import session
from aicourse.notebook.checks import Check
from aicourse.tooling.grading.authoring.assignment import load_assignment
from aicourse.tooling.grading.judging.prompting import model_asker
from aicourse.tooling.grading.judging.verifying import VerifyReport, variants, verify
from aicourse.tooling.grading.sandbox.execution import Execution, Job


def report_of(folder: Path) -> VerifyReport:
    return verify(load_assignment(folder), execute)


def problems(report: VerifyReport) -> dict[str, str]:
    return {row.variant: " ".join(row.problems) for row in report.rows if row.problems}


def test_a_fair_assignment_passes_and_draws_itself() -> None:
    report = report_of(TINY)
    assert report.passed
    assert [(row.variant, row.expected, row.earned) for row in report.rows] == [
        ("reference", 6, 6),
        ("blank", 0, 0),
        ("q1: first number", 4, 4),
        ("q2: one colour", 4, 4),
        ("the same answer to everything", 0, 0),
    ]
    assert "✓ reference" in str(report)
    assert str(report).endswith("Every variant earns what it must.")


@pytest.mark.parametrize(
    ("old", "new", "variant", "problem"),
    [
        ('2, shows="second', '1, shows="second', "q2: one colour", "q2 earns 0, not 1: names both"),
        ('shows="second colour"', 'shows="a third one"', "q2: one colour", "It should show 'a third one'"),
        ("reference=[\"blue\", \"white\"]", 'reference=["red"]', "reference", "q2 earns 0, not 2"),
        ("same=unordered", "predicate=lambda value: True", "blank", "q2 earns 2, not 0: names both colours"),
        (
            'seed = "tests"',
            "alternatives = {'q2': ['COLOURS = {\"blue\", \"red\"}']}",
            "q2: another right answer, 1",
            "q2 earns 0, not 2",
        ),
    ],
)  # fmt: skip
def test_what_is_unfair_is_named(old: str, new: str, variant: str, problem: str, tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)
    edit_checks(folder, old, new)
    found = problems(report_of(folder))
    assert problem in found[variant]


def test_a_function_that_always_raises_must_not_earn_anything(tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)
    edit_checks(
        folder,
        "checks = [",
        "checks = [\n    Check('refuses', ['x'], question='q1', points=0.5,"
        " target='refuse', raises='KeyError'),",
    )
    edit_master(folder, lambda data: cell_of(data, "q1-answer")["metadata"]["aicourse"].update(points=4.5))
    found = problems(report_of(folder))["the same answer to everything"]
    assert "q1 earns 0.5, not 0, when its functions always raise KeyError: refuses." in found


def test_a_right_answer_that_needs_its_cell_to_run_is_missed(tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)
    edit_master(
        folder,
        lambda data: data["cells"][6].update(source="1 / 0\nCOLOURS = ['blue', 'white']  # SOLUTION"),
    )
    assert "There is no `COLOURS`" in problems(report_of(folder))["reference"]


def test_what_went_wrong_with_the_run_is_said() -> None:
    def dies(job: Job) -> Execution:
        return Execution(job.notebook, (), "died", "The notebook's process ended.", (), "L3", 0.1)

    report = verify(load_assignment(TINY), dies)
    assert "The notebook's process ended." in problems(report)["reference"]
    assert not report.passed


def test_progress_is_told() -> None:
    told: list[tuple[int, int, str]] = []
    verify(load_assignment(TINY), execute, progress=lambda *step: told.append(step))
    assert told[0] == (0, 4, "reference")
    assert told[-1] == (4, 4, "")


def test_an_answer_in_two_cells_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = copy_tiny(tmp_path)

    def second_cell(data: dict) -> None:  # type: ignore[type-arg]
        more = {**data["cells"][6], "id": "q2-more", "source": "COLOURS.sort()  # SOLUTION NO PROMPT"}
        more["metadata"] = {"aicourse": {"question": "q2", "role": "answer"}}
        data["cells"].insert(7, more)

    edit_master(folder, second_cell)
    wrong = next(item for item in variants(load_assignment(folder)) if item.name == "q2: one colour")
    sources = {cell["id"]: "".join(cell["source"]) for cell in wrong.notebook["cells"]}
    assert (sources["q2-answer"], sources["q2-more"]) == ("COLOURS = ['blue']", "")


@pytest.mark.parametrize(
    "name",
    [
        "hw01",
        "hw02",
        pytest.param("hw03", marks=pytest.mark.slow),
        pytest.param("hw04", marks=pytest.mark.slow),
    ],
)
def test_the_shipped_homework_is_fair(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompts of hw02 are answered by its recordings; nothing goes live."""
    monkeypatch.setenv("AICOURSE_REPLAY", "only")
    monkeypatch.setattr(session, "_session", None)
    shipped = load_assignment(name)
    report = verify(shipped, execute, model_asker(shipped))
    assert report.passed, str(report)
    hints = {
        mistake.hint for check in shipped.checks if isinstance(check, Check) for mistake in check.mistakes
    }
    unseen = [hint for hint in hints if not any(wrong.shows in hint for wrong in shipped.planted)]
    assert not unseen, "no planted mistake shows this hint"

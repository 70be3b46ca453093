"""A file of a run holds one run: what goes on in it, and what is refused, with the reason and the way out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from aicourse.errors import EvaluationError
from aicourse.evals import runner, runs
from aicourse.evals.cases import Case, EvaluationSet, save_cases
from aicourse.evals.scorers import contains, exact

CASES = [
    Case(id=str(number), input=number, expected=number % 2 == 0, tags=("even",) * (number % 2 == 0))
    for number in range(6)
]
GIVEN = {"facts": {"model": "small", "prompt": "v1"}, "name": "first"}


def even(limit: int = 100) -> Callable[[Case], bool]:
    """A task with a setting."""
    return lambda case: case.input % 2 == 0 and case.input < limit


def run(
    path: Path, cases: Iterable[Case] = CASES, task: runner.Task | None = None, **options: Any
) -> runs.Run:
    options = GIVEN | {"scorers": [exact()]} | options
    return runner.run(task or even(), cases, path=path, progress=False, retries=0, **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a finished run of six cases."""
    run(tmp_path / "run.jsonl")
    return tmp_path / "run.jsonl"


def changed(place: int, **fields: Any) -> list[Case]:
    return [case.model_copy(update=fields) if n == place else case for n, case in enumerate(CASES)]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"cases": CASES[:2]}, "of its cases, 4 are not among the chosen ones (2, 3, 4, 5)"),
        ({"cases": CASES[:1]}, "of its cases, 5 are not among the chosen ones (1, 2, 3, 4, …)"),
        ({"cases": CASES[::2]}, "of its cases, 3 are not among the chosen ones (1, 3, 5)"),
        ({"cases": iter(CASES[1:])}, "of its cases, 1 is not among the chosen ones (0)"),
        ({"cases": changed(3, expected="new")}, "of its cases, 1 is changed since (3)"),
        ({"cases": changed(0, input=8)}, "of its cases, 1 is changed since (0)"),
        ({"cases": changed(1, tags=("odd",))}, "of its cases, 1 is given other tags since (1)"),
        ({"task": even(3)}, "the task's limit changed"),
        ({"task": lambda case: case.input % 2 == 0}, "the task's code changed"),
        ({"facts": {"model": "large", "prompt": "v1"}}, "model was small and is large"),
        ({"facts": {"model": "small", "prompt": "v2"}}, "prompt was v1 and is v2"),
        ({"facts": {"model": "small"}}, "prompt was v1 and is not noted"),
        ({"name": "second"}, "the name was first and is second"),
        ({"repeats": 2}, "repeats was 1 and is 2"),
        ({"scorers": [exact(), contains("x")]}, "the scorer contains changed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_run_is_refused_and_the_file_stays(path: Path, options: dict[str, Any], reason: str) -> None:
    before = path.read_bytes()
    with pytest.raises(EvaluationError) as refused:
        run(path, **options)
    message = refused.value.message
    assert message.startswith(f"{path} holds another run: {reason}")
    assert (
        f"Undo that, give this one a file of its own (--out, `path` in Python), or delete {path}." in message
    )
    assert ("evals rescore" in message) == ("scorers" in options)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir() if "kept" in one.name] == []


def test_a_scorer_that_was_changed_is_another_one(path: Path) -> None:
    def exact_and_loud(context: Any) -> bool:
        return bool(context.output == "loud")

    exact_and_loud.name = "exact"  # type: ignore[attr-defined]
    with pytest.raises(EvaluationError, match="the scorer exact changed"):
        run(path, scorers=[exact_and_loud])


def test_the_same_run_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    again = run(path)
    assert path.read_bytes() == before
    assert again.summary.records == 6


def test_more_cases_go_on_and_count_in_their_new_order(path: Path) -> None:
    """The place of a case may be another one: a mean must not take it for the one that was there."""
    more = [Case(id="new", input=7, expected=True), *reversed(CASES)]
    result = run(path, more)
    assert sorted((record.index, record.id) for record in result.records()) == [
        (index, case.id) for index, case in enumerate(more)
    ]
    (score,) = result.summary.scores
    assert (score.cases, round(score.mean.estimate, 3)) == (7, 0.857)  # type: ignore[union-attr]
    assert (result.info.cases, result.remark) == (7, "")


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    again, path = threading.Event(), tmp_path / "run.jsonl"

    def task(case: Case) -> bool:
        if not again.is_set() and case.input == 4:
            raise KeyboardInterrupt
        return case.input % 2 == 0

    with pytest.raises(KeyboardInterrupt):
        run(path, task=task, workers=1)
    assert runs.load_run(path).remark == "unfinished, 4 of 6 records: the same command goes on"
    assert "none failed; unfinished, 4 of 6 records" in str(runs.load_run(path))
    again.set()
    assert run(path, task=task).summary.records == 6


def test_a_stream_of_cases_goes_on_too(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    assert run(path, iter(CASES[:2])).info.cases is None
    assert run(path, iter(CASES)).summary.records == 6


def test_a_failed_case_that_is_gone_is_no_part_of_the_run(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"

    def task(case: Case) -> int:
        return 1 // case.input  # fails for 0

    assert run(path, task=task).summary.failed == 1
    result = run(path, CASES[1:], task=task)
    assert (result.summary.failed, result.summary.records) == (0, 5)


def test_files_of_earlier_versions_are_read_with_a_remark_and_not_resumed(path: Path) -> None:
    first, *others = path.read_text("utf-8").splitlines(keepends=True)
    header = json.loads(first)
    del header["run"]["made_of"], header["run"]["cases"]
    path.write_text(json.dumps(header) + "\n" + "".join(others), encoding="utf-8")
    assert runs.load_run(path).summary.records == 6
    assert "written by an earlier version, which did not note what it is of" in str(runs.load_run(path))
    with pytest.raises(EvaluationError, match="it was written by an earlier version, which did not note"):
        run(path)


def test_another_python_is_named(path: Path) -> None:
    text = path.read_text("utf-8")
    first, _, others = text.partition("\n")
    header = json.loads(first)
    header["run"]["made_of"] |= {"Python": "3.9", "the task's code": "other"}
    path.write_text(json.dumps(header) + "\n" + others, encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"another run: Python was 3.9 and is 3.\d+\. Undo"):
        run(path)


def test_a_rescored_run_says_so_and_goes_on(path: Path, tmp_path: Path) -> None:
    again = runner.rescore(runs.load_run(path), [contains("True")])
    saved = runs.save_run(again, tmp_path / "again.jsonl")
    assert runs.load_run(tmp_path / "again.jsonl").info == saved.info
    result = run(tmp_path / "again.jsonl", scorers=[contains("True")])
    assert [score.name for score in result.summary.scores] == ["contains"]
    with pytest.raises(EvaluationError, match="the scorer"):
        run(tmp_path / "again.jsonl")


def test_a_record_that_is_there_twice_counts_for_nothing(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[1]]))
    with pytest.raises(EvaluationError, match="of its cases, 1 is in it twice"):
        run(path)


def test_two_scorers_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="Two scorers are called 'exact'"):
        run(tmp_path / "run.jsonl", scorers=[exact(), exact()])
    assert not (tmp_path / "run.jsonl").exists()


def test_a_file_of_cases_that_was_edited(tmp_path: Path) -> None:
    save_cases(CASES, tmp_path / "set.jsonl")
    run(tmp_path / "run.jsonl", EvaluationSet(tmp_path / "set.jsonl"))
    save_cases(CASES[:4], tmp_path / "set.jsonl")
    with pytest.raises(EvaluationError, match=r"2 are not among the chosen ones \(4, 5\)"):
        run(tmp_path / "run.jsonl", EvaluationSet(tmp_path / "set.jsonl"))

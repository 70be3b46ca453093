"""Proof of an assignment: the reference earns all points, a blank notebook none, each mistake loses its own.

    report = verify(load_assignment("hw01"), execute)
    report.passed, print(report)

Each variant runs as a submission would, in the same executor and judged by the same code. Functions that
always raise, or always give one empty answer, are judged too, without being run: they must earn nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aicourse.notebook.checks import Check
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.authoring.building import answered_notebook, solution_notebook, student_notebook
from aicourse.tooling.grading.authoring.checks_file import Planted
from aicourse.tooling.grading.contrib.draft import left_to_do
from aicourse.tooling.grading.judging.judging import Ask, Plan, judge, plan
from aicourse.tooling.grading.judging.results import CheckOutcome
from aicourse.tooling.grading.sandbox.execution import Answer, Execution, Executor, Job
from aicourse.tooling.grading.sandbox.files import named_files

STUDENT = "verify"
_CONSTANTS: tuple[Any, ...] = (None, True, False, 0, "", [], {})
Progress = Callable[[int, int, str], None]
"""Told before each variant: how many are done, how many there are, its name."""


@dataclass(frozen=True)
class Variant:
    """One notebook to try, and the points that each question must earn."""

    name: str
    notebook: dict[str, Any]
    expected: Mapping[str, float]
    planted: Planted | None = None


@dataclass(frozen=True)
class VerifyRow:
    """One variant's result; `problems` is empty when all is as it must be."""

    variant: str
    expected: float
    earned: float
    seconds: float
    problems: tuple[str, ...]


@dataclass(frozen=True)
class VerifyReport:
    """All variants of one assignment; `left` is what an import left to do, which fails nothing."""

    assignment: str
    level: str
    rows: tuple[VerifyRow, ...]
    left: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True if every variant earned what it must."""
        return not any(row.problems for row in self.rows)

    def __str__(self) -> str:
        width = max(len(row.variant) for row in self.rows)
        lines = [f"{self.assignment}, run under {self.level}", ""]
        lines.append(f"  {'':{width + 2}} {'expected':>8} {'earned':>7} {'seconds':>8}")
        for row in self.rows:
            mark = "✗" if row.problems else "✓"
            numbers = f"{row.expected:8g} {row.earned:7g} {row.seconds:8.1f}"
            lines.append(f"  {mark} {row.variant:{width}} {numbers}")
            lines += [f"      {problem}" for problem in row.problems]
        failed = sum(bool(row.problems) for row in self.rows)
        wrong = f"{failed} of {len(self.rows)} variants do not earn what they must."
        lines += ["", *(f"  ! {one}" for one in self.left)]
        return "\n".join([*lines, "Every variant earns what it must." if self.passed else wrong])


def verify(
    assignment: Assignment,
    execute: Executor,
    ask: Ask | None = None,
    progress: Progress = lambda done, total, name: None,
) -> VerifyReport:
    """Run the reference, a blank notebook and each planted mistake.

    Raises:
        AssignmentError: `checks.py` fails while judging.
    """
    tried = variants(assignment)
    rows, level = [], ""
    for number, variant in enumerate(tried):
        progress(number, len(tried), variant.name)
        asked = plan(assignment, STUDENT)
        files = named_files(assignment.folder, assignment.files)
        execution = execute(
            Job(variant.notebook, asked.calls, files, limits=assignment.limits, vectors=assignment.vectors)
        )
        level = execution.level
        results = judge(asked, execution.answers, ask)
        rows.append(_row(variant, execution, results))
    progress(len(tried), len(tried), "")
    rows += _constant_answers(assignment)
    return VerifyReport(assignment.name, level, tuple(rows), left_to_do(assignment))


def _constant_answers(assignment: Assignment) -> Iterator[VerifyRow]:
    """One row if functions are asked for: what those earn that do the same on every input."""
    asked = [
        replace(one, check=replace(one.check, mistakes=()))
        for one in plan(assignment, STUDENT).checks
        if isinstance(one.check, Check) and one.inputs
    ]
    most, problems = 0.0, []
    for question in dict.fromkeys(one.check.question for one in asked):
        mine = Plan(assignment.name, STUDENT, tuple(one for one in asked if one.check.question == question))
        for told, answer in _constants(mine):
            passed = [result for result in judge(mine, [answer] * len(mine.calls)) if result.earned]
            if passed:
                earned, names = sum(one.earned for one in passed), "; ".join(one.name for one in passed)
                most = max(most, earned)
                problems.append(
                    f"{question} earns {earned:g}, not 0, when its functions always {told}: {names}. Add an "
                    "input for which something else is right."
                )
    if asked:
        yield VerifyRow("the same answer to everything", 0, most, 0, tuple(problems))


def _constants(asked: Plan) -> Iterator[tuple[str, Answer]]:
    errors = {name for one in asked.checks if isinstance(one.check, Check) for name in one.check.error_names}
    for name in sorted(errors):
        yield f"raise {name}", Answer("raised", error=name)
    for value in _CONSTANTS:
        yield f"give {value!r}", Answer("returned", value)


def variants(assignment: Assignment) -> list[Variant]:
    """The reference, a blank notebook, each other right answer, and each planted mistake."""
    full = {question.id: question.points for question in assignment.questions if question.kind == "auto"}
    solution = {cell.id: cell.solution for cell in assignment.cells}
    right = [
        Variant(
            f"{question}: another right answer, {number}",
            answered_notebook(assignment, solution | _replaced(assignment, question, source)),
            full,
        )
        for question, sources in assignment.alternatives.items()
        if question in full
        for number, source in enumerate(sources, start=1)
    ]
    planted = [
        Variant(
            f"{wrong.question}: {wrong.name}",
            answered_notebook(assignment, solution | _replaced(assignment, wrong.question, wrong.source)),
            full | {wrong.question: full[wrong.question] - wrong.loses},
            wrong,
        )
        for wrong in assignment.planted
    ]
    return [
        Variant("reference", solution_notebook(assignment), full),
        Variant("blank", student_notebook(assignment), dict.fromkeys(full, 0)),
        *right,
        *planted,
    ]


def _replaced(assignment: Assignment, question: str, source: str) -> dict[str, str]:
    """Another source in the question's first answer cell; its other answer cells are empty."""
    first, *others = assignment.answer_cells(question)
    return {first.id: source} | {cell.id: "" for cell in others}


def _row(variant: Variant, execution: Execution, results: Sequence[CheckOutcome]) -> VerifyRow:
    earned = dict.fromkeys(variant.expected, 0.0)
    for result in results:
        earned[result.question] += result.earned
    problems = tuple(_problems(variant, execution, results, earned))
    return VerifyRow(
        variant.name, sum(variant.expected.values()), sum(earned.values()), execution.seconds, problems
    )


def _problems(
    variant: Variant, execution: Execution, results: Sequence[CheckOutcome], earned: Mapping[str, float]
) -> Iterator[str]:
    if execution.sentence and variant.name != "blank":
        yield execution.sentence
    for question, points in variant.expected.items():
        mine = [result for result in results if result.question == question]
        pending = [result for result in mine if result.kind == "pending"]
        yield from (f"{question}, {result.name}: {result.message}" for result in pending)
        if abs(earned[question] - points) > 1e-9 and not pending:
            yield f"{question} earns {earned[question]:g}, not {points:g}{_blame(mine, variant)}."
    if variant.planted is not None:
        yield from _unshown(variant.planted, results)


def _blame(results: Sequence[CheckOutcome], variant: Variant) -> str:
    """The checks that decide: those that failed, or on a blank notebook those that passed."""
    blamed = [result for result in results if result.passed == (variant.name == "blank") and result.points]
    listed = [f"{result.name} ({(result.message or result.kind).rstrip('.')})" for result in blamed]
    return f": {'; '.join(listed)}" if listed else ""


def _unshown(planted: Planted, results: Sequence[CheckOutcome]) -> Iterator[str]:
    shown = [f"{result.message} {result.hint}" for result in results if result.question == planted.question]
    if not any(planted.shows in text for text in shown):
        told = " / ".join(dict.fromkeys(text.strip() for text in shown if text.strip())) or "nothing"
        yield f"It should show {planted.shows!r}; it shows: {told}"

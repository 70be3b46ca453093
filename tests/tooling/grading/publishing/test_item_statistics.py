"""Statistics of questions against independent implementations."""

from __future__ import annotations

import random
import statistics

import pytest

from aicourse.tooling.grading.judging.results import CheckOutcome, QuestionOutcome, SubmissionResult
from aicourse.tooling.grading.publishing.gradebook import Gradebook, QuestionColumn, StudentRow
from aicourse.tooling.grading.publishing.item_statistics import class_statistics, correlation, cronbach_alpha

POINTS = {"q1": 4.0, "q2": 2.0, "q3": 6.0}


def row(student: str, *earned: float | None, status: str = "graded") -> StudentRow:
    questions = tuple(
        QuestionOutcome(id=name, title=name, kind="auto", points=points, earned=one)
        for (name, points), one in zip(POINTS.items(), earned, strict=True)
    )
    result = SubmissionResult(
        student=student,
        submission="",
        assignment="hw",
        title="",
        status=status,
        sentence="",
        questions=questions,
    )
    return StudentRow(result, None)


def book(*rows: StudentRow) -> Gradebook:
    return Gradebook(
        "hw", "", tuple(QuestionColumn(name, name, "auto", points) for name, points in POINTS.items()), rows
    )


@pytest.fixture(scope="module")
def scores() -> list[tuple[float, float, float]]:
    draw = random.Random(3)
    students = []
    for _ in range(60):
        skill = draw.random()
        students.append(
            tuple(float(sum(draw.random() < skill for _ in range(int(most)))) for most in POINTS.values())
        )
    return students  # type: ignore[return-value]


def test_discrimination_is_the_corrected_item_total_correlation(
    scores: list[tuple[float, float, float]],
) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(scores, columns=list(POINTS))
    found = class_statistics(book(*(row(f"s{number}", *one) for number, one in enumerate(scores))))
    for question in found.questions:
        name = question.column.id
        assert question.discrimination == pytest.approx(
            table[name].corr(table.drop(columns=name).sum(axis=1))
        )
        assert question.difficulty == pytest.approx(table[name].mean() / POINTS[name])
        assert question.deviation == pytest.approx(table[name].std(ddof=0) / POINTS[name])
        assert sum(question.histogram) == 60
    assert found.mean == pytest.approx(table.sum(axis=1).mean())
    assert found.median == table.sum(axis=1).median()


def test_alpha_by_the_covariance_matrix(scores: list[tuple[float, float, float]]) -> None:
    """Cronbach's other form: k / (k - 1) * (1 - trace(C) / sum(C))."""
    numpy = pytest.importorskip("numpy")
    matrix = numpy.cov(numpy.array(scores).T)
    expected = 3 / 2 * (1 - numpy.trace(matrix) / matrix.sum())
    assert cronbach_alpha([list(one) for one in zip(*scores, strict=True)]) == pytest.approx(expected)


def test_correlation_against_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    first, second = [1.0, 4.0, 2.0, 8.0], [0.5, 3.0, 3.5, 4.0]
    assert correlation(first, second) == pytest.approx(stats.pearsonr(first, second).statistic)


@pytest.mark.parametrize(
    ("first", "second"), [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [2, 2, 2])]
)
def test_nothing_is_made_up(first: list[float], second: list[float]) -> None:
    assert correlation(first, second) is None


def test_open_and_failed_rows_do_not_count_as_zero() -> None:
    rows = [row("a", 4, 2, None), row("b", 2, 1, None), row("c", None, None, None, status="failed")]
    found = class_statistics(book(*rows))
    assert (found.students, found.complete, found.totals) == (3, 2, (6, 3))
    assert [question.difficulty for question in found.questions] == [0.75, 0.75, None]
    assert found.questions[2].open == 2


def test_shares_fall_into_their_bins() -> None:
    found = class_statistics(book(row("a", 0, 2, 6), row("b", 4, 1, 3), row("c", 4, 0.2, 0.6)))
    assert found.questions[0].histogram == (1, 0, 0, 0, 0, 0, 0, 0, 0, 2)
    assert found.questions[1].histogram == (0, 1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert found.questions[2].histogram == (0, 1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_remarks() -> None:
    rows = [
        row(f"s{number}", 4 * (number % 2), 2 * (number % 2), 6 - 6 * (number % 2)) for number in range(6)
    ]
    questions = class_statistics(book(*rows)).questions
    assert "did badly here" in questions[2].remark
    hard = class_statistics(
        book(*(row(f"s{number}", number == 5, number / 3, number) for number in range(6)))
    )
    assert hard.questions[0].remark == "Hard: less than a third of the points."


def test_the_most_common_hint() -> None:
    def checked(student: str, *hints: str) -> StudentRow:
        checks = tuple(
            CheckOutcome(name="works", points=1, earned=not hint, passed=not hint, hint=hint)
            for hint in hints
        )
        question = QuestionOutcome(id="q1", title="", kind="auto", points=4, earned=1, checks=checks)
        base = row(student, 1, 1, 1).result
        return StudentRow(base.model_copy(update={"questions": (question,)}), None)

    rows = [checked("a", "Read it."), checked("b", "Read it."), checked("c", "Other."), checked("d", "")]
    (check,) = class_statistics(book(*rows)).checks
    assert (check.passed, check.students, check.common_hint, check.hinted) == (1, 4, "Read it.", 2)


def test_an_empty_class() -> None:
    found = class_statistics(book())
    assert (found.mean, found.alpha, found.totals) == (None, None, ())
    assert statistics.fmean([question.students for question in found.questions]) == 0
    assert "0 submissions" in str(found)

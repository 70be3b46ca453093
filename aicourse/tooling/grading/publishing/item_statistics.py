"""Item statistics of a class: difficulty, discrimination, distribution (classical test theory).

- difficulty: the mean share of the points, 1 when everybody has all (the "facility index", ETS and Moodle);
- discrimination: the correlation of a question with the sum of the *other* questions (corrected item-total
  correlation, Henrysson 1963): below 0.2 it says little about the rest, below 0 look at the checks;
- alpha: Cronbach 1951, how far the questions measure one thing.

Only complete rows count, so that one open answer does not bend the others. Nothing is estimated from fewer
than three students, or where everybody has the same points: then it is None.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aicourse.tooling.grading.publishing.gradebook import Gradebook, QuestionColumn, StudentRow

_FEWEST = 3
BINS = 10


@dataclass(frozen=True)
class CheckStatistics:
    """One check: how many passed, and what was most often said to those who did not."""

    question: str
    name: str
    students: int
    passed: int
    common_hint: str = ""
    hinted: int = 0


@dataclass(frozen=True)
class QuestionStatistics:
    """One question; shares are of its points. `histogram` counts shares in ten bins from 0 to 1."""

    column: QuestionColumn
    students: int
    open: int
    difficulty: float | None
    deviation: float | None
    discrimination: float | None
    histogram: tuple[int, ...]

    @property
    def remark(self) -> str:
        """The sentence that tells an instructor to look at this question, "" when nothing does."""
        if self.discrimination is not None and self.discrimination < 0:
            return "Those who did well elsewhere did badly here: check the question and its checks."
        if self.difficulty is not None and self.difficulty < 0.3:
            return "Hard: less than a third of the points."
        says_little = self.discrimination is not None and self.discrimination < 0.2
        if says_little and self.difficulty is not None and self.difficulty < 0.95:
            return "Says little about the rest of the homework."
        return ""


@dataclass(frozen=True)
class ClassStatistics:
    """A class: totals (complete rows only), questions and checks."""

    students: int
    complete: int
    totals: tuple[float, ...]
    alpha: float | None
    questions: tuple[QuestionStatistics, ...]
    checks: tuple[CheckStatistics, ...]

    def __str__(self) -> str:
        lines = [f"{self.students} submissions, {self.complete} with points for every question graded so far"]
        lines.append(
            f"mean {_shown(self.mean, 1)}, median {_shown(self.median, 1)}, alpha {_shown(self.alpha, 2)}"
        )
        lines.append(f"{'question':<24}{'points':>8}{'share':>8}{'discrimination':>16}  remark")
        for one in self.questions:
            share = "-" if one.difficulty is None else f"{100 * one.difficulty:.0f} %"
            figures = f"{one.column.points:>8g}{share:>8}{_shown(one.discrimination, 2):>16}"
            lines.append(f"{one.column.id:<24}{figures}  {one.remark}")
        return "\n".join(line.rstrip() for line in lines)

    @property
    def mean(self) -> float | None:
        """Of the totals."""
        return statistics.fmean(self.totals) if self.totals else None

    @property
    def median(self) -> float | None:
        """Of the totals."""
        return statistics.median(self.totals) if self.totals else None


def _shown(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def class_statistics(book: Gradebook) -> ClassStatistics:
    """The figures of a gradebook; questions that nobody has points for yet are left out of sums."""
    graded = [row for row in book.rows if row.result.status != "failed"]
    counted = [one for one in book.columns if any(row.points(one.id) is not None for row in graded)]
    complete = [row for row in graded if all(row.points(one.id) is not None for one in counted)]
    scores = {one.id: [row.points(one.id) or 0.0 for row in complete] for one in counted}
    totals = [sum(points) for points in zip(*scores.values(), strict=True)] if counted else []
    return ClassStatistics(
        students=len(book.rows),
        complete=len(complete),
        totals=tuple(totals),
        alpha=cronbach_alpha(list(scores.values())),
        questions=tuple(_question(one, graded, scores.get(one.id, []), totals) for one in book.columns),
        checks=tuple(_checks(graded)),
    )


def _question(
    column: QuestionColumn, graded: Sequence[StudentRow], scores: Sequence[float], totals: Sequence[float]
) -> QuestionStatistics:
    known = [points for row in graded if (points := row.points(column.id)) is not None]
    shares = [points / column.points for points in known] if column.points else []
    rest = [total - score for total, score in zip(totals, scores, strict=True)] if scores else []
    histogram = Counter(min(BINS - 1, math.floor(share * BINS + 1e-9)) for share in shares)
    return QuestionStatistics(
        column=column,
        students=len(known),
        open=len(graded) - len(known),
        difficulty=statistics.fmean(shares) if shares else None,
        deviation=statistics.pstdev(shares) if len(shares) > 1 else None,
        discrimination=correlation(scores, rest) if scores else None,
        histogram=tuple(histogram.get(bin, 0) for bin in range(BINS)),
    )


def correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Pearson's correlation; None for fewer than three values or when one side does not vary.

    >>> round(correlation([1, 2, 3], [1, 2, 4]), 3)
    0.982
    """
    if len(first) < _FEWEST or _is_constant(first) or _is_constant(second):
        return None
    return float(statistics.correlation(first, second))


def _is_constant(values: Sequence[float]) -> bool:
    return max(values) - min(values) < 1e-12


def cronbach_alpha(items: Sequence[Sequence[float]]) -> float | None:
    """Cronbach's alpha of at least two items (one sequence of scores each); None where it is not defined."""
    if len(items) < 2 or len(items[0]) < _FEWEST:
        return None
    totals = [sum(points) for points in zip(*items, strict=True)]
    if _is_constant(totals):
        return None
    spread = sum(statistics.variance(item) for item in items)
    return float(len(items) / (len(items) - 1) * (1 - spread / statistics.variance(totals)))


def _checks(graded: Sequence[StudentRow]) -> list[CheckStatistics]:
    seen: dict[tuple[str, str], list[tuple[bool, str]]] = {}
    for row in graded:
        for question in row.result.questions:
            for check in question.checks:
                hint = "" if check.passed else (check.hint or check.message)
                seen.setdefault((question.id, check.name), []).append((check.passed, hint))
    found = []
    for (question_id, name), results in seen.items():
        hints = Counter(text for _, text in results if text)
        hint, count = hints.most_common(1)[0] if hints else ("", 0)
        passed = sum(ok for ok, _ in results)
        found.append(CheckStatistics(question_id, name, len(results), passed, hint, count))
    return found

"""Metrics of answers that may be withheld: right, wrong or none, and what it costs to answer more often.

An answer to a question that the documents do not answer is wrong, whatever it says; none is right there. So
there are three outcomes, and CRAG's score (Yang et al. 2024) is the share of right minus the share of wrong
ones.

    curve = risk_coverage(probabilities, wrong)       # DataFrame: threshold, coverage, risk
    area(probabilities, wrong)                        # smaller is better; `oracle_area` is the least
    risk_at(probabilities, wrong, coverage=0.6)       # for a rival without a probability

Coverage is the share of questions that get an answer, risk the share of wrong ones among the answers
(El-Yaniv & Wiener 2010). Questions with one probability are answered together: inside such a group risk and
coverage are the expected ones of any order, so no order of ties can flatter. `citation_scores` are ALCE's
(Gao et al. 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from aicourse.datasets import HelpQuestion
from aicourse.errors import RetrievalError

if TYPE_CHECKING:
    import pandas as pd

Outcome = Literal["right", "wrong", "none"]
Supports = Callable[[str, Sequence[str]], bool]  # do these passages together state this?
_CRAG = {"right": 1.0, "none": 0.0, "wrong": -1.0}


def outcome(question: HelpQuestion, text: str) -> Outcome:
    """The outcome of an answer by the question's rule, "" being none.

    The rule (`must`) is exact for numbers, dates and names, and weak for yes and no: judge those.
    """
    if not text:
        return "none"
    found = text.lower()
    states = question.must and all(any(one in found for one in group) for group in question.must)
    return "right" if question.relevant and states else "wrong"


def crag_values(outcomes: Sequence[Outcome]) -> list[float]:
    """1, 0 or -1 for each outcome; their mean is CRAG's score.

    >>> crag_values(["right", "none", "wrong"])
    [1.0, 0.0, -1.0]
    """
    return [_CRAG[one] for one in outcomes]


def risk_coverage(probabilities: Sequence[float], wrong: Sequence[bool]) -> pd.DataFrame:
    """Coverage and risk at each threshold that changes them, the highest first.

    `wrong` says of each question whether its answer is wrong, if it is given.

    Raises:
        RetrievalError: no questions, not one probability for each, or one that is no number.
    """
    import pandas as pd

    scores, errors = _checked(probabilities, wrong)
    thresholds, counts, wrongs = _groups(scores, errors)
    answered = np.cumsum(counts)
    rows = {"threshold": thresholds, "coverage": answered / scores.size, "risk": np.cumsum(wrongs) / answered}
    return pd.DataFrame(rows)


def risk_at(probabilities: Sequence[float], wrong: Sequence[bool], coverage: float) -> float:
    """The expected risk when that share of the questions is answered, the most probable first.

    Raises:
        RetrievalError: as `risk_coverage`; or the coverage answers less than one question, or is above 1.
    """
    scores, errors = _checked(probabilities, wrong)
    answered = coverage * scores.size
    if not 1 <= answered <= scores.size:
        raise RetrievalError(f"Coverage {coverage} of {scores.size} questions cannot be. Choose 1/n to 1.")
    return float(np.interp(answered, *_expected_wrong(scores, errors))) / answered


def area(probabilities: Sequence[float], wrong: Sequence[bool]) -> float:
    """The area under the risk-coverage curve: the mean risk of answering 1, 2, … all questions.

    Of probabilities that say nothing it is the share of wrong answers.

    >>> area([0.9, 0.8, 0.7, 0.6], [False, False, True, True])
    0.20833333333333331
    """
    scores, errors = _checked(probabilities, wrong)
    answered = np.arange(1, scores.size + 1)
    return float(np.mean(np.interp(answered, *_expected_wrong(scores, errors)) / answered))


def oracle_area(wrong: Sequence[bool]) -> float:
    """The least area that these answers can have: all right ones come first."""
    return area([0.0 if one else 1.0 for one in wrong], wrong)


@dataclass(frozen=True, slots=True)
class CitationScores:
    """ALCE's two rates over the statements of an answer, None where there is nothing to divide by."""

    recall: float | None  # of the statements, those that their citations together support
    precision: float | None  # of the citations, those that are needed or enough


def citation_scores(statements: Sequence[tuple[str, Sequence[str]]], supports: Supports) -> CitationScores:
    """Citation recall and precision of statements, each with the texts of the passages it cites.

    A citation counts as precise if its statement is supported by all its citations together, and either this
    one supports it alone, or the others do not without it.
    """
    supported = [bool(cited) and supports(statement, cited) for statement, cited in statements]
    precise: list[bool] = []
    for (statement, cited), whole in zip(statements, supported, strict=True):
        for place, one in enumerate(cited):
            others = [*cited[:place], *cited[place + 1 :]]
            needed = supports(statement, [one]) or not (others and supports(statement, others))
            precise.append(whole and needed)
    return CitationScores(_share(supported), _share(precise))


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None


def _checked(
    probabilities: Sequence[float], wrong: Sequence[bool]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    scores, errors = np.asarray(probabilities, dtype=np.float64), np.asarray(wrong, dtype=np.float64)
    if not scores.size or scores.shape != errors.shape or not np.isfinite(scores).all():
        raise RetrievalError(
            f"{scores.size} probabilities for {errors.size} answers. Give each answer one number."
        )
    return scores, errors


def _groups(
    scores: npt.NDArray[np.float64], errors: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Each probability that occurs, the highest first; how many have it; how many of these are wrong."""
    ascending, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    wrongs = np.bincount(places, weights=errors).astype(np.float64)
    return ascending[::-1], counts[::-1].astype(np.float64), wrongs[::-1]


def _expected_wrong(
    scores: npt.NDArray[np.float64], errors: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Points between which the expected number of wrong answers grows evenly with the answers given."""
    _, counts, wrongs = _groups(scores, errors)
    return np.concatenate([[0.0], np.cumsum(counts)]), np.concatenate([[0.0], np.cumsum(wrongs)])

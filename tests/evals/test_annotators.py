"""Agreement of annotators, against scikit-learn, statsmodels and a published example."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa as statsmodels_kappa

from aicourse.errors import EvaluationError
from aicourse.evals.annotators import agreement

ORDER = ["poor", "fair", "good", "new"]
PAIRS = st.lists(st.tuples(st.sampled_from(ORDER), st.sampled_from(ORDER)), min_size=2, max_size=40)


@given(PAIRS, st.sampled_from([None, "linear", "quadratic"]))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]], weights: str | None) -> None:
    first, second = zip(*pairs, strict=True)
    ours = agreement(first, second, order=ORDER, weights=weights).kappa.estimate  # type: ignore[arg-type]
    if len({*first, *second}) > 1:
        theirs = cohen_kappa_score(first, second, labels=ORDER, weights=weights)
        assert ours == pytest.approx(theirs, abs=1e-12)
    else:
        assert math.isnan(ours)


def test_cohens_own_example() -> None:
    """Cohen 1960, table 1 (shares of 200 judgements): kappa 0.492."""
    table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    pairs = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    result = agreement(*zip(*pairs, strict=True))
    assert result.equal == 140
    assert result.kappa.estimate == pytest.approx(0.492, abs=0.0005)
    error = statsmodels_kappa(table).std_kappa  # of Fleiss, Cohen & Everitt 1969, for large samples
    assert (result.kappa.high - result.kappa.low) / (2 * 1.96) == pytest.approx(error, rel=0.05)


def test_kappa_intervals_cover_what_they_say() -> None:
    """Two annotators of 100 items, 3 labels, who err independently: 95 ± 1.5 % hold the true kappa."""
    truth = np.array([0.5, 0.3, 0.2])
    reads = np.full((3, 3), 0.1) + 0.7 * np.eye(3)
    joint = np.einsum("t,ti,tj->ij", truth, reads, reads)
    chance = joint.sum(axis=1) @ joint.sum(axis=0)
    kappa = (np.trace(joint) - chance) / (1 - chance)
    cells = np.random.default_rng(5).choice(9, p=joint.ravel(), size=(1_500, 100))
    found = [agreement((row // 3).tolist(), (row % 3).tolist(), seed=n) for n, row in enumerate(cells)]
    held = np.mean([one.kappa.low <= kappa <= one.kappa.high for one in found])
    assert held == pytest.approx(0.95, abs=0.015)


def test_what_two_annotators_disagree_about() -> None:
    result = agreement(["good", "good", None, "fair"], ["good", "fair", "fair", "fair"], name="condition")
    assert result.disagreements == {("None", "fair"): 1, ("good", "fair"): 1}
    assert result.to_frame().loc["good", "fair"] == 1
    assert str(result).startswith("condition: 2 of 4 equal, kappa 0.27 (")
    assert "first says" in result._repr_html_()


def test_one_label_only_is_said_to_be_undefined() -> None:
    assert "kappa undefined" in str(agreement(["a"] * 3, ["a"] * 3))


@pytest.mark.parametrize(
    ("first", "second", "options", "message"),
    [
        (["a"], ["a", "b"], {}, "labelled 1 and 2 items"),
        ([], [], {}, "labelled 0 and 0 items"),
        (["a"], ["b"], {"order": ["a"]}, "Not in the order of labels: 'b'"),
        (["a"], ["b"], {"weights": "linear"}, "Pass their `order`"),
    ],
)
def test_what_cannot_be_compared(first: list[str], second: list[str], options: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(EvaluationError, match=message):
        agreement(first, second, **options)

"""Agreement of annotators, against scikit-learn, statsmodels and a published example."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa as statsmodels_kappa

from aicourse.errors import EvaluationError
from aicourse.evals.annotators import agreement, kappa_interval

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


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_the_standard_error_is_statsmodels(weights: Literal["linear", "quadratic"] | None) -> None:
    """Half the width over t, for the table with the two items that are added."""
    table = np.array([[22, 3, 1, 0], [4, 18, 5, 1], [0, 2, 9, 3], [1, 0, 2, 7]], dtype=float)
    added = statsmodels_kappa(table + 2 / 16, wt={"quadratic": "fc"}.get(str(weights), weights))
    pairs = [(a, b) for a, row in enumerate(table) for b, count in enumerate(row) for _ in range(int(count))]
    found = agreement(*zip(*pairs, strict=True), order=range(4), weights=weights).kappa
    assert (found.low + found.high) / 2 == pytest.approx(added.kappa, abs=1e-9)
    assert (found.high - found.low) / 2 == pytest.approx(stats.t(77).ppf(0.975) * added.std_kappa, rel=1e-9)


def test_five_items_that_all_agree_are_no_certainty() -> None:
    found = agreement(["a", "b", "a", "b", "a"], ["a", "b", "a", "b", "a"]).kappa
    assert (found.estimate, found.high) == (1.0, 1.0)
    assert found.low < 0.2
    unused = agreement(["a", "b", "a", "b", "a"], ["a", "b", "a", "b", "a"], order=["c", "a", "d", "b"]).kappa
    assert unused.low == pytest.approx(found.low)  # labels that nobody gave change nothing
    assert agreement(["a", "b"] * 40, ["a", "b"] * 40).kappa.low > 0.9


PREVALENCE = {
    "even": [0.5, 0.5], "skewed": [0.8, 0.2], "rare": [0.9, 0.1], "four": [0.4, 0.3, 0.2, 0.1],
    "four, rare": [0.85, 0.05, 0.05, 0.05], "eight": [0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05],
}  # fmt: skip


@pytest.mark.parametrize("items", [10, 30, 100])
@pytest.mark.parametrize("times", [150, pytest.param(2_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("prevalence", PREVALENCE.values(), ids=PREVALENCE)
def test_kappa_intervals_cover_what_they_say(prevalence: list[float], items: int, times: int) -> None:
    """No, little, much and full agreement beyond chance: at least 93 % of the intervals hold kappa."""
    size = len(prevalence)
    for kappa in (0.0, 0.2, 0.5, 0.8, 0.95, 1.0):
        joint = kappa * np.diag(prevalence) + (1 - kappa) * np.outer(prevalence, prevalence)
        drawn = np.random.RandomState(items).multinomial(items, joint.ravel(), size=times)
        found = [kappa_interval(one.reshape(size, size).astype(float), 1 - np.eye(size)) for one in drawn]
        held = [one.low - 1e-9 <= kappa <= one.high + 1e-9 for one in found if not math.isnan(one.estimate)]
        least = 0.90 if (size, items) == (8, 10) else 0.93  # more labels than such few items can show
        assert np.mean(held) >= least - 3 * math.sqrt(least * (1 - least) / len(held))


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

"""The statistics of one run and of comparing two on the same cases: intervals, exact tests, Holm, planning.

Comparisons are paired: values come case by case, in the same order, only the differences count. Sources:
Efron & Tibshirani 1993 (bootstrap), Hesterberg 2015 (its small-sample correction), McNemar 1947, Holm 1979,
Agresti & Coull 1998, Agresti & Min 2005, Wilson 1927 (proportions), Lang & Reiczigel 2014 (of judged cases).
Quantiles and the exact test are scipy's; written out here is what the lessons teach, or what no library has.
Cases are taken to be independent: several from one seller are not, and make every interval here too narrow.

The same values give the same figures on every Python and numpy: resamples come from `RandomState`, whose
streams numpy has promised never to change, means from `math.fsum`; dust of rounding is no difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Values = npt.NDArray[np.float64]

_RESAMPLES_AT_ONCE = 4_000_000  # numbers drawn in one go: 32 MB
_FEW_VALUES = 64
_MANY_CASES = 20_000
_DIGITS = 12  # beyond them a value is the dust of rounding, which differs between machines


@dataclass(frozen=True)
class Interval:
    """An estimate with the range that holds the true value in `confidence` of all experiments.

    As text it has signs, as a difference; a rate is formatted as a number is:

    >>> str(Interval(0.05, -0.01, 0.11)), f"{Interval(0.5, 0.4, 0.6):.2f}"
    ('+0.050 (95 % interval -0.010 to +0.110)', '0.50 (95 % interval 0.40 to 0.60)')
    """

    estimate: float
    low: float
    high: float
    confidence: float = 0.95

    def __str__(self) -> str:
        return format(self)

    def __format__(self, spec: str) -> str:
        estimate, low, high = (format(each, spec or "+.3f") for each in (self.estimate, self.low, self.high))
        return f"{estimate} ({100 * self.confidence:g} % interval {low} to {high})"


def _z(probability: float) -> float:
    return float(special.ndtri(probability))


def _t(probability: float, degrees: int) -> float:
    return float(special.stdtrit(degrees, probability))


def mean(values: Sequence[float] | Values) -> float:
    """The mean, added up without rounding errors: no order and no machine changes it."""
    return math.fsum(values) / len(values)


# intervals


def bootstrap_mean(
    values: Sequence[float] | Values, *, confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """The mean with its bootstrap interval: draw the cases again with replacement and look at the spread.

    The percentiles are widened for small samples (Hesterberg's expanded percentile interval): the plain
    ones cover less than they say below about 100 cases. The same seed gives the same interval. Above
    20,000 cases it is the normal interval, which is then the same to three digits and needs no drawing.

    >>> bootstrap_mean([0, 1] * 50).estimate
    0.5
    """
    data = np.asarray(values, dtype=np.float64)
    if data.size < 2:
        raise ValueError("an interval needs at least 2 cases")
    if data.size > _MANY_CASES:
        reach = _z((1 + confidence) / 2) * float(data.std(ddof=1)) / math.sqrt(data.size)
        low, high = mean(data) - reach, mean(data) + reach
    else:
        low, high = _percentiles(data, data.size, confidence, resamples, seed)
    return Interval(mean(data), low, high, confidence)


def _percentiles(
    pool: Values, size: int, confidence: float, resamples: int, seed: int
) -> tuple[float, float]:
    """The expanded percentiles of the means of `size` values drawn from `pool`."""
    means = _resampled_means(pool, size, resamples, np.random.RandomState(seed))
    widened = math.sqrt(size / (size - 1)) * _t((1 + confidence) / 2, size - 1)
    tail = float(special.ndtr(-widened))
    low, high = np.quantile(means, [tail, 1 - tail])
    return round(float(low), _DIGITS), round(float(high), _DIGITS)


def _resampled_means(pool: Values, size: int, resamples: int, stream: np.random.RandomState) -> Values:
    """The mean of each resample of `size` values; of few distinct ones it draws how often each comes."""
    distinct, counts = np.unique(np.round(pool, _DIGITS), return_counts=True)
    if distinct.size <= _FEW_VALUES:
        drawn = stream.multinomial(size, counts / pool.size, size=resamples)
        return np.asarray(drawn @ distinct / size)
    step = max(1, _RESAMPLES_AT_ONCE // size)
    rounds = [min(step, resamples - start) for start in range(0, resamples, step)]
    picked = (pool[stream.randint(pool.size, size=(rows, size))] for rows in rounds)
    return np.concatenate([values.mean(axis=1) for values in picked])


def paired_bootstrap(
    before: Sequence[float] | Values,
    after: Sequence[float] | Values,
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """The mean of `after - before` with its bootstrap interval; cases are drawn, both values together.

    Two cases are added to those that are drawn from: one that stays the same, half a one that gains and half
    a one that loses as much as changed cases do (root mean square). That is Agresti and Min's step, for any
    size of change. Without it, the interval of a set in which few cases change holds the truth too seldom:
    87 instead of 95 % of the time when 1 in 10 of 40 cases changes.

    When no case differs, the bootstrap cannot see any uncertainty, though there is some: then the interval
    is the one of `paired_proportions` with no change in either direction, for values between 0 and 1.
    """
    differences = paired_differences(before, after)
    changed = differences[differences != 0]
    if not changed.size:
        return paired_proportions(0, 0, differences.size, confidence=confidence)
    if differences.size > _MANY_CASES:
        return bootstrap_mean(differences, confidence=confidence)
    if differences.size < 2:
        raise ValueError("an interval needs at least 2 cases")
    usual = math.sqrt(float((changed**2).mean()))
    pool = np.concatenate([np.repeat(differences, 2), [usual, -usual, 0.0, 0.0]])  # in half cases
    low, high = _percentiles(pool, differences.size + 2, confidence, resamples, seed)
    estimate = mean(differences)
    return Interval(estimate, min(low, estimate), max(high, estimate), confidence)


def paired_differences(before: Sequence[float] | Values, after: Sequence[float] | Values) -> Values:
    """`after - before`, case by case."""
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"paired values must come case by case: {first.size} and {second.size} cases")
    return np.round(second - first, _DIGITS)


def paired_proportions(fixed: int, broken: int, cases: int, *, confidence: float = 0.95) -> Interval:
    """The change of a pass rate: `fixed` cases went from fail to pass, `broken` the other way.

    Adjusted Wald interval of Agresti & Min: half a case is added to each of the four cells, which keeps its
    word for small sets too, and is not empty when nothing changed.
    """
    total = cases + 2
    change = (fixed - broken) / total
    deviation = math.sqrt((fixed + broken + 1) - (fixed - broken) ** 2 / total) / total
    reach = _z((1 + confidence) / 2) * deviation
    estimate = (fixed - broken) / cases if cases else 0.0
    return Interval(estimate, max(-1.0, change - reach), min(1.0, change + reach), confidence)


def proportion(passed: float, cases: float, *, confidence: float = 0.95) -> Interval:
    """A pass rate with Wilson's interval, which stays between 0 and 1; weighted cases need not be whole."""
    z = _z((1 + confidence) / 2)
    rate = passed / cases
    centre = (rate + z**2 / (2 * cases)) / (1 + z**2 / cases)
    reach = z * math.sqrt(rate * (1 - rate) / cases + z**2 / (4 * cases**2)) / (1 + z**2 / cases)
    low, high = max(0.0, centre - reach), min(1.0, centre + reach)
    return Interval(rate, min(low, rate), max(high, rate), confidence)


def corrected_rate(
    passed: int,
    cases: int,
    true_passes: tuple[int, int],
    true_fails: tuple[int, int],
    *,
    confidence: float = 0.95,
) -> Interval:
    """The pass rate behind the one that an imperfect judge reports, with the uncertainty of both samples.

    The judge passed `passed` of `cases`; on labelled items it passed `true_passes` (how many, of how many
    labelled pass) and failed `true_fails`. The estimate is Rogan and Gladen's (1978), the interval Lang and
    Reiczigel's (2014); where both samples together ask for a rate below 0 or above 1, it is built around that
    end, because as published it may become a single point there. Over all outcomes that are possible it holds
    the truth in at least 94 % (20 to 60 labelled items each, 50 to 1,000 cases, any rate, TPR and TNR from
    0.75); with 5 items of one label in 89 %. Drawing the labelled items alone again, as is often done, holds
    it in 57 to 87 %: the judged cases are a sample, too.

    >>> str(corrected_rate(4060, 11284, (178, 179), (358, 359)))
    '+0.360 (95 % interval +0.349 to +0.372)'

    Raises:
        ValueError: a count that cannot be, or a judge that is no better than chance (TPR + TNR is at most 1),
            or is so only on too few items to tell.
    """
    for some, every in ((passed, cases), true_passes, true_fails):
        if not 0 <= some <= every or not every:
            raise ValueError(f"there are no {some} of {every}")
    tpr, tnr = true_passes[0] / true_passes[1], true_fails[0] / true_fails[1]
    if tpr + tnr <= 1:
        raise ValueError(
            f"TPR {tpr:.2f} and TNR {tnr:.2f} are no better than chance, so this judge says nothing about "
            "the rate: use another judge, or label the cases"
        )
    estimate = min(1.0, max(0.0, (passed / cases + tnr - 1) / (tpr + tnr - 1)))
    z = _z((1 + confidence) / 2)
    sizes = cases + z**2, true_passes[1] + 2, true_fails[1] + 2  # with a few more, half of them right
    rate, tpr, tnr = (
        (passed + z**2 / 2) / sizes[0],
        (true_passes[0] + 1) / sizes[1],
        (true_fails[0] + 1) / sizes[2],
    )
    of_rate, of_tpr, of_tnr = (
        one * (1 - one) / size for one, size in zip((rate, tpr, tnr), sizes, strict=True)
    )
    if tpr + tnr <= 1:
        raise ValueError(
            "{} of {} and {} of {} right may be chance: label more items of both kinds".format(
                *true_passes, *true_fails
            )
        )
    centre = min(1.0, max(0.0, (rate + tnr - 1) / (tpr + tnr - 1)))
    variance = of_rate + centre**2 * of_tpr + (1 - centre) ** 2 * of_tnr
    reach = z * math.sqrt(variance) / (tpr + tnr - 1)
    centre += 2 * z**2 * (centre * of_tpr - (1 - centre) * of_tnr)
    low, high = max(0.0, centre - reach), min(1.0, centre + reach)
    return Interval(estimate, min(low, estimate), max(high, estimate), confidence)


def mean_score(values: Sequence[float] | Values, *, confidence: float = 0.95, seed: int = 0) -> Interval:
    """The mean of one score over some cases, with the interval that suits its values.

    Only 0 and 1: Wilson's. Between 0 and 1: `bounded_mean`. Anything else: `bootstrap_mean`; of a single such
    case nothing can be said, and the interval is nan.
    """
    data = np.asarray(values, dtype=np.float64)
    if np.isin(data, (0.0, 1.0)).all():
        return proportion(int(data.sum()), data.size, confidence=confidence)
    if ((data >= 0) & (data <= 1)).all():
        return bounded_mean(data, confidence=confidence)
    if data.size < 2:
        return Interval(float(data[0]), math.nan, math.nan, confidence)
    return bootstrap_mean(data, confidence=confidence, seed=seed)


def bounded_mean(values: Sequence[float] | Values, *, confidence: float = 0.95) -> Interval:
    """The mean of scores between 0 and 1, such as F1: a t interval with one case added, half 0 and half 1.

    The added case keeps a small slice where all went well from being taken for certainty: of 10 scores near
    1, the bootstrap's interval holds the truth in 81 % of experiments. This one errs on the careful side
    there (98 % and more), and keeps to 95 % from about 60 cases on. After Agresti & Coull's interval.
    """
    data = np.asarray(values, dtype=np.float64)
    total = data.size + 1
    centre = (math.fsum(data) + 0.5) / total
    variance = (math.fsum(data**2) + 0.5) / total - centre**2
    reach = _t((1 + confidence) / 2, data.size) * math.sqrt(variance / total)
    estimate = mean(data)
    low, high = max(0.0, centre - reach), min(1.0, centre + reach)
    return Interval(estimate, min(low, estimate), max(high, estimate), confidence)


# tests


def sign_test(wins: int, losses: int) -> float:
    """The two-sided exact p-value of `wins` against `losses` when each is as likely; ties do not count.

    For cases that were fixed and broken it is McNemar's exact test.

    >>> round(sign_test(9, 1), 6)
    0.021484
    """
    return float(min(1.0, 2 * special.bdtr(min(wins, losses), wins + losses, 0.5)))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for looking at all of them (Holm): compare each with the usual limit.

    Written out, because statsmodels collects garbage in each call, which takes longer than all the rest.

    >>> [round(p, 2) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    steps = np.asarray(p_values)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted.tolist()


# planning


def minimum_detectable_effect(
    cases: int, deviation: float, *, power: float = 0.8, significance: float = 0.05
) -> float:
    """The smallest true change that a comparison of `cases` cases finds with probability `power`.

    `deviation` is the standard deviation of the differences, case by case. For pass rates it is about
    the root of the share of cases that change.
    """
    return (_z(1 - significance / 2) + _z(power)) * deviation / math.sqrt(cases)


def cases_needed(effect: float, deviation: float, *, power: float = 0.8, significance: float = 0.05) -> int:
    """The number of cases that find a true change of `effect`; `deviation` as above."""
    return math.ceil(((_z(1 - significance / 2) + _z(power)) * deviation / effect) ** 2)

"""Lesson 14: right answers in foreign styles pass, wrong ones get the sentence that fits."""

from __future__ import annotations

import hashlib
import itertools
import math
import random
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from answering import Answer, is_told, passes
from scipy import stats

from aicourse.notebook.exercises import check

# 14.1


def from_bytes(seller: str, experiment: str, salt: str) -> str:
    digest = hashlib.sha256(":".join([salt, experiment, seller]).encode("utf-8")).digest()
    return "v5" if digest[0] >= 128 else "v4"


def by_first_digit(seller: str, experiment: str, salt: str) -> str:
    h = hashlib.sha256()
    h.update(bytes(salt + ":" + experiment + ":" + seller, "utf8"))
    return "v4" if h.hexdigest() < "8" else "v5"


def by_whole_number(seller: str, experiment: str, salt: str) -> str:
    text = "{}:{}:{}".format(salt, experiment, seller)  # noqa: UP032
    whole = int.from_bytes(hashlib.new("sha256", text.encode()).digest(), "big")
    return ["v4", "v5"][whole >> 255]


def by_shift(seller: str, experiment: str, salt: str) -> str:
    number = int(hashlib.sha256(f"{salt}:{experiment}:{seller}".encode()).hexdigest(), 16) >> (256 - 52)
    return "v4" if number * 2 < 2**52 else "v5"


def by_loop(seller: str, experiment: str, salt: str) -> Any:
    place, share = 0.0, 1.0
    for digit in hashlib.sha256("%s:%s:%s".__mod__((salt, experiment, seller)).encode()).hexdigest()[:13]:
        share /= 16
        place += int(digit, 16) * share
    return np.array(["v4", "v5"])[int(place >= 0.5)]


@pytest.mark.parametrize("answer", [from_bytes, by_first_digit, by_whole_number, by_shift, by_loop])
def test_an_assignment_is_taken_in_any_style(answer: Answer) -> None:
    passes("14.1", answer)


def of_the_seller(seller: str, experiment: str, salt: str) -> str:
    return "v4" if hashlib.sha256(seller.encode()).digest()[0] < 128 else "v5"


def same_in_all(seller: str, experiment: str, salt: str) -> str:
    return "v4" if hashlib.sha256(f"{salt}:{seller}".encode()).digest()[0] < 128 else "v5"


def reversed_text(seller: str, experiment: str, salt: str) -> str:
    return "v4" if hashlib.sha256(f"{seller}:{experiment}:{salt}".encode()).digest()[0] < 128 else "v5"


def upside_down(seller: str, experiment: str, salt: str) -> str:
    return "v5" if from_bytes(seller, experiment, salt) == "v4" else "v4"


def by_chance(seller: str, experiment: str, salt: str) -> str:
    return random.choice(["v4", "v5"])


def in_capitals(seller: str, experiment: str, salt: str) -> str:
    return from_bytes(seller, experiment, salt).upper()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (of_the_seller, "Only the seller is in your text"),
        (same_in_all, "The experiment is not in your text"),
        (reversed_text, "The order is salt, experiment, seller"),
        (upside_down, "turned round"),
        (by_chance, "sellers changed their variant"),
        (in_capitals, "neither 'v4' nor 'v5'"),
    ],
)
def test_an_assignment_that_errs_is_told_why(answer: Answer, sentence: str) -> None:
    is_told("14.1", answer, sentence)


# 14.2

Pairs = Any


def by_pandas(control: Pairs, new: Pairs) -> Any:
    found = []
    for variant in (control, new):
        table = pd.DataFrame(variant, columns=["seconds", "forms"])
        table["adds"] = (
            table.seconds - table.seconds.sum() / table.forms.sum() * table.forms
        ) / table.forms.mean()
        found.append((table.seconds.sum() / table.forms.sum(), float(stats.sem(table.adds))))
    gap = found[1][0] - found[0][0]
    reach = stats.norm.ppf(0.975) * math.hypot(found[0][1], found[1][1])
    return gap - reach, gap + reach


def by_bootstrap(control: Pairs, new: Pairs) -> Any:
    stream, means = np.random.default_rng(1), []
    for variant in (control, new):
        data = np.array(variant)
        drawn = data[stream.integers(len(data), size=(4_000, len(data)))].sum(axis=1)
        means.append(drawn[:, 0] / drawn[:, 1])
    return np.quantile(means[1] - means[0], [0.025, 0.975])


def by_plain_bootstrap(control: Pairs, new: Pairs) -> Any:
    chance = random.Random(3)

    def drawn(variant: Pairs) -> Any:
        some = chance.choices(variant, k=len(variant))
        return sum(one for one, _ in some) / sum(count for _, count in some)

    gaps = sorted(drawn(new) - drawn(control) for _ in range(3_000))
    return [gaps[75], gaps[-76]]


def by_covariance(control: Pairs, new: Pairs) -> Any:
    """The textbook form of the delta method, with a covariance."""
    centre, square = [], 0.0
    for variant in (control, new):
        (one, between), (_, other) = np.cov(np.transpose(variant))
        seconds, forms = np.mean(variant, axis=0)
        centre.append(seconds / forms)
        square += (one / forms**2 - 2 * seconds * between / forms**3 + seconds**2 * other / forms**4) / len(
            variant
        )
    return np.diff(centre)[0] - 1.96 * square**0.5, np.diff(centre)[0] + 1.96 * square**0.5


def by_clusters(control: Pairs, new: Pairs) -> Any:
    """A regression of the ratio with the sellers' own numbers of forms as weights, robust errors."""
    table = pd.DataFrame([*control, *new], columns=["seconds", "forms"])
    is_new = np.repeat([0.0, 1.0], [len(control), len(new)])
    fitted = sm.WLS(table.seconds / table.forms, sm.add_constant(is_new), weights=table.forms).fit(
        cov_type="HC1"
    )
    low, high = np.asarray(fitted.conf_int())[1]
    return float(low), float(high)


@pytest.mark.parametrize("answer", [by_pandas, by_bootstrap, by_plain_bootstrap, by_covariance, by_clusters])
def test_an_interval_is_taken_in_any_style(answer: Answer) -> None:
    passes("14.2", answer)


def ends(control: Pairs, new: Pairs, centre: Answer, error: Answer, critical: float = 1.96) -> Any:
    gap = centre(new) - centre(control)
    reach = critical * math.hypot(error(new), error(control))
    return gap - reach, gap + reach


def right_ratio(variant: Pairs) -> Any:
    return sum(one for one, _ in variant) / sum(count for _, count in variant)


def right_error(variant: Pairs) -> Any:
    adds = [one - right_ratio(variant) * count for one, count in variant]
    return statistics.stdev(adds) / statistics.fmean(count for _, count in variant) / len(variant) ** 0.5


def own(variant: Pairs) -> Any:
    return [one / count for one, count in variant]


def of_own_ratios(control: Pairs, new: Pairs) -> Any:
    return ends(
        control,
        new,
        lambda one: statistics.fmean(own(one)),
        lambda one: statistics.stdev(own(one)) / len(one) ** 0.5,
    )


def of_forms(control: Pairs, new: Pairs) -> Any:
    def error(variant: Pairs) -> Any:
        each = list(itertools.chain.from_iterable([one / count] * count for one, count in variant))
        return statistics.stdev(each) / len(each) ** 0.5

    return ends(control, new, right_ratio, error)


def of_seconds_alone(control: Pairs, new: Pairs) -> Any:
    def error(variant: Pairs) -> Any:
        forms = statistics.fmean(count for _, count in variant)
        return statistics.stdev(one for one, _ in variant) / forms / len(variant) ** 0.5

    return ends(control, new, right_ratio, error)


def less_new(control: Pairs, new: Pairs) -> Any:
    return by_pandas(new, control)


def of_mixed_parts(control: Pairs, new: Pairs) -> Any:
    return ends(control, new, right_ratio, lambda one: statistics.stdev(own(one)) / len(one) ** 0.5)


def of_control_alone(control: Pairs, new: Pairs) -> Any:
    return ends(control, new, right_ratio, lambda one: right_error(one) if one is control else 0.0)


def ninety(control: Pairs, new: Pairs) -> Any:
    return ends(control, new, right_ratio, right_error, stats.norm.ppf(0.95))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (of_own_ratios, "You average the sellers' own ratios"),
        (of_forms, "the number of cases is that of sellers"),
        (of_seconds_alone, "You take the forms for fixed"),
        (less_new, "The difference is new less control"),
        (ninety, "That is a 90 % interval"),
        (of_mixed_parts, "its error is that of the sellers' own ratios"),
        (lambda control, new: right_ratio(new) - right_ratio(control), "Return two numbers"),
    ],
)
def test_an_interval_that_errs_is_told_why(answer: Answer, sentence: str) -> None:
    is_told("14.2", answer, sentence)


def test_an_error_of_one_variant_is_not_called_another_mistake() -> None:
    assert "Hint" not in repr(check("14.2", of_control_alone))


# 14.3

Numbers = Any


def by_scipy(counts: Numbers, weights: Numbers) -> Any:
    total = sum(counts)
    return stats.chisquare(counts, [total * one / math.fsum(weights) for one in weights]).pvalue


def by_numpy(counts: Numbers, weights: Numbers) -> Any:
    seen, share = np.array(counts), np.array(weights) / np.sum(weights)
    return 1 - stats.chi2.cdf(((seen - seen.sum() * share) ** 2 / (seen.sum() * share)).sum(), seen.size - 1)


def by_survival(counts: Numbers, weights: Numbers) -> Any:
    expected = pd.Series(weights, dtype=float) / sum(weights) * sum(counts)
    distance = ((expected - counts).pow(2) / expected).sum()
    return stats.chi2(df=len(weights) - 1).sf(distance)


def by_power(counts: Numbers, weights: Numbers) -> Any:
    expected = np.multiply(weights, sum(counts)) / sum(weights)
    return stats.power_divergence(counts, expected, lambda_="pearson")[1]


def by_gamma(counts: Numbers, weights: Numbers) -> Any:
    from scipy.special import gammaincc

    total, whole, distance = sum(counts), sum(weights), 0.0
    for count, weight in zip(counts, weights, strict=True):
        distance += (count * whole - total * weight) ** 2 / (total * weight * whole)
    return float(gammaincc((len(counts) - 1) / 2, distance / 2))


@pytest.mark.parametrize("answer", [by_scipy, by_numpy, by_survival, by_power, by_gamma])
def test_a_ratio_test_is_taken_in_any_style(answer: Answer) -> None:
    passes("14.3", answer)


def test_the_reference_gives_the_published_p_values() -> None:
    found = [by_scipy(counts, [1, 1]) for counts in ([600, 400], [821_588, 815_482])]
    assert found == [pytest.approx(2.54e-10, rel=0.01), pytest.approx(1.8e-6, rel=0.02)]


def for_equal(counts: Numbers, weights: Numbers) -> Any:
    return stats.chisquare(counts).pvalue


def without_their_sum(counts: Numbers, weights: Numbers) -> Any:
    distance = sum(
        (one - sum(counts) * w) ** 2 / (sum(counts) * w) for one, w in zip(counts, weights, strict=True)
    )
    return stats.chi2.sf(distance, len(counts) - 1)


def with_shares(counts: Numbers, weights: Numbers) -> Any:
    return by_scipy([one / sum(counts) for one in counts], weights)


def below(counts: Numbers, weights: Numbers) -> Any:
    return 1 - by_scipy(counts, weights)


def all_degrees(counts: Numbers, weights: Numbers) -> Any:
    expected = np.multiply(weights, sum(counts)) / sum(weights)
    return stats.chi2.sf(stats.chisquare(counts, expected).statistic, len(counts))


def verdict(counts: Numbers, weights: Numbers) -> bool:
    return bool(by_scipy(counts, weights) < 0.001)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (for_equal, "You expect equal counts"),
        (without_their_sum, "Weights need not add up to 1"),
        (with_shares, "Chi-square is of counts"),
        (below, "the other tail"),
        (all_degrees, "one degree of freedom is gone"),
        (verdict, "That is a verdict"),
        (lambda counts, weights: stats.chisquare(counts), "Return one number"),
    ],
)
def test_a_ratio_test_that_errs_is_told_why(answer: Answer, sentence: str) -> None:
    is_told("14.3", answer, sentence)


# 14.4

Ends = tuple[float, float]


def by_matching(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> str:
    match (p_value < 0.001, guardrail[1] + tolerance < 0 or max(gain) < 0, complete):
        case (True, _, _):
            return "hold"
        case (_, True, _):
            return "do not ship"
        case (_, _, False):
            return "go on"
    return "ship" if min(gain) > 0 and min(guardrail) + tolerance > 0 else "do not ship"


def by_one_expression(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> str:
    bad, safe = guardrail[1] < -tolerance or gain[1] < 0, guardrail[0] > -tolerance and gain[0] > 0
    return (
        "hold"
        if p_value < 1e-3
        else "do not ship"
        if bad
        else ("ship" if safe else "do not ship")
        if complete
        else "go on"
    )


def by_table(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> str:
    rules = [
        (p_value < 0.001, "hold"),
        (guardrail[1] < -tolerance, "do not ship"),
        (gain[1] < 0, "do not ship"),
        (not complete, "go on"),
        (gain[0] > 0 and guardrail[0] > -tolerance, "ship"),
        (True, "do not ship"),
    ]
    return next(said for fits, said in rules if fits)


def by_steps(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> str:
    (low, high), (worst, best) = gain, guardrail
    said = "do not ship"
    if complete and low > 0 and worst > -tolerance:
        said = "ship"
    if not complete:
        said = "go on"
    if high < 0 or best < -tolerance:
        said = "do not ship"
    if p_value < 0.001:
        said = "hold"
    return said


def by_arrays(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> Any:
    wholly_below = bool((np.array(gain) < 0).all() or (np.array(guardrail) < -tolerance).all())
    wholly_above = bool((np.array(gain) > 0).all() and (np.array(guardrail) > -tolerance).all())
    conditions = [p_value < 0.001, wholly_below, not complete, wholly_above]
    return str(np.select(conditions, ["hold", "do not ship", "go on", "ship"], "do not ship"))


@pytest.mark.parametrize("answer", [by_matching, by_one_expression, by_table, by_steps, by_arrays])
def test_a_decision_is_taken_in_any_style(answer: Answer) -> None:
    passes("14.4", answer)


def at_five_per_cent(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> str:
    return "hold" if p_value < 0.05 else by_table(gain, guardrail, tolerance, 1, complete)


def early(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> str:
    return by_table(gain, guardrail, tolerance, p_value, True)


def with_a_blind_eye(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> str:
    return by_table(gain, guardrail, tolerance, 1, complete)


def gain_alone(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> str:
    return by_table(gain, (guardrail[1], guardrail[1]), tolerance, p_value, complete)


def no_loss_at_all(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> str:
    return by_table(gain, guardrail, 0, p_value, complete)


def until_it_works(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> str:
    said = by_table(gain, guardrail, tolerance, p_value, complete)
    return "go on" if said == "do not ship" and gain[0] < 0 < gain[1] and guardrail[1] > -tolerance else said


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (at_five_per_cent, "its threshold is strict"),
        (early, "a gain seen early may be luck"),
        (with_a_blind_eye, "A mismatch was read over"),
        (gain_alone, "At the end the guardrail must be safe"),
        (no_loss_at_all, "Your rule has no tolerance"),
        (until_it_works, "looks until luck helps"),
    ],
)
def test_a_decision_that_errs_is_told_why(answer: Answer, sentence: str) -> None:
    is_told("14.4", answer, sentence)


def ruled(
    *,
    mismatch: Callable[[float], bool] = lambda p_value: p_value < 0.001,
    harm: Callable[[Ends, Ends, float], bool] = lambda gain, guard, loss: guard[1] < -loss or gain[1] < 0,
    good: Callable[[Ends, Ends, float], bool] = lambda gain, guard, loss: gain[0] > 0 and guard[0] > -loss,
) -> Answer:
    def decide(gain: Ends, guardrail: Ends, tolerance: float, p_value: float, complete: bool) -> str:
        if mismatch(p_value):
            return "hold"
        if harm(gain, guardrail, tolerance):
            return "do not ship"
        if not complete:
            return "go on"
        return "ship" if good(gain, guardrail, tolerance) else "do not ship"

    return decide


LIMIT = "takes what is equal to a limit"


@pytest.mark.parametrize(
    "answer",
    [
        ruled(mismatch=lambda p_value: p_value <= 0.001),
        ruled(harm=lambda gain, guard, loss: guard[1] <= -loss or gain[1] < 0),
        ruled(harm=lambda gain, guard, loss: guard[1] < -loss or gain[1] <= 0),
        ruled(good=lambda gain, guard, loss: gain[0] >= 0 and guard[0] > -loss),
        ruled(good=lambda gain, guard, loss: gain[0] > 0 and guard[0] >= -loss),
    ],
)
def test_a_limit_that_is_met_is_neither_above_nor_below(answer: Answer) -> None:
    is_told("14.4", answer, f"✗ missing     {LIMIT}")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (ruled(harm=lambda gain, guard, loss: guard[1] < -loss), "is wholly below 0 ends the experiment"),
        (ruled(harm=lambda gain, guard, loss: guard[1] < -loss or gain[1] < -loss), "the guardrail's alone"),
        (ruled(good=lambda gain, guard, loss: guard[0] > -loss), "the gain has no say"),
        (ruled(good=lambda gain, guard, loss: gain[1] > 0 and guard[0] > -loss), "its good end alone"),
    ],
)
def test_a_rule_for_the_gain_that_errs_is_told_why(answer: Answer, sentence: str) -> None:
    is_told("14.4", answer, sentence)


def test_a_threshold_that_is_too_strict_is_not_called_a_late_look() -> None:
    result = repr(check("14.4", ruled(mismatch=lambda p_value: p_value < 0.0001)))
    assert "✗ missing     holds at a sample-ratio mismatch" in result
    assert "comes too late" not in result

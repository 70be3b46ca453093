"""Rates at which the gate errs and what it costs in cases: enumeration, simulation, docs/gate.md's tables.

    python tests/evals/gate_rates.py            # writes the tables of docs/gate.md anew, about five minutes

Pass or fail, before and after: of n cases b gain and c lose. For each b the losses that still pass are found
with an implementation of the p-value apart from the package's; the probability of passing is then a sum over
all b, taken for a candidate that loses exactly the tolerance, at each share of gains, and the worst counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats

from aicourse.evals.noninferiority import can_rule_out, cases_needed

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

TOLERANCES = (0.01, 0.02, 0.03, 0.05, 0.10)
BANDS = ((20, 49), (50, 99), (100, 199), (200, 499), (500, 1000))
CHANGING = ((0.0, 0.0), (0.02, 0.02), (0.05, 0.05), (0.10, 0.10))  # shares of gains and of losses
DOCUMENT = Path(__file__).parents[2] / "docs" / "gate.md"
MARKS = "<!-- tables: python tests/evals/gate_rates.py -->", "<!-- end of tables -->"


def p_values(gains: Places, losses: Places, cases: int, tolerance: float) -> Numbers:
    """The p-values of many outcomes, by the characteristic function of the weighted sum."""
    values = np.array([1 + tolerance, tolerance - 1, tolerance])[:, None]
    counts = np.stack([gains, losses + 1, cases - gains - losses])
    values = values / np.sqrt((counts * values**2).sum(axis=0))
    logs = np.arange(-8.0, 6.0, 0.05)
    points = np.exp(logs)[:, None]
    angle = sum(count * np.arctan(points * value) for value, count in zip(values, counts, strict=True))
    size = sum(count * np.log1p((points * value) ** 2) for value, count in zip(values, counts, strict=True))
    waves = np.sin(angle) * np.exp(-np.asarray(size) / 2)
    return np.asarray(0.5 - (0.05 * (waves.sum(axis=0) - waves[0] / 2) + waves[0]) / math.pi)


def frontier(cases: int, tolerance: float, start: Places | None = None) -> Places:
    """The most losses that pass, for each number of gains; -1 where not even none does."""
    gains = np.arange(cases + 1)
    most = np.full(cases + 1, -1) if start is None else np.append(start, start[-1])
    most = np.minimum(most, cases - gains)
    moving = np.ones(cases + 1, dtype=bool)
    while moving.any():  # up while one loss more passes
        moving &= most < cases - gains
        where = np.flatnonzero(moving)
        moving[where] = p_values(gains[where], most[where] + 1, cases, tolerance) <= 0.025
        most[moving] += 1
    moving = most >= 0
    while moving.any():  # and down while it does not
        where = np.flatnonzero(moving)
        moving[where] = p_values(gains[where], most[where], cases, tolerance) > 0.025
        most[moving] -= 1
        moving &= most >= 0
    return most


def pass_rate(most: Places, gain: float, loss: float) -> float:
    """The probability of passing at these true shares, summed over every outcome."""
    cases = len(most) - 1
    gains = np.arange(cases + 1)
    share = min(1.0, loss / (1 - gain))
    return float((stats.binom.pmf(gains, cases, gain) * stats.binom.cdf(most, cases - gains, share)).sum())


def false_pass_rate(most: Places, tolerance: float) -> tuple[float, float]:
    """The worst probability that a loss of the tolerance passes, and the share of gains where it does."""
    shares = [0.0, *np.geomspace(1e-3, (1 - tolerance) / 2, 24)]
    return max((pass_rate(most, gain, gain + tolerance), gain) for gain in shares)


def frontiers(tolerance: float, largest: int = 1000) -> Iterator[tuple[int, Places]]:
    """The frontier of each number of cases from 20 on, each found from the one before."""
    most: Places | None = None
    for cases in range(20, largest + 1):
        most = frontier(cases, tolerance, most)
        yield cases, most


SCORES: dict[str, dict[float, float]] = {
    "F1 in thirds": {-2 / 3: 1, -1 / 3: 3, 0.0: 12, 1 / 3: 3, 2 / 3: 1},
    "mean of six fields": {-0.5: 1, -1 / 6: 6, 0.0: 20, 1 / 6: 6, 1 / 3: 1},
    "many small gains, rare total losses": {-1.0: 1, 0.02: 30},
    "no case as before": {-0.4: 10, -0.05: 10, 0.1: 10, 0.35: 10},
    "rare gains, common small losses": {-0.12: 30, 1.0: 1},
}


def losing(scores: dict[float, float], tolerance: float) -> tuple[Numbers, Numbers]:
    """Changes and their probabilities, with so much weight on the largest loss that the mean is -tolerance.

    Where the mean is lower than that already, weight goes to the largest gain.
    """
    values, weights = np.array(list(scores)), np.array(list(scores.values()), dtype=float)
    weights /= weights.sum()
    mean = float(values @ weights)
    end = values.min() if mean > -tolerance else values.max()
    share = (-tolerance - mean) / (end - mean)
    weights = (1 - share) * weights + share * (values == end)
    return values, weights


def simulated_rate(scores: dict[float, float], tolerance: float, cases: int, times: int) -> float:
    """How often such a score passes though it loses the tolerance."""
    values, weights = losing(scores, tolerance)
    drawn = np.random.RandomState(cases).multinomial(cases, weights, size=times)
    outcomes, counts = np.unique(drawn, axis=0, return_counts=True)
    passed = [can_rule_out(np.repeat(values, outcome), tolerance) for outcome in outcomes]
    return float(np.average(passed, weights=counts))


def tables() -> Iterator[str]:
    """The tables of docs/gate.md, line by line."""
    worst: dict[float, dict[tuple[int, int], tuple[float, int, float]]] = {}
    costs: dict[float, list[str]] = {}
    for tolerance in TOLERANCES:
        found: dict[tuple[int, int], tuple[float, int, float]] = {}
        reached: dict[tuple[float, float], int] = {}
        for cases, most in frontiers(tolerance):
            rate, gain = false_pass_rate(most, tolerance)
            band = next(band for band in BANDS if band[0] <= cases <= band[1])
            found[band] = max(found.get(band, (0.0, 0, 0.0)), (rate, cases, gain))
            for shares in CHANGING:
                if shares not in reached and pass_rate(most, *shares) >= 0.8:
                    reached[shares] = cases
        worst[tolerance] = found
        first = str(cases_needed(tolerance))
        costs[tolerance] = [first, *(str(reached.get(shares, "> 1000")) for shares in CHANGING[1:])]
    yield "**Worst rate at which a candidate passes that loses exactly the tolerance**, pass or fail scores:"
    yield "in per cent, of all n in the row and all shares of gains; in brackets that n and share.\n"
    yield "| cases | " + " | ".join(f"tolerance {tolerance:.2f}" for tolerance in TOLERANCES) + " |"
    yield "|---|" + "---|" * len(TOLERANCES)
    for low, high in BANDS:
        cells = [worst[tolerance][low, high] for tolerance in TOLERANCES]
        told = [f"{100 * rate:.2f} ({cases}, {gain:.3f})" for rate, cases, gain in cells]
        yield f"| {low} to {high} | " + " | ".join(told) + " |"
    yield "\n**Cases that it takes to pass** in four of five evaluations, if as many cases gain as lose (n up"
    yield "to 1,000; in the first column nothing changes at all, and the gate passes always).\n"
    yield "| tolerance | nothing changes | 2 % gain, 2 % lose | 5 % and 5 % | 10 % and 10 % |"
    yield "|---|---|---|---|---|"
    for tolerance, cells in costs.items():
        yield f"| {tolerance:.2f} | " + " | ".join(cells) + " |"
    yield "\n**The first rate for other scores between 0 and 1**, simulated (4,000 evaluations; per cent).\n"
    sizes = (40, 80, 200)
    yield "| changes | " + " | ".join(f"{t:.2f}, {n} cases" for t in (0.05, 0.10) for n in sizes) + " |"
    yield "|---|" + "---|" * 6
    for name, scores in SCORES.items():
        rates = [simulated_rate(scores, t, n, 4_000) for t in (0.05, 0.10) for n in sizes]
        yield f"| {name} | " + " | ".join(f"{100 * rate:.2f}" for rate in rates) + " |"


if __name__ == "__main__":
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(MARKS[0])
    written = "\n".join([MARKS[0], "", *tables(), "", MARKS[1]])
    DOCUMENT.write_text(before + written + rest.split(MARKS[1])[1], encoding="utf-8")

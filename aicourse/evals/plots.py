"""Plots for notebooks: scores per slice with intervals, quality beside cost and latency, changes per slice.

    plots.plot_slices([before, after], "brand.exact", title="Brand is as good, except for foreign words")

Give a title that states what you found; without one it says what is shown. Colours are those of Okabe and
Ito, which colour-blind readers can tell apart, and each series has a marker of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aicourse.evals.compare import Comparison, Option, pareto_front
from aicourse.evals.runs import Run
from aicourse.evals.slices import SliceMean, score_by_slice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"  # Okabe & Ito
_SERIES = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "D"), (PURPLE, "^"))
_ROW_INCHES, _FRAME_INCHES, _WIDE_INCHES = 0.34, 1.3, 7.5


def plot_slices(
    runs: Run | Sequence[Run],
    score: str,
    *,
    title: str | None = None,
    smallest: int = 5,
    axes: Axes | None = None,
) -> Axes:
    """The mean of a score in each slice, a dot with its 95 % interval; up to four runs side by side.

    Slices are in the order of the first run's means, with the number of cases; those below `smallest` cases
    are left out.

    Raises:
        EvaluationError: a run has no such number or assertion.
    """
    several = [runs] if isinstance(runs, Run) else list(runs)[: len(_SERIES)]
    means = [{one.slice: one for one in score_by_slice(run, score, smallest=smallest)} for run in several]
    names = list(means[0])
    drawn = axes or _axes(len(names))
    for number, (run, found) in enumerate(zip(several, means, strict=True)):
        shift = 0.22 * (number - (len(several) - 1) / 2)
        chosen = [(place, found[name]) for place, name in enumerate(names) if name in found]
        _whiskers(
            drawn, [one for _, one in chosen], [place + shift for place, _ in chosen], number, run.info.name
        )
    drawn.set_yticks(range(len(names)), [f"{name} ({means[0][name].cases})" for name in names])
    drawn.set(xlabel=f"mean of {score}, 95 % interval", ylabel="slice (cases)")
    drawn.set_title(title or f"{score} per slice", loc="left")
    drawn.invert_yaxis()
    if len(several) > 1:
        drawn.legend(frameon=False, loc="best")
    return drawn


def _whiskers(drawn: Axes, means: list[SliceMean], places: list[float], series: int, label: str) -> None:
    colour, marker = _SERIES[series]
    estimates = np.array([one.mean.estimate for one in means])
    low = np.array([one.mean.low for one in means])
    high = np.array([one.mean.high for one in means])
    reach = np.nan_to_num(np.clip([estimates - low, high - estimates], 0, None))
    drawn.errorbar(estimates, places, xerr=reach, fmt=marker, color=colour, capsize=3, label=label)


def plot_changes(comparison: Comparison, *, title: str | None = None, axes: Axes | None = None) -> Axes:
    """What changed between two runs in each slice: a dot with its interval, and the line of no change.

    Filled dots are changes that the exact test shows (adjusted for the number of slices).
    """
    changes = [comparison.overall, *comparison.slices]
    drawn = axes or _axes(len(changes))
    drawn.axvline(0, color="0.5", linewidth=1)
    for place, change in enumerate(changes):
        effect = change.effect
        shown = change.adjusted_p < 1 - effect.confidence
        colour = VERMILION if effect.estimate < 0 else BLUE
        reach = [[effect.estimate - effect.low], [effect.high - effect.estimate]]
        fill = colour if shown else "none"
        drawn.errorbar(
            [effect.estimate], [place], xerr=reach, fmt="o", color=colour, markerfacecolor=fill, capsize=3
        )
    names = [f"{change.slice} ({change.better} better, {change.worse} worse)" for change in changes]
    drawn.set_yticks(range(len(changes)), names)
    drawn.set(xlabel=f"change of {comparison.score}, 95 % interval", ylabel="slice")
    drawn.set_title(title or f"{comparison.after} against {comparison.before}", loc="left")
    drawn.invert_yaxis()
    return drawn


def plot_pareto(options: Sequence[Option], *, title: str | None = None, quality: str = "quality") -> Figure:
    """Quality against cost and against latency; options that nothing beats in all three are filled.

    The line joins what nothing beats in its panel alone. An option of unknown price is in the right half
    only. Costs are in USD per 1,000 records.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(9, 3.8), layout="constrained")
    front = pareto_front(options)
    priced = [one for one in options if one.cost is not None]
    _options(left, priced, [1_000 * float(one.cost or 0) for one in priced], front)
    _options(right, options, [one.seconds for one in options], front)
    left.set(xlabel="USD per 1,000 records", ylabel=quality)
    right.set(xlabel="median latency in seconds", ylabel=quality)
    figure.suptitle(title or f"{quality}, cost and latency", x=0.01, ha="left")
    return figure


def _options(drawn: Axes, options: Sequence[Option], places: list[float], front: list[Option]) -> None:
    line = _rising(zip(places, (one.quality for one in options), strict=True))
    drawn.plot([x for x, _ in line], [y for _, y in line], color=BLUE, linewidth=1, alpha=0.6, zorder=1)
    for x, one in zip(places, options, strict=True):
        fill = BLUE if one in front else "none"
        drawn.plot([x], [one.quality], "o", color=BLUE if one in front else "0.4", markerfacecolor=fill)
        drawn.annotate(one.name, (x, one.quality), xytext=(6, 5), textcoords="offset points", fontsize=9)
    drawn.margins(x=0.25, y=0.2)


def _rising(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points that no other one beats in this panel: from left to right, each better than all before."""
    line: list[tuple[float, float]] = []
    for x, quality in sorted(points, key=lambda point: (point[0], -point[1])):
        if not line or quality > line[-1][1]:
            line.append((x, quality))
    return line


def _axes(rows: int) -> Any:
    import matplotlib.pyplot as plt

    size = (_WIDE_INCHES, _FRAME_INCHES + _ROW_INCHES * rows)
    return plt.subplots(figsize=size, layout="constrained")[1]

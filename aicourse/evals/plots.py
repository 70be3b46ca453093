"""Plots for notebooks: scores and changes per slice, with intervals.

    plot_slices([before, after], "brand.exact", title="Brand is as good, except for foreign words")

Give a title that states what you found; without one it says what is shown. Colours are those of Okabe and
Ito, which colour-blind readers can tell apart, and each series has a marker of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aicourse.evals.comparison import Comparison
from aicourse.evals.runs import Run
from aicourse.evals.slices import SliceMean, score_by_slice
from aicourse.html import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
            drawn,
            [one for _, one in chosen],
            [place + shift for place, _ in chosen],
            number,
            visible(run.info.name),
        )
    drawn.set_yticks(range(len(names)), [visible(f"{name} ({means[0][name].cases})") for name in names])
    drawn.set(xlabel=f"mean of {visible(score)}, 95 % interval", ylabel="slice (cases)")
    drawn.set_title(title or visible(f"{score} per slice"), loc="left")
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
    """The change of each slice between two runs: a dot with its interval, and the line of no change.

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
    names = [visible(f"{change.slice} ({change.better} better, {change.worse} worse)") for change in changes]
    drawn.set_yticks(range(len(changes)), names)
    drawn.set(xlabel=f"change of {visible(comparison.score)}, 95 % interval", ylabel="slice")
    drawn.set_title(title or visible(f"{comparison.after} against {comparison.before}"), loc="left")
    drawn.invert_yaxis()
    return drawn


def _axes(rows: int) -> Any:
    import matplotlib.pyplot as plt

    size = (_WIDE_INCHES, _FRAME_INCHES + _ROW_INCHES * rows)
    return plt.subplots(figsize=size, layout="constrained")[1]

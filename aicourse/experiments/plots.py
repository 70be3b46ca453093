"""Plots of experiments: the gain or loss on each metric, with intervals, in the colours of `evals.plots`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.evals.plots import BLUE, VERMILION
from aicourse.experiments.analysis import Analysis
from aicourse.experiments.experiment import Guardrail
from aicourse.html import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_effects(analysis: Analysis, *, title: str | None = None, axes: Axes | None = None) -> Axes:
    """The relative difference of each metric, a dot with its interval; a bar where a tolerance ends.

    Vermilion is for what is shown to be worse. The title is the decision, if none is given.
    """
    import matplotlib.pyplot as plt

    rows = len(analysis.effects)
    drawn = axes or plt.subplots(figsize=(7.5, 1.4 + 0.45 * rows), layout="constrained")[1]
    drawn.axvline(0, color="0.5", linewidth=1)
    for place, effect in enumerate(analysis.effects):
        low, middle, high = (100 * getattr(effect.relative, end) for end in ("low", "estimate", "high"))
        colour = VERMILION if effect.gain.high < 0 else BLUE
        reach = [[middle - low], [high - middle]]
        drawn.errorbar([middle], [place], xerr=reach, fmt="o", color=colour, capsize=3)
        if isinstance(effect.metric, Guardrail) and effect.control.mean:
            worst = 100 * effect.metric.tolerance / abs(effect.control.mean)
            worst = -worst if effect.metric.better == "higher" else worst
            drawn.plot([worst], [place], "|", markersize=18, color="0.2")
    names = [visible(f"{effect.metric.name}, {effect.variant}") for effect in analysis.effects]
    drawn.set_yticks(range(rows), names)
    drawn.set_ylim(rows - 0.5, -0.5)
    drawn.set(xlabel="difference from the control in %, with its interval (| ends a tolerance)")
    drawn.set_ylabel("metric, variant")
    drawn.set_title(title or str(analysis.decision), loc="left", wrap=True)
    return drawn

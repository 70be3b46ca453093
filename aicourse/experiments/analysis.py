"""The analysis of an experiment: its problems, the effect on each metric, and a decision.

    print(analyse(experiment, exposures, outcomes))

docs/experiments.md has the rules of the decision; `decide` goes through them in their order. To roll back
comes first, because it only takes people back to what they had.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from aicourse import html
from aicourse.errors import ExperimentError
from aicourse.evals.views import text_table
from aicourse.experiments.effects import Arm, Effect, arms, difference, totals
from aicourse.experiments.experiment import Experiment, Guardrail, Metric
from aicourse.experiments.log_check import Source, check_log
from aicourse.experiments.sequential import LEAST_PEOPLE, always_valid

Action = Literal["roll back", "hold", "next step", "ship", "do not ship", "go on"]
_HEADER = ("metric", "variant", "people", "control", "variant's", "difference", "relative", "finding")


@dataclass(frozen=True)
class Decision:
    """One of the six decisions, its reason, and the `share` from now on (0 after a roll-back)."""

    action: Action
    reason: str
    share: float

    def __str__(self) -> str:
        return html.visible(f"{self.action}: {self.reason}")


@dataclass(frozen=True)
class Analysis:
    """The state of an experiment; `people` are those who are compared: the triggered ones."""

    experiment: Experiment
    people: int
    problems: tuple[str, ...]
    effects: tuple[Effect, ...]
    decision: Decision

    @property
    def _told(self) -> list[str]:
        problems = () if self.decision.action == "hold" else self.problems  # else they are its reason
        return [*problems, str(self.decision)]

    def __str__(self) -> str:
        kind = "always valid" if self.experiment.stopping == "always valid" else "for one look"
        heading = html.visible(f"{self.experiment.name}: {self.people:,} people, intervals {kind}")
        table = text_table(_HEADER, map(_row, self.effects))
        return "\n".join([heading, "", table, "", *map(html.visible, self._told)])

    def _repr_html_(self) -> str:
        caption = " ".join(self._told)
        return str(html.table(caption, _HEADER, map(_row, self.effects), html.NOTEBOOK))


def _row(effect: Effect) -> tuple[str, ...]:
    people = f"{effect.control.people:,} and {effect.new.people:,}"
    means = (f"{effect.control.mean:.4g}", f"{effect.new.mean:.4g}")
    relative = effect.relative
    share = f"{relative.estimate:+.1%} ({relative.low:+.1%} to {relative.high:+.1%})"
    return (effect.metric.name, effect.variant, people, *means, str(effect.difference), share, effect.verdict)


def analyse(experiment: Experiment, exposures: Source, outcomes: Source, by: Sequence[str] = ()) -> Analysis:
    """The analysis of a log and of what its people did since their first exposure.

    Outcomes are a table, or a file of one, with a column `person` and those that the metrics name; who has no
    row did nothing: 0. `by` names columns of the log in which a sample-ratio mismatch is looked for, too.

    Raises:
        ExperimentError: a table lacks a column, or log and outcomes have no person in common.
    """
    checked = check_log(experiment, exposures, by)
    table = checked.people.loc[checked.people["triggered"], ["variant"]].join(totals(experiment, outcomes))
    if len(table) and table.drop(columns="variant").isna().all(axis=None):
        raise ExperimentError("Log and outcomes have no person in common. See that both use the same ids.")
    summed = [column for metric in experiment.metrics for column in metric.columns]
    effects = tuple(_effects(experiment, table.fillna(dict.fromkeys(summed, 0.0))))
    decision = decide(experiment, effects, checked.problems, len(table))
    return Analysis(experiment, len(table), checked.problems, effects, decision)


def _effects(experiment: Experiment, table: pd.DataFrame) -> Iterator[Effect]:
    """Each metric of each new variant; none where a variant has fewer than two people."""
    for metric in experiment.metrics if len(table) else ():
        found = {variant: arm for variant, arm in arms(metric, table).items() if arm.people > 1}
        for variant in experiment.new_variants:
            if variant in found and experiment.control in found:
                yield effect_of(experiment, metric, variant, found[experiment.control], found[variant])


def effect_of(experiment: Experiment, metric: Metric, variant: str, control: Arm, new: Arm) -> Effect:
    """The effect on one metric, with the intervals that the experiment's way of stopping asks for."""
    critical, level = None, experiment.significance
    if experiment.stopping == "always valid":
        critical = _always_valid(experiment, control, new, level)
    absolute = difference(control, new, critical=critical, significance=level)
    relative = difference(control, new, relative=True, critical=critical, significance=level)
    loss_shown = isinstance(metric, Guardrail) and _loss_shown(experiment, metric, control, new)
    return Effect(metric, variant, control, new, absolute, relative, loss_shown)


def _always_valid(
    experiment: Experiment, control: Arm, new: Arm, level: float, *, one_sided: bool = False
) -> float:
    """The critical value; infinite while one of both has so few people that its mean is not yet normal."""
    if min(control.people, new.people) < LEAST_PEOPLE:
        return math.inf
    people = control.people + new.people
    return always_valid(people, experiment.people, significance=level, one_sided=one_sided)


def _loss_shown(experiment: Experiment, guardrail: Guardrail, control: Arm, new: Arm) -> bool:
    """True if a loss beyond the tolerance is shown; over all looks and all guardrails wrongly in 5 %."""
    level = experiment.significance / len(experiment.guardrails)
    bound = difference(control, new, critical=_always_valid(experiment, control, new, level, one_sided=True))
    return (bound.high if guardrail.better == "higher" else -bound.low) < -guardrail.tolerance


def decide(
    experiment: Experiment, effects: Sequence[Effect], problems: Sequence[str], people: int
) -> Decision:
    """The decision by the rules of docs/experiments.md; `people` are those who are compared."""
    share, last, planned = experiment.share, experiment.ramp[-1], experiment.people
    primary = [effect for effect in effects if effect.metric == experiment.primary]
    always = experiment.stopping == "always valid"
    if harmful := [effect for effect in effects if effect.loss_shown]:
        return Decision("roll back", _told(harmful[0]), 0.0)
    if problems:
        return Decision("hold", " ".join(problems), share)
    if not share:
        return Decision("hold", "The experiment is stopped: its share is 0.", share)
    if always and primary and all(effect.verdict == "worse" for effect in primary):
        return Decision("do not ship", _told(primary[0]), share)
    if planned is None:
        return Decision("go on", "The experiment's file has no planned number of people yet.", share)
    due = math.ceil(planned * share / last)
    if share < last and people >= due:
        step = min(one for one in experiment.ramp if one > share)
        return Decision("next step", f"No harm shown to {people:,} people; the share may be {step:g}.", step)
    if share == last and (people >= due or always):
        return _final(primary, effects, share, complete=people >= due)
    return Decision("go on", f"{people:,} of {due:,} people for this step.", share)


def _final(primary: Sequence[Effect], effects: Sequence[Effect], share: float, *, complete: bool) -> Decision:
    """The decision at the last step of the ramp."""
    unsafe = {effect.variant: effect for effect in effects if not effect.is_safe}
    better = [effect for effect in primary if effect.verdict == "better"]
    better.sort(key=lambda effect: effect.gain.estimate, reverse=True)
    for effect in better:
        if effect.variant not in unsafe:
            return Decision("ship", _told(effect), share)
    if complete:
        return Decision("do not ship", _told(unsafe[better[0].variant] if better else primary[0]), share)
    return Decision("go on", "Nothing is shown yet.", share)


def _told(effect: Effect) -> str:
    return f"{effect.metric.name}, {effect.variant}: {effect.verdict}, {effect.difference}."

"""Experiments: variants dealt to people, exposures logged, metrics compared, a decision.

One journey, file by file: an *experiment* is a file (`experiment`); how many people it takes comes before it
starts (`power`). A hash deals each person a *variant* (`assignment`); who met it is logged as an *exposure*
(`exposures`), and the log is looked over for a *sample-ratio mismatch* (`log_check`). Outcomes per person
make *effects* with intervals (`effects`), which may be looked at once, or as often as one likes
(`sequential`); all of it is an *analysis* with a decision (`analysis`), to be drawn (`plots`).
docs/experiments.md has the sources.

    from aicourse.experiments import analyse, assign, log_exposure, read_experiment
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.experiments.analysis import Analysis as Analysis
    from aicourse.experiments.analysis import analyse as analyse
    from aicourse.experiments.assignment import assign as assign
    from aicourse.experiments.effects import Arm as Arm
    from aicourse.experiments.effects import Effect as Effect
    from aicourse.experiments.effects import aa_rates as aa_rates
    from aicourse.experiments.effects import difference as difference
    from aicourse.experiments.experiment import Experiment as Experiment
    from aicourse.experiments.experiment import Guardrail as Guardrail
    from aicourse.experiments.experiment import Metric as Metric
    from aicourse.experiments.experiment import read_experiment as read_experiment
    from aicourse.experiments.exposures import log_exposure as log_exposure
    from aicourse.experiments.log_check import LogCheck as LogCheck
    from aicourse.experiments.log_check import check_log as check_log
    from aicourse.experiments.plots import plot_effects as plot_effects
    from aicourse.experiments.power import plan as plan
    from aicourse.experiments.sequential import always_valid as always_valid
    from aicourse.experiments.sequential import group_sequential as group_sequential
    from aicourse.experiments.sequential import peeking as peeking

_NAMES = {
    "analysis": ("Analysis", "analyse"),
    "assignment": ("assign",),
    "effects": ("Arm", "Effect", "aa_rates", "difference"),
    "experiment": ("Experiment", "Guardrail", "Metric", "read_experiment"),
    "exposures": ("log_exposure",),
    "log_check": ("LogCheck", "check_log"),
    "plots": ("plot_effects",),
    "power": ("plan",),
    "sequential": ("always_valid", "group_sequential", "peeking"),
}
_HOME = {name: f"aicourse.experiments.{module}" for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)
__getattr__, __dir__ = lazily(__name__, _HOME)

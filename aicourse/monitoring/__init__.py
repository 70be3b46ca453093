"""Monitoring: what the product does to real users, watched, asked and corrected.

*Drift* of a mix is told from chance (`drift`); control *charts* tell when a rate leaves what is normal
(`charts`).

    from aicourse.monitoring import Cusum, compare_mix, run_length

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.monitoring.charts import Cusum as Cusum
    from aicourse.monitoring.charts import Ewma as Ewma
    from aicourse.monitoring.charts import Threshold as Threshold
    from aicourse.monitoring.charts import run_length as run_length
    from aicourse.monitoring.drift import compare_mix as compare_mix
    from aicourse.monitoring.drift import false_alarms as false_alarms
    from aicourse.monitoring.drift import psi as psi
    from aicourse.monitoring.drift import psi_limit as psi_limit
    from aicourse.monitoring.drift import same_distribution as same_distribution
    from aicourse.monitoring.drift import same_mix as same_mix

_NAMES = {
    "charts": ("Cusum", "Ewma", "Threshold", "run_length"),
    "drift": ("compare_mix", "false_alarms", "psi", "psi_limit", "same_distribution", "same_mix"),
}
_HOME = {name: f"aicourse.monitoring.{module}" for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)
__getattr__, __dir__ = lazily(__name__, _HOME)

"""Exposures: who met which variant, logged at that moment.

    {"time": "2026-11-02T09:12:44.120+00:00", "experiment": "colours-first", "person": "s17", "variant": "v7",
     "triggered": true, "client": "2.1"}

An exposure is *triggered* when the variants differ for this person: what both propose is worked out in every
variant alike, and `triggered` says if it is different. People for whom nothing changes only dilute an effect;
to leave them out of one variant alone would make the variants different kinds of people.

A product imports this module and `assignment`, which load no tables and no statistics; `log_check` reads the
log and says if it is sound.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from aicourse import json_text
from aicourse.errors import ExperimentError
from aicourse.experiments.experiment import Experiment


def log_exposure(
    path: Path | str,
    experiment: Experiment,
    person: str,
    variant: str,
    *,
    triggered: bool = True,
    **columns: str | float | None,
) -> None:
    """Append one exposure to a log, with further columns such as the client's version.

    Raises:
        ExperimentError: the experiment has no such variant; do not log who takes no part (None).
    """
    check_variants(experiment, [variant])
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    met = {"experiment": experiment.name, "person": person, "variant": variant, "triggered": triggered}
    with open(path, "ab") as file:  # written at once when it closes: lines of several processes do not mix
        file.write(json_text.dumps({"time": time, **met, **columns}) + b"\n")


def check_variants(experiment: Experiment, variants: Iterable[str]) -> None:
    """Refuse a variant that the experiment does not have.

    Raises:
        ExperimentError: it names the variant.
    """
    if unknown := [one for one in variants if one not in experiment.variants]:
        known = ", ".join(experiment.variants)
        raise ExperimentError(f"A variant {unknown[0]!r} was met; the experiment has: {known}.")

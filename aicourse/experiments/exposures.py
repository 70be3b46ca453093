"""Exposures: who met which variant, logged at that moment, and if the log is sound.

    {"time": "2026-11-02T09:12:44.120+00:00", "experiment": "colours-first", "person": "s17", "variant": "v7",
     "triggered": true, "client": "2.1"}

An exposure is *triggered* when the variants differ for this person: what both propose is worked out in every
variant alike, and `triggered` says if it is different. People for whom nothing changes only dilute an effect;
to leave them out of one variant alone would make the variants different kinds of people.

A *sample-ratio mismatch* means that the counts do not fit the weights: some people were lost, so those who
are left cannot be compared (Fabijan et al. 2019). The test is Pearson's chi-square.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from scipy import stats

from aicourse import json_text
from aicourse.errors import ExperimentError
from aicourse.evals.statistics import holm
from aicourse.evals.views import text_table
from aicourse.experiments.experiment import Experiment
from aicourse.html import visible
from aicourse.suggestions import similar_file

Source = Path | str | pd.DataFrame

_LEAST_EXPECTED = 5  # people of a variant, below which chi-square is no good


def log_exposure(
    path: Path | str,
    experiment: Experiment,
    person: str,
    variant: str,
    *,
    triggered: bool = True,
    **columns: str | float | None,
) -> None:
    """Append one exposure to a log, with further columns such as the client's version."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    met = {"experiment": experiment.name, "person": person, "variant": variant, "triggered": triggered}
    with open(path, "ab", buffering=0) as file:  # one write: lines of several processes do not mix
        file.write(json_text.dumps({"time": time, **met, **columns}) + b"\n")


def read_table(source: Source) -> pd.DataFrame:
    """A table with a column `person`: as it is, or of a file of JSON Lines, or CSV if its name ends so.

    Raises:
        ExperimentError: the file cannot be read, or has no such column; the message says where.
    """
    if isinstance(source, pd.DataFrame):
        return source
    path, line = Path(source), 0
    try:
        if path.suffix == ".csv":
            table = pd.read_csv(path, dtype={"person": str})
        else:
            rows = []
            with open(path, encoding="utf-8") as file:
                for line, text in enumerate(file, start=1):  # noqa: B007 (the message needs the last one)
                    rows.append(dict(json.loads(text)))
            table = pd.DataFrame(rows)
        if not table["person"].isna().any():
            return table.assign(person=table["person"].astype(str))  # 17 and "17" are one person
        reason = f"{path}: a row has no person. Correct it."
    except OSError as error:
        reason = f"No file {path} ({error.strerror}).{similar_file(path)} Check the path."
    except KeyError:
        reason = f"{path} has no column 'person'. Add it."
    except (ValueError, TypeError, RecursionError) as error:
        place = f", line {line}," if line else ""
        reason = f"{path}{place} cannot be read ({error}). Correct it, or delete half a line."
    raise ExperimentError(reason, path=path)


def read_exposures(source: Source, experiment: Experiment) -> pd.DataFrame:
    """The exposures of one experiment, from a log or a table of the same columns, earlier ones first.

    Raises:
        ExperimentError: there is none, a column is missing, or a variant is none of the experiment's.
    """
    log = read_table(source)
    if missing := {"person", "variant"} - {*log.columns}:
        raise ExperimentError(f"The exposures have no column {missing.pop()!r}. Log them with log_exposure.")
    if "experiment" in log:
        log = log[log["experiment"] == experiment.name]
    if log.empty:
        raise ExperimentError(
            f"No exposure of the experiment {experiment.name!r}. Check its name and the log."
        )
    log = log.astype({"variant": str})
    if unknown := {*log["variant"].unique()} - {*experiment.variants}:
        known = ", ".join(experiment.variants)
        raise ExperimentError(f"The log has a variant {unknown.pop()!r}; the experiment has: {known}.")
    if "triggered" not in log:
        log = log.assign(triggered=True)
    elif not log["triggered"].isin([True, False]).all():
        raise ExperimentError("`triggered` must be true or false in each exposure. Correct the log.")
    if "time" in log and not log["time"].is_monotonic_increasing:
        log = log.sort_values("time", kind="stable")
    return log.astype({"triggered": bool})


@dataclass(frozen=True)
class People:
    """The people of a log, by `person` in `table`, with the columns of their first exposure.

    `triggered` is true after one triggered exposure. `several` are those who met more than one variant: they
    belong to none, and are not in the table.
    """

    table: pd.DataFrame
    several: tuple[str, ...]

    @property
    def triggered(self) -> pd.DataFrame:
        """The people for whom the variants differ."""
        return self.table[self.table["triggered"]]


def people_exposed(exposures: pd.DataFrame) -> People:
    """The people in what `read_exposures` gives."""
    pairs = exposures.drop_duplicates(["person", "variant"])
    again = pairs["person"].duplicated(keep=False)
    table = pairs[~again].set_index("person")
    if len(pairs) < len(exposures) and not exposures["triggered"].all():
        table["triggered"] = table.index.isin(exposures.loc[exposures["triggered"], "person"])
    return People(table, tuple(pairs.loc[again, "person"].unique()))


@dataclass(frozen=True)
class SampleRatio:
    """The people of a group by variant, and the p-value of counts this far from the weights.

    `p_value` is nan for a group that is too small to tell.
    """

    group: str
    counts: dict[str, int]
    p_value: float

    @property
    def told(self) -> str:
        """The counts in words."""
        return " and ".join(f"{count:,} {variant}" for variant, count in self.counts.items())


def sample_ratios(experiment: Experiment, people: People, by: Sequence[str] = ()) -> list[SampleRatio]:
    """The sample ratios of all people, of the triggered ones, and by each value of the columns `by`.

    The p-values of one column are adjusted for each other (Holm).
    """
    ratios = [_sample_ratio(experiment, "all people", people.table["variant"])]
    if not people.table["triggered"].all():
        ratios += [_sample_ratio(experiment, "triggered people", people.triggered["variant"])]
    for column in by:
        if column not in people.table:
            raise ExperimentError(f"The exposures have no column {column!r} to look by. Check the name.")
        groups = people.table.groupby(column, dropna=False)["variant"]
        found = [_sample_ratio(experiment, f"{column} {value}", part) for value, part in groups]
        adjusted = holm([one.p_value for one in found])
        ratios += [replace(one, p_value=p) for one, p in zip(found, adjusted, strict=True)]
    return ratios


def _sample_ratio(experiment: Experiment, group: str, variants: pd.Series[str]) -> SampleRatio:
    counts = variants.value_counts().reindex(list(experiment.variants), fill_value=0).tolist()
    expected = [len(variants) * weight for weight in experiment.weights.values()]
    enough = min(expected) >= _LEAST_EXPECTED
    p_value = float(stats.chisquare(counts, expected).pvalue) if enough else math.nan
    return SampleRatio(group, dict(zip(experiment.variants, counts, strict=True)), p_value)


@dataclass(frozen=True)
class LogCheck:
    """The check of a log; `problems` are the reasons why no effect may be read from it, a sentence each."""

    people: People
    ratios: tuple[SampleRatio, ...]
    problems: tuple[str, ...]

    def __str__(self) -> str:
        rows = [
            (one.group, *(f"{count:,}" for count in one.counts.values()), f"{one.p_value:.2g}")
            for one in self.ratios
        ]
        table = text_table(("people", *self.ratios[0].counts, "p of the ratio"), rows)
        return "\n".join([table, "", *map(visible, self.problems or ["No problem found."])])


def check_log(experiment: Experiment, exposures: Source, by: Sequence[str] = ()) -> LogCheck:
    """Traffic, sample ratios (also by the columns `by`) and people with several variants."""
    people = people_exposed(read_exposures(exposures, experiment))
    ratios = sample_ratios(experiment, people, by)
    compared = _sample_ratio(experiment, "compared", people.triggered["variant"]).counts
    problems = [
        f"No traffic: {count} people of {variant} to compare. See that its exposures reach the log."
        for variant, count in compared.items()
        if count < 2
    ]
    problems += [
        f"Sample-ratio mismatch, {one.group}: {one.told} do not fit the weights (p = {one.p_value:.2g}). "
        "Find out who is lost before you read any effect."
        for one in ratios
        if one.p_value < experiment.srm_threshold
    ]
    share = len(people.several) / (len(people.several) + len(people.table))
    if share > experiment.multiple_threshold:
        problems += [
            f"Multiple exposures: {len(people.several):,} people ({share:.1%}) met several variants. "
            "Look for a salt that changed, or for people with two ids."
        ]
    return LogCheck(people, tuple(ratios), tuple(problems))

"""The check of an exposure log: traffic, sample ratios, people of several variants.

    print(check_log(experiment, "exposures.jsonl", by=["client"]))

A *sample-ratio mismatch* means that the counts do not fit the weights: some people were lost, so those who
are left cannot be compared (Fabijan et al. 2019). The test is Pearson's chi-square.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from aicourse.errors import EvaluationError, ExperimentError
from aicourse.evals.cases import read_lines
from aicourse.evals.statistics import holm
from aicourse.evals.views import text_table
from aicourse.experiments.experiment import Experiment
from aicourse.experiments.exposures import check_variants
from aicourse.html import visible
from aicourse.suggestions import similar_file

Source = Path | str | pd.DataFrame

_TEXTS = dict.fromkeys(("person", "variant", "experiment"), str)
_LEAST_EXPECTED = 5  # people of a variant, below which chi-square is no good


def read_table(source: Source) -> pd.DataFrame:
    """A table with a column `person`: as it is, or of a file of JSON Lines, or CSV if its name ends so.

    Raises:
        ExperimentError: the file cannot be read, or a row has no person; the message says where.
    """
    table, place = source, "The table"
    if not isinstance(table, pd.DataFrame):
        path, place = Path(table), str(table)
        if not path.is_file():
            raise ExperimentError(f"No file {path}.{similar_file(path)} Check the path.", path=path)
        try:
            if path.suffix == ".csv":
                table = pd.read_csv(path, dtype=_TEXTS, keep_default_na=False, na_values=[""])
            else:
                rows = []
                for number, text in read_lines(path):
                    place = f"{path}, line {number},"
                    rows.append(dict(json.loads(text)))
                table = pd.DataFrame(rows)
        except (OSError, ValueError, TypeError, RecursionError, EvaluationError) as error:
            told = f"{place} cannot be read ({error}). Correct it, or delete half a line."
            raise ExperimentError(told, path=path) from None
        place = str(path)
    if "person" not in table or table["person"].isna().any():
        raise ExperimentError(f"{place} has no row, or one without `person`. Correct it.")
    return table.astype({"person": str})  # 17 and "17" are one person


def read_exposures(experiment: Experiment, source: Source) -> pd.DataFrame:
    """The exposures of one experiment, checked.

    Raises:
        ExperimentError: there is none, a column is missing, or a variant is none of the experiment's.
    """
    log = read_table(source)
    if "variant" not in log:
        raise ExperimentError("The exposures have no column 'variant'. Log them with log_exposure.")
    if "experiment" in log:
        log = log[log["experiment"] == experiment.name]
    if log.empty:
        raise ExperimentError(
            f"No exposure of the experiment {experiment.name!r}. Check its name and the log."
        )
    log = log.astype({"variant": str})
    check_variants(experiment, log["variant"].unique())
    if "triggered" not in log:
        log = log.assign(triggered=True)
    elif not log["triggered"].isin([True, False]).all():
        raise ExperimentError("`triggered` must be true or false in each exposure. Correct the log.")
    return log.astype({"triggered": bool})


def _people(exposures: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The people by id, with the columns of their first exposure, and those who met several variants.

    The latter belong to none, and are not in the table. One triggered exposure makes a person triggered.
    """
    pairs = exposures.drop_duplicates(["person", "variant"])
    again = pairs["person"].duplicated(keep=False)
    table = pairs[~again].set_index("person")
    if len(pairs) < len(exposures) and not exposures["triggered"].all():
        table["triggered"] = table.index.isin(exposures.loc[exposures["triggered"], "person"])
    return table, list(pairs.loc[again, "person"].unique())


@dataclass(frozen=True)
class LogCheck:
    """The check of a log; `problems` are the reasons why no effect may be read from it, a sentence each.

    `people` has a row per person: the variant, if the person is triggered, and the log's other columns.
    `counts` has the people of each group by variant, and `p_values` the probability of counts this far from
    the weights (nan for a group that is too small to tell).
    """

    people: pd.DataFrame
    counts: pd.DataFrame
    p_values: pd.Series[float]
    problems: tuple[str, ...]

    def __str__(self) -> str:
        rows = [
            (group, *(f"{count:,}" for count in counts), f"{self.p_values[group]:.2g}")
            for group, *counts in self.counts.itertuples()
        ]
        table = text_table(("people", *self.counts, "p of the ratio"), rows)
        return "\n".join([table, "", *map(visible, self.problems or ["No problem found."])])


def check_log(experiment: Experiment, exposures: Source, by: Sequence[str] = ()) -> LogCheck:
    """Traffic, people of several variants, sample ratios (by the columns `by`, too) of all and the triggered.

    Raises:
        ExperimentError: there is no exposure, a column is missing, or a variant is none of the experiment's.
    """
    people, several = _people(read_exposures(experiment, exposures))
    counts = _counts(experiment, people, by)
    p_values = _p_values(experiment, counts)
    traffic = counts.loc["triggered people" if "triggered people" in counts.index else "all people"]
    problems = [
        f"No traffic: {count} people of {variant} to compare. See that its exposures reach the log."
        for variant, count in traffic.items()
        if count < 2
    ]
    for group in counts.index[p_values < experiment.srm_threshold]:
        told = " and ".join(f"{count:,} {variant}" for variant, count in counts.loc[group].items())
        problems += [
            f"Sample-ratio mismatch, {group}: {told} do not fit the weights (p = {p_values[group]:.2g}). "
            "Find out who is lost before you read any effect."
        ]
    share = len(several) / (len(several) + len(people))
    if share > experiment.multiple_threshold:
        problems += [
            f"Multiple exposures: {len(several):,} people ({share:.1%}) met several variants. "
            "Look for a salt that changed, or for people with two ids."
        ]
    return LogCheck(people, counts, p_values, tuple(problems))


def _counts(experiment: Experiment, people: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The people by group and variant: all and the triggered ones, and both by each value of the columns."""
    sets = {"": people}
    groups = {"all people": people["variant"]}
    if not people["triggered"].all():
        sets["triggered, "] = triggered = people[people["triggered"]]
        groups["triggered people"] = triggered["variant"]
    for column in by:
        if column not in people:
            raise ExperimentError(f"The exposures have no column {column!r} to look by. Check the name.")
        for name, table in sets.items():
            parts = table["variant"].groupby(table[column].astype(str), dropna=False)
            groups |= {f"{name}{column} {value}": part for value, part in parts}
    counts = {group: part.value_counts() for group, part in groups.items()}
    return pd.DataFrame(counts, index=list(experiment.variants)).fillna(0).astype(int).T


def _p_values(experiment: Experiment, counts: pd.DataFrame) -> pd.Series[float]:
    """The p-values of Pearson's chi-square, those of single values of columns adjusted by Holm."""
    expected = np.outer(counts.sum(axis="columns"), list(experiment.weights.values()))
    expected[expected.min(axis=1) < _LEAST_EXPECTED] = np.nan
    distances = ((counts.to_numpy() - expected) ** 2 / expected).sum(axis=1)
    found = stats.chi2.sf(distances, len(experiment.variants) - 1).tolist()
    first = 2 if "triggered people" in counts.index else 1
    return pd.Series([*found[:first], *holm(found[first:])], counts.index)

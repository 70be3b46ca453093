"""Alerts as data: rules in a YAML file, a state for each of them, a notification when it changes.

    statuses = evaluate(read_rules(), connection)
    for status in latest(statuses): print(status)

A rule watches a measure with a chart, period after period, from the end of the baseline on. Its state is
OK, WARNING (from two thirds of the limit), ALERT (from the limit until below a WARNING, so that it does not
flap), or NO_DATA (too few requests to judge). States follow from the last days of data alone and are computed
anew each time: nothing is stored, so nothing can be out of date. People are told of an ALERT and of its end.
Not handled: sending messages; weekdays that differ; an incident among the days that say what is normal.
"""

from __future__ import annotations

import enum
import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_args

import yaml
from pydantic import Field, ValidationError, model_validator

from aicourse.errors import MonitoringError, first_problem
from aicourse.monitoring import metrics
from aicourse.monitoring.charts import Cusum, Ewma, RulePart, Threshold, scores
from aicourse.monitoring.drift import compare_mix
from aicourse.monitoring.metrics import Group, Measure, Period, Window
from aicourse.suggestions import similar_file

if TYPE_CHECKING:
    import pandas as pd

RULES = Path(__file__).with_suffix(".yaml")
_WARN = 2 / 3  # of a limit
_WEEK = 7 * 24 * 3600
_MOMENTS = ("mean", "mean_square")
_LEAST_SPREAD = 1e-6  # of the mean: where the baseline never varied, any other value is far off
_LEAST_VARIANCE = 1e-24  # of a mean of zero


class AlertState(enum.StrEnum):
    """The state of a rule in one period."""

    OK = "OK"
    WARNING = "WARNING"
    ALERT = "ALERT"
    NO_DATA = "NO_DATA"


class Psi(RulePart):
    """The index of a period's mix against the baseline's, with the limit from their sizes."""

    kind: Literal["psi"] = "psi"
    significance: Annotated[float, Field(gt=0, lt=1)] = 0.001


class AlertRule(RulePart):
    """One rule; `alerts.yaml` says what each field means."""

    name: Annotated[str, Field(pattern=r"\S")]
    measure: Measure | Group
    every: Period
    by: Group | None = None
    least: Annotated[int, Field(gt=0)] = 30
    chart: Annotated[Threshold | Ewma | Cusum | Psi, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _check(self) -> AlertRule:
        is_mix = self.measure in get_args(Group)
        if is_mix != (self.chart.kind == "psi"):
            raise ValueError(f"a chart of kind {self.chart.kind} cannot watch {self.measure}")
        if is_mix and self.by:
            raise ValueError("a mix is watched as a whole, without `by`")
        return self


class AlertRules(RulePart):
    """All rules, how many days are looked at, and how many at their beginning say what is normal."""

    days: Annotated[int, Field(gt=0)]
    baseline_days: Annotated[int, Field(gt=0)]
    rules: Annotated[tuple[AlertRule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> AlertRules:
        if len({rule.name for rule in self.rules}) < len(self.rules):
            raise ValueError("two rules have one name")
        if self.baseline_days >= self.days:
            raise ValueError("after `baseline_days`, no day of `days` is left to watch")
        return self


@dataclass(frozen=True)
class Status:
    """The state of a rule, or of one slice of it, in one period; `score` is 1 at the limit."""

    rule: AlertRule
    slice: str
    period: pd.Timestamp
    state: AlertState
    score: float = math.nan
    value: float = math.nan
    normal: float = math.nan
    requests: int = 0

    @property
    def end(self) -> pd.Timestamp:
        """The end of the period, when its state is known."""
        import pandas as pd

        return self.period + pd.Timedelta(1, self.rule.every)

    @property
    def name(self) -> str:
        """The rule's name, with the slice where it has some."""
        return self.rule.name + (f" ({self.rule.by} {self.slice})" if self.slice else "")

    @property
    def when(self) -> str:
        """The period as text."""
        return f"{self.period:%Y-%m-%d %H:%M}" if self.rule.every == "hour" else f"{self.period:%Y-%m-%d}"

    def __str__(self) -> str:
        return f"{self.state}: {self.name}, {self.when}: {self.told}."

    @property
    def told(self) -> str:
        """The value beside what is normal, in words."""
        if self.state == AlertState.NO_DATA:
            if self.requests < self.rule.least:
                return f"{self.requests} requests, which is fewer than {self.rule.least}"
            return f"no {self.rule.measure} in the first days to compare {self.requests} requests with"
        if self.requests == 0:
            return "nobody uses it any more"
        usual = "" if math.isnan(self.normal) else f", normally {metrics.short(self.normal)}"
        kind = f"PSI of {self.rule.measure}" if self.rule.chart.kind == "psi" else self.rule.measure
        value = f"{kind.replace('_', ' ')} {metrics.short(self.value)}{usual}"
        return f"{value}; {self.score:.0%} of the limit, {self.requests} requests"


@dataclass(frozen=True)
class Episode:
    """A stretch of time in which at least one rule is in ALERT, however many: to people, one incident."""

    start: pd.Timestamp
    end: pd.Timestamp
    rules: tuple[str, ...]


def read_rules(path: Path | str = RULES) -> AlertRules:
    """The rules in a YAML file; the course's own if none is given.

    Raises:
        MonitoringError: the file cannot be read, or is not of rules; the message says what is wrong with it.
    """
    path = Path(path)
    try:
        return AlertRules.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        reason = f"No file {path} ({error.strerror}).{similar_file(path)} Check the path."
    except ValidationError as error:
        told = first_problem(error, "the file")
        reason = f"{path}: {told}. {RULES.name} of the course explains every field."
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        reason = f"{path} cannot be read ({error}). Write YAML."
    raise MonitoringError(reason, path=path)


def check(path: Path | str, rules: Path | str | None = None, at: datetime | None = None) -> list[Status]:
    """The last status of each rule at a time in UTC, now if none is given, from the database at `path`.

    Raises:
        MonitoringError: no such rules.
        StoreError: no such database.
    """
    chosen = read_rules(rules or RULES)
    with closing(metrics.open_metrics(path)) as connection:
        return latest(evaluate(chosen, connection, until=at or datetime.now(UTC)))


def evaluate(
    rules: AlertRules, connection: sqlite3.Connection, *, until: datetime | None = None
) -> list[Status]:
    """The status of every rule in every period after the baseline, in the order of time.

    `until` (UTC) is now, for data that still comes in: periods that are not over are left out, and hours in
    which nothing came are NO_DATA. Without it, the last request is the end.
    """
    window = metrics.window_ns(connection, rules.days, until)
    statuses = [
        status
        for rule in rules.rules
        for status in _of_rule(rule, rules.baseline_days, connection, window, until)
    ]
    return sorted(statuses, key=lambda status: (status.end, rules.rules.index(status.rule), status.slice))


def _of_rule(
    rule: AlertRule, days: int, connection: sqlite3.Connection, window: Window, until: datetime | None
) -> list[Status]:
    """The statuses of a rule in every period and slice after the first `days`, which are its baseline."""
    import pandas as pd

    table = _samples(rule, connection, window)
    if table.empty:
        return []
    step = pd.Timedelta(1, rule.every)
    watched = table["period"].min().normalize() + pd.Timedelta(days, "day")
    end = table["period"].max() + step if until is None else metrics.utc(until)
    before, after = table[table["period"] < watched], table[table["period"] >= watched]
    found: list[Status] = []
    for name in sorted(set(after["slice"])) if rule.by else [""]:
        own, base = (part[part["slice"] == name] for part in (after, before))
        if base["requests"].sum() < rule.least:  # a new slice is compared with all that were there
            base = before
        first, last = (own["period"].min(), own["period"].max() + step) if rule.by else (watched, end)
        periods = pd.date_range(first, min(last, end) - step, freq=step)
        found += _judged(rule, name, _readings(rule, own, base).reindex(periods))
        if last + step <= end:  # a slice that nobody uses any more is at rest
            found.append(Status(rule, name, last, AlertState.OK, score=0.0))
    return found


def _samples(rule: AlertRule, connection: sqlite3.Connection, window: Window) -> pd.DataFrame:
    """The requests per period and slice, with the moments of a measure or apart by the values of a mix."""
    if rule.chart.kind == "psi":
        return metrics.read_mix(connection, cast(Group, rule.measure), rule.every, window).assign(slice="")
    return metrics.read_series(connection, cast(Measure, rule.measure), rule.every, rule.by, window)


def _readings(rule: AlertRule, own: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """The number that the chart reads in each period, with `requests`, `value` and what is `normal`."""
    import pandas as pd

    if isinstance(rule.chart, Psi):
        usual = {str(name): int(count) for name, count in base.groupby("value")["requests"].sum().items()}
        rows = {}
        for at, mix in own.groupby("period"):
            counts = dict(zip(mix["value"], mix["requests"], strict=True))
            drift = compare_mix(usual, counts, significance=rule.chart.significance)
            rows[at] = (drift.sizes[1], drift.psi, math.nan, drift.psi / drift.limit)
        columns = ["requests", "value", "normal", "reading"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    requests = base["requests"].sum()
    mean, square = ((base[name] * base["requests"]).sum() / max(requests, 1) for name in _MOMENTS)
    deviation = math.sqrt(max(square - mean**2, (_LEAST_SPREAD * mean) ** 2, _LEAST_VARIANCE))
    table = own.set_index("period").assign(normal=mean if requests else math.nan)
    table["value"] = table["reading"] = table["mean"].astype(float)
    if not isinstance(rule.chart, Threshold):
        error = deviation * (1 / table["requests"] + 1 / max(requests, 1)) ** 0.5
        table["reading"] = (table["value"] - table["normal"]) / error
    return table


def _judged(rule: AlertRule, name: str, readings: pd.DataFrame) -> list[Status]:
    """The states of one series; what cannot be judged leaves the chart as it was."""
    readings = readings.assign(requests=readings["requests"].fillna(0).astype(int))
    is_known = (readings["requests"] >= rule.least) & readings["reading"].notna()
    chart = Threshold(limit=1) if isinstance(rule.chart, Psi) else rule.chart
    found = iter(scores(chart, readings.loc[is_known, "reading"].tolist()))
    judged, state, rows = [], AlertState.OK, list[Any](readings.itertuples())
    for known, row in zip(is_known, rows, strict=True):
        shown, score = AlertState.NO_DATA, math.nan
        if known:
            score = next(found)
            is_high = score >= 1 or (score >= _WARN and state == AlertState.ALERT)
            state = AlertState.ALERT if is_high else AlertState.WARNING if score >= _WARN else AlertState.OK
            shown = state
        judged.append(Status(rule, name, row.Index, shown, score, row.value, row.normal, row.requests))
    return judged


def latest(statuses: Sequence[Status]) -> list[Status]:
    """The last status of each rule, and of each of its slices that is there in the rule's last period."""
    last = {(status.rule.name, status.slice): status for status in statuses}
    ends = {status.rule.name: status.end for status in statuses}
    return [status for status in last.values() if status.end == ends[status.rule.name]]


def notifications(statuses: Sequence[Status]) -> list[Status]:
    """The statuses that people are told of when their periods end: ALERTs and recoveries, in order of time.

    NO_DATA is neither.
    """
    is_on: dict[tuple[str, str], bool] = {}
    found = []
    for status in statuses:
        series, alerting = (status.rule.name, status.slice), status.state == AlertState.ALERT
        if status.state != AlertState.NO_DATA and is_on.get(series, False) != alerting:
            is_on[series] = alerting
            found.append(status)
    return found


def notifications_per_week(statuses: Sequence[Status]) -> float:
    """The measure of fatigue: how many messages people get in a week."""
    if not statuses:
        return 0.0
    watched = max(status.end for status in statuses) - min(status.period for status in statuses)
    return len(notifications(statuses)) / (watched.total_seconds() / _WEEK)


def episodes(statuses: Sequence[Status]) -> list[Episode]:
    """The stretches of time from an ALERT to its recovery; those that overlap or touch are one."""
    began: dict[tuple[str, str], Status] = {}
    stretches = []
    for status in notifications(statuses):
        series = status.rule.name, status.slice
        if status.state == AlertState.ALERT:
            began[series] = status
        else:
            stretches.append((began.pop(series).period, status.period, status.rule.name))
    ends = {(status.rule.name, status.slice): status.end for status in statuses}
    stretches += [(status.period, ends[series], status.rule.name) for series, status in began.items()]
    found: list[Episode] = []
    for start, end, name in sorted(stretches):
        if found and start <= found[-1].end:
            last = found.pop()
            rules = tuple(dict.fromkeys((*last.rules, name)))
            found.append(Episode(last.start, max(last.end, end), rules))
        else:
            found.append(Episode(start, end, (name,)))
    return found

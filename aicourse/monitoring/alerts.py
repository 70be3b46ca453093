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
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from aicourse.errors import MonitoringError
from aicourse.monitoring import charts
from aicourse.monitoring.drift import compare_mix
from aicourse.monitoring.metrics import Group, Measure, open_metrics, read_mix, read_series, window_ns
from aicourse.suggestions import similar_file

if TYPE_CHECKING:
    import pandas as pd

RULES = Path(__file__).with_suffix(".yaml")
_WARN = 2 / 3  # of a limit
_WEEK = 7 * 24 * 3600
_LEAST_VARIANCE = 1e-12  # where the baseline never varied, any other value is far off


class AlertState(enum.StrEnum):
    """The state of a rule in one period."""

    OK = "OK"
    WARNING = "WARNING"
    ALERT = "ALERT"
    NO_DATA = "NO_DATA"


class Psi(BaseModel):
    """The index of a period's mix against the baseline's, with the limit from their sizes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["psi"] = "psi"
    significance: Annotated[float, Field(gt=0, lt=1)] = 0.001


class AlertRule(BaseModel):
    """One rule; `alerts.yaml` says what each field means."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, Field(pattern=r"\S")]
    measure: Measure | Group
    every: Literal["hour", "day"]
    by: Group | None = None
    least: Annotated[int, Field(gt=0)] = 30
    chart: Annotated[charts.Threshold | charts.Ewma | charts.Cusum | Psi, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _check(self) -> AlertRule:
        is_mix = self.measure in get_args(Group)
        if is_mix != (self.chart.kind == "psi"):
            raise ValueError(f"a chart of kind {self.chart.kind} cannot watch {self.measure}")
        if is_mix and self.by:
            raise ValueError("a mix is watched as a whole, without `by`")
        return self


class AlertRules(BaseModel):
    """All rules, how many days are looked at, and how many at their beginning say what is normal."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    days: Annotated[int, Field(gt=0)]
    baseline_days: Annotated[int, Field(gt=0)]
    rules: Annotated[tuple[AlertRule, ...], Field(min_length=1)]


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

    def __str__(self) -> str:
        where = f" ({self.rule.by} {self.slice})" if self.slice else ""
        when = f"{self.period:%Y-%m-%d %H:%M}" if self.rule.every == "hour" else f"{self.period:%Y-%m-%d}"
        if self.state == AlertState.NO_DATA:
            told = f"{self.requests} requests, which is fewer than {self.rule.least}"
        elif self.requests == 0:
            told = "nobody uses it any more"
        else:
            usual = "" if math.isnan(self.normal) else f", normally {self.normal:.4g}"
            kind = f"PSI of {self.rule.measure}" if self.rule.chart.kind == "psi" else self.rule.measure
            told = f"{kind} {self.value:.4g}{usual}; {self.score:.0%} of the limit, {self.requests} requests"
        return f"{self.state}: {self.rule.name}{where}, {when}: {told}."


@dataclass(frozen=True)
class Notification:
    """A message to people: a rule went into ALERT, or is itself again."""

    at: pd.Timestamp
    status: Status

    def __str__(self) -> str:
        return str(self.status) if self.status.state == AlertState.ALERT else f"Recovered. {self.status}"


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
        problem = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, problem["loc"])) or "the file"
        told = problem["msg"].removeprefix("Value error, ")
        reason = f"{path}: {where}: {told}. {RULES.name} of the course explains every field."
    except (ValueError, yaml.YAMLError) as error:
        reason = f"{path} cannot be read ({error}). Write YAML."
    raise MonitoringError(reason, path=path)


def evaluate(
    rules: AlertRules, connection: sqlite3.Connection, *, until: pd.Timestamp | None = None
) -> list[Status]:
    """The status of every rule in every period after the baseline, in the order of time.

    `until` (UTC) is now, for data that still comes in: periods that are not over are left out, and hours in
    which nothing came are NO_DATA. Without it, the last request is the end.
    """
    window = window_ns(connection, rules.days, until)
    statuses = [
        status
        for rule in rules.rules
        for status in _of_rule(rule, rules.baseline_days, _read(rule, connection, window), until)
    ]
    return sorted(statuses, key=lambda status: (status.end, rules.rules.index(status.rule), status.slice))


@dataclass(frozen=True)
class _Sample:
    """The requests of a period, or of the whole baseline: moments of a measure, or counts of a mix."""

    requests: int = 0
    mean: float = math.nan
    mean_square: float = math.nan
    counts: Mapping[str, int] = field(default_factory=dict)


_Samples = Mapping[tuple[str, "pd.Timestamp"], _Sample]


def _read(rule: AlertRule, connection: sqlite3.Connection, window: tuple[int, int]) -> _Samples:
    """The samples that a rule watches, by slice and period."""
    since = {"since_ns": window[0], "until_ns": window[1]}
    if rule.chart.kind == "psi":
        mixes: dict[pd.Timestamp, dict[str, int]] = defaultdict(dict)
        for row in read_mix(connection, cast(Group, rule.measure), rule.every, **since).itertuples():
            mixes[row.period][row.value] = row.requests
        return {("", at): _Sample(sum(mix.values()), counts=mix) for at, mix in mixes.items()}
    table = read_series(connection, cast(Measure, rule.measure), rule.every, rule.by, **since)
    return {
        (str(row.slice), row.period): _Sample(row.requests, row.mean, row.mean_square)
        for row in table.itertuples()
    }


def _pooled(samples: Sequence[_Sample]) -> _Sample:
    """Several samples as one."""
    some = [sample for sample in samples if sample.requests]
    total = sum(sample.requests for sample in some)
    moments = [
        sum(sample.requests * value for sample, value in zip(some, values, strict=True)) / max(total, 1)
        for values in ([one.mean for one in some], [one.mean_square for one in some])
    ]
    return _Sample(total, *moments, counts=sum((Counter(one.counts) for one in some), Counter()))


def _of_rule(rule: AlertRule, days: int, samples: _Samples, until: pd.Timestamp | None) -> list[Status]:
    """The statuses of a rule in every period and slice after the first `days`, which are its baseline."""
    import pandas as pd

    if not samples:
        return []
    step, everywhere = pd.Timedelta(1, rule.every), [at for _, at in samples]
    watched = min(everywhere).normalize() + pd.Timedelta(days, "day")
    end = max(everywhere) + step if until is None else until
    normal = _pooled([sample for (_, at), sample in samples.items() if at < watched])
    found: list[Status] = []
    for name in sorted({name for name, at in samples if at >= watched}) if rule.by else [""]:
        own = [at for slice_, at in samples if slice_ == name and at >= watched]
        first, last = (min(own), max(own) + step) if rule.by else (watched, end)
        periods = pd.date_range(first, min(last, end) - step, freq=step)
        found += _judged(
            rule, [_point(rule, name, at, samples.get((name, at), _Sample()), normal) for at in periods]
        )
        if last + step <= end:  # a slice that nobody uses any more is at rest
            found.append(Status(rule, name, last, AlertState.OK, score=0.0))
    return found


def _point(
    rule: AlertRule, name: str, at: pd.Timestamp, sample: _Sample, normal: _Sample
) -> tuple[Status, float]:
    """A period whose state is still open, and the number that its chart reads."""
    requests, value = sample.requests, sample.mean
    if requests < rule.least or normal.requests == 0:
        return Status(rule, name, at, AlertState.NO_DATA, requests=requests), math.nan
    if isinstance(rule.chart, Psi):
        drift = compare_mix(normal.counts, sample.counts, significance=rule.chart.significance)
        return Status(
            rule, name, at, AlertState.OK, value=drift.psi, requests=requests
        ), drift.psi / drift.limit
    status = Status(rule, name, at, AlertState.OK, value=value, normal=normal.mean, requests=requests)
    if rule.chart.kind == "threshold":
        return status, value
    variance = max(normal.mean_square - normal.mean**2, _LEAST_VARIANCE)
    return status, (value - normal.mean) / math.sqrt(variance * (1 / requests + 1 / normal.requests))


def _judged(rule: AlertRule, points: list[tuple[Status, float]]) -> list[Status]:
    """The points of one series with their states."""
    readings = [reading for status, reading in points if status.state != AlertState.NO_DATA]
    scores = iter(readings if isinstance(rule.chart, Psi) else charts.scores(rule.chart, readings))
    judged, before = [], AlertState.OK
    for status, _ in points:
        if status.state != AlertState.NO_DATA:
            score = next(scores)
            is_high = score >= 1 or (score >= _WARN and before == AlertState.ALERT)
            before = AlertState.ALERT if is_high else AlertState.WARNING if score >= _WARN else AlertState.OK
            status = replace(status, state=before, score=score)
        judged.append(status)
    return judged


def check(path: Path | str, rules: Path | str | None = None, at: datetime | None = None) -> list[Status]:
    """The last status of each rule at a time in UTC, now if none is given, from the database at `path`.

    Raises:
        MonitoringError: no such database, or no such rules.
    """
    with closing(open_metrics(path)) as connection:
        return latest(evaluate(read_rules(rules or RULES), connection, until=utc(at)))


def utc(at: datetime | None = None) -> pd.Timestamp:
    """A time in UTC as the periods have it; now if none is given."""
    import pandas as pd

    return pd.Timestamp(at or datetime.now(UTC)).tz_localize(None)


def latest(statuses: Sequence[Status]) -> list[Status]:
    """The last status of each rule, and of each of its slices that is there in the rule's last period."""
    last = {(status.rule.name, status.slice): status for status in statuses}
    ends = {status.rule.name: status.end for status in statuses}
    return [status for status in last.values() if status.end == ends[status.rule.name]]


def notifications(statuses: Sequence[Status]) -> list[Notification]:
    """The messages that the statuses call for, in order of time; NO_DATA is neither alert nor recovery."""
    is_on: dict[tuple[str, str], bool] = {}
    found = []
    for status in statuses:
        series, alerting = (status.rule.name, status.slice), status.state == AlertState.ALERT
        if status.state != AlertState.NO_DATA and is_on.get(series, False) != alerting:
            is_on[series] = alerting
            found.append(Notification(status.end, status))
    return found


def notifications_per_week(statuses: Sequence[Status]) -> float:
    """The measure of fatigue: how many messages people get in a week."""
    if not statuses:
        return 0.0
    watched = max(status.end for status in statuses) - min(status.period for status in statuses)
    return len(notifications(statuses)) / (watched.total_seconds() / _WEEK)


def episodes(statuses: Sequence[Status]) -> list[Episode]:
    """The stretches of time with an ALERT of any rule, those that overlap taken together."""
    alerts = sorted(
        (status for status in statuses if status.state == AlertState.ALERT), key=lambda one: one.period
    )
    found: list[Episode] = []
    for status in alerts:
        name = status.rule.name
        if found and status.period <= found[-1].end:
            last = found.pop()
            rules = last.rules if name in last.rules else (*last.rules, name)
            found.append(Episode(last.start, max(last.end, status.end), rules))
        else:
            found.append(Episode(status.period, status.end, (name,)))
    return found

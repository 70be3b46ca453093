"""A run: what a task made of each case, and how it was scored; in memory or in a JSON Lines file.

    {"run": {"name": "v2", "scorers": ["brand.exact"], "facts": {"prompt": "v2"}, "cases": 120, "made_of": …}}
    {"id": "L061", "output": {"brand": "Burberry"}, "scores": [{"name": "brand.exact", "value": true, …

The first line says what the run is of, each further line is one case (one repeat of it). A file is read as a
stream; its summary needs 16 bytes per score. A case whose task failed counts as False or 0 in every score:
a prompt must not look better because it broke on the hard cases. A score whose scorer failed has no value.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from aicourse import json_text
from aicourse.errors import EvaluationError
from aicourse.evals.scores import Kind, Score
from aicourse.evals.statistics import Interval, Values, mean_score
from aicourse.evals.validation import JudgeFacts, Validation, doubt_of
from aicourse.html import NOTEBOOK, table, visible
from aicourse.llm.calls import dollars
from aicourse.paths import write_atomically
from aicourse.suggestions import similar_file

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One case, once: what came out, its scores, and what it took.

    `output` is plain JSON data. `seconds` is the latency of the model's calls (the original one for a
    recorded reply), or of the task when it made none; `cost` is what these replies cost when made, in USD,
    None when a price is unknown.
    """

    id: str
    index: int
    repeat: int
    digest: str
    input: Any
    expected: Any
    tags: tuple[str, ...]
    output: Any
    scores: tuple[Score, ...]
    error: str | None
    attempts: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None
    seconds: float


@dataclass(frozen=True)
class RunInfo:
    """Name, scorers and repeats; `facts` are yours (prompt, version, hash, model) and travel with the run.

    `made_of` are digests of the task and the scorers, by what each is of (see `identity`); empty in memory,
    and in files that were written before runs noted it. `cases` is how many were chosen, None when they came
    as a stream. `judges` are the scorers that ask a model, by name, with the `validations` they had then.
    """

    name: str
    scorers: tuple[str, ...]
    repeats: int
    facts: Mapping[str, str]
    started: datetime
    made_of: Mapping[str, str] = field(default_factory=dict)
    cases: int | None = None
    judges: Mapping[str, JudgeFacts] = field(default_factory=dict)
    validations: tuple[Validation, ...] = ()


@dataclass(frozen=True)
class ScoreSummary:
    """One score over a run: the mean with its interval, or for labels how often each was given.

    `cases` is how many cases count, `errors` how many times the scorer failed.
    """

    name: str
    kind: Kind
    cases: int
    mean: Interval | None
    labels: Mapping[str, int]
    errors: int

    @property
    def text(self) -> str:
        """The result in words."""
        if self.mean is None:
            return ", ".join(f"{label}: {count}" for label, count in self.labels.items()) or "no value"
        if math.isnan(self.mean.low):
            return f"{self.mean.estimate:.3f}"
        return f"{self.mean.estimate:.3f} ({self.mean.low:.3f} to {self.mean.high:.3f})"


@dataclass(frozen=True)
class RunSummary:
    """Totals of a run. `seconds` are the latencies of all records, in the order they finished.

    `first_failure` says which case failed first, and why; "" when none did.
    """

    records: int
    failed: int
    scores: tuple[ScoreSummary, ...]
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None
    seconds: Values
    first_failure: str = ""

    def score(self, name: str) -> ScoreSummary:
        """One score's summary.

        Raises:
            EvaluationError: the run has no such score; the message names those it has.
        """
        for summary in self.scores:
            if summary.name == name:
                return summary
        known = ", ".join(summary.name for summary in self.scores) or "none"
        raise EvaluationError(f"This run has no score {name!r}. It has: {known}.", score=name)

    @property
    def median_seconds(self) -> float | None:
        """The median latency of a case."""
        return float(np.median(self.seconds)) if self.seconds.size else None


@dataclass(frozen=True)
class Run:
    """The records of one run, kept in `path`, or in memory when it has none."""

    info: RunInfo
    path: Path | None = None
    memory: tuple[CaseRecord, ...] = field(default=(), repr=False)

    def records(self) -> Iterator[CaseRecord]:
        """Every record: from a file one at a time, as they finished; in memory in the order of the cases."""
        return iter(self.memory) if self.path is None else _read_records(self.path)

    @cached_property
    def summary(self) -> RunSummary:
        """Totals and means, read in one pass."""
        return summarise(self.records())

    def values(self, score: str) -> dict[str, float]:
        """An assertion or number by case id, the mean over repeats; 0 for a case whose task failed.

        Raises:
            EvaluationError: the run has no such score, or it is a label.
        """
        known = {summary.name: summary for summary in self.summary.scores}
        if score not in known or known[score].mean is None:
            numeric = [name for name, summary in known.items() if summary.mean is not None]
            raise EvaluationError(
                f"Run {self.info.name!r} has no number or assertion {score!r}. It has: {', '.join(numeric)}.",
                score=score,
            )
        totals: dict[str, tuple[float, int]] = {}
        for record in self.records():
            if (value := _value_in(record, score)) is not None:
                total, count = totals.get(record.id, (0.0, 0))
                totals[record.id] = total + value, count + 1
        return {id: total / count for id, (total, count) in totals.items()}

    def identities(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Of each case by id: the digest (what was asked and expected) and the tags (its slices)."""
        return {record.id: (record.digest, record.tags) for record in self.records()}

    @property
    def remark(self) -> str:
        """A warning that a run in a file is unfinished, or does not say what it is of; else empty."""
        if self.path is None:
            return ""
        if not self.info.made_of:
            return "written by an earlier version, which did not note what it is of: run it again to be sure"
        wanted = (self.info.cases or 0) * self.info.repeats
        done = self.summary.records
        return f"unfinished, {done} of {wanted} records: the same command goes on" if done < wanted else ""

    def to_frame(self) -> pd.DataFrame:
        """One row per record, in the order of the cases: what went in and out, each score, what it took."""
        import pandas as pd  # 0.3 s to import, and most readers only look at the summary

        frame = pd.DataFrame([_row(record) for record in self.records()])
        return frame.sort_values(["index", "repeat"]).drop(columns="index").reset_index(drop=True)

    def rows(self) -> list[tuple[str, str, str]]:
        """The summary as (what, result, remark), the same in text and HTML."""
        summary, rows = self.summary, []
        for score in summary.scores:
            remark = f"{score.cases} cases" + (
                f", scorer failed {score.errors} times" if score.errors else ""
            )
            rows.append((score.name, score.text, remark))
        median = summary.median_seconds
        first = shorten(summary.first_failure, 300, placeholder=" …")
        failed = f"{summary.failed} failed, counted as 0; {first}" if summary.failed else "none failed"
        cost = "price unknown" if summary.cost is None else dollars(summary.cost)
        tokens = f"{summary.prompt_tokens:,} tokens in, {summary.completion_tokens:,} out"
        for name, judge in self.info.judges.items():
            doubt = doubt_of(judge, self.info.validations)
            told = f"{doubt}: it decides no gate" if doubt else f"judge {judge}"
            rows.append((f"judge of {name}", "WARNING" if doubt else "validated", told))
        rows.append(("records", str(summary.records), "; ".join(filter(None, [failed, self.remark]))))
        rows.append(("cost when made", cost, tokens))
        return [*rows, ("median latency", "-" if median is None else f"{median:.2f} s", "")]

    def __str__(self) -> str:
        rows = self.rows()
        wide = max(len(what) for what, _, _ in rows)
        lines = [f"run {self.info.name}", *(f"{a:<{wide}}  {b}  {c}".rstrip() for a, b, c in rows)]
        return "\n".join(visible(" ".join(line.splitlines())) for line in lines)

    __repr__ = __str__  # the fields hold when it began, and a lesson's stored outputs must not

    def _repr_html_(self) -> str:
        return table(f"Run {self.info.name}", ("", "result", ""), self.rows(), NOTEBOOK)


# totals: 16 bytes per score are kept, not the records


class _Column:
    """The values of one score while the records pass by."""

    def __init__(self) -> None:
        self.kind: Kind = "error"
        self.indices = array("q")
        self.values = array("d")
        self.labels: Counter[str] = Counter()
        self.errors = 0

    def add(self, index: int, score: Score) -> None:
        if score.value is None or score.kind == "error":
            self.errors += 1
            return
        self.kind = score.kind
        if isinstance(score.value, str):
            self.labels[score.value] += 1
        else:
            self.indices.append(index)
            self.values.append(score.value)

    def summary(self, name: str, failed: array[int]) -> ScoreSummary:
        """The mean over cases of the mean over repeats; failed ones count 0."""
        indices = np.concatenate(
            [np.asarray(self.indices, dtype=np.int64), np.asarray(failed, dtype=np.int64)]
        )
        counts = np.bincount(indices)
        sums = np.bincount(
            np.asarray(self.indices, dtype=np.int64), np.asarray(self.values), minlength=counts.size
        )
        means = sums[counts > 0] / counts[counts > 0]
        numeric = self.kind in ("assertion", "number")
        cases = means.size if numeric else self.labels.total()
        labels = dict(self.labels.most_common())
        return ScoreSummary(
            name, self.kind, cases, mean_score(means) if numeric and means.size else None, labels, self.errors
        )


def summarise(records: Iterator[CaseRecord]) -> RunSummary:
    """The totals of the records."""
    columns: dict[str, _Column] = {}
    failed, seconds = array("q"), array("d")
    prompt = completion = 0
    cost: Decimal | None = Decimal(0)
    first_failure = ""
    for record in records:
        if record.error is not None:
            failed.append(record.index)
            first_failure = first_failure or f"{record.id}: {record.error}"
        for score in record.scores:
            columns.setdefault(score.name, _Column()).add(record.index, score)
        seconds.append(record.seconds)
        prompt, completion = prompt + record.prompt_tokens, completion + record.completion_tokens
        cost = None if cost is None or record.cost is None else cost + record.cost
    scores = tuple(column.summary(name, failed) for name, column in columns.items())
    totals = len(seconds), len(failed), scores, prompt, completion, cost, np.asarray(seconds)
    return RunSummary(*totals, first_failure)


# files of runs

_RECORD = TypeAdapter(CaseRecord)
_INFO = TypeAdapter(dict[str, RunInfo])


def record_line(record: CaseRecord) -> bytes:
    """A record as a line of a run's file."""
    try:
        return _RECORD.dump_json(record) + b"\n"
    except PydanticSerializationError:  # half a character: models write such
        return json_text.dumps(asdict(record)) + b"\n"


def info_line(info: RunInfo) -> bytes:
    """The first line of a run's file."""
    return json_text.dumps({"run": asdict(info)}) + b"\n"


def save_run(run: Run, path: Path | str) -> Run:
    """The run written to a file, a finished one."""
    write_atomically(Path(path), b"".join([info_line(run.info), *map(record_line, run.records())]))
    return Run(run.info, Path(path))


def _read_info(line: bytes) -> RunInfo | None:
    """The info in the first line of a run's file; None when it is no such line."""
    try:
        return _INFO.validate_python(json_text.loads(line))["run"]
    except (ValueError, KeyError):  # pydantic's ValidationError is a ValueError
        return None


def _read_record(line: bytes, place: str) -> CaseRecord:
    """A line of a run's file.

    Raises:
        EvaluationError: the line is not a record.
    """
    try:
        return _RECORD.validate_json(line)
    except ValidationError:
        try:  # with half a character, which only Python's own reader takes
            return _RECORD.validate_python(json_text.loads(line))
        except ValueError as error:
            raise EvaluationError(
                f"{place}: not a record of a run. Delete the line and run the same again.", place=place
            ) from error


def load_run(path: Path | str) -> Run:
    """The run in a file, finished or not.

    Raises:
        EvaluationError: there is no such file, or it does not begin as a run does.
    """
    info = _read_info(next(_lines(Path(path)), b""))
    if info is None:
        raise EvaluationError(
            f"{path} is not a run. Name a file that `aicourse evals run` (evals.run with a path) wrote.",
            path=path,
        )
    return Run(info, Path(path))


def _read_records(path: Path) -> Iterator[CaseRecord]:
    for number, line in enumerate(_lines(path), start=1):
        if number > 1 and line.endswith(b"\n"):  # a killed run leaves a half of its last line
            yield _read_record(line, f"{path}, line {number}")


def _lines(path: Path) -> Iterator[bytes]:
    """The lines as bytes: half a line may end within a letter."""
    try:
        with open(path, "rb") as file:
            yield from file
    except OSError as error:
        raise EvaluationError(
            f"No run {path} ({error.strerror}).{similar_file(path)} "
            "Runs are written by: aicourse evals run … --out FILE",
            path=path,
        ) from None


def _value_in(record: CaseRecord, name: str) -> float | None:
    if record.error is not None:
        return 0.0
    for score in record.scores:
        if score.name == name and score.kind in ("assertion", "number"):
            return float(score.value or 0)
    return None


def _row(record: CaseRecord) -> dict[str, Any]:
    names = ("id", "index", "repeat", "tags", "input", "expected", "output")
    took = ("error", "attempts", "calls", "prompt_tokens", "completion_tokens", "cost", "seconds")
    scores = {score.name: score.value for score in record.scores}
    row = {name: getattr(record, name) for name in names} | scores
    row |= {name: getattr(record, name) for name in took}
    return {_writable(name): _writable(value) for name, value in row.items()}


def _writable(value: Any) -> Any:
    """Text that can be written as UTF-8, as a CSV file is: half a character becomes its number."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value

"""A run: what a task made of each case, and how it was scored; in memory or in a JSON Lines file.

    {"run": {"name": "v2", "scorers": ["brand.exact"], "repeats": 1, "facts": {"prompt": "v2"}, …}}
    {"id": "L061", "output": {"brand": "Burberry"}, "scores": [{"name": "brand.exact", "value": true, …

The first line says what was run, each further line is one case (one repeat of it). A file is read as a
stream; its summary needs 16 bytes per score. A case whose task failed counts as False or 0 in every score:
a prompt must not look better because it broke on the hard cases. A score whose scorer failed has no value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from aicourse.errors import EvaluationError
from aicourse.evals.records import CaseRecord, RunInfo, read_info, read_record
from aicourse.evals.summaries import RunSummary, summarise
from aicourse.html import NOTEBOOK, table
from aicourse.llm.calls import dollars

if TYPE_CHECKING:
    import pandas as pd


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
        rows.append(("records", str(summary.records), failed))
        rows.append(("cost when made", cost, tokens))
        return [*rows, ("median latency", "-" if median is None else f"{median:.2f} s", "")]

    def __str__(self) -> str:
        rows = self.rows()
        wide = max(len(what) for what, _, _ in rows)
        return "\n".join([f"run {self.info.name}", *(f"{a:<{wide}}  {b}  {c}".rstrip() for a, b, c in rows)])

    __repr__ = __str__  # the fields hold when it began, and a lesson's stored outputs must not

    def _repr_html_(self) -> str:
        return table(f"Run {self.info.name}", ("", "result", ""), self.rows(), NOTEBOOK)


def load(path: Path | str) -> Run:
    """The run in a file, finished or not.

    Raises:
        EvaluationError: there is no such file, or it does not begin as a run does.
    """
    info = read_info(next(_lines(Path(path)), b""))
    if info is None:
        raise EvaluationError(f"{path} is not a run. Name a file that runner.run() wrote.", path=path)
    return Run(info, Path(path))


def _read_records(path: Path) -> Iterator[CaseRecord]:
    for number, line in enumerate(_lines(path), start=1):
        if number > 1 and line.endswith(b"\n"):  # a killed run leaves a half of its last line
            yield read_record(line, f"{path}, line {number}")


def _lines(path: Path) -> Iterator[bytes]:
    """The lines as bytes: half a line may end within a letter."""
    try:
        with open(path, "rb") as file:
            yield from file
    except FileNotFoundError:
        raise EvaluationError(
            f"No run {path}. Check the path, or write it with runner.run().", path=path
        ) from None


def _value_in(record: CaseRecord, name: str) -> float | None:
    if record.error is not None:
        return 0.0
    value = next((score.value for score in record.scores if score.name == name), None)
    return None if value is None or isinstance(value, str) else float(value)


def _row(record: CaseRecord) -> dict[str, Any]:
    names = ("id", "index", "repeat", "tags", "input", "expected", "output")
    took = ("error", "attempts", "calls", "prompt_tokens", "completion_tokens", "cost", "seconds")
    scores = {score.name: score.value for score in record.scores}
    return (
        {name: getattr(record, name) for name in names}
        | scores
        | {name: getattr(record, name) for name in took}
    )

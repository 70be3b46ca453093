"""What is kept of each case of a run, and how it stands in a run's file: one line of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from aicourse.errors import EvaluationError
from aicourse.evals.scores import Score


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
    """What was run: `facts` are yours (prompt, version, hash, model) and travel with the run."""

    name: str
    scorers: tuple[str, ...]
    repeats: int
    facts: Mapping[str, str]
    started: datetime


_RECORD = TypeAdapter(CaseRecord)
_INFO = TypeAdapter(dict[str, RunInfo])


def record_line(record: CaseRecord) -> bytes:
    """A record as a line of a run's file."""
    return _RECORD.dump_json(record) + b"\n"


def info_line(info: RunInfo) -> bytes:
    """The first line of a run's file."""
    return _INFO.dump_json({"run": info}) + b"\n"


def read_info(line: bytes) -> RunInfo | None:
    """What the first line of a run's file says was run; None when it is no such line."""
    try:
        return _INFO.validate_json(line)["run"]
    except (ValidationError, KeyError):
        return None


def read_record(line: bytes, place: str) -> CaseRecord:
    """A line of a run's file.

    Raises:
        EvaluationError: the line is not a record.
    """
    try:
        return _RECORD.validate_json(line)
    except ValidationError as error:
        raise EvaluationError(
            f"{place}: not a record of a run. Delete the line and resume the run.", place=place
        ) from error

"""Run a task over an evaluation set: any function of one case, on a few threads, resumable.

    run = evals.run(lambda case: extract(case.input), cases, [exact("brand")], path="runs/v2.jsonl")

Each record is in the file before the next case of that thread begins, so that a run that was killed goes on
where it stopped: run the same again with the same `path`. Cases that failed are then tried again, finished
ones are not. The calls that a task makes with the course's clients are counted towards its case; calls from
threads that the task itself starts are not. A task that hangs is not stopped: give its client a timeout.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python
from tqdm.auto import tqdm

from aicourse import paths
from aicourse.errors import (
    AicourseError,
    BudgetExceeded,
    CatalogError,
    DownloadError,
    EvaluationError,
    ProviderError,
    ServerError,
)
from aicourse.evals.cases import Case, EvaluationSet, unique
from aicourse.evals.runs import CaseRecord, Run, RunInfo, info_line, load_run, record_line
from aicourse.evals.scores import Context, Score, Scorer, score_all, scorer_name
from aicourse.llm import session
from aicourse.llm.calls import Call
from aicourse.processes import sole_holder

Task = Callable[[Case], Any]
Keep = Callable[[CaseRecord], object]

# every further case would meet these too, so the run stops (and can be resumed)
_FATAL = (BudgetExceeded, CatalogError, DownloadError, ProviderError, ServerError)
# trying again would not help
_HOPELESS = (AicourseError, AttributeError, NameError, TypeError)
_FIRST_PAUSE = 0.5  # seconds; doubles with each attempt
_SHOW_AFTER = 2  # seconds

_calls: ContextVar[list[Call] | None] = ContextVar("calls of the running case", default=None)


@dataclass(frozen=True)
class _Job:
    case: Case
    index: int
    repeat: int


@dataclass(frozen=True)
class _Trial:
    """The trial of one case: tried, then scored."""

    task: Task
    scorers: Sequence[Scorer]
    retries: int
    sleep: Callable[[float], None]

    def __call__(self, job: _Job) -> CaseRecord:
        case, calls = job.case, list[Call]()
        token = _calls.set(calls)
        try:
            output, error, attempts, seconds = self._try(case)
        finally:
            _calls.reset(token)
        context = Context(output, case.expected, case.input, case.id, case.tags)
        costs = [call.cost for call in calls if call.error is None]
        return CaseRecord(
            id=case.id,
            index=job.index,
            repeat=job.repeat,
            digest=case.digest,
            input=case.input,
            expected=case.expected,
            tags=case.tags,
            output=_plain(output),
            scores=() if error else score_all(self.scorers, context),
            error=error,
            attempts=attempts,
            calls=len(calls),
            prompt_tokens=sum(call.prompt_tokens or 0 for call in calls),
            completion_tokens=sum(call.completion_tokens or 0 for call in calls),
            cost=None if None in costs else sum((cost for cost in costs if cost), Decimal(0)),
            seconds=sum(call.seconds for call in calls) if calls else seconds,
        )

    def _try(self, case: Case) -> tuple[Any, str | None, int, float]:
        """Output, error, attempts, and how long the last attempt took."""
        for attempt in range(1, self.retries + 2):
            started = time.perf_counter()
            try:
                return self.task(case), None, attempt, time.perf_counter() - started
            except _FATAL:
                raise
            except Exception as error:  # any function may be a task, so anything may go wrong in it
                problem = f"{type(error).__name__}: {error}"
                if attempt > self.retries or isinstance(error, _HOPELESS):
                    break
                self.sleep(_FIRST_PAUSE * 2 ** (attempt - 1))
        return None, problem, attempt, time.perf_counter() - started


def _plain(output: Any) -> Any:
    """The output as JSON data; what JSON has no form for as text."""
    try:
        return to_jsonable_python(output, fallback=_unpack)
    except ValueError:  # bytes that are no text, or an object that holds itself
        return repr(output)


def _unpack(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)  # numpy, or anything


def run(
    task: Task,
    cases: Iterable[Case],
    scorers: Sequence[Scorer] = (),
    *,
    name: str = "run",
    path: Path | str | None = None,
    facts: Mapping[str, str] | None = None,
    repeats: int = 1,
    workers: int = 8,
    retries: int = 1,
    progress: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> Run:
    """Try every case `repeats` times on `workers` threads, score each output, and keep the records.

    Without `path` they are kept in memory. With one, a run that is already there is resumed: it must have the
    same name, scorers, repeats and facts, but whether the task's code is the same only you know, so give a
    changed task another path. `retries` are further attempts after an exception. `facts` are stored.

    Raises:
        EvaluationError: broken cases, or a file at `path` that holds another run or is being written.
        AicourseError: what would stop every further case as well (budget, key, connection, server).

    >>> run(lambda case: case.input.upper(), [Case(id="1", input="a")], progress=False).summary.records
    1
    """
    info = RunInfo(name, tuple(map(scorer_name, scorers)), repeats, dict(facts or {}), datetime.now(UTC))
    # reading the set also finds its mistakes before the first call
    total = len(cases) * repeats if isinstance(cases, Sized) else None
    trial = _Trial(task, scorers, retries, sleep)
    # None: shown in terminals and notebooks, not in log files, and never stored in a lesson's outputs
    hidden = None if progress and not paths.unattended() else True
    bar = tqdm(total=total, desc=name, unit="case", delay=_SHOW_AFTER, leave=False, disable=hidden)
    with bar, _kept(info, path) as (result, keep, done), _listening():
        bar.update(len(done))

        def finished(record: CaseRecord) -> None:
            keep(record)
            bar.update()

        _work(_jobs(cases, repeats, done), trial, finished, workers)
        return result()


def rescore(run: Run, scorers: Sequence[Scorer]) -> Run:
    """The same outputs with other scores, in memory: no case is tried again. Scorers see plain JSON data."""

    def scored(record: CaseRecord) -> tuple[Score, ...]:
        context = Context(record.output, record.expected, record.input, record.id, record.tags)
        return () if record.error else score_all(scorers, context)

    records = tuple(replace(record, scores=scored(record)) for record in run.records())
    return Run(replace(run.info, scorers=tuple(map(scorer_name, scorers))), memory=records)


Done = dict[tuple[str, int], str]  # (case id, repeat) -> digest


def _jobs(cases: Iterable[Case], repeats: int, done: Done) -> Iterator[_Job]:
    pairs = ((f"case {case.id!r}", case) for case in cases)
    checked = cases if isinstance(cases, EvaluationSet) else unique(pairs, "the set")
    for index, case in enumerate(checked):
        for repeat in range(repeats):
            digest = done.get((case.id, repeat))
            if digest is None:
                yield _Job(case, index, repeat)
            elif digest != case.digest:
                raise EvaluationError(
                    f"Case {case.id!r} was changed since this run began. Give the new run another path.",
                    id=case.id,
                )


def _work(jobs: Iterator[_Job], trial: _Trial, keep: Keep, workers: int) -> None:
    """Let `workers` threads take jobs until there are none, one of them fails, or Ctrl-C stops them all."""
    lock, stop = threading.Lock(), threading.Event()

    def worker() -> None:
        while not stop.is_set():
            with lock:
                job = next(jobs, None)
            if job is None:
                return
            record = trial(job)
            with lock:
                keep(record)

    with ThreadPoolExecutor(workers) as pool:
        pending = {pool.submit(worker) for _ in range(workers)}
        try:
            while pending:  # on Windows, Ctrl-C is only seen between waits
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
        finally:
            stop.set()


@contextmanager
def _listening() -> Iterator[None]:
    """Note each call of the course's clients with the case whose task makes it."""

    def note(call: Call) -> None:
        if (calls := _calls.get()) is not None:
            calls.append(call)

    listeners = session.current().listeners
    listeners.append(note)
    try:
        yield
    finally:
        listeners.remove(note)


@contextmanager
def _kept(info: RunInfo, path: Path | str | None) -> Iterator[tuple[Callable[[], Run], Keep, Done]]:
    """A place for records: the run so far, how to add to it, and what is done already."""
    if path is None:
        records: list[CaseRecord] = []
        yield lambda: Run(info, memory=tuple(sorted(records, key=_place))), records.append, {}
        return
    path = Path(path)

    def refusal(holder: str) -> EvaluationError:
        return EvaluationError(
            f"Another process is writing {path}{holder}. Wait for it, or choose another path."
        )

    with sole_holder(path.with_name(f".{path.name}.lock"), refusal):
        done = _resume(path, info)
        with open(path, "ab", buffering=0) as file:  # unbuffered: a record survives the end of this process
            yield lambda: load_run(path), lambda record: file.write(record_line(record)), done


def _place(record: CaseRecord) -> tuple[int, int]:
    return record.index, record.repeat


def _resume(path: Path, info: RunInfo) -> Done:
    """The part of this run in `path`; failed cases and half a line are taken out, to be done again."""
    if not path.exists() or path.stat().st_size == 0:
        path.write_bytes(info_line(info))
        return {}
    earlier = load_run(path)
    if replace(earlier.info, started=info.started) != info:
        raise EvaluationError(
            f"{path} holds another run ({earlier.info.name!r}, {dict(earlier.info.facts)}). "
            "Choose another path, or delete the file.",
            path=path,
        )
    done: Done = {}
    kept = path.with_name(f".{path.name}.kept")
    with open(kept, "wb") as file:
        finished = (record for record in earlier.records() if record.error is None)
        file.write(info_line(earlier.info))
        for record in finished:
            done[record.id, record.repeat] = record.digest
            file.write(record_line(record))
    os.replace(kept, path)
    return done

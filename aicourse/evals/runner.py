"""Run a task over an evaluation set: any function of one case, on a few threads, resumable.

    run = evals.run(lambda case: extract(case.input), cases, [exact("brand")], path="runs/v2.jsonl")

Each record is in the file before the next case of that thread begins, so that a run that was killed goes on
where it stopped: run the same again with the same `path`. Cases that failed are then tried again, finished
ones are not; a file that is of something else is refused (`resuming`). The calls that a task makes with the
course's clients are counted towards its case; calls from threads that the task itself starts are not. A task
that hangs is not stopped: give its client a timeout.
"""

from __future__ import annotations

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

from tqdm.auto import tqdm

from aicourse import json_text, paths
from aicourse.errors import AicourseError
from aicourse.evals.cases import Case, EvaluationSet, unique
from aicourse.evals.identity import made_of, remade_of
from aicourse.evals.resuming import Keep, kept
from aicourse.evals.runs import CaseRecord, Run, RunInfo
from aicourse.evals.scores import FATAL, Context, Score, Scorer, score_all, scorer_name, scorer_names, told
from aicourse.evals.validation import JudgeFacts, Validation
from aicourse.llm import session
from aicourse.llm.calls import Call

Task = Callable[[Case], Any]

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
            input=json_text.plain(case.input),
            expected=json_text.plain(case.expected),
            tags=case.tags,
            output=json_text.plain(output),
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
            except FATAL:
                raise
            except (Exception, SystemExit) as error:  # any function may be a task, and go wrong in any way
                problem = told(error)
                if attempt > self.retries or isinstance(error, _HOPELESS):
                    break
                self.sleep(_FIRST_PAUSE * 2 ** (attempt - 1))
        return None, problem, attempt, time.perf_counter() - started


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

    Without `path` they are kept in memory. With one, a run that is already there is resumed, if it is of the
    same (see `resuming`). `retries` are further attempts after an exception. `facts` are stored.

    Raises:
        EvaluationError: broken cases, two scorers of one name, or a file at `path` that holds another run or
            is being written.
        AicourseError: what would stop every further case as well (budget, key, connection, server).

    >>> run(lambda case: case.input.upper(), [Case(id="1", input="a")], progress=False).summary.records
    1
    """
    chosen, count = _chosen(cases, path)
    now = datetime.now(UTC)
    parts = made_of(task, scorers) if path else {}
    noted = {name: str(value) for name, value in (facts or {}).items()}
    judges, validations = _judges(scorers)
    info = RunInfo(name, scorer_names(scorers), repeats, noted, now, parts, count, judges, validations)
    trial = _Trial(task, scorers, retries, sleep)
    # None: shown in terminals and notebooks, not in log files, and never stored in a lesson's outputs
    hidden = None if progress and not paths.unattended() else True
    total = None if count is None else count * repeats
    bar = tqdm(total=total, desc=name, unit="case", delay=_SHOW_AFTER, leave=False, disable=hidden)
    with bar, kept(info, path, chosen) as (result, keep, done), _listening():
        bar.update(len(done))

        def finished(record: CaseRecord) -> None:
            keep(record)
            bar.update()

        jobs = (
            _Job(case, index, repeat)
            for index, case in enumerate(chosen)
            for repeat in range(repeats)
            if (case.id, repeat) not in done
        )
        _work(jobs, trial, finished, workers)
        return result()


def _chosen(cases: Iterable[Case], path: Path | str | None) -> tuple[Iterable[Case], int | None]:
    """The cases, checked before the first call, and their number; a stream only as it is read, without one.

    A stream of which a part is done has to be read first, to find out if that part is still in it.
    """
    if not isinstance(cases, Sized) and path and Path(path).exists():
        cases = list(cases)
    pairs = ((f"case {case.id!r}", case) for case in cases)
    checked = cases if isinstance(cases, EvaluationSet) else unique(pairs, "the set")
    if not isinstance(cases, Sized):
        return checked, None
    return cases, sum(1 for _ in checked)


def rescore(run: Run, scorers: Sequence[Scorer]) -> Run:
    """The same outputs with other scores, in memory: no case is tried again. Scorers see plain JSON data."""

    def scored(record: CaseRecord) -> tuple[Score, ...]:
        context = Context(record.output, record.expected, record.input, record.id, record.tags)
        return () if record.error else score_all(scorers, context)

    records = tuple(replace(record, scores=scored(record)) for record in run.records())
    info = replace(run.info, scorers=scorer_names(scorers), made_of=remade_of(run.info.made_of, scorers))
    judges, validations = _judges(scorers)
    return Run(replace(info, judges=judges, validations=validations), memory=records)


def _judges(scorers: Sequence[Any]) -> tuple[dict[str, JudgeFacts], tuple[Validation, ...]]:
    """The scorers that ask a model, by name, and the validations that they have."""
    judges = [one for one in scorers if isinstance(getattr(one, "facts", None), JudgeFacts)]
    facts = {scorer_name(one): one.facts for one in judges}
    return facts, tuple(one.validation for one in judges if one.validation)


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

    current = session.current()
    current.listeners.append(note)
    try:
        with current.running():
            yield
    finally:
        current.listeners.remove(note)

"""Many machines: an executor whose submissions run on the workers of a Dask cluster.

    with ClusterExecutor("tcp://scheduler:8786", level="L3") as cluster:
        grade(assignment, source, out, cluster.execute, options=Options(jobs=cluster.slots))

What travels is plain data: a notebook, calls and the bytes of files to a worker, outputs and answers back.
References and comparisons stay with the client, which also writes every result; only a dialogue's other side
goes to the worker, and stays outside its sandbox there. So nothing is lost when something dies:

- a worker: Dask runs its submissions elsewhere; one that kills every worker ends as not graded, and says so;
- the scheduler: the client waits for it to come back, and sends again what had not come back;
- the client: it has written what is done; running the command again goes on from there.

Clusters come from dask-jobqueue, dask-kubernetes, dask-gateway, Coiled, or two commands: `dask scheduler` and
`dask worker`. Needs the extra: pip install "aicourse[cluster]".
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from types import TracebackType
from typing import Any

from aicourse.errors import GradingError, SandboxError
from aicourse.tooling.grading.sandbox.execution import Execution, Executor, Job
from aicourse.tooling.grading.sandbox.executor import Sandbox

_TRIES = 3  # of a submission whose worker died, or whose scheduler went away


def run_in_sandbox(job: Job, level: str | None, trust_notebooks: bool) -> Execution:
    """A worker's part: run a job in its own sandbox, which lives as long as the worker."""
    return _sandbox(level, trust_notebooks).execute(job)


@functools.cache
def _sandbox(level: str | None, trust_notebooks: bool) -> Sandbox:
    sandbox = Sandbox(level, trust_notebooks=trust_notebooks)
    sandbox.__enter__()  # its processes end with the worker's
    return sandbox


class ClusterExecutor:
    """Sends jobs to a Dask cluster; `execute` may be called by many threads at a time. A context manager.

    `run` is what a worker does with a job. `patience` is for how many seconds a scheduler may
    be away before the run is given up.

    Raises:
        GradingError: `distributed` is not installed, or no scheduler answers.
    """

    def __init__(
        self,
        address: str,
        *,
        level: str | None = None,
        trust_notebooks: bool = False,
        run: Executor | None = None,
        patience: float = 120.0,
    ) -> None:
        self._address = address
        self._run = run or functools.partial(run_in_sandbox, level=level, trust_notebooks=trust_notebooks)
        self._patience = patience
        self._lock = threading.Lock()
        self._alone = threading.Lock()
        self._client: Any = None

    def __enter__(self) -> ClusterExecutor:
        self._connected()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close(timeout=2)

    @property
    def slots(self) -> int:
        """Submissions to have under way: twice what runs at a time, so that no worker waits."""
        workers: Any = self._connected().scheduler_info(n_workers=-1)["workers"].values()
        return max(2, 2 * sum(int(worker["nthreads"]) for worker in workers))

    def execute(self, job: Job) -> Execution:
        """Run a job on some worker.

        Raises:
            GradingError: no scheduler or worker for longer than `patience`.
            SandboxError: a worker cannot protect itself as asked for, or the submission kills workers.
        """
        from distributed import KilledWorker

        for attempt in range(1, _TRIES + 1):
            try:
                # a death is blamed on all that ran on the worker: then each suspect runs without the others
                with self._alone if attempt > 1 else contextlib.nullcontext():
                    return self._run_through_losses(job)
            except KilledWorker:
                continue
        sentence = f"Running it ended its worker {_TRIES} times. Look at it, or grade it alone with --only."
        raise SandboxError(sentence, level="")

    def _run_through_losses(self, job: Job) -> Execution:
        """Run a job, again if the scheduler goes away in between."""
        for _ in range(_TRIES):
            client = self._connected()
            try:
                # impure: one notebook handed in twice is run twice; no retries: a failure is an answer
                result: Execution = client.submit(self._run, job, pure=False, retries=0).result()
                return result
            except Exception as error:
                if not _is_lost_connection(error):
                    raise
                self._reconnect(client)
        raise GradingError(
            f"The scheduler at {self._address} goes away again and again. Look at its log, then run the same "
            "command: what is graded is kept."
        )

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _connect(self._address, self._patience)
            return self._client

    def _reconnect(self, broken: Any) -> None:
        """Drop `broken` unless another thread has done so already; the next `execute` makes a new client."""
        with self._lock:
            if self._client is not broken:
                return
            self._client = None
        try:
            broken.close(timeout=1)
        except Exception:  # it is broken: nothing in it is needed any more
            return


def _is_lost_connection(error: Exception) -> bool:
    """True if the cluster failed, and not what ran on it."""
    from concurrent.futures import CancelledError as PlainCancelledError

    from distributed import CancelledError
    from distributed.comm.core import CommClosedError

    return isinstance(
        error, CancelledError | PlainCancelledError | CommClosedError | OSError | TimeoutError
    ) or (isinstance(error, RuntimeError | ValueError) and "client" in str(error).lower())


def _connect(address: str, patience: float) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise GradingError(
            'Grading on a cluster needs Dask. Install it with: pip install "aicourse[cluster]"'
        ) from None
    deadline = time.monotonic() + patience
    while True:
        try:
            return Client(address, timeout=5, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, TimeoutError, ValueError) as error:
            if time.monotonic() > deadline or isinstance(error, ValueError):
                raise GradingError(
                    f"No Dask scheduler answers at {address} ({error}). Start one with: dask scheduler",
                    address=address,
                ) from None
            time.sleep(0.5)

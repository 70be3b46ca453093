"""`Sandbox`: runs submissions in protected kernels and brings their answers out as plain data.

    with Sandbox() as sandbox:
        execution = sandbox.execute(Job(notebook, calls=[Call("shout", ("hello",))]))
    execution.answers  ->  (Answer("returned", "HELLO"),)

The notebook runs to its end past failing cells; then the calls are made in the namespace that it left. What
comes back is data; whether it is right is for the grader to say, outside. `running` has the rules for lost
kernels, the package `sandbox` the protection.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from aicourse.tooling.grading.sandbox import sentences
from aicourse.tooling.grading.sandbox.execution import Answer, Ending, Execution, Job
from aicourse.tooling.grading.sandbox.kernel import End
from aicourse.tooling.grading.sandbox.levels import choose_level
from aicourse.tooling.grading.sandbox.parameters import with_parameters
from aicourse.tooling.grading.sandbox.running import Attempt, Kernel, Lost, Progress
from aicourse.tooling.grading.sandbox.starting import Starter, starter_for

if TYPE_CHECKING:
    from aicourse.tooling.grading.sandbox.proxy import Ask

_SPARE_STARTS = 2


class Sandbox:
    """Owns what kernels are started from; a context manager. `execute` may be called from many threads.

    `level` is the least protection to accept ("L2"); None means L3. Below L2, and where there is no sandbox
    at all, `trust_notebooks` says that somebody has read the notebooks.

    `ask` speaks to a model for jobs with `model_calls`, by default the one that the grader is set up for.

    Raises:
        SandboxError: this machine offers less; the message says what is missing and what to do.
    """

    def __init__(
        self, level: str | None = None, *, trust_notebooks: bool = False, ask: Ask | None = None
    ) -> None:
        self._ask = ask
        self.level = choose_level(level, trust_notebooks=trust_notebooks)
        self._starter: Starter | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Sandbox:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End everything that was started."""
        with self._lock:
            starter, self._starter = self._starter, None
        if starter is not None:
            starter.close()

    def execute(self, job: Job) -> Execution:
        """Run one submission; whatever it does, this returns an `Execution`.

        Raises:
            SandboxError: the sandbox itself has failed, not the submission.
        """
        progress = Progress(job)
        notebook = with_parameters(job.notebook, job.parameters)
        ends: list[End] = []
        failed_starts = 0
        while True:
            ending, end = self._attempt(progress, notebook["cells"])
            ends.append(end)
            if ending is None:
                break
            if ending == "not_started":
                failed_starts += 1
                if failed_starts >= _SPARE_STARTS:
                    progress.note("not_started", sentences.did_not_start(end.failed or "no answer"))
                    break
            if time.monotonic() - progress.started > _most_seconds(job):
                break
        return self._execution(progress, notebook, ends)

    def _start(self) -> Starter:
        with self._lock:
            if self._starter is None:
                self._starter = starter_for(self.level, self._ask)
            return self._starter

    def _attempt(self, progress: Progress, cells: list[dict[str, Any]]) -> tuple[Ending | None, End]:
        """Run once; why the kernel was lost (None: it was not), and how it ended."""
        kernel: Kernel = self._start().start(progress.job)
        attempt = Attempt(progress, kernel, cells)
        lost: Lost | None = None
        try:
            attempt.run()
        except Lost as error:
            lost = error
        finally:
            end = kernel.end()
        if lost is None:
            if end.out_of_memory:
                progress.note("out_of_memory", sentences.about_process(progress.job.limits))
            return None, end
        return ("not_started" if lost.ending == "not_started" else attempt.blame(lost, end)), end

    def _execution(self, progress: Progress, notebook: dict[str, Any], ends: list[End]) -> Execution:
        _store_outputs(notebook, progress)
        unasked = Answer("dead", message="The notebook could not be run to its end.")
        answers = tuple(progress.answers.get(number, unasked) for number in range(len(progress.job.calls)))
        problems = progress.problems
        return Execution(
            notebook=notebook,
            answers=answers,
            ending=problems[0][0] if problems else "finished",
            sentence=" ".join(sentence for _, sentence in problems[:3]),
            failures=tuple(failure for _, failure in sorted(progress.failures.items())),
            level=self.level,
            seconds=time.monotonic() - progress.started,
            cpu_seconds=sum(end.cpu_seconds for end in ends),
            peak_memory=max((end.peak_memory for end in ends), default=0),
        )


def _most_seconds(job: Job) -> float:
    """After this long no further attempt begins."""
    return 2 * job.limits.notebook_seconds + sum(call.seconds for call in job.calls)


def _store_outputs(notebook: dict[str, Any], progress: Progress) -> None:
    for index, cell in enumerate(notebook["cells"]):
        if cell.get("cell_type") == "code":
            found = progress.outputs.get(index)
            cell["outputs"] = found.outputs if found else []
            cell["execution_count"] = progress.counts.get(index)

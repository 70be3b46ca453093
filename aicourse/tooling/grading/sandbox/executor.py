"""`Sandbox`: runs submissions in protected kernels and brings their answers out as plain data.

    with Sandbox() as sandbox:
        execution = sandbox.execute(Job(notebook, calls=[StudentCall("shout", ("hello",))]))
    execution.answers  ->  (Answer("returned", "HELLO"),)

The notebook runs to its end past failing cells; then the calls are made in the namespace that it left. What
comes back is data; whether it is right is for the grader to say, outside. `running` has the rules for lost
kernels, the package `sandbox` the protection.
"""

from __future__ import annotations

import copy
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any

from aicourse.errors import SandboxError
from aicourse.tooling.grading.sandbox import sentences
from aicourse.tooling.grading.sandbox.execution import Answer, Ending, Execution, Executor, Job
from aicourse.tooling.grading.sandbox.kernel import End, Starter
from aicourse.tooling.grading.sandbox.levels import choose_level
from aicourse.tooling.grading.sandbox.running import Attempt, Lost, RunState

_SPARE_STARTS = 2


class Sandbox:
    """Owns what kernels are started from; a context manager. `execute` may be called from many threads.

    `level` is the least protection to accept ("L2"); None means L3. Below L2, and where there is no sandbox
    at all, `trust_notebooks` says that somebody has read the notebooks.

    Raises:
        SandboxError: this machine offers less; the message says what is missing and what to do.
    """

    def __init__(self, level: str | None = None, *, trust_notebooks: bool = False) -> None:
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
            SandboxError: the sandbox itself has failed, not the submission; or the model that the
                submission may ask is not here.
        """
        state = RunState(job)
        notebook = copy.deepcopy(job.notebook)
        ends: list[End] = []
        failed_starts = 0
        while True:
            ending, end = self._attempt(state, notebook["cells"])
            ends.append(end)
            if ending is None:
                break
            if ending == "not_started":
                failed_starts += 1
                if failed_starts >= _SPARE_STARTS:
                    state.note("not_started", sentences.did_not_start(end.failed or "no answer"))
                    break
            if not state.left():
                break
        return self._execution(state, notebook, ends)

    def _start(self) -> Starter:
        with self._lock:
            if self._starter is None:
                self._starter = starter_for(self.level)
            return self._starter

    def _attempt(self, state: RunState, cells: list[dict[str, Any]]) -> tuple[Ending | None, End]:
        """Run once; why the kernel was lost (None: it was not), and how it ended."""
        kernel = self._start().start(state.job)
        attempt = Attempt(state, kernel, cells)
        lost: Lost | None = None
        try:
            attempt.run()
        except Lost as error:
            lost = error
        finally:
            state.model_seconds += kernel.model_seconds()
            end = kernel.end()
        if end.unserved:
            raise SandboxError(end.unserved, level=self.level)
        if lost is None:
            if end.out_of_memory:
                state.note("out_of_memory", sentences.about_process(state.job.limits))
            return None, end
        return ("not_started" if lost.ending == "not_started" else attempt.blame(lost, end)), end

    def _execution(self, state: RunState, notebook: dict[str, Any], ends: list[End]) -> Execution:
        _store_outputs(notebook, state)
        unasked = Answer("dead", message="The notebook could not be run to its end.")
        answers = tuple(state.answers.get(number, unasked) for number in range(len(state.job.calls)))
        problems = state.problems
        return Execution(
            notebook=notebook,
            answers=answers,
            ending=problems[0][0] if problems else "finished",
            sentence=" ".join(sentence for _, sentence in problems[:3]),
            failures=tuple(failure for _, failure in sorted(state.failures.items())),
            level=self.level,
            seconds=time.monotonic() - state.started,
            cpu_seconds=sum(end.cpu_seconds for end in ends),
            peak_memory=max((end.peak_memory for end in ends), default=0),
        )


@contextmanager
def own_notebooks(say: Callable[[str], None] = lambda sentence: None) -> Iterator[Executor]:
    """An executor for notebooks that the user wrote or trusts; `say` hears when there is no sandbox.

    Submissions of others never run here: grading refuses where there is no sandbox.
    """
    with ExitStack() as stack:
        try:
            sandbox = stack.enter_context(Sandbox())
        except SandboxError:
            say("There is no sandbox on this machine, so it runs unprotected: it is your own code.")
            sandbox = stack.enter_context(Sandbox(trust_notebooks=True))
        yield sandbox.execute


def starter_for(level: str) -> Starter:
    """The zygote's forks on Linux, plain processes elsewhere."""
    if sys.platform == "linux":
        from aicourse.tooling.grading.sandbox.launching import ZygoteStarter

        return ZygoteStarter(level)
    from aicourse.tooling.grading.sandbox.plain import PlainStarter

    return PlainStarter()


def _store_outputs(notebook: dict[str, Any], state: RunState) -> None:
    for index, cell in enumerate(notebook["cells"]):
        if cell.get("cell_type") == "code":
            found = state.outputs.get(index)
            cell["outputs"] = found.outputs if found else []
            cell["execution_count"] = state.counts.get(index)

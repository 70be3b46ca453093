"""Reading and judging, apart from the grader: hostile bytes are parsed and compared in a fork with limits.

    with work_apart(assignment) as work:                # before the grader has threads
        steps = work(submission, ask)
        prepared = next(steps)                          # read, restored, planned
        outcomes = steps.send(execution.answers)        # decoded, judged

Nothing of a submission is executed here. But a parser, a comparison or a check of the author's can be made to
take gigabytes or hours (a syntax tree, numbers of one hash, `set(answer)`), so it happens in a process that
the kernel stops, and the grader itself only carries bytes. A process without threads, forked at the start,
does the forking. Where there is no fork (macOS, Windows: trusted notebooks) it happens in place.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from aicourse.errors import AicourseError, SubmissionError
from aicourse.tooling.fork_server import begin, die_with_parent, serve
from aicourse.tooling.grading.authoring.assignment import Assignment
from aicourse.tooling.grading.judging.judging import Ask, judge, plan
from aicourse.tooling.grading.sandbox.execution import StudentCall
from aicourse.tooling.grading.submissions.collecting import Submission
from aicourse.tooling.grading.submissions.reading import read_notebook
from aicourse.tooling.grading.submissions.restoring import Restored, restore

CPU_SECONDS = 20
MEMORY = 400 << 20
_TOO_MUCH = (
    "Reading and judging it takes more time or memory than a submission may use. Look at its cells, and at "
    "what its functions return."
)


@dataclass(frozen=True)
class Prepared:
    """A submission ready to run: the notebook, what to ask it, and what was noticed while reading."""

    restored: Restored
    calls: tuple[StudentCall, ...]
    notes: tuple[str, ...]


Steps = Generator[Any, Any, None]
"""Yields a `Prepared`, takes the answers to its calls, yields the check outcomes."""
Work = Callable[[Submission, Ask | None], Steps]


def work_here(assignment: Assignment, submission: Submission, ask: Ask | None) -> Steps:
    """The work itself, in this process."""
    read = read_notebook(submission.data, submission.name)
    asked = plan(assignment, submission.student)
    answers = yield Prepared(restore(assignment, read), asked.calls, read.notes)
    yield judge(asked, answers, ask)


@contextlib.contextmanager
def work_apart(assignment: Assignment) -> Iterator[Work]:
    """Give each submission a process of its own; the calling process should not have threads yet."""
    if sys.platform != "linux":
        yield functools.partial(work_here, assignment)
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server = os.fork()
    if server == 0:
        _serve_forks(theirs, assignment)
    theirs.close()
    forks = _Forks(ours)
    try:
        yield forks.work
    finally:
        forks.close()
        os.waitpid(server, 0)


class _Forks:
    """Processes that do the work, one submission at a time each; one that failed is not used again."""

    def __init__(self, server: socket.socket) -> None:
        self._server, self._lock = server, threading.Lock()
        self._idle: list[Connection] = []

    def work(self, submission: Submission, ask: Ask | None) -> Steps:
        """The work in one of them; may be called by many threads."""
        fork = self._take()
        try:
            request = (submission.data, submission.name, submission.student, ask is not None)
            answers = yield _reply(fork, request, ask)
            outcomes = _reply(fork, answers, ask)
        except BaseException:
            fork.close()
            raise
        self._idle.append(fork)
        yield outcomes

    def _take(self) -> Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            mine, theirs = socket.socketpair()
            with theirs:
                socket.send_fds(self._server, [b"fork"], [theirs.fileno()])
            return Connection(mine.detach())

    def close(self) -> None:
        """End them all, and their server."""
        for fork in self._idle:
            fork.close()
        self._server.close()


def _reply(fork: Connection, request: Any, ask: Ask | None) -> Any:
    """The result for a request; until it comes, the model is asked what the fork wants to ask it.

    Raises:
        SubmissionError: it could not be read or judged, or not within the limits.
    """
    while True:
        try:
            fork.send(request)
            kind, content = fork.recv()
        except (EOFError, OSError):
            raise SubmissionError(_TOO_MUCH) from None
        if kind == "failed":
            raise SubmissionError(content)
        if kind == "done" or ask is None:
            return content
        try:
            request = (ask(content), "")
        except AicourseError as error:
            request = ("", error.message)


def _serve_forks(connection: socket.socket, assignment: Assignment) -> NoReturn:
    """Be the server: hold nothing of the grader's, fork for each submission, end with the grader."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's to handle
        for handle in map(int, os.listdir("/proc/self/fd")):
            if handle > 2 and handle != connection.fileno():
                with contextlib.suppress(OSError):  # the one that listed them
                    os.close(handle)
        # Loaded before there are limits: each thread of it, one for each core, would take memory of its own.
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        importlib.import_module("numpy")
        gc.freeze()
        serve([connection], lambda _, handles: _do_work(Connection(handles[0]), assignment))
    finally:
        os._exit(0)


def _do_work(grader: Connection, assignment: Assignment) -> NoReturn:
    """One process for the work: until the grader has no more, or something fails."""
    from aicourse.tooling.grading.sandbox.limits import limit_cpu, limit_memory  # not on Windows

    try:
        die_with_parent()
        begin(None)
        limit_memory(MEMORY)
        reason = ""
        while not reason:
            request = grader.recv()
            limit_cpu(CPU_SECONDS)
            reason = _worked(grader, assignment, *request)
        grader.send(("failed", reason))
    finally:  # also when the grader has no more
        os._exit(0)


def _worked(
    grader: Connection, assignment: Assignment, data: bytes, name: str, student: str, asks: bool
) -> str:
    """The reason why the work could not be done; empty when it was done."""

    def ask(body: dict[str, Any]) -> str:
        grader.send(("ask", body))
        reply, refusal = grader.recv()
        if refusal:
            raise AicourseError(refusal)
        return str(reply)

    try:
        steps = work_here(assignment, Submission(student, name, data), ask if asks else None)
        grader.send(("done", next(steps)))
        grader.send(("done", steps.send(grader.recv())))
    except AicourseError as error:
        return error.message
    except MemoryError:
        return _TOO_MUCH
    except (EOFError, BrokenPipeError):
        raise
    except Exception as error:  # a fault of the grader is one submission's, and says so
        return f"The grader itself failed ({type(error).__name__}: {error}). Grade again; then report it."
    return ""

"""Questions to a submission, and its answers: plain records that every part of grading shares.

A `StudentCall` names something that the student wrote and the inputs to call it with. An `Answer` is what
came back, as plain data. An `Execution` is a whole notebook's run: its outputs, its answers, and one
sentence if it did not go as it should. Nothing here says what is right: that stays in the grader (`checks`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

AnswerKind = Literal["returned", "raised", "endless", "missing", "unreadable", "dead"]
Ending = Literal["finished", "timed_out", "died", "out_of_memory", "flooded", "not_started"]


class Dialogue(Protocol):
    """The grader's side of calls of which each depends on the answers before.

    It travels with its call, so it can be pickled, and it runs where the sandbox is started: outside of it.
    """

    def talk(self) -> Generator[tuple[Any, ...], Answer, Answer]:
        """The arguments of each call; takes its answer, and returns the answer that counts for all."""


@dataclass(frozen=True)
class StudentCall:
    """Ask for `target`: a name, or names with dots, in the namespace that the notebook left behind.

    `arguments` and `named` are plain data (JSON types and tuples); `arguments` of None asks for the value.
    With a `dialogue` it is many calls with one answer. `seconds` is the CPU time that the student's
    code may take (see `Limits`).
    """

    target: str
    arguments: tuple[Any, ...] | None = None
    named: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 5.0
    dialogue: Dialogue | None = None


@dataclass(frozen=True)
class Encoded:
    """A value as it left the sandbox, for `encoding.decoded` to read where there are limits."""

    json: str


@dataclass(frozen=True)
class Answer:
    """The answer to a call.

    - returned: `value` is made of exact built-in types, or a pandas or numpy object rebuilt from JSON; or
      it is `Encoded`, if the job wants that
    - raised: `error` is the exception's class name, `message` its text
    - endless: it took longer than it may; dead: it ended the kernel; missing: there is no such name
    - unreadable: what it gave is no plain data, or too large or too deep; `message` says which
    """

    kind: AnswerKind
    value: Any = None
    error: str = ""
    message: str = ""
    printed: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class CellFailure:
    """A cell that raised, or ended the run; `index` counts the notebook's cells from 0."""

    index: int
    cell_id: str
    error: str
    message: str


@dataclass(frozen=True)
class Limits:
    """Limits of one submission, in bytes and seconds.

    Seconds are CPU time of all its processes together. It is never stopped before as many have passed on the
    clock, however many processes it has, and always after three times as many (`running.Allowance`).
    """

    notebook_seconds: float = 120.0
    cell_seconds: float = 60.0
    memory: int = 1 << 30  # all processes of the submission together
    disk: int = 64 << 20
    files: int = 4_096
    processes: int = 64
    output: int = 4 << 20  # of one cell
    outputs: int = 16 << 20  # of all cells, as they are stored; what comes later is not kept
    answer: int = 1 << 20


@dataclass(frozen=True)
class Execution:
    """A notebook's run: `notebook` (nbformat 4 as plain data, with outputs), one answer per call, in order.

    `sentence` says in plain words what went wrong, "" when nothing did. `level` is the protection it ran
    under ("L3"). `peak_memory` is that of the whole process tree, in bytes, 0 when unknown.
    """

    notebook: dict[str, Any]
    answers: tuple[Answer, ...]
    ending: Ending
    sentence: str
    failures: tuple[CellFailure, ...]
    level: str
    seconds: float
    cpu_seconds: float = 0.0
    peak_memory: int = 0


@dataclass(frozen=True)
class Job:
    """One submission: the notebook, files beside it, and what to ask afterwards.

    With `stop_at_error` no cell runs after one that failed, unless that is tagged `raises-exception`.
    `encoded` asks for answers that nobody has decoded yet: a grader's, who does it in a process with limits.
    """

    notebook: dict[str, Any]
    calls: Sequence[StudentCall] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    limits: Limits = Limits()
    stop_at_error: bool = False
    encoded: bool = False
    vectors: str | None = None  # the file of recorded embeddings; None: no embeddings


Executor = Callable[[Job], Execution]
